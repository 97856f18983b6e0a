/* SPDX-License-Identifier: MIT */
/* The page's proof, between two showings of the token: a cookie that expires and can be ended. */
#ifndef JOPIL_HTTPD_SESSION_H
#define JOPIL_HTTPD_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httpd/bounds.h"

#define SESSION_NAME "jopil_session"
#define SESSION_NAME_MAX 40		/* "__Host-jopil_session_65535" */
#define SESSION_COOKIE_MAX 256		/* of Set-Cookie */
#define SESSION_SECONDS (30 * 24 * 3600)
#define SESSION_NONCE 16
#define SESSION_KEY 32

/*
 * A cookie is a nonce, when it expires, and their HMAC-SHA256 under a key that this
 * process made for itself: nothing is stored for it, and none outlives the process.
 * What was ended before its time is remembered; when there is no room for one more,
 * a new key ends all of them.
 */
struct sessions {
	char name[SESSION_NAME_MAX];
	bool secure;
	uint8_t key[SESSION_KEY];
	struct bounds *bounds;
	size_t ended_count;
	struct session_ended {
		uint8_t nonce[SESSION_NONCE];
		uint64_t expires_s;
	} ended[LIMIT_SESSIONS_ENDED];
};

/*
 * secure: the cookie is for TLS only. port: it is told apart by (cookies are not, RFC
 * 6265 section 8.5); 0 = none. 0 or -errno.
 */
int sessions_init(struct sessions *sessions, bool secure, unsigned int port,
		  struct bounds *bounds);

/* The value of Set-Cookie that begins a session, at now_s of a clock that never jumps. 0 or -errno. */
int sessions_begin(const struct sessions *sessions, uint64_t now_s,
		   char set_cookie[SESSION_COOKIE_MAX]);

/* Whether the value of a Cookie field (NULL = not sent) has a session that goes on. */
bool sessions_has(const struct sessions *sessions, const char *cookie, uint64_t now_s);

/* Ends the sessions in a Cookie field, and writes a Set-Cookie that forgets them. 0 or -errno. */
int sessions_end(struct sessions *sessions, const char *cookie, uint64_t now_s,
		 char set_cookie[SESSION_COOKIE_MAX]);

#endif
