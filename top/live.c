/* SPDX-License-Identifier: MIT */
/* The full screen: until a key or a signal ends it. */
#include "top/live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "top/compose.h"
#include "top/confine.h"
#include "top/keys.h"
#include "top/screen.h"

#define TICK_MS 1000		/* how old the snapshot is, is shown so often */
#define PACE_MS 100		/* between two snapshots: nobody reads faster, and to parse one is dear */
#define FILLS_MAX 64		/* reads before keys are looked at again */

struct live {
	struct feed *feed;
	struct model *model;
	struct frame frame;
	int signals;		/* signalfd */
	char *newest;		/* text of a snapshot that is not parsed yet; NULL: none */
	size_t newest_length;
	int64_t came_ms;	/* when the newest came */
	int64_t parsed_ms;	/* when the last one was parsed */
	bool dirty, end;
	const char *why;	/* what did not work, if something did not */
};

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* From here on signals are only read. */
static int open_signals(void)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static void take_signals(struct live *live)
{
	struct signalfd_siginfo info;

	while (read(live->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGTSTP:
			screen_suspend();
			break;
		case SIGCONT:
			screen_come_back();
			break;
		case SIGWINCH:
			break;
		default:
			live->end = true;
		}
		live->dirty = true;
	}
}

static int take_keys(struct live *live)
{
	int key, err = 0;

	while (!err && !live->end && (key = screen_key()) != SCREEN_NO_KEY) {
		if (key < 0)
			live->end = true;
		else
			keys_press(live->model, key);
		live->end |= live->model->over;
		live->dirty = true;
		err = model_update(live->model);
	}
	return err;
}

/* Only the newest line is kept: none is parsed before there is time for it. */
static int keep_newest(struct live *live)
{
	const char *line, *last = NULL;
	size_t length, last_length = 0;
	char *copy;

	while ((line = feed_next(live->feed, &length))) {
		last = line;
		last_length = length;
	}
	live->dirty |= live->feed->ended;
	if (!last)
		return 0;
	copy = realloc(live->newest, last_length);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, last, last_length);
	live->newest = copy;
	live->newest_length = last_length;
	live->came_ms = now_ms();
	return 0;
}

static int take_lines(struct live *live)
{
	struct pollfd in = { .fd = live->feed->fd, .events = POLLIN };

	for (int i = 0; i < FILLS_MAX && !live->feed->ended; i++) {
		int err;

		if (i && poll(&in, 1, 0) <= 0)
			break;
		err = feed_fill(live->feed);
		if (err == -EINTR || err == -EAGAIN)
			break;
		if (!err)
			err = keep_newest(live);
		if (err)
			return err;
	}
	return 0;
}

static int parse_newest(struct live *live)
{
	json_t *snapshot;

	if (!live->newest || live->model->paused || now_ms() - live->parsed_ms < PACE_MS)
		return 0;
	live->parsed_ms = now_ms();
	snapshot = feed_parse(live->feed, live->newest, live->newest_length);
	free(live->newest);
	live->newest = NULL;
	live->dirty = true;
	return snapshot ? model_take(live->model, snapshot) : 0;
}

static int draw(struct live *live)
{
	struct feed *feed = live->feed;
	struct feed_facts facts = {
		.ended = feed->ended,
		.trouble = feed->connect[0] ? feed->connect : feed->recorder[0] ? feed->recorder : NULL,
		.age_ms = (double)(now_ms() - live->came_ms),
		.unread = feed->unread,
	};
	int rows, columns;

	if (!live->dirty || !screen_is_ready())
		return 0;
	screen_size(&rows, &columns);
	if (frame_init(&live->frame, rows, columns))
		return -ENOMEM;
	compose_screen(&live->frame, live->model, &facts);
	screen_show(&live->frame);
	live->dirty = false;
	return 0;
}

static int wait_ms(const struct live *live)
{
	int64_t since = now_ms() - live->parsed_ms;

	return live->newest && !live->model->paused && since < PACE_MS ? (int)(PACE_MS - since) : TICK_MS;
}

static int turn(struct live *live)
{
	struct pollfd fds[] = {
		{ .fd = live->signals, .events = POLLIN },
		{ .fd = screen_fd(), .events = POLLIN },
		{ .fd = live->feed->ended ? -1 : live->feed->fd, .events = POLLIN },
	};
	int ready = poll(fds, 3, wait_ms(live)), err = 0;

	if (ready < 0 && errno != EINTR)
		return -errno;
	if (ready <= 0)
		live->dirty = true;
	take_signals(live);
	if (!live->end && ready > 0 && fds[1].revents)
		err = take_keys(live);
	if (!err && !live->end && ready > 0 && fds[2].revents) {
		err = take_lines(live);
		live->why = err ? "input" : live->why;
	}
	if (!err && !live->end)
		err = parse_newest(live);
	return err;
}

int live_run(struct feed *feed, struct model *model, const char **ret_why)
{
	struct live live = {
		.feed = feed, .model = model, .dirty = true, .came_ms = now_ms(), .why = "the picture",
	};
	int err;

	live.signals = open_signals();
	if (live.signals < 0) {
		*ret_why = "signals cannot be read";
		return live.signals;
	}
	err = screen_open(ret_why);
	if (!err) {
		err = confine_showing();
		*ret_why = "enter the sandbox; --no-sandbox goes without";
	}
	while (!err && !live.end) {
		err = draw(&live);
		if (!err)
			err = turn(&live);
		if (err)
			*ret_why = live.why;
	}
	screen_close();
	close(live.signals);
	frame_free(&live.frame);
	free(live.newest);
	return err;
}
