// SPDX-License-Identifier: MIT
/*
 * Lines to a flow table on one core: the aggregator's own way, on lines as our reader writes
 * them and on shuffled ones, beside jansson that does nothing but parse the same lines; its
 * memory a flow, and what a snapshot of a million flows takes. A JSON object a row.
 *
 * usage: parse [rounds]
 *        parse --ours LINES [shuffled]	only ours, for valgrind --tool=callgrind --toggle-collect=take_lines
 */
#include <jansson.h>
#include <unistd.h>

#include "aggregator/aggregate.h"
#include "aggregator/snapshot.h"
#include "tests/bench/shuffle.h"
#include "tests/bench/traffic.h"

#define CHUNK_LINES 3000u	/* about what the aggregator reads at once */
#define S 1000000000ull
#define MILLION 1000000u

struct chunk {
	struct traffic traffic;
	struct line_writer writer;
	bool is_shuffled;
	const char *line[CHUNK_LINES];
	size_t length[CHUNK_LINES];
	char text[CHUNK_LINES * 512];
};

static struct chunk chunk;
static struct aggregate aggregate;

static void die(const char *what)
{
	fprintf(stderr, "parse: %s\n", what);
	exit(EXIT_FAILURE);
}

static void fill_chunk(void)
{
	char own[LINE_MAX_BYTES], *p = chunk.text;

	for (u32 i = 0; i < CHUNK_LINES; i++) {
		struct packet_record r;
		size_t length;

		traffic_next(&chunk.traffic, &r);
		length = (size_t)(packet_line_write(own, &chunk.writer, &r) - own);
		chunk.line[i] = p;
		if (chunk.is_shuffled)
			length = shuffle_keys(p, own, length);
		else
			memcpy(p, own, length);
		p += length;
		chunk.length[i] = length - 1;
	}
	if (p + LINE_READ_PADDING > chunk.text + sizeof(chunk.text))
		die("lines are longer than there is room for");
}

/* ---- what is measured: a chunk of lines ------------------------------------------------ */

static __attribute__((noinline)) void take_lines(void)
{
	for (u32 i = 0; i < CHUNK_LINES; i++)
		if (aggregate_line(&aggregate, chunk.line[i], chunk.length[i]) >= 0)
			die("a line of ours is bad");
	aggregate_settle(&aggregate);
}

static void read_lines(void)
{
	struct packet_record r;

	for (u32 i = 0; i < CHUNK_LINES; i++)
		if (packet_line_read(&aggregate.reader, chunk.line[i], chunk.length[i], &r) != LINE_OK)
			die("a line of ours is bad");
}

static void load_lines(void)
{
	for (u32 i = 0; i < CHUNK_LINES; i++) {
		json_t *line = json_loadb(chunk.line[i], chunk.length[i], 0, NULL);

		if (!line)
			die("a line of ours is bad");
		json_decref(line);
	}
}

static double longest;	/* that any chunk took, until it is set anew */

/* Lines a second. */
static double speed(u32 chunks, void (*take)(void))
{
	double took = 0;

	for (u32 i = 0; i < chunks; i++) {
		double start, one;

		fill_chunk();
		start = cpu_seconds();
		take();
		one = cpu_seconds() - start;
		took += one;
		longest = one > longest ? one : longest;
	}
	return (double)chunks * CHUNK_LINES / took;
}

static void set_up(u32 flows, bool shuffled)
{
	const struct aggregate_limits limits = { .processes = 1024, .connections = 16384 };

	aggregate_free(&aggregate);
	if (aggregate_init(&aggregate, &limits))
		die("no memory");
	aggregate.idle_ns = 120 * S;
	aggregate_set_clock(&aggregate, TRAFFIC_T0);
	chunk.traffic = (struct traffic){ .flows = flows };
	chunk.is_shuffled = shuffled;
}

/* ---- rows -------------------------------------------------------------------------------- */

