/* SPDX-License-Identifier: MIT */
/* A process that asks an httpd for its stream. */
#include "top/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "top/sse.h"

#define RETRY_FIRST_MS 500
#define RETRY_MOST_MS 8000
#define CONNECT_S 10L
#define SILENCE_S 60L		/* httpd shows a sign of life every 15 s */
#define URL_BYTES 4096
#define SAY_BYTES (2 * CURL_ERROR_SIZE)

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

static bool set_up(struct stream *s, const struct fetch *fetch, struct curl_slist **ret_headers)
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
	       !curl_easy_setopt(s->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S) &&
	       !curl_easy_setopt(s->curl, CURLOPT_LOW_SPEED_LIMIT, 1L) &&
	       !curl_easy_setopt(s->curl, CURLOPT_LOW_SPEED_TIME, SILENCE_S) &&
	       !curl_easy_setopt(s->curl, CURLOPT_FAILONERROR, 1L) &&
	       !curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, s->why) &&
	       !curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, on_body) &&
	       !curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s) &&
	       (!fetch->ca_file || !curl_easy_setopt(s->curl, CURLOPT_CAINFO, fetch->ca_file));
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

static void child(const struct fetch *fetch, int fd)
{
	struct stream s = { .fd = fd };
	struct curl_slist *headers = NULL;

	/* It ends with us, and never reads what is ours. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	close(STDIN_FILENO);
	if (open("/dev/null", O_RDONLY) < 0 || curl_global_init(CURL_GLOBAL_DEFAULT))
		_exit(1);
	s.curl = curl_easy_init();
	if (s.curl && set_up(&s, fetch, &headers))
		run(&s);
	else
		say(&s, "libcurl refuses the address or the options");
	curl_slist_free_all(headers);
	curl_easy_cleanup(s.curl);
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
