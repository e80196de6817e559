// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Adoption: what is attached with the program of another build is moved over to ours, in place, so that no packet goes unjudged. All of it
 * or nothing: when one refuses, those already moved go back.
 */
#include "kernel/private.h"

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "common/crash.h"
#include "common/lang.h"
#include "common/text.h"
#include "common/util.h"

#define MOVES_MAX (8 * KH_INTERFACES_MAX)

struct move {
	int link; /* -1: a filter */
	uint32_t old_program;
	uint32_t ifindex;
	enum bpf_tc_attach_point point;
};

struct moves {
	size_t count;
	struct move list[MOVES_MAX];
};

/* The program that this build would have there; NULL: it is there already. */
static struct bpf_program *newer(struct kh_kernel *kernel, const char *hook, const struct bpf_prog_info *old)
{
	struct bpf_program *program = kh_program_of_hook(kernel, hook, !strstr(old->name, "_l3"));
	struct bpf_prog_info fresh = {};
	__u32 length = sizeof(fresh);

	if (!bpf_obj_get_info_by_fd(bpf_program__fd(program), &fresh, &length) &&
	    !memcmp(old->tag, fresh.tag, sizeof(old->tag)))
		return NULL;
	return program;
}

static int move_link(struct kh_kernel *kernel, const char *hook, uint32_t ifindex, struct moves *moves)
{
	struct bpf_link_info info;
	struct bpf_prog_info old;
	struct bpf_program *program;
	int fd KH_CLEANUP(kh_closep) = kh_link_open(kernel, hook, ifindex, &info), code;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	code = kh_program_info(info.prog_id, &old);
	if (code < 0)
		return code;
	program = newer(kernel, hook, &old);
	if (!program)
		return 0;
	if (bpf_link_update(fd, bpf_program__fd(program), NULL) < 0)
		return -errno;
	KH_CRASH_POINT("move.link");
	moves->list[moves->count++] = (struct move){ .link = KH_TAKE_FD(fd), .old_program = info.prog_id };
	return 0;
}

/* Splits "tc-egress-7". The hook's length, or 0. */
static size_t split_pin(const char *name, uint32_t *ret_ifindex)
{
	const char *dash = strrchr(name, '-');
	int64_t number;

	if (!dash || kh_number_parse(dash + 1, 1, UINT32_MAX, &number) < 0)
		return 0;
	*ret_ifindex = (uint32_t)number;
	return (size_t)(dash - name);
}

static int move_links(struct kh_kernel *kernel, struct moves *moves)
{
	char path[PATH_MAX + 16];
	struct dirent *entry;
	int code = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/links", kernel->folder);
	folder = opendir(path);
	if (!folder)
		return -errno;
	while (code >= 0 && moves->count < MOVES_MAX && (entry = readdir(folder))) {
		uint32_t ifindex;
		char hook[32];
		size_t length = split_pin(entry->d_name, &ifindex);

		if (!length || length >= sizeof(hook))
			continue;
		memcpy(hook, entry->d_name, length);
		hook[length] = '\0';
		code = move_link(kernel, hook, ifindex, moves);
	}
	closedir(folder);
	return code;
}

static int move_filters(struct kh_kernel *kernel, struct moves *moves)
{
	struct if_nameindex *names = if_nameindex();
	uint32_t control = kh_map_id(kernel->control_map);
	int code = names ? 0 : -errno;

	for (struct if_nameindex *at = names; code >= 0 && at && at->if_index; at++) {
		for (size_t i = 0; i < KH_FILTER_POINTS && code >= 0 && moves->count < MOVES_MAX; i++) {
			const struct kh_filter_point *point = &kh_filter_points[i];
			struct bpf_prog_info old;
			struct bpf_program *program;

			if (!kh_filter_get(control, at->if_index, point->point, &old))
				continue;
			program = newer(kernel, point->hook, &old);
			if (!program)
				continue;
			code = kh_filter_attach(at->if_index, point->point, bpf_program__fd(program));
			if (code >= 0)
				moves->list[moves->count++] = (struct move){ -1, old.id, at->if_index, point->point };
		}
	}
	if_freenameindex(names);
	return code;
}

static void move_back(const struct move *move)
{
	int program KH_CLEANUP(kh_closep) = bpf_prog_get_fd_by_id(move->old_program);

	if (program < 0)
		return;
	if (move->link >= 0)
		bpf_link_update(move->link, program, NULL);
	else
		kh_filter_attach(move->ifindex, move->point, program);
}

int kh_attached_move(struct kh_kernel *kernel, struct kh_error *error)
{
	struct moves *moves KH_CLEANUP(kh_freep) = calloc(1, sizeof(*moves));
	int code;

	if (!moves)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	code = move_links(kernel, moves);
	if (code >= 0)
		code = move_filters(kernel, moves);
	KH_CRASH_POINT("move.made");
	for (size_t i = 0; i < moves->count; i++) {
		if (code < 0)
			move_back(&moves->list[i]);
		kh_closep(&moves->list[i].link);
	}
	return code < 0 ? kh_fail(error, code, _("cannot move the attached programs to this version: %s"),
				  strerror(-code))
			: 0;
}
