/* SPDX-License-Identifier: MIT */
/*
 * The reader on a running host. One thread, no wake-ups from the kernel: it looks into
 * the rings on a timer, and each interval swaps the flow maps, drains the one that is
 * idle then, and reads the counters. Rings come after the swap and counters last, so
 * that at a quiet moment lines and counters agree to the packet.
 */
#include "reader/live.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "reader/begin.h"
#include "reader/complain.h"
#include "reader/flow_drain.h"
#include "reader/halt.h"
#include "reader/pinset.h"
#include "reader/tally.h"
#include "reader/totals.h"
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
/* A loader holds the lock for milliseconds; after that long it is stuck. */
#define LOADER_TRIES 100
#define LOADER_NAP_NS (50 * NS_PER_MS)

struct live {
	struct drain drain;		/* first: learn() is given it */
	const struct request *request;
	struct line_writer writer;
	struct pinset set;
	struct flow_drain *flows;
	struct totals *totals;
	struct tally *tally;
	u64 netns_inode;
	bool idle_is_clean;		/* the flow map that is not written is empty */
	bool has_ended;			/* nothing more can be read: detached, or failed */
	enum status status;
};

/* ---- small things ---------------------------------------------------------------- */

static void nap(u64 ns)
{
	struct timespec t = { .tv_sec = 0, .tv_nsec = (long)ns };

	nanosleep(&t, NULL);
}

/* At most so long, and not beyond a monotonic time by more than the shortest nap. */
static void nap_until(u64 most_ns, u64 until_ns)
{
	u64 now_ns = walltime_monotonic_ns();

	if (until_ns < now_ns + most_ns)
		most_ns = until_ns > now_ns + NAP_MIN_NS ? until_ns - now_ns : NAP_MIN_NS;
	nap(most_ns);
}

/* Nothing more is to be printed: somebody said so, or --count lines are. */
static bool is_over(const struct live *l)
{
	return halt_is_wanted() || !l->drain.sink->data_left || l->has_ended;
}

static u64 own_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : (u64)st.st_ino;
}

static void name_slot(struct live *l, u8 slot, const struct pin_interface *interface)
{
	char name[IF_NAMESIZE];

	/* In our namespace it may have been renamed since. */
	if (interface->netns_inode != l->netns_inode ||
	    !if_indextoname(interface->ifindex, name))
		snprintf(name, sizeof(name), "%.*s", (int)sizeof(interface->name) - 1,
			 interface->name);
	line_writer_name(&l->writer, slot, name);
	l->drain.knows[slot] = true;
}

static void name_all(struct live *l)
{
	for (unsigned int slot = 0; slot < PIN_INTERFACES_MAX; slot++)
		if (l->set.interfaces[slot].ifindex)
			name_slot(l, (u8)slot, &l->set.interfaces[slot]);
}

/* A record of an interface that was attached a moment ago. */
static void learn(struct drain *drain, u8 slot)
{
	struct live *l = (struct live *)drain;
	struct pin_interface interface;

	if (!pinset_interface(&l->set, slot, &interface) && interface.ifindex)
		name_slot(l, slot, &interface);
	l->drain.knows[slot] = true;
}

static void fail_map(struct live *l, const char *what, int err)
{
	fprintf(stderr, "reader: %s at %s: %s\n", what, l->request->pin_dir, strerror(-err));
	l->status = STATUS_FAILED;
	l->has_ended = true;
}

/* ---- draining ---------------------------------------------------------------------- */

/* All rings once. 0 or the sink's error. */
static int drain_rings(struct live *l)
{
	int err = 0;

	/* Old ones first: their records are older. */
	for (unsigned int i = l->set.n_rings + l->set.n_old_rings; i-- > 0 && !err;)
		err = ring_drain(l->set.rings[i], &l->drain);
	return err;
}

/* Empties a flow map, unless it is the active one. */
static int drain_flows(struct live *l, const struct pinset_flows *flows, u32 active_id)
{
	int map_error = 0;
	int err;

	if (flows->fd < 0 || !active_id || flows->id == active_id)
		return 0;
	err = flow_drain_map(l->flows, flows->fd, &l->drain, &map_error);
	if (map_error)
		fail_map(l, "drain a flow map", map_error);
	return err;
}

static int drain_both_flows(struct live *l, u32 active_id)
{
	int err = drain_flows(l, &l->set.flows[0], active_id);

	return err ? err : drain_flows(l, &l->set.flows[1], active_id);
}

/* What earlier generations left; it is not written any more. */
static int drain_old(struct live *l, u32 active_id)
{
	int err = 0;

	for (unsigned int i = 0; i < l->set.n_old_flows && !err; i++)
		err = drain_flows(l, &l->set.old_flows[i], active_id);
	if (!err && l->set.n_old_rings)
		err = sink_flush(l->drain.sink);
	if (!err && l->drain.sink->data_left)
		pinset_forget_old(&l->set);
	return err;
}

