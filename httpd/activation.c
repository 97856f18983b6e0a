/* SPDX-License-Identifier: MIT */
/* A listening socket that whoever started us has opened (systemd, sd_listen_fds(3)). */
#include "httpd/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/options.h"

#define FIRST_FD 3	/* SD_LISTEN_FDS_START */

static bool read_number(const char *name, uint64_t *ret_number)
{
	const char *text = getenv(name);

	return text && !options_number(text, 0, INT32_MAX, false, ret_number);
}

static bool is_option(int fd, int option, int wanted)
{
	socklen_t size = sizeof(int);
	int value;

	return !getsockopt(fd, SOL_SOCKET, option, &value, &size) && value == wanted;
}

static int check(int fd, struct sockaddr_storage *ret_address)
{
	struct sockaddr_storage address = { 0 };
	socklen_t size = sizeof(address);
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	if (!is_option(fd, SO_TYPE, SOCK_STREAM) || !is_option(fd, SO_ACCEPTCONN, 1) ||
	    getsockname(fd, (struct sockaddr *)&address, &size))
		return -EPROTOTYPE;
	if (address.ss_family != AF_INET && address.ss_family != AF_INET6 &&
	    address.ss_family != AF_UNIX)
		return -EPROTOTYPE;
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) || fcntl(fd, F_SETFD, FD_CLOEXEC))
		return -errno;
	*ret_address = address;
	return 0;
}

int activation_take(int *ret_fd, struct sockaddr_storage *ret_address)
{
	uint64_t pid, count;
	bool ours = read_number("LISTEN_PID", &pid) && pid == (uint64_t)getpid() &&
		    read_number("LISTEN_FDS", &count) && count;
	int err;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!ours)
		return 0;
	if (count > 1)
		return -E2BIG;
	err = check(FIRST_FD, ret_address);
	if (err)
		return err;
	*ret_fd = FIRST_FD;
	return 1;
}
