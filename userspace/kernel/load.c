// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opens, verifies, adopts and removes: the folder of pins and the programs. Attaching is in attach.c, generations in
 * generation.c.
 */
#include "kernel/private.h"

#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "khien.skel.h"

#include "common/crash.h"
#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"

#define LEAST_MAJOR 6
#define LEAST_MINOR 1

static _Thread_local char last_words[512]; /* of libbpf and the verifier, for the error message */

static int keep_words(enum libbpf_print_level level, const char *format, va_list arguments)
{
	char line[sizeof(last_words)];

	if (level != LIBBPF_WARN)
		return 0;
		/* The format is libbpf's own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	vsnprintf(line, sizeof(line), format, arguments);
#pragma GCC diagnostic pop
	line[strcspn(line, "\n")] = '\0';
	if (line[0])
		memcpy(last_words, line, sizeof(last_words));
	return 0;
}

/* The least is what Debian 12 has, and what the tests run on. */
static int check_kernel(struct kh_error *error)
{
	struct utsname name;
	unsigned int major = 0, minor = 0;

	if (!uname(&name) && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	    (major < LEAST_MAJOR || (major == LEAST_MAJOR && minor < LEAST_MINOR))) {
		kh_fail(error, -EOPNOTSUPP, _("this kernel is too old: Linux %s, and it takes %d.%d or newer"),
			name.release, LEAST_MAJOR, LEAST_MINOR);
		kh_hint(error, _("use a Debian kernel of 6.1 or newer: apt-get install linux-image-amd64"));
		return -EOPNOTSUPP;
	}
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		return 0;
	kh_fail(error, -EOPNOTSUPP, _("this kernel has no BTF (/sys/kernel/btf/vmlinux is missing)"));
	kh_hint(error, _("use a Debian kernel of 6.1 or newer: apt-get install linux-image-amd64"));
	return -EOPNOTSUPP;
}

static int load_failed(int code, struct kh_error *error)
{
	if (code == -EPERM || code == -EACCES) {
		kh_fail(error, code, _("the kernel does not let us load BPF programs: %s"),
			last_words[0] ? last_words : strerror(-code));
		kh_hint(error, _("run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON"));
		return code;
	}
	kh_fail(error, code, _("the kernel refused the packet programs: %s"),
		last_words[0] ? last_words : strerror(-code));
	kh_hint(error, _("boot the last kernel that worked, and check with: khiend --check --load"));
	return code;
}

int kh_kernel_check(char *ret_report, size_t size, struct kh_error *error)
{
	struct khien_bpf *skeleton;
	struct bpf_program *program;
	FILE *report;
	int code = check_kernel(error);

	if (code < 0)
		return code;
	last_words[0] = '\0';
	libbpf_set_print(keep_words);
	skeleton = khien_bpf__open_and_load();
	if (!skeleton)
		return load_failed(-errno, error);
	report = fmemopen(ret_report, size, "w");
	if (!report) {
		khien_bpf__destroy(skeleton);
		return kh_fail(error, -ENOMEM, _("out of memory"));
	}
	bpf_object__for_each_program(program, skeleton->obj) {
		struct bpf_prog_info info = {};
		__u32 length = sizeof(info);

		if (!bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length))
			fprintf(report, "%s %u\n", bpf_program__name(program), info.verified_insns);
	}
	fclose(report);
	khien_bpf__destroy(skeleton);
	return 0;
}

static int check_bpffs(const char *folder, struct kh_error *error)
{
	struct statfs stat;

	if (statfs(folder, &stat) < 0)
		return kh_fail(error, -errno, _("%s: %s"), folder, strerror(errno));
	if (stat.f_type == BPF_FS_MAGIC)
		return 0;
	kh_fail(error, -ENOTSUP, _("%s is not on a BPF file system"), folder);
	kh_hint(error, _("mount one: mount -t bpf bpf /sys/fs/bpf"));
	return -ENOTSUP;
}

static int make_folders(struct kh_kernel *kernel, const char *folder, struct kh_error *error)
{
	static const char *const names[] = { "", "/maps", "/links" };
	int code = kh_make_folders(folder, 0700);

	if (code < 0)
		return kh_fail(error, code, _("cannot make %s: %s"), folder, strerror(-code));
	code = check_bpffs(folder, error);
	if (code < 0)
		return code;
	for (size_t i = 0; i < KH_ARRAY_SIZE(names); i++) {
		char path[PATH_MAX + 16];

		snprintf(path, sizeof(path), "%s%s", kernel->folder, names[i]);
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return kh_fail(error, -errno, _("cannot make %s: %s"), path, strerror(errno));
	}
	return 0;
}

