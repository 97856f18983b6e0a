/* SPDX-License-Identifier: MIT */
/* The programs of the host's probes, loaded as far as this kernel can. */
#include "loader/host_object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "bpf/packet_config.h"
#include "bpf/jopil.skel.h"
#include "loader/object.h"
#include "loader/probe.h"
#include "loader/procfile.h"
#include "loader/skeleton.h"

#define TRACEPOINT "tp_btf/"
#define FUNCTION "fexit/"
#define CGROUP "cgroup/"
#define PREEMPTION_MODE "/sys/kernel/debug/sched/preempt"

static struct bpf_object *object_of(const struct host_object *object)
{
	return ((struct jopil_bpf *)object->skeleton)->obj;
}

/* The texts of the programs go with the skeleton; what was found out of them stays. */
static void list_programs(struct host_object *object)
{
	struct bpf_program *program;
	unsigned int n = 0;

	bpf_object__for_each_program(program, object_of(object)) {
		const char *name = bpf_program__name(program);
		u32 probes = probe_of_program(name) & PROBES_HOST;
		struct host_program *row = &object->programs[n];

		if (!probes || n == HOST_PROGRAMS_MAX)
			continue;
		*row = (struct host_program){ name, bpf_program__section_name(program), probes,
					      bpf_program__expected_attach_type(program), -1,
					      row->err, row->idle };
		n++;
	}
	object->count = n;
}

static struct jopil_bpf *open_skeleton(const struct host_object *object)
{
	struct jopil_bpf *skeleton = jopil_bpf__open();

	if (skeleton)
		skeleton->rodata->tracepoints_are_preemptible = object->preemptible;
	return skeleton;
}

int host_object_open(struct host_object *object, struct failure *f)
{
	host_object_close(object);
	object->skeleton = open_skeleton(object);
	if (!object->skeleton)
		return failure_errno(f, errno, "open the BPF programs within loader");
	list_programs(object);
	return 0;
}

void host_object_close(struct host_object *object)
{
	if (object->skeleton)
		jopil_bpf__destroy(object->skeleton);
	object->skeleton = NULL;
	for (unsigned int i = 0; i < object->count; i++)
		object->programs[i].fd = -1;
}

/* ---- maps ------------------------------------------------------------------------ */

static bool has_shape(int fd, const struct bpf_map *map)
{
	struct bpf_map_info info = { 0 };
	u32 length = sizeof(info);

	return !bpf_obj_get_info_by_fd(fd, &info, &length) &&
	       info.type == (u32)bpf_map__type(map) && info.key_size == bpf_map__key_size(map) &&
	       info.value_size == bpf_map__value_size(map) &&
	       info.max_entries == bpf_map__max_entries(map) &&
	       info.map_flags == bpf_map__map_flags(map);
}

/* 0 (also if it is not pinned yet) or -errno. */
static int use_pin(const struct pindir *d, struct bpf_map *map, const struct probe_map *row)
{
	int fd = pindir_get(d, row->area, "%s", row->pin), err;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = has_shape(fd, map) ? bpf_map__reuse_fd(map, fd) : -EMEDIUMTYPE;
	close(fd);
	return err;
}

static int use_pins(struct bpf_object *bpf, const struct pindir *d, u32 probes)
{
	int err = 0;

	for (unsigned int i = 0; i < probe_maps_count && !err; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(bpf, probe_maps[i].name);

		if (map && probe_maps[i].pin && probe_maps[i].probes & probes)
			err = use_pin(d, map, &probe_maps[i]);
	}
	return err;
}

static int pin_one(const struct pindir *d, const struct bpf_map *map, const struct probe_map *row)
{
	int fd = pindir_get(d, row->area, "%s", row->pin);

	if (fd < 0)
		return fd == -ENOENT ? pindir_pin(d, bpf_map__fd(map), row->area, "%s", row->pin)
				     : fd;
	close(fd);
	return 0;
}

