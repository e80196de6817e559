// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a letter says it lists ("33 địa chỉ IP", "71 tên miền", "20 mã băm"): a free check on what was read.
 * The first mention of each kind counts; "3 MD5, 2 SHA-256" add up unless a number of all hashes is given.
 */
#include "reader/private.h"

#include <errno.h>
#include <string.h>

#include "common/util.h"

enum kind { ADDRESSES, ADDRESSES4, ADDRESSES6, DOMAINS, HASHES, MD5, SHA1, SHA256, KINDS };

/* Longer words first: "dia chi ipv4" before "dia chi ip". */
static const struct {
	const char *pattern;
	enum kind kind;
} words[] = {
	{ "dIa chI ipv4", ADDRESSES4 },
	{ "ipv4", ADDRESSES4 },
	{ "dIa chI ipv6", ADDRESSES6 },
	{ "ipv6", ADDRESSES6 },
	{ "dIa chI ip", ADDRESSES },
	{ "dIa chI mAy chU", ADDRESSES },
	{ "dIa chI c&c", ADDRESSES },
	{ "dIa chI c2", ADDRESSES },
	{ "mAy chU ip", ADDRESSES },
	{ "ip addresses", ADDRESSES },
	{ "ip address", ADDRESSES },
	{ "ips", ADDRESSES },
	{ "ip", ADDRESSES },
	{ "dIa chI tEn miEn", DOMAINS },
	{ "tEn miEn", DOMAINS },
	{ "domain names", DOMAINS },
	{ "domains", DOMAINS },
	{ "domain", DOMAINS },
	{ "mA bAm md5", MD5 },
	{ "mA bAm sha-256", SHA256 },
	{ "mA bAm sha256", SHA256 },
	{ "mA bAm sha-1", SHA1 },
	{ "mA bAm sha1", SHA1 },
	{ "mA bAm", HASHES },
	{ "mA hash", HASHES },
	{ "hashes", HASHES },
	{ "hash", HASHES },
	{ "md5", MD5 },
	{ "sha-256", SHA256 },
	{ "sha256", SHA256 },
	{ "sha-1", SHA1 },
	{ "sha1", SHA1 },
};

/* "33", "33 (ba mươi ba)", "(02)": where the counted thing would be named. */
static const char *after_number(const char *at)
{
	const char *close;

	while (kh_is_digit(*at))
		at++;
	if (*at == ')')
		at++;
	while (kh_is_blank(*at))
		at++;
	if (*at == '(') {
		close = memchr(at, ')', strnlen(at, 40));
		at = close ? close + 1 : at;
	}
	while (kh_is_blank(*at))
		at++;
	return at;
}

static void count_at(const char *at, int counts[static KINDS])
{
	int number = 0;

	for (const char *digit = at; kh_is_digit(*digit); digit++)
		number = number * 10 + (*digit - '0');
	at = after_number(at);
	if (!*at || !strchr("dimths", *at)) /* no word of the table begins like this */
		return;
	for (size_t i = 0; i < KH_ARRAY_SIZE(words); i++) {
		size_t used = kh_word_match(at, words[i].pattern);

		if (!used || kh_is_word(at[used]))
			continue;
		if (counts[words[i].kind] < 0)
			counts[words[i].kind] = number;
		return;
	}
}

static int sum(int all, const int *parts, size_t count)
{
	if (all >= 0)
		return all;
	for (size_t i = 0; i < count; i++) {
		if (parts[i] >= 0)
			all = (all < 0 ? 0 : all) + parts[i];
	}
	return all;
}

int kh_announced_read(const struct kh_input *input, struct kh_announced *ret_announced)
{
	char *folded KH_CLEANUP(kh_freep) = kh_fold(input->text, input->length);
	int counts[KINDS] = { -1, -1, -1, -1, -1, -1, -1, -1 };

	if (!folded)
		return -ENOMEM;
	for (const char *at = folded; *at; at++) {
		size_t digits = 0;

		if (!kh_is_digit(*at))
			continue;
		while (kh_is_digit(at[digits]))
			digits++;
		if (digits <= 6 && (at == folded || !(kh_is_word(at[-1]) || strchr("./,-:+", at[-1]))))
			count_at(at, counts);
		at += digits - 1;
	}
	ret_announced->addresses = sum(counts[ADDRESSES], &counts[ADDRESSES4], 2);
	ret_announced->domains = counts[DOMAINS];
	ret_announced->hashes = sum(counts[HASHES], &counts[MD5], 3);
	return 0;
}
