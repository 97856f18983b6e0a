// SPDX-License-Identifier: MIT
/* A ring buffer in plain memory: what is drained, skipped, waited for and given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <unistd.h>

#include "reader/request.h"
#include "reader/ring.h"
#include "reader/sockets.h"

#define RING_BYTES 4096u
#define STRIDE (sizeof(struct packet_record) + BPF_RINGBUF_HDR_SZ)

static struct sink sink;
static struct line_writer writer;

struct bench {
	struct ring ring;
	struct drain drain;
	u64 consumer, producer;
	u8 *data;			/* twice the ring: records run over its end */
	unsigned int learned;
	int out[2];
};

static void learn(struct drain *drain, u8 iface)
{
	struct bench *b = (struct bench *)((char *)drain - offsetof(struct bench, drain));

	drain->knows[iface] = true;
	b->learned++;
}

static int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_int_equal(pipe2(b->out, O_CLOEXEC | O_NONBLOCK), 0);
	sink_init(&sink, b->out[1]);
	line_write_init();
	line_writer_init(&writer);
	b->data = calloc(1, 2 * RING_BYTES);
	ring_init(&b->ring, &b->consumer, &b->producer, b->data, RING_BYTES);
	b->drain = (struct drain){ .sink = &sink, .writer = &writer, .types = PRINT_ALL, .learn = learn };
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	close(b->out[0]);
	close(b->out[1]);
	free(b->data);
	free(b);
	return 0;
}

/* As the kernel does it: the tail of a record beyond the end stands at the start too. */
static void put(struct bench *b, u32 header, const struct packet_record *r)
{
	u64 at = b->producer & (RING_BYTES - 1);

	memcpy(b->data + at, &header, sizeof(header));
	if (r)
		memcpy(b->data + at + BPF_RINGBUF_HDR_SZ, r, sizeof(*r));
	if (at + STRIDE > RING_BYTES)
		memcpy(b->data, b->data + RING_BYTES, at + STRIDE - RING_BYTES);
	b->producer += ((header & 0x3fffffff) + BPF_RINGBUF_HDR_SZ + 7) & ~7u;
}

static void put_packet(struct bench *b, u32 length)
{
	struct packet_record r = { .type = RECORD_PACKET, .length = length };

	r.key.vlan = VLAN_NONE;
	put(b, sizeof(r), &r);
}

/* The lengths that the lines out so far tell, in order; the number of lines. */
static unsigned int read_lengths(struct bench *b, unsigned int *lengths)
{
	static char text[1 << 20];
	ssize_t n = read(b->out[0], text, sizeof(text) - 1);
	unsigned int lines = 0;

	text[n > 0 ? n : 0] = '\0';
	for (char *p = text; (p = strstr(p, "\"length\":")); lines++) {
		p += strlen("\"length\":");
		lengths[lines] = (unsigned int)strtoul(p, NULL, 10);
	}
	return lines;
}

static void records_become_lines_and_are_given_back(void **state)
{
	struct bench *b = *state;
	unsigned int lengths[8];

	put_packet(b, 60);
	put_packet(b, 61);
	assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
	assert_int_equal(b->drain.records, 2);
	assert_int_equal(b->consumer, 0);
	assert_int_equal(sink_flush(&sink), 0);
	assert_int_equal(b->consumer, 2 * STRIDE);
	assert_int_equal(read_lengths(b, lengths), 2);
	assert_int_equal(lengths[0], 60);
	assert_int_equal(lengths[1], 61);
	assert_int_equal(b->learned, 1);
}

static void a_record_being_written_stops_the_drain(void **state)
{
	struct packet_record r = { .type = RECORD_PACKET };
	struct bench *b = *state;
	u32 header = sizeof(r);

	put_packet(b, 60);
	put(b, header | BPF_RINGBUF_BUSY_BIT, &r);
	put_packet(b, 62);
	assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
	assert_int_equal(b->drain.records, 1);
	memcpy(b->data + STRIDE, &header, sizeof(header));
	assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
	assert_int_equal(b->drain.records, 3);
	assert_int_equal(sink_flush(&sink), 0);
	assert_int_equal(b->consumer, 3 * STRIDE);
}

