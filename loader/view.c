/* SPDX-License-Identifier: MIT */
/* What `loader --status` shows, gathered from pins, links and the kernel. */
#include "loader/view.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/protocol.h"
#include "common/total_rows.h"
#include "loader/mapset.h"
#include "loader/netns.h"
#include "loader/object.h"
#include "loader/pinned_map.h"

const char *view_by(const struct site *site)
{
	if (site->state == SITE_FILTER)
		return "tc filter";
	if (site->state != SITE_LINK)
		return "none";
	return site->id == SITE_XDP ? "xdp link" : "tcx link";
}

void view_only(const u64 only[4], char *ret_text, size_t size)
{
	char name[PROTOCOL_NAME_MAX];
	size_t used = 0;

	snprintf(ret_text, size, "all");
	for (u16 protocol = 0; protocol < 256 && used < size; protocol++) {
		if (!(only[protocol >> 6] >> (protocol & 63) & 1))
			continue;
		protocol_name(4, protocol, name);
		used += (size_t)snprintf(ret_text + used, size - used, "%s%s", used ? "," : "",
					 name);
	}
}

/* Sums a per-CPU array of structs of u64 into one such struct for each key. */
static int sum_cpus(int fd, u32 key, u32 cpus, size_t fields, u64 *values, u64 *ret_sums)
{
	if (bpf_map_lookup_elem(fd, &key, values))
		return -errno;
	memset(ret_sums, 0, fields * sizeof(*ret_sums));
	for (u32 cpu = 0; cpu < cpus; cpu++)
		for (size_t i = 0; i < fields; i++)
			ret_sums[i] += values[cpu * fields + i];
	return 0;
}

static int sum_totals(struct view_interface *v, int fd, u32 cpus, u64 *values)
{
	struct total_value sum = { 0 };
	int err = 0;

	for (u32 row = 0; row < TOTAL_ENTRIES && !err; row++) {
		err = sum_cpus(fd, row, cpus, sizeof(sum) / sizeof(u64), values, (u64 *)&sum);
		if (err)
			break;
		v->packets[row / TOTAL_ROWS] += sum.packets;
		v->bytes[row / TOTAL_ROWS] += sum.bytes;
		v->unattributed += sum.unattributed;
	}
	return err;
}

static int sum_losses(struct view_interface *v, int fd, u32 cpus, u64 *values)
{
	struct loss_value sum = { 0 };
	int err = 0;

	for (u32 direction = 0; direction < DIRECTIONS && !err; direction++) {
		err = sum_cpus(fd, direction, cpus, sizeof(sum) / sizeof(u64), values, (u64 *)&sum);
		if (err)
			break;
		v->packet_lines += sum.packet_lines;
		v->ring_full += sum.ring_full;
		v->malformed += sum.malformed;
	}
	return err;
}

static void read_counters(const struct pindir *d, struct view_interface *v, u32 cpus)
{
	int totals = mapset_totals(d, v->slot, MAP_READ);
	int losses = mapset_losses(d, v->slot, MAP_READ);
	void *values = calloc(cpus, sizeof(struct total_value));

	v->counted = values && totals >= 0 && losses >= 0 &&
		     !sum_totals(v, totals, cpus, values) && !sum_losses(v, losses, cpus, values);
	free(values);
	if (totals >= 0)
		close(totals);
	if (losses >= 0)
		close(losses);
}

static bool hangs(const struct view_interface *v)
{
	for (int id = 0; id < SITES; id++)
		if (v->sites[id].state == SITE_LINK || v->sites[id].state == SITE_FILTER)
			return true;
	return false;
}

/* entered: we stand in the interface's network namespace. */
static const char *state_of(struct view_interface *v, bool entered, bool links_readable)
{
	u32 ifindex = v->row.ifindex;

	if (!row_is_attached(&v->row))
		return "detached";
	if (links_readable && !hangs(v))
		return "gone";
	if (!entered)
		return "attached";
	if (!netdev_name(ifindex, v->name_now))
		return links_readable ? "moved" : "gone";
	return strncmp(v->name_now, v->row.name, sizeof(v->row.name)) ? "renamed" : "attached";
}

static void read_interface(const struct pindir *d, const struct table *table, unsigned int slot,
			   u32 cpus, struct view *view)
{
	struct view_interface *v = &view->interfaces[view->interfaces_count++];
	bool entered;
	int back;

	*v = (struct view_interface){ .slot = slot, .row = table->rows[slot] };
	entered = !netns_enter(v->row.netns_inode, &back);
	if (table_open_sites(d, table, slot, v->sites))
		view->links_readable = false;
	v->state = state_of(v, entered, view->links_readable);
	for (int id = 0; id < SITES; id++) {	/* ids and states are what counts */
		if (v->sites[id].link_fd >= 0)
			close(v->sites[id].link_fd);
		v->sites[id].link_fd = -1;
	}
	netns_leave(back);
	read_counters(d, v, cpus);
	view->attached_count += row_is_attached(&v->row) && strcmp(v->state, "gone");
}

struct gather {
	const struct pindir *dir;
	struct view *view;
	u32 written_id;		/* of the map in flow_slot; 0: not known */
	u32 active[FOLD_KINDS];	/* as fold_active */
};

static bool is_written(const struct gather *g, const struct pin_match *match,
		       const struct view_map *m, u32 id)
{
	if (m->kind == MAPSET_FLOWS)
		return id == g->written_id;
	return m->in_force && m->kind >= MAPSET_PROCESSES && m->kind <= MAPSET_LATENCIES &&
	       g->active[m->kind - MAPSET_PROCESSES] == (u32)(match->word[0] - 'a');
}

