/* SPDX-License-Identifier: MIT */
/* The state of httpd, and its one loop: stdin, signals, timer, HTTP and WebSocket clients. */
#ifndef JOPIL_HTTPD_SERVER_H
#define JOPIL_HTTPD_SERVER_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/bad_line.h"
#include "common/sandbox.h"
#include "httpd/archive.h"
#include "httpd/bounds.h"
#include "httpd/cors.h"
#include "httpd/feed.h"
#include "httpd/guesses.h"
#include "httpd/history.h"
#include "httpd/intake.h"
#include "httpd/ledger.h"
#include "httpd/peers.h"
#include "httpd/resolver.h"
#include "httpd/session.h"
#include "httpd/site.h"
#include "httpd/token.h"
#include "httpd/shot.h"

struct server;
struct sse_client;
struct ws_client;

/* A descriptor in the loop. ready() is called with EPOLL... events. */
struct watch {
	int fd;
	void (*ready)(struct server *server, struct watch *watch, uint32_t events);
	uint32_t events;	/* waited for */
};

/* What happened since the start; all of it is in /api/stats. */
struct counters {
	uint64_t requests;
	uint64_t frames_sent;	/* messages to stream clients */
	uint64_t frames_lost;	/* messages that they would have got */
	uint64_t messages;	/* from WebSocket clients */
	uint64_t lines;		/* of stdin, blank ones apart */
	uint64_t snapshots;
	uint64_t bad_lines;	/* too long, not JSON, or without a type */
	uint64_t other_lines;	/* hello, and types not known here */
};

/* What main() found out. Nothing in here is changed later. */
struct server_config {
	struct site site;
	struct cors cors;
	struct token token;
	int listen_fd;
	int socket_fd;		/* directory of the Unix socket that goes with us; -1 = none */
	const char *socket_name;	/* in there */
	int input_fd;
	int web_fd;		/* directory to serve the page from; -1 = the embedded one */
	int resolver_fd;	/* of the resolver process; -1 = names are not looked up */
	int archive_fd;		/* of the process that reads the database; -1 = there is none */
	uint64_t archive_limit_ms;	/* how long it may take for an answer */
	int ready_fd;		/* -1 = nobody waits; closed when ready */
	const char *tls_certificate;	/* PEM text; NULL = no TLS */
	const char *tls_key;
	uint64_t connections;
	uint64_t connections_per_address;
	uint64_t ping_ms;	/* stream clients get a sign of life so often */
	bool verbose;
	bool no_sandbox;
};

/* The last answer of /api/stats, and what it was made of. */
struct stats_answer {
	struct MHD_Response *response;	/* NULL = none */
	uint64_t made_ms;
	uint64_t snapshots;
	bool stale;
};

struct server {
	struct server_config config;
	struct bounds bounds;
	struct counters counters;
	struct peers peers;
	struct guesses guesses;
	struct sandbox_state sandbox;	/* all zero: none */
	struct sessions sessions;

	struct intake intake;
	bool bad_said[BAD_LINES];	/* of the input's lines */
	bool input_ended;
	bool input_readable;
	bool input_always_ready;	/* a file, which epoll does not take */
	struct shot *shot;		/* the latest snapshot; NULL before the first */
	struct blob *openapi;	/* the document; NULL until somebody asks */
	struct ledger ledger;		/* of the last hour's snapshots */
	struct history history;		/* likewise, by time */
	double start_s;		/* Unix time of the start */
	struct resolver resolver;	/* of names, for /api/names */
	struct archive archive;	/* the recorder's database, for /api/history */
	uint64_t snapshot_ms;		/* when it came */
	struct stats_answer stats;
	bool stale_told;		/* clients know that it is stale */

	struct feed feed;
	uint64_t published_ms;		/* when clients last got something */
	LIST_HEAD(sse_list, sse_client) sse_clients;
	LIST_HEAD(ws_list, ws_client) ws_clients;
	uint64_t sse_count;
	uint64_t ws_count;
	bool ws_dead;		/* ws_reap() has something to do */

	struct MHD_Daemon *daemon;
	char library_says[256];		/* the last complaint of libmicrohttpd */
	int epoll_fd;
	struct watch http;
	struct watch input;
	struct watch signals;
	struct watch timer;
	struct watch names;
	struct watch past;	/* the database's process */
	bool stopping;
	uint64_t stop_ms;		/* when to stop even if clients are left */
};

/*
 * Opens what is needed and starts to listen. 0; -EPROTO: libmicrohttpd would
 * not start, and library_says tells why; or another -errno.
 */
int server_start(struct server *server, const struct server_config *config);

/* Serves until SIGTERM or SIGINT. 0 or -errno. */
int server_run(struct server *server);

/* Fine for a server that did not start. */
void server_free(struct server *server);

/* Of a clock that never jumps. */
uint64_t server_now_ms(void);

/* Stdin ended, or no snapshot came for five intervals. */
bool server_is_stale(const struct server *server);

/* Puts a descriptor into the loop, changes what it waits for, takes it out. 0 or -errno. */
int server_watch(struct server *server, struct watch *watch, uint32_t events);
int server_rewatch(struct server *server, struct watch *watch, uint32_t events);
void server_unwatch(struct server *server, struct watch *watch);

/* There is something new in the feed: gives it to all stream clients. */
void server_wake_streams(struct server *server);

/* Counts one frame that went out whole. */
void server_count_frame(struct server *server, const struct frame *frame);

/* Whether one more stream client fits; counts the hit if not. */
bool server_has_stream(struct server *server);

/*
 * The socket of a stream client, -1 = not known. If it is one of TCP, what the kernel keeps
 * unsent for a client that does not read is bounded, who has not read for too long is
 * ended, and what is short is sent at once.
 */
int server_tune_stream(const struct server *server, struct MHD_Connection *connection);

#endif
