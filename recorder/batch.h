/* SPDX-License-Identifier: MIT */
/* What has come since the last transaction: sums by slot and keys, and flows that ended. */
#ifndef JOPIL_RECORDER_BATCH_H
#define JOPIL_RECORDER_BATCH_H

#include "common/store.h"

#define BATCH_ROWS_MAX (1u << 18)	/* while nothing can be written; 96 bytes each */
#define BATCH_FLOWS_MAX 16384
#define BATCH_WATCHED_MAX 4096

/* Keys are numbers of names (recorder/names.h), or what they count themselves. */
struct batch_key {
	int64_t slot;		/* Unix seconds, of TIER_RAW */
	int64_t key[STORE_KEYS_MAX];
	u32 fact;		/* enum store_fact; of a baseline enum baseline */
	u32 pad;
};

struct batch_row {
	struct batch_key key;
	u64 values[STORE_VALUES_MAX];
};

/* A flow that has ended. Names by number; what is -1 is not known. */
struct batch_flow {
	u32 host, interface, protocol;
	char src_ip[46], dst_ip[46];
	int64_t pid, src_port, dst_port, vlan, rtt_us, retransmits, drops;
	u64 src_packets, src_bytes, dst_packets, dst_bytes;
	int64_t first_ms, last_ms;
	char state[16], command[64];	/* "": not known */
};

struct batch {
	struct batch_row *rows;
	u32 n, allocated;
	u32 *slots;		/* row + 1; 0: unused */
	struct batch_flow *flows;
	u32 n_flows, flows_allocated;
	int64_t watched[BATCH_WATCHED_MAX];	/* slots of TIER_RAW that lines came for */
	u32 n_watched;
	u64 lost_rows, lost_flows;	/* since the start: for want of room */
};

/* 0 or -ENOMEM. */
int batch_init(struct batch *batch);
void batch_free(struct batch *batch);

/* So much has come that it should be written soon. */
bool batch_is_large(const struct batch *batch);

/* All is written. The lost ones stay counted. */
void batch_clear(struct batch *batch);

/* Somebody was watching in this slot, whether anything happened or not. */
void batch_watch(struct batch *batch, int64_t slot);

/* The sums of a key, to be added to; NULL, and counted as lost: there is no room. */
u64 *batch_values(struct batch *batch, const struct batch_key *key);

/* A flow to be filled; NULL, and counted as lost: there is no room. */
struct batch_flow *batch_flow(struct batch *batch);

#endif
