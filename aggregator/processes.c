/* SPDX-License-Identifier: MIT */
/* Bytes that processes moved, from process lines. */
#include "aggregator/processes.h"

#include <string.h>

static void process_leaves(void *row, bool evicted, void *data)
{
	const struct process *process = row;
	struct processes *p = data;

	if (!evicted)
		return;
	p->evicted.tx_bytes += process->moved.tx_bytes;
	p->evicted.rx_bytes += process->moved.rx_bytes;
}

static void remote_leaves(void *row, bool evicted, void *data)
{
	const struct remote *remote = row;
	struct processes *p = data;

	if (!evicted)
		return;
	p->remotes_evicted.tx_bytes += remote->moved.tx_bytes;
	p->remotes_evicted.rx_bytes += remote->moved.rx_bytes;
}

int processes_init(struct processes *p, u32 max_processes)
{
	int err;

	memset(p, 0, sizeof(*p));
	err = lru_init(&p->table, sizeof(struct process), sizeof(struct process_id), max_processes);
	if (!err)
		err = lru_init(&p->remotes, sizeof(struct remote), sizeof(struct remote_id), REMOTES_MAX);
	if (!err)
		err = lru_init(&p->talkers, sizeof(struct talker), sizeof(struct endpoint), TALKERS_MAX);
	if (!err)
		err = series_init(&p->by_command);
	if (!err)
		err = series_init(&p->by_remote);
	p->table.leave = process_leaves;
	p->remotes.leave = remote_leaves;
	p->table.leave_data = p->remotes.leave_data = p;
	return err;
}

void processes_free(struct processes *p)
{
	lru_free(&p->table);
	lru_free(&p->remotes);
	lru_free(&p->talkers);
	series_free(&p->by_command);
	series_free(&p->by_remote);
}

static void moved_add(struct moved *m, const struct process_value *v, u32 interval)
{
	if (m->interval != interval) {
		m->interval = interval;
		m->recent_tx = m->recent_rx = 0;
	}
	m->tx_bytes += v->tx_bytes;
	m->rx_bytes += v->rx_bytes;
	m->recent_tx += v->tx_bytes;
	m->recent_rx += v->rx_bytes;
}

static void calls_add(struct calls *c, const struct process_value *v, u32 interval)
{
	if (c->interval != interval) {
		c->interval = interval;
		c->recent_tx = c->recent_rx = 0;
	}
	c->tx += v->tx_calls;
	c->rx += v->rx_calls;
	c->recent_tx += v->tx_calls;
	c->recent_rx += v->rx_calls;
}

static struct endpoint endpoint_of(const struct process_key *key, u16 host)
{
	struct endpoint e = { .protocol = key->protocol, .ip_version = key->ip_version,
			      .flags = key->flags, .host = host };

	memcpy(e.ip, key->remote_ip, sizeof(e.ip));
	e.port = __builtin_bswap16(key->remote_port_be);
	return e;
}

static u32 protocol_row(const struct process_key *key)
{
	return key->ip_version ? key->protocol & 0xff : PROTOCOL_PACKET;
}

static void add_protocol(struct process *process, u32 row, const struct process_value *v)
{
	struct process_protocol *at = process->protocols, *last = at + PROCESS_PROTOCOLS - 1;

	while (at < last && at < process->protocols + process->n_protocols && at->row != row)
		at++;
	if (at == process->protocols + process->n_protocols)
		process->n_protocols++;
	at->row = at == last ? PROTOCOL_OTHERS : row;
	at->tx_bytes += v->tx_bytes;
	at->rx_bytes += v->rx_bytes;
}

/* Whose place a new remote takes: the smallest of those that are idle, else of all. */
static struct process_remote *smallest_remote(struct process *process, u32 interval)
{
	struct process_remote *least = process->remotes;

	for (u32 i = 1; i < PROCESS_REMOTES; i++) {
		struct process_remote *r = &process->remotes[i];
		bool active = r->moved.interval == interval, least_active = least->moved.interval == interval;

		if (active != least_active ? least_active
					   : r->moved.tx_bytes + r->moved.rx_bytes <
					     least->moved.tx_bytes + least->moved.rx_bytes)
			least = r;
	}
	return least;
}

static void add_process_remote(struct process *process, const struct endpoint *to,
			       const struct process_value *v, u32 interval)
{
	struct process_remote *r = process->remotes, *end = r + process->n_remotes;

	while (r < end && memcmp(&r->to, to, sizeof(*to)))
		r++;
	if (r == end) {
		if (process->n_remotes < PROCESS_REMOTES)
			process->n_remotes++;
		else
			r = smallest_remote(process, interval);
		*r = (struct process_remote){ .to = *to };
	}
	moved_add(&r->moved, v, interval);
}

