/* SPDX-License-Identifier: MIT */
/* What the reader is left once it reads. */
#ifndef JOPIL_READER_CONFINE_H
#define JOPIL_READER_CONFINE_H

#include <stdbool.h>

/*
 * Both for main(): STATUS_DONE, or STATUS_FAILED with a line on stderr. Live: the pins,
 * maps that are open or pinned there, the kernel's BTF and the names of cgroups; the bpf()
 * commands that look up, and that empty what has been read. cgroups: where they are
 * mounted, or NULL.
 */
int confine_live(const char *pin_dir, const char *cgroups, bool verbose);

/* A capture: the descriptors that are open. */
int confine_capture(bool verbose);

#endif
