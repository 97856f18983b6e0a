/* SPDX-License-Identifier: MIT */
/* reader: from the pinned maps, or a capture file, to lines on stdout. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bpf/packet_config.h"
#include "common/log.h"
#include "common/notify.h"
#include "common/options.h"
#include "common/pins.h"
#include "common/sandbox_main.h"
#include "common/status.h"
#include "reader/capture.h"
#include "reader/halt.h"
#include "reader/live.h"
#include "reader/parse_options.h"
#include "reader/request.h"
#include "reader/sink.h"

#define NS_PER_S 1000000000ull

static struct sink sink;	/* its buffer is too large for the stack */

static const struct program_info program = {
	.name = "reader",
	.operands = "",
	.purpose = "Prints what the loaded probes see, or a capture file holds, as one JSON object a\n"
		   "line: packets and flows, connections, bytes by process, drops, round-trip times,\n"
		   "and exact counters.",
};

static enum options_result parse(struct request *request, int argc, char **argv)
{
	const struct option_row rows[] = {
		{ .name = "types", .letter = 't', .kind = OPTION_PARSED, .argument = "LIST",
		  .help = "only these lines: packet,flow,connection,process,drop,latency,counters "
			  "(all)",
		  .target = &request->types, .parse = parse_types },
		{ .name = "interval", .letter = 'i', .kind = OPTION_SECONDS, .argument = "SECONDS",
		  .help = "between drains of what is folded, and counters (default 1)",
		  .target = &request->interval_ns, .min = NS_PER_S / 10, .max = 3600 * NS_PER_S },
		{ .name = "once", .kind = OPTION_FLAG,
		  .help = "drain what is there and end", .target = &request->once },
		{ .name = "duration", .letter = 'd', .kind = OPTION_SECONDS, .argument = "SECONDS",
		  .help = "end after so long", .target = &request->duration_ns,
		  .min = NS_PER_S / 1000, .max = 1000000000 * NS_PER_S },
		{ .name = "count", .letter = 'c', .kind = OPTION_NUMBER, .argument = "N",
		  .help = "end after N lines, not counting latency and counters",
		  .target = &request->count, .min = 1 },
		{ .name = "pcap", .letter = 'r', .kind = OPTION_STRING, .argument = "FILE",
		  .help = "read a capture file, - for stdin, instead of the kernel",
		  .target = &request->pcap },
		{ .name = "packet-lines", .kind = OPTION_PARSED, .argument = "N|all",
		  .help = "with --pcap: packet lines a second of the capture (default all)",
		  .target = request, .parse = parse_packet_lines },
		{ .name = "pin-dir", .letter = 'p', .kind = OPTION_STRING, .argument = "DIR",
		  .help = "where the loader pinned (default " PIN_DIR_DEFAULT ")",
		  .target = &request->pin_dir },
		{ .name = "ready-fd", .kind = OPTION_NUMBER, .argument = "N",
		  .help = "write a newline to this descriptor when ready",
		  .target = &request->ready_fd, .min = 1, .max = 1 << 20 },
		SANDBOX_OPTION(&request->no_sandbox),
		{ .name = "verbose", .letter = 'v', .kind = OPTION_FLAG,
		  .help = "say on stderr what is opened and drained", .target = &request->verbose },
		{ .name = NULL },
	};
	int operands;

	return options_parse(&program, rows, argc, argv, &operands);
}

/* How the end of writing looks from outside: a closed stdout is a clean end. */
static enum status judge(enum status status)
{
	if (!sink.error || sink.error == -EPIPE)
		return status;
	if (sink.error == -ETIMEDOUT)
		log_warning("nobody took the last lines for %d s; what was not written "
			    "is left for the next reader",
			    HALT_GRACE_SECONDS);
	else
		log_error("write to stdout: %s; what was not written is left for the "
			  "next reader",
			  strerror(-sink.error));
	return STATUS_FAILED;
}

int main(int argc, char **argv)
{
	struct request request = {
		.pin_dir = PIN_DIR_DEFAULT,
		.interval_ns = NS_PER_S,
		.ready_fd = NOTIFY_NO_FD,
		.types = PRINT_ALL,
		.packet_lines = PACKET_LINES_ALL,
	};
	enum status status;

	switch (parse(&request, argc, argv)) {
	case OPTIONS_GO:
		break;
	case OPTIONS_END:
		return STATUS_DONE;
	case OPTIONS_BAD:
		return STATUS_USAGE;
	}
	if (request.packet_lines_given && !request.pcap) {
		log_error("--packet-lines goes with --pcap; live, `%sloader --packet-lines` decides",
			  log_prefix());
		return STATUS_USAGE;
	}
	halt_install();
	notify_open();
	line_write_init();
	sink_init(&sink, STDOUT_FILENO);
	if (request.count)
		sink.data_left = request.count;
	if (request.pcap)
		status = capture_run(&request, &sink);
	else
		status = live_run(&request, &sink);
	return judge(status);
}
