/* SPDX-License-Identifier: MIT */
/* What the resolver process may still do: what the C library's resolver and its modules need, and no more. */
#include "httpd/resolver_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- files ----------------------------------------------------------------- */

/* resolv.conf, hosts and nsswitch.conf, and where they may be links to; modules; nscd, avahi, resolved. */
static const char *const readable[] = {
	"/etc", "/run", "/usr", "/lib", "/lib64", "/var/lib", "/var/run", "/dev/null", "/dev/urandom",
};

static int allow_reading(int ruleset, const char *path)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE };
	int err = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	/* What is not there needs no rule. */
	if (rule.parent_fd < 0)
		return 0;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
		err = -errno;
	close(rule.parent_fd);
	return err;
}

static int restrict_files(void)
{
	/* All of Landlock's first version, Linux 5.13. */
	struct landlock_ruleset_attr attributes = {
		.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
	};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	int err = 0;

	if (ruleset < 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
	for (size_t i = 0; !err && i < COUNT(readable); i++)
		err = allow_reading(ruleset, readable[i]);
	if (!err && syscall(SYS_landlock_restrict_self, ruleset, 0))
		err = -errno;
	close(ruleset);
	return err;
}

/* ---- system calls ---------------------------------------------------------- */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#elif defined(__s390x__)
#define ARCHITECTURE AUDIT_ARCH_S390X
#endif

static const int domains[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

static const int allowed[] = {
	/* messages and files */
	SYS_read, SYS_readv, SYS_pread64, SYS_write, SYS_writev, SYS_close, SYS_openat, SYS_fstat,
	SYS_newfstatat, SYS_statx, SYS_lseek, SYS_faccessat, SYS_readlinkat, SYS_getdents64, SYS_fcntl,
	SYS_ioctl, SYS_dup, SYS_eventfd2,
	/* sockets; socket() itself is looked at */
	SYS_connect, SYS_bind, SYS_sendto, SYS_sendmsg, SYS_sendmmsg, SYS_recvfrom, SYS_recvmsg,
	SYS_recvmmsg, SYS_getsockname, SYS_getpeername, SYS_getsockopt, SYS_setsockopt, SYS_shutdown,
	SYS_ppoll, SYS_pselect6, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait,
	/* memory */
	SYS_mmap, SYS_mprotect, SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk,
	/* threads, and the process that starts them again */
	SYS_clone, SYS_clone3, SYS_futex, SYS_set_robust_list, SYS_set_tid_address, SYS_wait4,
	SYS_sched_yield, SYS_sched_getaffinity, SYS_exit, SYS_exit_group, SYS_prctl, SYS_prlimit64,
	SYS_getpid, SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
	/* signals: how a crash ends */
	SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_tgkill,
	SYS_restart_syscall,
	/* time, chance, names of the machine */
	SYS_clock_gettime, SYS_clock_nanosleep, SYS_nanosleep, SYS_gettimeofday, SYS_getrandom,
	SYS_uname, SYS_sysinfo,
	/* what only some architectures and headers have */
#ifdef SYS_rseq
	SYS_rseq,
#endif
#ifdef SYS_faccessat2
	SYS_faccessat2,
#endif
#ifdef SYS_open
	SYS_open, SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_poll, SYS_select, SYS_epoll_wait,
	SYS_time, SYS_fork,
#endif
};

#define LOAD(member) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, member))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define JUMP_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), yes, no)
#define RULES_MAX (10 + 2 * (COUNT(allowed) + COUNT(domains)))

struct rules {
	struct sock_filter rule[RULES_MAX];
	unsigned short count;
};

static void add(struct rules *rules, struct sock_filter rule)
{
	rules->rule[rules->count++] = rule;
}

/* The value loaded last is let through. */
static void allow(struct rules *rules, int value)
{
	add(rules, (struct sock_filter)JUMP_EQUAL(value, 0, 1));
	add(rules, (struct sock_filter)RETURN(SECCOMP_RET_ALLOW));
}

/* The C library does without what is not there; without what is forbidden it often does not. */
static void make_rules(struct rules *rules)
{
	add(rules, (struct sock_filter)LOAD(arch));
	add(rules, (struct sock_filter)JUMP_EQUAL(ARCHITECTURE, 1, 0));
	add(rules, (struct sock_filter)RETURN(SECCOMP_RET_KILL_PROCESS));
	add(rules, (struct sock_filter)LOAD(nr));
	for (size_t i = 0; i < COUNT(allowed); i++)
		allow(rules, allowed[i]);
	add(rules, (struct sock_filter)JUMP_EQUAL(SYS_socket, 1, 0));
	add(rules, (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | ENOSYS));
	/* The low half of a 64-bit argument: the kernel takes an int. */
	add(rules, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		(uint32_t)offsetof(struct seccomp_data, args[0]) +
		(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0)));
	for (size_t i = 0; i < COUNT(domains); i++)
		allow(rules, domains[i]);
	add(rules, (struct sock_filter)RETURN(SECCOMP_RET_ERRNO | EAFNOSUPPORT));
}

int resolver_sandbox_enter(void)
{
	struct rules rules = { 0 };
	struct sock_fprog program = { .filter = rules.rule };
	int err = restrict_files();

	if (err)
		return err;
	make_rules(&rules);
	program.len = rules.count;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0))
		/* A kernel without seccomp; Landlock and the user are what is left. */
		return errno == EINVAL ? 0 : -errno;
	return 0;
}
