/* SPDX-License-Identifier: MIT */
/* What the snapshot before said, to tell what was added since. */
#include "httpd/history_last.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/latency_buckets.h"
#include "httpd/json_text.h"

#define GAP_INTERVALS 3.5	/* longer without a snapshot is a gap, as the page has it */
#define COUNT_MAX 9007199254740992.0	/* 2^53: whole in a double */
#define ROWS_MAX 1024		/* of a kind and snapshot, the largest; further ones are others */
#define ROOM_MIN 64
#define MEMBERS_MAX 16
#define NAMES 3

/* ---- numbers of a snapshot ------------------------------------------------- */

static bool take_number(struct slice text, uint64_t *ret_number)
{
	double value = json_text_number(text);

	if (!(value >= 0 && value <= COUNT_MAX))
		return false;
	*ret_number = (uint64_t)value;
	return true;
}

/* Where the sums are, and what they are called in "interval". */
static const struct {
	const char *part, *name, *interval;
	enum history_known known;
} scalars[HISTORY_SCALARS] = {
	[HISTORY_INGRESS_BYTES] = { "totals", "ingress_bytes", "ingress_bytes", HISTORY_KNOWS_RATES },
	[HISTORY_EGRESS_BYTES] = { "totals", "egress_bytes", "egress_bytes", HISTORY_KNOWS_RATES },
	[HISTORY_INGRESS_PACKETS] = { "totals", "ingress_packets", "ingress_packets",
				      HISTORY_KNOWS_RATES },
	[HISTORY_EGRESS_PACKETS] = { "totals", "egress_packets", "egress_packets",
				     HISTORY_KNOWS_RATES },
	[HISTORY_CONNECTS] = { "connection_table", "connects", "connects",
			       HISTORY_KNOWS_CONNECTIONS },
	[HISTORY_ACCEPTS] = { "connection_table", "accepts", "accepts", HISTORY_KNOWS_CONNECTIONS },
	[HISTORY_CLOSED] = { "connection_table", "closed", "closed", HISTORY_KNOWS_CONNECTIONS },
	[HISTORY_FAILED] = { "connection_table", "failed", "failed", HISTORY_KNOWS_CONNECTIONS },
};

/* ---- rows of a snapshot ---------------------------------------------------- */

/* A list of the snapshot, and what becomes of its rows. */
struct kind {
	const char *list;
	const char *probe;	/* nothing is known without it; NULL = packets, always */
	const char *key[NAMES + 1];	/* members that history tells rows apart by */
	const char *more[NAMES];	/* members that the snapshot does, beside those */
	const char *value[HISTORY_VALUES], *interval[HISTORY_VALUES];
	const char *all[HISTORY_VALUES];	/* of the list, in "interval" */
	bool is_whole;		/* the list has every row, whatever its size */
};

static const struct kind kinds[HISTORY_KINDS] = {
	[HISTORY_PROTOCOL] = { "protocols", NULL, { "proto" }, { NULL }, { "bytes", "packets" },
			       { "interval_bytes", "interval_packets" }, { NULL }, true },
	[HISTORY_DROP] = { "drops", "drop", { "reason" }, { "host", "proto" }, { "packets" },
			   { "interval_packets" }, { "drops" }, false },
	[HISTORY_PROCESS] = { "processes", "process", { "host", "pid", "command" }, { NULL },
			      { "tx_bytes", "rx_bytes", "tx_calls", "rx_calls" },
			      { "interval_tx_bytes", "interval_rx_bytes", "interval_tx_calls",
				"interval_rx_calls" },
			      { "process_tx_bytes", "process_rx_bytes", "process_tx_calls",
				"process_rx_calls" }, false },
	[HISTORY_REMOTE] = { "remotes", "process", { "host", "remote_ip" }, { NULL },
			     { "tx_bytes", "rx_bytes" },
			     { "interval_tx_bytes", "interval_rx_bytes" },
			     { "remote_tx_bytes", "remote_rx_bytes" }, false },
};