static void add_process(struct processes *p, const struct endpoint *to, const struct process_record *r,
			u32 interval)
{
	struct process_id id = { .pid = r->key.pid, .host = to->host };
	struct process *process;
	bool is_new;

	memcpy(id.command, r->key.command, sizeof(id.command));
	process = lru_get(&p->table, &id, &is_new);
	if (!process) {
		/* As if it had been evicted at once: the sums stay whole. */
		p->no_memory++;
		p->evicted.tx_bytes += r->value.tx_bytes;
		p->evicted.rx_bytes += r->value.rx_bytes;
		return;
	}
	if (is_new)
		process->first_ns = r->time_ns;
	if (r->time_ns > process->last_ns)
		process->last_ns = r->time_ns;
	process->uid = r->key.uid;
	moved_add(&process->moved, &r->value, interval);
	calls_add(&process->calls, &r->value, interval);
	add_protocol(process, protocol_row(&r->key), &r->value);
	add_process_remote(process, to, &r->value, interval);
}

static void add_remote(struct processes *p, const struct endpoint *to, const struct process_value *v,
		       u32 interval)
{
	struct remote_id id = { .host = to->host, .ip_version = to->ip_version };
	struct remote *remote;
	bool is_new;

	memcpy(id.ip, to->ip, sizeof(id.ip));
	remote = lru_get(&p->remotes, &id, &is_new);
	if (remote) {
		moved_add(&remote->moved, v, interval);
		return;
	}
	p->no_memory++;
	p->remotes_evicted.tx_bytes += v->tx_bytes;
	p->remotes_evicted.rx_bytes += v->rx_bytes;
}

static void add_talker(struct processes *p, const struct endpoint *to, const struct process_record *r,
		       u64 idle_ns)
{
	bool is_new, is_other;
	struct talker *talker = lru_get(&p->talkers, to, &is_new);

	if (!talker) {
		p->no_memory++;
		return;
	}
	is_other = is_new || talker->pid != r->key.pid ||
		   memcmp(talker->command, r->key.command, sizeof(talker->command));
	if (is_other) {
		/* Alone until the one before was here a moment ago. */
		bool gone = is_new || (idle_ns && talker->last_ns + idle_ns < r->time_ns);

		talker->shared_ns = gone ? 0 : r->time_ns;
		talker->pid = r->key.pid;
		memcpy(talker->command, r->key.command, sizeof(talker->command));
	} else if (idle_ns && talker->shared_ns && talker->shared_ns + idle_ns < r->time_ns) {
		talker->shared_ns = 0;
	}
	talker->last_ns = r->time_ns;
}

static void add_series(struct processes *p, const struct endpoint *to, const struct process_record *r)
{
	struct moved_bytes moved = { r->value.tx_bytes, r->value.rx_bytes };
	struct series_id command = series_id_of(to->host, r->key.command);
	struct series_id remote = { .host = to->host };

	series_add(&p->by_command, &command, moved);
	if (to->flags & PROCESS_REMOTE) {
		remote.ip_version = to->ip_version;
		memcpy(remote.name, to->ip, sizeof(remote.name));
	}
	series_add(&p->by_remote, &remote, moved);
}

void processes_add(struct processes *p, u16 host, const struct process_record *r, u32 interval,
		   u64 idle_ns)
{
	struct endpoint to = endpoint_of(&r->key, host);
	u32 row = protocol_row(&r->key);

	moved_add(&p->total, &r->value, interval);
	moved_add(&p->protocols[row].moved, &r->value, interval);
	calls_add(&p->protocols[row].calls, &r->value, interval);
	calls_add(&p->total_calls, &r->value, interval);
	add_process(p, &to, r, interval);
	add_series(p, &to, r);
	if (!(to.flags & PROCESS_REMOTE))
		return;
	moved_add(&p->remotes_total, &r->value, interval);
	add_remote(p, &to, &r->value, interval);
	add_talker(p, &to, r, idle_ns);
}

const struct talker *processes_talker(const struct processes *p, const struct endpoint *to)
{
	const struct talker *talker = lru_find(&p->talkers, to);

	return talker && !talker->shared_ns ? talker : NULL;
}

u64 processes_last(const struct processes *p, const struct endpoint *to)
{
	const struct talker *talker = lru_find(&p->talkers, to);

	return talker ? talker->last_ns : 0;
}
