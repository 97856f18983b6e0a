/* SPDX-License-Identifier: MIT */
/* What rows of history are of, each text once: counted by the rows that have it. */
#include "httpd/history_keys.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 256
#define BYTES_TYPICAL 64	/* of a key */

void history_keys_init(struct history_keys *keys, struct bounds *bounds)
{
	*keys = (struct history_keys){ .free = HISTORY_NO_KEY, .bounds = bounds };
}

void history_keys_free(struct history_keys *keys)
{
	for (uint32_t i = 0; i < keys->used; i++)
		free(keys->key[i].text);
	free(keys->key);
	free(keys->chain);
	history_keys_init(keys, keys->bounds);
}

static uint32_t *chain_of(struct history_keys *keys, uint64_t hash)
{
	return &keys->chain[(hash ^ hash >> 32) % HISTORY_CHAINS];
}

static bool make_chains(struct history_keys *keys)
{
	if (keys->chain)
		return true;
	keys->chain = malloc(HISTORY_CHAINS * sizeof(*keys->chain));
	if (keys->chain)
		memset(keys->chain, 0xff, HISTORY_CHAINS * sizeof(*keys->chain));
	return keys->chain;
}

/* A free place; HISTORY_NO_KEY without memory. */
static uint32_t find_place(struct history_keys *keys)
{
	uint32_t room = keys->room ? keys->room * 2 : ROOM_MIN, id = keys->free;
	struct history_key *more;

	if (id != HISTORY_NO_KEY) {
		keys->free = keys->key[id].next;
		return id;
	}
	if (keys->used == keys->room) {
		more = reallocarray(keys->key, room, sizeof(*more));
		if (!more)
			return HISTORY_NO_KEY;
		keys->key = more;
		keys->room = room;
	}
	return keys->used++;
}

static bool is_full(struct history_keys *keys, size_t length)
{
	if (keys->count >= bounds_limit(keys->bounds, BOUND_HISTORY_KEYS)) {
		bounds_hit(keys->bounds, BOUND_HISTORY_KEYS);
		return true;
	}
	if (length <= HISTORY_KEY_MAX &&
	    keys->bytes + length <= bounds_limit(keys->bounds, BOUND_HISTORY_KEY_BYTES))
		return false;
	bounds_hit(keys->bounds, BOUND_HISTORY_KEY_BYTES);
	return true;
}

static uint32_t add(struct history_keys *keys, uint64_t hash, unsigned int kind, struct slice text)
{
	char *copy;
	uint32_t id;

	if (is_full(keys, text.length))
		return HISTORY_NO_KEY;
	copy = malloc(text.length + 1);
	id = copy ? find_place(keys) : HISTORY_NO_KEY;
	if (id == HISTORY_NO_KEY) {
		free(copy);
		return HISTORY_NO_KEY;
	}
	memcpy(copy, text.data, text.length);
	copy[text.length] = '\0';
	keys->key[id] = (struct history_key){ .hash = hash, .refs = 1, .kind = (uint16_t)kind,
					      .next = *chain_of(keys, hash),
					      .length = (uint16_t)text.length, .text = copy };
	*chain_of(keys, hash) = id;
	keys->count++;
	keys->bytes += text.length;
	return id;
}

uint32_t history_keys_take(struct history_keys *keys, unsigned int kind, struct slice text)
{
	uint64_t hash = slice_hash(SLICE_HASH + kind, text);

	if (!make_chains(keys))
		return HISTORY_NO_KEY;
	for (uint32_t id = *chain_of(keys, hash); id != HISTORY_NO_KEY; id = keys->key[id].next) {
		struct history_key *key = &keys->key[id];

		if (key->hash == hash && key->kind == kind && key->length == text.length &&
		    !memcmp(key->text, text.data, text.length)) {
			key->refs++;
			return id;
		}
	}
	return add(keys, hash, kind, text);
}

void history_keys_ref(struct history_keys *keys, uint32_t id)
{
	keys->key[id].refs++;
}

void history_keys_drop(struct history_keys *keys, uint32_t id)
{
	struct history_key *key = &keys->key[id];
	uint32_t *at = chain_of(keys, key->hash);

	if (--key->refs)
		return;
	while (*at != id)
		at = &keys->key[*at].next;
	*at = key->next;
	keys->count--;
	keys->bytes -= key->length;
	free(key->text);
	key->text = NULL;
	key->next = keys->free;
	keys->free = id;
}

struct slice history_keys_text(const struct history_keys *keys, uint32_t id)
{
	return (struct slice){ keys->key[id].text, keys->key[id].length };
}

bool history_keys_fit(const struct history_keys *keys, size_t more)
{
	return keys->count + more <= bounds_limit(keys->bounds, BOUND_HISTORY_KEYS) &&
	       keys->bytes + more * BYTES_TYPICAL <=
	       bounds_limit(keys->bounds, BOUND_HISTORY_KEY_BYTES);
}
