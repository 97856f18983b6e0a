/* SPDX-License-Identifier: MIT */
/* One interface on its way from what hangs there to what should; it can go back. */
#include "loader/target.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader/clock.h"
#include "loader/netns.h"
#include "loader/settle.h"

#define ENOTSUPP 524	/* the kernel's own */

static struct occupied occupied_now(const struct target *t)
{
	return (struct occupied){
		.xdp = t->sites[SITE_XDP].state == SITE_EMPTY ? PIN_HOOK_NONE
							      : t->sites[SITE_XDP].hook,
		.ingress = t->sites[SITE_INGRESS].state != SITE_EMPTY,
		.egress = t->sites[SITE_EGRESS].state != SITE_EMPTY,
	};
}

/* A row before anything hangs there: what a crash leaves is then found by the slot. */
static int reserve_slot(struct target *t, const struct target_context *c)
{
	struct pin_interface row = {
		.ifindex = t->dev.ifindex,
		.netns_inode = netns_own(),
		.attached_ns = clock_boot_ns(),
	};
	bool taken_over = t->before.ifindex;
	int err = 0;

	memcpy(row.name, t->dev.name, sizeof(row.name));
	if (taken_over) {	/* from an interface that was detached long ago */
		err = pindir_drop(c->dir, PIN_AREA_SHARED, PIN_TOTALS, t->slot);
		if (!err)
			err = pindir_drop(c->dir, PIN_AREA_SHARED, PIN_LOSSES, t->slot);
	}
	return err ? err : table_write_row(c->table, t->slot, &row);
}

static bool is_same_interface(const struct target *t)
{
	return t->before.ifindex == t->dev.ifindex &&
	       (!t->named || t->before.netns_inode == netns_own());
}

static int open_maps(struct target *t, const struct target_context *c)
{
	int fd = mapset_totals(c->dir, t->slot, MAP_WRITE);

	t->new_maps = fd == -ENOENT;
	t->totals = t->new_maps ? mapset_totals(c->dir, t->slot, MAP_MAKE) : fd;
	t->losses = mapset_losses(c->dir, t->slot, MAP_MAKE);
	return t->totals < 0 ? t->totals : t->losses < 0 ? t->losses : 0;
}

/*
 * Only native XDP is loaded for several buffers. At generic XDP the kernel then copies
 * each packet and forgets skb->mac_len (skb_pp_cow_data(), from 6.9; seen with 6.18), so
 * that TC programs behind it, anybody's, find no Ethernet header.
 */
static bool uses_frags(const struct target_context *c, const struct step *step)
{
	return c->xdp_frags && step->site == SITE_XDP && step->hook == PIN_HOOK_XDP;
}

static struct packet_config config_of(const struct target *t, const struct target_context *c,
				      enum variant variant, bool xdp_frags)
{
	const struct pin_settings *s = c->settings;
	struct packet_config config = {
		.packet_lines = s->packet_lines,
		.iface = (u8)t->slot,
		.cell_bits = c->maps->cell_bits,
		.cpus = s->cpus,
		.only_active = s->only[0] || s->only[1] || s->only[2] || s->only[3],
		.xdp_frags = xdp_frags,
		.handover = variant == VARIANT_HANDOVER,
	};

	memcpy(config.only, s->only, sizeof(config.only));
	memcpy(config.spread, c->maps->spread, sizeof(config.spread));
	return config;
}

static unsigned int plan(const struct target *t, struct step steps[STEPS_MAX])
{
	return script_plan(occupied_now(t), t->fell_back ? t->choice.fallback : t->choice.hook,
			   steps);
}

/* Links can be updated from everywhere, and that is all. */
static bool is_out_of_reach(const struct target *t)
{
	struct step steps[STEPS_MAX];
	unsigned int count = plan(t, steps);
	bool updates_only = true;

	for (unsigned int i = 0; i < count; i++)
		updates_only = updates_only && steps[i].verb == STEP_UPDATE &&
			       t->sites[steps[i].site].state == SITE_LINK;
	return t->elsewhere && !updates_only;
}

/* Puts the name of the interface before the words of a failure. */
static int name_failure(const struct target *t, struct failure *f)
{
	char text[sizeof(f->text)];

	memcpy(text, f->text, sizeof(text));
	return failure_set(f, f->status, "%s: %.*s", t->dev.name,
			   (int)sizeof(text) - NETDEV_NAME_BYTES - 4, text);
}

