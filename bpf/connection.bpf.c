// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * The connection probe: who opens and accepts connections, and how they end.
 *
 * TCP by its states. A state changes in process context or in softirq, so the owner is
 * what was kept with the socket (socket.h), never `current`, but for connect() and
 * listen(), which are always called by a process. UDP has no states: a connected socket
 * is announced when it sends to that peer for the first time.
 *
 * connect() enters SYN_SENT before it has chosen a port. The connect event, with the time
 * of then, is written together with what comes next: an answer, the end, or the SYN sent
 * again after a second. (net_dev_queue would tell at once, at 60 ns for every packet.)
 *
 * Measured (Linux 6.18, run_time_ns less that of doing nothing): a change of state 180 ns
 * with its record, a call that sends 5; and each run 45-60 to get there.
 */
#include "bpf/vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "bpf/probe.h"
#include "bpf/socket.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* include/net/sock.h */
#define SOCK_BINDADDR_LOCK 4
#define SOCK_BINDPORT_LOCK 8

/* asm-generic/errno.h; the same on x86, arm64 and riscv */
enum {
	EPIPE = 32,
	ENETUNREACH = 101,
	ECONNRESET = 104,
	ETIMEDOUT = 110,
	ECONNREFUSED = 111,
	EHOSTUNREACH = 113,
};

/* What an event is about. */
struct happening {
	struct sock *sk;
	struct socket_state *state;	/* NULL: not known */
	u64 time_ns;
	u64 duration_ns;
	u16 error;
	u8 event;
	u8 reason;
	u8 existing;
	u8 direction;
};

static __always_inline void fill_key(struct flow_key *key, const struct sock *sk, u16 port_be,
				     u8 direction)
{
	struct endpoint remote = {}, local = {};

	socket_remote(sk, &remote);
	socket_local(sk, &remote, &local);
	local.port_be = port_be;
	if (direction == DIRECTION_EGRESS) {
		__builtin_memcpy(key->src_ip, local.ip, sizeof(key->src_ip));
		__builtin_memcpy(key->dst_ip, remote.ip, sizeof(key->dst_ip));
		key->src_port_be = local.port_be;
		key->dst_port_be = remote.port_be;
	} else {
		__builtin_memcpy(key->src_ip, remote.ip, sizeof(key->src_ip));
		__builtin_memcpy(key->dst_ip, local.ip, sizeof(key->dst_ip));
		key->src_port_be = remote.port_be;
		key->dst_port_be = local.port_be;
	}
	key->protocol = sk->sk_protocol;
	key->vlan = VLAN_NONE;
	key->direction = direction;
	key->ip_version = remote.ip_version;
	key->flags = FLOW_PORTS;
}

/*
 * What the kernel's own counters say (ss -ti shows the same). The peer's FIN takes a
 * sequence number and is in bytes_received, but is no byte.
 */
static __always_inline void fill_tcp(struct connection_record *r, const struct tcp_sock *tcp,
				     const struct sock *sk)
{
	u32 rtt_min = tcp->rtt_min.s[0].v;

	r->bytes_sent = tcp->bytes_sent - tcp->bytes_retrans;
	r->bytes_received = tcp->bytes_received;
	if (r->bytes_received && socket_flag(sk, bpf_core_enum_value(enum sock_flags, SOCK_DONE)))
		r->bytes_received--;
	r->rtt_us = tcp->srtt_us >> 3;
	r->rtt_min_us = rtt_min == ~0u ? 0 : rtt_min;
	r->retransmits = tcp->total_retrans;
}

/* r is all 0 before. */
static __always_inline void fill_record(struct connection_record *r, const struct happening *h)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock(h->sk);
	u16 port_be = __builtin_bswap16(h->sk->__sk_common.skc_num);

	r->type = RECORD_CONNECTION;
	r->time_ns = h->time_ns;
	r->duration_ns = h->duration_ns;
	r->error = h->error;
	r->event = h->event;
	r->reason = h->reason;
	r->existing = h->existing;
	if (h->state)
		r->owner = h->state->owner;
	r->owner.netns = socket_netns(h->sk);
	if (tcp) {
		/* skc_num is given back before the last state. */
		port_be = tcp->inet_conn.icsk_inet.inet_sport;
		fill_tcp(r, tcp, h->sk);
	}
	fill_key(&r->key, h->sk, port_be, h->direction);
}

static __always_inline void write_event(const struct happening *h)
{
	struct connection_record *r = event_reserve(sizeof(*r));

	if (!h->state || !h->state->owner.pid)
		probe_count(COUNTER_connection_unowned, 1);
	if (!r) {
		probe_count(COUNTER_connection_ring_full, 1);
		return;
	}
	__builtin_memset(r, 0, sizeof(*r));
	fill_record(r, h);
	event_submit(r);
}

