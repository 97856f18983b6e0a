/* SPDX-License-Identifier: MIT */
/*
 * The pin directory as common/pins.h describes it: made, locked, its pins put in and
 * taken out with the right owner and mode.
 */
#ifndef JOPIL_PINDIR_H
#define JOPIL_PINDIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "loader/failure.h"
#include "loader/pin_name.h"

/* "/private/filter_255_ingress_new" and a terminating NUL still fit behind it. */
#define PINDIR_PATH_MAX 200
#define PINDIR_FILE_MAX (PINDIR_PATH_MAX + PIN_NAME_BYTES + 16)

struct pindir {
	char path[PINDIR_PATH_MAX];
	int fd;			/* of the directory; holds the lock; -1: not open */
	gid_t gid;		/* GROUP */
	bool fresh;		/* no loader has finished here yet */
	bool made;		/* the directory was made by this run */
	char mounted[PINDIR_PATH_MAX];		/* where this run mounted a bpffs, or "" */
	char opened_up[PINDIR_PATH_MAX];	/* what it made searchable, or "" */
	char unreachable[PINDIR_PATH_MAX];	/* what GROUP cannot pass through, or "" */
};

/*
 * Makes the directory, mounting a bpffs if it must, and locks it; then gives it, and
 * what lies in it already, GROUP and modes. group NULL: as it is, or the default.
 * 0, or -1 with *f filled.
 */
int pindir_make(struct pindir *d, const char *path, const char *group, struct failure *f);

/*
 * Opens a directory that is there, without changing it. 0; 1: there is none, or no
 * bpffs; or -1 with *f filled.
 */
int pindir_open(struct pindir *d, const char *path, struct failure *f);

/*
 * Locks an open directory; waits a few seconds for another holder. 0; 1: the
 * directory was removed meanwhile; or -1 with *f filled, naming the holder.
 */
int pindir_lock(struct pindir *d, struct failure *f);
void pindir_unlock(struct pindir *d);

/* Gives the lock and the descriptor back. */
void pindir_close(struct pindir *d);

/* GROUP and modes for the directory and all that lies in it. 0, or -1 with *f filled. */
int pindir_dress(struct pindir *d, struct failure *f);

/* 0, or -1 with *f filled: the path is too long. */
int pindir_copy_path(const char *path, char ret_path[PINDIR_PATH_MAX], struct failure *f);

/*
 * An absolute path without links, also for a directory that is not there yet. 0, or
 * -1 with *f filled.
 */
int pindir_resolve(const char *given, char ret_path[PINDIR_PATH_MAX], struct failure *f);

/* The name of something in the directory that is not ours; false if there is none. */
bool pindir_find_foreign(const struct pindir *d, char ret_name[64]);

/* The path of a pin, by the patterns of pins.h and pin_name.h. */
void pindir_file(const struct pindir *d, char ret_path[PINDIR_FILE_MAX], enum pin_area area,
		 const char *pattern, ...) __attribute__((format(printf, 4, 5)));

/* Pins an object under a name of the table, with its owner and mode. 0 or -errno. */
int pindir_pin(const struct pindir *d, int fd, enum pin_area area, const char *pattern, ...)
	__attribute__((format(printf, 4, 5)));

/* The object pinned under a name: a descriptor, or -errno (-ENOENT: none). */
int pindir_get(const struct pindir *d, enum pin_area area, const char *pattern, ...)
	__attribute__((format(printf, 3, 4)));

/* The same, only for reading: all that members of GROUP may do with most pins. */
int pindir_get_readonly(const struct pindir *d, enum pin_area area, const char *pattern, ...)
	__attribute__((format(printf, 3, 4)));

/* Takes a pin or marker directory away. 0 (also if there is none) or -errno. */
int pindir_drop(const struct pindir *d, enum pin_area area, const char *pattern, ...)
	__attribute__((format(printf, 3, 4)));

/* A marker: an empty directory. mark: 0 or -errno; it may be there already. */
int pindir_mark(const struct pindir *d, const char *pattern, ...)
	__attribute__((format(printf, 2, 3)));
bool pindir_is_marked(const struct pindir *d, const char *pattern, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Calls visit with each of our names in the area, while it returns 0. 0, what visit
 * returned, or -errno.
 */
int pindir_each(const struct pindir *d, enum pin_area area,
		int (*visit)(const struct pin_match *match, const char *name, void *context),
		void *context);

/*
 * Takes every pin of ours away, then the directory and what we mounted. Links must
 * be detached before. 0, or -1 with *f filled, for instance because of something
 * foreign in the directory, which is left.
 */
int pindir_remove(struct pindir *d, struct failure *f);

/* Who holds the flock() on DIR/reader: a process id, or 0. */
pid_t pindir_reader(const struct pindir *d);

#endif
