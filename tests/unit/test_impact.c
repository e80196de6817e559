// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which connections a change cuts: by either end of either way, by port, newly or not, and what a survey of many comes to.
 */
#include "daemon/flows.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "common/util.h"

#define NOW 1700000000u

static struct kh_range range_of(const char *text)
{
	struct kh_range range;

	if (kh_range_parse(text, strlen(text), &range) < 0)
		fail_msg("bad range in the test: %s", text);
	return range;
}

struct order {
	const char *range;
	uint16_t port;
	enum kh_action action;
	uint32_t deadline;
};

/* An image of these orders, with one hole or none. */
static struct kh_image *image_of(const struct order *orders, size_t count, const char *hole)
{
	struct kh_compile_order *compiled = calloc(count + 1, sizeof(*compiled));
	struct kh_range cut = hole ? range_of(hole) : (struct kh_range){};
	struct kh_image *image = NULL;
	struct kh_error error;

	assert_non_null(compiled);
	for (size_t i = 0; i < count; i++)
		compiled[i] = (struct kh_compile_order){ .range = range_of(orders[i].range),
							 .slot = (uint32_t)i + 1,
							 .deadline = orders[i].deadline,
							 .port = orders[i].port,
							 .protocol = orders[i].port ? IPPROTO_TCP : 0,
							 .action = (uint8_t)orders[i].action };
	if (kh_compile(compiled, count, &cut, hole != NULL, 1, &image, &error) < 0)
		fail_msg("compile: %s", error.text);
	free(compiled);
	return image;
}

static struct kh_image *drop(const char *range)
{
	const struct order order = { .range = range };

	return image_of(&order, 1, NULL);
}

/* Out of the office, or into it; behind 192.0.2.129 when `translated`. */
static struct kh_flow flow_of(const char *source, const char *destination, const char *translated, uint16_t port)
{
	struct kh_flow flow = { .bytes = 100, .seconds = 10 };

	flow.original = (struct kh_flow_tuple){ range_of(source), range_of(destination), 40000, port, IPPROTO_TCP };
	flow.reply = (struct kh_flow_tuple){ range_of(destination), range_of(translated ? translated : source), port,
					     40000, IPPROTO_TCP };
	return flow;
}

static bool is_cut(const struct kh_image *before, const struct kh_image *after, const struct kh_flow *flow,
		   struct kh_cut *ret_cut)
{
	const struct kh_images images = { .before = before, .after = after, .now = NOW };

	return kh_flow_is_cut(&images, flow, ret_cut);
}

static void assert_address(const struct kh_range *address, const char *text)
{
	char buffer[KH_RANGE_TEXT];

	assert_string_equal(kh_range_format(address, buffer), text);
}

static void a_call_out_names_the_machine_before_translation(void **state KH_UNUSED)
{
	struct kh_flow flow = flow_of("192.0.2.57", "203.0.113.7", "192.0.2.129", 443);
	struct kh_image *image = drop("203.0.113.0/24");
	struct kh_cut cut;

	assert_true(is_cut(NULL, image, &flow, &cut));
	assert_address(&cut.machine, "192.0.2.57");
	assert_address(&cut.remote, "203.0.113.7");
	assert_int_equal(cut.port, 443);
	assert_int_equal(cut.bytes, 100);
	flow = flow_of("192.0.2.57", "198.51.100.7", "192.0.2.129", 443);
	assert_false(is_cut(NULL, image, &flow, &cut));
	kh_image_free(image);
}

/* A forwarded port: the called address is the gateway's, the machine stands in the reply. */
static void a_call_in_names_the_machine_behind_translation(void **state KH_UNUSED)
{
	struct kh_flow flow = flow_of("203.0.113.7", "192.0.2.129", NULL, 8443);
	struct kh_image *image = drop("203.0.113.7");
	struct kh_cut cut;

	flow.reply.source = range_of("192.0.2.57");
	flow.reply.source_port = 443;
	assert_true(is_cut(NULL, image, &flow, &cut));
	assert_address(&cut.machine, "192.0.2.57");
	assert_address(&cut.remote, "203.0.113.7");
	assert_int_equal(cut.port, 8443);
	kh_image_free(image);
}

static void any_end_of_any_way_counts(void **state KH_UNUSED)
{
	static const char *const listed[] = { "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.4" };
	struct kh_flow flow = flow_of("203.0.113.1", "203.0.113.2", NULL, 80);
	struct kh_cut cut;

	flow.reply.source = range_of("203.0.113.3");
	flow.reply.destination = range_of("203.0.113.4");
	for (size_t i = 0; i < KH_ARRAY_SIZE(listed); i++) {
		struct kh_image *image = drop(listed[i]);

		assert_true(is_cut(NULL, image, &flow, &cut));
		assert_address(&cut.remote, listed[i]);
		kh_image_free(image);
	}
}

static void a_port_order_cuts_that_port_only(void **state KH_UNUSED)
{
	const struct order order = { .range = "203.0.113.7", .port = 443 };
	struct kh_image *image = image_of(&order, 1, NULL);
	struct kh_flow flow = flow_of("192.0.2.57", "203.0.113.7", NULL, 443);
	struct kh_cut cut;

	assert_true(is_cut(NULL, image, &flow, &cut));
	flow = flow_of("192.0.2.57", "203.0.113.7", NULL, 80);
	assert_false(is_cut(NULL, image, &flow, &cut));
	flow = flow_of("192.0.2.57", "203.0.113.7", NULL, 443);
	flow.original.protocol = flow.reply.protocol = IPPROTO_UDP;
	assert_false(is_cut(NULL, image, &flow, &cut));
	kh_image_free(image);
}

