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
		fprintf(out, " %12llu %15llu", (unsigned long long)(v->packets[0] + v->packets[1]),
			(unsigned long long)(v->bytes[0] + v->bytes[1]));
	else
		fprintf(out, " %12s %15s", "?", "?");
	fprintf(out, " %s\n", when);
}

static void print_settings(FILE *out, const struct pin_settings *s)
{
	char only[1024];

	view_only(s->only, only, sizeof(only));
	if (s->packet_lines == PACKET_LINES_ALL)
		fprintf(out, "packet lines    all\n");
	else
		fprintf(out, "packet lines    %u a second and CPU\n", s->packet_lines);
	fprintf(out, "addresses of    %s\n", only);
}

static void print_map(FILE *out, const struct view_map *m)
{
	char used[24] = "?";
	char which[32];

	if (m->used >= 0)
		snprintf(used, sizeof(used), "%ld", m->used);
	if (m->is_ring)
		snprintf(which, sizeof(which), "ring of CPU %u", m->cpu);
	else
		snprintf(which, sizeof(which), "flow map %.20s", m->name);
	fprintf(out, "%-15s %s of %u%s%s\n", which, used, m->size, m->is_ring ? " bytes" : " flows",
		!m->in_force ? ", old: to be drained" : m->written ? ", being written" : "");
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

void view_print_text(const struct view *view, FILE *out)
{
	if (view->interfaces_count) {
		fprintf(out, "pin directory   %s, group %s\n\n", view->pin_dir, view->group);
		fprintf(out, "%-15s %4s %-8s %-20s %-20s %12s %15s %s\n", "interface", "slot",
			"state", "ingress", "egress", "packets", "bytes", "since");
		for (unsigned int i = 0; i < view->interfaces_count; i++)
			print_interface(out, &view->interfaces[i], view->links_readable);
		if (!view->links_readable)
			fprintf(out, "links: not readable without root\n");
		fputc('\n', out);
		print_settings(out, &view->settings);
		for (size_t i = 0; i < view->maps_count; i++)
			print_map(out, &view->maps[i]);
		if (view->reader)
			fprintf(out, "reader          process %d\n", (int)view->reader);
		else
			fprintf(out, "reader          none\n");
	}
	for (unsigned int i = 0; i < probe_rows_count; i++)
		fprintf(out, "probe %-9s %s: %s\n", probe_rows[i].name,
			view->attached_count ? "on" : "off",
			view->attached_count ? probe_rows[i].what : "no interface is attached");
	print_kernel(out, view);
}
