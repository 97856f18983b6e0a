/* SPDX-License-Identifier: MIT */
/*
 * One BPF ring buffer, mapped and consumed without libbpf's ring_buffer, which
 * wants epoll. A record is given back to the kernel when its line is written.
 */
#ifndef JOPIL_READER_RING_H
#define JOPIL_READER_RING_H

#include "reader/drain.h"

struct ring {
	struct line_source source;
	u64 *consumer;			/* page that we write, shared with the kernel */
	const u64 *producer;
	const u8 *data;			/* mapped twice in a row: records never wrap */
	u64 bytes;
	u64 read;			/* position behind the last record taken */
	u64 released;			/* position behind the last one given back */
	unsigned int pending;		/* lines between the two */
	u32 types;			/* PRINT_* of the lines since released: always the same */
	u32 generation, cpu;
};

/* ring.cpu of the one ring of events, which is for all CPUs. */
#define RING_ALL_CPUS UINT32_MAX

/* A ring over memory that is mapped already; what ring_open() does in the end. */
void ring_init(struct ring *ring, u64 *consumer, const u64 *producer, const u8 *data, u64 bytes);

/* Maps the ring behind fd, which may be closed then. 0 or -errno. */
int ring_open(struct ring *ring, int fd, u64 bytes, u32 generation, u32 cpu);

/* Unmaps. Lines that the sink still holds must be flushed before. */
void ring_close(struct ring *ring);

/*
 * Turns the records that are there into lines, up to those of drain->sink->data_left.
 * 0 or the sink's error.
 */
int ring_drain(struct ring *ring, struct drain *drain);

#endif
