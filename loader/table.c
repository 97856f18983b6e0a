/* SPDX-License-Identifier: MIT */
/* The interface table: which interface has which slot. */
#include "loader/table.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "loader/netns.h"

bool row_is_attached(const struct pin_interface *row)
{
	return row->ingress_hook != PIN_HOOK_NONE || row->egress_hook != PIN_HOOK_NONE;
}

int slot_find(const struct pin_interface *rows, u32 ifindex, u64 netns_inode)
{
	for (int slot = 0; slot < PIN_INTERFACES_MAX; slot++)
		if (rows[slot].ifindex == ifindex && rows[slot].netns_inode == netns_inode)
			return slot;
	return -1;
}

int slot_find_name(const struct pin_interface *rows, const char *name)
{
	for (int slot = 0; slot < PIN_INTERFACES_MAX; slot++)
		if (row_is_attached(&rows[slot]) &&
		    !strncmp(rows[slot].name, name, sizeof(rows[slot].name)))
			return slot;
	return -1;
}

int slot_choose(const struct pin_interface *rows)
{
	int oldest = -1;

	for (int slot = 0; slot < PIN_INTERFACES_MAX; slot++) {
		if (!rows[slot].ifindex)
			return slot;
		if (!row_is_attached(&rows[slot]) &&
		    (oldest < 0 || rows[slot].attached_ns < rows[oldest].attached_ns))
			oldest = slot;
	}
	return oldest;
}

static const struct map_shape rows_shape = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = sizeof(u32),
	.value_size = sizeof(struct pin_interface),
	.max_entries = PIN_INTERFACES_MAX,
};

static const struct map_shape settings_shape = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = sizeof(u32),
	.value_size = sizeof(struct pin_settings),
	.max_entries = 1,
};

static int read_rows(struct table *table)
{
	for (u32 slot = 0; slot < PIN_INTERFACES_MAX; slot++)
		if (bpf_map_lookup_elem(table->rows_fd, &slot, &table->rows[slot]))
			return -errno;
	return 0;
}

static int read_settings(struct table *table)
{
	const u32 zero = 0;

	return bpf_map_lookup_elem(table->settings_fd, &zero, &table->settings) ? -errno : 0;
}

/* Whoever only clears up may find nothing there, or pins of another version. */
static bool is_as_good_as_empty(int fd_or_err, enum map_access access)
{
	return (fd_or_err == -ENOENT && access != MAP_MAKE) ||
	       (fd_or_err == -EMEDIUMTYPE && access == MAP_WRITE);
}

int table_open(const struct pindir *d, enum map_access access, struct table *ret_table,
	       struct failure *f)
{
	struct table *table = ret_table;
	const struct {
		const char *name;
		const struct map_shape *shape;
		int (*read)(struct table *table);
		int *fd;
	} maps[] = {
		{ PIN_INTERFACES, &rows_shape, read_rows, &table->rows_fd },
		{ PIN_SETTINGS, &settings_shape, read_settings, &table->settings_fd },
	};

	memset(table, 0, sizeof(*table));
	table->rows_fd = table->settings_fd = -1;
	for (int i = 0; i < 2; i++) {
		int fd = pinned_map(d, PIN_AREA_SHARED, maps[i].name, maps[i].shape, access), err;

		if (is_as_good_as_empty(fd, access))
			continue;
		*maps[i].fd = fd;
		err = fd < 0 ? fd : maps[i].read(table);
		if (err) {
			table_close(table);
			return pinned_map_failure(err, d, maps[i].name, f);
		}
	}
	return 0;
}

void table_close(struct table *table)
{
	if (table->rows_fd >= 0)
		close(table->rows_fd);
	if (table->settings_fd >= 0)
		close(table->settings_fd);
	table->rows_fd = table->settings_fd = -1;
}

int table_write_row(struct table *table, unsigned int slot, const struct pin_interface *row)
{
	const u32 key = slot;

	if (bpf_map_update_elem(table->rows_fd, &key, row, BPF_ANY))
		return -errno;
	table->rows[slot] = *row;
	return 0;
}

int table_write_settings(struct table *table, const struct pin_settings *settings)
{
	const u32 zero = 0;

	if (bpf_map_update_elem(table->settings_fd, &zero, settings, BPF_ANY))
		return -errno;
	table->settings = *settings;
	return 0;
}

int table_open_sites(const struct pindir *d, const struct table *table, unsigned int slot,
		     struct site ret_sites[SITES])
{
	const struct pin_interface *row = &table->rows[slot];
	int err = 0;

	for (int id = 0; id < SITES; id++)
		ret_sites[id] = (struct site){ .id = id, .link_fd = -1 };
	for (int id = 0; id < SITES && !err; id++)
		err = site_open(d, slot, id, row->ifindex, row->ingress_hook, &ret_sites[id]);
	if (err)
		table_close_sites(ret_sites);
	return err;
}

void table_close_sites(struct site sites[SITES])
{
	for (int id = 0; id < SITES; id++)
		site_close(&sites[id]);
}

/* One slot: what the table does not know of is detached, what is dead cleared. */
static int tidy_slot(const struct pindir *d, struct table *table, unsigned int slot,
		     void (*gone)(const struct pin_interface *row))
{
	struct pin_interface row = table->rows[slot];
	struct site sites[SITES];
	bool occupied = false;
	int back, err;

	err = netns_enter(row.netns_inode, &back);
	if (err && err != -ENOENT)
		return err;
	err = table_open_sites(d, table, slot, sites);
	for (int id = 0; id < SITES && !err; id++) {
		err = site_tidy(d, &sites[id]);
		if (!err && !row_is_attached(&row))
			err = site_detach(d, &sites[id]);
		occupied = occupied || sites[id].state != SITE_EMPTY;
	}
	table_close_sites(sites);
	netns_leave(back);
	if (err || occupied || !row_is_attached(&row))
		return err;
	gone(&row);
	row.ingress_hook = row.egress_hook = PIN_HOOK_NONE;
	return table_write_row(table, slot, &row);
}

/* Which slots have something pinned in the private directory. */
static int note_slot(const struct pin_match *match, const char *name, void *context)
{
	bool *pinned = context;

	(void)name;
	if (match->numbers && match->number[0] < PIN_INTERFACES_MAX && match->word[0])
		pinned[match->number[0]] = true;
	return 0;
}

int table_tidy(const struct pindir *d, struct table *table,
	       void (*gone)(const struct pin_interface *row), struct failure *f)
{
	bool pinned[PIN_INTERFACES_MAX] = { false };
	int err = pindir_each(d, PIN_AREA_PRIVATE, note_slot, pinned);

	for (unsigned int slot = 0; slot < PIN_INTERFACES_MAX && !err; slot++)
		if (pinned[slot] || row_is_attached(&table->rows[slot]))
			err = tidy_slot(d, table, slot, gone);
	return err ? failure_errno(f, err, "clear what is left in %s", d->path) : 0;
}
