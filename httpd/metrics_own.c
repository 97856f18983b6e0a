/* SPDX-License-Identifier: MIT */
/* What httpd says of itself in /metrics. */
#include <malloc.h>
#include <math.h>
#include <time.h>

#include "common/version.h"
#include "httpd/json_text.h"
#include "httpd/metric.h"
#include "httpd/server.h"

static double seconds_of(const struct timespec *time)
{
	return (double)time->tv_sec + (double)time->tv_nsec / 1e9;
}

static double one(const struct server *server)
{
	(void)server;
	return 1;
}

const struct metric_own own_build[] = { { "version=\"" JOPIL_VERSION "\"", one }, { NULL, NULL } };

/* ---- the input ------------------------------------------------------------- */

static double up(const struct server *server)
{
	return server->shot && !server_is_stale(server);
}

static double snapshot_timestamp(const struct server *server)
{
	return server->shot ? json_text_number(server->shot->timestamp) / 1e3 : (double)NAN;
}

static double snapshot_age(const struct server *server)
{
	return server->shot ? (double)(server_now_ms() - server->snapshot_ms) / 1e3 : (double)NAN;
}

static double snapshot_interval(const struct server *server)
{
	return server->shot ? (double)server->shot->interval_ms / 1e3 : (double)NAN;
}

static double snapshots(const struct server *server)
{
	return (double)server->counters.snapshots;
}

static double other_lines(const struct server *server)
{
	return (double)server->counters.other_lines;
}

static double bad_lines(const struct server *server)
{
	return (double)server->counters.bad_lines;
}

const struct metric_own own_up[] = { { "", up }, { NULL, NULL } };
const struct metric_own own_snapshot_timestamp[] = { { "", snapshot_timestamp }, { NULL, NULL } };
const struct metric_own own_snapshot_age[] = { { "", snapshot_age }, { NULL, NULL } };
const struct metric_own own_snapshot_interval[] = { { "", snapshot_interval }, { NULL, NULL } };
const struct metric_own own_snapshots[] = { { "", snapshots }, { NULL, NULL } };
const struct metric_own own_lines[] = {
	{ "result=\"snapshot\"", snapshots },
	{ "result=\"other\"", other_lines },
	{ "result=\"bad\"", bad_lines },
	{ NULL, NULL },
};

/* ---- its clients ----------------------------------------------------------- */

static double requests(const struct server *server)
{
	return (double)server->counters.requests;
}

static double connections(const struct server *server)
{
	return (double)server->peers.count;
}

static double sse_clients(const struct server *server)
{
	return (double)server->sse_count;
}

static double ws_clients(const struct server *server)
{
	return (double)server->ws_count;
}

static double frames_sent(const struct server *server)
{
	return (double)server->counters.frames_sent;
}

static double frames_lost(const struct server *server)
{
	return (double)server->counters.frames_lost;
}

#define HITS(id, name, limit)                                         \
	static double hits_##id(const struct server *server)          \
	{                                                             \
		return (double)server->bounds.row[BOUND_##id].hits;   \
	}
BOUNDS(HITS)
#undef HITS

const struct metric_own own_requests[] = { { "", requests }, { NULL, NULL } };
const struct metric_own own_connections[] = { { "", connections }, { NULL, NULL } };
const struct metric_own own_clients[] = {
	{ "kind=\"sse\"", sse_clients },
	{ "kind=\"websocket\"", ws_clients },
	{ NULL, NULL },
};
const struct metric_own own_frames[] = {
	{ "result=\"sent\"", frames_sent },
	{ "result=\"lost\"", frames_lost },
	{ NULL, NULL },
};
const struct metric_own own_limit_hits[] = {
#define HITS(id, name, limit) { "limit=\"" #name "\"", hits_##id },
	BOUNDS(HITS)
#undef HITS
	{ NULL, NULL },
};

/* ---- the process ----------------------------------------------------------- */

static double start_time(const struct server *server)
{
	return server->start_s;
}

static double cpu_time(const struct server *server)
{
	struct timespec used;

	(void)server;
	return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) ? (double)NAN : seconds_of(&used);
}

/* Of the allocator, which needs no file and no system call: those are over once httpd serves. */
static double heap(const struct server *server)
{
	struct mallinfo2 info = mallinfo2();

	(void)server;
	return (double)(info.arena + info.hblkhd);
}

const struct metric_own own_start[] = { { "", start_time }, { NULL, NULL } };
const struct metric_own own_cpu[] = { { "", cpu_time }, { NULL, NULL } };
const struct metric_own own_heap[] = { { "", heap }, { NULL, NULL } };
