/* SPDX-License-Identifier: MIT */
/*
 * What went wrong, in words: filled once by the function that knows, printed once
 * by main().
 */
#ifndef JOPIL_FAILURE_H
#define JOPIL_FAILURE_H

#include "common/status.h"

struct failure {
	enum status status;
	char text[512];
};

/* Fills *f and returns -1, for `return failure_set(...)`. */
int failure_set(struct failure *f, enum status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The same from an errno (either sign): "what: reason; remedy". Status and remedy
 * follow from the errno.
 */
int failure_errno(struct failure *f, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
