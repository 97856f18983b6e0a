/* SPDX-License-Identifier: MIT */
/*
 * Loads probes of the host without the loader, and reads what they say: for the tests in
 * this folder. They see everything that the machine does: a test looks at its own pids.
 */
#ifndef JOPIL_TESTS_BPF_HOST_PROBES_H
#define JOPIL_TESTS_BPF_HOST_PROBES_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/packet_config.h"
#include "common/pins.h"
#include "common/probe_counters.h"
#include "common/records.h"

#include "bpf/jopil.skel.h"

#define EVENT_RING_BYTES (8u << 20)

struct probes {
	struct jopil_bpf *bpf;
	struct bpf_link *cgroup_links[4];
	int ring_fd;
	struct ring_buffer *ring;
	struct connection_record *events;
	size_t event_count;
	int cpus;
};

static inline int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

static inline bool is_wanted(const char *name, const char *const prefixes[])
{
	for (; *prefixes; prefixes++)
		if (!strncmp(name, *prefixes, strlen(*prefixes)))
			return true;
	return false;
}

static inline int keep_event(void *context, void *data, size_t size)
{
	struct probes *p = context;
	struct connection_record *larger;

	if (size != sizeof(*larger) ||
	    ((struct connection_record *)data)->type != RECORD_CONNECTION)
		return 0;
	larger = realloc(p->events, (p->event_count + 1) * sizeof(*larger));
	assert_non_null(larger);
	p->events = larger;
	memcpy(&p->events[p->event_count++], data, sizeof(*larger));
	return 0;
}

static inline void make_ring(struct probes *p)
{
	u32 zero = 0;

	p->ring_fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "test_events", 0, 0, EVENT_RING_BYTES, NULL);
	assert_true(p->ring_fd >= 0);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(p->bpf->maps.event_ring), &zero,
					     &p->ring_fd, 0), 0);
	p->ring = ring_buffer__new(p->ring_fd, keep_event, p, NULL);
	assert_non_null(p->ring);
}

/* The mount point of cgroup v2, or false. */
static inline bool find_cgroup2(char path[256])
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char type[32];
	bool found = false;

	while (mounts && !found && fscanf(mounts, "%*s %255s %31s %*[^\n]", path, type) == 2)
		found = !strcmp(type, "cgroup2");
	if (mounts)
		fclose(mounts);
	return found;
}

static inline void attach_to_cgroup(struct probes *p)
{
	struct bpf_program *programs[] = { p->bpf->progs.process_sendmsg4,
					   p->bpf->progs.process_sendmsg6,
					   p->bpf->progs.process_recvmsg4,
					   p->bpf->progs.process_recvmsg6 };
	char path[256];
	int fd;

	if (!bpf_program__autoload(programs[0]) || !find_cgroup2(path))
		return;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	for (size_t i = 0; i < 4; i++) {
		p->cgroup_links[i] = bpf_program__attach_cgroup(programs[i], fd);
		assert_non_null(p->cgroup_links[i]);
	}
	close(fd);
}

static inline struct jopil_bpf *open_probes(const char *const prefixes[], u32 max_processes,
					    bool cgroup)
{
	struct jopil_bpf *bpf = jopil_bpf__open();
	struct bpf_program *program;

	assert_non_null(bpf);
	bpf_object__for_each_program(program, bpf->obj) {
		bool wanted = is_wanted(bpf_program__name(program), prefixes);

		/* What stands in for a tracepoint that is not there. */
		if (!strncmp(bpf_program__section_name(program), "fexit/", 6))
			wanted = false;
		if (!cgroup && !strncmp(bpf_program__section_name(program), "cgroup/", 7))
			wanted = false;
		bpf_program__set_autoload(program, wanted);
	}
	bpf_map__set_max_entries(bpf->maps.processes_a, max_processes);
	bpf_map__set_max_entries(bpf->maps.processes_b, max_processes);
	return bpf;
}

/*
 * Programs whose names begin so, loaded but not attached. Kernels before 6.18 do not give
 * cgroup programs what ours use, and can do without them.
 */
static inline struct probes *load_probes(const char *const prefixes[], u32 max_processes)
{
	struct probes *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	libbpf_set_print(silent);
	p->cpus = libbpf_num_possible_cpus();
	p->bpf = open_probes(prefixes, max_processes, true);
	if (jopil_bpf__load(p->bpf)) {
		jopil_bpf__destroy(p->bpf);
		p->bpf = open_probes(prefixes, max_processes, false);
		assert_int_equal(jopil_bpf__load(p->bpf), 0);
	}
	make_ring(p);
	return p;
}

