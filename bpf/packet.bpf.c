// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The packet probe: counts every packet of one interface exactly once, and makes of
 * each either a record in a ring buffer or an addition to a flow.
 *
 * One program is loaded per interface and hook, so that the interface is a constant.
 * All hooks run with bottom halves off, so per-CPU values are ours alone: plain adds.
 *
 * Measured (BPF_PROG_TEST_RUN, an empty program subtracted): see docs/ARCHITECTURE.md.
 */
#include "bpf/vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/packet_config.h"
#include "bpf/packet_parse.h"
#include "common/pins.h"
#include "common/total_rows.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile struct packet_config packet_config = {};

/* Per interface; per CPU, so plain adds are exact. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TOTAL_ENTRIES);
	__type(key, u32);
	__type(value, struct total_value);
} totals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, DIRECTIONS);
	__type(key, u32);
	__type(value, struct loss_value);
} losses SEC(".maps");

/* A token bucket a CPU. One line costs 10^9; a nanosecond brings packet_lines. */
struct budget {
	u64 credit;
	u64 refill_ns;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct budget);
} budgets SEC(".maps");

/*
 * Flows by CPU: key and value beside each other, where the hash says, so that a packet
 * costs the one or two cache lines of its flow. The loader makes them (common/pins.h).
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct flow_page);
} flow_pages SEC(".maps");

/*
 * Flows that find no cell: two maps, of which the one in the slot is written. Never LRU:
 * it forgets silently. The loader sets max_entries.
 */
struct flow_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct flow_key);
	__type(value, struct flow_value);
} flows_a SEC(".maps"), flows_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct flow_map);
} flow_slot SEC(".maps") = {
	.values = { &flows_a },
};

/*
 * A ring a CPU: one ring for two CPUs costs 390-490 ns a record (spin lock), one each
 * 52-57. The loader makes and inserts them, and sets max_entries to the CPUs possible.
 */
struct ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct ring_map);
} rings SEC(".maps");

/* Cells in a row where a flow may be: half full, one flow in 200 finds none free; full, one in 8. */
#define CELL_TRIES 8

/* A frame as one of the hooks saw it. */
struct frame {
	struct packet_info info;
	u32 packets;		/* that it is on the wire */
	u32 bytes;		/* of all of them */
	u64 now_ns;		/* coarse monotonic; 0: not read yet */
};

/* 4 ms steps and 1-2 ns, where the exact clock costs 22. Since 5.11. */
static __always_inline u64 coarse_ns(struct frame *f)
{
	if (!f->now_ns)
		f->now_ns = bpf_core_enum_value_exists(enum bpf_func_id,
						       BPF_FUNC_ktime_get_coarse_ns)
				    ? bpf_ktime_get_coarse_ns()
				    : bpf_ktime_get_ns();
	return f->now_ns;
}

static __always_inline struct total_value *count_total(const struct frame *f)
{
	const struct flow_key *key = &f->info.key;
	u32 row = key->direction * TOTAL_ROWS + total_row(key->ip_version, key->protocol);
	struct total_value *total = bpf_map_lookup_elem(&totals, &row);

	if (total) {
		total->packets += f->packets;
		total->bytes += f->bytes;
	}
	return total;
}

static __always_inline bool within_budget(struct frame *f)
{
	const u64 line = 1000000000, rate = packet_config.packet_lines;
	struct budget *b;
	u32 zero = 0;
	u64 elapsed;

	if (rate == 0 || rate == PACKET_LINES_ALL)
		return rate;
	b = bpf_map_lookup_elem(&budgets, &zero);
	if (!b)
		return false;
	elapsed = coarse_ns(f) - b->refill_ns;
	if (elapsed) {
		if (elapsed > line)
			elapsed = line;
		b->credit += elapsed * rate;
		if (b->credit > line * rate)
			b->credit = line * rate;
		b->refill_ns = f->now_ns;
	}
	if (b->credit < line)
		return false;
	b->credit -= line;
	return true;
}

static __always_inline void fill_record(struct packet_record *r, const struct frame *f, u32 cpu)
{
	__builtin_memset(r, 0, sizeof(*r));
	r->time_ns = bpf_ktime_get_boot_ns();
	r->key = f->info.key;
	r->length = f->bytes;
	r->payload_length = f->info.payload_length;
	r->cpu = cpu;
	r->tcp_flags = f->info.tcp_flags;
	r->ttl = f->info.ttl;
	r->type = RECORD_PACKET;
	r->malformed = f->info.malformed;
}

