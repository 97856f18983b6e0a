/* SPDX-License-Identifier: MIT */
/* Becoming an ordinary user, for good. */
#include "httpd/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/capabilities.h"

int privilege_find(const char *name, struct privilege_user *ret_user)
{
	struct passwd *entry;

	errno = 0;
	entry = getpwnam(name);
	if (!entry)
		return errno ? -errno : -ENOENT;
	if (!entry->pw_uid)
		return -EPERM;
	*ret_user = (struct privilege_user){ entry->pw_uid, entry->pw_gid };
	return 0;
}

/* Whether the way back is closed: 0, or -EACCES. */
static int verify(const struct privilege_user *user)
{
	uid_t uid, euid, suid;
	gid_t gid, egid, sgid;

	if (getresuid(&uid, &euid, &suid) || getresgid(&gid, &egid, &sgid))
		return -errno;
	if (uid != user->uid || euid != user->uid || suid != user->uid)
		return -EACCES;
	if (gid != user->gid || egid != user->gid || sgid != user->gid)
		return -EACCES;
	if (getgroups(0, NULL) || capabilities_are_left())
		return -EACCES;
	if (!setresuid((uid_t)-1, 0, (uid_t)-1) || (user->gid && !setresgid((gid_t)-1, 0, (gid_t)-1)))
		return -EACCES;
	return 0;
}

int privilege_drop(const struct privilege_user *user, const char **ret_step)
{
	int err;

	*ret_step = "drop the capability bounding set";
	err = capabilities_drop_bounding();
	if (err)
		return err;
	*ret_step = "drop the groups";
	if (setgroups(0, NULL))
		return -errno;
	*ret_step = "change the group";
	if (setresgid(user->gid, user->gid, user->gid))
		return -errno;
	*ret_step = "change the user";
	if (setresuid(user->uid, user->uid, user->uid))
		return -errno;
	*ret_step = "drop the capabilities";
	err = capabilities_drop();
	if (err)
		return err;
	*ret_step = "verify that root cannot be had back";
	return verify(user);
}

int privilege_no_new(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}
