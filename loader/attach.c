/* SPDX-License-Identifier: MIT */
/*
 * `loader [IFACE...]`: all that can fail without a change is done first, then each
 * interface is changed, then the table is written. What fails on the way is undone,
 * what a crash leaves is cleared by the next run.
 */
#include "loader/verbs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "loader/clock.h"
#include "loader/features.h"
#include "loader/host.h"
#include "loader/netns.h"
#include "loader/target.h"

/* A reader drains old maps when its interval comes round; longer ones are not awaited. */
#define DRAIN_WAIT_MS 2000
#define DRAIN_POLL_MS 20

struct run {
	const struct arguments *args;
	struct pindir dir;
	struct table table;
	struct mapset maps;
	struct pin_settings settings;	/* to be in force */
	struct target *targets;
	unsigned int count;
	struct target_context context;
	struct host host;
	u32 probes;			/* that are wished for: a set */
	bool interrupted;		/* a loader before died while it changed things */
};

static int find_device(const char *name, struct netdev *ret_dev, struct failure *f)
{
	int err = netdev_get(name, ret_dev);

	if (err == -ENODEV)
		return failure_set(f, STATUS_FAILED, "%s: no such interface; ip link lists "
				   "those there are", name);
	if (err)
		return failure_errno(f, err, "%s: ask the kernel of it", name);
	if (!netdev_is_ethernet(ret_dev))
		return failure_set(f, STATUS_UNSUPPORTED, "%s: its frames have no Ethernet header "
				   "(link type %u); attach to the interface that it runs over",
				   name, ret_dev->arphrd);
	return 0;
}

static int find_devices(struct run *run, struct failure *f)
{
	run->targets = calloc(PIN_INTERFACES_MAX + (size_t)run->args->interfaces_count,
			      sizeof(*run->targets));
	if (!run->targets)
		return failure_errno(f, ENOMEM, "make a table of interfaces");
	for (int i = 0; i < run->args->interfaces_count; i++) {
		struct target *t = &run->targets[run->count];
		bool again = false;

		if (find_device(run->args->interfaces[i], &t->dev, f))
			return -1;
		for (unsigned int k = 0; k < run->count; k++)
			again = again || run->targets[k].dev.ifindex == t->dev.ifindex;
		t->named = true;
		t->foreign.prog_fd = -1;
		run->count += !again;
	}
	return 0;
}

static void say_directory(const struct pindir *d)
{
	if (*d->mounted)
		log_info("mounted a bpffs on %s", d->mounted);
	if (*d->opened_up)
		log_info("made %s searchable (chmod o+x) so that group %u reaches its pins",
			 d->opened_up, (unsigned int)d->gid);
	if (*d->unreachable)
		log_warning("group %u cannot pass through %s; chmod o+x %s lets it reach its pins",
			    (unsigned int)d->gid, d->unreachable, d->unreachable);
}

static void say_gone(const struct pin_interface *row)
{
	log_warning("%.16s: the interface or its programs have gone; its slot is detached",
		    row->name);
}

static void say_rounded(const struct run *run)
{
	if (run->args->ring_bytes && run->args->ring_bytes != run->settings.ring_bytes)
		log_info("--ring-size rounded up to %u bytes a CPU", run->settings.ring_bytes);
}

/* The id of our own XDP program there, 0 if there is none. */
static u32 own_xdp_program(const struct run *run, int slot)
{
	struct site site;
	u32 id = 0;

	if (slot < 0 || site_open(&run->dir, (unsigned int)slot, SITE_XDP, 0, 0, &site))
		return 0;
	if (site.state == SITE_LINK)
		id = site.prog_id;
	site_close(&site);
	return id;
}

/* Behind a foreign XDP program TC counts only what that lets through: who wants it says so. */
static int check_foreign(const struct run *run, struct target *t, int slot, struct failure *f)
{
	bool kept = t->choice.hook == PIN_HOOK_TC && slot >= 0 &&
		    run->table.rows[slot].ingress_hook == PIN_HOOK_TC;
	struct foreign *foreign = &t->foreign;

	if (run->args->hook == PIN_HOOK_TC || kept ||
	    !foreign_find(t->dev.ifindex, own_xdp_program(run, slot), foreign))
		return 0;
	t->foreign_found = true;
	if (run->args->replace)
		return 0;
	return failure_set(f, STATUS_FAILED, "%s: an XDP program is already attached (id %u, name "
			   "'%s', mode %s); --replace to take its place, or --hook tc to count "
			   "without XDP", t->dev.name, foreign->prog_id, foreign->name,
			   foreign->mode);
}

