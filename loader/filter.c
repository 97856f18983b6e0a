/* SPDX-License-Identifier: MIT */
/* TC programs before Linux 6.6: filters of a clsact qdisc. Can go with Linux 6.1. */
#include "loader/filter.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <stdio.h>
#include <unistd.h>

#include "loader/netlink.h"
#include "loader/object.h"
#include "loader/site.h"

/* First in the chain: who comes later may end it. */
#define PRIORITY 1

/* Ours are told by their program; several pipelines may hang at one interface. */
#define HANDLE_FIRST 0x6a70
#define HANDLES 16

static enum bpf_tc_attach_point point_of(enum site_id site)
{
	return site == SITE_INGRESS ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

static u32 parent_of(enum site_id site)
{
	return TC_H_MAKE(TC_H_CLSACT,
			 site == SITE_INGRESS ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
}

/* 0 and the handle, or -ENOENT. */
static int find_handle(struct filter *filter)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)filter->ifindex,
		    .attach_point = point_of(filter->site));

	for (u32 i = 0; i < HANDLES; i++) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE_FIRST + i, .priority = PRIORITY);

		if (!bpf_tc_query(&hook, &opts) && opts.prog_id == filter->prog_id) {
			filter->handle = HANDLE_FIRST + i;
			return 0;
		}
	}
	return -ENOENT;
}

/* One of the two pins of a site: the filter that it stands for, or -ENOENT. */
static int open_pin(const struct pindir *d, struct filter *filter, bool is_new)
{
	int fd = pindir_get(d, PIN_AREA_PRIVATE, is_new ? PIN_FILTER_NEW : PIN_FILTER,
			    filter->slot, site_name(filter->site));
	int err;

	if (fd < 0)
		return fd;
	err = object_prog_id(fd, &filter->prog_id);
	close(fd);
	return err ? err : find_handle(filter);
}

static int rename_new(const struct pindir *d, const struct filter *filter)
{
	char from[PINDIR_FILE_MAX], to[PINDIR_FILE_MAX];

	pindir_file(d, from, PIN_AREA_PRIVATE, PIN_FILTER_NEW, filter->slot,
		    site_name(filter->site));
	pindir_file(d, to, PIN_AREA_PRIVATE, PIN_FILTER, filter->slot, site_name(filter->site));
	return rename(from, to) ? -errno : 0;
}

int filter_open(const struct pindir *d, unsigned int slot, enum site_id site, u32 ifindex,
		struct filter *ret_filter)
{
	struct filter filter = { .ifindex = ifindex, .slot = slot, .site = site };
	int err = open_pin(d, &filter, true);

	filter.pinned_as_new = !err;
	if (err)
		err = open_pin(d, &filter, false);
	if (!err)
		*ret_filter = filter;
	return err;
}

int filter_tidy(const struct pindir *d, unsigned int slot, enum site_id site,
		struct filter *found)
{
	int err;

	if (found && found->pinned_as_new) {
		found->pinned_as_new = false;
		return rename_new(d, found);
	}
	err = pindir_drop(d, PIN_AREA_PRIVATE, PIN_FILTER_NEW, slot, site_name(site));
	if (!err && !found)
		err = pindir_drop(d, PIN_AREA_PRIVATE, PIN_FILTER, slot, site_name(site));
	return err;
}

static int make_qdisc(const struct pindir *d, const struct filter *filter)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)filter->ifindex,
		    .attach_point = point_of(filter->site));
	bool marked = pindir_is_marked(d, PIN_CLSACT, filter->slot);
	int err = pindir_mark(d, PIN_CLSACT, filter->slot);

	if (!err)
		err = bpf_tc_hook_create(&hook);
	if (err && !marked)	/* -EEXIST: somebody's */
		pindir_drop(d, PIN_AREA_PRIVATE, PIN_CLSACT, filter->slot);
	return err == -EEXIST ? 0 : err;
}

static int visit_filter(const struct nlmsghdr *message, void *context)
{
	(void)context;
	return message->nlmsg_type == RTM_NEWTFILTER;
}

/* True if anybody's filter hangs there, or we cannot know. */
static bool has_filters(u32 ifindex, enum site_id site)
{
	struct netlink_request request = {
		.header = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(request.tc)),
			.nlmsg_type = RTM_GETTFILTER,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.tc = { .tcm_ifindex = (int)ifindex, .tcm_parent = parent_of(site) },
	};

	return netlink_ask(&request, visit_filter, NULL);
}

static void remove_qdisc(const struct pindir *d, const struct filter *filter)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)filter->ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	if (!pindir_is_marked(d, PIN_CLSACT, filter->slot) ||
	    has_filters(filter->ifindex, SITE_INGRESS) || has_filters(filter->ifindex, SITE_EGRESS))
		return;
	bpf_tc_hook_destroy(&hook);
	pindir_drop(d, PIN_AREA_PRIVATE, PIN_CLSACT, filter->slot);
}

int filter_attach(const struct pindir *d, struct filter *filter, int prog_fd, u32 prog_id)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)filter->ifindex,
		    .attach_point = point_of(filter->site));
	const char *site = site_name(filter->site);
	int err = make_qdisc(d, filter);

	if (!err)
		err = pindir_pin(d, prog_fd, PIN_AREA_PRIVATE, PIN_FILTER, filter->slot, site);
	if (err)
		return err;
	for (u32 i = 0; i < HANDLES; i++) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE_FIRST + i, .priority = PRIORITY,
			    .prog_fd = prog_fd);

		err = bpf_tc_attach(&hook, &opts);
		if (err != -EEXIST) {
			filter->handle = HANDLE_FIRST + i;
			filter->prog_id = prog_id;
			break;
		}
	}
	if (err) {
		pindir_drop(d, PIN_AREA_PRIVATE, PIN_FILTER, filter->slot, site);
		remove_qdisc(d, filter);
	}
	return err;
}

int filter_update(const struct pindir *d, struct filter *filter, int prog_fd, u32 prog_id)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)filter->ifindex,
		    .attach_point = point_of(filter->site));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = filter->handle, .priority = PRIORITY,
		    .prog_fd = prog_fd, .flags = BPF_TC_F_REPLACE);
	int err = pindir_pin(d, prog_fd, PIN_AREA_PRIVATE, PIN_FILTER_NEW, filter->slot,
			     site_name(filter->site));

	if (err)
		return err;
	err = bpf_tc_attach(&hook, &opts);
	if (!err)
		err = rename_new(d, filter);
	if (err) {
		pindir_drop(d, PIN_AREA_PRIVATE, PIN_FILTER_NEW, filter->slot,
			    site_name(filter->site));
		return err;
	}
	filter->prog_id = prog_id;
	return 0;
}

int filter_detach(const struct pindir *d, const struct filter *filter)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)filter->ifindex,
		    .attach_point = point_of(filter->site));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = filter->handle, .priority = PRIORITY);
	int err = bpf_tc_detach(&hook, &opts);

	if (err && err != -ENOENT && err != -ENODEV)
		return err;
	err = pindir_drop(d, PIN_AREA_PRIVATE, PIN_FILTER, filter->slot, site_name(filter->site));
	remove_qdisc(d, filter);
	return err;
}
