/* SPDX-License-Identifier: MIT */
/* Watches a pcapng file go by: interfaces and directions of its packets. */
#include "reader/pcapng.h"

#include <string.h>

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 2,	/* obsolete, still found */
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	OPTION_END = 0,
	OPTION_NAME = 2,	/* of an interface block: if_name */
	OPTION_FLAGS = 2,	/* of packet blocks: epb_flags, pack_flags */
	TRAILER = 4,		/* the block's length again */
};

/* What the gathered bytes will be. */
enum state {
	STATE_BLOCK,		/* type, length and the first 4 bytes behind */
	STATE_FIXED,		/* the rest of what stands before options or packet data */
	STATE_OPTION,		/* code and length */
	STATE_VALUE,		/* of an option that matters */
};

static u32 get32(const struct pcapng_watch *w, const u8 *p)
{
	u32 big = (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];

	return w->big_endian ? big : __builtin_bswap32(big);
}

static u32 get16(const struct pcapng_watch *w, const u8 *p)
{
	return w->big_endian ? (u32)(p[0] << 8 | p[1]) : (u32)(p[1] << 8 | p[0]);
}

void pcapng_watch_init(struct pcapng_watch *w, const char *nameless)
{
	memset(w, 0, sizeof(*w));
	strncpy(w->names[0], nameless, PCAPNG_NAME_BYTES - 1);
	w->n_names = 1;
	w->state = STATE_BLOCK;
	w->want = 12;
}

static void gather(struct pcapng_watch *w, enum state state, u32 want)
{
	w->state = state;
	w->want = want;
}

static void add_packet(struct pcapng_watch *w)
{
	if (w->last - w->first == PCAPNG_AHEAD) {
		w->off = true;
		return;
	}
	if (w->interface < w->n_interfaces && w->interface < PCAPNG_INTERFACES)
		w->packet.slot = w->interface_slots[w->interface];
	w->packets[w->last++ % PCAPNG_AHEAD] = w->packet;
}

/* The block is understood as far as it matters: on to the next one. */
static void end_block(struct pcapng_watch *w)
{
	if (w->type == BLOCK_PACKET || w->type == BLOCK_SIMPLE || w->type == BLOCK_ENHANCED)
		add_packet(w);
	else if (w->type == BLOCK_INTERFACE)
		w->n_interfaces++;
	w->skip += w->left;	/* behind packet data still to be passed over */
	gather(w, STATE_BLOCK, 12);
}

static void begin_option(struct pcapng_watch *w)
{
	if (w->left >= 4 + TRAILER)
		gather(w, STATE_OPTION, 4);
	else
		end_block(w);
}

/* Fixed parts behind the first 12 bytes of a block, by its type. */
static u32 fixed_bytes(u32 type)
{
	switch (type) {
	case BLOCK_INTERFACE:
		return 4;	/* snap length */
	case BLOCK_PACKET:
	case BLOCK_ENHANCED:
		return 16;	/* time, captured and original length */
	}
	return 0;
}

/* Lengths are multiples of 4; writers that forget it are common enough. */
static u64 padded(u64 length)
{
	return (length + 3) & ~3ull;
}

static void step_block(struct pcapng_watch *w)
{
	const u8 *p = w->bytes;
	u32 length;

	w->type = get32(w, p);
	w->off = !w->began && w->type != BLOCK_SECTION;
	w->began = true;
	if (w->type == BLOCK_SECTION) {		/* reads the same both ways */
		w->big_endian = true;
		w->big_endian = get32(w, p + 8) == BYTE_ORDER_MAGIC;
		w->off = get32(w, p + 8) != BYTE_ORDER_MAGIC;
		w->n_interfaces = 0;
	}
	length = get32(w, p + 4);
	if (length < 12 || w->off) {
		w->off = true;
		return;
	}
	w->left = padded(length) - 12;
	w->packet = (struct pcapng_packet){ 0, PCAPNG_UNKNOWN };
	w->interface = w->type == BLOCK_ENHANCED ? get32(w, p + 8)
		       : w->type == BLOCK_PACKET ? get16(w, p + 8) : 0;
	if (w->type == BLOCK_INTERFACE && w->n_interfaces < PCAPNG_INTERFACES)
		w->interface_slots[w->n_interfaces] = 0;
	if (fixed_bytes(w->type) && w->left >= fixed_bytes(w->type) + TRAILER)
		gather(w, STATE_FIXED, fixed_bytes(w->type));
	else
		end_block(w);
}

