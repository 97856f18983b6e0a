/* SPDX-License-Identifier: MIT */
/* What libmicrohttpd lets pass and we do not: ambiguous, broken and oversized requests. */
#ifndef JOPIL_HTTPD_GUARD_H
#define JOPIL_HTTPD_GUARD_H

#include <stdbool.h>
#include <stddef.h>

#include "httpd/bounds.h"
#include "httpd/request.h"

/*
 * Looks at the header of a request before anything else does. 0, or the status
 * to refuse it with; *ret_why then says what is wrong with it, for people. The
 * connection must not be used for another request then: where this one ends
 * is what the two sides may see differently.
 */
unsigned int guard_check(const struct request *request, const char *version,
			 struct bounds *bounds, const char **ret_why);

/*
 * libmicrohttpd before 1.0 ends a header line in its buffer by zeroes: one for
 * CR, one for LF. These read them from there, to see bare LFs, zeroes from
 * the client and folded lines, which it passes on as if nothing was.
 *
 * guard_is_request_line: target as it was handed to the URI log callback,
 * version as it is handed to the handler.
 * guard_is_field_line: name and value of one field.
 */
bool guard_is_request_line(const char *target, size_t target_length, const char *version);
bool guard_is_field_line(const char *name, size_t name_length, const char *value,
			 size_t value_length);

#endif
