/* SPDX-License-Identifier: MIT */
/* The topics of the streams: which members of a snapshot each of them carries. */
#include "httpd/topics.h"

#include <errno.h>

#define TOPICS(X)                          \
	X(SNAPSHOT, snapshot, "")          \
	X(STATS, stats, ", ")              \
	X(FLOWS, flows, ", ")              \
	X(PACKETS, packets, ", ")          \
	X(PROCESSES, processes, ", ")      \
	X(CONNECTIONS, connections, ", ")  \
	X(DROPS, drops, ", ")              \
	X(LATENCY, latency, ", ")

static const char *const names[TOPIC_COUNT] = {
#define NAME(id, name, before) [TOPIC_##id] = #name,
	TOPICS(NAME)
#undef NAME
};

static const char known[] =
#define LISTED(id, name, before) before #name
	TOPICS(LISTED)
#undef LISTED
	;

const char *const topic_head[] = { "seq", "timestamp", "interval_ms", "final", NULL };

/* What is not here is in TOPIC_STATS. */
static const struct {
	const char *key;
	enum topic topic;
} members[] = {
	{ "type", TOPIC_SNAPSHOT },
	{ "seq", TOPIC_SNAPSHOT },
	{ "timestamp", TOPIC_SNAPSHOT },
	{ "interval_ms", TOPIC_SNAPSHOT },
	{ "final", TOPIC_SNAPSHOT },
	{ "httpd", TOPIC_SNAPSHOT },	/* is ours in /api/stats */
	{ "series_hosts", TOPIC_SNAPSHOT },	/* and these are for /metrics */
	{ "series_commands", TOPIC_SNAPSHOT },
	{ "series_remotes", TOPIC_SNAPSHOT },
	{ "series_protocols", TOPIC_SNAPSHOT },
	{ "series_connections", TOPIC_SNAPSHOT },
	{ "series_drops", TOPIC_SNAPSHOT },
	{ "series_latency", TOPIC_SNAPSHOT },
	{ "series_losses", TOPIC_SNAPSHOT },
	{ "flows", TOPIC_FLOWS },
	{ "flow_table", TOPIC_FLOWS },
	{ "packets", TOPIC_PACKETS },
	{ "packets_left_out", TOPIC_PACKETS },
	{ "processes", TOPIC_PROCESSES },
	{ "process_table", TOPIC_PROCESSES },
	{ "process_protocols", TOPIC_PROCESSES },
	{ "remotes", TOPIC_PROCESSES },
	{ "remote_table", TOPIC_PROCESSES },
	{ "unowned", TOPIC_PROCESSES },
	{ "connections", TOPIC_CONNECTIONS },
	{ "connection_table", TOPIC_CONNECTIONS },
	{ "connects", TOPIC_CONNECTIONS },
	{ "connects_left_out", TOPIC_CONNECTIONS },
	{ "drops", TOPIC_DROPS },
	{ "drop_flows", TOPIC_DROPS },
	{ "drops_unspecified", TOPIC_DROPS },
	{ "latency", TOPIC_LATENCY },
	{ "latency_table", TOPIC_LATENCY },
};

const char *topic_name(enum topic topic)
{
	return names[topic];
}

const char *topics_known(void)
{
	return known;
}

enum topic topic_of(struct slice key)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		if (slice_equals(key, members[i].key))
			return members[i].topic;
	return TOPIC_STATS;
}

bool topic_carries(enum topic topic, const char *key)
{
	for (const char *const *name = topic_head; *name; name++)
		if (!strcmp(*name, key))
			return true;
	return topic == TOPIC_SNAPSHOT || topic_of((struct slice){ key, strlen(key) }) == topic;
}

int topic_find(const char *name, size_t length)
{
	for (int topic = 0; topic < TOPIC_COUNT; topic++)
		if (slice_equals((struct slice){ name, length }, names[topic]))
			return topic;
	return -EINVAL;
}

int topics_parse(const char *text, unsigned int *ret_set, struct slice *ret_unknown)
{
	unsigned int set = 0;

	while (*text) {
		size_t length = strcspn(text, ",");
		int topic = topic_find(text, length);

		if (topic < 0) {
			*ret_unknown = (struct slice){ text, length };
			return topic;
		}
		set |= TOPIC_BIT(topic);
		text += length;
		/* A comma stands between two names: one at the end is followed by "". */
		if (*text && !*++text) {
			*ret_unknown = (struct slice){ text, 0 };
			return -EINVAL;
		}
	}
	*ret_set = set;
	return 0;
}

void topics_write(unsigned int set, struct body *body)
{
	const char *before = "";

	body_add(body, "[", 1);
	for (int topic = 0; topic < TOPIC_COUNT; topic++) {
		if (!(set & TOPIC_BIT(topic)))
			continue;
		body_printf(body, "%s\"%s\"", before, names[topic]);
		before = ",";
	}
	body_add(body, "]", 1);
}
