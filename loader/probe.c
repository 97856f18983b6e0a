/* SPDX-License-Identifier: MIT */
/* The probes that the loader knows. */
#include "loader/probe.h"

#include <errno.h>
#include <string.h>

const struct probe probes[] = {
	{ "packet", "every packet of the interfaces, counted, as lines or flows" },
};
const unsigned int probes_count = sizeof(probes) / sizeof(probes[0]);

static u32 probe_bit(const char *name, size_t length)
{
	if (length == 3 && !memcmp(name, "all", 3))
		return (1u << probes_count) - 1;
	for (unsigned int i = 0; i < probes_count; i++)
		if (strlen(probes[i].name) == length && !memcmp(probes[i].name, name, length))
			return 1u << i;
	return 0;
}

int probe_parse(const char *list, u32 *ret_set, const char **ret_why)
{
	u32 set = 0;

	for (const char *item = list;; item++) {
		size_t length = strcspn(item, ",");
		u32 bit = probe_bit(item, length);

		if (!bit) {
			*ret_why = "no such probe; loader --status lists those there are";
			return -EINVAL;
		}
		set |= bit;
		item += length;
		if (!*item)
			break;
	}
	*ret_set = set;
	return 0;
}
