/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control protocol between khien and khiend: names and limits. A Unix stream socket; each message is a 32-bit
 * length (host byte order, of what follows) and one JSON object in UTF-8. One request, one reply, any number of pairs a connection.
 * Documents are handed over as file descriptors (SCM_RIGHTS, sent with the first byte of the request), so a list has
 * no size limit but the reader's: the files, of which the daemon takes the hash, and what the client's reader made of each (userspace/model/wire.h),
 * which it checks. It reads no foreign file itself. The peer is known by SO_PEERCRED and SO_PEERGROUPS: members of
 * the group khien may look, root and members of khien-admin may change; what is not allowed is refused with exit 1.
 *
 * Request: {"v": 1, "op": "...", "lang": "vi"|"en", ...}
 * Reply:   {"exit": N, ...} with N the exit code of the command line; on failure also
 *          {"error": {"text": "...", "hint": "...", "line": N}}, text and hint in the language asked for.
 *
 * "session" of any request that changes something is what sshd says in SSH_CONNECTION, "203.0.113.7 51234 192.0.2.129 22" (client, port, server, port): when
 * the kernel says that it is established on this machine, no block holds the client's address as long as it lasts. What else it may be is heeded not.
 * "typed" (true) of any request: a person typed it, or answered its question, at a terminal; where the configuration has [trust] keys it counts when the kernel
 * says that the peer has one (userspace/daemon/trust.h). What is enforced by neither that nor a signature is refused with exit 2.
 * "confirm_within" (seconds, 30 to 86400; push, block, accept, enforce): the change is taken back at that time unless it is confirmed.
 *
 * op         request                                                   reply (besides exit)
 * status     -                                                         DESIGN's status object, and "name", "counts" {enforced, monitored, review, refused,
 *                                                                      unenforceable}, "allows", "expiring" (within 24 h), "unconfirmed": [{"change","until","kind","actor"}], "verified" {"ordered","enforced","time"},
 *                                                                      "events_lost", "sightings_lost", "version"; "problems": [{"code","text","todo"}]
 * push       "files": ["name", ...] (descriptors: the files, then the documents of each), "ref", "date" ("2023-01-21"), "issuer", "ttl" (seconds), "monitor", "accept": [...], "accept_all_in": "annex"|"body"|"list"|"scan", "signatures": [text of FILE.minisig or null, ...],
 *            "dry_run", "token", "rows" (of one decision, at most)     "letters": [letter + "duplicate_since"?, "relays": [...], "chain": [head + "shared"]], "rows": [row], "omitted" (rows), "counts" {enforce, review, refuse, unenforceable, unchanged},
 *                                                                      "notes": [...], "may_change" (dry run: whether who asks may do it), "token" (dry run: names this plan; a push with a token is refused, exit 1, when the plan has changed);
 *                                                                      dry run: "impact", "trust" {"signed": [key ids], "confirm"} (with [trust] keys; confirm: it takes a person at a terminal); after enforcing: "change", "generation", "proof" {"tried","blocked"}, "since",
 *                                                                      "unconfirmed" {"change","until"}? (it waits for confirmation), "alarms": [text]? (others with SSH connections here whom it blocks)
 * block      "values": [...], "ttl", "ref", "note", "monitor", "dry_run", "token", "rows"  as push
 * review     "ref"?, "after", "limit"                                  "indicators": [indicator + "sentence", "raw"], "next"
 * accept     "values", "ref", "dry_run"                                as push
 * reject     "values", "ref", "note"                                   "change", "rows"
 * enforce, monitor  "targets": [REF or value], "dry_run"               as push
 * extend     "targets", "ttl"                                          as push
 * unblock    "values" or "ref"                                         "change", "rows"
 * cut        "change"                                                  "cut": connections that this change, one of the last 16, ended in the kernel's table; null: not known
 * allow      "values", "note", "ttl"                                   "change", "rows"
 * disallow   "values"                                                  "change", "rows"
 * confirm    "change"? (else all that wait)                            "change", "confirmed": [numbers]
 *            "clock": true (the wall clock is right)                   "clock": "believed", "confirmed": [], "time"
 * undo       "change"?                                                 "change", "undone", "restored", "skipped"
 * list       "ref"?, "expiring"? (seconds), "unenforceable"? (names and links instead of orders in force), "after", "limit"
 *                                                                      "indicators": [indicator], "letters": [head], "next" (0: the end), "allows": [...]
 * show       "ref"                                                     "letter", "indicators", "cves", "vulnerabilities", "hashes", "relays", "chain": [head]
 * why        "value"                                                   "value", "verdict": "dropped"|"monitored"|"passed"|"machine", "now", "by": [indicator], "letters": [head], "allow": [...],
 *                                                                      "never_block": {"reason","rule"}?, "sightings": [...], "machine": {...}?
 * stats      "by", "since" (seconds ago)?, "limit"                     DESIGN's stats object
 * history    "before"?, "limit"                                        "changes": [... "confirmation": {"state": "waiting"|"confirmed"|"taken-back","until","by"} or null]
 * audit      "before"?, "limit"                                        "entries": [entry], newest first
 * audit-verify  -                                                      "entries" (number), "first", "last" (times), "entry", "hash" (of the last that fits), "fault": {"what","number","time"} or null; exit 1 with a fault
 * verify     -                                                         "ordered", "enforced", "tried", "differences": [...]
 * reattach   "interface"?                                              "interfaces"
 * detach     -                                                         "removed": [...]
 * source-add "name", "url", "every", "ttl", "drop", "credentials", "authority" (paths), "max_bytes", "max_values"   "source", "change", "time"
 * source-list  -                                                       "sources": [source]
 * source-show  "name", "wait" (for the end of a refresh that goes on)  "source"
 * source-refresh  "name", "accept"                                     "source" (it goes on; source-show waits for its end)
 * source-pause, source-resume, source-promote, source-remove  "name"   "source", "change", "time", "changed" (orders; promote and remove)
 *
 * row: {"value","type","decision","reason","rule","sentence" (the reason for a person, translated),"raw","file","page","line","section","cuts","unchanged"?,"expires"?}
 * indicator: DESIGN's indicator as held ("id","type","value","port","protocol","decision","reason","action","refs","since","expires","state") and
 *            "ends" (the earlier of "expires" and the time its change is to be confirmed by),"unconfirmed" (that change, or null),
 *            "packets","bytes","first_seen","last_seen","rule","note","file","page","line","section"
 * head: {"number","date","issuer","subject"?,"received"} of a letter; chain: the other letters that are the same advisory, "shared": values that both order
 * vulnerabilities: [{"cve","cvss" (9.8, null),"severity" ("low"|"medium"|"high"|"critical", null)}]: as the letter says
 * source: {"name","url","ref","state": "new"|"current"|"failing"|"held"|"paused","refreshing","action","values","age" (seconds),"every","ttl","checked","fetched","changed","next","expires","failures",
 *          "problem","held" (values that wait for a person),"max_bytes","max_values","credentials","authority"}
 * entry: {"entry","time","uid" (-1: khiend),"login": {"uid","name","proven"} or null,"actor","command" (the request, without what is secret),"change" or null,"letter","files": [SHA-256],"exit","hash"}
 * impact: what the change would do to live connections; null, and a sentence in "notes", where the kernel keeps no table of them. Of those that are newly dropped:
 *         {"flows","machines","management" (flows with an end in a management network),"session" (true: the one the person types on),
 *          "list": [{"machine","remote","port" (called; null: the protocol has none),"protocol","bytes" (both ways; null: not counted),"seconds" (null: not known)}], the most bytes first,
 *          at most 20,"omitted" (flows not listed),"tracked" (connections in the table),"spared": {"management" (flows),"session"} of what is in the values and goes on, because it must
 *          never be blocked; of push and block also "known" (values dropped already on the order of another letter),"known_by": [{"value","ref" (null: by hand)}], at most 10}
 * Times in JSON are RFC 3339 with offset, or null.
 */
