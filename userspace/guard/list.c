/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * List files of the guard (the folder rules/never-block.d): one value or name a line, a label after it, '#' comments, '@kind'; or JSON (warninglist.c).
 * Strict: these lines decide what can never be blocked, so nothing is guessed, widened or skipped.
 */
#include "guard/private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

#define BLANKS " \t\r\f\v"
#define LINE_BYTES 512

int kh_guard_is_list(const struct dirent *entry)
{
	const char *ending = strrchr(entry->d_name, '.');

	return ending && entry->d_name[0] != '.' && (!strcmp(ending, ".list") || !strcmp(ending, ".json"));
}

struct list {
	const char *name;
	int line;
	enum kh_decision_reason kind;
	struct kh_error *error;
};

/* A piece of the file for a message: short and printable. */
static const char *shown(const char *text, size_t length, char buffer[static 64])
{
	snprintf(buffer, 64, "%.*s", (int)(length < 60 ? length : 60), text);
	kh_text_printable(buffer);
	return buffer;
}

static int read_kind(struct list *list, const char *text)
{
	static const enum kh_decision_reason kinds[] = { KH_WHY_SPECIAL, KH_WHY_NEVER_BLOCK, KH_WHY_SHARED };
	size_t word = strcspn(text, BLANKS);
	char buffer[64];

	if (word == 5 && strncmp(text, "@kind", word) == 0) {
		const char *value = text + word + strspn(text + word, BLANKS);
		size_t length = strcspn(value, BLANKS);

		for (size_t i = 0; i < KH_ARRAY_SIZE(kinds); i++) {
			const char *name = kh_decision_reason_name(kinds[i]);

			if (strlen(name) == length && strncmp(name, value, length) == 0) {
				list->kind = kinds[i];
				return 0;
			}
		}
	}
	kh_fail_at(list->error, -EINVAL, list->line, _("%s:%d: not understood: %s"), list->name, list->line,
		   shown(text, strlen(text), buffer));
	kh_hint(list->error,
		_("write \"@kind special-purpose\", \"@kind never-block\" or \"@kind shared-infrastructure\""));
	return -EINVAL;
}

/* Says what is wrong with a value that kh_range_parse refused. */
static int bad_value(const struct list *list, const char *text, size_t length)
{
	struct kh_range network;
	enum kh_host_bits bits;
	char buffer[64], corrected[KH_RANGE_TEXT];

	if (kh_prefix_parse(text, length, &network, &bits) == 0 && bits == KH_HOST_BITS_SET) {
		kh_fail_at(list->error, -EINVAL, list->line, _("%s:%d: address bits beyond the prefix length: %s"),
			   list->name, list->line, shown(text, length, buffer));
		kh_hint(list->error, _("write the network, %s, or the address alone"),
			kh_range_format(&network, corrected));
		return -EINVAL;
	}
	kh_fail_at(list->error, -EINVAL, list->line, _("%s:%d: not an address, prefix or range: %s"), list->name,
		   list->line, shown(text, length, buffer));
	kh_hint(list->error, _("one address, prefix or first-last range a line; put # before a comment"));
	return -EINVAL;
}

/* "c2.example", "*.c2.example": a name, or it and all below it. */
static int read_name(struct kh_guard *guard, struct list *list, const char *text, size_t length, const char *label)
{
	struct kh_indicator name = { 0 };
	char copy[LINE_BYTES], rule[LINE_BYTES + 64];
	int code;

	snprintf(copy, sizeof(copy), "%.*s", (int)length, text);
	code = kh_indicator_parse(copy, &name, NULL);
	if (!code && name.type == KH_TYPE_DOMAIN) {
		snprintf(rule, sizeof(rule), "%s:%d%s%s", list->name, list->line, *label ? " " : "", label);
		kh_text_printable(rule);
		code = kh_guard_add_host(guard, &name, list->kind, rule);
	} else if (code != -ENOMEM) {
		code = bad_value(list, text, length);
	}
	kh_indicator_clear(&name);
	return code;
}

static int read_value(struct kh_guard *guard, struct list *list, const char *text)
{
	size_t length = strcspn(text, BLANKS);
	const char *label = text + length + strspn(text + length, BLANKS);
	char rule[LINE_BYTES + 64];
	struct kh_range range;

	if (kh_range_parse(text, length, &range) < 0)
		return read_name(guard, list, text, length, label);
	if (range.first == 0 && range.last == kh_address_max(range.family)) {
		kh_fail_at(list->error, -EINVAL, list->line,
			   _("%s:%d: covers all of IPv%d, so nothing could be blocked"), list->name, list->line,
			   range.family);
		kh_hint(list->error, _("list only the networks that must stay reachable"));
		return -EINVAL;
	}
	snprintf(rule, sizeof(rule), "%s:%d%s%s", list->name, list->line, *label ? " " : "", label);
	kh_text_printable(rule);
	return kh_guard_add(guard, &range, list->kind, rule);
}

static int read_line(struct kh_guard *guard, struct list *list, const char *line, size_t length)
{
	char text[LINE_BYTES];
	char *end;

	if (length >= sizeof(text) || memchr(line, '\0', length)) {
		kh_fail_at(list->error, -EINVAL, list->line, _("%s:%d: a line too long, or not text"), list->name,
			   list->line);
		kh_hint(list->error, _("one address, prefix or first-last range a line; put # before a comment"));
		return -EINVAL;
	}
	memcpy(text, line, length);
	text[length] = '\0';
	text[strcspn(text, "#")] = '\0';
	end = text + strlen(text);
	while (end > text && strchr(BLANKS, end[-1]))
		*--end = '\0';
	line = text + strspn(text, BLANKS);
	if (*line == '\0')
		return 0;
	return *line == '@' ? read_kind(list, line) : read_value(guard, list, line);
}

static bool is_json(const char *data, size_t length)
{
	size_t at = 0;

	while (at < length && (strchr(BLANKS, data[at]) || data[at] == '\n') && data[at])
		at++;
	return at < length && data[at] == '{';
}

int kh_guard_add_list(struct kh_guard *guard, const char *name, const char *data, size_t length, struct kh_error *error)
{
	struct list list = { .name = name, .kind = KH_WHY_NEVER_BLOCK, .error = error };
	size_t refuse = guard->refuse.count, shared = guard->shared.count, texts = guard->texts_length,
	       added = guard->added;
	size_t at = 0;
	int err = 0;

	size_t hosts = guard->hosts.count;

	if (length >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	if (is_json(data + at, length - at)) {
		err = kh_guard_add_warninglist(guard, name, data + at, length - at, error);
		at = length;
	}
	while (at < length && err == 0) {
		const char *newline = memchr(data + at, '\n', length - at);
		size_t bytes = newline ? (size_t)(newline - data) - at : length - at;

		list.line++;
		err = read_line(guard, &list, data + at, bytes);
		at += bytes + 1;
	}
	if (err == 0)
		return 0;
	guard->refuse.count = refuse; /* all or nothing */
	guard->shared.count = shared;
	guard->texts_length = texts;
	guard->added = added;
	kh_hosts_cut(&guard->hosts, hosts);
	if (err == -ENOMEM)
		kh_fail_at(error, err, list.line, _("%s: out of memory"), name);
	return err;
}