/* The connect event, once, if it is due. */
static __always_inline void announce(struct sock *sk, struct socket_state *s)
{
	struct happening h = {
		.sk = sk,
		.state = s,
		.duration_ns = DURATION_NONE,
		.event = CONNECTION_CONNECT,
		.direction = DIRECTION_EGRESS,
	};

	if (s->flags & (SOCKET_ANNOUNCED | SOCKET_ACCEPTED) || !s->opened_ns)
		return;
	h.time_ns = s->opened_ns;
	s->flags |= SOCKET_ANNOUNCED;
	write_event(&h);
}

/* A socket may connect again: what was known of the last connection goes. */
static __always_inline void on_connect(struct sock *sk, struct socket_state *s)
{
	probe_count(COUNTER_connection_connects, 1);
	if (!s)
		return;
	s->opened_ns = bpf_ktime_get_boot_ns();
	s->established_ns = 0;
	s->flags &= ~(SOCKET_ANNOUNCED | SOCKET_ACCEPTED);
	socket_take(s, sk, bpf_get_current_task_btf());
	if (sk->__sk_common.skc_num)
		announce(sk, s);
}

static __always_inline void on_listen(struct sock *sk, struct socket_state *s)
{
	if (s)
		socket_take(s, sk, bpf_get_current_task_btf());
}

/* A child of a listener, with a copy of its state. */
static __always_inline void on_child(struct socket_state *s)
{
	if (!s)
		return;
	s->opened_ns = bpf_ktime_get_boot_ns();
	s->established_ns = 0;
	s->last_rtt_ns = 0;
	s->walk = 0;
	s->flags |= SOCKET_INHERITED | SOCKET_ACCEPTED;
	s->flags &= ~SOCKET_ANNOUNCED;
}

static __always_inline void on_established(struct sock *sk, struct socket_state *s, int old)
{
	struct happening h = {
		.sk = sk,
		.state = s,
		.time_ns = bpf_ktime_get_boot_ns(),
		.duration_ns = DURATION_NONE,
	};
	/* SYN_RECV also comes after SYN_SENT, when both sides open at once. */
	bool accepted = s && s->opened_ns ? s->flags & SOCKET_ACCEPTED : old == TCP_SYN_RECV;

	if (s) {
		announce(sk, s);
		s->established_ns = h.time_ns;
	}
	if (accepted) {
		h.event = CONNECTION_ACCEPT;
		h.direction = DIRECTION_INGRESS;
		probe_count(COUNTER_connection_accepts, 1);
	} else {
		h.event = CONNECTION_ESTABLISHED;
		h.direction = DIRECTION_EGRESS;
		probe_count(COUNTER_connection_established, 1);
	}
	write_event(&h);
}

static __always_inline u8 reason_of_error(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return REASON_REFUSED;
	case ETIMEDOUT:
		return REASON_TIMED_OUT;
	case ECONNRESET:
	case EPIPE:
		return REASON_RESET;
	case EHOSTUNREACH:
	case ENETUNREACH:
		return REASON_UNREACHABLE;
	default:
		return REASON_ERROR;
	}
}

/* By the last state but one: who sent the first FIN, or nobody did. */
static __always_inline u8 reason_of_state(int old)
{
	switch (old) {
	case TCP_LAST_ACK:
		return REASON_REMOTE;
	case TCP_FIN_WAIT2:
	case TCP_CLOSING:
	case TCP_TIME_WAIT:
		return REASON_LOCAL;
	default:
		return REASON_ABORT;
	}
}

/*
 * Of a connection that is older than the probe and was not walked: clients have the
 * higher port.
 */
static __always_inline u8 guess_direction(const struct sock *sk)
{
	struct tcp_sock *tcp = bpf_skc_to_tcp_sock((void *)sk);
	u16 local_be = tcp ? tcp->inet_conn.icsk_inet.inet_sport : 0;

	return __builtin_bswap16(local_be) > __builtin_bswap16(sk->__sk_common.skc_dport)
		       ? DIRECTION_EGRESS
		       : DIRECTION_INGRESS;
}

static __always_inline void set_duration(struct happening *h)
{
	const struct socket_state *s = h->state;
	u64 since = s ? (s->established_ns ? s->established_ns : s->opened_ns) : 0;

	h->duration_ns = since ? h->time_ns - since : DURATION_NONE;
}

