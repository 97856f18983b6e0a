/* SPDX-License-Identifier: MIT */
/* What the kernel folds into pairs of maps, and the lines that the rows become. */
#include "reader/folded.h"

#include <string.h>

#include "common/latency_buckets.h"
#include "reader/names.h"
#include "reader/request.h"

#define PUT(p, literal) put_bytes(p, literal, sizeof(literal) - 1)

static inline char *put_bytes(char *p, const char *text, size_t length)
{
	memcpy(p, text, length);
	return p + length;
}

/* ---- flows ------------------------------------------------------------------------ */

/* A tick of a flow's value: monotonic nanoseconds, from what they are now. */
static u64 tick_ns(u32 tick, u64 now_ns)
{
	u64 now = now_ns >> FLOW_TICK_SHIFT;
	int32_t age = (int32_t)((u32)now - tick);	/* below 0: clocks are not read at once */

	return (now - (u64)(int64_t)age) << FLOW_TICK_SHIFT;
}

void folded_sum_flow(const struct folded_row *row, u64 monotonic_offset_ns,
		     struct flow_record *ret_record)
{
	const struct flow_value *values = row->values;
	const u64 now_ns = row->now_ns - monotonic_offset_ns;
	struct flow_record r = { .time_ns = row->now_ns, .first_ns = UINT64_MAX };

	memcpy(&r.key, row->key, sizeof(r.key));
	for (unsigned int i = 0; i < row->n_values; i++) {
		const struct flow_value *v = &values[i];
		u64 first_ns = tick_ns(v->first_tick, now_ns), last_ns = tick_ns(v->last_tick, now_ns);

		if (!v->packets_flags)
			continue;
		r.packets += v->packets_flags >> FLOW_PACKETS_SHIFT;
		r.bytes += v->bytes;
		r.tcp_flags |= (u8)v->packets_flags;
		if (first_ns < r.first_ns)
			r.first_ns = first_ns;
		if (last_ns > r.last_ns)
			r.last_ns = last_ns;
	}
	if (!r.packets)
		r.first_ns = r.last_ns;
	r.first_ns += monotonic_offset_ns;
	r.last_ns += monotonic_offset_ns;
	*ret_record = r;
}

static char *write_flow(char *p, struct drain *drain, const struct folded_row *row, u32 *cursor)
{
	struct flow_record r;

	(void)cursor;
	folded_sum_flow(row, drain->walltime.monotonic_offset_ns, &r);
	if (!drain->knows[r.key.iface])
		drain->learn(drain, r.key.iface);
	return flow_line_write(p, drain->writer, &r);
}

/* ---- processes and drops ------------------------------------------------------------- */

/* Values that are nothing but numbers of 64 bits. */
static void sum_numbers(const struct folded_row *row, u64 *ret_sums, unsigned int n)
{
	const u64 *values = row->values;

	for (unsigned int i = 0; i < row->n_values * n; i++)
		ret_sums[i % n] += values[i];
}

#define SUM(row, value) sum_numbers(row, (u64 *)(value), sizeof(*(value)) / sizeof(u64))

static char *write_process(char *p, struct drain *drain, const struct folded_row *row, u32 *cursor)
{
	struct process_record r = { .time_ns = row->now_ns };

	(void)cursor;
	memcpy(&r.key, row->key, sizeof(r.key));
	SUM(row, &r.value);
	return process_line_write(p, drain->writer, &r);
}

static char *write_drop(char *p, struct drain *drain, const struct folded_row *row, u32 *cursor)
{
	struct drop_record r = { .time_ns = row->now_ns };

	(void)cursor;
	memcpy(&r.key, row->key, sizeof(r.key));
	SUM(row, &r.value);
	drain->writer->reason = names_reason(drain->names, r.key.reason);
	drain->writer->location = names_location(drain->names, r.key.location);
	return drop_line_write(p, drain->writer, &r);
}

