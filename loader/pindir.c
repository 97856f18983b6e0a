/* SPDX-License-Identifier: MIT */
/* The pin directory: its pins put in and taken out with the right owner and mode. */
#include "loader/pindir.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/flock_owner.h"
#include "common/pins.h"
#include "loader/bpffs.h"
#include "loader/clock.h"
#include "loader/procfile.h"

/* A reader holds the lock while it swaps and drains: some 10 ms, and seconds at worst. */
#define LOCK_WAIT_MS 5000
#define LOCK_POLL_MS 10

static void file_path(const struct pindir *d, char *ret_path, enum pin_area area,
		      const char *pattern, va_list args)
{
	int used = snprintf(ret_path, PINDIR_FILE_MAX, "%s/%s", d->path,
			    area == PIN_AREA_PRIVATE ? PIN_PRIVATE "/" : "");

	vsnprintf(ret_path + used, PINDIR_FILE_MAX - (size_t)used, pattern, args);
}

/* Everything below begins by making a path of its last arguments. */
#define FILE_PATH(path, d, area, pattern) \
	do { \
		va_list args_; \
		va_start(args_, pattern); \
		file_path(d, path, area, pattern, args_); \
		va_end(args_); \
	} while (0)

void pindir_file(const struct pindir *d, char ret_path[PINDIR_FILE_MAX], enum pin_area area,
		 const char *pattern, ...)
{
	FILE_PATH(ret_path, d, area, pattern);
}

static int dress(const struct pindir *d, const struct pin_rule *rule, const char *path)
{
	if (chown(path, geteuid(), rule->group ? d->gid : getegid()) || chmod(path, rule->mode))
		return -errno;
	return 0;
}

static int dress_name(const struct pindir *d, enum pin_area area, const char *path)
{
	struct pin_match match;

	if (!pin_name_match(area, strrchr(path, '/') + 1, &match))
		return -EINVAL;
	return dress(d, match.rule, path);
}

int pindir_pin(const struct pindir *d, int fd, enum pin_area area, const char *pattern, ...)
{
	char path[PINDIR_FILE_MAX];
	int err;

	FILE_PATH(path, d, area, pattern);
	if (bpf_obj_pin(fd, path))
		return -errno;
	err = dress_name(d, area, path);
	if (err)
		unlink(path);
	return err;
}

