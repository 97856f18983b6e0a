/* SPDX-License-Identifier: MIT */
/* The process that looks names up: it alone may open sockets and read the system's resolver configuration. */
#include "httpd/resolver_process.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "httpd/hostname.h"
#include "httpd/privilege.h"
#include "httpd/resolver_sandbox.h"

#define RESTART_SECONDS 2	/* after a crash: what crashes at once would be all that it does */
#define STACK_BYTES (512 * 1024)
#define DESCRIPTORS 128
#define SOCKET_FD 3		/* after 0, 1 and 2 */

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* ---- one question ---------------------------------------------------------- */

static socklen_t to_socket_address(const struct address *address, union socket_address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (address->version == 6) {
		ret->v6.sin6_family = AF_INET6;
		memcpy(&ret->v6.sin6_addr, address->bytes, sizeof(ret->v6.sin6_addr));
		return sizeof(ret->v6);
	}
	ret->v4.sin_family = AF_INET;
	memcpy(&ret->v4.sin_addr, address->bytes, sizeof(ret->v4.sin_addr));
	return sizeof(ret->v4);
}

static bool is_address(const struct sockaddr *found, const struct address *address)
{
	union socket_address other;

	if (found->sa_family == AF_INET6 && address->version == 6) {
		memcpy(&other.v6, found, sizeof(other.v6));
		return !memcmp(&other.v6.sin6_addr, address->bytes, sizeof(other.v6.sin6_addr));
	}
	if (found->sa_family == AF_INET && address->version == 4) {
		memcpy(&other.v4, found, sizeof(other.v4));
		return !memcmp(&other.v4.sin_addr, address->bytes, sizeof(other.v4.sin_addr));
	}
	return false;
}

/* Whoever owns an address chooses its name; only the owner of the name can make it lead back. */
static bool leads_back(const char *name, const struct address *address)
{
	struct addrinfo hints = {
		.ai_family = address->version == 6 ? AF_INET6 : AF_INET,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found;
	bool result = false;

	if (getaddrinfo(name, NULL, &hints, &found))
		return false;
	for (struct addrinfo *one = found; one && !result; one = one->ai_next)
		result = is_address(one->ai_addr, address);
	freeaddrinfo(found);
	return result;
}

static void answer_question(const struct name_question *question, struct name_answer *answer)
{
	union socket_address address;
	socklen_t size = to_socket_address(&question->address, &address);
	char name[NI_MAXHOST];
	int err = getnameinfo(&address.any, size, name, sizeof(name), NULL, 0, NI_NAMEREQD);
	size_t length = err ? 0 : strlen(name);

	*answer = (struct name_answer){ .number = question->number, .kind = NAME_FOUND };
	if (err || length > sizeof(answer->name) - 1) {
		answer->kind = err == EAI_NONAME || !err ? NAME_NONE : NAME_FAILED;
		return;
	}
	memcpy(answer->name, name, length);
	answer->length = (uint8_t)length;
	/* What is no host name is refused by the one who asked, and is nothing to ask for. */
	if (hostname_is_good(name, length))
		answer->confirmed = leads_back(name, &question->address);
}

/* Answers until nobody asks any more; ends the process then. */
static void *answer_all(void *closure)
{
	struct name_question question;
	struct name_answer answer;
	ssize_t got;

	(void)closure;
	do {
		got = recv(SOCKET_FD, &question, sizeof(question), 0);
		if (got != sizeof(question))
			continue;
		answer_question(&question, &answer);
		got = send(SOCKET_FD, &answer, sizeof(answer), MSG_NOSIGNAL);
	} while (got > 0 || (got < 0 && errno == EINTR));
	_exit(got < 0 && errno != EPIPE);
}

/* ---- processes ------------------------------------------------------------- */

/* Ends with its parent; false if that is gone already. */
static bool follow(pid_t parent)
{
	return !prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) && getppid() == parent;
}

static int work(pid_t parent)
{
	const struct name_answer ready = { .kind = NAME_READY };
	pthread_attr_t attributes;
	pthread_t thread;

	if (!follow(parent) || pthread_attr_init(&attributes) ||
	    pthread_attr_setstacksize(&attributes, STACK_BYTES))
		return EXIT_FAILURE;
	if (send(SOCKET_FD, &ready, sizeof(ready), MSG_NOSIGNAL) < 0)
		return errno != EPIPE;
	for (int i = 1; i < RESOLVER_THREADS; i++)
		if (pthread_create(&thread, &attributes, answer_all, NULL))
			break;
	answer_all(NULL);
	return EXIT_FAILURE;
}

/* Starts what answers, and starts it again when it crashes. */
static int keep(void)
{
	struct timespec pause = { .tv_sec = RESTART_SECONDS };
	pid_t self = getpid(), pid;
	int status;

	for (;;) {
		pid = fork();
		if (!pid)
			_exit(work(self));
		while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (pid > 0 && WIFEXITED(status) && !WEXITSTATUS(status))
			return EXIT_SUCCESS;
		nanosleep(&pause, NULL);
	}
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

/* Leaves the socket as SOCKET_FD, and stderr, for what a sanitizer or the C library may have to say. */
static int keep_descriptors(int fd)
{
	struct rlimit descriptors = { DESCRIPTORS, DESCRIPTORS }, none = { 0, 0 };
	int null;

	if (fd != SOCKET_FD && dup2(fd, SOCKET_FD) < 0)
		return -errno;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return -errno;
	if (close_range(SOCKET_FD + 1, ~0U, 0) || setrlimit(RLIMIT_NOFILE, &descriptors) ||
	    setrlimit(RLIMIT_CORE, &none))
		return -errno;
	return 0;
}

/* Who started it says what goes wrong with the user; all else is an answer that never comes. */
static int child(const char *user, pid_t parent, int fd)
{
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_NAME, "httpd-resolver", 0, 0, 0);
	/* After the last change of the user, which would forget whom to follow. */
	if (keep_descriptors(fd) || become(user) || !follow(parent) || resolver_sandbox_enter())
		return EXIT_FAILURE;
	return keep();
}

int resolver_process_start(const char *user, int *ret_fd)
{
	pid_t self = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	/* Whatever becomes of it, nobody has to wait for it. */
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (!pid)
		_exit(child(user, self, pair[1]));
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
