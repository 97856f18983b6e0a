/* SPDX-License-Identifier: MIT */
/* Processes that do for httpd what it gives up. */
#include "httpd/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "httpd/privilege.h"

#define RESTART_SECONDS 2	/* after a crash: what crashes at once would be all that it does */
#define LOOK_SECONDS 1		/* whether httpd is still there */
#define DESCRIPTORS 128

/* Ends with its parent; false if that is gone already. */
static bool follow(pid_t parent)
{
	return !prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) && getppid() == parent;
}

static int work(const struct child *child, pid_t parent)
{
	return follow(parent) ? child->work(child->closure) : EXIT_FAILURE;
}

/* There is one, so that the end of a child wakes us. */
static void on_child(int number)
{
	(void)number;
}

/*
 * Waits for the end of a child, or of the parent: one that is stopped, or waits for a disk that
 * does not answer, would keep us for ever. Whether it was the child's.
 */
static bool wait_for(pid_t pid, pid_t parent, int *ret_status)
{
	struct timespec look = { .tv_sec = LOOK_SECONDS };

	while (getppid() == parent) {
		if (waitpid(pid, ret_status, WNOHANG))
			return true;
		nanosleep(&look, NULL);
	}
	return false;
}

/*
 * Starts what answers, and starts it again when it crashes. The signal that PR_SET_PDEATHSIG asks
 * for does not reach it when httpd's Landlock keeps signals in: it looks for itself. What it
 * started ends with it.
 */
static int keep(const struct child *child, pid_t parent)
{
	struct timespec pause = { .tv_sec = RESTART_SECONDS };
	pid_t self = getpid(), pid;
	int status = 0;

	while (getppid() == parent) {
		pid = fork();
		if (!pid)
			_exit(work(child, self));
		if (pid > 0 && (!wait_for(pid, parent, &status) ||
				(WIFEXITED(status) && !WEXITSTATUS(status))))
			return EXIT_SUCCESS;
		nanosleep(&pause, NULL);
	}
	return EXIT_SUCCESS;
}

static int become(const char *name)
{
	struct privilege_user user;
	const char *step;
	int err;

	if (geteuid() && getuid())
		return privilege_no_new();
	err = name ? privilege_find(name, &user) : -EPERM;
	if (!err)
		err = privilege_drop(&user, &step);
	return err ? err : privilege_no_new();
}

/* Leaves the socket as CHILD_FD, and stderr, for what a sanitizer or the C library may have to say. */
static int keep_descriptors(int fd)
{
	struct rlimit descriptors = { DESCRIPTORS, DESCRIPTORS }, none = { 0, 0 };
	int null;

	if (fd != CHILD_FD && dup2(fd, CHILD_FD) < 0)
		return -errno;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return -errno;
	if (close_range(CHILD_FD + 1, ~0U, 0) || setrlimit(RLIMIT_NOFILE, &descriptors) ||
	    setrlimit(RLIMIT_CORE, &none))
		return -errno;
	return 0;
}

/* Who started it says what goes wrong with the user; all else is an answer that never comes. */
static int run(const struct child *child, pid_t parent, int fd)
{
	struct sigaction ends = { .sa_handler = on_child };

	sigaction(SIGCHLD, &ends, NULL);
	prctl(PR_SET_NAME, child->name, 0, 0, 0);
	/* After the last change of the user, which would forget whom to follow. */
	if (keep_descriptors(fd) || become(child->user) || !follow(parent) ||
	    child->confine(child->closure))
		return EXIT_FAILURE;
	return keep(child, parent);
}

int child_start(const struct child *child, int *ret_fd)
{
	pid_t self = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	/* Whatever becomes of it, nobody has to wait for it. */
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (!pid)
		_exit(run(child, self, pair[1]));
	if (pid < 0) {
		int err = -errno;

		close(pair[0]);
		close(pair[1]);
		return err;
	}
	close(pair[1]);
	*ret_fd = pair[0];
	return 0;
}
