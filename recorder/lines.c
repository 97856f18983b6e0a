/* SPDX-License-Identifier: MIT */
/* What a line adds to the batch. */
#include "recorder/lines.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/fields.h"
#include "common/line_input.h"
#include "common/line_write.h"
#include "common/names.h"
#include "common/protocol.h"

#define NS_PER_S 1000000000ull
#define UNKNOWN_HOST "unknown"
#define AHEAD_SECONDS 300	/* clocks of other hosts differ */

void lines_init(struct lines *lines, struct writer *writer)
{
	*lines = (struct lines){ .writer = writer, .now = INT64_MAX / 2 };
	line_reader_init(&lines->reader);
	input_first_host(STDIN_FILENO, lines->host, sizeof(lines->host));
	if (!*lines->host)
		strcpy(lines->host, UNKNOWN_HOST);
}

void lines_free(struct lines *lines)
{
	line_reader_free(&lines->reader);
}

/* ---- names, slots, sums ---------------------------------------------------- */

static u32 name_of(struct lines *l, enum store_name kind, u32 host, u32 uid, struct line_text text)
{
	return names_get(&l->writer->names, kind, host, uid, text);
}

static u32 plain_name(struct lines *l, enum store_name kind, const char *text)
{
	return name_of(l, kind, NAME_NONE, 0, (struct line_text){ text, strlen(text) });
}

/* The host that a line names itself, else the last hello's. */
static u32 host_of(struct lines *l, struct line_text own)
{
	return own.text ? name_of(l, NAME_HOST, NAME_NONE, 0, own) : plain_name(l, NAME_HOST, l->host);
}

static u32 host_of_object(struct lines *l, const json_t *object)
{
	return host_of(l, field_text(object, "host"));
}

/* Makes the slot of a time current. What has a clock that is ahead is of now: nothing is lost. */
static void enter(struct lines *l, u64 unix_ns)
{
	int64_t seconds = (int64_t)(unix_ns / NS_PER_S);

	if (seconds > l->now + AHEAD_SECONDS) {
		l->counts.wrong_time++;
		seconds = l->now;
	}
	l->slot = seconds - seconds % STORE_RAW_SECONDS;
	batch_watch(&l->writer->batch, l->slot);
}

/* The sums of a fact in the current slot; NULL: there is no room, which is counted. */
static u64 *sums_of(struct lines *l, enum store_fact fact, u32 one, u32 two, int64_t three)
{
	struct batch_key key = { .slot = l->slot, .fact = fact, .key = { one, two, three } };

	if (one == NAME_NONE || two == NAME_NONE || three == NAME_NONE) {
		l->writer->batch.lost_rows++;
		return NULL;
	}
	return batch_values(&l->writer->batch, &key);
}

static u32 remote_name(struct lines *l, u8 ip_version, const u8 *ip, bool is_known)
{
	char text[64] = "", *end = text;

	if (is_known && ip_version)
		end = line_put_address(text, ip_version, ip);
	return name_of(l, NAME_REMOTE, NAME_NONE, 0, (struct line_text){ text, (size_t)(end - text) });
}

static u32 process_name(struct lines *l, u32 host, const u8 *command, u32 uid)
{
	const char *text = (const char *)command;

	return name_of(l, NAME_PROCESS, host, uid, (struct line_text){ text, strnlen(text, 16) });
}

/* ---- records --------------------------------------------------------------- */

static enum line_status take_process(struct lines *l, const char *line, size_t length)
{
	struct process_record r;
	enum line_status status = process_line_read(&l->reader, line, length, &r);
	char protocol[PROTOCOL_NAME_MAX] = PROCESS_PACKET_NAME;
	u64 *sums;
	u32 host;

	if (status != LINE_OK)
		return status;
	enter(l, r.time_ns);
	host = host_of(l, l->reader.host);
	if (r.key.ip_version)
		protocol_name(r.key.ip_version, r.key.protocol, protocol);
	sums = sums_of(l, FACT_TRAFFIC, process_name(l, host, r.key.command, r.key.uid),
		       remote_name(l, r.key.ip_version, r.key.remote_ip, r.key.flags & PROCESS_REMOTE),
		       plain_name(l, NAME_PROTOCOL, protocol));
	if (sums) {
		sums[0] += r.value.tx_bytes;
		sums[1] += r.value.rx_bytes;
		sums[2] += r.value.tx_calls;
		sums[3] += r.value.rx_calls;
	}
	return LINE_OK;
}

/* Begun or accepted, and failed ones: those with the owner that is known. */
static enum line_status take_connection(struct lines *l, const char *line, size_t length)
{
	struct connection_record r;
	enum line_status status = connection_line_read(&l->reader, line, length, &r);
	char protocol[PROTOCOL_NAME_MAX];
	bool is_begun, is_out;
	u64 *sums;

