// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ledger -> compile -> kernel: the one path by which anything becomes enforced, at boot, for a feed and for one emergency
 * address alike. Order matters: the generation is prepared (everything that can fail), then the ledger commits (durable), then
 * one store switches (cannot fail). So after a crash ledger and kernel are both before, or both after.
 */
#include "daemon/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/crash.h"
#include "common/file.h"
#include "common/lang.h"
#include "common/util.h"
#include "daemon/log.h"
#include "daemon/trust.h"

#define FACT_GENERATION "generation"
#define FACT_GENERATION_SINCE "generation-since"
#define KEEP_QUIET_SECONDS 2 /* of generations one after the other only the last is kept on disk */
#define KEEP_LATEST_SECONDS 60

struct gather {
	struct kh_compile_order *orders;
	size_t count, capacity;
	struct kh_compile_list *lists;
	size_t lists_count, lists_capacity;
	uint32_t *fresh;
	size_t fresh_count, fresh_capacity;
	struct kh_range *holes;
	size_t holes_count, holes_capacity;
};

/* The holes of the generation that is about to serve stay known: what they cut out need not be proven. */
static void keep_holes(struct kh_core *core, struct gather *gather)
{
	free(core->holes);
	core->holes = KH_TAKE(gather->holes);
	core->holes_count = gather->holes_count;
}

static void gather_clear(struct gather *gather)
{
	free(gather->orders);
	free(gather->lists);
	free(gather->fresh);
	free(gather->holes);
}

static int on_force(const struct kh_force *force, void *context)
{
	struct gather *gather = context;
	int code = kh_grow(&gather->orders, &gather->capacity, gather->count + 1, sizeof(*gather->orders));

	if (code < 0)
		return code;
	gather->orders[gather->count++] = (struct kh_compile_order){
		.range = force->indicator.range,
		.slot = force->slot,
		.deadline = force->deadline > UINT32_MAX ? UINT32_MAX : (uint32_t)force->deadline,
		.port = force->indicator.type == KH_TYPE_ADDRESS_PORT ? force->indicator.port : 0,
		.protocol = force->indicator.protocol,
		.action = (uint8_t)force->action,
	};
	if (!force->fresh)
		return 0;
	code = kh_grow(&gather->fresh, &gather->fresh_capacity, gather->fresh_count + 1, sizeof(*gather->fresh));
	if (code < 0)
		return code;
	gather->fresh[gather->fresh_count++] = force->slot;
	return 0;
}

static int on_list(const struct kh_force_list *list, void *context)
{
	struct gather *gather = context;
	size_t count = list->fresh ? kh_bulk_count(list->values) : 0;
	int code = kh_grow(&gather->lists, &gather->lists_capacity, gather->lists_count + 1, sizeof(*gather->lists));

	if (code >= 0)
		code = kh_grow(&gather->fresh, &gather->fresh_capacity, gather->fresh_count + count,
			       sizeof(*gather->fresh));
	if (code < 0)
		return code;
	gather->lists[gather->lists_count++] = (struct kh_compile_list){
		.values = list->values,
		.left_out = list->left_out,
		.first_slot = list->first_slot,
		.deadline = list->deadline > UINT32_MAX ? UINT32_MAX : (uint32_t)list->deadline,
		.action = (uint8_t)list->action,
	};
	for (size_t i = 0; i < count; i++)
		gather->fresh[gather->fresh_count++] = list->first_slot + (uint32_t)i;
	return 0;
}

static int add_hole(struct gather *gather, const struct kh_range *range)
{
	int code = kh_grow(&gather->holes, &gather->holes_capacity, gather->holes_count + 1, sizeof(*gather->holes));

	if (code < 0)
		return code;
	gather->holes[gather->holes_count++] = *range;
	return 0;
}

static int on_allow(const struct kh_allow_row *row, void *context)
{
	return add_hole(context, &row->range);
}

static int gather_all(struct kh_core *core, struct gather *gather, struct kh_error *error)
{
	const struct kh_range *holes;
	size_t count;
	int code = kh_ledger_force(core->ledger, kh_now(), KH_SLOT_GRACE_SECONDS, on_force, on_list, gather, error);

	if (code < 0)
		return code;
	kh_guard_holes(core->guard, &holes, &count);
	for (size_t i = 0; i < count; i++)
		if (add_hole(gather, &holes[i]) < 0)
			return kh_fail(error, -ENOMEM, _("out of memory"));
	code = kh_ledger_allows(core->ledger, true, on_allow, gather);
	return code < 0 ? kh_fail(error, code, _("cannot read the ledger: %s"), strerror(-code)) : 0;
}