int kh_maps_pin(struct bpf_object *object, const char *folder)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
	{
		char path[PATH_MAX + 64];
		int code;

		if (bpf_map__is_internal(map))
			continue;
		snprintf(path, sizeof(path), "%s/maps/%s", folder, bpf_map__name(map));
		code = bpf_map__set_pin_path(map, path);
		if (code < 0)
			return code;
	}
	return 0;
}

const void *kh_object_bytes(size_t *ret_size)
{
	return khien_bpf__elf_bytes(ret_size);
}

static int load_programs(struct kh_kernel *kernel, struct kh_error *error)
{
	char control[PATH_MAX + 16];
	int code;

	kernel->skeleton = khien_bpf__open();
	if (!kernel->skeleton)
		return load_failed(-errno, error);
	snprintf(control, sizeof(control), "%s/maps/control", kernel->folder);
	kernel->adopted = !access(control, F_OK);
	code = kh_maps_pin(kernel->skeleton->obj, kernel->folder);
	if (code >= 0)
		code = khien_bpf__load(kernel->skeleton);
	return code < 0 ? load_failed(code, error) : 0;
}

static int open_maps(struct kh_kernel *kernel, struct kh_error *error)
{
	struct khien_bpf *skeleton = kernel->skeleton;
	LIBBPF_OPTS(bpf_map_create_opts, image_options, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	void *mapped;

	kernel->bases = bpf_map__fd(skeleton->maps.bases);
	kernel->images = bpf_map__fd(skeleton->maps.images);
	kernel->records = bpf_map__fd(skeleton->maps.records);
	kernel->pending = bpf_map__fd(skeleton->maps.pending);
	kernel->flush_program = bpf_program__fd(skeleton->progs.khien_flush);
	kernel->control_map = bpf_map__fd(skeleton->maps.control);
	kernel->interfaces = bpf_map__fd(skeleton->maps.interfaces);
	kernel->counters = bpf_map__fd(skeleton->maps.counters);
	kernel->sightings = bpf_map__fd(skeleton->maps.sightings);
	kernel->events = bpf_map__fd(skeleton->maps.events);
	mapped = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE, MAP_SHARED, kernel->control_map, 0);
	if (mapped == MAP_FAILED)
		return kh_fail(error, -errno, _("cannot map the control page: %s"), strerror(errno));
	kernel->control = mapped;
	if (kernel->control->abi_version && kernel->control->abi_version != KH_ABI_VERSION)
		return kh_fail(error, -EPROTO, _("%s was made by another version (%u)"), kernel->folder,
			       kernel->control->abi_version);
	KH_CRASH_POINT("load.unmarked");
	kernel->control->abi_version = KH_ABI_VERSION;
	kernel->control->counts_version = KH_COUNTS_VERSION;
	kernel->images_template =
		bpf_map_create(BPF_MAP_TYPE_ARRAY, "kh_none", sizeof(__u32), KH_PAGE_SIZE, 1, &image_options);
	if (kernel->images_template < 0)
		return kh_fail(error, -errno, _("the kernel refused a map: %s"), strerror(errno));
	return 0;
}

int kh_kernel_open(const char *folder, struct kh_kernel **ret_kernel, struct kh_error *error)
{
	struct kh_kernel *kernel;
	int code = check_kernel(error);

	if (code < 0)
		return code;
	kernel = calloc(1, sizeof(*kernel));
	if (!kernel)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	kernel->images_template = -1;
	snprintf(kernel->folder, sizeof(kernel->folder), "%s/v%d", folder, KH_ABI_VERSION);
	last_words[0] = '\0';
	libbpf_set_print(keep_words);
	code = make_folders(kernel, folder, error);
	if (code >= 0)
		code = load_programs(kernel, error);
	KH_CRASH_POINT("load.pinned");
	if (code >= 0)
		code = open_maps(kernel, error);
	KH_CRASH_POINT("load.mapped");
	if (code >= 0)
		code = kh_generations_tidy(kernel, error);
	if (code >= 0)
		code = kh_attached_move(kernel, kernel, error);
	if (code >= 0)
		code = kh_others_open(kernel, folder, error);
	if (code < 0) {
		kh_kernel_close(kernel);
		return code;
	}
	*ret_kernel = kernel;
	return 0;
}

