/* SPDX-License-Identifier: MIT */
/* Sums for time series, in a snapshot: each since the beginning, of one host, and never less. */
#include <stdlib.h>
#include <string.h>

#include "aggregator/snapshot_parts.h"
#include "common/names.h"
#include "common/protocol.h"

#define DROPS_SHOWN 1024	/* all reasons of eight hosts; they never leave, so neither does a series */
#define NS_PER_MS 1000000

static void put_moved(struct text *t, struct moved_bytes moved)
{
	text_number(t, ",\"tx_bytes\":", moved.tx);
	text_number(t, ",\"rx_bytes\":", moved.rx);
	text_put(t, "}");
}

/* ---- processes ------------------------------------------------------------------------------ */

static void put_hosts(struct text *t, const struct aggregate *a)
{
	const struct series_set *commands = &a->processes.by_command, *remotes = &a->processes.by_remote;

	text_put(t, ",\"series_hosts\":[");
	for (u32 host = 0; host < a->interfaces.n_hosts; host++) {
		text_string(t, host ? ",{\"host\":" : "{\"host\":", a->interfaces.hosts[host]);
		text_number(t, ",\"command_left_tx_bytes\":", commands->left[host].tx);
		text_number(t, ",\"command_left_rx_bytes\":", commands->left[host].rx);
		text_number(t, ",\"remote_left_tx_bytes\":", remotes->left[host].tx);
		text_number(t, ",\"remote_left_rx_bytes\":", remotes->left[host].rx);
		put_moved(t, commands->total[host]);
	}
	text_put(t, "]");
}

static void put_series_name(struct text *t, const char *key, const struct series *s)
{
	if (s->id.ip_version)
		text_address(t, key, s->id.ip_version, s->id.name);
	else
		text_name16(t, key, s->id.name);
}

static void put_set(struct text *t, const struct aggregate *a, const struct series_set *set,
		    const char *before, const char *key)
{
	struct moved_bytes *rest = calloc(a->interfaces.n_hosts + 1, sizeof(*rest));
	const char *between = "";

	if (!rest) {
		t->failed = true;
		return;
	}
	series_rest(set, a->interfaces.n_hosts, rest);
	text_put(t, before);
	for (u32 host = 0; host < a->interfaces.n_hosts; host++, between = ",") {
		text_put(t, between);
		text_string(t, "{\"host\":", a->interfaces.hosts[host]);
		text_name(t, key, SERIES_REST);
		put_moved(t, rest[host]);
	}
	for (const struct series *s = series_next(set, NULL); s; s = series_next(set, s)) {
		text_string(t, ",{\"host\":", a->interfaces.hosts[s->id.host]);
		put_series_name(t, key, s);
		put_moved(t, s->sum);
	}
	text_put(t, "]");
	free(rest);
}

/* ---- protocols ------------------------------------------------------------------------------ */


struct protocol_rows {
	struct amount row[DIRECTIONS][TOTAL_ROWS];
};

static void add_rows(struct protocol_rows *to, const struct tally *tally)
{
	for (u32 direction = 0; direction < DIRECTIONS; direction++)
		for (u32 row = 0; row < TOTAL_ROWS; row++)
			amount_add(&to->row[direction][row], &tally->row[direction][row]);
}

static void put_protocol(struct text *t, struct line_text host, u32 row,
			 const struct protocol_rows *rows)
{
	const struct amount *in = &rows->row[DIRECTION_INGRESS][row];
	const struct amount *out = &rows->row[DIRECTION_EGRESS][row];
	char name[PROTOCOL_NAME_MAX];

	protocol_row_name(row, name);
	text_string(t, "{\"host\":", host);
	text_name(t, ",\"proto\":", name);
	text_number(t, ",\"ingress_packets\":", in->packets);
	text_number(t, ",\"ingress_bytes\":", in->bytes);
	text_number(t, ",\"egress_packets\":", out->packets);
	text_number(t, ",\"egress_bytes\":", out->bytes);
	text_put(t, "}");
}

