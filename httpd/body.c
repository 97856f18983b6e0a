/* SPDX-License-Identifier: MIT */
/* A text that grows while it is written, and texts that several owners share. */
#include "httpd/body.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 256

static bool make_room(struct body *body, size_t more)
{
	size_t room = body->room ? body->room : ROOM_MIN;
	char *data;

	if (body->failed)
		return false;
	if (body->room - body->length >= more)
		return true;
	while (room - body->length < more)
		room *= 2;
	data = realloc(body->data, room);
	if (!data) {
		body->failed = true;
		return false;
	}
	body->data = data;
	body->room = room;
	return true;
}

void body_add(struct body *body, const char *data, size_t length)
{
	if (!length || !make_room(body, length))
		return;
	memcpy(body->data + body->length, data, length);
	body->length += length;
}

void body_printf(struct body *body, const char *format, ...)
{
	size_t room;
	va_list args;
	int length;

	if (!make_room(body, ROOM_MIN / 2))
		return;
	for (;;) {
		room = body->room - body->length;
		va_start(args, format);
		length = vsnprintf(body->data + body->length, room, format, args);
		va_end(args);
		if (length >= 0 && (size_t)length < room)
			break;
		if (length < 0 || !make_room(body, (size_t)length + 1)) {
			body->failed = true;
			return;
		}
	}
	body->length += (size_t)length;
}

void body_number(struct body *body, uint64_t number)
{
	char digits[20];	/* of 64 bits */
	size_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	body_add(body, digits + at, sizeof(digits) - at);
}

struct blob *blob_new(const char *data, size_t length)
{
	struct blob *blob = malloc(sizeof(*blob) + length);

	if (!blob)
		return NULL;
	blob->refs = 1;
	blob->length = length;
	if (length)
		memcpy(blob->data, data, length);
	return blob;
}

struct blob *blob_ref(struct blob *blob)
{
	blob->refs++;
	return blob;
}

void blob_unref(struct blob *blob)
{
	if (blob && --blob->refs == 0)
		free(blob);
}
