/* SPDX-License-Identifier: MIT */
/* The page: its files, embedded at build time or, for development, from a directory. */
#include "httpd/assets.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "web/assets.inc"

#define INDEX "/index.html"

static const struct {
	const char *ending;
	const char *type;
} types[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".mjs", "text/javascript; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".map", "application/json" },
	{ ".webmanifest", "application/manifest+json" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".ico", "image/vnd.microsoft.icon" },
	{ ".woff2", "font/woff2" },
	{ ".txt", "text/plain; charset=utf-8" },
};

/* Documents that have an address without an ending. */
static const char *path_of(const char *path)
{
	if (!strcmp(path, "/docs"))
		return "/docs.html";
	return strcmp(path, "/") ? path : INDEX;
}

const struct asset *assets_find(const char *path)
{
	path = path_of(path);
	for (const struct asset *asset = assets; asset->path; asset++)
		if (!strcmp(asset->path, path))
			return asset;
	return NULL;
}

const char *assets_type(const char *path)
{
	const char *ending = strrchr(path_of(path), '.');

	for (size_t i = 0; ending && i < sizeof(types) / sizeof(*types); i++)
		if (!strcmp(ending, types[i].ending))
			return types[i].type;
	return "application/octet-stream";
}

int assets_open(int directory, const char *path, size_t *ret_size)
{
	/* O_NONBLOCK: a FIFO must not hold us up before it is seen to be one. */
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	struct stat status;
	int fd;

	path = path_of(path);
	if (strstr(path, "/."))
		return -ENOENT;
	fd = (int)syscall(SYS_openat2, directory, path + 1, &how, sizeof(how));
	if (fd < 0)
		return errno == ELOOP || errno == EXDEV ? -ENOENT : -errno;
	if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		close(fd);
		return -ENOENT;
	}
	*ret_size = (size_t)status.st_size;
	return fd;
}
