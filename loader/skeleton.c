/* SPDX-License-Identifier: MIT */
/* The BPF object within loader: which of its programs and maps a load takes. */
#include "loader/skeleton.h"

#include "loader/probe.h"

int skeleton_no_programs(struct bpf_object *object)
{
	struct bpf_program *program;
	int err = 0;

	bpf_object__for_each_program(program, object)
		err = err ? err : bpf_program__set_autoload(program, false);
	return err;
}

int skeleton_choose_maps(struct bpf_object *object, u32 probes, bool trial)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, object) {
		const struct probe_map *row = probe_map(bpf_map__name(map));
		u32 users = row ? row->probes : PROBES_HOST;

		if (!err && !bpf_map__is_internal(map))
			err = bpf_map__set_autocreate(map, users & probes &&
							   (trial || !row || !row->stand_in));
	}
	return err;
}

int skeleton_use_mapset(struct bpf_object *object, const struct mapset *maps)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, object) {
		int fd = mapset_outer(maps, bpf_map__name(map));

		if (!err && fd >= 0)
			err = bpf_map__reuse_fd(map, fd);
	}
	return err;
}
