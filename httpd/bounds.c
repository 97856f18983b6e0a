/* SPDX-License-Identifier: MIT */
/* Everything that outsiders can make grow: a name, a limit, and how often it was hit. */
#include "httpd/bounds.h"

#include <inttypes.h>
#include <stddef.h>

#include "httpd/body.h"

static const struct {
	const char *name;
	uint64_t limit;
} table[BOUND_COUNT] = {
#define BOUND_ROW(id, name, limit) { #name, limit },
	BOUNDS(BOUND_ROW)
#undef BOUND_ROW
};

void bounds_init(struct bounds *bounds)
{
	for (size_t i = 0; i < BOUND_COUNT; i++)
		bounds->row[i] = (struct bound){ .limit = table[i].limit };
}

void bounds_write(const struct bounds *bounds, struct body *body)
{
	for (size_t i = 0; i < BOUND_COUNT; i++) {
		const struct bound *row = &bounds->row[i];

		body_printf(body, "%s\"%s\":{\"limit\":", i ? "," : "{", table[i].name);
		if (row->limit)
			body_printf(body, "%" PRIu64, row->limit);
		else
			body_add(body, "null", 4);
		body_printf(body, ",\"hits\":%" PRIu64 "}", row->hits);
	}
	body_add(body, "}", 1);
}
