/* SPDX-License-Identifier: MIT */
/* GET /api/history: the past in steps, and summed up by process and remote address. */
#include "httpd/history_answer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "httpd/api.h"
#include "httpd/archive_answer.h"
#include "httpd/history_both.h"
#include "httpd/history_sums.h"
#include "httpd/server.h"

#define OTHER "\"other\""

static void add_text(struct body *body, const char *text)
{
	body_add(body, text, strlen(text));
}

/* ---- series ---------------------------------------------------------------- */

/* One value a step: null where it is not known. */
struct series {
	const char *before;	/* what stands before it, such as ,"name": */
	const uint64_t *value;
	size_t stride;		/* how many values a step has */
	const uint64_t *others;	/* as .value: where it is 0 and this is not, it may be in there */
	uint32_t known;		/* enum history_known: what a step must have */
};

static void write_series(struct body *body, const struct history_sums *sums, const struct series *series)
{
	add_text(body, series->before);
	for (size_t i = 0; i < sums->points; i++) {
		uint64_t value = series->value[i * series->stride];

		add_text(body, i ? "," : "[");
		if (!(sums->known[i] & series->known) ||
		    (!value && series->others && series->others[i * series->stride]))
			add_text(body, "null");
		else
			body_number(body, value);
	}
	add_text(body, sums->points ? "]" : "[]");
}

static void write_scalars(struct body *body, const struct history_sums *sums, const char *const *before,
			  int first, int count, uint32_t known)
{
	for (int i = 0; i < count; i++)
		write_series(body, sums, &(struct series){
			.before = before[i], .value = sums->scalar + first + i,
			.stride = HISTORY_SCALARS, .known = known });
	add_text(body, "}");
}

static void write_rates(struct body *body, const struct history_sums *sums)
{
	static const char *const before[] = {
		",\"rates\":{\"ingress_bytes\":", ",\"egress_bytes\":", ",\"ingress_packets\":",
		",\"egress_packets\":",
	};

	write_scalars(body, sums, before, HISTORY_INGRESS_BYTES, 4, HISTORY_KNOWS_RATES);
}

static void write_connections(struct body *body, const struct history_sums *sums)
{
	static const char *const before[] = {
		",\"connections\":{\"connects\":", ",\"accepts\":", ",\"closed\":", ",\"failed\":",
	};

	write_scalars(body, sums, before, HISTORY_CONNECTS, 4, HISTORY_KNOWS_CONNECTIONS);
}

/* ---- by name --------------------------------------------------------------- */

static int by_size(const void *left, const void *right)
{
	const struct history_sum *a = left, *b = right;
	uint64_t one = a->value[0] + a->value[1], other = b->value[0] + b->value[1];

	if (one != other)
		return one > other ? -1 : 1;
	return a->key < b->key ? -1 : a->key > b->key;
}

/* The value of a key's only member, as it was written: a string, else it has no name. */
static struct slice name_of(const struct history_sums *sums, const struct history_sum *sum)
{
	struct slice text = sums->source->key(sums->source, sum->key), none = { OTHER, 7 };
	const char *colon = memchr(text.data, ':', text.length);
	struct slice name;

	if (!colon)
		return none;
	name = (struct slice){ colon + 1, text.length - (size_t)(colon + 1 - text.data) };
	return name.length && name.data[0] == '"' ? name : none;
}

static bool has_others(const struct history_group *group)
{
	return group->other[0] | group->other[1];
}

/* Rows without a name, and those beyond the limits, are of one name that some have anyway. */
static void gather_others(const struct history_sums *sums, struct history_group *group)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < group->count; i++) {
		struct history_sum *sum = &group->sum[i];

		if (!slice_equals(name_of(sums, sum), OTHER)) {
			group->sum[used++] = *sum;
			continue;
		}
		for (int j = 0; j < HISTORY_VALUES; j++)
			group->other[j] += sum->value[j];
		for (size_t j = 0; j < sums->points * HISTORY_VALUES; j++)
			group->others[j] += sum->series[j];
		free(sum->series);
	}
	group->count = used;
}

static void write_protocol(struct body *body, const struct history_sums *sums, const uint64_t *value)
{
	struct series series = { .before = ":{\"bytes\":", .value = value,
				 .stride = HISTORY_VALUES, .known = 1 << HISTORY_PROTOCOL };

	write_series(body, sums, &series);
	series.before = ",\"packets\":";
	series.value++;
	write_series(body, sums, &series);
	add_text(body, "}");
}

static void write_drop(struct body *body, const struct history_sums *sums, const uint64_t *value)
{
	write_series(body, sums, &(struct series){ .before = ":", .value = value,
						   .stride = HISTORY_VALUES,
						   .known = 1 << HISTORY_DROP });
}

