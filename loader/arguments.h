/* SPDX-License-Identifier: MIT */
/* The loader's command line. */
#ifndef JOPIL_ARGUMENTS_H
#define JOPIL_ARGUMENTS_H

#include <stdbool.h>

#include "bpf/packet_config.h"
#include "common/options.h"
#include "common/pins.h"
#include "common/types.h"
#include "loader/probe.h"

/* Where a mistyped number is told from a wish. */
#define MAX_FLOWS_LIMIT (16u << 20)
#define MAX_NETWORKS_LIMIT (1u << 20)
#define RING_BYTES_LIMIT (1u << 30)

#define DEFAULT_PACKET_LINES 10000
#define DEFAULT_MAX_FLOWS 65536
#define DEFAULT_DROP_LINES 1000
#define DEFAULT_MAX_PROCESSES 8192
#define DEFAULT_MAX_DROPS 8192
#define DEFAULT_MAX_NETWORKS 256
#define DEFAULT_EVENTS_BYTES (8u << 20)

/* While there is no interface: the reader wants a flow map, and nothing is put into it. */
#define IDLE_MAX_FLOWS 1

enum verb { VERB_ATTACH, VERB_STATUS, VERB_DETACH };

struct lines_argument {
	bool given;
	u32 lines;		/* a second and CPU, or PACKET_LINES_ALL */
};

struct only_argument {
	bool given;
	u64 protocols[4];	/* as in struct pin_settings */
};

struct arguments {
	enum verb verb;
	u8 hook;		/* enum pin_hook; PIN_HOOK_NONE: auto */
	struct lines_argument packet_lines, drop_lines;
	struct only_argument only;
	uint64_t max_flows;	/* 0: not given */
	uint64_t ring_bytes;	/* 0: not given */
	uint64_t max_fold[FOLD_KINDS];	/* rows, or networks; 0: not given */
	uint64_t events_bytes;	/* 0: not given */
	struct probe_argument probe;
	const char *group;	/* NULL: not given */
	const char *pin_dir;
	uint64_t ready_fd;	/* UINT64_MAX: not given */
	bool replace, verbose, json, status, detach;
	char **interfaces;	/* into argv */
	int interfaces_count;
};

/* As options_parse(); the words about bad arguments go to stderr. */
enum options_result arguments_parse(int argc, char **argv, struct arguments *ret_args);

/* Each for one option's argument: 0, or -EINVAL with the reason in *ret_why. */
int arguments_hook(const char *text, void *ret_u8, const char **ret_why);
int arguments_lines(const char *text, void *ret_lines, const char **ret_why);
int arguments_only(const char *text, void *ret_only, const char **ret_why);

/*
 * What is in force from now on: *now is what was (all 0: nothing), changed by what
 * was given. A ring size that was not chosen by hand goes with the packet lines. idle:
 * no interface has ever been attached; then the packets' maps are as small as can be.
 * now->probes is left as it is.
 */
void arguments_settings(const struct arguments *args, u32 page_bytes, bool idle,
			struct pin_settings *now);

/* The set of probes to be in force from now on; settings are those that were. */
u32 arguments_probes(const struct arguments *args, const struct pin_settings *settings);

/* The ring size when none is given: bytes, a power of two and at least a page. */
u32 arguments_ring_default(u32 packet_lines, u32 page_bytes);

/* The next size a ring can have: a power of two, at least a page. */
u32 arguments_ring_round(uint64_t bytes, u32 page_bytes);

#endif
