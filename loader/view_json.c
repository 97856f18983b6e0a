/* SPDX-License-Identifier: MIT */
/* `loader --status --json`: one object. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "bpf/packet_config.h"
#include "common/line_write.h"
#include "loader/clock.h"
#include "loader/hook.h"
#include "loader/probe.h"
#include "loader/view.h"

#define NAME_BYTES 64

/* Names may be any bytes: one that is not UTF-8 is spelled as in the reader's lines. */
static json_t *text(const char *bytes, size_t max)
{
	json_t *string = json_stringn(bytes, strnlen(bytes, max));
	char line[6 * NAME_BYTES + 2];

	if (string)
		return string;
	max = strnlen(bytes, max < NAME_BYTES ? max : NAME_BYTES);
	return json_loadb(line, (size_t)(line_put_string(line, bytes, max) - line), JSON_DECODE_ANY, NULL);
}

static json_t *number(u64 value)
{
	return json_integer((json_int_t)value);
}

static json_t *number_or_null(bool known, u64 value)
{
	return known ? number(value) : json_null();
}

static json_t *site_json(u8 hook, const struct site *site, bool readable)
{
	bool linked = readable && site->state == SITE_LINK;
	bool there = readable && (linked || site->state == SITE_FILTER);

	return json_pack("{s:s, s:o, s:o, s:o}", "hook", hook_name(hook),
			 "by", readable ? json_string(view_by(site)) : json_null(),
			 "link_id", number_or_null(linked, site->link_id),
			 "program_id", number_or_null(there, site->prog_id));
}

static json_t *counters_json(const struct view_interface *v)
{
	if (!v->counted)
		return json_object();
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "packets", number(v->packets[0] + v->packets[1]),
			 "bytes", number(v->bytes[0] + v->bytes[1]),
			 "ingress_packets", number(v->packets[DIRECTION_INGRESS]),
			 "ingress_bytes", number(v->bytes[DIRECTION_INGRESS]),
			 "egress_packets", number(v->packets[DIRECTION_EGRESS]),
			 "egress_bytes", number(v->bytes[DIRECTION_EGRESS]),
			 "packet_lines", number(v->packet_lines),
			 "unattributed", number(v->unattributed),
			 "malformed", number(v->malformed),
			 "ring_full", number(v->ring_full));
}

static json_t *interface_json(const struct view_interface *v, bool readable)
{
	const struct site *ingress =
		&v->sites[v->row.ingress_hook == PIN_HOOK_TC ? SITE_INGRESS : SITE_XDP];
	json_t *o = json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o}",
			      "name", text(v->row.name, sizeof(v->row.name)),
			      "name_now", *v->name_now ? text(v->name_now, sizeof(v->name_now))
						       : json_null(),
			      "ifindex", number(v->row.ifindex),
			      "slot", number(v->slot),
			      "netns", number(v->row.netns_inode),
			      "state", v->state,
			      "ingress", site_json(v->row.ingress_hook, ingress, readable),
			      "egress", site_json(v->row.egress_hook, &v->sites[SITE_EGRESS],
						  readable),
			      "attached_since", json_real(clock_unix_ms(v->row.attached_ns)));
	json_t *counters = counters_json(v);

	json_object_update(o, counters);
	json_decref(counters);
	return o;
}

static json_t *lines_json(u32 lines)
{
	return lines == PACKET_LINES_ALL ? json_string("all") : number(lines);
}

static json_t *settings_json(const struct pin_settings *s)
{
	char only[1024];

	view_only(s->only, only, sizeof(only));
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "packet_lines", lines_json(s->packet_lines),
			 "max_flows", number(s->max_flows),
			 "ring_bytes", number(s->ring_bytes),
			 "only", only,
			 "cpus", number(s->cpus),
			 "flows_generation", number(s->flows_generation),
			 "rings_generation", number(s->rings_generation),
			 "drop_lines", lines_json(s->drop_lines),
			 "max_processes", number(s->max_fold[FOLD_PROCESS]),
			 "max_drops", number(s->max_fold[FOLD_DROP]),
			 "max_networks", number(s->max_fold[FOLD_LATENCY]
							? s->max_fold[FOLD_LATENCY] - 1 : 0),
			 "event_ring_bytes", number(s->events_bytes));
}

/* Which list of "maps" a kind is in, and what its entries are called. */
static const struct map_words {
	const char *list, *used, *size;
} map_words[MAPSET_KINDS] = {
	[MAPSET_FLOWS] = { "flows", "flows", "max_flows" },
	[MAPSET_RING] = { "rings", "used_bytes", "bytes" },
	[MAPSET_PROCESSES] = { "processes", "rows", "max_rows" },
	[MAPSET_DROPS] = { "drops", "rows", "max_rows" },
	[MAPSET_LATENCIES] = { "latencies", "rows", "max_rows" },
	[MAPSET_EVENTS] = { "events", "used_bytes", "bytes" },
};

