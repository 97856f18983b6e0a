/* SPDX-License-Identifier: MIT */
/* Errors in words, with the remedy that an errno suggests. */
#include "loader/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENOTSUPP 524	/* the kernel's own, which drivers let through */

#define AS_ROOT "run as root, or with CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON and CAP_SYS_ADMIN"

#define SMALLER "smaller maps may fit: see --max-flows, --ring-size and the like in --help"

/* Errnos that ask for another status or a word on what to do. */
static const struct errno_row {
	int err;
	enum status status;
	const char *reason;	/* NULL: strerror() */
	const char *remedy;	/* NULL: none known */
} errno_rows[] = {
	{ EPERM, STATUS_UNSUPPORTED, NULL, AS_ROOT },
	{ EACCES, STATUS_UNSUPPORTED, NULL, AS_ROOT },
	{ EROFS, STATUS_UNSUPPORTED, NULL, "remount it writable, or give another --pin-dir" },
	{ ENOSYS, STATUS_UNSUPPORTED, "this kernel has no BPF", "Linux 5.10 or later is needed" },
	{ ENOTSUPP, STATUS_UNSUPPORTED, "not supported by the driver or kernel", NULL },
	{ EOPNOTSUPP, STATUS_UNSUPPORTED, "not supported by the driver or kernel", NULL },
	{ ENOMEM, STATUS_FAILED, NULL, SMALLER },
	{ E2BIG, STATUS_FAILED, NULL, SMALLER },
};

static const struct errno_row *row_of(int err)
{
	static const struct errno_row plain = { 0, STATUS_FAILED, NULL, NULL };

	for (size_t i = 0; i < sizeof(errno_rows) / sizeof(errno_rows[0]); i++)
		if (errno_rows[i].err == err)
			return &errno_rows[i];
	return &plain;
}

int failure_set(struct failure *f, enum status status, const char *format, ...)
{
	va_list args;

	f->status = status;
	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	return -1;
}

int failure_errno(struct failure *f, int err, const char *format, ...)
{
	const struct errno_row *row = row_of(abs(err));
	va_list args;
	size_t used;

	f->status = row->status;
	va_start(args, format);
	vsnprintf(f->text, sizeof(f->text), format, args);
	va_end(args);
	used = strlen(f->text);
	snprintf(f->text + used, sizeof(f->text) - used, ": %s%s%s",
		 row->reason ? row->reason : strerror(abs(err)), row->remedy ? "; " : "",
		 row->remedy ? row->remedy : "");
	return -1;
}