/* True if the packet has become a record. The reader drains on a timer: no wake-up. */
static __always_inline bool record(struct frame *f, struct loss_value *loss)
{
	u32 cpu = bpf_get_smp_processor_id();
	struct packet_record *r;
	void *ring;

	ring = bpf_map_lookup_elem(&rings, &cpu);
	if (!ring)
		return false;
	r = bpf_ringbuf_reserve(ring, sizeof(*r), 0);
	if (!r) {
		loss->ring_full++;
		return false;
	}
	fill_record(r, f, cpu);
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	loss->packet_lines++;
	return true;
}

static __always_inline void add_to_flow(struct flow_value *v, struct frame *f)
{
	u32 now = coarse_ns(f) >> FLOW_TICK_SHIFT;

	if (!v->packets_flags)	/* made by another CPU */
		v->first_tick = now;
	v->packets_flags = (v->packets_flags + ((u64)f->packets << FLOW_PACKETS_SHIFT)) |
			   f->info.tcp_flags;
	v->bytes += f->bytes;
	v->last_tick = now;
}

/*
 * Sums of products with secret odd factors: nobody outside can aim at a cell. Words that
 * differ in their upper bits only do so in the sum's upper bits only, hence the rest.
 */
static __always_inline u64 spread(const struct flow_key *key)
{
	const volatile u64 *factors = packet_config.spread;
	const u64 *words = (const u64 *)key;
	u64 hash = words[0] * factors[0] + words[1] * factors[1] + words[2] * factors[2] +
		   words[3] * factors[3] + words[4] * factors[4] +
		   *(const u32 *)&words[5] * factors[5];

	hash ^= hash >> 32;
	return hash * factors[0];
}

static __always_inline bool is_same(const struct flow_key *a, const struct flow_key *b)
{
	const u64 *x = (const u64 *)a, *y = (const u64 *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3] && x[4] == y[4] &&
	       *(const u32 *)&x[5] == *(const u32 *)&y[5];
}

/* The page of this CPU where the flow of that hash is, or may be. */
static __always_inline struct flow_page *page_of(u64 hash)
{
	const u32 bits = packet_config.cell_bits;
	struct flow_page *page;
	u32 at = 0;

	page = bpf_map_lookup_elem(&flow_pages, &at);
	if (!page)
		return NULL;
	at = (u32)page->written * packet_config.cpus + bpf_get_smp_processor_id();
	at = (at << (bits - FLOW_PAGE_BITS)) + (u32)(hash >> (64 - bits) >> FLOW_PAGE_BITS);
	return bpf_map_lookup_elem(&flow_pages, &at);
}

/* 0, or -1: where it might be, all cells are others'. */
static __always_inline int fold_in_cell(struct frame *f)
{
	const u64 hash = spread(&f->info.key);
	const u32 tag = (u32)hash | 1;
	struct flow_page *page = page_of(hash);
	u32 slot = (u32)(hash >> (64 - packet_config.cell_bits));

	if (!page)
		return -1;
#pragma clang loop unroll(disable)
	for (int i = 0; i < CELL_TRIES; i++, slot++) {
		struct flow_cell *cell = &page->cells[slot % FLOW_PAGE_CELLS];

		if (cell->tag == tag && is_same(&cell->key, &f->info.key)) {
			add_to_flow(&cell->value, f);
			return 0;
		}
		if (!cell->tag) {
			struct flow_value fresh = {};

			add_to_flow(&fresh, f);
			cell->key = f->info.key;
			cell->value = fresh;
			cell->tag = tag;
			page->used[slot % FLOW_PAGE_CELLS / 64] |= 1ull << slot % 64;
			return 0;
		}
	}
	return -1;
}

/* 0, or -1 if there is no room for the flow. */
static __always_inline int fold(struct frame *f)
{
	struct flow_value fresh = {}, *v;
	u32 zero = 0;
	void *flows;

	if (packet_config.cell_bits && !fold_in_cell(f))
		return 0;
	flows = bpf_map_lookup_elem(&flow_slot, &zero);
	if (!flows)
		return -1;
	v = bpf_map_lookup_elem(flows, &f->info.key);
	if (v) {
		add_to_flow(v, f);
		return 0;
	}
	add_to_flow(&fresh, f);
	if (!bpf_map_update_elem(flows, &f->info.key, &fresh, BPF_NOEXIST))
		return 0;
	/* Full, or another CPU was first to insert this flow. */
	v = bpf_map_lookup_elem(flows, &f->info.key);
	if (!v)
		return -1;
	add_to_flow(v, f);
	return 0;
}

static __always_inline bool keeps_address(const struct flow_key *key)
{
	u8 protocol = key->protocol;

	return key->ip_version && packet_config.only[protocol >> 6] >> (protocol & 63) & 1;
}

