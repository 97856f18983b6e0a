// SPDX-License-Identifier: MIT
/* Folded maps of the real kernel: every row one time, deleted once written, the rest kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "common/latency_buckets.h"
#include "reader/map_drain.h"
#include "reader/request.h"

#define ROWS 1500	/* three batches */

static struct sink sink;
static struct line_writer writer;

struct bench {
	struct map_drain *maps;
	struct drain drain;
	const struct folded_kind *kind;
	unsigned int n_cpus;
	int fd;
	FILE *out;
};

static void learn(struct drain *drain, u8 iface)
{
	drain->knows[iface] = true;
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->n_cpus = (unsigned int)libbpf_num_possible_cpus();
	b->maps = map_drain_new(b->n_cpus);
	b->fd = -1;
	b->out = tmpfile();
	assert_non_null(b->maps);
	assert_non_null(b->out);
	sink_init(&sink, fileno(b->out));
	line_write_init();
	line_writer_init(&writer);
	b->drain = (struct drain){ .sink = &sink, .writer = &writer, .types = PRINT_ALL, .learn = learn };
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	if (b->fd >= 0)
		close(b->fd);
	fclose(b->out);
	map_drain_free(b->maps);
	free(b);
	return 0;
}

/* A map as the loader makes it; without the privilege the test is skipped. */
static void make_map(struct bench *b, int kind)
{
	b->kind = &folded_kinds[kind];
	b->fd = bpf_map_create(b->kind->is_per_cpu ? BPF_MAP_TYPE_PERCPU_HASH : BPF_MAP_TYPE_HASH, NULL,
			       b->kind->key_bytes, b->kind->value_bytes, 2 * ROWS, NULL);
	if (b->fd < 0 && errno == EPERM)
		skip();
	assert_true(b->fd >= 0);
}

/* A row whose key begins with its number and whose values are all the same. */
static void put_row(struct bench *b, u32 number, u64 value)
{
	size_t words = b->kind->value_bytes / 8 * (b->kind->is_per_cpu ? b->n_cpus : 1);
	u64 *values = calloc(words, 8);
	char key[256] = { 0 };

	memcpy(key, &number, sizeof(number));
	for (size_t i = 0; i < words; i++)
		values[i] = value;
	assert_int_equal(bpf_map_update_elem(b->fd, key, values, BPF_ANY), 0);
	free(values);
}

static unsigned int count_rows(const struct bench *b)
{
	char key[256], *previous = NULL;
	unsigned int n = 0;

	while (!bpf_map_get_next_key(b->fd, previous, key)) {
		previous = key;
		n++;
	}
	return n;
}

/* Lines of a type that are out, and the sum of a number in them. */
static unsigned int read_lines(struct bench *b, const char *type, const char *key, u64 *ret_sum)
{
	char line[LINE_MAX_BYTES + 1], want[64], find[64];
	unsigned int n = 0;

	snprintf(want, sizeof(want), "{\"type\":\"%s\",", type);
	snprintf(find, sizeof(find), "\"%s\":", key);
	*ret_sum = 0;
	rewind(b->out);
	while (fgets(line, sizeof(line), b->out)) {
		const char *value = strstr(line, find);

		assert_memory_equal(line, want, strlen(want));
		assert_non_null(value);
		*ret_sum += strtoull(value + strlen(find), NULL, 10);
		n++;
	}
	return n;
}

static void drain(struct bench *b, int result)
{
	int map_error = 0;

	assert_int_equal(map_drain(b->maps, b->kind, b->fd, &b->drain, &map_error), result);
	assert_int_equal(map_error, 0);
}

static void every_row_is_one_line(void **state)
{
	static const struct {
		int kind;
		const char *type, *key;
	} kinds[] = {
		{ FOLD_PROCESS, "process", "tx_bytes" },
		{ FOLD_DROP, "drop", "bytes" },
		{ FOLDED_FLOW, "flow", "bytes" },
	};
	struct bench *b = *state;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		u64 sum;

		make_map(b, kinds[i].kind);
		for (u32 row = 0; row < ROWS; row++)
			put_row(b, row, row);
		b->drain.rows = 0;
		drain(b, 0);
		assert_int_equal(b->drain.rows, ROWS);
		assert_int_equal(count_rows(b), 0);
		assert_int_equal(read_lines(b, kinds[i].type, kinds[i].key, &sum), ROWS);
		assert_int_equal(sum, (u64)b->n_cpus * ROWS * (ROWS - 1) / 2);
		assert_int_equal(ftruncate(fileno(b->out), 0), 0);
		rewind(b->out);
		close(b->fd);
		b->fd = -1;
	}
}

/* Histograms of five lines each, which --count does not count. */
static void a_row_goes_with_its_last_line(void **state)
{
	struct bench *b = *state;
	u64 sum;

	make_map(b, FOLD_LATENCY);
	for (u32 row = 0; row < 20; row++)
		put_row(b, row, 0x0000000100000001ull);
	sink.data_left = 1;
	drain(b, 0);
	assert_int_equal(b->drain.rows, 20);
	assert_int_equal(sink.data_left, 1);
	assert_int_equal(count_rows(b), 0);
	assert_int_equal(read_lines(b, "latency", "count", &sum), 20 * 5);
	assert_int_equal(sum, 20 * LATENCY_BUCKETS);
}

static void count_leaves_the_rest(void **state)
{
	struct bench *b = *state;
	u64 sum;

	make_map(b, FOLD_PROCESS);
	for (u32 row = 0; row < ROWS; row++)
		put_row(b, row, 1);
	sink.data_left = 700;
	drain(b, 0);
	assert_int_equal(sink.data_left, 0);
	assert_int_equal(read_lines(b, "process", "tx_calls", &sum), 700);
	assert_int_equal(count_rows(b), ROWS - 700);
}

static void what_is_not_printed_is_deleted_all_the_same(void **state)
{
	struct bench *b = *state;
	u64 sum;

	make_map(b, FOLD_DROP);
	for (u32 row = 0; row < ROWS; row++)
		put_row(b, row, 1);
	b->drain.types = PRINT_ALL & ~(u32)PRINT_DROP;
	drain(b, 0);
	assert_int_equal(b->drain.rows, ROWS);
	assert_int_equal(count_rows(b), 0);
	assert_int_equal(read_lines(b, "drop", "bytes", &sum), 0);
}

/* Nobody reads: nothing is deleted. */
static void what_is_not_written_stays(void **state)
{
	struct bench *b = *state;
	int fds[2];

	make_map(b, FOLD_PROCESS);
	for (u32 row = 0; row < ROWS; row++)
		put_row(b, row, 1);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	sink_init(&sink, fds[1]);
	close(fds[0]);
	drain(b, -EPIPE);
	assert_int_equal(count_rows(b), ROWS);
	close(fds[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(every_row_is_one_line),
		TEST(a_row_goes_with_its_last_line),
		TEST(count_leaves_the_rest),
		TEST(what_is_not_printed_is_deleted_all_the_same),
		TEST(what_is_not_written_stays),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("reader_map_drain", tests, NULL, NULL);
}