static int load_programs(struct target *t, const struct target_context *c, struct failure *f)
{
	const struct program_maps maps = { t->totals, t->losses, c->maps };
	unsigned int sites[VARIANTS][2] = { { 0 } };
	struct step steps[STEPS_MAX];
	unsigned int count = plan(t, steps);

	for (unsigned int i = 0; i < count; i++)
		if (steps[i].verb != STEP_DETACH)
			sites[steps[i].variant][uses_frags(c, &steps[i])] |= 1u << steps[i].site;
	for (int i = 0; i < VARIANTS * 2; i++) {
		int variant = i / 2, frags = i % 2;
		struct packet_config config = config_of(t, c, variant, frags);

		if (sites[variant][frags] &&
		    program_load(&config, &maps, sites[variant][frags],
				 &t->programs[variant][frags], f))
			return name_failure(t, f);
	}
	return 0;
}

static void unload_programs(struct target *t)
{
	for (int i = 0; i < VARIANTS * 2; i++)
		program_unload(&t->programs[i / 2][i % 2]);
}

/* A namespace that is not to be found is no error where a link is there to be updated. */
static int enter(const struct target *t, int *ret_back)
{
	int err = netns_enter(t->named ? netns_own() : t->before.netns_inode, ret_back);

	return err == -ENOENT && t->elsewhere ? 0 : err;
}

static int open_slot(struct target *t, const struct target_context *c)
{
	int back = -1, err = 0;

	if (!is_same_interface(t))
		err = reserve_slot(t, c);
	if (!err)
		err = enter(t, &back);
	if (!err)
		err = table_open_sites(c->dir, c->table, t->slot, t->sites);
	netns_leave(back);
	return err ? err : open_maps(t, c);
}

int target_prepare(struct target *t, const struct target_context *c, struct failure *f)
{
	int err;

	t->before = c->table->rows[t->slot];
	t->totals = t->losses = -1;
	for (int id = 0; id < SITES; id++)
		t->sites[id] = (struct site){ .id = id, .link_fd = -1 };
	err = open_slot(t, c);
	if (err == -EMEDIUMTYPE)
		return pinned_map_failure(err, c->dir, "", f);
	if (err)
		return failure_errno(f, err, "%s: prepare slot %u", t->dev.name, t->slot);
	for (int id = 0; id < SITES; id++)	/* an empty one hangs where the row says */
		if (t->sites[id].state == SITE_EMPTY)
			t->sites[id].ifindex = t->dev.ifindex;
	t->skipped = is_out_of_reach(t);
	return t->skipped ? 0 : load_programs(t, c, f);
}

static int do_step(struct target *t, const struct target_context *c, const struct step *step,
		   int prog_fd)
{
	struct site *site = &t->sites[step->site];

	if (step->site == SITE_XDP) {
		t->unsettled = true;
	} else if (step->site == SITE_INGRESS && t->unsettled) {
		settle(c->maps->outer[MAPSET_RING]);
		t->unsettled = false;
	}
	switch (step->verb) {
	case STEP_ATTACH:
		return site_attach(c->dir, site, prog_fd, step->hook, c->tcx);
	case STEP_UPDATE:
		return site_update(c->dir, site, prog_fd);
	default:
		return site_detach(c->dir, site);
	}
}

/* Notes how to take a step back. The program that hangs there now is kept open. */
static void note_undo(struct target *t, const struct step *step)
{
	const struct site *site = &t->sites[step->site];
	struct undo *undo = &t->undo[t->undo_count++];

	*undo = (struct undo){ .back = *step, .prog_fd = -1 };
	if (step->verb == STEP_ATTACH) {
		undo->back.verb = STEP_DETACH;
		return;
	}
	if (step->verb == STEP_DETACH)
		undo->back.verb = STEP_ATTACH;
	undo->prog_fd = bpf_prog_get_fd_by_id(site->prog_id);
}

static void steps_back(struct target *t, const struct target_context *c)
{
	while (t->undo_count) {
		struct undo *undo = &t->undo[--t->undo_count];

		do_step(t, c, &undo->back, undo->prog_fd);
		if (undo->prog_fd >= 0)
			close(undo->prog_fd);
	}
}

static int program_of(const struct target *t, const struct target_context *c,
		      const struct step *step)
{
	if (step->verb == STEP_DETACH)
		return -1;
	return t->programs[step->variant][uses_frags(c, step)].fds[step->site];
}