static void what_is_no_packet_is_passed_over(void **state)
{
	struct packet_record other = { .type = 77 };
	struct bench *b = *state;

	put(b, sizeof(other) | BPF_RINGBUF_DISCARD_BIT, &other);
	put(b, sizeof(other), &other);
	put(b, 16, NULL);
	assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
	assert_int_equal(b->consumer, b->producer);
	assert_int_equal(sink.used, 0);
	put(b, 16, NULL);
	put_packet(b, 60);
	put(b, sizeof(other) | BPF_RINGBUF_DISCARD_BIT, &other);
	assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
	assert_int_equal(b->drain.records, 1);
	assert_int_equal(sink_flush(&sink), 0);
	assert_int_equal(b->consumer, b->producer);
}

static void wraps_around(void **state)
{
	struct bench *b = *state;
	unsigned int lengths[64], next = 0;

	for (unsigned int round = 0; round < 40; round++) {
		for (unsigned int i = 0; i < 11; i++)
			put_packet(b, 1000 + round * 11 + i);
		assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
		assert_int_equal(sink_flush(&sink), 0);
		assert_int_equal(read_lengths(b, lengths), 11);
		for (unsigned int i = 0; i < 11; i++)
			assert_int_equal(lengths[i], 1000 + next++);
	}
	assert_int_equal(b->consumer, b->producer);
}

static void unprinted_records_are_given_back_at_once(void **state)
{
	struct bench *b = *state;

	b->drain.types = PRINT_FLOW | PRINT_COUNTERS;
	put_packet(b, 60);
	put_packet(b, 60);
	assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
	assert_int_equal(b->drain.records, 2);
	assert_int_equal(b->consumer, b->producer);
	assert_int_equal(sink.used, 0);
}

static void count_leaves_the_rest(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 5; i++)
		put_packet(b, 60);
	sink.data_left = 3;
	assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
	assert_int_equal(sink_flush(&sink), 0);
	assert_int_equal(sink.data_left, 0);
	assert_int_equal(b->consumer, 3 * STRIDE);
}

/* A pipe that takes a few lines only: exactly their records are given back. */
static void a_broken_pipe_keeps_what_was_not_written(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 20; i++)
		put_packet(b, 60);
	assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
	close(b->out[0]);
	assert_int_not_equal(sink_flush(&sink), 0);
	assert_int_equal(b->consumer, 0);
	b->out[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void parts_of_a_buffer_are_given_back_in_order(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 9; i++) {
		put_packet(b, 60);
		put(b, 16, NULL);
	}
	assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
	b->ring.source.written(&b->ring.source, 4);
	assert_int_equal(b->consumer, 4 * STRIDE + 3 * 24);
	b->ring.source.written(&b->ring.source, 5);
	assert_int_equal(b->consumer, b->producer);
}

/* ---- the ring of events: several kinds of records ------------------------------------- */

/* Any record, as the kernel puts it there. */
static void put_record(struct bench *b, const void *record, u32 bytes)
{
	u64 at = b->producer & (RING_BYTES - 1);

	assert_true(at + BPF_RINGBUF_HDR_SZ + bytes <= RING_BYTES);
	memcpy(b->data + at, &bytes, sizeof(bytes));
	memcpy(b->data + at + BPF_RINGBUF_HDR_SZ, record, bytes);
	b->producer += (BPF_RINGBUF_HDR_SZ + bytes + 7) & ~7u;
}

static void put_connection(struct bench *b, u64 bytes_sent)
{
	const struct connection_record r = { .type = RECORD_CONNECTION, .bytes_sent = bytes_sent,
					     .key = { .vlan = VLAN_NONE } };

	put_record(b, &r, sizeof(r));
}

static void put_drop(struct bench *b, u64 bytes)
{
	const struct drop_record r = { .type = RECORD_DROP, .value = { 1, bytes } };

	put_record(b, &r, sizeof(r));
}

#define CONNECTION_STRIDE (sizeof(struct connection_record) + BPF_RINGBUF_HDR_SZ)
#define DROP_STRIDE (sizeof(struct drop_record) + BPF_RINGBUF_HDR_SZ)