static void step_fixed(struct pcapng_watch *w)
{
	u64 data;

	w->left -= w->want;
	if (w->type != BLOCK_INTERFACE) {
		data = padded(get32(w, w->bytes + 8));
		if (data + TRAILER > w->left) {
			end_block(w);
			return;
		}
		w->skip = data;
		w->left -= data;
	}
	begin_option(w);
}

static void step_option(struct pcapng_watch *w)
{
	u32 code = get16(w, w->bytes), length = get16(w, w->bytes + 2);
	u32 room = padded(length);

	w->left -= 4;
	if (code == OPTION_END || room + TRAILER > w->left) {
		end_block(w);
		return;
	}
	w->left -= room;
	if (code == OPTION_NAME && w->type == BLOCK_INTERFACE && length) {
		u32 kept = room < sizeof(w->bytes) ? room : sizeof(w->bytes);

		w->interface = length;	/* of the name */
		gather(w, STATE_VALUE, kept);
		w->left += room - kept;
	} else if (code == OPTION_FLAGS && w->type != BLOCK_INTERFACE && length == 4) {
		gather(w, STATE_VALUE, 4);
	} else {
		w->skip = room;
		begin_option(w);
	}
}

/* The slot of a name, made if it is new; 0 when there is no room. */
static u8 slot_of(struct pcapng_watch *w, const char *name)
{
	for (u32 i = 1; i < w->n_names; i++)
		if (!strcmp(w->names[i], name))
			return (u8)i;
	if (w->n_names == PCAPNG_NAMES)
		return 0;
	memcpy(w->names[w->n_names], name, PCAPNG_NAME_BYTES);
	return (u8)w->n_names++;
}

static void step_value(struct pcapng_watch *w)
{
	char name[PCAPNG_NAME_BYTES] = { 0 };
	size_t length = w->interface;

	if (w->type != BLOCK_INTERFACE) {
		w->packet.direction = get32(w, w->bytes) & 3;
		begin_option(w);
		return;
	}
	if (length > sizeof(name) - 1)
		length = sizeof(name) - 1;
	memcpy(name, w->bytes, length);
	if (w->n_interfaces < PCAPNG_INTERFACES)
		w->interface_slots[w->n_interfaces] = slot_of(w, name);
	end_block(w);
}

static void step(struct pcapng_watch *w)
{
	static void (*const steps[])(struct pcapng_watch *) = {
		[STATE_BLOCK] = step_block,
		[STATE_FIXED] = step_fixed,
		[STATE_OPTION] = step_option,
		[STATE_VALUE] = step_value,
	};

	w->have = 0;
	steps[w->state](w);
}

void pcapng_watch_feed(struct pcapng_watch *w, const u8 *bytes, size_t n)
{
	while (n && !w->off) {
		size_t take = w->skip < n ? (size_t)w->skip : n;

		w->skip -= take;
		bytes += take;
		n -= take;
		take = w->want - w->have < n ? w->want - w->have : n;
		memcpy(w->bytes + w->have, bytes, take);
		w->have += (u32)take;
		bytes += take;
		n -= take;
		if (w->have == w->want)
			step(w);
	}
}

struct pcapng_packet pcapng_watch_next(struct pcapng_watch *w)
{
	if (w->first == w->last)
		return (struct pcapng_packet){ 0, PCAPNG_UNKNOWN };
	return w->packets[w->first++ % PCAPNG_AHEAD];
}
