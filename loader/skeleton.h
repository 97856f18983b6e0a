/* SPDX-License-Identifier: MIT */
/* The BPF object within loader: which of its programs and maps a load takes. */
#ifndef JOPIL_SKELETON_H
#define JOPIL_SKELETON_H

#include <bpf/libbpf.h>
#include <stdbool.h>

#include "common/types.h"
#include "loader/mapset.h"

/* No program is loaded, until bpf_program__set_autoload(). 0 or -errno. */
int skeleton_no_programs(struct bpf_object *object);

/*
 * Only the maps of a set of probes are made; those that mapset makes stand there only if
 * the load is a trial. 0 or -errno.
 */
int skeleton_choose_maps(struct bpf_object *object, u32 probes, bool trial);

/* Maps of maps of this set are used for those of the same name. 0 or -errno. */
int skeleton_use_mapset(struct bpf_object *object, const struct mapset *maps);

#endif
