// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sifting: of a bulk list, the guard looks closer only at the few values that it has something to say about. They come out
 * as findings; the rest stays packed.
 */
#include "guard/private.h"

#include <assert.h>

struct sift {
	const struct kh_guard *guard;
	enum kh_sift what;
	size_t next; /* of the ruled ranges; those before it end before the values still to come */
	int (*out)(const struct kh_finding *finding, void *context);
	void *context;
	int result;
};

/* Does a rule share an address with it? Asked in the order of the list, which is that of the ruled ranges. */
static bool is_ruled(struct sift *sift, const struct kh_range *range)
{
	const struct kh_guard *guard = sift->guard;

	while (sift->next < guard->ruled_count) {
		const struct kh_range *ruled = &guard->ruled[sift->next];

		if (ruled->family == range->family && ruled->last >= range->first)
			return ruled->first <= range->last;
		if (ruled->family > range->family)
			return false;
		sift->next++;
	}
	return false;
}

static bool is_whole_family(const struct kh_range *range)
{
	return range->first == 0 && range->last == kh_address_max(range->family);
}

static bool goes(struct sift *sift, const struct kh_range *range)
{
	if (sift->what == KH_SIFT_WIDE)
		return range->first != range->last;
	return is_ruled(sift, range) || kh_guard_too_wide(sift->guard, range) || is_whole_family(range);
}

static bool stays(const struct kh_range *range, uint32_t line, void *context)
{
	struct sift *sift = context;
	struct kh_finding finding;
	char raw[KH_RANGE_TEXT];

	if (sift->result < 0 || !goes(sift, range))
		return true;
	finding = (struct kh_finding){
		.indicator = kh_indicator_of_range(range),
		.proposed = KH_ENFORCE,
		.reason = KH_WHY_TABLE,
		.raw = kh_range_format(range, raw),
		.line = (int)line,
		.section = KH_SECTION_LIST,
	};
	sift->result = sift->out(&finding, sift->context);
	return sift->result < 0;
}

int kh_guard_sift(const struct kh_guard *guard, struct kh_bulk *bulk, enum kh_sift what,
		  int (*out)(const struct kh_finding *finding, void *context), void *context)
{
	struct sift sift = { .guard = guard, .what = what, .out = out, .context = context };

	assert(guard->sealed);
	kh_bulk_filter(bulk, stays, &sift);
	return sift.result < 0 ? sift.result : 0;
}
