/* SPDX-License-Identifier: MIT */
/* The socket that httpd listens on. */
#include "httpd/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/options.h"

#define BACKLOG 1024	/* the kernel cuts it to net.core.somaxconn */

/* What of text is the address; the port begins at *ret_port. */
static int split(const char *text, char address[INET6_ADDRSTRLEN], const char **ret_port)
{
	const char *colon = strrchr(text, ':');
	size_t length = colon ? (size_t)(colon - text) : 0;

	*ret_port = colon ? colon + 1 : text;
	if (!length) {
		strcpy(address, "127.0.0.1");
		return AF_INET;
	}
	if (*text == '[') {
		if (length < 3 || text[length - 1] != ']' || length - 2 >= INET6_ADDRSTRLEN)
			return -EINVAL;
		memcpy(address, text + 1, length - 2);
		address[length - 2] = '\0';
		return AF_INET6;
	}
	if (length >= INET6_ADDRSTRLEN)
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = '\0';
	return AF_INET;
}

static int parse_path(const char *path, struct sockaddr_storage *ret_address)
{
	struct sockaddr_un *un = (struct sockaddr_un *)ret_address;

	if (path[strlen(path) - 1] == '/' || strlen(path) >= sizeof(un->sun_path))
		return -EINVAL;
	memset(ret_address, 0, sizeof(*ret_address));
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, path);
	return 0;
}

int listener_parse(const char *text, struct sockaddr_storage *ret_address)
{
	struct sockaddr_storage result = { 0 };
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&result;
	struct sockaddr_in *in = (struct sockaddr_in *)&result;
	char address[INET6_ADDRSTRLEN];
	const char *port_text;
	uint64_t port;
	int family;

	if (!strncmp(text, "unix:/", 6))
		return parse_path(text + 5, ret_address);
	if (*text == '/')
		return parse_path(text, ret_address);
	family = split(text, address, &port_text);
	if (family < 0 || options_number(port_text, 0, UINT16_MAX, false, &port))
		return -EINVAL;
	result.ss_family = (sa_family_t)family;
	if (family == AF_INET6) {
		in6->sin6_port = htons((uint16_t)port);
		if (inet_pton(AF_INET6, address, &in6->sin6_addr) != 1)
			return -EINVAL;
	} else {
		in->sin_port = htons((uint16_t)port);
		if (inet_pton(AF_INET, address, &in->sin_addr) != 1)
			return -EINVAL;
	}
	*ret_address = result;
	return 0;
}

static socklen_t address_size(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_UNIX)
		return sizeof(struct sockaddr_un);
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					      : sizeof(struct sockaddr_in);
}

/* Whether a socket is left over there: nobody takes a connection. */
static bool is_left_over(const struct sockaddr_storage *address)
{
	const char *path = ((const struct sockaddr_un *)address)->sun_path;
	struct stat status;
	bool refused;
	int fd;

	if (lstat(path, &status) || !S_ISSOCK(status.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	refused = fd >= 0 && connect(fd, (const struct sockaddr *)address, address_size(address)) &&
		  errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return refused && !unlink(path);
}

static int bind_to(int fd, const struct sockaddr_storage *address)
{
	mode_t mask = umask(0117);
	int err = bind(fd, (const struct sockaddr *)address, address_size(address)) ? -errno : 0;

	if (err == -EADDRINUSE && address->ss_family == AF_UNIX && is_left_over(address))
		err = bind(fd, (const struct sockaddr *)address, address_size(address)) ? -errno : 0;
	umask(mask);
	return err;
}

int listener_open(struct sockaddr_storage *address)
{
	socklen_t size = address_size(address);
	int one = 1, err = 0;
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		err = -errno;
	if (!err)
		err = bind_to(fd, address);
	if (!err && (listen(fd, BACKLOG) || getsockname(fd, (struct sockaddr *)address, &size)))
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int listener_directory(const struct sockaddr_storage *address, const char **ret_name)
{
	const struct sockaddr_un *un = (const struct sockaddr_un *)address;
	char directory[sizeof(un->sun_path)];
	size_t length;
	int fd;

	if (address->ss_family != AF_UNIX || *un->sun_path != '/')
		return -EINVAL;
	*ret_name = strrchr(un->sun_path, '/') + 1;
	length = (size_t)(*ret_name - un->sun_path);
	memcpy(directory, un->sun_path, length);
	directory[length] = '\0';
	fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

unsigned int listener_port(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	if (address->ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)address)->sin_port);
	return 0;
}

void listener_format(const struct sockaddr *address, char text[LISTENER_TEXT])
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;
	char ip[INET6_ADDRSTRLEN] = "?";

	if (address->sa_family == AF_UNIX) {
		snprintf(text, LISTENER_TEXT, "unix:%s",
			 ((const struct sockaddr_un *)address)->sun_path);
	} else if (address->sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip));
		snprintf(text, LISTENER_TEXT, "[%s]:%u", ip, ntohs(in6->sin6_port));
	} else {
		inet_ntop(AF_INET, &in->sin_addr, ip, sizeof(ip));
		snprintf(text, LISTENER_TEXT, "%s:%u", ip, ntohs(in->sin_port));
	}
}
