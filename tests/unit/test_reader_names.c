// SPDX-License-Identifier: MIT
/* Names of ports, cgroups and drop reasons: from tables, a tree of directories, BTF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <bpf/btf.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reader/cgroups.h"
#include "reader/names.h"
#include "reader/reasons.h"
#include "reader/services.h"

static void services_go_by_protocol_and_port(void **state)
{
	struct services *s = services_new();

	(void)state;
	services_add(s, "tcp", htons(443), "https");
	services_add(s, "tcp", htons(443), "second");	/* the first one counts */
	services_add(s, "udp", htons(65535), "last");
	services_add(s, "tcp", htons(0), "none");
	services_add(s, "ddp", htons(1), "rtmp");	/* no protocol of ours */
	assert_string_equal(services_find(s, 6, htons(443)), "https");
	assert_string_equal(services_find(s, 17, htons(65535)), "last");
	assert_string_equal(services_find(s, 6, htons(0)), "none");
	assert_null(services_find(s, 17, htons(443)));
	assert_null(services_find(s, 1, htons(443)));
	assert_null(services_find(NULL, 6, htons(443)));
	services_free(s);
	services_free(NULL);
}

static void more_services_than_there_is_room_for(void **state)
{
	struct services *s = services_new();

	(void)state;
	for (unsigned int port = 0; port < 65536; port++)
		services_add(s, "sctp", htons((u16)port), "x");
	assert_string_equal(services_find(s, 132, htons(0)), "x");
	assert_null(services_find(s, 132, htons(65535)));
	services_free(s);
}

/* ---- cgroups: any tree of directories will do ------------------------------------------ */

static char root[64], mounts[80];

static u64 make(const char *path)
{
	char full[256];
	struct stat st;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_int_equal(mkdir(full, 0700), 0);
	assert_int_equal(stat(full, &st), 0);
	return st.st_ino;
}

static void take(const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	assert_int_equal(rmdir(full), 0);
}

/* As /proc/self/mounts, with root as a file system of that type. */
static void write_mounts(const char *type)
{
	FILE *file = fopen(mounts, "w");

	assert_non_null(file);
	fprintf(file, "proc /proc proc rw 0 0\n%s %s %s rw 0 0\n", type, root, type);
	fprintf(file, "cgroup2 /nowhere cgroup2 rw 0 0\n");
	fclose(file);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/jopil-cgroups-XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(mounts, sizeof(mounts), "%s/mounts", root);
	write_mounts("cgroup2");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(mounts);
	assert_int_equal(rmdir(root), 0);
	return 0;
}

static void cgroups_are_found_by_inode(void **state)
{
	struct cgroups *c = cgroups_new(mounts);
	u64 a = make("a.slice"), b = make("a.slice/b c.service"), late;
	struct stat st;

	(void)state;
	assert_null(cgroups_find(c, a));
	cgroups_read(c);
	assert_string_equal(cgroups_find(c, a), "/a.slice");
	assert_string_equal(cgroups_find(c, b), "/a.slice/b c.service");
	assert_int_equal(stat(root, &st), 0);
	assert_string_equal(cgroups_find(c, st.st_ino), "/");
	assert_int_equal(stat(mounts, &st), 0);
	assert_null(cgroups_find(c, st.st_ino));	/* a file is no cgroup */
	assert_null(cgroups_find(c, 0));
	late = make("late");
	assert_null(cgroups_find(c, late));
	cgroups_read(c);
	assert_string_equal(cgroups_find(c, late), "/late");
	take("late");
	cgroups_read(c);
	assert_string_equal(cgroups_find(c, late), "/late");	/* as it was */
	cgroups_free(c);
	take("a.slice/b c.service");
	take("a.slice");
}

static void no_cgroup2_no_names(void **state)
{
	struct cgroups *c;

	(void)state;
	write_mounts("cgroup");
	c = cgroups_new(mounts);
	cgroups_read(c);
	assert_null(cgroups_find(c, 1));
	cgroups_free(c);
	c = cgroups_new("/nowhere/mounts");
	cgroups_read(c);
	cgroups_free(c);
	cgroups_read(NULL);
	assert_null(cgroups_find(NULL, 1));
}

/* ---- reasons ---------------------------------------------------------------------------- */

static struct btf *make_btf(void)
{
	struct btf *btf = btf__new_empty();

