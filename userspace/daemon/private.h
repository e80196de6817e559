/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of the core: its state, and the steps that its files offer each other. Included by the core's own files only.
 *
 *   core.c       opening, closing, the event loop's calls
 *   interfaces.c what the machine looks like: attaching, the interface table, problems
 *   protect.c    the guard: own addresses, never-block lists, management
 *   apply.c      ledger -> compile -> kernel: the one path by which anything becomes enforced
 *   impact.c, known.c, cut.c, flows.c   live connections: what a plan would cut, and cutting it; see impact.h
 *   collect.c    kernel -> ledger: counts and sightings
 *   prove.c, verify.c   packets through the live program: one, and all that is ordered, now and all day
 *   requests.c   the table of operations
 *   push.c, plan.c, plan_answer.c   push and block; decide.c the queue and the deadlines; withdraw.c unblock, allow, undo
 *   confirm.c    changes that are taken back unless somebody confirms them
 *   sessions.c   the SSH sessions of people at work, which no change cuts off
 *   sources.c, source_terms.c, refreshing.c, fetching.c, replace.c   sources that refresh themselves: see source.h
 *   audit.c, audit_answer.c   who did what: see audit.h
 *   trust.c, signed.c, reading.c   what may be enforced where [trust] asks for signatures: see trust.h
 *   look.c, status.c, why.c   read-only answers; rows.c their JSON
 */
#ifndef KHIEN_DAEMON_PRIVATE_H
#define KHIEN_DAEMON_PRIVATE_H

#include <limits.h>
#include <net/if.h>

#include "compile/compile.h"
#include "daemon/config.h"
#include "daemon/core.h"
#include "guard/guard.h"
#include "kernel/kernel.h"
#include "khien/proto.h"
#include "ledger/ledger.h"
#include "netlink/connections.h"
#include "netlink/links.h"

#define KH_COLLECT_SECONDS 10 /* between two foldings of the counters when nobody asks */
#define KH_CLOCK_SECONDS 600 /* between two calibrations of the packet programs' clock */
#define KH_SLOT_GRACE_SECONDS 60 /* before a counter record serves another indicator */
#define KH_SIGHTING_IDLE_SECONDS 3600 /* a pair not seen for so long is in the ledger only */
#define KH_ROWS_MAX 5000 /* rows in one reply, of a plan rows of one decision; more are counted */
#define KH_PROOF_MAX 2000 /* values tried after a push */
#define KH_VERIFY_MAX 100000 /* values tried by verify */
#define KH_PROBLEMS_MAX 32
#define KH_SESSIONS_MAX 16 /* connections spared at one time */
#define KH_ALARMS_MAX 8
#define KH_CUTS_KEPT 16 /* changes of which it is known how many connections they cut */

/* One interface that is or should be watched. */
struct kh_watch {
	char name[IF_NAMESIZE]; /* of the device that carries the programs */
	char asked[IF_NAMESIZE]; /* as the configuration has it: ppp0, eth0.11 */
	uint32_t ifindex; /* 0: not there */
	uint32_t asked_ifindex; /* of what `asked` names, or named before it was renamed; 0: never seen */
	bool renamed; /* what `asked` named has another name now */
	bool taken; /* another program holds the hook: it is tried again until it is free */
	enum kh_role role;
	uint8_t number;
	struct kh_attached attached;
	char problem[512]; /* why it is not protected; empty: it is */
	char todo[512]; /* the next step; empty: khien reattach */
};

struct kh_sources;

/* What became of the connections that a change blocks. */
struct kh_cut_done {
	int64_t change; /* 0: none */
	int64_t count; /* -1: not known */
};

struct kh_problem {
	const char *code;
	bool unprotected; /* else degraded, or only a notice */
	bool notice;
	char text[768];
	char todo[256];
};

/* The round of the verification that goes on all day. */
struct kh_round {
	bool running;
	int64_t started;
	int64_t after; /* the row it has come to */
	int64_t looked; /* rows of this slice */
	int64_t ordered, enforced;
	char astray[96]; /* a value that is ordered and was not dropped; "": there is none */
};

/* Somebody with an SSH connection to this gateway whom a change blocks. */
struct kh_alarm {
	int64_t since, change; /* since 0: none */
	char peer[KH_RANGE_TEXT];
};

struct kh_request;
struct kh_audit_note;

