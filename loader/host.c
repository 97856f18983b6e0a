/* SPDX-License-Identifier: MIT */
/* The host's probes on their way from what is attached to what should be. */
#include "loader/host.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loader/object.h"
#include "loader/probe.h"

/* The kernel detaches after an RCU grace period or two, and more under load. */
#define GONE_WAIT_MS 5000

#define NESTED "_nested"

/* ---- what has to change ------------------------------------------------------------ */

static bool is_walk(const char *program)
{
	return !strcmp(program, PROBE_WALK);
}

/* The program that is loaded is the one that hangs there, and writes the same maps. */
static bool is_same_program(const struct host *h, const struct host_program *p,
			    const struct host_link *link)
{
	u8 tag[OBJECT_TAG_BYTES];

	return !object_prog_tag(p->fd, tag) && !memcmp(tag, link->tag, sizeof(tag)) &&
	       host_object_shares_maps(&h->object, p->fd, link->prog_id);
}

/* A program that a probe can do without may have had nothing to be attached to. */
static bool is_in_order(const struct host *h, const struct host_program *p)
{
	const struct host_link *link = host_links_find(&h->before, p->name);

	if (p->fd < 0 || !link)
		return !link && (p->fd < 0 || (probe_without(p->name) && !h->wish.interrupted));
	return is_same_program(h, p, link);
}

static bool is_known(const struct host *h, const struct host_link *link)
{
	for (unsigned int i = 0; i < h->object.count; i++)
		if (!strcmp(h->object.programs[i].name, link->program))
			return true;
	return false;
}

/* All programs of a probe come from one load: some share maps that are not pinned. */
static bool is_unchanged(const struct host *h, u32 probe)
{
	bool same = host_links_probes(&h->before) & probe;

	for (unsigned int i = 0; i < h->object.count && same; i++) {
		const struct host_program *p = &h->object.programs[i];

		if (p->probes & probe && !is_walk(p->name))
			same = is_in_order(h, p);
	}
	for (unsigned int i = 0; i < h->before.count && same; i++)
		if (h->before.rows[i].probes & probe)
			same = is_known(h, &h->before.rows[i]);
	return same;
}

static bool is_walk_unchanged(const struct host *h)
{
	const struct host_link *link = host_links_find(&h->before, PROBE_WALK);

	for (unsigned int i = 0; i < h->object.count && link; i++)
		if (is_walk(h->object.programs[i].name) && h->object.programs[i].fd >= 0)
			return is_same_program(h, &h->object.programs[i], link);
	return false;
}

static int check_named(const struct host *h, struct failure *f)
{
	const u32 missing = h->wish.named & ~h->answer.can;

	for (unsigned int i = 1; i < probe_rows_count; i++)
		if (missing >> i & 1)
			return failure_set(f, STATUS_UNSUPPORTED, "probe %s: %s", probe_rows[i].name,
					   h->answer.why[i]);
	return 0;
}

int host_prepare(struct host *h, const struct pindir *d, const struct host_wish *wish,
		 const struct mapset *maps, struct failure *f)
{
	u32 can;
	int err;

	*h = (struct host){ .dir = d, .wish = *wish };
	err = host_links_read(d, &h->before);
	if (err)
		return failure_errno(f, err, "read the links in %s", d->path);
	if (wish->probes && host_object_load(&h->object, d, wish->probes, maps, &h->answer, f))
		return -1;
	if (wish->probes && check_named(h, f))
		return -1;
	can = wish->probes & h->answer.can;
	h->left_out = wish->probes & ~can;
	for (unsigned int i = 1; i < probe_rows_count; i++)
		if (can >> i & 1 && is_unchanged(h, 1u << i))
			h->kept |= 1u << i;
	h->to_attach = can & ~h->kept;
	h->walk_is_kept = can & probe_of_program(PROBE_WALK) && is_walk_unchanged(h);
	return 0;
}

/* ---- changing it ---------------------------------------------------------------------- */

static int write_config(const struct host *h, u32 drop_lines)
{
	const struct probe_config config = { .drop_lines = drop_lines };
	int fd = pindir_get(h->dir, PIN_AREA_PRIVATE, PIN_PROBE_CONFIG), err;

	if (fd < 0)
		return fd;
	err = bpf_map_update_elem(fd, &(u32){ 0 }, &config, BPF_ANY) ? -errno : 0;
	close(fd);
	return err;
}

static bool stays(const struct host *h, const struct host_link *link)
{
	return is_walk(link->program) ? h->walk_is_kept : (link->probes & h->kept) != 0;
}

/* Until an old program has gone it counts: no new one may come before. A walk counts nothing. */
static int detach_old(struct host *h)
{
	struct census counting = { 0 }, walking = { 0 };
	int err = 0;

	for (unsigned int i = 0; i < h->before.count && !err; i++) {
		const struct host_link *link = &h->before.rows[i];

		if (!stays(h, link))
			err = host_link_drop(h->dir, link,
					     is_walk(link->program) ? &walking : &counting);
	}
	if (!err && !census_wait(&counting, GONE_WAIT_MS))
		err = -EBUSY;
	census_free(&counting);
	census_free(&walking);
	return err;
}

