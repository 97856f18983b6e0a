/* SPDX-License-Identifier: MIT */
/* The rows that one snapshot adds to the ledger. */
#ifndef JOPIL_HTTPD_LEDGER_ROWS_H
#define JOPIL_HTTPD_LEDGER_ROWS_H

#include "httpd/ledger.h"

struct ledger_rows {
	struct ledger_row *row;	/* in no order; equal keys may come again */
	size_t count, room;
	uint64_t left_out;	/* connections without a row, as the snapshot says, or without memory */
};

/*
 * Appends what the snapshot says of its interval, and notes the counters of drops. What
 * is no row is passed over. free(rows->row) ends it.
 */
void ledger_rows_read(struct ledger *ledger, const struct shot *shot, struct ledger_rows *rows);

#endif
