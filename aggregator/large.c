/* SPDX-License-Identifier: MIT */
/* Memory of tables that may become large, in large pages. */
#include "aggregator/large.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LARGE_PAGE (2ul << 20)
#define LARGE_LEAST (2 * LARGE_PAGE)	/* below, malloc() will do */

/* Large pages are aligned: what a mapping has too much is given back. */
static void *map_aligned(size_t bytes, bool large)
{
	size_t room = bytes + LARGE_PAGE, before;
	char *p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)p % LARGE_PAGE;
	if (before)
		munmap(p, before);
	munmap(p + before + bytes, LARGE_PAGE - before);
	if (large)
		madvise(p + before, bytes, MADV_HUGEPAGE);	/* in vain where there are none: no matter */
	return p + before;
}

/* Whole small pages, so that nothing lies beside them. */
static size_t mapped_bytes(size_t bytes)
{
	return (bytes + 4095) / 4096 * 4096;
}

void *large_new(size_t bytes, bool large)
{
	return bytes < LARGE_LEAST ? malloc(bytes) : map_aligned(mapped_bytes(bytes), large);
}

void large_free(void *memory, size_t bytes)
{
	if (bytes < LARGE_LEAST)
		free(memory);
	else if (memory)
		munmap(memory, mapped_bytes(bytes));
}

void *large_grow(void *memory, size_t old_bytes, size_t bytes)
{
	void *larger = large_new(bytes, true);

	if (!larger)
		return NULL;
	if (old_bytes)
		memcpy(larger, memory, old_bytes);
	large_free(memory, old_bytes);
	return larger;
}
