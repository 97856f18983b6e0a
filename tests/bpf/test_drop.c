// SPDX-License-Identifier: MIT
/*
 * The drop probe against drops made on purpose, in namespaces of this test's own: the
 * right reason, packet and interface, and exact counts, whether the drops became records
 * or were folded; and sums that hold for whatever else the machine drops meanwhile.
 */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <bpf/btf.h>

#include "bpf/packet_parse.h"
#include "common/total_rows.h"
#include "tests/bpf/frames.h"
#include "tests/bpf/host_probes.h"

#define DROPS 7		/* of each way */
#define MAX_DROPS 4096
#define PORT_CLIENT 40100
#define PORT_NOBODY 40001
#define PORT_FILTERED 40009
#define PORT_FULL 40003
#define PORT_LATE 40004
#define PORT_MARKER 40005
#define SERVER_MAC "02:00:00:00:00:02"	/* as put_ethernet() */

static struct btf *kernel;
static u32 server_netns;
static int wire = -1;	/* a packet socket at the client's end */

/* ---- the probe ---- */

struct lines {
	struct drop_record *line;
	size_t count;
};

static struct lines lines;

static void keep_line(const struct drop_key *key, const struct drop_value *value)
{
	lines.line = realloc(lines.line, (lines.count + 1) * sizeof(*lines.line));
	assert_non_null(lines.line);
	lines.line[lines.count++] = (struct drop_record){ .key = *key, .value = *value };
}

static int keep_record(void *context, void *data, size_t size)
{
	const struct drop_record *r = data;

	(void)context;
	assert_int_equal(size, sizeof(*r));
	assert_int_equal(r->type, RECORD_DROP);
	assert_int_equal(r->value.packets, 1);
	assert_true(r->time_ns > 0);
	keep_line(&r->key, &r->value);
	return 0;
}

static struct probes *load_drops(u32 drop_lines, u32 max_drops, u32 ring_bytes)
{
	struct probes *p = calloc(1, sizeof(*p));
	struct probe_config config = { .drop_lines = drop_lines };
	struct bpf_program *program;
	u32 zero = 0;

	assert_non_null(p);
	libbpf_set_print(silent);
	p->cpus = libbpf_num_possible_cpus();
	p->bpf = jopil_bpf__open();
	assert_non_null(p->bpf);
	bpf_object__for_each_program(program, p->bpf->obj)
		bpf_program__set_autoload(program, is_wanted(bpf_program__name(program),
							     (const char *const[]){ "drop", NULL }));
	bpf_map__set_max_entries(p->bpf->maps.drops_a, max_drops);
	bpf_map__set_max_entries(p->bpf->maps.drops_b, max_drops);
	assert_int_equal(jopil_bpf__load(p->bpf), 0);
	p->ring_fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "test_events", 0, 0, ring_bytes, NULL);
	assert_true(p->ring_fd >= 0);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(p->bpf->maps.event_ring), &zero,
					     &p->ring_fd, 0), 0);
	p->ring = ring_buffer__new(p->ring_fd, keep_record, p, NULL);
	assert_non_null(p->ring);
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(p->bpf->maps.probe_config), &zero,
					     &config, 0), 0);
	return p;
}

static struct drop_value sum_cpus(const struct probes *p, int fd, const void *key)
{
	struct drop_value values[p->cpus], sum = { 0 };

	assert_int_equal(bpf_map_lookup_elem(fd, key, values), 0);
	for (int i = 0; i < p->cpus; i++) {
		sum.packets += values[i].packets;
		sum.bytes += values[i].bytes;
	}
	return sum;
}

static void read_folded(const struct probes *p, const struct bpf_map *map)
{
	struct drop_key key, *previous = NULL;
	int fd = bpf_map__fd(map);

	for (; !bpf_map_get_next_key(fd, previous, &key); previous = &key) {
		struct drop_value value = sum_cpus(p, fd, &key);

		keep_line(&key, &value);
	}
}

/*
 * Writing a map of maps returns when every program that was running has ended: what is
 * read after that is all there is.
 */
static void wait_for_programs(const struct probes *p)
{
	int inner = bpf_map__fd(p->bpf->maps.drops_a);
	u32 zero = 0;

	assert_int_equal(bpf_map_update_elem(bpf_map__fd(p->bpf->maps.drop_maps), &zero, &inner, 0),
			 0);
}

