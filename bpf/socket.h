/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the probes keep with a socket, for as long as it lives, and whose it is.
 *
 * A socket's owner is a process, so it is taken in process context only: at connect(),
 * at listen(), at the first call that moves bytes, or by a walk over open files. An
 * accepted socket begins with a copy of its listener's state (BPF_F_CLONE) and has its
 * listener's owner until a process uses it. In softirq `current` is somebody else.
 */
#ifndef JOPIL_SOCKET_H
#define JOPIL_SOCKET_H

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "bpf/probe.h"
#include "common/records.h"

enum {
	AF_INET = 2,
	AF_INET6 = 10,
	AF_PACKET = 17,
};

/* socket_state.flags */
#define SOCKET_INHERITED 0x01	/* owner is the listener's */
#define SOCKET_READ      0x02	/* copied_seq is valid */
#define SOCKET_COUNTED   0x04	/* a connect or established event was written */
#define SOCKET_ACCEPTED  0x08	/* opened by the other side */
#define SOCKET_UNKNOWN   0x10	/* it was open before the probe: opened_ns is when it was first seen */

/* Written by whoever holds the socket or finds it first; no member needs more. */
struct socket_state {
	struct socket_owner owner;	/* pid 0: not known; netns is always set with the pid */
	u64 opened_ns;		/* boot time of connect() or of the first sight; 0: not yet */
	u64 established_ns;	/* boot time; 0: not established as far as we know */
	u64 last_rtt_ns;	/* clock of the latency probe's last sample; only it uses this */
	u32 copied_seq;		/* TCP: bytes up to this sequence number are counted as read */
	u8 flags;		/* SOCKET_* */
	u8 pad[3];
};

/* Defined in probe.bpf.c, used by connection, process and latency. */
struct sockets {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct socket_state);
};

extern struct sockets sockets SEC(".maps");

/* The state of a socket, made if there is none. NULL: no room (net.core.optmem_max), or it is dying. */
static __always_inline struct socket_state *socket_get(struct sock *sk)
{
	struct socket_state *s = bpf_sk_storage_get(&sockets, sk, NULL, 0);

	return s ? s : bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
}

static __always_inline u32 socket_netns(const struct sock *sk)
{
	return sk->__sk_common.skc_net.net->ns.inum;
}

/* Process context only. */
static __always_inline void socket_take(struct socket_state *s, const struct sock *sk,
					struct task_struct *task)
{
	s->owner.cgroup_id = bpf_get_current_cgroup_id();
	s->owner.pid = task->tgid;
	s->owner.uid = task->cred->euid.val;
	s->owner.netns = socket_netns(sk);
	bpf_probe_read_kernel(s->owner.command, sizeof(s->owner.command),
			      task->group_leader->comm);
	s->flags &= ~SOCKET_INHERITED;
}

#endif
