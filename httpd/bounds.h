/* SPDX-License-Identifier: MIT */
/* Everything that outsiders can make grow: a name, a limit, and how often it was hit. */
#ifndef JOPIL_HTTPD_BOUNDS_H
#define JOPIL_HTTPD_BOUNDS_H

#include <stdint.h>

struct body;

/*
 * X(identifier, name in /api/stats, limit). What a hit is:
 *
 * line_bytes		an input line was longer and was passed over
 * feed_frames		a client fell further behind than the feed remembers
 * packets_a_second	of a snapshot, messages show fewer packets than it has
 * feed_bytes		the feed forgot frames early because they are large
 * held_bytes		a stream client was closed: too late, in the middle of a message that was
 *			remembered only for it
 * connections		one that was waiting was closed for a new one, or that one refused
 * connections_per_address	a connection was refused (no limit on loopback: one proxy is all)
 * streams		an /events or /ws request was answered 503
 * target_bytes		a request target was answered 414
 * header_bytes		a request was answered 431; what does not fit libmicrohttpd's 32 KiB is
 *			answered by itself, uncounted
 * body_bytes		a request was answered 413
 * request_ms		a connection took longer to send a request and was closed
 * stall_ms		a client that read nothing for so long was closed
 * token_guesses	a token was answered 429: so many wrong ones may come from an address at
 *			once, and one more each 6 s
 * token_guessers	a wrong token came from an address that shares its guesses with others:
 *			so many have their own
 * sessions_ended	more sessions were ended before their time: a new key ended all
 * message_bytes	a WebSocket message was answered with close code 1009
 * ledger_rows		seconds of the last hour were forgotten early, for the rows of 112 bytes that
 *			newer ones have (7 MiB)
 * ledger_buckets	the same, for snapshots that came more often than twice a second
 * ledger_reasons	a reason, protocol and host of drops was not counted
 * history_rows		processes or remote addresses of one slot were added up as others (see history.h;
 *			all of it is at most 32 MB)
 * history_names	the same, protocols or reasons of drops
 * history_keys		rows of the oldest slots were added up as others, to have room for new keys
 * history_key_bytes	the same; or a key of more than HISTORY_KEY_MAX bytes was
 * archive_questions	a question to the database was answered 503, as so many waited already (--db)
 * archive_bytes	answers of the database were forgotten early
 * names_addresses	a snapshot's address got no name, or one that was known was forgotten for it
 * names_a_second	an address had to wait with its question (--resolve)
 */
#define BOUNDS(X)                                                  \
	X(LINE_BYTES, line_bytes, 64 * 1024 * 1024)                \
	X(FEED_FRAMES, feed_frames, 8)                             \
	X(PACKETS, packets_a_second, 200)                          \
	X(FEED_BYTES, feed_bytes, 64 * 1024 * 1024)                \
	X(HELD_BYTES, held_bytes, 64 * 1024 * 1024)                \
	X(CONNECTIONS, connections, 4096)                          \
	X(CONNECTIONS_PER_ADDRESS, connections_per_address, 64)    \
	X(STREAMS, streams, 1024)                                  \
	X(TARGET_BYTES, target_bytes, 8 * 1024)                    \
	X(HEADER_BYTES, header_bytes, 16 * 1024)                   \
	X(BODY_BYTES, body_bytes, 4 * 1024)                        \
	X(REQUEST_MS, request_ms, 15 * 1000)                       \
	X(STALL_MS, stall_ms, 60 * 1000)                           \
	X(TOKEN_GUESSES, token_guesses, 10)                        \
	X(TOKEN_GUESSERS, token_guessers, 1024)                    \
	X(SESSIONS_ENDED, sessions_ended, 256)                     \
	X(MESSAGE_BYTES, message_bytes, 4 * 1024)                  \
	X(LEDGER_ROWS, ledger_rows, 64 * 1024)                     \
	X(LEDGER_BUCKETS, ledger_buckets, 1024)                    \
	X(LEDGER_REASONS, ledger_reasons, 1024)                    \
	X(HISTORY_ROWS, history_rows, 256)                         \
	X(HISTORY_NAMES, history_names, 64)                        \
	X(HISTORY_KEYS, history_keys, 32 * 1024)                   \
	X(HISTORY_KEY_BYTES, history_key_bytes, 4 * 1024 * 1024)   \
	X(ARCHIVE_QUESTIONS, archive_questions, 32)                \
	X(ARCHIVE_BYTES, archive_bytes, 64 * 1024 * 1024)          \
	X(NAMES_ADDRESSES, names_addresses, 16 * 1024)             \
	X(NAMES_A_SECOND, names_a_second, 64)

enum bound_id {
#define BOUND_ID(id, name, limit) BOUND_##id,
	BOUNDS(BOUND_ID)
#undef BOUND_ID
	BOUND_COUNT
};

/* The limits that size arrays, as constants. */
enum {
#define BOUND_LIMIT(id, name, limit) LIMIT_##id = (limit),
	BOUNDS(BOUND_LIMIT)
#undef BOUND_LIMIT
};

struct bounds {
	struct bound {
		uint64_t limit;	/* 0 = none */
		uint64_t hits;
	} row[BOUND_COUNT];
};

/* The limits of the table, no hits. */
void bounds_init(struct bounds *bounds);

static inline uint64_t bounds_limit(const struct bounds *bounds, enum bound_id id)
{
	return bounds->row[id].limit;
}

static inline void bounds_hit(struct bounds *bounds, enum bound_id id)
{
	bounds->row[id].hits++;
}

/* Appends {"line_bytes":{"limit":67108864,"hits":0},...}; a limit of 0 is null. */
void bounds_write(const struct bounds *bounds, struct body *body);

#endif
