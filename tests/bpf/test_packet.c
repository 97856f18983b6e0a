// SPDX-License-Identifier: MIT
/*
 * The packet probe in the kernel (BPF_PROG_TEST_RUN) against the same parser compiled
 * natively: every frame, cut at every length, and many with bytes changed at random.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/packet_config.h"
#include "bpf/packet_parse.h"
#include "common/pins.h"
#include "common/total_rows.h"
#include "tests/bpf/frames.h"

#include "bpf/jopil.skel.h"

#define RING_BYTES (1u << 16)
#define XDP_SHORTEST 14	/* BPF_PROG_TEST_RUN takes no less */
#define MUTATIONS 40000
#define TC_PASS (-1)

struct probe {
	struct jopil_bpf *bpf;
	int cpus;
	int ring_fd;
	u64 *consumer;
	const u64 *producer;
	const u8 *data;
};

static int silent(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level, (void)format, (void)args;
	return 0;
}

/* One ring serves all CPUs here: BPF_PROG_TEST_RUN stays on one. */
static void map_ring(struct probe *p)
{
	const u8 *base;

	p->ring_fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "test_ring", 0, 0, RING_BYTES, NULL);
	assert_true(p->ring_fd >= 0);
	for (u32 cpu = 0; cpu < (u32)p->cpus; cpu++)
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(p->bpf->maps.rings), &cpu,
						     &p->ring_fd, 0), 0);
	p->consumer = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, p->ring_fd, 0);
	assert_ptr_not_equal(p->consumer, MAP_FAILED);
	base = mmap(NULL, 4096 + 2 * RING_BYTES, PROT_READ, MAP_SHARED, p->ring_fd, 4096);
	assert_ptr_not_equal(base, MAP_FAILED);
	p->producer = (const u64 *)base;
	p->data = base + 4096;
}

static struct probe *load(struct packet_config config, u32 max_flows)
{
	struct probe *p = calloc(1, sizeof(*p));
	struct bpf_program *program;

	libbpf_set_print(silent);
	p->cpus = libbpf_num_possible_cpus();
	p->bpf = jopil_bpf__open();
	assert_non_null(p->bpf);
	bpf_object__for_each_program(program, p->bpf->obj)
		bpf_program__set_autoload(program, !strncmp(bpf_program__name(program), "packet_", 7));
	memcpy((void *)&p->bpf->rodata->packet_config, &config, sizeof(config));
	bpf_map__set_max_entries(p->bpf->maps.rings, (u32)p->cpus);
	bpf_map__set_max_entries(p->bpf->maps.flows_a, max_flows);
	bpf_map__set_max_entries(p->bpf->maps.flows_b, max_flows);
	if (config.cell_bits)
		bpf_map__set_max_entries(p->bpf->maps.flow_pages,
					 2 * config.cpus << (config.cell_bits - FLOW_PAGE_BITS));
	assert_int_equal(jopil_bpf__load(p->bpf), 0);
	map_ring(p);
	return p;
}

static void unload(struct probe *p)
{
	munmap(p->consumer, 4096);
	munmap((void *)p->producer, 4096 + 2 * RING_BYTES);
	close(p->ring_fd);
	jopil_bpf__destroy(p->bpf);
	free(p);
}

static int run(struct bpf_program *program, const u8 *bytes, u32 length, u32 repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes, .data_size_in = length,
		    .repeat = (int)repeat);

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &opts))
		return -1000 - errno;
	return (int)opts.retval;
}

/* The next record of the ring; NULL if there is none. */
static const struct packet_record *take(struct probe *p)
{
	u64 at = *p->consumer;
	const u32 *header;

	if (at >= __atomic_load_n(p->producer, __ATOMIC_ACQUIRE))
		return NULL;
	header = (const u32 *)(p->data + (at & (RING_BYTES - 1)));
	assert_int_equal(header[0], sizeof(struct packet_record));
	__atomic_store_n(p->consumer, at + 8 + sizeof(struct packet_record), __ATOMIC_RELEASE);
	return (const struct packet_record *)(header + 2);
}

static struct packet_record expect(const u8 *bytes, u32 length, u8 direction)
{
	struct packet_info info = { .key = { .vlan = VLAN_NONE, .direction = direction, .iface = 3 } };
	struct packet_record r = { .length = length, .type = RECORD_PACKET };

