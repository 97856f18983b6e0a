// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The drop probe: every packet that the kernel frees with a reason is counted exactly
 * once, and becomes a record while the budget lasts, else is folded by reason and 5-tuple.
 *
 * An skb is one packet, also a GSO super-frame or a reassembled datagram: it is what the
 * stack dropped. The pieces of its frag list, which kfree_skb reports one by one behind
 * it, are none (not_packets). Bytes are those from the network header on.
 *
 * Measured (BPF statistics, their own 50 ns taken off; one UDP flow without a listener): 290 ns
 * a drop that is folded, 340 one that becomes a record, 400-600 folded into 20 000 flows. Of
 * them finding place and device take 75, names 45, parsing 55, totals 40, folding 80.
 *
 * kfree_skb has the reason from Linux 5.17 (c504e5c2f964), the receiving socket from 6.11.
 */
#include "bpf/vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/packet_config.h"
#include "bpf/probe.h"
#include "bpf/skb_parse.h"
#include "common/total_rows.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* The loader sets max_entries. Never LRU: it forgets silently. */
struct drop_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct drop_key);
	__type(value, struct drop_value);
} drops_a SEC(".maps"), drops_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct drop_map);
} drop_maps SEC(".maps") = {
	.values = { &drops_a, &drops_b },
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, DROP_TOTALS_MAX);
	__type(key, struct drop_total_key);
	__type(value, struct drop_value);
} drop_totals SEC(".maps");

/* Names of places by number; row 0 stays empty. Written once, before its number is known. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LOCATIONS_MAX);
	__type(key, u32);
	__type(value, char[LOCATION_BYTES]);
} locations SEC(".maps");

struct location {
	u16 id;			/* row of locations; 0: it has no name */
	u16 piece;		/* 1: here go the pieces of frag lists */
};

/* By address, which stays in the kernel. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LOCATIONS_MAX);
	__type(key, u64);
	__type(value, struct location);
} location_ids SEC(".maps");

/* Rows of locations that are taken; shared by all CPUs: atomic. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} locations_used SEC(".maps");

/* A token bucket a CPU, which a nanosecond brings drop_lines. */
struct drop_budget {
	u64 credit;
	u64 refill_ns;
	u64 jiffies;		/* when it was refilled */
};

#define LINE_COST 1000000000ull

/* Both programs of a CPU use the same bucket: an interruption may cost or give a line. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct drop_budget);
} drop_budgets SEC(".maps");

/* A drop in the making. */
struct drop {
	struct drop_key key;
	u8 headers[SKB_HEADER_ROOM];
};

/* A row for drop(), a row for drop_nested(), which interrupts it. */
enum level {
	LEVEL_FIRST,
	LEVEL_NESTED,
	LEVELS,
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LEVELS);
	__type(key, u32);
	__type(value, struct drop);
} drop_scratch SEC(".maps");

/* How kfree_skb is traced since Linux 6.11: with the receiving socket. */
enum skb_drop_reason {
	SKB_NOT_DROPPED_YET,
};

typedef void (*btf_trace_kfree_skb___receiver)(void *data, struct sk_buff *skb, void *location,
						enum skb_drop_reason reason, struct sock *receiver);

/* Leaves the function: no ".isra.0" of the compiler's, no " [module]". */
static __always_inline void cut(char *name)
{
	bool behind = false;

#pragma unroll	/* up to 6.1 the verifier takes the loop that clang makes of it for endless */
	for (u32 i = 0; i < LOCATION_BYTES; i++) {
		behind |= name[i] == '.' || name[i] == ' ';
		if (behind)
			name[i] = 0;
	}
}

/*
 * Spells an address in place. False: the kernel knows no name for it and wrote the
 * address itself, which is wiped.
 */
static __always_inline bool spell(char *name, u64 address)
{
	static const char format[] = "%ps";

	bpf_snprintf(name, LOCATION_BYTES, format, &address, sizeof(address));
	if (name[0] != '0') {
		cut(name);
		return name[0];
	}
	__builtin_memset(name, 0, LOCATION_BYTES);
	return false;
}

/*
 * skb_release_data() frees frag lists. (Up to 6.1 it reports those of consumed packets as
 * well, which were no drops at all.)
 */
static __always_inline bool is_piece(const char *name)
{
	static const char release[16] = "skb_release_data";

	for (u32 i = 0; i < sizeof(release); i++)
		if (name[i] != release[i])
			return false;
	return true;
}

static __noinline struct location *add_location(u64 address)
{
	struct location fresh = {};
	u32 zero = 0, row, *used = bpf_map_lookup_elem(&locations_used, &zero);
	char *name;

	if (!used || *used >= LOCATIONS_MAX - 1)
		return NULL;
	row = __sync_fetch_and_add(used, 1) + 1;
	name = bpf_map_lookup_elem(&locations, &row);
	if (!name)
		return NULL;
	if (spell(name, address)) {
		fresh.id = row;
		fresh.piece = is_piece(name);
	}
	/* Another CPU may have been first: then its row counts, and ours lies idle. */
	bpf_map_update_elem(&location_ids, &address, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&location_ids, &address);
}

static __always_inline struct location *find_location(u64 address)
{
	struct location *location = bpf_map_lookup_elem(&location_ids, &address);

	return location ? location : add_location(address);
}

static __always_inline void add(struct drop_value *v, u64 bytes)
{
	__sync_fetch_and_add(&v->packets, 1);
	__sync_fetch_and_add(&v->bytes, bytes);
}

