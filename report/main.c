/* SPDX-License-Identifier: MIT */
/* report: questions to the recorder's database. */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/ask_steps.h"
#include "common/log.h"
#include "common/options.h"
#include "common/sandbox_main.h"
#include "common/status.h"
#include "report/confine.h"
#include "report/export.h"
#include "report/format.h"

#define DEFAULT_DB "/var/lib/jopil/flows.db"
#define LIMIT_UNSET UINT64_MAX
#define PURPOSE_MAX 2048

static const struct question export = {
	"export", "rows as they are kept: --by traffic, interface, protocol, port, drop, latency, flow",
	ASKS_BY | ASKS_PROCESS | ASKS_IP | ASKS_PROTO | ASKS_HOST | ASKS_LIMIT | ASKS_STEP, export_bys, 0,
	export_run, NULL,
};

static struct {
	const char *db;
	bool no_sandbox, verbose;
	struct question_range range;
	struct ask_request request;
} settings = {
	.db = DEFAULT_DB,
	.request = { .limit = LIMIT_UNSET, .writer = &table_writer },
};

static int parse_network(const char *argument, void *target, const char **ret_why)
{
	return ask_network_parse(argument, target, ret_why);
}

static int parse_step(const char *argument, void *target, const char **ret_why)
{
	*ret_why = "no step; there are " STEPS;
	if (!steps_are(argument))
		return -EINVAL;
	*(const char **)target = argument;
	return 0;
}

static int parse_format(const char *argument, void *target, const char **ret_why)
{
	const struct writer *writer = writer_find(argument);

	*ret_why = "no format; there are table, json, ndjson, csv, prom";
	if (!writer)
		return -EINVAL;
	*(const struct writer **)target = writer;
	return 0;
}

static const struct option_row rows[] = {
	{ "by", 'b', OPTION_STRING, "WHAT", "rows are told apart by",
	  &settings.request.by, 0, 0, false, NULL },
	{ "last", 'l', OPTION_STRING, "TIME", "from so long ago: 2h, 7d, 1mo (" QUESTION_LAST ")",
	  &settings.range.last, 0, 0, false, NULL },
	{ "from", 'f', OPTION_STRING, "TIME", "2h ago, yesterday, 'monday 14:00', 2026-11-21T14:00Z, Unix",
	  &settings.range.from, 0, 0, false, NULL },
	{ "to", 't', OPTION_STRING, "TIME", "its end, in the same ways (now)",
	  &settings.range.to, 0, 0, false, NULL },
	{ "step", 's', OPTION_PARSED, "STEP", STEPS,
	  &settings.request.step, 0, 0, false, parse_step },
	{ "process", 'p', OPTION_STRING, "NAME", "only of this command",
	  &settings.request.process, 0, 0, false, NULL },
	{ "ip", 'i', OPTION_PARSED, "CIDR", "only with these remotes",
	  &settings.request.network, 0, 0, false, parse_network },
	{ "proto", 'P', OPTION_STRING, "NAME", "only of this protocol",
	  &settings.request.proto, 0, 0, false, NULL },
	{ "host", 'H', OPTION_STRING, "NAME", "only of this host",
	  &settings.request.host, 0, 0, false, NULL },
	{ "limit", 'n', OPTION_NUMBER, "N", "rows at most, 0: all",
	  &settings.request.limit, 0, INT32_MAX, false, NULL },
	{ "format", 'F', OPTION_PARSED, "FORMAT", "table, json, ndjson, csv, prom",
	  &settings.request.writer, 0, 0, false, parse_format },
	{ "db", 'd', OPTION_STRING, "FILE", "the recorder's database (" DEFAULT_DB ")",
	  &settings.db, 0, 0, false, NULL },
	SANDBOX_OPTION(&settings.no_sandbox),
	{ "verbose", 'v', OPTION_FLAG, NULL, "say on stderr what is left to it",
	  &settings.verbose, 0, 0, false, NULL },
	{ .name = NULL },
};

static int usage(const char *what, const char *which, const char *why)
{
	log_error("%s '%s': %s", what, which, why);
	return STATUS_USAGE;
}

/* ---- the question ---------------------------------------------------------- */

/* The one with that number; NULL: there are no more. */
static const struct question *question_at(size_t i)
{
	return i < QUESTIONS ? &questions[i] : i == QUESTIONS ? &export : NULL;
}

static const struct question *find_question(const char *name)
{
	const struct question *question;

	for (size_t i = 0; (question = question_at(i)); i++)
		if (!strcmp(question->name, name))
			return question;
	return NULL;
}

