/* SPDX-License-Identifier: MIT */
/* Connections, from connection lines. */
#include "aggregator/connections.h"

#include <stdlib.h>
#include <string.h>


#define TCP 6

static void connection_leaves(void *row, bool evicted, void *data)
{
	struct connection *connection = row;

	(void)evicted;
	(void)data;
	free(connection->cgroup);
	connection->cgroup = NULL;
}

int connections_init(struct connections *c, u32 max_connections)
{
	int err;

	memset(c, 0, sizeof(*c));
	err = lru_init(&c->table, sizeof(struct connection), sizeof(struct connection_id), max_connections);
	if (!err)
		err = lru_init(&c->tuples, sizeof(struct tuple), sizeof(struct tuple_id), max_connections);
	if (!err)
		err = lru_init(&c->connects, sizeof(struct connect), sizeof(struct connect_id), CONNECTS_MAX);
	c->table.leave = connection_leaves;
	return err;
}

void connections_free(struct connections *c)
{
	lru_free(&c->table);
	lru_free(&c->tuples);
	lru_free(&c->connects);
}

/* ---- whose a 5-tuple is ------------------------------------------------------------- */

struct tuple_id tuple_id_of(u16 host, const struct flow_id *flow)
{
	struct tuple_id id = { .port = { flow->port[0], flow->port[1] }, .protocol = flow->protocol,
			       .host = host, .ip_version = flow->ip_version };

	memcpy(id.ip, flow->ip, sizeof(id.ip));
	return id;
}

struct tuple_id tuple_id_of_key(u16 host, const struct flow_key *key, u8 *ret_from)
{
	bool has_ports = key->flags & FLOW_PORTS;
	u16 src = has_ports ? __builtin_bswap16(key->src_port_be) : 0;
	u16 dst = has_ports ? __builtin_bswap16(key->dst_port_be) : 0;
	int order = memcmp(key->src_ip, key->dst_ip, 16);
	u8 from = order ? order > 0 : src > dst;
	struct tuple_id id = { .protocol = key->protocol, .host = host, .ip_version = key->ip_version };

	memcpy(id.ip[from], key->src_ip, 16);
	memcpy(id.ip[!from], key->dst_ip, 16);
	id.port[from] = src;
	id.port[!from] = dst;
	*ret_from = from;
	return id;
}

static bool is_end(const struct connection_record *r)
{
	return r->event == CONNECTION_CLOSE || r->event == CONNECTION_FAILED;
}

/*
 * Where both sides of a connection are local, the one that opened it is the flow's owner:
 * what the other says only fills the gap until then.
 */
static void add_tuple(struct connections *c, u16 host, const struct connection_record *r)
{
	bool is_opener = r->key.direction == DIRECTION_EGRESS, is_new;
	u8 opener;
	struct tuple_id id = tuple_id_of_key(host, &r->key, &opener);
	struct tuple *tuple = lru_get(&c->tuples, &id, &is_new);

	if (!tuple) {
		c->no_memory++;
		return;
	}
	if (!is_new && ((tuple->ended_ns && !is_end(r)) || r->event == CONNECTION_CONNECT)) {
		*tuple = (struct tuple){ .row = tuple->row, .id = tuple->id };
		lru_move(&c->tuples, tuple, LIST_OPEN);
	}
	if (tuple->local_opener && !is_opener)
		return;
	tuple->local_opener = is_opener;
	tuple->opener = opener;
	if (r->owner.pid) {
		tuple->pid = r->owner.pid;
		memcpy(tuple->command, r->owner.command, sizeof(tuple->command));
	}
	if (r->rtt_us)
		tuple->rtt_us = r->rtt_us;
	tuple->retransmits = r->retransmits;
	if (is_end(r)) {
		tuple->ended_ns = r->time_ns;
		lru_move(&c->tuples, tuple, LIST_ENDED);
	}
}

const struct tuple *connections_tuple(const struct connections *c, u16 host, const struct flow_id *flow)
{
	struct tuple_id id = tuple_id_of(host, flow);

	return lru_find(&c->tuples, &id);
}

/* ---- what was opened in this interval ------------------------------------------------ */