/* Detaches, and reads all that the probe has said. */
static void read_lines(struct probes *p)
{
	jopil_bpf__detach(p->bpf);
	wait_for_programs(p);
	lines.count = 0;
	assert_true(ring_buffer__consume(p->ring) >= 0);
	read_folded(p, p->bpf->maps.drops_a);
	read_folded(p, p->bpf->maps.drops_b);
}

static struct drop_value sum_totals(const struct probes *p)
{
	struct drop_total_key key, *previous = NULL;
	struct drop_value sum = { 0 }, value;
	int fd = bpf_map__fd(p->bpf->maps.drop_totals);

	for (; !bpf_map_get_next_key(fd, previous, &key); previous = &key) {
		value = sum_cpus(p, fd, &key);
		sum.packets += value.packets;
		sum.bytes += value.bytes;
	}
	return sum;
}

/* Whatever the machine dropped: nothing is lost, nothing counted twice. */
static void assert_sums(const struct probes *p)
{
	u64 packets = probe_counter(p, COUNTER_drop_packets), bytes = probe_counter(p, COUNTER_drop_bytes);
	struct drop_value sum = { 0 }, totals = sum_totals(p);

	for (size_t i = 0; i < lines.count; i++) {
		sum.packets += lines.line[i].value.packets;
		sum.bytes += lines.line[i].value.bytes;
	}
	assert_int_equal(sum.packets, probe_counter(p, COUNTER_drop_lines) +
					      probe_counter(p, COUNTER_drop_folded));
	assert_int_equal(sum.packets + probe_counter(p, COUNTER_drop_unattributed), packets);
	assert_int_equal(sum.bytes + probe_counter(p, COUNTER_drop_unattributed_bytes), bytes);
	assert_int_equal(probe_counter(p, COUNTER_drop_totals_full), 0);
	assert_int_equal(totals.packets, packets);
	assert_int_equal(totals.bytes, bytes);
}

/* ---- what is expected ---- */

struct drop_way {
	const char *name;
	void (*make)(void);
	const char *reason;
	u8 ip_version;
	u16 protocol;
	const char *src, *dst;	/* NULL: none */
	u16 src_port, dst_port;	/* 0: none */
	const char *ifname;	/* "": not known */
	u64 packets, bytes;	/* bytes of all of them */
	bool anywhere;		/* its network namespace cannot be known */
	const char *older;	/* what older kernels say; NULL: the same */
};

static u32 reason_code(const char *name)
{
	char full[128];
	const struct btf_type *type;
	const struct btf_enum *values;
	int id = btf__find_by_name_kind(kernel, "skb_drop_reason", BTF_KIND_ENUM);

	assert_true(id > 0);
	type = btf__type_by_id(kernel, (u32)id);
	values = btf_enum(type);
	snprintf(full, sizeof(full), "SKB_DROP_REASON_%s", name);
	for (int i = 0; i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(kernel, values[i].name_off), full))
			return (u32)values[i].val;
	fail_msg("no reason %s", name);
	return 0;
}

static void fill_address(u8 ip[16], const char *text)
{
	memset(ip, 0, 16);
	if (text)
		assert_int_equal(inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, ip), 1);
}

static struct flow_key flow_of(const struct drop_way *way)
{
	struct flow_key flow = { .protocol = way->protocol, .ip_version = way->ip_version,
				 .src_port_be = htons(way->src_port),
				 .dst_port_be = htons(way->dst_port),
				 .flags = way->dst_port ? FLOW_PORTS : 0 };

	fill_address(flow.src_ip, way->src);
	fill_address(flow.dst_ip, way->dst);
	return flow;
}

static void assert_location(const struct probes *p, u32 location)
{
	char name[LOCATION_BYTES];

	assert_in_range(location, 1, LOCATIONS_MAX - 1);
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(p->bpf->maps.locations), &location, name), 0);
	assert_true(strnlen(name, sizeof(name)) > 3 && strnlen(name, sizeof(name)) < sizeof(name));
	assert_false(name[0] == '0' || strpbrk(name, ". "));
}

static bool is_reason(const struct drop_way *way, u32 reason)
{
	return reason == reason_code(way->reason) || (way->older && reason == reason_code(way->older));
}

