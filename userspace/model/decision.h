/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of a value found in a document: one of four decisions, with one reason from one list.
 * The reader proposes (how the value stood in the text), the guard disposes.
 */
#ifndef KHIEN_MODEL_DECISION_H
#define KHIEN_MODEL_DECISION_H

#include <stdint.h>

enum kh_decision {
	KH_ENFORCE,
	KH_REVIEW,
	KH_REFUSE,
	KH_UNENFORCEABLE,
	KH_DECISION_COUNT,
};

/* X(symbol, "json-name", "English sentence for a person", for translation in the cli). Append only. */
#define KH_DECISION_REASONS(X)                                                                                             \
	/* enforce */                                                                                                      \
	X(KH_WHY_TABLE, "listed", N_("stands in a list or table of indicators"))                                           \
	X(KH_WHY_ANNEX, "annex", N_("stands in the annex"))                                                                \
	X(KH_WHY_DEFANGED, "defanged", N_("written defanged, so meant as an indicator"))                                   \
	X(KH_WHY_TYPED, "typed", N_("given on the command line"))                                                          \
	/* review */                                                                                                       \
	X(KH_WHY_PROSE, "prose", N_("only mentioned in the text, not in a list or annex"))                                 \
	X(KH_WHY_HOST_BITS, "host-bits", N_("address bits beyond the prefix length: one address or the network?"))         \
	X(KH_WHY_MALFORMED, "malformed", N_("looks like an address but is not one"))                                       \
	X(KH_WHY_TOO_WIDE, "too-wide", N_("wider than the configured limit"))                                              \
	X(KH_WHY_LETTER_TOO_WIDE, "letter-too-wide", N_("the letter covers more than 65536 IPv4 addresses"))               \
	X(KH_WHY_SHARED, "shared-infrastructure", N_("shared infrastructure (CDN, mail, meeting, certificates)"))          \
	/* refuse */                                                                                                       \
	X(KH_WHY_OWN_ADDRESS, "own-address", N_("an address of this gateway"))                                             \
	X(KH_WHY_OWN_SUBNET, "own-subnet", N_("inside one of the office's own networks"))                                  \
	X(KH_WHY_GATEWAY, "default-gateway", N_("the default gateway or PPP peer"))                                        \
	X(KH_WHY_RESOLVER, "resolver", N_("a DNS resolver in use"))                                                        \
	X(KH_WHY_TUNNEL, "tunnel-endpoint", N_("a WireGuard endpoint in use"))                                             \
	X(KH_WHY_MANAGEMENT, "management", N_("a management network"))                                                     \
	X(KH_WHY_SPECIAL, "special-purpose", N_("special-purpose range (RFC 6890)"))                                       \
	X(KH_WHY_NEVER_BLOCK, "never-block", N_("on the never-block list"))                                                \
	X(KH_WHY_EVERYTHING, "everything", N_("covers a whole address family"))                                            \
	/* unenforceable */                                                                                                \
	X(KH_WHY_DOMAIN, "domain", N_("a domain name: cannot be enforced in the packet path"))                             \
	X(KH_WHY_URL, "url", N_("a URL: cannot be enforced in the packet path"))                                           \
	/* review */                                                                                                       \
	X(KH_WHY_CONTEXT, "context",                                                                                       \
	  N_("the text around it speaks of victims, name servers, scanners or contacts, or of what is not to be blocked")) \
	X(KH_WHY_SCAN, "scan", N_("read from a picture of the page: compare it with the paper"))                           \
	X(KH_WHY_SCAN_DIFFERS, "scan-differs", N_("two readings of the picture differ: look at the paper"))                \
	X(KH_WHY_COLUMN, "column", N_("stands in a column of sources or remarks, not of indicators"))                      \
	X(KH_WHY_NOT_ACTIONABLE, "not-actionable", N_("its source does not mark it as one to block"))                      \
	X(KH_WHY_CONDITION, "condition", N_("its source names it under a condition that cannot be checked here"))          \
	X(KH_WHY_REVOKED, "revoked", N_("its source has taken it back"))                                                   \
	X(KH_WHY_OUTDATED, "outdated", N_("by its source, not valid now"))                                                 \
	/* enforce */                                                                                                      \
	X(KH_WHY_ACTIONABLE, "actionable", N_("marked by its source as one to block"))                                     \
	/* unenforceable */                                                                                                \
	X(KH_WHY_SHARED_HOST, "shared-host",                                                                               \
	  N_("a page on a popular or shared site: to block the site would block all of it"))                               \
	/* review */                                                                                                       \
	X(KH_WHY_UNCLEAR, "unclear", N_("not written as a value: this is what may be meant"))                              \
	X(KH_WHY_ZONE, "zone", N_("an address with a zone id means something on one machine only"))                        \
	X(KH_WHY_GLUED, "glued", N_("perhaps two values written together: the note says which"))                           \
	X(KH_WHY_CUT, "cut", N_("perhaps cut at the end of its line: the note says how it goes on"))                       \
	/* not in force while it lasts */                                                                                  \
	X(KH_WHY_SESSION, "session", N_("the SSH session of somebody who gives orders here: spared while it lasts"))

enum kh_decision_reason {
#define X(symbol, name, sentence) symbol,
	KH_DECISION_REASONS(X)
#undef X
		KH_WHY_COUNT,
};

const char *kh_decision_name(enum kh_decision decision); /* "enforce" "review" "refuse" "unenforceable" */
int kh_decision_from_name(const char *name, enum kh_decision *ret_decision); /* 0 or -EINVAL */
const char *kh_decision_reason_name(enum kh_decision_reason reason);
const char *kh_decision_reason_sentence(enum kh_decision_reason reason); /* English; pass through gettext */
int kh_decision_reason_from_name(const char *name, enum kh_decision_reason *ret_reason); /* 0 or -EINVAL */

#endif
