/* SPDX-License-Identifier: MIT */
/* A map that is pinned: opened if it is there, checked, made if it is not. */
#include "loader/pinned_map.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/pins.h"

#define COUNT_BATCH 4096
#define KEY_MAX 128

static int make_map(const struct pindir *d, enum pin_area area, const char *name,
		    const struct map_shape *shape)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = (u32)shape->inner_fd,
		    .map_flags = shape->flags);
	int fd = bpf_map_create(shape->type, name, shape->key_size, shape->value_size,
				shape->max_entries, &opts);
	int err;

	if (fd < 0)
		return -errno;
	err = pindir_pin(d, fd, area, "%s", name);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int check_map(int fd, const struct map_shape *shape)
{
	struct bpf_map_info info = { 0 };
	u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &length) || info.type != shape->type ||
	    info.key_size != shape->key_size || info.value_size != shape->value_size ||
	    (shape->max_entries && info.max_entries != shape->max_entries))
		return -EMEDIUMTYPE;
	return 0;
}

int pinned_map(const struct pindir *d, enum pin_area area, const char *name,
	       const struct map_shape *shape, enum map_access access)
{
	int fd = access == MAP_READ ? pindir_get_readonly(d, area, "%s", name)
				    : pindir_get(d, area, "%s", name);
	int err;

	if (fd == -ENOENT && access == MAP_MAKE)
		return make_map(d, area, name, shape);
	if (fd < 0)
		return fd;
	err = check_map(fd, shape);
	if (err)
		close(fd);
	return err ? err : fd;
}

int pinned_map_failure(int err, const struct pindir *d, const char *name, struct failure *f)
{
	if (err == -EMEDIUMTYPE)
		return failure_set(f, STATUS_FAILED,
				   "%s%s%s was not made by this version; "
				   "--detach removes it",
				   d->path, *name ? "/" : "", name);
	return failure_errno(f, err, "open %s/%s", d->path, name);
}

long pinned_map_count(int fd, u32 key_size, u32 value_bytes)
{
	char *keys = malloc((size_t)COUNT_BATCH * key_size);
	char *values = malloc((size_t)COUNT_BATCH * value_bytes);
	char cursor[KEY_MAX];
	bool first = true, last = false;
	long total = keys && values ? 0 : -ENOMEM;

	while (!last && total >= 0) {
		u32 count = COUNT_BATCH;
		int err = bpf_map_lookup_batch(fd, first ? NULL : cursor, cursor, keys, values,
					       &count, NULL);

		last = err;
		if (err && errno != ENOENT)
			total = -errno;
		else
			total += count;
		first = false;
	}
	free(keys);
	free(values);
	return total;
}

bool pinned_map_is_empty(int fd, u32 key_size)
{
	char key[KEY_MAX];

	return key_size <= sizeof(key) && bpf_map_get_next_key(fd, NULL, key) &&
	       errno == ENOENT;
}

int pinned_pages_used(int fd, u32 *ret_cells, u32 *ret_used)
{
	struct bpf_map_info info = { 0 };
	u32 length = sizeof(info), used = 0;
	const struct flow_page *pages;
	size_t bytes;

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	bytes = info.max_entries * sizeof(*pages);
	pages = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (pages == MAP_FAILED)
		return -errno;
	for (u32 page = 0; page < info.max_entries; page++)
		for (u32 word = 0; word < FLOW_PAGE_CELLS / 64; word++)
			used += (u32)__builtin_popcountll(pages[page].used[word]);
	munmap((void *)pages, bytes);
	*ret_cells = info.max_entries * FLOW_PAGE_CELLS;
	*ret_used = used;
	return 0;
}

/* kernel/bpf/ringbuf.c: one page with the consumer's place, one with the producer's. */
int pinned_ring_used(int fd, u64 *ret_bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	u64 *consumer = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, 0);
	u64 *producer = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page);
	int err = consumer == MAP_FAILED || producer == MAP_FAILED ? -errno : 0;

	if (!err) {
		u64 consumed = __atomic_load_n(consumer, __ATOMIC_ACQUIRE);

		*ret_bytes = __atomic_load_n(producer, __ATOMIC_ACQUIRE) - consumed;
	}
	if (consumer != MAP_FAILED)
		munmap(consumer, page);
	if (producer != MAP_FAILED)
		munmap(producer, page);
	return err;
}
