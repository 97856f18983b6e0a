/* SPDX-License-Identifier: MIT */
/* A process that leaves the terminal as it was when ours cannot. */
#include "top/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "top/confine.h"

static bool same_modes(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	       a->c_lflag == b->c_lflag && !memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc));
}

void terminal_give_back(const struct terminal *terminal, const struct termios *only)
{
	struct termios now;

	if (!only || (!tcgetattr(terminal->fd, &now) && same_modes(&now, only)))
		tcsetattr(terminal->fd, TCSANOW, &terminal->before);
	if (write(terminal->fd, terminal->reset, terminal->reset_length) < 0)
		return;	/* it is gone */
}

/*
 * A group of its own: what ends ours, a shell's kill -9 %1, leaves it. Not a session of its
 * own: that has a scheduling group too (sched(7), autogroup), and what a shell writes when
 * we were killed was then before what is written here in 47 of 100 cases on a busy machine,
 * not in 8, and left the screen with ours.
 */
static void stand_apart(void)
{
	/* SIGTTOU: it may write though it is in the background. */
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTTOU, SIGPIPE };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], SIG_IGN);
	setpgid(0, 0);
	/* Not named as we are: `pkill top` ends one of the two. */
	prctl(PR_SET_NAME, "jopil-terminal");
}

static void watch(int fd, const struct terminal *terminal)
{
	struct termios ours;
	char state = WATCHDOG_AWAY, word;
	ssize_t n;

	while ((n = read(fd, &word, 1)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			state = word;
		if (n > 0 && word == WATCHDOG_HERE && tcgetattr(terminal->fd, &ours))
			state = WATCHDOG_AWAY;
	}
	/* Whoever set other modes meanwhile, a shell, wants those: only ours are taken back. */
	if (state != WATCHDOG_AWAY)
		terminal_give_back(terminal, state == WATCHDOG_HERE ? &ours : NULL);
}

/* A pipe that is kept open here would not end with those who use it: the two only. */
static void work(int fd, struct terminal terminal)
{
	stand_apart();
	if (dup2(terminal.fd, 0) == 0 && dup2(fd, 1) == 1 && !close_range(2, ~0u, 0)) {
		terminal.fd = 0;
		if (!confine_watchdog())
			watch(1, &terminal);
	}
	_exit(0);
}

int watchdog_start(struct watchdog *dog, const struct terminal *terminal)
{
	int fds[2];

	dog->fd = -1;
	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	dog->pid = fork();
	if (dog->pid < 0) {
		int err = -errno;

		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (!dog->pid) {
		close(fds[1]);
		work(fds[0], *terminal);
	}
	close(fds[0]);
	dog->fd = fds[1];
	dog->last = WATCHDOG_AWAY;
	return 0;
}

void watchdog_tell(struct watchdog *dog, enum watchdog_word word)
{
	char c = (char)word;

	dog->last = word;
	if (dog->fd >= 0 && write(dog->fd, &c, 1) != 1) {
		close(dog->fd);	/* it is gone: then without */
		dog->fd = -1;
	}
}

void watchdog_stop(struct watchdog *dog)
{
	if (dog->fd < 0)
		return;
	close(dog->fd);
	dog->fd = -1;
	if (dog->last == WATCHDOG_AWAY)
		waitpid(dog->pid, NULL, 0);
}
