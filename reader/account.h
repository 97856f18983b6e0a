/* SPDX-License-Identifier: MIT */
/*
 * What bpf/packet.bpf.c does with a packet, for `reader --pcap`: count it, and make of
 * it a record within the budget, or fold it into a flow.
 */
#ifndef JOPIL_READER_ACCOUNT_H
#define JOPIL_READER_ACCOUNT_H

#include <stdbool.h>

#include "bpf/packet_parse.h"
#include "reader/fold.h"
#include "reader/tally.h"

#define ACCOUNT_SLOTS 256

struct account {
	u32 packet_lines;		/* a second; PACKET_LINES_ALL: no limit */
	u64 credit;			/* token bucket: a line costs 10^9 */
	u64 refill_ns;
	struct fold *fold;
	struct tally *tallies[ACCOUNT_SLOTS];	/* by interface slot; NULL: nothing seen */
};

/* 0 or -ENOMEM. account_free() in either case. */
int account_init(struct account *account, u32 packet_lines, u64 seed);

void account_free(struct account *account);

/*
 * Counts a packet of length bytes seen at time_ns (Unix), by info->key.iface and
 * .direction. 1: it has become *ret_record; 0: it is folded, or unattributed when
 * memory has run out; -ENOMEM: not even counted.
 */
int account_packet(struct account *account, const struct packet_info *info, u32 length,
		   u64 time_ns, struct packet_record *ret_record);

#endif
