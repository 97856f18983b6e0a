/* SPDX-License-Identifier: MIT */
/* The loader's command line. */
#include "loader/arguments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/protocol.h"
#include "loader/hook.h"
#include "loader/probe.h"

#define ICMP 1
#define ICMPV6 58

int arguments_hook(const char *text, void *ret_u8, const char **ret_why)
{
	if (!strcmp(text, "auto")) {
		*(u8 *)ret_u8 = PIN_HOOK_NONE;
		return 0;
	}
	for (u8 hook = PIN_HOOK_XDP; hook <= PIN_HOOK_TC; hook++) {
		if (!strcmp(text, hook_name(hook))) {
			*(u8 *)ret_u8 = hook;
			return 0;
		}
	}
	*ret_why = "not one of auto, xdp, generic, tc";
	return -EINVAL;
}

int arguments_packet_lines(const char *text, void *ret_packet_lines, const char **ret_why)
{
	struct packet_lines_argument *ret = ret_packet_lines;
	uint64_t lines = PACKET_LINES_ALL;

	if (strcmp(text, "all") && options_number(text, 0, PACKET_LINES_ALL - 1, true, &lines)) {
		*ret_why = "not 'all' or a number of lines a second and CPU";
		return -EINVAL;
	}
	ret->given = true;
	ret->lines = (u32)lines;
	return 0;
}

static void only_add(u64 *protocols, u16 protocol)
{
	protocols[protocol >> 6] |= 1ull << (protocol & 63);
}

/* A number, or a name in any letter case: "icmp" is what people type. */
static int ip_protocol(const char *name, size_t length, u16 *ret_protocol)
{
	char row[PROTOCOL_NAME_MAX];
	int is_ip;

	if (!protocol_parse(name, length, ret_protocol, &is_ip))
		return is_ip ? 0 : -EINVAL;
	for (u16 protocol = 0; protocol < 256; protocol++) {
		if (protocol_name(4, protocol, row) == length &&
		    !strncasecmp(row, name, length)) {
			*ret_protocol = protocol;
			return 0;
		}
	}
	return -EINVAL;
}

int arguments_only(const char *text, void *ret_only, const char **ret_why)
{
	struct only_argument only = { .given = true };

	for (const char *item = text; strcasecmp(text, "all"); item++) {
		size_t length = strcspn(item, ",");
		u16 protocol;

		if (ip_protocol(item, length, &protocol)) {
			*ret_why = "not 'all' or a list of IP protocols such as tcp,udp,icmp,47";
			return -EINVAL;
		}
		only_add(only.protocols, protocol);
		if (protocol == ICMP && length == strlen("icmp"))
			only_add(only.protocols, ICMPV6);
		item += length;
		if (!*item)
			break;
	}
	*(struct only_argument *)ret_only = only;
	return 0;
}

static int parse_probes(const char *text, void *target, const char **ret_why)
{
	return probe_parse(text, target, ret_why);
}

static int parse_fd(const char *text, void *target, const char **ret_why)
{
	uint64_t fd;

	if (options_number(text, 0, 1u << 20, false, &fd) || fcntl((int)fd, F_GETFD) < 0) {
		*ret_why = "not an open file descriptor";
		return -EINVAL;
	}
	*(uint64_t *)target = fd;
	return 0;
}

static const struct program_info program = {
	.name = "loader",
	.operands = "IFACE...",
	.purpose = "Attaches the packet counters to network interfaces, pins them, and exits;\n"
		   "the kernel goes on counting. Run again it replaces its own programs\n"
		   "without a gap, and options not given keep what is in force.",
	.takes_operands = true,
};

static enum options_result usage(const char *words)
{
	fprintf(stderr, "loader: %s; loader --help lists what there is\n", words);
	return OPTIONS_BAD;
}

static enum options_result check(struct arguments *a)
{
	if (a->status && a->detach)
		return usage("--status and --detach are two different things");
	if (a->json && !a->status)
		return usage("--json goes with --status");
	if (a->status && a->interfaces_count)
		return usage("--status takes no interface");
	if (!a->status && !a->detach && !a->interfaces_count)
		return usage("no interface given");
	a->verb = a->status ? VERB_STATUS : a->detach ? VERB_DETACH : VERB_ATTACH;
	return OPTIONS_GO;
}

