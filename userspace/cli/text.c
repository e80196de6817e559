// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The form for people: words, accents, colour, numbers, times. Replies can quote what a stranger wrote into a document, so
 * every text of theirs passes kh_text_printable().
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/render.h"
#include "cli/ring.h"
#include "common/lang.h"
#include "common/text.h"

#define LABEL_COLUMNS 12

static bool color, unaccented;

char *kh_ring_next(void)
{
	static char ring[RING_SIZE][RING_TEXT];
	static unsigned int at;

	return ring[at++ % RING_SIZE];
}

void kh_text_begin(const char *language)
{
	const char *terminal = getenv("TERM");

	kh_lang_set(language);
	color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR") && terminal && strcmp(terminal, "dumb") != 0;
	/* the Linux console has no glyphs for most Vietnamese letters */
	unaccented = !strcmp(kh_lang_get(), "vi") && terminal && !strcmp(terminal, "linux") &&
		     (isatty(STDOUT_FILENO) || isatty(STDERR_FILENO));
}

static void put(FILE *stream, const char *text)
{
	char *plain KH_CLEANUP(kh_freep) = unaccented && isatty(fileno(stream)) ? kh_text_unaccent(text) : NULL;

	fputs(plain ? plain : text, stream);
}

int kh_say(const char *format, ...)
{
	char *text KH_CLEANUP(kh_freep) = NULL;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length >= 0)
		put(stdout, text);
	return length;
}

void kh_complain(const char *format, ...)
{
	char *text KH_CLEANUP(kh_freep) = NULL;
	va_list arguments;

	fflush(stdout); /* so that both streams read in order in one log */
	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) >= 0) {
		put(stderr, text);
		fputc('\n', stderr);
	}
	va_end(arguments);
}

void kh_say_label(const char *label)
{
	size_t columns = kh_text_columns(label);

	kh_say("%s%*s", label, (int)(columns < LABEL_COLUMNS ? LABEL_COLUMNS - columns : 2), "");
}

const char *kh_tone(enum kh_tone tone, const char *text)
{
	static const char *const codes[] = {
		[KH_TONE_PLAIN] = "0",	[KH_TONE_GOOD] = "32", [KH_TONE_WARN] = "33",
		[KH_TONE_BAD] = "1;31", [KH_TONE_DIM] = "2",
	};
	char *out;

	if (!color || tone == KH_TONE_PLAIN)
		return text;
	out = kh_ring_next();
	snprintf(out, RING_TEXT, "\033[%sm%s\033[0m", codes[tone], text);
	return out;
}

/* ---- Members ------------------------------------------------------------------------------------ */

const char *kh_printable(const char *text)
{
	char *out = kh_ring_next();
	size_t length = strnlen(text, RING_TEXT - 1);

	if (text[length]) /* too long: end before the character that would be cut */
		while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	memcpy(out, text, length);
	out[length] = '\0';
	kh_text_printable(out);
	return out;
}

const char *kh_printf(const char *format, ...)
{
	char *out = kh_ring_next();
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(out, RING_TEXT, format, arguments);
	va_end(arguments);
	return out;
}

const char *kh_text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? kh_printable(text) : "";
}

const char *kh_text_at(const json_t *array, size_t index)
{
	const char *text = json_string_value(json_array_get(array, index));

	return text ? kh_printable(text) : "";
}

long long kh_number_of(const json_t *object, const char *name)
{
	return (long long)json_integer_value(json_object_get(object, name));
}

bool kh_has(const json_t *object, const char *name)
{
	const json_t *member = json_object_get(object, name);

	return member && !json_is_null(member);
}

const char *kh_joined(const json_t *array, size_t most)
{
	size_t size = json_array_size(array), used = 0;
	char *out = kh_ring_next();

	out[0] = '\0';
	for (size_t i = 0; i < size && i < most && used < RING_TEXT; i++)
		used += (size_t)snprintf(out + used, RING_TEXT - used, "%s%s", i ? ", " : "", kh_text_at(array, i));
	if (size > most && used < RING_TEXT)
		snprintf(out + used, RING_TEXT - used, _(" and %zu more"), size - most);
	return out;
}

/* ---- Numbers ------------------------------------------------------------------------------------ */

static const char *scaled(long long value, double step, const char *const *units, size_t count)
{
	double rest = (double)value;
	char *out = kh_ring_next(), *point;
	size_t unit = 0;

	while (rest >= step && unit + 1 < count) {
		rest /= step;
		unit++;
	}
	if (unit)
		snprintf(out, RING_TEXT, "%.1f %s", rest, units[unit]);
	else
		snprintf(out, RING_TEXT, "%lld%s", value, units[0]);
	point = unit && !strcmp(kh_lang_get(), "vi") ? strchr(out, '.') : NULL;
	if (point)
		*point = ',';
	return out;
}

const char *kh_count(long long count)
{
	static const char *const units[] = { "", "k", "M", "G" };

	return scaled(count, 1000, units, count < 100000 ? 1 : KH_ARRAY_SIZE(units));
}

const char *kh_bytes(long long bytes)
{
	static const char *const units[] = { " B", "KiB", "MiB", "GiB", "TiB" };

	return scaled(bytes, 1024, units, KH_ARRAY_SIZE(units));
}