static void compare(const char *what, void (*take)(void), bool shuffled, double target, u32 rounds)
{
	struct result r = { what, "lines/s", "jansson, parsing only", "higher", target, { 0 }, { 0 } };

	set_up(10000, shuffled);
	speed(30, take);
	for (u32 i = 0; i < rounds; i++) {
		r.ours[i] = speed(100, take);
		r.other[i] = speed(5, load_lines);
	}
	print_result(&r, rounds);
}

/* All flows are there before it begins. */
static void measure_table(const char *what, u32 flows, double least, const char *against, u32 rounds)
{
	struct result r = { what, "lines/s", against, "higher", 1, { 0 }, { 0 } };

	set_up(flows, false);
	speed(10 * flows / CHUNK_LINES, take_lines);
	for (u32 i = 0; i < rounds; i++)
		r.ours[i] = speed(200, take_lines);
	against_limit(&r, least, rounds);
	print_result(&r, rounds);
}

/* Of the process, in memory. */
static double resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (!f || fscanf(f, "%*u %lu", &pages) != 1)
		die("/proc/self/statm cannot be read");
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void measure_memory(void)
{
	struct result r = { "memory a flow, 1 000 000 flows", "bytes", "160 bytes", "lower", 1, { 0 }, { 0 } };
	struct result grown = { "3 000 lines at most, while 1 000 000 flows are made", "ms", "100 ms", "lower", 1,
				{ 0 }, { 100 } };
	double before;

	set_up(MILLION, false);
	before = resident_bytes();
	longest = 0;
	speed(10 * MILLION / CHUNK_LINES, take_lines);
	grown.ours[0] = longest * 1e3;
	r.ours[0] = (resident_bytes() - before) / aggregate.flows.active;
	against_limit(&r, 160, 1);
	print_result(&r, 1);
	print_result(&grown, 1);
}

/* As measure_memory() left it: every flow has had packets in this interval. */
static void measure_snapshot(u32 rounds)
{
	struct result r = { "a snapshot of 1 000 000 flows", "ms", "100 ms", "lower", 1, { 0 }, { 0 } };
	struct snapshot_request q = { .now_ns = TRAFFIC_T0 + 60 * S, .interval_ns = S, .top = 100 };
	struct text out = { 0 };

	for (u32 i = 0; i < rounds; i++) {
		double start;

		speed(3 * MILLION / CHUNK_LINES, take_lines);
		q.sequence++;
		start = cpu_seconds();
		port_lines_write(&out, &aggregate, &q);
		snapshot_write(&out, &aggregate, &q);
		aggregate_next_interval(&aggregate);
		r.ours[i] = (cpu_seconds() - start) * 1e3;
		if (out.failed || aggregate.flows.active < MILLION * 9 / 10)
			die("the snapshot is not of a million flows");
		text_free(&out);
	}
	against_limit(&r, 100, rounds);
	print_result(&r, rounds);
}

static int only_ours(u64 lines, bool shuffled)
{
	set_up(10000, shuffled);
	for (u64 done = 0; done < lines; done += CHUNK_LINES) {
		fill_chunk();
		take_lines();
	}
	printf("%llu\n", (unsigned long long)aggregate.lines);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	u32 rounds = argc > 1 ? (u32)atoi(argv[1]) : 5;

	line_write_init();
	line_writer_init(&chunk.writer);
	line_writer_name(&chunk.writer, 0, "eth0");
	if (argc >= 3 && !strcmp(argv[1], "--ours"))
		return only_ours(strtoull(argv[2], NULL, 10), argc > 3);
	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: parse [ROUNDS] | --ours LINES [shuffled]\n");
		return 2;
	}
	compare("lines read", read_lines, false, 15, rounds);
	compare("lines to flows, 10 000 flows", take_lines, false, 15, rounds);
	compare("shuffled lines to flows, 10 000 flows", take_lines, true, 10, rounds);
	measure_table("lines to flows, 65 000 flows", 65000, 3.5e6, "3.5 M lines/s", rounds);
	measure_table("lines to flows, 1 000 000 flows", MILLION, 1.5e6, "1.5 M lines/s", rounds);
	measure_memory();
	measure_snapshot(rounds);
	aggregate_free(&aggregate);
	return EXIT_SUCCESS;
}
