/* SPDX-License-Identifier: MIT */
/* What `loader --status` shows of the probes: from links, programs and their counters. */
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/host_link.h"
#include "loader/object.h"
#include "loader/view.h"

#define NESTED "_nested"

const struct view_counter view_counters[PROBE_COUNTERS] = {
#define PROBE_COUNTER(probe, name, what) [COUNTER_##probe##_##name] = { #probe, #name },
#include "common/probe_counters.def"
};

/* ---- programs ------------------------------------------------------------------------ */

static void add_program(struct view_probe *v, const struct host_link *link, const char *section)
{
	struct view_program *p = &v->programs[v->programs_count];

	if (v->programs_count == VIEW_PROGRAMS_MAX)
		return;
	*p = (struct view_program){ .link_id = link->link_id, .prog_id = link->prog_id };
	snprintf(p->name, sizeof(p->name), "%.31s", link->program);
	snprintf(p->section, sizeof(p->section), "%.47s", section);
	p->missed_known = !object_prog_misses(link->prog_id, &p->missed);
	v->programs_count++;
}

/* One takes over for the other: <name> by <name>_nested and <name>_spare_1 ... */
static bool takes_over(const char *program, const char *name)
{
	size_t length = strlen(name);

	return !strncmp(program, name, length) &&
	       (!strcmp(program + length, NESTED) || probe_is_spare(program + length));
}

static bool is_understudy(const char *program)
{
	size_t length = strlen(program);

	return probe_is_spare(program) ||
	       (length > strlen(NESTED) && !strcmp(program + length - strlen(NESTED), NESTED));
}

/* Of programs that take over for each other, only what all of them missed is missed. */
static u64 missed_by_all(const struct view_probe *v, const struct view_program *p)
{
	u64 missed = p->missed;

	for (unsigned int i = 0; i < v->programs_count; i++)
		if (takes_over(v->programs[i].name, p->name) && v->programs[i].missed < missed)
			missed = v->programs[i].missed;
	return missed;
}

static void sum_missed(struct view_probe *v)
{
	v->missed_known = v->programs_count;
	for (unsigned int i = 0; i < v->programs_count; i++) {
		const struct view_program *p = &v->programs[i];

		v->missed_known = v->missed_known && p->missed_known;
		if (!is_understudy(p->name))
			v->missed += missed_by_all(v, p);
	}
}

/* ---- states ---------------------------------------------------------------------------- */

static void list_programs(struct view_probe *v, unsigned int probe,
			  const struct host_object *object, const struct host_links *links)
{
	size_t used = 0;

	for (unsigned int i = 0; i < object->count; i++) {
		const struct host_program *p = &object->programs[i];
		const struct host_link *link = host_links_find(links, p->name);

		if (!(p->probes >> probe & 1))
			continue;
		if (link) {
			add_program(v, link, p->section);
			continue;
		}
		if (p->idle || probe_is_spare(p->name))
			continue;
		if (!probe_without(p->name))
			v->state = VIEW_INCOMPLETE;
		if (used < sizeof(v->why))
			used += (size_t)snprintf(v->why + used, sizeof(v->why) - used, "%s%s",
						 used ? ", " : "without ", p->name);
	}
	sum_missed(v);
}

static void view_off(struct view_probe *v, unsigned int probe, const struct pindir *d,
		     const struct host_answer *answer)
{
	v->state = VIEW_OFF;
	if (!(answer->can >> probe & 1)) {
		v->state = VIEW_UNSUPPORTED;
		snprintf(v->why, sizeof(v->why), "%s", answer->why[probe]);
	} else if (d && pindir_is_marked(d, PIN_REFUSED, probe_rows[probe].name)) {
		v->state = VIEW_UNSUPPORTED;
		snprintf(v->why, sizeof(v->why),
			 "this kernel refused it; --verbose --probe %s "
			 "shows its words",
			 probe_rows[probe].name);
	}
}

static void read_counters(const struct pindir *d, struct view *view)
{
	const u32 cpus = view->settings.cpus;
	int fd = pindir_get_readonly(d, PIN_AREA_SHARED, PIN_PROBE_COUNTERS);
	u64 *values = calloc(cpus, sizeof(*values));

	view->counted = fd >= 0 && values;
	for (u32 row = 0; row < PROBE_COUNTERS && view->counted; row++) {
		view->counted = !bpf_map_lookup_elem(fd, &row, values);
		for (u32 cpu = 0; cpu < cpus && view->counted; cpu++)
			view->counters[row] += values[cpu];
	}
	free(values);
	if (fd >= 0)
		close(fd);
}

static void view_packet(struct view *view)
{
	struct view_probe *v = &view->probes[0];
	bool on = false;

	for (unsigned int i = 0; i < view->interfaces_count; i++)
		on = on || strcmp(view->interfaces[i].state, "detached") != 0;
	v->state = on ? VIEW_ATTACHED : VIEW_OFF;
	snprintf(v->why, sizeof(v->why), "%s", on ? "" : "no interface is attached");
}

int view_gather_probes(const struct pindir *d, struct view *view, struct failure *f)
{
	struct host_object object = { 0 };
	struct host_answer answer;
	struct host_links links = { .count = 0 };
	u32 attached = view->settings.probes * PROBE_HOST(0);
	int err = host_object_open(&object, f);

	if (err)
		return err;
	host_object_ask(&object, &answer);
	if (d && !host_links_read(d, &links))
		attached = host_links_probes(&links);
	else if (d)
		view->links_readable = false;
	if (d)
		read_counters(d, view);
	view_packet(view);
	for (unsigned int i = 1; i < probe_rows_count; i++) {
		struct view_probe *v = &view->probes[i];

		v->state = VIEW_ATTACHED;
		if (!(attached >> i & 1))
			view_off(v, i, d, &answer);
		else if (view->links_readable)
			list_programs(v, i, &object, &links);
		view->attached_count += attached >> i & 1;
	}
	host_object_close(&object);
	return 0;
}

const char *view_state_name(enum view_state state)
{
	static const char *const names[] = {
		[VIEW_OFF] = "off",
		[VIEW_ATTACHED] = "attached",
		[VIEW_INCOMPLETE] = "incomplete",
		[VIEW_UNSUPPORTED] = "unsupported",
	};

	return names[state];
}
