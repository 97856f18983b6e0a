/* SPDX-License-Identifier: MIT */
/* Packets summed by flow, in user space. */
#include "reader/fold.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FOLD_FLOWS_START 4096	/* flows that fit before the first growth */

/* Half a cache line's worth of hash saves the look at most flows that differ. */
struct fold_slot {
	u32 hash;
	u32 flow;	/* index + 1; 0: free */
};

#define KEY_WORDS 6
#define SECRETS (KEY_WORDS + 1)

struct fold {
	u64 secret[SECRETS];		/* of the hash */
	size_t n, room;			/* flows */
	size_t mask;			/* slots - 1; slots are twice the room */
	struct fold_slot *slots;
	struct fold_flow *flows;
};

/* The two halves of the product of 64-bit numbers, mixed (as in wyhash). */
static inline u64 mix(u64 a, u64 b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (u64)product ^ (u64)(product >> 64);
}

struct words {
	u64 word[KEY_WORDS];
};

/* A flow key in registers: 44 bytes, the last word half filled. */
static inline struct words words_of(const struct flow_key *key)
{
	struct words w = { { 0 } };

	memcpy(&w, key, sizeof(*key));
	return w;
}

/*
 * Each word meets a secret of its own. Where one of the two factors is known, whoever writes the
 * packets makes it 0, and the other one, half an address, does not matter any more.
 */
static inline u32 hash_of(const u64 *secret, const struct words *w)
{
	u64 h = mix(w->word[0] ^ secret[0], w->word[1] ^ secret[1]) ^
		mix(w->word[2] ^ secret[2], w->word[3] ^ secret[3]) ^
		mix(w->word[4] ^ secret[4], w->word[5] ^ secret[5]);

	return (u32)mix(h ^ secret[6], 0x589965cc75374cc3ull);
}

static void make_secrets(struct fold *fold, u64 seed)
{
	for (unsigned int i = 0; i < SECRETS; i++) {
		seed += 0x9e3779b97f4a7c15ull;
		fold->secret[i] = mix(seed ^ 0xe7037ed1a0b428dbull, seed ^ 0x8ebc6af09c88c6e3ull);
	}
}

static inline int is_equal(const struct words *w, const struct flow_key *key)
{
	struct words v = words_of(key);
	u64 difference = 0;

	for (int i = 0; i < KEY_WORDS; i++)
		difference |= w->word[i] ^ v.word[i];
	return !difference;
}

struct fold *fold_new(u64 seed)
{
	struct fold *fold = calloc(1, sizeof(*fold));

	if (!fold)
		return NULL;
	make_secrets(fold, seed);
	fold->room = FOLD_FLOWS_START;
	fold->mask = 2 * fold->room - 1;
	fold->slots = calloc(fold->mask + 1, sizeof(fold->slots[0]));
	fold->flows = malloc(fold->room * sizeof(fold->flows[0]));
	if (!fold->slots || !fold->flows) {
		fold_free(fold);
		return NULL;
	}
	return fold;
}

void fold_free(struct fold *fold)
{
	if (!fold)
		return;
	free(fold->slots);
	free(fold->flows);
	free(fold);
}

static struct fold_slot *free_slot(struct fold *fold, u32 hash)
{
	size_t i = hash & fold->mask;

	while (fold->slots[i].flow)
		i = (i + 1) & fold->mask;
	return &fold->slots[i];
}

static int grow(struct fold *fold)
{
	size_t room = 2 * fold->room;
	struct fold_flow *flows;
	struct fold_slot *slots;

	if (room > UINT32_MAX / 2)
		return -ENOMEM;
	flows = realloc(fold->flows, room * sizeof(*flows));
	if (!flows)
		return -ENOMEM;
	fold->flows = flows;
	slots = calloc(2 * room, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(fold->slots);
	fold->slots = slots;
	fold->room = room;
	fold->mask = 2 * room - 1;
	for (size_t i = 0; i < fold->n; i++)
		*free_slot(fold, flows[i].hash) =
			(struct fold_slot){ flows[i].hash, (u32)i + 1 };
	return 0;
}

/* The flow of a key, made if there is none; NULL without memory. */
static struct fold_flow *flow_of(struct fold *fold, const struct flow_key *key, u64 time_ns)
{
	struct words w = words_of(key);
	u32 hash = hash_of(fold->secret, &w);
	struct fold_flow *flow;

	for (size_t i = hash & fold->mask; fold->slots[i].flow; i = (i + 1) & fold->mask) {
		flow = &fold->flows[fold->slots[i].flow - 1];
		if (fold->slots[i].hash == hash && is_equal(&w, &flow->key))
			return flow;
	}
	if (fold->n == fold->room && grow(fold))
		return NULL;
	flow = &fold->flows[fold->n++];
	*flow = (struct fold_flow){ .key = *key, .hash = hash };
	flow->value.first_ns = time_ns;
	*free_slot(fold, hash) = (struct fold_slot){ hash, (u32)fold->n };
	return flow;
}

int fold_add(struct fold *fold, const struct flow_key *key, u32 bytes, u8 tcp_flags, u64 time_ns)
{
	struct fold_flow *flow = flow_of(fold, key, time_ns);

	if (!flow)
		return -ENOMEM;
	flow->value.packets++;
	flow->value.bytes += bytes;
	flow->value.tcp_flags |= tcp_flags;
	/* Captures are not always in order of time. */
	if (time_ns < flow->value.first_ns)
		flow->value.first_ns = time_ns;
	if (time_ns > flow->value.last_ns)
		flow->value.last_ns = time_ns;
	return 0;
}

const struct fold_flow *fold_flows(const struct fold *fold, size_t *ret_n)
{
	*ret_n = fold->n;
	return fold->flows;
}

void fold_clear(struct fold *fold)
{
	/* Few flows in a large table: only their slots, not megabytes of zeroes. */
	if (fold->n < fold->room / 16)
		for (size_t i = 0; i < fold->n; i++)
			for (size_t s = fold->flows[i].hash & fold->mask; fold->slots[s].flow;
			     s = (s + 1) & fold->mask)
				fold->slots[s].flow = 0;
	else
		memset(fold->slots, 0, (fold->mask + 1) * sizeof(fold->slots[0]));
	fold->n = 0;
}