static __always_inline void on_close(struct sock *sk, struct socket_state *s, int old)
{
	struct happening h = {
		.sk = sk,
		.state = s,
		.time_ns = bpf_ktime_get_boot_ns(),
		.error = sk->sk_err,
		.event = CONNECTION_CLOSE,
	};
	bool accepted = s && s->flags & SOCKET_ACCEPTED;
	bool begun = old == TCP_SYN_SENT || old == TCP_SYN_RECV;

	/* A listener, or a child that was never told of. */
	if (old == TCP_LISTEN || (old == TCP_SYN_RECV && (!s || accepted)))
		return;
	h.direction = accepted ? DIRECTION_INGRESS : DIRECTION_EGRESS;
	if (!s && !begun)
		h.direction = guess_direction(sk);
	if (s)
		announce(sk, s);
	set_duration(&h);
	h.reason = reason_of_state(old);
	if (h.error || begun) {
		h.event = CONNECTION_FAILED;
		h.reason = h.error ? reason_of_error(h.error) : REASON_ABORTED;
	}
	probe_count(h.event == CONNECTION_FAILED ? COUNTER_connection_failed
						 : COUNTER_connection_closed, 1);
	write_event(&h);
}

/* Whoever shuts an accepted socket down, or closes it, had it. */
static __always_inline void on_leave(void *ctx, struct sock *sk, struct socket_state *s)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (s && (s->flags & SOCKET_INHERITED || !s->owner.pid) && is_tasks_own(ctx, task))
		socket_take(s, sk, task);
}

static __always_inline bool is_left(int old, int new)
{
	return (old == TCP_ESTABLISHED && (new == TCP_FIN_WAIT1 || new == TCP_CLOSE)) ||
	       (old == TCP_CLOSE_WAIT && (new == TCP_LAST_ACK || new == TCP_CLOSE));
}

/* From here on there is something to keep with the socket. */
static __always_inline bool is_begun(int old, int new)
{
	return new == TCP_SYN_SENT || new == TCP_LISTEN ||
	       (new == TCP_SYN_RECV && old == TCP_LISTEN);
}

/*
 * True for the first of the programs that sees this change: a socket changes its state
 * under its lock, so whatever interrupts them, wherever they go on, they see the changes
 * of one socket one by one. Of a socket without a state (older than the probe, and no
 * process's) only connection_state speaks.
 */
static __always_inline bool is_news(struct socket_state *s, int new, bool nested)
{
	if (!s)
		return !nested;
	if (s->tcp_state == new)
		return false;
	s->tcp_state = new;
	return true;
}

static __always_inline void on_state(void *ctx, struct sock *sk, int old, int new, bool nested)
{
	struct socket_state *s;

	if (sk->sk_protocol != PROTO_TCP)
		return;
	s = is_begun(old, new) ? socket_get(sk) : socket_find(sk);
	if (!is_news(s, new, nested))
		return;
	if (is_left(old, new))
		on_leave(ctx, sk, s);
	if (new == TCP_SYN_SENT)
		on_connect(sk, s);
	else if (new == TCP_LISTEN)
		on_listen(sk, s);
	else if (new == TCP_SYN_RECV && old == TCP_LISTEN)
		on_child(s);
	else if (new == TCP_ESTABLISHED)
		on_established(sk, s, old);
	else if (new == TCP_CLOSE)
		on_close(sk, s, old);
}

#define STATE_PROGRAM(name, nested) \
	SEC("tp_btf/inet_sock_set_state") \
	int BPF_PROG(name, struct sock *sk, int old, int new) \
	{ \
		on_state(ctx, sk, old, new, nested); \
		return 0; \
	}

STATE_PROGRAM(connection_state, false)
STATE_PROGRAM(connection_state_nested, true)
STATE_PROGRAM(connection_state_spare_1, true)
STATE_PROGRAM(connection_state_spare_2, true)
STATE_PROGRAM(connection_state_spare_3, true)

/* Nobody has answered the SYN. */
SEC("tp_btf/tcp_retransmit_skb")
int BPF_PROG(connection_syn, struct sock *sk)
{
	struct socket_state *s;

	if (sk->__sk_common.skc_state != TCP_SYN_SENT)
		return 0;
	s = socket_find(sk);
	if (s)
		announce(sk, s);
	return 0;
}

/* A connected UDP socket is announced once for each peer. */
static __always_inline void on_udp_send(struct sock *sk)
{
	struct endpoint to = {};
	struct happening h = {
		.sk = sk,
		.duration_ns = DURATION_NONE,
		.event = CONNECTION_CONNECT,
		.direction = DIRECTION_EGRESS,
	};
	struct socket_state *s;
	u32 peer;

	socket_remote(sk, &to);
	peer = to.ip_be[0] ^ to.ip_be[1] ^ to.ip_be[2] ^ to.ip_be[3] ^ to.port_be;
	s = socket_get(sk);
	if (!s || (s->flags & SOCKET_ANNOUNCED && s->copied_seq == peer))
		return;
	s->flags |= SOCKET_ANNOUNCED;
	s->copied_seq = peer;
	socket_take(s, sk, bpf_get_current_task_btf());
	h.state = s;
	h.time_ns = bpf_ktime_get_boot_ns();
	probe_count(COUNTER_connection_udp_connects, 1);
	write_event(&h);
}

