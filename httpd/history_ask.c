/* SPDX-License-Identifier: MIT */
/* What is asked of the past: which time, in which steps, what of it, of whom. */
#include "httpd/history_ask.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "common/store_plan.h"

#define RANGE_DEFAULT_MS (300 * 1000)
#define MS_MAX 1000000000000000
#define SECONDS_MAX 1000000000
#define PID_MAX INT32_MAX
#define COMMAND_MAX 64
#define HOST_MAX 255
#define PARTS_DEFAULT (HISTORY_RATES | HISTORY_CONNECTIONS | HISTORY_PROTOCOLS | HISTORY_DROPS | \
		       HISTORY_PROCESSES | HISTORY_REMOTES | HISTORY_RTT)

#define NAMES(...) (const char *const[]){ __VA_ARGS__, NULL }

static const struct {
	const char *name;
	enum history_part part;
} parts[] = {
	{ "rates", HISTORY_RATES },
	{ "connections", HISTORY_CONNECTIONS },
	{ "protocols", HISTORY_PROTOCOLS },
	{ "drops", HISTORY_DROPS },
	{ "processes", HISTORY_PROCESSES },
	{ "remotes", HISTORY_REMOTES },
	{ "latency", HISTORY_RTT },
	{ "process", HISTORY_ONE_PROCESS },
	{ "remote", HISTORY_ONE_REMOTE },
};

enum { FROM, TO, RANGE, STEP, WHAT, LIMIT, PID, COMMAND, IP, HOST };

const struct parameter history_parameters[] = {
	[FROM] = { "from", PARAMETER_NUMBER, "Unix time in ms, 0 to 1000000000000000, before to",
		   .max = MS_MAX },
	[TO] = { "to", PARAMETER_NUMBER, "Unix time in ms, 0 to 1000000000000000 (default: the newest)",
		 .max = MS_MAX },
	[RANGE] = { "range", PARAMETER_NUMBER, "seconds before to, 1 to 1000000000 (default 300); not "
		    "together with from", .min = 1, .max = SECONDS_MAX },
	[STEP] = { "step", PARAMETER_NUMBER, "seconds, 1 to 1000000000; longer where there is no "
		   "finer one, or an answer would have more than 720 steps",
		   .min = 1, .max = SECONDS_MAX },
	[WHAT] = { "what", PARAMETER_WORDS, "rates, connections, protocols, drops, processes, remotes, "
		   "latency, process (with pid or command) or remote (with ip), separated by commas",
		   .words = NAMES("rates", "connections", "protocols", "drops", "processes", "remotes",
				  "latency", "process", "remote") },
	[LIMIT] = { "limit", PARAMETER_LIMIT, "at most so many processes and remotes, 1 to 10000 "
		    "(default 100)", .min = 1, .max = LIST_LIMIT_MAX },
	[PID] = { "pid", PARAMETER_NUMBER, "the process, 1 to 2147483647", .keys = NAMES("pid"),
		  .min = 1, .max = PID_MAX },
	[COMMAND] = { "command", PARAMETER_TEXT, "the name of the process, 1 to 64 bytes",
		      .keys = NAMES("command"), .max = COMMAND_MAX },
	[IP] = { "ip", PARAMETER_IP, "an address, or a network such as 10.0.0.0/8, of the remote side",
		 .keys = NAMES("remote_ip") },
	[HOST] = { "host", PARAMETER_TEXT, "the host that saw it, 1 to 255 bytes",
		   .keys = NAMES("host"), .max = HOST_MAX },
	{ .name = NULL },
};

static const struct filter *find(const struct list_query *wants, int parameter)
{
	for (size_t i = 0; i < wants->filter_count; i++)
		if (wants->filter[i].parameter == &history_parameters[parameter])
			return &wants->filter[i];
	return NULL;
}

static int64_t number_or(const struct filter *filter, int64_t otherwise)
{
	return filter ? (int64_t)filter->number : otherwise;
}

/* ---- what of it ------------------------------------------------------------ */

static unsigned int read_parts(const char *text)
{
	unsigned int result = 0;

	for (size_t length; *text; text += length + (text[length] == ',')) {
		length = strcspn(text, ",");
		for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
			if (slice_equals((struct slice){ text, length }, parts[i].name))
				result |= parts[i].part;
	}
	return result;
}

static void take_filter(struct list_query *query, const struct list_query *wants, int parameter)
{
	const struct filter *filter = find(wants, parameter);

	if (filter)
		query->filter[query->filter_count++] = *filter;
}

/* Series of nobody in particular would be those of rates, but for what is others'. */
static bool is_of_somebody(const struct history_ask *ask)
{
	return !(ask->parts & HISTORY_ONE_PROCESS && !ask->process.filter_count) &&
	       !(ask->parts & HISTORY_ONE_REMOTE && !ask->remote.filter_count);
}

/* ---- which time ------------------------------------------------------------ */

