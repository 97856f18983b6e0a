/* SPDX-License-Identifier: MIT */
/* Why the pin directory cannot be read, in words that say what to do. */
#include "reader/complain.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/log.h"

static enum status nothing_attached(const char *path)
{
	log_error("nothing is attached at %s: run 'sudo %sloader IFACE' first", path, log_prefix());
	return STATUS_FAILED;
}

/* The file's mode forbids it: who may? */
static enum status forbidden(const char *path, const char *what)
{
	const char *slash = *what ? "/" : "";
	struct group *group;
	struct stat st;

	if (stat(path, &st)) {
		log_error("open %s: permission denied: a directory above it may be "
			  "searched by root only; 'sudo %sloader IFACE' opens the way",
			  path, log_prefix());
		return STATUS_UNSUPPORTED;
	}
	group = getgrgid(st.st_gid);
	if (st.st_gid && group)
		log_error("open %s%s%s: permission denied: only group '%s' may; 'sudo "
			  "usermod -aG %s $USER' and log in again, or run as root",
			  path, slash, what, group->gr_name, group->gr_name);
	else
		log_error("open %s%s%s: permission denied: only group id %u may; 'sudo "
			  "%sloader --group NAME IFACE' gives it to another, or run as root",
			  path, slash, what, (unsigned int)st.st_gid, log_prefix());
	return STATUS_UNSUPPORTED;
}

/* bpf(2) itself says EPERM: before 5.19, or where the administrator decided so. */
static enum status needs_capability(const char *path, const char *what)
{
	log_error("open %s/%s: operation not permitted: before Linux 5.19, or with "
		  "user namespaces, pinned maps need CAP_BPF; 'sudo setcap cap_bpf+ep' the "
		  "reader, or AmbientCapabilities=CAP_BPF in its systemd unit",
		  path, what);
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
	log_error("open %s%s%s: %s", path, *failure->what ? "/" : "",
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
			log_error("another reader (pid %d) is already reading %s",
				  (int)failure->who, path);
		else
			log_error("another reader is already reading %s", path);
		break;
	case PINSET_LOADER_BUSY:
		log_error("a loader keeps %s locked; try again when it is done", path);
		break;
	case PINSET_VERSION:
		log_error("%s/%s was made by another version of loader: run 'sudo "
				"%sloader IFACE' of this version again", path, failure->what, log_prefix());
		break;
	case PINSET_MEMORY:
		log_error("%s", strerror(-err));
		break;
	}
	return STATUS_FAILED;
}
