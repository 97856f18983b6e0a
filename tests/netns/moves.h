/* SPDX-License-Identifier: MIT */
/*
 * Every way to move bytes over a socket, as one function each: move_NAME(m, bytes) sends or receives that many,
 * and adds up what its calls returned. Calls that only the kernel can number (splice, sendfile, zero-copy
 * receive) make *_calls_unknown true.
 */
#ifndef JOPIL_TESTS_NETNS_MOVES_H
#define JOPIL_TESTS_NETNS_MOVES_H

#include <linux/errqueue.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include "tests/netns/uring.h"

#define BUFFER (1 << 20)
#define PAGE 4096
#define BATCH 4

struct mover {
	int fd;
	bool datagrams;
	size_t chunk;		/* of one call; of one datagram */
	union address to;	/* unconnected: where a send goes, where the last receive came from */
	bool unconnected;
	uint64_t tx_bytes, rx_bytes, tx_calls, rx_calls;
	bool tx_calls_unknown, rx_calls_unknown;
	struct uring *ring;
	uint8_t *buffer;	/* BUFFER bytes, page-aligned */
};

typedef void (*move)(struct mover *m, size_t bytes);

static inline size_t next_chunk(const struct mover *m, size_t left)
{
	return left < m->chunk ? left : m->chunk;
}

/* What to offer to a receive: never more of a stream than is expected. */
static inline size_t room(const struct mover *m, size_t left)
{
	return m->datagrams ? BUFFER : next_chunk(m, left);
}

static inline size_t sent(struct mover *m, ssize_t n, const char *what)
{
	if (n <= 0)
		die(what);
	m->tx_bytes += (uint64_t)n;
	m->tx_calls++;
	return (size_t)n;
}

static inline size_t received(struct mover *m, ssize_t n, const char *what)
{
	if (n <= 0)
		die(n ? what : "the peer ended too early");
	m->rx_bytes += (uint64_t)n;
	m->rx_calls++;
	return (size_t)n;
}

/* A message of `bytes` in two parts, to m->to where that matters. */
static inline struct msghdr message(struct mover *m, struct iovec parts[2], size_t bytes)
{
	struct msghdr msg = { .msg_iov = parts, .msg_iovlen = 2 };

	parts[0] = (struct iovec){ m->buffer, bytes / 3 };
	parts[1] = (struct iovec){ m->buffer + bytes / 3, bytes - bytes / 3 };
	if (m->unconnected) {
		msg.msg_name = &m->to;
		msg.msg_namelen = m->to.any.sa_family ? address_length(&m->to) : sizeof(m->to);
	}
	return msg;
}

/* ---- sending ---- */

static inline void move_send(struct mover *m, size_t bytes)
{
	while (bytes)
		bytes -= sent(m, send(m->fd, m->buffer, next_chunk(m, bytes), 0), "send");
}

static inline void move_write(struct mover *m, size_t bytes)
{
	while (bytes)
		bytes -= sent(m, write(m->fd, m->buffer, next_chunk(m, bytes)), "write");
}

static inline void move_writev(struct mover *m, size_t bytes)
{
	struct iovec parts[2];

	while (bytes) {
		(void)message(m, parts, next_chunk(m, bytes));
		bytes -= sent(m, writev(m->fd, parts, 2), "writev");
	}
}

static inline void move_sendto(struct mover *m, size_t bytes)
{
	const struct sockaddr *to = m->unconnected ? &m->to.any : NULL;

	while (bytes)
		bytes -= sent(m, sendto(m->fd, m->buffer, next_chunk(m, bytes), 0, to,
					to ? address_length(&m->to) : 0), "sendto");
}

static inline void move_sendmsg(struct mover *m, size_t bytes)
{
	struct iovec parts[2];
	struct msghdr msg;

	while (bytes) {
		msg = message(m, parts, next_chunk(m, bytes));
		bytes -= sent(m, sendmsg(m->fd, &msg, 0), "sendmsg");
	}
}

static inline void move_sendmmsg(struct mover *m, size_t bytes)
{
	struct mmsghdr batch[BATCH];
	struct iovec parts[BATCH][2];
	size_t planned;
	int n, taken;

	while (bytes) {
		for (n = 0, planned = 0; n < BATCH && planned < bytes; n++) {
			size_t chunk = next_chunk(m, bytes - planned);

			batch[n].msg_hdr = message(m, parts[n], chunk);
			planned += chunk;
		}
		taken = must(sendmmsg(m->fd, batch, (unsigned int)n, 0), "sendmmsg");
		for (n = 0; n < taken; n++)
			bytes -= sent(m, batch[n].msg_len, "sendmmsg");
	}
}

