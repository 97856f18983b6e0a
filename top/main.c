/* SPDX-License-Identifier: MIT */
/* top: what moves on the network, on the whole screen. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/log.h"
#include "common/options.h"
#include "common/sandbox_main.h"
#include "common/status.h"
#include "common/stop.h"
#include "top/compose.h"
#include "top/confine.h"
#include "top/feed.h"
#include "top/fetch.h"
#include "top/live.h"
#include "top/model.h"

#define COLUMNS_PLAIN 132	/* of --batch, where neither a terminal nor COLUMNS says it */
#define COLUMNS_MIN 20

static struct {
	const char *connect, *token_file, *ca_file, *sort, *filter;
	enum view_id view;
	bool batch, bytes, reverse, no_sandbox, verbose;
	uint64_t count;
} settings;

/* "one of processes, flows, ..." */
static const char *view_names(void)
{
	static char text[256];
	size_t length = 0;

	for (enum view_id id = 0; id < VIEW_DETAILS; id++)
		if (view_by_name(view_of(id)->name) == id)
			length += (size_t)snprintf(text + length, sizeof(text) - length, "%s %s",
						   length ? "," : "one of", view_of(id)->name);
	return text;
}

static int parse_view(const char *argument, void *target, const char **ret_why)
{
	enum view_id view = view_by_name(argument);

	if (view == VIEWS) {
		*ret_why = view_names();
		return -EINVAL;
	}
	*(enum view_id *)target = view;
	return 0;
}

static const struct program_info program = {
	.name = "top",
	.operands = "",
	.purpose = "Shows what moves on the network, on the whole screen: reader | aggregator | top.\n"
		   "Keys come from the terminal; ? tells them.",
};

static const struct option_row rows[] = {
	{ "connect", 'c', OPTION_STRING, "URL", "take snapshots from an httpd, not from stdin",
	  &settings.connect, 0, 0, false, NULL },
	{ "token-file", 0, OPTION_STRING, "FILE", "the token that httpd wants, in its first line",
	  &settings.token_file, 0, 0, false, NULL },
	{ "tls-ca", 0, OPTION_STRING, "FILE", "certificates to trust, for https",
	  &settings.ca_file, 0, 0, false, NULL },
	{ "view", 'V', OPTION_PARSED, "NAME", "begin with it: processes, flows, remotes, ... (processes)",
	  &settings.view, 0, 0, false, parse_view },
	{ "sort", 's', OPTION_STRING, "COLUMN", "begin with this order: a title of the view",
	  &settings.sort, 0, 0, false, NULL },
	{ "reverse", 'r', OPTION_FLAG, NULL, "the other way round", &settings.reverse, 0, 0, false, NULL },
	{ "filter", 'f', OPTION_STRING, "WORDS", "rows that have all of them; !word: not that one",
	  &settings.filter, 0, 0, false, NULL },
	{ "bytes", 'B', OPTION_FLAG, NULL, "rates in bytes a second, not bits", &settings.bytes, 0, 0,
	  false, NULL },
	{ "batch", 'b', OPTION_FLAG, NULL, "print plain lines, every row of every snapshot",
	  &settings.batch, 0, 0, false, NULL },
	{ "count", 'n', OPTION_NUMBER, "N", "with --batch: end after so many snapshots",
	  &settings.count, 1, 0, false, NULL },
	SANDBOX_OPTION(&settings.no_sandbox),
	{ "verbose", 'v', OPTION_FLAG, NULL, "with --batch: say on stderr what is left to it",
	  &settings.verbose, 0, 0, false, NULL },
	{ .name = NULL },
};

static int failed(const char *what, const char *why)
{
	log_error("%s: %s", what, why);
	return STATUS_FAILED;
}

/* ---- what to begin with --------------------------------------------------------- */

static int choose_order(struct model *model)
{
	const struct column *columns = model_view(model)->columns;
	struct order *order = &model->orders[settings.view];

	order->reversed = settings.reverse;
	if (!settings.sort)
		return STATUS_DONE;
	for (short i = 0; columns[i].title; i++)
		if (columns[i].kind != COLUMN_BARS && !strcasecmp(columns[i].title, settings.sort)) {
			order->column = i;
			return STATUS_DONE;
		}
	log_error("--sort '%s': view %s has no such column; its titles are above its rows",
		  settings.sort, model_view(model)->name);
	return STATUS_USAGE;
}

static int prepare(struct model *model)
{
	model_init(model, settings.view);
	model->as_bytes = settings.bytes;
	if (settings.filter && strlen(settings.filter) >= MODEL_FILTER) {
		log_error("--filter: more than %d bytes", MODEL_FILTER - 1);
		return STATUS_USAGE;
	}
	if (settings.filter)
		model_filter(model, settings.filter);
	return choose_order(model);
}

/* ---- where snapshots come from ---------------------------------------------------- */

/* The first line of the file. */
static int read_token(char *ret_token, size_t size)
{
	int fd = open(settings.token_file, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, ret_token, size - 1);

	if (got < 0) {
		int err = errno;

		if (fd >= 0)
			close(fd);
		return failed(settings.token_file, strerror(err));
	}
	close(fd);
	ret_token[got] = '\0';
	ret_token[strcspn(ret_token, "\r\n")] = '\0';
	return *ret_token ? STATUS_DONE : failed(settings.token_file, "holds no token in its first line");
}

