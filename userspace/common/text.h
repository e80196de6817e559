/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text as people type and read it: UTF-8, Vietnamese, REFs, columns of a terminal, numbers, durations, times.
 */
#ifndef KHIEN_COMMON_TEXT_H
#define KHIEN_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Byte offset of the first sequence that is not UTF-8 (RFC 3629), or `length` when all is. */
size_t kh_utf8_check(const char *text, size_t length);

/* Vietnamese letters without marks, everything else as it is: "Đối chiếu" -> "Doi chieu"; composed (NFC)
 * and decomposed (NFD) input alike. malloc'ed, NULL: out of memory. */
char *kh_text_unaccent(const char *text);

/* The form in which letter numbers are compared: no marks, lower case, no white space:
 * "298/VNCERT-ĐPƯC" and "298 /vncert-dpuc" give the same. malloc'ed, NULL: out of memory. */
char *kh_text_fold(const char *text);

/* Columns the text takes on a terminal (UTF-8; combining marks 0, wide characters 2; no locale needed). */
size_t kh_text_columns(const char *text);

/* Text made safe for a terminal: control characters and bad UTF-8 become '?'. In place. */
void kh_text_printable(char *text);

/* "30s", "5m", "24h", "7d", "2w", or plain seconds; 1 s .. 10 years. 0 or -EINVAL. */
int kh_duration_parse(const char *text, int64_t *ret_seconds);

/* Decimal, whole string, within [low, high]. 0, -EINVAL or -ERANGE. */
int kh_number_parse(const char *text, int64_t low, int64_t high, int64_t *ret_number);

#define KH_DATE_TEXT 11
/* "2019-03-15", or as Vietnamese letters write it: "15/3/2019", "15-03-2019", "15.3.2019"; a day of the calendar from 1990 to 2199. ret_date gets
 * "2019-03-15". 0 or -EINVAL (then it is unchanged). */
int kh_date_parse(const char *text, char ret_date[static KH_DATE_TEXT]);

#define KH_TIME_TEXT 40
/* RFC 3339 with the offset of `zone` (tz database name, NULL: Asia/Ho_Chi_Minh, which needs no tz files). Returns buffer. */
char *kh_time_format(int64_t seconds, const char *zone, char buffer[static KH_TIME_TEXT]);
/* "22:47:10 20/01/2023" in `zone`. Returns buffer. */
char *kh_time_format_local(int64_t seconds, const char *zone, char buffer[static KH_TIME_TEXT]);
/* Which of two times as RFC 3339 writes them in UTC is earlier, with a fraction or without: "...00Z" is before "...00.5Z". Any text is some
 * time: < 0, 0 or > 0. */
int kh_time_compare(const char *a, const char *b);
/* Offset of the zone at that moment, in seconds; 0 or -EINVAL for an unknown zone. */
int kh_timezone_offset(const char *zone, int64_t seconds, int *ret_offset);

#endif
