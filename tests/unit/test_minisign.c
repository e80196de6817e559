// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys and signatures of minisign: fixed ones, made by minisign 0.11; whatever is changed in them is refused. And the keys of [trust].
 */
#include "daemon/minisign.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/util.h"
#include "daemon/trust.h"

#define KEY "RWT0anfBFSOuGoPvGSjaX1dtucLpX9Q0qElNlkyCI3iQNv4QDX/9UhWM" /* 1AAE2315C1776AF4 */
#define OTHER "RWTklMTHhhd6VrFTAGPcrM5ScbfGF0ax8BsAFC7UX8zUvrRoPdxMu+d9" /* 567A1786C7C494E4 */
#define LIST "203.0.113.7\n203.0.113.8\n"
#define FIRST "untrusted comment: signature from minisign secret key"
#define SECOND "RUT0anfBFSOuGjMM/AlBtlTjwHDfO1KwzHIcH8EpOTJgy44hBVlvLpNfmCR8Ko5utzzoiZMSz7lvJy+lGBW6YZwmHEnKopccAg8="
#define THIRD "trusted comment: thư 123, 21/01/2023"
#define FOURTH "EfAXkcaFtYTQgJIFDAlc48uP6OfXeXqXnxa68tqn9G9YGzCb4xgrwRlX7kH20jevu4ySl9jtUOPfR9Qs2twUCg=="
#define HASHED FIRST "\n" SECOND "\n" THIRD "\n" FOURTH "\n"
#define LEGACY                                                                                                         \
	FIRST "\n"                                                                                                     \
	      "RWT0anfBFSOuGv5oQTe3uPv0xt1ippGb4jTykB2olbXeK4gh4iFg3RbEFoN1GTLH+whOnUBIiSjU0j/63CxA3qoMdQkfjzT1nAA=\n" \
	      "trusted comment: timestamp:1796070457\tfile:list.txt\n"                                                 \
	      "38lz2VV3Iwg3N/Z2U3+GPqPVdbulEiIvA2bt91wrwzWKicJAfgvtyJCdYWqXvyOwpEJeXZdIBVVsMBcWYr5tAg==\n"
#define OF_NOTHING                                                                                                     \
	FIRST "\n"                                                                                                     \
	      "RUT0anfBFSOuGvvEGyQxHTOI4UNUXQOZRFeJt14HJry+jcwAi1lVhWqESx/o+rQt0pX+pjpZX7OdUO5NDeQbHzXzZU4AkWxKkgM=\n" \
	      "trusted comment: timestamp:1796070457\tfile:empty\thashed\n"                                            \
	      "uT5s4h5Sc6fgeDXOa1QHSWuJVyHiaLfGWnSphH90kk1l0ndBSRFgvbIzV5Hzbxjk6Ln9PpQ2ily3ds0JU4NhCA==\n"

static struct kh_minisign_key key_of(const char *text)
{
	struct kh_minisign_key key;

	assert_int_equal(kh_minisign_key_read(text, strlen(text), &key), 0);
	return key;
}

/* Read and verified. */
static int verify(const char *text, size_t length, const char *data, size_t data_length)
{
	struct kh_minisign_key key = key_of(KEY);
	struct kh_minisign signature;
	int code = kh_minisign_read(text, length, &signature, NULL);

	return code < 0 ? code : kh_minisign_verify(&signature, &key, data, data_length);
}

static void both_algorithms_are_verified(void **state KH_UNUSED)
{
	struct kh_minisign signature;

	assert_int_equal(verify(HASHED, strlen(HASHED), LIST, strlen(LIST)), 0);
	assert_int_equal(verify(LEGACY, strlen(LEGACY), LIST, strlen(LIST)), 0);
	assert_int_equal(verify(OF_NOTHING, strlen(OF_NOTHING), "", 0), 0);
	assert_int_equal(kh_minisign_read(HASHED, strlen(HASHED), &signature, NULL), 0);
	assert_true(signature.prehashed);
	assert_int_equal(signature.comment_length, strlen("thư 123, 21/01/2023"));
	assert_memory_equal(signature.comment, "thư 123, 21/01/2023", signature.comment_length);
	assert_int_equal(kh_minisign_read(LEGACY, strlen(LEGACY), &signature, NULL), 0);
	assert_false(signature.prehashed);
}

static void lines_may_end_as_mail_ends_them(void **state KH_UNUSED)
{
	const char *mail = FIRST "\r\n" SECOND "\r\n" THIRD "\r\n" FOURTH "\r\n\r\n",
		   *bare = FIRST "\n" SECOND "\n" THIRD "\n" FOURTH;

	assert_int_equal(verify(mail, strlen(mail), LIST, strlen(LIST)), 0);
	assert_int_equal(verify(bare, strlen(bare), LIST, strlen(LIST)), 0);
}

