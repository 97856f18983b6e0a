/* SPDX-License-Identifier: MIT */
/* What the aggregator knows, as lines: snapshots, and one line a flow. */
#include "aggregator/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "aggregator/tcp_state.h"
#include "common/line_write.h"
#include "common/protocol.h"
#include "common/version.h"

#define NS_PER_S 1000000000ull
#define PIECE 8192	/* room made before a piece is written: more than any piece needs */

void text_free(struct text *t)
{
	free(t->bytes);
	memset(t, 0, sizeof(*t));
}

/* Room for a piece at the end; into a spare buffer when there is no memory. */
static char *room(struct text *t)
{
	static char spare[PIECE];
	char *bytes;

	if (t->failed)
		return spare;
	if (t->size - t->length >= PIECE)
		return t->bytes + t->length;
	bytes = realloc(t->bytes, t->size * 2 + PIECE);
	if (!bytes) {
		t->failed = true;
		return spare;
	}
	t->bytes = bytes;
	t->size = t->size * 2 + PIECE;
	return t->bytes + t->length;
}

static void done(struct text *t, const char *end)
{
	if (!t->failed)
		t->length = (size_t)(end - t->bytes);
}

static void put(struct text *t, const char *text)
{
	char *p = room(t);
	size_t length = strlen(text);

	memcpy(p, text, length);
	done(t, p + length);
}

static void put_number(struct text *t, const char *before, u64 value)
{
	put(t, before);
	done(t, line_put_number(room(t), value));
}

static void put_text(struct text *t, const char *before, struct line_text text)
{
	put(t, before);
	done(t, line_put_string(room(t), text.text, text.length));
}

static void put_name(struct text *t, const char *before, const char *name)
{
	put_text(t, before, (struct line_text){ name, strlen(name) });
}

static void put_time(struct text *t, const char *before, u64 unix_ns)
{
	put(t, before);
	done(t, line_put_time(room(t), unix_ns));
}

static void put_bool(struct text *t, const char *before, bool value)
{
	put(t, before);
	put(t, value ? "true" : "false");
}

/* Per second; rounded. */
static u64 rate(u64 count, u64 interval_ns)
{
	return (u64)((double)count * (double)NS_PER_S / (double)interval_ns + 0.5);
}

static void put_rates(struct text *t, const struct amount *recent, u64 interval_ns)
{
	put_number(t, ",\"pps\":", rate(recent->packets, interval_ns));
	put_number(t, ",\"bps\":", rate(recent->bytes * 8, interval_ns));
}

static void put_amount(struct text *t, const struct amount *amount)
{
	put_number(t, ",\"packets\":", amount->packets);
	put_number(t, ",\"bytes\":", amount->bytes);
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

	put_number(t, ",\"totals\":{\"packets\":", sum.packets);
	put_number(t, ",\"bytes\":", sum.bytes);
	put_number(t, ",\"ingress_packets\":", in->packets);
	put_number(t, ",\"ingress_bytes\":", in->bytes);
	put_number(t, ",\"egress_packets\":", out->packets);
	put_number(t, ",\"egress_bytes\":", out->bytes);
	put_number(t, "},\"rates\":{\"pps\":", rate(now.packets, interval_ns));
	put_number(t, ",\"bps\":", rate(now.bytes * 8, interval_ns));
	put_number(t, ",\"ingress_pps\":", rate(in_now->packets, interval_ns));
	put_number(t, ",\"ingress_bps\":", rate(in_now->bytes * 8, interval_ns));
	put_number(t, ",\"egress_pps\":", rate(out_now->packets, interval_ns));
	put_number(t, ",\"egress_bps\":", rate(out_now->bytes * 8, interval_ns));
	put(t, "}");
}

/*
 * total == packet_lines + flow_packets + unattributed + before + difference. before was
 * read by someone else before this stream began; difference is still in the kernel.
 */
static void put_accounting(struct text *t, const struct sums *s)
{
	put_number(t, ",\"accounting\":{\"packet_lines\":", s->packet_lines);
	put_number(t, ",\"flow_packets\":", s->flow_packets);
	put_number(t, ",\"unattributed\":", s->counters.unattributed);
	put_number(t, ",\"total\":", both(s->total.direction).packets);
	put_number(t, ",\"before\":", s->before);
	put_number(t, ",\"difference\":", s->unseen - s->before);
	put(t, "}");
}

