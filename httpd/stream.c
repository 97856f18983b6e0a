/* SPDX-License-Identifier: MIT */
/* What requests for a stream have in common: topics, and room for one more. */
#include "httpd/stream.h"

#define NAME_SHOWN_MAX 64

const struct parameter stream_parameters[] = {
	{ "topics", PARAMETER_TEXT, "names separated by commas: snapshot, stats, flows, packets, "
	  "processes, connections, drops, latency; the whole snapshot unless given", .max = 200,
	  .example = "stats,flows" },
	{ .name = NULL },
};

int stream_topics(const struct request *request, unsigned int *ret_topics,
		  struct slice *ret_unknown)
{
	const struct query *query = &request->target.query;
	unsigned int topics = 0, more;
	bool given = false;
	int err;

	for (size_t i = 0; i < query->count; i++) {
		if (strcmp(query->pair[i].name, "topics"))
			continue;
		err = topics_parse(query->pair[i].value, &more, ret_unknown);
		if (err)
			return err;
		topics |= more;
		given = true;
	}
	*ret_topics = given ? topics : TOPIC_BIT(TOPIC_SNAPSHOT);
	return 0;
}

enum MHD_Result stream_no_topic(struct request *request, struct slice unknown)
{
	size_t shown = unknown.length < NAME_SHOWN_MAX ? unknown.length : NAME_SHOWN_MAX;

	return reply_problem(request, MHD_HTTP_BAD_REQUEST, NULL,
			     "topics: '%.*s' is none of %s", (int)shown, unknown.data,
			     topics_known());
}

bool stream_fits(struct server *server, struct request *request, enum MHD_Result *ret_result)
{
	if (server_has_stream(server))
		return true;
	*ret_result = reply_problem(request, MHD_HTTP_SERVICE_UNAVAILABLE, NULL,
				    "there are %llu stream clients already",
				    (unsigned long long)bounds_limit(&server->bounds, BOUND_STREAMS));
	return false;
}
