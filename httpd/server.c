/* SPDX-License-Identifier: MIT */
/* The state of httpd, and its one loop: stdin, signals, timer, HTTP and WebSocket clients. */
#include "httpd/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/notify.h"
#include "httpd/api.h"
#include "httpd/archive_answer.h"
#include "httpd/input.h"
#include "httpd/listener.h"
#include "httpd/routes.h"
#include "httpd/sse.h"
#include "httpd/ws.h"

#define EVENTS_MAX 64
#define SWEEP_MS 1000
#define STOP_MS 1000	/* for clients to take the last frame and the goodbye */
#define STALE_INTERVALS 5
#define RUNS_MAX 8	/* of MHD a turn: one is a piece of a frame for each client */
/* MHD's memory for one connection: the request header, then pieces of the answer. */
#define CONNECTION_BYTES (32 * 1024)
/* Connections that are shut down and not yet gone; and descriptors of our own. */
#define CONNECTIONS_SPARE 256
#define DESCRIPTORS_SPARE 64
/*
 * What the kernel may keep unsent for a stream client: with less, slow but
 * steady clients wait for us; with more, late ones get old frames.
 */
#define UNSENT_BYTES (128 * 1024)

uint64_t server_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static double unix_time_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

bool server_is_stale(const struct server *server)
{
	if (server->input_ended)
		return true;
	return server->shot && server_now_ms() - server->snapshot_ms >
		STALE_INTERVALS * server->shot->interval_ms;
}

int server_watch(struct server *server, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	watch->events = events;
	return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) ? -errno : 0;
}

int server_rewatch(struct server *server, struct watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	if (watch->events == events)
		return 0;
	watch->events = events;
	return epoll_ctl(server->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) ? -errno : 0;
}

void server_unwatch(struct server *server, struct watch *watch)
{
	epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
}

void server_wake_streams(struct server *server)
{
	server->published_ms = server_now_ms();
	sse_wake(server);
	ws_wake(server);
}

void server_count_frame(struct server *server, const struct frame *frame)
{
	server->counters.frames_sent += frame->counts;
}

bool server_has_stream(struct server *server)
{
	if (server->sse_count + server->ws_count < bounds_limit(&server->bounds, BOUND_STREAMS))
		return true;
	bounds_hit(&server->bounds, BOUND_STREAMS);
	return false;
}

int server_tune_stream(const struct server *server, struct MHD_Connection *connection)
{
	unsigned int stall_ms = (unsigned int)bounds_limit(&server->bounds, BOUND_STALL_MS);
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	int unsent = UNSENT_BYTES, one = 1, fd;

	if (!info)
		return -1;
	fd = info->connect_fd;
	/* All are improvements only: what a socket of another kind refuses, it does without. */
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall_ms, sizeof(stall_ms));
	/* MHD switches it off for connections it hands over. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* ---- what MHD calls -------------------------------------------------------- */

static enum MHD_Result admit(void *closure, const struct sockaddr *address, socklen_t size)
{
	struct server *server = closure;

	(void)size;
	return peers_admit(&server->peers, address) ? MHD_YES : MHD_NO;
}

static void connection_changed(void *closure, struct MHD_Connection *connection, void **context,
			       enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *address, *fd;
	struct server *server = closure;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		peers_remove(&server->peers, *context);
		return;
	}
	/* Both answers lie in one place of the connection: take one out before the other. */
	fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	*context = NULL;
	if (fd) {
		int number = fd->connect_fd;

		address = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
		if (address)
			*context = peers_add(&server->peers, number, address->client_addr,
					     server_now_ms());
	}
}

__attribute__((format(printf, 2, 0)))
static void library_says(void *closure, const char *format, va_list args)
{
	struct server *server = closure;

	vsnprintf(server->library_says, sizeof(server->library_says), format, args);
	server->library_says[strcspn(server->library_says, "\n")] = '\0';
	if (server->config.verbose && server->daemon)
		log_error("%s", server->library_says);
}

/* ---- start ----------------------------------------------------------------- */

/* As many connections as are asked for, or as there can be descriptors. */
static uint64_t fit_connections(uint64_t wanted)
{
	uint64_t spare = CONNECTIONS_SPARE + DESCRIPTORS_SPARE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return wanted;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= wanted + spare)
		return wanted;
	return limit.rlim_max > 2 * spare ? limit.rlim_max - spare : limit.rlim_max / 2;
}

