/* SPDX-License-Identifier: MIT */
/* What the aggregator knows, as lines: snapshots, and one line a flow. */
#include "aggregator/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "aggregator/snapshot_parts.h"
#include "common/line_write.h"
#include "common/protocol.h"
#include "common/version.h"

static void put_rates(struct text *t, const struct amount *recent, u64 interval_ns)
{
	text_number(t, ",\"pps\":", text_rate(recent->packets, interval_ns));
	text_number(t, ",\"bps\":", text_rate(recent->bytes * 8, interval_ns));
}

static void put_amount(struct text *t, const struct amount *amount)
{
	text_number(t, ",\"packets\":", amount->packets);
	text_number(t, ",\"bytes\":", amount->bytes);
}

static struct amount both(const struct amount *direction)
{
	struct amount sum = direction[0];

	amount_add(&sum, &direction[1]);
	return sum;
}

/* Sums of all interfaces, made once a snapshot. */
struct sums {
	struct tally total, recent;
	struct counters counters;
	u64 packet_lines, flow_packets, unseen, before;
};

static void add_counters(struct counters *to, const struct counters *from)
{
	to->packet_lines += from->packet_lines;
	to->folded += from->folded;
	to->unattributed += from->unattributed;
	to->unattributed_bytes += from->unattributed_bytes;
	to->malformed += from->malformed;
	to->ring_full += from->ring_full;
}

static void add_interface(struct sums *s, const struct interface *i)
{
	struct tally recent;

	interface_recent(i, &recent);
	tally_add(&s->recent, &recent);
	tally_add(&s->total, interface_total(i));
	add_counters(&s->counters, &i->counters);
	/* As they were when the totals were read, so that the sum is one of the same moment. */
	s->packet_lines += i->counters_seen ? i->packet_lines_then : i->packet_lines;
	s->flow_packets += i->counters_seen ? i->flow_packets_then : i->flow_packets;
	if (i->counters_seen) {
		s->unseen += interface_unseen(i);
		s->before += i->unseen_least;
	}
}

static void put_totals(struct text *t, const struct sums *s, u64 interval_ns)
{
	const struct amount *in = &s->total.direction[DIRECTION_INGRESS];
	const struct amount *out = &s->total.direction[DIRECTION_EGRESS];
	const struct amount *in_now = &s->recent.direction[DIRECTION_INGRESS];
	const struct amount *out_now = &s->recent.direction[DIRECTION_EGRESS];
	struct amount sum = both(s->total.direction), now = both(s->recent.direction);

	text_number(t, ",\"totals\":{\"packets\":", sum.packets);
	text_number(t, ",\"bytes\":", sum.bytes);
	text_number(t, ",\"ingress_packets\":", in->packets);
	text_number(t, ",\"ingress_bytes\":", in->bytes);
	text_number(t, ",\"egress_packets\":", out->packets);
	text_number(t, ",\"egress_bytes\":", out->bytes);
	text_number(t, "},\"rates\":{\"pps\":", text_rate(now.packets, interval_ns));
	text_number(t, ",\"bps\":", text_rate(now.bytes * 8, interval_ns));
	text_number(t, ",\"ingress_pps\":", text_rate(in_now->packets, interval_ns));
	text_number(t, ",\"ingress_bps\":", text_rate(in_now->bytes * 8, interval_ns));
	text_number(t, ",\"egress_pps\":", text_rate(out_now->packets, interval_ns));
	text_number(t, ",\"egress_bps\":", text_rate(out_now->bytes * 8, interval_ns));
	text_put(t, "}");
}

/*
 * total == packet_lines + flow_packets + unattributed + before + difference. before was
 * read by someone else before this stream began; difference is still in the kernel.
 */
static void put_accounting(struct text *t, const struct sums *s)
{
	text_number(t, ",\"accounting\":{\"packet_lines\":", s->packet_lines);
	text_number(t, ",\"flow_packets\":", s->flow_packets);
	text_number(t, ",\"unattributed\":", s->counters.unattributed);
	text_number(t, ",\"total\":", both(s->total.direction).packets);
	text_number(t, ",\"before\":", s->before);
	text_number(t, ",\"difference\":", s->unseen - s->before);
	text_put(t, "}");
}