static void put_protocols(struct text *t, const struct aggregate *a)
{
	struct protocol_rows *rows = calloc(a->interfaces.n_hosts + 1, sizeof(*rows));
	const char *between = "";

	if (!rows) {
		t->failed = true;
		return;
	}
	for (u32 i = 0; i < a->interfaces.n; i++)
		add_rows(&rows[a->interfaces.all[i]->host], interface_total(a->interfaces.all[i]));
	text_put(t, ",\"series_protocols\":[");
	for (u32 host = 0; host < a->interfaces.n_hosts; host++)
		for (u32 row = 0; row < TOTAL_ROWS; row++) {
			if (!rows[host].row[DIRECTION_INGRESS][row].packets &&
			    !rows[host].row[DIRECTION_EGRESS][row].packets)
				continue;
			text_put(t, between);
			put_protocol(t, a->interfaces.hosts[host], row, &rows[host]);
			between = ",";
		}
	text_put(t, "]");
	free(rows);
}

/* ---- connections ---------------------------------------------------------------------------- */

struct open_counts {
	u64 connecting, open;
};

static void count_open(const struct connections *c, struct open_counts *counts)
{
	for (u8 list = LIST_OPEN; list <= LIST_OPEN_DATAGRAM; list++)
		for (const struct connection *at = lru_newest(&c->table, list); at;
		     at = lru_older(&c->table, at)) {
			counts[at->id.host].connecting += at->state == CONNECTION_CONNECTING;
			counts[at->id.host].open += at->state == CONNECTION_OPEN;
		}
}

/* Of each reason that belongs to the event; the last key is of all that have none of these. */
static void put_reasons(struct text *t, const u64 *counts, u8 first, u8 last, const char *event,
			const char *rest)
{
	u64 sum = 0;

	for (u8 reason = 0; reason < CONNECTION_REASONS; reason++) {
		if (reason < first || reason > last) {
			sum += counts[reason];
			continue;
		}
		text_put(t, event);
		text_put(t, connection_reason_name(reason));
		text_number(t, "\":", counts[reason]);
	}
	text_number(t, rest, sum);
}

static void put_connections(struct text *t, const struct aggregate *a)
{
	const struct connections *c = &a->connections;
	struct open_counts *open = calloc(a->interfaces.n_hosts + 1, sizeof(*open));

	if (!open) {
		t->failed = true;
		return;
	}
	count_open(c, open);
	text_put(t, ",\"series_connections\":[");
	for (u32 host = 0; host < a->interfaces.n_hosts; host++) {
		text_string(t, host ? ",{\"host\":" : "{\"host\":", a->interfaces.hosts[host]);
		text_number(t, ",\"connects\":", c->counts[host].connects);
		text_number(t, ",\"accepts\":", c->counts[host].accepts);
		text_number(t, ",\"connecting\":", open[host].connecting);
		text_number(t, ",\"open\":", open[host].open);
		put_reasons(t, c->counts[host].closed, REASON_LOCAL, REASON_ABORT, ",\"closed_",
			    ",\"closed_unknown\":");
		put_reasons(t, c->counts[host].failed, REASON_REFUSED, REASON_ABORTED, ",\"failed_",
			    ",\"failed_error\":");
		text_put(t, "}");
	}
	text_put(t, "]");
	free(open);
}

/* ---- drops ---------------------------------------------------------------------------------- */

/* Whether an earlier row has the same names: then they are one series. */
static bool is_again(const struct lru_table *rows, u32 place, const struct drop_row *row)
{
	for (u32 i = 0; i < place; i++) {
		const struct drop_row *before = lru_at(rows, i);

		if (before && before->id.host == row->id.host && before->id.row == row->id.row &&
		    !strcmp(before->reason, row->reason))
			return true;
	}
	return false;
}

static void put_drop(struct text *t, struct line_text host, const char *reason, const char *proto,
		     const struct amount *amount)
{
	text_string(t, "{\"host\":", host);
	text_name(t, ",\"reason\":", reason);
	text_name_or_null(t, ",\"proto\":", proto);
	text_number(t, ",\"packets\":", amount->packets);
	text_number(t, ",\"bytes\":", amount->bytes);
	text_put(t, "}");
}

/* Rows never leave: which of them are shown does not change. Returns how many. */
static u32 put_drop_rows(struct text *t, const struct aggregate *a, struct amount *rest)
{
	const struct lru_table *rows = &a->drops.rows;
	char name[PROTOCOL_NAME_MAX];
	u32 shown = 0;

	for (u32 place = 0; place < rows->used; place++) {
		const struct drop_row *row = lru_at(rows, place);
		bool known = row && row->id.row != DROP_ROW_UNKNOWN;

		if (!row)
			continue;
		if (shown == DROPS_SHOWN || !strcmp(row->reason, SERIES_REST) ||
		    is_again(rows, place, row)) {
			amount_add(&rest[row->id.host], drop_row_total(row));
			continue;
		}
		if (known)
			protocol_row_name(row->id.row, name);
		text_put(t, shown++ ? "," : "");
		put_drop(t, a->interfaces.hosts[row->id.host], row->reason, known ? name : NULL,
			 drop_row_total(row));
	}
	return shown;
}

