// SPDX-License-Identifier: MIT
/*
 * The floor for a server of streams: each line of stdin, as one event, to every connection, with nothing but send()
 * and epoll. Prints its port. Looks at no request; a client that goes is closed.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 2000
#define LINE_MAX_BYTES (1024 * 1024)
#define BACKLOG 1024

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

static struct client {
	int fd;
	size_t sent;	/* of the frame */
} clients[CLIENTS_MAX];

static char frame[LINE_MAX_BYTES + 64] = "event: snapshot\ndata: ";
static size_t frame_length;

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void watch(int poll, int fd, uint32_t events, void *closure)
{
	struct epoll_event event = { .events = events, .data.ptr = closure };

	if (epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event))
		fail("epoll_ctl");
}

static int open_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) || listen(fd, BACKLOG) ||
	    getsockname(fd, (struct sockaddr *)&address, &size))
		fail("listen");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void take_client(int poll, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;
	for (struct client *client = clients; client < clients + CLIENTS_MAX; client++) {
		if (client->fd)
			continue;
		*client = (struct client){ .fd = fd, .sent = frame_length };
		if (send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
			fail("send");
		watch(poll, fd, EPOLLOUT | EPOLLRDHUP | EPOLLET, client);
		return;
	}
	close(fd);
}

static void end_client(struct client *client)
{
	/* An event that was fetched before may tell of it again. */
	if (!client->fd)
		return;
	close(client->fd);
	client->fd = 0;
}

static void send_frame(struct client *client)
{
	while (client->fd && client->sent < frame_length) {
		ssize_t got = send(client->fd, frame + client->sent, frame_length - client->sent,
				   MSG_NOSIGNAL);

		if (got < 0 && errno != EAGAIN)
			end_client(client);
		if (got < 0)
			return;
		client->sent += (size_t)got;
	}
}

/* Whether there was one. */
static bool take_line(void)
{
	size_t head = strlen("event: snapshot\ndata: ");

	if (!fgets(frame + head, LINE_MAX_BYTES, stdin))
		return false;
	frame_length = strlen(frame);
	frame[frame_length++] = '\n';
	for (struct client *client = clients; client < clients + CLIENTS_MAX; client++) {
		client->sent = 0;
		if (client->fd)
			send_frame(client);
	}
	return true;
}

int main(void)
{
	static int listener_mark, input_mark;
	int poll = epoll_create1(0), listener = open_port();
	struct epoll_event events[64];

	watch(poll, listener, EPOLLIN, &listener_mark);
	watch(poll, STDIN_FILENO, EPOLLIN, &input_mark);
	for (;;) {
		int count = epoll_wait(poll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr == &listener_mark)
				take_client(poll, listener);
			else if (events[i].data.ptr == &input_mark && !take_line())
				return 0;
			else if (events[i].data.ptr != &input_mark && events[i].events & EPOLLRDHUP)
				end_client(events[i].data.ptr);
			else if (events[i].data.ptr != &input_mark)
				send_frame(events[i].data.ptr);
		}
	}
}