static void put_interface(struct text *t, const struct aggregate *a, const struct interface *i,
			  u64 interval_ns)
{
	const struct amount *total = interface_total(i)->direction;
	struct amount sum = both(total);
	struct tally recent;

	interface_recent(i, &recent);
	text_string(t, "{\"host\":", a->interfaces.hosts[i->host]);
	text_string(t, ",\"ifname\":", i->name);
	put_amount(t, &sum);
	text_number(t, ",\"ingress_packets\":", total[DIRECTION_INGRESS].packets);
	text_number(t, ",\"ingress_bytes\":", total[DIRECTION_INGRESS].bytes);
	text_number(t, ",\"egress_packets\":", total[DIRECTION_EGRESS].packets);
	text_number(t, ",\"egress_bytes\":", total[DIRECTION_EGRESS].bytes);
	text_number(t, ",\"ingress_pps\":", text_rate(recent.direction[0].packets, interval_ns));
	text_number(t, ",\"ingress_bps\":", text_rate(recent.direction[0].bytes * 8, interval_ns));
	text_number(t, ",\"egress_pps\":", text_rate(recent.direction[1].packets, interval_ns));
	text_number(t, ",\"egress_bps\":", text_rate(recent.direction[1].bytes * 8, interval_ns));
	text_number(t, ",\"packet_lines\":",
		   i->counters_seen ? i->counters.packet_lines : i->packet_lines);
	text_number(t, ",\"folded\":", i->counters_seen ? i->counters.folded : i->flow_packets);
	text_number(t, ",\"unattributed\":", i->counters.unattributed);
	text_number(t, ",\"malformed\":", i->counters.malformed);
	text_number(t, ",\"ring_full\":", i->counters.ring_full);
	text_put(t, "}");
}

static void put_interfaces(struct text *t, const struct aggregate *a, u64 interval_ns)
{
	text_put(t, ",\"interfaces\":[");
	for (u32 i = 0; i < a->interfaces.n; i++) {
		text_put(t, i ? "," : "");
		put_interface(t, a, a->interfaces.all[i], interval_ns);
	}
	text_put(t, "]");
}

struct protocol_row {
	u32 row;
	struct amount total;
};

static int by_bytes(const void *one, const void *other)
{
	const struct protocol_row *a = one, *b = other;

	if (a->total.bytes != b->total.bytes)
		return a->total.bytes < b->total.bytes ? 1 : -1;
	return a->row < b->row ? -1 : a->row > b->row;
}

static struct amount row_sum(const struct tally *tally, u32 row)
{
	struct amount sum = tally->row[0][row];

	amount_add(&sum, &tally->row[1][row]);
	return sum;
}

static void put_protocols(struct text *t, const struct sums *s, u64 interval_ns)
{
	struct protocol_row rows[TOTAL_ROWS];
	char name[PROTOCOL_NAME_MAX];
	u32 n = 0;

	for (u32 row = 0; row < TOTAL_ROWS; row++) {
		rows[n] = (struct protocol_row){ row, row_sum(&s->total, row) };
		n += rows[n].total.packets > 0;
	}
	qsort(rows, n, sizeof(rows[0]), by_bytes);
	text_put(t, ",\"protocols\":[");
	for (u32 i = 0; i < n; i++) {
		struct amount recent = row_sum(&s->recent, rows[i].row);

		protocol_row_name(rows[i].row, name);
		text_name(t, i ? ",{\"proto\":" : "{\"proto\":", name);
		put_amount(t, &rows[i].total);
		put_rates(t, &recent, interval_ns);
		text_number(t, ",\"interval_packets\":", recent.packets);
		text_number(t, ",\"interval_bytes\":", recent.bytes);
		text_put(t, "}");
	}
	text_put(t, "]");
}

/* The sum over a host's interfaces, for one CPU. */
static struct amount cpu_sum(const struct aggregate *a, u32 host, u32 cpu, struct amount *ret_recent)
{
	struct amount sum = { 0, 0 };

	*ret_recent = sum;
	for (u32 n = 0; n < a->interfaces.n; n++) {
		const struct interface *i = a->interfaces.all[n];
		const struct amount *now = &interface_total(i)->cpu[cpu];
		const struct amount *then = i->counted_then_valid ? &i->counted_then.cpu[cpu]
								  : &i->lines_then.cpu[cpu];
		const struct amount *from = i->counted_then_valid ? now : &i->lines.cpu[cpu];

		if (i->host != host)
			continue;
		amount_add(&sum, now);
		ret_recent->packets += from->packets - then->packets;
		ret_recent->bytes += from->bytes - then->bytes;
	}
	return sum;
}

