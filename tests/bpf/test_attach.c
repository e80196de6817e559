// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The programs on real devices: native XDP and tc on veth, tc on tun; what test runs cannot give them (a layer-3 device, frames too short for any IP
 * header), and the life of an attachment: found again after a restart, moved to a newer program, gone with its device, removed without a trace.
 * All of it twice: as this kernel does it, and as one without tcx (before 6.6) would.
 */
#include "lab.h"

#include <dirent.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "frames.h"
#include "kernel/private.h"
#include "reference.h"
#include "wire.h"

#define LISTED "203.0.113.7"
#define TEXT_OF(number) #number
#define TEXT(macro) TEXT_OF(macro)
#define FOLDER LAB_FOLDER "/v" TEXT(KH_ABI_VERSION)
#define LINKS FOLDER "/links"

/* The linker puts this between the module and libbpf: a kernel without tcx does not know the attach types. */
static bool without_tcx;
int __real_bpf_link_create(int program, int target, enum bpf_attach_type type,
			   const struct bpf_link_create_opts *options);
int __wrap_bpf_link_create(int program, int target, enum bpf_attach_type type,
			   const struct bpf_link_create_opts *options);

int __wrap_bpf_link_create(int program, int target, enum bpf_attach_type type,
			   const struct bpf_link_create_opts *options)
{
	if (without_tcx && type != BPF_XDP) {
		errno = EINVAL;
		return -EINVAL;
	}
	return __real_bpf_link_create(program, target, type, options);
}

static struct kh_compile_order orders[] = { { .slot = 1 }, { .slot = 2 } };
static const struct kh_naive_list list = { orders, 2, NULL, 0 };

static struct kh_attached attach(uint32_t ifindex, enum kh_mode_wanted wanted, bool egress, int expected)
{
	char name[16];
	struct kh_attach request = {
		.ifindex = ifindex, .name = name, .ethernet = true, .egress = egress, .wanted = wanted
	};
	struct kh_attached attached = {};
	struct kh_error error = {};
	int code;

	snprintf(name, sizeof(name), "khb%u", ifindex);
	code = kh_kernel_attach(lab_kernel(), &request, &attached, &error);
	if (code != expected)
		fail_msg("attaching to %s gives %d: %s", name, code, error.text);
	if (code < 0)
		assert_true(error.text[0]);
	return attached;
}

/* What the reasons of a device must be. */
struct wanted {
	uint64_t packets;
	struct kh_counter reasons[KH_REASON_ROWS];
};

static void want(struct wanted *wanted, const uint8_t *data, size_t length, uint16_t type)
{
	struct reference reference;
	struct judgement judgement;

	if (type)
		reference_read_bare(data, length, type, &reference);
	else
		reference_read(data, length, &reference);
	reference_judge(&reference, &list, true, 0, &judgement);
	wanted->packets++;
	wanted->reasons[judgement.reason].packets++;
	wanted->reasons[judgement.reason].bytes += reference.bytes;
}

static void expect_reasons(const struct wanted *wanted, uint32_t ifindex, enum kh_direction direction)
{
	struct kh_counter reasons[KH_REASON_ROWS];

	wire_await(ifindex, direction, wanted->packets, reasons);
	for (uint32_t i = 0; i < KH_REASON_COUNT; i++)
		if (memcmp(&reasons[i], &wanted->reasons[i], sizeof(reasons[i])))
			fail_msg("device %u, %s: %lu packets, %lu bytes, but expected %lu, %lu", ifindex,
				 lab_reason_name(i), (unsigned long)reasons[i].packets, (unsigned long)reasons[i].bytes,
				 (unsigned long)wanted->reasons[i].packets, (unsigned long)wanted->reasons[i].bytes);
}

static const char *const samples[] = {
	"4:192.0.2.57>" LISTED " tcp:1024>443",
	"4:192.0.2.57>198.18.0.1 udp:1024>443 pad=10",
	"6:2001:db8:1::57>2001:db8:bad::7 hop tcp:1024>443",
	"q pppoe 4:192.0.2.57>" LISTED " frag=9 proto=6 data=3",
	"type=0806 data=28",
};