static inline void attach_probes(struct probes *p)
{
	assert_int_equal(jopil_bpf__attach(p->bpf), 0);
	attach_to_cgroup(p);
}

static inline void detach_probes(struct probes *p)
{
	jopil_bpf__detach(p->bpf);
	for (size_t i = 0; i < 4; i++) {
		bpf_link__destroy(p->cgroup_links[i]);
		p->cgroup_links[i] = NULL;
	}
}

static inline void unload_probes(struct probes *p)
{
	detach_probes(p);
	ring_buffer__free(p->ring);
	close(p->ring_fd);
	jopil_bpf__destroy(p->bpf);
	free(p->events);
	free(p);
}

static inline u64 probe_counter(const struct probes *p, enum probe_counter counter)
{
	u64 values[p->cpus], sum = 0;
	u32 row = counter;

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(p->bpf->maps.probe_counters), &row,
					     values), 0);
	for (int i = 0; i < p->cpus; i++)
		sum += values[i];
	return sum;
}

/* One walk over all open files; returns how many records there were, at most limit of them kept. */
static inline size_t walk_sockets(const struct probes *p, struct connection_record *ret_records,
				  size_t limit)
{
	struct bpf_link *link = bpf_program__attach_iter(p->bpf->progs.sockets_walk, NULL);
	struct connection_record r;
	size_t count = 0;
	ssize_t n;
	int fd;

	assert_non_null(link);
	fd = bpf_iter_create(bpf_link__fd(link));
	assert_true(fd >= 0);
	while ((n = read(fd, &r, sizeof(r))) == (ssize_t)sizeof(r)) {
		if (count < limit)
			ret_records[count] = r;
		count++;
	}
	assert_int_equal(n, 0);
	close(fd);
	bpf_link__destroy(link);
	return count;
}

/* Runs a program to its end: its stdout, NUL-terminated, to be freed; NULL if it failed. */
static inline char *run_program(const char *const argv[])
{
	char *text = calloc(1, 1), block[4096];
	size_t length = 0;
	ssize_t n;
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(ends[1]);
	while ((n = read(ends[0], block, sizeof(block))) > 0) {
		text = realloc(text, length + (size_t)n + 1);
		assert_non_null(text);
		memcpy(text + length, block, (size_t)n);
		length += (size_t)n;
		text[length] = '\0';
	}
	close(ends[0]);
	if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status))
		return text;
	free(text);
	return NULL;
}

#define RUN(...) run_program((const char *const[]){ __VA_ARGS__, NULL })

/* The same, where only success matters. */
static inline bool succeeds(char *text)
{
	bool success = text;

	free(text);
	return success;
}

/* ---- two namespaces of this process's own, joined by a veth pair: cmocka's fixtures ---- */

static char netns_names[2][32], netns_paths[2][64];

static inline int make_namespaces(void **state)
{
	const char *veths[] = { "veth_a", "veth_b" }, *v4[] = { "10.78.0.1/24", "10.78.0.2/24" },
		   *v6[] = { "fd78::1/64", "fd78::2/64" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		snprintf(netns_names[i], sizeof(netns_names[i]), "jopil_%c_%d", (char)('a' + i), getpid());
		snprintf(netns_paths[i], sizeof(netns_paths[i]), "/run/netns/%.31s", netns_names[i]);
		if (!succeeds(RUN("ip", "netns", "add", netns_names[i])))
			return -1;
	}
	if (!succeeds(RUN("ip", "-n", netns_names[0], "link", "add", "veth_a", "type", "veth", "peer",
			  "name", "veth_b", "netns", netns_names[1])))
		return -1;
	for (size_t i = 0; i < 2; i++) {
		if (!succeeds(RUN("ip", "-n", netns_names[i], "addr", "add", v4[i], "dev", veths[i])) ||
		    !succeeds(RUN("ip", "-n", netns_names[i], "addr", "add", v6[i], "dev", veths[i], "nodad")) ||
		    !succeeds(RUN("ip", "-n", netns_names[i], "link", "set", veths[i], "up")) ||
		    !succeeds(RUN("ip", "-n", netns_names[i], "link", "set", "lo", "up")) ||
		    !succeeds(RUN("ip", "netns", "exec", netns_names[i], "sysctl", "-qw",
				  "net.ipv4.ping_group_range=0 65534")))
			return -1;
	}
	return 0;
}

static inline int remove_namespaces(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++)
		(void)succeeds(RUN("ip", "netns", "del", netns_names[i]));
	return 0;
}

#endif
