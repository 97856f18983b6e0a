/* SPDX-License-Identifier: MIT */
/* Folded maps to lines: look up a batch, write it, delete it. */
#include "reader/map_drain.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Rows a batch: enough to make system calls cheap, few enough that what was looked up is
 * still in the cache when it is deleted (measured: 18 ms per 100 000, 28 ms with 8192).
 */
#define BATCH_ROWS 512
#define BATCH_ROWS_MIN 256	/* the longest chain in a bucket of the map must fit */
#define BATCH_VALUE_BYTES (4u << 20)

struct map_drain {
	struct line_source source;
	unsigned int n_cpus;
	char *keys, *values;	/* a batch of any kind */
	/* the map at hand */
	const struct folded_kind *kind;
	int map_fd;
	u32 room;		/* rows a batch */
	size_t value_bytes;	/* of a row: of all CPUs */
	int map_error;
	/* the batch at hand */
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

static void on_written(struct line_source *source, unsigned int rows)
{
	struct map_drain *maps =
		(struct map_drain *)((char *)source - offsetof(struct map_drain, source));

	delete_next(maps, rows);
}

static size_t row_bytes(const struct map_drain *maps, const struct folded_kind *kind)
{
	return kind->is_per_cpu ? maps->n_cpus * kind->value_bytes : kind->value_bytes;
}

static u32 rows_a_batch(size_t value_bytes)
{
	if (BATCH_ROWS * value_bytes <= BATCH_VALUE_BYTES)
		return BATCH_ROWS;
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
		u32 rows = rows_a_batch(bytes);

		if (keys < rows * folded_kinds[i].key_bytes)
			keys = rows * folded_kinds[i].key_bytes;
		if (values < rows * bytes)
			values = rows * bytes;
	}
	maps->keys = malloc(keys);
	maps->values = malloc(values);
	return maps->keys && maps->values ? 0 : -ENOMEM;
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
	free(maps->keys);
	free(maps->values);
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
	u32 i = 0, cursor = 0;
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

static int consume_batch(struct map_drain *maps, u32 n, struct drain *drain)
{
	int err = 0;

	maps->n = n;
	maps->deleted = 0;
	if (drain->types & maps->kind->print)
		err = write_batch(maps, drain);
	else
		delete_next(maps, n);
	drain->rows += maps->deleted;
	return err;
}

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

int map_drain(struct map_drain *maps, const struct folded_kind *kind, int map_fd,
	      struct drain *drain, int *ret_map_error)
{
	u32 token = 0, *from = NULL;
	int err = 0;

	maps->kind = kind;
	maps->map_fd = map_fd;
	maps->value_bytes = row_bytes(maps, kind);
	maps->room = rows_a_batch(maps->value_bytes);
	maps->map_error = 0;
	drain->writer->offset_ns = 0;
	while (!err && !maps->map_error && drain->sink->data_left) {
		u32 n = maps->room;
		int looked = error_of(bpf_map_lookup_batch(map_fd, from, &token, maps->keys,
							   maps->values, &n, NULL));

		if (looked && looked != -ENOENT) {
			err = drain_singly(maps, drain);
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
