/* SPDX-License-Identifier: MIT */
/* Becoming an ordinary user, for good. */
#ifndef JOPIL_HTTPD_PRIVILEGE_H
#define JOPIL_HTTPD_PRIVILEGE_H

#include <sys/types.h>

struct privilege_user {
	uid_t uid;
	gid_t gid;
};

/* Looks the name up. 0; -ENOENT: no such user; -EPERM: it is root; or another -errno. */
int privilege_find(const char *name, struct privilege_user *ret_user);

/*
 * Gives up groups, gid, uid and all capabilities, and looks whether they can
 * be had back. 0; -EACCES if they can; or -errno. *ret_step says what was done last.
 */
int privilege_drop(const struct privilege_user *user, const char **ret_step);

/* No program started from here gains a privilege (set-uid, file capabilities). 0 or -errno. */
int privilege_no_new(void);

#endif
