/* SPDX-License-Identifier: MIT */
/* Processes, their remotes and protocols, in a snapshot. */
#include <string.h>

#include "aggregator/snapshot_parts.h"
#include "aggregator/top.h"
#include "common/names.h"
#include "common/protocol.h"

#define REMOTES_SHOWN 10	/* of each process */

void snapshot_owner(struct text *t, u32 pid, const u8 *command, u32 uid)
{
	text_number_or_null(t, ",\"pid\":", pid, pid);
	text_name16(t, ",\"command\":", pid ? command : NULL);
	text_number_or_null(t, ",\"uid\":", pid, uid);
}

static void put_protocol(struct text *t, const char *before, u32 row)
{
	char name[PROTOCOL_NAME_MAX];

	if (row == PROTOCOL_PACKET) {
		text_name(t, before, PROCESS_PACKET_NAME);
	} else if (row == PROTOCOL_OTHERS) {
		text_name(t, before, "other");
	} else {
		protocol_name(4, (u16)row, name);
		text_name(t, before, name);
	}
}

static u32 row_of(const struct endpoint *e)
{
	return e->ip_version ? e->protocol & 0xff : PROTOCOL_PACKET;
}

static void put_bytes(struct text *t, const struct moved *m)
{
	text_number(t, ",\"tx_bytes\":", m->tx_bytes);
	text_number(t, ",\"rx_bytes\":", m->rx_bytes);
}

static void put_rates(struct text *t, const struct moved *m, u32 interval, u64 interval_ns)
{
	bool active = m->interval == interval;

	text_number(t, ",\"tx_bps\":", active ? text_rate(m->recent_tx * 8, interval_ns) : 0);
	text_number(t, ",\"rx_bps\":", active ? text_rate(m->recent_rx * 8, interval_ns) : 0);
}

static void put_calls(struct text *t, const struct calls *c)
{
	text_number(t, ",\"tx_calls\":", c->tx);
	text_number(t, ",\"rx_calls\":", c->rx);
}

static void put_recent_bytes(struct text *t, const char *tx, const char *rx, const struct moved *m,
			     u32 interval)
{
	text_number(t, tx, m->interval == interval ? m->recent_tx : 0);
	text_number(t, rx, m->interval == interval ? m->recent_rx : 0);
}

static void put_recent_calls(struct text *t, const char *tx, const char *rx, const struct calls *c,
			     u32 interval)
{
	text_number(t, tx, c->interval == interval ? c->recent_tx : 0);
	text_number(t, rx, c->interval == interval ? c->recent_rx : 0);
}

static void put_interval(struct text *t, const struct moved *m, u32 interval)
{
	put_recent_bytes(t, ",\"interval_tx_bytes\":", ",\"interval_rx_bytes\":", m, interval);
}

/* By bytes of this interval, then of all time. */
static bool moved_less(const struct moved *a, const struct moved *b, const void *interval)
{
	u64 one = moved_recently(a, *(const u32 *)interval);
	u64 other = moved_recently(b, *(const u32 *)interval);

	if (one != other)
		return one < other;
	return a->tx_bytes + a->rx_bytes < b->tx_bytes + b->rx_bytes;
}

static bool process_less(const void *one, const void *other, const void *interval)
{
	return moved_less(&((const struct process *)one)->moved, &((const struct process *)other)->moved,
			  interval);
}

static bool remote_less(const void *one, const void *other, const void *interval)
{
	return moved_less(&((const struct remote *)one)->moved, &((const struct remote *)other)->moved,
			  interval);
}

static bool process_remote_less(const void *one, const void *other, const void *interval)
{
	return moved_less(&((const struct process_remote *)one)->moved,
			  &((const struct process_remote *)other)->moved, interval);
}

/* ---- what is open now ----------------------------------------------------------------------- */

/* The open connections of both lists, one after the other. */
static const struct connection *next_open(const struct connections *c, const struct connection *at)
{
	const struct connection *next = at ? lru_older(&c->table, at) : lru_newest(&c->table, LIST_OPEN);

	if (!next && (!at || at->row.list == LIST_OPEN))
		next = lru_newest(&c->table, LIST_OPEN_DATAGRAM);
	return next;
}

static void count_connection(struct processes *p, const struct connection *connection)
{
	struct process_id process_id = { .pid = connection->owner.pid, .host = connection->id.host };
	struct remote_id remote_id = { .host = connection->id.host,
				       .ip_version = connection->id.ip_version };
	struct process *process;
	struct remote *remote;

	memcpy(process_id.command, connection->owner.command, sizeof(process_id.command));
	memcpy(remote_id.ip, connection->id.remote_ip, sizeof(remote_id.ip));
	process = lru_find(&p->table, &process_id);
	if (process)
		process->connections++;
	remote = lru_find(&p->remotes, &remote_id);
	if (remote)
		remote->connections++;
}

