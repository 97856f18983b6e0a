/* SPDX-License-Identifier: MIT */
/* What the reader does with the pinned maps, each interval and in between. */
#include "reader/cycle.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "reader/complain.h"
#include "reader/names.h"
#include "reader/sockets.h"

static u64 own_netns(void)
{
	struct stat st;

	return stat("/proc/self/ns/net", &st) ? 0 : (u64)st.st_ino;
}

static void name_slot(struct cycle *c, u8 slot, const struct pin_interface *interface)
{
	char name[IF_NAMESIZE];

	/* In our namespace it may have been renamed since. */
	if (interface->netns_inode != c->netns_inode ||
	    !if_indextoname(interface->ifindex, name))
		snprintf(name, sizeof(name), "%.*s", (int)sizeof(interface->name) - 1,
			 interface->name);
	line_writer_name(&c->writer, slot, name);
	c->drain.knows[slot] = true;
}

static void name_all(struct cycle *c)
{
	const struct pinset_map *locations = &c->set.singles[SINGLE_LOCATIONS];

	for (unsigned int slot = 0; slot < PIN_INTERFACES_MAX; slot++)
		if (c->set.interfaces[slot].ifindex)
			name_slot(c, (u8)slot, &c->set.interfaces[slot]);
	names_use_locations(c->drain.names, locations->fd, locations->id);
}

/* A record of an interface that was attached a moment ago. */
static void learn(struct drain *drain, u8 slot)
{
	struct cycle *c = (struct cycle *)drain;
	struct pin_interface interface;

	if (!pinset_interface(&c->set, slot, &interface) && interface.ifindex)
		name_slot(c, slot, &interface);
	c->drain.knows[slot] = true;
}

static void fail_map(struct cycle *c, const char *what, int err)
{
	log_error("%s at %s: %s", what, c->request->pin_dir, strerror(-err));
	c->status = STATUS_FAILED;
	c->has_ended = true;
}

void cycle_nap(u64 ns)
{
	struct timespec t = { .tv_sec = 0, .tv_nsec = (long)ns };

	nanosleep(&t, NULL);
}

/* ---- rings and folded maps ------------------------------------------------------------ */

int cycle_drain_rings(struct cycle *c)
{
	int err = 0;

	/* Old ones first: their records are older. */
	for (unsigned int i = c->set.n_rings + c->set.n_old_rings; i-- > 0 && !err;)
		err = ring_drain(c->set.rings[i], &c->drain);
	if (!err && c->set.events)
		err = ring_drain(c->set.events, &c->drain);
	return err;
}

static int drain_map(struct cycle *c, int kind, int fd)
{
	int map_error = 0;
	int err = map_drain(c->maps, &folded_kinds[kind], fd, &c->drain, &map_error);

	if (map_error)
		fail_map(c, "drain a folded map", map_error);
	return err;
}

/* The half of the cells that is not written. */
static int drain_cells(struct cycle *c, const struct pinset_active *active)
{
	const u32 n = c->set.n_pages / 2;

	if (!c->set.pages || active->cells == PINSET_UNKNOWN)
		return 0;
	return cells_drain(c->cells, &c->set.pages[!active->cells * n], n, &c->drain);
}

/* Those of the maps in use that are not written. */
static int drain_idle(struct cycle *c, const struct pinset_active *active)
{
	int err = drain_cells(c, active);

	for (int kind = 0; kind < FOLDED_KINDS; kind++)
		for (int i = 0; i < 2 && !err; i++)
			if (pinset_is_quiet(&c->set, active, kind, i))
				err = drain_map(c, kind, c->set.pairs[kind][i].fd);
	return err;
}

/*
 * What earlier generations left; it is not written any more. (A flow map that is was put
 * there by a loader that did not come to its end.)
 */
static int drain_old(struct cycle *c, const struct pinset_active *active)
{
	int err = 0;

	for (unsigned int i = 0; i < c->set.n_old_maps && !err; i++) {
		const struct pinset_old *old = &c->set.old_maps[i];

		if (active->flows_id && active->flows_id != old->map.id)
			err = drain_map(c, old->kind, old->map.fd);
	}
	if (!err && c->set.n_old_rings)
		err = sink_flush(c->drain.sink);
	if (!err && c->drain.sink->data_left)
		pinset_forget_old(&c->set);
	return err;
}

/*
 * Once the connection probe is there: the connections established before that boot time;
 * all others it has told of. Best effort.
 */
