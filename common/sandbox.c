/* SPDX-License-Identifier: MIT */
/* After the start: only what a program still needs, by seccomp and Landlock. */
#include "common/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/capabilities.h"
#include "common/status.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* ---- system calls ------------------------------------------------------------ */

/* What every program needs: memory, time, chance, the end; and see add_memory(). */
static const int basic[] = {
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(sysinfo),	/* glibc's qsort() asks for the memory before it sorts a long list */
	SCMP_SYS(clock_gettime), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
	SCMP_SYS(exit_group),
};

#ifdef __SANITIZE_ADDRESS__
/* To find leaks at the end, and to say what is wrong, with names. */
static const int sanitizing[] = {
	SCMP_SYS(clone), SCMP_SYS(ptrace), SCMP_SYS(wait4), SCMP_SYS(prctl), SCMP_SYS(openat),
	SCMP_SYS(open), SCMP_SYS(readlink), SCMP_SYS(getdents64), SCMP_SYS(getdents), SCMP_SYS(sigaltstack),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(sched_yield), SCMP_SYS(gettid),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(tgkill),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(getrlimit),
	SCMP_SYS(prlimit64), SCMP_SYS(process_vm_readv), SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(exit),
	SCMP_SYS(stat), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(ioctl),
	SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(msync), SCMP_SYS(access), SCMP_SYS(set_robust_list),
	SCMP_SYS(arch_prctl), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(dup), SCMP_SYS(pipe2),
};
#else
static const int sanitizing[0];
#endif

/* For stopped(). */
static struct {
	const char *program, *without;
} said;

/* It is raised by the call itself, so it interrupts nothing but that. */
static void stopped(int number, siginfo_t *info, void *context)
{
	char text[192];
	int length = snprintf(text, sizeof(text), "%s: system call %d is not left by the sandbox: "
			      "a bug, or an attack; report it%s%s%s\n", said.program, info->si_syscall,
			      said.without ? ", " : "", said.without ? said.without : "",
			      said.without ? " goes without" : "");

	(void)number;
	(void)context;
	if (write(STDERR_FILENO, text, (size_t)length) != length)
		_exit(STATUS_FAILED);
	_exit(STATUS_FAILED);
}

static int add_calls(scmp_filter_ctx filter, struct sandbox_calls calls, struct sandbox_state *state)
{
	for (size_t i = 0; i < calls.count; i++) {
		int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls.call[i], 0);

		if (err)
			return err;
	}
	state->calls += calls.count;
	return 0;
}

/* No new code: memory can be had, but not to be executed. */
static int add_memory(scmp_filter_ctx filter, struct sandbox_state *state)
{
	const int calls[] = { SCMP_SYS(mmap), SCMP_SYS(mprotect) };
	int err = 0;

	for (size_t i = 0; !err && i < COUNT(calls) && !COUNT(sanitizing); i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 1,
				       SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	state->calls += COUNT(sanitizing) ? 0 : COUNT(calls);
	return err;
}

static struct scmp_arg_cmp comparison(const struct sandbox_argument *argument)
{
	return (struct scmp_arg_cmp){
		.arg = argument->number, .op = SCMP_CMP_MASKED_EQ,
		.datum_a = argument->mask, .datum_b = argument->value,
	};
}

/* first: of its call; one call may be left with several values. */
static int add_exact(scmp_filter_ctx filter, const struct sandbox_exact *exact, bool first,
		     struct sandbox_state *state)
{
	struct scmp_arg_cmp arguments[] = { comparison(&exact->argument), comparison(&exact->also) };

	state->calls += first;
	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, exact->call, exact->also.mask ? 2 : 1,
				      arguments);
}

/* Some of them are left to the sanitizers. */
static int add_absent(scmp_filter_ctx filter, struct sandbox_calls absent)
{
	int err = 0;

	for (size_t i = 0; !err && i < absent.count; i++) {
		err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), absent.call[i], 0);
		if (COUNT(sanitizing) && err == -EEXIST)
			err = 0;
	}
	return err;
}

static int add_all(scmp_filter_ctx filter, const struct sandbox *sandbox,
		   struct sandbox_state *state)
{
	int err = add_calls(filter, (struct sandbox_calls){ basic, COUNT(basic) }, state);

	for (size_t i = 0; !err && i < COUNT(sandbox->calls); i++)
		err = add_calls(filter, sandbox->calls[i], state);
	if (!err)
		err = add_calls(filter, (struct sandbox_calls){ sanitizing, COUNT(sanitizing) }, state);
	if (!err)
		err = add_absent(filter, sandbox->absent);
	if (!err)
		err = add_memory(filter, state);
	for (size_t i = 0; !err && i < sandbox->n_exact; i++)
		err = add_exact(filter, &sandbox->exact[i],
				!i || sandbox->exact[i].call != sandbox->exact[i - 1].call, state);
	return err;
}

