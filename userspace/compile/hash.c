// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The seed and the sizes of the image's hash tables. The packet program looks at KH_HASH_PROBES buckets and no further, so a
 * seed is tried until every key lies within them; when several have failed the tables double.
 *
 * The seeds depend on the keys and on nothing else: the same list gives the same image, so that a restart switches nothing, and a
 * list made to collide must collide under a seed that it changes.
 */
#include "compile/private.h"

#include <errno.h>

#define SEEDS_PER_SIZE 4
#define BUCKETS_MAX (1u << 24) /* 1 GiB: KH_SLOT_MAX orders on a port, for both protocols, fill it to the half */
#define BITS_MIN (KH_PAGE_SIZE * 8)
#define BITS_MAX (KH_BITS_BYTES * 8)
#define BITS_PER_KEY 32 /* 3 of 100 strangers find their bit set, at most; more where there are more than 16,384 keys */

static uint32_t power_of_two(uint64_t at_least, uint32_t low, uint32_t high)
{
	uint32_t power = low;

	while (power < at_least && power < high)
		power *= 2;
	return power;
}

/* Two thirds full at most. */
static int start_table(struct kh_table *table, size_t count, unsigned int per_bucket)
{
	table->count = count;
	table->per_bucket = per_bucket;
	if (!count)
		return 0;
	table->buckets = power_of_two(count * 3 / (2 * per_bucket), KH_LINES_PER_PAGE, BUCKETS_MAX);
	table->bits = power_of_two((uint64_t)count * BITS_PER_KEY, BITS_MIN, BITS_MAX);
	table->place = malloc(count * sizeof(*table->place));
	return table->place ? 0 : -ENOMEM;
}

/* One attempt at a table: the hash of each key, and who has each place (key + 1, 0: nobody). */
struct attempt {
	struct kh_table *table;
	uint32_t *hashes;
	uint32_t *owners;
};

static void attempt_clear(struct attempt *attempt)
{
	free(attempt->hashes);
	free(attempt->owners);
}

static int attempt_start(struct attempt *attempt, struct kh_table *table)
{
	attempt->table = table;
	attempt->hashes = malloc((table->count + 1) * sizeof(*attempt->hashes));
	attempt->owners = calloc((size_t)table->buckets * table->per_bucket + 1, sizeof(*attempt->owners));
	return attempt->hashes && attempt->owners ? 0 : -ENOMEM;
}

static uint32_t probes_of(const struct attempt *attempt, uint32_t owner, uint32_t bucket)
{
	return (bucket - attempt->hashes[owner - 1]) & (attempt->table->buckets - 1);
}

/* The place in a bucket that is free, or whose owner is nearest to its home. */
static uint32_t *richest(const struct attempt *attempt, uint32_t bucket)
{
	uint32_t *places = &attempt->owners[(size_t)bucket * attempt->table->per_bucket], *best = places;

	for (unsigned int i = 0; i < attempt->table->per_bucket; i++) {
		if (!places[i])
			return &places[i];
		if (probes_of(attempt, places[i], bucket) < probes_of(attempt, *best, bucket))
			best = &places[i];
	}
	return best;
}

/* Robin Hood: who is further from home takes the place, so that nobody ends up far. False: somebody does. */
static bool place_key(struct attempt *attempt, uint32_t key)
{
	uint32_t owner = key + 1, mask = attempt->table->buckets - 1, bucket = attempt->hashes[key] & mask;

	for (uint32_t probes = 0; probes < KH_HASH_PROBES; probes++, bucket = (bucket + 1) & mask) {
		uint32_t *place = richest(attempt, bucket), other = *place, other_probes;

		if (!other) {
			*place = owner;
			return true;
		}
		other_probes = probes_of(attempt, other, bucket);
		if (other_probes < probes) {
			*place = owner;
			owner = other;
			probes = other_probes;
		}
	}
	return false;
}

/* 1: every key has its place, 0: not. */
static int place_all(struct attempt *attempt)
{
	struct kh_table *table = attempt->table;

	for (uint32_t key = 0; key < table->count; key++)
		if (!place_key(attempt, key))
			return 0;
	for (size_t place = 0; place < (size_t)table->buckets * table->per_bucket; place++)
		if (attempt->owners[place])
			table->place[attempt->owners[place] - 1] = (uint32_t)place;
	return 1;
}

/* 1: all keys have their place under this seed, 0: not, or -ENOMEM. */
static int try_nets(struct kh_table *table, uint64_t seed, const struct kh_v6 *v6)
{
	struct attempt attempt KH_CLEANUP(attempt_clear) = {};
	int r = attempt_start(&attempt, table);

	if (r < 0)
		return r;
	for (size_t i = 0; i < v6->nets_count; i++)
		attempt.hashes[i] = kh_hash_word(seed, v6->nets[i].key);
	return place_all(&attempt);
}

static int try_ports(struct kh_table *table, uint64_t seed, const struct kh_ports *ports)
{
	struct attempt attempt KH_CLEANUP(attempt_clear) = {};
	int r = attempt_start(&attempt, table);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ports->count; i++) {
		const struct kh_port_entry *entry = &ports->entries[i];
		uint32_t hash = kh_hash_address(seed, entry->address_high, entry->address_low);

		attempt.hashes[i] = kh_hash_port(hash, entry->port, entry->protocol);
	}
	return place_all(&attempt);
}

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint64_t digest(const struct kh_v6 *v6, const struct kh_ports *ports)
{
	uint64_t sum = mix(1);

	for (size_t i = 0; i < v6->nets_count; i++)
		sum = mix(sum + v6->nets[i].key);
	for (size_t i = 0; i < ports->count; i++) {
		sum = mix(sum + ports->entries[i].address_high);
		sum = mix(sum + ports->entries[i].address_low);
		sum += ports->entries[i].port;
	}
	return sum;
}

int kh_hashes_build(struct kh_hashes *hashes, const struct kh_v6 *v6, const struct kh_ports *ports)
{
	uint64_t start = digest(v6, ports);
	int r = start_table(&hashes->v6, v6->nets_count, 1);

	if (r < 0)
		return r;
	r = start_table(&hashes->ports, ports->count, KH_PORTS_PER_BUCKET);
	if (r < 0)
		return r;
	for (unsigned int attempt = 1;; attempt++) {
		struct kh_table *full = &hashes->v6;

		hashes->seed = mix(start + attempt * 0x9e3779b97f4a7c15u);
		r = try_nets(&hashes->v6, hashes->seed, v6);
		if (r > 0) {
			full = &hashes->ports;
			r = try_ports(&hashes->ports, hashes->seed, ports);
		}
		if (r)
			return r < 0 ? r : 0;
		if (attempt % SEEDS_PER_SIZE)
			continue;
		if (full->buckets >= BUCKETS_MAX)
			return -E2BIG;
		full->buckets *= 2;
	}
}

void kh_hashes_clear(struct kh_hashes *hashes)
{
	free(hashes->v6.place);
	free(hashes->ports.place);
	*hashes = (struct kh_hashes){};
}