static int pin_maps(struct bpf_object *bpf, const struct pindir *d, u32 probes)
{
	int err = 0;

	for (unsigned int i = 0; i < probe_maps_count && !err; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(bpf, probe_maps[i].name);

		if (map && probe_maps[i].pin && probe_maps[i].probes & probes)
			err = pin_one(d, map, &probe_maps[i]);
	}
	return err;
}

/* ---- loading ----------------------------------------------------------------------- */

static bool is_wanted(const struct host_program *program, u32 probes)
{
	return program->probes & probes && !program->err && !program->idle;
}

static int choose_programs(struct host_object *object, u32 probes)
{
	struct bpf_object *bpf = object_of(object);
	int err = skeleton_no_programs(bpf);

	for (unsigned int i = 0; i < object->count && !err; i++)
		if (is_wanted(&object->programs[i], probes))
			err = bpf_program__set_autoload(
				bpf_object__find_program_by_name(bpf, object->programs[i].name),
				true);
	return err;
}

/* All that is wanted, over the pinned maps. *ret_loading is set if the kernel was asked. */
static int load_all(struct host_object *object, const struct pindir *d, u32 probes,
		    const struct mapset *maps, bool *ret_loading)
{
	struct bpf_object *bpf = object_of(object);
	int err = choose_programs(object, probes);

	*ret_loading = false;
	if (!err)
		err = skeleton_choose_maps(bpf, probes, false);
	if (!err)
		err = skeleton_use_mapset(bpf, maps);
	if (!err)
		err = use_pins(bpf, d, probes);
	if (err)
		return err;
	*ret_loading = true;
	err = bpf_object__load(bpf);
	if (!err)
		err = pin_maps(bpf, d, probes);
	for (unsigned int i = 0; i < object->count && !err; i++)
		if (is_wanted(&object->programs[i], probes))
			object->programs[i].fd = bpf_program__fd(
				bpf_object__find_program_by_name(bpf, object->programs[i].name));
	return err;
}

/* One program alone, over maps that go with it. 0 or -errno. */
static int try_program(const struct host_object *object, const char *name, u32 probes)
{
	struct jopil_bpf *skeleton = open_skeleton(object);
	int err = skeleton ? skeleton_no_programs(skeleton->obj) : -errno;

	if (!err)
		err = skeleton_choose_maps(skeleton->obj, probes, true);
	if (!err)
		err = bpf_program__set_autoload(
			bpf_object__find_program_by_name(skeleton->obj, name), true);
	if (!err)
		err = bpf_object__load(skeleton->obj);
	jopil_bpf__destroy(skeleton);
	return err;
}

static void try_programs(struct host_object *object, u32 probes)
{
	for (unsigned int i = 0; i < object->count; i++) {
		struct host_program *p = &object->programs[i];

		if (is_wanted(p, probes))
			p->err = try_program(object, p->name, p->probes);
	}
}

/* ---- what the kernel can do ----------------------------------------------------------- */

static bool has_tracepoint(const struct btf *btf, const char *section)
{
	const char *tracepoint = section + strlen(TRACEPOINT);
	char type[96];

	if (strncmp(section, TRACEPOINT, strlen(TRACEPOINT)) != 0)
		return true;
	snprintf(type, sizeof(type), "btf_trace_%s", tracepoint);
	return btf__find_by_name_kind(btf, type, BTF_KIND_TYPEDEF) > 0;
}

static bool has_function(const struct btf *btf, const char *section)
{
	return strncmp(section, FUNCTION, strlen(FUNCTION)) ||
	       btf__find_by_name_kind(btf, section + strlen(FUNCTION), BTF_KIND_FUNC) > 0;
}

/*
 * Programs at functions can be preempted, and so missed, where the kernel can: it was built so,
 * or the mode was chosen at boot or later. Unless debugfs may be asked (lockdown forbids it),
 * what was said at boot tells.
 */
