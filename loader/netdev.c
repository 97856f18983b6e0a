/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says of a network interface. By rtnetlink, not by /sys/class/net:
 * that shows the namespace which mounted it, not ours.
 */
#include "loader/netdev.h"

#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

#include "loader/netlink.h"

#ifndef IFLA_PARENT_DEV_NAME
#define IFLA_PARENT_DEV_NAME 56
#endif
#ifndef RTEXT_FILTER_SKIP_STATS
#define RTEXT_FILTER_SKIP_STATS (1 << 3)
#endif

static void copy_text(const struct rtattr *a, char buf[NETDEV_NAME_BYTES])
{
	size_t length = strnlen(RTA_DATA(a), RTA_PAYLOAD(a));

	if (length >= NETDEV_NAME_BYTES)
		length = NETDEV_NAME_BYTES - 1;
	memset(buf, 0, NETDEV_NAME_BYTES);
	memcpy(buf, RTA_DATA(a), length);
}

int netdev_parse(const struct nlmsghdr *message, struct netdev *ret_dev)
{
	const struct ifinfomsg *link = NLMSG_DATA(message);
	const struct rtattr *attributes = (const struct rtattr *)(
		(const char *)link + NLMSG_ALIGN(sizeof(*link)));
	struct netdev dev = { 0 };
	const struct rtattr *a;
	size_t length;

	if (message->nlmsg_type != RTM_NEWLINK ||
	    message->nlmsg_len < NLMSG_LENGTH(sizeof(*link)) || link->ifi_index <= 0)
		return -EPROTO;
	length = message->nlmsg_len - NLMSG_LENGTH(sizeof(*link));
	dev.ifindex = (u32)link->ifi_index;
	dev.arphrd = link->ifi_type;
	dev.has_parent = netlink_find(attributes, length, IFLA_PARENT_DEV_NAME);
	a = netlink_find(attributes, length, IFLA_IFNAME);
	if (!a)
		return -EPROTO;
	copy_text(a, dev.name);
	a = netlink_find(attributes, length, IFLA_LINKINFO);
	if (a)
		a = netlink_find(RTA_DATA(a), RTA_PAYLOAD(a), IFLA_INFO_KIND);
	if (a)
		copy_text(a, dev.kind);
	*ret_dev = dev;
	return 0;
}

static int visit_link(const struct nlmsghdr *message, void *context)
{
	return netdev_parse(message, context);
}

int netdev_get(const char *name, struct netdev *ret_dev)
{
	struct netlink_request request = {
		.header = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(request.link)),
			.nlmsg_type = RTM_GETLINK,
			.nlmsg_flags = NLM_F_REQUEST,
		},
	};
	u32 mask = RTEXT_FILTER_SKIP_STATS;
	size_t length = strlen(name);
	struct netdev dev = { 0 };
	int err;

	if (!length || length >= NETDEV_NAME_BYTES)
		return -ENODEV;
	netlink_attribute(&request, IFLA_IFNAME, name, length + 1);
	netlink_attribute(&request, IFLA_EXT_MASK, &mask, sizeof(mask));
	err = netlink_ask(&request, visit_link, &dev);
	if (err)
		return err;
	if (!dev.ifindex)
		return -ENODEV;
	*ret_dev = dev;
	return 0;
}

bool netdev_name(u32 ifindex, char ret_name[NETDEV_NAME_BYTES])
{
	return ifindex && if_indextoname(ifindex, ret_name);
}

bool netdev_is_ethernet(const struct netdev *dev)
{
	return dev->arphrd == ARPHRD_ETHER || dev->arphrd == ARPHRD_LOOPBACK;
}

bool netdev_is_physical(const struct netdev *dev)
{
	return dev->has_parent || (!dev->kind[0] && dev->arphrd == ARPHRD_ETHER);
}
