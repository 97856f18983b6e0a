/* SPDX-License-Identifier: MIT */
/* A process that asks an httpd for its stream. */
#include "top/fetch.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "top/confine.h"
#include "top/sse.h"

#define RETRY_FIRST_MS 500
#define RETRY_MOST_MS 8000
#define CONNECT_S 10L
#define SILENCE_S 60L		/* httpd shows a sign of life every 15 s */
#define URL_BYTES 4096
#define SAY_BYTES (2 * CURL_ERROR_SIZE)
#define HOST_BYTES 256
#define ENTRY_BYTES 2048	/* of a host and its addresses: some thirty */
#define CERTIFICATES_MAX 7000000	/* libcurl takes no longer ones */

struct stream {
	int fd;
	CURL *curl;
	struct sse sse;
	bool open;		/* it answered */
	bool closed;		/* nobody reads the pipe */
	char why[CURL_ERROR_SIZE];
};

static void put(struct stream *s, const char *bytes, size_t length)
{
	while (length && !s->closed) {
		ssize_t n = write(s->fd, bytes, length);

		if (n < 0 && errno != EINTR)
			s->closed = true;
		if (n > 0) {
			bytes += n;
			length -= (size_t)n;
		}
	}
}

/* Why there is nothing; NULL: there is something. */
static void say(struct stream *s, const char *why)
{
	json_t *line = json_pack("{s:s,s:s?}", "type", "connect", "why", why);
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

	if (text) {
		put(s, text, strlen(text));
		put(s, "\n", 1);
	}
	free(text);
	json_decref(line);
}

static size_t on_body(char *bytes, size_t one, size_t n, void *arg)
{
	struct stream *s = arg;
	char *lines = malloc(n + 1);

	(void)one;	/* is 1 */
	if (!lines)
		return 0;
	if (!s->open)
		say(s, NULL);
	s->open = true;
	put(s, lines, sse_lines(&s->sse, bytes, n, lines));
	free(lines);
	return s->closed ? 0 : n;
}

/* What curl says may quote bytes of an address, which are UTF-8 or are not. */
static void make_ascii(char *text)
{
	for (; *text; text++)
		if (*text & 0x80)
			*text = '?';
}

static void explain(struct stream *s, CURLcode code)
{
	long status = 0;
	char text[SAY_BYTES];

	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 401)
		snprintf(text, sizeof(text), "it wants a token, and not this one: --token-file FILE");
	else if (status >= 300)
		snprintf(text, sizeof(text), "it answers %ld: is it an httpd of jopil?", status);
	else if (code == CURLE_OK)
		snprintf(text, sizeof(text), "the stream has ended; asking again");
	else
		snprintf(text, sizeof(text), "%s", s->why[0] ? s->why : curl_easy_strerror(code));
	make_ascii(text);
	say(s, text);
}

static void wait_ms(struct stream *s, int ms)
{
	struct pollfd reader = { .fd = s->fd };

	if (poll(&reader, 1, ms) > 0)
		s->closed = true;
}

/* ---- the server ------------------------------------------------------------------ */

struct server {
	char host[HOST_BYTES];	/* as libcurl looks for it among what it knows */
	uint16_t port;
};

static bool parse_server(const char *url, struct server *ret_server)
{
	char *host = NULL, *port = NULL;
	CURLU *parts = curl_url();
	bool good = parts && !curl_url_set(parts, CURLUPART_URL, url, 0) &&
		    !curl_url_get(parts, CURLUPART_HOST, &host, CURLU_PUNYCODE) &&
		    !curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
		    strlen(host) < sizeof(ret_server->host);

	if (good) {
		strcpy(ret_server->host, host);
		ret_server->port = (uint16_t)strtoul(port, NULL, 10);
	}
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(parts);
	return good;
}

static bool is_number(const char *host)
{
	struct in_addr ipv4;

	return *host == '[' || inet_pton(AF_INET, host, &ipv4) == 1;
}

/* "host:port:address,address" */
static void spell(const struct server *server, const struct addrinfo *found,
		  char ret_entry[ENTRY_BYTES])
{
	size_t at = (size_t)snprintf(ret_entry, ENTRY_BYTES, "%s:%u:", server->host, server->port);
	char address[INET6_ADDRSTRLEN + IFNAMSIZ + 1];
	const char *comma = "";

	for (; found && at + sizeof(address) + 4 < ENTRY_BYTES; found = found->ai_next) {
		bool ipv6 = found->ai_family == AF_INET6;

		if (getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof(address), NULL, 0,
				NI_NUMERICHOST))
			continue;
		at += (size_t)snprintf(ret_entry + at, ENTRY_BYTES - at, "%s%s%s%s", comma,
				       ipv6 ? "[" : "", address, ipv6 ? "]" : "");
		comma = ",";
	}
}

/*
 * Its addresses, asked for until there are some: afterwards this process can read no file and
 * speak to no name server. NULL: nobody wants them any more, or without memory.
 */
static struct curl_slist *find(struct stream *s, const struct server *server)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char entry[ENTRY_BYTES];
	int ms = RETRY_FIRST_MS;

	while (!s->closed) {
		struct addrinfo *found;
		int code = getaddrinfo(server->host, NULL, &hints, &found);

		if (!code) {
			spell(server, found, entry);
			freeaddrinfo(found);
			return curl_slist_append(NULL, entry);
		}
		snprintf(s->why, sizeof(s->why), "%s: %s", server->host, gai_strerror(code));
		say(s, s->why);
		wait_ms(s, ms);
		ms = ms < RETRY_MOST_MS ? 2 * ms : ms;
	}
	return NULL;
}

/* ---- what libcurl is told -------------------------------------------------------- */

