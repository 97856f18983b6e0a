/* SPDX-License-Identifier: MIT */
/* The loader's command line. */
#ifndef JOPIL_ARGUMENTS_H
#define JOPIL_ARGUMENTS_H

#include <stdbool.h>

#include "bpf/packet_config.h"
#include "common/options.h"
#include "common/pins.h"
#include "common/types.h"

/* Where a mistyped number is told from a wish. */
#define MAX_FLOWS_LIMIT (16u << 20)
#define RING_BYTES_LIMIT (1u << 30)

#define DEFAULT_PACKET_LINES 10000
#define DEFAULT_MAX_FLOWS 65536

enum verb { VERB_ATTACH, VERB_STATUS, VERB_DETACH };

struct packet_lines_argument {
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
	struct packet_lines_argument packet_lines;
	struct only_argument only;
	uint64_t max_flows;	/* 0: not given */
	uint64_t ring_bytes;	/* 0: not given */
	u32 probes;
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
int arguments_packet_lines(const char *text, void *ret_packet_lines, const char **ret_why);
int arguments_only(const char *text, void *ret_only, const char **ret_why);

/*
 * What is in force from now on: *now is what was (all 0: nothing), changed by what
 * was given. A ring size that was not chosen by hand goes with the packet lines.
 */
void arguments_settings(const struct arguments *args, u32 page_bytes, struct pin_settings *now);

/* The ring size when none is given: bytes, a power of two and at least a page. */
u32 arguments_ring_default(u32 packet_lines, u32 page_bytes);

/* The next size a ring can have: a power of two, at least a page. */
u32 arguments_ring_round(uint64_t bytes, u32 page_bytes);

#endif
