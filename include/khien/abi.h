/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the packet programs (bpf/) and user space must agree on: the generation image, map keys and
 * values, limits. Fixed-width fields in host byte order unless the name ends in _be; padding is
 * explicit and zero. Any change of meaning raises KH_ABI_VERSION, which is stored beside the pins and
 * checked on adoption.
 */
#ifndef KHIEN_ABI_H
#define KHIEN_ABI_H

#include <linux/types.h>

#ifndef KH_ABI_VERSION /* tests build a neighbour of this version */
#define KH_ABI_VERSION 9
#endif

/* Raised when struct kh_record, kh_pending, kh_counter, kh_sighting or what they mean changes: what another KH_ABI_VERSION has counted is taken over
 * by whoever has the same. */
#define KH_COUNTS_VERSION 1

/* ---- Verdict reasons ------------------------------------------------------------------------- */

enum kh_reason {
#define KH_REASON(symbol, name, help) KH_REASON_##symbol,
#include "khien/reasons.def"
#undef KH_REASON
	KH_REASON_COUNT,
};

#define KH_REASON_ROWS 32 /* rows kept for each interface and direction; room to append */

enum kh_direction {
	KH_INGRESS,
	KH_EGRESS,
	KH_DIRECTIONS,
};

enum kh_action {
	KH_ACTION_DROP,
	KH_ACTION_MONITOR,
};

/* ---- The generation image --------------------------------------------------------------------
 *
 * A compiled list is one immutable image of 4 KiB pages, in two BPF array maps (BPF_F_MMAPABLE, frozen) that one index names:
 *
 *   the base, of fixed size: struct kh_image_base, one element
 *     0                  struct kh_image_header
 *     v6_bits            two bits for each /32 that holds anything, by hash
 *     ports_bits         presence bits of the addresses that have port orders, by hash
 *     v4_wide            IPv4: one bit for each 2^v4_wide_shift addresses in which there is an order on more than KH_V4_SMALL addresses
 *     v4_common          IPv4: for each 64 nets (/24s), the reference of those that have no cell
 *     filter             words of 64 bits, by hash: the addresses of all other orders of IPv4; of IPv6 the parts of /32s that hold anything
 *   the rest, of any size, an element a page
 *     v4_cells_page      IPv4 level 2, hash of the nets: buckets of 8 cells of 64 bits
 *     v4_entries_page    IPv4 slices over the address bits inside a net
 *     v6_nets_page       hash of the /32s: struct kh_v6_net
 *     v6_mid_page        slices of struct kh_v6_mid over address bits 32..63, and the `wide` slice over bits 0..31
 *     v6_lone_page       struct kh_v6_lone: /64s with one order in them
 *     v6_low_page        slices of struct kh_v6_low over address bits 64..127
 *     ports_page         hash of (address, port, protocol): buckets of 2 struct kh_port_entry
 *     orders_page        struct kh_order: everything that is not a plain drop without a deadline
 *
 * Why two: what makes a packet a miss is in the base alone, and look-ups into inner maps that all have one size are inlined;
 * those into maps of any size are calls (some 8 ns each on a processor with return thunks, where a whole miss costs 30). So
 * nearly all packets are judged without a call, by loads that do not wait for each other.
 *
 * The answer of every look-up is a 24-bit reference (enum-like, below):
 *   0                        no order
 *   KH_REF_CONDITIONAL | n   order n of the orders section: action, deadline and the next enclosing order
 *   slot                     drop, no deadline; `slot` is the record that counts it
 *
 * Action, deadline and nesting live here and not in the record, so that switching the image is the
 * only thing that changes a verdict: no packet can see half a change. Deadlines are wall-clock
 * seconds, so an image stays right across reboots and clock steps; only kh_control.clock_offset moves.
 */
#define KH_PAGE_SIZE 4096u
#define KH_IMAGE_MAGIC 0x3149484bu /* "KHI1", little-endian */
#define KH_IMAGE_MAX_PAGES (1u << 19) /* 2 GiB */

#define KH_REF_NONE 0u
#define KH_REF_BITS 24
#define KH_REF_MASK 0xffffffu
#define KH_REF_CONDITIONAL 0x800000u
#define KH_REF_INDEX 0x7fffffu
#define KH_SLOT_MAX 0x7fffffu /* slots are 1 .. KH_SLOT_MAX */
#define KH_ORDERS_MAX 0x7fffffu /* conditional orders of one image, 0-based */