static bool has_preemptible_functions(void)
{
	struct utsname name;
	bool preemptible;
	char *text;

	if (uname(&name))
		return true;
	if (!strstr(name.version, "PREEMPT_DYNAMIC"))
		return strstr(name.version, "PREEMPT");
	if (!procfile_read(PREEMPTION_MODE, &text))
		preemptible = !strstr(text, "(none)") && !strstr(text, "(voluntary)");
	else if (!procfile_read("/proc/cmdline", &text))
		preemptible = strstr(text, "preempt=full");
	else
		return true;
	free(text);
	return preemptible;
}

/* True if there are functions at whose ends the work of this program can be done. */
static bool has_functions(const struct host_object *object, const struct host_program *tracing,
			  const struct btf *btf)
{
	unsigned int functions = 0;

	for (unsigned int i = 0; i < object->count; i++) {
		const struct host_program *p = &object->programs[i];

		if (!probe_stands_in(p->name, tracing->name))
			continue;
		if (!has_function(btf, p->section))
			return false;
		functions++;
	}
	return functions;
}

/* Tracepoints where there are any: they cost less, and see calls that have begun before. */
static void choose_ways(struct host_object *object, const struct btf *btf)
{
	for (unsigned int i = 0; i < object->count; i++) {
		struct host_program *tracing = &object->programs[i];

		if (strncmp(tracing->section, TRACEPOINT, strlen(TRACEPOINT)) != 0)
			continue;
		tracing->idle = !has_tracepoint(btf, tracing->section) &&
				has_functions(object, tracing, btf) &&
				!has_preemptible_functions();
		for (unsigned int j = 0; j < object->count; j++)
			if (probe_stands_in(object->programs[j].name, tracing->name))
				object->programs[j].idle = !tracing->idle;
	}
}

/*
 * From Linux 7.0 tracepoints are sections of this SRCU, and preemptible. (Up to 6.12 it was
 * there for a few of them, which are not ours: then spares have nothing to do. Before 6.3
 * none are loaded.)
 */
static bool has_preemptible_tracepoints(const struct btf *btf)
{
	return has_tracepoint(btf, TRACEPOINT "sock_send_length") &&
	       btf__find_by_name_kind(btf, "tracepoint_srcu_srcu_data", BTF_KIND_VAR) > 0;
}

/* What ours at the cgroup's hooks call, and Linux up to 6.12 does not let them. */
static bool has_task_storage_in_cgroups(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_FUNC_task_storage_get,
				       NULL) != 0;
}

/* What is known without the verifier: to try programs one by one takes seconds. */
static void foresee(struct host_object *object, const struct btf *btf, u32 probes)
{
	bool cgroups = !(probes & PROBE_HOST(HOST_PROBE_PROCESS)) || has_task_storage_in_cgroups();

	for (unsigned int i = 0; i < object->count; i++) {
		struct host_program *p = &object->programs[i];

		if (!(p->probes & probes))
			continue;
		if (!object->preemptible && probe_is_spare(p->name))
			p->err = -ENOENT;
		else if (btf && !has_tracepoint(btf, p->section))
			p->err = -ESRCH; /* what libbpf says of it */
		else if (!cgroups && !strncmp(p->section, CGROUP, strlen(CGROUP)))
			p->err = -EINVAL; /* what the verifier says */
	}
}

static void explain(const struct host_object *object, const struct host_program *p,
		    const struct btf *btf, char ret_why[HOST_WHY_BYTES])
{
	if (!btf)
		snprintf(ret_why, HOST_WHY_BYTES, "this kernel has no BTF "
			 "(/sys/kernel/btf/vmlinux)");
	else if (!has_tracepoint(btf, p->section))
		snprintf(ret_why, HOST_WHY_BYTES, "this kernel has no tracepoint %s%s",
			 p->section + strlen(TRACEPOINT), has_functions(object, p, btf)
			 ? ", and is preemptible (preempt=full) at functions" : "");
	else
		snprintf(ret_why, HOST_WHY_BYTES, "this kernel refuses %s (%s); --verbose shows "
			 "its words", p->name, strerror(-p->err));
}