int pindir_get(const struct pindir *d, enum pin_area area, const char *pattern, ...)
{
	char path[PINDIR_FILE_MAX];
	int fd;

	FILE_PATH(path, d, area, pattern);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int pindir_get_readonly(const struct pindir *d, enum pin_area area, const char *pattern, ...)
{
	LIBBPF_OPTS(bpf_obj_get_opts, opts, .file_flags = BPF_F_RDONLY);
	char path[PINDIR_FILE_MAX];
	int fd;

	FILE_PATH(path, d, area, pattern);
	fd = bpf_obj_get_opts(path, &opts);
	return fd < 0 ? -errno : fd;
}

int pindir_drop(const struct pindir *d, enum pin_area area, const char *pattern, ...)
{
	char path[PINDIR_FILE_MAX];

	FILE_PATH(path, d, area, pattern);
	return remove(path) && errno != ENOENT ? -errno : 0;
}

int pindir_mark(const struct pindir *d, const char *pattern, ...)
{
	char path[PINDIR_FILE_MAX];

	FILE_PATH(path, d, PIN_AREA_PRIVATE, pattern);
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

bool pindir_is_marked(const struct pindir *d, const char *pattern, ...)
{
	char path[PINDIR_FILE_MAX];

	FILE_PATH(path, d, PIN_AREA_PRIVATE, pattern);
	return !access(path, F_OK);
}

static DIR *open_area(const struct pindir *d, enum pin_area area)
{
	char path[PINDIR_FILE_MAX];

	pindir_file(d, path, area, ".");
	return opendir(path);
}

int pindir_each(const struct pindir *d, enum pin_area area,
		int (*visit)(const struct pin_match *match, const char *name, void *context),
		void *context)
{
	DIR *dir = open_area(d, area);
	struct pin_match match;
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!err && (entry = readdir(dir)))
		if (pin_name_match(area, entry->d_name, &match))
			err = visit(&match, entry->d_name, context);
	closedir(dir);
	return err;
}

bool pindir_find_foreign(const struct pindir *d, char ret_name[64])
{
	DIR *dir = open_area(d, PIN_AREA_SHARED);
	struct pin_match match;
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		found = strcmp(name, ".") && strcmp(name, "..") && !pin_name_is_builtin(name) &&
			!pin_name_match(PIN_AREA_SHARED, name, &match);
		if (found)
			snprintf(ret_name, 64, "%.63s", name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static int dress_entry(const struct pin_match *match, const char *name, void *context)
{
	const struct pindir *d = context;
	char path[PINDIR_FILE_MAX];

	pindir_file(d, path, match->rule->area, "%s", name);
	return dress(d, match->rule, path);
}

int pindir_dress(struct pindir *d, struct failure *f)
{
	static const char *const directories[] = { PIN_PRIVATE, PIN_READER };
	char path[PINDIR_FILE_MAX], name[64];
	int err = 0;

	if (pindir_find_foreign(d, name))
		return failure_set(f, STATUS_FAILED, "%s holds '%s', which is not jopil's; "
				   "give another --pin-dir", d->path, name);
	for (int i = 0; i < 2 && !err; i++) {
		pindir_file(d, path, PIN_AREA_SHARED, "%s", directories[i]);
		if (mkdir(path, 0700) && errno != EEXIST)
			err = -errno;
	}
	if (!err && (fchown(d->fd, geteuid(), d->gid) || fchmod(d->fd, 0750)))
		err = -errno;
	if (!err)
		err = pindir_each(d, PIN_AREA_SHARED, dress_entry, d);
	if (!err)
		err = pindir_each(d, PIN_AREA_PRIVATE, dress_entry, d);
	return err ? failure_errno(f, err, "set owners and modes in %s", d->path) : 0;
}

int pindir_open(struct pindir *d, const char *path, struct failure *f)
{
	char real[PATH_MAX];
	struct stat st;
	bool there;

	*d = (struct pindir){ .fd = -1 };
	there = realpath(path, real);
	if (!there && errno != ENOENT && errno != ENOTDIR && errno != EPERM)
		return failure_errno(f, errno, "--pin-dir %s", path);
	if (pindir_copy_path(there ? real : path, d->path, f))
		return -1;
	errno = 0;
	if (!there || !strcmp(d->path, BPFFS_USUAL) || (!bpffs_holds(d->path) && errno != EACCES))
		return 1;
	d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (d->fd < 0 && errno == EACCES)
		return failure_set(f, STATUS_UNSUPPORTED, "open %s: permission denied; run as root "
				   "or as a member of its group", d->path);
	if (d->fd < 0)
		return failure_errno(f, errno, "open %s", d->path);
	if (!fstat(d->fd, &st))
		d->gid = st.st_gid;
	return 0;
}

void pindir_close(struct pindir *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

void pindir_unlock(struct pindir *d)
{
	flock(d->fd, LOCK_UN);
}

/* The directory may have been removed, and made anew, while we waited for it. */
static bool is_still_there(const struct pindir *d)
{
	struct stat ours, theirs;

	return !fstat(d->fd, &ours) && !stat(d->path, &theirs) && ours.st_ino == theirs.st_ino &&
	       ours.st_dev == theirs.st_dev;
}

static pid_t holder_of(const char *path)
{
	struct stat st;
	char *locks;
	pid_t pid;

	if (stat(path, &st) || procfile_read("/proc/locks", &locks))
		return 0;
	pid = flock_owner(locks, st.st_dev, st.st_ino);
	free(locks);
	return pid;
}

int pindir_lock(struct pindir *d, struct failure *f)
{
	u64 end = clock_monotonic_ms() + LOCK_WAIT_MS;

	while (flock(d->fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return failure_errno(f, errno, "lock %s", d->path);
		if (clock_monotonic_ms() >= end)
			return failure_set(f, STATUS_FAILED, "%s has been locked by process %d "
					   "for %d s; try again when it is done", d->path,
					   (int)holder_of(d->path), LOCK_WAIT_MS / 1000);
		clock_pause_ms(LOCK_POLL_MS);
	}
	return is_still_there(d) ? 0 : 1;
}

pid_t pindir_reader(const struct pindir *d)
{
	char path[PINDIR_FILE_MAX];

	pindir_file(d, path, PIN_AREA_SHARED, PIN_READER);
	return holder_of(path);
}
