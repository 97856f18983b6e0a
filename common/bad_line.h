/* SPDX-License-Identifier: MIT */
/* What is wrong with a line that came in, in one line on stderr. */
#ifndef JOPIL_BAD_LINE_H
#define JOPIL_BAD_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bad_line { BAD_JSON, BAD_TOO_LONG, BAD_TYPE, BAD_LINES };

/*
 * Says it, but of each kind only the first: whoever writes bad lines writes many. All are for
 * the caller to count. number: of the line, from 1; 0 where it is not known. Of the line, which
 * may be any bytes, the beginning is shown.
 */
void bad_line_say(bool said[BAD_LINES], enum bad_line why, uint64_t number, const char *line,
		  size_t length);

#endif