#define KH_UNDER_LINKS 4 /* `under` is followed at most this often: a chain holds at most 5 orders */

struct kh_image_header {
	__u32 magic;
	__u32 abi_version;
	__u64 generation;
	__u64 checksum; /* FNV-1a 64 over all 64-bit words of the image, this one taken as 0 */
	__u64 hash_seed; /* chosen at compile time so that no bucket chain is longer than KH_HASH_PROBES */
	__u64 v4_seed; /* chosen so that every cell has a place */
	__u32 pages; /* of the whole image */
	__u32 v4_cells_page;
	__u32 v4_entries_page;
	__u32 v6_bits_mask; /* pairs - 1; pairs are a power of two, 8 * KH_PAGE_SIZE at least */
	__u32 v6_nets_page;
	__u32 v6_nets_mask; /* places - 1 */
	__u32 v6_mid_page;
	__u32 v6_wide_first; /* line of the mid section; the slice over address bits 0..31 */
	__u32 v6_wide_lines; /* 0: no order covers KH_V6_WIDE_MIN /32s */
	__u32 v6_lone_page;
	__u32 v6_low_page;
	__u32 v6_nets; /* /32s in the hash */
	__u32 v4_wide_shift; /* KH_V4_WIDE_SHIFT_MIN .. KH_V4_WIDE_SHIFT_MAX */
	__u32 filter_words; /* one at least */
	__u32 v4_buckets; /* of cells; one at least */
	__u32 ports_bits_mask;
	__u32 ports_page;
	__u32 ports_mask; /* buckets - 1 */
	__u32 ports_count; /* 0: no port orders */
	__u32 orders_page;
	__u32 orders_count;
	__u32 slots_needed; /* records the image refers to: highest slot + 1 */
	/* for people: distinct indicators compiled in */
	__u32 indicators_v4;
	__u32 indicators_v6;
	__u32 indicators_ports;
	__u32 reserved[3];
};
_Static_assert(sizeof(struct kh_image_header) == 152, "kh_image_header size");

#define KH_V4_SHIFT 8 /* nets are /24s */
#define KH_V4_BLOCKS (1u << 18) /* of 64 nets: /18s */
#define KH_V4_WIDE_SHIFT_MIN 9 /* nets of the presence bits: /23s */
#define KH_V4_WIDE_SHIFT_MAX 14 /* /18s */
#define KH_V4_WIDE_WORDS (1u << (32 - KH_V4_WIDE_SHIFT_MIN - 6))
#define KH_V4_SMALL 16u /* an order on as many addresses, or fewer, is in the filter by each of them */
#define KH_FILTER_WORDS (1u << 18)
#define KH_BITS_BYTES 65536u /* of presence bits, or of either bit of a pair; as much is used as the mask says */

struct kh_image_base {
	union {
		struct kh_image_header header;
		__u8 page[KH_PAGE_SIZE];
	};
	__u8 v6_bits[2 * KH_BITS_BYTES];
	__u8 ports_bits[KH_BITS_BYTES];
	__u64 v4_wide[KH_V4_WIDE_WORDS]; /* those behind 2^(26 - v4_wide_shift) are not used */
	__u64 filter[KH_FILTER_WORDS]; /* those behind filter_words are not used */
	__u32 v4_common[KH_V4_BLOCKS];
};
#define KH_BASE_PAGES 1073u
_Static_assert(sizeof(struct kh_image_base) == KH_BASE_PAGES * KH_PAGE_SIZE, "kh_image_base size");

/* An address that neither v4_wide nor the filter knows has no order. What the others have says the cell of their net, or, where it has none, its
 * block in v4_common.
 *
 * A cell is 64 bits, the upper half an address, which also says of which net it is; 0: the place is free. The lower half:
 *   kind 31..30 = KH_CELL_ADDRESS  that address has the reference in 23..0, the rest of the net none
 *   kind 31..30 = KH_CELL_NET      all of the net has the reference in 23..0, or none: 0
 *   kind 31..30 = KH_CELL_SLICE    index of the first entry in 29..0
 * A net has two homes: bucket (h * v4_buckets) >> 32 for h the upper and the lower half of kh_hash_net(v4_seed, net). Its cell is in
 * the second only while the first is full. Buckets are filled from the front. */
