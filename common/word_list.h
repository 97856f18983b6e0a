/* SPDX-License-Identifier: MIT */
/* "packet,flow": lists of words that stand for bits. */
#ifndef JOPIL_WORD_LIST_H
#define JOPIL_WORD_LIST_H

#include <stddef.h>

#include "common/types.h"

struct word {
	const char *name;
	u32 bits;
};

/* The bits of all words of a list, separated by commas. 0, or -EINVAL: one is none of them. */
int word_list_parse(const char *list, const struct word *words, size_t count, u32 *ret_bits);

#endif