static int choose_hooks(struct run *run, struct failure *f)
{
	for (unsigned int i = 0; i < run->count; i++) {
		struct target *t = &run->targets[i];
		int slot = slot_find(run->table.rows, t->dev.ifindex, netns_own());

		t->choice = hook_choose(&t->dev, run->args->hook,
					slot < 0 ? PIN_HOOK_NONE
						 : run->table.rows[slot].ingress_hook);
		if (check_foreign(run, t, slot, f))
			return -1;
	}
	return 0;
}

static bool is_named(const struct run *run, const struct pin_interface *row)
{
	for (unsigned int i = 0; i < run->count; i++)
		if (run->targets[i].named && run->targets[i].dev.ifindex == row->ifindex &&
		    row->netns_inode == netns_own())
			return true;
	return false;
}

/* An interface that was attached before and takes the new options over. */
static void add_unnamed(struct run *run, unsigned int slot)
{
	const struct pin_interface *row = &run->table.rows[slot];
	struct target *t = &run->targets[run->count++];
	int back = -1;

	*t = (struct target){ .slot = slot, .foreign.prog_fd = -1 };
	t->dev.ifindex = row->ifindex;
	memcpy(t->dev.name, row->name, sizeof(t->dev.name) - 1);
	t->elsewhere = netns_enter(row->netns_inode, &back) ||
		       !netdev_name(row->ifindex, t->dev.name);
	netns_leave(back);
	t->choice = (struct hook_choice){ row->ingress_hook, PIN_HOOK_NONE, "as it was" };
}

static void add_others(struct run *run)
{
	const struct pin_settings *was = &run->table.settings;
	bool programs_change = run->interrupted ||
			       was->packet_lines != run->settings.packet_lines ||
			       memcmp(was->only, run->settings.only, sizeof(was->only)) != 0;

	for (unsigned int slot = 0; slot < PIN_INTERFACES_MAX && programs_change; slot++)
		if (row_is_attached(&run->table.rows[slot]) &&
		    !is_named(run, &run->table.rows[slot]))
			add_unnamed(run, slot);
}

static int prepare_all(struct run *run, struct failure *f)
{
	for (unsigned int i = 0; i < run->count; i++) {
		struct target *t = &run->targets[i];
		int slot = (int)t->slot;

		if (t->named)
			slot = slot_find(run->table.rows, t->dev.ifindex, netns_own());
		if (slot < 0)
			slot = slot_choose(run->table.rows);
		if (slot < 0)
			return failure_set(f, STATUS_FAILED, "%s: all %d slots of %s are attached; "
					   "another --pin-dir has room", t->dev.name,
					   PIN_INTERFACES_MAX, run->dir.path);
		t->slot = (unsigned int)slot;
		if (target_prepare(t, &run->context, f)) {
			target_undo(t, &run->context);
			target_close(t);
			run->count = i;
			return -1;
		}
	}
	return 0;
}

static void undo_all(struct run *run, unsigned int count)
{
	while (count)
		target_undo(&run->targets[--count], &run->context);
}

static int commit(struct run *run, struct failure *f)
{
	int err = mapset_switch(&run->dir, &run->maps, &run->settings);

	for (unsigned int i = 0; i < run->count && !err; i++)
		err = target_commit(&run->targets[i], &run->context);
	run->settings.loaded_ns = clock_boot_ns();
	run->settings.probes = host_in_force(&run->host);
	if (!err)
		err = table_write_settings(&run->table, &run->settings);
	if (!err)
		err = pindir_drop(&run->dir, PIN_AREA_PRIVATE, PIN_CHANGING);
	return err ? failure_errno(f, err, "write the tables of %s", run->dir.path) : 0;
}

static int change_targets(struct run *run, struct failure *f)
{
	for (unsigned int i = 0; i < run->count; i++)
		if (target_change(&run->targets[i], &run->context, f))
			return -1;
	return 0;
}