static void assert_way(const struct probes *p, const struct drop_way *way)
{
	struct flow_key flow = flow_of(way);
	struct drop_value sum = { 0 };

	for (size_t i = 0; i < lines.count; i++) {
		const struct drop_key *key = &lines.line[i].key;

		if (memcmp(&key->flow, &flow, sizeof(flow)) || !is_reason(way, key->reason) ||
		    (key->netns != server_netns && !way->anywhere))
			continue;
		assert_string_equal(key->ifname, way->ifname);
		assert_location(p, key->location);
		sum.packets += lines.line[i].value.packets;
		sum.bytes += lines.line[i].value.bytes;
	}
	if (sum.packets != way->packets || sum.bytes != way->bytes)
		print_error("%s:\n", way->name);
	assert_int_equal(sum.packets, way->packets);
	assert_int_equal(sum.bytes, way->bytes);
}

/* ---- sockets ---- */

static int udp_socket(int family, u16 port)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), yes = 1;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (family == AF_INET6)
		assert_int_equal(bind(fd, (struct sockaddr *)&a6, sizeof(a6)), 0);
	else
		assert_int_equal(bind(fd, (struct sockaddr *)&a4, sizeof(a4)), 0);
	return fd;
}

static void udp_send(int fd, const char *to, u16 port, size_t size)
{
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	static const u8 zeros[65536];
	ssize_t sent;

	if (strchr(to, ':')) {
		fill_address((u8 *)&a6.sin6_addr, to);
		sent = sendto(fd, zeros, size, 0, (struct sockaddr *)&a6, sizeof(a6));
	} else {
		assert_int_equal(inet_pton(AF_INET, to, &a4.sin_addr), 1);
		sent = sendto(fd, zeros, size, 0, (struct sockaddr *)&a4, sizeof(a4));
	}
	assert_int_equal(sent, size);
}

static void send_to_nobody(int family, const char *to)
{
	int fd = udp_socket(family, PORT_CLIENT);

	for (int i = 0; i < DROPS; i++)
		udp_send(fd, to, PORT_NOBODY, 100);
	close(fd);
}

static void udp_nobody(void)
{
	send_to_nobody(AF_INET, "127.0.0.1");
}

static void udp_nobody6(void)
{
	send_to_nobody(AF_INET6, "::1");
}

static void udp_nobody_mapped(void)
{
	send_to_nobody(AF_INET6, "::ffff:127.0.0.2");
}

static void tcp_nobody(void)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(PORT_CLIENT) },
			   to = { .sin_family = AF_INET, .sin_port = htons(PORT_NOBODY) };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < DROPS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;

		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
		assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), -1);
		assert_int_equal(errno, ECONNREFUSED);
		close(fd);
	}
}

static u64 datagrams_refused;

/* skb->dev is no device any more when the receive buffer turns out to be full. */
static void udp_full(void)
{
	int to = udp_socket(AF_INET, PORT_FULL), from = udp_socket(AF_INET, PORT_CLIENT), size = 1;
	u64 received = 0;
	u8 datagram[1000];

	assert_int_equal(setsockopt(to, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	for (int i = 0; i < 50; i++)
		udp_send(from, "127.0.0.1", PORT_FULL, sizeof(datagram));
	while (recv(to, datagram, sizeof(datagram), MSG_DONTWAIT) > 0)
		received++;
	datagrams_refused = 50 - received;
	close(from);
	close(to);
}

static void filtered(void)
{
	int fd = udp_socket(AF_INET, PORT_CLIENT);

	for (int i = 0; i < DROPS; i++)
		udp_send(fd, "127.0.0.1", PORT_FILTERED, 100);
	close(fd);
}

/* One skb that stands for eight packets: the stack drops it as one. */
static void super_frame(void)
{
	int fd = udp_socket(AF_INET, PORT_CLIENT), segment = 1000;

	assert_int_equal(setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)), 0);
	for (int i = 0; i < DROPS; i++)
		udp_send(fd, "127.0.0.3", PORT_FILTERED, 8000);
	close(fd);
}

/* ---- frames on the wire ---- */

static void transmit(const struct frame_buffer *f)
{
	ssize_t sent = send(wire, f->bytes, f->length, 0);

	assert_true(sent == (ssize_t)f->length || errno == ENOBUFS);	/* dropped at once */
}

static void put_header(struct frame_buffer *f, u16 ethertype)
{
	f->length = 0;
	put_ethernet(f, ethertype);
}

