/* SPDX-License-Identifier: MIT */
/* One request to the kernel's routing socket and its answers (rtnetlink(7)). */
#ifndef JOPIL_NETLINK_H
#define JOPIL_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>

#include "common/types.h"

struct netlink_request {
	struct nlmsghdr header;
	union {
		struct ifinfomsg link;
		struct tcmsg tc;
	};
	char attributes[64];
};

/* Appends an attribute; the request must have room for it. */
void netlink_attribute(struct netlink_request *request, u16 type, const void *data, size_t length);

/*
 * Sends the request and hands each message of the answer to visit, which returns 0
 * to go on or anything else to end there. 0, what visit returned, or -errno: the
 * kernel's (-ENODEV: no such interface) or the socket's.
 */
int netlink_ask(struct netlink_request *request,
		int (*visit)(const struct nlmsghdr *message, void *context), void *context);

/* The attribute of a type among those from first on; NULL if it is not there. */
const struct rtattr *netlink_find(const struct rtattr *first, size_t length, u16 type);

#endif
