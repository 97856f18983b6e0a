/* SPDX-License-Identifier: MIT */
/*
 * The reader on a running host. One thread, no wake-ups from the kernel: it looks into
 * the rings on a timer, ticks each interval (cycle.h), and follows the loader wherever
 * it goes.
 */
#include "reader/live.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/notify.h"
#include "reader/begin.h"
#include "reader/complain.h"
#include "reader/confine.h"
#include "reader/cycle.h"
#include "reader/halt.h"
#include "reader/names.h"
#include "reader/walltime.h"

#define NS_PER_MS 1000000ull
/*
 * How long to sleep between looks into the rings. 1 ms and no wake-ups carry 21 M
 * records/s; 20 ms cost next to nothing, and a ring of 16 MiB holds 100 ms of 2 M/s.
 */
#define NAP_MIN_NS (1 * NS_PER_MS)
#define NAP_USED_NS (10 * NS_PER_MS)	/* at most, while records come */
#define NAP_IDLE_NS (20 * NS_PER_MS)	/* at most, while none do */
/* A pass that took this share of a ring must come again soon. */
#define BUSY_SHARE 64
/* A line waits in the buffer for at most this and a nap: below the promised 100 ms. */
#define FLUSH_NS (50 * NS_PER_MS)
/* How often to ask whether a loader was here: new rings fill meanwhile. */
#define LOOK_NS (100 * NS_PER_MS)

/* Each takes an RCU grace period (10 ms), of which taking a program off needs two or three. */
#define LAST_TICKS 20

/* At most so long, and not beyond a monotonic time by more than the shortest nap. */
static void nap_until(u64 most_ns, u64 until_ns)
{
	u64 now_ns = walltime_monotonic_ns();

	if (until_ns < now_ns + most_ns)
		most_ns = until_ns > now_ns + NAP_MIN_NS ? until_ns - now_ns : NAP_MIN_NS;
	cycle_nap(most_ns);
}

/* Nothing more is to be printed: somebody said so, or --count lines are. */
static bool is_over(const struct cycle *c)
{
	return halt_is_wanted() || !c->drain.sink->data_left || c->has_ended;
}

static int open_set(struct cycle *c, struct pinset_failure *failure)
{
	int err = -EBUSY;

	failure->step = PINSET_LOADER_BUSY;
	for (int i = 0; i < LOADER_TRIES && !halt_is_wanted(); i++) {
		if (i)
			cycle_nap(LOADER_NAP_NS);
		err = pinset_open(&c->set, c->request->pin_dir, failure);
		if (!err || failure->step != PINSET_LOADER_BUSY)
			break;
	}
	if (err)
		return err;
	cycle_begin(c);
	if (c->request->verbose)
		log_debug("opened %s: %u rings of %u bytes (generation %u), flow maps "
			  "of %u (generation %u)",
			  c->request->pin_dir, c->set.n_rings, c->set.settings.ring_bytes,
			  c->set.settings.rings_generation, c->set.settings.max_flows,
			  c->set.settings.flows_generation);
	return 0;
}

/*
 * Of a directory that has gone. The kernel takes programs off when it finds time, so they
 * may run a while longer: until a tick brings nothing any more.
 */
static int drain_last(struct cycle *c)
{
	int err = 0;

	for (int i = 0; i < LAST_TICKS && !err && !is_over(c); i++) {
		u64 before = c->drain.records + c->drain.rows;

		err = cycle_drain_all(c);
		if (c->drain.records + c->drain.rows == before)
			break;
	}
	return err;
}

/* The directory is another one, or gone: what we hold is the last that can be read. */
static int follow(struct cycle *c)
{
	struct pinset_failure failure;
	int err = drain_last(c);

	if (err || is_over(c))
		return err;
	pinset_close(&c->set);
	err = open_set(c, &failure);
	if (!err)
		return 0;
	c->has_ended = true;
	if (err == -ENOENT || err == -ENOTDIR)
		log_info("the loader was detached: nothing left to read at %s",
			c->request->pin_dir);
	else
		c->status = complain(c->request->pin_dir, &failure, err);
	return 0;
}

