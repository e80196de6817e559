/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of khien.conf for libinih: counted, checked, without comments, in pieces that fit.
 */
#include "daemon/config_lines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"
#include "daemon/config.h"

#define BLANKS " \t\r\f\v"

const char *kh_config_nearest(const char *text, const char *const *words, size_t count)
{
	const char *nearest = NULL;
	size_t best = 3, length = strlen(text); /* three changes and more are another word */

	for (size_t i = 0; i < count && length < 32; i++) {
		size_t distance[33], word = strlen(words[i]);

		for (size_t k = 0; k <= length; k++)
			distance[k] = k;
		for (size_t j = 1; j <= word; j++) {
			size_t diagonal = distance[0];

			distance[0] = j;
			for (size_t k = 1; k <= length; k++) {
				size_t change = diagonal + (text[k - 1] != words[i][j - 1]);

				diagonal = distance[k];
				distance[k] = (distance[k] < distance[k - 1] ? distance[k] : distance[k - 1]) + 1;
				if (change < distance[k])
					distance[k] = change;
			}
		}
		if (distance[length] < best) {
			best = distance[length];
			nearest = words[i];
		}
	}
	return nearest;
}

static void fail(struct kh_config_lines *lines, const char *what)
{
	kh_fail_at(lines->error, -EINVAL, lines->line, "%s:%d: %s", lines->file, lines->line, what);
	lines->failed = true;
}

/* A comment begins at ';' or '#' after a blank. Within `name` a '#' must stand alone: "Cổng #1" is a name. */
static void cut_comment(char *text)
{
	bool is_name = strncmp(text, "name", 4) == 0 && strchr(BLANKS "=", text[4]);

	for (char *at = text + 1; *at; at++) {
		bool starts = *at == ';' || (*at == '#' && (!is_name || strchr(BLANKS, at[1])));

		if (starts && strchr(BLANKS, at[-1])) {
			*at = '\0';
			break;
		}
	}
}

static void trim_end(char *text)
{
	size_t length = strlen(text);

	while (length > 0 && strchr(BLANKS, text[length - 1]))
		text[--length] = '\0';
}

static void check_section(struct kh_config_lines *lines, const char *text)
{
	static const char *const sections[] = { "gateway", "guard", "letters", "sources", "trust", "http" };
	size_t length = strcspn(text + 1, "]");
	char name[64], what[128];
	const char *nearest;

	snprintf(name, sizeof(name), "%.*s", (int)(length < 60 ? length : 60), text + 1);
	kh_text_printable(name);
	if (text[1 + length] != ']' || text[1 + length + 1] != '\0') {
		fail(lines, _("a section is a name in brackets, alone on its line"));
		kh_hint(lines->error, _("write: %s"), strncmp(text, "[guard", 6) == 0 ? "[guard]" : "[gateway]");
		return;
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(sections); i++)
		if (strcmp(name, sections[i]) == 0)
			return;
	snprintf(what, sizeof(what), _("unknown section: [%s]"), name);
	fail(lines, what);
	nearest = kh_config_nearest(name, sections, KH_ARRAY_SIZE(sections));
	if (nearest)
		kh_hint(lines->error, _("write: [%s]"), nearest);
	else
		kh_hint(lines->error,
			_("the sections are [gateway], [guard], [letters], [sources], [trust] and [http]"));
}

static void check_entry(struct kh_config_lines *lines, const char *text)
{
	size_t key = strcspn(text, "= \t");
	char shown[64];

	if (strchr(text, '='))
		return;
	snprintf(shown, sizeof(shown), "%.*s", (int)(key < 60 ? key : 60), text);
	kh_text_printable(shown);
	fail(lines, _("not a comment, [section] or \"key = value\""));
	kh_hint(lines->error, _("write: %s = VALUE, or begin the line with #"), shown);
}

/* Takes the next line into `rest`, without its comment and outer blanks. False at the end or after a failure. */
static bool take_line(struct kh_config_lines *lines)
{
	const char *start = lines->data + lines->at;
	const char *newline;
	size_t length;

	if (lines->failed || lines->at >= lines->length)
		return false;
	newline = memchr(start, '\n', lines->length - lines->at);
	length = newline ? (size_t)(newline - start) : lines->length - lines->at;
	lines->at += length + 1;
	lines->line++;
	if (lines->line == 1 && length >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0) {
		start += 3;
		length -= 3;
	}
	while (length > 0 && strchr(BLANKS, *start) && *start) {
		start++;
		length--;
	}
	if (length >= sizeof(lines->rest)) {
		fail(lines, _("the line is too long"));
		kh_hint(lines->error, _("a line has at most %d bytes"), KH_CONFIG_LINE_BYTES - 1);
		return false;
	}
	if (memchr(start, '\0', length) || kh_utf8_check(start, length) < length) {
		fail(lines, _("not text in UTF-8"));
		kh_hint(lines->error, _("save the file as UTF-8"));
		return false;
	}
	memcpy(lines->rest, start, length);
	lines->rest[length] = '\0';
	if (lines->rest[0] == '\0' || strchr(";#", lines->rest[0])) {
		lines->rest[0] = '\0';
		return true;
	}
	cut_comment(lines->rest);
	trim_end(lines->rest);
	if (lines->rest[0] == '[')
		check_section(lines, lines->rest);
	else
		check_entry(lines, lines->rest);
	return !lines->failed;
}

char *kh_config_lines_read(char *buffer, int size, void *context)
{
	struct kh_config_lines *lines = context;
	size_t room = (size_t)size - 3; /* a blank before, a newline and a NUL after */
	size_t length;

	lines->more = lines->rest[0] != '\0';
	if (!lines->more && !take_line(lines))
		return NULL;
	length = strlen(lines->rest);
	if (length > room) {
		length = room;
		while (length > 0 && !strchr(BLANKS ",", lines->rest[length - 1]))
			length--;
		if (length == 0 || (!lines->more && !memchr(lines->rest, '=', length))) {
			fail(lines, _("a word on the line is too long"));
			kh_hint(lines->error, _("the words of a list are separated by blanks or commas"));
			return NULL;
		}
	}
	snprintf(buffer, (size_t)size, "%s%.*s\n", lines->more ? " " : "", (int)length, lines->rest);
	memmove(lines->rest, lines->rest + length, strlen(lines->rest + length) + 1);
	length = strspn(lines->rest, BLANKS);
	memmove(lines->rest, lines->rest + length, strlen(lines->rest + length) + 1);
	return buffer;
}
