/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the check share. Included by check*.c only.
 */
#ifndef KHIEN_DAEMON_CHECK_PRIVATE_H
#define KHIEN_DAEMON_CHECK_PRIVATE_H

#include "common/util.h"
#include "daemon/check.h"

/* One name of wan or lan, and what it is on this machine. */
struct kh_listed {
	const char *name;
	enum kh_config_key key; /* KH_KEY_WAN or KH_KEY_LAN */
	const struct kh_link *link; /* NULL: there is none of that name */
	const struct kh_link *carrier; /* what is attached to; NULL: not known */
};

struct kh_checked {
	const struct kh_config *config;
	const struct kh_links *links;
	struct kh_check *check;
	struct kh_listed listed[2 * KH_CONFIG_INTERFACES_MAX];
	size_t count;
};

/* Adds a finding; the next kh_check_hint() belongs to it. */
void kh_check_add(struct kh_check *check, const struct kh_config *config, enum kh_severity severity,
		  enum kh_config_key key, const char *format, ...) KH_PRINTF(5, 6);
void kh_check_hint(struct kh_check *check, const char *format, ...) KH_PRINTF(2, 3);

/* The names of wan or lan with `drop` replaced by `insert`: "eth1 eth2". Either may be NULL: nothing dropped (insert is
 * appended), nothing inserted. Names that would stand twice stand once. */
#define KH_NAMES_TEXT 256
char *kh_check_names(const struct kh_config *config, enum kh_config_key key, const char *drop, const char *insert,
		     char buffer[static KH_NAMES_TEXT]);

/* Appends a name to such a text unless it is there already. */
void kh_check_append(char names[static KH_NAMES_TEXT], const char *name);

/* check_links.c: wan and lan against the links. */
void kh_check_interfaces(struct kh_checked *checked);
/* check_routes.c: which way traffic goes. */
void kh_check_routes(struct kh_checked *checked);

/* The role of any link: wan or lan, because it is listed or stands on what is; KH_KEY_COUNT: in no role. */
enum kh_config_key kh_check_role(const struct kh_checked *checked, const struct kh_link *link);

#endif