	packet_parse_ethernet(bytes, bytes + length, length, &info);
	r.key = info.key;
	r.payload_length = info.payload_length;
	r.tcp_flags = info.tcp_flags;
	r.ttl = info.ttl;
	r.malformed = info.malformed;
	return r;
}

static struct total_value total(struct probe *p, u32 row)
{
	struct total_value values[p->cpus], sum = { 0 };

	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(p->bpf->maps.totals), &row, values), 0);
	for (int i = 0; i < p->cpus; i++) {
		sum.packets += values[i].packets;
		sum.bytes += values[i].bytes;
		sum.unattributed += values[i].unattributed;
		sum.unattributed_bytes += values[i].unattributed_bytes;
	}
	return sum;
}

static struct total_value all_totals(struct probe *p)
{
	struct total_value sum = { 0 };

	for (u32 row = 0; row < TOTAL_ENTRIES; row++) {
		struct total_value t = total(p, row);

		sum.packets += t.packets;
		sum.bytes += t.bytes;
		sum.unattributed += t.unattributed;
		sum.unattributed_bytes += t.unattributed_bytes;
	}
	return sum;
}

/* Exactly the bytes of the frame on the heap, so that ASan sees the native parser stray. */
static void compare(struct probe *p, struct bpf_program *program, int pass, u8 direction,
		    const char *name, const u8 *frame, u32 length)
{
	u8 *bytes = malloc(length);
	struct packet_record want, got;
	const struct packet_record *r;
	int verdict;

	memcpy(bytes, frame, length);
	want = expect(bytes, length, direction);
	verdict = run(program, bytes, length, 1);
	free(bytes);
	if (verdict == -1000 - EINVAL && direction == DIRECTION_EGRESS)
		return;	/* BPF_PROG_TEST_RUN builds no skb of a frame cut inside the IP header */
	if (verdict != pass)
		fail_msg("%s cut at %u: verdict %d", name, length, verdict);
	r = take(p);
	if (!r)
		fail_msg("%s cut at %u: no record", name, length);
	got = *r;
	assert_true(got.time_ns > 0);
	got.time_ns = 0;
	want.cpu = got.cpu;
	if (memcmp(&got, &want, sizeof(got)))
		fail_msg("%s cut at %u: the kernel parsed it differently: protocol %u, %u;"
			 " flags %x, %x; malformed %u, %u; payload %u, %u",
			 name, length, got.key.protocol, want.key.protocol, got.key.flags,
			 want.key.flags, got.malformed, want.malformed, got.payload_length,
			 want.payload_length);
	assert_null(take(p));
}

static const struct packet_config all_lines = { .packet_lines = PACKET_LINES_ALL, .iface = 3 };

static void every_frame_at_every_length(struct probe *p, struct bpf_program *program, int pass,
					u8 direction)
{
	u64 packets = 0, bytes = 0;
	struct total_value sum;

	for (size_t i = 0; i < N_FRAMES; i++) {
		struct frame_buffer f = { .length = 0 };

		frames[i].build(&f);
		for (u32 length = f.length; length >= XDP_SHORTEST; length--) {
			compare(p, program, pass, direction, frames[i].name, f.bytes, length);
			packets++;
			bytes += length;
		}
	}
	sum = all_totals(p);
	if (direction == DIRECTION_INGRESS) {
		assert_int_equal(sum.packets, packets);
		assert_int_equal(sum.bytes, bytes);
	}
	assert_int_equal(sum.unattributed, 0);
}

static void test_xdp_frames(void **state)
{
	struct probe *p = load(all_lines, 1024);

	(void)state;
	every_frame_at_every_length(p, p->bpf->progs.packet_xdp, XDP_PASS, DIRECTION_INGRESS);
	unload(p);
}

static void test_tc_frames(void **state)
{
	struct probe *p = load(all_lines, 1024);

	(void)state;
	every_frame_at_every_length(p, p->bpf->progs.packet_tc_egress, TC_PASS, DIRECTION_EGRESS);
	unload(p);
}

static void test_mutated_frames(void **state)
{
	struct probe *p = load(all_lines, 1024);

	(void)state;
	srand(20261121);
	for (int n = 0; n < MUTATIONS; n++) {
		struct frame_buffer f = { .length = 0 };
		size_t which = (size_t)rand() % N_FRAMES;

		frames[which].build(&f);
		for (int k = rand() % 6; k >= 0; k--)
			f.bytes[12 + (u32)rand() % (f.length - 12)] = (u8)rand();
		compare(p, p->bpf->progs.packet_xdp, XDP_PASS, DIRECTION_INGRESS, frames[which].name,
			f.bytes, f.length);
	}
	unload(p);
}