static int64_t round_down(int64_t ms, int64_t step_ms, int64_t phase_ms)
{
	int64_t since = ms - phase_ms, steps = since / step_ms - (since % step_ms < 0);

	return steps * step_ms + phase_ms;
}

static int64_t round_up(int64_t ms, int64_t step_ms, int64_t phase_ms)
{
	return round_down(ms + step_ms - 1, step_ms, phase_ms);
}

int64_t history_ask_time_ms(const struct history_ask *ask, size_t step)
{
	return ask->cuts ? ask->cuts[step] * 1000 : ask->from_ms + (int64_t)step * ask->step_ms;
}

size_t history_ask_step(const struct history_ask *ask, int64_t ms)
{
	if (ask->cuts)
		return store_plan_part(ask->cuts, ask->n_cuts, ms / 1000);
	return (size_t)((ms - ask->from_ms) / ask->step_ms);
}

size_t history_ask_points(const struct history_ask *ask)
{
	if (ask->cuts)
		return ask->n_cuts - 1;
	return (size_t)((ask->to_ms - ask->from_ms) / ask->step_ms);
}

/* The next longer step is a multiple of what the source has for that time. */
static int64_t fit_step(const struct history_source *source, int64_t from_ms, int64_t wanted_ms)
{
	int64_t least_ms = source->step_ms(source, from_ms);

	return (wanted_ms + least_ms - 1) / least_ms * least_ms;
}

/* Whole steps reach back further, perhaps to where the source has only longer ones. */
static void fit_time(struct history_ask *ask, const struct history_source *source,
		     const struct history_extent *extent, int64_t from_ms, int64_t to_ms)
{
	int64_t least_ms = (to_ms - from_ms + HISTORY_POINTS_MAX - 1) / HISTORY_POINTS_MAX;

	if (least_ms < ask->asked_step_ms)
		least_ms = ask->asked_step_ms;
	if (least_ms < 1)
		least_ms = 1;
	do {
		ask->step_ms = fit_step(source, from_ms, least_ms);
		ask->from_ms = round_down(from_ms, ask->step_ms, extent->phase_ms);
		if (fit_step(source, ask->from_ms, least_ms) != ask->step_ms)
			ask->step_ms = fit_step(source, ask->from_ms, least_ms);
		ask->from_ms = round_down(from_ms, ask->step_ms, extent->phase_ms);
		ask->to_ms = round_up(to_ms, ask->step_ms, extent->phase_ms);
		least_ms = ask->step_ms + 1;
	} while (history_ask_points(ask) > HISTORY_POINTS_MAX);
}

static void clamp(int64_t *ms, int64_t least, int64_t most)
{
	*ms = *ms < least ? least : *ms > most ? most : *ms;
}

int history_ask_read(const struct list_query *wants, const struct history_source *source,
		     struct history_ask *ret_ask, const char **ret_name, const char **ret_why)
{
	const struct filter *from = find(wants, FROM), *range = find(wants, RANGE);
	const struct filter *what = find(wants, WHAT);
	struct history_ask ask = { .limit = wants->limit };
	struct history_extent extent;
	int64_t from_ms, to_ms, range_ms = number_or(range, 0) * 1000;

	source->extent(source, &extent);
	*ret_name = "range";
	*ret_why = "not together with from";
	if (from && range)
		return -EINVAL;
	if (!extent.newest_ms)
		extent.newest_ms = (int64_t)time(NULL) * 1000;
	to_ms = number_or(find(wants, TO), extent.newest_ms);
	from_ms = number_or(from, to_ms - (range ? range_ms : RANGE_DEFAULT_MS));
	*ret_name = "from";
	*ret_why = "must be before to";
	if (from && find(wants, TO) && from_ms >= to_ms)
		return -EINVAL;
	ask.from_ms = from_ms;
	ask.to_ms = to_ms;
	ask.asked_step_ms = number_or(find(wants, STEP), 0) * 1000;
	ask.parts = what ? read_parts(what->text) : PARTS_DEFAULT;
	take_filter(&ask.process, wants, PID);
	take_filter(&ask.process, wants, COMMAND);
	take_filter(&ask.process, wants, HOST);
	take_filter(&ask.remote, wants, IP);
	take_filter(&ask.remote, wants, HOST);
	*ret_name = "what";
	*ret_why = "process wants pid, command or host, remote wants ip or host";
	if (!is_of_somebody(&ask))
		return -EINVAL;
	*ret_ask = ask;
	return 0;
}

void history_ask_fit(struct history_ask *ask, const struct history_source *source)
{
	struct history_extent extent;

	source->extent(source, &extent);
	/* Where nothing is known, this leaves no time at all. */
	clamp(&ask->from_ms, extent.newest_ms ? extent.newest_ms - extent.window_ms : 0, extent.newest_ms);
	clamp(&ask->to_ms, ask->from_ms, extent.newest_ms);
	fit_time(ask, source, &extent, ask->from_ms, ask->to_ms);
}
