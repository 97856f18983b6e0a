/* SPDX-License-Identifier: MIT */
/*
 * Names of drop reasons, out of the running kernel's BTF: each version has its own
 * numbers. Subsystems (the upper 16 bits of a reason) have theirs in an enum of their
 * own, in vmlinux or in a module.
 */
#ifndef JOPIL_READER_REASONS_H
#define JOPIL_READER_REASONS_H

#include "common/types.h"

struct btf;
struct reasons;

/* Empty; NULL without memory. The functions below take NULL. */
struct reasons *reasons_new(void);

void reasons_free(struct reasons *reasons);

/*
 * Adds those of the kernel, and of modules that were loaded since. Needs no privilege;
 * 20 ms when there is anything new. What cannot be read stays unknown.
 */
void reasons_read(struct reasons *reasons);

/* Adds those of every enum that is named like one of drop reasons. */
void reasons_add_btf(struct reasons *reasons, const struct btf *btf);

/* "NO_SOCKET", without SKB_DROP_REASON_; NULL: not known. */
const char *reasons_find(const struct reasons *reasons, u32 code);

#endif
