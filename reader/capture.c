/* SPDX-License-Identifier: MIT */
/* `reader --pcap`: capture files through the same parser and the same accounting. */
#include "reader/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "reader/account.h"
#include "reader/begin.h"
#include "reader/confine.h"
#include "reader/halt.h"
#include "reader/link.h"
#include "reader/pcapng.h"
#include "reader/walltime.h"

#define NS_PER_S 1000000000ull
#define STREAM_BYTES (256 * 1024)
/* Later stamps do not fit 64 bits of nanoseconds: the year 2540. */
#define SECONDS_MAX 18000000000ll
/* Packets between two looks at the clock for the progress line. */
#define PROGRESS_PACKETS 16384
#define PROGRESS_NS (NS_PER_S / 2)
#define PROGRESS_AFTER_NS NS_PER_S

struct capture {
	const struct request *request;
	struct sink *sink;
	const char *name;		/* for messages */
	/* the file */
	int fd;
	u64 file_bytes, read_bytes;	/* file_bytes 0: not known */
	FILE *stream;
	char *stream_buffer;
	pcap_t *pcap;
	const struct link_type *link;
	struct pcapng_watch watch;
	/* the packets */
	struct account account;
	struct line_writer writer;
	u32 names_known;
	u64 packets;
	u64 first_ns, last_ns;		/* stamps */
	u64 tick_ns;			/* stamp at which flows are drained next */
	/* the progress line */
	u64 began_ns, shown_ns;
	bool shows_progress, has_shown;
};

static void complain(const struct capture *c, const char *what, const char *why)
{
	log_error("%s%s: %s", what, c->name, why);
}

/* ---- the file ---------------------------------------------------------------- */

/* Lines must not wait for packets: before stdin makes us wait, they go out. */
static void flush_if_idle(struct capture *c)
{
	struct pollfd in = { .fd = c->fd, .events = POLLIN };

	if (!c->file_bytes && c->sink->used && !poll(&in, 1, 0))
		sink_flush(c->sink);
}

/* Whether to read again. Who shares stdin may have made it not to block. */
static bool is_passing(const struct capture *c, int error)
{
	struct pollfd in = { .fd = c->fd, .events = POLLIN };

	if (error == EAGAIN)
		poll(&in, 1, -1);
	return error == EINTR || error == EAGAIN;
}

/* Bytes on their way to libpcap. A read that the end interrupts is the file's end. */
static ssize_t read_cookie(void *cookie, char *buffer, size_t size)
{
	struct capture *c = cookie;
	ssize_t n;

	flush_if_idle(c);
	do
		n = halt_is_wanted() ? 0 : read(c->fd, buffer, size);
	while (n < 0 && is_passing(c, errno));
	if (n > 0) {
		c->read_bytes += (u64)n;
		pcapng_watch_feed(&c->watch, (const u8 *)buffer, (size_t)n);
	}
	return n;
}

static enum status open_file(struct capture *c)
{
	static const cookie_io_functions_t functions = { .read = read_cookie };
	struct stat st;

	if (!strcmp(c->request->pcap, "-")) {
		c->name = "standard input";
		c->fd = STDIN_FILENO;
	} else {
		c->name = c->request->pcap;
		c->fd = open(c->name, O_RDONLY | O_CLOEXEC);
	}
	if (c->fd < 0) {
		complain(c, "open ", strerror(errno));
		return STATUS_FAILED;
	}
	if (!fstat(c->fd, &st) && S_ISREG(st.st_mode))
		c->file_bytes = (u64)st.st_size;
	c->stream = fopencookie(c, "r", functions);
	c->stream_buffer = malloc(STREAM_BYTES);
	if (!c->stream || !c->stream_buffer) {
		complain(c, "open ", strerror(ENOMEM));
		return STATUS_FAILED;
	}
	setvbuf(c->stream, c->stream_buffer, _IOFBF, STREAM_BYTES);
	__fsetlocking(c->stream, FSETLOCKING_BYCALLER);
	return STATUS_DONE;
}

static enum status open_capture(struct capture *c)
{
	char why[PCAP_ERRBUF_SIZE];
	int number;