/* Longer and longer while there is little to do. */
static u64 next_nap(const struct cycle *c, u64 nap_ns, u64 records)
{
	const struct pin_settings *settings = &c->set.settings;
	/* Without interfaces, the packets' rings are of one page. */
	u64 bytes = settings->ring_bytes > settings->events_bytes ? settings->ring_bytes
								  : settings->events_bytes;
	u64 busy = bytes / sizeof(struct packet_record) / BUSY_SHARE;
	u64 most = records ? NAP_USED_NS : NAP_IDLE_NS;

	if (records > busy)
		return NAP_MIN_NS;
	return 2 * nap_ns < most ? 2 * nap_ns : most;
}

struct schedule {
	u64 tick_ns, look_ns;	/* monotonic times of the next ones */
	u64 nap_ns;
};

/* The next one of a steady beat; what was missed is not made up for. */
static u64 next_tick(u64 due_ns, u64 now_ns, u64 interval_ns)
{
	return due_ns + interval_ns > now_ns ? due_ns + interval_ns : now_ns + interval_ns;
}

static int do_due(struct cycle *c, struct schedule *due)
{
	u64 now_ns = walltime_monotonic_ns();
	enum pinset_change change;
	bool done;
	int err = 0;

	if (now_ns < due->look_ns && now_ns < due->tick_ns)
		return 0;
	due->look_ns = now_ns + LOOK_NS;
	change = pinset_look(&c->set);
	if (change == PINSET_GONE || change == PINSET_REPLACED)
		return follow(c);
	if (change == PINSET_LOADED || now_ns >= due->tick_ns) {
		err = cycle_tick(c, &done);
		if (done && now_ns >= due->tick_ns)
			due->tick_ns = next_tick(due->tick_ns, now_ns, c->request->interval_ns);
	}
	return err;
}

static int loop(struct cycle *c)
{
	struct sink *sink = c->drain.sink;
	struct schedule due = { .nap_ns = NAP_MIN_NS };
	int err = 0;

	while (!err && !is_over(c)) {
		u64 records = c->drain.records;

		notify_alive();
		err = cycle_drain_rings(c);
		if (!err && sink->used && walltime_monotonic_ns() - sink->oldest_ns >= FLUSH_NS)
			err = sink_flush(sink);
		if (!err)
			err = do_due(c, &due);
		if (err || is_over(c))
			break;
		due.nap_ns = next_nap(c, due.nap_ns, c->drain.records - records);
		nap_until(due.nap_ns, due.tick_ns);
	}
	return err;
}

/* What --count left is for the next reader; all else is drained. */
static void finish(struct cycle *c, int err)
{
	if (!err && c->status == STATUS_DONE && !c->has_ended && c->drain.sink->data_left)
		err = cycle_drain_all(c);
	if (!err)
		sink_flush(c->drain.sink);
}

static enum status confine(struct cycle *c)
{
	const struct request *request = c->request;

	if (request->no_sandbox)
		return STATUS_DONE;
	names_prepare(c->drain.names);
	return confine_live(request->pin_dir, names_cgroup_root(c->drain.names), request->verbose);
}

static enum status run(struct cycle *c)
{
	const u64 began_ns = walltime_boot_ns();
	struct pinset_failure failure;
	int err = open_set(c, &failure);

	if (err && halt_is_wanted())
		return STATUS_DONE;
	if (err)
		return complain(c->request->pin_dir, &failure, err);
	walltime_read(&c->drain.walltime);
	err = begin_hello(c->drain.sink);
	if (!err && confine(c) != STATUS_DONE) {
		c->status = STATUS_FAILED;
		err = -EPERM;
	}
	if (!err && c->drain.sink->outlives_us)
		err = begin_ready(c->request, c->drain.sink);
	if (!err)
		err = cycle_tell_open(c, began_ns);
	if (!err && !c->drain.sink->outlives_us)
		err = begin_ready(c->request, c->drain.sink);
	if (!err && c->request->duration_ns)
		halt_after(c->request->duration_ns);
	if (!err && !c->request->once)
		err = loop(c);
	finish(c, err);
	if (c->set.rings)
		pinset_close(&c->set);
	return c->status;
}

/* What libbpf has to say of BTF that it cannot read is no business of the user's. */
static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

enum status live_run(const struct request *request, struct sink *sink)
{
	struct cycle *c = cycle_new(request, sink);
	enum status status = STATUS_FAILED;

	libbpf_set_print(say_nothing);
	if (!c)
		log_error("%s", strerror(ENOMEM));
	else
		status = run(c);
	cycle_free(c);
	return status;
}
