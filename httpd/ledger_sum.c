/* SPDX-License-Identifier: MIT */
/* What the ledger has of the last seconds: sums, and groups by parts of the key. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "httpd/ledger.h"

#define WORDS (sizeof(struct ledger_key) / sizeof(uint64_t))
#define GROUPS_MIN 256		/* a power of two */
#define HASH_PRIME 0x9e3779b97f4a7c15

_Static_assert(sizeof(struct ledger_key) == 4 + 2 + 4 + 6 + 16 + 16 + 48, "no padding");
_Static_assert(sizeof(struct ledger_key) % sizeof(uint64_t) == 0, "whole words");

/* The oldest bucket that is asked for; there is one. */
static size_t first_bucket(const struct ledger *ledger, uint64_t seconds)
{
	int64_t window_ms = seconds < LEDGER_WINDOW_MS / 1000 ? (int64_t)seconds * 1000
							      : LEDGER_WINDOW_MS;
	size_t first = ledger->buckets - 1;

	while (first && ledger->bucket[first - 1].end_ms >
	       ledger->bucket[ledger->buckets - 1].end_ms - window_ms)
		first--;
	return first;
}

static bool is_of(const struct ledger_row *row, const struct ledger_who *who)
{
	if (row->key.kind != LEDGER_CONNECT && row->key.kind != LEDGER_DROP_FLOW)
		return !who->pid && !who->command;
	if (who->pid && row->key.pid != who->pid)
		return false;
	return !who->command || !strcmp(row->key.name, who->command);
}

/* ---- sums ------------------------------------------------------------------ */

static void add_up(struct ledger_sum *sum, const struct ledger_row *row)
{
	switch (row->key.kind) {
	case LEDGER_CONNECT:
		*(row->key.ingress ? &sum->accepted : &sum->begun) += row->count;
		sum->failed += row->other;
		break;
	case LEDGER_DROP:
		sum->drops += row->count;
		sum->drop_bytes += row->other;
		break;
	case LEDGER_UNSPECIFIED:
		sum->unspecified += row->count;
		sum->unspecified_bytes += row->other;
		break;
	case LEDGER_DROP_FLOW:
		sum->drop_flows += row->count;
		break;
	}
}

/* What of all drops has an owner. */
struct owned {
	uint64_t drops, owned;
};

static void count_owned(struct owned *owned, const struct ledger_row *row)
{
	if (row->key.kind == LEDGER_DROP || row->key.kind == LEDGER_UNSPECIFIED)
		owned->drops += row->count;
	else if (row->key.kind == LEDGER_DROP_FLOW && row->key.pid)
		owned->owned += row->count;
}

void ledger_sum(const struct ledger *ledger, const struct ledger_ask *ask, struct ledger_sum *ret_sum)
{
	struct ledger_sum sum = { 0 };
	struct owned owned = { 0 };

	for (size_t i = ledger->buckets ? first_bucket(ledger, ask->seconds) : 0;
	     i < ledger->buckets; i++) {
		const struct ledger_bucket *bucket = &ledger->bucket[i];

		sum.since_ms = sum.since_ms ? sum.since_ms : bucket->start_ms;
		sum.until_ms = bucket->end_ms;
		sum.left_out += bucket->left_out;
		for (size_t j = 0; j < bucket->count; j++) {
			count_owned(&owned, &bucket->rows[j]);
			if (is_of(&bucket->rows[j], &ask->who))
				add_up(&sum, &bucket->rows[j]);
		}
	}
	sum.all_owned = owned.owned >= owned.drops;
	*ret_sum = sum;
}

/* ---- groups ---------------------------------------------------------------- */

struct group {
	const struct ledger_row *first;	/* whose masked key is the group's; NULL = free */
	uint64_t hash, count, other;
};

/* Open addressing; at most half full. */
struct groups {
	uint64_t mask[WORDS];
	struct group *slot;
	size_t size, used;
};

static uint64_t hash_key(const struct groups *groups, const struct ledger_key *key)
{
	uint64_t word[WORDS], sum = 0;

	memcpy(word, key, sizeof(word));
	for (size_t i = 0; i < WORDS; i++) {
		sum = (sum ^ (word[i] & groups->mask[i])) * HASH_PRIME;
		sum ^= sum >> 32;
	}
	return sum;
}

static bool is_same(const struct groups *groups, const struct ledger_key *a, const struct ledger_key *b)
{
	uint64_t one[WORDS], other[WORDS];

	memcpy(one, a, sizeof(one));
	memcpy(other, b, sizeof(other));
	for (size_t i = 0; i < WORDS; i++)
		if ((one[i] ^ other[i]) & groups->mask[i])
			return false;
	return true;
}

