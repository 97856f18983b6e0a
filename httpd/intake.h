/* SPDX-License-Identifier: MIT */
/* Bytes in, whole lines out, with a limit on the length of a line. */
#ifndef JOPIL_HTTPD_INTAKE_H
#define JOPIL_HTTPD_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "httpd/body.h"

struct intake {
	char *data;
	size_t room;
	size_t start;	/* of the line that is not complete yet */
	size_t scanned;	/* no newline in start..scanned */
	size_t end;	/* of the bytes read */
	size_t limit;	/* bytes of a line, without its newline */
	bool skipping;	/* inside a line that is too long */
	uint64_t too_long;	/* lines passed over */
};

void intake_init(struct intake *intake, size_t line_limit);
void intake_free(struct intake *intake);

/*
 * A place for at least one byte, of *ret_size bytes, to read into; then say
 * how many came. NULL without memory. Lines got before are no longer valid.
 */
char *intake_space(struct intake *intake, size_t *ret_size);
void intake_filled(struct intake *intake, size_t size);

/*
 * The next whole line without its newline (and the CR before it, if any);
 * valid until intake_space(). At the end of the input pass at_end = true: what
 * is left without a newline is the last line. False: there is none (yet).
 */
bool intake_line(struct intake *intake, bool at_end, struct slice *ret_line);

#endif
