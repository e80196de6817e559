// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel -> ledger: counts of indicators, interfaces and reasons, and sightings. The ledger adds what is new since the last
 * time; so this may be called at any moment, and as often as anybody asks.
 */
#include "daemon/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/crash.h"
#include "common/lang.h"
#include "common/util.h"

struct batch {
	struct kh_core *core;
	struct kh_fold_record *records;
	size_t count, capacity;
	struct kh_error *error;
};

static int keep_folded(struct kh_core *core, uint32_t map, size_t count)
{
	if (core->folded_map != map) {
		free(core->folded);
		core->folded = NULL;
		core->folded_count = 0;
	}
	if (core->folded_count < count) {
		uint64_t *grown = realloc(core->folded, count * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		memset(grown + core->folded_count, 0xff, (count - core->folded_count) * sizeof(*grown));
		core->folded = grown;
		core->folded_count = count;
	}
	core->folded_map = map;
	return 0;
}

/* Only records that moved since the last time are handed on: a million cold ones cost one pass over memory. */
static int on_records(uint32_t map, const struct kh_record *records, size_t count, bool retired, void *context)
{
	struct batch *batch = context;
	struct kh_core *core = batch->core;
	int code = retired ? 0 : keep_folded(core, map, count);

	batch->count = 0;
	for (size_t slot = 1; slot < count && code >= 0; slot++) {
		struct kh_record raw = records[slot];

		if (!raw.packets || (!retired && core->folded[slot] == raw.packets))
			continue;
		code = kh_grow(&batch->records, &batch->capacity, batch->count + 1, sizeof(*batch->records));
		if (code < 0)
			break;
		batch->records[batch->count++] = (struct kh_fold_record){ .slot = (uint32_t)slot, .raw = raw };
	}
	if (code < 0)
		return kh_fail(batch->error, code, _("out of memory"));
	if (!batch->count)
		return 0;
	code = kh_ledger_fold_records(core->ledger, map, batch->records, batch->count, batch->error);
	if (code < 0)
		return code;
	for (size_t i = 0; i < batch->count && !retired; i++)
		core->folded[batch->records[i].slot] = batch->records[i].raw.packets;
	return 0;
}

static int fold_counters(struct kh_core *core, struct kh_error *error)
{
	struct kh_counter *raw KH_CLEANUP(kh_freep) = calloc(KH_COUNTERS, sizeof(*raw));
	struct kh_fold_counter *folds KH_CLEANUP(kh_freep) = calloc(KH_COUNTERS, sizeof(*folds));
	size_t count = 0;
	uint32_t map;
	int code;

	if (!raw || !folds)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	code = kh_kernel_counters(core->kernel, raw, &map);
	if (code < 0)
		return kh_fail(error, code, _("cannot read the counters: %s"), strerror(-code));
	for (uint32_t i = 0; i < KH_COUNTERS; i++) {
		uint32_t row = i / KH_REASON_ROWS;
		const char *name = kh_interface_name(core, (uint8_t)(row / KH_DIRECTIONS));

		if (!raw[i].packets || !name || i % KH_REASON_ROWS >= KH_REASON_COUNT)
			continue;
		folds[count++] = (struct kh_fold_counter){
			.interface = name, .direction = row % KH_DIRECTIONS, .reason = i % KH_REASON_ROWS, .raw = raw[i]
		};
	}
	return count ? kh_ledger_fold_counters(core->ledger, map, folds, count, error) : 0;
}

static int fold_sightings(struct kh_core *core, struct kh_sighting_entry *entries, size_t count, uint32_t map,
			  struct kh_error *error)
{
	struct kh_fold_sighting *folds KH_CLEANUP(kh_freep) = calloc(count ? count : 1, sizeof(*folds));
	size_t folded = 0;

	if (!folds)
		return kh_fail(error, -ENOMEM, _("out of memory"));
	for (size_t i = 0; i < count; i++) {
		const char *name = kh_interface_name(core, entries[i].key.interface);

		if (entries[i].value.packets)
			folds[folded++] = (struct kh_fold_sighting){ .key = entries[i].key,
								     .interface = name ? name : "",
								     .raw = entries[i].value };
	}
	return folded ? kh_ledger_fold_sightings(core->ledger, map, folds, folded, error) : 0;
}

/* Pairs that have been silent for long make room; their counts are in the ledger. */
static void forget_idle(struct kh_core *core, const struct kh_sighting_entry *entries, size_t count)
{
	int64_t now = kh_now();

	for (size_t i = 0; i < count; i++)
		if (entries[i].value.last_seen && now - (int64_t)entries[i].value.last_seen > KH_SIGHTING_IDLE_SECONDS)
			kh_kernel_forget_sighting(core->kernel, &entries[i].key);
}

int kh_collect(struct kh_core *core, struct kh_error *error)
{
	struct kh_sighting_entry *entries KH_CLEANUP(kh_freep) = NULL;
	struct batch batch = { .core = core, .error = error };
	size_t count = 0;
	uint32_t map = 0;
	int code = kh_kernel_sightings(core->kernel, &entries, &count, &map);

	if (code < 0)
		return kh_fail(error, code, _("cannot read the sightings: %s"), strerror(-code));
	code = kh_ledger_begin(core->ledger, error);
	if (code < 0)
		return code;
	KH_CRASH_POINT("collect.begun");
	code = kh_kernel_records(core->kernel, on_records, &batch);
	free(batch.records);
	if (code >= 0)
		code = fold_counters(core, error);
	if (code >= 0)
		code = fold_sightings(core, entries, count, map, error);
	KH_CRASH_POINT("collect.folded");
	if (code >= 0)
		code = kh_ledger_commit(core->ledger, error);
	KH_CRASH_POINT("collect.committed");
	if (code < 0) {
		kh_ledger_rollback(core->ledger);
		free(core->folded); /* what was handed over did not stay */
		core->folded = NULL;
		core->folded_count = 0;
		core->folded_map = 0;
		return code;
	}
	kh_kernel_drop_retired(core->kernel);
	forget_idle(core, entries, count);
	core->collected = kh_now();
	return 0;
}