/* Do both images judge alike? Generation number and checksum stand before everything else. */
static bool same_image(const struct kh_image *a, const struct kh_image *b)
{
	const size_t skip = offsetof(struct kh_image_header, hash_seed);

	return a && b && a->pages == b->pages &&
	       !memcmp((const char *)a->data + skip, (const char *)b->data + skip, a->pages * KH_PAGE_SIZE - skip);
}

static void image_path(const struct kh_core *core, char ret_path[static PATH_MAX])
{
	snprintf(ret_path, PATH_MAX, "%s/generation.image", core->state);
}

void kh_keep_image(struct kh_core *core, bool now)
{
	char path[PATH_MAX];
	int64_t quiet = kh_now() - core->generation_since, waits = kh_now() - core->image_unkept;
	int code;

	if (!core->image_unkept || (!now && quiet >= 0 && quiet < KEEP_QUIET_SECONDS && waits < KEEP_LATEST_SECONDS))
		return;
	core->image_unkept = 0;
	KH_CRASH_POINT("image.to-be-kept");
	image_path(core, path);
	code = kh_file_write(path, core->image->data, core->image->pages * KH_PAGE_SIZE, 0600);
	if (code < 0)
		kh_log(LOG_WARNING, "event=image-not-kept path=%s error=\"%s\"", path, strerror(-code));
}

static int prepare(struct kh_core *core, const struct gather *gather, const struct kh_image *image,
		   struct kh_install **ret_install, struct kh_error *error)
{
	int64_t now = kh_now();
	int code = kh_kernel_prepare(core->kernel, image->data, image->pages, gather->fresh, gather->fresh_count,
				     ret_install, error);

	if (code < 0)
		return code;
	code = kh_ledger_fact_put(core->ledger, FACT_GENERATION, (int64_t)kh_image_header(image)->generation, error);
	if (code >= 0)
		code = kh_ledger_fact_put(core->ledger, FACT_GENERATION_SINCE, now, error);
	return code < 0 ? code : 0;
}

/* What the ledger orders now, compiled; spare may be NULL. */
static int compile(struct kh_core *core, struct gather *gather, struct kh_image **spare, struct kh_image **ret_image,
		   struct kh_error *error)
{
	struct kh_compile_input input = { .spare = spare };
	int64_t generation = 0;
	int code = gather_all(core, gather, error);

	if (code < 0) /* a callback's error comes without a sentence */
		return code == -ENOMEM ? kh_fail(error, code, _("out of memory")) : code;
	kh_ledger_fact_get(core->ledger, FACT_GENERATION, &generation);
	input.orders = gather->orders;
	input.orders_count = gather->count;
	input.lists = gather->lists;
	input.lists_count = gather->lists_count;
	input.holes = gather->holes;
	input.holes_count = gather->holes_count;
	code = kh_compile_all(&input, (uint64_t)generation + 1, ret_image, error);
	return code == -ENOMEM ? kh_fail(error, code, _("out of memory")) : code;
}

int kh_foresee_image(struct kh_core *core, struct kh_image **ret_image, struct kh_error *error)
{
	struct gather gather = {};
	int code = compile(core, &gather, NULL, ret_image, error);

	gather_clear(&gather);
	return code;
}