#define KH_CELL_KIND(cell) ((__u32)(cell) >> 30)
#define KH_CELL_ADDRESS 1u
#define KH_CELL_NET 2u
#define KH_CELL_SLICE 3u
#define KH_CELL_FIRST 0x3fffffffu
#define KH_CELLS_PER_BUCKET 8u
#define KH_CELL_HOMES 2u

/* IPv4 slices. An entry holds from `start` to the next entry's; the first of a slice holds from 0. Up to a page they do not cross
 * a page, longer ones start on a page. */
struct kh_entry {
	__u32 start; /* in the first entry of a slice: how many entries the slice has */
	__u32 ref;
};
#define KH_ENTRIES_PER_PAGE 512u
#define KH_SLICE_SEARCH_STEPS 28 /* halvings over the pages, or lines, of one slice */

/* Everything of IPv6 is lines of 64 bytes, and one line of each level is touched: the net's own says which of the slice's, and what it says
 * is compared with all entries of that one at once, without a branch. (Halving over a slice of 30 entries touched four lines and guessed
 * five branches wrong as often as right: half of an IPv6 hit.) */
#define KH_LINE_BYTES 64u
#define KH_LINES_PER_PAGE 64u /* also of buckets, which are as large */

/* Nearly all of a listed /32 is strangers, so its pair in v6_bits only says where to ask further. KH_V6_PARTS: in the filter, whose keys are
 * the /48s, or, for what is on more than KH_V6_NARROW_MAX of them, the /40s, that hold anything of it. KH_V6_ANY: all of it is listed, or there
 * was no room in the filter. */
#define KH_V6_PARTS 1u
#define KH_V6_ANY 2u
#define KH_V6_NARROW_SHIFT 16 /* of address bits 0..63 */
#define KH_V6_BROAD_SHIFT 24
#define KH_V6_NARROW_MAX 16u

/* One /32 that holds anything: its slice over address bits 32..63. Groups of 2^group_shift lines, KH_V6_GROUPS at most. */
#define KH_V6_GROUPS 13u
struct kh_v6_net {
	__u32 key; /* address bits 0..31 */
	__u32 lines; /* of the slice; KH_V6_WHOLE; 0: the place is free */
	__u32 first; /* line of the mid section; with KH_V6_WHOLE the reference of the whole /32 */
	__u32 group_shift;
	__u32 starts[KH_V6_GROUPS - 1]; /* start of the groups after the first; UINT32_MAX: there is no such group */
};
_Static_assert(sizeof(struct kh_v6_net) == KH_LINE_BYTES, "kh_v6_net size");
#define KH_V6_WHOLE 0xffffffffu
#define KH_V6_WIDE_MIN 257u /* as many /32s in a row, or more, are one entry of the wide slice; fewer are nets */
#define KH_HASH_PROBES 8u /* buckets looked at, wrapping; a bucket with a free place ends the search */

/* A line of a slice: entry i holds from start[i] on, for 2^span keys but not beyond the next start; what no entry holds has no order. So a
 * prefix among nothing is one entry and not two, where it begins and where it ends. Entries that are left over at a slice's end have the
 * highest start, and what that key has. */
#define KH_V6_MIDS 8u
struct kh_v6_mid {
	__u32 start[KH_V6_MIDS];
	__u32 ref[KH_V6_MIDS]; /* kind in 31..30, span in 29..24, in 23..0 what the kind says */
};
_Static_assert(sizeof(struct kh_v6_mid) == KH_LINE_BYTES, "kh_v6_mid size");
#define KH_V6_KIND(ref) ((__u32)(ref) >> 30)
#define KH_V6_REFERENCE 0u /* a reference */
#define KH_V6_LONE 1u /* number of a kh_v6_lone */
#define KH_V6_LOW 2u /* first line of a low slice */
#define KH_V6_SPAN(ref) ((__u32)(ref) >> 24 & 63)
#define KH_V6_SPAN_MAX 32u
#define KH_V6_INDEX 0xffffffu

