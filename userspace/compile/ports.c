// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Orders on one address and port -> one entry for each (address, port, protocol), with its chain.
 * An order for both protocols stands in two entries; in a chain it comes after the orders for that protocol alone.
 */
#include "compile/private.h"

#include <errno.h>

#define TCP 6
#define UDP 17

struct port_order {
	struct kh_port_entry entry; /* without its reference */
	struct kh_link link;
	bool any_protocol;
};

static int compare_entry(const struct kh_port_entry *a, const struct kh_port_entry *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	if (a->address_high != b->address_high)
		return a->address_high < b->address_high ? -1 : 1;
	if (a->address_low != b->address_low)
		return a->address_low < b->address_low ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return (a->protocol > b->protocol) - (a->protocol < b->protocol);
}

/* By entry, then in the priority of a chain. */
static int compare(const void *a, const void *b)
{
	const struct port_order *order_a = a, *order_b = b;
	int r = compare_entry(&order_a->entry, &order_b->entry);

	if (!r)
		r = kh_link_compare_action(order_a->link, order_b->link);
	if (!r)
		r = order_a->any_protocol - order_b->any_protocol;
	return r ? r : kh_link_compare_deadline(order_a->link, order_b->link);
}

static struct port_order expand(const struct kh_compile_order *order, uint8_t protocol)
{
	return (struct port_order){
		.entry = { .address_high = (uint64_t)(order->range.first >> 64),
			   .address_low = (uint64_t)order->range.first,
			   .port = order->port,
			   .protocol = protocol,
			   .family = order->range.family },
		.link = kh_link_of(order),
		.any_protocol = !order->protocol,
	};
}

static int put_group(struct kh_ports *ports, struct kh_chains *chains, const struct kh_link *links, size_t count,
		     const struct kh_port_entry *entry)
{
	uint32_t reference;
	int r = kh_chains_intern(chains, links, count, &reference);

	if (r < 0)
		return r;
	r = kh_grow(&ports->entries, &ports->capacity, ports->count + 1, sizeof(*ports->entries));
	if (r < 0)
		return r;
	ports->entries[ports->count] = *entry;
	ports->entries[ports->count++].ref = reference;
	return 0;
}

static int put_all(struct kh_ports *ports, struct kh_chains *chains, const struct port_order *sorted, size_t count)
{
	struct kh_link *links KH_CLEANUP(kh_freep) = malloc(count * sizeof(*links));
	size_t end;
	int r = 0;

	if (!links)
		return -ENOMEM;
	for (size_t i = 0; i < count && r >= 0; i = end) {
		for (end = i; end < count && !compare_entry(&sorted[end].entry, &sorted[i].entry); end++)
			links[end] = sorted[end].link;
		r = put_group(ports, chains, links + i, end - i, &sorted[i].entry);
	}
	return r;
}

int kh_ports_build(struct kh_ports *ports, struct kh_chains *chains, const struct kh_compile_order *orders,
		   const uint32_t *indexes, size_t count)
{
	struct port_order *expanded KH_CLEANUP(kh_freep) = NULL;
	size_t expanded_count = 0;

	if (!count)
		return 0;
	expanded = malloc(2 * count * sizeof(*expanded));
	if (!expanded)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		const struct kh_compile_order *order = &orders[indexes[i]];

		if (order->protocol != UDP)
			expanded[expanded_count++] = expand(order, TCP);
		if (order->protocol != TCP)
			expanded[expanded_count++] = expand(order, UDP);
	}
	qsort(expanded, expanded_count, sizeof(*expanded), compare);
	return put_all(ports, chains, expanded, expanded_count);
}

void kh_ports_clear(struct kh_ports *ports)
{
	free(ports->entries);
	*ports = (struct kh_ports){};
}