/* ---- latencies -------------------------------------------------------------------------- */

/* "[134217727,4294967295],": at most 23 bytes each, beside at most 256 for all else. */
#define BUCKETS_A_LINE 160

/* The network as a JSON string; null is the whole host. */
static char *put_network(char *p, const struct latency_key *key)
{
	if (!key->ip_version)
		return PUT(p, "null");
	*p++ = '"';
	p = line_put_address(p, key->ip_version, key->network);
	*p++ = '/';
	p = line_put_number(p, key->prefix_length);
	*p++ = '"';
	return p;
}

/* Where the next line goes on, or LATENCY_BUCKETS; *ret_count: the samples before that. */
static u32 end_of_line(const struct latency_value *value, u32 bucket, u64 *ret_count)
{
	u32 n = 0;

	*ret_count = 0;
	for (; bucket < LATENCY_BUCKETS && n < BUCKETS_A_LINE; bucket++) {
		n += value->counts[bucket] != 0;
		*ret_count += value->counts[bucket];
	}
	while (bucket < LATENCY_BUCKETS && !value->counts[bucket])
		bucket++;
	return bucket;
}

static char *put_buckets(char *p, const struct latency_value *value, u32 from, u32 to)
{
	const char *first = p;

	for (u32 bucket = from; bucket < to; bucket++) {
		if (!value->counts[bucket])
			continue;
		if (p > first)
			*p++ = ',';
		*p++ = '[';
		p = line_put_number(p, latency_bucket_upper_us(bucket));
		*p++ = ',';
		p = line_put_number(p, value->counts[bucket]);
		*p++ = ']';
	}
	return p;
}

char *folded_latency_line(char *p, const struct latency_key *key, const struct latency_value *value,
			  u64 now_ns, u32 *cursor)
{
	u64 count;
	u32 end = end_of_line(value, *cursor, &count);

	p = PUT(p, "{\"type\":\"latency\",\"timestamp\":");
	p = line_put_time(p, now_ns);
	p = PUT(p, ",\"name\":\"tcp_rtt\",\"unit\":\"us\",\"network\":");
	p = put_network(p, key);
	p = PUT(p, ",\"count\":");
	p = line_put_number(p, count);
	p = PUT(p, ",\"buckets\":[");
	p = put_buckets(p, value, *cursor, end);
	*cursor = end < LATENCY_BUCKETS ? end : 0;
	return PUT(p, "]}\n");
}

static char *write_latency(char *p, struct drain *drain, const struct folded_row *row, u32 *cursor)
{
	(void)drain;
	return folded_latency_line(p, row->key, row->values, row->now_ns, cursor);
}

/* ---- the table ---------------------------------------------------------------------------- */

#define GENERATION(member) offsetof(struct pin_settings, member)
#define KIND(name) \
	.key_bytes = sizeof(struct name##_key), .value_bytes = sizeof(struct name##_value), \
	.write = write_##name

const struct folded_kind folded_kinds[FOLDED_KINDS] = {
	[FOLD_PROCESS] = { KIND(process), .pin = PIN_PROCESSES, .print = PRINT_PROCESS,
			   .generation_at = GENERATION(fold_generation[FOLD_PROCESS]),
			   .is_per_cpu = true, .is_data = true },
	[FOLD_DROP] = { KIND(drop), .pin = PIN_DROPS, .print = PRINT_DROP,
			.generation_at = GENERATION(fold_generation[FOLD_DROP]),
			.is_per_cpu = true, .is_data = true },
	[FOLD_LATENCY] = { KIND(latency), .pin = PIN_LATENCIES, .print = PRINT_LATENCY,
			   .generation_at = GENERATION(fold_generation[FOLD_LATENCY]) },
	[FOLDED_FLOW] = { KIND(flow), .pin = PIN_FLOWS, .print = PRINT_FLOW,
			  .generation_at = GENERATION(flows_generation),
			  .is_per_cpu = true, .is_data = true },
};
