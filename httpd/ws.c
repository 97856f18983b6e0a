/* SPDX-License-Identifier: MIT */
/* WebSocket clients: the handshake, the feed, and what they say. */
#include "httpd/ws.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "httpd/accept_key.h"
#include "httpd/field.h"
#include "httpd/stream.h"
#include "httpd/subscription.h"
#include "httpd/websocket.h"

/* How long the other side may take to answer a close frame. */
#define CLOSE_MS 2000
/* Who leaves so many pings unanswered is gone. */
#define PINGS_MAX 3
/* Things said that are not understood; who goes on is told to leave. */
#define PROBLEMS_MAX 100
/* Calls that send, before others have their turn and this client is heard again. */
#define SENDS_MAX 8

enum ws_state {
	WS_OPEN,
	WS_CLOSING,	/* our close frame is queued or sent; waiting for theirs, or their end */
	WS_DEAD,	/* to be reaped */
};

struct ws_client {
	LIST_ENTRY(ws_client) link;
	struct watch watch;
	struct MHD_UpgradeResponseHandle *handle;
	enum ws_state state;
	uint64_t close_ms;	/* WS_CLOSING: since when */
	bool close_received;
	bool deaf;		/* after an error: what comes is thrown away */
	bool waits_for_room;	/* in the socket */
	uint64_t ping_ms;	/* when the last one was said, or the connection began */
	unsigned int pings;	/* since the last pong */
	unsigned int problems;
	struct feed_cursor cursor;
	/* To what it said. It is heard no further before this is on its way. */
	struct frame *answer;
	/* A pong or a ping, or a close behind one: they pass between the frames of a message. */
	uint8_t control[2 + WEBSOCKET_CONTROL_MAX + 4];
	size_t control_length;
	size_t control_sent;
	struct websocket_input input;
	uint8_t received[WEBSOCKET_FRAME_MAX];
	size_t received_length;
};

static struct ws_client *client_of(struct watch *watch)
{
	return (struct ws_client *)((char *)watch - offsetof(struct ws_client, watch));
}

static struct ws_client *first_client(struct server *server)
{
	return LIST_FIRST(&server->ws_clients);
}

static void die(struct server *server, struct ws_client *client)
{
	if (client->state == WS_DEAD)
		return;
	client->state = WS_DEAD;
	server->ws_dead = true;
	server_unwatch(server, &client->watch);
}

/* Bytes that went out; 0 if there is no room, and then the loop tells when there is. */
static size_t send_parts(struct server *server, struct ws_client *client, struct iovec *parts,
			 size_t count)
{
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = count };
	ssize_t sent = sendmsg(client->watch.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent >= 0)
		return (size_t)sent;
	if (errno == EAGAIN || errno == EINTR) {
		client->waits_for_room = true;
	} else {
		if (errno == ETIMEDOUT)
			bounds_hit(&server->bounds, BOUND_STALL_MS);
		die(server, client);
	}
	return 0;
}

static bool send_control(struct server *server, struct ws_client *client)
{
	struct iovec part = {
		.iov_base = client->control + client->control_sent,
		.iov_len = client->control_length - client->control_sent,
	};

	if (!part.iov_len)
		return true;
	client->control_sent += send_parts(server, client, &part, 1);
	if (client->control_sent < client->control_length)
		return false;
	client->control_sent = client->control_length = 0;
	return true;
}

static bool is_mid_frame(const struct ws_client *client)
{
	return client->cursor.frame && !websocket_is_between(client->cursor.sent);
}

static void send_message(struct server *server, struct ws_client *client)
{
	struct feed_cursor *cursor = &client->cursor;
	const struct websocket_message *message = &cursor->frame->websocket;
	struct iovec parts[WEBSOCKET_PARTS_MAX];
	bool one = client->control_length || client->state == WS_CLOSING;
	size_t count = websocket_message_rest(message, cursor->sent, one, parts);

	cursor->sent += send_parts(server, client, parts, count);
	if (cursor->sent < message->length)
		return;
	server_count_frame(server, cursor->frame);
	feed_done(cursor);
}

