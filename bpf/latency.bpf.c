// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The latency probe: the kernel's own round-trip times of TCP as histograms, of the whole
 * host and by remote network.
 *
 * tcp_probe fires for each segment that an established connection receives. A socket gives
 * a sample at most every 10 ms: its smoothed round-trip time, as `ss -ti` shows it.
 *
 * Measured (BPF statistics, their own 50 ns taken off): 60 ns a segment that gives no sample;
 * 700 a socket's first one, which makes its storage.
 */
#include "bpf/vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/probe.h"
#include "bpf/socket.h"
#include "common/latency_buckets.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define SAMPLE_INTERVAL_NS 10000000ull
#define JIFFY_MASK 1023ull

/* The loader sets max_entries: networks, and one for the whole host. Shared: atomic adds. */
struct latency_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct latency_key);
	__type(value, struct latency_value);
} latencies_a SEC(".maps"), latencies_b SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, u32);
	__array(values, struct latency_map);
} latency_maps SEC(".maps") = {
	.values = { &latencies_a, &latencies_b },
};

/* What a new row begins with: too much for the stack. Nobody writes it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct latency_value);
} latency_zero SEC(".maps");

/* 0, or -1 if the map has no room. */
static __always_inline int add(void *latencies, const struct latency_key *key, u32 bucket)
{
	struct latency_value *value = bpf_map_lookup_elem(latencies, key);
	u32 zero = 0;

	if (!value) {
		value = bpf_map_lookup_elem(&latency_zero, &zero);
		if (!value)
			return -1;
		/* If another CPU was first, its row is as good. */
		bpf_map_update_elem(latencies, key, value, BPF_NOEXIST);
		value = bpf_map_lookup_elem(latencies, key);
	}
	if (!value || bucket >= LATENCY_BUCKETS)
		return -1;
	__sync_fetch_and_add(&value->counts[bucket], 1);
	return 0;
}

static __always_inline void fill_network(struct latency_key *key, const struct sock *sk)
{
	struct endpoint remote = {};

	socket_remote(sk, &remote);
	key->ip_version = remote.ip_version;
	if (remote.ip_version == 6) {
		key->prefix_length = 48;
		__builtin_memcpy(key->network, remote.ip, 6);
	} else {
		key->prefix_length = 24;
		__builtin_memcpy(key->network, remote.ip, 3);
	}
}

/* The host's row comes first, so a full map never keeps it out. */
static __always_inline void sample(const struct sock *sk, u32 rtt_us)
{
	void *latencies = fold_map(&latency_maps, FOLD_LATENCY);
	struct latency_key host = {}, network = {};
	u32 bucket = latency_bucket(rtt_us);

	if (!latencies || add(latencies, &host, bucket))
		return;
	probe_count(COUNTER_latency_samples, 1);
	fill_network(&network, sk);
	if (add(latencies, &network, bucket))
		probe_count(COUNTER_latency_unattributed, 1);
}

/*
 * Reading the clock is what costs most here (20-90 ns), so a socket has it read once a
 * jiffy at most: the lower ten bits of last_rtt_ns are those of the jiffy of the last look.
 * (TCP's own time stamp, tcp_mstamp, is still that of the segment before: by it a
 * connection with little traffic would miss every other sample.)
 */
static __always_inline bool is_due(struct socket_state *state)
{
	u64 last = state->last_rtt_ns, jiffy = bpf_jiffies64() & JIFFY_MASK, now;

	if (last && (last & JIFFY_MASK) == jiffy)
		return false;
	now = bpf_ktime_get_ns() & ~JIFFY_MASK;
	if (last && now < (last & ~JIFFY_MASK) + SAMPLE_INTERVAL_NS) {
		state->last_rtt_ns = (last & ~JIFFY_MASK) | jiffy;
		return false;
	}
	state->last_rtt_ns = now | jiffy;
	return true;
}

static __always_inline void look(struct sock *sk)
{
	struct socket_state *state = socket_get(sk);
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(sk);

	if (state && tcp && tcp->srtt_us && is_due(state))
		sample(sk, tcp->srtt_us >> 3);
}

SEC("tp_btf/tcp_probe")
int BPF_PROG(latency, struct sock *sk)
{
	u32 *guard = guard_enter(GUARD_LATENCY);

	look(sk);
	guard_leave(guard);
	return 0;
}

/* Segments that softirq receives while latency() runs in process context. */
SEC("tp_btf/tcp_probe")
int BPF_PROG(latency_nested, struct sock *sk)
{
	if (guard_is_taken(GUARD_LATENCY))
		look(sk);
	return 0;
}
