/* SPDX-License-Identifier: MIT */
/* What the kernel says of a network interface, asked for in our network namespace. */
#ifndef JOPIL_NETDEV_H
#define JOPIL_NETDEV_H

#include <linux/netlink.h>
#include <stdbool.h>

#include "common/types.h"

#define NETDEV_NAME_BYTES 16 /* IFNAMSIZ */

struct netdev {
	u32 ifindex;
	u16 arphrd;		/* ARPHRD_*, linux/if_arp.h */
	bool has_parent;	/* it is a device on a bus (IFLA_PARENT_DEV_NAME, 5.14) */
	char name[NETDEV_NAME_BYTES];
	char kind[NETDEV_NAME_BYTES];	/* "veth", "bridge", ... (IFLA_INFO_KIND); "" if none */
};

/* By name. 0, -ENODEV, or another -errno. */
int netdev_get(const char *name, struct netdev *ret_dev);

/* The name that an ifindex has now; false if there is none in this namespace. */
bool netdev_name(u32 ifindex, char ret_name[NETDEV_NAME_BYTES]);

/* From an RTM_NEWLINK message: 0, or -EPROTO. Every byte is checked: for tests. */
int netdev_parse(const struct nlmsghdr *message, struct netdev *ret_dev);

/* True if its frames start with an Ethernet header, which the parser needs. */
bool netdev_is_ethernet(const struct netdev *dev);

/* True for hardware (and what a hypervisor shows as such). */
bool netdev_is_physical(const struct netdev *dev);

#endif
