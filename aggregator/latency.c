/* SPDX-License-Identifier: MIT */
/* Histograms of round-trip times, merged from latency lines. */
#include "aggregator/latency.h"

#include <string.h>

#include "common/percentile.h"

int latencies_init(struct latencies *l)
{
	memset(l, 0, sizeof(*l));
	return lru_init(&l->table, sizeof(struct latency), sizeof(struct latency_id), LATENCY_ROWS_MAX);
}

void latencies_free(struct latencies *l)
{
	lru_free(&l->table);
}

static void set_name(char *to, size_t size, struct line_text name)
{
	memcpy(to, name.text, strnlen(name.text, name.length < size ? name.length : size - 1));
}

struct latency *latencies_get(struct latencies *l, u16 host, const struct latency_line *line)
{
	struct latency_id id = { .host = host };
	struct latency *row;
	bool is_new;

	if (line->network.text)
		set_name(id.network, sizeof(id.network), line->network);
	set_name(id.name, sizeof(id.name), line->name);
	set_name(id.unit, sizeof(id.unit), line->unit);
	row = lru_get(&l->table, &id, &is_new);
	l->no_memory += !row;
	return row;
}

static void add(struct latency_slot *slot, u32 bucket, u64 count)
{
	u64 sum = slot->counts[bucket] + count;

	slot->counts[bucket] = sum < UINT32_MAX ? (u32)sum : UINT32_MAX;
}

static void begin(struct latency_slot *slot, u64 number)
{
	if (slot->number == number)
		return;
	memset(slot, 0, sizeof(*slot));
	slot->number = number;
}

static void add_since(struct latency *row, u32 upper, u64 count)
{
	u32 bound = 0;

	while (bound < LATENCY_BOUNDS && upper > latency_bound(bound))
		bound++;
	row->since[bound] += count;
	row->sum += upper * count;
}

void latency_add(struct latency *row, u64 upper, u64 count, u64 time_ns, u32 interval)
{
	u32 bucket = latency_bucket(upper < UINT32_MAX ? (u32)upper : UINT32_MAX);
	u64 number = time_ns / LATENCY_SLOT_NS;
	struct latency_slot *slot = &row->slots[number % LATENCY_SLOTS];

	row->total += count;
	add_since(row, latency_bucket_upper_us(bucket), count);
	begin(&row->recent, interval);
	add(&row->recent, bucket, count);
	/* What is older than all that is kept here is in no minute any more. */
	if (number < slot->number)
		return;
	begin(slot, number);
	add(slot, bucket, count);
}

void latency_summarize(const struct latency *row, u64 now_ns, struct latency_summary *ret)
{
	u64 counts[LATENCY_BUCKETS] = { 0 }, n = 0, now = now_ns / LATENCY_SLOT_NS;

	for (u32 i = 0; i < LATENCY_SLOTS; i++) {
		const struct latency_slot *slot = &row->slots[i];

		if (!slot->number || slot->number + LATENCY_SLOTS <= now)
			continue;
		for (u32 bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
			counts[bucket] += slot->counts[bucket];
			n += slot->counts[bucket];
		}
	}
	*ret = (struct latency_summary){ .count = n };
	if (!n)
		return;
	ret->p50 = percentile_us(counts, n, 50);
	ret->p95 = percentile_us(counts, n, 95);
	ret->p99 = percentile_us(counts, n, 99);
	ret->max = percentile_us(counts, n, 100);
}
