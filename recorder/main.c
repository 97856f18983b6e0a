/* SPDX-License-Identifier: MIT */
/* recorder: stdin to stdout unchanged, and on the way into a database. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/bad_line.h"
#include "common/line_input.h"
#include "common/line_write.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/options.h"
#include "common/output.h"
#include "common/sandbox_main.h"
#include "common/status.h"
#include "common/stop.h"
#include "recorder/confine.h"
#include "recorder/outlet.h"
#include "recorder/record.h"
#include "recorder/retain.h"

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull
#define PATH_MAX_BYTES 4096
/* After a signal, what still comes is read until so long nothing comes. */
#define QUIET_MS 300
#define STATE_LINE_MAX 1024

static struct {
	const char *db;
	struct retention retention;
	u64 interval_ns, pass_for_ns, ready_fd;
	bool waits, no_sandbox, verbose;
} settings = {
	.interval_ns = 10 * NS_PER_S,
	.ready_fd = NOTIFY_NO_FD,
};

static const struct program_info program = {
	.name = "recorder",
	.operands = "",
	.purpose = "Copies lines from stdin to stdout unchanged, and keeps what they say in a\n"
		   "database. It stands between aggregator and httpd; report asks it.",
};

static const struct option_row rows[] = {
	{ "db", 'd', OPTION_STRING, "FILE", "the database (SQLite); made if there is none",
	  &settings.db, 0, 0, false, NULL },
	{ "retain", 'r', OPTION_PARSED, "POLICY",
	  "how long: raw=1h,minutes=48h,hours=35d,days=25mo,flows=7d (these)",
	  &settings.retention, 0, 0, false, retain_parse },
	{ "max-size", 's', OPTION_NUMBER, "BYTES",
	  "of the database: beyond, flows and the oldest of the finest tiers leave (no limit)",
	  &settings.retention.max_bytes, 1 << 20, 0, true, NULL },
	{ "interval", 'i', OPTION_SECONDS, "SECONDS", "between transactions (10)",
	  &settings.interval_ns, NS_PER_S / 10, 3600 * NS_PER_S, false, NULL },
	{ "wait", 'w', OPTION_FLAG, NULL,
	  "for a slow disk, rather than leave rows out: for recordings; so it is with a file as stdin",
	  &settings.waits, 0, 0, false, NULL },
	{ "pass-for", 0, OPTION_SECONDS, "SECONDS",
	  "where the database cannot be opened: pass lines so long, then end with status 1 (0)",
	  &settings.pass_for_ns, 0, 86400 * NS_PER_S, false, NULL },
	{ "ready-fd", 0, OPTION_NUMBER, "FD", "write a newline there when ready",
	  &settings.ready_fd, 0, 1023, false, NULL },
	SANDBOX_OPTION(&settings.no_sandbox),
	{ "verbose", 'v', OPTION_FLAG, NULL, "say on stderr what is done", &settings.verbose, 0, 0,
	  false, NULL },
	{ .name = NULL },
};

static int failed(const char *what, const char *why)
{
	log_error("%s: %s", what, why);
	return STATUS_FAILED;
}

/* What could not be used, and why. */
struct trouble {
	const char *what, *why;
};

static bool trouble(struct trouble *ret, const char *what, const char *why)
{
	*ret = (struct trouble){ what, why };
	return false;
}

/* Two of them would count everything twice. The lock goes with the process. */
static bool lock_database(struct trouble *ret)
{
	static char path[PATH_MAX_BYTES];
	int fd;

	if (snprintf(path, sizeof(path), "%s.lock", settings.db) >= (int)sizeof(path))
		return trouble(ret, settings.db, strerror(ENAMETOOLONG));
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return trouble(ret, path, strerror(errno));
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return true;
	if (errno == EWOULDBLOCK)
		return trouble(ret, settings.db,
			       "another recorder writes it; end that one, or give another --db");
	return trouble(ret, path, strerror(errno));
}

/* Nobody writes it while it is read. */
static bool is_file(int fd)
{
	struct stat s;

	return !fstat(fd, &s) && S_ISREG(s.st_mode);
}

static bool open_database(struct record *r, struct trouble *ret)
{
	enum store_status status;
	const char *why;

	/* Who may read what everybody did on the network is for the folder and group to say. */
	umask(umask(0) | 0027);
	if (!lock_database(ret))
		return false;
	status = writer_open(&r->writer, settings.db, &settings.retention, &why);
	if (status != STORE_OK)
		return trouble(ret, settings.db, store_complaint(status, why));
	r->path = settings.db;
	r->interval_ns = settings.interval_ns;
	r->waits = settings.waits || is_file(STDIN_FILENO);
	r->no_sandbox = settings.no_sandbox;
	r->verbose = settings.verbose;
	return true;
}

/* ---- passing on ------------------------------------------------------------ */