/* Each remote once for each of its processes, as far as those remember it. */
static void count_process(struct processes *p, const struct process *process, u32 number)
{
	for (u32 i = 0; i < process->n_remotes; i++) {
		const struct endpoint *to = &process->remotes[i].to;
		struct remote_id id = { .host = to->host, .ip_version = to->ip_version };
		struct remote *remote;

		memcpy(id.ip, to->ip, sizeof(id.ip));
		remote = to->flags & PROCESS_REMOTE ? lru_find(&p->remotes, &id) : NULL;
		if (remote && remote->counted_for != number) {
			remote->counted_for = number;
			remote->processes++;
		}
	}
}

static void count_all(struct processes *p, const struct connections *c)
{
	u32 number = 0;

	for (struct remote *r = lru_newest(&p->remotes, 0); r; r = lru_older(&p->remotes, r))
		r->processes = r->connections = r->counted_for = 0;
	for (struct process *at = lru_newest(&p->table, 0); at; at = lru_older(&p->table, at)) {
		at->connections = 0;
		count_process(p, at, ++number);
	}
	for (const struct connection *at = next_open(c, NULL); at; at = next_open(c, at))
		count_connection(p, at);
}

/* ---- processes ------------------------------------------------------------------------------ */

static void put_process_remote(struct text *t, const struct process_remote *r, u32 interval, u64 interval_ns)
{
	const struct endpoint *to = &r->to;

	text_address(t, "{\"remote_ip\":", to->flags & PROCESS_REMOTE ? to->ip_version : 0, to->ip);
	text_number_or_null(t, ",\"remote_port\":", to->flags & PROCESS_PORT, to->port);
	put_protocol(t, ",\"proto\":", row_of(to));
	put_bytes(t, &r->moved);
	put_rates(t, &r->moved, interval, interval_ns);
	text_put(t, "}");
}

static void put_process_remotes(struct text *t, const struct process *process, u32 interval, u64 interval_ns)
{
	struct top top;

	if (top_init(&top, REMOTES_SHOWN, process_remote_less, &interval)) {
		t->failed = true;
		return;
	}
	for (u32 i = 0; i < process->n_remotes; i++)
		top_offer(&top, &process->remotes[i]);
	top_sort(&top);
	text_put(t, ",\"remotes\":[");
	for (u32 i = 0; i < top.n; i++) {
		text_put(t, i ? "," : "");
		put_process_remote(t, top.rows[i], interval, interval_ns);
	}
	text_put(t, "]");
	top_free(&top);
}

static void put_process(struct text *t, const struct aggregate *a, const struct process *process,
			u64 interval_ns)
{
	text_string(t, "{\"host\":", a->interfaces.hosts[process->id.host]);
	text_number(t, ",\"pid\":", process->id.pid);
	text_name16(t, ",\"command\":", process->id.command);
	text_number(t, ",\"uid\":", process->uid);
	put_bytes(t, &process->moved);
	put_calls(t, &process->calls);
	put_rates(t, &process->moved, a->interval, interval_ns);
	put_interval(t, &process->moved, a->interval);
	put_recent_calls(t, ",\"interval_tx_calls\":", ",\"interval_rx_calls\":", &process->calls,
			 a->interval);
	text_number(t, ",\"connections\":", process->connections);
	text_time(t, ",\"first\":", process->first_ns);
	text_time(t, ",\"last\":", process->last_ns);
	put_process_remotes(t, process, a->interval, interval_ns);
	text_put(t, ",\"protocols\":[");
	for (u32 i = 0; i < process->n_protocols; i++) {
		const struct process_protocol *at = &process->protocols[i];

		put_protocol(t, i ? ",{\"proto\":" : "{\"proto\":", at->row);
		text_number(t, ",\"tx_bytes\":", at->tx_bytes);
		text_number(t, ",\"rx_bytes\":", at->rx_bytes);
		text_put(t, "}");
	}
	text_put(t, "]}");
}

static void put_remote(struct text *t, const struct aggregate *a, const struct remote *r, u64 interval_ns)
{
	text_string(t, "{\"host\":", a->interfaces.hosts[r->id.host]);
	text_address(t, ",\"remote_ip\":", r->id.ip_version, r->id.ip);
	put_bytes(t, &r->moved);
	put_rates(t, &r->moved, a->interval, interval_ns);
	put_interval(t, &r->moved, a->interval);
	text_number(t, ",\"processes\":", r->processes);
	text_number(t, ",\"connections\":", r->connections);
	text_put(t, "}");
}

/* The largest rows of a table. */
static void collect(struct top *top, const struct lru_table *table)
{
	for (const void *row = lru_newest(table, 0); row; row = lru_older(table, row))
		top_offer(top, row);
	top_sort(top);
}

static void put_processes(struct text *t, const struct aggregate *a, const struct snapshot_request *q)
{
	struct top top;

	if (top_init(&top, q->top, process_less, &a->interval)) {
		t->failed = true;
		return;
	}
	collect(&top, &a->processes.table);
	text_put(t, ",\"processes\":[");
	for (u32 i = 0; i < top.n; i++) {
		text_put(t, i ? "," : "");
		put_process(t, a, top.rows[i], q->interval_ns);
	}
	text_put(t, "]");
	top_free(&top);
}