static void put_interface(struct text *t, const struct aggregate *a, const struct interface *i,
			  u64 interval_ns)
{
	const struct amount *total = interface_total(i)->direction;
	struct amount sum = both(total);
	struct tally recent;

	interface_recent(i, &recent);
	put_text(t, "{\"host\":", a->interfaces.hosts[i->host]);
	put_text(t, ",\"ifname\":", i->name);
	put_amount(t, &sum);
	put_number(t, ",\"ingress_packets\":", total[DIRECTION_INGRESS].packets);
	put_number(t, ",\"ingress_bytes\":", total[DIRECTION_INGRESS].bytes);
	put_number(t, ",\"egress_packets\":", total[DIRECTION_EGRESS].packets);
	put_number(t, ",\"egress_bytes\":", total[DIRECTION_EGRESS].bytes);
	put_number(t, ",\"ingress_pps\":", rate(recent.direction[0].packets, interval_ns));
	put_number(t, ",\"ingress_bps\":", rate(recent.direction[0].bytes * 8, interval_ns));
	put_number(t, ",\"egress_pps\":", rate(recent.direction[1].packets, interval_ns));
	put_number(t, ",\"egress_bps\":", rate(recent.direction[1].bytes * 8, interval_ns));
	put_number(t, ",\"packet_lines\":",
		   i->counters_seen ? i->counters.packet_lines : i->packet_lines);
	put_number(t, ",\"folded\":", i->counters_seen ? i->counters.folded : i->flow_packets);
	put_number(t, ",\"unattributed\":", i->counters.unattributed);
	put_number(t, ",\"malformed\":", i->counters.malformed);
	put_number(t, ",\"ring_full\":", i->counters.ring_full);
	put(t, "}");
}

static void put_interfaces(struct text *t, const struct aggregate *a, u64 interval_ns)
{
	put(t, ",\"interfaces\":[");
	for (u32 i = 0; i < a->interfaces.n; i++) {
		put(t, i ? "," : "");
		put_interface(t, a, a->interfaces.all[i], interval_ns);
	}
	put(t, "]");
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
	put(t, ",\"protocols\":[");
	for (u32 i = 0; i < n; i++) {
		struct amount recent = row_sum(&s->recent, rows[i].row);

		protocol_row_name(rows[i].row, name);
		put_name(t, i ? ",{\"proto\":" : "{\"proto\":", name);
		put_amount(t, &rows[i].total);
		put_rates(t, &recent, interval_ns);
		put(t, "}");
	}
	put(t, "]");
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

	put(t, ",\"cpus\":[");
	for (u32 host = 0; host < a->interfaces.n_hosts; host++)
		for (u32 cpu = 0; cpu < CPUS_MAX; cpu++) {
			struct amount sum, recent;

			if (!s->total.cpu[cpu].packets)
				continue;
			sum = cpu_sum(a, host, cpu, &recent);
			if (!sum.packets)
				continue;
			put(t, between);
			put_text(t, "{\"host\":", a->interfaces.hosts[host]);
			put_number(t, ",\"cpu\":", cpu);
			put_amount(t, &sum);
			put_rates(t, &recent, interval_ns);
			put(t, "}");
			between = ",";
		}
	put(t, "]");
}

/* ---- flows ---------------------------------------------------------------------- */

static void put_ip(struct text *t, const char *before, const struct flow *f, u8 side)
{
	char *p;

	put(t, before);
	p = room(t);
	*p++ = '"';
	p = line_put_address(p, f->id.ip_version, f->id.ip[side]);
	*p++ = '"';
	done(t, p);
}

static void put_number_or_null(struct text *t, const char *before, bool is_there, u64 value)
{
	if (is_there) {
		put_number(t, before, value);
		return;
	}
	put(t, before);
	put(t, "null");
}

