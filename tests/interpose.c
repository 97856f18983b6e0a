// SPDX-License-Identifier: MIT
/*
 * LD_PRELOAD: what system calls of a program may come to on a bad day, and clocks that jump.
 *
 *	cc -shared -fPIC -o interpose.so tests/interpose.c
 *	INTERPOSE=KIND[,KIND...] INTERPOSE_RATE=N INTERPOSE_SEED=N INTERPOSE_CONTROL=FILE LD_PRELOAD=interpose.so program
 *
 * eintr: a call is interrupted before it did anything. again: read() and write() of a pipe say EAGAIN, as they do for
 * all who share one that somebody made not to block. short: they do a part. nospace: nothing can be written to
 * files (pwrite, ftruncate, fdatasync). One call of N comes to it, by chance.
 * FILE may be written while the program runs: struct control.
 */
#define _GNU_SOURCE
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
	int64_t realtime_s, boottime_s;		/* how far these clocks are ahead */
	int64_t is_calm;			/* not 0: calls come to nothing bad */
};

static bool eintr, again, part, nospace;
static const struct control none;
static const volatile struct control *control = &none;
static bool is_pipe[2];		/* stdin, stdout */
static uint32_t rate = 4;
static uint64_t state = 1;

__attribute__((constructor)) static void begin(void)
{
	const char *kinds = getenv("INTERPOSE"), *file = getenv("INTERPOSE_CONTROL");
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;

	kinds = kinds ? kinds : "";
	eintr = strstr(kinds, "eintr");
	again = strstr(kinds, "again");
	part = strstr(kinds, "short");
	nospace = strstr(kinds, "nospace");
	for (int standard = 0; standard < 2; standard++) {
		struct stat status;

		is_pipe[standard] = !fstat(standard, &status) && S_ISFIFO(status.st_mode);
	}
	if (getenv("INTERPOSE_RATE"))
		rate = (uint32_t)atoi(getenv("INTERPOSE_RATE"));
	if (getenv("INTERPOSE_SEED"))
		state += strtoull(getenv("INTERPOSE_SEED"), NULL, 10);
	if (file)
		control = mmap(NULL, sizeof(*control), PROT_READ, MAP_SHARED, fd, 0);
	if (control == MAP_FAILED)
		abort();
}

/* splitmix64; threads may share a step, which does no harm. */
static uint32_t chance(uint32_t n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ z >> 31) % n);
}

static bool fails(bool kind, int error)
{
	if (!kind || control->is_calm || chance(rate))
		return false;
	errno = error;
	return true;
}

static size_t less(size_t n)
{
	return part && n > 1 && !control->is_calm && !chance(rate) ? 1 + chance((uint32_t)(n < 4096 ? n : 4096) - 1) : n;
}

/* Files do not say such things. */
static bool pipe_fails(int fd)
{
	return fd >= 0 && fd < 2 && is_pipe[fd] && (fails(eintr, EINTR) || fails(again, EAGAIN));
}

/* The C library's own function of that name. */
#define REAL(name) \
	static __typeof__(name) *real; \
	if (!real) \
		real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

ssize_t read(int fd, void *to, size_t n)
{
	REAL(read);
	return pipe_fails(fd) ? -1 : real(fd, to, less(n));
}

ssize_t write(int fd, const void *from, size_t n)
{
	REAL(write);
	return pipe_fails(fd) ? -1 : real(fd, from, less(n));
}

ssize_t pread64(int fd, void *to, size_t n, off64_t at)
{
	REAL(pread64);
	return fails(eintr, EINTR) ? -1 : real(fd, to, less(n), at);
}

ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at)
{
	REAL(pwrite64);
	return fails(eintr, EINTR) || fails(nospace, ENOSPC) ? -1 : real(fd, from, less(n), at);
}

int ftruncate64(int fd, off64_t length)
{
	REAL(ftruncate64);
	return fails(eintr, EINTR) || fails(nospace, ENOSPC) ? -1 : real(fd, length);
}

int fdatasync(int fd)
{
	REAL(fdatasync);
	return fails(nospace, ENOSPC) ? -1 : real(fd);
}

int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	REAL(poll);
	return fails(eintr, EINTR) ? -1 : real(fds, n, timeout_ms);
}

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
	REAL(ppoll);
	return fails(eintr, EINTR) ? -1 : real(fds, n, timeout, mask);
}

int epoll_wait(int fd, struct epoll_event *events, int most, int timeout_ms)
{
	REAL(epoll_wait);
	return fails(eintr, EINTR) ? -1 : real(fd, events, most, timeout_ms);
}

int nanosleep(const struct timespec *time, struct timespec *ret_left)
{
	REAL(nanosleep);
	return fails(eintr, EINTR) ? -1 : real(time, ret_left);
}

/* ---- as fortified programs call them -------------------------------------- */

ssize_t __read_chk(int fd, void *to, size_t n, size_t size);
int __poll_chk(struct pollfd *fds, nfds_t n, int timeout_ms, size_t size);
int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask, size_t size);

ssize_t __read_chk(int fd, void *to, size_t n, size_t size)
{
	(void)size;
	return read(fd, to, n);
}

int __poll_chk(struct pollfd *fds, nfds_t n, int timeout_ms, size_t size)
{
	(void)size;
	return poll(fds, n, timeout_ms);
}

int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask, size_t size)
{
	(void)size;
	return ppoll(fds, n, timeout, mask);
}

/* ---- clocks ---------------------------------------------------------------- */

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int result;

	REAL(clock_gettime);
	result = real(clock, ret);
	if (!result && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ret->tv_sec += control->realtime_s;
	if (!result && clock == CLOCK_BOOTTIME)
		ret->tv_sec += control->boottime_s;
	return result;
}

int gettimeofday(struct timeval *ret, void *zone)
{
	int result;

	REAL(gettimeofday);
	result = real(ret, zone);
	if (!result)
		ret->tv_sec += control->realtime_s;
	return result;
}

time_t time(time_t *ret)
{
	time_t now;

	REAL(time);
	now = real(NULL) + control->realtime_s;
	if (ret)
		*ret = now;
	return now;
}
