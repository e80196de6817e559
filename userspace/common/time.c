// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Numbers, durations and times of text.h. A zone's offset comes from the tz database by way of localtime_r; Vietnam's does not
 * need it: UTC+7 without summer time since 1975, so that a gateway without tzdata is right too.
 */
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"

#define VIETNAM "Asia/Ho_Chi_Minh"
#define VIETNAM_OFFSET (7 * 3600)
#define TEN_YEARS ((int64_t)3650 * 86400)
#define YEAR_1000 \
	INT64_C(-30610224000) /* four digits, as RFC 3339 writes years, and a day in from both ends for the zone */
#define YEAR_9999_END INT64_C(253402300799)
#define DAY 86400

int kh_number_parse(const char *text, int64_t low, int64_t high, int64_t *ret_number)
{
	char *end;
	long long number;

	if (!(text[0] >= '0' && text[0] <= '9') && !(text[0] == '-' && text[1] >= '0' && text[1] <= '9'))
		return -EINVAL;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (*end)
		return -EINVAL;
	if (errno || number < low || number > high)
		return -ERANGE;
	*ret_number = number;
	return 0;
}

/* Up to `most` digits at *text, which moves behind them and the separator there ('\0': none). -1: there are none, or more. */
static int take_part(const char **text, size_t most, char separator)
{
	size_t digits = strspn(*text, "0123456789");
	int number = 0;

	if (!digits || digits > most || (*text)[digits] != separator)
		return -1;
	for (size_t i = 0; i < digits; i++)
		number = number * 10 + ((*text)[i] - '0');
	*text += digits + (separator != '\0');
	return number;
}

int kh_date_parse(const char *text, char ret_date[static KH_DATE_TEXT])
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	size_t first = strspn(text, "0123456789");
	bool iso = first == 4 && text[4] == '-';
	char separator = text[first];
	int parts[3], day, month, year, last;

	if (!separator || !strchr("-/.", separator))
		return -EINVAL;
	for (size_t i = 0; i < 3; i++)
		parts[i] = take_part(&text, i == (iso ? 0 : 2) ? 4 : 2, i < 2 ? separator : '\0');
	year = parts[iso ? 0 : 2];
	month = parts[1];
	day = parts[iso ? 2 : 0];
	if (year < 1990 || year > 2199 || month < 1 || month > 12 || day < 1)
		return -EINVAL;
	last = days[month - 1] + (month == 2 && !(year % 4) && (year % 100 || !(year % 400)));
	if (day > last)
		return -EINVAL;
	snprintf(ret_date, KH_DATE_TEXT, "%04u-%02u-%02u", (unsigned)year % 10000, (unsigned)month % 100,
		 (unsigned)day % 100);
	return 0;
}

int kh_duration_parse(const char *text, int64_t *ret_seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	size_t length = strlen(text);
	int64_t number, scale = 1;
	char digits[16];

	if (!length || length >= sizeof(digits) || text[0] < '0' || text[0] > '9')
		return -EINVAL;
	memcpy(digits, text, length + 1);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (digits[length - 1] != units[i].unit)
			continue;
		scale = units[i].seconds;
		digits[length - 1] = '\0';
		break;
	}
	if (kh_number_parse(digits, 1, TEN_YEARS / scale, &number) < 0)
		return -EINVAL;
	*ret_seconds = number * scale;
	return 0;
}

/* The name stays inside the tz database and is a zone there (RFC 8536 magic), not a folder or one of its tables. */
static int is_zone(const char *name)
{
	const char *folder = getenv("TZDIR");
	int fd KH_CLEANUP(kh_closep) = -1;
	char path[PATH_MAX], magic[4];

	if (!name[0] || name[0] == '/' || name[0] == ':' || strstr(name, ".."))
		return 0;
	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "/usr/share/zoneinfo", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) && !memcmp(magic, "TZif", sizeof(magic));
}

/* localtime_r knows one zone, that of TZ: set it, ask, put it back. The callers are single-threaded. */
static int offset_by_tz(const char *zone, time_t when)
{
	const char *now = getenv("TZ");
	char *before = now ? strdup(now) : NULL;
	struct tm calendar = {};

	setenv("TZ", zone, 1);
	tzset();
	localtime_r(&when, &calendar);
	if (before)
		setenv("TZ", before, 1);
	else
		unsetenv("TZ");
	tzset();
	free(before);
	return (int)calendar.tm_gmtoff;
}

int kh_timezone_offset(const char *zone, int64_t seconds, int *ret_offset)
{
	if (!zone || !strcmp(zone, VIETNAM)) {
		*ret_offset = VIETNAM_OFFSET;
		return 0;
	}
	if (!strcmp(zone, "UTC")) {
		*ret_offset = 0;
		return 0;
	}
	if (!is_zone(zone))
		return -EINVAL;
	*ret_offset = offset_by_tz(zone, (time_t)seconds);
	return 0;
}

static void calendar_in(int64_t seconds, const char *zone, struct tm *ret_calendar, int *ret_offset)
{
	time_t shifted;

	seconds = seconds < YEAR_1000 + DAY	  ? YEAR_1000 + DAY
		  : seconds > YEAR_9999_END - DAY ? YEAR_9999_END - DAY
						  : seconds;
	*ret_offset = VIETNAM_OFFSET;
	kh_timezone_offset(zone, seconds, ret_offset);
	shifted = (time_t)seconds + *ret_offset;
	gmtime_r(&shifted, ret_calendar);
}

char *kh_time_format(int64_t seconds, const char *zone, char buffer[static KH_TIME_TEXT])
{
	struct tm calendar;
	int offset, minutes;
	size_t used;

	calendar_in(seconds, zone, &calendar, &offset);
	minutes = abs(offset) / 60;
	used = strftime(buffer, KH_TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &calendar);
	snprintf(buffer + used, KH_TIME_TEXT - used, "%c%02d:%02d", offset < 0 ? '-' : '+', minutes / 60 % 100,
		 minutes % 60);
	return buffer;
}

char *kh_time_format_local(int64_t seconds, const char *zone, char buffer[static KH_TIME_TEXT])
{
	struct tm calendar;
	int offset;

	calendar_in(seconds, zone, &calendar, &offset);
	strftime(buffer, KH_TIME_TEXT, "%H:%M:%S %d/%m/%Y", &calendar);
	return buffer;
}

static bool is_fraction(char c)
{
	return c == '.' || (c >= '0' && c <= '9');
}

int kh_time_compare(const char *a, const char *b)
{
	int order = strncmp(a, b, 19);

	if (order || strlen(a) < 19 || strlen(b) < 19)
		return order;
	for (a += 19, b += 19; is_fraction(*a) || is_fraction(*b);) {
		char x = is_fraction(*a) ? *a++ : '\0', y = is_fraction(*b) ? *b++ : '\0';

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}
