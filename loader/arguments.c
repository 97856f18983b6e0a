/* SPDX-License-Identifier: MIT */
/* The loader's command line. */
#include "loader/arguments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/log.h"
#include "common/protocol.h"
#include "loader/hook.h"

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

int arguments_lines(const char *text, void *ret_lines, const char **ret_why)
{
	struct lines_argument *ret = ret_lines;
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
	.operands = "[IFACE...]",
	.purpose = "Attaches the packet counters to network interfaces and the other probes to\n"
		   "the host, pins them, and exits; the kernel goes on counting. Run again it\n"
		   "replaces its own programs without a gap, and options not given keep what is\n"
		   "in force.",
	.takes_operands = true,
};

static enum options_result usage(const char *words)
{
	log_error("%s; %s --help lists what there is", words, log_name());
	return OPTIONS_BAD;
}

static enum options_result check_attach(const struct arguments *a)
{
	if (a->interfaces_count && a->probe.given && !(a->probe.set & PROBE_PACKET))
		return usage("interfaces are for the packet probe, which --probe leaves out");
	if (!a->interfaces_count && a->probe.named & PROBE_PACKET)
		return usage("the packet probe needs interfaces, and none is given");
	if (!a->interfaces_count && !a->probe.given)
		return usage("no interface given, and no --probe for the host without one");
	return OPTIONS_GO;
}

static enum options_result check(struct arguments *a)
{
	if (a->status && a->detach)
		return usage("--status and --detach are two different things");
	if (a->json && !a->status)
		return usage("--json goes with --status");
	if (a->status && a->interfaces_count)
		return usage("--status takes no interface");
	a->verb = a->status ? VERB_STATUS : a->detach ? VERB_DETACH : VERB_ATTACH;
	return a->verb == VERB_ATTACH ? check_attach(a) : OPTIONS_GO;
}

