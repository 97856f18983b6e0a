/* SPDX-License-Identifier: MIT */
/* The tables of the host's probes, held against the BPF object; --probe and its options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loader/arguments.h"
#include "loader/host_object.h"
#include "loader/mapset.h"
#include "loader/probe.h"
#include "loader/procfile.h"
#include "loader/view.h"

#include "bpf/packet_config.h"
#include "bpf/jopil.skel.h"

#define PAGE 4096u
#define DROP PROBE_HOST(HOST_PROBE_DROP)
#define PROCESS PROBE_HOST(HOST_PROBE_PROCESS)
#define CONNECTION PROBE_HOST(HOST_PROBE_CONNECTION)

static void test_programs_belong_to_probes(void **state)
{
	struct host_object object = { 0 };
	struct failure f;
	u32 needed = 0;

	(void)state;
	assert_int_equal(host_object_open(&object, &f), 0);
	assert_in_range(object.count, 8, HOST_PROGRAMS_MAX - 1);
	for (unsigned int i = 0; i < object.count; i++) {
		const struct host_program *p = &object.programs[i];

		assert_true(strlen(p->name) < 32);	/* it is a pin's name */
		assert_true(p->probes & PROBES_HOST && !(p->probes & ~PROBES_HOST));
		assert_int_equal(p->fd, -1);
		if (!probe_without(p->name))
			needed |= p->probes;
	}
	assert_int_equal(needed, PROBES_HOST);
	host_object_close(&object);
	host_object_close(&object);
}

static void test_program_names(void **state)
{
	(void)state;
	assert_int_equal(probe_of_program("drop"), DROP);
	assert_int_equal(probe_of_program("drop_nested"), DROP);
	assert_int_equal(probe_of_program("connection_state_nested"), CONNECTION);
	assert_int_equal(probe_of_program(PROBE_WALK), CONNECTION | PROCESS);
	assert_int_equal(probe_of_program("packet_xdp"), PROBE_PACKET);
	assert_int_equal(probe_of_program("drops"), 0);
	assert_int_equal(probe_of_program("_drop"), 0);
	assert_int_equal(probe_of_program(""), 0);
	assert_null(probe_without("drop_nested"));
	assert_non_null(probe_without(PROBE_WALK));
	assert_non_null(probe_without("drop_something"));
	assert_null(probe_without("process_send_exit_inet"));
	assert_true(probe_stands_in("process_send_exit_inet", "process_send"));
	assert_false(probe_stands_in("process_send_exit_inet", "process"));
	assert_false(probe_stands_in("process_send", "process_send"));
	assert_false(probe_stands_in("process_send_spare_1", "process_send"));
}

static void test_maps_have_rows(void **state)
{
	struct jopil_bpf *skeleton = jopil_bpf__open();
	struct pin_match match;

	(void)state;
	assert_non_null(skeleton);
	for (unsigned int i = 0; i < probe_maps_count; i++) {
		const struct probe_map *row = &probe_maps[i];

		assert_ptr_equal(probe_map(row->name), row);
		assert_non_null(bpf_object__find_map_by_name(skeleton->obj, row->name));
		assert_true(!row->pin || pin_name_match(row->area, row->pin, &match));
		assert_true(!row->pin || !row->stand_in);
	}
	assert_null(probe_map("nonsense"));
	jopil_bpf__destroy(skeleton);
}

static enum mapset_kind kind_of(const char *name)
{
	struct pin_match match;

	assert_true(pin_name_match(PIN_AREA_SHARED, name, &match));
	return mapset_kind(&match);
}