static int drain_sockets(struct cycle *c, u64 before_ns)
{
	const u32 probes = c->set.settings.probes, bit = 1u << HOST_PROBE_CONNECTION;
	char path[4096];
	int fd, err = 0;

	if (probes & ~c->walked & bit && c->drain.types & PRINT_CONNECTION) {
		snprintf(path, sizeof(path), "%s/%s", c->request->pin_dir, PIN_SOCKETS);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			err = sockets_read(fd, before_ns, &c->drain);
			close(fd);
		}
	}
	c->walked = probes;
	return err;
}

int cycle_tell_open(struct cycle *c, u64 before_ns)
{
	int err = c->set.events ? ring_drain(c->set.events, &c->drain) : 0;

	return err ? err : drain_sockets(c, before_ns);
}

/* ---- counters ------------------------------------------------------------------------- */

static int add_line(struct cycle *c, const char *end)
{
	return sink_add(c->drain.sink, end, 1, NULL);
}

static int write_counters(struct cycle *c, const struct pinset_counts *counts)
{
	const char *ifname = c->writer.ifnames[counts->slot].text;
	size_t ifname_length = c->writer.ifnames[counts->slot].length;
	struct tally_cursor cursor = { 0 };
	u64 now_ns = walltime_unix_ns();
	int err;

	err = totals_read(c->totals, counts->totals_fd, counts->losses_fd, c->tally);
	if (err) {
		fail_map(c, "read the counters", err);
		return 0;
	}
	while (!err && !cursor.done)
		err = add_line(c, tally_line_write(sink_next(c->drain.sink), c->tally, ifname,
						   ifname_length, now_ns, &cursor));
	return err;
}

static int write_probes(struct cycle *c)
{
	const int fd = c->set.singles[SINGLE_PROBE_COUNTERS].fd;
	u64 counters[PROBE_COUNTERS], now_ns = walltime_unix_ns();
	int err;

	if (!c->set.probes || fd < 0)
		return 0;
	err = probe_totals_read_counters(c->probe_totals, fd, counters);
	if (err) {
		fail_map(c, "read the probes' counters", err);
		return 0;
	}
	for (unsigned int probe = 0; probe < HOST_PROBES && !err; probe++)
		if (c->set.probes & 1u << probe)
			err = add_line(c, probe_line_write(sink_next(c->drain.sink), probe, counters,
							   now_ns));
	return err;
}

static int write_drop_counters(struct cycle *c)
{
	const int fd = c->set.singles[SINGLE_DROP_TOTALS].fd;
	struct drop_total *rows;
	unsigned int n, cursor = 0;
	u64 now_ns = walltime_unix_ns();
	int err;

	if (!(c->set.probes & 1u << HOST_PROBE_DROP) || fd < 0)
		return 0;
	err = probe_totals_read_drops(c->probe_totals, fd, &rows, &n);
	if (err) {
		fail_map(c, "read the totals of drops", err);
		return 0;
	}
	for (unsigned int i = 0; i < n; i++)
		rows[i].reason = names_reason(c->drain.names, rows[i].key.reason);
	do
		err = add_line(c, drop_counters_line_write(sink_next(c->drain.sink), rows, n, now_ns,
							   &cursor));
	while (!err && cursor < n);
	return err;
}

static int write_all_counters(struct cycle *c)
{
	int err = 0;

	if (c->drain.types & PRINT_COUNTERS) {
		for (unsigned int i = 0; i < c->set.n_left && !err; i++)
			err = write_counters(c, &c->set.left[i]);
		for (unsigned int i = 0; i < PIN_INTERFACES_MAX && !err; i++)
			if (c->set.counts[i].totals_fd >= 0)
				err = write_counters(c, &c->set.counts[i]);
		if (!err)
			err = write_probes(c);
		if (!err)
			err = write_drop_counters(c);
	}
	pinset_forget_left(&c->set);
	return err;
}

/* ---- the interval ----------------------------------------------------------------------- */

/* Has the idle maps written instead of the active ones. The caller holds the lock. */
static void swap(struct cycle *c, struct pinset_active *active)
{
	u64 began_ns = walltime_monotonic_ns();
	int err = pinset_swap(&c->set, active);

	/* A loader was killed while it changed maps: its next run puts that right. */
	if (err && err != -EAGAIN)
		fail_map(c, "swap the folded maps", err);
	if (!err && c->request->verbose)
		log_debug("swapped folded maps in %.1f ms",
			  (double)(walltime_monotonic_ns() - began_ns) / 1e6);
}

