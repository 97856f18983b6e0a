/* SPDX-License-Identifier: MIT */
/* Whose the 5-tuples of a snapshot are: its connections and flows know, its drops do not. */
#include "httpd/owners.h"

#include <stdlib.h>

#include "httpd/json_text.h"

#define ROOM_MIN 64

static uint64_t hash_tuple(struct slice row)
{
	uint64_t src = slice_hash(SLICE_HASH, json_text_member(row, "src_ip"));
	uint64_t dst = slice_hash(SLICE_HASH, json_text_member(row, "dst_ip"));

	src = slice_hash(src, json_text_member(row, "src_port"));
	dst = slice_hash(dst, json_text_member(row, "dst_port"));
	return slice_hash(src + dst, json_text_member(row, "proto"));
}

static void take_owner(void *closure, struct slice row)
{
	double pid = json_text_number(json_text_member(row, "pid"));
	struct owners *owners = closure;
	struct owner *more;

	if (!(pid >= 1 && pid <= INT32_MAX))
		return;
	if (owners->count == owners->room) {
		size_t room = owners->room ? owners->room * 2 : ROOM_MIN;

		more = reallocarray(owners->owner, room, sizeof(*more));
		if (!more)
			return;
		owners->owner = more;
		owners->room = room;
	}
	more = &owners->owner[owners->count++];
	*more = (struct owner){ .hash = hash_tuple(row), .pid = (uint32_t)pid };
	json_text_copy(json_text_member(row, "command"), more->command, sizeof(more->command));
}

static int compare(const void *left, const void *right)
{
	const struct owner *a = left, *b = right;

	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

void owners_make(const struct shot *shot, struct owners *ret_owners)
{
	*ret_owners = (struct owners){ 0 };
	shot_each(shot, "connections", take_owner, ret_owners);
	shot_each(shot, "flows", take_owner, ret_owners);
	if (ret_owners->count)
		qsort(ret_owners->owner, ret_owners->count, sizeof(*ret_owners->owner), compare);
}

void owners_free(struct owners *owners)
{
	free(owners->owner);
	*owners = (struct owners){ 0 };
}

const struct owner *owners_find(const struct owners *owners, struct slice row)
{
	struct owner wanted = { .hash = hash_tuple(row) };

	if (!owners->count)
		return NULL;
	return bsearch(&wanted, owners->owner, owners->count, sizeof(wanted), compare);
}