static int enter_seccomp(const struct sandbox *sandbox, struct sandbox_state *state)
{
	struct sigaction action = { .sa_sigaction = stopped, .sa_flags = SA_SIGINFO };
	scmp_filter_ctx filter;
	int err;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		return 0;
	said.program = sandbox->program;
	said.without = sandbox->without;
	if (sigaction(SIGSYS, &action, NULL))
		return -errno;
	filter = seccomp_init(SCMP_ACT_TRAP);
	if (!filter)
		return -ENOMEM;
	err = add_all(filter, sandbox, state);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	state->seccomp = !err;
	return err;
}

/* ---- files and ports ----------------------------------------------------------- */

/* What each ABI added; older headers do not have the newer names (linux/landlock.h). */
#define FS_ABI_1 ((1ULL << 13) - 1)
#define FS_REFER (1ULL << 13)		/* 2 */
#define FS_TRUNCATE (1ULL << 14)	/* 3 */
#define FS_IOCTL_DEV (1ULL << 15)	/* 5 */
#define NET_TCP 3ULL			/* 4: bind, connect */
#define NET_CONNECT 2ULL
#define RULE_NET_PORT 2			/* enum landlock_rule_type */
#define SCOPES 3ULL			/* 6: abstract Unix sockets, signals */

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

static struct ruleset everything(int abi)
{
	struct ruleset rules = { .fs = FS_ABI_1 };

	if (abi >= 2)
		rules.fs |= FS_REFER;
	if (abi >= 3)
		rules.fs |= FS_TRUNCATE;
	if (abi >= 4)
		rules.net = NET_TCP;
	if (abi >= 5)
		rules.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		rules.scoped = SCOPES;
	return rules;
}

/* A kernel of an older ABI takes the longer struct if what it does not know is zero. */
static int create_ruleset(int abi)
{
	struct ruleset rules = everything(abi);

	return (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
}

/* Rights that the kernel does not know cannot be taken, nor left. */
static int leave(int ruleset, int abi, const struct sandbox_path *path)
{
	struct landlock_path_beneath_attr beneath = {
		.allowed_access = path->rights & everything(abi).fs, .parent_fd = path->fd,
	};

	if (path->fd < 0)
		return 0;
	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) ?
		       -errno : 0;
}

static int leave_port(int ruleset, int abi, uint16_t port)
{
	const struct {
		uint64_t access, port;
	} rule = { NET_CONNECT, port };	/* struct landlock_net_port_attr */

	if (!port || !everything(abi).net)
		return 0;
	return syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) ? -errno : 0;
}

static int restrict_all(int ruleset, int abi, const struct sandbox *sandbox)
{
	int err = leave_port(ruleset, abi, sandbox->connect_port);

	for (size_t i = 0; !err && i < sandbox->n_paths; i++)
		err = leave(ruleset, abi, &sandbox->paths[i]);
#ifdef __SANITIZE_ADDRESS__
	if (!err) {
		struct sandbox_path root = {
			open("/", O_PATH | O_CLOEXEC),
			LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
		};

		err = leave(ruleset, abi, &root);
		close(root.fd);
	}
#endif
	if (!err && syscall(SYS_landlock_restrict_self, ruleset, 0))
		err = -errno;
	return err;
}

static int enter_landlock(const struct sandbox *sandbox, struct sandbox_state *state)
{
	int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);
	int ruleset, err;

	if (abi < 1)	/* too old, not built in, or not switched on */
		return 0;
	ruleset = create_ruleset(abi);
	if (ruleset < 0)
		return -errno;
	err = restrict_all(ruleset, abi, sandbox);
	close(ruleset);
	state->landlock = err ? 0 : abi;
	return err;
}

/* ---- the rest ------------------------------------------------------------------- */

static int give_up_capabilities(uint64_t but)
{
	int err = capabilities_drop_bounding();

	/* Without CAP_SETPCAP the bounding set stays: nothing can be had through it any more. */
	return !err || err == -EPERM ? capabilities_keep(but) : err;
}

static int limit_descriptors(unsigned int most)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	if (limit.rlim_max > most)
		limit.rlim_max = most;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) ? -errno : 0;
}

int sandbox_enter(const struct sandbox *sandbox, struct sandbox_state *ret_state,
		  const char **ret_step)
{
	int err;

	*ret_state = (struct sandbox_state){ 0 };
	*ret_step = "drop the capabilities";
	err = give_up_capabilities(sandbox->capabilities);
	if (err)
		return err;
	*ret_step = "limit the descriptors";
	err = sandbox->descriptors ? limit_descriptors(sandbox->descriptors) : 0;
	if (err)
		return err;
	*ret_step = "gain no privilege";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	*ret_step = "Landlock";
	err = enter_landlock(sandbox, ret_state);
	if (err)
		return err;
	*ret_step = "seccomp";
	return enter_seccomp(sandbox, ret_state);
}