static int change_all(struct run *run, struct failure *f)
{
	int err = pindir_mark(&run->dir, PIN_CHANGING);

	if (err)
		return failure_errno(f, err, "write to %s", run->dir.path);
	if (change_targets(run, f) || host_change(&run->host, run->settings.drop_lines, f)) {
		undo_all(run, run->count);
		mapset_undo(&run->dir, &run->maps, &run->settings);
		if (!run->interrupted)
			pindir_drop(&run->dir, PIN_AREA_PRIVATE, PIN_CHANGING);
		return -1;
	}
	return commit(run, f);
}

static void say_targets(const struct run *run)
{
	for (unsigned int i = 0; i < run->count; i++) {
		const struct target *t = &run->targets[i];
		u8 hook = t->fell_back ? t->choice.fallback : t->choice.hook;

		if (t->skipped)
			log_warning("%s: out of reach in another network namespace; run it there to "
			    "renew its programs", t->dev.name);
		else
			log_info("%s: ingress %s, egress tc (%s)", t->dev.name, hook_name(hook),
			    t->fell_back ? "its driver has no native XDP" : t->choice.reason);
		if (t->foreign_found)
			log_info("%s: took the place of XDP program id %u, name '%s'", t->dev.name,
			    t->foreign.prog_id, t->foreign.name);
	}
}

static void say_probes(u32 set, const char *what)
{
	char names[64];

	probe_names(set, names, sizeof(names));
	if (set)
		log_info("host: %s %s", names, what);
}

static bool is_alike(const struct host_missing *a, const struct host_missing *b)
{
	return a->err == b->err && probe_without(a->program) == probe_without(b->program);
}

/* One line for all that are missing for the same reason, by the first of them. */
static void say_missing(const struct host *h, unsigned int first)
{
	const struct host_missing *m = &h->missing[first];
	char names[256] = "";
	size_t used = 0;

	for (unsigned int i = 0; i < h->missing_count && used < sizeof(names); i++) {
		if (!is_alike(&h->missing[i], m))
			continue;
		if (i < first)
			return;
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 used ? ", " : "", h->missing[i].program);
	}
	log_warning("host: without %s (%s): %s", names, m->err == -ESRCH ? "no such tracepoint here"
							  : strerror(-m->err),
	    probe_without(m->program));
}

static void say_host(const struct run *run)
{
	const struct host *h = &run->host;

	say_probes(h->kept, "unchanged");
	say_probes(h->attached & ~h->replaced, "attached");
	say_probes(h->replaced, "replaced by another program; what happened meanwhile is not "
				"counted");
	say_probes(h->detached, "detached; what they counted stays until --detach");
	for (unsigned int i = 1; i < probe_rows_count; i++)
		if (h->left_out >> i & 1)
			log_warning("host: %s left out: %s", probe_rows[i].name, h->answer.why[i]);
	for (unsigned int i = 0; i < h->missing_count; i++)
		say_missing(h, i);
	if (h->walk_err)
		log_warning("host: the walk over open sockets failed (%s): those that were open before have "
		    "no owner until they are used", strerror(-h->walk_err));
}

static void say_attached(const struct run *run)
{
	say_targets(run);
	say_host(run);
}

/* Old maps go when the reader has drained them. It needs the lock for that. */
static int sweep(struct run *run, struct failure *f)
{
	int left = mapset_sweep(&run->dir, &run->settings);
	u64 end = clock_monotonic_ms() + DRAIN_WAIT_MS;
	int gone = 0;

	while (left > 0 && !gone && pindir_reader(&run->dir) && clock_monotonic_ms() < end) {
		pindir_unlock(&run->dir);
		clock_pause_ms(DRAIN_POLL_MS);
		gone = pindir_lock(&run->dir, f);
		if (!gone)
			left = mapset_sweep(&run->dir, &run->settings);
	}
	if (left > 0 && !gone)
		log_info(
			"%d map%s of an old size still hold%s what the reader has not drained; the "
			"next run removes what is empty",
			left, left == 1 ? "" : "s", left == 1 ? "s" : "");
	if (left < 0)
		return failure_errno(f, left, "remove old maps in %s", run->dir.path);
	return gone < 0 ? -1 : 0;
}