static void cannot(const struct host_object *object, const struct host_program *p,
		   const struct btf *btf, struct host_answer *answer)
{
	for (unsigned int i = 1; i <= HOST_PROBES; i++) {
		if (!(p->probes & answer->can & 1u << i))
			continue;
		answer->can &= ~(1u << i);
		explain(object, p, btf, answer->why[i]);
	}
}

/* A tracepoint that is not there says more than a program that was refused. */
static void answer(const struct host_object *object, const struct btf *btf,
		   struct host_answer *ret_answer)
{
	*ret_answer = (struct host_answer){ .can = PROBES_HOST };
	for (unsigned int i = 0; i < 2 * object->count; i++) {
		const struct host_program *p = &object->programs[i % object->count];
		bool refused = i >= object->count && p->err;

		if (!p->idle && !probe_without(p->name) &&
		    (refused || !btf || !has_tracepoint(btf, p->section)))
			cannot(object, p, btf, ret_answer);
	}
}

void host_object_ask(struct host_object *object, struct host_answer *ret_answer)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (btf)
		choose_ways(object, btf);
	answer(object, btf, ret_answer);
	btf__free(btf);
}

static int refused(int err, const struct pindir *d, struct failure *f)
{
	if (err == -EMEDIUMTYPE)
		return pinned_map_failure(err, d, "", f);
	return failure_errno(f, err, "load the programs of the host's probes");
}

int host_object_load(struct host_object *object, const struct pindir *d, u32 probes,
		     const struct mapset *maps, struct host_answer *ret_answer,
		     struct failure *f)
{
	struct btf *btf = btf__load_vmlinux_btf();
	struct host_answer can;
	bool loading;
	int err;

	object->preemptible = btf && has_preemptible_tracepoints(btf);
	if (host_object_open(object, f)) {
		btf__free(btf);
		return -1;
	}
	if (btf)
		choose_ways(object, btf);
	foresee(object, btf, probes);
	answer(object, btf, &can);
	btf__free(btf);
	err = load_all(object, d, probes & can.can, maps, &loading);
	if (err && loading) {
		try_programs(object, probes & can.can);
		host_object_ask(object, &can);
		if (host_object_open(object, f))
			return -1;
		err = load_all(object, d, probes & can.can, maps, &loading);
	}
	if (err)
		return refused(err, d, f);
	*ret_answer = can;
	return 0;
}

/* ---- the same program? ------------------------------------------------------------------ */

static bool has_id(const struct object_maps *maps, u32 id)
{
	for (u32 i = 0; i < maps->count; i++)
		if (maps->ids[i] == id)
			return true;
	return false;
}

/* A map that outlives the program: pinned, or one of mapset's. */
static bool is_lasting(const struct bpf_map *map)
{
	const struct probe_map *row = probe_map(bpf_map__name(map));

	return row && (row->pin || bpf_map__type(map) == BPF_MAP_TYPE_ARRAY_OF_MAPS);
}

bool host_object_shares_maps(const struct host_object *object, int fd, u32 prog_id)
{
	struct object_maps ours = { .count = 0 }, theirs = { .count = 0 };
	int other = bpf_prog_get_fd_by_id(prog_id);
	bool same = other >= 0 && !object_prog_maps(fd, &ours) &&
		    !object_prog_maps(other, &theirs);
	struct bpf_map *map;
	u32 id;

	bpf_object__for_each_map(map, object_of(object))
		if (same && is_lasting(map) && bpf_map__fd(map) >= 0 &&
		    !object_map_id(bpf_map__fd(map), &id))
			same = has_id(&ours, id) == has_id(&theirs, id);
	if (other >= 0)
		close(other);
	return same;
}
