/* SPDX-License-Identifier: MIT */
/* What the loader reads from the system as text or bytes: names of pins, /proc, rtnetlink. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>

#include "loader/hook.h"
#include "loader/netdev.h"
#include "loader/pin_name.h"
#include "loader/procfile.h"
#include "loader/table.h"

static void test_pin_names(void **state)
{
	struct pin_match m;

	(void)state;
	assert_true(pin_name_match(PIN_AREA_SHARED, "flows_12_a", &m));
	assert_int_equal(m.number[0], 12);
	assert_string_equal(m.word, "a");
	assert_int_equal(m.rule->mode, 0660);
	assert_true(pin_name_match(PIN_AREA_SHARED, "ring_4294967295_0", &m));
	assert_int_equal(m.number[0], 4294967295u);
	assert_int_equal(m.number[1], 0);
	assert_true(pin_name_match(PIN_AREA_PRIVATE, "link_255_egress", &m));
	assert_int_equal(m.rule->mode, 0600);
	assert_string_equal(m.word, "egress");
	assert_true(pin_name_match(PIN_AREA_PRIVATE, "filter_0_ingress_new", &m));
	assert_string_equal(m.rule->pattern, PIN_FILTER_NEW);
	assert_true(pin_name_match(PIN_AREA_PRIVATE, "filter_0_ingress", &m));
	assert_string_equal(m.rule->pattern, PIN_FILTER);
}

static void test_foreign_pin_names(void **state)
{
	static const char *const foreign[] = {
		"", "flows", "flows_1", "flows_1_", "flows_1_ab", "flows_01_a", "flows_-1_a",
		"flows_4294967296_a", "flows_99999999999_a", "flows_1_a_b", "totals_", "totals_x",
		"totals_1x", "interfaces2", "Interfaces", "link_1_egress", "maps.debug", "..",
	};
	struct pin_match m;

	(void)state;
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		assert_false(pin_name_match(PIN_AREA_SHARED, foreign[i], &m));
	assert_false(pin_name_match(PIN_AREA_PRIVATE, "interfaces", &m));
	assert_false(pin_name_match(PIN_AREA_PRIVATE, "link_1_aaaaaaaaaaaaaaaaaaaaaaaa", &m));
	assert_true(pin_name_is_builtin("maps.debug"));
	assert_false(pin_name_is_builtin("settings"));
}

static void test_mount_source(void **state)
{
	static const char text[] =
		"22 27 0:21 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n"
		"30 22 0:28 / /sys/fs/bpf rw shared:9 - bpf bpf rw,mode=700\n"
		"31 22 0:29 / /run/a\\040b rw - bpf jopil-made rw\n"
		"32 22 0:30 / /run/over rw - bpf jopil rw\n"
		"33 22 0:31 / /run/over rw - tmpfs jopil rw\n";
	char source[16];

	(void)state;
	assert_true(procfile_mount_source(text, "/sys/fs/bpf", "bpf", source, sizeof(source)));
	assert_string_equal(source, "bpf");
	assert_true(procfile_mount_source(text, "/run/a b", "bpf", source, sizeof(source)));
	assert_string_equal(source, "jopil-made");
	assert_false(procfile_mount_source(text, "/run/over", "bpf", source, sizeof(source)));
	assert_false(procfile_mount_source(text, "/run", "bpf", source, sizeof(source)));
	assert_false(procfile_mount_source("", "/run", "bpf", source, sizeof(source)));
	assert_false(procfile_mount_source("1 2\n", "/run", "bpf", source, sizeof(source)));
}

static void test_softnet(void **state)
{
	static const char text[] =
		"00000010 0 0 0 0 0 0 0 0 0 0 00000003 00000000 00000003 00000000\n"
		"00000dfa 0 0 0 0 0 0 0 0 0 0 00000000 00000001 00000000 00000000\n";
	struct softnet s;

	(void)state;
	assert_true(procfile_softnet(text, 0, &s));
	assert_int_equal(s.processed, 0x10);
	assert_int_equal(s.backlog, 3);
	assert_true(procfile_softnet(text, 1, &s));
	assert_int_equal(s.processed, 0xdfa);
	assert_false(procfile_softnet(text, 2, &s));
	assert_false(procfile_softnet("00000010 0 0 0 0 0 0 0 0 0 0\n", 0, &s));	/* 5.4 */
}

