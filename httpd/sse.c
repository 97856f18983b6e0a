/* SPDX-License-Identifier: MIT */
/*
 * Server-sent events: the feed as an HTTP answer that does not end.
 *
 * MHD would copy each message for each client, a piece of its own buffer at a time, and
 * take the socket out of its epoll and back in with each message. So it sends the header
 * of the answer, and suspends the connection; messages go into the socket from the one
 * text that all clients share, as chunks of the answer, until the end, which is MHD's
 * again. Over TLS and to clients who do not want chunks it is MHD who asks for each piece.
 */
#include "httpd/sse.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "httpd/field.h"
#include "httpd/stream.h"

/* For clients who take no chunks; for the others MHD has a buffer of its own. */
#define BLOCK_BYTES (8 * 1024)
#define BLOCK_BYTES_NONE 1
/* Calls that send, before others have their turn. */
#define SENDS_MAX 8

struct sse_client {
	LIST_ENTRY(sse_client) link;
	struct server *server;
	struct MHD_Connection *connection;
	struct feed_cursor cursor;
	struct watch watch;	/* .fd is borrowed; -1 = not known */
	bool takes_chunks;	/* what is sent to it needs no help of MHD */
	bool direct;		/* is sent to from here: the connection stays suspended */
	bool waits_for_room;	/* in the socket; with direct */
	bool has_finished;	/* sends no more, and may read on or have left; with direct */
	uint64_t room_ms;	/* when there last was some, or something went out */
	bool suspended;
	bool ended;	/* shut down; MHD will see it */
};

/* 0 is allowed only for a suspended connection, else MHD asks again at once. */
static ssize_t wait_for_more(struct sse_client *client)
{
	if (client->server->stopping)
		return MHD_CONTENT_READER_END_OF_STREAM;
	client->suspended = true;
	MHD_suspend_connection(client->connection);
	return 0;
}

static bool has_frame(struct server *server, struct feed_cursor *cursor)
{
	uint64_t lost;
	bool has = feed_take(&server->feed, cursor, server_now_ms(), &lost);

	server->counters.frames_lost += lost;
	return has || feed_take_tick(&server->feed, cursor);
}

/* ---- straight into the socket ----------------------------------------------- */

/* MHD goes on with the connection: it ends the answer, or closes it. */
static void hand_back(struct sse_client *client)
{
	if (client->direct)
		server_unwatch(client->server, &client->watch);
	client->direct = false;
	if (!client->suspended)
		return;
	client->suspended = false;
	MHD_resume_connection(client->connection);
}

static void end(struct sse_client *client)
{
	client->ended = true;
	feed_leave(&client->cursor);
	hand_back(client);
}

static void fail(struct sse_client *client, int error)
{
	if (error == ETIMEDOUT)
		bounds_hit(&client->server->bounds, BOUND_STALL_MS);
	end(client);
}

/* Sends what the socket takes of the frame under way. */
static void send_frame(struct sse_client *client)
{
	struct feed_cursor *cursor = &client->cursor;
	struct iovec parts[FRAME_PARTS];
	struct msghdr message = {
		.msg_iov = parts,
		.msg_iovlen = frame_chunk_rest(cursor->frame, cursor->sent, parts),
	};
	ssize_t sent = sendmsg(client->watch.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		fail(client, errno);
		return;
	}
	if (sent > 0)
		cursor->sent += (size_t)sent;
	client->waits_for_room = cursor->sent < cursor->frame->chunk_length;
	if (sent > 0 || !client->waits_for_room)
		client->room_ms = server_now_ms();
	if (client->waits_for_room)
		return;
	server_count_frame(client->server, cursor->frame);
	feed_done(cursor);
}

static uint32_t awaited(const struct sse_client *client)
{
	return (client->has_finished ? 0 : EPOLLRDHUP) | (client->waits_for_room ? EPOLLOUT : 0);
}

/*
 * Who has left refuses what comes, and that is an EPOLLERR; who reads on passes over a comment.
 * With a frame under way there is no need.
 */