/* True if there is a message to be sent now. */
static bool has_message(struct server *server, struct ws_client *client)
{
	struct feed_cursor *cursor = &client->cursor;
	uint64_t lost = 0;
	bool has = cursor->frame;

	if (!has && client->answer) {
		cursor->frame = client->answer;
		cursor->sent = 0;
		client->answer = NULL;
		return true;
	}
	if (!has && client->state == WS_OPEN)
		has = feed_take(&server->feed, cursor, server_now_ms(), &lost);
	server->counters.frames_lost += lost;
	return has;
}

/*
 * Sends what there is and the socket takes. A frame that has been begun goes out
 * whole before anything else; then what has to be answered, then the rest of its
 * message, then the feed. A message that has been begun is left unfinished by a close.
 * A client that takes as fast as it is sent to does not keep the loop to itself.
 */
static void pump(struct server *server, struct ws_client *client)
{
	client->waits_for_room = false;
	for (int sends = 0; client->state != WS_DEAD && !client->waits_for_room; sends++) {
		if (!is_mid_frame(client) && !send_control(server, client))
			continue;
		if (client->state == WS_CLOSING && !is_mid_frame(client))
			break;
		if (!has_message(server, client))
			break;
		send_message(server, client);
		if (sends == SENDS_MAX)
			client->waits_for_room = true;
	}
	/* Section 7.1.1: both have said close, and the server hangs up first. */
	if (client->state == WS_CLOSING && client->close_received && !client->control_length &&
	    !is_mid_frame(client))
		die(server, client);
	if (client->state != WS_DEAD)
		server_rewatch(server, &client->watch,
			       (client->answer ? 0 : EPOLLIN) |
			       (client->waits_for_room ? EPOLLOUT : 0));
}

static void say_close(struct ws_client *client, unsigned int code)
{
	if (client->state != WS_OPEN)
		return;
	client->state = WS_CLOSING;
	client->close_ms = server_now_ms();
	if (code == WEBSOCKET_NO_CODE) {
		websocket_head(WEBSOCKET_CLOSE, 0, client->control + client->control_length);
		client->control_length += 2;
	} else {
		client->control_length +=
			websocket_close(code, client->control + client->control_length);
	}
}

/* A ping that comes before the last pong went out takes its place (section 5.5.3). */
static void say_pong(struct ws_client *client, const uint8_t *payload, size_t length)
{
	if (client->state != WS_OPEN || client->control_sent)
		return;
	client->control_length = websocket_head(WEBSOCKET_PONG, length, client->control);
	memcpy(client->control + client->control_length, payload, length);
	client->control_length += length;
}

static void say_ping(struct ws_client *client, uint64_t now_ms)
{
	/* Of what waits to be sent nothing can be answered yet. */
	if (client->control_length)
		return;
	client->control_length = websocket_head(WEBSOCKET_PING, 0, client->control);
	client->ping_ms = now_ms;
	client->pings++;
}

static struct frame *make_subscribed(unsigned int topics)
{
	struct body body = { 0 };
	struct frame *frame = NULL;

	body_printf(&body, "{\"type\":\"subscribed\",\"topics\":");
	topics_write(topics, &body);
	body_add(&body, "}", 2);
	if (!body.failed)
		frame = frame_printf("subscribed", "%s", body.data);
	free(body.data);
	return frame;
}

static struct frame *make_problem(const char *why)
{
	return frame_printf("problem", "{\"type\":\"problem\",\"title\":\"Not understood\","
			    "\"detail\":\"%s; topics are %s\"}", why, topics_known());
}

static void take_text(struct server *server, struct ws_client *client, const uint8_t *text,
		      size_t length)
{
	struct subscription subscription;
	const char *why;

	server->counters.messages++;
	if (!subscription_parse((const char *)text, length, &subscription, &why)) {
		feed_unsubscribe(&client->cursor, subscription.remove);
		feed_subscribe(&server->feed, &client->cursor, subscription.add);
		client->answer = make_subscribed(client->cursor.topics);
	} else if (++client->problems > PROBLEMS_MAX) {
		client->deaf = true;
		say_close(client, WEBSOCKET_POLICY);
	} else {
		client->answer = make_problem(why);
	}
}