struct pass {
	struct record *record;
	u64 until_ns;		/* nothing is kept, and this is the end of it; 0: all is */
	u64 not_kept;		/* lines */
	struct input input;
	struct outlet outlet;
	bool at_end, stdout_closed;
	bool is_mid_line;	/* what was passed last has no newline yet */
	u64 lost_said;		/* what the last line of ours said was lost, or left out */
	bool failing_said;
	u64 lines, too_long;
	bool bad_said[BAD_LINES];
};

static int write_out(struct pass *p, const char *bytes, size_t length)
{
	int err = p->stdout_closed ? 0 : outlet_write(&p->outlet, bytes, length);

	if (err == -EPIPE)
		p->stdout_closed = p->at_end = true;
	else if (err == -ETIMEDOUT)
		return failed("write to stdout", "nobody took the last lines");
	else if (err)
		return failed("write to stdout", strerror(-err));
	return STATUS_DONE;
}

/* Bad lines are not ours to lose: of them nobody behind is told for their own sake. */
static u64 bad_lines(const struct pass *p)
{
	return record_state(p->record).bad_lines + p->too_long;
}

/* When something is lost, or was, those behind are told: what is passed stays as it is. */
static int write_state(struct pass *p)
{
	struct record_state state = record_state(p->record);
	u64 lost = state.rows_lost + state.flows_lost + state.lines_lost + p->outlet.left_out;
	char line[STATE_LINE_MAX], *at = line;
	struct timespec now;

	if ((lost == p->lost_said && state.failing == p->failing_said) || p->outlet.is_away)
		return STATUS_DONE;
	p->lost_said = lost;
	p->failing_said = state.failing;
	clock_gettime(CLOCK_REALTIME, &now);
	/* The last line of all may have no end. */
	at += sprintf(at, "%s{\"type\":\"recorder\",\"timestamp\":", p->is_mid_line ? "\n" : "");
	at = line_put_time(at, (u64)now.tv_sec * NS_PER_S + (u64)now.tv_nsec);
	at += sprintf(at, ",\"failing\":%s,\"why\":", state.failing ? "true" : "false");
	if (state.failing)
		at = line_put_string(at, state.why, strnlen(state.why, 100));
	else
		at += sprintf(at, "null");
	at += sprintf(at, ",\"rows_lost\":%" PRIu64 ",\"flows_lost\":%" PRIu64 ",\"lines_lost\":%" PRIu64
		      ",\"lines_left_out\":%" PRIu64 ",\"bad_lines\":%" PRIu64 "}\n", state.rows_lost,
		      state.flows_lost, state.lines_lost, p->outlet.left_out, bad_lines(p));
	return write_out(p, line, (size_t)(at - line));
}

/* Snapshots are as long as they are: they pass, and are not for us. Other long lines pass, too. */
static void note_long_line(struct pass *p, const char *line, size_t length)
{
	if (!lines_wants(line, length))
		return;
	p->too_long++;
	bad_line_say(p->bad_said, BAD_TOO_LONG, p->lines + 1, line, length);
}

static void keep_line(struct pass *p, const char *line, size_t length)
{
	if (p->until_ns)
		p->not_kept++;
	else
		queue_add(&p->record->queue, line, length);
}

static void keep_lines(struct pass *p)
{
	enum input_line kind;
	const char *line;
	size_t length;

	for (; (kind = input_next(&p->input, &line, &length)) != INPUT_NONE; p->lines++)
		if (kind == INPUT_TOO_LONG)
			note_long_line(p, line, length);
		else if (lines_wants(line, length))
			keep_line(p, line, length);
	if (!p->until_ns)
		queue_wake(&p->record->queue);
}

/* Where the last line in bytes ends: behind that, a line of ours may stand. */
static size_t whole_lines(const char *bytes, size_t length)
{
	const char *last = memrchr(bytes, '\n', length);

	return last ? (size_t)(last - bytes) + 1 : 0;
}

/* What was read since there were so many bytes. */
static int pass_new(struct pass *p, size_t before)
{
	const char *bytes = p->input.buffer + p->input.begin + before;
	size_t length = p->input.end - p->input.begin - before, whole = whole_lines(bytes, length);
	int status;

	p->is_mid_line &= !whole;
	status = write_out(p, bytes, whole);
	if (status == STATUS_DONE && whole)
		status = write_state(p);
	if (status == STATUS_DONE)
		status = write_out(p, bytes + whole, length - whole);
	p->is_mid_line |= whole < length;
	keep_lines(p);
	return status;
}

static int pass_bytes(struct pass *p)
{
	size_t before = p->input.end - p->input.begin;
	int err = input_read(&p->input);

	if (err == -EINTR || err == -EAGAIN)
		return STATUS_DONE;
	if (err)
		return failed("read stdin", strerror(-err));
	p->at_end = p->input.at_end;
	return pass_new(p, before);
}

