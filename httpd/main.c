/* SPDX-License-Identifier: MIT */
/* httpd: snapshots in on stdin, HTTP out. Options, privileges, and what is said when it fails. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/notify.h"
#include "common/options.h"
#include "common/status.h"
#include "common/when.h"
#include "httpd/activation.h"
#include "httpd/archive_process.h"
#include "httpd/confine.h"
#include "httpd/listener.h"
#include "httpd/privilege.h"
#include "httpd/resolver_process.h"
#include "httpd/server.h"

#define PEM_MAX (1024 * 1024)
#define PING_S 15	/* proxies hang up on what is silent for 30 or 60 s */
#define PING_S_MAX 3600
#define CONNECTIONS_MAX 100000
#define DESCRIPTOR_MAX 1048576
#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull
#define DB_LIMIT_S 5
#define DB_LIMIT_MAX_S 60

struct options {
	struct sockaddr_storage listen;
	const char *listen_group;
	const char *user;
	const char *token_file;
	bool insecure_open;
	bool no_sandbox;
	const char *tls_cert;
	const char *tls_key;
	const char *web;
	uint64_t ready_fd;
	uint64_t connections;
	uint64_t connections_per_address;
	uint64_t ping_s;
	bool resolve;
	const char *db;
	uint64_t db_limit_ns;
	bool verbose;
	struct site site;
	struct cors cors;
};

static const struct program_info program = {
	.name = "httpd",
	.operands = "",
	.purpose = "Serves the snapshots that aggregator writes, read from stdin: a page for people\n"
		   "on /, JSON on /api, each snapshot as it comes on /events (SSE) and /ws (WebSocket).",
};

static int parse_listen(const char *argument, void *target, const char **ret_why)
{
	*ret_why = "not ADDR:PORT with a literal address, such as 127.0.0.1:5000 or [::1]:5000, or /PATH";
	return listener_parse(argument, target);
}

static int parse_host(const char *argument, void *target, const char **ret_why)
{
	struct site *site = target;

	*ret_why = "not a name without a port, or too many of them";
	if (!*argument || strchr(argument, ':') || site->name_count == SITE_NAMES_MAX)
		return -EINVAL;
	site->names[site->name_count++] = argument;
	return 0;
}

static int parse_cors(const char *argument, void *target, const char **ret_why)
{
	*ret_why = "not an origin such as https://grafana.example:3000 (lower case, no path), nor *, "
		   "or too many of them";
	return cors_add(target, argument) ? -EINVAL : 0;
}

static enum options_result parse_options(int argc, char **argv, struct options *o)
{
	const struct option_row rows[] = {
		{ .name = "listen", .letter = 'l', .kind = OPTION_PARSED, .argument = "ADDR:PORT|/PATH",
		  .help = "where to listen (default 127.0.0.1:5000; port 0: any), or a Unix socket",
		  .target = &o->listen, .parse = parse_listen },
		{ .name = "listen-group", .kind = OPTION_STRING, .argument = "NAME",
		  .help = "the group that may use the Unix socket", .target = &o->listen_group },
		{ .name = "host", .kind = OPTION_PARSED, .argument = "NAME",
		  .help = "a further name that browsers may use for it; may be repeated",
		  .target = &o->site, .parse = parse_host },
		{ .name = "cors", .kind = OPTION_PARSED, .argument = "ORIGIN",
		  .help = "pages of this site may read the API; may be repeated; *: any",
		  .target = &o->cors, .parse = parse_cors },
		{ .name = "token-file", .kind = OPTION_STRING, .argument = "FILE",
		  .help = "the API asks for the token in FILE's first line", .target = &o->token_file },
		{ .name = "insecure-open", .kind = OPTION_FLAG,
		  .help = "listen beyond loopback without a token", .target = &o->insecure_open },
		{ .name = "no-sandbox", .kind = OPTION_FLAG,
		  .help = "keep system calls and files that serving does not need",
		  .target = &o->no_sandbox },
		{ .name = "tls-cert", .kind = OPTION_STRING, .argument = "FILE",
		  .help = "HTTPS with this certificate chain (PEM)", .target = &o->tls_cert },
		{ .name = "tls-key", .kind = OPTION_STRING, .argument = "FILE",
		  .help = "and its private key (PEM)", .target = &o->tls_key },
		{ .name = "user", .letter = 'u', .kind = OPTION_STRING, .argument = "NAME",
		  .help = "started as root: become NAME before serving", .target = &o->user },
		{ .name = "web", .kind = OPTION_STRING, .argument = "DIR",
		  .help = "serve the page from DIR, for its development", .target = &o->web },
		{ .name = "max-connections", .kind = OPTION_NUMBER, .argument = "N",
		  .help = "in all (default 4096)", .target = &o->connections,
		  .min = 1, .max = CONNECTIONS_MAX },
		{ .name = "max-per-address", .kind = OPTION_NUMBER, .argument = "N",
		  .help = "connections of one address, 0: no limit (default 64; none on loopback)",
		  .target = &o->connections_per_address, .max = CONNECTIONS_MAX },
		{ .name = "ping", .kind = OPTION_NUMBER, .argument = "SECONDS",
		  .help = "how often stream clients get a sign of life (default 15)",
		  .target = &o->ping_s, .min = 1, .max = PING_S_MAX },
		{ .name = "resolve", .kind = OPTION_FLAG,
		  .help = "look up the names of addresses, as this system does (DNS, /etc/hosts)",
		  .target = &o->resolve },
		{ .name = "db", .letter = 'd', .kind = OPTION_STRING, .argument = "FILE",
		  .help = "answer for months back from recorder's database", .target = &o->db },
		{ .name = "db-limit", .kind = OPTION_SECONDS, .argument = "SECONDS",
		  .help = "how long the database may take for an answer (default 5)",
		  .target = &o->db_limit_ns, .min = NS_PER_MS, .max = DB_LIMIT_MAX_S * NS_PER_S },
		{ .name = "ready-fd", .kind = OPTION_NUMBER, .argument = "N",
		  .help = "write one newline to descriptor N when listening",
		  .target = &o->ready_fd, .max = DESCRIPTOR_MAX },
		{ .name = "verbose", .letter = 'v', .kind = OPTION_FLAG,
		  .help = "a line on stderr for each request", .target = &o->verbose },
		{ .name = NULL },
	};
	int operands;