static json_t *map_json(const struct view_map *m)
{
	const struct map_words *words = &map_words[m->kind];
	json_t *o = json_pack("{s:s, s:o, s:o, s:b}", "name", m->name, words->used,
			      number_or_null(m->used >= 0, (u64)m->used), words->size,
			      number(m->size), "in_force", m->in_force);

	if (m->kind == MAPSET_RING)
		json_object_set_new(o, "cpu", number(m->cpu));
	if (!mapset_is_ring(m->kind))
		json_object_set_new(o, "written", json_boolean(m->written));
	return o;
}

/* A list, as of the maps; of cells there is one at most. */
static json_t *cells_json(const struct view *view)
{
	json_t *list = json_array();

	if (view->cells)
		json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:b, s:b}", "name",
						      PIN_FLOW_PAGES, "flows",
						      number(view->cells_used), "max_flows",
						      number(view->cells), "in_force", 1,
						      "written", 1));
	return list;
}

static json_t *maps_json(const struct view *view)
{
	json_t *maps = json_object();

	for (int kind = 0; kind < MAPSET_KINDS; kind++)
		json_object_set_new(maps, map_words[kind].list, json_array());
	for (size_t i = 0; i < view->maps_count; i++)
		json_array_append_new(json_object_get(maps, map_words[view->maps[i].kind].list),
				      map_json(&view->maps[i]));
	json_object_set_new(maps, "cells", cells_json(view));
	return maps;
}

static json_t *interfaces_json(const struct view *view)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < view->interfaces_count; i++)
		json_array_append_new(array, interface_json(&view->interfaces[i],
							    view->links_readable));
	return array;
}

static json_t *program_json(const struct view_program *p)
{
	const char *slash = strchr(p->section, '/');
	int by = slash ? (int)(slash - p->section) : 0;

	return json_pack("{s:s, s:s%, s:s, s:o, s:o, s:o}", "name", p->name,
			 "by", p->section, (size_t)by, "tracepoint", slash ? slash + 1 : "",
			 "link_id", number(p->link_id), "program_id", number(p->prog_id),
			 "missed", number_or_null(p->missed_known, p->missed));
}

static json_t *probe_counters_json(const struct view *view, const char *probe)
{
	json_t *o = view->counted ? json_object() : json_null();

	for (int i = 0; i < PROBE_COUNTERS && view->counted; i++)
		if (!strcmp(view_counters[i].probe, probe))
			json_object_set_new(o, view_counters[i].name, number(view->counters[i]));
	return o;
}

static json_t *probe_json(const struct view *view, unsigned int i)
{
	const struct view_probe *v = &view->probes[i];
	json_t *programs = json_array();

	for (unsigned int k = 0; k < v->programs_count; k++)
		json_array_append_new(programs, program_json(&v->programs[k]));
	return json_pack("{s:s, s:s, s:b, s:s, s:o, s:o, s:o, s:o}", "name", probe_rows[i].name,
			 "what", probe_rows[i].what, "on", v->state == VIEW_ATTACHED,
			 "state", view_state_name(v->state),
			 "why", *v->why ? json_string(v->why) : json_null(), "programs", programs,
			 "missed", number_or_null(v->missed_known, v->missed),
			 "counters", i ? probe_counters_json(view, probe_rows[i].name)
				       : json_null());
}

static json_t *probes_json(const struct view *view)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < probe_rows_count; i++)
		json_array_append_new(array, probe_json(view, i));
	return array;
}

static json_t *kernel_json(const struct view *view)
{
	json_t *features = json_array();

	for (int i = 0; i < FEATURES; i++) {
		enum feature_answer answer = view->features[i];

		json_array_append_new(features,
				      json_pack("{s:s, s:o, s:o}", "name", feature_rows[i].name,
						"supported", answer == FEATURE_UNKNOWN
								     ? json_null()
								     : json_boolean(answer),
						"without", answer == FEATURE_NO
							? json_string(feature_rows[i].without)
							: json_null()));
	}
	return json_pack("{s:s, s:o}", "release", view->kernel, "features", features);
}

int view_print_json(const struct view *view, FILE *out)
{
	json_t *reader = json_pack("{s:b, s:o}", "present", view->reader != 0, "pid",
				   number_or_null(view->reader, (u64)view->reader));
	json_t *o = json_pack("{s:s, s:s, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o}",
			      "pin_dir", view->pin_dir, "group", view->group,
			      "gid", number(view->gid), "attached", view->attached_count > 0,
			      "links_readable", view->links_readable,
			      "settings", view->settings.cpus ? settings_json(&view->settings)
							      : json_null(),
			      "interfaces", interfaces_json(view), "maps", maps_json(view),
			      "reader", reader, "probes", probes_json(view),
			      "kernel", kernel_json(view));
	int err = !o || json_dumpf(o, out, JSON_COMPACT | JSON_REAL_PRECISION(16)) ? -ENOMEM : 0;

	fputc('\n', out);
	json_decref(o);
	return err;
}
