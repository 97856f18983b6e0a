/* SPDX-License-Identifier: MIT */
/* Folded maps to lines: look up a batch, write it, delete it; or take it, and write it. */
#include "reader/map_drain.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * Rows a batch that does not go by the shelf: enough to make system calls cheap, few enough
 * that what was looked up is still in the cache when it is deleted (measured: 18 ms per
 * 100 000, 28 ms with 8192).
 */
#define BATCH_ROWS 512
#define BATCH_ROWS_MIN 256	/* the longest chain in a bucket of the map must fit */
#define BATCH_VALUE_BYTES (4u << 20)

/* The kind whose rows go by the shelf. */
#define SHELF_KIND (&folded_kinds[FOLDED_FLOW])

struct shelf {
	char *rows;		/* mapped; NULL: none */
	size_t bytes;
	u32 id;			/* of the map */
	bool is_clean;		/* but for the batch at hand */
};

struct map_drain {
	struct line_source source;
	unsigned int n_cpus;
	char *own_keys, *own_values;	/* a batch of any kind */
	struct shelf shelf;
	/* the map at hand */
	const struct folded_kind *kind;
	int map_fd;
	u32 room;		/* rows a batch */
	size_t value_bytes;	/* of a row: of all CPUs */
	int map_error;
	/* the batch at hand */
	char *keys, *values;
	bool is_taken;		/* it lies on the shelf and in no map */
	u32 n;
	u32 deleted;		/* of its first rows */
};

/* -errno of the last libbpf call that returned result. */
static int error_of(int result)
{
	return result ? -errno : 0;
}

static char *key_at(const struct map_drain *maps, u32 row)
{
	return maps->keys + (size_t)row * maps->kind->key_bytes;
}

static char *value_at(const struct map_drain *maps, u32 row)
{
	return maps->values + row * maps->value_bytes;
}

/* Deletes the next so many rows of the batch. One that is gone already is no error. */
static void delete_next(struct map_drain *maps, u32 n)
{
	const u32 end = maps->deleted + n;

	while (maps->deleted < end) {
		const char *keys = key_at(maps, maps->deleted);
		u32 done = end - maps->deleted;
		int err = error_of(bpf_map_delete_batch(maps->map_fd, keys, &done, NULL));

		if (!err) {
			maps->deleted = end;
			return;
		}
		/* Of -EFAULT nobody says how far it came; before 5.6 there is no batch. */
		if (err != -ENOENT || done >= end - maps->deleted) {
			done = 0;
			err = error_of(bpf_map_delete_elem(maps->map_fd, keys));
		}
		if (err && err != -ENOENT) {
			maps->map_error = err;
			return;
		}
		maps->deleted += done + 1;
	}
}

static void forget_next(struct map_drain *maps, u32 n)
{
	if (!maps->is_taken) {
		delete_next(maps, n);
		return;
	}
	memset(value_at(maps, maps->deleted), 0, n * maps->value_bytes);
	maps->deleted += n;
}

static void on_written(struct line_source *source, unsigned int rows)
{
	struct map_drain *maps =
		(struct map_drain *)((char *)source - offsetof(struct map_drain, source));

	forget_next(maps, rows);
}

static size_t row_bytes(const struct map_drain *maps, const struct folded_kind *kind)
{
	return kind->is_per_cpu ? maps->n_cpus * kind->value_bytes : kind->value_bytes;
}

static u32 rows_a_batch(size_t value_bytes, u32 most)
{
	if (most * value_bytes <= BATCH_VALUE_BYTES)
		return most;
	if (BATCH_ROWS_MIN * value_bytes >= BATCH_VALUE_BYTES)
		return BATCH_ROWS_MIN;
	return (u32)(BATCH_VALUE_BYTES / value_bytes);
}

