/* SPDX-License-Identifier: MIT */
/* The names of the addresses in the latest snapshot, as /api/names tells them. */
#include "httpd/names.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "httpd/api.h"
#include "httpd/server.h"

const struct parameter names_parameters[] = {
	{ "ip", PARAMETER_IP, "an address, or a network such as 10.0.0.0/8",
	  .keys = (const char *const[]){ "ip", NULL } },
	{ .name = NULL },
};

const struct member names_members[] = {
	{ "timestamp", "null:unix_ms", .what = "Unix time in milliseconds of the snapshot" },
	{ "stale", "boolean", .what = "as in /health" },
	{ "enabled", "boolean", .what = "whether names are looked up: --resolve" },
	{ "running", "boolean", .what = "whether the process that does it is there" },
	{ "names", "map:string", .what = "name by address, most bytes first: the claim of whoever "
	  "owns the address" },
	{ "confirmed", "array:string", .what = "addresses whose name leads back to them" },
	{ "pending", "integer", .what = "addresses that are being asked for, or wait for it" },
	{ "failed", "integer", .what = "addresses that have no name, or nobody could say; "
	  "asked again after five minutes" },
	{ "asked", "integer", .what = "questions since the start, of all addresses" },
	{ "found", "integer", .what = "answers with a name" },
	{ "refused", "integer", .what = "answers with what is no host name" },
	{ "unanswered", "integer", .what = "questions without an answer" },
	{ "restarts", "integer", .what = "of the process, after a crash" },
	{ .key = NULL },
};

static bool is_asked_for(const struct request *request, const struct named *named)
{
	char row[INET6_ADDRSTRLEN + 16];
	int length;

	if (!request->wants->filter_count)
		return true;
	length = snprintf(row, sizeof(row), "{\"ip\":\"%s\"}", named->text);
	return list_row_matches(request->wants, (struct slice){ row, (size_t)length });
}

struct found {
	size_t named, confirmed, pending, failed;
};

/* A host name and an address have no character that JSON would want escaped. */
static void write_name(struct body *names, struct body *confirmed, const struct named *named,
		       struct found *found)
{
	if (named->name)
		body_printf(names, "%s\"%s\":\"%s\"", found->named++ ? "," : "", named->text,
			    named->name);
	if (named->name && named->confirmed)
		body_printf(confirmed, "%s\"%s\"", found->confirmed++ ? "," : "", named->text);
	found->failed += named->state == NAMED_NO;
	found->pending += named->state == NAMED_NOT_YET || named->state == NAMED_ASKED;
}

static void write_counters(struct body *body, const struct resolver *resolver)
{
	const struct resolver_counters *c = &resolver->counters;

	body_printf(body, ",\"asked\":%" PRIu64 ",\"found\":%" PRIu64 ",\"refused\":%" PRIu64,
		    c->asked, c->found, c->refused);
	body_printf(body, ",\"unanswered\":%" PRIu64 ",\"restarts\":%" PRIu64, c->unanswered,
		    c->restarts);
}

enum MHD_Result names_answer(struct server *server, struct request *request)
{
	struct resolver *resolver = &server->resolver;
	struct body body = { 0 }, confirmed = { 0 };
	struct found found = { 0 };

	if (!server->shot)
		return api_waiting(request);
	if (resolver->enabled && resolver_note(resolver, server->shot, server->counters.snapshots,
					       server_now_ms()))
		return MHD_NO;
	api_begin(server, &body);
	body_printf(&body, ",\"enabled\":%s,\"running\":%s,\"names\":{",
		    resolver->enabled ? "true" : "false", resolver->fd >= 0 ? "true" : "false");
	for (size_t i = 0; i < resolver->wanted_count; i++)
		if (is_asked_for(request, resolver->wanted[i]))
			write_name(&body, &confirmed, resolver->wanted[i], &found);
	body_printf(&body, "},\"confirmed\":[");
	body_add(&body, confirmed.data, confirmed.length);
	body_printf(&body, "],\"pending\":%zu,\"failed\":%zu", found.pending, found.failed);
	write_counters(&body, resolver);
	body.failed |= confirmed.failed;
	free(confirmed.data);
	return api_end(request, &body);
}
