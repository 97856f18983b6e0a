// SPDX-License-Identifier: MIT
/* Flows in cells: each one line, freed once written, the rest kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "reader/cells.h"
#include "reader/request.h"

#define PAGES 3
#define STEP 5 /* every fifth cell has a flow */
#define FLOWS ((PAGES * FLOW_PAGE_CELLS + STEP - 1) / STEP)

static struct sink sink;
static struct line_writer writer;

struct bench {
	struct cells *cells;
	struct flow_page *pages;
	struct drain drain;
	FILE *out;
};

static void learn(struct drain *drain, u8 iface)
{
	drain->knows[iface] = true;
}

static void put_flow(struct flow_page *pages, u32 number, u32 packets)
{
	struct flow_page *page = &pages[number / FLOW_PAGE_CELLS];
	u32 slot = number % FLOW_PAGE_CELLS;
	struct flow_cell *cell = &page->cells[slot];

	*cell = (struct flow_cell){
		.key = { .src_ip = { 10, 0, (u8)(number >> 8), (u8)number }, .protocol = 17, .ip_version = 4,
			 .vlan = VLAN_NONE },
		.tag = 2 * number + 1,
		.value = { .packets_flags = (u64)packets << FLOW_PACKETS_SHIFT, .bytes = 60 * packets },
	};
	page->used[slot / 64] |= 1ull << slot % 64;
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	b->cells = cells_new();
	b->pages = calloc(PAGES, sizeof(*b->pages));
	b->out = tmpfile();
	assert_non_null(b->cells);
	assert_non_null(b->pages);
	assert_non_null(b->out);
	sink_init(&sink, fileno(b->out));
	line_write_init();
	line_writer_init(&writer);
	b->drain = (struct drain){ .sink = &sink, .writer = &writer, .types = PRINT_ALL, .learn = learn };
	for (u32 i = 0; i < PAGES * FLOW_PAGE_CELLS; i += STEP)
		put_flow(b->pages, i, i + 1);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	fclose(b->out);
	free(b->pages);
	free(b->cells);
	free(b);
	return 0;
}

/* How many cells have a flow, by their tags; *ret_marked: by their pages' bits. */
static u32 count_used(const struct bench *b, u32 *ret_marked)
{
	u32 tagged = 0;

	*ret_marked = 0;
	for (u32 i = 0; i < PAGES * FLOW_PAGE_CELLS; i++)
		tagged += b->pages[i / FLOW_PAGE_CELLS].cells[i % FLOW_PAGE_CELLS].tag != 0;
	for (u32 i = 0; i < PAGES * FLOW_PAGE_CELLS / 64; i++)
		*ret_marked += (u32)__builtin_popcountll(
			b->pages[i * 64 / FLOW_PAGE_CELLS].used[i % (FLOW_PAGE_CELLS / 64)]);
	return tagged;
}

static void assert_used(const struct bench *b, u32 expected)
{
	u32 marked, tagged = count_used(b, &marked);

	assert_int_equal(tagged, expected);
	assert_int_equal(marked, expected);
}

/* The lines that are out, and the sum of their packets. */
static u32 read_lines(struct bench *b, u64 *ret_packets)
{
	char line[LINE_MAX_BYTES + 1];
	u32 n = 0;

	*ret_packets = 0;
	rewind(b->out);
	while (fgets(line, sizeof(line), b->out)) {
		const char *packets = strstr(line, "\"packets\":");

		assert_non_null(strstr(line, "\"type\":\"flow\""));
		assert_non_null(packets);
		*ret_packets += strtoull(packets + strlen("\"packets\":"), NULL, 10);
		n++;
	}
	return n;
}

static u64 sum_of_packets(void)
{
	u64 sum = 0;

	for (u32 i = 0; i < PAGES * FLOW_PAGE_CELLS; i += STEP)
		sum += i + 1;
	return sum;
}

static void each_flow_is_one_line(void **state)
{
	struct bench *b = *state;
	u64 packets;

	assert_int_equal(cells_drain(b->cells, b->pages, PAGES, &b->drain), 0);
	assert_int_equal(read_lines(b, &packets), FLOWS);
	assert_int_equal(packets, sum_of_packets());
	assert_int_equal(b->drain.rows, FLOWS);
	assert_used(b, 0);
	assert_int_equal(cells_drain(b->cells, b->pages, PAGES, &b->drain), 0);
	assert_int_equal(read_lines(b, &packets), FLOWS);
}

static void what_count_leaves_is_still_there(void **state)
{
	struct bench *b = *state;
	u64 packets;

	sink.data_left = 10;
	assert_int_equal(cells_drain(b->cells, b->pages, PAGES, &b->drain), 0);
	assert_int_equal(read_lines(b, &packets), 10);
	assert_used(b, FLOWS - 10);
	sink.data_left = UINT64_MAX;
	assert_int_equal(cells_drain(b->cells, b->pages, PAGES, &b->drain), 0);
	assert_int_equal(read_lines(b, &packets), FLOWS);
	assert_int_equal(packets, sum_of_packets());
}

static void flows_that_nobody_asked_for_go_without_a_line(void **state)
{
	struct bench *b = *state;
	u64 packets;

	b->drain.types = PRINT_ALL & ~(u32)PRINT_FLOW;
	assert_int_equal(cells_drain(b->cells, b->pages, PAGES, &b->drain), 0);
	assert_int_equal(read_lines(b, &packets), 0);
	assert_used(b, 0);
}

/* As a reader leaves them that is killed between the two stores. */
static void a_free_cell_that_is_marked_is_passed_over(void **state)
{
	struct bench *b = *state;
	u64 packets;

	b->pages[0].cells[0].tag = 0;
	assert_int_equal(cells_drain(b->cells, b->pages, PAGES, &b->drain), 0);
	assert_int_equal(read_lines(b, &packets), FLOWS - 1);
	assert_int_equal(packets, sum_of_packets() - 1);
	assert_used(b, 0);
}

static void what_nobody_reads_is_kept(void **state)
{
	struct bench *b = *state;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	sink_init(&sink, ends[1]);
	assert_int_equal(cells_drain(b->cells, b->pages, PAGES, &b->drain), -EPIPE);
	assert_used(b, FLOWS);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_flow_is_one_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_count_leaves_is_still_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(flows_that_nobody_asked_for_go_without_a_line, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_free_cell_that_is_marked_is_passed_over, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_nobody_reads_is_kept, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
