/* SPDX-License-Identifier: MIT */
/* One pin of the pin directory: opened, if it is of the shape that we know. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "reader/pinset_parts.h"

#define PATH_BYTES 4096

void pinset_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int pinset_fail(struct pinset_failure *failure, enum pinset_step step, const char *what, int err)
{
	failure->step = step;
	failure->who = 0;
	snprintf(failure->what, sizeof(failure->what), "%s", what);
	return err;
}

static int check_shape(int fd, const struct pin_shape *shape, struct bpf_map_info *info)
{
	u32 length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	if (bpf_obj_get_info_by_fd(fd, info, &length))
		return -errno;
	if (info->type != shape->type ||
	    (shape->key_bytes && info->key_size != shape->key_bytes) ||
	    (shape->value_bytes && info->value_size != shape->value_bytes))
		return -EPROTO;
	return 0;
}

int pinset_open_pin(const struct pinset *set, const struct pin_shape *shape, const char *name,
		    struct bpf_map_info *ret_info, struct pinset_failure *failure)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = shape->flags);
	char path[PATH_BYTES];
	int fd, err;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", set->path, name) >= sizeof(path))
		return pinset_fail(failure, PINSET_PIN, name, -ENAMETOOLONG);
	fd = bpf_obj_get_opts(path, &opts);
	if (fd < 0)
		return pinset_fail(failure, PINSET_PIN, name, -errno);
	err = check_shape(fd, shape, ret_info);
	if (err) {
		close(fd);
		return pinset_fail(failure, err == -EPROTO ? PINSET_VERSION : PINSET_PIN, name, err);
	}
	return fd;
}

int pinset_open_numbered(const struct pinset *set, const struct pin_shape *shape,
			 struct bpf_map_info *ret_info, struct pinset_failure *failure,
			 const char *format, ...)
{
	char name[32];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(name, sizeof(name), format, arguments);
	va_end(arguments);
	return pinset_open_pin(set, shape, name, ret_info, failure);
}
