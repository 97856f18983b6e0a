/* SPDX-License-Identifier: MIT */
/* The loader's lines on stderr. */
#include "loader/say.h"

#include <stdarg.h>
#include <stdio.h>

void say(const char *format, ...)
{
	char line[640];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (char *c = line; *c; c++)	/* names of interfaces are bytes from outside */
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	fprintf(stderr, "loader: %s\n", line);
}
