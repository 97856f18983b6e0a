/* SPDX-License-Identifier: MIT */
/* What can be asked of the database, as a table. */
#include "common/questions.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "common/ask_steps.h"
#include "common/when.h"

const struct question questions[QUESTIONS] = {
	{ "top", "who moved most: --by process, remote, protocol, port, flow",
	  ASKS_BY | ASKS_PROCESS | ASKS_IP | ASKS_PROTO | ASKS_HOST | ASKS_LIMIT, top_bys, 10, top_run,
	  top_shapes },
	{ "history", "how much when, as bars", ASKS_PROCESS | ASKS_IP | ASKS_PROTO | ASKS_HOST | ASKS_STEP,
	  NULL, 0, history_run, history_shapes },
	{ "protocols", "what was on the wire, by protocol", ASKS_PROTO | ASKS_HOST | ASKS_LIMIT, NULL, 0,
	  protocols_run, protocols_shapes },
	{ "remotes", "whom processes talked to", ASKS_PROCESS | ASKS_IP | ASKS_PROTO | ASKS_HOST | ASKS_LIMIT,
	  NULL, 10, remotes_run, remotes_shapes },
	{ "drops", "what the kernel dropped, and why", ASKS_PROTO | ASKS_HOST | ASKS_LIMIT, NULL, 0,
	  drops_run, drops_shapes },
	{ "latency", "percentiles of round-trip times", ASKS_HOST, NULL, 0, latency_run, latency_shapes },
	{ "flows", "large flows that ended", ASKS_PROCESS | ASKS_IP | ASKS_PROTO | ASKS_HOST | ASKS_LIMIT,
	  NULL, 10, flows_run, flows_shapes },
};

/* What --by cannot be filtered by, since it is not kept with it. */
static unsigned int lacks(const struct question *question, const char *by)
{
	static const struct {
		const char *by;
		unsigned int lacks;
	} lacking[] = {
		{ "port", ASKS_PROCESS | ASKS_IP },
		{ "interface", ASKS_PROCESS | ASKS_IP | ASKS_PROTO },
		{ "drop", ASKS_PROCESS | ASKS_IP },
		{ "latency", ASKS_PROCESS | ASKS_IP | ASKS_PROTO },
		{ "flow", ASKS_STEP },
	};

	for (size_t i = 0; by && i < sizeof(lacking) / sizeof(lacking[0]); i++)
		if (!strcmp(lacking[i].by, by))
			return lacking[i].lacks;
	/* What processes move by protocol is traffic; on the wire there is no process. */
	if (by && !strcmp(question->name, "export") && !strcmp(by, "protocol"))
		return ASKS_PROCESS | ASKS_IP;
	return 0;
}

unsigned int question_options(const struct question *question, const char *by)
{
	return question->options & ~lacks(question, by);
}

/* What has come in the second that has begun belongs to an end of now. */
static bool ends_now(const struct question_range *range)
{
	return !range->to || !strcasecmp(range->to, "now");
}

int question_range(const struct question_range *range, int64_t now, struct ask_request *r,
		   const char **ret_name, const char **ret_why)
{
	const char *last = range->last ? range->last : QUESTION_LAST;

	r->now = r->to = now;
	*ret_name = "last";
	*ret_why = "not together with from: both say where it begins";
	if (range->from && range->last)
		return -EINVAL;
	*ret_name = "to";
	if (range->to && when_parse(range->to, now, now, &r->to, ret_why))
		return -EINVAL;
	/* What lasts so long counts from the end; from counts from now. */
	*ret_name = range->from ? "from" : "last";
	if (range->from ? when_parse(range->from, now, now, &r->from, ret_why)
			: when_parse(last, now, r->to, &r->from, ret_why))
		return -EINVAL;
	*ret_why = "is not before the end";
	if (r->from >= r->to)
		return -EINVAL;
	r->to += ends_now(range);
	*ret_name = "step";
	*ret_why = "makes too many steps of so long a time";
	return r->step && !steps_fit(r->step, r->from, r->to) ? -EINVAL : 0;
}

bool question_run(const struct question *question, struct ask *a)
{
	if (ask_check(a, sqlite3_exec(a->db, "BEGIN", NULL, NULL, NULL)))
		question->run(a);
	ask_free(a);
	/* Of a transaction that has only read, nothing can go wrong. */
	sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
	return a->status == STORE_OK;
}