static int start_daemon(struct server *server)
{
	const struct server_config *config = &server->config;
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE |
			     MHD_USE_ERROR_LOG | (config->tls_certificate ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)config->tls_certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)config->tls_key },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem *more = config->tls_certificate ? tls : tls + 2;
	uint64_t connections = bounds_limit(&server->bounds, BOUND_CONNECTIONS);
	uint64_t seconds = bounds_limit(&server->bounds, BOUND_STALL_MS) / 1000;

	server->daemon = MHD_start_daemon(
		flags, 0, admit, server, routes_request, server,
		MHD_OPTION_EXTERNAL_LOGGER, library_says, server,
		MHD_OPTION_LISTEN_SOCKET, config->listen_fd,
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)(connections + CONNECTIONS_SPARE),
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)seconds,
		MHD_OPTION_URI_LOG_CALLBACK, routes_target, server,
		MHD_OPTION_NOTIFY_COMPLETED, routes_completed, server,
		MHD_OPTION_NOTIFY_CONNECTION, connection_changed, server,
		MHD_OPTION_ARRAY, more, MHD_OPTION_END);
	return server->daemon ? 0 : -EPROTO;
}

/* MHD is run after every wait: that it has something to do is all there is to know. */
static void http_ready(struct server *server, struct watch *watch, uint32_t events)
{
	(void)server;
	(void)watch;
	(void)events;
}

static int watch_daemon(struct server *server)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	if (!info)
		return -EPROTO;
	server->http = (struct watch){ .fd = info->epoll_fd, .ready = http_ready };
	return server_watch(server, &server->http, EPOLLIN);
}

static void stop(struct server *server)
{
	MHD_socket fd;

	if (server->stopping) {
		server->stop_ms = 0;
		return;
	}
	server->stopping = true;
	server->stop_ms = server_now_ms() + STOP_MS;
	fd = MHD_quiesce_daemon(server->daemon);
	if (fd != MHD_INVALID_SOCKET)
		close(fd);
	ws_stop(server);
	sse_wake(server);
}

static void signal_ready(struct server *server, struct watch *watch, uint32_t events)
{
	struct signalfd_siginfo info;

	(void)events;
	if (read(watch->fd, &info, sizeof(info)) == sizeof(info))
		stop(server);
}

static int watch_signals(struct server *server)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	server->signals = (struct watch){ .fd = fd, .ready = signal_ready };
	return server_watch(server, &server->signals, EPOLLIN);
}

static void timer_ready(struct server *server, struct watch *watch, uint32_t events)
{
	uint64_t now_ms = server_now_ms(), expirations;

	(void)events;
	if (read(watch->fd, &expirations, sizeof(expirations)) < 0)
		return;
	peers_sweep(&server->peers, now_ms);
	sse_sweep(server, now_ms);
	ws_sweep(server, now_ms);
	resolver_sweep(&server->resolver, now_ms);
	archive_tick(server);
	if (now_ms - server->published_ms < server->config.ping_ms)
		return;
	feed_tick(&server->feed);
	server_wake_streams(server);
}