static int write_counters(struct live *l, const struct pinset_counts *counts)
{
	const char *ifname = l->writer.ifnames[counts->slot].text;
	size_t ifname_length = l->writer.ifnames[counts->slot].length;
	struct tally_cursor cursor = { 0 };
	u64 now_ns = walltime_unix_ns();
	int err;

	err = totals_read(l->totals, counts->totals_fd, counts->losses_fd, l->tally);
	if (err) {
		fail_map(l, "read the counters", err);
		return 0;
	}
	while (!err && !cursor.done) {
		char *end = tally_line_write(sink_next(l->drain.sink), l->tally, ifname,
					     ifname_length, now_ns, &cursor);

		err = sink_add(l->drain.sink, end, 1, NULL);
	}
	return err;
}

static int write_all_counters(struct live *l)
{
	int err = 0;

	if (l->drain.types & PRINT_COUNTERS) {
		for (unsigned int i = 0; i < l->set.n_left && !err; i++)
			err = write_counters(l, &l->set.left[i]);
		for (unsigned int i = 0; i < PIN_INTERFACES_MAX && !err; i++)
			if (l->set.counts[i].totals_fd >= 0)
				err = write_counters(l, &l->set.counts[i]);
	}
	pinset_forget_left(&l->set);
	return err;
}

/* ---- the interval -------------------------------------------------------------------- */

/*
 * Has the idle flow map written instead of the active one. Returns the id of what is
 * written then. The caller holds the lock.
 */
static u32 swap(struct live *l, u32 active_id)
{
	const struct pinset_flows *flows = l->set.flows;
	const struct pinset_flows *next = &flows[active_id == flows[0].id];
	u64 began_ns = walltime_monotonic_ns();
	int err;

	/* A loader was killed while it changed maps: its next run puts that right. */
	if (active_id != flows[0].id && active_id != flows[1].id)
		return active_id;
	err = pinset_activate_flows(&l->set, next);
	if (err) {
		fail_map(l, "swap the flow maps", err);
		return active_id;
	}
	if (l->request->verbose)
		fprintf(stderr, "reader: swapped flow maps in %.1f ms\n",
			(double)(walltime_monotonic_ns() - began_ns) / 1e6);
	return next->id;
}

static void refresh(struct live *l)
{
	struct pinset_failure failure;
	int err = pinset_refresh(&l->set, &failure);

	if (err) {
		l->status = complain(l->request->pin_dir, &failure, err);
		l->has_ended = true;
	}
	l->idle_is_clean = false;
}

/* What is drained once the maps are swapped; rings and counters in any case. */
static int drain_swapped(struct live *l, u32 active_id)
{
	int err = drain_rings(l);

	if (!err)
		err = drain_both_flows(l, active_id);
	if (!err)
		err = drain_old(l, active_id);
	l->idle_is_clean = !err && l->drain.sink->data_left;
	if (!err && l->drain.sink->data_left)
		err = write_all_counters(l);
	return err ? err : sink_flush(l->drain.sink);
}

/*
 * Everything that is due each interval. 0 or the sink's error; *ret_done: false if a
 * loader holds the lock and it must be tried again.
 */
static int tick(struct live *l, bool *ret_done)
{
	u64 began_ns = walltime_monotonic_ns(), flows = l->drain.flows;
	u32 active_id = 0;
	int err;

	walltime_read(&l->drain.walltime);
	/* Lines from rings that a refresh may retire. */
	err = sink_flush(l->drain.sink);
	/* What a reader before us left in the idle map. */
	if (!err && !l->idle_is_clean)
		err = drain_both_flows(l, pinset_active_flows(&l->set));
	*ret_done = !err && pinset_lock(&l->set);
	if (!*ret_done)
		return err;
	if (pinset_look(&l->set) == PINSET_LOADED)
		refresh(l);
	name_all(l);
	active_id = swap(l, pinset_active_flows(&l->set));
	pinset_unlock(&l->set);
	err = drain_swapped(l, active_id);
	if (l->request->verbose)
		fprintf(stderr, "reader: drained %llu flows in %.1f ms\n",
			(unsigned long long)(l->drain.flows - flows),
			(double)(walltime_monotonic_ns() - began_ns) / 1e6);
	return err;
}

/* The last drain: waits for the lock as long as a loader may need it. */
static int drain_all(struct live *l)
{
	bool done = false;
	int err = 0;

	for (int i = 0; i < LOADER_TRIES && !done && !err; i++) {
		if (i)
			nap(LOADER_NAP_NS);
		err = tick(l, &done);
	}
	if (err || done)
		return err;
	fprintf(stderr, "reader: a loader keeps %s locked: flows since the last interval are left "
			"for the next reader\n", l->request->pin_dir);
	return drain_swapped(l, 0);
}

/* ---- opening, following, the loop -------------------------------------------------------- */