	return options_parse(&program, rows, argc, argv, &operands);
}

__attribute__((format(printf, 1, 2)))
static int fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_line(LOG_LEVEL_ERROR, format, args);
	va_end(args);
	return STATUS_FAILED;
}

/* Options that make no sense together, or not here. */
static int check_options(const struct options *o)
{
	if (!o->tls_cert != !o->tls_key) {
		fail("--tls-cert and --tls-key go together; give both or none");
		return STATUS_USAGE;
	}
	if (!site_is_loopback(&o->listen) && !o->token_file && !o->insecure_open) {
		fail("listening beyond loopback shows this host's traffic to others; "
		     "--token-file FILE asks for a token, --insecure-open does not");
		return STATUS_USAGE;
	}
	if (o->cors.any && !o->token_file && !o->insecure_open) {
		fail("--cors '*' shows this host's traffic to every page that somebody here opens; name "
		     "its origin, or ask for a token with --token-file FILE (--insecure-open does not)");
		return STATUS_USAGE;
	}
	if (o->ready_fd <= DESCRIPTOR_MAX && fcntl((int)o->ready_fd, F_GETFD) < 0) {
		fail("--ready-fd %d: %s", (int)o->ready_fd, strerror(errno));
		return STATUS_USAGE;
	}
	if (o->tls_cert && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
		fail("this libmicrohttpd was built without TLS; put a proxy in front");
		return STATUS_UNSUPPORTED;
	}
	if (MHD_is_feature_supported(MHD_FEATURE_EPOLL) != MHD_YES ||
	    MHD_is_feature_supported(MHD_FEATURE_UPGRADE) != MHD_YES) {
		fail("this libmicrohttpd was built without epoll or upgrade; install another one");
		return STATUS_UNSUPPORTED;
	}
	return STATUS_DONE;
}

/* A whole small file; free() it. 0 or -errno. */
static int read_text(const char *path, char **ret_text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;
	char *text = malloc(PEM_MAX + 1);
	ssize_t got = fd >= 0 && text ? read(fd, text, PEM_MAX) : -1;

	err = fd < 0 || text ? -errno : -ENOMEM;
	*ret_text = NULL;
	if (fd >= 0)
		close(fd);
	if (got < 0) {
		free(text);
		return err;
	}
	text[got] = '\0';
	*ret_text = text;
	return 0;
}

static int read_tls(const struct options *o, struct server_config *config)
{
	char *text;
	int err;

	if (!o->tls_cert)
		return STATUS_DONE;
	err = read_text(o->tls_cert, &text);
	if (err)
		return fail("read '%s': %s", o->tls_cert, strerror(-err));
	config->tls_certificate = text;
	err = read_text(o->tls_key, &text);
	if (err)
		return fail("read '%s': %s", o->tls_key, strerror(-err));
	config->tls_key = text;
	return STATUS_DONE;
}

