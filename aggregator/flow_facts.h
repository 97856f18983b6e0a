/* SPDX-License-Identifier: MIT */
/* What is known of a flow beside its packets: joined by 5-tuple, whichever came first. */
#ifndef JOPIL_FLOW_FACTS_H
#define JOPIL_FLOW_FACTS_H

#include "aggregator/aggregate.h"

struct flow_facts {
	u32 pid;		/* 0: not known */
	const u8 *command;	/* 16 bytes, NUL-padded; NULL if pid is 0 */
	u32 rtt_us;		/* 0: not known */
	u32 retransmits;
	bool has_retransmits;
	bool has_drops;		/* the host's drop probe was heard of */
	u64 drops;		/* packets */
	u8 src;			/* side of the flow that opened it */
};

/*
 * src: by a SYN, else by the connection event, else as the flow has it. pid and command:
 * by the connection's owner, of its opener where both sides are local; without one, and
 * not for TCP, by the one process that talks to one of the endpoints.
 */
void flow_facts(const struct aggregate *a, const struct flow *f, struct flow_facts *ret);

/* Unix time of its first packet. */
u64 flow_first(const struct flow *f);

#endif
