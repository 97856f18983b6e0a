/* SPDX-License-Identifier: MIT */
/*
 * What the kernel's flow map does, in user space for `reader --pcap`: packets summed
 * by flow until they are drained. Open addressing over an index; the flows themselves
 * stand in order of their first packet. Grows as it must: a capture is finite.
 */
#ifndef JOPIL_READER_FOLD_H
#define JOPIL_READER_FOLD_H

#include <stddef.h>

#include "common/records.h"

struct fold_value {
	u64 packets;
	u64 bytes;
	u64 first_ns, last_ns;	/* as given to fold_add() */
	u8 tcp_flags;
};

struct fold_flow {
	struct flow_key key;
	u32 hash;
	struct fold_value value;
};

struct fold;

/* Empty; NULL without memory. The seed makes collisions hard to choose. */
struct fold *fold_new(u64 seed);

void fold_free(struct fold *fold);

/* Adds one packet. 0, or -ENOMEM: nothing was added. */
int fold_add(struct fold *fold, const struct flow_key *key, u32 bytes, u8 tcp_flags, u64 time_ns);

/* The flows since the last fold_clear(), valid until the next fold_add(). */
const struct fold_flow *fold_flows(const struct fold *fold, size_t *ret_n);

/* Forgets all flows, keeps the memory. */
void fold_clear(struct fold *fold);

#endif
