/* SPDX-License-Identifier: MIT */
/* How often an address may show a wrong token. */
#ifndef JOPIL_HTTPD_GUESSES_H
#define JOPIL_HTTPD_GUESSES_H

#include <stdint.h>

#include "httpd/bounds.h"

#define GUESS_PERIOD_MS 6000	/* one more guess each; LIMIT_TOKEN_GUESSES at once */

/* A bucket that fills with time (GCRA): empty rows are those whose time has come. */
struct guesser {
	uint8_t ip[16];
	uint64_t full_ms;
};

struct guesses {
	struct bounds *bounds;
	struct guesser row[LIMIT_TOKEN_GUESSERS];
	struct guesser rest;	/* addresses that found no row share this one */
};

void guesses_init(struct guesses *guesses, struct bounds *bounds);

/* Milliseconds until ip (IPv4 in its IPv6 form; of IPv6 the /64 counts) may guess; 0 = now. */
uint64_t guesses_wait_ms(const struct guesses *guesses, const uint8_t ip[16], uint64_t now_ms);

/* It guessed, and was wrong. */
void guesses_wrong(struct guesses *guesses, const uint8_t ip[16], uint64_t now_ms);

#endif
