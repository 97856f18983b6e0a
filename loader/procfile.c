/* SPDX-License-Identifier: MIT */
/* The kernel's text files, whole, and what stands in them. */
#include "loader/procfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A machine of many containers has a mountinfo of some 100 KiB. */
#define PROCFILE_MAX (16u << 20)

int procfile_read(const char *path, char **ret_text)
{
	size_t size = 16384, used = 0;
	char *text = malloc(size);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : text ? 0 : -ENOMEM;

	while (!err) {
		ssize_t got = read(fd, text + used, size - used - 1);

		if (got < 0 && errno != EINTR)
			err = -errno;
		if (got == 0)
			break;
		if (got > 0)
			used += (size_t)got;
		if (!err && used == size - 1) {
			char *larger = size < PROCFILE_MAX ? realloc(text, size * 2) : NULL;

			if (!larger)
				err = -ENOMEM;
			else
				text = larger;
			size *= 2;
		}
	}
	if (fd >= 0)
		close(fd);
	if (err) {
		free(text);
		return err;
	}
	text[used] = '\0';
	*ret_text = text;
	return 0;
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end && end[1] ? end + 1 : NULL;
}

/* A field of mountinfo up to a blank, with \040 and the like undone. */
static const char *take_field(const char *text, char *ret_field, size_t size)
{
	size_t used = 0;

	while (*text && *text != ' ' && *text != '\n') {
		unsigned int byte = (unsigned char)*text++;

		if (byte == '\\' && strspn(text, "01234567") >= 3) {
			byte = (text[0] - '0') * 64u + (text[1] - '0') * 8u + (text[2] - '0');
			text += 3;
		}
		if (used + 1 < size)
			ret_field[used++] = (char)byte;
	}
	ret_field[used] = '\0';
	return *text == ' ' ? text + 1 : text;
}

/* A line of mountinfo. */
struct mount {
	char point[4096];
	char type[32];
	const char *source;	/* in the line */
};

static bool take_mount(const char *line, struct mount *ret)
{
	const char *pos = line, *dash;

	for (int i = 0; i < 5; i++)	/* id, parent, device, root, mount point */
		pos = take_field(pos, ret->point, sizeof(ret->point));
	dash = strstr(pos, " - ");
	if (!dash || dash > line + strcspn(line, "\n"))
		return false;
	ret->source = take_field(dash + 3, ret->type, sizeof(ret->type));
	return true;
}

bool procfile_mount_source(const char *mountinfo, const char *path, const char *type,
			   char *ret_source, size_t size)
{
	bool found = false;
	struct mount m;

	for (const char *line = *mountinfo ? mountinfo : NULL; line; line = next_line(line)) {
		if (!take_mount(line, &m) || strcmp(m.point, path) != 0)
			continue;
		found = !strcmp(m.type, type);	/* what is mounted over it hides it */
		if (found)
			take_field(m.source, ret_source, size);
	}
	return found;
}

bool procfile_mount_point(const char *mountinfo, const char *type, char *ret_path, size_t size)
{
	struct mount m;

	for (const char *line = *mountinfo ? mountinfo : NULL; line; line = next_line(line)) {
		if (!take_mount(line, &m) || strcmp(m.type, type) != 0 || strlen(m.point) >= size)
			continue;
		memcpy(ret_path, m.point, strlen(m.point) + 1);
		return true;
	}
	return false;
}

bool procfile_softnet(const char *text, unsigned int n, struct softnet *ret)
{
	while (n-- && text)
		text = next_line(text);
	return text && sscanf(text, "%x %*x %*x %*x %*x %*x %*x %*x %*x %*x %*x %x",
			      &ret->processed, &ret->backlog) == 2;
}