static void add_connect(struct connections *c, u16 host, const struct connection_record *r, u32 opened,
			u32 failed)
{
	struct connect_id id = { .pid = r->owner.pid, .uid = r->owner.uid, .protocol = r->key.protocol,
				 .host = host, .ip_version = r->key.ip_version,
				 .direction = r->key.direction };
	struct connect *connect;
	bool is_new;

	memcpy(id.dst_ip, r->key.dst_ip, sizeof(id.dst_ip));
	memcpy(id.command, r->owner.command, sizeof(id.command));
	id.dst_port = __builtin_bswap16(r->key.dst_port_be);
	connect = lru_find(&c->connects, &id);
	if (!connect && c->connects.active < CONNECTS_MAX)
		connect = lru_get(&c->connects, &id, &is_new);
	if (!connect) {
		c->connects_left_out += opened + failed;
		return;
	}
	connect->opened += opened;
	connect->failed += failed;
}

void connections_next_interval(struct connections *c)
{
	lru_clear(&c->connects);
	c->connects_left_out = 0;
	c->then.connects = c->n_connects;
	c->then.accepts = c->accepts;
	c->then.closed = c->closed;
	c->then.failed = c->failed;
}

/* ---- connections ----------------------------------------------------------------------- */

static struct connection_id id_of(u16 host, const struct connection_record *r)
{
	const struct flow_key *key = &r->key;
	bool is_src = key->direction == DIRECTION_EGRESS;
	struct connection_id id = { .protocol = key->protocol, .host = host, .netns = r->owner.netns,
				    .ip_version = key->ip_version };

	memcpy(id.local_ip, is_src ? key->src_ip : key->dst_ip, 16);
	memcpy(id.remote_ip, is_src ? key->dst_ip : key->src_ip, 16);
	id.local_port = __builtin_bswap16(is_src ? key->src_port_be : key->dst_port_be);
	id.remote_port = __builtin_bswap16(is_src ? key->dst_port_be : key->src_port_be);
	return id;
}

/* Begins a new life in the row of one whose end nobody saw. */
static void renew(struct connection *connection)
{
	free(connection->cgroup);
	*connection = (struct connection){ .row = connection->row, .id = connection->id };
}

static void set_cgroup(struct connection *connection, struct line_text path)
{
	char *copy;

	if (!path.text || (connection->cgroup && strlen(connection->cgroup) == path.length &&
			   !memcmp(connection->cgroup, path.text, path.length)))
		return;
	copy = strndup(path.text, path.length);
	if (!copy)
		return;
	free(connection->cgroup);
	connection->cgroup = copy;
}

/* What every event says of its connection. */
static void set_all(struct connection *connection, const struct connection_record *r,
		    const struct line_reader *said, u32 interval)
{
	size_t length = said->service.length < SERVICE_BYTES ? said->service.length : SERVICE_BYTES - 1;

	if (r->owner.pid || !connection->owner.pid)
		connection->owner = r->owner;
	set_cgroup(connection, said->cgroup);
	if (said->service.text) {
		memcpy(connection->service, said->service.text, length);
		connection->service[length] = '\0';
	}
	connection->direction = r->key.direction;
	connection->bytes_sent = r->bytes_sent;
	connection->bytes_received = r->bytes_received;
	connection->rtt_us = r->rtt_us ? r->rtt_us : connection->rtt_us;
	connection->rtt_min_us = r->rtt_min_us ? r->rtt_min_us : connection->rtt_min_us;
	connection->retransmits = r->retransmits;
	connection->changed_ns = connection->used_ns = r->time_ns;
	connection->interval = interval;
}

static void set_open(struct connection *connection, const struct connection_record *r)
{
	bool known = r->existing && r->duration_ns <= r->time_ns;

	connection->state = CONNECTION_OPEN;
	if (!connection->established_ns)
		connection->established_ns = known ? r->time_ns - r->duration_ns : r->time_ns;
}

static void set_ended(struct connection *connection, const struct connection_record *r)
{
	u64 since = r->duration_ns <= r->time_ns ? r->time_ns - r->duration_ns : 0;

	connection->state = r->event == CONNECTION_CLOSE ? CONNECTION_CLOSED : CONNECTION_FAILURE;
	connection->ended_ns = r->time_ns;
	connection->duration_ns = r->duration_ns;
	connection->reason = r->reason;
	connection->error = r->error;
	if (connection->begun_ns || connection->established_ns)
		return;
	if (r->event == CONNECTION_CLOSE)
		connection->established_ns = since;
	else
		connection->begun_ns = since;
}

