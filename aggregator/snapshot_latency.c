/* SPDX-License-Identifier: MIT */
/* Round-trip times, the probes' counters and what was lost of them, in a snapshot. */
#include "aggregator/snapshot_parts.h"
#include "aggregator/top.h"

/* A row and what is said of it, made once. */
struct shown {
	const struct latency *row;
	struct latency_summary summary;
};

/* Whole hosts before networks, then by the samples of the minute. */
static bool is_less(const void *one, const void *other, const void *data)
{
	const struct shown *a = one, *b = other;
	bool network = *a->row->id.network, other_network = *b->row->id.network;

	(void)data;
	if (network != other_network)
		return network;
	if (a->summary.count != b->summary.count)
		return a->summary.count < b->summary.count;
	return a->row->total < b->row->total;
}

static void put_buckets(struct text *t, const struct latency *row, u32 interval)
{
	const char *between = "[";

	text_put(t, ",\"buckets\":[");
	for (u32 i = 0; i < LATENCY_BUCKETS; i++) {
		/* Networks' are left out: they would be most of the snapshot. */
		if (*row->id.network || row->recent.number != interval || !row->recent.counts[i])
			continue;
		text_number(t, between, latency_bucket_upper_us(i));
		text_number(t, ",", row->recent.counts[i]);
		text_put(t, "]");
		between = ",[";
	}
	text_put(t, "]}");
}

static void put_latency(struct text *t, const struct aggregate *a, const struct shown *s)
{
	const struct latency_id *id = &s->row->id;
	bool any = s->summary.count;

	text_string(t, "{\"host\":", a->interfaces.hosts[id->host]);
	text_name(t, ",\"name\":", id->name);
	text_name(t, ",\"unit\":", id->unit);
	text_name_or_null(t, ",\"network\":", *id->network ? id->network : NULL);
	text_number(t, ",\"count\":", s->summary.count);
	text_number_or_null(t, ",\"p50\":", any, s->summary.p50);
	text_number_or_null(t, ",\"p95\":", any, s->summary.p95);
	text_number_or_null(t, ",\"p99\":", any, s->summary.p99);
	text_number_or_null(t, ",\"max\":", any, s->summary.max);
	text_number(t, ",\"total_count\":", s->row->total);
	put_buckets(t, s->row, a->interval);
}

static void put_rows(struct text *t, const struct aggregate *a, const struct snapshot_request *q)
{
	const struct lru_table *table = &a->latencies.table;
	struct shown shown[LATENCY_ROWS_MAX];
	struct top top;
	u32 n = 0;

	if (top_init(&top, q->top, is_less, NULL)) {
		t->failed = true;
		return;
	}
	for (const struct latency *row = lru_newest(table, 0); row; row = lru_older(table, row), n++) {
		shown[n].row = row;
		latency_summarize(row, a->host_ns[row->id.host], &shown[n].summary);
		top_offer(&top, &shown[n]);
	}
	top_sort(&top);
	text_put(t, ",\"latency\":[");
	for (u32 i = 0; i < top.n; i++) {
		text_put(t, i ? "," : "");
		put_latency(t, a, top.rows[i]);
	}
	text_number(t, "],\"latency_table\":{\"active\":", table->active);
	text_number(t, ",\"limit\":", table->limit);
	text_number(t, ",\"evicted\":", table->evicted);
	text_put(t, "}");
	top_free(&top);
}

static void put_probe(struct text *t, const struct aggregate *a, const struct probe *probe)
{
	text_string(t, "{\"host\":", a->interfaces.hosts[probe->id.host]);
	text_name(t, ",\"probe\":", probe->id.name);
	text_put(t, ",\"counters\":{");
	for (u32 i = 0; i < probe->n; i++) {
		text_name(t, i ? "," : "", probe->counters[i].name);
		text_number(t, ":", probe->counters[i].value);
	}
	text_put(t, "}}");
}

/* In the order in which they came first. */
static void put_probes(struct text *t, const struct aggregate *a)
{
	const struct lru_table *table = &a->probes.table;
	const char *between = "";

	text_put(t, ",\"probes\":[");
	for (u32 i = 0; i < table->used; i++) {
		const struct probe *probe = lru_at(table, i);

		if (!probe)
			continue;
		text_put(t, between);
		put_probe(t, a, probe);
		between = ",";
	}
	text_put(t, "]");
}

void snapshot_latency(struct text *t, const struct aggregate *a, const struct snapshot_request *q)
{
	put_rows(t, a, q);
	put_probes(t, a);
}

/* ---- losses and input -------------------------------------------------------------------------- */

void snapshot_host_losses(struct text *t, const struct aggregate *a)
{
	const struct probes *p = &a->probes;

	text_number(t, ",\"processes_evicted\":", a->processes.table.evicted);
	text_number(t, ",\"connections_evicted\":", a->connections.table.evicted);
	text_number(t, ",\"drop_flows_evicted\":", a->drops.flows.evicted);
	text_number(t, ",\"drop_rows_over\":", a->drops.rows_over);
	text_number(t, ",\"latency_evicted\":", a->latencies.table.evicted);
	text_number(t, ",\"connection_ring_full\":", probes_sum(p, "connection", "ring_full"));
	text_number(t, ",\"drop_ring_full\":", probes_sum(p, "drop", "ring_full"));
	text_number(t, ",\"drops_unattributed\":", probes_sum(p, "drop", "unattributed"));
	text_number(t, ",\"process_unattributed_bytes\":",
		    probes_sum(p, "process", "unattributed_tx_bytes") +
		    probes_sum(p, "process", "unattributed_rx_bytes"));
	text_number(t, ",\"latency_unattributed\":", probes_sum(p, "latency", "unattributed"));
	text_number(t, ",\"no_memory\":",
		    a->no_memory + a->processes.no_memory + a->connections.no_memory +
		    a->drops.no_memory + a->latencies.no_memory + a->probes.no_memory);
}

void snapshot_host_input(struct text *t, const struct aggregate *a)
{
	text_number(t, ",\"connection\":", a->connection_lines);
	text_number(t, ",\"process\":", a->process_lines);
	text_number(t, ",\"drop\":", a->drop_lines);
	text_number(t, ",\"latency\":", a->latency_lines);
	text_number(t, ",\"probe\":", a->probe_lines);
	text_number(t, ",\"drop_counters\":", a->drop_counters_lines);
}
