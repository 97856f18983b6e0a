/* SPDX-License-Identifier: MIT */
/* One request to the kernel's routing socket and its answers. */
#include "loader/netlink.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel fills at most this much in one answer (NLMSG_GOODSIZE, dumps 32 KiB). */
#define ANSWER_BYTES 32768

void netlink_attribute(struct netlink_request *request, u16 type, const void *data, size_t length)
{
	struct rtattr *a = (struct rtattr *)((char *)request +
					     NLMSG_ALIGN(request->header.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(length);
	memcpy(RTA_DATA(a), data, length);
	request->header.nlmsg_len =
		(u32)(NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(a->rta_len));
}

const struct rtattr *netlink_find(const struct rtattr *first, size_t length, u16 type)
{
	for (const struct rtattr *a = first; RTA_OK(a, length); a = RTA_NEXT(a, length))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

/* False if that was the last message; *ret_err is 0, what visit returned, or -errno. */
static bool read_message(const struct nlmsghdr *m,
			 int (*visit)(const struct nlmsghdr *message, void *context),
			 void *context, int *ret_err)
{
	const struct nlmsgerr *error = NLMSG_DATA(m);

	if (m->nlmsg_type == NLMSG_ERROR)
		*ret_err = m->nlmsg_len < NLMSG_LENGTH(sizeof(*error)) ? -EPROTO : error->error;
	else if (m->nlmsg_type != NLMSG_DONE)
		*ret_err = visit(m, context);
	return !*ret_err && m->nlmsg_type >= NLMSG_MIN_TYPE && m->nlmsg_flags & NLM_F_MULTI;
}

static int read_answer(int fd, int (*visit)(const struct nlmsghdr *message, void *context),
		       void *context)
{
	char buf[ANSWER_BYTES] __attribute__((aligned(__alignof__(struct nlmsghdr))));
	bool more = true;
	int err = 0;

	while (more) {
		ssize_t got = recv(fd, buf, sizeof(buf), MSG_TRUNC);
		size_t left = (size_t)got;

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EPROTO;
		if (left > sizeof(buf))
			return -EMSGSIZE;
		for (const struct nlmsghdr *m = (const struct nlmsghdr *)buf;
		     more && NLMSG_OK(m, left); m = NLMSG_NEXT(m, left))
			more = read_message(m, visit, context, &err);
	}
	return err;
}

int netlink_ask(struct netlink_request *request,
		int (*visit)(const struct nlmsghdr *message, void *context), void *context)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int err;

	if (fd < 0)
		return -errno;
	if (send(fd, request, request->header.nlmsg_len, 0) < 0)
		err = -errno;
	else
		err = read_answer(fd, visit, context);
	close(fd);
	return err;
}
