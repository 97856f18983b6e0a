/* SPDX-License-Identifier: MIT */
/* Why the pin directory cannot be read, in words that say what to do. */
#include "reader/complain.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static enum status nothing_attached(const char *path)
{
	fprintf(stderr, "reader: nothing is attached at %s: run 'sudo loader IFACE' first\n", path);
	return STATUS_FAILED;
}

/* The file's mode forbids it: who may? */
static enum status forbidden(const char *path, const char *what)
{
	const char *slash = *what ? "/" : "";
	struct group *group;
	struct stat st;

	if (stat(path, &st)) {
		fprintf(stderr, "reader: open %s: permission denied: a directory above it may be "
				"searched by root only; 'sudo loader IFACE' opens the way\n", path);
		return STATUS_UNSUPPORTED;
	}
	group = getgrgid(st.st_gid);
	if (st.st_gid && group)
		fprintf(stderr, "reader: open %s%s%s: permission denied: only group '%s' may; 'sudo "
				"usermod -aG %s $USER' and log in again, or run as root\n",
			path, slash, what, group->gr_name, group->gr_name);
	else
		fprintf(stderr, "reader: open %s%s%s: permission denied: only group id %u may; 'sudo "
				"loader --group NAME IFACE' gives it to another, or run as root\n",
			path, slash, what, (unsigned int)st.st_gid);
	return STATUS_UNSUPPORTED;
}

/* bpf(2) itself says EPERM: before 5.19, or where the administrator decided so. */
static enum status needs_capability(const char *path, const char *what)
{
	fprintf(stderr, "reader: open %s/%s: operation not permitted: before Linux 5.19, or with "
			"user namespaces, pinned maps need CAP_BPF; 'sudo setcap cap_bpf+ep' the "
			"reader, or AmbientCapabilities=CAP_BPF in its systemd unit\n", path, what);
	return STATUS_UNSUPPORTED;
}

static enum status complain_of_pin(const char *path, const struct pinset_failure *failure, int err)
{
	switch (err) {
	case -ENOENT:
	case -ENOTDIR:
		return nothing_attached(path);
	case -EACCES:
		return forbidden(path, failure->what);
	case -EPERM:
		return needs_capability(path, failure->what);
	}
	fprintf(stderr, "reader: open %s%s%s: %s\n", path, *failure->what ? "/" : "",
		failure->what, strerror(-err));
	return STATUS_FAILED;
}

enum status complain(const char *path, const struct pinset_failure *failure, int err)
{
	switch (failure->step) {
	case PINSET_DIRECTORY:
	case PINSET_PIN:
		return complain_of_pin(path, failure, err);
	case PINSET_OTHER_READER:
		if (failure->who)
			fprintf(stderr, "reader: another reader (pid %d) is already reading %s\n",
				(int)failure->who, path);
		else
			fprintf(stderr, "reader: another reader is already reading %s\n", path);
		break;
	case PINSET_LOADER_BUSY:
		fprintf(stderr, "reader: a loader keeps %s locked; try again when it is done\n", path);
		break;
	case PINSET_VERSION:
		fprintf(stderr, "reader: %s/%s was made by another version of loader: run 'sudo "
				"loader IFACE' of this version again\n", path, failure->what);
		break;
	case PINSET_MEMORY:
		fprintf(stderr, "reader: %s\n", strerror(-err));
		break;
	}
	return STATUS_FAILED;
}
