/* SPDX-License-Identifier: MIT */
/* What the resolver process may still do: what the C library's resolver and its modules need, and no more. */
#ifndef JOPIL_HTTPD_RESOLVER_SANDBOX_H
#define JOPIL_HTTPD_RESOLVER_SANDBOX_H

/*
 * For good, for this process and those it forks: no program is executed, no file
 * is written or made, none is read outside the directories that hold configuration,
 * libraries and sockets of name services (Landlock, where the kernel has it);
 * system calls that resolving has no use for fail with ENOSYS, sockets are those of
 * IP, local services and netlink's addresses (seccomp). The process must have
 * no_new_privs. 0 or -errno.
 */
int resolver_sandbox_enter(void);

#endif
