/* SPDX-License-Identifier: MIT */
/* Flow maps to lines: look up a batch, write it, delete it. */
#include "reader/flow_drain.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "reader/request.h"

/*
 * Flows a batch: enough to make system calls cheap, few enough that what was looked up is
 * still in the cache when it is deleted (measured: 18 ms per 100 000, 28 ms with 8192).
 */
#define BATCH_FLOWS 512
#define BATCH_FLOWS_MIN 256	/* the longest chain in a bucket of the map must fit */
#define BATCH_VALUE_BYTES (4u << 20)

struct flow_drain {
	struct line_source source;
	unsigned int n_cpus;
	u32 room;			/* flows a batch */
	struct flow_key *keys;
	struct flow_value *values;	/* n_cpus of them a key */
	/* the batch at hand */
	int map_fd;
	u32 n;
	u32 deleted;			/* of its first keys */
	int map_error;
};

/* -errno of the last libbpf call that returned result. */
static int error_of(int result)
{
	return result ? -errno : 0;
}

/* Deletes the next so many keys of the batch. One that is gone already is no error. */
static void delete_next(struct flow_drain *flows, u32 n)
{
	const u32 end = flows->deleted + n;

	while (flows->deleted < end) {
		const struct flow_key *keys = flows->keys + flows->deleted;
		u32 done = end - flows->deleted;
		int err = error_of(bpf_map_delete_batch(flows->map_fd, keys, &done, NULL));

		if (!err) {
			flows->deleted = end;
			return;
		}
		/* Of -EFAULT nobody says how far it came; before 5.6 there is no batch. */
		if (err != -ENOENT || done >= end - flows->deleted) {
			done = 0;
			err = error_of(bpf_map_delete_elem(flows->map_fd, keys));
		}
		if (err && err != -ENOENT) {
			flows->map_error = err;
			return;
		}
		flows->deleted += done + 1;
	}
}

static void on_written(struct line_source *source, unsigned int lines)
{
	struct flow_drain *flows =
		(struct flow_drain *)((char *)source - offsetof(struct flow_drain, source));

	delete_next(flows, lines);
}

struct flow_drain *flow_drain_new(unsigned int n_cpus)
{
	struct flow_drain *flows = calloc(1, sizeof(*flows));
	size_t value_bytes = n_cpus * sizeof(struct flow_value);

	if (!flows)
		return NULL;
	flows->source.written = on_written;
	flows->n_cpus = n_cpus;
	flows->room = BATCH_FLOWS;
	if (flows->room * value_bytes > BATCH_VALUE_BYTES)
		flows->room = (u32)(BATCH_VALUE_BYTES / value_bytes);
	if (flows->room < BATCH_FLOWS_MIN)
		flows->room = BATCH_FLOWS_MIN;
	flows->keys = calloc(flows->room, sizeof(flows->keys[0]));
	flows->values = calloc(flows->room, value_bytes);
	if (!flows->keys || !flows->values) {
		flow_drain_free(flows);
		return NULL;
	}
	return flows;
}

void flow_drain_free(struct flow_drain *flows)
{
	if (!flows)
		return;
	free(flows->keys);
	free(flows->values);
	free(flows);
}

void flow_sum(const struct flow_key *key, const struct flow_value *values, unsigned int n_cpus,
	      u64 monotonic_offset_ns, u64 now_unix_ns, struct flow_record *ret_record)
{
	struct flow_record r = { .time_ns = now_unix_ns, .key = *key, .first_ns = UINT64_MAX };

	for (unsigned int cpu = 0; cpu < n_cpus; cpu++) {
		const struct flow_value *v = &values[cpu];

		if (!v->packets)
			continue;
		r.packets += v->packets;
		r.bytes += v->bytes;
		r.tcp_flags |= v->tcp_flags;
		if (v->first_ns < r.first_ns)
			r.first_ns = v->first_ns;
		if (v->last_ns > r.last_ns)
			r.last_ns = v->last_ns;
	}
	if (!r.packets)
		r.first_ns = r.last_ns;
	r.first_ns += monotonic_offset_ns;
	r.last_ns += monotonic_offset_ns;
	*ret_record = r;
}

/*
 * The lines of a batch. Full buffers are flushed on the way, which deletes the flows
 * that are in them.
 */
static int write_batch(struct flow_drain *flows, struct drain *drain)
{
	struct sink *sink = drain->sink;
	u64 now_ns = walltime_unix_ns();
	u32 i = 0;
	int err = 0;

	while (i < flows->n && sink->data_left && !err) {
		char *p = sink_next(sink), *full = sink->buffer + sink->limit;
		unsigned int lines = 0;

		for (; i < flows->n && p <= full && lines < sink->data_left; i++, lines++) {
			struct flow_record r;

			flow_sum(&flows->keys[i], flows->values + (size_t)i * flows->n_cpus,
				 flows->n_cpus, drain->walltime.monotonic_offset_ns, now_ns, &r);
			if (!drain->knows[r.key.iface])
				drain->learn(drain, r.key.iface);
			p = flow_line_write(p, drain->writer, &r);
		}
		sink->data_left -= lines;
		err = sink_add(sink, p, lines, &flows->source);
	}
	/* The next batch overwrites the keys that are to be deleted. */
	return err ? err : sink_flush(sink);
}

static int consume_batch(struct flow_drain *flows, u32 n, struct drain *drain)
{
	int err = 0;

	flows->n = n;
	flows->deleted = 0;
	if (drain->types & PRINT_FLOW)
		err = write_batch(flows, drain);
	else
		delete_next(flows, n);
	drain->flows += flows->deleted;
	return err;
}

/*
 * By single keys, for kernels without batches, and for a chain longer than a batch.
 * Always from the start: what was consumed is deleted. Returns the number of flows.
 */
static u32 collect_singly(struct flow_drain *flows)
{
	const struct flow_key *previous = NULL;
	u32 n = 0;
	int err = 0;

	while (n < flows->room) {
		struct flow_key *key = &flows->keys[n];

		err = error_of(bpf_map_get_next_key(flows->map_fd, previous, key));
		if (!err)
			err = error_of(bpf_map_lookup_elem(flows->map_fd, key,
							   flows->values + (size_t)n * flows->n_cpus));
		if (err)
			break;
		previous = key;
		n++;
	}
	if (err && err != -ENOENT)
		flows->map_error = err;
	return n;
}

static int drain_singly(struct flow_drain *flows, struct drain *drain)
{
	int err = 0;

	while (!err && !flows->map_error && drain->sink->data_left) {
		u32 n = collect_singly(flows);

		if (!n)
			break;
		err = consume_batch(flows, n, drain);
	}
	return err;
}

int flow_drain_map(struct flow_drain *flows, int map_fd, struct drain *drain,
		   int *ret_map_error)
{
	u32 token = 0, *from = NULL;
	int err = 0;

	flows->map_fd = map_fd;
	flows->map_error = 0;
	drain->writer->offset_ns = 0;
	while (!err && !flows->map_error && drain->sink->data_left) {
		u32 n = flows->room;
		int looked = error_of(bpf_map_lookup_batch(map_fd, from, &token, flows->keys,
							   flows->values, &n, NULL));

		if (looked && looked != -ENOENT) {
			err = drain_singly(flows, drain);
			break;
		}
		err = consume_batch(flows, n, drain);
		from = &token;
		if (looked)
			break;
	}
	*ret_map_error = flows->map_error;
	return err;
}