enum options_result arguments_parse(int argc, char **argv, struct arguments *ret_args)
{
	struct arguments a = {
		.probe.set = PROBE_PACKET | PROBES_HOST,
		.pin_dir = PIN_DIR_DEFAULT,
		.ready_fd = UINT64_MAX,
	};
	const struct option_row rows[] = {
		{ "hook", 0, OPTION_PARSED, "HOOK", "ingress by auto, xdp, generic or tc (default "
		  "auto; egress is tc)", &a.hook, .parse = arguments_hook },
		{ "packet-lines", 0, OPTION_PARSED, "N|all", "packet lines a second and CPU; the rest "
		  "is folded into flows (10000)", &a.packet_lines, .parse = arguments_lines },
		{ "max-flows", 0, OPTION_NUMBER, "N", "flows that the kernel holds between two drains "
		  "(65536)", &a.max_flows, 1, MAX_FLOWS_LIMIT, .suffixes = true },
		{ "ring-size", 0, OPTION_NUMBER, "BYTES", "ring buffer of each CPU, K M G understood "
		  "(4M; 16M for all)", &a.ring_bytes, 1, RING_BYTES_LIMIT, .suffixes = true },
		{ "only", 0, OPTION_PARSED, "LIST", "addresses only of these protocols: "
		  "tcp,udp,icmp,47; all lifts it", &a.only, .parse = arguments_only },
		{ "probe", 0, OPTION_PARSED, "LIST", "of packet,connection,process,drop,latency (all "
		  "that the kernel can do)", &a.probe, .parse = parse_probes },
		{ "drop-lines", 0, OPTION_PARSED, "N|all", "drop lines a second and CPU; the rest is "
		  "folded (1000)", &a.drop_lines, .parse = arguments_lines },
		{ "max-processes", 0, OPTION_NUMBER, "N", "rows of processes and remotes between two "
		  "drains (8192)", &a.max_fold[FOLD_PROCESS], 1, MAX_FLOWS_LIMIT, .suffixes = true },
		{ "max-drops", 0, OPTION_NUMBER, "N", "rows of folded drops between two drains (8192)",
		  &a.max_fold[FOLD_DROP], 1, MAX_FLOWS_LIMIT, .suffixes = true },
		{ "max-networks", 0, OPTION_NUMBER, "N", "remote networks with round-trip times "
		  "between two drains (256)", &a.max_fold[FOLD_LATENCY], 1, MAX_NETWORKS_LIMIT,
		  .suffixes = true },
		{ "event-ring-size", 0, OPTION_NUMBER, "BYTES", "ring buffer of connections and drops "
		  "(8M)", &a.events_bytes, 1, RING_BYTES_LIMIT, .suffixes = true },
		{ "group", 0, OPTION_STRING, "NAME", "who may read (default jopil, else the group of "
		  "who ran sudo)", .target = &a.group },
		{ "replace", 0, OPTION_FLAG, NULL, "take the place of a foreign XDP program",
		  .target = &a.replace },
		{ "status", 's', OPTION_FLAG, NULL, "print what is attached; exit 1 if nothing is",
		  .target = &a.status },
		{ "json", 'j', OPTION_FLAG, NULL, "with --status: as one JSON object", .target = &a.json },
		{ "detach", 'd', OPTION_FLAG, NULL, "detach IFACE..., or everything, and remove every "
		  "trace", .target = &a.detach },
		{ "pin-dir", 'p', OPTION_STRING, "DIR", "where to pin (default " PIN_DIR_DEFAULT ")",
		  .target = &a.pin_dir },
		{ "ready-fd", 0, OPTION_PARSED, "N", "write a newline there when done", &a.ready_fd,
		  .parse = parse_fd },
		{ "verbose", 'v', OPTION_FLAG, NULL, "say more on stderr, with the kernel's own words",
		  .target = &a.verbose },
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

static void packet_settings(const struct arguments *args, u32 page_bytes, bool idle,
			    struct pin_settings *now)
{
	const bool fresh = !now->cpus || (now->max_flows == IDLE_MAX_FLOWS && idle);
	const u32 usual_bytes = arguments_ring_default(now->packet_lines, page_bytes);
	const bool ring_by_hand = now->cpus && now->ring_bytes != usual_bytes &&
				  !(idle && now->ring_bytes == page_bytes);
	const bool waits = idle && !args->interfaces_count;

	if (args->packet_lines.given)
		now->packet_lines = args->packet_lines.lines;
	else if (!now->cpus)
		now->packet_lines = DEFAULT_PACKET_LINES;
	if (args->max_flows)
		now->max_flows = (u32)args->max_flows;
	else if (fresh)
		now->max_flows = waits ? IDLE_MAX_FLOWS : DEFAULT_MAX_FLOWS;
	if (args->ring_bytes)
		now->ring_bytes = arguments_ring_round(args->ring_bytes, page_bytes);
	else if (!ring_by_hand)
		now->ring_bytes = waits ? page_bytes
					: arguments_ring_default(now->packet_lines, page_bytes);
	if (args->only.given)
		memcpy(now->only, args->only.protocols, sizeof(now->only));
}

static void host_settings(const struct arguments *args, u32 page_bytes, struct pin_settings *now)
{
	static const u32 rows[FOLD_KINDS] = {
		[FOLD_PROCESS] = DEFAULT_MAX_PROCESSES,
		[FOLD_DROP] = DEFAULT_MAX_DROPS,
		[FOLD_LATENCY] = DEFAULT_MAX_NETWORKS,
	};

	if (args->drop_lines.given)
		now->drop_lines = args->drop_lines.lines;
	else if (!now->cpus)
		now->drop_lines = DEFAULT_DROP_LINES;
	for (int kind = 0; kind < FOLD_KINDS; kind++) {
		const u32 host = kind == FOLD_LATENCY;	/* a row more: the whole host */

		if (args->max_fold[kind])
			now->max_fold[kind] = (u32)args->max_fold[kind] + host;
		else if (!now->cpus)
			now->max_fold[kind] = rows[kind] + host;
	}
	if (args->events_bytes)
		now->events_bytes = arguments_ring_round(args->events_bytes, page_bytes);
	else if (!now->cpus)
		now->events_bytes = DEFAULT_EVENTS_BYTES;
}

void arguments_settings(const struct arguments *args, u32 page_bytes, bool idle,
			struct pin_settings *now)
{
	packet_settings(args, page_bytes, idle, now);
	host_settings(args, page_bytes, now);
}

u32 arguments_probes(const struct arguments *args, const struct pin_settings *settings)
{
	u32 set = args->probe.set;

	if (!args->probe.given && settings->cpus)
		set = PROBE_PACKET | settings->probes * PROBE_HOST(0);
	return args->interfaces_count ? set : set & PROBES_HOST;
}
