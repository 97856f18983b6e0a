/* SPDX-License-Identifier: MIT */
/* Readiness and signs of life, for a shell or systemd. */
#include "common/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/options.h"

#define US_PER_MS 1000
#define STATUS_BYTES 512

static struct {
	int fd;			/* systemd's socket, -1 without */
	int64_t every_ms, due_ms;	/* signs of life; every_ms 0: none wanted */
} notify_state = { .fd = -1 };

static int64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* A path, or with @ a name in the abstract namespace. A connected socket or -1. */
static int connect_to(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = strlen(name);
	int fd;

	if (length >= sizeof(address.sun_path) || (name[0] != '/' && name[0] != '@'))
		return -1;
	memcpy(address.sun_path, name, length);
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address,
			       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Half of what systemd waits, as sd_watchdog_enabled(3) advises; 0 if it does not wait for us. */
static int64_t watchdog_ms(void)
{
	const char *pid_text = getenv("WATCHDOG_PID"), *text = getenv("WATCHDOG_USEC");
	uint64_t pid, us;

	if (!text || options_number(text, 1, INT32_MAX * (uint64_t)US_PER_MS, false, &us))
		return 0;
	if (pid_text && (options_number(pid_text, 1, 0, false, &pid) || pid != (uint64_t)getpid()))
		return 0;
	return us < 2 * US_PER_MS ? 1 : (int64_t)(us / US_PER_MS / 2);
}

void notify_open(void)
{
	const char *name = getenv("NOTIFY_SOCKET");

	if (name)
		notify_state.fd = connect_to(name);
	if (notify_state.fd >= 0)
		notify_state.every_ms = watchdog_ms();
	notify_state.due_ms = 0;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

/* A message that finds no room is not repeated: the next sign of life says as much. */
static void tell(const char *text)
{
	ssize_t ignored = write(notify_state.fd, text, strlen(text));

	(void)ignored;
}

int notify_ready(uint64_t ready_fd)
{
	int err = 0;

	if (notify_state.fd >= 0)
		tell("READY=1");
	if (ready_fd == NOTIFY_NO_FD)
		return 0;
	if (write((int)ready_fd, "\n", 1) != 1)
		err = -errno;
	close((int)ready_fd);
	return err;
}

void notify_status(const char *what, const char *why)
{
	char text[STATUS_BYTES];

	if (notify_state.fd < 0)
		return;
	snprintf(text, sizeof(text), "STATUS=%s%s", what, why);
	/* A newline would begin another assignment. */
	for (char *c = text; *c; c++)
		if (*c == '\n')
			*c = ' ';
	tell(text);
}

void notify_alive(void)
{
	int64_t now_ms;

	if (!notify_state.every_ms)
		return;
	now_ms = monotonic_ms();
	if (now_ms < notify_state.due_ms)
		return;
	notify_state.due_ms = now_ms + notify_state.every_ms;
	tell("WATCHDOG=1");
}

int notify_wait_ms(void)
{
	int64_t left_ms;

	if (!notify_state.every_ms)
		return -1;
	left_ms = notify_state.due_ms - monotonic_ms();
	return left_ms < 1 ? 1 : (int)left_ms;
}