/* Memory that no batch reaches is never touched, and takes none. */
static int make_buffers(struct map_drain *maps)
{
	size_t keys = 0, values = 0;

	for (int i = 0; i < FOLDED_KINDS; i++) {
		size_t bytes = row_bytes(maps, &folded_kinds[i]);
		u32 rows = rows_a_batch(bytes, BATCH_ROWS);

		if (keys < rows * folded_kinds[i].key_bytes)
			keys = rows * folded_kinds[i].key_bytes;
		if (values < rows * bytes)
			values = rows * bytes;
	}
	maps->own_keys = malloc(keys);
	maps->own_values = malloc(values);
	return maps->own_keys && maps->own_values ? 0 : -ENOMEM;
}

static void close_shelf(struct shelf *shelf)
{
	if (shelf->rows)
		munmap(shelf->rows, shelf->bytes);
	*shelf = (struct shelf){ 0 };
}

struct map_drain *map_drain_new(unsigned int n_cpus)
{
	struct map_drain *maps = calloc(1, sizeof(*maps));

	if (!maps)
		return NULL;
	maps->source.written = on_written;
	maps->n_cpus = n_cpus;
	if (make_buffers(maps)) {
		map_drain_free(maps);
		return NULL;
	}
	return maps;
}

void map_drain_free(struct map_drain *maps)
{
	if (!maps)
		return;
	close_shelf(&maps->shelf);
	free(maps->own_keys);
	free(maps->own_values);
	free(maps);
}

/*
 * The lines of a batch. Full buffers are flushed on the way, which deletes the rows that
 * are in them; a row goes with the last of its lines.
 */
static int write_batch(struct map_drain *maps, struct drain *drain)
{
	const struct folded_kind *kind = maps->kind;
	struct folded_row row = {
		.n_values = kind->is_per_cpu ? maps->n_cpus : 1,
		.now_ns = walltime_unix_ns(),
	};
	struct sink *sink = drain->sink;
	u32 i = maps->deleted, cursor = 0;
	int err = 0;

	while (i < maps->n && sink->data_left && !err) {
		char *end;

		row.key = key_at(maps, i);
		row.values = value_at(maps, i);
		end = kind->write(sink_next(sink), drain, &row, &cursor);
		sink->data_left -= kind->is_data;
		i += !cursor;
		err = sink_add(sink, end, 1, cursor ? NULL : &maps->source);
	}
	/* The next batch overwrites the keys that are to be deleted. */
	return err ? err : sink_flush(sink);
}

/* The rows from first to n of the batch. */
static int consume_rows(struct map_drain *maps, u32 first, u32 n, struct drain *drain)
{
	int err = 0;

	maps->n = n;
	maps->deleted = first;
	if (drain->types & maps->kind->print)
		err = write_batch(maps, drain);
	else
		forget_next(maps, n - first);
	drain->rows += maps->deleted - first;
	return err;
}

static int consume_batch(struct map_drain *maps, u32 n, struct drain *drain)
{
	return consume_rows(maps, 0, n, drain);
}

/* ---- the shelf -------------------------------------------------------------------------- */

/* Batches of that kind go by the shelf, or by memory of our own. */
static void begin_kind(struct map_drain *maps, const struct folded_kind *kind, bool by_shelf)
{
	maps->kind = kind;
	maps->value_bytes = row_bytes(maps, kind);
	maps->room = rows_a_batch(maps->value_bytes, by_shelf ? SHELF_ROWS : BATCH_ROWS);
	maps->is_taken = by_shelf;
	maps->keys = by_shelf ? maps->shelf.rows : maps->own_keys;
	maps->values = by_shelf ? maps->shelf.rows + (size_t)SHELF_ROWS * kind->key_bytes
				: maps->own_values;
	/* Nothing is to be asked of the kernel once they are written. */
	maps->source.is_instant = by_shelf;
}

void map_drain_use_shelf(struct map_drain *maps, int shelf_fd, u32 shelf_id)
{
	const size_t bytes = SHELF_ROWS * (SHELF_KIND->key_bytes + row_bytes(maps, SHELF_KIND));
	struct bpf_map_info info = { 0 };
	u32 length = sizeof(info);
	void *rows;

	if (shelf_fd < 0 || (maps->shelf.rows && maps->shelf.id == shelf_id))
		return;
	close_shelf(&maps->shelf);
	if (bpf_obj_get_info_by_fd(shelf_fd, &info, &length) ||
	    (size_t)info.value_size * info.max_entries < bytes)
		return;
	rows = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, shelf_fd, 0);
	if (rows != MAP_FAILED)
		maps->shelf = (struct shelf){ .rows = rows, .bytes = bytes, .id = shelf_id };
}