static inline int file_of(size_t bytes)
{
	int fd = must(memfd_create("bytes", MFD_CLOEXEC), "memfd_create");

	must(ftruncate(fd, (off_t)bytes), "ftruncate");
	return fd;
}

static inline void move_sendfile(struct mover *m, size_t bytes)
{
	int file = file_of(bytes);

	m->tx_calls_unknown = true;
	while (bytes)
		bytes -= sent(m, sendfile(m->fd, file, NULL, next_chunk(m, bytes)), "sendfile");
	close(file);
}

static inline void pipe_to_socket(struct mover *m, int from, size_t bytes)
{
	while (bytes)
		bytes -= sent(m, splice(from, NULL, m->fd, NULL, bytes, SPLICE_F_MOVE), "splice out");
}

static inline void move_splice_out(struct mover *m, size_t bytes)
{
	int file = file_of(bytes), ends[2];
	ssize_t n;

	m->tx_calls_unknown = true;
	must(pipe2(ends, O_CLOEXEC), "pipe");
	for (; bytes; bytes -= (size_t)n) {
		n = splice(file, NULL, ends[1], NULL, next_chunk(m, bytes), 0);
		if (n <= 0)
			die("splice from a file");
		pipe_to_socket(m, ends[0], (size_t)n);
	}
	close(ends[0]);
	close(ends[1]);
	close(file);
}

static inline void move_vmsplice(struct mover *m, size_t bytes)
{
	int ends[2];
	ssize_t n;

	m->tx_calls_unknown = true;
	must(pipe2(ends, O_CLOEXEC), "pipe");
	for (; bytes; bytes -= (size_t)n) {
		struct iovec part = { m->buffer, next_chunk(m, bytes) };

		n = vmsplice(ends[1], &part, 1, 0);
		if (n <= 0)
			die("vmsplice");
		pipe_to_socket(m, ends[0], (size_t)n);
	}
	close(ends[0]);
	close(ends[1]);
}

