/* SPDX-License-Identifier: MIT */
/* The hour in memory as a source of history. */
#include "httpd/history.h"
#include "httpd/history_source.h"

#define WINDOW_MS (3600 * 1000)
#define FINE_WINDOW_MS ((HISTORY_FINE_SLOTS - 1) * HISTORY_FINE_MS)
#define LATE_MS 100	/* intervals of a busy machine are a little longer than they should be */

static int64_t start_of(const struct history *history, enum history_tier_id tier, int64_t index)
{
	return index * history_span_ms(tier) + history->phase_ms;
}

/* The first index that is not before the time. */
static int64_t index_from(const struct history *history, enum history_tier_id tier, int64_t ms)
{
	int64_t span = history_span_ms(tier), from = ms - history->phase_ms + span - 1;

	return from / span - (from % span < 0);
}

static int64_t newest_end(const struct history *history)
{
	return start_of(history, HISTORY_FINE, history->tier[HISTORY_FINE].newest + 1);
}

static int64_t oldest_start(const struct history *history, enum history_tier_id tier)
{
	int64_t newest = history->tier[tier].newest;

	for (int64_t i = newest - history_slots(tier) + 1; i < newest; i++)
		if (history_slot_at(history, tier, i))
			return start_of(history, tier, i);
	return start_of(history, tier, newest);
}

static void extent(const struct history_source *source, struct history_extent *ret_extent)
{
	const struct history *history = source->self;
	int64_t coarse, fine;

	*ret_extent = (struct history_extent){ .window_ms = WINDOW_MS,
					       .phase_ms = history->phase_ms };
	if (history->tier[HISTORY_FINE].newest == INT64_MIN)
		return;
	coarse = oldest_start(history, HISTORY_COARSE);
	fine = oldest_start(history, HISTORY_FINE);
	ret_extent->newest_ms = newest_end(history);
	/* Within its first ten seconds, finer is truer. */
	ret_extent->oldest_ms = fine - coarse < HISTORY_COARSE_MS ? fine : coarse;
}

static enum history_tier_id tier_for(const struct history *history, int64_t from_ms)
{
	if (history->tier[HISTORY_FINE].newest == INT64_MIN)
		return HISTORY_FINE;
	return from_ms >= newest_end(history) - FINE_WINDOW_MS ? HISTORY_FINE : HISTORY_COARSE;
}

/* Where snapshots come more seldom than slots could hold them, their interval, on average. */
static int64_t step_ms(const struct history_source *source, int64_t from_ms)
{
	const struct history *history = source->self;
	enum history_tier_id tier = tier_for(history, from_ms);
	int64_t span = history_span_ms(tier), covered = 0, deltas = 0;

	if (history->tier[tier].newest == INT64_MIN)
		return span;
	for (int64_t i = history->tier[tier].newest - history_slots(tier) + 1;
	     i <= history->tier[tier].newest; i++) {
		const struct history_slot *slot = history_slot_at(history, tier, i);

		covered += slot ? (int64_t)slot->covered_ms : 0;
		deltas += slot ? slot->deltas : 0;
	}
	if (!deltas || covered / deltas <= span + LATE_MS)
		return span;
	return (covered / deltas - LATE_MS + span - 1) / span * span;
}

static int each(const struct history_source *source, int64_t from_ms, int64_t to_ms,
		int64_t step, history_take_slot *take, void *closure)
{
	const struct history *history = source->self;
	enum history_tier_id tier = tier_for(history, from_ms);
	int64_t newest = history->tier[tier].newest, first, end;
	int err = 0;

	(void)step;
	if (newest == INT64_MIN)
		return 0;
	first = index_from(history, tier, from_ms);
	end = index_from(history, tier, to_ms);
	if (first < newest - history_slots(tier) + 1)
		first = newest - history_slots(tier) + 1;
	for (int64_t i = first; i < end && i <= newest && !err; i++) {
		const struct history_slot *slot = history_slot_at(history, tier, i);

		if (slot)
			err = take(closure, start_of(history, tier, i), slot);
	}
	return err;
}

static struct slice key(const struct history_source *source, uint32_t id)
{
	return history_keys_text(&((const struct history *)source->self)->keys, id);
}

struct history_source history_memory(const struct history *history)
{
	return (struct history_source){ .name = "memory", .self = history, .extent = extent,
					.step_ms = step_ms, .each = each, .key = key };
}
