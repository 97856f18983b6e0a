/* SPDX-License-Identifier: MIT */
/* Which slots of which tiers hold a range of time. */
#include "common/store_plan.h"

#include <stdlib.h>

struct span {
	int64_t begin, end;
};

struct planner {
	sqlite3_stmt *before;	/* the last slot of tier ?1 that begins at ?2 or earlier */
	sqlite3_stmt *after;	/* the first one that begins later */
	const int64_t *cuts;
	size_t n;
	int64_t covered;	/* where what is taken ends: the last cut, or of a slot that holds it */
	int64_t to;		/* the same; INT64_MAX: nothing was recorded behind it */
	int64_t began, ended;	/* the first and last that was watched, as fine as it is known */
	int64_t known[STORE_TIERS];	/* since when a tier has all that was watched */
	struct span taken;	/* the last slot that was taken */
	struct store_plan plan;
	int code;		/* SQLite's, of what went wrong first */
};

/* ---- slots ----------------------------------------------------------------- */

static bool look_up(struct planner *p, sqlite3_stmt *statement, enum store_tier tier, int64_t at,
		    struct span *ret)
{
	bool found;
	int code;

	sqlite3_bind_int(statement, 1, tier);
	sqlite3_bind_int64(statement, 2, at);
	code = sqlite3_step(statement);
	found = code == SQLITE_ROW;
	if (found)
		*ret = (struct span){ sqlite3_column_int64(statement, 0),
				      sqlite3_column_int64(statement, 1) };
	sqlite3_reset(statement);
	if (!found && code != SQLITE_DONE && p->code == SQLITE_OK)
		p->code = code;
	return found;
}

/* The slot of a tier that holds a time. */
static bool slot_at(struct planner *p, enum store_tier tier, int64_t at, struct span *ret)
{
	struct span span;

	if (!look_up(p, p->before, tier, at, &span) || span.end <= at)
		return false;
	*ret = span;
	return true;
}

static bool knows(const struct planner *p, enum store_tier tier, int64_t at)
{
	return at >= p->known[tier];
}

/* The finest tier that knows a time; days where none does. */
static enum store_tier finest_at(const struct planner *p, int64_t at)
{
	enum store_tier tier = TIER_RAW;

	while (tier < TIER_DAYS && !knows(p, tier, at))
		tier++;
	return tier;
}

