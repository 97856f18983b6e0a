/* SPDX-License-Identifier: MIT */
/* What the kernel dropped: totals, by flow, by 5-tuple. */
#include "aggregator/drops.h"

#include <string.h>

int drops_init(struct drops *d)
{
	int err;

	memset(d, 0, sizeof(*d));
	err = lru_init(&d->rows, sizeof(struct drop_row), sizeof(struct drop_row_id), DROP_ROWS_MAX);
	if (!err)
		err = lru_init(&d->flows, sizeof(struct drop_flow), sizeof(struct drop_flow_id),
			       DROP_FLOWS_MAX);
	if (!err)
		err = lru_init(&d->tuples, sizeof(struct drop_tuple), sizeof(struct tuple_id),
			       DROP_TUPLES_MAX);
	return err;
}

void drops_free(struct drops *d)
{
	lru_free(&d->rows);
	lru_free(&d->flows);
	lru_free(&d->tuples);
}

/* NUL-terminated, cut where there is no room. */
static void set_name(char *to, size_t size, struct line_text name)
{
	size_t length = strnlen(name.text ? name.text : "", name.length < size ? name.length : size - 1);

	memset(to, 0, size);
	if (length)
		memcpy(to, name.text, length);
}

/* ---- totals ------------------------------------------------------------------------- */

/* Totals never leave, so that a row that is made twice does not count twice. */
static struct drop_row *get_row(struct drops *d, struct drop_row_id id, struct line_text reason)
{
	struct drop_row *row = lru_find(&d->rows, &id);
	bool is_new;

	if (row)
		return row;
	if (d->rows.active == d->rows.limit) {
		d->rows_over++;
		return NULL;
	}
	row = lru_get(&d->rows, &id, &is_new);
	if (row)
		set_name(row->reason, sizeof(row->reason), reason);
	else
		d->no_memory++;
	return row;
}

static bool is_less(const struct drop_row *row, const struct drop_count *count)
{
	return row->is_counted && row->before.packets + count->amount.packets < row->counted.packets;
}

static struct drop_row_id row_id(u16 host, const struct drop_count *count)
{
	return (struct drop_row_id){ .reason = count->reason_code, .row = count->row, .host = host };
}

static bool any_is_less(const struct drops *d, u16 host, const struct drop_count *counts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct drop_row_id id = row_id(host, &counts[i]);
		const struct drop_row *row = lru_find(&d->rows, &id);

		if (row && is_less(row, &counts[i]))
			return true;
	}
	return false;
}

static void carry_over(struct drops *d, u16 host)
{
	for (struct drop_row *row = lru_newest(&d->rows, 0); row; row = lru_older(&d->rows, row))
		if (row->id.host == host)
			row->before = row->counted;
}

static u64 less(u64 all, u64 part)
{
	return all > part ? all - part : 0;
}

static void set_row(struct drop_row *row, const struct amount *amount, bool is_first)
{
	/* What was counted before this stream began is no news, but for what lines told. */
	if (!row->is_counted && is_first) {
		row->then.packets = less(amount->packets, row->lines.packets);
		row->then.bytes = less(amount->bytes, row->lines.bytes);
	}
	row->is_counted = 1;
	row->counted = *amount;
	amount_add(&row->counted, &row->before);
}

void drops_set(struct drops *d, u16 host, const struct drop_count *counts, size_t n, bool is_first)
{
	if (any_is_less(d, host, counts, n))
		carry_over(d, host);
	for (size_t i = 0; i < n; i++) {
		struct drop_row *row = get_row(d, row_id(host, &counts[i]), counts[i].reason);

		if (row)
			set_row(row, &counts[i].amount, is_first);
	}
}

const struct amount *drop_row_total(const struct drop_row *row)
{
	return row->is_counted ? &row->counted : &row->lines;
}

void drops_next_interval(struct drops *d)
{
	for (struct drop_row *row = lru_newest(&d->rows, 0); row; row = lru_older(&d->rows, row))
		row->then = *drop_row_total(row);
}

/* ---- flows ---------------------------------------------------------------------------- */

static bool has_protocol(const struct flow_key *key)
{
	return key->ip_version || key->protocol;
}

static struct drop_flow_id flow_id_of(u16 host, const struct drop_record *r,
				      const struct line_reader *said)
{
	const struct flow_key *key = &r->key.flow;
	struct drop_flow_id id = { .netns = r->key.netns, .reason = r->key.reason,
				   .protocol = key->protocol, .host = host,
				   .ip_version = key->ip_version, .flags = key->flags };

	memcpy(id.src_ip, key->src_ip, 16);
	memcpy(id.dst_ip, key->dst_ip, 16);
	memcpy(id.ifname, r->key.ifname, 16);
	set_name(id.location, sizeof(id.location), said->location);
	if (key->flags & FLOW_PORTS) {
		id.src_port = __builtin_bswap16(key->src_port_be);
		id.dst_port = __builtin_bswap16(key->dst_port_be);
	}
	return id;
}

static void add_flow(struct drops *d, u16 host, const struct drop_record *r,
		     const struct line_reader *said, u32 interval)
{
	struct drop_flow_id id = flow_id_of(host, r, said);
	struct drop_flow *flow;
	bool is_new;

	flow = lru_get(&d->flows, &id, &is_new);
	if (!flow) {
		d->no_memory++;
		return;
	}
	if (is_new)
		set_name(flow->reason, sizeof(flow->reason), said->reason);
	if (flow->interval != interval) {
		flow->interval = interval;
		flow->recent = 0;
	}
	flow->recent += r->value.packets;
	amount_add(&flow->total, &(struct amount){ r->value.packets, r->value.bytes });
	flow->last_ns = r->time_ns;
}

static void add_tuple(struct drops *d, u16 host, const struct drop_record *r, u64 idle_ns)
{
	struct drop_tuple *tuple;
	struct tuple_id id;
	bool is_new;
	u8 from;

	if (!r->key.flow.ip_version || r->key.flow.flags & FLOW_NO_ADDRESS)
		return;
	id = tuple_id_of_key(host, &r->key.flow, &from);
	tuple = lru_get(&d->tuples, &id, &is_new);
	if (!tuple) {
		d->no_memory++;
		return;
	}
	if (idle_ns && tuple->last_ns + idle_ns < r->time_ns)
		tuple->packets = 0;
	tuple->packets += r->value.packets;
	tuple->last_ns = r->time_ns;
}

void drops_add(struct drops *d, u16 host, const struct drop_record *r, const struct line_reader *said,
	       u32 interval, u64 idle_ns)
{
	const struct flow_key *key = &r->key.flow;
	struct drop_row_id id = { .reason = r->key.reason, .row = DROP_ROW_UNKNOWN, .host = host };
	struct drop_row *row;

	if (has_protocol(key))
		id.row = (u16)total_row(key->ip_version, key->protocol);
	row = get_row(d, id, said->reason);
	if (row)
		amount_add(&row->lines, &(struct amount){ r->value.packets, r->value.bytes });
	add_flow(d, host, r, said, interval);
	add_tuple(d, host, r, idle_ns);
}

u64 drops_of_flow(const struct drops *d, u16 host, const struct flow_id *flow, u64 *ret_last_ns)
{
	struct tuple_id id = tuple_id_of(host, flow);
	const struct drop_tuple *tuple = lru_find(&d->tuples, &id);

	*ret_last_ns = tuple ? tuple->last_ns : 0;
	return tuple ? tuple->packets : 0;
}
