// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Live traffic: see flood.h.
 */
#include "flood.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "flood.skel.h"
#include "frames.h"

#define BATCH 64
#define BURST (BATCH * 4096) /* the kernel patches its text for each test run of XDP: few long ones */
#define FAR_END (LAB_LAN + 500)
#define DEVICE "khb10"
#define FAR_DEVICE "khp10"

static struct {
	struct flood_bpf *bpf;
	pthread_t thread;
	bool running;
	size_t classes;
	_Atomic bool stop;
	_Atomic int error;
} flood;

static void pin(unsigned int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	sched_setaffinity(0, sizeof(set), &set); /* with one processor alone they take turns */
}

static void *send_frames(void *unused)
{
	uint8_t frame[FLOOD_FRAME] = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = sizeof(frame), .repeat = BURST,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = BATCH);

	pin(1);
	while (!flood.stop && !flood.error)
		if (bpf_prog_test_run_opts(bpf_program__fd(flood.bpf->progs.flood_send), &options) < 0)
			flood.error = errno;
	return unused;
}

/* Each with the payload that makes it FLOOD_FRAME long. */
static void write_frames(const char *const *frames)
{
	static struct frame frame;

	for (size_t i = 0; i < flood.classes; i++) {
		char text[256];

		frame_build(frames[i], &frame);
		assert_in_range(frame.length, 1, FLOOD_FRAME - 1);
		snprintf(text, sizeof(text), "%s data=%zu", frames[i], FLOOD_FRAME - frame.length);
		frame_build(text, &frame);
		assert_int_equal(frame.length, FLOOD_FRAME);
		memcpy(flood.bpf->bss->flood_frames[i], frame.data, FLOOD_FRAME);
		flood.bpf->bss->flood_frames[i][FLOOD_FRAME - 1] = (uint8_t)i;
	}
	flood.bpf->bss->flood_classes = (uint32_t)flood.classes;
	flood.bpf->bss->flood_to = FAR_END;
}

void flood_open(const char *const *frames, size_t classes)
{
	struct kh_attach attach = { .ifindex = LAB_LAN, .name = DEVICE, .ethernet = true, .wanted = KH_WANT_NATIVE };
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = LAB_LAN, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options);
	struct kh_attached attached;
	struct kh_error error = {};

	/* Without IPv6 the devices send nothing of their own. */
	assert_int_equal(system("for d in " DEVICE " " FAR_DEVICE
				"; do echo 1 > /proc/sys/net/ipv6/conf/$d/disable_ipv6 && "
				"ip link set $d up || exit 1; done"),
			 0);
	assert_in_range(classes, 1, FLOOD_CLASSES_MAX);
	flood.classes = classes;
	flood.bpf = flood_bpf__open_and_load();
	assert_non_null(flood.bpf);
	write_frames(frames);
	options.prog_fd = bpf_program__fd(flood.bpf->progs.flood_seen);
	assert_int_equal(bpf_tc_hook_create(&hook), 0);
	assert_int_equal(bpf_tc_attach(&hook, &options), 0);
	if (kh_kernel_attach(lab_kernel(), &attach, &attached, &error) < 0)
		fail_msg("cannot attach: %s", error.text);
	assert_int_equal(attached.mode, KH_ATTACHED_NATIVE);
}

static void end_thread(void)
{
	flood.stop = true;
	if (flood.running)
		pthread_join(flood.thread, NULL);
	flood.running = false;
}

void flood_close(void)
{
	end_thread();
	flood_bpf__destroy(flood.bpf);
	flood.bpf = NULL;
}

void flood_start(void)
{
	struct flood_bpf__bss *bss = flood.bpf->bss;

	end_thread(); /* left by a test that failed */
	memset(bss->flood_sent, 0, sizeof(bss->flood_sent));
	memset(bss->flood_passed, 0, sizeof(bss->flood_passed));
	flood.stop = false;
	pin(0);
	assert_int_equal(pthread_create(&flood.thread, NULL, send_frames, NULL), 0);
	flood.running = true;
}

static uint64_t sent(void)
{
	volatile uint64_t *by_class = (volatile uint64_t *)flood.bpf->bss->flood_sent;
	uint64_t sum = 0;

	for (size_t i = 0; i < flood.classes; i++)
		sum += by_class[i];
	return sum;
}

static void check_error(void)
{
	if (flood.error)
		fail_msg("live frames: %s", strerror(flood.error));
}

void flood_wait(uint64_t packets)
{
	uint64_t from = sent();

	while (sent() - from < packets && !flood.error)
		sched_yield();
	check_error();
}

void flood_stop(void)
{
	end_thread();
	check_error();
}

static uint64_t device_counter(const char *name)
{
	unsigned long long value;
	char command[128];
	FILE *pipe;

	snprintf(command, sizeof(command), "ip -s -j link show dev " DEVICE " | jq '.[0].stats64.rx.%s'", name);
	pipe = popen(command, "re");
	assert_non_null(pipe);
	assert_int_equal(fscanf(pipe, "%llu", &value), 1);
	assert_int_equal(pclose(pipe), 0);
	return value;
}

void flood_read(struct flood_tally *ret_tally)
{
	const struct flood_bpf__bss *bss = flood.bpf->bss;

	for (size_t i = 0; i < FLOOD_CLASSES_MAX; i++) {
		ret_tally->sent[i] = bss->flood_sent[i];
		ret_tally->passed[i] = bss->flood_passed[i];
	}
	ret_tally->strange = bss->flood_strange;
	ret_tally->arrived = device_counter("packets");
	ret_tally->refused = device_counter("dropped");
}
