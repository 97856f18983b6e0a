/* SPDX-License-Identifier: MIT */
/* Lists of words that stand for bits. */
#include "common/word_list.h"

#include <errno.h>
#include <string.h>

static u32 bits_of(const struct word *words, size_t count, const char *name, size_t length)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(words[i].name) == length && !memcmp(words[i].name, name, length))
			return words[i].bits;
	return 0;
}

int word_list_parse(const char *list, const struct word *words, size_t count, u32 *ret_bits)
{
	u32 all = 0;

	for (;;) {
		size_t length = strcspn(list, ",");
		u32 bits = bits_of(words, count, list, length);

		if (!bits)
			return -EINVAL;
		all |= bits;
		if (!list[length])
			break;
		list += length + 1;
	}
	*ret_bits = all;
	return 0;
}