static void put_checksum(u8 *at, const u8 *from, u32 length)
{
	u32 sum = 0;

	for (u32 i = 0; i < length; i += 2)
		sum += (u32)(from[i] << 8) + (i + 1 < length ? from[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	at[0] = (u8)(~sum >> 8);
	at[1] = (u8)~sum;
}

struct ipv4 {
	const char *src, *dst;
	u8 protocol, ttl;
	u16 fragment;
	u32 payload;
};

static void put_ipv4_to(struct frame_buffer *f, const struct ipv4 *ip)
{
	u32 start = f->length;
	u8 address[16];

	PUT(f, 0x45, 0, BE16(20 + ip->payload), 0, 9, BE16(ip->fragment), ip->ttl, ip->protocol, 0, 0);
	fill_address(address, ip->src);
	put(f, address, 4);
	fill_address(address, ip->dst);
	put(f, address, 4);
	put_checksum(f->bytes + start + 10, f->bytes + start, 20);
}

/* No checksum: IPv4 may leave it out. */
static void put_udp_to(struct frame_buffer *f, u16 port, u32 payload)
{
	PUT(f, BE16(PORT_CLIENT), BE16(port), BE16(8 + payload), 0, 0);
	put_zeros(f, payload);
}

static void put_datagram(struct frame_buffer *f, const char *dst, u16 port, u8 ttl)
{
	struct ipv4 ip = { "10.78.0.1", dst, IP_UDP, ttl, 0, 108 };

	put_header(f, ETHERTYPE_IPV4);
	put_ipv4_to(f, &ip);
	put_udp_to(f, port, 100);
}

static void transmit_some(const struct frame_buffer *f)
{
	for (int i = 0; i < DROPS; i++)
		transmit(f);
}

/*
 * Every CPU handles packets in the order in which they came, and this process stays on
 * one: when the last datagram has arrived, all others were handled.
 */
static void wait_for_packets(void)
{
	int to = udp_socket(AF_INET, PORT_MARKER), from = udp_socket(AF_INET, PORT_CLIENT);
	struct frame_buffer f;
	struct ipv4 ip = { "10.78.0.1", "10.78.0.2", IP_UDP, 64, 0, 9 };
	u8 byte;

	put_header(&f, ETHERTYPE_IPV4);
	put_ipv4_to(&f, &ip);
	put_udp_to(&f, PORT_MARKER, 1);
	transmit(&f);
	assert_int_equal(recv(to, &byte, 1, 0), 1);
	udp_send(from, "127.0.0.1", PORT_MARKER, 1);
	assert_int_equal(recv(to, &byte, 1, 0), 1);
	close(from);
	close(to);
}

static void bad_udp_checksum(void)
{
	struct frame_buffer f;

	put_datagram(&f, "10.78.0.2", PORT_NOBODY, 64);
	f.bytes[14 + 20 + 6] = 0x12;
	transmit_some(&f);
}

/*
 * Checksums are looked at when a datagram is read; until then skb->dev is a scratch pad of
 * the receive queue, and nothing says whose packet it was.
 */
static void late_udp_checksum(void)
{
	int to = udp_socket(AF_INET, PORT_LATE);
	struct frame_buffer f;
	u8 byte;

	put_datagram(&f, "10.78.0.2", PORT_LATE, 64);
	f.bytes[14 + 20 + 6] = 0x12;
	transmit_some(&f);
	wait_for_packets();
	assert_int_equal(recv(to, &byte, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, EAGAIN);
	close(to);
}

static void bad_ip_checksum(void)
{
	struct frame_buffer f;

	put_datagram(&f, "10.78.0.2", PORT_NOBODY, 64);
	f.bytes[14 + 10] ^= 0x55;
	transmit_some(&f);
}

static void ttl_expired(void)
{
	struct frame_buffer f;

	put_datagram(&f, "10.78.0.99", PORT_NOBODY, 1);
	transmit_some(&f);
}

static void other_vlan(void)
{
	struct frame_buffer f;
	struct ipv4 ip = { "10.78.0.1", "10.78.0.44", IP_UDP, 64, 0, 108 };

	put_header(&f, ETHERTYPE_8021Q);
	PUT(&f, BE16(5), BE16(ETHERTYPE_IPV4));
	put_ipv4_to(&f, &ip);
	put_udp_to(&f, PORT_NOBODY, 100);
	transmit_some(&f);
}

/*
 * Too long for the other end, so dropped on the way out: the tag lies before the network
 * header, and no interface has received it.
 */
static void tagged_outside(void)
{
	struct frame_buffer f;
	struct ipv4 ip = { "10.78.0.1", "10.78.0.45", IP_UDP, 64, 0, 1448 };

	put_header(&f, ETHERTYPE_8021Q);
	PUT(&f, BE16(5), BE16(ETHERTYPE_IPV4));
	put_ipv4_to(&f, &ip);
	put_udp_to(&f, PORT_NOBODY, 1440);
	transmit_some(&f);
}

/* A last fragment alone would wait: three make a datagram, whose pieces are no packets. */
static void fragments(void)
{
	static const u16 where[] = { 0x2000, 0x2000 | 1400 / 8, 2800 / 8 };
	struct frame_buffer f;

	for (u8 i = 0; i < DROPS; i++) {
		for (u32 n = 0; n < 3; n++) {
			struct ipv4 ip = { "10.78.0.1", "10.78.0.2", IP_UDP, 64, where[n], 1400 };

			put_header(&f, ETHERTYPE_IPV4);
			put_ipv4_to(&f, &ip);
			f.bytes[14 + 5] = (u8)(100 + i);
			memset(f.bytes + 14 + 10, 0, 2);
			put_checksum(f.bytes + 14 + 10, f.bytes + 14, 20);
			if (!n)
				PUT(&f, BE16(PORT_CLIENT), BE16(PORT_NOBODY + 1), BE16(4200), 0, 0);
			put_zeros(&f, n ? 1400 : 1392);
			transmit(&f);
		}
	}
}

static void icmp_checksum(void)
{
	struct frame_buffer f;
	struct ipv4 ip = { "10.78.0.1", "10.78.0.2", IP_ICMP, 64, 0, 8 };

	put_header(&f, ETHERTYPE_IPV4);
	put_ipv4_to(&f, &ip);
	PUT(&f, 8, 0, 0x11, 0x11, 0, 1, 0, 1);
	transmit_some(&f);
}

static void cut_ip_header(void)
{
	struct frame_buffer f;

	put_header(&f, ETHERTYPE_IPV4);
	PUT(&f, 0x45, 0, 0, 100, 0, 1, 0, 0, 64, IP_UDP);
	transmit_some(&f);
}

static void unknown_ethertype(void)
{
	struct frame_buffer f;

	put_header(&f, 0x88b5);
	put_zeros(&f, 50);
	transmit_some(&f);
}

/* Hop-by-hop and destination options before UDP, whose checksum must be right here. */
static void extension_headers(void)
{
	struct frame_buffer f;
	u8 pseudo[40 + 108] = { 0 }, address[16];
	u32 udp;

	put_header(&f, ETHERTYPE_IPV6);
	PUT(&f, 0x60, 0, 0, 0, BE16(8 + 16 + 108), IP_HOPOPTS, 64);
	fill_address(address, "fd78::1");
	put(&f, address, 16);
	memcpy(pseudo, address, 16);
	fill_address(address, "fd78::2");
	put(&f, address, 16);
	memcpy(pseudo + 16, address, 16);
	PUT(&f, IP_DSTOPTS, 0, 1, 4, 0, 0, 0, 0);
	PUT(&f, IP_UDP, 1, 0x1e, 12);	/* an option that may be passed over */
	put_zeros(&f, 12);
	udp = f.length;
	put_udp_to(&f, PORT_NOBODY, 100);
	pseudo[35] = 108;
	pseudo[39] = IP_UDP;
	memcpy(pseudo + 40, f.bytes + udp, 108);
	put_checksum(f.bytes + udp + 6, pseudo, sizeof(pseudo));
	transmit_some(&f);
}

#define LO4 "127.0.0.1", "127.0.0.1", PORT_CLIENT
#define WIRE4 "10.78.0.1", "10.78.0.2", PORT_CLIENT

static const struct drop_way drop_ways[] = {
	{ "UDP, nobody listens", udp_nobody, "NO_SOCKET", 4, IP_UDP, LO4, PORT_NOBODY, "lo", DROPS,
	  DROPS * 128, false, NULL },
	{ "UDP over IPv6", udp_nobody6, "NO_SOCKET", 6, IP_UDP, "::1", "::1", PORT_CLIENT, PORT_NOBODY,
	  "lo", DROPS, DROPS * 148, false, NULL },
	{ "UDP to a mapped address", udp_nobody_mapped, "NO_SOCKET", 4, IP_UDP, "127.0.0.1", "127.0.0.2",
	  PORT_CLIENT, PORT_NOBODY, "lo", DROPS, DROPS * 128, false, NULL },
	{ "TCP, nobody listens", tcp_nobody, "NO_SOCKET", 4, IP_TCP, LO4, PORT_NOBODY, "lo", DROPS,
	  DROPS * 60, false, NULL },
	{ "UDP checksum, found when read", late_udp_checksum, "UDP_CSUM", 4, IP_UDP, WIRE4, PORT_LATE, "",
	  DROPS, DROPS * 128, true, "NOT_SPECIFIED" },
	{ "nftables", filtered, "NETFILTER_DROP", 4, IP_UDP, LO4, PORT_FILTERED, "lo", DROPS, DROPS * 128,
	  false, NULL },
	{ "a super-frame", super_frame, "NETFILTER_DROP", 4, IP_UDP, "127.0.0.1", "127.0.0.3", PORT_CLIENT,
	  PORT_FILTERED, "lo", DROPS, DROPS * 8028, false, NULL },
	{ "UDP checksum", bad_udp_checksum, "UDP_CSUM", 4, IP_UDP, WIRE4, PORT_NOBODY, "veth_b", DROPS,
	  DROPS * 128, false, NULL },
	{ "IP checksum", bad_ip_checksum, "IP_CSUM", 4, IP_UDP, WIRE4, PORT_NOBODY, "veth_b", DROPS,
	  DROPS * 128, false, NULL },
	{ "TTL expired", ttl_expired, "IP_INHDR", 4, IP_UDP, "10.78.0.1", "10.78.0.99", PORT_CLIENT,
	  PORT_NOBODY, "veth_b", DROPS, DROPS * 128, false, NULL },
	{ "another VLAN", other_vlan, "OTHERHOST", 4, IP_UDP, "10.78.0.1", "10.78.0.44", PORT_CLIENT,
	  PORT_NOBODY, "veth_b", DROPS, DROPS * 128, false, NULL },
	{ "a VLAN, on its way out", tagged_outside, "PKT_TOO_BIG", 4, IP_UDP, "10.78.0.1", "10.78.0.45",
	  PORT_CLIENT, PORT_NOBODY, "veth_a", DROPS, DROPS * 1468, true, "NOT_SPECIFIED" },
	{ "a datagram in three", fragments, "NO_SOCKET", 4, IP_UDP, WIRE4, PORT_NOBODY + 1, "veth_b", DROPS,
	  DROPS * 4220, false, NULL },
	{ "ICMP checksum", icmp_checksum, "ICMP_CSUM", 4, IP_ICMP, "10.78.0.1", "10.78.0.2", 0, 0, "veth_b",
	  DROPS, DROPS * 28, false, NULL },
	{ "half an IP header", cut_ip_header, "IP_INHDR", 0, ETHERTYPE_IPV4, NULL, NULL, 0, 0, "veth_b",
	  DROPS, DROPS * 10, false, NULL },
	{ "an ethertype of nobody", unknown_ethertype, "UNHANDLED_PROTO", 0, 0x88b5, NULL, NULL, 0, 0,
	  "veth_b", DROPS, DROPS * 50, false, NULL },
	{ "IPv6 extension headers", extension_headers, "NO_SOCKET", 6, IP_UDP, "fd78::1", "fd78::2",
	  PORT_CLIENT, PORT_NOBODY, "veth_b", DROPS, DROPS * 172, false, NULL },
};

#define WAYS (sizeof(drop_ways) / sizeof(drop_ways[0]))

static void make_all_drops(void)
{
	for (size_t i = 0; i < WAYS; i++)
		drop_ways[i].make();
	udp_full();
	wait_for_packets();
}

static void assert_all_ways(const struct probes *p)
{
	struct drop_way full = { "a full buffer", udp_full, "SOCKET_RCVBUFF", 4, IP_UDP, LO4, PORT_FULL, "lo",
				 datagrams_refused, datagrams_refused * 1028, false, NULL };

	assert_in_range(datagrams_refused, 1, 49);
	for (size_t i = 0; i < WAYS; i++)
		assert_way(p, &drop_ways[i]);
	assert_way(p, &full);
}

static struct probes *run_all(u32 drop_lines, u32 max_drops, u32 ring_bytes)
{
	struct probes *p = load_drops(drop_lines, max_drops, ring_bytes);

	assert_int_equal(jopil_bpf__attach(p->bpf), 0);
	make_all_drops();
	read_lines(p);
	assert_sums(p);
	return p;
}

static void all_become_records(void **state)
{
	struct probes *p = run_all(PACKET_LINES_ALL, MAX_DROPS, EVENT_RING_BYTES);

	(void)state;
	assert_all_ways(p);
	assert_int_equal(probe_counter(p, COUNTER_drop_folded), 0);
	assert_int_equal(probe_counter(p, COUNTER_drop_ring_full), 0);
	assert_true(probe_counter(p, COUNTER_drop_lines) >= WAYS * DROPS);
	unload_probes(p);
}

static void all_are_folded(void **state)
{
	struct probes *p = run_all(0, MAX_DROPS, EVENT_RING_BYTES);

	(void)state;
	assert_all_ways(p);
	assert_int_equal(probe_counter(p, COUNTER_drop_lines), 0);
	assert_int_equal(probe_counter(p, COUNTER_drop_unattributed), 0);
	unload_probes(p);
}

static void a_budget_divides_them(void **state)
{
	struct probes *p = run_all(5, MAX_DROPS, EVENT_RING_BYTES);

	(void)state;
	assert_all_ways(p);
	assert_true(probe_counter(p, COUNTER_drop_lines) > 0);
	assert_true(probe_counter(p, COUNTER_drop_folded) > 0);
	unload_probes(p);
}

static void what_finds_the_ring_full_is_folded(void **state)
{
	struct probes *p = run_all(PACKET_LINES_ALL, MAX_DROPS, 4096);

	(void)state;
	assert_all_ways(p);
	assert_true(probe_counter(p, COUNTER_drop_ring_full) > 0);
	assert_int_equal(probe_counter(p, COUNTER_drop_ring_full), probe_counter(p, COUNTER_drop_folded));
	unload_probes(p);
}

static void what_finds_the_map_full_is_counted(void **state)
{
	struct probes *p = run_all(0, 3, EVENT_RING_BYTES);

	(void)state;
	assert_true(probe_counter(p, COUNTER_drop_unattributed) > 0);
	assert_true(probe_counter(p, COUNTER_drop_unattributed_bytes) > 0);
	assert_int_equal(lines.count, 3);
	unload_probes(p);
}

static u64 total_of(const struct probes *p, const char *reason, u32 row)
{
	struct drop_total_key key = { .reason = reason_code(reason), .row = (u16)row };

	return sum_cpus(p, bpf_map__fd(p->bpf->maps.drop_totals), &key).packets;
}

static void totals_by_reason_and_protocol(void **state)
{
	struct probes *p = run_all(PACKET_LINES_ALL, MAX_DROPS, EVENT_RING_BYTES);

	(void)state;
	assert_true(total_of(p, "NO_SOCKET", IP_UDP) >= 5 * DROPS);
	assert_true(total_of(p, "NO_SOCKET", IP_TCP) >= DROPS);
	assert_true(total_of(p, "ICMP_CSUM", IP_ICMP) >= DROPS);
	assert_true(total_of(p, "UNHANDLED_PROTO", TOTAL_OTHER) >= DROPS);
	assert_true(total_of(p, "IP_INHDR", TOTAL_BAD_IPV4) >= DROPS);
	unload_probes(p);
}

static void pieces_and_unix_sockets_are_no_packets(void **state)
{
	struct probes *p = load_drops(PACKET_LINES_ALL, MAX_DROPS, EVENT_RING_BYTES);
	int ends[2];
	u64 pieces;

	(void)state;
	assert_int_equal(jopil_bpf__attach(p->bpf), 0);
	fragments();
	wait_for_packets();
	pieces = probe_counter(p, COUNTER_drop_not_packets);
	assert_true(pieces >= 2 * DROPS);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends), 0);
	for (int i = 0; i < DROPS; i++)
		assert_int_equal(send(ends[0], "x", 1, 0), 1);
	close(ends[0]);
	close(ends[1]);
	read_lines(p);
	assert_true(probe_counter(p, COUNTER_drop_not_packets) >= pieces + DROPS);
	assert_sums(p);
	for (size_t i = 0; i < lines.count; i++)
		assert_true(lines.line[i].key.flow.protocol || lines.line[i].key.ifname[0] ||
			    lines.line[i].key.netns);
	unload_probes(p);
}

/* All guards at once: no other probe is loaded here. */
static void set_guards(const struct probes *p, u32 taken)
{
	u64 values[p->cpus];	/* of 4 bytes, 8 apart */

	for (int i = 0; i < p->cpus; i++)
		values[i] = taken;
	for (u32 row = 0; row < bpf_map__max_entries(p->bpf->maps.guards); row++)
		assert_int_equal(bpf_map_update_elem(bpf_map__fd(p->bpf->maps.guards), &row, values, 0),
				 0);
}

/* The second program counts what the first one misses, and only that. */
static void the_nested_program_works_when_the_first_is_interrupted(void **state)
{
	struct probes *p = load_drops(PACKET_LINES_ALL, MAX_DROPS, EVENT_RING_BYTES);
	struct bpf_link *link = bpf_program__attach(p->bpf->progs.drop_nested);

	(void)state;
	assert_non_null(link);
	make_all_drops();
	assert_int_equal(probe_counter(p, COUNTER_drop_packets), 0);
	set_guards(p, 1);
	make_all_drops();
	bpf_link__destroy(link);
	read_lines(p);
	assert_sums(p);
	assert_all_ways(p);
	unload_probes(p);
}

#define FLOOD 20000
#define FLOODERS 2

/* Sends to nobody from any CPU; the last datagram comes behind them all. */
static int flood(u16 number)
{
	int from, to;
	cpu_set_t all;
	u8 byte;

	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	from = udp_socket(AF_INET, (u16)(41000 + number));
	to = udp_socket(AF_INET, (u16)(43000 + number));
	for (int i = 0; i < FLOOD; i++)
		udp_send(from, "127.0.0.1", (u16)(42000 + number), 1);
	udp_send(from, "127.0.0.1", (u16)(43000 + number), 1);
	return recv(to, &byte, 1, 0) == 1 ? 0 : 1;
}

static void nothing_is_lost_in_a_flood(void **state)
{
	struct probes *p = load_drops(1000, MAX_DROPS, EVENT_RING_BYTES);
	struct drop_way way = { "flood", NULL, "NO_SOCKET", 4, IP_UDP, LO4, 0, "lo", FLOOD, FLOOD * 29, false, NULL };
	pid_t children[FLOODERS];
	int status;

	(void)state;
	assert_int_equal(jopil_bpf__attach(p->bpf), 0);
	for (u16 i = 0; i < FLOODERS; i++) {
		children[i] = fork();
		assert_true(children[i] >= 0);
		if (!children[i])
			_exit(flood(i));
	}
	for (u16 i = 0; i < FLOODERS; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	read_lines(p);
	assert_sums(p);
	for (u16 i = 0; i < FLOODERS; i++) {
		way.src_port = (u16)(41000 + i);
		way.dst_port = (u16)(42000 + i);
		assert_way(p, &way);
	}
	unload_probes(p);
}

/* ---- the scene ---- */

static bool enter(const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);
	bool entered = fd >= 0 && !setns(fd, CLONE_NEWNET);

	close(fd);
	return entered;
}

static void put_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void open_wire(void)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET };

	wire = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	assert_true(wire >= 0);
	address.sll_ifindex = (int)if_nametoindex("veth_a");
	assert_int_equal(bind(wire, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void stay_on_one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((unsigned int)sched_getcpu(), &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
}

/* The client's end of the wire is a packet socket; all else happens in the server's namespace. */
static int set_up(void **state)
{
	struct stat netns;

	if (make_namespaces(state))
		return -1;
	assert_true(enter(netns_paths[0]));
	open_wire();
	assert_true(enter(netns_paths[1]));
	assert_int_equal(stat("/proc/self/ns/net", &netns), 0);
	server_netns = (u32)netns.st_ino;
	assert_true(succeeds(RUN("ip", "link", "set", "veth_b", "address", SERVER_MAC, "mtu", "1450")));
	put_text("/proc/sys/net/ipv4/ip_forward", "1");
	assert_true(succeeds(RUN("nft", "add table inet t; add chain inet t in "
				 "{ type filter hook input priority 0; }; "
				 "add rule inet t in udp dport 40009 drop")));
	kernel = btf__load_vmlinux_btf();
	assert_non_null(kernel);
	stay_on_one_cpu();
	return 0;
}

static int tear_down(void **state)
{
	close(wire);
	btf__free(kernel);
	free(lines.line);
	return remove_namespaces(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_become_records),
		cmocka_unit_test(all_are_folded),
		cmocka_unit_test(a_budget_divides_them),
		cmocka_unit_test(what_finds_the_ring_full_is_folded),
		cmocka_unit_test(what_finds_the_map_full_is_counted),
		cmocka_unit_test(totals_by_reason_and_protocol),
		cmocka_unit_test(pieces_and_unix_sockets_are_no_packets),
		cmocka_unit_test(the_nested_program_works_when_the_first_is_interrupted),
		cmocka_unit_test(nothing_is_lost_in_a_flood),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
