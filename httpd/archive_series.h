/* SPDX-License-Identifier: MIT */
/*
 * The past from the database, for GET /api/history: what the process that reads it works out,
 * and what of its bytes is believed.
 *
 * The answer is a struct archive_series_head, then as many as it says of: int64_t cuts (Unix
 * seconds), struct archive_step, struct archive_row, struct archive_bucket; then its keys, each
 * a struct archive_key and the members of a row as JSON ("proto":"TCP").
 */
#ifndef JOPIL_HTTPD_ARCHIVE_SERIES_H
#define JOPIL_HTTPD_ARCHIVE_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httpd/archive_wire.h"

#define ARCHIVE_STEPS_MAX 745	/* an hour each of 31 days, and one that is cut */
#define ARCHIVE_VALUES 4
#define ARCHIVE_ROWS_MAX 10000	/* of processes, of remotes: beyond, they are others */

struct archive_series_head {
	int64_t oldest, newest;	/* of the database, Unix seconds */
	int64_t step;		/* seconds, about: days have 23 to 25 hours */
	uint32_t cuts;		/* where steps begin, and the end of the last one */
	uint32_t steps;		/* that are the database's: the first ones */
	uint32_t rows, buckets, keys;
	uint32_t known;		/* enum history_known: what the database has anything of */
	uint32_t one_host;	/* 1: all is of one host; remotes have it in their keys then */
	uint32_t zero;
};

struct archive_step {
	uint64_t covered_ms;	/* 0: nothing is known of it */
	uint64_t scalar[ARCHIVE_VALUES];	/* enum history_scalar, the first ones */
};

struct archive_row {
	uint32_t step, key;	/* key ARCHIVE_OTHER + kind: all that has no row */
	uint64_t value[ARCHIVE_VALUES];
};

#define ARCHIVE_OTHER 0x80000000u

struct archive_bucket {
	uint32_t step, bucket;
	uint64_t count;
};

struct archive_key {
	uint16_t kind, length;
};

struct ask;

/* Writes the answer to a->request->out. False: it went wrong (ask). */
bool archive_series_run(const struct archive_question *question, struct ask *a);

/* The parts of an answer, in its own memory. */
struct archive_series {
	const struct archive_series_head *head;
	const int64_t *cuts;
	const struct archive_step *steps;
	const struct archive_row *rows;
	const struct archive_bucket *buckets;
	const char *keys;	/* archive_series_key() walks them */
	size_t keys_length;
};

/*
 * Takes size bytes apart that came from the process, aligned to 8: every number that is an
 * index is one, times ascend. 0 or -EBADMSG.
 */
int archive_series_parse(const void *data, size_t size, struct archive_series *ret_series);

/* The key at *at, which moves to the next one; archive_series_parse() saw them all. */
void archive_series_key(const struct archive_series *series, size_t *at, struct archive_key *ret_key,
			const char **ret_text);

#endif