/* An object with a member for each name, the largest first, others last. */
static void write_names(struct body *body, const struct history_sums *sums, struct history_group *group,
			void (*write)(struct body *body, const struct history_sums *sums,
				      const uint64_t *value))
{
	gather_others(sums, group);
	if (group->count)
		qsort(group->sum, group->count, sizeof(*group->sum), by_size);
	add_text(body, "{");
	for (uint32_t i = 0; i < group->count; i++) {
		struct slice name = name_of(sums, &group->sum[i]);

		body_add(body, ",", i > 0);
		body_add(body, name.data, name.length);
		write(body, sums, group->sum[i].series);
	}
	if (has_others(group)) {
		add_text(body, group->count ? "," OTHER : OTHER);
		write(body, sums, group->others);
	}
	add_text(body, "}");
}

/* ---- by process, by remote address ----------------------------------------- */

static const char *const values[HISTORY_VALUES] = { "tx_bytes", "rx_bytes", "tx_calls", "rx_calls" };

static void write_values(struct body *body, const uint64_t value[HISTORY_VALUES], int count)
{
	for (int i = 0; i < count; i++) {
		body_printf(body, "%s\"%s\":", i ? "," : "", values[i]);
		body_number(body, value[i]);
	}
	add_text(body, "}");
}

/* Rows that were asked for come to the front; how many they are. */
static uint32_t select_rows(struct history_group *group)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < group->count; i++)
		if (group->sum[i].matches)
			group->sum[used++] = group->sum[i];
	if (used)
		qsort(group->sum, used, sizeof(*group->sum), by_size);
	return used;
}

static void write_rows(struct body *body, const struct history_sums *sums, enum history_kind kind,
		       const char *name, int count)
{
	struct history_group own = sums->group[kind];
	uint32_t matched = select_rows(&own);

	body_printf(body, ",\"%s\":[", name);
	for (uint32_t i = 0; i < matched; i++) {
		const struct history_sum *sum = &own.sum[i];
		struct slice text = sums->source->key(sums->source, sum->key);

		if (i >= sums->ask->limit) {
			for (int j = 0; j < HISTORY_VALUES; j++)
				own.other[j] += sum->value[j];
			continue;
		}
		add_text(body, i ? ",{" : "{");
		body_add(body, text.data, text.length);
		add_text(body, ",");
		write_values(body, sum->value, count);
	}
	body_printf(body, "],\"%s_matched\":%" PRIu32 ",\"%s_other\":{", name, matched, name);
	write_values(body, own.other, count);
}

/* What all that match have moved. */
static void write_one(struct body *body, const struct history_sums *sums, enum history_kind kind,
		      const char *name, int count)
{
	uint32_t matched = 0;

	for (uint32_t i = 0; i < sums->group[kind].count; i++)
		matched += sums->group[kind].sum[i].matches;
	body_printf(body, ",\"%s\":{\"matched\":%" PRIu32, name, matched);
	for (int i = 0; i < count && sums->points; i++) {
		body_printf(body, ",\"%s\"", values[i]);
		write_series(body, sums, &(struct series){
			.before = ":", .value = sums->one[kind] + i, .stride = HISTORY_VALUES,
			.others = sums->group[kind].others + i, .known = 1U << kind });
	}
	add_text(body, "}");
}

/* ---- round-trip times ------------------------------------------------------ */

static const struct {
	const char *name;
	size_t offset;
} percentiles[] = {
	{ "p50", offsetof(struct history_percentiles, p50) },
	{ "p95", offsetof(struct history_percentiles, p95) },
	{ "p99", offsetof(struct history_percentiles, p99) },
	{ "max", offsetof(struct history_percentiles, max) },
};

static void write_percentile(struct body *body, const struct history_percentiles *of, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)of + offset, sizeof(value));
	if (of->count)
		body_number(body, value);
	else
		add_text(body, "null");
}

