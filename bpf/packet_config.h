/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The knobs of the packet probe: constants of each loaded program, set by the loader. */
#ifndef JOPIL_PACKET_CONFIG_H
#define JOPIL_PACKET_CONFIG_H

#include "common/types.h"

#define PACKET_LINES_ALL 0xffffffffu
#define PACKET_SPREAD 6		/* words of a struct flow_key */

struct packet_config {
	u64 only[4];		/* bit n: IP protocol n keeps its addresses */
	u64 spread[PACKET_SPREAD];	/* random and odd: what spreads flows over cells */
	u32 cell_bits;		/* 1 << cell_bits cells a CPU, a page of them at least; 0: none */
	u32 cpus;		/* that have cells */
	u32 packet_lines;	/* lines a second and CPU, 0 none, PACKET_LINES_ALL no limit */
	u8 iface;		/* slot in the interface table */
	u8 only_active;		/* 1: `only` is in force */
	u8 xdp_frags;		/* 1: loaded with BPF_F_XDP_HAS_FRAGS */
	u8 handover;		/* 1: XDP marks what it counted, TC ingress passes over it */
};

/*
 * Changing the ingress hook must neither miss a packet nor count one twice. While both
 * are attached, XDP writes this before the frame (bpf_xdp_adjust_meta), from where TC
 * reads it. Eight random bytes: nobody else's metadata.
 */
#define PACKET_HANDOVER_MARK 0x9d1f4c6a2be873a5ull

#endif