static void put_tcp(struct text *t, const struct flow *f)
{
	static const char letters[] = "FSRPAUEC";
	u8 src = f->src;

	if (f->id.protocol != 6) {
		put(t, ",\"state\":null,\"tcp_flags_src\":null,\"tcp_flags_dst\":null");
		return;
	}
	put_name(t, ",\"state\":", tcp_state_name(f->open_flags[src], f->open_flags[!src]));
	for (u8 side = 0; side < 2; side++) {
		u8 flags = f->tcp_flags[side ? !src : src];
		char text[9], *p = text;

		for (u32 bit = 0; bit < 8; bit++)
			if (flags & 1u << bit)
				*p++ = letters[bit];
		*p = '\0';
		put_name(t, side ? ",\"tcp_flags_dst\":" : ",\"tcp_flags_src\":", text);
	}
}

static u64 first_of(const struct flow *f)
{
	u64 one = f->side[0].first_ns, other = f->side[1].first_ns;

	if (!one || !other)
		return one ? one : other;
	return one < other ? one : other;
}

/* The keys of a flow, behind whatever opens its object. */
static void put_flow(struct text *t, const struct aggregate *a, const struct flow *f,
		     const struct amount *recent, u64 interval_ns)
{
	const struct interface *i = a->interfaces.all[f->id.interface];
	const struct flow_side *src = &f->side[f->src], *dst = &f->side[!f->src];
	bool ports = f->id.flags & FLOW_PORTS, icmp = f->id.flags & FLOW_ICMP;
	char name[PROTOCOL_NAME_MAX];

	protocol_name(f->id.ip_version, f->id.protocol, name);
	put_text(t, "\"host\":", a->interfaces.hosts[i->host]);
	put_text(t, ",\"ifname\":", i->name);
	put_number_or_null(t, ",\"vlan\":", f->id.vlan != VLAN_NONE, f->id.vlan);
	put_number(t, ",\"ip_version\":", f->id.ip_version);
	put_name(t, ",\"proto\":", name);
	put_ip(t, ",\"src_ip\":", f, f->src);
	put_number_or_null(t, ",\"src_port\":", ports, f->id.port[f->src]);
	put_ip(t, ",\"dst_ip\":", f, !f->src);
	put_number_or_null(t, ",\"dst_port\":", ports, f->id.port[!f->src]);
	put_number(t, ",\"packets\":", flow_packets(f));
	put_number(t, ",\"bytes\":", flow_bytes(f));
	put_number(t, ",\"src_packets\":", src->packets);
	put_number(t, ",\"src_bytes\":", src->bytes);
	put_number(t, ",\"dst_packets\":", dst->packets);
	put_number(t, ",\"dst_bytes\":", dst->bytes);
	put_time(t, ",\"first\":", first_of(f));
	put_time(t, ",\"last\":", f->last_ns);
	put_tcp(t, f);
	put_number_or_null(t, ",\"icmp_type\":", icmp, f->icmp_type);
	put_number_or_null(t, ",\"icmp_code\":", icmp, f->icmp_code);
	put_bool(t, ",\"fragment\":", f->id.flags & FLOW_FRAGMENT);
	put(t, ",\"pid\":null,\"command\":null,\"rtt_us\":null,\"retransmits\":null,\"drops\":null");
	put_number(t, ",\"bps\":", rate(recent->bytes * 8, interval_ns));
	put_number(t, ",\"pps\":", rate(recent->packets, interval_ns));
}

void flow_total_write(struct text *t, const struct aggregate *a, const struct flow *f)
{
	u64 life_ns = f->last_ns > first_of(f) ? f->last_ns - first_of(f) : NS_PER_S;
	struct amount all = { flow_packets(f), flow_bytes(f) };

	put(t, "{\"type\":\"flow_total\",");
	put_flow(t, a, f, &all, life_ns);
	put(t, "}\n");
}

/* A bounded heap, smallest on top: the largest of many without sorting them. */
struct heap {
	const struct flow **flows;
	u32 n, most;
};

static bool is_smaller(const struct flow *a, const struct flow *b)
{
	if (a->recent_bytes != b->recent_bytes)
		return a->recent_bytes < b->recent_bytes;
	return flow_bytes(a) < flow_bytes(b);
}

