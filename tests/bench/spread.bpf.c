// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * What stands before the program that is measured: makes the frame one of another flow
 * each time, then calls the program under test, or one that does nothing, which
 * tells what all of this costs by itself.
 *
 * The last number lies in the frame's destination, as BPF_PROG_TEST_RUN hands the same
 * frame to each run.
 */
#include "bpf/vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "common/records.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile u32 spread_flows = 1;
const volatile u32 spread_at;	/* where in the frame flows differ: in four bytes */

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u32);
} tested SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct flow_key);
	__type(value, struct flow_value);
} bare_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct flow_key);
	__type(value, struct flow_value);
} bare_percpu SEC(".maps");

/* The rings of the program under test. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_RINGBUF);
		__uint(max_entries, 4096);
	});
} bare_rings SEC(".maps");

#define FRAME_BYTES 64
#define IPV4_SOURCE 26

static __always_inline void *frame_of(struct xdp_md *ctx)
{
	void *frame = (void *)(long)ctx->data;

	return frame + FRAME_BYTES <= (void *)(long)ctx->data_end ? frame : NULL;
}

static __always_inline void set_flow(void *frame, u32 flow)
{
	u32 at = spread_at;

	if (at <= FRAME_BYTES - sizeof(u32))
		*(u32 *)(frame + at) = flow;
}

/* Any flow (xorshift, Marsaglia 2003). */
SEC("xdp")
int spread(struct xdp_md *ctx)
{
	u32 *frame = frame_of(ctx), x;

	if (!frame)
		return XDP_ABORTED;
	x = *frame;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*frame = x;
	set_flow(frame, x % spread_flows);
	bpf_tail_call(ctx, &tested, 0);
	return XDP_ABORTED;
}

/* Flow after flow. */
SEC("xdp")
int walk(struct xdp_md *ctx)
{
	u32 *frame = frame_of(ctx);

	if (!frame)
		return XDP_ABORTED;
	set_flow(frame, (*frame)++ % spread_flows);
	bpf_tail_call(ctx, &tested, 0);
	return XDP_ABORTED;
}

SEC("xdp")
int nothing(struct xdp_md *ctx)
{
	return XDP_PASS;
}

static __always_inline void bare_key(const void *frame, struct flow_key *ret_key)
{
	__builtin_memset(ret_key, 0, sizeof(*ret_key));
	*(u32 *)ret_key->src_ip = *(const u32 *)(frame + IPV4_SOURCE);
}

/* The floors: nothing but the map. */
SEC("xdp")
int bare_update(struct xdp_md *ctx)
{
	void *frame = frame_of(ctx);
	struct flow_value value = { .packets_flags = 1 };
	struct flow_key key;

	if (!frame)
		return XDP_ABORTED;
	bare_key(frame, &key);
	bpf_map_update_elem(&bare_hash, &key, &value, BPF_ANY);
	return XDP_PASS;
}

SEC("xdp")
int bare_add(struct xdp_md *ctx)
{
	void *frame = frame_of(ctx);
	struct flow_value fresh = {}, *value;
	struct flow_key key;

	if (!frame)
		return XDP_ABORTED;
	bare_key(frame, &key);
	value = bpf_map_lookup_elem(&bare_percpu, &key);
	if (value)
		value->packets_flags++;
	else
		bpf_map_update_elem(&bare_percpu, &key, &fresh, BPF_NOEXIST);
	return XDP_PASS;
}

/* Nothing but the ring of this CPU, the exact clock, and a record's bytes. */
SEC("xdp")
int bare_record(struct xdp_md *ctx)
{
	u32 cpu = bpf_get_smp_processor_id();
	void *ring = bpf_map_lookup_elem(&bare_rings, &cpu);
	struct packet_record *r = ring ? bpf_ringbuf_reserve(ring, sizeof(*r), 0) : NULL;

	if (!r)
		return XDP_ABORTED;
	__builtin_memset(r, 0, sizeof(*r));
	r->time_ns = bpf_ktime_get_boot_ns();
	r->type = RECORD_PACKET;
	bpf_ringbuf_submit(r, BPF_RB_NO_WAKEUP);
	return XDP_PASS;
}