/* For whom the running transaction writes a change (audit.c). */
struct kh_acting {
	const struct kh_request *request; /* NULL: nobody */
	int64_t change;
};
/* Requests refused for want of a right. */
struct kh_refusals {
	int64_t minute, unlisted;
	unsigned int count; /* in this minute */
};

/* What signatures are asked for; trust.h. */
struct kh_trust {
	bool on;
	struct kh_minisign_key keys[KH_TRUST_KEYS_MAX];
	size_t keys_count;
	char problem[512]; /* keys that could not be read; empty: all are here */
};
struct kh_readings;

struct kh_core {
	char state[PATH_MAX - 64], bpffs[PATH_MAX - 64], refresh[PATH_MAX]; /* struct kh_core_paths */
	const struct kh_config *config;
	struct kh_ledger *ledger;
	struct kh_kernel *kernel;
	struct kh_links *links;
	struct kh_links_monitor *monitor;
	struct kh_guard *guard;
	struct kh_image *image; /* in force; NULL: none */
	struct kh_image *spare; /* memory for the next; while cut_pending, still the image before */
	int64_t generation_since;
	int64_t image_unkept; /* since when the copy on disk is not the image in force; 0: it is */
	struct kh_watch watches[KH_INTERFACES_MAX];
	size_t watches_count;
	uint64_t *folded; /* packets of each slot when last folded, of map folded_map */
	size_t folded_count;
	int64_t collected; /* when */
	int64_t calibrated;
	int64_t verified, verified_ordered, verified_enforced; /* the last time that all was tried; 0: never */
	struct kh_round round;
	char guard_problem[512]; /* a never-block list that could not be read */
	char ledger_problem[512];
	char config_problem[640]; /* the file was refused, an older copy serves; empty: it serves */
	struct kh_range *holes; /* what the generation in force leaves out: allows and never-block */
	size_t holes_count;
	int64_t not_taken_back; /* when taking back an unconfirmed change failed; 0: it did not */
	struct kh_connection sessions[KH_SESSIONS_MAX]; /* spared */
	size_t sessions_count;
	int64_t sessions_looked; /* when they were last seen to live */
	struct kh_alarm alarms[KH_ALARMS_MAX];
	size_t alarms_next;
	struct kh_acting acting;
	struct kh_refusals refusals;
	struct kh_trust trust;
	struct kh_readings *readings; /* the daemon's own, of what is signed; NULL: none yet */
	struct kh_sources *sources; /* what is being refreshed; NULL: nothing yet */
	int64_t cut_pending; /* the change in force whose connections are still in the table; 0: none */
	struct kh_cut_done cuts[KH_CUTS_KEPT];
	size_t cuts_next;
	uint32_t folded_map;
	unsigned int events_logged; /* in this second */
	bool ledger_failing;
	bool apply_due; /* the disk was full at the start: the list found in force goes on until there is room */
	uint64_t missed; /* the generation in force at the start, when the ledger did not know of it; 0: it did */
	bool detached; /* told to take everything off */
	char gap[256]; /* an interface that was without protection for a moment, for the record of health; empty: none was */
	bool table_missed; /* said once: the kernel has no table of connections */
};

/* clock.c */
int64_t kh_now(void); /* wall-clock seconds; while the clock is not believed, by what has passed */
bool kh_clock_doubted(void); /* it is not believed */
/* At start, once the ledger is open. `kept`: the time that the programs keep (kh_kernel_clock()); 0: none. */
void kh_clock_start(struct kh_core *core, int64_t kept);
void kh_clock_watch(struct kh_core *core); /* the wall clock was set, or may be right again */
void kh_clock_tick(struct kh_core *core); /* every second, and before anything is asked for */
void kh_clock_remember(struct kh_core *core); /* in the ledger */

/* interfaces.c */
int kh_interfaces_refresh(struct kh_core *core,
			  struct kh_error *error); /* reads links, attaches what is missing, writes the table */
/* Every second: puts back what somebody took off without the kernel's telling us, and attaches where another program has gone. True: something
 * changed. */
bool kh_interfaces_look(struct kh_core *core);
const char *kh_interface_name(const struct kh_core *core, uint8_t number); /* NULL: no such number */
size_t kh_problems(struct kh_core *core, struct kh_problem ret_problems[static KH_PROBLEMS_MAX]);
const char *kh_health(const struct kh_problem *problems, size_t count); /* "protected" "degraded" "unprotected" */

/* protect.c */
int kh_protect(struct kh_core *core,
	       struct kh_error *error); /* builds the guard anew from links, lists and configuration */
