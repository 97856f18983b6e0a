/* SPDX-License-Identifier: MIT */
/* aggregator: lines to bidirectional flows, totals and rates; a snapshot each interval. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "aggregator/aggregate.h"
#include "aggregator/confine.h"
#include "aggregator/rewind.h"
#include "common/bad_line.h"
#include "common/line_input.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/output.h"
#include "aggregator/snapshot.h"
#include "common/stop.h"
#include "common/line_write.h"
#include "common/options.h"
#include "common/sandbox_main.h"
#include "common/status.h"

#define NS_PER_S 1000000000ull
#define FLUSH_BYTES 65536
#define PENDING_BYTES (4u << 20)	/* more output than that is waited for */
#define UNSET UINT64_MAX
#define FLOW_TOTALS_MAX 1000	/* lines an interval: a scan makes more flows than anybody reads */
#define CLOCK_BACK_NS (2 * NS_PER_S)	/* not by a correction that goes on all the time */
#define REWINDS 10
/* After a signal, what the reader still sends is read until so long nothing comes. */
#define QUIET_MS 300

struct settings {
	uint64_t interval_ns, top, max_flows, max_processes, max_connections, idle_ns, ready_fd;
	uint64_t flow_bytes;
	u32 types;
	bool flows, no_sandbox, verbose;
};

static struct settings settings = {
	.interval_ns = NS_PER_S,
	.top = 100,
	.max_flows = UNSET,
	.max_processes = 1024,
	.max_connections = 16384,
	.idle_ns = UNSET,
	.ready_fd = NOTIFY_NO_FD,
	.flow_bytes = 65536,
	.types = PRINT_ALL,
};

static const struct program_info program = {
	.name = "aggregator",
	.operands = "",
	.purpose = "Reads a reader's lines on stdin and writes a snapshot of flows, totals and rates to\n"
		   "stdout each interval, and a last one at the end of input.",
};

static const struct option_row rows[] = {
	{ "interval", 'i', OPTION_SECONDS, "SECONDS", "time between snapshots (1)",
	  &settings.interval_ns, NS_PER_S / 100, 86400 * NS_PER_S, false, NULL },
	{ "top", 'n', OPTION_NUMBER, "N", "rows of each table in a snapshot (100)", &settings.top, 0,
	  100000, false, NULL },
	{ "max-flows", 'm', OPTION_NUMBER, "N",
	  "flows kept, the least recently used go first (65536; with --flows: all)",
	  &settings.max_flows, 1, 1u << 30, false, NULL },
	{ "max-processes", 0, OPTION_NUMBER, "N", "processes kept, likewise (1024)",
	  &settings.max_processes, 1, 1u << 20, false, NULL },
	{ "max-connections", 0, OPTION_NUMBER, "N", "connections kept, ended ones go first (16384)",
	  &settings.max_connections, 1, 1u << 24, false, NULL },
	{ "idle-timeout", 't', OPTION_SECONDS, "SECONDS",
	  "forget flows and connections idle for so long (120; with --flows: never)",
	  &settings.idle_ns, NS_PER_S, 0, false, NULL },
	{ "flows", 'f', OPTION_FLAG, NULL,
	  "no snapshots: one line a flow at the end of input, most bytes first", &settings.flows, 0, 0,
	  false, NULL },
	{ "types", 'T', OPTION_PARSED, "LIST",
	  "only these lines: snapshot,port,flow_total,counters,connection,process,latency (all)",
	  &settings.types, 0, 0, false, print_types_parse },
	{ "flow-bytes", 0, OPTION_NUMBER, "BYTES",
	  "a flow_total line for each flow that ended with so many (64K)", &settings.flow_bytes, 0, 0,
	  true, NULL },
	{ "ready-fd", 0, OPTION_NUMBER, "FD", "write a newline there when ready", &settings.ready_fd, 0,
	  1023, false, NULL },
	SANDBOX_OPTION(&settings.no_sandbox),
	{ "verbose", 'v', OPTION_FLAG, NULL, "say on stderr what is done", &settings.verbose, 0, 0, false,
	  NULL },
	{ .name = NULL },
};