/* `loader --only`: other packets are still counted, one flow a protocol. */
static __always_inline void forget_address(struct flow_key *key)
{
	struct flow_key bare = {
		.protocol = key->protocol,
		.ip_version = key->ip_version,
		.iface = key->iface,
		.direction = key->direction,
		.vlan = VLAN_NONE,
		.flags = FLOW_NO_ADDRESS,
	};

	*key = bare;
}

static __always_inline void account(struct frame *f)
{
	struct total_value *total = count_total(f);
	u32 direction = f->info.key.direction;
	bool only_counted = packet_config.only_active && !keeps_address(&f->info.key);
	/* A GSO super-frame is many packets and a line counts one: fold it. */
	bool may_record = packet_config.packet_lines && f->packets == 1 && !only_counted;

	if (may_record || f->info.malformed) {
		struct loss_value *loss = bpf_map_lookup_elem(&losses, &direction);

		if (!loss)
			return;
		loss->malformed += f->info.malformed;
		if (may_record && within_budget(f) && record(f, loss))
			return;
	}
	if (only_counted)
		forget_address(&f->info.key);
	if (fold(f) && total) {
		total->unattributed += f->packets;
		total->unattributed_bytes += f->bytes;
	}
}

static __always_inline void begin(struct frame *f, u8 direction, u32 length)
{
	f->info.key.iface = packet_config.iface;
	f->info.key.direction = direction;
	f->info.key.vlan = VLAN_NONE;
	f->packets = 1;
	f->bytes = length;
}

static __always_inline void mark_counted(struct xdp_md *ctx)
{
	u64 *mark;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*mark)))
		return;
	mark = (void *)(long)ctx->data_meta;
	if ((void *)(mark + 1) <= (void *)(long)ctx->data)
		*mark = PACKET_HANDOVER_MARK;
}

static __always_inline bool is_marked(struct __sk_buff *skb)
{
	u64 *mark = (void *)(long)skb->data_meta;

	return (void *)(mark + 1) <= (void *)(long)skb->data && *mark == PACKET_HANDOVER_MARK;
}

SEC("xdp")
int packet_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct frame f = {};
	u32 length = end - data;

	if (packet_config.xdp_frags)
		length = bpf_xdp_get_buff_len(ctx);
	begin(&f, DIRECTION_INGRESS, length);
	packet_parse_ethernet(data, end, length, &f.info);
	account(&f);
	if (packet_config.handover)
		mark_counted(ctx);
	return XDP_PASS;
}

/* A super-frame as the packets it becomes on the wire, or came from. */
static __always_inline void count_segments(struct __sk_buff *skb, struct frame *f)
{
	u32 header = f->info.header_length, size = skb->gso_size, segments = skb->gso_segs;

	/* Guests may leave gso_segs to be found out (SKB_GSO_DODGY). */
	if (!segments && size && f->bytes > header)
		segments = (f->bytes - header + size - 1) / size;
	if (segments < 2)
		return;
	f->packets = segments;
	f->bytes += (segments - 1) * header;
}

static __always_inline void tc_parse(struct __sk_buff *skb, struct frame *f, u8 direction)
{
	u32 tag = skb->vlan_present ? 4 : 0;

	__builtin_memset(f, 0, sizeof(*f));
	begin(f, direction, skb->len);
	if (tag)
		f->info.key.vlan = skb->vlan_tci & 0x0fff;
	packet_parse_ethernet((void *)(long)skb->data, (void *)(long)skb->data_end, skb->len,
			      &f->info);
	f->bytes += tag;
	f->info.header_length += tag;
}

/* More than any header chain that the parser follows in practice. */
#define PULL_BYTES 256

static __always_inline int tc(struct __sk_buff *skb, u8 direction)
{
	struct frame f;

	/*
	 * Twice at most: some drivers leave headers outside the linear part, which is
	 * all that a program sees until it asks. Asking copies, so only where needed.
	 */
	for (int pass = 0; pass < 2; pass++) {
		u32 linear = skb->data_end - skb->data;

		tc_parse(skb, &f, direction);
		if (!f.info.truncated || linear >= skb->len || linear >= PULL_BYTES ||
		    bpf_skb_pull_data(skb, skb->len < PULL_BYTES ? skb->len : PULL_BYTES))
			break;
	}
	if (skb->gso_size)
		count_segments(skb, &f);
	account(&f);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int packet_tc_ingress(struct __sk_buff *skb)
{
	if (packet_config.handover && is_marked(skb))
		return TC_ACT_UNSPEC;
	return tc(skb, DIRECTION_INGRESS);
}

SEC("tc")
int packet_tc_egress(struct __sk_buff *skb)
{
	return tc(skb, DIRECTION_EGRESS);
}
