/* SPDX-License-Identifier: MIT */
/* Stdin: lines of which the snapshots are published. */
#include "httpd/input.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_BYTES (1024 * 1024)	/* what every user may ask for (fs.pipe-max-size) */

static void end_input(struct server *server)
{
	if (server->input_ended)
		return;
	server->input_ended = true;
	if (!server->input_always_ready)
		server_unwatch(server, &server->input);
}

static void read_input(struct server *server)
{
	size_t size;
	char *data = intake_space(&server->intake, &size);
	ssize_t got;

	/* Without memory the bytes stay in the pipe until there is some. */
	if (!data)
		return;
	got = read(server->input.fd, data, size);
	if (got > 0)
		intake_filled(&server->intake, (size_t)got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		end_input(server);
}

static void input_ready(struct server *server, struct watch *watch, uint32_t events)
{
	(void)watch;
	(void)events;
	server->input_readable = true;
}

int input_start(struct server *server)
{
	struct stat status;
	int fd = server->config.input_fd, err;

	intake_init(&server->intake, bounds_limit(&server->bounds, BOUND_LINE_BYTES));
	if (fstat(fd, &status))
		return -errno;
	/* A terminal is left as it is: the shell shares its flags. */
	if (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)) {
		if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
			return -errno;
		fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
	}
	server->input = (struct watch){ .fd = fd, .ready = input_ready };
	err = server_watch(server, &server->input, EPOLLIN);
	if (err != -EPERM)
		return err;
	server->input_always_ready = true;
	return 0;
}

/* Snapshots come and go in all sizes, and leave pages behind that hold little: not for months. */
#define SNAPSHOTS_A_TRIM 8

static void publish_shot(struct server *server, struct shot *shot)
{
	shot_unref(server->shot);
	server->shot = shot;
	ledger_take(&server->ledger, shot);
	history_take(&server->history, shot);
	server->snapshot_ms = server_now_ms();
	server->stale_told = false;
	server->counters.snapshots++;
	feed_publish(&server->feed, shot, server->snapshot_ms);
	server_wake_streams(server);
	if (server->counters.snapshots % SNAPSHOTS_A_TRIM == 0)
		malloc_trim(0);
}

static void pass_over(struct server *server, enum bad_line why, struct slice line)
{
	server->counters.bad_lines++;
	bad_line_say(server->bad_said, why, server->counters.lines, line.data, line.length);
}

/* Whether it was a snapshot. */
static bool take_line(struct server *server, struct slice line)
{
	struct shot *shot;

	if (!line.length)
		return false;
	server->counters.lines++;
	switch (shot_parse(line, &shot)) {
	case SHOT_SNAPSHOT:
		publish_shot(server, shot);
		return true;
	case SHOT_OTHER:
		server->counters.other_lines++;
		break;
	case SHOT_NOT_JSON:
		pass_over(server, BAD_JSON, line);
		break;
	case SHOT_BAD:
		pass_over(server, BAD_TYPE, line);
		break;
	case SHOT_NO_MEMORY:
		server->counters.bad_lines++;
		break;
	}
	return false;
}

static void count_too_long(struct server *server)
{
	for (; server->intake.too_long; server->intake.too_long--) {
		server->counters.lines++;
		pass_over(server, BAD_TOO_LONG, (struct slice){ "", 0 });
		bounds_hit(&server->bounds, BOUND_LINE_BYTES);
	}
}

static void tell_end(struct server *server)
{
	if (server->stale_told || !server_is_stale(server))
		return;
	server->stale_told = true;
	feed_tell_stale(&server->feed);
	server_wake_streams(server);
}

static bool take_lines(struct server *server)
{
	struct slice line;
	bool snapshot = false;

	while (!snapshot && intake_line(&server->intake, server->input_ended, &line))
		snapshot = take_line(server, line);
	count_too_long(server);
	return snapshot;
}

bool input_turn(struct server *server)
{
	bool readable = server->input_readable || server->input_always_ready;
	bool snapshot = take_lines(server);

	/* Read only when all that was read is used up: what is not read yet waits in the pipe. */
	if (!snapshot && readable && !server->input_ended) {
		read_input(server);
		snapshot = take_lines(server);
	}
	server->input_readable = false;
	if (!snapshot)
		tell_end(server);
	return snapshot || (server->input_always_ready && !server->input_ended);
}
