/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the probes of the host share: counters, the ring of events, maps that are
 * folded into, and the guard for programs that are interrupted by themselves.
 *
 * These probes run in process context and in softirq, and one may interrupt the other
 * on the same CPU: adds are atomic, also to per-CPU values.
 */
#ifndef JOPIL_PROBE_H
#define JOPIL_PROBE_H

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "common/pins.h"
#include "common/probe_counters.h"
#include "common/records.h"

/* All maps here are defined in probe.bpf.c. */

struct probe_counters {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PROBE_COUNTERS);
	__type(key, u32);
	__type(value, u64);
};

extern struct probe_counters probe_counters SEC(".maps");

/* One row, written by the loader while the programs run. */
struct probe_configs {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct probe_config);
};

extern struct probe_configs probe_config SEC(".maps");

/* Which map of each pair is written; the reader changes it. */
struct fold_active {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FOLD_KINDS);
	__type(key, u32);
	__type(value, u32);
};

extern struct fold_active fold_active SEC(".maps");

/* The ring in use. The loader makes and inserts it. */
struct event_rings {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, u32);
	__array(values, struct {
		__uint(type, BPF_MAP_TYPE_RINGBUF);
		__uint(max_entries, 4096);
	});
};

extern struct event_rings event_ring SEC(".maps");

static __always_inline void probe_count(enum probe_counter counter, u64 number)
{
	u32 row = counter;
	u64 *value = bpf_map_lookup_elem(&probe_counters, &row);

	if (value)
		__sync_fetch_and_add(value, number);
}

/* The map of a pair (an array of two maps) that is written now; NULL: the loader made none. */
static __always_inline void *fold_map(void *pair, enum fold_kind kind)
{
	u32 row = kind, *active = bpf_map_lookup_elem(&fold_active, &row);

	return active ? bpf_map_lookup_elem(pair, active) : NULL;
}

/* Room for one record in the ring, not zeroed; NULL: it is full. size is a constant. */
static __always_inline void *event_reserve(u64 size)
{
	u32 zero = 0;
	void *ring = bpf_map_lookup_elem(&event_ring, &zero);

	return ring ? bpf_ringbuf_reserve(ring, size, 0) : NULL;
}

/* The reader polls: no wake-up. */
static __always_inline void event_submit(void *record)
{
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

/*
 * The kernel runs a tracing program not again on a CPU where it runs already. What comes
 * by meanwhile is missed, and there are two ways to come by:
 *
 * A softirq interrupts a run in process context. Each hook that both come by has a second
 * program, <name>_nested, for what the first one misses.
 *
 * From Linux 7.0 tracepoints can be preempted: another task gets the CPU in the middle of
 * a run, also one of the second program, and is missed until the first one goes on. (To
 * forbid it within the program is no help: a task whose time is up then goes at the end of
 * that, still in its run.) There <name>_spare_1 ... stand by as well, for hooks that count.
 *
 * Which of them works? Where a socket remembers what was said of it, whichever comes first
 * (connection.bpf.c). Where they all run in process context, the task remembers, see
 * task_turn(). Otherwise the second one does if and only if the first one is running:
 *
 *	first:	u32 *guard = guard_enter(GUARD_DROP); ... work ...; guard_leave(guard);
 *	nested:	if (guard_is_taken(GUARD_DROP)) ... work ...;
 *
 * which is exact as long as nobody gets the CPU between nested and first.
 *
 * (Misses of one alone, recursion_misses in its info, are harmless unless all the others
 * missed as well.)
 */
enum guard {
	GUARD_DROP,
	GUARD_LATENCY,
	GUARDS,
};

struct guards {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GUARDS);
	__type(key, u32);
	__type(value, u32);
};

extern struct guards guards SEC(".maps");

static __always_inline u32 *guard_enter(enum guard guard)
{
	u32 row = guard, *taken = bpf_map_lookup_elem(&guards, &row);

	if (taken)
		*(volatile u32 *)taken = 1;
	return taken;
}

static __always_inline void guard_leave(u32 *taken)
{
	if (taken)
		*(volatile u32 *)taken = 0;
}

static __always_inline bool guard_is_taken(enum guard guard)
{
	u32 row = guard, *taken = bpf_map_lookup_elem(&guards, &row);

	return taken && *(volatile u32 *)taken;
}

/*
 * Hooks that only tasks come by, where a task remembers which of a hook's programs ran
 * last. They run in the order of their numbers, from 1: whoever finds a lower one has been
 * forestalled; the same or a higher one is from the time before.
 */
enum turn {
	TURN_SEND,
	TURN_RECEIVE,
	TURNS,
};

struct turns {
	u8 last[8];		/* by enum turn; 0: none */
};

struct task_turns {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct turns);
};

extern struct task_turns task_turns SEC(".maps");

/* Set by the loader: spares are loaded. */
extern const volatile u8 tracepoints_are_preemptible;

/* True if it falls to this program; without memory only to the first one. */
static __always_inline bool task_turn(struct task_struct *task, enum turn turn, u8 number)
{
	struct turns *turns;
	u8 last;

	if (!tracepoints_are_preemptible)
		return number == 1;
	turns = bpf_task_storage_get(&task_turns, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!turns)
		return number == 1;
	last = turns->last[turn];
	turns->last[turn] = number;
	return !last || last >= number;
}

/*
 * Before Linux 6.3 there is neither sock_send_length nor sock_recv_length. In their place
 * functions are called, proto_ops.sendmsg and so on. Programs at the ends of these (fexit)
 * do the same work: <name>_exit_... for <name>, loaded only where its tracepoint is not there,
 * and where nobody gets the CPU in the middle of one. (Spares were not enough there: on 6.1
 * they lost 2 calls in 100, it seems as task storage refuses whoever comes meanwhile.)
 */
#define SENDMSG_EXIT(name, function, work) \
	SEC("fexit/" #function) \
	int BPF_PROG(name, struct socket *socket, struct msghdr *message, u64 size, int ret) \
	{ \
		work; \
		return 0; \
	}

/* Up to 6.4 splice() and sendfile() send page by page. */
#define SENDPAGE_EXIT(name, function, work) \
	SEC("fexit/" #function) \
	int BPF_PROG(name, struct socket *socket, struct page *page, int offset, u64 size, \
		     int flags, int ret) \
	{ \
		work; \
		return 0; \
	}

#define RECVMSG_EXIT(name, function, work) \
	SEC("fexit/" #function) \
	int BPF_PROG(name, struct socket *socket, struct msghdr *message, u64 size, int flags, \
		     int ret) \
	{ \
		work; \
		return 0; \
	}

#endif