static void what_was_dropped_before_is_not_news(void **state KH_UNUSED)
{
	struct kh_image *before = drop("203.0.113.0/24"), *after;
	const struct order both[] = { { .range = "203.0.113.0/24" }, { .range = "198.51.100.0/24" } };
	struct kh_flow known = flow_of("192.0.2.57", "203.0.113.7", NULL, 443),
		       fresh = flow_of("192.0.2.57", "198.51.100.7", NULL, 443);
	struct kh_cut cut;

	after = image_of(both, 2, NULL);
	assert_false(is_cut(before, after, &known, &cut));
	assert_true(is_cut(before, after, &fresh, &cut));
	assert_false(is_cut(after, before, &fresh, &cut));
	kh_image_free(before);
	kh_image_free(after);
}

static void monitored_ended_and_cut_out_cut_nothing(void **state KH_UNUSED)
{
	const struct order monitored = { .range = "203.0.113.0/24", .action = KH_ACTION_MONITOR },
			   ended = { .range = "203.0.113.0/24", .deadline = NOW - 1 },
			   dropped = { .range = "203.0.113.0/24" };
	struct kh_image *images[] = { image_of(&monitored, 1, NULL), image_of(&ended, 1, NULL),
				      image_of(&dropped, 1, "203.0.113.7"), image_of(&dropped, 1, NULL) };
	struct kh_flow flow = flow_of("192.0.2.57", "203.0.113.7", NULL, 443);
	struct kh_cut cut;

	for (size_t i = 0; i < 3; i++) {
		assert_false(is_cut(NULL, images[i], &flow, &cut));
		assert_true(is_cut(images[i], images[3], &flow, &cut)); /* from there to drop it is cut */
	}
	for (size_t i = 0; i < KH_ARRAY_SIZE(images); i++)
		kh_image_free(images[i]);
}

static void a_survey_counts_and_lists_the_most_bytes_first(void **state KH_UNUSED)
{
	const struct kh_range management = range_of("192.0.2.64/29"), ordered = range_of("192.0.2.0/24");
	struct kh_image *image = drop("203.0.113.0/24");
	struct kh_survey survey = { .images = { .after = image, .now = NOW },
				    .management = &management,
				    .management_count = 1,
				    .spared = &ordered,
				    .spared_count = 1 };
	struct kh_flow flow;

	for (int round = 0; round < 2; round++) { /* the second time is as if the first had never been */
		assert_int_equal(kh_survey_add(NULL, &survey), 0);
		for (int64_t i = 0; i < 50; i++) {
			flow = flow_of(i % 2 ? "192.0.2.57" : "192.0.2.66", "203.0.113.7", "192.0.2.129", 443);
			flow.bytes = i ? (i * 7) % 50 : -1;
			assert_int_equal(kh_survey_add(&flow, &survey), 0);
		}
		flow = flow_of("192.0.2.66", "198.51.100.7", "192.0.2.129",
			       443); /* goes on, though its network is in an order */
		assert_int_equal(kh_survey_add(&flow, &survey), 0);
	}
	assert_int_equal(survey.tracked, 51);
	assert_int_equal(survey.flows, 50);
	assert_int_equal(survey.managed, 25);
	assert_int_equal(survey.saved, 1);
	assert_int_equal(kh_survey_machines(&survey), 2);
	assert_int_equal(survey.listed, KH_CUTS_LISTED);
	for (size_t i = 0; i < KH_CUTS_LISTED; i++)
		assert_int_equal(survey.list[i].bytes, 49 - (int64_t)i);
	kh_survey_clear(&survey);
	kh_image_free(image);
}

static void a_hundred_thousand_against_a_million(void **state KH_UNUSED)
{
	struct kh_compile_order *orders = calloc(1000000, sizeof(*orders));
	struct kh_image *image = NULL;
	struct kh_survey survey = {};
	struct timespec begin, end;
	struct kh_error error;

	assert_non_null(orders);
	for (uint32_t i = 0; i < 1000000; i++) { /* far apart, and every tenth connection below meets one */
		kh_u128 address = 0x10000000u + i * 1500u;

		orders[i] = (struct kh_compile_order){ .range = { address, address, 4 }, .slot = i + 1 };
	}
	if (kh_compile(orders, 1000000, NULL, 0, 1, &image, &error) < 0)
		fail_msg("compile: %s", error.text);
	free(orders);
	survey.images = (struct kh_images){ .after = image, .now = NOW };
	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (uint32_t i = 0; i < 100000; i++) {
		struct kh_flow flow = flow_of("192.0.2.57", "203.0.113.7", "192.0.2.129", 443);
		kh_u128 address = 0x10000000u + i * 15000u + (i % 10 != 0);

		flow.original.destination.first = flow.original.destination.last = address;
		flow.reply.source = flow.original.destination;
		assert_int_equal(kh_survey_add(&flow, &survey), 0);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_int_equal(survey.flows, 10000);
	print_message("100,000 connections against 1,000,000 addresses in %.0f ms, with the sanitizers\n",
		      (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6);
	kh_survey_clear(&survey);
	kh_image_free(image);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_out_names_the_machine_before_translation),
		cmocka_unit_test(a_call_in_names_the_machine_behind_translation),
		cmocka_unit_test(any_end_of_any_way_counts),
		cmocka_unit_test(a_port_order_cuts_that_port_only),
		cmocka_unit_test(what_was_dropped_before_is_not_news),
		cmocka_unit_test(monitored_ended_and_cut_out_cut_nothing),
		cmocka_unit_test(a_survey_counts_and_lists_the_most_bytes_first),
		cmocka_unit_test(a_hundred_thousand_against_a_million),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
