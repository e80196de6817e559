/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address of a proxy, as khien.conf and `khien source add` have it.
 */
#ifndef KHIEN_DAEMON_PROXY_H
#define KHIEN_DAEMON_PROXY_H

#include "common/error.h"
#include "model/fetched.h"

/* http://HOST:PORT or socks5h://HOST:PORT (which resolves names itself), without user and password, in less than KH_FETCH_PROXY_BYTES. 0; or -EINVAL with
 * error, which shows nothing secret. */
int kh_proxy_check(const char *proxy, struct kh_error *error);

#endif