static void put_cpus(struct text *t, const struct aggregate *a, const struct sums *s, u64 interval_ns)
{
	const char *between = "";

	text_put(t, ",\"cpus\":[");
	for (u32 host = 0; host < a->interfaces.n_hosts; host++)
		for (u32 cpu = 0; cpu < CPUS_MAX; cpu++) {
			struct amount sum, recent;

			if (!s->total.cpu[cpu].packets)
				continue;
			sum = cpu_sum(a, host, cpu, &recent);
			if (!sum.packets)
				continue;
			text_put(t, between);
			text_string(t, "{\"host\":", a->interfaces.hosts[host]);
			text_number(t, ",\"cpu\":", cpu);
			put_amount(t, &sum);
			put_rates(t, &recent, interval_ns);
			text_put(t, "}");
			between = ",";
		}
	text_put(t, "]");
}

/* ---- the feed, history, losses ----------------------------------------------------- */

/* A packet line without its type, as the writer makes it. */
static void put_packet(struct text *t, const struct aggregate *a, const struct feed_entry *entry)
{
	static const char head[] = "{\"type\":\"packet\",";
	static struct line_writer writer;
	char line[LINE_MAX_BYTES];
	size_t length;

	if (!writer.ifnames[1].length)
		line_writer_init(&writer);
	line_writer_name(&writer, 0, a->interfaces.all[entry->interface]->name.text);
	length = (size_t)(packet_line_write(line, &writer, &entry->packet) - line);
	line[length - 1] = '\0';	/* the newline */
	text_put(t, "{");
	text_put(t, line + sizeof(head) - 1);
}

static void put_feed(struct text *t, const struct aggregate *a)
{
	const struct packet_feed *feed = &a->feed;
	const char *before = "";

	text_put(t, ",\"packets\":[");
	for (u32 i = 0; i < feed->kept; i++) {
		if (!packet_feed_shows(feed, i))
			continue;
		text_put(t, before);
		put_packet(t, a, &feed->entry[i]);
		before = ",";
	}
	text_number(t, "],\"packets_left_out\":", feed->seen - packet_feed_shown(feed));
}

static void put_history_values(struct text *t, const char *before, const struct history *h,
			       u64 start, u64 (*value)(const struct history_row *row))
{
	text_put(t, before);
	for (u64 second = start; h->newest && second <= h->newest; second++) {
		const struct history_row *row = history_row(h, second);

		text_number_or_null(t, second == start ? "" : ",", row, row ? value(row) : 0);
	}
	text_put(t, "]");
}

static u64 in_bytes(const struct history_row *row)
{
	return row->bytes[DIRECTION_INGRESS];
}

static u64 out_bytes(const struct history_row *row)
{
	return row->bytes[DIRECTION_EGRESS];
}

static u64 in_packets(const struct history_row *row)
{
	return row->packets[DIRECTION_INGRESS];
}

static u64 out_packets(const struct history_row *row)
{
	return row->packets[DIRECTION_EGRESS];
}

static void put_history(struct text *t, const struct history *h)
{
	u64 start = h->newest >= HISTORY_SECONDS ? h->newest - HISTORY_SECONDS + 1 : 0;

	while (start < h->newest && !history_row(h, start))
		start++;
	text_number(t, ",\"history\":{\"interval_ms\":1000,\"start\":", start * 1000);
	put_history_values(t, ",\"ingress_bytes\":[", h, start, in_bytes);
	put_history_values(t, ",\"egress_bytes\":[", h, start, out_bytes);
	put_history_values(t, ",\"ingress_packets\":[", h, start, in_packets);
	put_history_values(t, ",\"egress_packets\":[", h, start, out_packets);
	text_put(t, "}");
}

