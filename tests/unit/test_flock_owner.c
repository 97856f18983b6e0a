// SPDX-License-Identifier: MIT
/* Who holds a flock(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/sysmacros.h>

#include "common/flock_owner.h"

static void owners_of_locks(void **state)
{
	static const char locks[] =
		"1: POSIX  ADVISORY  WRITE 811 fe:01:131090 0 EOF\n"
		"2: FLOCK  ADVISORY  WRITE 4711 00:1b:77 0 EOF\n"
		"2: -> FLOCK  ADVISORY  WRITE 4712 00:1b:77 0 EOF\n"
		"3: FLOCK  ADVISORY  WRITE 812 fe:01:131090 0 EOF\n"
		"4: FLOCK  ADVISORY  WRITE -1 00:05:12 0 EOF";

	(void)state;
	assert_int_equal(flock_owner(locks, makedev(0, 0x1b), 77), 4711);
	assert_int_equal(flock_owner(locks, makedev(0xfe, 1), 131090), 812);
	assert_int_equal(flock_owner(locks, makedev(0, 5), 12), 0);
	assert_int_equal(flock_owner(locks, makedev(0, 0x1b), 78), 0);
	assert_int_equal(flock_owner("", makedev(0, 0x1b), 77), 0);
	assert_int_equal(flock_owner("what is this\n\n", makedev(0, 0x1b), 77), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(owners_of_locks),
	};

	return cmocka_run_group_tests_name("flock_owner", tests, NULL, NULL);
}