/* Every length of each sample, as real frames. A tag that is not all there is refused by the kernel, before tc. */
static void send_samples(struct wanted *wanted, uint32_t out_of)
{
	static struct frame frame;

	for (size_t i = 0; i < KH_ARRAY_SIZE(samples); i++) {
		frame_build(samples[i], &frame);
		for (size_t length = samples[i][0] == 'q' ? 20 : 14; length <= frame.length; length++) {
			want(wanted, frame.data, length, 0);
			wire_send(out_of, frame.data, length);
		}
	}
}

static struct wanted at_lan, at_any, at_wan;

static void test_native(void **state)
{
	struct kh_attached attached = attach(LAB_LAN, KH_WANT_AUTO, false, 0);

	(void)state;
	assert_int_equal(attached.mode, KH_ATTACHED_NATIVE);
	assert_false(attached.egress);
	assert_string_equal(attached.notice, "");
	send_samples(&at_lan, WIRE_PEER(LAB_LAN));
	expect_reasons(&at_lan, LAB_LAN, KH_INGRESS);
}

static void test_tc(void **state)
{
	(void)state;
	assert_int_equal(attach(LAB_ANY, KH_WANT_TC, false, 0).mode, KH_ATTACHED_TC);
	send_samples(&at_any, WIRE_PEER(LAB_ANY));
	expect_reasons(&at_any, LAB_ANY, KH_INGRESS);
}

/* Out of the WAN: what is listed never reaches the wire, what is not does. */
static void test_egress(void **state)
{
	int listener KH_CLEANUP(kh_closep) = wire_listen(WIRE_PEER(LAB_WAN));
	struct kh_attached attached = attach(LAB_WAN, KH_WANT_NATIVE, true, 0);
	uint64_t passed;

	(void)state;
	assert_int_equal(attached.mode, KH_ATTACHED_NATIVE);
	assert_true(attached.egress);
	send_samples(&at_wan, LAB_WAN);
	expect_reasons(&at_wan, LAB_WAN, KH_EGRESS);
	passed = at_wan.packets - at_wan.reasons[KH_REASON_DROPPED].packets;
	assert_true(passed > 0 && passed < at_wan.packets);
	assert_int_equal(wire_heard(listener, passed), passed);
}

