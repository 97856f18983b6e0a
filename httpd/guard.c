/* SPDX-License-Identifier: MIT */
/* What libmicrohttpd lets pass and we do not: ambiguous, broken and oversized requests. */
#include "httpd/guard.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "httpd/field.h"

#define VERSION_LENGTH 8	/* "HTTP/1.1" */

/* What the fields of one request add up to. */
struct tally {
	bool look_at_lines;
	size_t bytes;
	unsigned int hosts;
	unsigned int lengths;
	unsigned int encodings;
	bool chunked;
	uint64_t body_bytes;
	bool broken_line;
	bool bad_name;
};

bool guard_is_request_line(const char *target, size_t target_length, const char *version)
{
	/* A zero inside the target makes it look shorter than it is. */
	return target + target_length + 1 == version && strlen(version) == VERSION_LENGTH &&
	       !version[VERSION_LENGTH + 1];
}

bool guard_is_field_line(const char *name, size_t name_length, const char *value,
			 size_t value_length)
{
	uintptr_t colon = (uintptr_t)name + name_length;
	size_t gap = (uintptr_t)value - colon;

	/* A folded line moved the name elsewhere. */
	if ((uintptr_t)value <= colon || gap > LIMIT_HEADER_BYTES)
		return false;
	for (const char *p = name + name_length + 1; p < value; p++)
		if (*p != ' ' && *p != '\t')
			return false;
	return !value[value_length + 1];
}

static bool is_field(const char *name, size_t length, const char *wanted)
{
	return length == strlen(wanted) && !strncasecmp(name, wanted, length);
}

static void count_field(struct tally *tally, const char *name, size_t length, const char *value)
{
	if (is_field(name, length, "Host")) {
		tally->hosts++;
	} else if (is_field(name, length, "Content-Length")) {
		tally->lengths++;
		/* Only digits get here; too many of them give the largest number. */
		tally->body_bytes = strtoull(value, NULL, 10);
	} else if (is_field(name, length, "Transfer-Encoding")) {
		tally->encodings++;
		tally->chunked = !strcasecmp(value, "chunked");
	}
}

static enum MHD_Result see_field(void *closure, enum MHD_ValueKind kind, const char *name,
				 size_t name_length, const char *value, size_t value_length)
{
	struct tally *tally = closure;

	(void)kind;
	if (!value) {
		value = "";
		value_length = 0;
	}
	tally->bytes += name_length + value_length + 4;
	if (!field_is_name(name) || strlen(name) != name_length)
		tally->bad_name = true;
	if (strlen(value) != value_length ||
	    (tally->look_at_lines && !guard_is_field_line(name, name_length, value, value_length)))
		tally->broken_line = true;
	count_field(tally, name, name_length, value);
	return MHD_YES;
}

static const char *find_oddity(const struct tally *tally)
{
	if (tally->bad_name)
		return "a header field has a name that no field can have";
	if (tally->broken_line)
		return "a header line is folded, has a zero byte, or does not end in CR LF";
	if (tally->hosts != 1)
		return "there must be exactly one Host field";
	if (tally->lengths > 1)
		return "there is more than one Content-Length";
	if (tally->encodings && tally->lengths)
		return "Transfer-Encoding and Content-Length contradict each other";
	if (tally->encodings > 1 || (tally->encodings && !tally->chunked))
		return "chunked is the only Transfer-Encoding there is";
	return NULL;
}

static unsigned int check_sizes(const struct request *request, const struct tally *tally,
				struct bounds *bounds, const char **ret_why)
{
	if (request->raw_length > bounds_limit(bounds, BOUND_TARGET_BYTES)) {
		bounds_hit(bounds, BOUND_TARGET_BYTES);
		*ret_why = "the request target is too long";
		return MHD_HTTP_URI_TOO_LONG;
	}
	if (tally->bytes > bounds_limit(bounds, BOUND_HEADER_BYTES)) {
		bounds_hit(bounds, BOUND_HEADER_BYTES);
		*ret_why = "the header fields are too long";
		return MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE;
	}
	if (tally->chunked) {
		*ret_why = "a body must say its length: Content-Length";
		return MHD_HTTP_LENGTH_REQUIRED;
	}
	if (tally->body_bytes > bounds_limit(bounds, BOUND_BODY_BYTES)) {
		bounds_hit(bounds, BOUND_BODY_BYTES);
		*ret_why = "the body is too long";
		return MHD_HTTP_CONTENT_TOO_LARGE;
	}
	return 0;
}

unsigned int guard_check(const struct request *request, const char *version,
			 struct bounds *bounds, const char **ret_why)
{
	struct tally tally = { .look_at_lines = request_library_is_old() };

	if (tally.look_at_lines &&
	    !guard_is_request_line(request->raw, request->raw_length, version)) {
		*ret_why = "the request line has a zero byte or does not end in CR LF";
		return MHD_HTTP_BAD_REQUEST;
	}
	MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, see_field, &tally);
	*ret_why = find_oddity(&tally);
	if (*ret_why)
		return MHD_HTTP_BAD_REQUEST;
	return check_sizes(request, &tally, bounds, ret_why);
}