static __always_inline bool is_inet(const struct sock *sk)
{
	u16 family = sk->__sk_common.skc_family;

	return family == AF_INET || family == AF_INET6;
}

static __always_inline void on_send(struct sock *sk, int ret)
{
	if (sk->sk_protocol == PROTO_UDP && is_inet(sk) && ret >= 0 &&
	    sk->__sk_common.skc_state == TCP_ESTABLISHED)
		on_udp_send(sk);
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(connection_send, struct sock *sk, int ret, int flags)
{
	on_send(sk, ret);
	return 0;
}

SENDMSG_EXIT(connection_send_exit_inet, inet_sendmsg, on_send(socket->sk, ret))
SENDMSG_EXIT(connection_send_exit_inet6, inet6_sendmsg, on_send(socket->sk, ret))
SENDPAGE_EXIT(connection_send_exit_page, inet_sendpage, on_send(socket->sk, ret))

/* ---- the walk over sockets that are open already ------------------------------ */

/* Four bits of a byte up to Linux 6.1, and since then a byte. */
static __always_inline u8 userlocks(const struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD(sk, sk_userlocks);
}

/*
 * Who opened it. An accepted socket is a copy of its listener and keeps the backlog that
 * the listener was given (sk_clone_lock leaves it). Where that was 0: its port was bound,
 * by somebody else. A client's port is either of the kernel's own choosing, which a
 * negative fastreuse marks (__inet_hash_connect), or it is the client that was bound, and
 * that has a lock (inet_bind). Of UDP, the one that bound a port is the server.
 */
static __always_inline u8 walked_direction(const struct sock *sk, const struct tcp_sock *tcp)
{
	const struct inet_bind_bucket *bucket;

	if (!tcp)
		return userlocks(sk) & SOCK_BINDPORT_LOCK ? DIRECTION_INGRESS : DIRECTION_EGRESS;
	if (sk->sk_max_ack_backlog)
		return DIRECTION_INGRESS;
	bucket = tcp->inet_conn.icsk_bind_hash;
	if (!bucket || bucket->fastreuse < 0 ||
	    userlocks(sk) & (SOCK_BINDPORT_LOCK | SOCK_BINDADDR_LOCK))
		return DIRECTION_EGRESS;
	return DIRECTION_INGRESS;
}

/* Connected, and worth a line: TCP from established until closed, UDP. */
static __always_inline bool is_open(const struct sock *sk)
{
	u8 state = sk->__sk_common.skc_state;

	if (sk->sk_protocol == PROTO_TCP)
		return state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT ||
		       state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2;
	return sk->sk_protocol == PROTO_UDP && state == TCP_ESTABLISHED;
}

/* What was not seen: the owner, where reading stands, who opened it. */
static __always_inline void adopt(struct socket_state *s, const struct sock *sk,
				  const struct task_struct *task, const struct tcp_sock *tcp)
{
	if (!s->owner.pid || (s->flags & SOCKET_INHERITED && s->flags & SOCKET_ACCEPTED)) {
		socket_own(s, sk, task, task->cgroups->dfl_cgrp->kn->id);
		s->flags |= SOCKET_INHERITED;
	}
	if (tcp && !(s->flags & (SOCKET_BORN | SOCKET_READ))) {
		s->copied_seq = tcp->copied_seq;
		s->flags |= sk->__sk_common.skc_state == TCP_LISTEN ? SOCKET_BORN : SOCKET_READ;
	}
	if (tcp && is_open(sk) && !s->opened_ns &&
	    walked_direction(sk, tcp) == DIRECTION_INGRESS)
		s->flags |= SOCKET_ACCEPTED;
}

/* Several processes may have the same socket open: the first one of a walk writes it. */
static __always_inline bool is_first_visit(struct socket_state *s, u32 walk)
{
	bool first = s->walk != walk;

	s->walk = walk;
	return first;
}

SEC("iter/task_file")
int sockets_walk(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct connection_record r = {};
	struct socket_state *s;
	struct tcp_sock *tcp;
	struct happening h = {
		.duration_ns = DURATION_NONE,
		.event = CONNECTION_ESTABLISHED,
		.existing = 1,
	};
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || !is_inet(sk))
		return 0;
	s = socket_get(sk);
	if (!s)
		return 0;
	tcp = bpf_skc_to_tcp_sock(sk);
	adopt(s, sk, task, tcp);
	if (!is_open(sk) || !is_first_visit(s, (u32)ctx->meta->session_id))
		return 0;
	h.sk = sk;
	h.state = s;
	h.time_ns = bpf_ktime_get_boot_ns();
	if (s->established_ns)
		h.duration_ns = h.time_ns - s->established_ns;
	h.direction = tcp && s->flags & SOCKET_ACCEPTED ? DIRECTION_INGRESS
							: walked_direction(sk, tcp);
	fill_record(&r, &h);
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