static int read_token(const struct options *o, struct server_config *config)
{
	int err = o->token_file ? token_read(o->token_file, &config->token) : 0;

	if (err == -EBADMSG)
		return fail("token in '%s': needs %d to %d visible characters; "
			    "'head -c 24 /dev/urandom | base64' makes one", o->token_file,
			    TOKEN_LENGTH_MIN, TOKEN_LENGTH_MAX);
	if (err)
		return fail("read '%s': %s", o->token_file, strerror(-err));
	return STATUS_DONE;
}

/* One that was handed in takes the place of --listen, and of its default. */
static int take_handed_in(struct options *o, struct server_config *config)
{
	bool told = o->listen.ss_family != AF_UNSPEC;
	struct sockaddr_storage address = o->listen;
	int got = activation_take(&config->listen_fd, &address);

	if (got == -E2BIG)
		return fail("more than one socket was handed in (LISTEN_FDS); one is served");
	if (got == -EPROTOTYPE)
		return fail("the socket handed in is no listening TCP or Unix stream socket");
	if (got < 0)
		return fail("take the socket handed in: %s", strerror(-got));
	if (got && told) {
		fail("--listen, and a socket handed in: give one of them");
		return STATUS_USAGE;
	}
	o->listen = address;
	if (!got && !told)
		listener_parse("127.0.0.1:5000", &o->listen);
	return STATUS_DONE;
}

/* For the name of the Unix socket that we made to go with us. */
static int keep_directory(const struct options *o, struct server_config *config)
{
	const struct sockaddr_storage *address = &config->site.address;
	const char *path = ((const struct sockaddr_un *)address)->sun_path;
	const struct group *group;

	if (address->ss_family != AF_UNIX)
		return STATUS_DONE;
	config->socket_fd = listener_directory(address, &config->socket_name);
	if (config->socket_fd < 0)
		return fail("open the directory of '%s': %s", path, strerror(-config->socket_fd));
	if (!o->listen_group)
		return STATUS_DONE;
	group = getgrnam(o->listen_group);
	if (!group)
		return fail("--listen-group %s: there is no such group", o->listen_group);
	if (chown(path, (uid_t)-1, group->gr_gid))
		return fail("--listen-group %s: %s", o->listen_group, strerror(errno));
	return STATUS_DONE;
}

static int open_listener(const struct options *o, struct server_config *config)
{
	char where[LISTENER_TEXT];

	config->site = o->site;
	config->cors = o->cors;
	config->site.address = o->listen;
	if (config->listen_fd >= 0)
		return STATUS_DONE;
	config->listen_fd = listener_open(&config->site.address);
	if (config->listen_fd >= 0)
		return keep_directory(o, config);
	listener_format((const struct sockaddr *)&o->listen, where);
	if (config->listen_fd == -EADDRINUSE)
		return fail("listen on %s: the port is taken; --listen ADDR:PORT takes another one",
			    where);
	return fail("listen on %s: %s", where, strerror(-config->listen_fd));
}

