/* SPDX-License-Identifier: MIT */
/* A line as somebody else would write it: its keys in another order, blanks behind signs. */
#ifndef JOPIL_BENCH_SHUFFLE_H
#define JOPIL_BENCH_SHUFFLE_H

#include <stddef.h>
#include <string.h>

#define SHUFFLE_KEYS 64
#define SHUFFLE_STEP 7	/* each 7-th key, then the next ones: no key follows the one that it did */

/* Of a line without nested values, commas and colons within strings aside; its newline too. */
static inline size_t shuffle_keys(char *to, const char *line, size_t length)
{
	const char *begin[SHUFFLE_KEYS + 1], *end = line + length - 2;
	char *p = to;
	size_t n = 0;

	for (const char *key = line + 1; key; n++) {
		begin[n] = key;
		key = memchr(key, ',', (size_t)(end - key));
		key = key ? key + 1 : NULL;
	}
	begin[n] = end + 1;
	for (size_t start = 0; start < SHUFFLE_STEP; start++)
		for (size_t i = start; i < n; i += SHUFFLE_STEP) {
			size_t key = (size_t)(strchr(begin[i], ':') - begin[i]) + 1;
			size_t value = (size_t)(begin[i + 1] - begin[i]) - key - 1;

			memcpy(p, p == to ? "{ " : ", ", 2);
			memcpy(p + 2, begin[i], key);
			p += 2 + key;
			*p++ = ' ';
			memcpy(p, begin[i] + key, value);
			p += value;
		}
	memcpy(p, "}\n", 2);
	return (size_t)(p + 2 - to);
}

#endif
