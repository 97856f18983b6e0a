/* SPDX-License-Identifier: MIT */
/* What the command line asks of the reader. */
#ifndef JOPIL_READER_REQUEST_H
#define JOPIL_READER_REQUEST_H

#include <stdbool.h>

#include "common/types.h"

/* request.types: the lines that are printed, besides hello. */
enum {
	PRINT_PACKET = 1,
	PRINT_FLOW = 2,
	PRINT_COUNTERS = 4,	/* counters, probe, drop_counters */
	PRINT_CONNECTION = 8,
	PRINT_PROCESS = 16,
	PRINT_DROP = 32,
	PRINT_LATENCY = 64,
	PRINT_ALL = 127,
};

struct request {
	const char *pin_dir;
	const char *pcap;	/* a file, "-"; NULL: live */
	u64 interval_ns;
	u64 duration_ns;	/* 0: no end */
	u64 count;		/* 0: no end */
	u64 ready_fd;		/* NOTIFY_NO_FD: none */
	u32 types;
	u32 packet_lines;	/* PACKET_LINES_ALL: no limit; --pcap only */
	bool packet_lines_given;
	bool once;
	bool no_sandbox;
	bool verbose;
};

#endif