/* A directory in which no loader has ever finished is not left behind. */
static void clear_fresh(struct run *run)
{
	struct failure ignored;

	for (unsigned int slot = 0; slot < PIN_INTERFACES_MAX; slot++)
		if (row_is_attached(&run->table.rows[slot]))
			return;
	if (run->dir.fresh)
		pindir_remove(&run->dir, &ignored);
}

/* No interface has ever had a slot. */
static bool is_idle(const struct run *run)
{
	for (unsigned int slot = 0; slot < PIN_INTERFACES_MAX; slot++)
		if (run->table.rows[slot].ifindex)
			return false;
	return true;
}

static void take_settings(struct run *run)
{
	const u32 page = (u32)sysconf(_SC_PAGESIZE);

	run->interrupted = pindir_is_marked(&run->dir, PIN_CHANGING);
	run->settings = run->table.settings;
	run->probes = arguments_probes(run->args, &run->settings);
	arguments_settings(run->args, page, is_idle(run), &run->settings);
}

static int prepare_host(struct run *run, struct failure *f)
{
	const struct host_wish wish = {
		.probes = run->probes & PROBES_HOST,
		.named = run->args->probe.named & PROBES_HOST,
		.interrupted = run->interrupted,
	};

	const struct host *h = &run->host;
	int err;

	if (host_prepare(&run->host, &run->dir, &wish, &run->maps, f))
		return -1;
	for (unsigned int i = 1; i < probe_rows_count; i++)
		if (!run->count && !h->kept && !h->to_attach && h->left_out >> i & 1)
			return failure_set(f, STATUS_UNSUPPORTED, "no probe of the host can be "
					   "attached: %s", h->answer.why[i]);
	err = mapset_trim(&run->dir, wish.probes & ~h->left_out, &run->maps, &run->settings);
	return err ? failure_errno(f, err, "remove maps that nobody uses") : 0;
}

static int attach_locked(struct run *run, struct failure *f)
{
	if (table_open(&run->dir, MAP_MAKE, &run->table, f) ||
	    table_tidy(&run->dir, &run->table, say_gone, f) || choose_hooks(run, f))
		return -1;
	take_settings(run);
	say_rounded(run);
	add_others(run);
	if (mapset_make(&run->dir, run->probes, &run->settings, &run->maps, f))
		return -1;
	run->context = (struct target_context){
		.dir = &run->dir,
		.table = &run->table,
		.maps = &run->maps,
		.settings = &run->settings,
		.tcx = feature_ask(FEATURE_TCX) == FEATURE_YES,
		.xdp_frags = feature_ask(FEATURE_XDP_FRAGS) == FEATURE_YES,
	};
	if (prepare_host(run, f) || prepare_all(run, f)) {
		undo_all(run, run->count);
		mapset_undo(&run->dir, &run->maps, &run->settings);
		return -1;
	}
	return change_all(run, f);
}

/* A signal in the middle waits for the end: it is a matter of milliseconds. */
static void hold_signals(bool hold)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static void close_all(struct run *run)
{
	host_close(&run->host);
	for (unsigned int i = 0; i < run->count && run->context.dir; i++)
		target_close(&run->targets[i]);
	free(run->targets);
	mapset_close(&run->maps);
	table_close(&run->table);
	pindir_close(&run->dir);
}

/* Who may not load programs is told so before anything is made. */
static int check_permission(struct failure *f)
{
	if (feature_ask(FEATURE_XDP_FRAGS) != FEATURE_UNKNOWN)
		return 0;
	return failure_errno(f, EPERM, "load BPF programs");
}

int attach_run(const struct arguments *args, struct failure *f)
{
	struct run run = {
		.args = args,
		.dir.fd = -1,
		.table = { .rows_fd = -1, .settings_fd = -1 },
		.maps = MAPSET_CLOSED,
	};
	int err = check_permission(f);

	if (!err)
		err = find_devices(&run, f);
	if (!err)
		err = pindir_make(&run.dir, args->pin_dir, args->group, f);
	if (!err) {
		say_directory(&run.dir);
		hold_signals(true);
		err = attach_locked(&run, f);
		if (err)
			clear_fresh(&run);
		else
			say_attached(&run);
		hold_signals(false);
	}
	if (!err)
		err = sweep(&run, f);
	close_all(&run);
	return err;
}