static void take_event(struct server *server, struct ws_client *client,
		       const struct websocket_result *result)
{
	switch (result->event) {
	case WEBSOCKET_GOT_TEXT:
		take_text(server, client, result->payload, result->length);
		break;
	case WEBSOCKET_GOT_PING:
		say_pong(client, result->payload, result->length);
		break;
	case WEBSOCKET_GOT_PONG:
		client->pings = 0;
		break;
	case WEBSOCKET_GOT_CLOSE:
		client->close_received = true;
		client->deaf = true;
		say_close(client, result->code);
		break;
	case WEBSOCKET_FAILED:
		if (result->code == WEBSOCKET_TOO_BIG)
			bounds_hit(&server->bounds, BOUND_MESSAGE_BYTES);
		client->deaf = true;
		say_close(client, result->code);
		break;
	case WEBSOCKET_NOTHING:
	case WEBSOCKET_MORE:
		break;
	}
}

/* Whether it stopped because what was said last is to be answered first. */
static bool take_frames(struct server *server, struct ws_client *client)
{
	struct websocket_result result;
	size_t used = 0;

	while (!client->deaf && !client->answer) {
		result = websocket_take(&client->input, client->received + used,
					client->received_length - used);
		if (result.event == WEBSOCKET_MORE)
			break;
		take_event(server, client, &result);
		used += result.used;
	}
	if (client->deaf)
		used = client->received_length;
	client->received_length -= used;
	memmove(client->received, client->received + used, client->received_length);
	return client->answer;
}

/* Hears what it has said, and sends what there is. */
static void serve(struct server *server, struct ws_client *client)
{
	bool more;

	do {
		more = take_frames(server, client);
		pump(server, client);
	} while (more && !client->answer && client->state != WS_DEAD);
}

static void receive(struct server *server, struct ws_client *client)
{
	ssize_t got = recv(client->watch.fd, client->received + client->received_length,
			   sizeof(client->received) - client->received_length, MSG_DONTWAIT);

	if (got > 0) {
		client->received_length += (size_t)got;
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		if (got && errno == ETIMEDOUT)
			bounds_hit(&server->bounds, BOUND_STALL_MS);
		die(server, client);
	}
}