static void test_generations(void **state)
{
	const struct pin_settings s = { .flows_generation = 1, .rings_generation = 2,
					.fold_generation = { 3, 4, 5 }, .events_generation = 6 };
	static const char *const names[MAPSET_KINDS] = { "flows_7_a", "ring_7_0", "processes_7_b",
							 "drops_7_a", "latencies_7_b", "events_7" };

	(void)state;
	for (u32 kind = 0; kind < MAPSET_KINDS; kind++) {
		assert_int_equal(kind_of(names[kind]), kind);
		assert_int_equal(mapset_generation(kind, &s), kind + 1);
	}
	assert_int_equal(kind_of("drop_totals"), MAPSET_OTHER);
	assert_true(mapset_is_ring(MAPSET_EVENTS) && mapset_is_ring(MAPSET_RING));
	assert_false(mapset_is_ring(MAPSET_LATENCIES));
}

static void test_pin_names(void **state)
{
	struct pin_match m;

	(void)state;
	assert_true(pin_name_match(PIN_AREA_PRIVATE, "host_connection_state_nested", &m));
	assert_string_equal(m.word, "connection_state_nested");
	assert_int_equal(m.numbers, 0);
	assert_int_equal(m.rule->mode, 0600);
	assert_true(pin_name_match(PIN_AREA_PRIVATE, "host_process_recvmsg4", &m));
	assert_false(pin_name_match(PIN_AREA_PRIVATE, "host_", &m));
	assert_false(pin_name_match(PIN_AREA_PRIVATE, "host_a.b", &m));
	assert_false(pin_name_match(PIN_AREA_PRIVATE, "host_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &m));
	assert_false(pin_name_match(PIN_AREA_SHARED, "host_drop", &m));
	assert_true(pin_name_match(PIN_AREA_PRIVATE, "link_3_xdp", &m));
	assert_int_equal(m.numbers, 1);
	assert_true(pin_name_match(PIN_AREA_PRIVATE, "refused_latency", &m));
	assert_true(m.rule->is_directory);
	assert_true(pin_name_match(PIN_AREA_SHARED, "sockets", &m));
	assert_int_equal(m.rule->mode, 0640);
	assert_true(pin_name_match(PIN_AREA_SHARED, "fold_active", &m));
	assert_int_equal(m.rule->mode, 0660);
	assert_false(pin_name_match(PIN_AREA_SHARED, "events_1_a", &m));
}

static void test_names_of_sets(void **state)
{
	char text[64], small[12];

	(void)state;
	probe_names(PROBE_PACKET | PROBES_HOST, text, sizeof(text));
	assert_string_equal(text, "packet, connection, process, drop, latency");
	probe_names(0, text, sizeof(text));
	assert_string_equal(text, "none");
	probe_names(PROBES_HOST, small, sizeof(small));
	assert_string_equal(small, "connection,");
}

static void test_sets(void **state)
{
	struct pin_settings fresh = { 0 };
	struct pin_settings was = { .cpus = 2, .probes = 1u << HOST_PROBE_DROP };
	struct arguments args = { .probe.set = PROBE_PACKET | PROBES_HOST, .interfaces_count = 1 };

	(void)state;
	assert_int_equal(arguments_probes(&args, &fresh), PROBE_PACKET | PROBES_HOST);
	assert_int_equal(arguments_probes(&args, &was), PROBE_PACKET | DROP);	/* as it was */
	args.probe.given = true;
	assert_int_equal(arguments_probes(&args, &was), PROBE_PACKET | PROBES_HOST);
	args.interfaces_count = 0;
	assert_int_equal(arguments_probes(&args, &fresh), PROBES_HOST);
	args.probe.set = PROCESS;
	assert_int_equal(arguments_probes(&args, &was), PROCESS);
}

static void test_host_settings(void **state)
{
	struct pin_settings s = { 0 };
	struct arguments args = { 0 };

	(void)state;
	arguments_settings(&args, PAGE, true, &s);
	assert_int_equal(s.drop_lines, DEFAULT_DROP_LINES);
	assert_int_equal(s.max_fold[FOLD_PROCESS], DEFAULT_MAX_PROCESSES);
	assert_int_equal(s.max_fold[FOLD_DROP], DEFAULT_MAX_DROPS);
	assert_int_equal(s.max_fold[FOLD_LATENCY], DEFAULT_MAX_NETWORKS + 1);	/* the host */
	assert_int_equal(s.events_bytes, DEFAULT_EVENTS_BYTES);
	s.cpus = 2;
	args = (struct arguments){ .drop_lines = { true, PACKET_LINES_ALL },
				   .max_fold = { 10, 0, 20 }, .events_bytes = 5000 };
	arguments_settings(&args, PAGE, true, &s);
	args = (struct arguments){ 0 };
	arguments_settings(&args, PAGE, true, &s);	/* what is not given stays */
	assert_int_equal(s.drop_lines, PACKET_LINES_ALL);
	assert_int_equal(s.max_fold[FOLD_PROCESS], 10);
	assert_int_equal(s.max_fold[FOLD_DROP], DEFAULT_MAX_DROPS);
	assert_int_equal(s.max_fold[FOLD_LATENCY], 21);
	assert_int_equal(s.events_bytes, 8192);
}

/* Without an interface nothing is put into the packets' maps: they are small until one comes. */
static void test_idle_settings(void **state)
{
	struct pin_settings s = { 0 };
	struct arguments args = { 0 };

	(void)state;
	arguments_settings(&args, PAGE, true, &s);
	s.cpus = 2;
	assert_int_equal(s.max_flows, IDLE_MAX_FLOWS);
	assert_int_equal(s.ring_bytes, PAGE);
	arguments_settings(&args, PAGE, true, &s);
	assert_int_equal(s.max_flows, IDLE_MAX_FLOWS);
	args.interfaces_count = 1;
	arguments_settings(&args, PAGE, true, &s);
	assert_int_equal(s.max_flows, DEFAULT_MAX_FLOWS);
	assert_int_equal(s.ring_bytes, 4u << 20);
	args = (struct arguments){ .interfaces_count = 1, .max_flows = 1 };
	arguments_settings(&args, PAGE, false, &s);	/* by hand, with an interface: it stays */
	args.max_flows = 0;
	arguments_settings(&args, PAGE, false, &s);
	assert_int_equal(s.max_flows, 1);
}

static void test_mount_point(void **state)
{
	static const char text[] =
		"22 27 0:21 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
		"30 22 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		"31 22 0:29 / /sys/fs/cgroup/a\\040b rw - cgroup2 cgroup2 rw\n"
		"32 22 0:29 / /elsewhere rw - cgroup2 cgroup2 rw\n";
	char path[32], small[8];

	(void)state;
	assert_true(procfile_mount_point(text, "cgroup2", path, sizeof(path)));
	assert_string_equal(path, "/sys/fs/cgroup/a b");
	assert_true(procfile_mount_point(text, "sysfs", small, sizeof(small)));
	assert_false(procfile_mount_point(text, "cgroup2", small, sizeof(small)));
	assert_false(procfile_mount_point(text, "bpf", path, sizeof(path)));
	assert_false(procfile_mount_point("", "bpf", path, sizeof(path)));
	assert_false(procfile_mount_point("1 2\n", "bpf", path, sizeof(path)));
}

static void test_counters_are_named(void **state)
{
	(void)state;
	for (int i = 0; i < PROBE_COUNTERS; i++) {
		assert_true(probe_of_program(view_counters[i].probe) & PROBES_HOST);
		assert_non_null(view_counters[i].name);
	}
	assert_string_equal(view_counters[COUNTER_drop_not_packets].name, "not_packets");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs_belong_to_probes),
		cmocka_unit_test(test_program_names),
		cmocka_unit_test(test_maps_have_rows),
		cmocka_unit_test(test_generations),
		cmocka_unit_test(test_pin_names),
		cmocka_unit_test(test_names_of_sets),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_host_settings),
		cmocka_unit_test(test_idle_settings),
		cmocka_unit_test(test_mount_point),
		cmocka_unit_test(test_counters_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
