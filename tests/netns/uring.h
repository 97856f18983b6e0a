/* SPDX-License-Identifier: MIT */
/* io_uring by its system calls alone: one request at a time, its result waited for. See io_uring(7). */
#ifndef JOPIL_TESTS_NETNS_URING_H
#define JOPIL_TESTS_NETNS_URING_H

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include "tests/netns/sockets.h"

struct uring {
	int fd;
	unsigned int setup_flags;
	unsigned int *sq_tail, *sq_mask, *sq_array;
	unsigned int *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static inline void *uring_map(int fd, size_t size, off_t what)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, what);

	if (at == MAP_FAILED)
		die("mmap of an io_uring");
	return at;
}

/* setup_flags: 0 or IORING_SETUP_SQPOLL. False where the kernel has no io_uring, or forbids it. */
static inline bool uring_open(struct uring *ring, unsigned int setup_flags)
{
	struct io_uring_params p = { .flags = setup_flags, .sq_thread_idle = 10 };
	uint8_t *sq, *cq;

	ring->fd = (int)syscall(__NR_io_uring_setup, 8, &p);
	if (ring->fd < 0)
		return false;
	ring->setup_flags = setup_flags;
	sq = uring_map(ring->fd, p.sq_off.array + p.sq_entries * sizeof(unsigned int), IORING_OFF_SQ_RING);
	cq = uring_map(ring->fd, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	ring->sqes = uring_map(ring->fd, p.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	ring->sq_tail = (unsigned int *)(sq + p.sq_off.tail);
	ring->sq_mask = (unsigned int *)(sq + p.sq_off.ring_mask);
	ring->sq_array = (unsigned int *)(sq + p.sq_off.array);
	ring->cq_head = (unsigned int *)(cq + p.cq_off.head);
	ring->cq_tail = (unsigned int *)(cq + p.cq_off.tail);
	ring->cq_mask = (unsigned int *)(cq + p.cq_off.ring_mask);
	ring->cqes = (struct io_uring_cqe *)(cq + p.cq_off.cqes);
	return true;
}

/* The next result. ret_flags: IORING_CQE_F_*. */
static inline int uring_wait(struct uring *ring, uint32_t *ret_flags)
{
	unsigned int head = *ring->cq_head;
	const struct io_uring_cqe *cqe;
	int result;

	while (head == __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE))
		must((int)syscall(__NR_io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0),
		     "io_uring_enter");
	cqe = &ring->cqes[head & *ring->cq_mask];
	result = cqe->res;
	*ret_flags = cqe->flags;
	__atomic_store_n(ring->cq_head, head + 1, __ATOMIC_RELEASE);
	return result;
}

/* One request and its result; a zero-copy send's notification is waited for too. */
static inline int uring_run(struct uring *ring, const struct io_uring_sqe *sqe)
{
	unsigned int tail = *ring->sq_tail, at = tail & *ring->sq_mask;
	unsigned int wake = ring->setup_flags & IORING_SETUP_SQPOLL ? IORING_ENTER_SQ_WAKEUP : 0;
	uint32_t flags;
	int result;

	ring->sqes[at] = *sqe;
	ring->sq_array[at] = at;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	must((int)syscall(__NR_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS | wake, NULL, 0),
	     "io_uring_enter");
	result = uring_wait(ring, &flags);
	if (flags & IORING_CQE_F_MORE)
		(void)uring_wait(ring, &flags);
	return result;
}

#endif
