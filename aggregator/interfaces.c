/* SPDX-License-Identifier: MIT */
/* Hosts and their interfaces, and what was counted at each. */
#include "aggregator/interfaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct line_text other = { "other", 5 };

static bool is_same(const struct line_text *a, const struct line_text *b)
{
	return a->length == b->length && !memcmp(a->text, b->text, a->length);
}

static int copy_text(struct line_text *to, const struct line_text *from)
{
	to->text = strndup(from->text, from->length);
	to->length = to->text ? strlen(to->text) : 0;
	return to->text ? 0 : -ENOMEM;
}

/* Names end at a NUL, if an escape has put one there. */
static struct line_text cut(struct line_text name)
{
	name.length = strnlen(name.text, name.length < LINE_TEXT_MAX ? name.length : LINE_TEXT_MAX);
	return name;
}

/* FNV-1a. Names are few and bounded, so nobody gains by making them collide. */
static u32 first_slot(u32 seed, const struct line_text *name)
{
	u32 h = 2166136261u ^ seed;

	for (size_t i = 0; i < name->length; i++)
		h = (h ^ (unsigned char)name->text[i]) * 16777619u;
	return (h ^ h >> 15) % NAME_SLOTS;
}

static u32 next_slot(u32 slot)
{
	return (slot + 1) % NAME_SLOTS;
}

static u16 add_host(struct interfaces *set, u32 slot, struct line_text name)
{
	if (set->n_hosts >= HOSTS_MAX) {
		set->hosts_over++;
		name = other;
		if (set->n_hosts > HOSTS_MAX)
			return HOSTS_MAX;
	}
	if (copy_text(&set->hosts[set->n_hosts], &name))
		return 0;
	if (set->n_hosts < HOSTS_MAX)
		set->host_slots[slot] = (u16)(set->n_hosts + 1);
	return (u16)set->n_hosts++;
}

u16 interfaces_host(struct interfaces *set, struct line_text name)
{
	u32 slot;
	u16 hit;

	name = cut(name);
	slot = first_slot(0, &name);
	for (; (hit = set->host_slots[slot]); slot = next_slot(slot))
		if (is_same(&set->hosts[hit - 1], &name))
			return (u16)(hit - 1);
	return add_host(set, slot, name);
}

static int add_interface(struct interfaces *set, u32 slot, u16 host, struct line_text name)
{
	struct interface *i;

	if (set->n >= INTERFACES_MAX) {
		set->over++;
		name = other;
		if (set->n > INTERFACES_MAX)
			return INTERFACES_MAX;
	}
	i = calloc(1, sizeof(*i));
	if (!i || copy_text(&i->name, &name)) {
		free(i);
		return -ENOMEM;
	}
	i->host = host;
	i->unseen_least = UINT64_MAX;
	set->all[set->n] = i;
	if (set->n < INTERFACES_MAX)
		set->slots[slot] = (u16)(set->n + 1);
	return (int)set->n++;
}

int interfaces_look_up(struct interfaces *set, u16 host, struct line_text name)
{
	u32 slot;
	u16 hit;

	name = cut(name);
	slot = first_slot(host, &name);
	for (; (hit = set->slots[slot]); slot = next_slot(slot)) {
		const struct interface *i = set->all[hit - 1];

		if (i->host == host && is_same(&i->name, &name))
			return hit - 1;
	}
	return add_interface(set, slot, host, name);
}

int interfaces_look_up_recent(struct interfaces *set, u16 host, const struct line_reader *lr)
{
	int number = interfaces_look_up(set, host, lr->ifname);

	/* Beyond the limit, each hit is counted. */
	if (number >= 0 && number < INTERFACES_MAX)
		set->recent[lr->ifname_serial % RECENT_NAMES] =
			(struct recent_name){ lr->ifname_serial, host, number };
	return number;
}

void interfaces_free(struct interfaces *set)
{
	for (u32 i = 0; i < set->n; i++) {
		free((char *)set->all[i]->name.text);
		free(set->all[i]);
	}
	for (u32 i = 0; i < set->n_hosts; i++)
		free((char *)set->hosts[i].text);
	memset(set, 0, sizeof(*set));
}

/* A tally is nothing but amounts: all of them at once. */
#define TALLY_AMOUNTS (sizeof(struct tally) / sizeof(struct amount))

void tally_add(struct tally *to, const struct tally *from)
{
	struct amount *a = (struct amount *)to;
	const struct amount *b = (const struct amount *)from;

	for (size_t i = 0; i < TALLY_AMOUNTS; i++)
		amount_add(&a[i], &b[i]);
}

/* Counts that fall (a row that a re-attached interface has not seen yet) are no change. */
static u64 less(u64 now, u64 then)
{
	return now > then ? now - then : 0;
}

static void tally_subtract(const struct tally *now, const struct tally *then, struct tally *ret)
{
	const struct amount *a = (const struct amount *)now, *b = (const struct amount *)then;
	struct amount *to = (struct amount *)ret;

	for (size_t i = 0; i < TALLY_AMOUNTS; i++) {
		to[i].packets = less(a[i].packets, b[i].packets);
		to[i].bytes = less(a[i].bytes, b[i].bytes);
	}
}

const struct tally *interface_total(const struct interface *i)
{
	return i->counters_seen ? &i->counted : &i->lines;
}

void interface_recent(const struct interface *i, struct tally *ret)
{
	if (i->counted_then_valid)
		tally_subtract(&i->counted, &i->counted_then, ret);
	else
		tally_subtract(&i->lines, &i->lines_then, ret);
}

void interface_mark(struct interface *i)
{
	i->lines_then = i->lines;
	i->counted_then = i->counted;
	i->counted_then_valid = i->counters_seen > 0;
}

u64 interface_unseen(const struct interface *i)
{
	const struct tally *t = interface_total(i);

	return less(t->direction[0].packets + t->direction[1].packets,
		    i->packet_lines_then + i->flow_packets_then + i->counters.unattributed);
}
