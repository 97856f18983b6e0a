/* SPDX-License-Identifier: MIT */
/* The pinned links that hold the host's probes at what they trace. */
#include "loader/host_link.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/probe.h"
#include "loader/procfile.h"

/* ---- what is pinned ------------------------------------------------------------------ */

static int read_link(int fd, struct host_link *link)
{
	struct bpf_link_info info = { 0 };
	u32 length = sizeof(info);
	int prog, err;

	if (bpf_obj_get_info_by_fd(fd, &info, &length))
		return -errno;
	link->link_id = info.id;
	link->prog_id = info.prog_id;
	prog = bpf_prog_get_fd_by_id(info.prog_id);
	if (prog < 0)
		return -errno;
	err = object_prog_tag(prog, link->tag);
	close(prog);
	return err;
}

static int add_link(const struct pindir *d, enum pin_area area, const char *pin,
		    const char *program, struct host_links *links)
{
	struct host_link link = { .probes = probe_of_program(program) & PROBES_HOST };
	int fd, err;

	if (links->count == HOST_PROGRAMS_MAX)
		return -E2BIG;
	fd = pindir_get(d, area, "%s", pin);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	snprintf(link.program, sizeof(link.program), "%s", program);
	err = read_link(fd, &link);
	close(fd);
	if (!err)
		links->rows[links->count++] = link;
	return err;
}

struct read_context {
	const struct pindir *dir;
	struct host_links *links;
};

static int read_pin(const struct pin_match *match, const char *name, void *context)
{
	const struct read_context *c = context;

	if (strcmp(match->rule->pattern, PIN_HOST_LINK) != 0)
		return 0;
	return add_link(c->dir, PIN_AREA_PRIVATE, name, match->word, c->links);
}

int host_links_read(const struct pindir *d, struct host_links *ret_links)
{
	struct read_context context = { d, ret_links };
	int err;

	ret_links->count = 0;
	err = pindir_each(d, PIN_AREA_PRIVATE, read_pin, &context);
	return err ? err : add_link(d, PIN_AREA_SHARED, PIN_SOCKETS, PROBE_WALK, ret_links);
}

const struct host_link *host_links_find(const struct host_links *links, const char *program)
{
	for (unsigned int i = 0; i < links->count; i++)
		if (!strcmp(links->rows[i].program, program))
			return &links->rows[i];
	return NULL;
}

u32 host_links_probes(const struct host_links *links)
{
	u32 set = 0;

	for (unsigned int i = 0; i < links->count; i++)
		if (strcmp(links->rows[i].program, PROBE_WALK) != 0)
			set |= links->rows[i].probes;
	return set;
}

/* ---- attaching ------------------------------------------------------------------------- */

/* A tracepoint or a function: the program knows which. */
static int attach_tracing(const struct host_program *program)
{
	return bpf_raw_tracepoint_open(NULL, program->fd);
}

static int attach_iterator(const struct host_program *program)
{
	return bpf_link_create(program->fd, 0, BPF_TRACE_ITER, NULL);
}

/* To the root of cgroup v2, wherever that is mounted: every process is below it. */
static int attach_cgroup(const struct host_program *program)
{
	char path[PINDIR_PATH_MAX], *mounts;
	int root = -1, fd, saved;

	errno = ENOENT;
	if (procfile_read("/proc/self/mountinfo", &mounts))
		return -1;
	if (procfile_mount_point(mounts, "cgroup2", path, sizeof(path)))
		root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(mounts);
	if (root < 0)
		return -1;
	fd = bpf_link_create(program->fd, root, (enum bpf_attach_type)program->attach_type, NULL);
	saved = errno;
	close(root);
	errno = saved;
	return fd;
}

/* By the beginning of a program's section: a descriptor, or -1 and errno. */
static const struct way {
	const char *section;
	int (*attach)(const struct host_program *program);
} ways[] = {
	{ "tp_btf/", attach_tracing },
	{ "fexit/", attach_tracing },
	{ "iter/", attach_iterator },
	{ "cgroup/", attach_cgroup },
};

static int open_link(const struct host_program *program)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!strncmp(ways[i].section, program->section, strlen(ways[i].section))) {
			int fd = ways[i].attach(program);

			return fd < 0 ? -errno : fd;
		}
	}
	return -EOPNOTSUPP;
}

int host_link_attach(const struct pindir *d, const struct host_program *program)
{
	int fd = open_link(program), err;

	if (fd < 0)
		return fd;
	/* Until it is pinned, the link ends with this process. */
	if (!strcmp(program->name, PROBE_WALK))
		err = pindir_pin(d, fd, PIN_AREA_SHARED, PIN_SOCKETS);
	else
		err = pindir_pin(d, fd, PIN_AREA_PRIVATE, PIN_HOST_LINK, program->name);
	close(fd);
	return err;
}

int host_link_drop(const struct pindir *d, const struct host_link *link, struct census *census)
{
	int err = census_add(census, OBJECT_LINK, link->link_id);

	if (!err)
		err = census_add(census, OBJECT_PROG, link->prog_id);
	if (err)
		return err;
	if (!strcmp(link->program, PROBE_WALK))
		return pindir_drop(d, PIN_AREA_SHARED, PIN_SOCKETS);
	return pindir_drop(d, PIN_AREA_PRIVATE, PIN_HOST_LINK, link->program);
}

/* ---- the walk ---------------------------------------------------------------------------- */

int host_link_walk(const struct pindir *d)
{
	int link = pindir_get(d, PIN_AREA_SHARED, PIN_SOCKETS), walk, err = 0;
	char records[16384];
	ssize_t got = 1;

	if (link < 0)
		return link;
	walk = bpf_iter_create(link);
	if (walk < 0)
		err = -errno;
	while (!err && got) {
		got = read(walk, records, sizeof(records));
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			err = -errno;
	}
	if (walk >= 0)
		close(walk);
	close(link);
	return err;
}
