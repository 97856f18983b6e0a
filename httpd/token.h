/* SPDX-License-Identifier: MIT */
/* The shared secret that requests must show where one is asked for. */
#ifndef JOPIL_HTTPD_TOKEN_H
#define JOPIL_HTTPD_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#define TOKEN_LENGTH_MIN 16	/* below, guessing over a network becomes thinkable */
#define TOKEN_LENGTH_MAX 512
#define TOKEN_DIGEST 32		/* SHA-256 */

/* Only a digest is kept: comparing takes the same time whatever was sent. */
struct token {
	bool wanted;
	uint8_t digest[TOKEN_DIGEST];
};

/*
 * Reads the first line of the file, without space around it. 0; -errno of the
 * file; -EBADMSG: not TOKEN_LENGTH_MIN..MAX visible ASCII characters.
 */
int token_read(const char *path, struct token *ret_token);

/* For those who have it already. 0 or -EBADMSG. */
int token_set(const char *text, struct token *ret_token);

/* Whether text is the token; in the same time whatever it is. */
bool token_is(const struct token *token, const char *text);

/*
 * What the value of an Authorization field ("Bearer ...", RFC 6750; NULL = not sent)
 * shows; NULL if that is none, or of another scheme (a proxy's).
 */
const char *token_in_field(const char *authorization);

#endif