/* A /64 in which 2^span addresses from `start` on have one reference, and all others another, or none. Nearly all /64s that are divided
 * are so; in the order of the addresses, a line has four of them. */
struct kh_v6_lone {
	__u64 start; /* address bits 64..127 */
	__u32 ref; /* span in 29..24, the reference in 23..0 */
	__u32 around; /* reference of the others */
};
_Static_assert(sizeof(struct kh_v6_lone) == 16, "kh_v6_lone size");
#define KH_V6_LONES_PER_LINE 4u

/* Any other /64 that is divided: entry i holds from start[i] to the next start. A slice's first start is 0. Entries that are left over at
 * its end have the highest start and the last one's reference. */
#define KH_V6_LOWS 5u
struct kh_v6_low {
	__u64 start[KH_V6_LOWS]; /* address bits 64..127 */
	__u32 ref[KH_V6_LOWS];
	__u32 lines; /* in the first line of a slice: how many it has */
};
_Static_assert(sizeof(struct kh_v6_low) == KH_LINE_BYTES, "kh_v6_low size");

/* Orders on one address and port. IPv4 is {0, address}. */
struct kh_port_entry {
	__u64 address_high;
	__u64 address_low;
	__u16 port; /* host byte order */
	__u8 protocol; /* 6 or 17; an order for both is entered twice */
	__u8 family; /* 4 or 6; 0: the place is free */
	__u32 ref;
	__u64 reserved;
};
_Static_assert(sizeof(struct kh_port_entry) == 32, "kh_port_entry size");
#define KH_PORTS_PER_BUCKET 2u

/* An order that is monitored, or ends, or both. */
struct kh_order {
	__u32 slot;
	__u32 deadline; /* wall-clock seconds since 1970, exclusive; 0: none */
	__u32 under; /* reference of the next enclosing order, followed when the deadline has passed; 0: none */
	__u8 action; /* enum kh_action */
	__u8 reserved[3];
};
_Static_assert(sizeof(struct kh_order) == 16, "kh_order size");
#define KH_ORDERS_PER_PAGE 256u

/* ---- Maps ------------------------------------------------------------------------------------ */

/* What counts an indicator. Lives outside the images, by slot, so that counters survive them. */
struct kh_record {
	__u64 packets; /* wire packets */
	__u64 bytes; /* layer-3 bytes */
	__u32 first_seen; /* wall-clock seconds; 0: never */
	__u32 last_seen;
	__u64 reserved;
};
_Static_assert(sizeof(struct kh_record) == 32, "kh_record size");

/*
 * Counts on their way to the records, by CPU. Only programs on that CPU write them, so two CPUs that count one indicator share no cache
 * line. The packet after a full queue asks for all its records before it is judged, and adds to them after: so a flood over many
 * indicators waits for them once in KH_PENDING_QUEUE packets, and for the cell of its own at the same time.
 *
 * Nothing is lost and nothing counted twice: packet programs run to their end on one CPU, and where one interrupts another (only
 * test runs of old kernels can be) it finds `busy` and adds to the record itself. So do all while kh_control.hold is set; user space
 * sets it, waits for a grace period, empties all CPUs by khien_flush and clears it. It reads records only after that.
 */
#define KH_PENDING_QUEUE 8u /* a power of two */

struct kh_pending_count {
	__u32 slot;
	__u32 place; /* of the generation: which array the record is in */
	__u64 packets;
	__u64 bytes;
	__u32 first_seen;
	__u32 last_seen;
};
_Static_assert(sizeof(struct kh_pending_count) == 32, "kh_pending_count size");

struct kh_pending {
	__u32 busy;
	__u32 queued; /* in `queue`, from its front; KH_PENDING_QUEUE at the most */
	struct kh_pending_count queue[KH_PENDING_QUEUE]; /* no two of one record */
};
_Static_assert(sizeof(struct kh_pending) == 8 + KH_PENDING_QUEUE * 32, "kh_pending size");

/* What the packet before was, by receive queue: queues of different CPUs share no cache line. A guess: it says what is tried first, never what
 * is answered. Queues that fall together guess worse. */
#define KH_RECENTS 256u
#define KH_RECENT_QUEUES 16u
struct kh_recent {
	__u32 listed;
	__u32 padding[15];
};
_Static_assert(sizeof(struct kh_recent) == 64, "kh_recent size");