	c->pcap = pcap_fopen_offline_with_tstamp_precision(c->stream, PCAP_TSTAMP_PRECISION_NANO,
							   why);
	if (!c->pcap) {
		log_error("%s: %s; pcap and pcapng files can be read", c->name, why);
		return STATUS_FAILED;
	}
	c->stream = NULL;	/* pcap_close() closes it */
	number = pcap_datalink(c->pcap);
	c->link = link_type_find(number);
	if (!c->link) {
		const char *name = pcap_datalink_val_to_name(number);

		log_error("%s: link type %d (%s) cannot be read; what can: %s", c->name, number,
			  name ? name : "unknown", link_type_list());
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

/* ---- lines ------------------------------------------------------------------- */

static int write_flow(struct capture *c, const struct fold_flow *flow, u64 now_ns)
{
	struct flow_record r = {
		.time_ns = now_ns,
		.packets = flow->value.packets,
		.bytes = flow->value.bytes,
		.first_ns = flow->value.first_ns,
		.last_ns = flow->value.last_ns,
		.key = flow->key,
		.tcp_flags = flow->value.tcp_flags,
	};

	c->sink->data_left--;
	return sink_add(c->sink, flow_line_write(sink_next(c->sink), &c->writer, &r), 1, NULL);
}

static int drain_flows(struct capture *c, u64 now_ns)
{
	size_t n;
	const struct fold_flow *flows = fold_flows(c->account.fold, &n);
	int err = 0;

	if (c->request->types & PRINT_FLOW)
		for (size_t i = 0; i < n && c->sink->data_left && !err; i++)
			err = write_flow(c, &flows[i], now_ns);
	fold_clear(c->account.fold);
	return err;
}

static int write_counters(struct capture *c, u64 now_ns)
{
	if (!(c->request->types & PRINT_COUNTERS))
		return 0;
	for (unsigned int i = 0; i < ACCOUNT_SLOTS; i++) {
		struct tally_cursor cursor = { 0 };

		while (c->account.tallies[i] && !cursor.done) {
			char *end = tally_line_write(sink_next(c->sink), c->account.tallies[i],
						     c->writer.ifnames[i].text,
						     c->writer.ifnames[i].length, now_ns, &cursor);
			int err = sink_add(c->sink, end, 1, NULL);

			if (err)
				return err;
		}
	}
	return 0;
}

static int tick(struct capture *c, u64 now_ns)
{
	int err = drain_flows(c, now_ns);

	/* What --count left out is in no line: the totals would not add up. */
	return err || !c->sink->data_left ? err : write_counters(c, now_ns);
}

/* Ticks at most once, however far the stamps jump; never when they go back. */
static int tick_if_due(struct capture *c, u64 time_ns)
{
	const u64 interval = c->request->interval_ns;
	int err;

	if (!c->tick_ns)
		c->tick_ns = time_ns + interval;
	if (time_ns < c->tick_ns)
		return 0;
	err = tick(c, c->tick_ns);
	c->tick_ns += ((time_ns - c->tick_ns) / interval + 1) * interval;
	return err;
}

/* ---- packets ----------------------------------------------------------------- */

/* 32-bit stamps are unsigned, libpcap has them signed; nonsense is bounded. */
static u64 stamp_ns(const struct timeval *ts)
{
	long long seconds = ts->tv_sec;

	if (seconds < 0)
		seconds = (u32)seconds;
	if (seconds > SECONDS_MAX)
		seconds = SECONDS_MAX;
	return (u64)seconds * NS_PER_S + (u64)ts->tv_usec % NS_PER_S;
}

static void learn_names(struct capture *c)
{
	for (; c->names_known < c->watch.n_names; c->names_known++)
		line_writer_name(&c->writer, (u8)c->names_known, c->watch.names[c->names_known]);
}

static void parse(struct capture *c, const struct pcap_pkthdr *header, const u8 *bytes,
		  struct packet_info *info)
{
	struct pcapng_packet known = pcapng_watch_next(&c->watch);
	/* Broken files say that less was on the wire than was captured. */
	u32 wire_length = header->len > header->caplen ? header->len : header->caplen;

	link_parse(c->link, bytes, header->caplen, wire_length, info);
	info->key.iface = known.slot;
	if (known.direction != PCAPNG_UNKNOWN)
		info->key.direction = known.direction == PCAPNG_OUTBOUND;
	if (c->names_known != c->watch.n_names)
		learn_names(c);
}

static int write_packet(struct capture *c, const struct packet_record *r)
{
	if (!(c->request->types & PRINT_PACKET))
		return 0;
	c->sink->data_left--;
	return sink_add(c->sink, packet_line_write(sink_next(c->sink), &c->writer, r), 1, NULL);
}

static void show_progress(struct capture *c)
{
	u64 now = walltime_monotonic_ns();

	if (now - c->began_ns < PROGRESS_AFTER_NS || now - c->shown_ns < PROGRESS_NS)
		return;
	c->shown_ns = now;
	c->has_shown = true;
	if (c->file_bytes)
		fprintf(stderr, "\rreader: %s: %u %%, %llu packets ", c->name,
			(unsigned int)(c->read_bytes * 100 / c->file_bytes),
			(unsigned long long)c->packets);
	else
		fprintf(stderr, "\rreader: %s: %llu packets ", c->name,
			(unsigned long long)c->packets);
}

static bool is_over(const struct capture *c, u64 time_ns)
{
	return !c->sink->data_left || halt_is_wanted() ||
	       (c->request->duration_ns && time_ns > c->first_ns &&
		time_ns - c->first_ns >= c->request->duration_ns);
}

static int handle(struct capture *c, const struct pcap_pkthdr *header, const u8 *bytes)
{
	u64 time_ns = stamp_ns(&header->ts);
	struct packet_record record;
	struct packet_info info;
	int err;

	if (!c->packets)
		c->first_ns = time_ns;
	if (is_over(c, time_ns)) {
		pcap_breakloop(c->pcap);
		return 0;
	}
	err = tick_if_due(c, time_ns);
	if (err || !c->sink->data_left)
		return err;
	c->packets++;
	c->last_ns = time_ns;
	parse(c, header, bytes, &info);
	err = account_packet(&c->account, &info, header->len, time_ns, &record);
	if (err == 1)
		err = write_packet(c, &record);
	if (c->shows_progress && c->packets % PROGRESS_PACKETS == 0)
		show_progress(c);
	return err;
}

static void on_packet(u_char *context, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct capture *c = (struct capture *)context;
	int err = c->sink->error;

	if (!err)
		err = handle(c, header, bytes);
	if (err) {
		c->sink->error = err;
		pcap_breakloop(c->pcap);
	}
}

static enum status read_packets(struct capture *c)
{
	int result;

	if (begin_hello(c->sink) || begin_ready(c->request, c->sink))
		return STATUS_DONE;
	result = pcap_loop(c->pcap, -1, on_packet, (u_char *)c);
	if (c->has_shown)
		fprintf(stderr, "\r\033[K");
	if (!c->sink->error && c->sink->data_left && c->packets)
		tick(c, c->last_ns);
	sink_flush(c->sink);
	/* Cut off by the end that was asked for, the file is not to blame. */
	if (result == PCAP_ERROR && !halt_is_wanted()) {
		log_error("%s: %s; the %llu packets before it are counted", c->name,
			  pcap_geterr(c->pcap), (unsigned long long)c->packets);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

static void capture_close(struct capture *c)
{
	if (c->pcap)
		pcap_close(c->pcap);
	if (c->stream)
		fclose(c->stream);
	free(c->stream_buffer);
	if (c->fd > STDIN_FILENO)
		close(c->fd);
	account_free(&c->account);
	free(c);
}

enum status capture_run(const struct request *request, struct sink *sink)
{
	struct capture *c = calloc(1, sizeof(*c));
	enum status status = STATUS_FAILED;
	u64 seed = 0;

	if (!c || getrandom(&seed, sizeof(seed), 0) < 0 ||
	    account_init(&c->account, request->packet_lines, seed)) {
		log_error("%s", strerror(errno));
		goto out;
	}
	c->request = request;
	c->sink = sink;
	c->began_ns = walltime_monotonic_ns();
	c->shows_progress = isatty(STDERR_FILENO);
	pcapng_watch_init(&c->watch, "pcap");
	line_writer_init(&c->writer);
	status = open_file(c);
	if (status == STATUS_DONE && !request->no_sandbox)
		status = confine_capture(request->verbose);
	if (status == STATUS_DONE)
		status = open_capture(c);
	if (status == STATUS_DONE)
		status = read_packets(c);
out:
	if (c)
		capture_close(c);
	return status;
}
