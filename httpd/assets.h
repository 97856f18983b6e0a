/* SPDX-License-Identifier: MIT */
/* The page: its files, embedded at build time or, for development, from a directory. */
#ifndef JOPIL_HTTPD_ASSETS_H
#define JOPIL_HTTPD_ASSETS_H

#include <stddef.h>

/* One file; the rows are written by web/embed. */
struct asset {
	const char *path;	/* "/index.html" */
	const char *plain;
	size_t plain_length;
	const char *gzip;	/* NULL where it would not be shorter */
	size_t gzip_length;
	const char *etag;	/* without quotes; of the plain bytes */
};

/* The embedded file, or NULL; "/" is "/index.html". */
const struct asset *assets_find(const char *path);

/* By the end of the path; "application/octet-stream" if it is not known. */
const char *assets_type(const char *path);

/*
 * Opens the regular file below the directory (a descriptor) that path names;
 * links, "..", and names that begin with a dot lead nowhere. 0 or more: the
 * descriptor, with its size; -ENOENT, or another -errno.
 */
int assets_open(int directory, const char *path, size_t *ret_size);

#endif
