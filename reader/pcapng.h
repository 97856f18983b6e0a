/* SPDX-License-Identifier: MIT */
/*
 * What libpcap does not tell of a pcapng file: on which interface a packet was
 * seen, its name, and in which direction. The bytes are watched on their way to
 * libpcap, which hands the packets out in the same order. No I/O, nothing allocated.
 *
 * draft-ietf-opsawg-pcapng; whatever is not understood is passed over, and a file
 * that is not pcapng gives no answers.
 */
#ifndef JOPIL_READER_PCAPNG_H
#define JOPIL_READER_PCAPNG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/types.h"

/* Distinct names; slot 0 is for interfaces without one, and for those beyond. */
#define PCAPNG_NAMES 256
#define PCAPNG_NAME_BYTES 16	/* IFNAMSIZ; longer names are cut */
/* Interfaces of one section whose numbers are kept; those beyond are in slot 0. */
#define PCAPNG_INTERFACES 1024
/*
 * Packets that libpcap has not handed out yet: what fits the stdio buffer between,
 * at 16 bytes a block, twice. A power of two.
 */
#define PCAPNG_AHEAD 65536

enum pcapng_direction {
	PCAPNG_UNKNOWN = 0,
	PCAPNG_INBOUND = 1,
	PCAPNG_OUTBOUND = 2,
};

struct pcapng_packet {
	u8 slot;		/* of names */
	u8 direction;		/* enum pcapng_direction */
};

struct pcapng_watch {
	/* the block being read */
	int state;
	bool big_endian;
	bool began;
	bool off;		/* not pcapng, or lost */
	u32 type;
	u64 left;		/* of the block, the trailing length too */
	u64 skip;		/* bytes to pass over */
	u32 interface;
	struct pcapng_packet packet;
	/* bytes gathered until a step can be made */
	u32 have, want;
	u8 bytes[64];
	/* what is known */
	u32 n_names;
	char names[PCAPNG_NAMES][PCAPNG_NAME_BYTES];	/* NUL-terminated */
	u32 n_interfaces;
	u8 interface_slots[PCAPNG_INTERFACES];
	/* packets seen, not yet asked for */
	u32 first, last;	/* counting up, modulo PCAPNG_AHEAD */
	struct pcapng_packet packets[PCAPNG_AHEAD];
};

/* names[0] is the name of interfaces that have none. */
void pcapng_watch_init(struct pcapng_watch *watch, const char *nameless);

/* The next bytes of the file. */
void pcapng_watch_feed(struct pcapng_watch *watch, const u8 *bytes, size_t n);

/* What is known of the next packet in the file; slot 0, unknown if nothing is. */
struct pcapng_packet pcapng_watch_next(struct pcapng_watch *watch);

#endif
