/* SPDX-License-Identifier: MIT */
/* Where packets are counted on their way in. */
#include "loader/hook.h"

#include <linux/if_link.h>
#include <net/if_arp.h>
#include <string.h>

static const struct hook_row {
	const char *name;
	u32 xdp_flags;
} hook_rows[] = {
	[PIN_HOOK_NONE] = { "none", 0 },
	[PIN_HOOK_XDP] = { "xdp", XDP_FLAGS_DRV_MODE },
	[PIN_HOOK_GENERIC] = { "generic", XDP_FLAGS_SKB_MODE },
	[PIN_HOOK_TC] = { "tc", 0 },
};

/* Why not native XDP, where there is more to say than that the device is virtual. */
static const struct kind_row {
	const char *kind;
	const char *reason;
} kind_rows[] = {
	{ "veth", "veth: native XDP would switch off segmentation offload on its peer" },
	{ "tun", "tap: native XDP would refuse the host's offloaded packets" },
	{ "bridge", "bridge: it has no native XDP" },
	{ "bond", "bond: its ports may not all have native XDP" },
	{ "vlan", "vlan: it has no native XDP" },
};

const char *hook_name(u8 hook)
{
	return hook < sizeof(hook_rows) / sizeof(hook_rows[0]) ? hook_rows[hook].name : "unknown";
}

u32 hook_xdp_flags(u8 hook)
{
	return hook_rows[hook].xdp_flags;
}

static const char *reason_of(const struct netdev *dev)
{
	if (dev->arphrd == ARPHRD_LOOPBACK)
		return "loopback: it has no native XDP";
	for (size_t i = 0; i < sizeof(kind_rows) / sizeof(kind_rows[0]); i++)
		if (!strcmp(kind_rows[i].kind, dev->kind))
			return kind_rows[i].reason;
	return "virtual: tc sees its packets whole";
}

struct hook_choice hook_choose(const struct netdev *dev, u8 wish, u8 present)
{
	if (wish != PIN_HOOK_NONE)
		return (struct hook_choice){ wish, PIN_HOOK_NONE, "as told" };
	if (present != PIN_HOOK_NONE)
		return (struct hook_choice){ present, PIN_HOOK_NONE, "as it was" };
	if (netdev_is_physical(dev))
		return (struct hook_choice){ PIN_HOOK_XDP, PIN_HOOK_GENERIC, "physical NIC" };
	return (struct hook_choice){ PIN_HOOK_TC, PIN_HOOK_NONE, reason_of(dev) };
}
