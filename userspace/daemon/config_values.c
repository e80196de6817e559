/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The values of khien.conf, one function a kind. Each refuses what it does not fully understand and shows the line
 * put right.
 */
#include "daemon/config_values.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "daemon/proxy.h"

#define SEPARATORS " \t,"

/* The next word of a list: *text moves behind it. 0 bytes: the end. */
static size_t next_word(const char **text, const char **ret_word)
{
	size_t length;

	*text += strspn(*text, SEPARATORS);
	*ret_word = *text;
	length = strcspn(*text, SEPARATORS);
	*text += length;
	return length;
}

KH_PRINTF(3, 4)
static int fail(const struct kh_config_place *place, enum kh_config_key key, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	kh_text_printable(what);
	return kh_fail_at(place->error, -EINVAL, place->line, "%s:%d: %s: %s", place->file, place->line,
			  kh_config_key_name(key), what);
}

KH_PRINTF(3, 4)
static int hint_line(const struct kh_config_place *place, enum kh_config_key key, const char *format, ...)
{
	char value[256];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	kh_text_printable(value);
	kh_hint(place->error, _("write: %s = %s"), kh_config_key_name(key), value);
	return -EINVAL;
}

/* The list again with word number `at` replaced, or left out when `better` is NULL; as hint. */
static int hint_list(const struct kh_config_place *place, enum kh_config_key key, const char *value, size_t at,
		     const char *better)
{
	char list[256] = "";
	const char *word;
	size_t length;

	for (size_t i = 0; (length = next_word(&value, &word)) > 0; i++) {
		size_t used = strlen(list);

		if (i == at && !better)
			continue;
		snprintf(list + used, sizeof(list) - used, "%s%.*s", used > 0 ? " " : "",
			 i == at ? (int)strlen(better) : (int)length, i == at ? better : word);
	}
	return hint_line(place, key, "%s", list[0] ? list : "eth0");
}

static int set_name(struct kh_config *config, enum kh_config_key key, const char *value,
		    const struct kh_config_place *place)
{
	if (strlen(value) >= sizeof(config->name)) {
		fail(place, key, _("longer than %d bytes"), KH_CONFIG_NAME_BYTES - 1);
		return hint_line(place, key, "Văn phòng UBND tỉnh");
	}
	if (*value) /* empty: the host name stays */
		snprintf(config->name, sizeof(config->name), "%s", value);
	kh_text_printable(config->name);
	return 0;
}