static int watch_timer(struct server *server)
{
	struct itimerspec every = {
		.it_value.tv_sec = SWEEP_MS / 1000,
		.it_interval.tv_sec = SWEEP_MS / 1000,
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	server->timer = (struct watch){ .fd = fd, .ready = timer_ready };
	if (timerfd_settime(fd, 0, &every, NULL))
		return -errno;
	return server_watch(server, &server->timer, EPOLLIN);
}

static void names_ready(struct server *server, struct watch *watch, uint32_t events)
{
	(void)watch;
	(void)events;
	/* When it is gone its descriptor is closed, and is in no epoll any more. */
	resolver_take(&server->resolver, server_now_ms());
}

static int watch_names(struct server *server)
{
	if (server->resolver.fd < 0)
		return 0;
	server->names = (struct watch){ .fd = server->resolver.fd, .ready = names_ready };
	return server_watch(server, &server->names, EPOLLIN);
}

static void past_ready(struct server *server, struct watch *watch, uint32_t events)
{
	(void)watch;
	(void)events;
	archive_ready(server);
}

static int watch_archive(struct server *server)
{
	if (server->archive.fd < 0)
		return 0;
	server->past = (struct watch){ .fd = server->archive.fd, .ready = past_ready };
	return server_watch(server, &server->past, EPOLLIN);
}

static int init(struct server *server, const struct server_config *config)
{
	uint64_t run;

	*server = (struct server){ .config = *config, .epoll_fd = -1 };
	server->signals.fd = server->timer.fd = -1;
	LIST_INIT(&server->sse_clients);
	LIST_INIT(&server->ws_clients);
	bounds_init(&server->bounds);
	server->bounds.row[BOUND_CONNECTIONS].limit = fit_connections(config->connections);
	server->bounds.row[BOUND_CONNECTIONS_PER_ADDRESS].limit = config->connections_per_address;
	/* On loopback all come from one address: a proxy, or the only user. */
	if (site_is_loopback(&config->site.address))
		server->bounds.row[BOUND_CONNECTIONS_PER_ADDRESS].limit = 0;
	peers_init(&server->peers, &server->bounds);
	guesses_init(&server->guesses, &server->bounds);
	ledger_init(&server->ledger, &server->bounds);
	server->start_s = unix_time_s();
	history_init(&server->history, &server->bounds);
	resolver_init(&server->resolver, config->resolver_fd, &server->bounds);
	archive_init(&server->archive, config->archive_fd, config->archive_limit_ms, &server->bounds);
	server->published_ms = server_now_ms();
	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0 || getrandom(&run, sizeof(run), 0) != sizeof(run))
		return -errno;
	return feed_init(&server->feed, run, &server->bounds);
}

int server_start(struct server *server, const struct server_config *config)
{
	int err = init(server, config);

	if (!err)
		err = sessions_init(&server->sessions, config->tls_certificate,
				    listener_port(&config->site.address), &server->bounds);
	if (!err)
		err = watch_signals(server);
	if (!err)
		err = watch_timer(server);
	if (!err)
		err = watch_names(server);
	if (!err)
		err = watch_archive(server);
	if (!err)
		err = input_start(server);
	if (!err)
		err = start_daemon(server);
	if (!err)
		err = watch_daemon(server);
	return err;
}

/* ---- the loop -------------------------------------------------------------- */

/* How long MHD may be left alone, in ms; -1 = for ever. */
static int daemon_timeout(struct server *server)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(server->daemon, &ms) != MHD_YES)
		return -1;
	return ms > SWEEP_MS ? SWEEP_MS : (int)ms;
}

static int wait_timeout(struct server *server, bool more_input)
{
	int timeout = more_input || server->ws_dead ? 0 : daemon_timeout(server);
	uint64_t now_ms = server_now_ms();
	int left;

	if (!server->stopping)
		return timeout;
	left = server->stop_ms > now_ms ? (int)(server->stop_ms - now_ms) : 0;
	return timeout < 0 || timeout > left ? left : timeout;
}

static void run_daemon(struct server *server)
{
	int runs = 0;

	do
		MHD_run(server->daemon);
	while (daemon_timeout(server) == 0 && ++runs < RUNS_MAX);
}

static bool is_done(const struct server *server)
{
	if (!server->stopping)
		return false;
	return server->sse_count + server->ws_count == 0 || server_now_ms() >= server->stop_ms;
}

int server_run(struct server *server)
{
	struct epoll_event events[EVENTS_MAX];
	bool more_input = true;

	while (!is_done(server)) {
		int count;

		notify_alive();
		count = epoll_wait(server->epoll_fd, events, EVENTS_MAX,
				   wait_timeout(server, more_input));
		if (count < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < count; i++) {
			struct watch *watch = events[i].data.ptr;

			watch->ready(server, watch, events[i].events);
		}
		more_input = !server->stopping && input_turn(server);
		/* Before MHD runs: it does not see by itself that there is something to end. */
		ws_reap(server);
		run_daemon(server);
	}
	return 0;
}

void server_free(struct server *server)
{
	server->stopping = true;
	ws_free(server);
	if (server->daemon) {
		sse_free(server);
		archive_stop(server);
		MHD_stop_daemon(server->daemon);
	}
	if (server->signals.fd >= 0)
		close(server->signals.fd);
	if (server->timer.fd >= 0)
		close(server->timer.fd);
	if (server->epoll_fd >= 0)
		close(server->epoll_fd);
	api_forget_stats(server);
	feed_free(&server->feed);
	ledger_free(&server->ledger);
	history_free(&server->history);
	shot_unref(server->shot);
	blob_unref(server->openapi);
	resolver_free(&server->resolver);
	archive_free(&server->archive);
	intake_free(&server->intake);
}