static void put_drops(struct text *t, const struct aggregate *a)
{
	struct amount *rest = calloc(a->interfaces.n_hosts + 1, sizeof(*rest));
	u32 shown;

	if (!rest) {
		t->failed = true;
		return;
	}
	text_put(t, ",\"series_drops\":[");
	shown = put_drop_rows(t, a, rest);
	for (u32 host = 0; host < a->interfaces.n_hosts; host++) {
		if (!rest[host].packets)
			continue;
		text_put(t, shown++ ? "," : "");
		put_drop(t, a->interfaces.hosts[host], SERIES_REST, NULL, &rest[host]);
	}
	text_put(t, "]");
	free(rest);
}

/* ---- latency -------------------------------------------------------------------------------- */

static void put_latency(struct text *t, const struct aggregate *a, const struct latency *row)
{
	text_string(t, "{\"host\":", a->interfaces.hosts[row->id.host]);
	text_name(t, ",\"name\":", row->id.name);
	text_name(t, ",\"unit\":", row->id.unit);
	text_number(t, ",\"count\":", row->total);
	text_number(t, ",\"sum\":", row->sum);
	text_put(t, ",\"buckets\":[");
	for (u32 i = 0; i <= LATENCY_BOUNDS; i++) {
		u32 upper = i < LATENCY_BOUNDS ? latency_bound(i)
					       : latency_bucket_upper_us(LATENCY_BUCKETS - 1);

		text_number(t, i ? ",[" : "[", upper);
		text_number(t, ",", row->since[i]);
		text_put(t, "]");
	}
	text_put(t, "]}");
}

static void put_latencies(struct text *t, const struct aggregate *a)
{
	const struct lru_table *table = &a->latencies.table;
	const char *between = "";

	text_put(t, ",\"series_latency\":[");
	for (u32 place = 0; place < table->used; place++) {
		const struct latency *row = lru_at(table, place);

		if (!row || *row->id.network)
			continue;
		text_put(t, between);
		put_latency(t, a, row);
		between = ",";
	}
	text_put(t, "]");
}

/* ---- losses --------------------------------------------------------------------------------- */

static void put_losses(struct text *t, const struct aggregate *a)
{
	static const struct {
		const char *key, *probe, *counter;
	} losses[] = {
		{ ",\"connection_ring_full\":", "connection", "ring_full" },
		{ ",\"drop_ring_full\":", "drop", "ring_full" },
		{ ",\"drop_unattributed\":", "drop", "unattributed" },
		{ ",\"drop_totals_full\":", "drop", "totals_full" },
		{ ",\"process_unattributed_tx_bytes\":", "process", "unattributed_tx_bytes" },
		{ ",\"process_unattributed_rx_bytes\":", "process", "unattributed_rx_bytes" },
		{ ",\"latency_unattributed\":", "latency", "unattributed" },
	};

	text_put(t, ",\"series_losses\":[");
	for (u32 host = 0; host < a->interfaces.n_hosts; host++) {
		text_string(t, host ? ",{\"host\":" : "{\"host\":", a->interfaces.hosts[host]);
		for (size_t i = 0; i < sizeof(losses) / sizeof(*losses); i++)
			text_number(t, losses[i].key, probes_of_host(&a->probes, (u16)host, losses[i].probe,
								     losses[i].counter));
		text_put(t, "}");
	}
	text_put(t, "]");
}

void snapshot_series(struct text *t, struct aggregate *a, const struct snapshot_request *q)
{
	series_rank(&a->processes.by_command, q->interval_ns / NS_PER_MS);
	series_rank(&a->processes.by_remote, q->interval_ns / NS_PER_MS);
	put_hosts(t, a);
	put_set(t, a, &a->processes.by_command, ",\"series_commands\":[", ",\"command\":");
	put_set(t, a, &a->processes.by_remote, ",\"series_remotes\":[", ",\"remote\":");
	put_protocols(t, a);
	put_connections(t, a);
	put_drops(t, a);
	put_latencies(t, a);
	put_losses(t, a);
}
