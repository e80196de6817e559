/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that must not be blocked, or only by a person: each exact, or with all below it. Sorted, searched label by label upwards.
 */
#include "guard/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/util.h"

void kh_hosts_clear(struct kh_hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		free(hosts->list[i].name);
	free(hosts->list);
	*hosts = (struct kh_hosts){ 0 };
}

int kh_hosts_add(struct kh_hosts *hosts, const struct kh_indicator *name, enum kh_decision_reason reason, size_t text)
{
	struct kh_host host = { .name = strdup(name->text),
				.below = name->subdomains,
				.reason = reason,
				.text = text,
				.order = hosts->count };

	if (!host.name || kh_grow(&hosts->list, &hosts->capacity, hosts->count + 1, sizeof(*hosts->list)) < 0) {
		free(host.name);
		return -ENOMEM;
	}
	hosts->list[hosts->count++] = host;
	return 0;
}

void kh_hosts_cut(struct kh_hosts *hosts, size_t count)
{
	while (hosts->count > count)
		free(hosts->list[--hosts->count].name);
}

/* By name; of equals first what refuses, then what came first. */
static int compare(const void *a, const void *b)
{
	const struct kh_host *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (!order)
		order = (x->reason == KH_WHY_SHARED) - (y->reason == KH_WHY_SHARED);
	return order ? order : x->order < y->order ? -1 : 1;
}

void kh_hosts_index(struct kh_hosts *hosts)
{
	if (hosts->count)
		qsort(hosts->list, hosts->count, sizeof(*hosts->list), compare);
}

/* The first of its name; NULL: there is none. */
static const struct kh_host *find(const struct kh_hosts *hosts, const char *name, bool below)
{
	size_t low = 0, high = hosts->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(hosts->list[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < hosts->count && !strcmp(hosts->list[low].name, name); low++)
		if (hosts->list[low].below || !below)
			return &hosts->list[low];
	return NULL;
}

const struct kh_host *kh_hosts_find(const struct kh_hosts *hosts, const char *name)
{
	const struct kh_host *host = find(hosts, name, false);

	for (const char *parent = strchr(name, '.'); parent && !host; parent = strchr(parent + 1, '.'))
		host = find(hosts, parent + 1, true);
	return host;
}