/* When more comes all the time: the rest is for who is started next. */
static int pass_rest(struct pass *p)
{
	size_t before = p->input.end - p->input.begin;
	int err = input_read_rest(&p->input);

	return err ? failed("read stdin", strerror(-err)) : pass_new(p, before);
}

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * NS_PER_S + (u64)t.tv_nsec;
}

/* How long nothing may come before that is the end; -1: for ever. */
static int patience_ms(const struct pass *p)
{
	u64 now = p->until_ns ? now_ns() : 0;

	if (stop_is_wanted())
		return QUIET_MS;
	if (!p->until_ns)
		return -1;
	return now < p->until_ns ? (int)((p->until_ns - now) / NS_PER_MS + 1) : 0;
}

static int turn(struct pass *p)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = STDOUT_FILENO },	/* POLLERR: nobody reads it any more */
	};
	int wait_ms = patience_ms(p), ready = stop_poll(fds, 2, wait_ms);

	if (ready < 0)
		return ready == -EINTR ? STATUS_DONE : failed("wait for input", strerror(-ready));
	if (ready == 0 || wait_ms == 0 || stop_is_overdue()) {
		p->at_end = true;
		return pass_rest(p);
	}
	if (fds[1].revents & (POLLERR | POLLHUP))
		p->stdout_closed = p->at_end = true;
	return fds[0].revents && !p->at_end ? pass_bytes(p) : STATUS_DONE;
}

static int tell_ready(void)
{
	int err = notify_ready(settings.ready_fd);

	return err ? failed("write to --ready-fd", strerror(-err)) : STATUS_DONE;
}

static int pass_all(struct pass *p)
{
	int status = settings.no_sandbox ? STATUS_DONE : confine_passing(settings.verbose);

	if (status == STATUS_DONE)
		status = tell_ready();
	if (status == STATUS_DONE && output_outlives_us(STDOUT_FILENO))
		status = write_out(p, "\n", 1);
	while (status == STATUS_DONE && !p->at_end)
		status = turn(p);
	return status;
}

static int begin(struct pass *p)
{
	stop_install();
	notify_open();
	line_write_init();
	outlet_init(&p->outlet, STDOUT_FILENO);
	return input_init(&p->input, STDIN_FILENO);
}

static int end(struct pass *p, int status)
{
	if (write_state(p) != STATUS_DONE)
		status = STATUS_FAILED;
	if (bad_lines(p))
		log_warning("%" PRIu64 " of %" PRIu64 " lines were passed on, but not kept", bad_lines(p),
			    p->lines);
	input_free(&p->input);
	if (status == STATUS_DONE && close(STDOUT_FILENO) && !p->stdout_closed)
		status = failed("write to stdout", strerror(errno));
	return status;
}

static int go(struct record *r)
{
	struct pass pass = { .record = r };
	int status, err = begin(&pass);

	if (!err)
		err = record_start(r);
	if (err) {
		input_free(&pass.input);
		return failed("start", strerror(-err));
	}
	status = pass_all(&pass);
	if (!record_stop(r))
		status = STATUS_FAILED;
	return end(&pass, status);
}

/* What is live goes on; whoever starts us again after that has the database tried again. */
static int go_without(struct record *r, const struct trouble *trouble)
{
	struct pass pass = { .record = r, .until_ns = now_ns() + settings.pass_for_ns };
	unsigned long long seconds = settings.pass_for_ns / NS_PER_S;
	char said[PATH_MAX_BYTES + STATE_LINE_MAX];
	int err = begin(&pass);

	if (err) {
		input_free(&pass.input);
		return failed("start", strerror(-err));
	}
	snprintf(said, sizeof(said), "%s: %s", trouble->what, trouble->why);
	log_error("%s; for %llu s lines pass, and nothing is kept", said, seconds);
	notify_status("nothing is kept: ", said);
	r->state.failing = true;
	r->state.why = trouble->why;
	pass_all(&pass);
	r->state.lines_lost = pass.not_kept;
	end(&pass, STATUS_FAILED);
	return STATUS_FAILED;
}

int main(int argc, char **argv)
{
	static struct record record;
	struct trouble trouble;
	int operands, status;

	settings.retention = retain_default();
	switch (options_parse(&program, rows, argc, argv, &operands)) {
	case OPTIONS_END:
		return STATUS_DONE;
	case OPTIONS_BAD:
		return STATUS_USAGE;
	case OPTIONS_GO:
		break;
	}
	if (!settings.db) {
		failed("--db FILE", "is missing: where to keep what comes");
		return STATUS_USAGE;
	}
	if (open_database(&record, &trouble))
		status = go(&record);
	else if (settings.pass_for_ns)
		status = go_without(&record, &trouble);
	else
		status = failed(trouble.what, trouble.why);
	writer_close(&record.writer);
	return status;
}
