/* SPDX-License-Identifier: MIT */
/* What the processes of top are left. */
#include "top/confine.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <jansson.h>
#include <seccomp.h>
#include <sys/socket.h>

#include "common/sandbox_main.h"
#include "common/status.h"
#include "common/when.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define DESCRIPTORS 64
#define SOCKET_TYPE 0xf		/* SOCK_TYPE_MASK of the kernel: the others are flags */

static struct {
	bool without, verbose;
} self;

void confine_as(bool without, bool verbose)
{
	self.without = without;
	self.verbose = verbose;
}

/* Whether a descriptor is a terminal, its size, its modes in both ways that the C library sets them. */
#define TERMINAL_MODES \
	SANDBOX_ONLY(ioctl, 1, TCGETS), SANDBOX_ONLY(ioctl, 1, TCGETS2), \
	SANDBOX_ONLY(ioctl, 1, TCSETS), SANDBOX_ONLY(ioctl, 1, TCSETS2)
#define TERMINAL_MODES_COUNT 4

/* ---- the screen, or lines -------------------------------------------------------- */

/* Input and output; signals, and stopping on ^Z; the watchdog's end. */
static const int showing[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(close),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(tgkill), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(wait4),
};

/* ncurses waits until the terminal has taken what was written, and forgets what was typed. */
static const struct sandbox screen = {
	.program = "top",
	.without = "--no-sandbox",
	.calls = { { showing, COUNT(showing) } },
	.exact = {
		TERMINAL_MODES, SANDBOX_ONLY(ioctl, 1, TCSETSW), SANDBOX_ONLY(ioctl, 1, TCSETSW2),
		SANDBOX_ONLY(ioctl, 1, TCSETSF), SANDBOX_ONLY(ioctl, 1, TCSETSF2),
		SANDBOX_ONLY(ioctl, 1, TCSBRK), SANDBOX_ONLY(ioctl, 1, TCFLSH),
		SANDBOX_ONLY(ioctl, 1, TIOCGWINSZ),
	},
	.n_exact = TERMINAL_MODES_COUNT + 7,
	.descriptors = DESCRIPTORS,
};

/* Files that libraries read when they are used first. */
static void use_first(void)
{
	json_object_seed(0);
	when_read_zone();
}

int confine_printing(void)
{
	use_first();
	return self.without ? STATUS_DONE : sandbox_enter_main(&screen, self.verbose, NULL);
}

int confine_showing(void)
{
	struct sandbox_state state;
	const char *step;

	use_first();
	return self.without ? 0 : sandbox_enter(&screen, &state, &step);
}

/* ---- the watchdog ---------------------------------------------------------------- */

int confine_watchdog(void)
{
	static const int watching[] = { SCMP_SYS(read), SCMP_SYS(write) };
	static const struct sandbox sandbox = {
		.program = "jopil-terminal",
		.calls = { { watching, COUNT(watching) } },
		.exact = { TERMINAL_MODES },
		.n_exact = TERMINAL_MODES_COUNT,
	};
	struct sandbox_state state;
	const char *step;

	return self.without ? 0 : sandbox_enter(&sandbox, &state, &step);
}

/* ---- what asks an httpd ----------------------------------------------------------- */

static const int fetching[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(poll), SCMP_SYS(fcntl),
	SCMP_SYS(connect), SCMP_SYS(sendto), SCMP_SYS(recvfrom), SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(shutdown),
	SCMP_SYS(getpid), SCMP_SYS(rt_sigaction),
};

/* libcurl goes without threads, and without a way to be woken up by others. */
static const int absent[] = {
	SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(socketpair), SCMP_SYS(pipe2), SCMP_SYS(eventfd2),
};

#define STREAM_OF(domain) \
	{ SCMP_SYS(socket), { 0, UINT32_MAX, domain }, { 1, SOCKET_TYPE, SOCK_STREAM } }

int confine_fetch(uint16_t port, const char **ret_step)
{
	const struct sandbox sandbox = {
		.program = "top --connect",
		.without = "--no-sandbox",
		.calls = { { fetching, COUNT(fetching) } },
		.absent = { absent, COUNT(absent) },
		.exact = { STREAM_OF(AF_INET), STREAM_OF(AF_INET6) },
		.n_exact = 2,
		.descriptors = DESCRIPTORS,
		.connect_port = port,
	};
	struct sandbox_state state;

	use_first();
	return self.without ? 0 : sandbox_enter(&sandbox, &state, ret_step);
}