static void refresh(struct cycle *c)
{
	struct pinset_failure failure;
	int err = pinset_refresh(&c->set, &failure);

	if (err) {
		c->status = complain(c->request->pin_dir, &failure, err);
		c->has_ended = true;
	}
	c->idle_is_clean = false;
}

/* What is drained once the maps are swapped; rings and counters in any case. */
static int drain_swapped(struct cycle *c, const struct pinset_active *active)
{
	int err = cycle_drain_rings(c);

	if (!err)
		err = drain_sockets(c, c->set.settings.loaded_ns);
	if (!err)
		err = drain_idle(c, active);
	if (!err)
		err = drain_old(c, active);
	c->idle_is_clean = !err && c->drain.sink->data_left;
	if (!err && c->drain.sink->data_left)
		err = write_all_counters(c);
	return err ? err : sink_flush(c->drain.sink);
}

int cycle_tick(struct cycle *c, bool *ret_done)
{
	u64 began_ns = walltime_monotonic_ns(), rows = c->drain.rows;
	struct pinset_active active;
	int err;

	walltime_read(&c->drain.walltime);
	/* Lines from rings that a refresh may retire. */
	err = sink_flush(c->drain.sink);
	/* What a reader before us left in the idle maps. */
	pinset_read_active(&c->set, &active);
	if (!err && !c->idle_is_clean)
		err = drain_idle(c, &active);
	*ret_done = !err && pinset_lock(&c->set);
	if (!*ret_done)
		return err;
	if (pinset_look(&c->set) == PINSET_LOADED)
		refresh(c);
	name_all(c);
	pinset_read_active(&c->set, &active);
	swap(c, &active);
	pinset_unlock(&c->set);
	err = drain_swapped(c, &active);
	if (c->request->verbose)
		log_debug("drained %llu rows in %.1f ms",
			  (unsigned long long)(c->drain.rows - rows),
			  (double)(walltime_monotonic_ns() - began_ns) / 1e6);
	return err;
}

int cycle_drain_all(struct cycle *c)
{
	struct pinset_active unknown = { .cells = PINSET_UNKNOWN };
	bool done = false;
	int err = 0;

	for (int i = 0; i < LOADER_TRIES && !done && !err; i++) {
		if (i)
			cycle_nap(LOADER_NAP_NS);
		err = cycle_tick(c, &done);
	}
	if (err || done)
		return err;
	log_warning("a loader keeps %s locked: what was folded since the last interval "
		    "is left for the next reader",
		    c->request->pin_dir);
	for (int kind = 0; kind < FOLD_KINDS; kind++)
		unknown.fold[kind] = PINSET_UNKNOWN;
	return drain_swapped(c, &unknown);
}

/* ---- beginning, ending --------------------------------------------------------------------- */

void cycle_begin(struct cycle *c)
{
	c->idle_is_clean = false;
	c->walked = 0;
	memset(c->drain.knows, 0, sizeof(c->drain.knows));
	name_all(c);
}

struct cycle *cycle_new(const struct request *request, struct sink *sink)
{
	int n_cpus = libbpf_num_possible_cpus();
	struct cycle *c;

	c = n_cpus > 0 ? calloc(1, sizeof(*c)) : NULL;
	if (!c)
		return NULL;
	c->request = request;
	c->drain.sink = sink;
	c->drain.writer = &c->writer;
	c->drain.types = request->types;
	c->drain.learn = learn;
	c->drain.names = names_new();
	c->netns_inode = own_netns();
	line_writer_init(&c->writer);
	c->cells = cells_new();
	c->maps = map_drain_new((unsigned int)n_cpus);
	c->totals = totals_new((unsigned int)n_cpus);
	c->tally = tally_new((unsigned int)n_cpus);
	c->probe_totals = probe_totals_new((unsigned int)n_cpus);
	if (c->drain.names && c->cells && c->maps && c->totals && c->tally && c->probe_totals)
		return c;
	cycle_free(c);
	return NULL;
}

void cycle_free(struct cycle *c)
{
	if (!c)
		return;
	names_free(c->drain.names);
	free(c->cells);
	map_drain_free(c->maps);
	totals_free(c->totals);
	probe_totals_free(c->probe_totals);
	free(c->tally);
	free(c);
}