static void set_event(struct connection *connection, const struct connection_record *r)
{
	switch (r->event) {
	case CONNECTION_CONNECT:
		connection->begun_ns = r->time_ns;
		/* Where nothing has to answer, it is open at once. */
		connection->state = r->key.protocol == TCP ? CONNECTION_CONNECTING : CONNECTION_OPEN;
		break;
	case CONNECTION_ACCEPT:
	case CONNECTION_ESTABLISHED:
		set_open(connection, r);
		break;
	default:
		set_ended(connection, r);
	}
}

static void count_of_host(struct connection_counts *counts, const struct connection_record *r)
{
	u8 reason = r->reason < CONNECTION_REASONS ? r->reason : REASON_NONE;

	counts->connects += r->event == CONNECTION_CONNECT;
	counts->accepts += r->event == CONNECTION_ACCEPT;
	counts->closed[reason] += r->event == CONNECTION_CLOSE;
	counts->failed[reason] += r->event == CONNECTION_FAILED;
}

static void count_event(struct connections *c, u16 host, const struct connection_record *r)
{
	u32 opened = r->event == CONNECTION_CONNECT || r->event == CONNECTION_ACCEPT;
	u32 failed = r->event == CONNECTION_FAILED;

	if (r->existing)
		return;
	count_of_host(&c->counts[host], r);
	c->n_connects += r->event == CONNECTION_CONNECT;
	c->accepts += r->event == CONNECTION_ACCEPT;
	c->closed += r->event == CONNECTION_CLOSE;
	c->failed += failed;
	if (opened || failed)
		add_connect(c, host, r, opened, failed);
}

static void place(struct connections *c, struct connection *connection)
{
	if (connection->ended_ns) {
		lru_unhash(&c->table, connection);
		lru_move(&c->table, connection, LIST_ENDED);
	} else if (connection->id.protocol != TCP) {
		lru_move(&c->table, connection, LIST_OPEN_DATAGRAM);
	}
}

bool connections_add(struct connections *c, u16 host, const struct connection_record *r,
		     const struct line_reader *said, u32 interval)
{
	struct connection_id id;
	struct connection *connection;
	bool is_new;

	if (!r->key.ip_version || r->key.flags & FLOW_NO_ADDRESS || !(r->key.flags & FLOW_PORTS))
		return false;
	count_event(c, host, r);
	add_tuple(c, host, r);
	id = id_of(host, r);
	connection = lru_get(&c->table, &id, &is_new);
	if (!connection) {
		c->no_memory++;
		return true;
	}
	if (!is_new && (r->event == CONNECTION_CONNECT || r->event == CONNECTION_ACCEPT))
		renew(connection);
	if (is_new)
		connection->existing = r->existing;
	set_all(connection, r, said, interval);
	set_event(connection, r);
	place(c, connection);
	return true;
}

/* ---- leaving --------------------------------------------------------------------------- */

static struct endpoint endpoint_of(const struct connection_id *id)
{
	struct endpoint to = { .port = id->remote_port, .protocol = id->protocol,
			       .ip_version = id->ip_version, .flags = PROCESS_REMOTE | PROCESS_PORT,
			       .host = id->host };

	memcpy(to.ip, id->remote_ip, sizeof(to.ip));
	return to;
}

static void expire_datagram(struct connections *c, const struct processes *p,
			    struct connection *connection, u64 before_ns)
{
	struct endpoint to = endpoint_of(&connection->id);
	u64 last_ns = processes_last(p, &to);

	if (last_ns >= before_ns) {
		connection->used_ns = last_ns;
		lru_move(&c->table, connection, LIST_OPEN_DATAGRAM);
	} else {
		lru_remove(&c->table, connection);
	}
}

void connections_expire(struct connections *c, const struct processes *p, u64 before_ns, u32 most)
{
	struct connection *oldest;

	for (u32 i = 0; i < most; i++) {
		oldest = lru_oldest(&c->table, LIST_ENDED);
		if (!oldest || oldest->ended_ns >= before_ns)
			break;
		lru_remove(&c->table, oldest);
	}
	for (u32 i = 0; i < most; i++) {
		oldest = lru_oldest(&c->table, LIST_OPEN_DATAGRAM);
		if (!oldest || oldest->used_ns >= before_ns)
			break;
		expire_datagram(c, p, oldest, before_ns);
	}
}