/* A device without an Ethernet header, in the place of LAB_WG in the interface table. */
static void test_tun(void **state)
{
	struct kh_interface table[] = { { .role = KH_ROLE_LAN, .number = lab_number(LAB_WG), .any_source = 1 } };
	struct kh_attach request = { .name = "khtun", .wanted = KH_WANT_AUTO };
	struct kh_sighting_key key = { .slot = 1, .interface = lab_number(LAB_WG) };
	int tun KH_CLEANUP(kh_closep) = wire_tun("khtun", &request.ifindex);
	static const uint8_t machine[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 57 };
	static struct lab_evidence evidence;
	struct kh_attached attached = {};
	struct wanted wanted = {};
	struct kh_error error = {};
	static struct frame frame;

	(void)state;
	if (tun < 0) {
		print_message("no tun device here\n");
		skip();
	}
	table[0].ifindex = request.ifindex;
	assert_int_equal(kh_kernel_set_interfaces(lab_kernel(), table, 1, &error), 0);
	if (kh_kernel_attach(lab_kernel(), &request, &attached, &error) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(attached.mode, KH_ATTACHED_TC);
	for (size_t i = 0; i < 3; i++) {
		char text[256];

		snprintf(text, sizeof(text), "raw %s", samples[i]);
		frame_build(text, &frame);
		for (size_t length = 1; length <= frame.length; length++) {
			uint16_t type = i == 2 ? 0x86dd : 0x0800;

			want(&wanted, frame.data, length, type);
			wire_send_tun(tun, type, frame.data, length);
		}
	}
	want(&wanted, frame.data, 28, 0x0806);
	wire_send_tun(tun, 0x0806, frame.data, 28);
	expect_reasons(&wanted, LAB_WG, KH_INGRESS);
	lab_read(&evidence);
	memcpy(key.address, machine, sizeof(machine));
	assert_non_null(lab_sighting(&evidence, &key));
	lab_evidence_clear(&evidence);
	assert_int_equal(kh_kernel_detach(lab_kernel(), request.ifindex, &error), 0);
	lab_teardown(NULL); /* the table as it was; the other tests attach again */
	lab_setup(NULL);
}

/* ---- The life of an attachment ---- */

struct seen {
	size_t count;
	uint32_t ifindex[8];
	struct kh_attached attached[8];
};

static void see(uint32_t ifindex, const struct kh_attached *attached, void *context)
{
	struct seen *seen = context;

	assert_true(seen->count < 8);
	seen->ifindex[seen->count] = ifindex;
	seen->attached[seen->count++] = *attached;
}

static size_t count_pins(void)
{
	DIR *folder = opendir(LINKS);
	size_t count = 0;

	if (!folder)
		return 0;
	for (struct dirent *entry; (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

static bool is_listed_dropped(uint32_t ifindex, struct wanted *wanted)
{
	uint64_t dropped = wanted->reasons[KH_REASON_DROPPED].packets;
	static struct frame frame;

	frame_build(samples[0], &frame);
	want(wanted, frame.data, frame.length, 0);
	wire_send(WIRE_PEER(ifindex), frame.data, frame.length);
	expect_reasons(wanted, ifindex, KH_INGRESS);
	return wanted->reasons[KH_REASON_DROPPED].packets == dropped + 1;
}

static void test_restart(void **state)
{
	struct wanted lan = {}, any = {};
	struct seen seen = {};

	(void)state;
	lab_install(lab_compile(orders, 2, NULL, 0));
	attach(LAB_LAN, KH_WANT_NATIVE, true, 0);
	attach(LAB_ANY, KH_WANT_TC, false, 0);
	assert_true(is_listed_dropped(LAB_LAN, &lan));
	lab_reopen();
	assert_true(is_listed_dropped(LAB_LAN, &lan)); /* and the counters go on: expect_reasons() adds up */
	assert_true(is_listed_dropped(LAB_ANY, &any));
	assert_int_equal(attach(LAB_LAN, KH_WANT_TC, true, 0).mode, KH_ATTACHED_NATIVE); /* left as it is */
	assert_int_equal(kh_kernel_attachments(lab_kernel(), see, &seen), 0);
	assert_int_equal(seen.count, 2);
	for (size_t i = 0; i < seen.count; i++) {
		assert_int_equal(seen.attached[i].mode,
				 seen.ifindex[i] == LAB_LAN ? KH_ATTACHED_NATIVE : KH_ATTACHED_TC);
		assert_int_equal(seen.attached[i].egress, seen.ifindex[i] == LAB_LAN);
	}
}

static int load_foreign(const char *name)
{
	static const struct bpf_insn pass[] = { { .code = 0xb7, .dst_reg = 0, .imm = 2 }, { .code = 0x95 } };
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_XDP);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, name, "GPL", pass, KH_ARRAY_SIZE(pass), &options);

	assert_true(fd >= 0);
	return fd;
}

static void test_another_holds_the_hook(void **state)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);
	int program KH_CLEANUP(kh_closep) = load_foreign("other_xdp");
	int link KH_CLEANUP(kh_closep) = bpf_link_create(program, LAB_UNKNOWN, BPF_XDP, &options);
	struct kh_attach request = {
		.ifindex = LAB_UNKNOWN, .name = "khb13", .ethernet = true, .wanted = KH_WANT_AUTO
	};
	struct kh_attached attached = { .mode = KH_ATTACHED_GENERIC };
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);
	struct kh_error error = {};
	size_t pins = count_pins();

	(void)state;
	assert_true(link >= 0);
	assert_int_equal(kh_kernel_attach(lab_kernel(), &request, &attached, &error), -EBUSY);
	assert_non_null(strstr(error.text, "other_xdp"));
	assert_true(error.hint[0]);
	assert_int_equal(attached.mode, KH_ATTACHED_GENERIC); /* unchanged */
	assert_int_equal(count_pins(), pins);
	assert_int_equal(bpf_obj_get_info_by_fd(link, &info, &length), 0);
	assert_int_equal(info.xdp.ifindex, LAB_UNKNOWN); /* the other is still there */
	/* tc is another hook: it can be had beside it. */
	request.wanted = KH_WANT_TC;
	assert_int_equal(kh_kernel_attach(lab_kernel(), &request, &attached, &error), 0);
	assert_int_equal(attached.mode, KH_ATTACHED_TC);
	assert_int_equal(kh_kernel_detach(lab_kernel(), LAB_UNKNOWN, &error), 0);
	assert_int_equal(count_pins(), pins);
}

