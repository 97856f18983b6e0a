/* SPDX-License-Identifier: MIT */
/* What is known of a flow beside its packets: joined by 5-tuple, whichever came first. */
#include "aggregator/flow_facts.h"

#include <string.h>

#define TCP 6
/*
 * What ended longer than this before a flow's first packet is of an earlier flow with the
 * same 5-tuple: the reader's interval, and the clock's steps, with room.
 */
#define SLACK_NS 10000000000ull

u64 flow_first(const struct flow *f)
{
	u64 one = f->side[0].first_ns, other = f->side[1].first_ns;

	if (!one || !other)
		return one ? one : other;
	return one < other ? one : other;
}

static void add_connection(const struct tuple *tuple, const struct flow *f, struct flow_facts *facts)
{
	if (!f->opened)
		facts->src = tuple->opener;
	facts->pid = tuple->pid;
	facts->command = tuple->pid ? tuple->command : NULL;
	facts->rtt_us = tuple->rtt_us;
	facts->retransmits = tuple->retransmits;
	facts->has_retransmits = f->id.protocol == TCP;
}

/* The one process that has this side of the flow as its remote. */
static const struct talker *talker_with(const struct processes *p, u16 host, const struct flow *f, u8 side)
{
	struct endpoint to = { .port = f->id.port[side], .protocol = f->id.protocol,
			       .ip_version = f->id.ip_version, .flags = PROCESS_REMOTE, .host = host };
	const struct talker *talker;

	memcpy(to.ip, f->id.ip[side], sizeof(to.ip));
	if (f->id.flags & FLOW_PORTS)
		to.flags |= PROCESS_PORT;
	talker = processes_talker(p, &to);
	return talker && talker->last_ns + SLACK_NS >= flow_first(f) ? talker : NULL;
}

static void add_talker(const struct processes *p, u16 host, const struct flow *f, struct flow_facts *facts)
{
	const struct talker *talker = talker_with(p, host, f, !facts->src);

	if (!talker)
		talker = talker_with(p, host, f, facts->src);
	if (!talker)
		return;
	facts->pid = talker->pid;
	facts->command = talker->pid ? talker->command : NULL;
}

void flow_facts(const struct aggregate *a, const struct flow *f, struct flow_facts *ret)
{
	u16 host = a->interfaces.all[f->id.interface]->host;
	u64 first_ns = flow_first(f), last_drop_ns;
	const struct tuple *tuple = connections_tuple(&a->connections, host, &f->id);

	*ret = (struct flow_facts){ .src = f->src, .has_drops = a->host_has_drops[host] };
	if (tuple && (!tuple->ended_ns || tuple->ended_ns + SLACK_NS >= first_ns))
		add_connection(tuple, f, ret);
	if (!ret->pid && f->id.protocol != TCP)
		add_talker(&a->processes, host, f, ret);
	ret->drops = drops_of_flow(&a->drops, host, &f->id, &last_drop_ns);
	if (last_drop_ns + SLACK_NS < first_ns)
		ret->drops = 0;
}
