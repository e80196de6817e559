/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * khien.conf as a whole: libinih splits it into section, key and value; here every key is known, given once, in its
 * section, and what has no default is there.
 */
#include "daemon/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "daemon/config_lines.h"
#include "daemon/config_values.h"

struct parser {
	struct kh_config_lines lines;
	struct kh_config config;
	int key; /* the entry being read, -1: none; a long one comes in pieces */
	int key_line;
	char value[KH_CONFIG_LINE_BYTES];
};

static const struct {
	const char *section;
	const char *key;
} keys[] = {
#define X(symbol, section, key) [symbol] = { section, key },
	KH_CONFIG_KEYS(X)
#undef X
};

const char *kh_config_section_of(enum kh_config_key key)
{
	return keys[key].section;
}

const char *kh_config_key_name(enum kh_config_key key)
{
	return keys[key].key;
}

const char *kh_config_mode_name(enum kh_config_mode mode)
{
	static const char *const names[] = { "auto", "native", "tc", "generic" };

	_Static_assert(KH_ARRAY_SIZE(names) == KH_MODE_COUNT, "every mode has a name");
	return names[mode];
}

bool kh_config_has(const struct kh_config_interfaces *interfaces, const char *name)
{
	for (size_t i = 0; i < interfaces->count; i++)
		if (strcmp(interfaces->names[i], name) == 0)
			return true;
	return false;
}

void kh_config_defaults(struct kh_config *ret_config)
{
	struct kh_config config = {
		.mode = KH_MODE_AUTO,
		.language = "vi",
		.timezone = "Asia/Ho_Chi_Minh",
		.never_block = KH_SYSCONFDIR "/khien/never-block.d",
		.issuers = KH_SYSCONFDIR "/khien/issuers.d",
		.widest_ipv4 = 20,
		.widest_ipv6 = 48,
		.listen_set = true,
		.listen_port = 9847,
	};

	if (gethostname(config.name, sizeof(config.name) - 1) < 0 || config.name[0] == '\0')
		snprintf(config.name, sizeof(config.name), "khien");
	kh_address_parse("127.0.0.1", strlen("127.0.0.1"), &config.listen);
	*ret_config = config;
}

/* An entry is complete once the next one begins. */
static int finish_entry(struct parser *parser)
{
	struct kh_config_place place = { parser->lines.file, parser->key_line, parser->lines.error };
	enum kh_config_key key = (enum kh_config_key)parser->key;

	if (parser->key < 0)
		return 0;
	parser->key = -1;
	if (kh_config_set(&parser->config, key, parser->value, &place) == 0)
		return 0;
	parser->lines.failed = true;
	return -EINVAL;
}

static int unknown_key(struct parser *parser, const char *section, const char *name, const char *value)
{
	struct kh_config_lines *lines = &parser->lines;
	const char *names[KH_KEY_COUNT];
	const char *nearest;
	size_t count = 0;

	lines->failed = true;
	kh_fail_at(lines->error, -EINVAL, lines->line, _("%s:%d: unknown key: %.64s"), lines->file, lines->line, name);
	for (size_t i = 0; i < KH_KEY_COUNT; i++) {
		if (strcmp(keys[i].key, name) == 0 && *section == '\0') {
			kh_hint(lines->error, _("put [%s] on a line above it"), keys[i].section);
			return 0;
		}
		if (strcmp(keys[i].key, name) == 0) {
			kh_hint(lines->error, _("move the line below [%s]"), keys[i].section);
			return 0;
		}
		if (strcmp(keys[i].section, section) == 0)
			names[count++] = keys[i].key;
	}
	nearest = kh_config_nearest(name, names, count);
	if (nearest)
		kh_hint(lines->error, _("write: %s = %.200s"), nearest, value);
	else
		kh_hint(lines->error, _("remove the line; khien.conf(5) has every key"));
	return 0;
}

/* An ini_handler: 1 to go on, 0 on an error. */
static int handle(void *context, const char *section, const char *name, const char *value)
{
	struct parser *parser = context;
	struct kh_config_lines *lines = &parser->lines;
	size_t used = strlen(parser->value);
	enum kh_config_key key = 0;

	if (lines->failed)
		return 0;
	if (lines->more) {
		snprintf(parser->value + used, sizeof(parser->value) - used, " %s", value);
		return 1;
	}
	if (finish_entry(parser) < 0)
		return 0;
	while (key < KH_KEY_COUNT && (strcmp(keys[key].section, section) != 0 || strcmp(keys[key].key, name) != 0))
		key++;
	if (key == KH_KEY_COUNT)
		return unknown_key(parser, section, name, value);
	if (parser->config.lines[key] > 0) {
		lines->failed = true;
		kh_fail_at(lines->error, -EINVAL, lines->line, _("%s:%d: %s is given a second time"), lines->file,
			   lines->line, name);
		kh_hint(lines->error, _("keep this line or line %d, not both"), parser->config.lines[key]);
		return 0;
	}
	parser->config.lines[key] = lines->line;
	parser->key = (int)key;
	parser->key_line = lines->line;
	snprintf(parser->value, sizeof(parser->value), "%s", value);
	return 1;
}

static int check_complete(const struct parser *parser)
{
	static const struct {
		enum kh_config_key key;
		const char *example;
	} wanted[] = { { KH_KEY_WAN, "wan = eth0" }, { KH_KEY_LAN, "lan = eth1" } };

	for (size_t i = 0; i < KH_ARRAY_SIZE(wanted); i++) {
		if (parser->config.lines[wanted[i].key] > 0)
			continue;
		kh_fail(parser->lines.error, -EINVAL, _("%s: %s is missing"), parser->lines.file,
			keys[wanted[i].key].key);
		kh_hint(parser->lines.error, _("add below [gateway]: %s (khiend --detect proposes the section)"),
			wanted[i].example);
		return -EINVAL;
	}
	return 0;
}

int kh_config_parse(const char *file, const char *data, size_t length, struct kh_config *ret_config,
		    struct kh_error *error)
{
	struct parser *parser KH_CLEANUP(kh_freep) = calloc(1, sizeof(*parser));
	struct kh_error own;
	int ret;

	if (!parser)
		return kh_fail(error, -ENOMEM, _("%s: out of memory"), file);
	parser->lines =
		(struct kh_config_lines){ .file = file, .data = data, .length = length, .error = error ? error : &own };
	parser->key = -1;
	kh_config_defaults(&parser->config);
	ret = ini_parse_stream(kh_config_lines_read, &parser->lines, handle, parser);
	if (parser->lines.failed || finish_entry(parser) < 0)
		return -EINVAL;
	if (ret != 0) /* nothing known leads here: our reader hands out sections and entries only */
		return kh_fail(error, ret < 0 ? -ENOMEM : -EINVAL, _("%s: cannot be read"), file);
	if (check_complete(parser) < 0)
		return -EINVAL;
	*ret_config = parser->config;
	return 0;
}

int kh_config_load(const char *path, struct kh_config *ret_config, struct kh_error *error)
{
	char *data KH_CLEANUP(kh_freep) = NULL;
	size_t length = 0;
	int err = kh_file_read(path, KH_CONFIG_MAX_BYTES, &data, &length);

	if (err == 0)
		return kh_config_parse(path, data, length, ret_config, error);
	kh_fail(error, err, "%s: %s", path, strerror(-err));
	if (err == -ENOENT)
		kh_hint(error, _("khiend --detect proposes the section to begin with"));
	else if (err == -EFBIG)
		kh_hint(error, _("the file has at most %zu bytes; is it the right one?"), KH_CONFIG_MAX_BYTES);
	return err;
}