/* As the kernel's dev_valid_name() (Linux 6.1), without what would break a line of this file. */
static bool valid_interface(const char *name, size_t length)
{
	if (length == 0 || length >= IF_NAMESIZE ||
	    (name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'))))
		return false;
	for (size_t i = 0; i < length; i++)
		if (name[i] == '/' || name[i] == ':' || (unsigned char)name[i] <= ' ' || name[i] == 0x7f)
			return false;
	return true;
}

static int set_interfaces(struct kh_config *config, enum kh_config_key key, const char *value,
			  const struct kh_config_place *place)
{
	struct kh_config_interfaces *list = key == KH_KEY_WAN ? &config->wan : &config->lan;
	const struct kh_config_interfaces *other = key == KH_KEY_WAN ? &config->lan : &config->wan;
	const char *rest = value, *word;
	size_t length;

	while ((length = next_word(&rest, &word)) > 0) {
		char name[IF_NAMESIZE];

		if (!valid_interface(word, length)) {
			fail(place, key, _("not the name of an interface: %.*s"), (int)length, word);
			return hint_list(place, key, value, list->count, NULL);
		}
		if (list->count == KH_CONFIG_INTERFACES_MAX) {
			fail(place, key, _("more than %d interfaces"), KH_CONFIG_INTERFACES_MAX);
			kh_hint(place->error, _("watch the bridge ports or the Ethernet below the VLANs instead"));
			return -EINVAL;
		}
		snprintf(name, sizeof(name), "%.*s", (int)length, word);
		if (kh_config_has(list, name)) {
			fail(place, key, _("%s stands there twice"), name);
			return hint_list(place, key, value, list->count, NULL);
		}
		if (kh_config_has(other, name)) {
			fail(place, key, _("%s is in both wan and lan"), name);
			kh_hint(place->error,
				_("leave it in the one it belongs to: wan faces the provider, lan the office"));
			return -EINVAL;
		}
		memcpy(list->names[list->count++], name, sizeof(name));
	}
	if (list->count > 0)
		return 0;
	fail(place, key, _("no interface named"));
	return hint_line(place, key, "%s", key == KH_KEY_WAN ? "eth0" : "eth1");
}

static int set_mode(struct kh_config *config, enum kh_config_key key, const char *value,
		    const struct kh_config_place *place)
{
	for (int mode = 0; mode < KH_MODE_COUNT; mode++)
		if (strcmp(value, kh_config_mode_name((enum kh_config_mode)mode)) == 0) {
			config->mode = (enum kh_config_mode)mode;
			return 0;
		}
	fail(place, key, _("not one of auto, native, tc, generic: %s"), value);
	return hint_line(place, key, "auto");
}

static int set_language(struct kh_config *config, enum kh_config_key key, const char *value,
			const struct kh_config_place *place)
{
	if (strcmp(value, "vi") == 0 || strcmp(value, "en") == 0) {
		snprintf(config->language, sizeof(config->language), "%s", value);
		return 0;
	}
	fail(place, key, _("neither vi nor en: %s"), value);
	return hint_line(place, key, "%s", value[0] == 'e' || value[0] == 'E' ? "en" : "vi");
}

static int set_timezone(struct kh_config *config, enum kh_config_key key, const char *value,
			const struct kh_config_place *place)
{
	int offset;

	if (*value && strlen(value) < sizeof(config->timezone) && kh_timezone_offset(value, 0, &offset) == 0) {
		snprintf(config->timezone, sizeof(config->timezone), "%s", value);
		return 0;
	}
	fail(place, key, _("not a time zone this machine knows: %s"), value);
	return hint_line(place, key, "Asia/Ho_Chi_Minh");
}

static int set_folder(struct kh_config *config, enum kh_config_key key, const char *value,
		      const struct kh_config_place *place)
{
	char *folder = key == KH_KEY_ISSUERS ? config->issuers : config->never_block;

	_Static_assert(sizeof(config->issuers) == sizeof(config->never_block), "one room for both");
	if (value[0] == '/' && strlen(value) < sizeof(config->never_block)) {
		memcpy(folder, value, strlen(value) + 1);
		return 0;
	}
	fail(place, key, _("not an absolute path: %s"), value);
	return hint_line(place, key, "%s",
			 key == KH_KEY_ISSUERS ? KH_SYSCONFDIR "/khien/issuers.d"
					       : KH_SYSCONFDIR "/khien/never-block.d");
}

static int bad_prefix(const struct kh_config_place *place, enum kh_config_key key, const char *value, size_t at,
		      const char *word, size_t length)
{
	char better[KH_RANGE_TEXT];
	struct kh_range network;
	enum kh_host_bits bits;

	if (kh_prefix_parse(word, length, &network, &bits) == 0 && bits == KH_HOST_BITS_SET) {
		fail(place, key, _("address bits beyond the prefix length: %.*s"), (int)length, word);
		return hint_list(place, key, value, at, kh_range_format(&network, better));
	}
	fail(place, key, _("not an address or prefix: %.*s"), (int)length, word);
	return hint_list(place, key, value, at, "10.20.0.0/24");
}

static int set_prefixes(struct kh_config *config, enum kh_config_key key, const char *value,
			const struct kh_config_place *place)
{
	struct kh_config_prefixes *list = key == KH_KEY_MANAGEMENT ? &config->management : &config->exempt;
	const char *rest = value, *word;
	size_t length;

	while ((length = next_word(&rest, &word)) > 0) {
		struct kh_range range;

		if (kh_range_parse(word, length, &range) < 0)
			return bad_prefix(place, key, value, list->count, word, length);
		if (range.first == 0 && range.last == kh_address_max(range.family)) {
			fail(place, key, _("%.*s is every address there is"), (int)length, word);
			return hint_list(place, key, value, list->count,
					 range.family == 4 ? "10.20.0.0/24" : "2001:db8:20::/64");
		}
		if (list->count == KH_CONFIG_PREFIXES_MAX) {
			fail(place, key, _("more than %d prefixes"), KH_CONFIG_PREFIXES_MAX);
			kh_hint(place->error, _("put them into a list of your own in %s"), config->never_block);
			return -EINVAL;
		}
		list->ranges[list->count++] = range;
	}
	return 0;
}

static int set_widest(struct kh_config *config, enum kh_config_key key, const char *value,
		      const struct kh_config_place *place)
{
	int longest = key == KH_KEY_WIDEST_IPV4 ? 32 : 128;
	int64_t number;

	if (kh_number_parse(value, 0, longest, &number) < 0) {
		fail(place, key, _("not a prefix length from 0 to %d: %s"), longest, value);
		return hint_line(place, key, "%d", key == KH_KEY_WIDEST_IPV4 ? 20 : 48);
	}
	*(key == KH_KEY_WIDEST_IPV4 ? &config->widest_ipv4 : &config->widest_ipv6) = (int)number;
	return 0;
}

/* "127.0.0.1:9847" or "[::1]:9847" */
static int parse_listen(const char *value, struct kh_range *ret_address, uint16_t *ret_port)
{
	const char *colon = strrchr(value, ':');
	size_t length = colon ? (size_t)(colon - value) : 0;
	struct kh_range address;
	int64_t port;
	bool bracketed;

	if (!colon || length < 2 || kh_number_parse(colon + 1, 1, 65535, &port) < 0)
		return -EINVAL;
	bracketed = value[0] == '[' && colon[-1] == ']';
	if (bracketed) {
		value++;
		length -= 2;
	}
	if (kh_address_parse(value, length, &address) < 0 || (address.family == 6) != bracketed)
		return -EINVAL;
	*ret_address = address;
	*ret_port = (uint16_t)port;
	return 0;
}

static int set_listen(struct kh_config *config, enum kh_config_key key, const char *value,
		      const struct kh_config_place *place)
{
	const char *digits = value + (value[0] == ':');
	struct kh_range address;
	int64_t port;

	config->listen_set = *value != '\0';
	if (!config->listen_set || parse_listen(value, &config->listen, &config->listen_port) == 0)
		return 0;
	fail(place, key, _("not ADDRESS:PORT: %s"), value);
	if (kh_number_parse(digits, 1, 65535, &port) == 0)
		return hint_line(place, key, "127.0.0.1:%d", (int)port);
	if (kh_address_parse(value, strlen(value), &address) == 0)
		return hint_line(place, key, address.family == 6 ? "[%s]:9847" : "%s:9847", value);
	return hint_line(place, key, "127.0.0.1:9847");
}

static int bad_key(const struct kh_config_place *place, const char *word, size_t length, const char *format)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* each caller's has one %.*s */
	fail(place, KH_KEY_TRUST_KEYS, format, (int)length, word);
#pragma GCC diagnostic pop
	return kh_hint(place->error,
		       _("a key is the second line of a minisign.pub, RWQ...; or name a file of them by its absolute path")),
	       -EINVAL;
}

static int set_trust(struct kh_config *config, enum kh_config_key key, const char *value,
		     const struct kh_config_place *place)
{
	const char *rest = value, *word;
	size_t length;

	while ((length = next_word(&rest, &word)) > 0) {
		struct kh_minisign_key *next = &config->trust_keys[config->trust_keys_count];

		if (word[0] == '/') {
			if (config->trust_file[0] || length >= sizeof(config->trust_file))
				return bad_key(place, word, length, _("more than one file: %.*s"));
			snprintf(config->trust_file, sizeof(config->trust_file), "%.*s", (int)length, word);
			continue;
		}
		if (config->trust_keys_count == KH_TRUST_KEYS_MAX)
			return fail(place, key, _("more than %d keys"), KH_TRUST_KEYS_MAX);
		if (kh_minisign_key_read(word, length, next) < 0)
			return bad_key(place, word, length, _("not a public key of minisign: %.*s"));
		for (size_t i = 0; i < config->trust_keys_count; i++)
			if (!memcmp(config->trust_keys[i].id, next->id, sizeof(next->id)))
				return bad_key(place, word, length, _("a key of this number stands there twice: %.*s"));
		config->trust_keys_count++;
	}
	if (config->trust_keys_count || config->trust_file[0])
		return 0;
	fail(place, key, _("no key named"));
	return kh_hint(place->error, _("remove the line: without it nothing need be signed")), -EINVAL;
}

static int set_proxy(struct kh_config *config, enum kh_config_key key, const char *value,
		     const struct kh_config_place *place)
{
	struct kh_error why = {};

	config->proxy[0] = '\0';
	if (!*value)
		return 0;
	if (kh_proxy_check(value, &why) < 0) {
		fail(place, key, "%s", why.text);
		return hint_line(place, key, "http://proxy.example:3128");
	}
	snprintf(config->proxy, sizeof(config->proxy), "%s", value);
	return 0;
}

static int set_proxy_credentials(struct kh_config *config, enum kh_config_key key, const char *value,
				 const struct kh_config_place *place)
{
	if (*value && (*value != '/' || strlen(value) >= sizeof(config->proxy_credentials))) {
		fail(place, key, _("not an absolute path: %s"), value);
		return hint_line(place, key, KH_SYSCONFDIR "/khien/proxy.secret");
	}
	snprintf(config->proxy_credentials, sizeof(config->proxy_credentials), "%s", value);
	return 0;
}

int kh_config_set(struct kh_config *config, enum kh_config_key key, const char *value,
		  const struct kh_config_place *place)
{
	static int (*const setters[])(struct kh_config *, enum kh_config_key, const char *,
				      const struct kh_config_place *) = {
		[KH_KEY_NAME] = set_name,	   [KH_KEY_WAN] = set_interfaces,
		[KH_KEY_LAN] = set_interfaces,	   [KH_KEY_MODE] = set_mode,
		[KH_KEY_LANGUAGE] = set_language,  [KH_KEY_TIMEZONE] = set_timezone,
		[KH_KEY_NEVER_BLOCK] = set_folder, [KH_KEY_MANAGEMENT] = set_prefixes,
		[KH_KEY_WIDEST_IPV4] = set_widest, [KH_KEY_WIDEST_IPV6] = set_widest,
		[KH_KEY_EXEMPT] = set_prefixes,	   [KH_KEY_ISSUERS] = set_folder,
		[KH_KEY_TRUST_KEYS] = set_trust,   [KH_KEY_LISTEN] = set_listen,
		[KH_KEY_PROXY] = set_proxy,	   [KH_KEY_PROXY_CREDENTIALS] = set_proxy_credentials,
	};

	_Static_assert(KH_ARRAY_SIZE(setters) == KH_KEY_COUNT, "every key has a setter");
	return setters[key](config, key, value, place);
}
