/* SPDX-License-Identifier: MIT */
/* The rows that one snapshot adds to the ledger. */
#include "httpd/ledger_rows.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "httpd/json_text.h"
#include "httpd/owners.h"

#define ROOM_MIN 64
#define RATE_TOLERANCE 1.1
#define COUNT_MAX 9007199254740992.0	/* 2^53: whole in a double */

/* ---- connections ----------------------------------------------------------- */

static uint64_t number(struct slice row, const char *key)
{
	double value = json_text_number(json_text_member(row, key));

	return value > 0 && value <= COUNT_MAX ? (uint64_t)value : 0;
}

static void take_destination(struct ledger_key *key, struct slice row)
{
	double port = json_text_number(json_text_member(row, "dst_port"));
	char text[INET6_ADDRSTRLEN];

	json_text_copy(json_text_member(row, "proto"), key->proto, sizeof(key->proto));
	if (port >= 0 && port <= UINT16_MAX) {
		key->port = (uint16_t)port;
		key->has_port = 1;
	}
	if (!json_text_copy(json_text_member(row, "dst_ip"), text, sizeof(text)))
		return;
	key->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(key->family, text, key->ip) != 1)
		key->family = 0;
}

static void take_pid(struct ledger_key *key, struct slice row)
{
	uint64_t pid = number(row, "pid");

	key->pid = pid <= INT32_MAX ? (uint32_t)pid : 0;
}

static void add(struct ledger_rows *rows, const struct ledger_row *row)
{
	size_t room = rows->room ? rows->room * 2 : ROOM_MIN;
	struct ledger_row *more;

	if (rows->count == rows->room) {
		more = reallocarray(rows->row, room, sizeof(*more));
		if (!more) {
			if (row->key.kind == LEDGER_CONNECT)
				rows->left_out += row->count + row->other;
			return;
		}
		rows->row = more;
		rows->room = room;
	}
	rows->row[rows->count++] = *row;
}

static void take_connect(void *closure, struct slice text)
{
	struct ledger_row row = { .key.kind = LEDGER_CONNECT };

	row.count = number(text, "opened");
	row.other = number(text, "failed");
	if (!row.count && !row.other)
		return;
	take_pid(&row.key, text);
	take_destination(&row.key, text);
	json_text_copy(json_text_member(text, "command"), row.key.name, sizeof(row.key.name));
	row.key.ingress = json_text_is(json_text_member(text, "direction"), "ingress");
	add(closure, &row);
}

/* ---- counters of drops ----------------------------------------------------- */

static struct ledger_total *find_total(struct ledger *ledger, uint64_t wanted)
{
	for (size_t i = 0; i < ledger->totals; i++)
		if (ledger->total[i].hash == wanted)
			return &ledger->total[i];
	return NULL;
}

static struct ledger_total *new_total(struct ledger *ledger, uint64_t wanted)
{
	struct ledger_total *total = &ledger->total[ledger->totals];

	if (ledger->totals == LIMIT_LEDGER_REASONS) {
		bounds_hit(ledger->bounds, BOUND_LEDGER_REASONS);
		return NULL;
	}
	ledger->totals++;
	*total = (struct ledger_total){ .hash = wanted };
	return total;
}

/* How much more a counter says than before; one that says less has started anew. */
static uint64_t advance(uint64_t *value, uint64_t now)
{
	uint64_t before = now < *value ? 0 : *value;

	*value = now;
	return now - before;
}

/* What reading drops needs. */
struct drops {
	struct ledger *ledger;
	struct ledger_rows *rows;
	double seconds;		/* of the interval */
};

/*
 * What a counter that was not seen before has counted in this interval. Its value began
 * long ago, when the probe was attached, or now; the rate says which. It is a whole
 * number, and the interval a little longer or shorter than it should be.
 */
static uint64_t first_advance(const struct drops *drops, struct slice text, uint64_t packets)
{
	double recent = (double)number(text, "pps") * drops->seconds;

	if ((double)packets <= recent * RATE_TOLERANCE + drops->seconds / 2 + 1)
		return packets;
	return (uint64_t)(recent + 0.5);
}

static void count_total(const struct drops *drops, struct slice text, uint64_t wanted,
			struct ledger_row *row)
{
	uint64_t packets = number(text, "packets"), bytes = number(text, "bytes");
	struct ledger_total *total = find_total(drops->ledger, wanted);

	if (total) {
		row->count = advance(&total->packets, packets);
		row->other = advance(&total->bytes, bytes);
	} else if ((total = new_total(drops->ledger, wanted))) {
		total->packets = packets;
		total->bytes = bytes;
		row->count = first_advance(drops, text, packets);
		row->other = packets ? (uint64_t)((double)bytes / (double)packets * (double)row->count) : 0;
	}
	if (row->count)
		add(drops->rows, row);
}

static void take_drop(void *closure, struct slice text)
{
	struct ledger_row row = { .key.kind = LEDGER_DROP };
	struct slice proto = json_text_member(text, "proto"), reason = json_text_member(text, "reason");
	uint64_t wanted;

	json_text_copy(proto, row.key.proto, sizeof(row.key.proto));
	json_text_copy(reason, row.key.name, sizeof(row.key.name));
	wanted = slice_hash(SLICE_HASH, json_text_member(text, "host"));
	count_total(closure, text, slice_hash(slice_hash(wanted, reason), proto), &row);
}

static void read_drops(struct ledger *ledger, const struct shot *shot, struct ledger_rows *rows)
{
	struct drops drops = { ledger, rows, (double)shot->interval_ms / 1000 };
	struct slice unspecified = shot_part(shot, "drops_unspecified");
	struct ledger_row row = { .key.kind = LEDGER_UNSPECIFIED };

	shot_each(shot, "drops", take_drop, &drops);
	if (unspecified.data[0] == '{')
		count_total(&drops, unspecified, SLICE_HASH, &row);
}

/* ---- flows that drops hit, and whose they are ------------------------------ */

struct drop_flows {
	struct owners owners;
	struct ledger_rows *rows;
};

static void take_drop_flow(void *closure, struct slice text)
{
	struct ledger_row row = { .key.kind = LEDGER_DROP_FLOW };
	struct drop_flows *flows = closure;
	const struct owner *owner;

	row.count = number(text, "recent");
	if (!row.count)
		return;
	take_destination(&row.key, text);
	owner = owners_find(&flows->owners, text);
	if (owner) {
		row.key.pid = owner->pid;
		strcpy(row.key.name, owner->command);
	}
	add(flows->rows, &row);
}

static void read_drop_flows(const struct shot *shot, struct ledger_rows *rows)
{
	struct drop_flows flows = { .rows = rows };

	/* Most snapshots have none: their flows need not be looked at. */
	if (slice_equals(shot_part(shot, "drop_flows"), "[]"))
		return;
	owners_make(shot, &flows.owners);
	shot_each(shot, "drop_flows", take_drop_flow, &flows);
	owners_free(&flows.owners);
}

void ledger_rows_read(struct ledger *ledger, const struct shot *shot, struct ledger_rows *rows)
{
	double left_out = json_text_number(shot_part(shot, "connects_left_out"));

	if (left_out > 0 && left_out <= COUNT_MAX)
		rows->left_out += (uint64_t)left_out;
	shot_each(shot, "connects", take_connect, rows);
	read_drops(ledger, shot, rows);
	read_drop_flows(shot, rows);
}