static void write_latency(struct body *body, const struct history_sums *sums)
{
	add_text(body, ",\"latency\":{\"unit\":\"us\",\"count\":[");
	for (size_t i = 0; i < sums->points; i++) {
		body_add(body, ",", i > 0);
		if (sums->known[i] & HISTORY_KNOWS_LATENCY)
			body_number(body, sums->rtt[i].count);
		else
			add_text(body, "null");
	}
	for (size_t j = 0; j < sizeof(percentiles) / sizeof(*percentiles); j++) {
		body_printf(body, "],\"%s\":[", percentiles[j].name);
		for (size_t i = 0; i < sums->points; i++) {
			body_add(body, ",", i > 0);
			write_percentile(body, &sums->rtt[i], percentiles[j].offset);
		}
	}
	add_text(body, "],\"buckets\":[");
	body_add(body, sums->buckets.data, sums->buckets.length);
	body->failed |= sums->buckets.failed;
	body_printf(body, "],\"range\":{\"count\":%" PRIu64, sums->rtt_all.count);
	for (size_t j = 0; j < sizeof(percentiles) / sizeof(*percentiles); j++) {
		body_printf(body, ",\"%s\":", percentiles[j].name);
		write_percentile(body, &sums->rtt_all, percentiles[j].offset);
	}
	add_text(body, "}}");
}

/* ---- the answer ------------------------------------------------------------ */

static void write_time_or_null(struct body *body, const char *before, int64_t ms)
{
	if (ms)
		body_printf(body, "%s%" PRId64, before, ms);
	else
		body_printf(body, "%snull", before);
}

static void write_head(struct body *body, const struct history_sums *sums)
{
	const struct history_ask *ask = sums->ask;
	struct history_extent extent;

	sums->source->extent(sums->source, &extent);
	body_printf(body, ",\"source\":\"%s\",\"from\":%" PRId64 ",\"to\":%" PRId64 ",\"step_ms\":%"
		    PRId64, sums->source->name, ask->from_ms, ask->to_ms, ask->step_ms);
	body_printf(body, ",\"widened\":%s", ask->asked_step_ms && ask->step_ms > ask->asked_step_ms ?
		    "true" : "false");
	if (ask->oldest_ms && (!extent.oldest_ms || ask->oldest_ms < extent.oldest_ms))
		extent.oldest_ms = ask->oldest_ms;
	write_time_or_null(body, ",\"seam\":", ask->seam_ms);
	write_time_or_null(body, ",\"oldest\":", extent.oldest_ms);
	write_time_or_null(body, ",\"newest\":", extent.newest_ms);
	add_text(body, ",\"times\":[");
	for (size_t i = 0; i < sums->points; i++)
		body_printf(body, "%s%" PRId64, i ? "," : "", history_ask_time_ms(ask, i));
	add_text(body, "],\"covered_ms\":[");
	for (size_t i = 0; i < sums->points; i++) {
		body_add(body, ",", i > 0);
		body_number(body, sums->covered_ms[i]);
	}
	add_text(body, "]");
}

/* Of which parts anything is known: an empty one of these says that nothing was. */
static void write_known(struct body *body, const struct history_sums *sums)
{
	static const struct {
		const char *name;
		uint32_t known;
	} parts[] = {
		{ "rates", HISTORY_KNOWS_RATES },
		{ "connections", HISTORY_KNOWS_CONNECTIONS },
		{ "protocols", 1 << HISTORY_PROTOCOL },
		{ "drops", 1 << HISTORY_DROP },
		{ "processes", 1 << HISTORY_PROCESS },
		{ "remotes", 1 << HISTORY_REMOTE },
		{ "latency", HISTORY_KNOWS_LATENCY },
	};
	const char *between = ",\"known\":[";
	uint32_t known = 0;

	for (size_t i = 0; i < sums->points; i++)
		known |= sums->known[i];
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (!(known & parts[i].known))
			continue;
		body_printf(body, "%s\"%s\"", between, parts[i].name);
		between = ",";
	}
	add_text(body, known ? "]" : ",\"known\":[]");
}

static void write_parts(struct body *body, struct history_sums *sums)
{
	unsigned int parts = sums->ask->parts;

	if (parts & HISTORY_RATES)
		write_rates(body, sums);
	if (parts & HISTORY_CONNECTIONS)
		write_connections(body, sums);
	if (parts & HISTORY_PROTOCOLS) {
		add_text(body, ",\"protocols\":");
		write_names(body, sums, &sums->group[HISTORY_PROTOCOL], write_protocol);
	}
	if (parts & HISTORY_DROPS) {
		add_text(body, ",\"drops\":");
		write_names(body, sums, &sums->group[HISTORY_DROP], write_drop);
	}
	if (parts & HISTORY_ONE_PROCESS)
		write_one(body, sums, HISTORY_PROCESS, "process", 4);
	if (parts & HISTORY_ONE_REMOTE)
		write_one(body, sums, HISTORY_REMOTE, "remote", 2);
	if (parts & HISTORY_PROCESSES)
		write_rows(body, sums, HISTORY_PROCESS, "processes", 4);
	if (parts & HISTORY_REMOTES)
		write_rows(body, sums, HISTORY_REMOTE, "remotes", 2);
	if (parts & HISTORY_RTT)
		write_latency(body, sums);
}