/* A link with a program of an older build is moved to ours when the folder is opened. */
static void test_older_program(void **state)
{
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_DRV_MODE);
	int program KH_CLEANUP(kh_closep) = load_foreign("khien_xdp");
	int link KH_CLEANUP(kh_closep) = -1;
	struct wanted wan = {};
	struct kh_error error = {};

	(void)state;
	link = bpf_link_create(program, LAB_WAN, BPF_XDP, &options);
	assert_true(link >= 0);
	assert_int_equal(bpf_obj_pin(link, LINKS "/xdp-11"), 0);
	lab_reopen();
	assert_true(is_listed_dropped(LAB_WAN, &wan));
	assert_int_equal(kh_kernel_detach(lab_kernel(), LAB_WAN, &error), 0);
}

/* A filter whose program uses the control map of our folder, or not. */
static int load_filter(bool ours)
{
	int control KH_CLEANUP(kh_closep) = bpf_obj_get(FOLDER "/maps/control"), fd;
	const struct bpf_insn pass[] = {
		{ .code = 0x18, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = control },
		{},
		{ .code = 0xb7, .dst_reg = 0, .imm = -1 },
		{ .code = 0x95 },
	};
	size_t skip_map = ours ? 0 : 2;

	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "khien_tc_in", "GPL", pass + skip_map,
			   KH_ARRAY_SIZE(pass) - skip_map, NULL);
	assert_true(fd >= 0);
	return fd;
}

/* The same for a clsact filter, which has no link to update. */
static void test_older_filter(void **state)
{
	int program KH_CLEANUP(kh_closep) = load_filter(true);
	struct wanted wan = {};
	struct kh_error error = {};
	struct kh_counter before[KH_REASON_ROWS];

	(void)state;
	lab_read_reasons(LAB_WAN, KH_INGRESS, before);
	for (size_t i = 0; i < KH_REASON_COUNT; i++) {
		wan.reasons[i] = before[i];
		wan.packets += before[i].packets;
	}
	assert_int_equal(kh_filter_attach(LAB_WAN, BPF_TC_INGRESS, program), 0);
	lab_reopen();
	assert_true(is_listed_dropped(LAB_WAN, &wan));
	assert_int_equal(kh_kernel_detach(lab_kernel(), LAB_WAN, &error), 0);
}

static void test_device_goes(void **state)
{
	size_t pins = count_pins();

	(void)state;
	attach(LAB_COVERED, KH_WANT_AUTO, true, 0);
	assert_true(count_pins() > pins);
	assert_int_equal(system("ip link del khb12"), 0);
	lab_reopen();
	assert_int_equal(count_pins(), pins);
	assert_int_equal(system("ip link add khb12 index 12 type veth peer name khp12 index 512"), 0);
	/* It comes back under the same index, with the folder open. */
	assert_int_equal(attach(LAB_COVERED, KH_WANT_AUTO, true, 0).mode, KH_ATTACHED_NATIVE);
	assert_int_equal(system("ip link del khb12; ip link add khb12 index 12 type veth peer name khp12 index 512"),
			 0);
	assert_int_equal(attach(LAB_COVERED, KH_WANT_AUTO, false, 0).mode, KH_ATTACHED_NATIVE);
}

