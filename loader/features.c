/* SPDX-License-Identifier: MIT */
/* What this kernel can do, found out by trying. */
#include "loader/features.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/types.h"

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"
#define TCX_EGRESS 47		/* enum bpf_attach_type since 6.6 */
#define COARSE_NS 160		/* BPF_FUNC_ktime_get_coarse_ns */
#define NO_IFINDEX 0x7fffffff
#define NOBODY 65534

const struct feature_row feature_rows[FEATURES] = {
	[FEATURE_BTF] = { "btf", "nothing can be attached; a kernel with CONFIG_DEBUG_INFO_BTF "
			  "is needed" },
	[FEATURE_TCX] = { "tcx", "tc programs hang at clsact filters" },
	[FEATURE_XDP_FRAGS] = { "xdp_frags", "no native XDP on interfaces with jumbo frames" },
	[FEATURE_COARSE_CLOCK] = { "coarse_clock", "some 20 ns more a packet" },
	[FEATURE_UNPRIVILEGED] = { "unprivileged_maps", "the reader needs CAP_BPF: setcap "
				   "cap_bpf+ep, or AmbientCapabilities in its systemd unit" },
};

/* The smallest program: return what is in r0. */
static int load_nothing(enum bpf_prog_type type, u32 flags)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 2 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_flags = flags);
	int fd = bpf_prog_load(type, "jopil_ask", "MIT", code, sizeof(code) / sizeof(code[0]),
			       &opts);

	return fd < 0 ? -errno : fd;
}

static enum feature_answer answer(int fd_or_err)
{
	if (fd_or_err >= 0)
		close(fd_or_err);
	if (fd_or_err == -EPERM)
		return FEATURE_UNKNOWN;
	return fd_or_err >= 0 ? FEATURE_YES : FEATURE_NO;
}

/* An interface that does not exist: the kernel looks for it only if it knows TCX. */
static enum feature_answer ask_tcx(void)
{
	int prog = load_nothing(BPF_PROG_TYPE_SCHED_CLS, 0);
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	int link;

	if (prog < 0)
		return answer(prog);
	link = bpf_link_create(prog, NO_IFINDEX, (enum bpf_attach_type)TCX_EGRESS, &opts);
	if (link >= 0)
		close(link);
	else
		link = -errno;
	close(prog);
	return link == -ENODEV ? FEATURE_YES : FEATURE_NO;
}

static enum feature_answer ask_coarse_clock(void)
{
	int has = libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, (enum bpf_func_id)COARSE_NS, NULL);

	if (has < 0)
		return has == -EPERM ? FEATURE_UNKNOWN : FEATURE_NO;
	return has ? FEATURE_YES : FEATURE_NO;
}

/* A look-up in no map: EBADF if the look-up was allowed, EPERM if it was not. */
static int look_up_unprivileged(void)
{
	union bpf_attr attr = { .map_fd = (u32)-1 };

	if (geteuid() == 0 && (setgid(NOBODY) || setuid(NOBODY)))
		return FEATURE_UNKNOWN;
	syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
	return errno == EBADF ? FEATURE_YES : FEATURE_NO;
}

static enum feature_answer ask_unprivileged(void)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(look_up_unprivileged());
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return FEATURE_UNKNOWN;
	return (enum feature_answer)WEXITSTATUS(status);
}

enum feature_answer feature_ask(enum feature feature)
{
	switch (feature) {
	case FEATURE_BTF:
		return access(KERNEL_BTF, R_OK) ? FEATURE_NO : FEATURE_YES;
	case FEATURE_TCX:
		return ask_tcx();
	case FEATURE_XDP_FRAGS:
		return answer(load_nothing(BPF_PROG_TYPE_XDP, BPF_F_XDP_HAS_FRAGS));
	case FEATURE_COARSE_CLOCK:
		return ask_coarse_clock();
	case FEATURE_UNPRIVILEGED:
		return ask_unprivileged();
	default:
		return FEATURE_UNKNOWN;
	}
}