#define KH_GENERATION_SLOTS 4 /* places in the outer maps; number 0 is never used: "no generation" */

/* One element, shared by all programs. `active` is the switch: one store installs a generation. */
struct kh_control {
	__u32 abi_version;
	__u32 active; /* place of the generation in force, 1 .. KH_GENERATION_SLOTS - 1; 0: none */
	__u64 clock_offset; /* jiffies to add to bpf_jiffies64() to get wall-clock time in jiffies */
	__u64 clock_mult; /* 2^32 / HZ: seconds = (jiffies * clock_mult) >> 32 */
	__u64 events_lost; /* first-sight events that found the buffer full */
	__u64 sightings_lost; /* packets whose sighting found the table full */
	__u32 hold; /* not 0: counts go straight to the records */
	__u32 counts_version; /* KH_COUNTS_VERSION of whoever made the maps; 0: older than that */
	__u64 reserved[2];
};
_Static_assert(sizeof(struct kh_control) == 64, "kh_control size");

enum kh_role {
	KH_ROLE_NONE,
	KH_ROLE_WAN,
	KH_ROLE_LAN,
	KH_ROLE_COVERED, /* stacked on a watched device (VLAN, ppp, bridge): judged below, counted there */
};

#define KH_INTERFACES_MAX 64 /* watched; also the rows of the counters */
#define KH_INTERFACE_PLACES 1024u /* direct-mapped by ifindex, then up to KH_INTERFACE_PROBES - 1 further */
#define KH_INTERFACE_PROBES 4u
#define KH_SUBNETS_V4 16
#define KH_SUBNETS_V6 8

struct kh_subnet_v4 {
	__u32 network;
	__u32 mask;
};

struct kh_subnet_v6 {
	__u64 high, low;
	__u64 mask_high, mask_low;
};

struct kh_interface {
	__u32 ifindex; /* 0: the place is free */
	__u8 role; /* enum kh_role */
	__u8 number; /* row of the counters */
	__u8 any_source; /* more subnets than fit: no source is called spoofed */
	__u8 subnets_v4; /* how many of v4[] are set */
	__u8 subnets_v6;
	__u8 reserved[7];
	struct kh_subnet_v4 v4[KH_SUBNETS_V4];
	struct kh_subnet_v6 v6[KH_SUBNETS_V6];
};
_Static_assert(sizeof(struct kh_interface) == 16 + 8 * KH_SUBNETS_V4 + 32 * KH_SUBNETS_V6, "kh_interface size");

/* Per-CPU array, index = (number * KH_DIRECTIONS + direction) * KH_REASON_ROWS + reason. */
struct kh_counter {
	__u64 packets;
	__u64 bytes;
};
#define KH_COUNTERS (KH_INTERFACES_MAX * KH_DIRECTIONS * KH_REASON_ROWS)

#define KH_SIGHTINGS_MAX 65536

#define KH_SIGHTING_SPOOFED 1 /* the source is outside the interface's subnets; address and mac are 0 */
#define KH_SIGHTING_GATEWAY 2 /* sent by the gateway itself; mac is 0 */

struct kh_sighting_key {
	__u32 slot;
	__u8 mac[6];
	__u8 interface; /* number, as in the counters */
	__u8 flags; /* KH_SIGHTING_* */
	__u8 address[16]; /* network byte order; IPv4 as ::ffff:a.b.c.d */
};
_Static_assert(sizeof(struct kh_sighting_key) == 28, "kh_sighting_key size");

struct kh_sighting {
	__u64 packets;
	__u64 bytes;
	__u32 first_seen;
	__u32 last_seen;
};
_Static_assert(sizeof(struct kh_sighting) == 24, "kh_sighting size");

#define KH_EVENTS_BYTES (256 * 1024)

/* First packet of a new sighting. */
struct kh_event {
	struct kh_sighting_key key;
	__u32 seconds; /* wall clock */
	__u16 remote_port; /* host byte order; 0: none */
	__u8 protocol;
	__u8 action; /* enum kh_action */
	__u32 reserved;
};
_Static_assert(sizeof(struct kh_event) == 40, "kh_event size");

#endif