static void kinds_of_records_become_lines_of_their_own(void **state)
{
	struct bench *b = *state;
	char text[8192];
	ssize_t n;

	b->drain.walltime.boot_offset_ns = 1763704000000000000ull;
	put_connection(b, 11);
	put_drop(b, 22);
	put_connection(b, 33);
	assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
	assert_int_equal(b->drain.records, 3);
	assert_int_equal(b->consumer, 0);
	assert_int_equal(sink_flush(&sink), 0);
	assert_int_equal(b->consumer, b->producer);
	n = read(b->out[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	assert_memory_equal(text, "{\"type\":\"connection\",\"timestamp\":1763704000000.000,", 47);
	assert_non_null(strstr(text, "\"bytes_sent\":11,"));
	assert_non_null(strstr(text, "\n{\"type\":\"drop\",\"timestamp\":1763704000000.000,"));
	assert_non_null(strstr(text, "\"count\":1,\"bytes\":22}\n{\"type\":\"connection\","));
	assert_non_null(strstr(text, "\"bytes_sent\":33,"));
}

/* What is not printed goes with what is: nothing is given back too early, or twice. */
static void kinds_that_are_not_printed_are_given_back_in_order(void **state)
{
	struct bench *b = *state;

	b->drain.types = PRINT_CONNECTION;
	for (int i = 0; i < 5; i++) {
		put_drop(b, 1);
		put_connection(b, 1);
	}
	assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
	assert_int_equal(b->drain.records, 10);
	assert_int_equal(b->consumer, 0);
	b->ring.source.written(&b->ring.source, 2);
	assert_int_equal(b->consumer, 2 * (DROP_STRIDE + CONNECTION_STRIDE));
	b->ring.source.written(&b->ring.source, 3);
	assert_int_equal(b->consumer, b->producer);
}

/* A size and a type that do not belong together, and one byte less. */
static void records_of_no_kind_are_passed_over(void **state)
{
	const struct connection_record bad = { .type = RECORD_DROP };
	struct bench *b = *state;

	put_record(b, &bad, sizeof(bad));
	put_record(b, &bad, sizeof(bad) - 1);
	assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
	assert_int_equal(b->drain.records, 0);
	assert_int_equal(b->consumer, b->producer);
	assert_int_equal(sink.used, 0);
}

static void count_leaves_the_rest_of_the_events(void **state)
{
	struct bench *b = *state;

	for (int i = 0; i < 4; i++)
		put_connection(b, 1);
	sink.data_left = 3;
	assert_int_equal(ring_drain(&b->ring, &b->drain), 0);
	assert_int_equal(sink_flush(&sink), 0);
	assert_int_equal(b->consumer, 3 * CONNECTION_STRIDE);
}

/* ---- the walk over open sockets --------------------------------------------------------- */

/* Records through a pipe; the last one is cut off. */
static void a_walk_becomes_lines(void **state)
{
	const u64 before_ns = 1000;
	struct connection_record records[] = {
		{ .type = RECORD_CONNECTION, .existing = 1, .bytes_sent = 1, .time_ns = 5000,
		  .duration_ns = DURATION_NONE },
		{ .type = 99 },
		{ .type = RECORD_CONNECTION, .time_ns = 5000, .duration_ns = 4000 },	/* it is told of */
		{ .type = RECORD_CONNECTION, .existing = 1, .bytes_sent = 3, .time_ns = 5000,
		  .duration_ns = 4001 },
	};
	struct bench *b = *state;
	char text[8192], *second;
	int fds[2];
	ssize_t n;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(write(fds[1], records, sizeof(records)), sizeof(records));
	assert_int_equal(write(fds[1], records, 77), 77);
	close(fds[1]);
	assert_int_equal(sockets_read(fds[0], before_ns, &b->drain), 0);
	assert_int_equal(sink_flush(&sink), 0);
	n = read(b->out[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	second = strchr(text, '\n') + 1;
	assert_non_null(strstr(text, "\"existing\":true,"));
	assert_non_null(strstr(second, "\"bytes_sent\":3,"));
	assert_int_equal(strlen(strchr(second, '\n')), 1);
	close(fds[0]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(records_become_lines_and_are_given_back),
		TEST(a_record_being_written_stops_the_drain),
		TEST(what_is_no_packet_is_passed_over),
		TEST(wraps_around),
		TEST(unprinted_records_are_given_back_at_once),
		TEST(count_leaves_the_rest),
		TEST(a_broken_pipe_keeps_what_was_not_written),
		TEST(parts_of_a_buffer_are_given_back_in_order),
		TEST(kinds_of_records_become_lines_of_their_own),
		TEST(kinds_that_are_not_printed_are_given_back_in_order),
		TEST(records_of_no_kind_are_passed_over),
		TEST(count_leaves_the_rest_of_the_events),
		TEST(a_walk_becomes_lines),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("reader_ring", tests, NULL, NULL);
}