/* What the run needs beside the counts. */
struct run {
	struct aggregate aggregate;
	struct input input;
	struct text out;
	size_t sent;		/* of .out */
	int timer;
	uint64_t sequence, last_ns;
	uint64_t ahead_ns;	/* of Unix time, to monotonic time, at the last snapshot */
	unsigned int rewinds;	/* snapshots for which the clock is still looked at */
	u32 flow_totals;	/* lines in this interval */
	bool said[BAD_LINES], stdout_closed, at_end;
	char host[LINE_TEXT_MAX + 1];	/* of lines before a hello */
};

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static int failed(const char *what, int error)
{
	log_error("%s: %s", what, strerror(error));
	return STATUS_FAILED;
}

/* What a write has come to. A closed stdout is a clean end, not a failure. */
static int output_done(struct run *r, int err)
{
	if (err == -EPIPE)
		r->stdout_closed = r->at_end = true;
	else if (err == -ETIMEDOUT)
		fprintf(stderr, "aggregator: nobody took the last lines for %d s; they are lost\n",
			STOP_GRACE_MS / 1000);
	else if (err)
		failed("write to stdout", -err);
	return err && err != -EPIPE ? STATUS_FAILED : STATUS_DONE;
}

/* Writes all of .out, and waits for that. */
static int flush(struct run *r)
{
	int err = 0;

	if (r->out.failed)
		return failed("make a snapshot", ENOMEM);
	if (!r->stdout_closed)
		err = output_write(STDOUT_FILENO, r->out.bytes + r->sent, r->out.length - r->sent);
	r->out.length = r->sent = 0;
	return output_done(r, err);
}

/* Writes what goes at once: who takes a large snapshot slowly does not keep us from reading. */
static int flush_some(struct run *r)
{
	ssize_t n;

	if (r->out.failed || r->stdout_closed || r->out.length - r->sent > PENDING_BYTES)
		return flush(r);
	n = output_some(STDOUT_FILENO, r->out.bytes + r->sent, r->out.length - r->sent);
	if (n < 0)
		return output_done(r, (int)n);
	r->sent += (size_t)n;
	if (r->sent == r->out.length)
		r->out.length = r->sent = 0;
	return STATUS_DONE;
}

/*
 * The clock may be set back, by hours where it was wrong when the machine started. For some
 * snapshots more there may be lines on their way that are of the time before.
 */
static void watch_clock(struct run *r, uint64_t unix_ns, uint64_t monotonic_ns)
{
	uint64_t ahead_ns = unix_ns - monotonic_ns;

	if (r->ahead_ns && ahead_ns + CLOCK_BACK_NS < r->ahead_ns) {
		log_info("the clock was set back: what is shown of the last minutes begins anew");
		r->rewinds = REWINDS;
	}
	r->ahead_ns = ahead_ns;
	if (!r->rewinds)
		return;
	r->rewinds--;
	if (r->aggregate.newest_ns > unix_ns + CLOCK_BACK_NS)
		aggregate_rewind(&r->aggregate, unix_ns);
}

/* It goes out while further lines are read. */
static int write_snapshot(struct run *r, bool final)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), elapsed = now - r->last_ns;
	struct snapshot_request request = {
		.now_ns = clock_ns(CLOCK_REALTIME),
		/* The last interval is cut short; a rate over a few ms would mean nothing. */
		.interval_ns = elapsed > settings.interval_ns ? elapsed : settings.interval_ns,
		.sequence = ++r->sequence,
		.top = (uint32_t)settings.top,
		.final = final,
	};

	watch_clock(r, request.now_ns, now);
	if (settings.types & PRINT_PORT)
		port_lines_write(&r->out, &r->aggregate, &request);
	if (settings.types & PRINT_SNAPSHOT)
		snapshot_write(&r->out, &r->aggregate, &request);
	r->flow_totals = 0;
	aggregate_next_interval(&r->aggregate);
	aggregate_set_clock(&r->aggregate, request.now_ns);
	r->last_ns = now;
	if (settings.verbose)
		log_debug("snapshot %" PRIu64 ": %" PRIu64 " lines, %u flows", r->sequence,
			  r->aggregate.lines, r->aggregate.flows.active);
	return final ? flush(r) : STATUS_DONE;
}

static void pass_on(struct run *r, const char *line, size_t length)
{
	text_bytes(&r->out, line, length);
	text_put(&r->out, "\n");
}

