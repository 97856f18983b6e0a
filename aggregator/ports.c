/* SPDX-License-Identifier: MIT */
/* What flows moved in one interval, by service port. */
#include "aggregator/ports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/records.h"

#define ROWS_FIRST 256

static int grow(struct ports *p)
{
	u32 allocated = p->allocated ? p->allocated * 2 : ROWS_FIRST;
	struct port_row *rows = realloc(p->rows, allocated * sizeof(*rows));

	if (!rows)
		return -ENOMEM;
	p->rows = rows;
	p->allocated = allocated;
	return 0;
}

int ports_init(struct ports *p)
{
	*p = (struct ports){ 0 };
	if (getrandom(p->seed, sizeof(p->seed), 0) != (ssize_t)sizeof(p->seed))
		return -errno;
	return slots_grow(&p->slots, 4 * PORTS_MAX);
}

void ports_free(struct ports *p)
{
	free(p->rows);
	slots_free(&p->slots);
	*p = (struct ports){ 0 };
}

static u32 service_port(const struct flow *f)
{
	if (!(f->id.flags & FLOW_PORTS))
		return PORT_NONE;
	if (f->opened)
		return f->id.port[!f->src];
	return f->id.port[0] < f->id.port[1] ? f->id.port[0] : f->id.port[1];
}

/* As flow_table.c: of the 65 536 ports there are enough that would share few slots. */
static u32 hash_of(const struct ports *p, u32 port, u16 protocol, u16 host)
{
	return (u32)slots_mix(port ^ p->seed[0], ((u64)protocol << 16 | host) ^ p->seed[1]);
}

static struct port_row *find(const struct ports *p, u32 port, u16 protocol, u16 host, u32 hash)
{
	const struct slots *s = &p->slots;

	for (u32 slot = hash & s->mask; s->at[slot].index != SLOT_NONE; slot = (slot + 1) & s->mask) {
		struct port_row *row = &p->rows[s->at[slot].index];

		if (row->port == port && row->protocol == protocol && row->host == host)
			return row;
	}
	return NULL;
}

static struct port_row *get(struct ports *p, u32 port, const struct flow *f, u16 host)
{
	u32 hash = hash_of(p, port, f->id.protocol, host);
	struct port_row *row = find(p, port, f->id.protocol, host, hash);

	if (row)
		return row;
	if (port != PORT_NONE && p->n_with_port == PORTS_MAX) {
		p->over++;
		return get(p, PORT_NONE, f, host);
	}
	/* Rows without a port: at most one a protocol and host, and never more than the slots take. */
	if (p->n == 2 * PORTS_MAX || (p->n == p->allocated && grow(p)))
		return NULL;
	row = &p->rows[p->n];
	*row = (struct port_row){ .port = port, .protocol = f->id.protocol, .host = host,
				  .ip_version = f->id.ip_version };
	p->n_with_port += port != PORT_NONE;
	slots_insert(&p->slots, p->n++, hash);
	return row;
}

int ports_add(struct ports *p, const struct flow *f, u16 host)
{
	struct port_row *row = get(p, service_port(f), f, host);

	if (!row)
		return -ENOMEM;
	amount_add(&row->moved, &(struct amount){ f->recent_packets, f->recent_bytes });
	return 0;
}

void ports_clear(struct ports *p)
{
	if (!p->n)
		return;
	slots_clear(&p->slots);
	p->n = p->n_with_port = 0;
}