/* A file, to be freed. 0 or an errno. */
static int load(const char *path, struct curl_blob *ret_blob)
{
	FILE *file = fopen(path, "re");
	int err = 0;

	if (!file)
		return errno;
	ret_blob->data = malloc(CERTIFICATES_MAX);
	if (ret_blob->data)
		ret_blob->len = fread(ret_blob->data, 1, CERTIFICATES_MAX, file);
	if (!ret_blob->data || ferror(file) || !feof(file))
		err = EFBIG;
	fclose(file);
	return err;
}

/* Its own look at whether anybody reads: libcurl waits for the server only. */
static int is_unwanted(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct stream *s = arg;

	(void)a, (void)b, (void)c, (void)d;
	wait_ms(s, 0);
	return s->closed;
}

/* Before files are given up. Without certificates no server is trusted, and libcurl says so. */
static bool trust(struct stream *s, const struct fetch *fetch)
{
	const char *path = fetch->ca_file ? fetch->ca_file : curl_version_info(CURLVERSION_NOW)->cainfo;
	struct curl_blob blob = { .flags = CURL_BLOB_COPY };
	int err = path ? load(path, &blob) : 0;
	bool good = !err || !fetch->ca_file;

	if (!good)
		snprintf(s->why, sizeof(s->why), "%s: %s", path, strerror(err));
	else
		good = !curl_easy_setopt(s->curl, CURLOPT_CAINFO_BLOB, &blob) &&
		       !curl_easy_setopt(s->curl, CURLOPT_CAPATH, NULL);
	free(blob.data);
	return good;
}

static bool set_up_address(struct stream *s, const struct fetch *fetch, struct curl_slist **ret_headers)
{
	char url[URL_BYTES], header[FETCH_TOKEN_MAX + 32];
	int length = (int)strlen(fetch->url);
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: text/event-stream");

	while (length && fetch->url[length - 1] == '/')
		length--;
	snprintf(url, sizeof(url), "%.*s/events", length, fetch->url);
	if (fetch->token) {
		snprintf(header, sizeof(header), "Authorization: Bearer %s", fetch->token);
		headers = curl_slist_append(headers, header);
		explicit_bzero(header, sizeof(header));
	}
	*ret_headers = headers;
	return headers && !curl_easy_setopt(s->curl, CURLOPT_URL, url) &&
	       !curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, headers) &&
	       !curl_easy_setopt(s->curl, CURLOPT_PROTOCOLS_STR, "http,https") &&
	       !curl_easy_setopt(s->curl, CURLOPT_NOPROXY, "*");
}

static bool set_up(struct stream *s)
{
	return !curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S) &&
	       !curl_easy_setopt(s->curl, CURLOPT_LOW_SPEED_LIMIT, 1L) &&
	       !curl_easy_setopt(s->curl, CURLOPT_LOW_SPEED_TIME, SILENCE_S) &&
	       !curl_easy_setopt(s->curl, CURLOPT_FAILONERROR, 1L) &&
	       !curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, s->why) &&
	       !curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, on_body) &&
	       !curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s) &&
	       !curl_easy_setopt(s->curl, CURLOPT_NOPROGRESS, 0L) &&
	       !curl_easy_setopt(s->curl, CURLOPT_XFERINFOFUNCTION, is_unwanted) &&
	       !curl_easy_setopt(s->curl, CURLOPT_XFERINFODATA, s);
}

/* All that takes files and name servers; then neither is left. What did not work is in why. */
static bool prepare(struct stream *s, const struct fetch *fetch, struct curl_slist **ret_headers,
		    struct curl_slist **ret_found)
{
	struct server server;
	const char *step;
	int err;

	strcpy(s->why, "libcurl refuses the address or the options");
	if (!parse_server(fetch->url, &server) || !set_up_address(s, fetch, ret_headers) ||
	    !trust(s, fetch) || !set_up(s))
		return false;
	if (!is_number(server.host)) {
		*ret_found = find(s, &server);
		if (!*ret_found || curl_easy_setopt(s->curl, CURLOPT_RESOLVE, *ret_found))
			return false;
	}
	err = confine_fetch(server.port, &step);
	if (err)
		snprintf(s->why, sizeof(s->why), "enter the sandbox: %s: %s; --no-sandbox goes without", step,
			 strerror(-err));
	return !err;
}

static void run(struct stream *s)
{
	int ms = RETRY_FIRST_MS;

	while (!s->closed) {
		CURLcode code;

		memset(&s->sse, 0, sizeof(s->sse));
		s->open = false;
		s->why[0] = '\0';
		code = curl_easy_perform(s->curl);
		if (s->open)
			put(s, "\n", 1);	/* behind half a line */
		explain(s, code);
		ms = s->open ? RETRY_FIRST_MS : ms < RETRY_MOST_MS ? 2 * ms : ms;
		wait_ms(s, ms);
	}
}

/* It ends with us, and never reads what is ours. */
static bool stand_apart(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	close(STDIN_FILENO);
	return open("/dev/null", O_RDONLY) >= 0 && !curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void child(const struct fetch *fetch, int fd)
{
	struct stream s = { .fd = fd };
	struct curl_slist *headers = NULL, *found = NULL;

	if (!stand_apart())
		_exit(1);
	s.curl = curl_easy_init();
	if (s.curl && prepare(&s, fetch, &headers, &found))
		run(&s);
	else
		say(&s, s.why);
	curl_easy_cleanup(s.curl);
	curl_slist_free_all(headers);
	curl_slist_free_all(found);
	_exit(0);
}

int fetch_start(const struct fetch *fetch, int *ret_fd)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		int err = -errno;

		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (!pid) {
		close(fds[0]);
		child(fetch, fds[1]);
	}
	close(fds[1]);
	*ret_fd = fds[0];
	return 0;
}
