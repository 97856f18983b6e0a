// SPDX-License-Identifier: MIT
/*
 * Records to lines on one core: the reader's own way from a ring buffer to a descriptor, and
 * the same lines by snprintf() with inet_ntop() and by jansson. A JSON object a row.
 *
 * usage: lines [rounds]
 *        lines --ours LINES		only ours, for valgrind --tool=callgrind --toggle-collect=write_ours
 *        lines --emit LINES FLOWS [shuffled]	lines on stdout, as a reader or as somebody else writes them
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <jansson.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "reader/request.h"
#include "reader/ring.h"
#include "tests/bench/shuffle.h"
#include "tests/bench/traffic.h"

#define RING_RECORDS 4096u
#define STRIDE (sizeof(struct packet_record) + BPF_RINGBUF_HDR_SZ)
#define RING_BYTES (1u << 19)	/* a power of two, above RING_RECORDS * STRIDE */

static struct {
	struct ring ring;
	struct drain drain;
	struct line_writer writer;
	struct sink sink;
	u64 consumer, producer;
	u8 data[2 * RING_BYTES];
} pipeline;

static void make_pipeline(int fd)
{
	sink_init(&pipeline.sink, fd);
	line_write_init();
	line_writer_init(&pipeline.writer);
	line_writer_name(&pipeline.writer, 0, "eth0");
	pipeline.drain = (struct drain){ .sink = &pipeline.sink, .writer = &pipeline.writer,
					 .types = PRINT_ALL, .knows = { true } };
	_Static_assert(RING_RECORDS * STRIDE <= RING_BYTES, "a filled ring");
	ring_init(&pipeline.ring, &pipeline.consumer, &pipeline.producer, pipeline.data, RING_BYTES);
}

static void fill_ring(struct traffic *t)
{
	for (u32 i = 0; i < RING_RECORDS; i++, pipeline.producer += STRIDE) {
		u64 at = pipeline.producer & (RING_BYTES - 1);
		u32 header = sizeof(struct packet_record);

		memcpy(pipeline.data + at, &header, sizeof(header));
		traffic_next(t, (struct packet_record *)(void *)(pipeline.data + at + BPF_RINGBUF_HDR_SZ));
		if (at + STRIDE > RING_BYTES)	/* the ring is mapped twice in a row */
			memcpy(pipeline.data, pipeline.data + RING_BYTES, at + STRIDE - RING_BYTES);
	}
}

static const struct packet_record *record_at(u32 i)
{
	u64 at = (pipeline.producer - (RING_RECORDS - i) * STRIDE) & (RING_BYTES - 1);

	return (const struct packet_record *)(const void *)(pipeline.data + at + BPF_RINGBUF_HDR_SZ);
}

static __attribute__((noinline)) void write_ours(void)
{
	if (ring_drain(&pipeline.ring, &pipeline.drain) || sink_flush(&pipeline.sink))
		exit(EXIT_FAILURE);
}

/* ---- peers: the same keys and values ------------------------------------------------- */

static void flag_text(u8 flags, char *to)
{
	for (u32 bit = 0; bit < 8; bit++)
		if (flags & 1u << bit)
			*to++ = "FSRPAUEC"[bit];
	*to = '\0';
}

struct words {
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], flags[9];
	double ms;
	int sport, dport;
	const char *direction, *proto;
};

static void find_words(const struct packet_record *r, struct words *w)
{
	int family = r->key.ip_version == 4 ? AF_INET : AF_INET6;

	inet_ntop(family, r->key.src_ip, w->src, sizeof(w->src));
	inet_ntop(family, r->key.dst_ip, w->dst, sizeof(w->dst));
	flag_text(r->tcp_flags, w->flags);
	w->ms = (double)(r->time_ns / 1000) / 1000;
	w->sport = ntohs(r->key.src_port_be);
	w->dport = ntohs(r->key.dst_port_be);
	w->direction = r->key.direction ? "egress" : "ingress";
	w->proto = r->key.protocol == 6 ? "TCP" : "UDP";
}

static size_t print_line(char *to, const struct packet_record *r)
{
	struct words w;

	find_words(r, &w);
	return (size_t)snprintf(to, LINE_MAX_BYTES,
		"{\"type\":\"packet\",\"timestamp\":%llu.%03u,\"ifname\":\"%s\",\"direction\":\"%s\",\"cpu\":%u,"
		"\"ip_version\":%u,\"proto\":\"%s\",\"src_ip\":\"%s\",\"dst_ip\":\"%s\",\"src_port\":%d,"
		"\"dst_port\":%d,\"length\":%u,\"payload_length\":%u,\"tcp_flags\":\"%s\",\"icmp_type\":null,"
		"\"icmp_code\":null,\"ttl\":%u,\"vlan\":null,\"fragment\":%s,\"malformed\":%s}\n",
		(unsigned long long)(r->time_ns / 1000000), (unsigned int)(r->time_ns / 1000 % 1000), "eth0",
		w.direction, r->cpu, r->key.ip_version, w.proto, w.src, w.dst, w.sport, w.dport, r->length,
		r->payload_length, w.flags, r->ttl, r->key.flags & FLOW_FRAGMENT ? "true" : "false",
		r->malformed ? "true" : "false");
}

