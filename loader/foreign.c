/* SPDX-License-Identifier: MIT */
/* An XDP program at an interface that is not ours. */
#include "loader/foreign.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <unistd.h>

bool foreign_find(u32 ifindex, u32 own_prog_id, struct foreign *ret_foreign)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query((int)ifindex, 0, &query))
		return false;

	const struct {
		u32 prog_id, xdp_flags;
		const char *mode;
	} modes[] = {
		{ query.drv_prog_id, XDP_FLAGS_DRV_MODE, "native" },
		{ query.skb_prog_id, XDP_FLAGS_SKB_MODE, "generic" },
		{ query.hw_prog_id, XDP_FLAGS_HW_MODE, "offloaded" },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!modes[i].prog_id || modes[i].prog_id == own_prog_id)
			continue;
		*ret_foreign = (struct foreign){ .ifindex = ifindex, .prog_id = modes[i].prog_id,
						 .xdp_flags = modes[i].xdp_flags,
						 .mode = modes[i].mode, .prog_fd = -1 };
		object_prog_name(modes[i].prog_id, ret_foreign->name);
		return true;
	}
	return false;
}

/* The link that holds a program at an interface: a descriptor, or -ENOENT. */
static int find_link(const struct foreign *foreign)
{
	u32 id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = { 0 };
		u32 length = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &length) &&
		    info.type == BPF_LINK_TYPE_XDP && info.prog_id == foreign->prog_id &&
		    info.xdp.ifindex == foreign->ifindex)
			return fd;
		close(fd);
	}
	return -ENOENT;
}

int foreign_displace(struct foreign *foreign)
{
	int link = find_link(foreign), err = 0;

	if (link >= 0) {
		err = bpf_link_detach(link) ? -errno : 0;
		close(link);
		return err;
	}
	foreign->prog_fd = bpf_prog_get_fd_by_id(foreign->prog_id);
	err = bpf_xdp_detach((int)foreign->ifindex, foreign->xdp_flags, NULL);
	if (err)
		foreign_forget(foreign);
	return err;
}

void foreign_restore(struct foreign *foreign)
{
	if (foreign->prog_fd >= 0)
		bpf_xdp_attach((int)foreign->ifindex, foreign->prog_fd, foreign->xdp_flags, NULL);
	foreign_forget(foreign);
}

void foreign_forget(struct foreign *foreign)
{
	if (foreign->prog_fd >= 0)
		close(foreign->prog_fd);
	foreign->prog_fd = -1;
}
