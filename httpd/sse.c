/* SPDX-License-Identifier: MIT */
/* Server-sent events: the feed as an HTTP answer that does not end. */
#include "httpd/sse.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "httpd/stream.h"

/* Only HTTP/1.0 clients are sent from this buffer; for others MHD has one of its own. */
#define BLOCK_BYTES (8 * 1024)

struct sse_client {
	LIST_ENTRY(sse_client) link;
	struct server *server;
	struct MHD_Connection *connection;
	struct feed_cursor cursor;
	int fd;		/* borrowed; -1 = not known */
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

/* The socket of the connection. */
static int tune(struct server *server, struct request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	if (!info)
		return -1;
	server_tune_stream(server, info->connect_fd);
	return info->connect_fd;
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
	client->fd = tune(server, request);
	join(server, request, topics, &client->cursor);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_feed,
						     client, end_feed);
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
	client->ended = true;
	feed_leave(&client->cursor);
	if (client->fd >= 0)
		shutdown(client->fd, SHUT_RDWR);
}

void sse_wake(struct server *server)
{
	struct sse_client *client;

	for (client = LIST_FIRST(&server->sse_clients); client; client = LIST_NEXT(client, link)) {
		server->counters.frames_lost += feed_miss(&server->feed, &client->cursor);
		if (feed_must_end(&server->feed, &client->cursor))
			end_late(server, client);
		if (!client->suspended)
			continue;
		client->suspended = false;
		MHD_resume_connection(client->connection);
	}
}