	if (status != LINE_OK)
		return status;
	is_begun = r.event == CONNECTION_CONNECT || r.event == CONNECTION_ACCEPT;
	if (r.existing || !(is_begun || r.event == CONNECTION_FAILED))
		return LINE_OK;
	enter(l, r.time_ns);
	is_out = r.key.direction == DIRECTION_EGRESS;
	protocol_name(r.key.ip_version, r.key.protocol, protocol);
	sums = sums_of(l, FACT_TRAFFIC,
		       process_name(l, host_of(l, l->reader.host), r.owner.command, r.owner.uid),
		       remote_name(l, r.key.ip_version, is_out ? r.key.dst_ip : r.key.src_ip, true),
		       plain_name(l, NAME_PROTOCOL, protocol));
	if (sums)
		sums[is_begun ? 4 : 5]++;
	return LINE_OK;
}

/* ---- cumulative counts ----------------------------------------------------- */

/*
 * Rows appear as something comes for the first time: once all that there were have been told,
 * one that is not known began at 0 since.
 */
static void told_all(struct lines *l, const struct batch_key *all, const json_t *root)
{
	u64 none[2];

	if (!json_is_true(json_object_get(root, "more")))
		writer_advance(l->writer, all, false, 0, 0, &none[0], &none[1]);
}

/* A line is judged before anything of it is taken: it counts as a whole, or not at all. */
static bool have_counts(const json_t *rows)
{
	u64 ignored;
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (!field_count(row, "packets", &ignored) || !field_count(row, "bytes", &ignored))
			return false;
	return json_is_array(rows);
}

static bool are_pairs(const json_t *buckets)
{
	u64 ignored;
	json_t *pair;
	size_t i;

	json_array_foreach(buckets, i, pair)
		if (!count_of(json_array_get(pair, 0), &ignored) ||
		    !count_of(json_array_get(pair, 1), &ignored))
			return false;
	return json_is_array(buckets);
}

/* Adds what a cumulative count grew by to two sums, at first. */
static void add_advance(struct lines *l, const struct batch_key *baseline, bool is_new, const json_t *packets,
			const json_t *bytes, u64 *sums, size_t first)
{
	u64 now_packets, now_bytes, more_packets, more_bytes;

	if (!count_of(packets, &now_packets) || !count_of(bytes, &now_bytes))
		return;
	if (!writer_advance(l->writer, baseline, is_new, now_packets, now_bytes, &more_packets,
			    &more_bytes) || !sums)
		return;
	sums[first] += more_packets;
	sums[first + 1] += more_bytes;
}

static const char *const direction_keys[DIRECTIONS][2] = { { "ingress_packets", "ingress_bytes" },
							    { "egress_packets", "egress_bytes" } };

/* What is there of them is a count. */
static bool have_directions(const json_t *root)
{
	u64 ignored;

	for (int d = 0; d < DIRECTIONS; d++)
		for (int i = 0; i < 2; i++) {
			const json_t *value = json_object_get(root, direction_keys[d][i]);

			if (value && !count_of(value, &ignored))
				return false;
		}
	return true;
}

static void take_directions(struct lines *l, const json_t *root, u32 interface)
{
	u64 *sums = sums_of(l, FACT_INTERFACE, interface, 0, 0);

	for (int d = 0; d < DIRECTIONS; d++) {
		struct batch_key baseline = { .fact = BASELINE_INTERFACE, .key = { interface, d, 0 } };

		add_advance(l, &baseline, false, json_object_get(root, direction_keys[d][0]),
			    json_object_get(root, direction_keys[d][1]), sums, 2 * (size_t)d);
	}
}

static void take_protocols(struct lines *l, const json_t *root, u32 host, u32 interface)
{
	const struct batch_key all = { .fact = BASELINE_PROTOCOLS, .key = { interface } };
	bool is_new = writer_knows(l->writer, &all);
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(root, "protocols"), i, row) {
		struct line_text name = field_text(row, "proto"), way = field_text(row, "direction");
		struct batch_key baseline = { .fact = BASELINE_PROTOCOL };
		bool out;
		u32 protocol;

		if (!name.text || !way.text)
			continue;
		out = !strcmp(way.text, "egress");
		protocol = name_of(l, NAME_PROTOCOL, NAME_NONE, 0, name);
		if (protocol == NAME_NONE)
			continue;
		baseline.key[0] = interface;
		baseline.key[1] = protocol;
		baseline.key[2] = out;
		add_advance(l, &baseline, is_new, json_object_get(row, "packets"),
			    json_object_get(row, "bytes"), sums_of(l, FACT_PROTOCOL, host, protocol, 0),
			    out ? 2 : 0);
	}
	told_all(l, &all, root);
}

