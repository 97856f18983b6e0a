/* SPDX-License-Identifier: MIT */
/* The answers that are lists out of the latest snapshot: filtered, sorted, cut. */
#include "httpd/lists.h"

#include <stdlib.h>
#include <string.h>

#include "httpd/api.h"
#include "httpd/field.h"
#include "httpd/json_text.h"
#include "httpd/routes.h"

#define TYPE_LINES "application/x-ndjson"

static void add_slice(struct body *body, struct slice slice)
{
	body_add(body, slice.data, slice.length);
}

static void add_text(struct body *body, const char *text)
{
	body_add(body, text, strlen(text));
}

/* ---- one list -------------------------------------------------------------- */

static void write_rows(struct body *body, const struct list_query *query, const struct list *list,
		       const char *between)
{
	for (size_t i = 0; i < list->matched && i < query->limit; i++) {
		if (i)
			add_text(body, between);
		list_write_row(query, list->rows[i].text, body);
	}
}

static void write_part(struct body *body, const struct server *server, const char *key)
{
	body_printf(body, ",\"%s\":", key);
	add_slice(body, shot_part(server->shot, key));
}

static void write_array(struct body *body, const char *key, const struct list_query *query,
			const struct list *list)
{
	body_printf(body, ",\"%s\":[", key);
	write_rows(body, query, list, ",");
	body_add(body, "]", 1);
}

static void write_counts(struct body *body, const struct list *list)
{
	body_printf(body, ",\"total\":%zu,\"matched\":%zu", list->total, list->matched);
}

static bool wants_lines(const struct request *request)
{
	return field_takes_type(request_field(request, "Accept"), TYPE_LINES);
}

/* A row a line, for those who ask for it; what goes with the list is left out. */
static enum MHD_Result answer_lines(struct request *request, const struct list *list)
{
	static const struct reply_field vary[] = { { "Vary", "Accept" }, { NULL, NULL } };
	struct body body = { 0 };

	write_rows(&body, request->wants, list, "\n");
	body_add(&body, "\n", list->matched > 0);
	return reply_body_with(request, MHD_HTTP_OK, &body, TYPE_LINES, CACHE_NEVER, vary);
}

enum MHD_Result lists_answer(struct server *server, struct request *request)
{
	const struct list_spec *spec = request->route->list;
	enum MHD_Result result;
	struct body body = { 0 };
	struct list list;

	if (!server->shot)
		return api_waiting(request);
	if (list_select(request->wants, shot_part(server->shot, spec->name), &list))
		return MHD_NO;
	if (wants_lines(request)) {
		result = answer_lines(request, &list);
	} else {
		api_begin(server, &body);
		write_counts(&body, &list);
		for (const char *const *key = spec->also; key && *key; key++)
			write_part(&body, server, *key);
		write_array(&body, spec->name, request->wants, &list);
		result = api_end(request, &body);
	}
	free(list.rows);
	return result;
}

/* ---- drops ----------------------------------------------------------------- */

/* Reasons have no addresses: of the filters only the reason is theirs. */
static struct list_query without_ip(const struct list_query *query)
{
	struct list_query result = { .limit = LIST_LIMIT_MAX, .fields = query->fields };

	for (size_t i = 0; i < query->filter_count; i++)
		if (query->filter[i].parameter->kind != PARAMETER_IP)
			result.filter[result.filter_count++] = query->filter[i];
	return result;
}

enum MHD_Result lists_drops(struct server *server, struct request *request)
{
	struct list_query reasons = without_ip(request->wants);
	enum MHD_Result result;
	struct body body = { 0 };
	struct list flows, drops;

	if (!server->shot)
		return api_waiting(request);
	if (list_select(request->wants, shot_part(server->shot, "drop_flows"), &flows))
		return MHD_NO;
	if (list_select(&reasons, shot_part(server->shot, "drops"), &drops)) {
		free(flows.rows);
		return MHD_NO;
	}
	if (wants_lines(request)) {
		result = answer_lines(request, &flows);
	} else {
		api_begin(server, &body);
		write_counts(&body, &flows);
		write_array(&body, "drops", &reasons, &drops);
		add_text(&body, ",\"unspecified\":");
		add_slice(&body, shot_part(server->shot, "drops_unspecified"));
		write_array(&body, "drop_flows", request->wants, &flows);
		result = api_end(request, &body);
	}
	free(flows.rows);
	free(drops.rows);
	return result;
}

/* ---- lists that are made here ------------------------------------------------ */