/* What is detached is off when the call returns: the hook is free for others, and for us in another mode. */
static void test_detach(void **state)
{
	struct kh_error error = {};
	struct seen seen = {};

	(void)state;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(attach(LAB_WAN, i % 2 ? KH_WANT_NATIVE : KH_WANT_GENERIC, true, 0).mode,
				 i % 2 ? KH_ATTACHED_NATIVE : KH_ATTACHED_GENERIC);
		assert_int_equal(kh_kernel_detach(lab_kernel(), LAB_WAN, &error), 0);
	}
	assert_int_equal(kh_kernel_attachments(lab_kernel(), see, &seen), 0);
	for (size_t i = 0; i < seen.count; i++)
		assert_int_not_equal(seen.ifindex[i], LAB_WAN);
}

struct removed {
	size_t links, filters, maps;
};

static void note_removed(const char *what, void *context)
{
	struct removed *removed = context;

	removed->links += strstr(what, "links/") != NULL;
	removed->filters += !strncmp(what, "tc-", 3);
	removed->maps += strstr(what, "maps/") != NULL;
}

static bool has_any_filter(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, options, .handle = 0x4b48, .priority = 0x4b48);

	return !bpf_tc_query(&hook, &options);
}

static void test_remove(void **state)
{
	int listener KH_CLEANUP(kh_closep) = wire_listen(LAB_LAN), other KH_CLEANUP(kh_closep) = load_filter(false);
	struct removed removed = {};
	struct kh_error error = {};
	static struct frame frame;
	size_t pins = count_pins();

	(void)state;
	frame_build(samples[0], &frame);
	assert_int_equal(kh_filter_attach(LAB_WG, BPF_TC_INGRESS, other), 0); /* of another folder */
	assert_int_equal(kh_kernel_remove(LAB_FOLDER, note_removed, &removed, &error), 0);
	assert_int_equal(removed.links, pins);
	assert_int_equal(removed.links + removed.filters, 4); /* both ways of the LAN, and two devices more */
	if (without_tcx)
		assert_int_equal(removed.filters, 2);
	assert_true(removed.maps >= 7);
	assert_int_equal(access(LAB_FOLDER, F_OK), -1);
	assert_true(has_any_filter(LAB_WG));
	assert_false(has_any_filter(LAB_ANY));
	wire_send(WIRE_PEER(LAB_LAN), frame.data, frame.length); /* nobody stops it now */
	assert_int_equal(wire_heard(listener, 1), 1);
	assert_int_equal(kh_kernel_remove(LAB_FOLDER, note_removed, &removed, &error), 0); /* twice does no harm */
	assert_int_equal(removed.links, pins);
}

static int setup(void **state)
{
	int code = lab_setup(state);

	memset(&at_lan, 0, sizeof(at_lan));
	memset(&at_any, 0, sizeof(at_any));
	memset(&at_wan, 0, sizeof(at_wan));
	orders[0].range = lab_range(LISTED);
	orders[1].range = lab_range("2001:db8:bad::7");
	lab_install(lab_compile(orders, 2, NULL, 0));
	wire_up();
	return code;
}

static int setup_without_tcx(void **state)
{
	without_tcx = true;
	return setup(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_native),	      cmocka_unit_test(test_tc),
		cmocka_unit_test(test_egress),	      cmocka_unit_test(test_tun),
		cmocka_unit_test(test_restart),	      cmocka_unit_test(test_another_holds_the_hook),
		cmocka_unit_test(test_older_program), cmocka_unit_test(test_older_filter),
		cmocka_unit_test(test_device_goes),   cmocka_unit_test(test_detach),
		cmocka_unit_test(test_remove),
	};
	int code = lab_enter();

	if (code)
		return code;
	code = cmocka_run_group_tests_name("as this kernel does", tests, setup, lab_teardown);
	return code + cmocka_run_group_tests_name("without tcx", tests, setup_without_tcx, lab_teardown);
}
