/* SPDX-License-Identifier: MIT */
/* What the values of header fields say. */
#ifndef JOPIL_HTTPD_FIELD_H
#define JOPIL_HTTPD_FIELD_H

#include <stdbool.h>

/*
 * All values may be NULL: the field was not sent.
 *
 * field_has_token: a list such as Connection or Upgrade has the token, in any case.
 * field_takes_gzip: Accept-Encoding wants gzip (RFC 9110 section 12.5.3), q=0 not.
 * field_takes_type: Accept names the media type itself (no wildcard), q=0 not; or
 * Content-Type is it, whatever its parameters.
 * field_has_etag: If-None-Match has the tag (with its quotes), or is "*"; weak
 * comparison (section 13.1.2).
 * field_is_name: name is one that a field can have (section 5.1).
 */
bool field_has_token(const char *value, const char *token);
bool field_takes_gzip(const char *value);
bool field_takes_type(const char *value, const char *type);
bool field_has_etag(const char *value, const char *etag);
bool field_is_name(const char *name);

#endif