static void sift_down(struct heap *h, u32 at)
{
	for (;;) {
		u32 least = at, left = 2 * at + 1, right = left + 1;
		const struct flow *swap;

		if (left < h->n && is_smaller(h->flows[left], h->flows[least]))
			least = left;
		if (right < h->n && is_smaller(h->flows[right], h->flows[least]))
			least = right;
		if (least == at)
			return;
		swap = h->flows[at];
		h->flows[at] = h->flows[least];
		h->flows[least] = swap;
		at = least;
	}
}

static void heap_offer(struct heap *h, const struct flow *f)
{
	u32 at = h->n;

	if (h->n == h->most) {
		if (h->most && is_smaller(h->flows[0], f)) {
			h->flows[0] = f;
			sift_down(h, 0);
		}
		return;
	}
	h->flows[h->n++] = f;
	for (; at && is_smaller(f, h->flows[(at - 1) / 2]); at = (at - 1) / 2)
		h->flows[at] = h->flows[(at - 1) / 2];
	h->flows[at] = f;
}

/*
 * The flows of this interval are the newest in the list, so a million idle ones are not
 * looked at. Where there are many, the list leads all over the memory: a million take
 * 140 ms that way, 8 ms in the order in which they lie there.
 */
static void collect_top(const struct aggregate *a, struct heap *h)
{
	const struct flow_table *table = &a->flows;
	u32 at = table->newest;

	if (a->recent_flows > table->used / 16) {
		for (u32 i = 0; i < table->used; i++)
			if (table->flows[i].interval == a->interval)
				heap_offer(h, &table->flows[i]);
		return;
	}
	for (; at != FLOW_NONE && table->flows[at].interval == a->interval; at = table->flows[at].older)
		heap_offer(h, &table->flows[at]);
}

static int larger_first(const void *one, const void *other)
{
	const struct flow *a = *(const struct flow *const *)one, *b = *(const struct flow *const *)other;

	return is_smaller(a, b) ? 1 : is_smaller(b, a) ? -1 : 0;
}

static void put_flows(struct text *t, const struct aggregate *a, u32 top, u64 interval_ns)
{
	struct heap h = { .flows = malloc((top ? top : 1) * sizeof(*h.flows)), .most = top };
	struct amount recent;
	u32 at = a->flows.newest, active;

	put(t, ",\"flows\":[");
	if (!h.flows) {
		put(t, "]");
		t->failed = true;
		return;
	}
	collect_top(a, &h);
	qsort(h.flows, h.n, sizeof(*h.flows), larger_first);
	active = h.n;
	/* What room there is goes to those used last. */
	for (; at != FLOW_NONE && h.n < top; at = a->flows.flows[at].older)
		if (a->flows.flows[at].interval != a->interval)
			h.flows[h.n++] = &a->flows.flows[at];
	for (u32 i = 0; i < h.n; i++) {
		recent.packets = i < active ? h.flows[i]->recent_packets : 0;
		recent.bytes = i < active ? h.flows[i]->recent_bytes : 0;
		put(t, i ? ",{" : "{");
		put_flow(t, a, h.flows[i], &recent, interval_ns);
		put(t, "}");
	}
	put(t, "]");
	free(h.flows);
}

static void put_flow_table(struct text *t, const struct flow_table *f)
{
	put_number(t, ",\"flow_table\":{\"active\":", f->active);
	put_number_or_null(t, ",\"limit\":", f->limit, f->limit);
	put_number(t, ",\"created\":", f->created);
	put_number(t, ",\"evicted\":", f->evicted);
	put_number(t, ",\"expired\":", f->expired);
	put(t, "}");
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
	put(t, "{");
	put(t, line + sizeof(head) - 1);
}

static void put_feed(struct text *t, const struct aggregate *a)
{
	u64 shown = a->feed_seen < FEED_PACKETS ? a->feed_seen : FEED_PACKETS;

	put(t, ",\"packets\":[");
	for (u64 i = 0; i < shown; i++) {
		put(t, i ? "," : "");
		put_packet(t, a, &a->feed[(a->feed_seen - shown + i) % FEED_RING]);
	}
	put_number(t, "],\"packets_left_out\":", a->feed_seen - shown);
}