static void ask_whether_there(struct sse_client *client)
{
	static const char comment[] = "3\r\n:\n\n\r\n";

	client->has_finished = true;
	if (!client->cursor.frame)
		send(client->watch.fd, comment, sizeof(comment) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Sends what there is and the socket takes, but leaves the others their turn. */
static void pump(struct sse_client *client)
{
	struct server *server = client->server;

	client->waits_for_room = false;
	for (int sends = 0; client->direct && !client->waits_for_room; sends++) {
		if (!client->cursor.frame && server->stopping) {
			hand_back(client);
			return;
		}
		if (!has_frame(server, &client->cursor))
			break;
		if (sends < SENDS_MAX)
			send_frame(client);
		else
			client->waits_for_room = true;
	}
	if (client->direct)
		server_rewatch(server, &client->watch, awaited(client));
}

static void direct_ready(struct server *server, struct watch *watch, uint32_t events)
{
	struct sse_client *client =
		(struct sse_client *)((char *)watch - offsetof(struct sse_client, watch));

	(void)server;
	if (events & (EPOLLERR | EPOLLHUP)) {
		/* Nothing is sent: why there is nobody any more is what it says. */
		fail(client, send(watch->fd, "", 0, MSG_NOSIGNAL | MSG_DONTWAIT) ? errno : 0);
		return;
	}
	if (events & EPOLLRDHUP)
		ask_whether_there(client);
	pump(client);
}

/* All that MHD had to send is on its way when it asks for the first piece. */
static bool take_over(struct sse_client *client)
{
	if (!client->takes_chunks || server_watch(client->server, &client->watch, EPOLLRDHUP))
		return false;
	client->takes_chunks = false;
	client->direct = client->suspended = true;
	client->room_ms = server_now_ms();
	MHD_suspend_connection(client->connection);
	pump(client);
	return true;
}

/* ---- what MHD asks for ------------------------------------------------------- */

static ssize_t read_feed(void *closure, uint64_t position, char *data, size_t size)
{
	struct sse_client *client = closure;
	struct server *server = client->server;
	struct feed_cursor *cursor = &client->cursor;
	size_t copied;

	(void)position;
	if (client->ended)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (!cursor->frame && server->stopping)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (take_over(client))
		return 0;
	if (!has_frame(server, cursor))
		return wait_for_more(client);
	copied = frame_copy_sse(cursor->frame, cursor->sent, data, size);
	cursor->sent += copied;
	if (cursor->sent == cursor->frame->sse_length) {
		server_count_frame(server, cursor->frame);
		feed_done(cursor);
	}
	return (ssize_t)copied;
}

static void end_feed(void *closure)
{
	struct sse_client *client = closure;

	LIST_REMOVE(client, link);
	if (client->direct)
		server_unwatch(client->server, &client->watch);
	client->server->sse_count--;
	feed_leave(&client->cursor);
	free(client);
}

/* Where a browser that was here before left off (HTML, section 9.2.4). */
static void join(struct server *server, struct request *request, unsigned int topics,
		 struct feed_cursor *cursor)
{
	const char *id = request_field(request, "Last-Event-ID");

	if (id)
		server->counters.frames_lost += feed_resume(&server->feed, cursor, topics, id);
	else
		feed_join(&server->feed, cursor, topics);
	feed_greet(&server->feed, cursor);
}

/* Old versions of MHD make no chunks for who wants the connection closed. */
static bool takes_chunks(const struct server *server, const struct request *request, int fd)
{
	return fd >= 0 && !server->config.tls_certificate &&
	       !strcmp(request->version, MHD_HTTP_VERSION_1_1) &&
	       !field_has_token(request_field(request, "Connection"), "close");
}

static struct MHD_Response *make_response(struct server *server, struct request *request,
					  unsigned int topics)
{
	struct sse_client *client = calloc(1, sizeof(*client));
	struct MHD_Response *response;

	if (!client)
		return NULL;
	client->server = server;
	client->connection = request->connection;
	client->watch.fd = server_tune_stream(server, request->connection);
	client->watch.ready = direct_ready;
	client->takes_chunks = takes_chunks(server, request, client->watch.fd);
	join(server, request, topics, &client->cursor);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN,
						     client->takes_chunks ? BLOCK_BYTES_NONE : BLOCK_BYTES,
						     read_feed, client, end_feed);
	if (!response) {
		feed_leave(&client->cursor);
		free(client);
		return NULL;
	}
	LIST_INSERT_HEAD(&server->sse_clients, client, link);
	server->sse_count++;
	return response;
}

enum MHD_Result sse_open(struct server *server, struct request *request)
{
	static const struct reply_field unbuffered[] = {
		{ "X-Accel-Buffering", "no" },	/* to a proxy */
		{ NULL, NULL },
	};

	enum MHD_Result result;
	struct slice unknown = { "", 0 };
	unsigned int topics;

	if (stream_topics(request, &topics, &unknown) || !topics)
		return stream_no_topic(request, unknown);
	if (!stream_fits(server, request, &result))
		return result;
	return reply_send(request, MHD_HTTP_OK, make_response(server, request, topics),
			  "text/event-stream", CACHE_NEVER, unbuffered);
}

/* It keeps what only it has not got yet. */
static void end_late(struct server *server, struct sse_client *client)
{
	bounds_hit(&server->bounds, BOUND_HELD_BYTES);
	end(client);
	if (client->watch.fd >= 0)
		shutdown(client->watch.fd, SHUT_RDWR);
}

void sse_wake(struct server *server)
{
	struct sse_client *client;

	for (client = LIST_FIRST(&server->sse_clients); client; client = LIST_NEXT(client, link)) {
		server->counters.frames_lost += feed_miss(&server->feed, &client->cursor);
		if (feed_must_end(&server->feed, &client->cursor))
			end_late(server, client);
		if (!client->direct)
			hand_back(client);
		else if (!client->waits_for_room || server->stopping)
			pump(client);
	}
}

/* MHD does not look at a connection that is suspended; TCP does, but not every socket is one. */
void sse_sweep(struct server *server, uint64_t now_ms)
{
	uint64_t limit = bounds_limit(&server->bounds, BOUND_STALL_MS);
	struct sse_client *client;

	LIST_FOREACH(client, &server->sse_clients, link)
		if (client->direct && client->waits_for_room && now_ms - client->room_ms > limit)
			fail(client, ETIMEDOUT);
}

void sse_free(struct server *server)
{
	struct sse_client *client;

	LIST_FOREACH(client, &server->sse_clients, link)
		end(client);
}