static bool is_nested(const char *program)
{
	size_t length = strlen(program);

	return length > strlen(NESTED) && !strcmp(program + length - strlen(NESTED), NESTED);
}

static int attach_program(struct host *h, const struct host_program *p)
{
	int err;

	if (p->idle)
		return 0;
	err = p->fd < 0 ? p->err : host_link_attach(h->dir, p);
	if (err && probe_is_spare(p->name))
		return 0;
	if (err && probe_without(p->name)) {
		h->missing[h->missing_count++] = (struct host_missing){ p->name, err };
		return 0;
	}
	return err;
}

/* Nested programs first: they do nothing but in the others' place. */
static int attach_probe(struct host *h, u32 probe, const char **ret_failed)
{
	for (int nested = 1; nested >= 0; nested--) {
		for (unsigned int i = 0; i < h->object.count; i++) {
			const struct host_program *p = &h->object.programs[i];
			int err;

			if (!(p->probes & probe) || is_walk(p->name) ||
			    is_nested(p->name) != (nested == 1))
				continue;
			err = attach_program(h, p);
			if (err) {
				*ret_failed = p->name;
				return err;
			}
		}
	}
	return 0;
}

static void drop_probes(const struct host *h, u32 set)
{
	struct census census = { 0 };
	struct host_links links = { .count = 0 };

	if (host_links_read(h->dir, &links))
		return;
	for (unsigned int i = 0; i < links.count; i++)
		if (!is_walk(links.rows[i].program) && links.rows[i].probes & set)
			host_link_drop(h->dir, &links.rows[i], &census);
	census_wait(&census, GONE_WAIT_MS);
	census_free(&census);
}

/* 0, also if it was left out; or -1 with *f filled. */
static int attach_or_leave_out(struct host *h, unsigned int i, struct failure *f)
{
	const char *failed;
	int err = attach_probe(h, 1u << i, &failed);

	if (!err) {
		h->attached |= 1u << i;
		return 0;
	}
	drop_probes(h, 1u << i);
	if (h->wish.named >> i & 1)
		return failure_errno(f, err, "probe %s: attach %s", probe_rows[i].name, failed);
	h->left_out |= 1u << i;
	snprintf(h->answer.why[i], HOST_WHY_BYTES, "attach %s: %s", failed, strerror(-err));
	return 0;
}

/* For --status, which does not try. */
static int mark_refused(const struct host *h)
{
	int err = 0;

	for (unsigned int i = 1; i < probe_rows_count && !err; i++) {
		if (h->left_out >> i & 1)
			err = pindir_mark(h->dir, PIN_REFUSED, probe_rows[i].name);
		else if (h->attached >> i & 1)
			err = pindir_drop(h->dir, PIN_AREA_PRIVATE, PIN_REFUSED,
					  probe_rows[i].name);
	}
	return err;
}

/* The walk sets owners for the probes that are new; the link is for readers. */
static void walk(struct host *h)
{
	const u32 walked = probe_of_program(PROBE_WALK);
	const bool wanted = (h->attached | h->kept) & walked;
	unsigned int missing = h->missing_count;

	for (unsigned int i = 0; i < h->object.count; i++) {
		const struct host_program *p = &h->object.programs[i];

		if (is_walk(p->name) && !h->walk_is_kept && wanted)
			h->walk_err = attach_program(h, p);
	}
	if (!h->walk_err && missing == h->missing_count && h->attached & walked)
		h->walk_err = host_link_walk(h->dir);
}

int host_change(struct host *h, u32 drop_lines, struct failure *f)
{
	const u32 was = host_links_probes(&h->before);
	int err = detach_old(h);

	if (err)
		return failure_errno(f, err, "detach the old programs of the host's probes");
	for (unsigned int i = 1; i < probe_rows_count; i++) {
		if (h->to_attach >> i & 1 && attach_or_leave_out(h, i, f)) {
			host_undo(h);
			return -1;
		}
	}
	err = mark_refused(h);
	if (!err && h->kept | h->attached)
		err = write_config(h, drop_lines);
	if (err) {
		host_undo(h);
		return failure_errno(f, err, "set the options of the host's probes");
	}
	h->replaced = h->attached & was;
	h->detached = was & ~(h->attached | h->kept);
	walk(h);
	return 0;
}

void host_undo(struct host *h)
{
	if (h->attached)
		drop_probes(h, h->attached);
	h->attached = 0;
}

u32 host_in_force(const struct host *h)
{
	return (h->attached | h->kept) / PROBE_HOST(0);
}

void host_close(struct host *h)
{
	host_object_close(&h->object);
}

/* ---- taking everything away ------------------------------------------------------------- */

int host_detach(const struct pindir *d, struct census *census, u32 *ret_probes)
{
	struct host_links links = { .count = 0 };
	int err = host_links_read(d, &links);

	for (unsigned int i = 0; i < links.count && !err; i++) {
		err = census_add_prog(census, links.rows[i].prog_id);
		if (!err)
			err = host_link_drop(d, &links.rows[i], census);
	}
	if (!err)
		*ret_probes = host_links_probes(&links);
	return err;
}
