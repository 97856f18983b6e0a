/* SPDX-License-Identifier: MIT */
/*
 * Names of what records hold as numbers. Each kind is read when it is asked for the
 * first time, or by names_prepare(). Texts are valid until names_free(); NULL: not known.
 * All take names NULL.
 */
#ifndef JOPIL_READER_NAMES_H
#define JOPIL_READER_NAMES_H

#include "common/types.h"

struct names;

/* NULL without memory. */
struct names *names_new(void);

void names_free(struct names *names);

/* Reads now what lies in files that are out of reach later (reader/confine.h). */
void names_prepare(struct names *names);

/* Where the directories of cgroups are; NULL: nowhere. After names_prepare(). */
const char *names_cgroup_root(const struct names *names);

/* The map of locations (common/pins.h), which must stay open; id: the map's. -1: none. */
void names_use_locations(struct names *names, int fd, u32 id);

/* What the port of an IP protocol is registered for (/etc/services): "https". */
const char *names_service(struct names *names, u16 protocol, u16 port_be);

/* The path of a cgroup (v2) below its mount: "/system.slice/x.service". */
const char *names_cgroup(struct names *names, u64 id);

/* A drop reason of the running kernel: "NO_SOCKET". */
const char *names_reason(struct names *names, u32 code);

/* The function of the kernel: "udp_queue_rcv_one_skb". */
const char *names_location(struct names *names, u16 location);

#endif