/* Its place, or the free one where it belongs. */
static struct group *find(const struct groups *groups, const struct ledger_row *row, uint64_t hash)
{
	size_t at = hash & (groups->size - 1);

	while (groups->slot[at].first &&
	       (groups->slot[at].hash != hash ||
		!is_same(groups, &groups->slot[at].first->key, &row->key)))
		at = (at + 1) & (groups->size - 1);
	return &groups->slot[at];
}

static int grow(struct groups *groups)
{
	struct groups larger = *groups;

	larger.size = groups->size ? groups->size * 2 : GROUPS_MIN;
	larger.slot = calloc(larger.size, sizeof(*larger.slot));
	if (!larger.slot)
		return -ENOMEM;
	for (size_t i = 0; i < groups->size; i++)
		if (groups->slot[i].first)
			*find(&larger, groups->slot[i].first, groups->slot[i].hash) = groups->slot[i];
	free(groups->slot);
	*groups = larger;
	return 0;
}

static int add(struct groups *groups, const struct ledger_row *row)
{
	uint64_t hash = hash_key(groups, &row->key);
	struct group *group;

	if (groups->used * 2 >= groups->size && grow(groups))
		return -ENOMEM;
	group = find(groups, row, hash);
	if (!group->first) {
		*group = (struct group){ .first = row, .hash = hash };
		groups->used++;
	}
	group->count += row->count;
	group->other += row->other;
	return 0;
}

/* Larger ones first; those that are alike in the order of their hashes, which does not change. */
static int compare(const void *left, const void *right)
{
	const struct group *a = left, *b = right;

	if (a->count + a->other != b->count + b->other)
		return a->count + a->other > b->count + b->other ? -1 : 1;
	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* The largest so far, in order. */
struct largest {
	const struct group **group;
	size_t count, most;
};

static void offer(struct largest *largest, const struct group *group)
{
	size_t at = largest->count;

	if (at == largest->most && compare(group, largest->group[at - 1]) >= 0)
		return;
	if (at < largest->most)
		largest->count++;
	else
		at--;
	for (; at && compare(group, largest->group[at - 1]) < 0; at--)
		largest->group[at] = largest->group[at - 1];
	largest->group[at] = group;
}

static void write_row(const struct groups *groups, const struct group *group, struct ledger_row *row)
{
	uint64_t word[WORDS];

	memcpy(word, &group->first->key, sizeof(word));
	for (size_t i = 0; i < WORDS; i++)
		word[i] &= groups->mask[i];
	memcpy(&row->key, word, sizeof(word));
	row->count = group->count;
	row->other = group->other;
}

static int take_largest(const struct groups *groups, size_t most, struct ledger_row **ret_groups,
			size_t *ret_count)
{
	struct largest largest = { .group = calloc(most, sizeof(*largest.group)), .most = most };
	struct ledger_row *rows = calloc(most, sizeof(*rows));

	if (!largest.group || !rows) {
		free(largest.group);
		free(rows);
		return -ENOMEM;
	}
	for (size_t i = 0; i < groups->size; i++)
		if (groups->slot[i].first)
			offer(&largest, &groups->slot[i]);
	for (size_t i = 0; i < largest.count; i++)
		write_row(groups, largest.group[i], &rows[i]);
	free(largest.group);
	*ret_groups = rows;
	*ret_count = largest.count;
	return 0;
}

static int collect(const struct ledger *ledger, const struct ledger_ask *ask, enum ledger_kind kind,
		   struct groups *groups)
{
	for (size_t i = ledger->buckets ? first_bucket(ledger, ask->seconds) : 0;
	     i < ledger->buckets; i++) {
		for (size_t j = 0; j < ledger->bucket[i].count; j++) {
			const struct ledger_row *row = &ledger->bucket[i].rows[j];

			if (row->key.kind == kind && is_of(row, &ask->who) && add(groups, row))
				return -ENOMEM;
		}
	}
	return 0;
}

int ledger_group(const struct ledger *ledger, const struct ledger_ask *ask, enum ledger_kind kind,
		 const struct ledger_key *mask, size_t most, struct ledger_row **ret_groups,
		 size_t *ret_count)
{
	struct groups groups = { .size = 0 };
	int err;

	memcpy(groups.mask, mask, sizeof(groups.mask));
	err = collect(ledger, ask, kind, &groups);
	if (!err)
		err = take_largest(&groups, most, ret_groups, ret_count);
	free(groups.slot);
	return err;
}
