/* SPDX-License-Identifier: MIT */
/* From ids to names. */
#include "common/ask_names.h"

#include <stdlib.h>
#include <string.h>

/* Columns: text, host, uid, unit. */
static const char *const find_sql[STORE_NAMES] = {
	[NAME_HOST] = "SELECT name, name, 0, NULL FROM host WHERE id=?1",
	[NAME_INTERFACE] = "SELECT i.name, h.name, 0, NULL FROM interface i JOIN host h ON h.id=i.host "
			   "WHERE i.id=?1",
	[NAME_PROCESS] = "SELECT p.command, h.name, p.uid, NULL FROM process p JOIN host h ON h.id=p.host "
			 "WHERE p.id=?1",
	[NAME_REMOTE] = "SELECT ip, NULL, 0, NULL FROM remote WHERE id=?1",
	[NAME_PROTOCOL] = "SELECT name, NULL, 0, NULL FROM protocol WHERE id=?1",
	[NAME_REASON] = "SELECT name, NULL, 0, NULL FROM reason WHERE id=?1",
	[NAME_SERIES] = "SELECT s.name, h.name, 0, s.unit FROM series s JOIN host h ON h.id=s.host "
			"WHERE s.id=?1",
};

void ask_names_init(struct ask_names *names, struct ask *ask)
{
	*names = (struct ask_names){ .ask = ask };
	for (int kind = 0; kind < STORE_NAMES; kind++) {
		names->find[kind] = ask_prepare(ask, find_sql[kind]);
		names->kept[kind] = calloc(NAMES_KEPT, sizeof(**names->kept));
		if (!names->kept[kind])
			ask_check(ask, SQLITE_NOMEM);
	}
}

static void clear(struct known_name *name)
{
	free(name->text);
	free(name->host);
	free(name->unit);
	*name = (struct known_name){ 0 };
}

void ask_names_free(struct ask_names *names)
{
	for (int kind = 0; kind < STORE_NAMES; kind++) {
		sqlite3_finalize(names->find[kind]);
		for (size_t i = 0; names->kept[kind] && i < NAMES_KEPT; i++)
			clear(&names->kept[kind][i]);
		free(names->kept[kind]);
	}
}

static char *copy_of(struct ask_names *names, sqlite3_stmt *find, int column)
{
	const char *text = (const char *)sqlite3_column_text(find, column);
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		ask_check(names->ask, SQLITE_NOMEM);
	return copy;
}

const struct known_name *ask_names_of(struct ask_names *names, enum store_name kind, int64_t id)
{
	static const struct known_name none;
	sqlite3_stmt *find = names->find[kind];
	struct known_name *name;
	int code;

	if (names->ask->status != STORE_OK)
		return &none;
	name = &names->kept[kind][(uint64_t)id % NAMES_KEPT];
	if (name->id == id)
		return name;
	clear(name);
	sqlite3_bind_int64(find, 1, id);
	code = sqlite3_step(find);
	if (code == SQLITE_ROW) {
		name->id = id;
		name->text = copy_of(names, find, 0);
		name->host = copy_of(names, find, 1);
		name->uid = sqlite3_column_int64(find, 2);
		name->unit = copy_of(names, find, 3);
	}
	sqlite3_reset(find);
	ask_check(names->ask, code);
	return name;
}
