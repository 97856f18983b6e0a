/* SPDX-License-Identifier: MIT */
/* Whose the 5-tuples of a snapshot are: its connections and flows know, its drops do not. */
#ifndef JOPIL_HTTPD_OWNERS_H
#define JOPIL_HTTPD_OWNERS_H

#include <stddef.h>
#include <stdint.h>

#include "httpd/shot.h"

struct owner {
	uint64_t hash;		/* of the 5-tuple, the same from both sides */
	uint32_t pid;
	char command[48];	/* UTF-8; "" = not known */
};

struct owners {
	struct owner *owner;	/* in order of their hashes */
	size_t count, room;
};

/* Collects them; without memory, some. owners_free() ends it. */
void owners_make(const struct shot *shot, struct owners *ret_owners);
void owners_free(struct owners *owners);

/* Of a row with proto, src_ip, src_port, dst_ip and dst_port; NULL if nobody is known. */
const struct owner *owners_find(const struct owners *owners, struct slice row);

#endif