/* Reading one snapshot. */
struct reading {
	struct history_last *last;
	const struct shot *shot;
	struct history_keys *keys;
	struct slice interval;	/* the member; no object if the snapshot has none */
	bool is_exact;		/* it has */
	bool follows;		/* last is the one before it */
	struct history_slot *delta;
	struct history_before *row;	/* that the next one is compared with */
	size_t rows, room;
	enum history_kind kind;
	uint32_t list_room;	/* of the delta's list of this kind */
};

/* A row's members that matter, found in one walk. */
struct members {
	const char *name[MEMBERS_MAX];
	struct slice value[MEMBERS_MAX];
	unsigned int count, found;
};

static void want(struct members *members, const char *const *names, unsigned int most)
{
	for (unsigned int i = 0; i < most && names[i]; i++) {
		members->name[members->count] = names[i];
		members->value[members->count++] = (struct slice){ "null", 4 };
	}
}

static void find_members(struct members *members, struct slice text)
{
	struct slice key, value;
	struct json_walk walk;

	json_walk_enter(&walk, text);
	while (members->found < members->count && json_walk_member(&walk, &key, &value))
		for (unsigned int i = 0; i < members->count; i++)
			if (slice_equals(key, members->name[i])) {
				members->value[i] = value;
				members->found++;
				break;
			}
}

/* "host":"web1","pid":7; false if it is too long. */
static bool write_key(const struct members *members, unsigned int names, char text[HISTORY_KEY_MAX],
		      size_t *ret_length)
{
	size_t used = 0;

	for (unsigned int i = 0; i < names; i++) {
		size_t name = strlen(members->name[i]), value = members->value[i].length;

		if (used + name + value + 4 > HISTORY_KEY_MAX)
			return false;
		if (i)
			text[used++] = ',';
		text[used++] = '"';
		memcpy(text + used, members->name[i], name);
		used += name;
		memcpy(text + used, "\":", 2);
		used += 2;
		memcpy(text + used, members->value[i].data, value);
		used += value;
	}
	*ret_length = used;
	return true;
}

static bool is_nothing(const uint64_t value[HISTORY_VALUES])
{
	return !(value[0] | value[1] | value[2] | value[3]);
}

static void become_other(struct history_list *list, const uint64_t value[HISTORY_VALUES])
{
	for (int i = 0; i < HISTORY_VALUES; i++)
		list->other[i] += value[i];
}

static void add_row(struct reading *reading, struct slice key, const uint64_t value[HISTORY_VALUES])
{
	struct history_list *list = &reading->delta->list[reading->kind];
	uint32_t room = reading->list_room ? reading->list_room * 2 : ROOM_MIN, id;
	struct history_row *more;

	if (is_nothing(value))
		return;
	if (list->count == reading->list_room && room <= ROWS_MAX) {
		more = reallocarray(list->row, room, sizeof(*more));
		if (more) {
			list->row = more;
			reading->list_room = room;
		}
	}
	id = key.length && list->count < reading->list_room ?
	     history_keys_take(reading->keys, reading->kind, key) : HISTORY_NO_KEY;
	if (id == HISTORY_NO_KEY) {
		become_other(list, value);
		return;
	}
	list->row[list->count].key = id;
	memcpy(list->row[list->count++].value, value, sizeof(list->row->value));
}

/* ---- differences, for snapshots that do not say what their interval added --- */