struct flow_sum {
	u64 packets, bytes;
	u8 tcp_flags;
};

/* The sum of the flow map's values of all CPUs, and how many entries it has. */
static struct flow_sum all_flows(struct probe *p, u32 *ret_entries)
{
	struct flow_value values[p->cpus];
	struct flow_sum sum = { 0 };
	int fd = bpf_map__fd(p->bpf->maps.flows_a);
	struct flow_key key, *previous = NULL;

	*ret_entries = 0;
	while (!bpf_map_get_next_key(fd, previous, &key)) {
		assert_int_equal(bpf_map_lookup_elem(fd, &key, values), 0);
		for (int i = 0; i < p->cpus; i++) {
			sum.packets += values[i].packets_flags >> FLOW_PACKETS_SHIFT;
			sum.bytes += values[i].bytes;
			sum.tcp_flags |= (u8)values[i].packets_flags;
		}
		++*ret_entries;
		previous = &key;
	}
	return sum;
}

static void test_fold_everything(void **state)
{
	struct probe *p = load((struct packet_config){ .packet_lines = 0 }, 1024);
	struct frame_buffer f = { .length = 0 };
	struct flow_sum sum;
	u32 entries;

	(void)state;
	frame_tcp4(&f);
	assert_int_equal(run(p->bpf->progs.packet_xdp, f.bytes, f.length, 1000), XDP_PASS);
	sum = all_flows(p, &entries);
	assert_int_equal(entries, 1);
	assert_int_equal(sum.packets, 1000);
	assert_int_equal(sum.bytes, 1000 * f.length);
	assert_int_equal(sum.tcp_flags, 0x12);
	assert_null(take(p));
	unload(p);
}

/* ---- cells ---------------------------------------------------------------------------- */

static struct packet_config with_cells(u32 bits)
{
	struct packet_config config = { .cell_bits = bits, .cpus = (u32)libbpf_num_possible_cpus() };

	srand(20261121);
	for (int i = 0; i < PACKET_SPREAD; i++)
		config.spread[i] = ((u64)rand() << 40 ^ (u64)rand() << 20 ^ (u64)rand()) | 1;
	return config;
}

static struct flow_page *map_pages(struct probe *p, u32 *ret_n)
{
	struct bpf_map *map = p->bpf->maps.flow_pages;
	void *pages;

	*ret_n = bpf_map__max_entries(map);
	pages = mmap(NULL, *ret_n * sizeof(struct flow_page), PROT_READ | PROT_WRITE, MAP_SHARED,
		     bpf_map__fd(map), 0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	return pages;
}

/* The sum of one half's cells, and how many are used. */
static struct flow_sum all_cells(struct probe *p, u32 half, u32 *ret_used)
{
	struct flow_sum sum = { 0 };
	u32 n;
	struct flow_page *pages = map_pages(p, &n);

