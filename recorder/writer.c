/* SPDX-License-Identifier: MIT */
/* From a batch to the database. */
#include "recorder/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorder/prune.h"

#define SQL_MAX 1024
#define PRUNE_SECONDS 60
#define PRUNE_NAMES_SECONDS 86400	/* reads every tier: a second or two of a busy year */

/* ---- statements ------------------------------------------------------------ */

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret)
{
	return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
}

/*
 * "INSERT INTO traffic_raw VALUES(?,...) ON CONFLICT DO UPDATE SET
 *  tx_bytes=tx_bytes+excluded.tx_bytes,..."
 */
static void upsert_sql(const struct store_fact_row *fact, const char *tier, char sql[SQL_MAX])
{
	size_t at = (size_t)snprintf(sql, SQL_MAX, "INSERT INTO %s_%s VALUES(?", fact->name, tier);

	for (size_t i = 0; i < fact->key_count + fact->value_count; i++)
		at += (size_t)snprintf(sql + at, SQL_MAX - at, ",?");
	at += (size_t)snprintf(sql + at, SQL_MAX - at, ") ON CONFLICT DO UPDATE SET ");
	for (size_t i = 0; i < fact->value_count; i++)
		at += (size_t)snprintf(sql + at, SQL_MAX - at, "%s%s=%s+excluded.%s", i ? "," : "",
				       fact->values[i], fact->values[i], fact->values[i]);
}

static int prepare_facts(struct writer *w)
{
	char sql[SQL_MAX];
	int code = SQLITE_OK;

	for (int fact = 0; fact < STORE_FACTS; fact++)
		for (int tier = 0; tier < STORE_TIERS && code == SQLITE_OK; tier++) {
			if (!store_has(fact, tier))
				continue;
			upsert_sql(&store_facts[fact], store_tiers[tier].name, sql);
			code = prepare(w->db, sql, &w->upsert[fact][tier]);
		}
	return code;
}

/* Parameters of both: 1 text, 2 host, 3 uid, 4 the text behind the NUL. */
static int prepare_names(struct writer *w)
{
	static const struct {
		const char *find, *add;
	} rows[STORE_NAMES] = {
		[NAME_HOST] = { "SELECT id FROM host WHERE name=?1", "INSERT INTO host(name) VALUES(?1)" },
		[NAME_INTERFACE] = { "SELECT id FROM interface WHERE name=?1 AND host=?2",
				     "INSERT INTO interface(name,host) VALUES(?1,?2)" },
		[NAME_PROCESS] = { "SELECT id FROM process WHERE command=?1 AND host=?2 AND uid=?3",
				   "INSERT INTO process(command,host,uid) VALUES(?1,?2,?3)" },
		[NAME_REMOTE] = { "SELECT id FROM remote WHERE ip=?1", "INSERT INTO remote(ip) VALUES(?1)" },
		[NAME_PROTOCOL] = { "SELECT id FROM protocol WHERE name=?1",
				    "INSERT INTO protocol(name) VALUES(?1)" },
		[NAME_REASON] = { "SELECT id FROM reason WHERE name=?1",
				  "INSERT INTO reason(name) VALUES(?1)" },
		[NAME_SERIES] = { "SELECT id FROM series WHERE name=?1 AND host=?2 AND unit=?4",
				  "INSERT INTO series(name,host,unit) VALUES(?1,?2,?4)" },
	};
	int code = SQLITE_OK;

	for (int kind = 0; kind < STORE_NAMES && code == SQLITE_OK; kind++) {
		code = prepare(w->db, rows[kind].find, &w->find_name[kind]);
		if (code == SQLITE_OK)
			code = prepare(w->db, rows[kind].add, &w->add_name[kind]);
	}
	return code;
}

