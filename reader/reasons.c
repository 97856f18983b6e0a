/* SPDX-License-Identifier: MIT */
/* Names of drop reasons, out of the running kernel's BTF. */
#include "reader/reasons.h"

#include <bpf/btf.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BTF_DIR "/sys/kernel/btf"
/* 6.18 has 130, mac80211 and openvswitch 60 together. */
#define REASONS_MAX 4096
#define MODULES_MAX 4096

/*
 * skb_drop_reason; ovs_drop_reason, mac80211_drop_reason (or with underscores before it)
 * and what other subsystems will have: all end like this.
 */
#define ENUM_SUFFIX "drop_reason"
#define CORE_PREFIX "SKB_DROP_REASON_"

struct reason {
	u32 code;
	char *name;
};

struct reasons {
	unsigned int n, n_modules;
	struct reason rows[REASONS_MAX];	/* in order of code */
	char *modules[MODULES_MAX];		/* whose BTF was read; the first is vmlinux */
};

struct reasons *reasons_new(void)
{
	return calloc(1, sizeof(struct reasons));
}

void reasons_free(struct reasons *reasons)
{
	if (!reasons)
		return;
	for (unsigned int i = 0; i < reasons->n; i++)
		free(reasons->rows[i].name);
	for (unsigned int i = 0; i < reasons->n_modules; i++)
		free(reasons->modules[i]);
	free(reasons);
}

/* The row of a code, or where it belongs. */
static unsigned int row_of(const struct reasons *reasons, u32 code)
{
	unsigned int from = 0, to = reasons->n;

	while (from < to) {
		unsigned int middle = (from + to) / 2;

		if (reasons->rows[middle].code < code)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

const char *reasons_find(const struct reasons *reasons, u32 code)
{
	unsigned int i = reasons ? row_of(reasons, code) : 0;

	return reasons && i < reasons->n && reasons->rows[i].code == code ? reasons->rows[i].name
									   : NULL;
}

static void add(struct reasons *reasons, u32 code, const char *name)
{
	unsigned int i = row_of(reasons, code);
	char *copy;

	if (reasons->n == REASONS_MAX || (i < reasons->n && reasons->rows[i].code == code))
		return;
	copy = strdup(name);
	if (!copy)
		return;
	memmove(&reasons->rows[i + 1], &reasons->rows[i],
		(reasons->n - i) * sizeof(reasons->rows[0]));
	reasons->rows[i].code = code;
	reasons->rows[i].name = copy;
	reasons->n++;
}

/* Subsystems count on from their number; below, the core's names are right. */
static void add_enum(struct reasons *reasons, const struct btf *btf, const struct btf_type *type,
		     bool is_core)
{
	const struct btf_enum *e = btf_enum(type);

	for (unsigned int i = 0; i < btf_vlen(type); i++) {
		const char *name = btf__str_by_offset(btf, e[i].name_off);
		u32 code = (u32)e[i].val;

		if (!name || is_core == !!(code >> 16))
			continue;
		if (is_core && !strncmp(name, CORE_PREFIX, strlen(CORE_PREFIX)))
			name += strlen(CORE_PREFIX);
		while (!is_core && *name == '_')
			name++;
		add(reasons, code, name);
	}
}

void reasons_add_btf(struct reasons *reasons, const struct btf *btf)
{
	const size_t suffix = strlen(ENUM_SUFFIX);
	const struct btf *base = btf__base_btf(btf);

	/* A module's types are numbered on from those of vmlinux. */
	for (u32 id = base ? btf__type_cnt(base) : 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = btf_is_enum(type) ? btf__str_by_offset(btf, type->name_off) : NULL;
		size_t length = name ? strlen(name) : 0;

		if (length > suffix && !strcmp(name + length - suffix, ENUM_SUFFIX))
			add_enum(reasons, btf, type, !strcmp(name, "skb_" ENUM_SUFFIX));
	}
}

static bool is_known(const struct reasons *reasons, const char *module)
{
	for (unsigned int i = 0; i < reasons->n_modules; i++)
		if (!strcmp(reasons->modules[i], module))
			return true;
	return false;
}

/* True if there is one that was not read before; then it is noted. */
static bool is_new(struct reasons *reasons, const char *module)
{
	char *copy;

	if (*module == '.' || reasons->n_modules == MODULES_MAX || is_known(reasons, module))
		return false;
	copy = strdup(module);
	if (copy)
		reasons->modules[reasons->n_modules++] = copy;
	return copy;
}

static void read_module(struct reasons *reasons, struct btf *vmlinux, const char *module)
{
	struct btf *btf = btf__load_module_btf(module, vmlinux);

	if (btf)
		reasons_add_btf(reasons, btf);
	btf__free(btf);
}

void reasons_read(struct reasons *reasons)
{
	DIR *dir = reasons ? opendir(BTF_DIR) : NULL;
	struct btf *vmlinux = NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (!is_new(reasons, entry->d_name))
			continue;
		if (!vmlinux) {
			vmlinux = btf__parse(BTF_DIR "/vmlinux", NULL);
			if (!vmlinux)
				break;
			reasons_add_btf(reasons, vmlinux);
		}
		if (strcmp(entry->d_name, "vmlinux") != 0)
			read_module(reasons, vmlinux, entry->d_name);
	}
	if (dir)
		closedir(dir);
	btf__free(vmlinux);
}
