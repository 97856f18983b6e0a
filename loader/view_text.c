/* SPDX-License-Identifier: MIT */
/* `loader --status` for people. */
#include <string.h>
#include <time.h>

#include "bpf/packet_config.h"
#include "loader/clock.h"
#include "loader/hook.h"
#include "loader/probe.h"
#include "loader/view.h"

/* Names are bytes from outside: nothing in them moves the cursor. */
static void plain(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static void print_site(FILE *out, u8 hook, const struct site *site, bool readable)
{
	char text[48];

	if (hook == PIN_HOOK_NONE)
		snprintf(text, sizeof(text), "-");
	else if (!readable)
		snprintf(text, sizeof(text), "%s", hook_name(hook));
	else if (site->state == SITE_LINK)
		snprintf(text, sizeof(text), "%s (link %u)", hook_name(hook), site->link_id);
	else
		snprintf(text, sizeof(text), "%s (%s)", hook_name(hook), view_by(site));
	fprintf(out, " %-20s", text);
}

static const struct site *ingress_site(const struct view_interface *v)
{
	return &v->sites[v->row.ingress_hook == PIN_HOOK_TC ? SITE_INGRESS : SITE_XDP];
}

static void print_interface(FILE *out, const struct view_interface *v, bool links_readable)
{
	time_t since = (time_t)(clock_unix_ms(v->row.attached_ns) / 1000);
	char name[40], when[32] = "";
	struct tm local;

	if (localtime_r(&since, &local))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &local);
	if (!strcmp(v->state, "renamed"))
		snprintf(name, sizeof(name), "%.15s>%.15s", v->row.name, v->name_now);
	else
		snprintf(name, sizeof(name), "%.15s", v->row.name);
	plain(name);
	fprintf(out, "%-15s %4u %-8s", name, v->slot, v->state);
	print_site(out, v->row.ingress_hook, ingress_site(v), links_readable);
	print_site(out, v->row.egress_hook, &v->sites[SITE_EGRESS], links_readable);
	if (v->counted)
		fprintf(out, " %12llu %15llu", (unsigned long long)v->packets[0] + v->packets[1],
			(unsigned long long)v->bytes[0] + v->bytes[1]);
	else
		fprintf(out, " %12s %15s", "?", "?");
	fprintf(out, " %s\n", when);
}

static void print_lines(FILE *out, const char *what, u32 lines)
{
	if (lines == PACKET_LINES_ALL)
		fprintf(out, "%-15s all\n", what);
	else
		fprintf(out, "%-15s %u a second and CPU\n", what, lines);
}

static void print_settings(FILE *out, const struct pin_settings *s)
{
	char only[1024];

	view_only(s->only, only, sizeof(only));
	print_lines(out, "packet lines", s->packet_lines);
	fprintf(out, "addresses of    %s\n", only);
	if (s->probes >> HOST_PROBE_DROP & 1)
		print_lines(out, "drop lines", s->drop_lines);
}

static void print_map(FILE *out, const struct view_map *m)
{
	static const struct {
		const char *what, *unit;
	} words[MAPSET_KINDS] = {
		[MAPSET_FLOWS] = { "flow map", "flows" },
		[MAPSET_RING] = { "ring of CPU", "bytes" },
		[MAPSET_PROCESSES] = { "map", "rows" },
		[MAPSET_DROPS] = { "map", "rows" },
		[MAPSET_LATENCIES] = { "map", "rows" },
		[MAPSET_EVENTS] = { "ring", "bytes" },
	};
	char used[24] = "?", name[48];

	if (m->used >= 0)
		snprintf(used, sizeof(used), "%ld", m->used);
	if (m->kind == MAPSET_RING)
		snprintf(name, sizeof(name), "%s %u", words[m->kind].what, m->cpu);
	else
		snprintf(name, sizeof(name), "%s %.30s", words[m->kind].what, m->name);
	fprintf(out, "%-15s %s of %u %s%s\n", name, used, m->size, words[m->kind].unit,
		!m->in_force ? ", old: to be drained" : m->written ? ", being written" : "");
}

static void print_counters(FILE *out, const struct view *view, const char *probe)
{
	const char *before = "  ";

	for (int i = 0; i < PROBE_COUNTERS && view->counted; i++) {
		if (strcmp(view_counters[i].probe, probe) != 0 || !view->counters[i])
			continue;
		fprintf(out, "%s%s %llu", before, view_counters[i].name,
			(unsigned long long)view->counters[i]);
		before = ", ";
	}
	if (*before == ',')
		fputc('\n', out);
}

static void print_probe(FILE *out, const struct view *view, unsigned int i)
{
	const struct view_probe *v = &view->probes[i];

	fprintf(out, "probe %-10s %s: %s", probe_rows[i].name, view_state_name(v->state),
		v->state == VIEW_OFF || v->state == VIEW_UNSUPPORTED ? "" : probe_rows[i].what);
	if (*v->why)
		fprintf(out, "%s%s", v->state == VIEW_ATTACHED ? "; " : "", v->why);
	else if (v->state == VIEW_OFF)
		fputs("not attached", out);
	if (v->missed_known && v->missed)
		fprintf(out, "; at most %llu events missed", (unsigned long long)v->missed);
	fputc('\n', out);
	if (v->state != VIEW_OFF)
		print_counters(out, view, probe_rows[i].name);
	for (unsigned int k = 0; k < v->programs_count; k++)
		fprintf(out, "  %-26s %s\n", v->programs[k].name, v->programs[k].section);
}

static void print_kernel(FILE *out, const struct view *view)
{
	static const char *const answers[] = {
		[FEATURE_NO] = "no",
		[FEATURE_YES] = "yes",
		[FEATURE_UNKNOWN] = "not known without root",
	};

	fprintf(out, "kernel          %s\n", view->kernel);
	for (int i = 0; i < FEATURES; i++) {
		bool missing = view->features[i] == FEATURE_NO;

		fprintf(out, "  %-17s %s%s%s\n", feature_rows[i].name, answers[view->features[i]],
			missing ? ": " : "", missing ? feature_rows[i].without : "");
	}
}

static void print_interfaces(FILE *out, const struct view *view)
{
	fprintf(out, "%-15s %4s %-8s %-20s %-20s %12s %15s %s\n", "interface", "slot", "state",
		"ingress", "egress", "packets", "bytes", "since");
	for (unsigned int i = 0; i < view->interfaces_count; i++)
		print_interface(out, &view->interfaces[i], view->links_readable);
	fputc('\n', out);
}

void view_print_text(const struct view *view, FILE *out)
{
	if (view->interfaces_count || view->maps_count) {
		fprintf(out, "pin directory   %s, group %s\n\n", view->pin_dir, view->group);
		if (view->interfaces_count)
			print_interfaces(out, view);
		if (!view->links_readable)
			fprintf(out, "links: not readable without root\n");
		print_settings(out, &view->settings);
		if (view->cells)
			fprintf(out, "cells           %u of %u flows\n", view->cells_used, view->cells);
		for (size_t i = 0; i < view->maps_count; i++)
			print_map(out, &view->maps[i]);
		if (view->reader)
			fprintf(out, "reader          process %d\n", (int)view->reader);
		else
			fprintf(out, "reader          none\n");
	}
	for (unsigned int i = 0; i < probe_rows_count; i++)
		print_probe(out, view, i);
	print_kernel(out, view);
}