/* The office machine an address or MAC is: 1 and its interface, or 0. */
int kh_is_machine(const struct kh_core *core, const struct kh_range *address, const char **ret_interface);

/* audit.c */
/* Ends the running transaction, with an entry in the audit when it holds a change that kh_change_start() began. On failure it is rolled back. */
int kh_commit(struct kh_core *core, struct kh_error *error);

/* apply.c */
/* Ends the running transaction: compiles what the ledger orders, prepares it, commits, switches. When nothing changes for packets it only
 * commits. On failure everything is rolled back and the generation before stays in force. */
int kh_apply(struct kh_core *core, struct kh_error *error);
/* The same outside any change: after a change of addresses, lists or configuration. */
int kh_apply_now(struct kh_core *core, struct kh_error *error);
/* The image that the running transaction would put in force, and nothing of it yet; the caller frees it. 0 or -errno with error. */
int kh_foresee_image(struct kh_core *core, struct kh_image **ret_image, struct kh_error *error);
/* Writes the copy of the image for the next boot, once no other follows for a while: the ledger is what makes a change durable, the copy
 * makes the next boot protect early. That it cannot be written takes nothing from what is enforced. `now`: at once. */
void kh_keep_image(struct kh_core *core, bool now);
/* At start: the image kept on disk, when the kernel has none. */
int kh_restore_image(struct kh_core *core, struct kh_error *error);

/* cut.c */
/* The change (0: none) is in force: if the list was switched, what it blocks is to be cut. */
void kh_cut_order(struct kh_core *core, int64_t change, bool switched);
/* Cuts what is to be cut; before the spare image is used. */
void kh_cut_pending(struct kh_core *core);

/* collect.c */
int kh_collect(struct kh_core *core, struct kh_error *error);

/* prove.c */
struct kh_proof {
	size_t tried, blocked, cut; /* cut: nothing of it is enforced, allow or never-block covers it */
};
/* Runs a packet from the indicator's address (and port) through the live program. 1 dropped, 0 passed, -ENODATA: cut out everywhere. */
int kh_prove_one(struct kh_core *core, const struct kh_indicator *indicator);

/* verify.c */
void kh_verify_slice(struct kh_core *core, int64_t now); /* every second */

/* requests.c */
json_t *kh_reply(int code); /* {"exit": code} */
json_t *kh_reply_error(int code, const struct kh_error *error);
json_t *kh_reply_ledger(int code); /* it cannot be read: -errno */
json_t *kh_reply_usage(const char *format, ...) KH_PRINTF(1, 2);
/* Members of a request; on a wrong type *ret_bad is set to its name. */
const char *kh_request_text(json_t *request, const char *name);
int64_t kh_request_number(json_t *request, const char *name, int64_t otherwise);
bool kh_request_flag(json_t *request, const char *name);

/* letters.c: the letters that some rows are of, and their heads as an array. Begins all zero; those beyond its room are left out. */
struct kh_letter_ids {
	int64_t ids[64];
	size_t count;
};
void kh_letters_note(struct kh_letter_ids *seen, int64_t id);
json_t *kh_letters_json(const struct kh_core *core, const struct kh_letter_ids *seen);
/* {"cve", "cvss", "severity"}: score in tenths, 0: none; level "" or NULL: none. */
json_t *kh_json_grade(const char *cve, unsigned score, const char *level);
int64_t kh_letters_count(struct kh_core *core); /* with at least one order in force */
/* The one letter that a REF names: 1; 0 none; 2 ambiguous (candidates joined in text). */
int kh_find_letter(struct kh_core *core, const char *ref, int64_t *ret_id, char *ret_text, size_t size);
/* The same as a reply: NULL when exactly one was found. */
json_t *kh_require_letter(struct kh_core *core, const char *ref, int64_t *ret_id, char *ret_number, size_t size);

struct kh_request {
	struct kh_core *core;
	const struct kh_peer *peer;
	json_t *body;
	const int *fds;
	size_t fds_count;
	const char *actor; /* NULL: the peer; else the daemon itself acts, under this name */
	struct kh_audit_note *note; /* what the audit will say of it; NULL: nothing besides */
};
typedef json_t *(*kh_operation)(const struct kh_request *request);

/* clock.c: an administrator says that the wall clock is right. */
json_t *kh_clock_confirm(const struct kh_request *request);

/* Starts a change by the peer: collects, begins a transaction, numbers the change. The request must live until that ends (kh_commit(), kh_apply() or a
 * rollback). */