int kh_apply(struct kh_core *core, struct kh_error *error)
{
	struct gather gather = {};
	struct kh_image *image = NULL;
	struct kh_install *install = NULL;
	int64_t change = kh_ledger_change_running(core->ledger);
	int code;

	code = kh_trust_check(core, error);
	if (code < 0) {
		kh_ledger_rollback(core->ledger);
		return code;
	}
	KH_CRASH_POINT("apply.begun");
	kh_cut_pending(core); /* of the change before: the image before that one is about to go */
	if (core->image) /* most changes change a list little */
		kh_kernel_foresee(core->kernel, core->image->pages);
	code = compile(core, &gather, &core->spare, &image, error);
	KH_CRASH_POINT("apply.compiled");
	if (code >= 0 && same_image(image, core->image)) {
		kh_kernel_foresee(core->kernel, 0);
		kh_image_free(KH_TAKE(image));
		keep_holes(core, &gather);
		code = kh_commit(core, error);
		KH_CRASH_POINT("apply.unchanged");
		gather_clear(&gather);
		kh_cut_order(core, change, false);
		return code;
	}
	if (code >= 0)
		code = prepare(core, &gather, image, &install, error);
	KH_CRASH_POINT("apply.prepared");
	if (code >= 0)
		code = kh_commit(core, error);
	KH_CRASH_POINT("apply.committed");
	if (code < 0) {
		gather_clear(&gather);
		kh_kernel_foresee(core->kernel, 0);
		kh_kernel_abandon(core->kernel, install);
		kh_ledger_rollback(core->ledger);
		kh_image_free(image);
		return code;
	}
	kh_kernel_switch(core->kernel, install);
	KH_CRASH_POINT("apply.switched");
	keep_holes(core, &gather);
	gather_clear(&gather);
	kh_image_free(core->spare);
	core->spare = core->image; /* its memory serves the next */
	core->image = image;
	kh_cut_order(core, change, true);
	if (!core->round.running) /* what changed is tried next */
		core->round.started = 0;
	core->generation_since = kh_now();
	if (!core->image_unkept)
		core->image_unkept = kh_now();
	kh_log(LOG_INFO, "event=generation number=%llu ipv4=%u ipv6=%u ports=%u",
	       (unsigned long long)kh_image_header(image)->generation, kh_image_header(image)->indicators_v4,
	       kh_image_header(image)->indicators_v6, kh_image_header(image)->indicators_ports);
	return 0;
}

/* The ledger commits before the list is switched, so it knows of every list that was ever in force: unless it is an older copy, or the end of its log is
 * lost, which SQLite takes for changes that were never made. */
static int compare_age(struct kh_core *core, struct kh_error *error)
{
	uint64_t in_force = kh_image_header(core->image)->generation;
	int64_t known = 0;

	kh_ledger_fact_get(core->ledger, FACT_GENERATION, &known);
	if ((uint64_t)known >= in_force)
		return 0;
	if (known) { /* else it was begun anew, as khiend --new-ledger tells */
		kh_log(LOG_ALERT, "event=ledger-older known=%lld in-force=%llu", (long long)known,
		       (unsigned long long)in_force);
		core->missed = in_force;
	}
	/* numbers never come twice */
	return kh_ledger_fact_put(core->ledger, FACT_GENERATION, (int64_t)in_force, error);
}

int kh_apply_now(struct kh_core *core, struct kh_error *error)
{
	int code = kh_ledger_begin(core->ledger, error);

	if (code < 0)
		return code;
	if (core->image && !core->generation_since) { /* adopted, before the ledger was open */
		kh_ledger_fact_get(core->ledger, FACT_GENERATION_SINCE, &core->generation_since);
		code = compare_age(core, error);
		if (code < 0) {
			kh_ledger_rollback(core->ledger);
			return code;
		}
	}
	return kh_apply(core, error);
}

/* Takes the image that the kernel already enforces as ours. */
static int adopt_image(struct kh_core *core, struct kh_error *error)
{
	struct kh_image *image = calloc(1, sizeof(*image));
	size_t length;
	int code;

	if (!image)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	code = kh_kernel_image(core->kernel, &image->data, &length);
	if (code < 0) {
		free(image);
		return kh_fail(error, code, _("cannot read the generation in force: %s"), strerror(-code));
	}
	image->pages = image->room = length / KH_PAGE_SIZE;
	core->image = image;
	return 0;
}

int kh_restore_image(struct kh_core *core, struct kh_error *error)
{
	struct kh_install *install = NULL;
	struct kh_image_header header;
	char path[PATH_MAX], *data KH_CLEANUP(kh_freep) = NULL;
	size_t length;
	int code;

	if (!kh_kernel_generation(core->kernel, &header))
		return adopt_image(core, error);
	image_path(core, path);
	code = kh_file_read(path, (size_t)KH_IMAGE_MAX_PAGES * KH_PAGE_SIZE, &data, &length);
	if (code < 0)
		return code == -ENOENT ? 0 : kh_fail(error, code, _("cannot read %s: %s"), path, strerror(-code));
	code = kh_image_check(data, length, error);
	if (code < 0)
		return code;
	code = kh_kernel_prepare(core->kernel, data, length / KH_PAGE_SIZE, NULL, 0, &install, error);
	if (code < 0)
		return code;
	KH_CRASH_POINT("restore.prepared");
	kh_kernel_switch(core->kernel, install);
	KH_CRASH_POINT("restore.switched");
	return adopt_image(core, error);
}