static int open_web(const struct options *o, struct server_config *config)
{
	if (!o->web)
		return STATUS_DONE;
	config->web_fd = open(o->web, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return config->web_fd < 0 ? fail("open '%s': %s", o->web, strerror(errno)) : STATUS_DONE;
}

/* From here on nothing needs root. */
static int leave_root(const struct options *o)
{
	struct privilege_user user;
	const char *step;
	int err;

	if (geteuid() && getuid()) {
		if (o->user)
			return fail("--user %s: only root can become somebody else", o->user);
		privilege_no_new();
		return STATUS_DONE;
	}
	if (!o->user)
		return fail("serving as root is not safe; start it as another user, "
			    "or with --user NAME");
	err = privilege_find(o->user, &user);
	if (err)
		return fail("--user %s: %s", o->user, err == -ENOENT ? "there is no such user" :
			    err == -EPERM ? "that is root" : strerror(-err));
	err = privilege_drop(&user, &step);
	if (err)
		return fail("become '%s': %s: %s", o->user, step, strerror(-err));
	privilege_no_new();
	return STATUS_DONE;
}

/* Before there is a token or a key in memory: the one process that talks to others has neither. */
static int start_resolver(const struct options *o, struct server_config *config)
{
	int err = o->resolve ? resolver_process_start(o->user, &config->resolver_fd) : 0;

	return err ? fail("start the resolver process: %s", strerror(-err)) : STATUS_DONE;
}

/* Likewise. */
static int start_archive(const struct options *o, struct server_config *config)
{
	const struct archive_config archive = {
		.path = o->db, .user = o->user, .limit_ms = o->db_limit_ns / NS_PER_MS,
		.no_sandbox = o->no_sandbox,
	};
	int err = o->db ? archive_process_start(&archive, &config->archive_fd) : 0;

	config->archive_limit_ms = archive.limit_ms;
	if (err == -ENOENT)
		return fail("--db %s: there is no such directory", o->db);
	return err ? fail("--db %s: %s", o->db, strerror(-err)) : STATUS_DONE;
}

static int prepare(struct options *o, struct server_config *config)
{
	int status = take_handed_in(o, config);

	if (!status)
		status = check_options(o);

	if (!status)
		status = start_resolver(o, config);
	if (!status)
		status = start_archive(o, config);
	if (!status)
		status = read_token(o, config);
	if (!status)
		status = read_tls(o, config);
	if (!status)
		status = open_web(o, config);
	if (!status)
		status = open_listener(o, config);
	if (!status)
		status = leave_root(o);
	return status;
}

static void tell_ready(const struct server_config *config)
{
	char where[LISTENER_TEXT];
	int err;

	listener_format((const struct sockaddr *)&config->site.address, where);
	log_info("listening on %s%s",
		 config->site.address.ss_family == AF_UNIX ? ""
		 : config->tls_certificate		   ? "https://"
							   : "http://",
		 where);
	err = notify_ready(config->ready_fd < 0 ? NOTIFY_NO_FD : (uint64_t)config->ready_fd);
	if (err)
		fail("--ready-fd %d: %s", config->ready_fd, strerror(-err));
}

/* The key is in the library now; a copy in our memory would only be one more to lose. */
static void forget_key(struct server_config *config)
{
	if (config->tls_key)
		explicit_bzero((char *)config->tls_key, strlen(config->tls_key));
}

/* Files that libraries read when they are used first: /etc/localtime, /dev/urandom. */
static void use_first(void)
{
	when_read_zone();
	json_object_seed(0);
}

static int enter_sandbox(struct server *server)
{
	const struct server_config *config = &server->config;

	if (config->no_sandbox)
		return STATUS_DONE;
	use_first();
	return confine(config->web_fd, config->socket_fd, config->verbose, &server->sandbox);
}

static int run(struct server *server)
{
	int err, status = enter_sandbox(server);

	if (status)
		return status;
	tell_ready(&server->config);
	err = server_run(server);
	return err ? fail("wait for events: %s", strerror(-err)) : STATUS_DONE;
}

/*
 * Texts of snapshots, and what is made of them, come and go each second; keys of the last hour stay
 * for an hour. On one heap the ones keep the pages of the others, so large ones have pages of their
 * own. Unless told, malloc raises its limit as soon as one of them is freed.
 */
#define LARGE_BYTES (64 * 1024)

static int serve(struct server_config *config)
{
	struct server *server = calloc(1, sizeof(*server));
	int status = STATUS_FAILED, err;

	mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
	if (!server)
		return fail("start: %s", strerror(ENOMEM));
	err = server_start(server, config);
	forget_key(config);
	if (err == -EPROTO)
		fail("start libmicrohttpd: %s", *server->library_says ? server->library_says
								      : "it does not say why");
	else if (err)
		fail("start: %s", strerror(-err));
	if (!err)
		status = run(server);
	server_free(server);
	free(server);
	/* Whether that is allowed or not: the next one to listen there takes what is left over. */
	if (config->socket_fd >= 0)
		unlinkat(config->socket_fd, config->socket_name, 0);
	return status;
}

int main(int argc, char **argv)
{
	struct options options = {
		.ready_fd = UINT64_MAX,
		.connections = LIMIT_CONNECTIONS,
		.connections_per_address = LIMIT_CONNECTIONS_PER_ADDRESS,
		.ping_s = PING_S,
		.db_limit_ns = DB_LIMIT_S * NS_PER_S,
	};
	struct server_config config = {
		.listen_fd = -1, .socket_fd = -1, .web_fd = -1, .resolver_fd = -1,
		.archive_fd = -1, .ready_fd = -1,
	};
	int status;

	switch (parse_options(argc, argv, &options)) {
	case OPTIONS_END:
		return STATUS_DONE;
	case OPTIONS_BAD:
		return STATUS_USAGE;
	case OPTIONS_GO:
		break;
	}
	notify_open();
	config.input_fd = STDIN_FILENO;
	config.connections = options.connections;
	config.connections_per_address = options.connections_per_address;
	config.ping_ms = options.ping_s * 1000;
	config.verbose = options.verbose;
	config.no_sandbox = options.no_sandbox;
	if (options.ready_fd <= DESCRIPTOR_MAX)
		config.ready_fd = (int)options.ready_fd;
	status = prepare(&options, &config);
	if (status == STATUS_DONE)
		status = serve(&config);
	free((char *)config.tls_certificate);
	free((char *)config.tls_key);
	return status;
}
