/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * What the probes keep with a socket, for as long as it lives, and whose it is.
 *
 * A socket's owner is a process, so it is taken in process context only: at connect(),
 * at listen(), by a walk over open files. An accepted socket begins with a copy of its
 * listener's state (BPF_F_CLONE) and has its listener's owner until it is seen in the
 * hands of a process: when that reads (if the process probe is loaded), shuts down or
 * closes. In softirq `current` is somebody else.
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

enum {
	SOCK_STREAM = 1,
	SOCK_DGRAM = 2,
	SOCK_RAW = 3,
};

enum {
	PROTO_ICMP = 1,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PROTO_DCCP = 33,
	PROTO_ICMPV6 = 58,
	PROTO_SCTP = 132,
	PROTO_UDPLITE = 136,
	PROTO_RAW = 255,
	PROTO_MPTCP = 262,
};

/* net/tcp_states.h; UDP, raw and ICMP sockets are ESTABLISHED when they are connected. */
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_FIN_WAIT2 = 5,
	TCP_TIME_WAIT = 6,
	TCP_CLOSE = 7,
	TCP_CLOSE_WAIT = 8,
	TCP_LAST_ACK = 9,
	TCP_LISTEN = 10,
	TCP_CLOSING = 11,
};

/* task_struct.flags */
#define PF_IO_WORKER 0x00000010	/* works for io_uring */
#define PF_KTHREAD 0x00200000	/* never in user space */

/* socket_state.flags */
#define SOCKET_INHERITED 0x01	/* owner is the listener's, or a guess of the walk: the next user takes it */
#define SOCKET_ACCEPTED  0x02	/* opened by the other side */
#define SOCKET_ANNOUNCED 0x04	/* its connect event was written */
#define SOCKET_BORN      0x08	/* process: seen from the first byte on */
#define SOCKET_READ      0x10	/* process: copied_seq is valid */
#define SOCKET_FIRST     0x20	/* process: what the first call seen read is not settled yet */

/* Written by whoever holds the socket, or by a walk; no member needs atomics. */
struct socket_state {
	struct socket_owner owner;	/* pid 0: not known, and netns may be 0 */
	u64 opened_ns;		/* boot time of connect(), of accepting the SYN; 0: not seen */
	u64 established_ns;	/* boot time; 0: not established as far as we know */
	u64 last_rtt_ns;	/* clock of the latency probe's last sample; only it uses this */
	u32 copied_seq;		/* TCP: counted as read up to here; UDP: hash of the peer announced */
	u32 settled;		/* while SOCKET_FIRST, before 6.3 always: bytes counted already */
	u32 urgent_seq;		/* TCP: the last urgent byte that was passed over */
	u32 walk;		/* the last walk over open files that came by */
	u8 flags;		/* SOCKET_* */
	u8 tcp_state;		/* connection: the last change of state seen was to this one */
	u8 pad[6];
};

/* Defined in probe.bpf.c, used by connection, process and latency. */
struct sockets {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct socket_state);
};

extern struct sockets sockets SEC(".maps");

/* The state of a socket; NULL: there is none. */
static __always_inline struct socket_state *socket_find(struct sock *sk)
{
	return bpf_sk_storage_get(&sockets, sk, NULL, 0);
}

