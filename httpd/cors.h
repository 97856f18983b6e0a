/* SPDX-License-Identifier: MIT */
/* Which other sites' pages may read answers: --cors (Fetch standard, section 3.2). */
#ifndef JOPIL_HTTPD_CORS_H
#define JOPIL_HTTPD_CORS_H

#include <stdbool.h>
#include <stddef.h>

#define CORS_ORIGINS_MAX 16

/*
 * Nobody, unless told. Such pages prove a token by Authorization, never by a cookie:
 * Access-Control-Allow-Credentials is not sent, and a session's cookie does not
 * count where a request comes from them.
 */
struct cors {
	const char *origins[CORS_ORIGINS_MAX];
	size_t count;
	bool any;	/* "*" */
};

/*
 * Adds "https://grafana.example:3000", spelled as browsers do (lower case, no path, no port
 * that is the scheme's own), or "*". 0, -EINVAL if it is neither, -E2BIG if there are too many.
 */
int cors_add(struct cors *cors, const char *origin);

/* What Access-Control-Allow-Origin is to say to origin (NULL: not sent); NULL = nothing. */
const char *cors_allows(const struct cors *cors, const char *origin);

static inline bool cors_is_on(const struct cors *cors)
{
	return cors->any || cors->count;
}

#endif
