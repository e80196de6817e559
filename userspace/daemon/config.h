/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien.conf: text -> struct kh_config, strictly. An unknown section or key, a bad value or a key given twice is an error
 * with the line, and the hint shows the line put right. Whether the values fit the machine is check.h's question.
 */
#ifndef KHIEN_DAEMON_CONFIG_H
#define KHIEN_DAEMON_CONFIG_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/error.h"
#include "daemon/minisign.h"
#include "model/fetched.h"

/* X(symbol, "section", "key"): every key there is. */
#define KH_CONFIG_KEYS(X)                                           \
	X(KH_KEY_NAME, "gateway", "name")                           \
	X(KH_KEY_WAN, "gateway", "wan")                             \
	X(KH_KEY_LAN, "gateway", "lan")                             \
	X(KH_KEY_MODE, "gateway", "mode")                           \
	X(KH_KEY_LANGUAGE, "gateway", "language")                   \
	X(KH_KEY_TIMEZONE, "gateway", "timezone")                   \
	X(KH_KEY_NEVER_BLOCK, "guard", "never_block")               \
	X(KH_KEY_MANAGEMENT, "guard", "management")                 \
	X(KH_KEY_WIDEST_IPV4, "guard", "widest_ipv4")               \
	X(KH_KEY_WIDEST_IPV6, "guard", "widest_ipv6")               \
	X(KH_KEY_EXEMPT, "guard", "exempt")                         \
	X(KH_KEY_ISSUERS, "letters", "issuers")                     \
	X(KH_KEY_PROXY, "sources", "proxy")                         \
	X(KH_KEY_PROXY_CREDENTIALS, "sources", "proxy_credentials") \
	X(KH_KEY_TRUST_KEYS, "trust", "keys")                       \
	X(KH_KEY_LISTEN, "http", "listen")

enum kh_config_key {
#define X(symbol, section, key) symbol,
	KH_CONFIG_KEYS(X)
#undef X
		KH_KEY_COUNT,
};

enum kh_config_mode {
	KH_MODE_AUTO, /* native XDP, else tc ingress */
	KH_MODE_NATIVE, /* native XDP or nothing */
	KH_MODE_TC,
	KH_MODE_GENERIC, /* generic XDP: only when asked for */
	KH_MODE_COUNT,
};

#define KH_CONFIG_MAX_BYTES ((size_t)64 << 10)
#define KH_CONFIG_NAME_BYTES 256 /* longest [gateway] name, with NUL */
#define KH_CONFIG_INTERFACES_MAX 32 /* in each of wan and lan; together they fit KH_INTERFACES_MAX of abi.h */
#define KH_CONFIG_PREFIXES_MAX 256 /* in each of management and exempt */
#define KH_TRUST_KEYS_MAX 64 /* with those of the file */

struct kh_config_interfaces {
	char names[KH_CONFIG_INTERFACES_MAX][IF_NAMESIZE];
	size_t count;
};

struct kh_config_prefixes {
	struct kh_range ranges[KH_CONFIG_PREFIXES_MAX];
	size_t count;
};

/* Plain data: copied by assignment, nothing to free but the struct. */
struct kh_config {
	char name[KH_CONFIG_NAME_BYTES]; /* default: the host name */
	struct kh_config_prefixes management;
	struct kh_config_prefixes exempt;
	struct kh_range listen; /* one address; beyond loopback is for check.h to judge */
	uint16_t listen_port;
	bool listen_set; /* false: `listen =` is empty, HTTP is off */
	struct kh_config_interfaces wan; /* as written: ppp0 is still ppp0 here; check.h resolves it */
	struct kh_config_interfaces lan;
	enum kh_config_mode mode;
	char language[3]; /* "vi" or "en" */
	char timezone[64]; /* tz database name, known to kh_timezone_offset() */
	char never_block[4096]; /* absolute path of the folder of *.list files; "": none */
	char issuers[4096]; /* absolute path of the folder of *.list files (reader/issuers.h) */
	int widest_ipv4; /* 0..32 */
	int widest_ipv6; /* 0..128 */
	char proxy[KH_FETCH_PROXY_BYTES]; /* of the sources; "": none */
	char proxy_credentials[512]; /* absolute path; "": none */
	size_t trust_keys_count; /* trust is asked for when the key is given: lines[KH_KEY_TRUST_KEYS] */
	struct kh_minisign_key trust_keys[KH_TRUST_KEYS_MAX];
	char trust_file[4096]; /* absolute path of a file of more keys, read by trust.h; "": none */
	int lines[KH_KEY_COUNT]; /* 1-based line of each key; 0: not given, the default holds */
};

/* The defaults, without wan and lan. */
void kh_config_defaults(struct kh_config *ret_config);

/* Parses `length` bytes; `file` is for messages. 0; -EINVAL with error: line, text "FILE:LINE: ...", hint; -ENOMEM.
 * On failure *ret_config is unchanged. */
int kh_config_parse(const char *file, const char *data, size_t length, struct kh_config *ret_config,
		    struct kh_error *error);

/* The same for a file; also the errno of reading it, and -EFBIG. */
int kh_config_load(const char *path, struct kh_config *ret_config, struct kh_error *error);

const char *kh_config_section_of(enum kh_config_key key); /* "gateway" */
const char *kh_config_key_name(enum kh_config_key key); /* "wan" */
const char *kh_config_mode_name(enum kh_config_mode mode); /* "auto" "native" "tc" "generic" */

/* Is the name in the list? */
bool kh_config_has(const struct kh_config_interfaces *interfaces, const char *name);

#endif