static size_t dump_line(char *to, const struct packet_record *r)
{
	struct words w;
	json_t *line;
	size_t n;

	find_words(r, &w);
	line = json_pack("{ss sf ss ss si si ss ss ss si si si si ss sn sn si sn sb sb}", "type", "packet",
			 "timestamp", w.ms, "ifname", "eth0", "direction", w.direction, "cpu", r->cpu,
			 "ip_version", r->key.ip_version, "proto", w.proto, "src_ip", w.src, "dst_ip", w.dst,
			 "src_port", w.sport, "dst_port", w.dport, "length", (int)r->length,
			 "payload_length", (int)r->payload_length, "tcp_flags", w.flags, "icmp_type", "icmp_code",
			 "ttl", r->ttl, "vlan", "fragment", 0, "malformed", r->malformed);
	n = json_dumpb(line, to, LINE_MAX_BYTES, JSON_COMPACT | JSON_REAL_PRECISION(16));
	json_decref(line);
	to[n] = '\n';
	return n + 1;
}

/* As our reader: 64 KiB a write. */
static void write_peer(size_t (*make)(char *to, const struct packet_record *r))
{
	static char buffer[SINK_BYTES + LINE_MAX_BYTES];
	size_t used = 0;

	for (u32 i = 0; i < RING_RECORDS; i++) {
		used += make(buffer + used, record_at(i));
		if (used <= SINK_BYTES && i + 1 < RING_RECORDS)
			continue;
		if (write(pipeline.sink.fd, buffer, used) != (ssize_t)used)
			exit(EXIT_FAILURE);
		used = 0;
	}
}

static void write_printed(void)
{
	write_peer(print_line);
}

static void write_dumped(void)
{
	write_peer(dump_line);
}

/* ---- measuring ----------------------------------------------------------------------- */

/* Lines a second, of as many rings. Ours comes with each: it takes the records from the ring. */
static void measure(struct traffic *t, u32 rings, void (*peer)(void), double *ret_ours, double *ret_peer)
{
	double ours = 0, theirs = 0, lines = (double)rings * RING_RECORDS;

	for (u32 i = 0; i < rings; i++) {
		double start;

		fill_ring(t);
		start = cpu_seconds();
		peer();
		theirs += cpu_seconds() - start;
		start = cpu_seconds();
		write_ours();
		ours += cpu_seconds() - start;
	}
	*ret_ours = lines / ours;
	*ret_peer = lines / theirs;
}

static void compare(u32 rounds)
{
	struct result printed = { "records to lines, a core", "lines/s", "snprintf and inet_ntop", "higher", 10,
				  { 0 }, { 0 } };
	struct result dumped = { "records to lines, a core", "lines/s", "jansson", "higher", 50, { 0 }, { 0 } };
	struct result limit = { "records to lines, a core", "lines/s", "15 M lines/s", "higher", 1, { 0 }, { 0 } };
	struct traffic t = { .flows = 10000 };

	against_limit(&limit, 15e6, rounds);
	for (u32 i = 0; i < rounds; i++) {
		measure(&t, 50, write_printed, &printed.ours[i], &printed.other[i]);
		measure(&t, 10, write_dumped, &dumped.ours[i], &dumped.other[i]);
		limit.ours[i] = printed.ours[i];
	}
	print_result(&printed, rounds);
	print_result(&dumped, rounds);
	print_result(&limit, rounds);
}

static int only_ours(u64 lines)
{
	struct traffic t = { .flows = 10000 };

	make_pipeline(open("/dev/null", O_WRONLY | O_CLOEXEC));
	for (u64 done = 0; done < lines; done += RING_RECORDS) {
		fill_ring(&t);
		write_ours();
	}
	printf("%llu\n", (unsigned long long)pipeline.sink.lines);
	return EXIT_SUCCESS;
}

static int emit(u64 lines, u32 flows, bool shuffled)
{
	struct traffic t = { .flows = flows, .is_mixed = true };
	char line[LINE_MAX_BYTES], other[2 * LINE_MAX_BYTES];

	make_pipeline(STDOUT_FILENO);
	for (u64 i = 0; i < lines; i++) {
		struct packet_record r;
		char *end;

		traffic_next(&t, &r);
		end = packet_line_write(line, &pipeline.writer, &r);
		if (shuffled)
			fwrite(other, 1, shuffle_keys(other, line, (size_t)(end - line)), stdout);
		else
			fwrite(line, 1, (size_t)(end - line), stdout);
	}
	return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	u32 rounds = argc > 1 ? (u32)atoi(argv[1]) : 5;

	if (argc == 3 && !strcmp(argv[1], "--ours"))
		return only_ours(strtoull(argv[2], NULL, 10));
	if (argc >= 4 && !strcmp(argv[1], "--emit"))
		return emit(strtoull(argv[2], NULL, 10), (u32)atoi(argv[3]), argc > 4);
	if (rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: lines [ROUNDS] | --ours LINES | --emit LINES FLOWS [shuffled]\n");
		return 2;
	}
	make_pipeline(open("/dev/null", O_WRONLY | O_CLOEXEC));
	compare(rounds);
	return EXIT_SUCCESS;
}