/* What the error queue returns is no traffic. */
static inline void drain_errors(struct mover *m, uint64_t completions)
{
	struct pollfd p = { .fd = m->fd };

	while (completions) {
		char control[256];
		struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
		struct sock_extended_err *err;

		must(poll(&p, 1, -1), "poll");
		if (recvmsg(m->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			continue;
		err = (struct sock_extended_err *)CMSG_DATA(CMSG_FIRSTHDR(&msg));
		completions -= err->ee_data - err->ee_info + 1;
	}
}

static inline void move_zerocopy(struct mover *m, size_t bytes)
{
	uint64_t calls = 0;

	must(set_option(m->fd, SOL_SOCKET, SO_ZEROCOPY, 1), "SO_ZEROCOPY");
	for (; bytes; calls++)
		bytes -= sent(m, send(m->fd, m->buffer, next_chunk(m, bytes), MSG_ZEROCOPY), "send MSG_ZEROCOPY");
	drain_errors(m, calls);
}

/* Offers more than fits: what is taken counts. */
static inline void move_partly(struct mover *m, size_t bytes)
{
	struct pollfd p = { .fd = m->fd, .events = POLLOUT };

	must(set_option(m->fd, SOL_SOCKET, SO_SNDBUF, 4096), "SO_SNDBUF");
	while (bytes) {
		ssize_t n = send(m->fd, m->buffer, bytes, MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			must(poll(&p, 1, -1), "poll");
		else
			bytes -= sent(m, n, "send MSG_DONTWAIT");
	}
}

static inline void move_cork(struct mover *m, size_t bytes)
{
	while (bytes) {
		size_t chunk = next_chunk(m, bytes);

		bytes -= sent(m, send(m->fd, m->buffer, chunk / 2, MSG_MORE), "send MSG_MORE");
		bytes -= sent(m, send(m->fd, m->buffer, chunk - chunk / 2, 0), "send");
	}
}

/* Eight datagrams a call. */
static inline void move_gso(struct mover *m, size_t bytes)
{
	must(set_option(m->fd, SOL_UDP, UDP_SEGMENT, (int)m->chunk), "UDP_SEGMENT");
	while (bytes) {
		size_t most = 8 * m->chunk;

		bytes -= sent(m, send(m->fd, m->buffer, bytes < most ? bytes : most, 0), "send UDP_SEGMENT");
	}
}

/* The last byte is urgent. */
static inline void move_send_urgent(struct mover *m, size_t bytes)
{
	move_send(m, bytes - 1);
	sent(m, send(m->fd, m->buffer, 1, MSG_OOB), "send MSG_OOB");
}

static inline void uring_send(struct mover *m, size_t bytes, uint8_t opcode, uint8_t sqe_flags)
{
	while (bytes) {
		struct iovec parts[2];
		size_t chunk = next_chunk(m, bytes);
		struct msghdr msg = message(m, parts, chunk);
		struct io_uring_sqe sqe = { .opcode = opcode, .flags = sqe_flags, .fd = m->fd,
					    .addr = (uintptr_t)m->buffer, .len = (uint32_t)chunk };
		int n;

		if (opcode == IORING_OP_SENDMSG || opcode == IORING_OP_SENDMSG_ZC) {
			sqe.addr = (uintptr_t)&msg;
			sqe.len = 1;
		}
		n = uring_run(m->ring, &sqe);
		errno = -n;
		bytes -= sent(m, n, "send by io_uring");
	}
}

static inline void move_uring_send(struct mover *m, size_t bytes)
{
	uring_send(m, bytes, IORING_OP_SEND, 0);
}

static inline void move_uring_send_async(struct mover *m, size_t bytes)
{
	uring_send(m, bytes, IORING_OP_SEND, IOSQE_ASYNC);
}

static inline void move_uring_sendmsg(struct mover *m, size_t bytes)
{
	uring_send(m, bytes, IORING_OP_SENDMSG, 0);
}

static inline void move_uring_send_zc(struct mover *m, size_t bytes)
{
	uring_send(m, bytes, IORING_OP_SEND_ZC, 0);
}

static inline void move_uring_sendmsg_zc(struct mover *m, size_t bytes)
{
	uring_send(m, bytes, IORING_OP_SENDMSG_ZC, 0);
}

static inline void move_uring_write(struct mover *m, size_t bytes)
{
	uring_send(m, bytes, IORING_OP_WRITE, 0);
}

/* ---- receiving ---- */

static inline void move_recv(struct mover *m, size_t bytes)
{
	while (bytes)
		bytes -= received(m, recv(m->fd, m->buffer, room(m, bytes), 0), "recv");
}

static inline void move_waitall(struct mover *m, size_t bytes)
{
	while (bytes)
		bytes -= received(m, recv(m->fd, m->buffer, bytes, MSG_WAITALL), "recv MSG_WAITALL");
}

static inline void move_read(struct mover *m, size_t bytes)
{
	while (bytes)
		bytes -= received(m, read(m->fd, m->buffer, room(m, bytes)), "read");
}

static inline void move_readv(struct mover *m, size_t bytes)
{
	struct iovec parts[2];

	while (bytes) {
		(void)message(m, parts, room(m, bytes));
		bytes -= received(m, readv(m->fd, parts, 2), "readv");
	}
}

static inline void move_recvfrom(struct mover *m, size_t bytes)
{
	while (bytes) {
		socklen_t length = sizeof(m->to);

		bytes -= received(m, recvfrom(m->fd, m->buffer, room(m, bytes), 0, &m->to.any, &length),
				  "recvfrom");
	}
}

static inline void move_recvmsg(struct mover *m, size_t bytes)
{
	struct iovec parts[2];

	while (bytes) {
		struct msghdr msg = message(m, parts, room(m, bytes));

		if (m->unconnected)
			msg.msg_namelen = sizeof(m->to);
		bytes -= received(m, recvmsg(m->fd, &msg, 0), "recvmsg");
	}
}

static inline void move_recvmmsg(struct mover *m, size_t bytes)
{
	while (bytes) {
		struct mmsghdr batch[BATCH];
		struct iovec parts[BATCH][2];
		size_t most = m->datagrams ? BUFFER / 4 : (bytes + BATCH - 1) / BATCH;
		int n;

		for (int i = 0; i < BATCH; i++) {
			batch[i].msg_hdr = message(m, parts[i], most);
			if (m->unconnected)
				batch[i].msg_hdr.msg_namelen = sizeof(m->to);
		}
		n = must(recvmmsg(m->fd, batch, m->datagrams || bytes >= BATCH ? BATCH : 1, MSG_WAITFORONE, NULL),
			 "recvmmsg");
		for (int i = 0; i < n && batch[i].msg_len; i++)
			bytes -= received(m, batch[i].msg_len, "recvmmsg");
	}
}

static inline void move_splice_in(struct mover *m, size_t bytes)
{
	int ends[2];

	m->rx_calls_unknown = true;
	must(pipe2(ends, O_CLOEXEC), "pipe");
	while (bytes) {
		size_t n = received(m, splice(m->fd, NULL, ends[1], NULL, room(m, bytes), SPLICE_F_MOVE),
				    "splice in");

		bytes -= n;
		while (n)
			n -= (size_t)must((int)read(ends[0], m->buffer, n), "read a pipe");
	}
	close(ends[0]);
	close(ends[1]);
}

/* Looks at everything twice; only what is taken counts. */
static inline void move_peek(struct mover *m, size_t bytes)
{
	while (bytes) {
		must((int)recv(m->fd, m->buffer, room(m, bytes), MSG_PEEK), "recv MSG_PEEK");
		must((int)recv(m->fd, m->buffer, room(m, bytes), MSG_PEEK | MSG_TRUNC), "recv MSG_PEEK");
		bytes -= received(m, recv(m->fd, m->buffer, room(m, bytes), 0), "recv");
	}
}

/* TCP throws the bytes away; a datagram's whole length is returned. */
static inline void move_trunc(struct mover *m, size_t bytes)
{
	while (bytes)
		bytes -= received(m, recv(m->fd, m->buffer, m->datagrams ? 10 : room(m, bytes), MSG_TRUNC),
				  "recv MSG_TRUNC");
}

static inline void move_gro(struct mover *m, size_t bytes)
{
	must(set_option(m->fd, SOL_UDP, UDP_GRO, 1), "UDP_GRO");
	move_recv(m, bytes);
}

static inline void move_recv_urgent(struct mover *m, size_t bytes)
{
	struct pollfd p = { .fd = m->fd, .events = POLLPRI };

	move_recv(m, bytes - 1);
	must(poll(&p, 1, -1), "poll");
	received(m, recv(m->fd, m->buffer, 1, MSG_OOB), "recv MSG_OOB");
	m->rx_calls_unknown = true;
}

/* Maps whole pages of what arrived, and copies the rest as the kernel hints. */
static inline void move_zerocopy_receive(struct mover *m, size_t bytes)
{
	uint8_t *window = mmap(NULL, BUFFER, PROT_READ, MAP_SHARED, m->fd, 0);
	struct pollfd p = { .fd = m->fd, .events = POLLIN };

	if (window == MAP_FAILED)
		die("mmap of a socket");
	m->rx_calls_unknown = true;
	while (bytes) {
		struct tcp_zerocopy_receive z = { .address = (uintptr_t)window, .length = (uint32_t)room(m, bytes) };
		socklen_t length = sizeof(z);

		must(poll(&p, 1, -1), "poll");
		z.length &= ~(uint32_t)(PAGE - 1);
		if (!z.length)
			z.recv_skip_hint = (uint32_t)bytes;
		else
			must(getsockopt(m->fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &z, &length),
			     "TCP_ZEROCOPY_RECEIVE");
		if (z.length)
			bytes -= received(m, z.length, "TCP_ZEROCOPY_RECEIVE");
		if (z.recv_skip_hint && bytes)
			bytes -= received(m, recv(m->fd, m->buffer, z.recv_skip_hint < bytes ? z.recv_skip_hint : bytes,
						  0), "recv");
	}
	munmap(window, BUFFER);
}

static inline void uring_receive(struct mover *m, size_t bytes, uint8_t opcode, uint8_t sqe_flags)
{
	while (bytes) {
		struct iovec parts[2];
		struct msghdr msg = message(m, parts, room(m, bytes));
		struct io_uring_sqe sqe = { .opcode = opcode, .flags = sqe_flags, .fd = m->fd,
					    .addr = (uintptr_t)m->buffer, .len = (uint32_t)room(m, bytes) };
		int n;

		if (opcode == IORING_OP_RECVMSG) {
			if (m->unconnected)
				msg.msg_namelen = sizeof(m->to);
			sqe.addr = (uintptr_t)&msg;
			sqe.len = 1;
		}
		n = uring_run(m->ring, &sqe);
		errno = -n;
		bytes -= received(m, n, "receive by io_uring");
	}
}

static inline void move_uring_recv(struct mover *m, size_t bytes)
{
	uring_receive(m, bytes, IORING_OP_RECV, 0);
}

static inline void move_uring_recv_async(struct mover *m, size_t bytes)
{
	uring_receive(m, bytes, IORING_OP_RECV, IOSQE_ASYNC);
}

static inline void move_uring_recvmsg(struct mover *m, size_t bytes)
{
	uring_receive(m, bytes, IORING_OP_RECVMSG, 0);
}

static inline void move_uring_read(struct mover *m, size_t bytes)
{
	uring_receive(m, bytes, IORING_OP_READ, 0);
}

#endif
