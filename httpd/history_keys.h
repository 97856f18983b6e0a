/* SPDX-License-Identifier: MIT */
/* What rows of history are of, each text once: counted by the rows that have it. */
#ifndef JOPIL_HTTPD_HISTORY_KEYS_H
#define JOPIL_HTTPD_HISTORY_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httpd/body.h"
#include "httpd/bounds.h"

#define HISTORY_KEY_MAX 1024	/* bytes; a host's name may have 512, and escapes */
#define HISTORY_CHAINS 16384	/* a power of two */
#define HISTORY_NO_KEY UINT32_MAX

/* Members of a row as they were written: "host":"web1","pid":7,"command":"curl" */
struct history_key {
	uint64_t hash;
	uint32_t refs;		/* 0 = free */
	uint32_t next;		/* of the chain, or of the free ones; HISTORY_NO_KEY = none */
	uint16_t kind;		/* enum history_kind */
	uint16_t length;
	char *text;
};

struct history_keys {
	struct history_key *key;
	uint32_t *chain;	/* first of each; HISTORY_CHAINS of them */
	uint32_t room, used, free;
	size_t count, bytes;	/* that are not free */
	struct bounds *bounds;
};

/* Starts without memory of its own. */
void history_keys_init(struct history_keys *keys, struct bounds *bounds);
void history_keys_free(struct history_keys *keys);

/* The number of a key, one reference more; HISTORY_NO_KEY if there is no room or memory. */
uint32_t history_keys_take(struct history_keys *keys, unsigned int kind, struct slice text);

/* One reference more, or less; the last one frees it. */
void history_keys_ref(struct history_keys *keys, uint32_t id);
void history_keys_drop(struct history_keys *keys, uint32_t id);

struct slice history_keys_text(const struct history_keys *keys, uint32_t id);

/* Whether so many more keys fit, of any length. */
bool history_keys_fit(const struct history_keys *keys, size_t more);

#endif