static void measure(const struct gather *g, const struct pin_match *match, struct view_map *m)
{
	const bool is_ring = mapset_is_ring(m->kind);
	int fd = is_ring ? pindir_get(g->dir, PIN_AREA_SHARED, "%s", m->name)
			 : pindir_get_readonly(g->dir, PIN_AREA_SHARED, "%s", m->name);
	struct bpf_map_info info = { 0 };
	u32 length = sizeof(info);
	u64 used;

	m->used = -1;
	m->cpu = match->number[1];
	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &length)) {
		m->size = info.max_entries;
		m->written = is_written(g, match, m, info.id);
	}
	if (!is_ring)
		m->used = pinned_map_count(fd, info.key_size,
					   g->view->settings.cpus * info.value_size);
	else if (!pinned_ring_used(fd, &used))
		m->used = (long)used;
	close(fd);
}

static int add_map(const struct pin_match *match, const char *name, void *context)
{
	struct gather *g = context;
	struct view *view = g->view;
	struct view_map *larger, *m;
	enum mapset_kind kind = mapset_kind(match);

	if (kind == MAPSET_OTHER)
		return 0;
	larger = realloc(view->maps, (view->maps_count + 1) * sizeof(*larger));
	if (!larger)
		return -ENOMEM;
	view->maps = larger;
	m = &larger[view->maps_count++];
	*m = (struct view_map){ .kind = kind };
	snprintf(m->name, sizeof(m->name), "%s", name);
	m->in_force = match->number[0] == mapset_generation(kind, &view->settings);
	measure(g, match, m);
	return 0;
}

static int compare_maps(const void *a, const void *b)
{
	const struct view_map *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->cpu != y->cpu)
		return x->cpu < y->cpu ? -1 : 1;
	return strcmp(x->name, y->name);
}

static u32 written_flow_map(const struct pindir *d)
{
	int fd = pindir_get_readonly(d, PIN_AREA_SHARED, PIN_FLOW_SLOT);
	const u32 zero = 0;
	u32 id = 0;

	if (fd < 0)
		return 0;
	if (bpf_map_lookup_elem(fd, &zero, &id))
		id = 0;
	close(fd);
	return id;
}

static void read_active(const struct pindir *d, u32 ret_active[FOLD_KINDS])
{
	int fd = pindir_get_readonly(d, PIN_AREA_SHARED, PIN_FOLD_ACTIVE);

	for (u32 kind = 0; kind < FOLD_KINDS; kind++)
		if (fd < 0 || bpf_map_lookup_elem(fd, &kind, &ret_active[kind]))
			ret_active[kind] = UINT32_MAX;
	if (fd >= 0)
		close(fd);
}

/* Best effort. */
static void read_cells(const struct pindir *d, struct view *view)
{
	int fd = pindir_get_readonly(d, PIN_AREA_SHARED, PIN_FLOW_PAGES);

	if (fd < 0)
		return;
	pinned_pages_used(fd, &view->cells, &view->cells_used);
	close(fd);
}

static int read_directory(struct pindir *d, struct view *view, struct failure *f)
{
	const struct group *group = getgrgid(d->gid);
	int cpus = libbpf_num_possible_cpus(), err;
	struct gather g = { d, view, written_flow_map(d), { 0 } };
	struct table table;

	if (cpus <= 0)
		return failure_errno(f, cpus, "read /sys/devices/system/cpu/possible");
	if (table_open(d, MAP_READ, &table, f))
		return -1;
	view->gid = d->gid;
	snprintf(view->group, sizeof(view->group), "%u", (unsigned int)d->gid);
	if (group)
		snprintf(view->group, sizeof(view->group), "%s", group->gr_name);
	view->settings = table.settings;
	view->settings.cpus = (u32)cpus;
	view->reader = pindir_reader(d);
	for (unsigned int slot = 0; slot < PIN_INTERFACES_MAX; slot++)
		if (table.rows[slot].ifindex)
			read_interface(d, &table, slot, (u32)cpus, view);
	table_close(&table);
	read_active(d, g.active);
	read_cells(d, view);
	err = pindir_each(d, PIN_AREA_SHARED, add_map, &g);
	if (err)
		return failure_errno(f, err, "read %s", d->path);
	if (view->maps_count)
		qsort(view->maps, view->maps_count, sizeof(*view->maps), compare_maps);
	return 0;
}

int view_gather(const char *pin_dir, struct view *ret_view, struct failure *f)
{
	struct view *view = ret_view;
	struct pindir dir;
	struct utsname kernel;
	int err;

	*view = (struct view){ .links_readable = true };
	for (int i = 0; i < FEATURES; i++)
		view->features[i] = feature_ask(i);
	if (!uname(&kernel))
		snprintf(view->kernel, sizeof(view->kernel), "%.63s", kernel.release);
	err = pindir_open(&dir, pin_dir, f);
	if (err < 0)
		return -1;
	snprintf(view->pin_dir, sizeof(view->pin_dir), "%s", dir.path);
	if (!err)
		err = read_directory(&dir, view, f);
	if (err >= 0)
		err = view_gather_probes(err ? NULL : &dir, view, f);
	pindir_close(&dir);
	return err;
}

void view_free(struct view *view)
{
	free(view->maps);
	view->maps = NULL;
}