static int open_set(struct live *l, struct pinset_failure *failure)
{
	int err = -EBUSY;

	failure->step = PINSET_LOADER_BUSY;
	for (int i = 0; i < LOADER_TRIES && !halt_is_wanted(); i++) {
		if (i)
			nap(LOADER_NAP_NS);
		err = pinset_open(&l->set, l->request->pin_dir, failure);
		if (!err || failure->step != PINSET_LOADER_BUSY)
			break;
	}
	if (err)
		return err;
	l->idle_is_clean = false;
	memset(l->drain.knows, 0, sizeof(l->drain.knows));
	name_all(l);
	if (l->request->verbose)
		fprintf(stderr, "reader: opened %s: %u rings of %u bytes (generation %u), flow maps "
				"of %u (generation %u)\n", l->request->pin_dir, l->set.n_rings,
			l->set.settings.ring_bytes, l->set.settings.rings_generation,
			l->set.settings.max_flows, l->set.settings.flows_generation);
	return 0;
}

/* The directory is another one, or gone: what we hold is the last that can be read. */
static int follow(struct live *l)
{
	struct pinset_failure failure;
	int err = drain_all(l);

	if (err || is_over(l))
		return err;
	pinset_close(&l->set);
	err = open_set(l, &failure);
	if (!err)
		return 0;
	l->has_ended = true;
	if (err == -ENOENT || err == -ENOTDIR)
		fprintf(stderr, "reader: the loader was detached: nothing left to read at %s\n",
			l->request->pin_dir);
	else
		l->status = complain(l->request->pin_dir, &failure, err);
	return 0;
}

/* Longer and longer while there is little to do. */
static u64 next_nap(const struct live *l, u64 nap_ns, u64 records)
{
	u64 busy = l->set.settings.ring_bytes / sizeof(struct packet_record) / BUSY_SHARE;
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

static int do_due(struct live *l, struct schedule *due)
{
	u64 now_ns = walltime_monotonic_ns();
	enum pinset_change change;
	bool done;
	int err = 0;

	if (now_ns < due->look_ns && now_ns < due->tick_ns)
		return 0;
	due->look_ns = now_ns + LOOK_NS;
	change = pinset_look(&l->set);
	if (change == PINSET_GONE || change == PINSET_REPLACED)
		return follow(l);
	if (change == PINSET_LOADED || now_ns >= due->tick_ns) {
		err = tick(l, &done);
		if (done && now_ns >= due->tick_ns)
			due->tick_ns = next_tick(due->tick_ns, now_ns, l->request->interval_ns);
	}
	return err;
}

static int loop(struct live *l)
{
	struct sink *sink = l->drain.sink;
	struct schedule due = { .nap_ns = NAP_MIN_NS };
	int err = 0;

	while (!err && !is_over(l)) {
		u64 records = l->drain.packets;

		err = drain_rings(l);
		if (!err && sink->used && walltime_monotonic_ns() - sink->oldest_ns >= FLUSH_NS)
			err = sink_flush(sink);
		if (!err)
			err = do_due(l, &due);
		if (err || is_over(l))
			break;
		due.nap_ns = next_nap(l, due.nap_ns, l->drain.packets - records);
		nap_until(due.nap_ns, due.tick_ns);
	}
	return err;
}

/* What --count left is for the next reader; all else is drained. */
static void finish(struct live *l, int err)
{
	if (!err && l->status == STATUS_DONE && !l->has_ended && l->drain.sink->data_left)
		err = drain_all(l);
	if (!err)
		sink_flush(l->drain.sink);
}

static enum status run(struct live *l)
{
	struct pinset_failure failure;
	int err = open_set(l, &failure);

	if (err && halt_is_wanted())
		return STATUS_DONE;
	if (err)
		return complain(l->request->pin_dir, &failure, err);
	walltime_read(&l->drain.walltime);
	err = begin_stream(l->request, l->drain.sink);
	if (!err && l->request->duration_ns)
		halt_after(l->request->duration_ns);
	if (!err && !l->request->once)
		err = loop(l);
	finish(l, err);
	if (l->set.rings)
		pinset_close(&l->set);
	return l->status;
}

static struct live *live_new(const struct request *request, struct sink *sink)
{
	int n_cpus = libbpf_num_possible_cpus();
	struct live *l;

	l = n_cpus > 0 ? calloc(1, sizeof(*l)) : NULL;
	if (!l)
		return NULL;
	l->request = request;
	l->drain.sink = sink;
	l->drain.writer = &l->writer;
	l->drain.types = request->types;
	l->drain.learn = learn;
	l->netns_inode = own_netns();
	line_writer_init(&l->writer);
	l->flows = flow_drain_new((unsigned int)n_cpus);
	l->totals = totals_new((unsigned int)n_cpus);
	l->tally = tally_new((unsigned int)n_cpus);
	return l;
}

enum status live_run(const struct request *request, struct sink *sink)
{
	struct live *l = live_new(request, sink);
	enum status status = STATUS_FAILED;

	if (!l || !l->flows || !l->totals || !l->tally)
		fprintf(stderr, "reader: %s\n", strerror(ENOMEM));
	else
		status = run(l);
	if (l) {
		flow_drain_free(l->flows);
		totals_free(l->totals);
		free(l->tally);
		free(l);
	}
	return status;
}