static int connect_feed(struct feed *feed)
{
	char token[FETCH_TOKEN_MAX];
	struct fetch fetch = { .url = settings.connect, .ca_file = settings.ca_file };
	int fd, err;

	if (strncmp(settings.connect, "http://", 7) && strncmp(settings.connect, "https://", 8)) {
		failed(settings.connect, "is no http:// or https:// address");
		return STATUS_USAGE;
	}
	if (settings.token_file) {
		if (read_token(token, sizeof(token)) != STATUS_DONE)
			return STATUS_FAILED;
		fetch.token = token;
	}
	err = fetch_start(&fetch, &fd);
	explicit_bzero(token, sizeof(token));
	if (err)
		return failed("start a process for --connect", strerror(-err));
	feed_init(feed, fd);
	return STATUS_DONE;
}

static int open_feed(struct feed *feed)
{
	if (settings.connect)
		return connect_feed(feed);
	if (settings.token_file || settings.ca_file) {
		failed("--token-file, --tls-ca", "belong to --connect URL");
		return STATUS_USAGE;
	}
	if (isatty(STDIN_FILENO)) {
		failed("stdin", "is a terminal: reader | aggregator | top, or top --connect URL");
		return STATUS_USAGE;
	}
	feed_init(feed, STDIN_FILENO);
	return STATUS_DONE;
}

/* ---- plain lines ------------------------------------------------------------------- */

static int plain_columns(void)
{
	const char *text = getenv("COLUMNS");
	struct winsize size;
	uint64_t columns;

	if (text && !options_number(text, COLUMNS_MIN, FRAME_COLUMNS_MAX, false, &columns))
		return (int)columns;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= COLUMNS_MIN)
		return size.ws_col;
	return COLUMNS_PLAIN;
}

static int print(const struct feed *feed, struct model *model, json_t *snapshot)
{
	struct feed_facts facts = {
		.trouble = feed->recorder[0] ? feed->recorder : NULL,
		.unread = feed->unread,
	};

	if (model_take(model, snapshot) || compose_plain(stdout, model, &facts, plain_columns()))
		return failed("print", strerror(ENOMEM));
	if (!fflush(stdout) || errno == EPIPE)
		return STATUS_DONE;
	return failed("write to stdout", strerror(errno));
}

static bool is_enough(uint64_t printed)
{
	return settings.count && printed == settings.count;
}

/* The snapshots that are there; *ret_printed counts. */
static int print_all(struct feed *feed, struct model *model, uint64_t *ret_printed)
{
	int status = STATUS_DONE;
	const char *line;
	size_t length;

	while (status == STATUS_DONE && !is_enough(*ret_printed) && (line = feed_next(feed, &length))) {
		json_t *snapshot = feed_parse(feed, line, length);

		if (!snapshot)
			continue;
		status = print(feed, model, snapshot);
		++*ret_printed;
	}
	return status;
}

/* Reads once; false: nothing more will come. */
static bool fill(struct feed *feed, int *ret_status)
{
	struct pollfd fds[] = { { .fd = feed->fd, .events = POLLIN }, { .fd = STDOUT_FILENO } };
	int err = stop_poll(fds, 2, -1);

	if (err >= 0 && !stop_is_wanted() && !(fds[1].revents & (POLLERR | POLLHUP)))
		err = feed_fill(feed);
	else if (err >= 0)
		return false;
	if (err < 0 && err != -EINTR && err != -EAGAIN)
		*ret_status = failed("read", strerror(-err));
	return *ret_status == STATUS_DONE && !stop_is_wanted();
}

static int run_batch(struct feed *feed, struct model *model)
{
	int status = confine_printing();
	uint64_t printed = 0;

	stop_install();
	while (status == STATUS_DONE && !feed->ended && fill(feed, &status)) {
		status = print_all(feed, model, &printed);
		if (status != STATUS_DONE || is_enough(printed))
			return status;
		if (settings.connect && feed->connect[0])
			return failed(settings.connect, feed->connect);
	}
	if (status == STATUS_DONE && feed->ended && !printed)
		status = failed("stdin", "has no snapshot; they come from aggregator");
	return status;
}

static int run_live(struct feed *feed, struct model *model)
{
	const char *why = "";
	int err = live_run(feed, model, &why);

	if (!err)
		return STATUS_DONE;
	if (err != -ENXIO && err != -ENOTSUP)
		return failed(why, strerror(-err));
	log_error("terminal: %s; --batch prints plain lines", why);
	return STATUS_UNSUPPORTED;
}

int main(int argc, char **argv)
{
	struct model model;
	struct feed feed = { 0 };
	int operands, status;

	setlocale(LC_CTYPE, "");
	switch (options_parse(&program, rows, argc, argv, &operands)) {
	case OPTIONS_END:
		return STATUS_DONE;
	case OPTIONS_BAD:
		return STATUS_USAGE;
	case OPTIONS_GO:
		break;
	}
	confine_as(settings.no_sandbox, settings.verbose);
	status = prepare(&model);
	if (status == STATUS_DONE)
		status = open_feed(&feed);
	if (status == STATUS_DONE)
		status = settings.batch ? run_batch(&feed, &model) : run_live(&feed, &model);
	feed_free(&feed);
	model_free(&model);
	return status;
}
