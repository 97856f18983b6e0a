/* SPDX-License-Identifier: MIT */
/* How often an address may show a wrong token. */
#include "httpd/guesses.h"

#include <stdbool.h>
#include <string.h>

void guesses_init(struct guesses *guesses, struct bounds *bounds)
{
	memset(guesses, 0, sizeof(*guesses));
	guesses->bounds = bounds;
}

/* One subscriber has a whole /64 of IPv6 to choose from. */
static bool is_same(const uint8_t a[16], const uint8_t b[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(a, b, memcmp(a, mapped, sizeof(mapped)) ? 8 : 16);
}

static const struct guesser *find(const struct guesses *guesses, const uint8_t ip[16],
				  uint64_t now_ms, const struct guesser **ret_free)
{
	*ret_free = NULL;
	for (size_t i = 0; i < LIMIT_TOKEN_GUESSERS; i++) {
		const struct guesser *row = &guesses->row[i];

		if (row->full_ms <= now_ms)
			*ret_free = row;
		else if (is_same(ip, row->ip))
			return row;
	}
	return NULL;
}

uint64_t guesses_wait_ms(const struct guesses *guesses, const uint8_t ip[16], uint64_t now_ms)
{
	uint64_t allowed_ms = (LIMIT_TOKEN_GUESSES - 1) * GUESS_PERIOD_MS;
	const struct guesser *unused, *row = find(guesses, ip, now_ms, &unused);

	if (!row)
		row = unused ? unused : &guesses->rest;
	return row->full_ms > now_ms + allowed_ms ? row->full_ms - now_ms - allowed_ms : 0;
}

void guesses_wrong(struct guesses *guesses, const uint8_t ip[16], uint64_t now_ms)
{
	const struct guesser *unused, *found = find(guesses, ip, now_ms, &unused);
	struct guesser *row = &guesses->rest;

	if (found || unused)
		row = &guesses->row[(found ? found : unused) - guesses->row];
	else
		bounds_hit(guesses->bounds, BOUND_TOKEN_GUESSERS);
	if (!found)
		memcpy(row->ip, ip, sizeof(row->ip));
	row->full_ms = (row->full_ms > now_ms ? row->full_ms : now_ms) + GUESS_PERIOD_MS;
}