static bool is_row(const struct map_drain *maps, u32 row)
{
	const char *value = value_at(maps, row);

	return value[0] || memcmp(value, value + 1, maps->value_bytes - 1) != 0;
}

/* Rows go from the first on, so what is left of a batch is without a gap. */
int map_drain_shelf(struct map_drain *maps, struct drain *drain)
{
	u32 first = 0, end;
	int err = 0;

	if (!maps->shelf.rows || maps->shelf.is_clean)
		return 0;
	begin_kind(maps, SHELF_KIND, true);
	drain->writer->offset_ns = 0;
	while (first < SHELF_ROWS && !is_row(maps, first))
		first++;
	end = first;
	while (end < SHELF_ROWS && is_row(maps, end))
		end++;
	if (end > first)
		err = consume_rows(maps, first, end, drain);
	maps->shelf.is_clean = !err && drain->sink->data_left;
	return err;
}

/* ---- without batches ----------------------------------------------------------------- */

/*
 * By single keys, for kernels without batches, and for a chain longer than a batch.
 * Always from the start: what was consumed is deleted. Returns the number of rows.
 */
static u32 collect_singly(struct map_drain *maps)
{
	const char *previous = NULL;
	u32 n = 0;
	int err = 0;

	while (n < maps->room) {
		char *key = key_at(maps, n);

		err = error_of(bpf_map_get_next_key(maps->map_fd, previous, key));
		if (!err)
			err = error_of(bpf_map_lookup_elem(maps->map_fd, key, value_at(maps, n)));
		if (err)
			break;
		previous = key;
		n++;
	}
	if (err && err != -ENOENT)
		maps->map_error = err;
	return n;
}

static int drain_singly(struct map_drain *maps, struct drain *drain)
{
	int err = 0;

	while (!err && !maps->map_error && drain->sink->data_left) {
		u32 n = collect_singly(maps);

		if (!n)
			break;
		err = consume_batch(maps, n, drain);
	}
	return err;
}

static int fetch_batch(struct map_drain *maps, u32 *from, u32 *token, u32 *n)
{
	return maps->is_taken ? bpf_map_lookup_and_delete_batch(maps->map_fd, from, token, maps->keys,
								maps->values, n, NULL)
			      : bpf_map_lookup_batch(maps->map_fd, from, token, maps->keys,
						     maps->values, n, NULL);
}

/* No batches, or a chain longer than one; what was taken before it failed is on the shelf. */
static int after_failure(struct map_drain *maps, struct drain *drain)
{
	const struct folded_kind *kind = maps->kind;
	int err = 0;

	maps->shelf.is_clean &= !maps->is_taken;
	if (maps->is_taken)
		err = map_drain_shelf(maps, drain);
	begin_kind(maps, kind, false);
	return err ? err : drain_singly(maps, drain);
}

int map_drain(struct map_drain *maps, const struct folded_kind *kind, int map_fd,
	      struct drain *drain, int *ret_map_error)
{
	u32 token = 0, *from = NULL;
	int err = 0;

	begin_kind(maps, kind, kind == SHELF_KIND && maps->shelf.is_clean);
	maps->map_fd = map_fd;
	maps->map_error = 0;
	drain->writer->offset_ns = 0;
	while (!err && !maps->map_error && drain->sink->data_left) {
		u32 n = maps->room;
		int looked = error_of(fetch_batch(maps, from, &token, &n));

		if (looked && looked != -ENOENT) {
			err = after_failure(maps, drain);
			break;
		}
		err = consume_batch(maps, n, drain);
		from = &token;
		if (looked)
			break;
	}
	*ret_map_error = maps->map_error;
	return err;
}
