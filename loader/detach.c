/* SPDX-License-Identifier: MIT */
/* `loader --detach`: takes the programs off, and with the last one every trace of ours. */
#include "loader/verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "loader/host.h"
#include "loader/netdev.h"
#include "loader/netns.h"
#include "loader/object.h"
#include "loader/probe.h"
#include "loader/table.h"

/* The kernel frees what was closed after an RCU grace period, or some under load. */
#define GONE_WAIT_MS 3000

struct run {
	struct pindir dir;
	struct table table;
	bool chosen[PIN_INTERFACES_MAX];
	struct census census;
	bool removed;		/* the directory too */
};

static void say_gone(const struct pin_interface *row)
{
	log_info("%.16s: the interface or its programs have gone already", row->name);
}

/* By the name it has now, or by the one that it had when it was attached. */
static int slot_of(const struct run *run, const char *name)
{
	struct netdev dev;
	int slot = -1;

	if (!netdev_get(name, &dev))
		slot = slot_find(run->table.rows, dev.ifindex, netns_own());
	if (slot < 0 || !row_is_attached(&run->table.rows[slot]))
		slot = slot_find_name(run->table.rows, name);
	return slot;
}

static int choose_slots(struct run *run, const struct arguments *args, struct failure *f)
{
	for (int i = 0; i < args->interfaces_count; i++) {
		int slot = slot_of(run, args->interfaces[i]);

		if (slot < 0)
			return failure_set(f, STATUS_FAILED,
					   "%s: not attached in %s; "
					   "--status lists what is",
					   args->interfaces[i], run->dir.path);
		run->chosen[slot] = true;
	}
	for (int slot = 0; slot < PIN_INTERFACES_MAX && !args->interfaces_count; slot++)
		run->chosen[slot] = row_is_attached(&run->table.rows[slot]);
	return 0;
}

static int detach_sites(struct run *run, unsigned int slot)
{
	struct site sites[SITES];
	int err = table_open_sites(&run->dir, &run->table, slot, sites);

	if (err)
		return err;
	for (int id = 0; id < SITES && !err; id++) {
		if (sites[id].state == SITE_LINK)
			err = census_add(&run->census, OBJECT_LINK, sites[id].link_id);
		if (!err && sites[id].state != SITE_EMPTY)
			err = census_add_prog(&run->census, sites[id].prog_id);
		if (!err)
			err = site_detach(&run->dir, &sites[id]);
	}
	table_close_sites(sites);
	return err;
}

static int detach_slot(struct run *run, unsigned int slot, struct failure *f)
{
	struct pin_interface row = run->table.rows[slot];
	int back, err = netns_enter(row.netns_inode, &back);

	if (err && err != -ENOENT)
		return failure_errno(f, err, "%.16s: enter its network namespace", row.name);
	err = detach_sites(run, slot);
	netns_leave(back);
	if (!err) {
		row.ingress_hook = row.egress_hook = PIN_HOOK_NONE;
		err = table_write_row(&run->table, slot, &row);
	}
	if (err)
		return failure_errno(f, err, "%.16s: detach", row.name);
	log_info("%.16s: detached", row.name);
	return 0;
}

static int count_map(const struct pin_match *match, const char *name, void *context)
{
	struct run *run = context;
	int fd, err;
	u32 id;

	if (match->rule->is_directory)
		return 0;
	fd = pindir_get(&run->dir, match->rule->area, "%s", name);
	if (fd < 0)
		return 0;
	err = object_map_id(fd, &id) ? 0 : census_add(&run->census, OBJECT_MAP, id);
	close(fd);
	return err;
}

static bool is_anything_attached(const struct run *run)
{
	for (int slot = 0; slot < PIN_INTERFACES_MAX; slot++)
		if (row_is_attached(&run->table.rows[slot]))
			return true;
	return false;
}

static int detach_host(struct run *run, struct failure *f)
{
	char names[64];
	u32 set = 0;
	int err = pindir_mark(&run->dir, PIN_CHANGING);	/* should we be killed half-way */

	if (!err || err == -ENOENT)	/* without private there is nothing either */
		err = host_detach(&run->dir, &run->census, &set);
	if (err)
		return failure_errno(f, err, "detach the host's probes");
	probe_names(set, names, sizeof(names));
	if (set)
		log_info("host: %s detached", names);
	return 0;
}

static int remove_directory(struct run *run, struct failure *f)
{
	pid_t reader = pindir_reader(&run->dir);

	if (detach_host(run, f))
		return -1;
	if (pindir_each(&run->dir, PIN_AREA_SHARED, count_map, run) ||
	    pindir_each(&run->dir, PIN_AREA_PRIVATE, count_map, run))
		return failure_errno(f, ENOMEM, "list %s", run->dir.path);
	table_close(&run->table);
	if (pindir_remove(&run->dir, f))
		return -1;
	run->removed = true;
	log_info("%s: removed", run->dir.path);
	if (reader)
		log_info("the reader (process %d) has what was counted last", (int)reader);
	return 0;
}

static int detach_locked(struct run *run, const struct arguments *args, struct failure *f)
{
	if (table_open(&run->dir, MAP_WRITE, &run->table, f) ||
	    table_tidy(&run->dir, &run->table, say_gone, f) || choose_slots(run, args, f))
		return -1;
	for (unsigned int slot = 0; slot < PIN_INTERFACES_MAX; slot++)
		if (run->chosen[slot] && detach_slot(run, slot, f))
			return -1;
	return is_anything_attached(run) ? 0 : remove_directory(run, f);
}

/* When we return nothing is left, except what a reader holds on to. */
static void wait_gone(struct run *run, bool reader)
{
	if (!reader)
		census_wait(&run->census, GONE_WAIT_MS);
	census_free(&run->census);
}

int detach_run(const struct arguments *args, struct failure *f)
{
	struct run run = { .dir.fd = -1, .table = { .rows_fd = -1, .settings_fd = -1 } };
	int err = pindir_open(&run.dir, args->pin_dir, f);
	bool reader = false;

	if (!err)
		err = pindir_lock(&run.dir, f);
	if (err > 0) {
		log_info("nothing is attached in %s", args->pin_dir);
		pindir_close(&run.dir);
		return 0;
	}
	if (!err) {
		reader = pindir_reader(&run.dir);
		err = detach_locked(&run, args, f);
	}
	table_close(&run.table);
	pindir_close(&run.dir);
	wait_gone(&run, reader);
	return err;
}
