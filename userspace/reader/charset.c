// SPDX-License-Identifier: GPL-2.0-or-later
#include "reader/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "common/text.h"
#include "common/util.h"

#define SAMPLE ((size_t)256 << 10)

/* ---- VNI: a letter, and what it carries as a second one ---------------------------------------------------- */

/* What the second byte puts on the letter: shape and tone, as combining marks (Unicode). Small letters; capitals are 0x20 lower. */
static const struct vni_mark {
	unsigned char byte;
	uint16_t shape, tone;
} vni_marks[] = {
	{ 0xf9, 0, 0x301 },	{ 0xf8, 0, 0x300 },	{ 0xfb, 0, 0x309 },	{ 0xf5, 0, 0x303 },
	{ 0xef, 0, 0x323 },	{ 0xe2, 0x302, 0 },	{ 0xe1, 0x302, 0x301 }, { 0xe0, 0x302, 0x300 },
	{ 0xe5, 0x302, 0x309 }, { 0xe3, 0x302, 0x303 }, { 0xe4, 0x302, 0x323 }, { 0xea, 0x306, 0 },
	{ 0xe9, 0x306, 0x301 }, { 0xe8, 0x306, 0x300 }, { 0xfa, 0x306, 0x309 }, { 0xfc, 0x306, 0x303 },
	{ 0xeb, 0x306, 0x323 },
};

/* Letters of one byte. */
static const struct vni_letter {
	unsigned char byte;
	const char *letter;
} vni_letters[] = {
	{ 0xf1, "đ" }, { 0xd1, "Đ" }, { 0xf4, "ơ" }, { 0xd4, "Ơ" }, { 0xf6, "ư" }, { 0xd6, "Ư" },
	{ 0xed, "í" }, { 0xcd, "Í" }, { 0xec, "ì" }, { 0xcc, "Ì" }, { 0xe6, "ỉ" }, { 0xc6, "Ỉ" },
	{ 0xf3, "ĩ" }, { 0xd3, "Ĩ" }, { 0xf2, "ị" }, { 0xd2, "Ị" }, { 0xee, "ỵ" }, { 0xce, "Ỵ" },
};

static int put_point(struct kh_bytes *text, uint32_t point)
{
	unsigned char bytes[2] = { (unsigned char)(0xc0 | point >> 6), (unsigned char)(0x80 | (point & 0x3f)) };

	return kh_bytes_add(text, bytes, sizeof(bytes)); /* marks and Latin-1: all below U+0800 */
}

static const struct vni_mark *mark_of(unsigned char byte, unsigned char letter)
{
	bool round = letter == 0xf4 || letter == 0xd4 || letter == 0xf6 || letter == 0xd6;

	if (!strchr("aeouyAEOUY", letter) && !round)
		return NULL;
	for (size_t i = 0; i < KH_ARRAY_SIZE(vni_marks); i++)
		if ((vni_marks[i].byte == byte || vni_marks[i].byte == byte + 0x20) && !(round && vni_marks[i].shape))
			return &vni_marks[i];
	return NULL;
}

static int decode_vni(const unsigned char *from, size_t length, struct kh_bytes *text)
{
	int result = 0;

	for (size_t i = 0; i < length && !result; i++) {
		const struct vni_mark *mark =
			i && (from[i] & 0x80) && from[i - 1] ? mark_of(from[i], from[i - 1]) : NULL;
		const char *letter = NULL;

		if (mark) {
			if (mark->shape)
				result = put_point(text, mark->shape);
			if (mark->tone && !result)
				result = put_point(text, mark->tone);
			continue;
		}
		for (size_t j = 0; j < KH_ARRAY_SIZE(vni_letters) && !letter; j++)
			letter = vni_letters[j].byte == from[i] ? vni_letters[j].letter : NULL;
		if (letter)
			result = kh_bytes_add(text, letter, strlen(letter));
		else
			result = from[i] & 0x80 ? put_point(text, from[i]) : kh_bytes_add(text, &from[i], 1);
	}
	return result;
}

/* ---- The others: iconv ------------------------------------------------------------------------------------- */

/* Bytes that the encoding does not have become U+FFFD. 0; -EOPNOTSUPP: this system does not know it; -ENOMEM. */
static int decode_by_name(const char *name, const unsigned char *data, size_t length, struct kh_bytes *text)
{
	iconv_t converter = iconv_open("UTF-8", name);
	char *from = (char *)(uintptr_t)data; // NOLINT(performance-no-int-to-ptr): iconv does not write there
	size_t left = length;
	int result = 0;

	if (converter == (iconv_t)-1)
		return -EOPNOTSUPP;
	while (left && !result) {
		char buffer[8192], *to = buffer;
		size_t room = sizeof(buffer);
		bool bad = iconv(converter, &from, &left, &to, &room) == (size_t)-1 && errno != E2BIG;

		result = kh_bytes_add(text, buffer, (size_t)(to - buffer));
		if (!bad)
			continue;
		if (!result)
			result = kh_bytes_add(text, "\xef\xbf\xbd", 3);
		from++;
		left--;
	}
	if (!result) {
		char buffer[64], *to = buffer;
		size_t room = sizeof(buffer);

		iconv(converter, NULL, NULL, &to, &room);
		result = kh_bytes_add(text, buffer, (size_t)(to - buffer));
	}
	iconv_close(converter);
	return result;
}