static int run_script(struct target *t, const struct target_context *c, struct step *ret_failed)
{
	struct step steps[STEPS_MAX];
	unsigned int count = plan(t, steps);
	int err = 0;

	for (unsigned int i = 0; i < count && !err; i++) {
		*ret_failed = steps[i];
		note_undo(t, &steps[i]);
		err = do_step(t, c, &steps[i], program_of(t, c, &steps[i]));
		if (err) {
			struct undo *last = &t->undo[--t->undo_count];

			if (last->prog_fd >= 0)
				close(last->prog_fd);
		}
	}
	if (err)
		steps_back(t, c);
	return err;
}

/* Errors that say something of the driver, not of the host's state. */
static bool is_drivers_no(const struct step *failed, int err)
{
	return failed->site == SITE_XDP && failed->verb == STEP_ATTACH && err != -EBUSY &&
	       err != -EEXIST && err != -EPERM && err != -ENODEV;
}

static int say_failed(const struct target *t, const struct step *step, int err,
		      struct failure *f)
{
	static const char *const verbs[] = { "attach to", "replace the program at",
					     "detach from" };
	const char *place = step->site == SITE_EGRESS	 ? "tc egress"
			    : step->site == SITE_INGRESS ? "tc ingress"
			    : step->hook == PIN_HOOK_XDP ? "native XDP"
							 : "generic XDP";

	if (err == -EBUSY || err == -EEXIST)
		return failure_errno(f, err, "%s: %s %s: another program came first", t->dev.name,
				     verbs[step->verb], place);
	if (is_drivers_no(step, err) && step->hook == PIN_HOOK_XDP)
		return failure_set(f, STATUS_UNSUPPORTED, "%s: attach to native XDP: %s; --hook "
				   "generic or --hook tc work with every driver", t->dev.name,
				   err == -ENOTSUPP || err == -EOPNOTSUPP ? "its driver has none"
									  : strerror(-err));
	return failure_errno(f, err, "%s: %s %s", t->dev.name, verbs[step->verb], place);
}

static int displace(struct target *t, struct failure *f)
{
	int err = t->foreign_found ? foreign_displace(&t->foreign) : 0;

	return err ? failure_errno(f, err, "%s: detach XDP program id %u", t->dev.name,
				   t->foreign.prog_id)
		   : 0;
}

/* Attaches, if need be at the second choice. */
static int run_choices(struct target *t, const struct target_context *c, struct failure *f)
{
	struct step failed;
	int err = run_script(t, c, &failed);

	if (err && t->choice.fallback && is_drivers_no(&failed, err)) {
		t->fell_back = true;
		unload_programs(t);
		if (load_programs(t, c, f))
			return -1;
		err = run_script(t, c, &failed);
	}
	return err ? say_failed(t, &failed, err, f) : 0;
}

int target_change(struct target *t, const struct target_context *c, struct failure *f)
{
	int back, err;

	if (t->skipped)
		return 0;
	err = enter(t, &back);
	if (err)
		return failure_errno(f, err, "%s: enter its network namespace", t->dev.name);
	err = displace(t, f);
	if (!err)
		err = run_choices(t, c, f);
	if (err)
		foreign_restore(&t->foreign);
	netns_leave(back);
	return err;
}

void target_undo(struct target *t, const struct target_context *c)
{
	int back = -1;

	if (t->undo_count && !enter(t, &back))
		steps_back(t, c);
	foreign_restore(&t->foreign);
	netns_leave(back);
	if (is_same_interface(t))
		return;
	table_write_row(c->table, t->slot, &t->before);
	if (t->new_maps) {
		pindir_drop(c->dir, PIN_AREA_SHARED, PIN_TOTALS, t->slot);
		pindir_drop(c->dir, PIN_AREA_SHARED, PIN_LOSSES, t->slot);
	}
}

int target_commit(struct target *t, const struct target_context *c)
{
	struct pin_interface row = c->table->rows[t->slot];

	if (t->skipped)
		return 0;
	if (!row_is_attached(&row))
		row.attached_ns = clock_boot_ns();
	row.ingress_hook = t->fell_back ? t->choice.fallback : t->choice.hook;
	row.egress_hook = PIN_HOOK_TC;
	memset(row.name, 0, sizeof(row.name));
	memcpy(row.name, t->dev.name, strlen(t->dev.name));
	return table_write_row(c->table, t->slot, &row);
}

void target_close(struct target *t)
{
	unload_programs(t);
	while (t->undo_count)
		if (t->undo[--t->undo_count].prog_fd >= 0)
			close(t->undo[t->undo_count].prog_fd);
	foreign_forget(&t->foreign);
	table_close_sites(t->sites);
	if (t->totals >= 0)
		close(t->totals);
	if (t->losses >= 0)
		close(t->losses);
}