void kh_kernel_close(struct kh_kernel *kernel)
{
	if (!kernel)
		return;
	kh_kernel_settle(kernel);
	kh_foreseen_drop(kernel);
	kh_outer_finish(kernel->changes, kernel->changes_count);
	kh_records_forget(kernel);
	kh_others_close(kernel);
	ring_buffer__free(kernel->ring);
	kh_closep(&kernel->images_template);
	if (kernel->control)
		munmap(kernel->control, (size_t)sysconf(_SC_PAGESIZE));
	khien_bpf__destroy(kernel->skeleton);
	free(kernel);
}

bool kh_kernel_adopted(const struct kh_kernel *kernel)
{
	return kernel->adopted;
}

int kh_kernel_program_fd(struct kh_kernel *kernel, enum kh_probe_program program)
{
	switch (program) {
	case KH_PROBE_XDP:
		return bpf_program__fd(kernel->skeleton->progs.khien_xdp);
	case KH_PROBE_TC_INGRESS:
		return bpf_program__fd(kernel->skeleton->progs.khien_tc_in);
	case KH_PROBE_TC_EGRESS:
		break;
	}
	return bpf_program__fd(kernel->skeleton->progs.khien_tc_out);
}

struct bpf_program *kh_program_of_hook(const struct kh_kernel *kernel, const char *hook, bool ethernet)
{
	const struct khien_bpf *skeleton = kernel->skeleton;

	if (!strcmp(hook, "tc-ingress"))
		return ethernet ? skeleton->progs.khien_tc_in : skeleton->progs.khien_tc_in_l3;
	if (!strcmp(hook, "tc-egress"))
		return ethernet ? skeleton->progs.khien_tc_out : skeleton->progs.khien_tc_out_l3;
	return skeleton->progs.khien_xdp;
}

int kh_clock_program_fd(struct kh_kernel *kernel)
{
	return bpf_program__fd(kernel->skeleton->progs.khien_clock);
}

int kh_pins_remove(const char *path, bool detach, void (*callback)(const char *, void *), void *context)
{
	bool links = detach && strlen(path) > 6 && !strcmp(path + strlen(path) - 6, "/links");
	struct dirent *entry;
	DIR *folder = opendir(path);

	if (!folder)
		return -errno;
	while ((entry = readdir(folder))) {
		char name[PATH_MAX + 300];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (entry->d_type == DT_DIR)
			kh_pins_remove(name, detach, callback, context);
		else if (!(links ? kh_link_remove(name) : unlink(name)) && callback)
			callback(name, context);
	}
	closedir(folder);
	return rmdir(path) < 0 ? -errno : 0;
}

/* "v9" */
static int is_version(const struct dirent *entry)
{
	size_t digits = entry->d_name[0] == 'v' ? strspn(entry->d_name + 1, "0123456789") : 0;

	return digits && !entry->d_name[1 + digits];
}

int kh_version_remove(const char *path, void (*callback)(const char *what, void *context), void *context)
{
	int control KH_CLEANUP(kh_closep) = -1;
	char map[PATH_MAX + 16];

	snprintf(map, sizeof(map), "%s/maps/control", path);
	control = bpf_obj_get(map);
	if (control >= 0) {
		kh_filters_remove(kh_map_id(control), callback, context);
		kh_chains_remove(kh_map_id(control), callback, context);
	}
	return kh_pins_remove(path, true, callback, context);
}

int kh_kernel_remove(const char *folder, void (*callback)(const char *what, void *context), void *context,
		     struct kh_error *error)
{
	struct dirent **versions = NULL;
	int count = scandir(folder, &versions, is_version, alphasort), failed = 0;

	libbpf_set_print(keep_words);
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];
		int code;

		snprintf(path, sizeof(path), "%s/%s", folder, versions[i]->d_name);
		free(versions[i]);
		code = kh_version_remove(path, callback, context);
		if (code < 0 && code != -ENOENT)
			failed = kh_fail(error, code, _("cannot remove %s: %s"), path, strerror(-code));
	}
	free(versions);
	if (!failed)
		rmdir(folder);
	return failed;
}
