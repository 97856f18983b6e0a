/* SPDX-License-Identifier: MIT */
/* The rare lines, read with jansson: hello and counters. */
#include "aggregator/control.h"

#include <string.h>

#include "common/fields.h"
#include "common/protocol.h"

enum line_status control_hello(struct aggregate *a, const char *line, size_t length)
{
	struct line_text host;
	json_t *root;
	enum line_status status = fields_load(line, length, &root);

	if (status != LINE_OK)
		return status;
	host = field_text(root, "host");
	if (host.text)
		a->host = interfaces_host(&a->interfaces, host);
	json_decref(root);
	return host.text ? LINE_OK : LINE_WRONG_TYPE;
}

static bool get_amount(const json_t *object, struct amount *ret)
{
	return field_count(object, "packets", &ret->packets) && field_count(object, "bytes", &ret->bytes);
}

/* The row of the totals that a protocol's name stands for. */
static u32 row_of(const struct line_text *name)
{
	int is_ip;
	u16 protocol;

	if (!name->text || protocol_parse(name->text, name->length, &protocol, &is_ip))
		return TOTAL_OTHER;
	return total_row(is_ip ? 4 : 0, protocol);
}

struct scalars {
	struct amount direction[DIRECTIONS];
	struct counters counters;
};

static bool get_scalars(const json_t *root, struct scalars *s)
{
	const struct {
		const char *key;
		u64 *to;
	} rows[] = {
		{ "ingress_packets", &s->direction[DIRECTION_INGRESS].packets },
		{ "ingress_bytes", &s->direction[DIRECTION_INGRESS].bytes },
		{ "egress_packets", &s->direction[DIRECTION_EGRESS].packets },
		{ "egress_bytes", &s->direction[DIRECTION_EGRESS].bytes },
		{ "packet_lines", &s->counters.packet_lines },
		{ "folded", &s->counters.folded },
		{ "unattributed", &s->counters.unattributed },
		{ "unattributed_bytes", &s->counters.unattributed_bytes },
		{ "malformed", &s->counters.malformed },
		{ "ring_full", &s->counters.ring_full },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!field_count(root, rows[i].key, rows[i].to))
			return false;
	return true;
}

/* The interface was attached anew, and its counters began at 0: go on from the old sums. */
static void carry_over(struct interface *i)
{
	i->attached_before = i->counted;
	i->counters_before = i->counters;
}

static u64 packets_of(const struct amount *direction)
{
	return direction[0].packets + direction[1].packets;
}

static void set_scalars(struct aggregate *a, struct interface *i, const struct scalars *s, u64 time_ns)
{
	const struct counters *before = &i->counters_before;
	/* The counters tell of the time since the last ones; continued lines have the same. */
	bool in_history = i->counters_seen && time_ns != i->counters_ns && aggregate_see_time(a, time_ns);

	if (packets_of(s->direction) + packets_of(i->attached_before.direction) <
	    packets_of(i->counted.direction))
		carry_over(i);
	for (u8 d = 0; d < DIRECTIONS; d++) {
		struct amount now = s->direction[d], *was = &i->counted.direction[d];

		amount_add(&now, &i->attached_before.direction[d]);
		if (in_history && now.packets >= was->packets && now.bytes >= was->bytes)
			history_add_span(&a->history, i->counters_ns, time_ns, d,
					 now.packets - was->packets, now.bytes - was->bytes);
		*was = now;
	}
	i->counters_ns = time_ns;
	i->packet_lines_then = i->packet_lines;
	i->flow_packets_then = i->flow_packets;
	i->counters.packet_lines = before->packet_lines + s->counters.packet_lines;
	i->counters.folded = before->folded + s->counters.folded;
	i->counters.unattributed = before->unattributed + s->counters.unattributed;
	i->counters.unattributed_bytes = before->unattributed_bytes + s->counters.unattributed_bytes;
	i->counters.malformed = before->malformed + s->counters.malformed;
	i->counters.ring_full = before->ring_full + s->counters.ring_full;
}

/* "ingress" or "egress". */
static bool get_direction(const json_t *row, u8 *ret)
{
	struct line_text name = field_text(row, "direction");

	if (!name.text)
		return false;
	*ret = strcmp(name.text, "ingress") ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	return *ret == DIRECTION_INGRESS || !strcmp(name.text, "egress");
}

/* Sets the rows of an interface; with NULL, only says whether they are good. */
static bool set_protocols(struct interface *i, const json_t *rows)
{
	json_t *row;
	size_t n;

	json_array_foreach(rows, n, row) {
		struct line_text name = field_text(row, "proto");
		struct amount amount;
		u32 number;
		u8 d;

		if (!name.text || !get_direction(row, &d) || !get_amount(row, &amount))
			return false;
		number = row_of(&name);
		if (!i)
			continue;
		amount_add(&amount, &i->attached_before.row[d][number]);
		i->counted.row[d][number] = amount;
	}
	return json_is_array(rows);
}

/* As set_protocols(). */
static bool set_cpus(struct interface *i, const json_t *rows)
{
	json_t *row;
	size_t n;

	json_array_foreach(rows, n, row) {
		struct amount amount;
		u64 cpu;

		if (!field_count(row, "cpu", &cpu) || !get_amount(row, &amount))
			return false;
		if (!i || cpu >= CPUS_MAX)
			continue;
		amount_add(&amount, &i->attached_before.cpu[cpu]);
		i->counted.cpu[cpu] = amount;
	}
	return json_is_array(rows);
}

u16 control_host(struct aggregate *a, const json_t *root)
{
	struct line_text host = field_text(root, "host");

	if (host.text || !a->interfaces.n_hosts)
		return interfaces_host(&a->interfaces, host.text ? host : a->first_host);
	return a->host;
}

static struct interface *interface_of(struct aggregate *a, const json_t *root)
{
	struct line_text ifname = field_text(root, "ifname");
	int found;

	if (!ifname.text)
		return NULL;
	found = interfaces_look_up(&a->interfaces, control_host(a, root), ifname);
	return found < 0 ? NULL : a->interfaces.all[found];
}

/* Reads all before it sets anything, so that a bad line spoils nothing. */
static bool take_counters(struct aggregate *a, const json_t *root)
{
	const json_t *protocols = json_object_get(root, "protocols");
	const json_t *cpus = json_object_get(root, "cpus");
	struct interface *i;
	struct scalars s;
	u64 unseen, time_ns;

	if (!get_scalars(root, &s) || !field_time(root, &time_ns) || !set_protocols(NULL, protocols) ||
	    !set_cpus(NULL, cpus))
		return false;
	i = interface_of(a, root);
	if (!i)
		return false;
	set_scalars(a, i, &s, time_ns);
	set_protocols(i, protocols);
	set_cpus(i, cpus);
	i->counters_seen++;
	unseen = interface_unseen(i);
	if (unseen < i->unseen_least)
		i->unseen_least = unseen;
	return true;
}

enum line_status control_counters(struct aggregate *a, const char *line, size_t length)
{
	json_t *root;
	enum line_status status = fields_load(line, length, &root);
	bool good;

	if (status != LINE_OK)
		return status;
	good = take_counters(a, root);
	json_decref(root);
	return good ? LINE_OK : LINE_WRONG_TYPE;
}