#ifndef KHIEN_PROTO_H
#define KHIEN_PROTO_H

#define KH_PROTO_VERSION 1
#define KH_PROTO_MAX_REQUEST (1u << 20) /* bytes of JSON */
#define KH_PROTO_MAX_REPLY (256u << 20)
#define KH_PROTO_MAX_FILES 32 /* with one request; descriptors: twice as many */
#define KH_PROTO_MAX_FDS (2 * KH_PROTO_MAX_FILES)
#define KH_PROTO_MAX_SIGNATURE 8192 /* bytes of one of "signatures" */
#define KH_PROTO_MAX_CLIENTS 32 /* connections at once; when all are taken, somebody has to go for who comes: */
#define KH_PROTO_MAX_CLIENTS_EACH 8 /* of a user, not root, who has more, the silent ones first; else */
#define KH_PROTO_GRACE_SECONDS 1 /* whoever has sent no whole request, or taken nothing of its answer, for so long */
#define KH_CONFIRM_SECONDS_MIN 30 /* "confirm_within" */
#define KH_CONFIRM_SECONDS_MAX 86400
#define KH_PROTO_IDLE_SECONDS 30 /* a client that sends half a request is cut off */

#define KH_SOCKET_ENV "KHIEN_SOCKET"
#define KH_SOCKET_DEFAULT "/run/khien/control.sock"

enum kh_exit {
	KH_EXIT_DONE = 0,
	KH_EXIT_FAILED = 1, /* failed or declined: nothing changed */
	KH_EXIT_USAGE = 2,
	KH_EXIT_PARTLY = 3, /* something waits, was refused, or cannot be enforced; status: degraded */
	KH_EXIT_NO_DAEMON = 4,
};

/* Beside the control socket: what khien status shows while there is no daemon. Two lines: what is wrong, and what to do. */
#define KH_ALERT_FILE "alert"

#endif
