/* SPDX-License-Identifier: MIT */
/* The lines of the host's probes. */
#include "aggregator/host_lines.h"

#include <stdlib.h>
#include <string.h>

#include "aggregator/control.h"
#include "common/fields.h"
#include "common/protocol.h"

/* Notes a host's newest time; returns the line's, or that one if its clock is wrong. */
static u64 see_time(struct aggregate *a, u16 host, u64 ns)
{
	u64 *newest = &a->host_ns[host];

	if (!aggregate_see_time(a, ns))
		return *newest;
	if (ns > *newest)
		*newest = ns;
	return ns;
}

/* ---- records ---------------------------------------------------------------------------- */

enum line_status host_lines_connection(struct aggregate *a, const char *line, size_t length)
{
	struct connection_record r;
	enum line_status status = connection_line_read(&a->reader, line, length, &r);
	u16 host;

	if (status != LINE_OK)
		return status;
	host = aggregate_host(a);
	r.time_ns = see_time(a, host, r.time_ns);
	if (!connections_add(&a->connections, host, &r, &a->reader, a->interval))
		return LINE_WRONG_TYPE;
	a->connection_lines++;
	return LINE_OK;
}

enum line_status host_lines_process(struct aggregate *a, const char *line, size_t length)
{
	struct process_record r;
	enum line_status status = process_line_read(&a->reader, line, length, &r);
	u16 host;

	if (status != LINE_OK)
		return status;
	host = aggregate_host(a);
	r.time_ns = see_time(a, host, r.time_ns);
	processes_add(&a->processes, host, &r, a->interval, a->idle_ns);
	a->process_lines++;
	return LINE_OK;
}

enum line_status host_lines_drop(struct aggregate *a, const char *line, size_t length)
{
	struct drop_record r;
	enum line_status status = drop_line_read(&a->reader, line, length, &r);
	u16 host;

	if (status != LINE_OK)
		return status;
	host = aggregate_host(a);
	r.time_ns = see_time(a, host, r.time_ns);
	a->host_has_drops[host] = true;
	drops_add(&a->drops, host, &r, &a->reader, a->interval, a->idle_ns);
	a->drop_lines++;
	return LINE_OK;
}

/* ---- latency ---------------------------------------------------------------------------- */

static bool get_bucket(const json_t *pair, u64 *ret_upper, u64 *ret_count)
{
	return json_array_size(pair) == 2 && count_of(json_array_get(pair, 0), ret_upper) &&
	       count_of(json_array_get(pair, 1), ret_count);
}

static bool buckets_are_good(const json_t *buckets)
{
	json_t *pair;
	u64 upper, count;
	size_t i;

	json_array_foreach(buckets, i, pair)
		if (!get_bucket(pair, &upper, &count))
			return false;
	return json_is_array(buckets);
}

/* A name, and a network or null. */
static bool get_latency(const json_t *root, struct latency_line *ret)
{
	const json_t *network = json_object_get(root, "network");

	ret->name = field_text(root, "name");
	ret->unit = field_text(root, "unit");
	ret->network = field_text(root, "network");
	return ret->name.text && ret->unit.text && field_time(root, &ret->time_ns) &&
	       (json_is_null(network) || (ret->network.text && ret->network.length));
}

static bool take_latency(struct aggregate *a, const json_t *root)
{
	const json_t *buckets = json_object_get(root, "buckets");
	struct latency_line said;
	struct latency *row;
	json_t *pair;
	u64 time_ns;
	u16 host;
	size_t i;

	if (!get_latency(root, &said) || !buckets_are_good(buckets))
		return false;
	host = control_host(a, root);
	time_ns = see_time(a, host, said.time_ns);
	row = latencies_get(&a->latencies, host, &said);
	if (!row)
		return true;
	json_array_foreach(buckets, i, pair) {
		u64 upper, count;

		if (get_bucket(pair, &upper, &count))
			latency_add(row, upper, count, time_ns, a->interval);
	}
	return true;
}