static int prepare_others(struct writer *w)
{
	const struct {
		const char *sql;
		sqlite3_stmt **to;
	} rows[] = {
		{ "INSERT OR IGNORE INTO slot VALUES(?1,?2,?3)", &w->add_slot },
		{ "SELECT packets,bytes FROM baseline WHERE fact=?1 AND key1=?2 AND key2=?3 AND key3=?4",
		  &w->find_baseline },
		{ "INSERT OR REPLACE INTO baseline VALUES(?1,?2,?3,?4,?5,?6)", &w->set_baseline },
		{ "INSERT INTO flow VALUES(NULL,?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,"
		  "?17,?18,?19,?20)", &w->add_flow },
	};
	int code = SQLITE_OK;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && code == SQLITE_OK; i++)
		code = prepare(w->db, rows[i].sql, rows[i].to);
	return code;
}

/* Runs a statement that gives no row, and makes it ready for the next time. */
static int run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement), after = sqlite3_reset(statement);

	return code == SQLITE_DONE ? SQLITE_OK : after;
}

/* ---- names ----------------------------------------------------------------- */

static int bind_name(struct writer *w, sqlite3_stmt *statement, const struct name *name)
{
	size_t length = strlen(name->text);

	sqlite3_bind_text(statement, 1, name->text, (int)length, SQLITE_STATIC);
	if (name->host != NAME_NONE)
		sqlite3_bind_int64(statement, 2, w->names.all[name->host].id);
	sqlite3_bind_int64(statement, 3, name->uid);
	if (length < name->length)
		sqlite3_bind_text(statement, 4, name->text + length + 1,
				  (int)(name->length - length - 1), SQLITE_STATIC);
	return SQLITE_OK;
}

