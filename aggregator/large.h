/* SPDX-License-Identifier: MIT */
/*
 * Memory of tables that may become large and are looked into all over: in large pages
 * where the system has some to give. A million flows in pages of 4 KiB are looked up at
 * half the speed, as each look-up has to find its page first.
 */
#ifndef JOPIL_AGGREGATOR_LARGE_H
#define JOPIL_AGGREGATOR_LARGE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * So many bytes, whatever is in them; not large: in small pages, of which only those are
 * taken that are used. NULL without memory. large_free() them.
 */
void *large_new(size_t bytes, bool large);

/* What large_new() gave for so many bytes; NULL is fine. */
void large_free(void *memory, size_t bytes);

/* Moves the first bytes to a larger place and frees the old one; NULL, and nothing is done. */
void *large_grow(void *memory, size_t old_bytes, size_t bytes);

#endif