static int by_hash(const void *left, const void *right)
{
	const struct history_before *a = left, *b = right;

	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

static const struct history_before *find_before(const struct history_last *last, uint64_t hash)
{
	struct history_before wanted = { .hash = hash };

	return last->rows ? bsearch(&wanted, last->row, last->rows, sizeof(*last->row), by_hash) : NULL;
}

/* Without memory the next snapshot does not know of this row. */
static void remember(struct reading *reading, uint64_t hash, const uint64_t value[HISTORY_VALUES])
{
	size_t room = reading->room ? reading->room * 2 : ROOM_MIN;
	struct history_before *more;

	if (reading->rows == reading->room) {
		more = reallocarray(reading->row, room, sizeof(*more));
		if (!more)
			return;
		reading->row = more;
		reading->room = room;
	}
	reading->row[reading->rows].hash = hash;
	memcpy(reading->row[reading->rows++].value, value, sizeof(reading->row->value));
}

/* A row that says less has begun anew; one that was not there before is news if all were. */
static void subtract(const struct reading *reading, uint64_t hash, uint64_t value[HISTORY_VALUES])
{
	const struct history_before *before = find_before(reading->last, hash);

	if (!reading->follows || (!before && !kinds[reading->kind].is_whole)) {
		memset(value, 0, HISTORY_VALUES * sizeof(*value));
		return;
	}
	if (!before)
		return;
	for (int i = 0; i < HISTORY_VALUES; i++)
		if (value[i] < before->value[i])
			return;
	for (int i = 0; i < HISTORY_VALUES; i++)
		value[i] -= before->value[i];
}

static uint64_t hash_names(const struct reading *reading, const struct members *members,
			   unsigned int names)
{
	uint64_t hash = SLICE_HASH + reading->kind;

	for (unsigned int i = 0; i < names; i++)
		hash = slice_hash(hash, members->value[i]);
	return hash;
}

/* ---- one snapshot ---------------------------------------------------------- */

static unsigned int count_names(const char *const *names, unsigned int most)
{
	unsigned int count = 0;

	while (count < most && names[count])
		count++;
	return count;
}

static void take_row(void *closure, struct slice text)
{
	struct reading *reading = closure;
	const struct kind *kind = &kinds[reading->kind];
	unsigned int names = count_names(kind->key, NAMES);
	unsigned int more = count_names(kind->more, NAMES);
	struct members members = { .count = 0 };
	uint64_t value[HISTORY_VALUES] = { 0 };
	char key[HISTORY_KEY_MAX];
	size_t length = 0;

	want(&members, kind->key, NAMES);
	want(&members, kind->more, NAMES);
	want(&members, reading->is_exact ? kind->interval : kind->value, HISTORY_VALUES);
	find_members(&members, text);
	for (unsigned int i = names + more; i < members.count; i++)
		take_number(members.value[i], &value[i - names - more]);
	if (!reading->is_exact) {
		uint64_t hash = hash_names(reading, &members, names + more);

		remember(reading, hash, value);
		subtract(reading, hash, value);
	}
	if (!write_key(&members, names, key, &length))
		bounds_hit(reading->keys->bounds, BOUND_HISTORY_KEY_BYTES);
	add_row(reading, (struct slice){ key, length }, value);
}

static void find_probe(void *closure, struct slice row)
{
	struct members *wanted = closure;

	if (json_text_is(json_text_member(row, "probe"), wanted->name[0]))
		wanted->found++;
}

static bool has_probe(const struct shot *shot, const char *probe)
{
	struct members wanted = { .name[0] = probe };

	shot_each(shot, "probes", find_probe, &wanted);
	return wanted.found;
}

/* What of the sum of the list is in none of its rows. */
static void take_rest(struct reading *reading)
{
	const struct kind *kind = &kinds[reading->kind];
	struct history_list *list = &reading->delta->list[reading->kind];

	for (int i = 0; i < HISTORY_VALUES && kind->all[i]; i++) {
		uint64_t all = 0, rows = list->other[i];

		take_number(json_text_member(reading->interval, kind->all[i]), &all);
		for (uint32_t j = 0; j < list->count; j++)
			rows += list->row[j].value[i];
		if (all > rows)
			list->other[i] += all - rows;
	}
}

/* Drops without a reason are one of the reasons. */
static void take_unspecified(struct reading *reading)
{
	static const char text[] = "{\"reason\":\"NOT_SPECIFIED\",\"packets\":%" PRIu64
				   ",\"interval_packets\":%" PRIu64 "}";
	uint64_t packets, recent = 0;
	char row[128];
	int length;

	if (!take_number(json_text_member(shot_part(reading->shot, "drops_unspecified"), "packets"),
			 &packets))
		return;
	if (reading->is_exact)
		take_number(json_text_member(reading->interval, "drops_unspecified"), &recent);
	length = snprintf(row, sizeof(row), text, packets, recent);
	take_row(reading, (struct slice){ row, (size_t)length });
}

static void take_kind(struct reading *reading, enum history_kind kind)
{
	struct slice list = shot_part(reading->shot, kinds[kind].list);
	const char *probe = kinds[kind].probe;

	reading->kind = kind;
	reading->list_room = 0;
	shot_each(reading->shot, kinds[kind].list, take_row, reading);
	if (reading->is_exact)
		take_rest(reading);
	if (kind == HISTORY_DROP)
		take_unspecified(reading);
	history_list_tidy(&reading->delta->list[kind], reading->keys);
	/* An empty list says that nothing was, or that nobody looked. */
	if (list.data[0] == '[' &&
	    (!probe || !slice_equals(list, "[]") || has_probe(reading->shot, probe)))
		reading->delta->known |= 1U << kind;
}

static void take_bucket(struct history_slot *delta, uint32_t *counts, struct slice bucket)
{
	uint64_t upper, samples;
	struct slice first, second;
	struct json_walk walk;
	uint32_t at;

	if (!json_walk_enter(&walk, bucket) || !json_walk_element(&walk, &first) ||
	    !json_walk_element(&walk, &second) || !take_number(first, &upper) ||
	    !take_number(second, &samples) || !samples)
		return;
	at = latency_bucket(upper < UINT32_MAX ? (uint32_t)upper : UINT32_MAX);
	delta->buckets += !counts[at];
	samples += counts[at];
	counts[at] = samples < UINT32_MAX ? (uint32_t)samples : UINT32_MAX;
}

struct histogram {
	struct history_slot *delta;
	uint32_t counts[LATENCY_BUCKETS];
	bool seen;
};

/* Of all hosts together; those of networks have no buckets. */
static void take_latency(void *closure, struct slice row)
{
	struct slice buckets = json_text_member(row, "buckets"), bucket;
	struct histogram *histogram = closure;
	struct json_walk walk;

	if (!json_text_is(json_text_member(row, "name"), "tcp_rtt") ||
	    !slice_equals(json_text_member(row, "network"), "null") || buckets.data[0] != '[')
		return;
	histogram->seen = true;
	json_walk_enter(&walk, buckets);
	while (json_walk_element(&walk, &bucket))
		take_bucket(histogram->delta, histogram->counts, bucket);
}

static void take_histogram(struct reading *reading)
{
	struct history_slot *delta = reading->delta;
	struct histogram histogram = { .delta = delta };
	uint32_t used = 0;

	shot_each(reading->shot, "latency", take_latency, &histogram);
	if (histogram.seen || has_probe(reading->shot, "latency"))
		delta->known |= HISTORY_KNOWS_LATENCY;
	delta->bucket = delta->buckets ? calloc(delta->buckets, sizeof(*delta->bucket)) : NULL;
	if (!delta->bucket)
		delta->buckets = 0;
	for (uint32_t i = 0; i < LATENCY_BUCKETS && used < delta->buckets; i++)
		if (histogram.counts[i])
			delta->bucket[used++] = (struct history_bucket){ i, histogram.counts[i] };
}

/* ---- sums ------------------------------------------------------------------ */

/* What the snapshot has of the sums; those of a group are all there, or none. */
static uint32_t read_scalars(const struct shot *shot, uint64_t value[HISTORY_SCALARS])
{
	uint32_t known = 0, missing = 0;

	for (int i = 0; i < HISTORY_SCALARS; i++) {
		struct slice part = shot_part(shot, scalars[i].part);

		value[i] = 0;
		if (part.data[0] == '{' && take_number(json_text_member(part, scalars[i].name), &value[i]))
			known |= scalars[i].known;
		else
			missing |= scalars[i].known;
	}
	return known & ~missing;
}

/* Both are of one aggregator, one after the other, without a gap. */
static bool is_next(const struct history_last *last, const struct shot *shot,
		    const uint64_t value[HISTORY_SCALARS])
{
	int64_t passed_ms = shot->timestamp_ms - last->timestamp_ms;

	if (!last->seen || (shot->seq != last->seq + 1 && (shot->seq || last->seq)))
		return false;
	for (int i = 0; i < HISTORY_SCALARS; i++)
		if (value[i] < last->scalar[i])
			return false;
	return passed_ms > 0 && (double)passed_ms <= GAP_INTERVALS * (double)shot->interval_ms;
}

static void take_scalars(struct reading *reading, const uint64_t value[HISTORY_SCALARS],
			 uint32_t known)
{
	struct history_slot *delta = reading->delta;

	delta->known |= reading->is_exact ? known : known & reading->last->known;
	for (int i = 0; i < HISTORY_SCALARS; i++) {
		if (!(delta->known & scalars[i].known))
			continue;
		if (reading->is_exact)
			take_number(json_text_member(reading->interval, scalars[i].interval),
				    &delta->scalar[i]);
		else if (reading->follows)
			delta->scalar[i] = value[i] - reading->last->scalar[i];
	}
}

static void keep(struct reading *reading, const uint64_t value[HISTORY_SCALARS], uint32_t known)
{
	struct history_last *last = reading->last;

	free(last->row);
	if (reading->rows)
		qsort(reading->row, reading->rows, sizeof(*reading->row), by_hash);
	*last = (struct history_last){ .seen = true, .timestamp_ms = reading->shot->timestamp_ms,
				       .seq = reading->shot->seq,
				       .interval_ms = reading->shot->interval_ms, .known = known,
				       .row = reading->row, .rows = reading->rows };
	memcpy(last->scalar, value, sizeof(last->scalar));
}

/* The interval that ends a stream is said to be a whole one; it cannot reach before the last. */
static uint64_t span_ms(const struct reading *reading)
{
	int64_t passed_ms = reading->shot->timestamp_ms - reading->last->timestamp_ms;
	uint64_t interval_ms = reading->shot->interval_ms;

	if (reading->last->seen && passed_ms > 0 && (uint64_t)passed_ms < interval_ms)
		return (uint64_t)passed_ms;
	return interval_ms;
}

/* An aggregator that stood still counted its interval, but not when what was. */
static bool is_gap(const struct reading *reading)
{
	const struct history_last *last = reading->last;

	return last->seen && reading->shot->seq == last->seq + 1 &&
	       (double)reading->shot->interval_ms > GAP_INTERVALS * (double)last->interval_ms;
}

bool history_last_delta(struct history_last *last, const struct shot *shot,
			struct history_keys *keys, struct history_slot *ret_delta,
			int64_t *ret_middle_ms)
{
	struct slice interval = shot_part(shot, "interval");
	struct reading reading = { .last = last, .shot = shot, .keys = keys, .interval = interval,
				   .is_exact = interval.data[0] == '{', .delta = ret_delta };
	uint64_t value[HISTORY_SCALARS];
	uint32_t known = read_scalars(shot, value);
	bool is_known;

	reading.follows = is_next(last, shot, value);
	is_known = (reading.is_exact || reading.follows) && !is_gap(&reading);
	ret_delta->deltas = 1;
	ret_delta->covered_ms = span_ms(&reading);
	*ret_middle_ms = shot->timestamp_ms - (int64_t)ret_delta->covered_ms / 2;
	for (int kind = 0; kind < HISTORY_KINDS; kind++)
		take_kind(&reading, kind);
	take_histogram(&reading);
	take_scalars(&reading, value, known);
	keep(&reading, value, known);
	return is_known;
}

void history_last_free(struct history_last *last)
{
	free(last->row);
	*last = (struct history_last){ .seen = false };
}