static bool take_counters(struct lines *l, const json_t *root)
{
	struct line_text ifname = field_text(root, "ifname");
	u32 host, interface;

	if (!ifname.text || !have_directions(root) || !have_counts(json_object_get(root, "protocols")))
		return false;
	host = host_of_object(l, root);
	interface = name_of(l, NAME_INTERFACE, host, 0, ifname);
	if (interface == NAME_NONE || host == NAME_NONE)
		return true;
	take_directions(l, root, interface);
	take_protocols(l, root, host, interface);
	return true;
}

static bool take_drop_counters(struct lines *l, const json_t *root)
{
	const json_t *rows = json_object_get(root, "drops");
	u32 host = host_of_object(l, root);
	const struct batch_key all = { .fact = BASELINE_DROPS, .key = { host } };
	bool is_new;
	json_t *row;
	size_t i;

	if (!have_counts(rows))
		return false;
	if (host == NAME_NONE)
		return true;
	is_new = writer_knows(l->writer, &all);
	json_array_foreach(rows, i, row) {
		struct line_text reason = field_text(row, "reason"), name = field_text(row, "proto");
		struct batch_key baseline = { .fact = BASELINE_DROP };
		u32 number, protocol;

		if (!reason.text)
			continue;
		number = name_of(l, NAME_REASON, NAME_NONE, 0, reason);
		protocol = name.text ? name_of(l, NAME_PROTOCOL, NAME_NONE, 0, name)
				     : plain_name(l, NAME_PROTOCOL, "");
		if (number == NAME_NONE || protocol == NAME_NONE)
			continue;
		baseline.key[0] = host;
		baseline.key[1] = number;
		baseline.key[2] = protocol;
		add_advance(l, &baseline, is_new, json_object_get(row, "packets"),
			    json_object_get(row, "bytes"), sums_of(l, FACT_DROP, host, number, protocol), 0);
	}
	told_all(l, &all, root);
	return true;
}

/* ---- deltas ---------------------------------------------------------------- */

/* Of whole hosts: networks are what outsiders choose. */
static bool take_latency(struct lines *l, const json_t *root)
{
	struct line_text name = field_text(root, "name"), unit = field_text(root, "unit");
	const json_t *buckets = json_object_get(root, "buckets");
	char both[2 * LINE_TEXT_MAX + 2];
	json_t *pair;
	u32 series;
	int length;
	size_t i;

	if (!name.text || !unit.text || !are_pairs(buckets))
		return false;
	if (!json_is_null(json_object_get(root, "network")))
		return true;
	length = snprintf(both, sizeof(both), "%.*s%c%.*s", (int)name.length, name.text, '\0',
			  (int)unit.length, unit.text);
	series = name_of(l, NAME_SERIES, host_of_object(l, root), 0,
			 (struct line_text){ both, (size_t)length });
	json_array_foreach(buckets, i, pair) {
		u64 upper, count, *sums;

		if (series == NAME_NONE || !count_of(json_array_get(pair, 0), &upper) ||
		    !count_of(json_array_get(pair, 1), &count))
			continue;
		sums = batch_values(&l->writer->batch,
				    &(struct batch_key){ .slot = l->slot, .fact = FACT_LATENCY,
							 .key = { series, (int64_t)upper, 0 } });
		if (sums)
			sums[0] += count;
	}
	return true;
}

static bool take_port(struct lines *l, const json_t *root)
{
	struct line_text proto = field_text(root, "proto");
	const json_t *port = json_object_get(root, "port");
	u64 packets, bytes, number = 0, *sums;

	if (!proto.text || !field_count(root, "packets", &packets) || !field_count(root, "bytes", &bytes) ||
	    !(json_is_null(port) || count_of(port, &number)))
		return false;
	sums = sums_of(l, FACT_PORT, host_of_object(l, root), name_of(l, NAME_PROTOCOL, NAME_NONE, 0, proto),
		       json_is_null(port) ? STORE_NO_PORT : (int64_t)number);
	if (sums) {
		sums[0] += packets;
		sums[1] += bytes;
	}
	return true;
}

/* ---- flows ----------------------------------------------------------------- */

static int64_t number_or_none(const json_t *root, const char *key)
{
	u64 number;

	return field_count(root, key, &number) ? (int64_t)number : -1;
}

static void copy_text(char *to, size_t size, const json_t *root, const char *key)
{
	struct line_text text = field_text(root, key);

	snprintf(to, size, "%.*s", text.text ? (int)text.length : 0, text.text ? text.text : "");
}

