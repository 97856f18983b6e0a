/* SPDX-License-Identifier: MIT */
/* Members of the objects that jansson reads, with their bounds. */
#ifndef JOPIL_FIELDS_H
#define JOPIL_FIELDS_H

#include <jansson.h>
#include <stdbool.h>

#include "common/line_read.h"

/* The line as JSON; json_decref() it. LINE_OK or LINE_NOT_JSON. */
enum line_status fields_load(const char *line, size_t length, json_t **ret_root);

/* A string of at most LINE_TEXT_MAX bytes; else its text is NULL. Lives as long as the object. */
struct line_text field_text(const json_t *object, const char *key);

/* Counts are integers from 0 to 2^53; false for anything else. */
bool count_of(const json_t *value, u64 *ret);
bool field_count(const json_t *object, const char *key, u64 *ret);

/* "timestamp": Unix milliseconds to nanoseconds; false for anything else. */
bool field_time(const json_t *root, u64 *ret_ns);

#endif
