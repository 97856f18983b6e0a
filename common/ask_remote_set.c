/* SPDX-License-Identifier: MIT */
/* The remotes of a network. */
#include "common/ask_remote_set.h"

#include <stdlib.h>

static int read_size(sqlite3 *db, int64_t *ret_size)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(db, "SELECT coalesce(max(id), 0) FROM remote", -1, &statement, NULL);

	if (code != SQLITE_OK)
		return code;
	if (sqlite3_step(statement) == SQLITE_ROW)
		*ret_size = sqlite3_column_int64(statement, 0) + 1;
	return sqlite3_finalize(statement);
}

static int fill(struct remote_set *set, sqlite3 *db, const struct ask_network *network)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(db, "SELECT id, ip FROM remote WHERE id>=0", -1, &statement, NULL);

	if (code != SQLITE_OK)
		return code;
	while (sqlite3_step(statement) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(statement, 0);

		if (!ask_network_holds(network, (const char *)sqlite3_column_text(statement, 1)))
			continue;
		set->bits[id / 8] |= (uint8_t)(1u << (id % 8));
		set->n++;
	}
	return sqlite3_finalize(statement);
}

int remote_set_make(struct remote_set *set, sqlite3 *db, const struct ask_network *network)
{
	int code;

	*set = (struct remote_set){ 0 };
	code = read_size(db, &set->size);
	if (code != SQLITE_OK)
		return code;
	set->bits = calloc(1, (size_t)set->size / 8 + 1);
	return set->bits ? fill(set, db, network) : SQLITE_NOMEM;
}

void remote_set_free(struct remote_set *set)
{
	free(set->bits);
	*set = (struct remote_set){ 0 };
}