static void put_history_values(struct text *t, const char *before, const struct history *h,
			       u64 start, u64 (*value)(const struct history_row *row))
{
	put(t, before);
	for (u64 second = start; h->newest && second <= h->newest; second++) {
		const struct history_row *row = history_row(h, second);

		put_number_or_null(t, second == start ? "" : ",", row, row ? value(row) : 0);
	}
	put(t, "]");
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
	put_number(t, ",\"history\":{\"interval_ms\":1000,\"start\":", start * 1000);
	put_history_values(t, ",\"ingress_bytes\":[", h, start, in_bytes);
	put_history_values(t, ",\"egress_bytes\":[", h, start, out_bytes);
	put_history_values(t, ",\"ingress_packets\":[", h, start, in_packets);
	put_history_values(t, ",\"egress_packets\":[", h, start, out_packets);
	put(t, "}");
}

static void put_losses(struct text *t, const struct aggregate *a, const struct sums *s)
{
	put_number(t, ",\"losses\":{\"unattributed\":", s->counters.unattributed);
	put_number(t, ",\"ring_full\":", s->counters.ring_full);
	put_number(t, ",\"malformed\":", s->counters.malformed);
	put_number(t, ",\"bad_lines\":", a->bad[BAD_JSON] + a->bad[BAD_TOO_LONG] + a->bad[BAD_TYPE]);
	put_number(t, ",\"bad_json\":", a->bad[BAD_JSON]);
	put_number(t, ",\"too_long\":", a->bad[BAD_TOO_LONG]);
	put_number(t, ",\"wrong_type\":", a->bad[BAD_TYPE]);
	put_number(t, ",\"unknown_type\":", a->unknown_type);
	put_number(t, ",\"flows_evicted\":", a->flows.evicted);
	put_number(t, ",\"hosts_over\":", a->interfaces.hosts_over);
	put_number(t, ",\"interfaces_over\":", a->interfaces.over);
	put_number(t, ",\"no_memory\":", a->no_memory);
	put_number(t, "},\"input\":{\"lines\":", a->lines);
	put_number(t, ",\"packet\":", a->packet_lines);
	put_number(t, ",\"flow\":", a->flow_lines);
	put_number(t, ",\"counters\":", a->counters_lines);
	put_number(t, ",\"hello\":", a->hello_lines);
	put(t, "}");
}

static void put_hosts(struct text *t, const struct interfaces *set)
{
	struct line_text nobody = { "", 0 };

	put_text(t, ",\"host\":", set->n_hosts ? set->hosts[0] : nobody);
	put(t, ",\"hosts\":[");
	for (u32 i = 0; i < set->n_hosts; i++)
		put_text(t, i ? "," : "", set->hosts[i]);
	put(t, "]");
}

void snapshot_write(struct text *t, struct aggregate *a, const struct snapshot_request *q)
{
	struct sums *s = calloc(1, sizeof(*s));

	if (!s) {
		t->failed = true;
		return;
	}
	for (u32 i = 0; i < a->interfaces.n; i++)
		add_interface(s, a->interfaces.all[i]);
	put_number(t, "{\"type\":\"snapshot\",\"schema\":", JOPIL_SCHEMA);
	put_time(t, ",\"timestamp\":", q->now_ns);
	put_number(t, ",\"seq\":", q->sequence);
	put_number(t, ",\"interval_ms\":", (q->interval_ns + 500000) / 1000000);
	put_bool(t, ",\"final\":", q->final);
	put_hosts(t, &a->interfaces);
	put_totals(t, s, q->interval_ns);
	put_accounting(t, s);
	put_interfaces(t, a, q->interval_ns);
	put_protocols(t, s, q->interval_ns);
	put_cpus(t, a, s, q->interval_ns);
	put_flows(t, a, q->top, q->interval_ns);
	put_flow_table(t, &a->flows);
	put_feed(t, a);
	put_history(t, &a->history);
	put(t, ",\"processes\":[],\"connections\":[],\"drops\":[],\"latency\":[]");
	put_losses(t, a, s);
	put(t, "}\n");
	free(s);
}
