/* SPDX-License-Identifier: MIT */
/* The process that reads the recorder's database: it alone may open files, and only those. */
#ifndef JOPIL_HTTPD_ARCHIVE_PROCESS_H
#define JOPIL_HTTPD_ARCHIVE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct archive_config {
	const char *path;	/* of the database; it need not be there yet, but its directory */
	const char *user;	/* as of child_start() */
	uint64_t limit_ms;	/* how long an answer may take */
	bool no_sandbox;
};

/*
 * Forks it (child_start()). *ret_fd takes struct archive_question and gives struct
 * archive_piece. 0, or -errno: of the database's directory, or of forking.
 */
int archive_process_start(const struct archive_config *config, int *ret_fd);

#endif