int history_answer_write(struct body *body, const struct history_ask *ask,
			 const struct history_source *source)
{
	struct history_sums sums;
	int err = history_sums_make(&sums, ask, source);

	if (!err) {
		write_head(body, &sums);
		write_known(body, &sums);
		write_parts(body, &sums);
	}
	history_sums_free(&sums);
	return err;
}

/* ---- from where ------------------------------------------------------------ */

static enum MHD_Result write_answer(struct server *server, struct request *request,
				    const struct history_ask *ask, const struct history_source *source)
{
	struct body body = { 0 };

	api_begin(server, &body);
	if (history_answer_write(&body, ask, source)) {
		free(body.data);
		return MHD_NO;
	}
	return api_end(request, &body);
}

static enum MHD_Result answer_from_memory(struct server *server, struct request *request,
					  struct history_ask *ask)
{
	struct history_source source = history_memory(&server->history);

	history_ask_fit(ask, &source);
	ask->oldest_ms = server->archive.extent.oldest * 1000;
	return write_answer(server, request, ask, &source);
}

static const struct filter *find(const struct list_query *wants, const char *name)
{
	for (size_t i = 0; i < wants->filter_count; i++)
		if (!strcmp(wants->filter[i].parameter->name, name))
			return &wants->filter[i];
	return NULL;
}

static void fill(struct server *server, const struct list_query *wants, const struct history_ask *ask,
		 int64_t whole_ms, struct archive_question *q)
{
	struct history_source source = history_memory(&server->history);
	struct history_extent extent;
	int64_t newest_ms;

	source.extent(&source, &extent);
	newest_ms = extent.newest_ms ? extent.newest_ms : (int64_t)time(NULL) * 1000;
	q->kind = ARCHIVE_SERIES;
	q->to = ((ask->to_ms < newest_ms ? ask->to_ms : newest_ms) + 999) / 1000;
	if (q->to < 1)
		q->to = 1;
	q->from = ask->from_ms > 0 ? ask->from_ms / 1000 : 0;
	if (q->from >= q->to)
		q->from = q->to - 1;
	q->now = (newest_ms + 999) / 1000;
	q->step = ask->asked_step_ms / 1000;
	q->seam = whole_ms == INT64_MAX ? INT64_MAX : (whole_ms + 999) / 1000;
	q->parts = ask->parts;
	archive_put_text(q->process, find(wants, "command"));
	archive_put_text(q->host, find(wants, "host"));
	archive_put_network(q, find(wants, "ip"));
	/* It knows no pids. */
	if (find(wants, "pid"))
		q->parts &= ~(unsigned int)(HISTORY_PROCESSES | HISTORY_ONE_PROCESS);
}

static enum MHD_Result answer_from_both(struct server *server, struct request *request,
					struct history_ask *ask, const struct archive_entry *entry)
{
	struct archive_series series;
	struct history_source source;
	struct history_both both;
	enum MHD_Result result = MHD_NO;

	if (archive_series_parse(entry->text->data, entry->text->length, &series))
		return reply_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
				     "the database: its answer makes no sense");
	if (!history_both_init(&both, &server->history, &series, find(request->wants, "pid"),
			       &server->bounds)) {
		source = history_both(&both);
		ask->cuts = series.cuts;
		ask->n_cuts = series.head->cuts;
		ask->from_ms = series.cuts[0] * 1000;
		ask->to_ms = series.cuts[series.head->cuts - 1] * 1000;
		ask->step_ms = series.head->step * 1000;
		if (series.head->steps + 1 < series.head->cuts)
			ask->seam_ms = series.cuts[series.head->steps] * 1000;
		result = write_answer(server, request, ask, &source);
	}
	history_both_free(&both);
	return result;
}

enum MHD_Result history_answer(struct server *server, struct request *request)
{
	struct history_source memory = history_memory(&server->history);
	int64_t whole_ms = history_whole_ms(&server->history);
	struct archive_question question = { 0 };
	const struct archive_entry *entry;
	enum MHD_Result result;
	const char *name, *why;
	struct history_ask ask;

	if (!server->shot)
		return api_waiting(request);
	if (history_ask_read(request->wants, &memory, &ask, &name, &why))
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, NULL, "%s: %s", name, why);
	if (!request->asked && (!server->archive.enabled || ask.from_ms >= whole_ms))
		return answer_from_memory(server, request, &ask);
	fill(server, request->wants, &ask, whole_ms, &question);
	entry = archive_get(server, request, &question, &result);
	return entry ? answer_from_both(server, request, &ask, entry) : result;
}