/* ---- probes ----------------------------------------------------------------------------- */

static bool take_probe(struct aggregate *a, const json_t *root)
{
	struct line_text name = field_text(root, "probe");
	json_t *counters = json_object_get(root, "counters"), *value;
	struct probe *probe;
	const char *key;
	u64 number, time_ns;
	u16 host;

	if (!name.text || !field_time(root, &time_ns) || !json_is_object(counters))
		return false;
	json_object_foreach(counters, key, value)
		if (!count_of(value, &number))
			return false;
	host = control_host(a, root);
	probe = probes_get(&a->probes, host, name);
	if (!probe)
		return true;
	a->host_has_drops[host] |= !strcmp(probe->id.name, "drop");
	probe->time_ns = see_time(a, host, time_ns);
	json_object_foreach(counters, key, value)
		if (count_of(value, &number))
			probe_set(probe, (struct line_text){ key, strlen(key) }, number);
	return true;
}

/* ---- exact totals of drops -------------------------------------------------------------- */

/* null: not known; a name that we do not know is one of the others. */
static u16 row_of(const json_t *proto)
{
	u16 protocol;
	int is_ip;

	if (json_is_null(proto))
		return DROP_ROW_UNKNOWN;
	if (protocol_parse(json_string_value(proto), json_string_length(proto), &protocol, &is_ip))
		return TOTAL_OTHER;
	return (u16)total_row(is_ip ? 4 : 0, protocol);
}

static bool get_drop(const json_t *object, struct drop_count *ret)
{
	const json_t *proto = json_object_get(object, "proto");
	u64 code;

	ret->reason = field_text(object, "reason");
	if (!ret->reason.text || !(json_is_null(proto) || json_is_string(proto)) ||
	    !field_count(object, "reason_code", &code) || code > UINT32_MAX ||
	    !field_count(object, "packets", &ret->amount.packets) ||
	    !field_count(object, "bytes", &ret->amount.bytes))
		return false;
	ret->reason_code = (u32)code;
	ret->row = row_of(proto);
	return true;
}

static bool take_drops(struct aggregate *a, const json_t *root)
{
	const json_t *rows = json_object_get(root, "drops");
	size_t n = json_array_size(rows), good = 0;
	struct drop_count *counts;
	u64 time_ns;
	u16 host;

	if (!json_is_array(rows) || !field_time(root, &time_ns))
		return false;
	counts = calloc(n ? n : 1, sizeof(*counts));
	if (!counts) {
		a->no_memory++;
		return true;
	}
	while (good < n && get_drop(json_array_get(rows, good), &counts[good]))
		good++;
	if (good == n) {
		host = control_host(a, root);
		see_time(a, host, time_ns);
		a->host_has_drops[host] = true;
		if (!a->host_drops_ns[host])
			a->host_drops_ns[host] = time_ns;
		drops_set(&a->drops, host, counts, n, a->host_drops_ns[host] == time_ns);
	}
	free(counts);
	return good == n;
}

/* ---- with jansson ----------------------------------------------------------------------- */

/* Reads all of a line before it sets anything. */
static enum line_status take(struct aggregate *a, const char *line, size_t length, u64 *counter,
			     bool (*take_object)(struct aggregate *a, const json_t *root))
{
	json_t *root;
	enum line_status status = fields_load(line, length, &root);
	bool good;

	if (status != LINE_OK)
		return status;
	good = take_object(a, root);
	json_decref(root);
	if (!good)
		return LINE_WRONG_TYPE;
	(*counter)++;
	return LINE_OK;
}

enum line_status host_lines_latency(struct aggregate *a, const char *line, size_t length)
{
	return take(a, line, length, &a->latency_lines, take_latency);
}

enum line_status host_lines_probe(struct aggregate *a, const char *line, size_t length)
{
	return take(a, line, length, &a->probe_lines, take_probe);
}

enum line_status host_lines_drop_counters(struct aggregate *a, const char *line, size_t length)
{
	return take(a, line, length, &a->drop_counters_lines, take_drops);
}