size_t store_plan_part(const int64_t *cuts, size_t n, int64_t slot)
{
	size_t low = 0, high = n - 1;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (cuts[middle] <= slot)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static bool crosses(const struct planner *p, const struct span *span)
{
	int64_t next = p->cuts[store_plan_part(p->cuts, p->n, span->begin) + 1];

	return next < p->cuts[p->n - 1] && next < span->end;
}

/*
 * Where a clock was changed by less than a slot, or the recorder moved to another time zone,
 * slots of a tier overlap: their sums are apart, but their times are not.
 */
static bool overlaps(struct planner *p, enum store_tier tier, const struct span *span)
{
	struct span other;

	return (look_up(p, p->before, tier, span->begin - 1, &other) && other.end > span->begin) ||
	       (look_up(p, p->after, tier, span->begin, &other) && other.begin < span->end);
}

/* ---- taking ---------------------------------------------------------------- */

static struct store_segment *add_segment(struct planner *p)
{
	struct store_plan *plan = &p->plan;

	if (plan->n == plan->allocated) {
		size_t allocated = plan->allocated ? 2 * plan->allocated : 8;
		struct store_segment *segments = realloc(plan->segments, allocated * sizeof(*segments));

		if (!segments) {
			p->code = SQLITE_NOMEM;
			return NULL;
		}
		plan->segments = segments;
		plan->allocated = allocated;
	}
	return &plan->segments[plan->n++];
}

/* The segment goes on when no slot of its tier lies between. */
static bool continues(struct planner *p, const struct store_segment *last, enum store_tier tier,
		      const struct span *span)
{
	struct span next;

	return last->tier == tier && look_up(p, p->after, tier, last->last, &next) &&
	       next.begin == span->begin;
}

static int64_t take(struct planner *p, enum store_tier tier, const struct span *span)
{
	struct store_plan *plan = &p->plan;
	struct store_segment *last = plan->n ? &plan->segments[plan->n - 1] : NULL;
	int64_t begin = span->begin > p->began ? span->begin : p->began;
	int64_t end = p->to == INT64_MAX && span->end > p->covered ? p->covered : span->end;

	if (!plan->n || begin < plan->begin)
		plan->begin = begin;
	if (end > p->ended)
		end = p->ended;
	if (end > plan->end)
		plan->end = end;
	plan->crosses |= crosses(p, span);
	if (last && continues(p, last, tier, span)) {
		last->last = span->begin;
	} else {
		last = add_segment(p);
		if (last)
			*last = (struct store_segment){ tier, span->begin, span->begin };
	}
	p->taken = *span;
	return span->end;
}

/* The coarsest slot that begins here and crosses no cut. */
static bool take_whole(struct planner *p, int64_t at, int64_t *ret_next)
{
	for (int tier = TIER_DAYS; tier >= TIER_RAW; tier--) {
		struct span span;

		if (!slot_at(p, tier, at, &span) || span.begin != at || span.end > p->to ||
		    crosses(p, &span) || overlaps(p, tier, &span))
			continue;
		*ret_next = take(p, tier, &span);
		return true;
	}
	return false;
}

/* What the finest tier has here, however it lies. */
static bool take_finest(struct planner *p, int64_t at, int64_t *ret_next)
{
	enum store_tier tier = finest_at(p, at);
	struct span span;

	if (!slot_at(p, tier, at, &span) || (span.begin == p->taken.begin && span.end == p->taken.end))
		return false;
	*ret_next = take(p, tier, &span);
	return true;
}

/* Nobody watched here: where does it go on? */
static int64_t next_begin(struct planner *p, int64_t at)
{
	int64_t next = INT64_MAX;

	for (int tier = TIER_RAW; tier < STORE_TIERS; tier++) {
		struct span span;

		if (look_up(p, p->after, tier, at, &span) && span.begin < next)
			next = span.begin;
	}
	return next;
}

/* ---- planning -------------------------------------------------------------- */

static int prepare(struct planner *p, sqlite3 *db)
{
	int code = sqlite3_prepare_v2(db, "SELECT begin, end FROM slot WHERE tier = ?1 AND begin <= ?2 "
				      "ORDER BY begin DESC LIMIT 1", -1, &p->before, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(db, "SELECT begin, end FROM slot WHERE tier = ?1 AND begin > ?2 "
					  "ORDER BY begin LIMIT 1", -1, &p->after, NULL);
	return code;
}

/*
 * A tier knows the time from its oldest slot on; and all that its coarser one knows, where
 * that does not reach back further: then nothing has left it yet.
 */
static enum store_tier find_known(struct planner *p)
{
	int64_t known = INT64_MIN, first_end = INT64_MAX;
	enum store_tier finest = TIER_DAYS;

	for (int tier = TIER_DAYS; tier >= TIER_RAW; tier--) {
		struct span first;

		p->known[tier] = INT64_MAX;
		if (!look_up(p, p->after, tier, INT64_MIN, &first))
			continue;
		if (first.begin >= first_end)
			known = first.begin;
		p->known[tier] = known;
		if (known == INT64_MIN)
			p->began = first.begin;
		first_end = first.end;
		finest = tier;
	}
	return finest;
}

static void find_ends(struct planner *p)
{
	enum store_tier finest = find_known(p);
	struct span span;

	if (slot_at(p, finest_at(p, p->to - 1), p->to - 1, &span) && span.end > p->to)
		p->to = p->covered = span.end;
	p->ended = INT64_MAX;
	if (!look_up(p, p->before, finest, INT64_MAX, &span))
		return;
	p->ended = span.end;
	/* Whole slots that end later have nothing but what is in the range. */
	if (span.end <= p->to)
		p->to = INT64_MAX;
}

static void find_slots(struct planner *p)
{
	int64_t to = p->cuts[p->n - 1], at = p->cuts[0];
	struct span span;

	if (slot_at(p, finest_at(p, at), at, &span))
		at = span.begin;
	while (at < to && p->code == SQLITE_OK) {
		int64_t next;

		if (!take_whole(p, at, &next) && !take_finest(p, at, &next))
			next = next_begin(p, at);
		at = next;
	}
}

enum store_status store_plan(sqlite3 *db, const int64_t *cuts, size_t n, struct store_plan *ret,
			     const char **ret_why)
{
	struct planner p = { .cuts = cuts, .n = n, .to = cuts[n - 1], .covered = cuts[n - 1] };

	*ret_why = "";
	p.code = prepare(&p, db);
	if (p.code == SQLITE_OK) {
		find_ends(&p);
		find_slots(&p);
	}
	sqlite3_finalize(p.before);
	sqlite3_finalize(p.after);
	if (p.code == SQLITE_OK) {
		*ret = p.plan;
		return STORE_OK;
	}
	store_plan_free(&p.plan);
	*ret_why = sqlite3_errstr(p.code);
	return (p.code & 0xff) == SQLITE_CORRUPT ? STORE_DAMAGED : STORE_FAILED;
}

void store_plan_free(struct store_plan *plan)
{
	free(plan->segments);
	*plan = (struct store_plan){ 0 };
}