/* The same, made if there is none. NULL: no room (net.core.optmem_max), or it is dying. */
static __always_inline struct socket_state *socket_get(struct sock *sk)
{
	return bpf_sk_storage_get(&sockets, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
}

/*
 * True on the task's own stack: in process context. A softirq that interrupts the task
 * runs on a stack of its own (not on PREEMPT_RT). Both are pointers of the verifier's, so
 * only their difference is a number for it.
 */
static __always_inline bool is_tasks_own(void *ctx, struct task_struct *task)
{
	u64 below = bpf_task_pt_regs(task);

	asm volatile("%0 -= %1" : "+r"(below) : "r"(ctx));
	return below < 16384;	/* THREAD_SIZE; where it is larger, nobody is that deep */
}

static __always_inline u32 socket_netns(const struct sock *sk)
{
	return sk->__sk_common.skc_net.net->ns.inum;
}

/* bit: enum sock_flags of the running kernel. */
static __always_inline bool socket_flag(const struct sock *sk, u32 bit)
{
	return sk->__sk_common.skc_flags >> bit & 1;
}

/* A kernel thread's, or not behind a file descriptor: no process's. */
static __always_inline bool socket_is_kernels(const struct sock *sk, const struct task_struct *task)
{
	return task->flags & PF_KTHREAD || !sk->sk_socket || !sk->sk_socket->file;
}

/*
 * The name of the process: of its first thread. Two loads, as the kernel keeps it padded
 * with NULs (strscpy_pad since 5.17).
 */
static __always_inline void command_of(const struct task_struct *task, u8 ret_command[16])
{
	const u64 *comm = (const u64 *)task->group_leader->comm;
	u64 *command = (u64 *)ret_command;

	command[0] = comm[0];
	command[1] = comm[1];
}

static __always_inline void socket_own(struct socket_state *s, const struct sock *sk,
				       const struct task_struct *task, u64 cgroup_id)
{
	s->owner.cgroup_id = cgroup_id;
	s->owner.pid = task->tgid;
	s->owner.uid = task->cred->euid.val;
	s->owner.netns = socket_netns(sk);
	command_of(task, s->owner.command);
}

/* The current process is the owner from now on. Process context only. */
static __always_inline void socket_take(struct socket_state *s, const struct sock *sk,
					const struct task_struct *task)
{
	if (task->flags & PF_KTHREAD)
		return;
	socket_own(s, sk, task, bpf_get_current_cgroup_id());
	s->flags &= ~SOCKET_INHERITED;
}

/* One side of a conversation. */
struct endpoint {
	union {
		u8 ip[16];	/* as in flow_key */
		u32 ip_be[4];
	};
	u16 port_be;
	u8 ip_version;		/* 0: not known */
};

static __always_inline void endpoint_ip4(struct endpoint *e, u32 ip_be)
{
	e->ip_be[0] = ip_be;
	e->ip_version = 4;
}

/* v4-mapped addresses (RFC 4291 2.5.5.2) become IPv4. */
static __always_inline void endpoint_ip6(struct endpoint *e, const u32 ip_be[4])
{
	if (!ip_be[0] && !ip_be[1] && ip_be[2] == __builtin_bswap32(0xffff)) {
		endpoint_ip4(e, ip_be[3]);
		return;
	}
	__builtin_memcpy(e->ip, ip_be, sizeof(e->ip));
	e->ip_version = 6;
}

#define SOCKET_IP6(sk, member) { \
	(sk)->__sk_common.member.in6_u.u6_addr32[0], (sk)->__sk_common.member.in6_u.u6_addr32[1], \
	(sk)->__sk_common.member.in6_u.u6_addr32[2], (sk)->__sk_common.member.in6_u.u6_addr32[3], \
}

/* Whom the socket is connected to. e is all 0 before. */
static __always_inline void socket_remote(const struct sock *sk, struct endpoint *e)
{
	e->port_be = sk->__sk_common.skc_dport;
	if (sk->__sk_common.skc_family == AF_INET6 &&
	    bpf_core_field_exists(struct sock_common, skc_v6_daddr)) {
		u32 ip_be[4] = SOCKET_IP6(sk, skc_v6_daddr);

		endpoint_ip6(e, ip_be);
	} else {
		endpoint_ip4(e, sk->__sk_common.skc_daddr);
	}
}

/* Its own address, of the same version as remote; the port is the caller's. */
static __always_inline void socket_local(const struct sock *sk, const struct endpoint *remote,
					 struct endpoint *e)
{
	if (remote->ip_version == 6) {
		u32 ip_be[4] = SOCKET_IP6(sk, skc_v6_rcv_saddr);

		__builtin_memcpy(e->ip, ip_be, sizeof(e->ip));
		e->ip_version = 6;
	} else {
		endpoint_ip4(e, sk->__sk_common.skc_rcv_saddr);
	}
}

#endif
