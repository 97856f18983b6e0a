/* SPDX-License-Identifier: MIT */
/* The packet probe's programs for one interface, loaded into the kernel. */
#include "loader/program.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/jopil.skel.h"
#include "loader/features.h"
#include "loader/probe.h"
#include "loader/skeleton.h"

/* Of a verifier's log the end tells why; the whole of it is thousands of lines. */
#define LOG_LINES 24

static bool verbose_mode;

static const char *last_lines(const char *text, int lines)
{
	const char *pos = text + strlen(text);

	while (pos > text && (pos[-1] != '\n' || lines-- > 0))
		pos--;
	return pos;
}

static int print(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text;

	if (!verbose_mode || level == LIBBPF_DEBUG || vasprintf(&text, format, args) < 0)
		return 0;
	fputs(last_lines(text, LOG_LINES), stderr);
	free(text);
	return 0;
}

void program_be_verbose(bool verbose)
{
	verbose_mode = verbose;
	libbpf_set_print(print);
}

static struct bpf_program *program_of(const struct jopil_bpf *skeleton, enum site_id site)
{
	struct bpf_program *const programs[SITES] = {
		[SITE_XDP] = skeleton->progs.packet_xdp,
		[SITE_INGRESS] = skeleton->progs.packet_tc_ingress,
		[SITE_EGRESS] = skeleton->progs.packet_tc_egress,
	};

	return programs[site];
}

static int use_maps(struct jopil_bpf *skeleton, const struct program_maps *maps)
{
	const struct {
		struct bpf_map *map;
		int fd;
	} own[] = {
		{ skeleton->maps.totals, maps->totals },
		{ skeleton->maps.losses, maps->losses },
		{ skeleton->maps.budgets, maps->shared->budgets },
	};
	const int pages = maps->shared->flow_pages;
	int err = skeleton_choose_maps(skeleton->obj, PROBE_PACKET, false);

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && !err; i++)
		err = bpf_map__reuse_fd(own[i].map, own[i].fd);
	if (!err && pages >= 0)
		err = bpf_map__reuse_fd(skeleton->maps.flow_pages, pages);
	return err ? err : skeleton_use_mapset(skeleton->obj, maps->shared);
}

static int choose_programs(struct jopil_bpf *skeleton, unsigned int sites, bool xdp_frags)
{
	struct bpf_program *xdp = program_of(skeleton, SITE_XDP);
	int err = skeleton_no_programs(skeleton->obj);

	for (int site = 0; site < SITES && !err; site++)
		err = bpf_program__set_autoload(program_of(skeleton, site), sites >> site & 1);
	if (!err && xdp_frags)
		err = bpf_program__set_flags(xdp, bpf_program__flags(xdp) | BPF_F_XDP_HAS_FRAGS);
	return err;
}

static int refused(int err, struct failure *f)
{
	if (feature_ask(FEATURE_BTF) == FEATURE_NO)
		return failure_set(f, STATUS_UNSUPPORTED, "this kernel has no BTF "
				   "(/sys/kernel/btf/vmlinux): one with CONFIG_DEBUG_INFO_BTF "
				   "is needed");
	if (err == -EACCES || err == -EINVAL)	/* it knows better than "permission" */
		return failure_set(f, STATUS_UNSUPPORTED, "the kernel's verifier refused the "
				   "packet programs; --verbose shows its words, Linux 5.10 or "
				   "later is needed");
	return failure_errno(f, err, "load the packet programs");
}

int program_load(const struct packet_config *config, const struct program_maps *maps,
		 unsigned int sites, struct program_set *ret_set, struct failure *f)
{
	struct jopil_bpf *skeleton = jopil_bpf__open();
	int err;

	if (!skeleton)
		return failure_errno(f, errno, "open the BPF programs within loader");
	skeleton->rodata->packet_config = *config;
	err = use_maps(skeleton, maps);
	if (!err)
		err = choose_programs(skeleton, sites, config->xdp_frags);
	if (!err)
		err = jopil_bpf__load(skeleton);
	if (err) {
		jopil_bpf__destroy(skeleton);
		return refused(err, f);
	}
	ret_set->object = skeleton;
	for (int site = 0; site < SITES; site++)
		ret_set->fds[site] = sites >> site & 1
					     ? bpf_program__fd(program_of(skeleton, site))
					     : -1;
	return 0;
}

void program_unload(struct program_set *set)
{
	if (set->object)
		jopil_bpf__destroy(set->object);
	set->object = NULL;
}
