/* SPDX-License-Identifier: MIT */
/* The process that looks names up: it alone may open sockets and read the system's resolver configuration. */
#include "httpd/resolver_process.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "httpd/child.h"
#include "httpd/hostname.h"
#include "httpd/resolver_sandbox.h"

#define STACK_BYTES (512 * 1024)
#define CHILD_FD 3		/* after 0, 1 and 2 */

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
		got = recv(CHILD_FD, &question, sizeof(question), 0);
		if (got != sizeof(question))
			continue;
		answer_question(&question, &answer);
		got = send(CHILD_FD, &answer, sizeof(answer), MSG_NOSIGNAL);
	} while (got > 0 || (got < 0 && errno == EINTR));
	_exit(got < 0 && errno != EPIPE);
}

/* ---- the process ----------------------------------------------------------- */

static int work(const void *closure)
{
	const struct name_answer ready = { .kind = NAME_READY };
	pthread_attr_t attributes;
	pthread_t thread;

	(void)closure;
	if (pthread_attr_init(&attributes) || pthread_attr_setstacksize(&attributes, STACK_BYTES))
		return EXIT_FAILURE;
	if (send(CHILD_FD, &ready, sizeof(ready), MSG_NOSIGNAL) < 0)
		return errno != EPIPE;
	for (int i = 1; i < RESOLVER_THREADS; i++)
		if (pthread_create(&thread, &attributes, answer_all, NULL))
			break;
	answer_all(NULL);
	return EXIT_FAILURE;
}

static int enter_sandbox(const void *closure)
{
	(void)closure;
	return resolver_sandbox_enter();
}

int resolver_process_start(const char *user, int *ret_fd)
{
	const struct child child = {
		.name = "httpd-resolver", .user = user, .confine = enter_sandbox, .work = work,
	};

	return child_start(&child, ret_fd);
}
