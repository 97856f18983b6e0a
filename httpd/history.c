/* SPDX-License-Identifier: MIT */
/* The last hour, from what each snapshot says of its interval. */
#include "httpd/history.h"

#include <stdlib.h>

#define KEYS_SPARE 4096		/* more than one snapshot makes, as far as they are kept */

static const struct {
	int64_t span_ms, slots;
} tiers[HISTORY_TIERS] = {
	[HISTORY_FINE] = { HISTORY_FINE_MS, HISTORY_FINE_SLOTS },
	[HISTORY_COARSE] = { HISTORY_COARSE_MS, HISTORY_COARSE_SLOTS },
};

int64_t history_span_ms(enum history_tier_id tier)
{
	return tiers[tier].span_ms;
}

int64_t history_slots(enum history_tier_id tier)
{
	return tiers[tier].slots;
}

void history_init(struct history *history, struct bounds *bounds)
{
	*history = (struct history){ .phase_ms = 0 };
	for (int tier = 0; tier < HISTORY_TIERS; tier++)
		history->tier[tier].newest = INT64_MIN;
	history_keys_init(&history->keys, bounds);
}

static void clear(struct history *history)
{
	for (int tier = 0; tier < HISTORY_TIERS; tier++) {
		struct history_tier *self = &history->tier[tier];

		for (int64_t i = 0; self->slot && i < tiers[tier].slots; i++)
			history_slot_clear(&self->slot[i], &history->keys);
		self->newest = INT64_MIN;
	}
}

void history_free(struct history *history)
{
	clear(history);
	for (int tier = 0; tier < HISTORY_TIERS; tier++)
		free(history->tier[tier].slot);
	history_keys_free(&history->keys);
	history_last_free(&history->last);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static struct history_slot *place_of(const struct history *history, enum history_tier_id tier,
				     int64_t index)
{
	int64_t slots = tiers[tier].slots;

	return &history->tier[tier].slot[(index % slots + slots) % slots];
}

const struct history_slot *history_slot_at(const struct history *history,
					   enum history_tier_id tier, int64_t index)
{
	const struct history_slot *slot;

	if (!history->tier[tier].slot)
		return NULL;
	slot = place_of(history, tier, index);
	return slot->deltas && slot->index == index ? slot : NULL;
}

static bool forget(struct history *history, enum history_tier_id tier, int64_t index)
{
	struct history_slot *slot = place_of(history, tier, index);

	return slot->index == index && history_slot_forget(slot, &history->keys);
}

/* Keys are for what is new: the oldest time loses its rows first, in both tiers. */
static void make_room(struct history *history)
{
	const int64_t ratio = HISTORY_COARSE_MS / HISTORY_FINE_MS;
	int64_t newest = history->tier[HISTORY_COARSE].newest;

	if (newest == INT64_MIN)
		return;
	for (int64_t i = newest - HISTORY_COARSE_SLOTS + 1; i <= newest; i++) {
		bool any = false;

		if (history_keys_fit(&history->keys, KEYS_SPARE))
			return;
		any |= forget(history, HISTORY_COARSE, i);
		for (int64_t j = i * ratio; j < (i + 1) * ratio; j++)
			any |= forget(history, HISTORY_FINE, j);
		if (any)
			bounds_hit(history->keys.bounds, BOUND_HISTORY_KEYS);
	}
}

static bool has_slots(struct history *history)
{
	for (int tier = 0; tier < HISTORY_TIERS; tier++) {
		struct history_tier *self = &history->tier[tier];

		if (!self->slot)
			self->slot = calloc((size_t)tiers[tier].slots, sizeof(*self->slot));
		if (!self->slot)
			return false;
	}
	return true;
}

/* The slot of that span; the one that was the newest is closed when a newer one begins. */
static void add(struct history *history, enum history_tier_id tier, int64_t index,
		const struct history_slot *delta)
{
	struct history_tier *self = &history->tier[tier];
	struct history_slot *slot = place_of(history, tier, index);

	if (slot->index != index)
		history_slot_clear(slot, &history->keys);
	slot->index = index;
	history_slot_add(slot, delta, &history->keys);
	if (self->newest != INT64_MIN && index > self->newest)
		history_slot_close(place_of(history, tier, self->newest), &history->keys);
	if (index < self->newest)
		history_slot_close(slot, &history->keys);
	else
		self->newest = index;
}

void history_take(struct history *history, const struct shot *shot)
{
	int64_t newest = history->tier[HISTORY_FINE].newest, middle_ms, index;
	struct history_slot delta = { 0 };

	if (!shot->timestamp_ms || !has_slots(history))
		return;
	make_room(history);
	if (!history_last_delta(&history->last, shot, &history->keys, &delta, &middle_ms))
		goto out;
	if (newest != INT64_MIN && (middle_ms - history->phase_ms) / HISTORY_FINE_MS <
				   newest - HISTORY_BACK_MS / HISTORY_FINE_MS) {
		clear(history);
		newest = INT64_MIN;
	}
	/* So that the middles of intervals of a second are in the middles of spans. */
	if (newest == INT64_MIN)
		history->phase_ms = (middle_ms + HISTORY_FINE_MS / 2) % HISTORY_FINE_MS;
	index = floor_div(middle_ms - history->phase_ms, HISTORY_FINE_MS);
	for (int tier = 0; tier < HISTORY_TIERS; tier++)
		add(history, tier, floor_div(index, tiers[tier].span_ms / HISTORY_FINE_MS), &delta);
out:
	history_slot_clear(&delta, &history->keys);
}