static int look_up(struct writer *w, struct name *name)
{
	sqlite3_stmt *find = w->find_name[name->kind];
	int code;

	bind_name(w, find, name);
	code = sqlite3_step(find);
	if (code == SQLITE_ROW)
		name->id = sqlite3_column_int64(find, 0);
	sqlite3_reset(find);
	return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int add_name(struct writer *w, struct name *name)
{
	sqlite3_stmt *add = w->add_name[name->kind];
	int code;

	bind_name(w, add, name);
	code = run(add);
	if (code == SQLITE_OK) {
		name->id = sqlite3_last_insert_rowid(w->db);
		name->is_new = true;
	}
	return code;
}

/* Fills .id of a name and of its host; it stays 0 for one that is not there and may not be added. */
static int resolve(struct writer *w, u32 number, bool may_add)
{
	struct name *name = &w->names.all[number];
	int code = SQLITE_OK;

	if (name->id)
		return SQLITE_OK;
	if (name->host != NAME_NONE)
		code = resolve(w, name->host, may_add);
	if (code == SQLITE_OK)
		code = look_up(w, name);
	if (code == SQLITE_OK && !name->id && may_add)
		code = add_name(w, name);
	return code;
}

/* The ids that a transaction gave are nobody's when it is rolled back. */
static void settle_names(struct writer *w, bool committed)
{
	for (u32 i = 0; i < w->names.n; i++) {
		struct name *name = &w->names.all[i];

		if (name->is_new && !committed)
			name->id = 0;
		name->is_new = false;
	}
}

/* Keys as the database has them; those that are no names stay what they are. */
static int resolve_keys(struct writer *w, const enum store_name *kinds, size_t count,
			const int64_t *keys, bool may_add, int64_t ids[STORE_KEYS_MAX])
{
	int code = SQLITE_OK;

	for (size_t i = 0; i < STORE_KEYS_MAX; i++) {
		ids[i] = keys[i];
		if (i >= count || kinds[i] == STORE_NUMBER || code != SQLITE_OK)
			continue;
		code = resolve(w, (u32)keys[i], may_add);
		ids[i] = w->names.all[keys[i]].id;
	}
	return code;
}

/* ---- rows ------------------------------------------------------------------ */

static bool is_kept(const struct writer *w, int tier)
{
	int64_t oldest = w->newest - (int64_t)w->retention.tier_seconds[tier];

	return w->retention.tier_seconds[tier] && w->slots[tier].end > oldest;
}

/* Makes the slot current, and notes in each tier that it was watched. */
static int enter_slot(struct writer *w, int64_t slot)
{
	int code = SQLITE_OK;

	if (slot == w->current_slot)
		return SQLITE_OK;
	for (int tier = 0; tier < STORE_TIERS && code == SQLITE_OK; tier++) {
		store_slot(tier, slot, &w->slots[tier].begin, &w->slots[tier].end);
		if (!is_kept(w, tier))
			continue;
		sqlite3_bind_int(w->add_slot, 1, tier);
		sqlite3_bind_int64(w->add_slot, 2, w->slots[tier].begin);
		sqlite3_bind_int64(w->add_slot, 3, w->slots[tier].end);
		code = run(w->add_slot);
	}
	w->current_slot = code == SQLITE_OK ? slot : INT64_MIN;
	return code;
}

static int write_row(struct writer *w, const struct batch_row *row, u64 *written)
{
	const struct store_fact_row *fact = &store_facts[row->key.fact];
	int64_t ids[STORE_KEYS_MAX];
	int code = enter_slot(w, row->key.slot);

	if (code == SQLITE_OK)
		code = resolve_keys(w, fact->kinds, fact->key_count, row->key.key, true, ids);
	if (w->progress)
		w->progress(w->progress_data);
	for (int tier = 0; tier < STORE_TIERS && code == SQLITE_OK; tier++) {
		sqlite3_stmt *upsert = w->upsert[row->key.fact][tier];
		int at = 1;

		if (!upsert || !is_kept(w, tier))
			continue;
		sqlite3_bind_int64(upsert, at++, w->slots[tier].begin);
		for (size_t i = 0; i < fact->key_count; i++)
			sqlite3_bind_int64(upsert, at++, ids[i]);
		for (size_t i = 0; i < fact->value_count; i++)
			sqlite3_bind_int64(upsert, at++, (int64_t)row->values[i]);
		code = run(upsert);
		++*written;
	}
	return code;
}

/* In the order of the tables: neighbours go to one page. */
static int by_key(const void *one, const void *other)
{
	const struct batch_key *a = &((const struct batch_row *)one)->key;
	const struct batch_key *b = &((const struct batch_row *)other)->key;

	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	if (a->fact != b->fact)
		return a->fact < b->fact ? -1 : 1;
	for (int i = 0; i < STORE_KEYS_MAX; i++)
		if (a->key[i] != b->key[i])
			return a->key[i] < b->key[i] ? -1 : 1;
	return 0;
}

static int write_sorted(struct writer *w, const struct batch_row *rows, u32 n, u64 *written)
{
	int code = SQLITE_OK;

	for (u32 i = 0; i < n && code == SQLITE_OK; i++)
		code = write_row(w, &rows[i], written);
	return code;
}

/* Where a fact has a key; its keys are among those of the other. */
static size_t place_of(const struct store_fact_row *fact, const char *key)
{
	size_t i = 0;

	while (strcmp(fact->keys[i], key))
		i++;
	return i;
}

/* The rows of a fact, by the fewer keys of a summary of it; returns how many. */
static u32 rows_by_less(const struct batch *batch, const struct store_summary_row *summary,
			struct batch_row *rows)
{
	const struct store_fact_row *fact = &store_facts[summary->fact], *of = &store_facts[summary->of];
	size_t places[STORE_KEYS_MAX] = { 0 };
	u32 n = 0;

	for (size_t k = 0; k < fact->key_count; k++)
		places[k] = place_of(of, fact->keys[k]);
	for (u32 i = 0; i < batch->n; i++) {
		const struct batch_row *row = &batch->rows[i];

		if (row->key.fact != summary->of)
			continue;
		rows[n] = *row;
		rows[n].key = (struct batch_key){ .slot = row->key.slot, .fact = summary->fact };
		for (size_t k = 0; k < fact->key_count; k++)
			rows[n].key.key[k] = row->key.key[places[k]];
		n++;
	}
	return n;
}

/* Adds up sorted rows of the same key; returns how many are left. */
static u32 merge(struct batch_row *rows, u32 n)
{
	u32 last = 0;

	for (u32 i = 1; i < n; i++) {
		if (by_key(&rows[last], &rows[i])) {
			rows[++last] = rows[i];
			continue;
		}
		for (size_t v = 0; v < STORE_VALUES_MAX; v++)
			rows[last].values[v] += rows[i].values[v];
	}
	return n ? last + 1 : 0;
}

static int write_summary(struct writer *w, const struct store_summary_row *summary, struct batch_row *rows,
			 u64 *written)
{
	u32 n = rows_by_less(&w->batch, summary, rows);

	qsort(rows, n, sizeof(*rows), by_key);
	return write_sorted(w, rows, merge(rows, n), written);
}

static int write_rows(struct writer *w, u64 *written)
{
	/* A copy: the batch finds its rows by their places, and may have to go on. */
	struct batch_row *rows = calloc(w->batch.n + 1ul, sizeof(*rows));
	int code = rows ? SQLITE_OK : SQLITE_NOMEM;

	if (rows && w->batch.n) {
		memcpy(rows, w->batch.rows, w->batch.n * sizeof(*rows));
		qsort(rows, w->batch.n, sizeof(*rows), by_key);
		code = write_sorted(w, rows, w->batch.n, written);
	}
	for (size_t i = 0; i < STORE_SUMMARIES && code == SQLITE_OK; i++)
		code = write_summary(w, &store_summaries[i], rows, written);
	for (u32 i = 0; i < w->batch.n_watched && code == SQLITE_OK; i++)
		code = enter_slot(w, w->batch.watched[i]);
	free(rows);
	return code;
}

/* ---- flows ----------------------------------------------------------------- */

static void bind_or_null(sqlite3_stmt *statement, int at, int64_t value)
{
	if (value < 0)
		sqlite3_bind_null(statement, at);
	else
		sqlite3_bind_int64(statement, at, value);
}

static int write_flow(struct writer *w, const struct batch_flow *f)
{
	static const enum store_name kinds[] = { NAME_HOST, NAME_INTERFACE, NAME_PROTOCOL };
	const int64_t keys[STORE_KEYS_MAX] = { f->host, f->interface, f->protocol };
	sqlite3_stmt *add = w->add_flow;
	int64_t ids[STORE_KEYS_MAX];
	int code = resolve_keys(w, kinds, STORE_KEYS_MAX, keys, true, ids);

	if (code != SQLITE_OK)
		return code;
	sqlite3_bind_int64(add, 1, ids[0]);
	sqlite3_bind_int64(add, 2, ids[1]);
	sqlite3_bind_text(add, 3, *f->command ? f->command : NULL, -1, SQLITE_STATIC);
	bind_or_null(add, 4, f->pid);
	sqlite3_bind_int64(add, 5, ids[2]);
	sqlite3_bind_text(add, 6, f->src_ip, -1, SQLITE_STATIC);
	bind_or_null(add, 7, f->src_port);
	sqlite3_bind_text(add, 8, f->dst_ip, -1, SQLITE_STATIC);
	bind_or_null(add, 9, f->dst_port);
	bind_or_null(add, 10, f->vlan);
	sqlite3_bind_int64(add, 11, (int64_t)f->src_packets);
	sqlite3_bind_int64(add, 12, (int64_t)f->src_bytes);
	sqlite3_bind_int64(add, 13, (int64_t)f->dst_packets);
	sqlite3_bind_int64(add, 14, (int64_t)f->dst_bytes);
	sqlite3_bind_int64(add, 15, f->first_ms);
	sqlite3_bind_int64(add, 16, f->last_ms);
	sqlite3_bind_text(add, 17, *f->state ? f->state : NULL, -1, SQLITE_STATIC);
	bind_or_null(add, 18, f->rtt_us);
	bind_or_null(add, 19, f->retransmits);
	bind_or_null(add, 20, f->drops);
	return run(add);
}

/* ---- baselines ------------------------------------------------------------- */

static const enum store_name baseline_kinds[BASELINES][STORE_KEYS_MAX] = {
	[BASELINE_INTERFACE] = { NAME_INTERFACE, STORE_NUMBER, STORE_NUMBER },
	[BASELINE_PROTOCOL] = { NAME_INTERFACE, NAME_PROTOCOL, STORE_NUMBER },
	[BASELINE_DROP] = { NAME_HOST, NAME_REASON, NAME_PROTOCOL },
	[BASELINE_PROTOCOLS] = { NAME_INTERFACE, STORE_NUMBER, STORE_NUMBER },
	[BASELINE_DROPS] = { NAME_HOST, STORE_NUMBER, STORE_NUMBER },
};

static int baseline_ids(struct writer *w, const struct batch_key *key, bool may_add,
			int64_t ids[STORE_KEYS_MAX])
{
	return resolve_keys(w, baseline_kinds[key->fact], STORE_KEYS_MAX, key->key, may_add, ids);
}

static int write_baselines(struct writer *w)
{
	int code = SQLITE_OK;

	for (u32 i = 0; i < w->baselines.n && code == SQLITE_OK; i++) {
		const struct batch_row *row = &w->baselines.rows[i];
		int64_t ids[STORE_KEYS_MAX];

		if (!(row->values[2] & BASELINE_CHANGED))
			continue;
		code = baseline_ids(w, &row->key, true, ids);
		if (code != SQLITE_OK)
			break;
		sqlite3_bind_int(w->set_baseline, 1, (int)row->key.fact);
		for (int k = 0; k < STORE_KEYS_MAX; k++)
			sqlite3_bind_int64(w->set_baseline, 2 + k, ids[k]);
		sqlite3_bind_int64(w->set_baseline, 5, (int64_t)row->values[0]);
		sqlite3_bind_int64(w->set_baseline, 6, (int64_t)row->values[1]);
		code = run(w->set_baseline);
	}
	return code;
}

/* What an earlier run has left. */
static void read_baseline(struct writer *w, const struct batch_key *key, u64 *values)
{
	sqlite3_stmt *find = w->find_baseline;
	int64_t ids[STORE_KEYS_MAX];

	if (baseline_ids(w, key, false, ids) != SQLITE_OK)
		return;
	sqlite3_bind_int(find, 1, (int)key->fact);
	for (int k = 0; k < STORE_KEYS_MAX; k++)
		sqlite3_bind_int64(find, 2 + k, ids[k]);
	if (sqlite3_step(find) == SQLITE_ROW) {
		values[0] = (u64)sqlite3_column_int64(find, 0);
		values[1] = (u64)sqlite3_column_int64(find, 1);
		values[2] = BASELINE_KNOWN;
	}
	sqlite3_reset(find);
}

/* NULL: no room. */
static u64 *baseline_of(struct writer *w, const struct batch_key *key)
{
	u32 before = w->baselines.n;
	u64 *values = batch_values(&w->baselines, key);

	if (values && w->baselines.n > before)
		read_baseline(w, key, values);
	return values;
}

bool writer_knows(struct writer *w, const struct batch_key *key)
{
	const u64 *values = baseline_of(w, key);

	return values && values[2] & BASELINE_KNOWN;
}

bool writer_advance(struct writer *w, const struct batch_key *key, bool is_new, u64 packets, u64 bytes,
		    u64 *ret_packets, u64 *ret_bytes)
{
	u64 *values = baseline_of(w, key);
	bool anew;

	*ret_packets = *ret_bytes = 0;
	if (!values)
		return false;
	if (is_new || values[2] & BASELINE_KNOWN) {
		/* What is not known is 0. */
		anew = packets < values[0] || bytes < values[1];
		*ret_packets = anew ? packets : packets - values[0];
		*ret_bytes = anew ? bytes : bytes - values[1];
	}
	if (values[0] != packets || values[1] != bytes || !(values[2] & BASELINE_KNOWN))
		values[2] = BASELINE_KNOWN | BASELINE_CHANGED;
	values[0] = packets;
	values[1] = bytes;
	return true;
}

/* ---- transactions ---------------------------------------------------------- */

static int write_all(struct writer *w, u64 *written)
{
	int code = write_rows(w, written);

	for (u32 i = 0; i < w->batch.n_flows && code == SQLITE_OK; i++)
		code = write_flow(w, &w->batch.flows[i]);
	if (code == SQLITE_OK)
		code = write_baselines(w);
	if (code == SQLITE_OK && w->newest >= w->pruned + PRUNE_SECONDS) {
		w->pruned = w->newest;
		code = prune(w->db, &w->retention, w->newest, &w->pruned_early);
	}
	if (code == SQLITE_OK && w->newest >= w->names_pruned + PRUNE_NAMES_SECONDS) {
		w->names_pruned = w->newest;
		code = prune_names(w->db, &w->names_left);
	}
	return code;
}

static void settle(struct writer *w, bool committed)
{
	settle_names(w, committed);
	if (!committed)
		return;
	for (u32 i = 0; i < w->baselines.n; i++)
		w->baselines.rows[i].values[2] &= ~(u64)BASELINE_CHANGED;
	batch_clear(&w->batch);
	/* All numbers of names go with the batch: now they can be forgotten; ids that left have to be. */
	if (w->names.n > NAMES_MAX / 2 || w->names_left) {
		names_clear(&w->names);
		batch_clear(&w->baselines);
	}
}

static int64_t newest_of(const struct writer *w)
{
	int64_t newest = w->newest;

	for (u32 i = 0; i < w->batch.n_watched; i++)
		if (w->batch.watched[i] > newest)
			newest = w->batch.watched[i];
	return newest;
}

enum store_status writer_commit(struct writer *w, const char **ret_why)
{
	int code = sqlite3_exec(w->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	u64 written = 0;

	*ret_why = "";
	w->names_left = false;
	w->newest = newest_of(w);
	w->current_slot = INT64_MIN;
	if (code == SQLITE_OK)
		code = write_all(w, &written);
	if (code == SQLITE_OK)
		code = sqlite3_exec(w->db, "COMMIT", NULL, NULL, NULL);
	if (code != SQLITE_OK && !sqlite3_get_autocommit(w->db))
		sqlite3_exec(w->db, "ROLLBACK", NULL, NULL, NULL);
	settle(w, code == SQLITE_OK);
	if (code == SQLITE_OK) {
		w->rows_written += written;
		return STORE_OK;
	}
	*ret_why = sqlite3_errstr(code);
	return STORE_FAILED;
}

static int read_newest(struct writer *w)
{
	sqlite3_stmt *statement;
	int code = sqlite3_prepare_v2(w->db, "SELECT max(begin) FROM slot", -1, &statement, NULL);

	if (code != SQLITE_OK)
		return code;
	if (sqlite3_step(statement) == SQLITE_ROW)
		w->newest = sqlite3_column_int64(statement, 0);
	return sqlite3_finalize(statement);
}

enum store_status writer_open(struct writer *w, const char *path, const struct retention *retention,
			      const char **ret_why)
{
	enum store_status status;
	int code = SQLITE_NOMEM;

	*w = (struct writer){ .retention = *retention };
	status = store_open_writer(path, &w->db, ret_why);
	if (status != STORE_OK)
		return status;
	if (!names_init(&w->names) && !batch_init(&w->batch) && !batch_init(&w->baselines))
		code = prepare_facts(w);
	if (code == SQLITE_OK)
		code = prepare_names(w);
	if (code == SQLITE_OK)
		code = prepare_others(w);
	if (code == SQLITE_OK)
		code = read_newest(w);
	if (code == SQLITE_OK)
		return STORE_OK;
	*ret_why = sqlite3_errstr(code);
	return (code & 0xff) == SQLITE_CORRUPT ? STORE_DAMAGED : STORE_FAILED;
}

void writer_close(struct writer *w)
{
	sqlite3_stmt *statement;

	while (w->db && (statement = sqlite3_next_stmt(w->db, NULL)))
		sqlite3_finalize(statement);
	sqlite3_close(w->db);
	names_free(&w->names);
	batch_free(&w->batch);
	batch_free(&w->baselines);
	*w = (struct writer){ 0 };
}
