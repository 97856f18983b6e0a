/* SPDX-License-Identifier: MIT */
/* Waiting until every packet that is under way in the kernel has got past TC ingress. */
#include "loader/settle.h"

#include <bpf/bpf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "loader/clock.h"
#include "loader/procfile.h"

#define SOFTNET "/proc/net/softnet_stat"

/* GRO holds packets for a jiffy or gro_flush_timeout, both below this in practice. */
#define GRO_HOLDS_MS 20

/* A backlog is 1000 packets (net.core.netdev_max_backlog); a busy CPU takes ms for it. */
#define BACKLOG_WAIT_MS 1000

/* Other packets are counted as well while a backlog is worked off: allow for so many. */
#define BACKLOG_MARGIN 4

#define CPUS_MAX 4096

/*
 * An element of a map in map is replaced (by itself): the call returns when every
 * program that was running has ended, and with it the packets of that NAPI poll.
 */
static void wait_for_programs(int rings_fd)
{
	u32 zero = 0, id;
	int fd;

	if (bpf_map_lookup_elem(rings_fd, &zero, &id))
		return;
	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return;
	bpf_map_update_elem(rings_fd, &zero, &fd, BPF_ANY);
	close(fd);
}

/* What waited on a CPU then has been processed since: it was seen empty, or moved on. */
static bool has_passed(const struct softnet *then, const struct softnet *now)
{
	return !now->backlog || now->processed - then->processed >= then->backlog * BACKLOG_MARGIN;
}

static bool all_passed(const char *then_text, const char *now_text, bool *passed)
{
	struct softnet then, now;
	bool all = true;

	for (unsigned int i = 0; i < CPUS_MAX && procfile_softnet(then_text, i, &then); i++) {
		passed[i] = passed[i] || !then.backlog || !procfile_softnet(now_text, i, &now) ||
			    has_passed(&then, &now);
		all = all && passed[i];
	}
	return all;
}

/* Kernels before 5.10 do not tell their backlog: there GRO's time must do. */
static void wait_for_backlogs(void)
{
	u64 end = clock_monotonic_ms() + BACKLOG_WAIT_MS;
	static bool passed[CPUS_MAX];
	bool done = false;
	char *then, *now;

	if (procfile_read(SOFTNET, &then))
		return;
	for (int i = 0; i < CPUS_MAX; i++)
		passed[i] = false;
	while (!done && clock_monotonic_ms() < end && !procfile_read(SOFTNET, &now)) {
		done = all_passed(then, now, passed);
		free(now);
		if (!done)
			clock_pause_ms(1);
	}
	free(then);
}

void settle(int rings_fd)
{
	wait_for_programs(rings_fd);
	clock_pause_ms(GRO_HOLDS_MS);
	wait_for_backlogs();
	wait_for_programs(rings_fd);
}
