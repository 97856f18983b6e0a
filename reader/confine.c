/* SPDX-License-Identifier: MIT */
/* What the reader is left once it reads. */
#include "reader/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/capabilities.h"
#include "common/sandbox_main.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define READ_TREE (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

static const int passing[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(poll), SCMP_SYS(setitimer),
	SCMP_SYS(fstat), SCMP_SYS(fstatfs), SCMP_SYS(newfstatat),
};

/* Naps; pins that were replaced; the lock; cgroups and BTF. */
static const int looking[] = {
	SCMP_SYS(clock_nanosleep), SCMP_SYS(openat), SCMP_SYS(flock), SCMP_SYS(getdents64),
	SCMP_SYS(fcntl), SCMP_SYS(lseek),
};

/* The room in a pipe. */
#define FILLING SANDBOX_ONLY(ioctl, 1, FIONREAD)

/* gethostname(3) */
static const int telling[] = { SCMP_SYS(uname) };

/* A look-up in no map: EBADF where anyone may ask, EPERM where it takes CAP_BPF, before Linux 5.19. */
static bool is_refused_without_capability(void)
{
	union bpf_attr attr = { .map_fd = (__u32)-1 };
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(!capabilities_drop() && syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr)) &&
		      errno == EPERM);
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 1;
}

int confine_live(const char *pin_dir, const char *cgroups, bool verbose)
{
	/* The directory may be made anew. */
	char parent[PATH_MAX];
	struct sandbox sandbox = {
		.program = "reader",
		.without = "--no-sandbox",
		.calls = { { passing, COUNT(passing) }, { looking, COUNT(looking) } },
		.exact = {
			SANDBOX_ONLY(bpf, 0, BPF_MAP_LOOKUP_ELEM), SANDBOX_ONLY(bpf, 0, BPF_MAP_LOOKUP_BATCH),
			SANDBOX_ONLY(bpf, 0, BPF_MAP_GET_NEXT_KEY), SANDBOX_ONLY(bpf, 0, BPF_OBJ_GET),
			SANDBOX_ONLY(bpf, 0, BPF_OBJ_GET_INFO_BY_FD),
			/* What has been read goes; and the other map of a pair is the one to write to. */
			SANDBOX_ONLY(bpf, 0, BPF_MAP_DELETE_ELEM), SANDBOX_ONLY(bpf, 0, BPF_MAP_DELETE_BATCH),
			SANDBOX_ONLY(bpf, 0, BPF_MAP_UPDATE_ELEM),
			/* if_indextoname(3) */
			SANDBOX_ONLY(socket, 0, AF_UNIX), SANDBOX_ONLY(ioctl, 1, SIOCGIFNAME), FILLING,
		},
		.n_exact = 11,
		.paths = {
			{ -1, READ_TREE },
			{ open("/sys/kernel/btf", O_PATH | O_CLOEXEC), READ_TREE },
			{ cgroups ? open(cgroups, O_PATH | O_CLOEXEC) : -1, READ_TREE },
		},
		.n_paths = 3,
	};
	int status;

	if (capabilities_are_left() == 1 && is_refused_without_capability())
		sandbox.capabilities = 1ull << CAP_BPF;
	if (snprintf(parent, sizeof(parent), "%s/..", pin_dir) < (int)sizeof(parent))
		sandbox.paths[0].fd = open(parent, O_PATH | O_CLOEXEC);
	status = sandbox_enter_main(&sandbox, verbose, NULL);
	for (size_t i = 0; i < sandbox.n_paths; i++)
		if (sandbox.paths[i].fd >= 0)
			close(sandbox.paths[i].fd);
	return status;
}

int confine_capture(bool verbose)
{
	static const struct sandbox sandbox = {
		.program = "reader",
		.without = "--no-sandbox",
		.calls = { { passing, COUNT(passing) }, { telling, COUNT(telling) } },
		.exact = { FILLING },
		.n_exact = 1,
	};

	return sandbox_enter_main(&sandbox, verbose, NULL);
}
