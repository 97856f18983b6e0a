/* SPDX-License-Identifier: MIT */
/* A place at an interface, and the program of ours that hangs there. */
#include "loader/site.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <unistd.h>

#include "loader/hook.h"
#include "loader/object.h"

/* linux/bpf.h since 6.6; libbpf 1.1 knows nothing of them. */
#define TCX_INGRESS 46
#define TCX_EGRESS 47
#define TCX_BEFORE (1u << 3)	/* BPF_F_BEFORE nothing in particular: first of all */

static const struct site_row {
	const char *name;
	enum bpf_attach_type attach_type;
} site_rows[SITES] = {
	[SITE_XDP] = { "xdp", BPF_XDP },
	[SITE_INGRESS] = { "ingress", (enum bpf_attach_type)TCX_INGRESS },
	[SITE_EGRESS] = { "egress", (enum bpf_attach_type)TCX_EGRESS },
};

const char *site_name(enum site_id id)
{
	return site_rows[id].name;
}

/* The first members of what the kernel tells of XDP and TCX links are the same. */
static int read_link(struct site *site)
{
	struct bpf_link_info info = { 0 };
	u32 length = sizeof(info);

	if (bpf_obj_get_info_by_fd(site->link_fd, &info, &length))
		return -errno;
	site->link_id = info.id;
	site->prog_id = info.prog_id;
	site->ifindex = info.xdp.ifindex;
	site->state = site->ifindex ? SITE_LINK : SITE_DEAD;
	return 0;
}

/* The mode of our XDP program. It cannot be asked in another network namespace. */
static u8 read_xdp_hook(const struct site *site, u8 believed_hook)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query((int)site->ifindex, 0, &query))
		return believed_hook;
	if (query.drv_prog_id == site->prog_id)
		return PIN_HOOK_XDP;
	return query.skb_prog_id == site->prog_id ? PIN_HOOK_GENERIC : believed_hook;
}

int site_open(const struct pindir *d, unsigned int slot, enum site_id id, u32 ifindex,
	      u8 believed_hook, struct site *ret_site)
{
	struct site site = { .id = id, .slot = slot, .ifindex = ifindex, .link_fd = -1 };
	int err;

	site.link_fd = pindir_get(d, PIN_AREA_PRIVATE, PIN_LINK, slot, site_name(id));
	if (site.link_fd >= 0) {
		err = read_link(&site);
		if (err) {
			close(site.link_fd);
			return err;
		}
		if (id == SITE_XDP && site.state == SITE_LINK)
			site.hook = read_xdp_hook(&site, believed_hook);
	} else if (site.link_fd != -ENOENT) {
		return site.link_fd;
	} else if (id != SITE_XDP && !filter_open(d, slot, id, ifindex, &site.filter)) {
		site.state = SITE_FILTER;
		site.prog_id = site.filter.prog_id;
	}
	*ret_site = site;
	return 0;
}

void site_close(struct site *site)
{
	if (site->link_fd >= 0)
		close(site->link_fd);
	site->link_fd = -1;
	site->state = SITE_EMPTY;
}

int site_tidy(const struct pindir *d, struct site *site)
{
	if (site->state == SITE_DEAD)
		return site_detach(d, site);
	if (site->id == SITE_XDP || site->state == SITE_LINK)
		return 0;
	return filter_tidy(d, site->slot, site->id,
			   site->state == SITE_FILTER ? &site->filter : NULL);
}

static int attach_link(const struct pindir *d, struct site *site, int prog_fd, u8 hook)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts,
		    .flags = site->id == SITE_XDP ? hook_xdp_flags(hook) : TCX_BEFORE);
	int fd = bpf_link_create(prog_fd, (int)site->ifindex, site_rows[site->id].attach_type,
				 &opts);
	int err;

	if (fd < 0)
		return -errno;
	/* Until it is pinned, the link ends with this process. */
	err = pindir_pin(d, fd, PIN_AREA_PRIVATE, PIN_LINK, site->slot, site_name(site->id));
	site->link_fd = fd;
	if (!err) {
		err = read_link(site);
		if (err)
			pindir_drop(d, PIN_AREA_PRIVATE, PIN_LINK, site->slot,
				    site_name(site->id));
	}
	if (err) {
		site_close(site);
		return err;
	}
	site->hook = hook;
	return 0;
}

int site_attach(const struct pindir *d, struct site *site, int prog_fd, u8 hook, bool tcx)
{
	u32 prog_id;
	int err;

	if (site->id == SITE_XDP || tcx)
		return attach_link(d, site, prog_fd, hook);
	err = object_prog_id(prog_fd, &prog_id);
	if (err)
		return err;
	site->filter = (struct filter){ .ifindex = site->ifindex, .slot = site->slot,
					.site = site->id };
	err = filter_attach(d, &site->filter, prog_fd, prog_id);
	if (err)
		return err;
	site->state = SITE_FILTER;
	site->prog_id = prog_id;
	return 0;
}

int site_update(const struct pindir *d, struct site *site, int prog_fd)
{
	u32 prog_id;
	int err = object_prog_id(prog_fd, &prog_id);

	if (!err && site->state == SITE_FILTER)
		err = filter_update(d, &site->filter, prog_fd, prog_id);
	else if (!err && bpf_link_update(site->link_fd, prog_fd, NULL))
		err = -errno;
	if (!err)
		site->prog_id = prog_id;
	return err;
}

int site_detach(const struct pindir *d, struct site *site)
{
	int err = 0;

	if (site->state == SITE_FILTER) {
		err = filter_detach(d, &site->filter);
	} else if (site->state != SITE_EMPTY) {
		/* Without this the kernel detaches some time after the last close. */
		if (site->state == SITE_LINK && bpf_link_detach(site->link_fd) && errno != ENOLINK)
			err = -errno;
		if (!err)
			err = pindir_drop(d, PIN_AREA_PRIVATE, PIN_LINK, site->slot,
					  site_name(site->id));
	}
	if (!err)
		site_close(site);
	return err;
}