static void take_lines(struct run *r)
{
	enum input_line kind;
	const char *line;
	size_t length;

	while ((kind = input_next(&r->input, &line, &length)) != INPUT_NONE) {
		int why = BAD_TOO_LONG;

		if (kind == INPUT_LINE) {
			if (!length)
				continue;
			why = aggregate_line(&r->aggregate, line, length);
		} else {
			r->aggregate.lines++;
			r->aggregate.bad[BAD_TOO_LONG]++;
		}
		if (why >= 0)
			bad_line_say(r->said, (enum bad_line)why, r->aggregate.lines, line, length);
		else if (r->aggregate.printed & settings.types)
			pass_on(r, line, length);
	}
	aggregate_settle(&r->aggregate);
}

static int read_lines(struct run *r)
{
	int err = input_read(&r->input);

	if (err == -EINTR || err == -EAGAIN)
		return STATUS_DONE;
	if (err)
		return failed("read stdin", -err);
	take_lines(r);
	r->at_end = r->input.at_end;
	return STATUS_DONE;
}

/* Flat out there is always more: the rest is for who is started next. */
static int read_rest(struct run *r)
{
	int err = input_read_rest(&r->input);

	take_lines(r);
	return err ? failed("read stdin", -err) : STATUS_DONE;
}

static bool timer_expired(struct run *r)
{
	uint64_t times;

	return r->timer >= 0 && read(r->timer, &times, sizeof(times)) == sizeof(times);
}

/* What is left of the last one goes out first, and is waited for: back-pressure, not loss. */
static int next_snapshot(struct run *r)
{
	int status = r->out.length ? flush(r) : STATUS_DONE;

	return status == STATUS_DONE && !r->stdout_closed ? write_snapshot(r, false) : status;
}

/* One turn: waits, reads, writes what is due. */
static int turn(struct run *r)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = r->timer, .events = POLLIN },
		/* POLLERR: nobody reads it any more. */
		{ .fd = STDOUT_FILENO, .events = r->out.length ? POLLOUT : 0 },
	};
	int ready = stop_poll(fds, 3, stop_is_wanted() ? QUIET_MS : -1), status = STATUS_DONE;

	if (ready < 0)
		return ready == -EINTR ? STATUS_DONE : failed("wait for input", -ready);
	if (ready == 0 || stop_is_overdue()) {
		r->at_end = true;
		return read_rest(r);
	}
	if (fds[2].revents & (POLLERR | POLLHUP))
		r->stdout_closed = r->at_end = true;
	if (fds[0].revents)
		status = read_lines(r);
	if (status == STATUS_DONE && fds[1].revents && timer_expired(r))
		status = next_snapshot(r);
	if (status == STATUS_DONE && r->out.length)
		status = flush_some(r);
	return status;
}

static int most_bytes_first(const void *one, const void *other)
{
	const struct flow *a = *(const struct flow *const *)one, *b = *(const struct flow *const *)other;

	if (flow_bytes(a) != flow_bytes(b))
		return flow_bytes(a) < flow_bytes(b) ? 1 : -1;
	return memcmp(&a->id, &b->id, sizeof(a->id));
}

static int write_flows(struct run *r)
{
	const struct flow_table *table = &r->aggregate.flows;
	const struct flow **all = malloc((table->active + 1ul) * sizeof(*all));
	int status = STATUS_DONE;
	uint32_t n = 0;

	if (!all)
		return failed("sort the flows", ENOMEM);
	FLOW_EACH_WHILE(table, at, true)
		all[n++] = flow_at(table, at);
	qsort(all, n, sizeof(*all), most_bytes_first);
	for (uint32_t i = 0; i < n && status == STATUS_DONE && !r->stdout_closed; i++) {
		flow_total_write(&r->out, &r->aggregate, all[i]);
		if (r->out.length > FLUSH_BYTES)
			status = flush(r);
	}
	free(all);
	return status == STATUS_DONE ? flush(r) : status;
}

/* With --flows, a flow that has to leave is a line of its own, so that sums stay exact. */
static void write_leaving(const struct flow *flow, void *data)
{
	struct run *r = data;

	flow_total_write(&r->out, &r->aggregate, flow);
}

/* Beside snapshots the large ones are, as many as somebody may want to look through. */
static void write_large(const struct flow *flow, void *data)
{
	struct run *r = data;

	if (flow_bytes(flow) < settings.flow_bytes)
		return;
	if (r->flow_totals == FLOW_TOTALS_MAX) {
		r->aggregate.flow_totals_left_out++;
		return;
	}
	r->flow_totals++;
	r->aggregate.flow_totals++;
	flow_total_write(&r->out, &r->aggregate, flow);
}