	*ret_used = 0;
	for (u32 i = half * n / 2; i < (half + 1) * n / 2; i++)
		for (u32 slot = 0; slot < FLOW_PAGE_CELLS; slot++) {
			const struct flow_cell *cell = &pages[i].cells[slot];

			assert_int_equal(pages[i].used[slot / 64] >> slot % 64 & 1, cell->tag != 0);
			if (!cell->tag)
				continue;
			sum.packets += cell->value.packets_flags >> FLOW_PACKETS_SHIFT;
			sum.bytes += cell->value.bytes;
			sum.tcp_flags |= (u8)cell->value.packets_flags;
			++*ret_used;
		}
	munmap(pages, n * sizeof(*pages));
	return sum;
}

static void write_half(struct probe *p, u32 half)
{
	u32 n;
	struct flow_page *pages = map_pages(p, &n);

	pages->written = half;
	munmap(pages, n * sizeof(*pages));
}

/* `times` packets of each of n flows, which differ in `width` bytes of the frame at `at`. */
static void run_flows(struct probe *p, void (*frame)(struct frame_buffer *), u32 at, u32 width, u32 n,
		      u32 times)
{
	struct frame_buffer f = { .length = 0 };

	frame(&f);
	for (u32 i = 0; i < n; i++) {
		for (u32 byte = 0; byte < width; byte++)
			f.bytes[at + byte] = (u8)(i >> 8 * (width - 1 - byte));
		assert_int_equal(run(p->bpf->progs.packet_xdp, f.bytes, f.length, times), XDP_PASS);
	}
}

static void test_cells_hold_flows(void **state)
{
	struct probe *p = load(with_cells(12), 64);
	struct frame_buffer f = { .length = 0 };
	struct flow_sum sum;
	u32 used;

	(void)state;
	frame_tcp4(&f);
	run_flows(p, frame_tcp4, 26, 4, 100, 30);
	sum = all_cells(p, 0, &used);
	assert_int_equal(used, 100);
	assert_int_equal(sum.packets, 3000);
	assert_int_equal(sum.bytes, 3000 * f.length);
	assert_int_equal(sum.tcp_flags, 0x12);
	assert_int_equal(all_flows(p, &used).packets, 0);
	assert_int_equal(all_totals(p).unattributed, 0);
	unload(p);
}

/* A CPU's cells are half full: whatever flows differ in, nearly all find one. */
static void test_flows_spread_over_cells(void **state)
{
	static const struct {
		void (*frame)(struct frame_buffer *);
		u32 at, width;
	} ways[] = {
		{ frame_tcp4, 26, 4 }, { frame_tcp4, 30, 4 }, { frame_tcp4, 34, 2 }, { frame_tcp4, 36, 2 },
		{ frame_tcp4, 26, 2 }, { frame_udp6, 22, 4 }, { frame_udp6, 34, 4 }, { frame_udp6, 54, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct probe *p = load(with_cells(13), 4096);
		struct flow_sum in_cells, in_map;
		u32 used, entries;

		run_flows(p, ways[i].frame, ways[i].at, ways[i].width, 4096, 1);
		in_cells = all_cells(p, 0, &used);
		in_map = all_flows(p, &entries);
		assert_int_equal(used + entries, 4096);
		assert_int_equal(in_cells.packets + in_map.packets, 4096);
		if (entries > 4096 / 100)
			fail_msg("way %zu: %u of 4096 flows found no cell", i, entries);
		unload(p);
	}
}

static void test_flows_without_a_cell_are_in_the_map(void **state)
{
	struct probe *p = load(with_cells(FLOW_PAGE_BITS), 100);
	struct flow_sum in_cells, in_map;
	struct total_value sum;
	u32 used, entries;

	(void)state;
	run_flows(p, frame_udp4, 26, 4, 2000, 3);
	in_cells = all_cells(p, 0, &used);
	in_map = all_flows(p, &entries);
	sum = all_totals(p);
	assert_true(used > FLOW_PAGE_CELLS / 2 && used <= (u32)p->cpus * FLOW_PAGE_CELLS);
	assert_true(entries > 0);
	assert_true(sum.unattributed > 0);
	assert_int_equal(sum.packets, 6000);
	assert_int_equal(in_cells.packets, 3 * used);
	assert_int_equal(in_cells.packets + in_map.packets + sum.unattributed, 6000);
	assert_int_equal(in_cells.bytes + in_map.bytes + sum.unattributed_bytes, sum.bytes);
	unload(p);
}

/* What is in a free cell still counts for nothing. */
static void test_halves_and_cells_used_again(void **state)
{
	struct probe *p = load(with_cells(12), 64);
	struct flow_page *pages;
	u32 used, n;

	(void)state;
	run_flows(p, frame_tcp4, 26, 4, 50, 2);
	write_half(p, 1);
	run_flows(p, frame_tcp4, 26, 4, 70, 5);
	assert_int_equal(all_cells(p, 0, &used).packets, 100);
	assert_int_equal(all_cells(p, 1, &used).packets, 350);
	pages = map_pages(p, &n);
	for (u32 i = 0; i < n / 2; i++) {
		for (u32 slot = 0; slot < FLOW_PAGE_CELLS; slot++)
			pages[i].cells[slot].tag = 0;
		memset(pages[i].used, 0, sizeof(pages[i].used));
	}
	munmap(pages, n * sizeof(*pages));
	write_half(p, 0);
	run_flows(p, frame_tcp4, 26, 4, 50, 1);
	assert_int_equal(all_cells(p, 0, &used).packets, 50);
	assert_int_equal(used, 50);
	unload(p);
}

static void test_full_flow_map_is_counted(void **state)
{
	struct probe *p = load((struct packet_config){ .packet_lines = 0 }, 16);
	struct total_value sum;
	struct flow_sum flows;
	u32 entries;

	(void)state;
	for (u16 port = 1; port <= 500; port++) {
		struct frame_buffer f = { .length = 0 };

		frame_udp4(&f);
		f.bytes[34] = (u8)(port >> 8);
		f.bytes[35] = (u8)port;
		assert_int_equal(run(p->bpf->progs.packet_xdp, f.bytes, f.length, 1), XDP_PASS);
	}
	sum = all_totals(p);
	flows = all_flows(p, &entries);
	assert_int_equal(sum.packets, 500);
	assert_true(sum.unattributed >= 500 - 16 - (u64)p->cpus);
	assert_int_equal(flows.packets + sum.unattributed, sum.packets);
	assert_int_equal(flows.bytes + sum.unattributed_bytes, sum.bytes);
	unload(p);
}

static void test_full_ring_folds(void **state)
{
	struct probe *p = load(all_lines, 1024);
	struct frame_buffer f = { .length = 0 };
	struct flow_sum flows;
	u64 lines = 0;
	u32 entries;

	(void)state;
	frame_udp6(&f);
	assert_int_equal(run(p->bpf->progs.packet_xdp, f.bytes, f.length, 5000), XDP_PASS);
	while (take(p))
		lines++;
	flows = all_flows(p, &entries);
	assert_true(lines > 0 && lines < 5000);
	assert_int_equal(lines + flows.packets, 5000);
	assert_int_equal(total(p, 17).packets, 5000);
	unload(p);
}

static void test_budget_limits_lines(void **state)
{
	struct probe *p = load((struct packet_config){ .packet_lines = 100 }, 1024);
	struct frame_buffer f = { .length = 0 };
	struct timespec began, ended;
	u64 lines = 0, seconds;
	u32 entries;

	(void)state;
	frame_tcp6(&f);
	clock_gettime(CLOCK_MONOTONIC, &began);
	assert_int_equal(run(p->bpf->progs.packet_xdp, f.bytes, f.length, 600), XDP_PASS);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	while (take(p))
		lines++;
	/* The bucket starts full, and fills by 100 in each second begun. */
	seconds = (u64)(ended.tv_sec - began.tv_sec) + 1;
	assert_true(lines >= 100 && lines <= 100 + 100 * seconds);
	assert_int_equal(lines + all_flows(p, &entries).packets, 600);
	unload(p);
}

static void test_only_keeps_counting(void **state)
{
	struct packet_config config = { .packet_lines = PACKET_LINES_ALL, .only_active = 1 };
	struct frame_buffer tcp = { .length = 0 }, udp = { .length = 0 };
	struct probe *p;
	u64 lines = 0;
	u32 entries;

	(void)state;
	config.only[0] = 1ull << 6;
	p = load(config, 1024);
	frame_tcp4(&tcp);
	frame_udp4(&udp);
	for (int i = 0; i < 10; i++) {
		udp.bytes[35] = (u8)i;
		assert_int_equal(run(p->bpf->progs.packet_xdp, tcp.bytes, tcp.length, 1), XDP_PASS);
		assert_int_equal(run(p->bpf->progs.packet_xdp, udp.bytes, udp.length, 1), XDP_PASS);
	}
	while (take(p))
		lines++;
	assert_int_equal(lines, 10);
	assert_int_equal(all_flows(p, &entries).packets, 10);
	assert_int_equal(entries, 1);
	assert_int_equal(total(p, 6).packets, 10);
	assert_int_equal(total(p, 17).packets, 10);
	unload(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xdp_frames),
		cmocka_unit_test(test_tc_frames),
		cmocka_unit_test(test_mutated_frames),
		cmocka_unit_test(test_fold_everything),
		cmocka_unit_test(test_cells_hold_flows),
		cmocka_unit_test(test_flows_spread_over_cells),
		cmocka_unit_test(test_flows_without_a_cell_are_in_the_map),
		cmocka_unit_test(test_halves_and_cells_used_again),
		cmocka_unit_test(test_full_flow_map_is_counted),
		cmocka_unit_test(test_full_ring_folds),
		cmocka_unit_test(test_budget_limits_lines),
		cmocka_unit_test(test_only_keeps_counting),
	};

	return cmocka_run_group_tests_name("packet probe", tests, NULL, NULL);
}
