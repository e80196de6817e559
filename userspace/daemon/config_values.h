/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One value of khien.conf: text -> field of struct kh_config. Used by config.c only.
 */
#ifndef KHIEN_DAEMON_CONFIG_VALUES_H
#define KHIEN_DAEMON_CONFIG_VALUES_H

#include "daemon/config.h"

/* Where a value stands, for messages. */
struct kh_config_place {
	const char *file;
	int line;
	struct kh_error *error;
};

/* Sets the field of `key` from `value`. 0, or -EINVAL with error: "FILE:LINE: key: what", and the line put right as hint. */
int kh_config_set(struct kh_config *config, enum kh_config_key key, const char *value,
		  const struct kh_config_place *place);

#endif
