/* SPDX-License-Identifier: MIT */
/*
 * Bytes that processes moved, from process lines: by process (with its remotes and
 * protocols), by remote address, by protocol, and who talks to which endpoint.
 *
 * Sums: every byte of the lines is in exactly one protocol, and in exactly one process or
 * in processes.evicted; every byte with a known remote in one remote or in
 * remotes.evicted. by_command and by_remote each hold every byte. With their slots 2408
 * bytes a process, 104 a remote, 96 an endpoint.
 */
#ifndef JOPIL_PROCESSES_H
#define JOPIL_PROCESSES_H

#include "aggregator/lru_table.h"
#include "aggregator/series.h"
#include "common/records.h"

#define PROCESS_REMOTES 32	/* kept per process; the smallest idle one makes room */
#define PROCESS_PROTOCOLS 8	/* per process; the last stands for all others */
#define REMOTES_MAX 16384	/* remote addresses: a day's clients of a busy server */
#define TALKERS_MAX 16384	/* endpoints: as many as there are connections */

/* Rows by protocol: IP protocols by number, and what is injected below IP. */
#define PROTOCOL_PACKET 256
#define PROTOCOL_ROWS 257
#define PROTOCOL_OTHERS 257	/* of a process that uses more than PROCESS_PROTOCOLS */

/* Bytes since the beginning, and in the interval of that number. */
struct moved {
	u64 tx_bytes, rx_bytes;
	u64 recent_tx, recent_rx;
	u32 interval;
	u32 pad;
};

struct calls {
	u64 tx, rx;
	u64 recent_tx, recent_rx;
	u32 interval;
	u32 pad;
};

/* Where a process sends to or receives from. */
struct endpoint {
	u8 ip[16];
	u16 port;		/* host order */
	u16 protocol;
	u8 ip_version;		/* 0: below IP */
	u8 flags;		/* PROCESS_* */
	u16 host;
};

struct process_remote {
	struct endpoint to;
	struct moved moved;
};

struct process_protocol {
	u64 tx_bytes, rx_bytes;
	u32 row;		/* PROTOCOL_* */
	u32 pad;
};

struct process_id {
	u32 pid;
	u16 host;
	u16 pad;
	u8 command[16];		/* NUL-padded */
};

struct process {
	struct lru_row row;
	struct process_id id;
	u32 uid;
	u32 n_remotes, n_protocols;
	u32 connections;	/* open now; set by snapshot_processes() */
	u64 first_ns, last_ns;	/* Unix time of its lines */
	struct calls calls;
	struct moved moved;
	struct process_protocol protocols[PROCESS_PROTOCOLS];
	struct process_remote remotes[PROCESS_REMOTES];
};

struct remote_id {
	u8 ip[16];
	u16 host;
	u8 ip_version;
	u8 pad;
};

struct remote {
	struct lru_row row;
	struct remote_id id;
	u32 processes, connections;	/* now; set by snapshot_remotes() */
	u32 counted_for;	/* the last process counted */
	struct moved moved;
};

/* Whose traffic with an endpoint is: one process's, or several'. */
struct talker {
	struct lru_row row;
	struct endpoint to;
	u32 pid;
	u8 command[16];
	u64 last_ns;		/* Unix time */
	u64 shared_ns;		/* of the last line of another process; 0: it is alone */
};

struct processes {
	struct lru_table table, remotes, talkers;
	struct {
		struct moved moved;
		struct calls calls;
	} protocols[PROTOCOL_ROWS];
	struct moved total, remotes_total;
	struct calls total_calls;
	struct { u64 tx_bytes, rx_bytes; } evicted, remotes_evicted;
	struct series_set by_command, by_remote;
	u64 no_memory;
};

/* 0 or -errno. Stays where it is: the tables know its address. */
int processes_init(struct processes *p, u32 max_processes);
void processes_free(struct processes *p);

/*
 * What a process line adds. An endpoint belongs to one process alone if no other was seen
 * there for idle_ns (0: ever).
 */
void processes_add(struct processes *p, u16 host, const struct process_record *r, u32 interval,
		   u64 idle_ns);

/* Who talks to an endpoint; NULL: nobody known, or several. */
const struct talker *processes_talker(const struct processes *p, const struct endpoint *to);

/* When anybody last did, Unix time; 0: not known. */
u64 processes_last(const struct processes *p, const struct endpoint *to);

/* The bytes of this interval, both ways. */
static inline u64 moved_recently(const struct moved *m, u32 interval)
{
	return m->interval == interval ? m->recent_tx + m->recent_rx : 0;
}

#endif
