/* SPDX-License-Identifier: MIT */
/* `loader --status --json`: one object. */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "bpf/packet_config.h"
#include "loader/clock.h"
#include "loader/hook.h"
#include "loader/probe.h"
#include "loader/view.h"

/* Names may be any bytes; what is not UTF-8 becomes question marks. */
static json_t *text(const char *bytes, size_t max)
{
	json_t *string = json_stringn(bytes, strnlen(bytes, max));
	char ascii[64];
	size_t i;

	if (string)
		return string;
	for (i = 0; i < max && i + 1 < sizeof(ascii) && bytes[i]; i++)
		ascii[i] = bytes[i] & 0x80 ? '?' : bytes[i];
	ascii[i] = '\0';
	return json_string(ascii);
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

static json_t *settings_json(const struct pin_settings *s)
{
	char only[1024];

	view_only(s->only, only, sizeof(only));
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:o, s:o}",
			 "packet_lines", s->packet_lines == PACKET_LINES_ALL
						 ? json_string("all")
						 : number(s->packet_lines),
			 "max_flows", number(s->max_flows),
			 "ring_bytes", number(s->ring_bytes),
			 "only", only,
			 "cpus", number(s->cpus),
			 "flows_generation", number(s->flows_generation),
			 "rings_generation", number(s->rings_generation));
}

static json_t *map_json(const struct view_map *m)
{
	json_t *used = number_or_null(m->used >= 0, (u64)m->used);

	if (m->is_ring)
		return json_pack("{s:s, s:o, s:o, s:o, s:b}", "name", m->name, "cpu",
				 number(m->cpu), "used_bytes", used, "bytes", number(m->size),
				 "in_force", m->in_force);
	return json_pack("{s:s, s:o, s:o, s:b, s:b}", "name", m->name, "flows", used,
			 "max_flows", number(m->size), "in_force", m->in_force, "written",
			 m->written);
}

static json_t *maps_json(const struct view *view)
{
	json_t *flows = json_array(), *rings = json_array();

	for (size_t i = 0; i < view->maps_count; i++)
		json_array_append_new(view->maps[i].is_ring ? rings : flows,
				      map_json(&view->maps[i]));
	return json_pack("{s:o, s:o}", "flows", flows, "rings", rings);
}

static json_t *interfaces_json(const struct view *view)
{
	json_t *array = json_array();

	for (unsigned int i = 0; i < view->interfaces_count; i++)
		json_array_append_new(array, interface_json(&view->interfaces[i],
							    view->links_readable));
	return array;
}

static json_t *probes_json(const struct view *view)
{
	json_t *array = json_array();
	bool on = view->attached_count;

	for (unsigned int i = 0; i < probe_rows_count; i++)
		json_array_append_new(array, json_pack("{s:s, s:b, s:s}", "name", probe_rows[i].name,
						       "on", on, "reason",
						       on ? probe_rows[i].what
							  : "no interface is attached"));
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