static bool has_by(const struct question *question, const char *by)
{
	for (const char *const *known = question->bys; *known; known++)
		if (!strcmp(*known, by))
			return true;
	return false;
}

static int check_options(const struct question *question, const struct ask_request *r)
{
	const struct {
		bool is_given;
		unsigned int option;
		const char *name;
	} given[] = {
		{ r->by, ASKS_BY, "--by" },
		{ r->process, ASKS_PROCESS, "--process" },
		{ r->network.family, ASKS_IP, "--ip" },
		{ r->proto, ASKS_PROTO, "--proto" },
		{ r->host, ASKS_HOST, "--host" },
		{ r->step, ASKS_STEP, "--step" },
		{ r->limit != LIMIT_UNSET, ASKS_LIMIT, "--limit" },
	};
	unsigned int known = question_options(question, r->by);

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (given[i].is_given && !(given[i].option & known))
			return usage(given[i].name, r->by ? r->by : question->name, "has no such choice");
	if (r->by && !has_by(question, r->by))
		return usage("--by", r->by, "is not what this is told apart by; --help lists what is");
	return STATUS_DONE;
}

static int parse_range(struct ask_request *r)
{
	const char *name, *why;
	const struct {
		const char *name, *text;
	} given[] = {
		{ "from", settings.range.from }, { "to", settings.range.to }, { "step", r->step },
		{ "last", settings.range.last ? settings.range.last : QUESTION_LAST },
	};

	if (!question_range(&settings.range, (int64_t)time(NULL), r, &name, &why))
		return STATUS_DONE;
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (!strcmp(given[i].name, name)) {
			fprintf(stderr, "report: --%s '%s': %s\n", name, given[i].text, why);
			break;
		}
	return STATUS_USAGE;
}

static int make_request(struct ask_request *r, const char *name, const struct question **ret_question)
{
	const struct question *question = find_question(name);
	int status;

	if (!question)
		return usage("question", name, "is none; report --help lists them");
	r->verb = question->name;
	status = check_options(question, r);
	if (status == STATUS_DONE)
		status = parse_range(r);
	if (r->limit == LIMIT_UNSET)
		r->limit = question->limit;
	if (!r->by && question->bys)
		r->by = question->bys[0];
	*ret_question = question;
	return status;
}

/* ---- the answer ------------------------------------------------------------ */

static int failed(const char *what, const char *why)
{
	log_error("%s: %s", what, why);
	return STATUS_FAILED;
}

static int answer(const struct question *question)
{
	struct ask ask = { .request = &settings.request };
	char *found = realpath(settings.db, NULL);
	const char *path = found ? found : settings.db;
	int status = settings.no_sandbox ? STATUS_DONE : confine(path, settings.verbose);

	if (status != STATUS_DONE) {
		free(found);
		return status;
	}
	settings.request.out = stdout;
	ask.status = store_open_reader(path, &ask.db, &ask.why);
	free(found);
	if (ask.status != STORE_OK)
		return failed(settings.db, store_complaint(ask.status, ask.why));
	question_run(question, &ask);
	sqlite3_close(ask.db);
	if (ask.status != STORE_OK)
		return failed(settings.db, store_complaint(ask.status, ask.why));
	return answer_is_cut() ? failed("answer", strerror(ENOMEM)) : STATUS_DONE;
}

/* Nobody reads any more: a clean end. */
static bool is_stdout_closed(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) == 1 && out.revents & POLLERR;
}

static int finish(int status)
{
	bool is_good = !fflush(stdout) && !ferror(stdout);

	if (is_good || is_stdout_closed())
		return status;
	return failed("write to stdout", "not all of the answer could be written");
}

static const char *purpose(void)
{
	static char text[PURPOSE_MAX];
	const struct question *question;
	size_t at = (size_t)snprintf(text, sizeof(text), "Answers from what recorder has kept:");

	for (size_t i = 0; (question = question_at(i)) && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "\n  %-10s %s", question->name,
				       question->help);
	return text;
}

int main(int argc, char **argv)
{
	struct program_info program = { "report", "QUESTION", purpose(), true };
	const struct question *question;
	int operand, status;

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	switch (options_parse(&program, rows, argc, argv, &operand)) {
	case OPTIONS_END:
		return finish(STATUS_DONE);
	case OPTIONS_BAD:
		return STATUS_USAGE;
	case OPTIONS_GO:
		break;
	}
	if (argc - operand != 1)
		return usage("question", argc > operand ? argv[operand + 1] : "",
			     "give one, as in report top; report --help lists them");
	status = make_request(&settings.request, argv[operand], &question);
	if (status != STATUS_DONE)
		return status;
	return finish(answer(question));
}
