/* SPDX-License-Identifier: MIT */
/* Kernel objects by their ids. */
#include "loader/object.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/clock.h"

int object_prog_id(int fd, u32 *ret_id)
{
	struct bpf_prog_info info = { 0 };
	u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	*ret_id = info.id;
	return 0;
}

int object_map_id(int fd, u32 *ret_id)
{
	struct bpf_map_info info = { 0 };
	u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	*ret_id = info.id;
	return 0;
}

int object_prog_tag(int fd, u8 ret_tag[OBJECT_TAG_BYTES])
{
	struct bpf_prog_info info = { 0 };
	u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	memcpy(ret_tag, info.tag, OBJECT_TAG_BYTES);
	return 0;
}

int object_prog_misses(u32 prog_id, u64 *ret_misses)
{
	struct bpf_prog_info info = { 0 };
	u32 length = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(prog_id), err = fd < 0 ? -errno : 0;

	if (!err && bpf_obj_get_info_by_fd(fd, &info, &length))
		err = -errno;
	if (!err)
		*ret_misses = info.recursion_misses;
	if (fd >= 0)
		close(fd);
	return err;
}

int object_prog_maps(int fd, struct object_maps *ret_maps)
{
	struct bpf_prog_info info = { .map_ids = (u64)(uintptr_t)ret_maps->ids,
				      .nr_map_ids = OBJECT_MAPS_MAX };
	u32 length = sizeof(info);

	ret_maps->count = 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	ret_maps->count = info.nr_map_ids < OBJECT_MAPS_MAX ? info.nr_map_ids : OBJECT_MAPS_MAX;
	return 0;
}

void object_prog_name(u32 prog_id, char ret_name[OBJECT_NAME_BYTES])
{
	struct bpf_prog_info info = { 0 };
	u32 length = sizeof(info);
	int fd = bpf_prog_get_fd_by_id(prog_id);

	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &length))
		info.name[0] = '\0';
	snprintf(ret_name, OBJECT_NAME_BYTES, "%s", info.name);
	if (fd >= 0)
		close(fd);
}

int census_add(struct census *census, enum object_kind kind, u32 id)
{
	if (census->count == census->size) {
		size_t size = census->size ? census->size * 2 : 64;
		struct census_entry *larger =
			realloc(census->entries, size * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		census->entries = larger;
		census->size = size;
	}
	census->entries[census->count++] = (struct census_entry){ kind, id };
	return 0;
}

int census_add_prog(struct census *census, u32 prog_id)
{
	struct object_maps maps = { .count = 0 };
	int fd = bpf_prog_get_fd_by_id(prog_id);
	int err = census_add(census, OBJECT_PROG, prog_id);

	if (fd >= 0 && !err && !object_prog_maps(fd, &maps))
		for (u32 i = 0; i < maps.count && !err; i++)
			err = census_add(census, OBJECT_MAP, maps.ids[i]);
	if (fd >= 0)
		close(fd);
	return err;
}

void census_free(struct census *census)
{
	free(census->entries);
	*census = (struct census){ 0 };
}

static bool is_there(const struct census_entry *entry)
{
	static int (*const open_by_id[])(u32 id) = {
		[OBJECT_PROG] = bpf_prog_get_fd_by_id,
		[OBJECT_MAP] = bpf_map_get_fd_by_id,
		[OBJECT_LINK] = bpf_link_get_fd_by_id,
	};
	int fd = open_by_id[entry->kind](entry->id);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool census_wait(const struct census *census, unsigned int wait_ms)
{
	u64 end = clock_monotonic_ms() + wait_ms;

	for (size_t i = 0; i < census->count; i++) {
		while (is_there(&census->entries[i])) {
			if (clock_monotonic_ms() >= end)
				return false;
			clock_pause_ms(1);
		}
	}
	return true;
}