static void every_changed_bit_of_the_file_is_seen(void **state KH_UNUSED)
{
	char data[] = LIST;

	for (size_t bit = 0; bit < 8 * strlen(LIST); bit++) {
		data[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(verify(HASHED, strlen(HASHED), data, strlen(LIST)), -EBADMSG);
		assert_int_equal(verify(LEGACY, strlen(LEGACY), data, strlen(LIST)), -EBADMSG);
		data[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t length = 0; length < strlen(LIST); length++)
		assert_int_equal(verify(HASHED, strlen(HASHED), data, length), -EBADMSG);
	assert_int_equal(verify(HASHED, strlen(HASHED), LIST "\n", strlen(LIST) + 1), -EBADMSG);
}

/* Of the untrusted comment nothing is signed; of all the rest each bit is. */
static void every_changed_bit_of_the_signature_is_seen(void **state KH_UNUSED)
{
	char text[] = HASHED;
	size_t length = strlen(text);

	for (size_t bit = 8 * (strlen(FIRST) + 1); bit < 8 * (length - 1); bit++) { /* the last line may end or not */
		text[bit / 8] ^= (char)(1 << bit % 8);
		assert_true(verify(text, length, LIST, strlen(LIST)) < 0);
		text[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < length - 1; cut++)
		assert_true(verify(text, cut, LIST, strlen(LIST)) < 0);
	text[strlen("untrusted comment: ")] = 'S';
	assert_int_equal(verify(text, length, LIST, strlen(LIST)), 0);
}

static void a_changed_comment_is_told_from_a_changed_file(void **state KH_UNUSED)
{
	const char *other = FIRST "\n" SECOND "\ntrusted comment: thư 124, 21/01/2023\n" FOURTH "\n",
		   *none = FIRST "\n" SECOND "\ntrusted comment: \n" FOURTH "\n";

	assert_int_equal(verify(other, strlen(other), LIST, strlen(LIST)), -EPROTO);
	assert_int_equal(verify(none, strlen(none), LIST, strlen(LIST)), -EPROTO);
}

static void another_key_verifies_nothing(void **state KH_UNUSED)
{
	struct kh_minisign_key key = key_of(OTHER), mixed = key;
	struct kh_minisign signature;

	assert_int_equal(kh_minisign_read(HASHED, strlen(HASHED), &signature, NULL), 0);
	assert_int_equal(kh_minisign_verify(&signature, &key, LIST, strlen(LIST)), -EBADMSG);
	memcpy(mixed.id, signature.id, sizeof(mixed.id)); /* a number can be chosen */
	assert_int_equal(kh_minisign_verify(&signature, &mixed, LIST, strlen(LIST)), -EBADMSG);
}

static void what_is_wrong_is_told_with_its_line(void **state KH_UNUSED)
{
	static const struct {
		const char *text;
		int line;
		const char *what;
	} cases[] = {
		{ "", 1, "does not begin" },
		{ SECOND "\n", 1, "does not begin" },
		{ FIRST, 2, "not a whole signature" },
		{ FIRST "\nRUT0anfBFSOuGjMM\n", 2, "not a whole signature" },
		{ FIRST "\n" SECOND "x\n", 2, "not a whole signature" },
		{ FIRST "\n " SECOND "\n", 2, "not a whole signature" },
		{ FIRST
		  "\nSUT0anfBFSOuGjMM/AlBtlTjwHDfO1KwzHIcH8EpOTJgy44hBVlvLpNfmCR8Ko5utzzoiZMSz7lvJy+lGBW6YZwmHEnKopccAg8=\n",
		  2, "algorithm" },
		{ FIRST "\n" SECOND "\n", 3, "trusted comment" },
		{ FIRST "\n" SECOND "\n" FIRST "\n" FOURTH "\n", 3, "trusted comment" },
		{ FIRST "\n" SECOND "\n" THIRD "\n", 4, "whole signature of the comment" },
		{ FIRST "\n" SECOND "\n" THIRD "\nEfAXkcaF\n", 4, "whole signature of the comment" },
		{ HASHED "\n203.0.113.9\n", 6, "more than a signature" },
	};

	for (size_t i = 0; i < KH_ARRAY_SIZE(cases); i++) {
		struct kh_minisign signature = { .prehashed = true };
		struct kh_error error = {};

		assert_int_equal(kh_minisign_read(cases[i].text, strlen(cases[i].text), &signature, &error), -EINVAL);
		assert_int_equal(error.line, cases[i].line);
		assert_non_null(strstr(error.text, cases[i].what));
		assert_true(signature.prehashed && !signature.comment); /* as it was */
	}
}

static void a_signature_has_a_greatest_size(void **state KH_UNUSED)
{
	static char text[KH_MINISIGN_BYTES_MAX + 1];
	struct kh_minisign signature;
	struct kh_error error = {};

	memset(text, 'x', sizeof(text));
	assert_int_equal(kh_minisign_read(text, sizeof(text), &signature, &error), -EINVAL);
	assert_non_null(strstr(error.text, "8192"));
}

static void keys_are_read_strictly(void **state KH_UNUSED)
{
	static const char *const bad[] = { "", "RW", "RWQnonsense", KEY "=", KEY " ", " " KEY, SECOND,
					   /* the same bytes, said to be of another algorithm */
					   "RUT0anfBFSOuGoPvGSjaX1dtucLpX9Q0qElNlkyCI3iQNv4QDX/9UhWM" };
	struct kh_minisign_key key = { .id = { 1 } };
	char id[KH_MINISIGN_ID_TEXT];

	for (size_t i = 0; i < KH_ARRAY_SIZE(bad); i++)
		assert_int_equal(kh_minisign_key_read(bad[i], strlen(bad[i]), &key), -EINVAL);
	assert_int_equal(key.id[0], 1);
	key = key_of(KEY);
	assert_string_equal(kh_minisign_id_text(key.id, id), "1AAE2315C1776AF4");
}

/* ---- [trust] ------------------------------------------------------------------------------------ */

/* The keys of a file with this text, beside KEY in the configuration. */
static int read_trust(const char *text, struct kh_trust *ret_trust, struct kh_error *error)
{
	static struct kh_config config;
	char path[] = "/tmp/khien-trust.XXXXXX";
	int fd = mkstemp(path), code;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	config = (struct kh_config){ .trust_keys = { key_of(KEY) }, .trust_keys_count = 1 };
	config.lines[KH_KEY_TRUST_KEYS] = 1;
	snprintf(config.trust_file, sizeof(config.trust_file), "%s", path);
	code = kh_trust_read(&config, ret_trust, error);
	unlink(path);
	return code;
}

static void a_file_of_keys(void **state KH_UNUSED)
{
	struct kh_trust trust;
	struct kh_error error = {};

	assert_int_equal(
		read_trust("# the province\nuntrusted comment: minisign public key\n" OTHER "\r\n\n", &trust, &error),
		0);
	assert_true(trust.on);
	assert_int_equal(trust.keys_count, 2);
	assert_int_equal(read_trust("", &trust, &error), 0);
	assert_int_equal(trust.keys_count, 1);
}

static void a_bad_line_is_named_and_the_other_keys_serve(void **state KH_UNUSED)
{
	struct kh_trust trust;
	struct kh_error error = {};

	assert_int_equal(read_trust("RWQnonsense\n" OTHER "\n", &trust, &error), -EINVAL);
	assert_non_null(strstr(error.text, ":1: "));
	assert_int_equal(trust.keys_count, 2);
	assert_int_equal(read_trust(OTHER "\n" KEY "\n", &trust, &error), -EINVAL);
	assert_non_null(strstr(error.text, ":2: "));
	assert_int_equal(trust.keys_count, 2);
}

static void without_the_section_it_is_off(void **state KH_UNUSED)
{
	static struct kh_config config;
	struct kh_trust trust;

	assert_int_equal(kh_trust_read(&config, &trust, NULL), 0);
	assert_false(trust.on);
	config.lines[KH_KEY_TRUST_KEYS] = 1;
	snprintf(config.trust_file, sizeof(config.trust_file), "/nonexistent/keys");
	assert_int_equal(kh_trust_read(&config, &trust, NULL), -ENOENT);
	assert_true(trust.on); /* that a file is missing lets nobody in */
}

static void each_failure_says_what_to_do(void **state KH_UNUSED)
{
	struct kh_trust trust = { .on = true, .keys = { key_of(KEY) }, .keys_count = 1 };
	struct kh_minisign signature;
	struct kh_error error = {};

	assert_int_equal(kh_trust_verify(&trust, "f", HASHED, strlen(HASHED), LIST, strlen(LIST), &signature, &error),
			 0);
	assert_int_equal(kh_trust_verify(&trust, "f", HASHED, strlen(HASHED), "x", 1, &signature, &error), -EBADMSG);
	assert_true(strstr(error.text, "1AAE2315C1776AF4") && error.hint[0]);
	assert_int_equal(kh_trust_verify(&trust, "f", "x", 1, LIST, strlen(LIST), &signature, &error), -EINVAL);
	assert_true(strstr(error.text, "line 1") && error.hint[0]);
	trust.keys_count = 0;
	assert_int_equal(kh_trust_verify(&trust, "f", HASHED, strlen(HASHED), LIST, strlen(LIST), &signature, &error),
			 -ENOKEY);
	assert_true(strstr(error.text, "1AAE2315C1776AF4") && error.hint[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_algorithms_are_verified),
		cmocka_unit_test(lines_may_end_as_mail_ends_them),
		cmocka_unit_test(every_changed_bit_of_the_file_is_seen),
		cmocka_unit_test(every_changed_bit_of_the_signature_is_seen),
		cmocka_unit_test(a_changed_comment_is_told_from_a_changed_file),
		cmocka_unit_test(another_key_verifies_nothing),
		cmocka_unit_test(what_is_wrong_is_told_with_its_line),
		cmocka_unit_test(a_signature_has_a_greatest_size),
		cmocka_unit_test(keys_are_read_strictly),
		cmocka_unit_test(a_file_of_keys),
		cmocka_unit_test(a_bad_line_is_named_and_the_other_keys_serve),
		cmocka_unit_test(without_the_section_it_is_off),
		cmocka_unit_test(each_failure_says_what_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