int kh_change_start(const struct kh_request *request, const char *kind, int64_t letter, struct kh_change *ret_change,
		    struct kh_error *error);

/* confirm.c */
/* Is what it says of "confirm_within" right, where that is `possible`? NULL: yes, or it says nothing; else the reply. */
json_t *kh_confirm_check(const struct kh_request *request, bool possible);
/* Before kh_apply(): the running change waits for confirmation when the request says so. 0 or -errno with error. */
int kh_confirm_begin(const struct kh_request *request, struct kh_error *error);
void kh_confirm_tell(struct kh_core *core, int64_t change, json_t *reply); /* "unconfirmed", when it waits */
json_t *kh_unconfirmed_json(struct kh_core *core); /* all that wait */
void kh_unconfirmed_tick(struct kh_core *core, int64_t now); /* takes back what nobody confirmed in time */

/* sessions.c */
void kh_sessions_load(struct kh_core *core); /* before kh_protect() */
void kh_sessions_tick(struct kh_core *core, int64_t now);
/* Spares the connection (SSH_CONNECTION), when it is established here; NULL or another text is heeded not. Outside any transaction. */
void kh_session_take(struct kh_core *core, const char *text);
/* Says of each session that orders of the change are about; the ledger holds them already. */
void kh_sessions_note(struct kh_core *core, int64_t change, json_t *notes);
/* After kh_apply(): "alarms" for others with SSH connections whom the change blocks now. */
void kh_sessions_alarm(struct kh_core *core, int64_t change, json_t *reply);
const char *kh_alarm_text(const struct kh_alarm *alarm, char *text, size_t size);
bool kh_alarm_is_fresh(const struct kh_alarm *alarm, int64_t now);

json_t *kh_op_push(const struct kh_request *request);
json_t *kh_op_block(const struct kh_request *request);
json_t *kh_op_review(const struct kh_request *request);
json_t *kh_op_accept(const struct kh_request *request);
json_t *kh_op_reject(const struct kh_request *request);
json_t *kh_op_enforce(const struct kh_request *request);
json_t *kh_op_monitor(const struct kh_request *request);
json_t *kh_op_extend(const struct kh_request *request);
json_t *kh_op_unblock(const struct kh_request *request);
json_t *kh_op_allow(const struct kh_request *request);
json_t *kh_op_disallow(const struct kh_request *request);
json_t *kh_op_undo(const struct kh_request *request);
json_t *kh_op_confirm(const struct kh_request *request);
json_t *kh_op_list(const struct kh_request *request);
json_t *kh_op_show(const struct kh_request *request);
json_t *kh_op_why(const struct kh_request *request);
json_t *kh_op_status(const struct kh_request *request);
json_t *kh_op_stats(const struct kh_request *request);
json_t *kh_op_audit(const struct kh_request *request);
json_t *kh_op_audit_verify(const struct kh_request *request);
json_t *kh_op_history(const struct kh_request *request);
json_t *kh_op_verify(const struct kh_request *request);
json_t *kh_op_reattach(const struct kh_request *request);
json_t *kh_op_source_add(const struct kh_request *request);
json_t *kh_op_source_list(const struct kh_request *request);
json_t *kh_op_source_show(const struct kh_request *request);
json_t *kh_op_source_refresh(const struct kh_request *request);
json_t *kh_op_source_pause(const struct kh_request *request);
json_t *kh_op_source_resume(const struct kh_request *request);
json_t *kh_op_source_promote(const struct kh_request *request);
json_t *kh_op_source_remove(const struct kh_request *request);
json_t *kh_op_detach(const struct kh_request *request);
json_t *kh_op_cut(const struct kh_request *request);

/* rows.c */
json_t *kh_json_time(const struct kh_core *core, int64_t seconds); /* null for 0 */
json_t *kh_json_text(const char *text); /* null for NULL or ""; bad UTF-8 made printable */
json_t *kh_json_order(const struct kh_core *core, const struct kh_order_row *row); /* DESIGN's indicator as held */
json_t *kh_json_letter(const struct kh_core *core, const struct kh_letter_row *row);
json_t *kh_json_allow(const struct kh_core *core, const struct kh_allow_row *row);
json_t *kh_json_sighting(const struct kh_core *core, const struct kh_sighting_row *row);
const char *kh_order_state_text(const struct kh_order_row *row); /* "enforced" or "monitored" for active ones */

#endif