/* Adds to a row of a per-CPU hash and makes it if need be; -1: no room. */
static __always_inline int add_to(void *map, const void *key, u64 bytes)
{
	struct drop_value fresh = { .packets = 1, .bytes = bytes }, *v;

	v = bpf_map_lookup_elem(map, key);
	if (!v) {
		if (!bpf_map_update_elem(map, key, &fresh, BPF_NOEXIST))
			return 0;
		/* Full, or another CPU or an interruption was first. */
		v = bpf_map_lookup_elem(map, key);
		if (!v)
			return -1;
	}
	add(v, bytes);
	return 0;
}

static __always_inline void count_total(const struct drop_key *key, u64 bytes)
{
	struct drop_total_key total = { .reason = key->reason, .row = DROP_ROW_UNKNOWN };

	if (key->flow.ip_version || key->flow.protocol)
		total.row = total_row(key->flow.ip_version, key->flow.protocol);
	probe_count(COUNTER_drop_packets, 1);
	probe_count(COUNTER_drop_bytes, bytes);
	if (add_to(&drop_totals, &total, bytes))
		probe_count(COUNTER_drop_totals_full, 1);
}

static __always_inline void refill(struct drop_budget *b, u64 rate)
{
	u64 now = bpf_ktime_get_ns(), elapsed = now - b->refill_ns;

	if (elapsed > LINE_COST)
		elapsed = LINE_COST;
	b->credit += elapsed * rate;
	if (b->credit > LINE_COST * rate)
		b->credit = LINE_COST * rate;
	b->refill_ns = now;
}

/* An empty bucket looks at the clock (22 ns) once a jiffy. */
static __always_inline bool within_budget(void)
{
	struct probe_config *config;
	struct drop_budget *b;
	u64 rate, jiffies;
	u32 zero = 0;

	config = bpf_map_lookup_elem(&probe_config, &zero);
	b = bpf_map_lookup_elem(&drop_budgets, &zero);
	if (!config || !b)
		return false;
	rate = config->drop_lines;
	if (rate == 0 || rate == PACKET_LINES_ALL)
		return rate;
	if (b->credit < LINE_COST) {
		jiffies = bpf_jiffies64();
		if (jiffies == b->jiffies)
			return false;
		b->jiffies = jiffies;
		refill(b, rate);
		if (b->credit < LINE_COST)
			return false;
	}
	b->credit -= LINE_COST;
	return true;
}

/* True if the drop has become a record. */
static __always_inline bool record(const struct drop_key *key, u64 bytes)
{
	struct drop_record *r = event_reserve(sizeof(*r));

	if (!r) {
		probe_count(COUNTER_drop_ring_full, 1);
		return false;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->time_ns = bpf_ktime_get_boot_ns();
	r->key = *key;
	r->value.packets = 1;
	r->value.bytes = bytes;
	r->type = RECORD_DROP;
	event_submit(r);
	probe_count(COUNTER_drop_lines, 1);
	return true;
}

static __always_inline void fold(const struct drop_key *key, u64 bytes)
{
	void *drops = fold_map(&drop_maps, FOLD_DROP);

	if (drops && !add_to(drops, key, bytes)) {
		probe_count(COUNTER_drop_folded, 1);
		return;
	}
	probe_count(COUNTER_drop_unattributed, 1);
	probe_count(COUNTER_drop_unattributed_bytes, bytes);
}

/* The 5-tuple, as far as there is one: rows that a line would not tell apart are one. */
static __always_inline void fill_flow(struct drop *d, const struct sk_buff *skb,
				      const struct skb_place *place)
{
	struct packet_info info = {};

	skb_parse(skb, place, d->headers, &info);
	if (!(info.key.flags & FLOW_PORTS)) {
		info.key.src_port_be = 0;
		info.key.dst_port_be = 0;
	}
	info.key.flags &= FLOW_PORTS;
	d->key.flow = info.key;
}

static __always_inline void work(const struct sk_buff *skb, u64 address, u32 reason,
				 const struct sock *receiver, u32 level)
{
	struct drop *d = bpf_map_lookup_elem(&drop_scratch, &level);
	struct location *location = find_location(address);
	struct skb_device device = {};
	struct skb_place place = {};

	if (!d)
		return;
	skb_find_device(skb, receiver, &device);
	if ((location && location->piece) || (!device.dev && !skb->skb_iif && !skb->protocol)) {
		probe_count(COUNTER_drop_not_packets, 1);
		return;
	}
	__builtin_memset(&d->key, 0, sizeof(d->key));
	d->key.reason = reason;
	d->key.netns = device.netns;
	d->key.location = location ? location->id : 0;
	if (device.dev)
		bpf_probe_read_kernel_str(d->key.ifname, sizeof(d->key.ifname), device.dev->name);
	skb_locate(skb, &place);
	fill_flow(d, skb, &place);
	count_total(&d->key, place.bytes);
	if (!within_budget() || !record(&d->key, place.bytes))
		fold(&d->key, place.bytes);
}

/* The arguments of kfree_skb: skb, location, reason, receiver. */
static __always_inline void dropped(u64 *ctx, u32 level)
{
	const struct sock *receiver = NULL;

	if (bpf_core_type_exists(btf_trace_kfree_skb___receiver))
		receiver = (void *)ctx[3];
	work((void *)ctx[0], ctx[1], ctx[2], receiver, level);
}

SEC("tp_btf/kfree_skb")
int drop(u64 *ctx)
{
	u32 *guard = guard_enter(GUARD_DROP);

	dropped(ctx, LEVEL_FIRST);
	guard_leave(guard);
	return 0;
}

/* Packets that softirq drops while drop() runs in process context. */
SEC("tp_btf/kfree_skb")
int drop_nested(u64 *ctx)
{
	if (guard_is_taken(GUARD_DROP))
		dropped(ctx, LEVEL_NESTED);
	return 0;
}