enum options_result arguments_parse(int argc, char **argv, struct arguments *ret_args)
{
	struct arguments a = {
		.probes = (1u << probes_count) - 1,
		.pin_dir = PIN_DIR_DEFAULT,
		.ready_fd = UINT64_MAX,
	};
	const struct option_row rows[] = {
		{ .name = "hook", .kind = OPTION_PARSED, .argument = "HOOK", .target = &a.hook,
		  .parse = arguments_hook,
		  .help = "ingress by auto, xdp, generic or tc (default auto; egress is tc)" },
		{ .name = "packet-lines", .kind = OPTION_PARSED, .argument = "N|all",
		  .target = &a.packet_lines, .parse = arguments_packet_lines,
		  .help = "packet lines a second and CPU; the rest is folded into flows (10000)" },
		{ .name = "max-flows", .kind = OPTION_NUMBER, .argument = "N", .min = 1,
		  .max = MAX_FLOWS_LIMIT, .suffixes = true, .target = &a.max_flows,
		  .help = "flows that the kernel holds between two drains (65536)" },
		{ .name = "ring-size", .kind = OPTION_NUMBER, .argument = "BYTES", .min = 1,
		  .max = RING_BYTES_LIMIT, .suffixes = true, .target = &a.ring_bytes,
		  .help = "ring buffer of each CPU, K M G understood (4M; 16M for all)" },
		{ .name = "only", .kind = OPTION_PARSED, .argument = "LIST", .target = &a.only,
		  .parse = arguments_only,
		  .help = "addresses only of these protocols: tcp,udp,icmp,47; all lifts it" },
		{ .name = "probe", .kind = OPTION_PARSED, .argument = "LIST", .target = &a.probes,
		  .parse = parse_probes, .help = "which probes to load: packet (default all)" },
		{ .name = "group", .kind = OPTION_STRING, .argument = "NAME", .target = &a.group,
		  .help = "who may read (default jopil, else the group of who ran sudo)" },
		{ .name = "replace", .kind = OPTION_FLAG, .target = &a.replace,
		  .help = "take the place of a foreign XDP program" },
		{ .name = "status", .letter = 's', .kind = OPTION_FLAG, .target = &a.status,
		  .help = "print what is attached; exit 1 if nothing is" },
		{ .name = "json", .letter = 'j', .kind = OPTION_FLAG, .target = &a.json,
		  .help = "with --status: as one JSON object" },
		{ .name = "detach", .letter = 'd', .kind = OPTION_FLAG, .target = &a.detach,
		  .help = "detach IFACE..., or everything, and remove every trace" },
		{ .name = "pin-dir", .letter = 'p', .kind = OPTION_STRING, .argument = "DIR",
		  .target = &a.pin_dir, .help = "where to pin (default " PIN_DIR_DEFAULT ")" },
		{ .name = "ready-fd", .kind = OPTION_PARSED, .argument = "N", .target = &a.ready_fd,
		  .parse = parse_fd, .help = "write a newline there when done" },
		{ .name = "verbose", .letter = 'v', .kind = OPTION_FLAG, .target = &a.verbose,
		  .help = "say more on stderr, with the kernel's own words" },
		{ .name = NULL },
	};
	int operands;
	enum options_result result = options_parse(&program, rows, argc, argv, &operands);

	if (result != OPTIONS_GO)
		return result;
	a.interfaces = argv + operands;
	a.interfaces_count = argc - operands;
	result = check(&a);
	*ret_args = a;
	return result;
}

u32 arguments_ring_round(uint64_t bytes, u32 page_bytes)
{
	u32 size = page_bytes;

	while (size < bytes && size < RING_BYTES_LIMIT)
		size *= 2;
	return size;
}

u32 arguments_ring_default(u32 packet_lines, u32 page_bytes)
{
	if (packet_lines == 0)
		return page_bytes;
	return packet_lines == PACKET_LINES_ALL ? 16u << 20 : 4u << 20;
}

void arguments_settings(const struct arguments *args, u32 page_bytes, struct pin_settings *now)
{
	bool fresh = !now->cpus;
	bool ring_by_hand = !fresh && now->ring_bytes !=
					      arguments_ring_default(now->packet_lines, page_bytes);

	if (args->packet_lines.given)
		now->packet_lines = args->packet_lines.lines;
	else if (fresh)
		now->packet_lines = DEFAULT_PACKET_LINES;
	if (args->max_flows)
		now->max_flows = (u32)args->max_flows;
	else if (fresh)
		now->max_flows = DEFAULT_MAX_FLOWS;
	if (args->ring_bytes)
		now->ring_bytes = arguments_ring_round(args->ring_bytes, page_bytes);
	else if (!ring_by_hand)
		now->ring_bytes = arguments_ring_default(now->packet_lines, page_bytes);
	if (args->only.given)
		memcpy(now->only, args->only.protocols, sizeof(now->only));
}