/* What is still there at the end of input has ended with it. */
static void write_large_flows(struct run *r)
{
	const struct flow_table *table = &r->aggregate.flows;

	FLOW_EACH_WHILE(table, at, true)
		write_large(flow_at(table, at), r);
}

static int write_end(struct run *r)
{
	if (settings.flows)
		return write_flows(r);
	if (settings.types & PRINT_FLOW_TOTAL)
		write_large_flows(r);
	return write_snapshot(r, true);
}

static int say_hello(struct run *r)
{
	char host[256] = "", line[LINE_MAX_BYTES];
	size_t length;

	gethostname(host, sizeof(host) - 1);
	length = (size_t)(line_put_hello(line, program.name, host, clock_ns(CLOCK_REALTIME)) - line);
	if (!output_outlives_us(STDOUT_FILENO)) {
		text_bytes(&r->out, line, length);
		return flush(r);
	}
	/* Who reads it may be away for long: once we are ready. */
	text_put(&r->out, "\n");
	text_bytes(&r->out, line, length);
	return STATUS_DONE;
}

static int start_timer(struct run *r)
{
	struct timespec every = { (time_t)(settings.interval_ns / NS_PER_S),
				  (long)(settings.interval_ns % NS_PER_S) };
	struct itimerspec spec = { every, every };

	r->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (r->timer < 0 || timerfd_settime(r->timer, 0, &spec, NULL))
		return failed("make a timer", errno);
	return say_hello(r);
}

static int start(struct run *r)
{
	struct aggregate_limits limits = { .flows = (uint32_t)settings.max_flows,
					   .processes = (uint32_t)settings.max_processes,
					   .connections = (uint32_t)settings.max_connections };
	int err;

	if (settings.max_flows == UNSET)
		limits.flows = settings.flows ? 0 : 65536;
	if (settings.idle_ns == UNSET)
		settings.idle_ns = settings.flows ? 0 : 120 * NS_PER_S;
	err = aggregate_init(&r->aggregate, &limits);
	if (!err)
		err = input_init(&r->input, STDIN_FILENO);
	if (err)
		return failed("start", -err);
	input_first_host(STDIN_FILENO, r->host, sizeof(r->host));
	r->aggregate.first_host = (struct line_text){ r->host, strlen(r->host) };
	r->aggregate.idle_ns = settings.idle_ns;
	packet_feed_init(&r->aggregate.feed, settings.interval_ns);
	aggregate_set_clock(&r->aggregate, clock_ns(CLOCK_REALTIME));
	r->last_ns = clock_ns(CLOCK_MONOTONIC);
	r->aggregate.flow_leaves_data = r;
	if (settings.types & PRINT_FLOW_TOTAL)
		r->aggregate.flow_leaves = write_large;
	if (!settings.flows)
		return start_timer(r);
	r->aggregate.flow_leaves = write_leaving;
	settings.types = 0;
	return STATUS_DONE;
}

static int tell_ready(void)
{
	int err = notify_ready(settings.ready_fd);

	return err ? failed("write to --ready-fd", -err) : STATUS_DONE;
}

static int go(struct run *r)
{
	int status;

	stop_install();
	notify_open();
	line_write_init();
	status = start(r);
	if (status == STATUS_DONE && !settings.no_sandbox)
		status = confine(settings.verbose);
	if (status == STATUS_DONE)
		status = tell_ready();
	if (status == STATUS_DONE)
		status = flush(r);
	while (status == STATUS_DONE && !r->at_end)
		status = turn(r);
	if (status == STATUS_DONE && !r->stdout_closed)
		status = write_end(r);
	if (status == STATUS_DONE && close(STDOUT_FILENO) && !r->stdout_closed)
		status = failed("write to stdout", errno);
	return status;
}

int main(int argc, char **argv)
{
	static struct run r = { .timer = -1 };
	int operands, status;

	switch (options_parse(&program, rows, argc, argv, &operands)) {
	case OPTIONS_END:
		return STATUS_DONE;
	case OPTIONS_BAD:
		return STATUS_USAGE;
	case OPTIONS_GO:
		break;
	}
	status = go(&r);
	aggregate_free(&r.aggregate);
	input_free(&r.input);
	text_free(&r.out);
	return status;
}