static void put(struct nlmsghdr *m, unsigned short type, const void *data, size_t length)
{
	struct rtattr *a = (struct rtattr *)((char *)m + NLMSG_ALIGN(m->nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(length);
	memcpy(RTA_DATA(a), data, length);
	m->nlmsg_len = NLMSG_ALIGN(m->nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static void make_link(struct nlmsghdr *m, unsigned short arphrd, const char *kind)
{
	struct ifinfomsg link = { .ifi_index = 7, .ifi_type = arphrd };
	char info[64] = { 0 };
	struct rtattr *nested = (struct rtattr *)info;

	m->nlmsg_type = RTM_NEWLINK;
	m->nlmsg_len = NLMSG_LENGTH(sizeof(link));
	memcpy(NLMSG_DATA(m), &link, sizeof(link));
	put(m, IFLA_IFNAME, "eth7", 5);
	if (!kind)
		return;
	nested->rta_type = IFLA_INFO_KIND;
	nested->rta_len = (unsigned short)RTA_LENGTH(strlen(kind) + 1);
	memcpy(RTA_DATA(nested), kind, strlen(kind) + 1);
	put(m, IFLA_LINKINFO, info, nested->rta_len);
}

static void test_link_messages(void **state)
{
	union {
		struct nlmsghdr m;
		char bytes[512];
	} u = { 0 };
	struct netdev dev;

	(void)state;
	make_link(&u.m, ARPHRD_ETHER, "veth");
	assert_int_equal(netdev_parse(&u.m, &dev), 0);
	assert_string_equal(dev.name, "eth7");
	assert_string_equal(dev.kind, "veth");
	assert_int_equal(dev.ifindex, 7);
	assert_true(netdev_is_ethernet(&dev));
	assert_false(netdev_is_physical(&dev));
	for (u32 cut = u.m.nlmsg_len; cut-- > 0;) {	/* never reads behind the end */
		u.m.nlmsg_len = cut;
		netdev_parse(&u.m, &dev);
	}
	u.m.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)) - 1;
	assert_true(netdev_parse(&u.m, &dev) < 0);
}

static struct hook_choice choose(unsigned short arphrd, const char *kind, u8 wish, u8 present)
{
	struct netdev dev = { .ifindex = 1, .arphrd = arphrd };

	strncpy(dev.kind, kind, sizeof(dev.kind) - 1);
	return hook_choose(&dev, wish, present);
}

static void test_hook_choices(void **state)
{
	struct hook_choice c = choose(ARPHRD_ETHER, "", PIN_HOOK_NONE, PIN_HOOK_NONE);

	(void)state;
	assert_int_equal(c.hook, PIN_HOOK_XDP);
	assert_int_equal(c.fallback, PIN_HOOK_GENERIC);
	c = choose(ARPHRD_ETHER, "veth", PIN_HOOK_NONE, PIN_HOOK_NONE);
	assert_int_equal(c.hook, PIN_HOOK_TC);
	assert_non_null(strstr(c.reason, "veth"));
	c = choose(ARPHRD_LOOPBACK, "", PIN_HOOK_NONE, PIN_HOOK_NONE);
	assert_int_equal(c.hook, PIN_HOOK_TC);
	c = choose(ARPHRD_ETHER, "", PIN_HOOK_NONE, PIN_HOOK_TC);	/* it stays */
	assert_int_equal(c.hook, PIN_HOOK_TC);
	assert_int_equal(c.fallback, PIN_HOOK_NONE);
	c = choose(ARPHRD_ETHER, "veth", PIN_HOOK_XDP, PIN_HOOK_TC);	/* told */
	assert_int_equal(c.hook, PIN_HOOK_XDP);
	assert_int_equal(c.fallback, PIN_HOOK_NONE);
}

static void test_slots(void **state)
{
	static struct pin_interface rows[PIN_INTERFACES_MAX];

	(void)state;
	assert_int_equal(slot_choose(rows), 0);
	assert_int_equal(slot_find(rows, 5, 1), -1);
	for (u32 i = 0; i < PIN_INTERFACES_MAX; i++) {
		rows[i] = (struct pin_interface){ .ifindex = i + 1, .netns_inode = 1,
						  .ingress_hook = PIN_HOOK_TC,
						  .attached_ns = 1000 + i };
		assert_int_equal(slot_choose(rows), i + 1 < PIN_INTERFACES_MAX ? (int)i + 1 : -1);
	}
	assert_int_equal(slot_find(rows, 5, 1), 4);
	assert_int_equal(slot_find(rows, 5, 2), -1);
	rows[200].ingress_hook = PIN_HOOK_NONE;
	rows[100].ingress_hook = PIN_HOOK_NONE;
	assert_int_equal(slot_choose(rows), 100);	/* detached longest */
	assert_int_equal(slot_find(rows, 101, 1), 100);	/* it keeps its slot until then */
	strcpy(rows[100].name, "gone0");
	strcpy(rows[7].name, "eth0");
	assert_int_equal(slot_find_name(rows, "eth0"), 7);
	assert_int_equal(slot_find_name(rows, "gone0"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pin_names),
		cmocka_unit_test(test_foreign_pin_names),
		cmocka_unit_test(test_mount_source),
		cmocka_unit_test(test_softnet),
		cmocka_unit_test(test_link_messages),
		cmocka_unit_test(test_hook_choices),
		cmocka_unit_test(test_slots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
