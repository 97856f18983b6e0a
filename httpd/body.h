/* SPDX-License-Identifier: MIT */
/* A text that grows while it is written, and texts that several owners share. */
#ifndef JOPIL_HTTPD_BODY_H
#define JOPIL_HTTPD_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that belong to somebody else; not ended by NUL. */
struct slice {
	const char *data;
	size_t length;
};

static inline bool slice_equals(struct slice slice, const char *text)
{
	return slice.length == strlen(text) && !memcmp(slice.data, text, slice.length);
}

#define SLICE_HASH 0xcbf29ce484222325	/* to begin with */

/* FNV-1a; several slices one after the other are told apart. */
static inline uint64_t slice_hash(uint64_t sum, struct slice slice)
{
	for (size_t i = 0; i < slice.length; i++)
		sum = (sum ^ (unsigned char)slice.data[i]) * 0x100000001b3;
	return (sum ^ 0xff) * 0x100000001b3;
}

/*
 * A growing text. Starts as { 0 }; free(body.data) ends it. When memory runs
 * out .failed is set, and whatever is added from then on is ignored: look at
 * it once, at the end.
 */
struct body {
	char *data;
	size_t length;
	size_t room;
	bool failed;
};

void body_add(struct body *body, const char *data, size_t length);
void body_printf(struct body *body, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The digits of a number: what there are most of. */
void body_number(struct body *body, uint64_t number);

/* A text that never changes, shared by counting its owners. */
struct blob {
	unsigned int refs;
	size_t length;
	char data[];
};

/* A copy of data with one owner, or NULL without memory. */
struct blob *blob_new(const char *data, size_t length);
struct blob *blob_ref(struct blob *blob);
/* The last owner frees it; NULL is fine. */
void blob_unref(struct blob *blob);

#endif