/* Which of the rows in array are wanted; those who take lines are answered, *ret_done says so. */
static enum MHD_Result select_made(struct request *request, const struct body *array,
				   struct list *ret_list, bool *ret_done)
{
	*ret_done = true;
	if (array->failed || list_select(request->wants, (struct slice){ array->data, array->length },
					 ret_list))
		return MHD_NO;
	*ret_done = wants_lines(request);
	return *ret_done ? answer_lines(request, ret_list) : MHD_YES;
}

/* ---- protocols: what packets say, joined with what processes say ----------- */

static const char *const packet_keys[] = { "packets", "bytes", "pps", "bps" };
static const char *const process_keys[] = {
	"tx_bytes", "rx_bytes", "tx_calls", "rx_calls", "tx_bps", "rx_bps",
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The row of the array about proto (as written, with quotes); empty if there is none. */
static struct slice find_proto(struct slice array, struct slice proto)
{
	struct json_walk walk;
	struct slice row, value;

	if (array.data[0] == '[' && json_walk_enter(&walk, array))
		while (json_walk_element(&walk, &row))
			if (json_text_get(row, "proto", &value) && value.length == proto.length &&
			    !memcmp(value.data, proto.data, proto.length))
				return row;
	return (struct slice){ "", 0 };
}

/* Members of the row, null where it has none (an empty row has none), with commas between. */
static void write_members(struct body *body, struct slice row, const char *const *keys, size_t count)
{
	struct slice value;

	for (size_t i = 0; i < count; i++) {
		if (!row.length || !json_text_get(row, keys[i], &value))
			value = (struct slice){ "null", 4 };
		body_printf(body, "%s\"%s\":", i ? "," : "", keys[i]);
		add_slice(body, value);
	}
}

static void write_protocol(struct body *body, bool first, struct slice proto, struct slice packets,
			   struct slice processes)
{
	add_text(body, first ? "{\"proto\":" : ",{\"proto\":");
	add_slice(body, proto);
	add_text(body, ",");
	write_members(body, packets, packet_keys, COUNT(packet_keys));
	add_text(body, ",");
	write_members(body, processes, process_keys, COUNT(process_keys));
	add_text(body, "}");
}

static void write_protocols(struct body *body, struct slice packets, struct slice processes)
{
	struct json_walk walk;
	struct slice row, proto;
	size_t count = 0;

	if (packets.data[0] == '[' && json_walk_enter(&walk, packets))
		while (json_walk_element(&walk, &row))
			if (json_text_get(row, "proto", &proto))
				write_protocol(body, !count++, proto, row,
					       find_proto(processes, proto));
	/* Those that only processes know, such as a capture without the loopback interface. */
	if (processes.data[0] == '[' && json_walk_enter(&walk, processes))
		while (json_walk_element(&walk, &row))
			if (json_text_get(row, "proto", &proto) &&
			    !find_proto(packets, proto).length)
				write_protocol(body, !count++, proto, (struct slice){ "", 0 }, row);
}

enum MHD_Result lists_protocols(struct server *server, struct request *request)
{
	struct body array = { 0 }, body = { 0 };
	struct list list = { 0 };
	enum MHD_Result result;
	bool done;

	if (!server->shot)
		return api_waiting(request);
	add_text(&array, "[");
	write_protocols(&array, shot_part(server->shot, "protocols"),
			shot_part(server->shot, "process_protocols"));
	add_text(&array, "]");
	result = select_made(request, &array, &list, &done);
	if (!done) {
		api_begin(server, &body);
		write_counts(&body, &list);
		write_array(&body, "protocols", request->wants, &list);
		result = api_end(request, &body);
	}
	free(list.rows);
	free(array.data);
	return result;
}

/* ---- one process ----------------------------------------------------------- */

static void write_process(struct body *body, const struct list_query *query,
			  const struct list *processes, const struct list *connections)
{
	add_text(body, ",\"process\":");
	add_slice(body, processes->rows[0].text);
	add_text(body, ",\"others\":[");
	for (size_t i = 1; i < processes->matched; i++) {
		body_add(body, ",", i > 1);
		add_slice(body, processes->rows[i].text);
	}
	add_text(body, "]");
	write_array(body, "connections", query, connections);
}

enum MHD_Result lists_process(struct server *server, struct request *request)
{
	const char *pid = request->target.path + strlen(request->route->path);
	struct list_query query = {
		.limit = LIST_LIMIT_MAX,
		.filter_count = 1,
		.filter[0] = { .parameter = &list_pid, .text = pid, .number = strtod(pid, NULL) },
	};
	struct list processes = { 0 }, connections = { 0 };
	enum MHD_Result result = MHD_NO;
	struct body body = { 0 };

	if (!server->shot)
		return api_waiting(request);
	if (list_select(&query, shot_part(server->shot, "processes"), &processes) ||
	    list_select(&query, shot_part(server->shot, "connections"), &connections))
		goto out;
	if (!processes.matched) {
		result = reply_problem(request, MHD_HTTP_NOT_FOUND, NULL,
				       "the last snapshot has no process %s", pid);
		goto out;
	}
	api_begin(server, &body);
	write_process(&body, &query, &processes, &connections);
	result = api_end(request, &body);
out:
	free(processes.rows);
	free(connections.rows);
	return result;
}

/* ---- programs: the probes and what they have counted ----------------------- */

/* What is known of a probe beyond its counters; the last row is for those to come. */
static const struct {
	const char *probe, *events, *description;
} probes[] = {
	{ "connection", "connects", "connections opened, accepted, ended, with their owner" },
	{ "process", "tx_calls", "bytes and calls of each process and remote address" },
	{ "drop", "packets", "packets dropped by the kernel, with the reason" },
	{ "latency", "samples", "round-trip times of TCP" },
	{ NULL, NULL, "a probe" },
};

/* Keys that other monitors' clients know (name, type, status, running, event_count), and ours. */
static void write_program(struct body *body, struct slice row)
{
	struct slice name = { "null", 4 }, counters, count = { "null", 4 }, host = { "null", 4 };
	size_t i = 0;

	json_text_get(row, "probe", &name);
	json_text_get(row, "host", &host);
	while (probes[i].probe && !json_text_is(name, probes[i].probe))
		i++;
	if (!json_text_get(row, "counters", &counters))
		counters = (struct slice){ "{}", 2 };
	if (probes[i].events)
		json_text_get(counters, probes[i].events, &count);
	add_text(body, "{\"name\":");
	add_slice(body, name);
	body_printf(body, ",\"type\":\"tracing\",\"description\":\"%s\",\"status\":\"active\","
		    "\"running\":true,\"host\":", probes[i].description);
	add_slice(body, host);
	add_text(body, ",\"ifname\":null,\"event_count\":");
	add_slice(body, count);
	add_text(body, ",\"counters\":");
	add_slice(body, counters);
	add_text(body, "}");
}

/* The packet probe has a program on each interface. */
static void write_hook(struct body *body, struct slice row)
{
	static const char *const keys[] = {
		"packets", "bytes", "packet_lines", "folded", "unattributed", "malformed", "ring_full",
	};
	static const char *const names[] = { "host", "ifname" };
	struct slice packets = { "null", 4 };

	json_text_get(row, "packets", &packets);
	add_text(body, "{\"name\":\"packet\",\"type\":\"network\",\"description\":"
		 "\"every packet of an interface\",\"status\":\"active\",\"running\":true,");
	write_members(body, row, names, COUNT(names));
	add_text(body, ",\"event_count\":");
	add_slice(body, packets);
	add_text(body, ",\"counters\":{");
	write_members(body, row, keys, COUNT(keys));
	add_text(body, "}}");
}

static size_t write_each(struct body *body, struct slice array, size_t count,
			 void (*write)(struct body *body, struct slice row))
{
	struct json_walk walk;
	struct slice row;

	if (array.data[0] == '[' && json_walk_enter(&walk, array)) {
		while (json_walk_element(&walk, &row)) {
			body_add(body, ",", count++ > 0);
			write(body, row);
		}
	}
	return count;
}

enum MHD_Result lists_programs(struct server *server, struct request *request)
{
	struct body array = { 0 }, body = { 0 };
	struct list list = { 0 };
	enum MHD_Result result;
	size_t count;
	bool done;

	if (!server->shot)
		return api_waiting(request);
	add_text(&array, "[");
	count = write_each(&array, shot_part(server->shot, "interfaces"), 0, write_hook);
	write_each(&array, shot_part(server->shot, "probes"), count, write_program);
	add_text(&array, "]");
	result = select_made(request, &array, &list, &done);
	if (!done) {
		api_begin(server, &body);
		write_counts(&body, &list);
		write_array(&body, "programs", request->wants, &list);
		body_printf(&body, ",\"total_count\":%zu,\"message\":\"%zu programs are counting\"",
			    list.total, list.total);
		result = api_end(request, &body);
	}
	free(list.rows);
	free(array.data);
	return result;
}