static void ws_ready(struct server *server, struct watch *watch, uint32_t events)
{
	struct ws_client *client = client_of(watch);

	if (client->state != WS_DEAD && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		receive(server, client);
	if (client->state != WS_DEAD)
		serve(server, client);
}

/* MHD hands over the socket, and what it has read of it beyond the request. */
static void upgraded(void *closure, struct MHD_Connection *connection, void *context,
		     const char *extra, size_t extra_length, MHD_socket fd,
		     struct MHD_UpgradeResponseHandle *handle)
{
	struct server *server = closure;
	struct ws_client *client = calloc(1, sizeof(*client));
	const struct request *request = context;
	unsigned int topics;
	struct slice unknown;

	/* Who says more than a frame before hearing from us has not read RFC 6455. */
	if (!client || extra_length > sizeof(client->received))
		goto out;
	client->handle = handle;
	client->watch = (struct watch){ .fd = fd, .ready = ws_ready };
	client->ping_ms = server_now_ms();
	if (server->stopping || stream_topics(request, &topics, &unknown) ||
	    server_watch(server, &client->watch, EPOLLIN))
		goto out;
	server_tune_stream(server, connection);
	feed_join(&server->feed, &client->cursor, topics);
	LIST_INSERT_HEAD(&server->ws_clients, client, link);
	server->ws_count++;
	if (extra_length)
		memcpy(client->received, extra, extra_length);
	client->received_length = extra_length;
	serve(server, client);
	return;
out:
	free(client);
	MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
}

static enum MHD_Result refuse(struct request *request, const char *why)
{
	static const struct reply_field how[] = {
		{ "Upgrade", "websocket" },
		{ "Sec-WebSocket-Version", "13" },
		{ NULL, NULL },
	};

	return reply_problem(request, MHD_HTTP_UPGRADE_REQUIRED, how, "%s", why);
}

static enum MHD_Result accept_upgrade(struct server *server, struct request *request,
				      const char *accept)
{
	struct MHD_Response *response = MHD_create_response_for_upgrade(upgraded, server);
	enum MHD_Result result = MHD_NO;

	if (!response)
		return MHD_NO;
	if (MHD_add_response_header(response, "Upgrade", "websocket") == MHD_YES &&
	    MHD_add_response_header(response, "Sec-WebSocket-Accept", accept) == MHD_YES)
		result = MHD_queue_response(request->connection, MHD_HTTP_SWITCHING_PROTOCOLS,
					    response);
	MHD_destroy_response(response);
	request->status = MHD_HTTP_SWITCHING_PROTOCOLS;
	return result;
}

enum MHD_Result ws_open(struct server *server, struct request *request)
{
	const char *version = request_field(request, "Sec-WebSocket-Version");
	const char *key = request_field(request, "Sec-WebSocket-Key");
	char accept[ACCEPT_KEY_SIZE];
	enum MHD_Result result;
	unsigned int topics;
	struct slice unknown;

	if (!field_has_token(request_field(request, "Upgrade"), "websocket") ||
	    !field_has_token(request_field(request, "Connection"), "upgrade"))
		return refuse(request, "this address speaks WebSocket: ask for the upgrade");
	if (!version || strcmp(version, "13"))
		return refuse(request, "the WebSocket version is 13");
	if (!key || accept_key(key, accept))
		return reply_problem(request, MHD_HTTP_BAD_REQUEST, NULL,
				     "Sec-WebSocket-Key is not 16 bytes in base64");
	/* It forwards 4 bytes at a time there: its buffer of the connection is used up by then. */
	if (server->config.tls_certificate && request_library_is_old())
		return reply_problem(request, MHD_HTTP_NOT_IMPLEMENTED, NULL,
				     "libmicrohttpd before 1.0 has no usable WebSocket over TLS; "
				     "/events has the same, or let a proxy do TLS");
	if (stream_topics(request, &topics, &unknown))
		return stream_no_topic(request, unknown);
	if (!stream_fits(server, request, &result))
		return result;
	return accept_upgrade(server, request, accept);
}

/* It keeps what only it has not got yet, and is in the middle of a frame: nothing can be said. */
static void end_late(struct server *server, struct ws_client *client)
{
	bounds_hit(&server->bounds, BOUND_HELD_BYTES);
	die(server, client);
	feed_leave(&client->cursor);
}

void ws_wake(struct server *server)
{
	struct ws_client *client;

	for (client = first_client(server); client; client = LIST_NEXT(client, link)) {
		if (client->state != WS_OPEN)
			continue;
		server->counters.frames_lost += feed_miss(&server->feed, &client->cursor);
		if (feed_must_end(&server->feed, &client->cursor))
			end_late(server, client);
		else if (!client->waits_for_room)
			pump(server, client);
	}
}

void ws_stop(struct server *server)
{
	struct ws_client *client;

	for (client = first_client(server); client; client = LIST_NEXT(client, link)) {
		say_close(client, WEBSOCKET_GOING_AWAY);
		if (client->state != WS_DEAD)
			pump(server, client);
	}
}

static void release(struct server *server, struct ws_client *client)
{
	die(server, client);
	LIST_REMOVE(client, link);
	server->ws_count--;
	feed_leave(&client->cursor);
	frame_unref(client->answer);
	MHD_upgrade_action(client->handle, MHD_UPGRADE_ACTION_CLOSE);
	free(client);
}

void ws_sweep(struct server *server, uint64_t now_ms)
{
	struct ws_client *client;

	for (client = first_client(server); client; client = LIST_NEXT(client, link)) {
		if (client->state == WS_CLOSING && now_ms - client->close_ms > CLOSE_MS)
			die(server, client);
		if (client->state != WS_OPEN || now_ms - client->ping_ms < server->config.ping_ms)
			continue;
		if (client->pings < PINGS_MAX)
			say_ping(client, now_ms);
		else
			say_close(client, WEBSOCKET_POLICY);
		pump(server, client);
	}
}

void ws_reap(struct server *server)
{
	struct ws_client *client, *next;

	if (!server->ws_dead)
		return;
	server->ws_dead = false;
	for (client = first_client(server); client; client = next) {
		next = LIST_NEXT(client, link);
		if (client->state == WS_DEAD)
			release(server, client);
	}
}

void ws_free(struct server *server)
{
	while (first_client(server))
		release(server, first_client(server));
}
