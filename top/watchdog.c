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

static bool same_modes(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
	       a->c_lflag == b->c_lflag && !memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc));
}

/* Whoever set other modes meanwhile, a shell, wants those: only ours are taken back. */
static void restore(int terminal, const struct termios *before, const struct termios *ours,
		    const char *reset, size_t length)
{
	struct termios now;

	if (!tcgetattr(terminal, &now) && same_modes(&now, ours))
		tcsetattr(terminal, TCSANOW, before);
	if (write(terminal, reset, length) < 0)
		return;	/* the terminal is gone */
}

static void ignore_signals(void)
{
	/* What ends or stops the group must not end this one first. SIGTTOU: it is in the background. */
	static const int numbers[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTOU, SIGTTIN, SIGPIPE };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		signal(numbers[i], SIG_IGN);
}

static void watch(int fd, int terminal, const struct termios *before, const char *reset, size_t length)
{
	struct termios ours;
	bool here = false;
	char word;
	ssize_t n;

	while ((n = read(fd, &word, 1)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			here = word == WATCHDOG_HERE && !tcgetattr(terminal, &ours);
	}
	if (here)
		restore(terminal, before, &ours, reset, length);
	_exit(0);
}

int watchdog_start(struct watchdog *dog, int terminal, const struct termios *before,
		   const char *reset, size_t length)
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
		ignore_signals();
		prctl(PR_SET_NAME, "top-watchdog");
		/* A pipe that is read or written here would not end with those who use it. */
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		watch(fds[0], terminal, before, reset, length);
	}
	close(fds[0]);
	dog->fd = fds[1];
	return 0;
}

void watchdog_tell(struct watchdog *dog, enum watchdog_word word)
{
	char c = (char)word;

	if (dog->fd >= 0 && write(dog->fd, &c, 1) != 1) {
		close(dog->fd);	/* it is gone: then without */
		dog->fd = -1;
	}
}

void watchdog_stop(struct watchdog *dog)
{
	if (dog->fd < 0)
		return;
	watchdog_tell(dog, WATCHDOG_AWAY);
	if (dog->fd >= 0)
		close(dog->fd);
	dog->fd = -1;
	waitpid(dog->pid, NULL, 0);
}
