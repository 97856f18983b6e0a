/* SPDX-License-Identifier: MIT */
/* Names that facts are kept by. */
#include "recorder/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SLOTS (2 * NAMES_MAX)
#define FNV_PRIME 0x100000001b3ull

static u64 seed;	/* remote addresses are chosen by others */

int names_init(struct names *names)
{
	*names = (struct names){ .slots = calloc(SLOTS, sizeof(u32)), .mask = SLOTS - 1 };
	if (!names->slots)
		return -ENOMEM;
	return getrandom(&seed, sizeof(seed), 0) == sizeof(seed) ? 0 : -errno;
}

void names_clear(struct names *names)
{
	for (u32 i = 0; i < names->n; i++)
		free(names->all[i].text);
	memset(names->slots, 0, SLOTS * sizeof(*names->slots));
	names->n = 0;
}

void names_free(struct names *names)
{
	if (names->slots)
		names_clear(names);
	free(names->all);
	free(names->slots);
	*names = (struct names){ 0 };
}

static u32 hash_of(const struct name *name, const char *text)
{
	u64 hash = seed ^ ((u64)name->kind << 56) ^ ((u64)name->host << 24) ^ name->uid;

	for (u16 i = 0; i < name->length; i++)
		hash = (hash ^ (u8)text[i]) * FNV_PRIME;
	hash ^= hash >> 29;
	return (u32)(hash * FNV_PRIME >> 32);
}

static bool is_same(const struct name *a, const struct name *b, const char *text)
{
	return a->hash == b->hash && a->kind == b->kind && a->host == b->host && a->uid == b->uid &&
	       a->length == b->length && !memcmp(a->text, text, b->length);
}

static u32 add(struct names *names, const struct name *wanted, const char *text, u32 slot)
{
	struct name *name;

	if (names->n == NAMES_MAX)
		return NAME_NONE;
	if (names->n == names->allocated) {
		u32 allocated = names->allocated ? 2 * names->allocated : 1024;
		struct name *all = realloc(names->all, allocated * sizeof(*all));

		if (!all)
			return NAME_NONE;
		names->all = all;
		names->allocated = allocated;
	}
	name = &names->all[names->n];
	*name = *wanted;
	name->text = malloc(wanted->length + 1ul);
	if (!name->text)
		return NAME_NONE;
	memcpy(name->text, text, wanted->length);
	name->text[wanted->length] = '\0';
	names->slots[slot] = ++names->n;
	return names->n - 1;
}

u32 names_get(struct names *names, enum store_name kind, u32 host, u32 uid, struct line_text text)
{
	struct name wanted = { .kind = (u8)kind, .length = (u16)text.length, .host = host, .uid = uid };
	u32 slot;

	wanted.hash = hash_of(&wanted, text.text);
	for (slot = wanted.hash & names->mask; names->slots[slot]; slot = (slot + 1) & names->mask)
		if (is_same(&names->all[names->slots[slot] - 1], &wanted, text.text))
			return names->slots[slot] - 1;
	return add(names, &wanted, text.text, slot);
}
