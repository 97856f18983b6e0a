// SPDX-License-Identifier: MIT OR GPL-2.0-only
/* Where live frames come from, and a program that does nothing where they arrive. */
#include "bpf/vmlinux.h"
#include <bpf/bpf_helpers.h>

#include "common/types.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

const volatile u32 frames_flows = 1;
const volatile u32 frames_ifindex;

static u32 sent;

/* Frame after frame to the interface, flow after flow, by the IPv4 source address. */
SEC("xdp")
int frames_send(struct xdp_md *ctx)
{
	u8 *frame = (void *)(long)ctx->data;
	u32 flow = sent++ % frames_flows;

	if (frame + 64 > (u8 *)(long)ctx->data_end)
		return XDP_ABORTED;
	*(u16 *)(frame + 26) = flow >> 16;
	*(u16 *)(frame + 28) = flow;
	return bpf_redirect(frames_ifindex, 0);
}

SEC("xdp")
int frames_nothing(struct xdp_md *ctx)
{
	return XDP_PASS;
}