static void put_losses(struct text *t, const struct aggregate *a, const struct sums *s)
{
	text_number(t, ",\"losses\":{\"unattributed\":", s->counters.unattributed);
	text_number(t, ",\"ring_full\":", s->counters.ring_full);
	text_number(t, ",\"malformed\":", s->counters.malformed);
	text_number(t, ",\"bad_lines\":", a->bad[BAD_JSON] + a->bad[BAD_TOO_LONG] + a->bad[BAD_TYPE]);
	text_number(t, ",\"bad_json\":", a->bad[BAD_JSON]);
	text_number(t, ",\"too_long\":", a->bad[BAD_TOO_LONG]);
	text_number(t, ",\"wrong_type\":", a->bad[BAD_TYPE]);
	text_number(t, ",\"unknown_type\":", a->unknown_type);
	text_number(t, ",\"flows_evicted\":", a->flows.evicted);
	text_number(t, ",\"ports_over\":", a->ports.over);
	text_number(t, ",\"hosts_over\":", a->interfaces.hosts_over);
	text_number(t, ",\"interfaces_over\":", a->interfaces.over);
	snapshot_host_losses(t, a);
	text_number(t, "},\"input\":{\"lines\":", a->lines);
	text_number(t, ",\"packet\":", a->packet_lines);
	text_number(t, ",\"flow\":", a->flow_lines);
	text_number(t, ",\"counters\":", a->counters_lines);
	text_number(t, ",\"hello\":", a->hello_lines);
	snapshot_host_input(t, a);
	text_put(t, "}");
}

static struct wire wire_of(const struct sums *s)
{
	return (struct wire){ s->total.direction[DIRECTION_EGRESS].bytes,
			      s->total.direction[DIRECTION_INGRESS].bytes,
			      s->recent.direction[DIRECTION_EGRESS].bytes,
			      s->recent.direction[DIRECTION_INGRESS].bytes };
}

/* What the interval added: exact, where rates are rounded and differences of sums may be more. */
static void put_interval(struct text *t, const struct aggregate *a, const struct sums *s)
{
	const struct amount *in = &s->recent.direction[DIRECTION_INGRESS];
	const struct amount *out = &s->recent.direction[DIRECTION_EGRESS];

	text_number(t, ",\"interval\":{\"ingress_packets\":", in->packets);
	text_number(t, ",\"ingress_bytes\":", in->bytes);
	text_number(t, ",\"egress_packets\":", out->packets);
	text_number(t, ",\"egress_bytes\":", out->bytes);
	snapshot_processes_interval(t, a);
	snapshot_connections_interval(t, a);
	snapshot_drops_interval(t, a);
	text_put(t, "}");
}

static void put_hosts(struct text *t, const struct interfaces *set)
{
	struct line_text nobody = { "", 0 };

	text_string(t, ",\"host\":", set->n_hosts ? set->hosts[0] : nobody);
	text_put(t, ",\"hosts\":[");
	for (u32 i = 0; i < set->n_hosts; i++)
		text_string(t, i ? "," : "", set->hosts[i]);
	text_put(t, "]");
}

void snapshot_write(struct text *t, struct aggregate *a, const struct snapshot_request *q)
{
	struct sums *s = calloc(1, sizeof(*s));
	struct wire wire;

	if (!s) {
		t->failed = true;
		return;
	}
	for (u32 i = 0; i < a->interfaces.n; i++)
		add_interface(s, a->interfaces.all[i]);
	wire = wire_of(s);
	text_number(t, "{\"type\":\"snapshot\",\"schema\":", JOPIL_SCHEMA);
	text_time(t, ",\"timestamp\":", q->now_ns);
	text_number(t, ",\"seq\":", q->sequence);
	text_number(t, ",\"interval_ms\":", (q->interval_ns + 500000) / 1000000);
	text_bool(t, ",\"final\":", q->final);
	put_hosts(t, &a->interfaces);
	put_totals(t, s, q->interval_ns);
	put_interval(t, a, s);
	put_accounting(t, s);
	put_interfaces(t, a, q->interval_ns);
	put_protocols(t, s, q->interval_ns);
	put_cpus(t, a, s, q->interval_ns);
	snapshot_flows(t, a, q);
	put_feed(t, a);
	put_history(t, &a->history);
	snapshot_processes(t, a, q);
	snapshot_unowned(t, a, q, &wire);
	snapshot_connections(t, a, q);
	snapshot_drops(t, a, q);
	snapshot_latency(t, a, q);
	snapshot_series(t, a, q);
	put_losses(t, a, s);
	text_put(t, "}\n");
	free(s);
}