	assert_true(btf__add_enum(btf, "skb_drop_reason", 4) > 0);
	btf__add_enum_value(btf, "SKB_NOT_DROPPED_YET", 0);
	btf__add_enum_value(btf, "SKB_DROP_REASON_NOT_SPECIFIED", 2);
	btf__add_enum_value(btf, "SKB_DROP_REASON_NO_SOCKET", 3);
	btf__add_enum_value(btf, "SKB_DROP_REASON_SUBSYS_MASK", -65536);
	assert_true(btf__add_enum(btf, "ovs_drop_reason", 4) > 0);
	btf__add_enum_value(btf, "__OVS_DROP_REASON", 3 << 16);
	btf__add_enum_value(btf, "OVS_DROP_LAST_ACTION", 3 << 16 | 1);
	assert_true(btf__add_enum(btf, "___mac80211_drop_reason", 4) > 0);
	btf__add_enum_value(btf, "___RX_CONTINUE", 1);		/* of the core, not theirs */
	btf__add_enum_value(btf, "___RX_DROP_U_MIC_FAIL", 1 << 16 | 1);
	assert_true(btf__add_enum(btf, "drop_reasons", 4) > 0);
	btf__add_enum_value(btf, "NO_REASON", 77);
	return btf;
}

static void reasons_come_out_of_btf(void **state)
{
	struct reasons *r = reasons_new();
	struct btf *btf = make_btf();

	(void)state;
	reasons_add_btf(r, btf);
	reasons_add_btf(r, btf);	/* twice is as good */
	assert_string_equal(reasons_find(r, 3), "NO_SOCKET");
	assert_string_equal(reasons_find(r, 2), "NOT_SPECIFIED");
	assert_string_equal(reasons_find(r, 0), "SKB_NOT_DROPPED_YET");
	assert_string_equal(reasons_find(r, 3 << 16 | 1), "OVS_DROP_LAST_ACTION");
	assert_string_equal(reasons_find(r, 3 << 16), "OVS_DROP_REASON");
	assert_string_equal(reasons_find(r, 1 << 16 | 1), "RX_DROP_U_MIC_FAIL");
	assert_null(reasons_find(r, 1));
	assert_null(reasons_find(r, 77));
	assert_null(reasons_find(r, 0xffff0000));
	assert_null(reasons_find(NULL, 3));
	btf__free(btf);
	reasons_free(r);
	reasons_free(NULL);
}

/* Modules number their types on from those of vmlinux. */
static void reasons_of_a_module(void **state)
{
	struct btf *vmlinux = make_btf(), *module = btf__new_empty_split(vmlinux);
	struct reasons *r = reasons_new();

	(void)state;
	assert_true(btf__add_enum(module, "new_drop_reason", 4) > 0);
	btf__add_enum_value(module, "NEW_DROP", 9 << 16 | 7);
	reasons_add_btf(r, module);
	assert_string_equal(reasons_find(r, 9 << 16 | 7), "NEW_DROP");
	assert_null(reasons_find(r, 3));	/* vmlinux was not asked for */
	btf__free(module);
	btf__free(vmlinux);
	reasons_free(r);
}

static void the_running_kernel_has_reasons(void **state)
{
	struct names *names;

	(void)state;
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		skip();
	names = names_new();
	/* The enum is there from 5.17 on. */
	if (names_reason(names, 3)) {
		assert_null(strstr(names_reason(names, 3), "SKB_DROP_REASON_"));
		assert_null(names_reason(names, 0x12345678));
	}
	names_free(names);
}

static void without_names_all_is_unknown(void **state)
{
	struct names *names = names_new();

	(void)state;
	assert_null(names_service(NULL, 6, htons(443)));
	assert_null(names_cgroup(NULL, 1));
	assert_null(names_reason(NULL, 3));
	assert_null(names_location(NULL, 1));
	assert_null(names_location(names, 0));
	assert_null(names_location(names, 1));
	assert_null(names_location(names, UINT16_MAX));
	assert_null(names_cgroup(names, 0));
	names_free(names);
	names_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_go_by_protocol_and_port),
		cmocka_unit_test(more_services_than_there_is_room_for),
		cmocka_unit_test_setup_teardown(cgroups_are_found_by_inode, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_cgroup2_no_names, set_up, tear_down),
		cmocka_unit_test(reasons_come_out_of_btf),
		cmocka_unit_test(reasons_of_a_module),
		cmocka_unit_test(the_running_kernel_has_reasons),
		cmocka_unit_test(without_names_all_is_unknown),
	};

	return cmocka_run_group_tests_name("reader_names", tests, NULL, NULL);
}