static void put_remotes(struct text *t, const struct aggregate *a, const struct snapshot_request *q)
{
	struct top top;

	if (top_init(&top, q->top, remote_less, &a->interval)) {
		t->failed = true;
		return;
	}
	collect(&top, &a->processes.remotes);
	text_put(t, ",\"remotes\":[");
	for (u32 i = 0; i < top.n; i++) {
		text_put(t, i ? "," : "");
		put_remote(t, a, top.rows[i], q->interval_ns);
	}
	text_put(t, "]");
	top_free(&top);
}

/* ---- protocols ------------------------------------------------------------------------------- */


static bool protocol_less(const void *one, const void *other, const void *data)
{
	const struct processes *p = data;
	const struct moved *a = &p->protocols[*(const u32 *)one].moved;
	const struct moved *b = &p->protocols[*(const u32 *)other].moved;

	return a->tx_bytes + a->rx_bytes < b->tx_bytes + b->rx_bytes;
}

static bool is_used(const struct processes *p, u32 row)
{
	return p->protocols[row].moved.interval != 0;
}

static void put_protocol_row(struct text *t, const struct aggregate *a, u32 row, u64 interval_ns)
{
	put_protocol(t, "{\"proto\":", row);
	put_bytes(t, &a->processes.protocols[row].moved);
	put_calls(t, &a->processes.protocols[row].calls);
	put_rates(t, &a->processes.protocols[row].moved, a->interval, interval_ns);
	text_put(t, "}");
}

static void put_protocols(struct text *t, const struct aggregate *a, u64 interval_ns)
{
	u32 rows[PROTOCOL_ROWS];
	struct top top;

	if (top_init(&top, PROTOCOL_ROWS, protocol_less, &a->processes)) {
		t->failed = true;
		return;
	}
	for (u32 row = 0; row < PROTOCOL_ROWS; row++) {
		rows[row] = row;
		if (is_used(&a->processes, row))
			top_offer(&top, &rows[row]);
	}
	top_sort(&top);
	text_put(t, ",\"process_protocols\":[");
	for (u32 i = 0; i < top.n; i++) {
		text_put(t, i ? "," : "");
		put_protocol_row(t, a, *(const u32 *)top.rows[i], interval_ns);
	}
	text_put(t, "]");
	top_free(&top);
}

/* ---- sums ------------------------------------------------------------------------------------- */

static void put_table(struct text *t, const char *before, const struct lru_table *table, u64 tx, u64 rx)
{
	text_number(t, before, table->active);
	text_number(t, ",\"limit\":", table->limit);
	text_number(t, ",\"evicted\":", table->evicted);
	text_number(t, ",\"evicted_tx_bytes\":", tx);
	text_number(t, ",\"evicted_rx_bytes\":", rx);
	text_put(t, "}");
}

void snapshot_processes(struct text *t, struct aggregate *a, const struct snapshot_request *q)
{
	struct processes *p = &a->processes;

	count_all(p, &a->connections);
	put_processes(t, a, q);
	put_remotes(t, a, q);
	put_protocols(t, a, q->interval_ns);
	put_table(t, ",\"process_table\":{\"active\":", &p->table, p->evicted.tx_bytes, p->evicted.rx_bytes);
	put_table(t, ",\"remote_table\":{\"active\":", &p->remotes, p->remotes_evicted.tx_bytes,
		  p->remotes_evicted.rx_bytes);
}

static u64 less(u64 all, u64 part)
{
	return all > part ? all - part : 0;
}

void snapshot_unowned(struct text *t, const struct aggregate *a, const struct snapshot_request *q,
		      const struct wire *wire)
{
	const struct moved *total = &a->processes.total;
	bool active = total->interval == a->interval, counted = probes_seen(&a->probes, "process");
	/* As the probe counts, if it says so: also what other readers drained before. */
	u64 tx = counted ? probes_sum(&a->probes, "process", "tx_bytes") : total->tx_bytes;
	u64 rx = counted ? probes_sum(&a->probes, "process", "rx_bytes") : total->rx_bytes;
	u64 now_tx = less(wire->recent_tx, active ? total->recent_tx : 0);
	u64 now_rx = less(wire->recent_rx, active ? total->recent_rx : 0);

	text_number(t, ",\"unowned\":{\"tx_bytes\":", less(wire->tx_bytes, tx));
	text_number(t, ",\"rx_bytes\":", less(wire->rx_bytes, rx));
	text_number(t, ",\"tx_bps\":", text_rate(now_tx * 8, q->interval_ns));
	text_number(t, ",\"rx_bps\":", text_rate(now_rx * 8, q->interval_ns));
	text_put(t, "}");
}

void snapshot_processes_interval(struct text *t, const struct aggregate *a)
{
	const struct processes *p = &a->processes;

	put_recent_bytes(t, ",\"process_tx_bytes\":", ",\"process_rx_bytes\":", &p->total, a->interval);
	put_recent_calls(t, ",\"process_tx_calls\":", ",\"process_rx_calls\":", &p->total_calls,
			 a->interval);
	put_recent_bytes(t, ",\"remote_tx_bytes\":", ",\"remote_rx_bytes\":", &p->remotes_total,
			 a->interval);
}