static bool fill_flow(const json_t *root, struct batch_flow *f)
{
	copy_text(f->src_ip, sizeof(f->src_ip), root, "src_ip");
	copy_text(f->dst_ip, sizeof(f->dst_ip), root, "dst_ip");
	copy_text(f->state, sizeof(f->state), root, "state");
	copy_text(f->command, sizeof(f->command), root, "command");
	f->pid = number_or_none(root, "pid");
	f->src_port = number_or_none(root, "src_port");
	f->dst_port = number_or_none(root, "dst_port");
	f->vlan = number_or_none(root, "vlan");
	f->rtt_us = number_or_none(root, "rtt_us");
	f->retransmits = number_or_none(root, "retransmits");
	f->drops = number_or_none(root, "drops");
	f->first_ms = (int64_t)json_number_value(json_object_get(root, "first"));
	f->last_ms = (int64_t)json_number_value(json_object_get(root, "last"));
	return *f->src_ip && *f->dst_ip && f->first_ms > 0 && f->last_ms >= f->first_ms &&
	       field_count(root, "src_packets", &f->src_packets) &&
	       field_count(root, "src_bytes", &f->src_bytes) &&
	       field_count(root, "dst_packets", &f->dst_packets) &&
	       field_count(root, "dst_bytes", &f->dst_bytes);
}

static bool take_flow(struct lines *l, const json_t *root)
{
	struct line_text proto = field_text(root, "proto"), ifname = field_text(root, "ifname");
	struct batch_flow flow = { 0 }, *to;

	if (!proto.text || !ifname.text || !fill_flow(root, &flow))
		return false;
	flow.host = host_of_object(l, root);
	flow.interface = name_of(l, NAME_INTERFACE, flow.host, 0, ifname);
	flow.protocol = name_of(l, NAME_PROTOCOL, NAME_NONE, 0, proto);
	if (flow.host == NAME_NONE || flow.interface == NAME_NONE || flow.protocol == NAME_NONE) {
		l->writer->batch.lost_flows++;
		return true;
	}
	to = batch_flow(&l->writer->batch);
	if (to)
		*to = flow;
	return true;
}

static bool take_hello(struct lines *l, const json_t *root)
{
	struct line_text host = field_text(root, "host");

	if (!host.text)
		return false;
	memcpy(l->host, host.text, host.length);
	l->host[host.length] = '\0';
	return true;
}

/* ---- by type --------------------------------------------------------------- */

static const struct {
	struct line_text type;
	enum line_status (*take)(struct lines *l, const char *line, size_t length);
	bool (*take_object)(struct lines *l, const json_t *root);
	bool has_time;		/* take_object() is called within the slot of "timestamp" */
} types[] = {
	{ { "process", 7 }, take_process, NULL, false },
	{ { "connection", 10 }, take_connection, NULL, false },
	{ { "counters", 8 }, NULL, take_counters, true },
	{ { "drop_counters", 13 }, NULL, take_drop_counters, true },
	{ { "latency", 7 }, NULL, take_latency, true },
	{ { "port", 4 }, NULL, take_port, true },
	{ { "flow_total", 10 }, NULL, take_flow, false },
	{ { "hello", 5 }, NULL, take_hello, false },
};

#define N_TYPES (sizeof(types) / sizeof(types[0]))

static size_t find_type(struct line_text type)
{
	size_t i = 0;

	while (i < N_TYPES && (types[i].type.length != type.length ||
			       memcmp(types[i].type.text, type.text, type.length)))
		i++;
	return i;
}

bool lines_wants(const char *line, size_t length)
{
	static const char head[] = "{\"type\":\"";
	struct line_text type = { line + sizeof(head) - 1, 0 };
	const char *end;

	/* Spelled in another way: looked at more closely when there is time. */
	if (length < sizeof(head) || memcmp(line, head, sizeof(head) - 1))
		return length > 0;
	end = memchr(type.text, '"', length - sizeof(head) + 1);
	type.length = end ? (size_t)(end - type.text) : 0;
	return !end || find_type(type) < N_TYPES;
}

static enum line_status take_object(struct lines *l, size_t i, const char *line, size_t length)
{
	enum line_status status;
	json_t *root;
	u64 ns = 0;

	status = fields_load(line, length, &root);
	if (status != LINE_OK)
		return status;
	if (types[i].has_time && !field_time(root, &ns)) {
		json_decref(root);
		return LINE_WRONG_TYPE;
	}
	if (types[i].has_time)
		enter(l, ns);
	status = types[i].take_object(l, root) ? LINE_OK : LINE_WRONG_TYPE;
	json_decref(root);
	return status;
}

int lines_take(struct lines *l, const char *line, size_t length)
{
	struct line_text type;
	enum line_status status = line_type(line, length, &type);
	size_t i;

	if (status == LINE_OK) {
		i = find_type(type);
		if (i == N_TYPES)
			return -1;
		status = types[i].take ? types[i].take(l, line, length) : take_object(l, i, line, length);
	}
	if (status == LINE_OK) {
		l->counts.taken++;
		return -1;
	}
	l->counts.bad++;
	return status == LINE_NOT_JSON ? BAD_JSON : BAD_TYPE;
}
