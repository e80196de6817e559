/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does the configuration fit this machine? The judgement behind `khiend --check`, and the proposal of `--detect`.
 * Pure functions over the configuration and a snapshot of the links, but for those that say that they read files.
 */
#ifndef KHIEN_DAEMON_CHECK_H
#define KHIEN_DAEMON_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "daemon/config.h"
#include "netlink/links.h"

enum kh_severity {
	KH_NOTICE, /* understood, and said: "ppp0 is carried by eth0" */
	KH_WARNING, /* works, but hardly as meant; `exempt` is a standing one */
	KH_ERROR, /* traffic would go unjudged, something would stand open, or a list is not understood; the daemon starts all the same */
	KH_SEVERITY_COUNT,
};

struct kh_check_finding {
	enum kh_severity severity;
	enum kh_config_key key; /* the key it is about */
	int line; /* of that key; 0: the file does not give it */
	char text[384]; /* "wan: eth9: no such interface ..."; no final full stop */
	char hint[384]; /* the line put right, "write: wan = eth0", or what to do; may be empty */
};

#define KH_CHECK_MAX 64

/* Begin with a zeroed one; findings are added in the order of the checks. Those beyond KH_CHECK_MAX are counted only. */
struct kh_check {
	struct kh_check_finding findings[KH_CHECK_MAX];
	size_t count;
	size_t more;
};

/* Judges the configuration against the machine as `links` shows it. */
void kh_check(const struct kh_config *config, const struct kh_links *links, struct kh_check *check);
/* Loads every list of config->never_block as the guard would, and throws them away again. */
void kh_check_lists(const struct kh_config *config, struct kh_check *check);
/* The same for every file of config->issuers. */
void kh_check_issuers(const struct kh_config *config, struct kh_check *check);
/* Reads the file of config->proxy_credentials as a refresh would. What stands in it is in no finding. */
void kh_check_proxy(const struct kh_config *config, struct kh_check *check);

/* Reads the file of keys of [trust]. */
void kh_check_trust(const struct kh_config *config, struct kh_check *check);

/* The gravest finding; KH_NOTICE when there is none. */
enum kh_severity kh_check_worst(const struct kh_check *check);
const char *kh_severity_name(enum kh_severity severity); /* "notice" "warning" "error", translated */
/* Every finding on two lines: "FILE:LINE: error: TEXT" and the hint, indented. */
void kh_check_print(FILE *out, const char *file, const struct kh_check *check);

/* A [gateway] section for this machine: wan is where default routes leave, lan what else has addresses, each with the reason
 * as comment. Parses as khien.conf unless no wan or no lan was found: then that line says so. malloc'ed; NULL: out of memory. */
char *kh_check_detect(const struct kh_links *links);

#endif