struct encoding {
	const char *name; /* for a person */
	const char *iconv; /* NULL: VNI */
};

static const struct encoding legacy[] = {
	{ "TCVN3", "TCVN5712-1" },
	{ "VNI", NULL },
	{ "Windows-1258", "CP1258" },
	{ "Windows-1252", "CP1252" },
};

static int decode(const struct encoding *encoding, const char *data, size_t length, struct kh_bytes *text)
{
	const unsigned char *bytes = (const unsigned char *)data;
	int result = encoding->iconv ? decode_by_name(encoding->iconv, bytes, length, text)
				     : decode_vni(bytes, length, text);

	return result ? result : kh_compose_all(text);
}

/* How often it reads as Vietnamese. */
static size_t score(const struct kh_bytes *text)
{
	static const char *const words[] = { "của",	   "và ",     "các ",	 "địa",	     "chỉ ",	  "ngăn",
					     "chặn",	   "phụ lục", "PHỤ LỤC", "công văn", "ính gửi",	  "được",
					     "không",	   "máy ",    "độc",	 "tên ",     "miền",	  "đơn vị",
					     "ngày",	   "tháng",   "năm ",	 "Số:",	     "thông tin", "kết nối",
					     "điều khiển", "bảo đảm" };
	size_t found = 0;

	for (size_t i = 0; i < KH_ARRAY_SIZE(words); i++) {
		const unsigned char *at = text->data, *end = text->data + text->length;

		for (int times = 0; times < 50 && at < end; times++) {
			at = memmem(at, (size_t)(end - at), words[i], strlen(words[i]));
			if (!at)
				break;
			found++;
			at++;
		}
	}
	return found;
}

/* The one that reads best; NULL: none of them does. */
static int guess(const struct kh_input *input, const struct encoding **ret_encoding)
{
	size_t best = 0, length = input->length < SAMPLE ? input->length : SAMPLE, high = 0;

	for (size_t i = 0; i < length; i++)
		high += (input->text[i] & 0x80) != 0;
	for (size_t i = 0; i < KH_ARRAY_SIZE(legacy); i++) {
		struct kh_bytes text KH_CLEANUP(kh_bytes_clear) = {};
		int result = decode(&legacy[i], input->text, length, &text);
		size_t found;

		if (result == -ENOMEM)
			return result;
		found = result ? 0 : score(&text);
		if (found <= best)
			continue;
		best = found;
		*ret_encoding = &legacy[i];
	}
	if (!best && high * 20 < length)
		*ret_encoding = &legacy[KH_ARRAY_SIZE(legacy) - 1];
	return 0;
}

/* ---- UTF-16 -------------------------------------------------------------------------------------------------- */

/* By its mark, or by the zeros that every other byte of ASCII is. NULL: it is not. */
static const char *utf16_name(const struct kh_input *input)
{
	size_t zeros[2] = {}, length = input->length < 4096 ? input->length & ~(size_t)1 : 4096;

	if (input->length >= 2 && !memcmp(input->text, "\xff\xfe", 2))
		return "UTF-16LE";
	if (input->length >= 2 && !memcmp(input->text, "\xfe\xff", 2))
		return "UTF-16BE";
	for (size_t i = 0; i < length; i++)
		zeros[i & 1] += !input->text[i];
	if (length < 8 || (input->length & 1))
		return NULL;
	if (zeros[1] > length / 4 && zeros[0] < length / 64)
		return "UTF-16LE";
	return zeros[0] > length / 4 && zeros[1] < length / 64 ? "UTF-16BE" : NULL;
}

int kh_charset_decode(const struct kh_input *input, struct kh_bytes *ret_text, const char **ret_name)
{
	const char *wide = utf16_name(input);
	const struct encoding *encoding = NULL;
	size_t mark = wide && (!memcmp(input->text, "\xff\xfe", 2) || !memcmp(input->text, "\xfe\xff", 2)) ? 2 : 0;
	int result;

	if (wide) {
		result =
			decode_by_name(wide, (const unsigned char *)input->text + mark, input->length - mark, ret_text);
		*ret_name = "UTF-16";
		return result == -EOPNOTSUPP ? 0 : result ? result : 1;
	}
	if (kh_utf8_check(input->text, input->length) == input->length || memchr(input->text, '\0', input->length))
		return 0;
	result = guess(input, &encoding);
	if (result || !encoding)
		return result;
	*ret_name = encoding->name;
	result = decode(encoding, input->text, input->length, ret_text);
	return result == -EOPNOTSUPP ? 0 : result ? result : 1;
}
