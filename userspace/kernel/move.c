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
	int old_program; /* held: the last to use it may have been this link */
	uint32_t ifindex;
	enum bpf_tc_attach_point point;
	char hook[32]; /* of the link */
	bool pinned; /* the pin in our folder was made by this move */
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
	    !memcmp(old->tag, fresh.tag, sizeof(old->tag)) && kh_program_uses(old->id, kh_map_id(kernel->control_map)))
		return NULL;
	return program;
}

/* Before anything changes, so that there is a way back. */
static int hold_old(uint32_t program, struct moves *moves, struct move **ret_move)
{
	struct move *move = &moves->list[moves->count];

	*move = (struct move){ .link = -1, .old_program = bpf_prog_get_fd_by_id(program) };
	if (move->old_program < 0)
		return -errno;
	moves->count++;
	*ret_move = move;
	return 0;
}

static int pin_here(const struct kh_kernel *kernel, struct move *move)
{
	char path[PATH_MAX + 64];

	kh_pin_path(kernel, move->hook, move->ifindex, path);
	if (!bpf_obj_pin(move->link, path))
		move->pinned = true;
	else if (errno != EEXIST)
		return -errno;
	return 0;
}

static int move_link(struct kh_kernel *kernel, const struct kh_kernel *from, const char *hook, uint32_t ifindex,
		     struct moves *moves)
{
	struct bpf_link_info info;
	struct bpf_prog_info old;
	struct bpf_program *program;
	struct move *move;
	int fd KH_CLEANUP(kh_closep) = kh_link_open(from, hook, ifindex, &info), code;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	code = kh_program_info(info.prog_id, &old);
	if (code < 0)
		return code;
	program = newer(kernel, hook, &old);
	if (!program && from == kernel)
		return 0;
	code = hold_old(info.prog_id, moves, &move);
	if (code < 0)
		return code;
	if (program && bpf_link_update(fd, bpf_program__fd(program), NULL) < 0) {
		code = -errno;
		moves->count--;
		close(move->old_program);
		return code;
	}
	KH_CRASH_POINT("move.link");
	move->link = KH_TAKE_FD(fd);
	move->ifindex = ifindex;
	snprintf(move->hook, sizeof(move->hook), "%s", hook);
	return from == kernel ? 0 : pin_here(kernel, move);
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

static int move_links(struct kh_kernel *kernel, const struct kh_kernel *from, struct moves *moves)
{
	char path[PATH_MAX + 16];
	struct dirent *entry;
	int code = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/links", from->folder);
	folder = opendir(path);
	if (!folder)
		return errno == ENOENT ? 0 : -errno;
	while (code >= 0 && moves->count < MOVES_MAX && (entry = readdir(folder))) {
		uint32_t ifindex;
		char hook[32];
		size_t length = split_pin(entry->d_name, &ifindex);

		if (!length || length >= sizeof(hook))
			continue;
		memcpy(hook, entry->d_name, length);
		hook[length] = '\0';
		code = move_link(kernel, from, hook, ifindex, moves);
	}
	closedir(folder);
	return code;
}

static int move_filter(struct kh_kernel *kernel, uint32_t control, uint32_t ifindex,
		       const struct kh_filter_point *point, struct moves *moves)
{
	struct bpf_prog_info old;
	struct bpf_program *program;
	struct move *move;
	int code;

	if (!kh_filter_get(control, ifindex, point->point, &old))
		return 0;
	program = newer(kernel, point->hook, &old);
	if (!program)
		return 0;
	code = hold_old(old.id, moves, &move);
	if (code < 0)
		return code;
	move->ifindex = ifindex;
	move->point = point->point;
	return kh_filter_attach(ifindex, point->point, bpf_program__fd(program));
}

static int move_filters(struct kh_kernel *kernel, const struct kh_kernel *from, struct moves *moves)
{
	struct if_nameindex *names = if_nameindex();
	uint32_t control = kh_map_id(from->control_map);
	int code = names ? 0 : -errno;

	for (struct if_nameindex *at = names; code >= 0 && at && at->if_index; at++)
		for (size_t i = 0; i < KH_FILTER_POINTS && code >= 0 && moves->count < MOVES_MAX; i++)
			code = move_filter(kernel, control, at->if_index, &kh_filter_points[i], moves);
	if_freenameindex(names);
	return code;
}

/* Chains last, as a new member can only be put beside the old one: both judge alike, the first drops and counts. Then all old ones leave. */
static int move_chains(struct kh_kernel *kernel, const struct kh_kernel *from)
{
	struct if_nameindex *names = if_nameindex();
	uint32_t control = kh_map_id(from->control_map), joined[MOVES_MAX], old[MOVES_MAX], ifindexes[MOVES_MAX];
	size_t count = 0;
	int code = names ? 0 : -errno;

	for (struct if_nameindex *at = names; code >= 0 && at && at->if_index && count < MOVES_MAX; at++) {
		struct bpf_prog_info info;

		old[count] = kh_chain_member(control, at->if_index);
		if (!old[count])
			continue;
		code = kh_program_info(old[count], &info);
		if (code < 0 || !newer(kernel, "xdp", &info))
			continue;
		ifindexes[count] = at->if_index;
		code = kh_chain_join(kernel, at->if_index, &joined[count]);
		count += code >= 0;
	}
	if_freenameindex(names);
	for (size_t i = 0; i < count; i++)
		kh_chain_leave(ifindexes[i], code < 0 ? joined[i] : old[i]);
	return code;
}

static void move_back(const struct kh_kernel *kernel, const struct move *move)
{
	char path[PATH_MAX + 64];

	if (move->link < 0) {
		kh_filter_attach(move->ifindex, move->point, move->old_program);
		return;
	}
	bpf_link_update(move->link, move->old_program, NULL);
	kh_pin_path(kernel, move->hook, move->ifindex, path);
	if (move->pinned)
		unlink(path);
}

int kh_attached_move(struct kh_kernel *kernel, const struct kh_kernel *from, struct kh_error *error)
{
	struct moves *moves KH_CLEANUP(kh_freep) = calloc(1, sizeof(*moves));
	int code;

	if (!moves)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	code = move_links(kernel, from, moves);
	if (code >= 0)
		code = move_filters(kernel, from, moves);
	if (code >= 0)
		code = move_chains(kernel, from);
	KH_CRASH_POINT("move.made");
	for (size_t i = 0; i < moves->count; i++) {
		if (code < 0)
			move_back(kernel, &moves->list[i]);
		kh_closep(&moves->list[i].link);
		kh_closep(&moves->list[i].old_program);
	}
	if (code >= 0)
		return 0;
	kh_fail(error, code, _("cannot move the attached programs to this version: %s"), strerror(-code));
	kh_hint(error,
		_("those of the version before go on filtering; start that version, or: khiend --detach, and start again"));
	return code;
}
