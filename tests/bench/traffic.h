/* SPDX-License-Identifier: MIT */
/* Packets made up for measurements: the same ones for the same number, whoever asks. */
#ifndef JOPIL_BENCH_TRAFFIC_H
#define JOPIL_BENCH_TRAFFIC_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/line_write.h"

#define TRAFFIC_T0 1763704000000000000ull
#define ROUNDS_MAX 64

struct traffic {
	u32 flows;
	bool is_mixed;	/* not only TCP over IPv4: 12 in 100 UDP, 6 IPv6, 2 ICMP */
	u64 state, n;
};

static inline u64 traffic_mix(u64 x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static inline void traffic_addresses(struct flow_key *key, u64 flow)
{
	u64 one = traffic_mix(flow), other = traffic_mix(flow + 0x9e3779b97f4a7c15ull);

	if (key->ip_version == 4) {
		key->src_ip[0] = 10;
		memcpy(key->src_ip + 1, &one, 3);
		memcpy(key->dst_ip, &other, 4);
		return;
	}
	memcpy(key->src_ip, "\x20\x01\x0d\xb8\0\0\0\x01", 8);
	memcpy(key->src_ip + 8, &one, 8);
	memcpy(key->dst_ip, "\x2a\x00\x14\x50\x40\x0e", 6);
	memcpy(key->dst_ip + 14, &other, 2);
}

static inline void traffic_ports(struct flow_key *key, u64 flow)
{
	u64 random = traffic_mix(flow + 0x632be59bd9b4e019ull);

	if (key->protocol == 1) {
		key->flags = FLOW_ICMP;
		key->src_port_be = __builtin_bswap16(8);
		return;
	}
	key->flags = FLOW_PORTS;
	key->src_port_be = __builtin_bswap16((u16)(32768 + random % 28232));
	key->dst_port_be = __builtin_bswap16(key->protocol == 17 ? 53 : 443);
}

static inline void traffic_turn(struct flow_key *key)
{
	u8 ip[16];
	u16 port = key->src_port_be;

	memcpy(ip, key->src_ip, 16);
	memcpy(key->src_ip, key->dst_ip, 16);
	memcpy(key->dst_ip, ip, 16);
	key->src_port_be = key->dst_port_be;
	key->dst_port_be = port;
	key->direction = DIRECTION_INGRESS;
}

/* The next packet: of a flow by chance, either way, a microsecond later. */
static inline void traffic_next(struct traffic *t, struct packet_record *r)
{
	u64 random = traffic_mix(++t->state), flow = (random >> 16) % t->flows;
	u32 kind = t->is_mixed ? (u32)(traffic_mix(flow) % 100) : 99;
	bool is_answer = random & 1;

	*r = (struct packet_record){ .time_ns = TRAFFIC_T0 + t->n++ * 1000, .type = RECORD_PACKET, .cpu = 1,
				     .ttl = 64, .length = is_answer ? 1514 : 66 };
	r->key = (struct flow_key){ .protocol = kind < 2 ? 1 : kind < 14 ? 17 : 6, .vlan = VLAN_NONE,
				    .ip_version = kind >= 14 && kind < 20 ? 6 : 4, .direction = DIRECTION_EGRESS };
	r->payload_length = r->length - 66;
	r->tcp_flags = r->key.protocol == 6 ? is_answer && random & 2 ? 0x18 : 0x10 : 0;
	traffic_addresses(&r->key, flow);
	traffic_ports(&r->key, flow);
	if (is_answer)
		traffic_turn(&r->key);
}

/* Time of ours on a CPU: what others do meanwhile is not in it. */
static inline double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- results, a row a line as tests/bench/run takes them ---------------------------- */

struct result {
	const char *what, *unit, *against, *better;
	double target;			/* of ours / other */
	double ours[ROUNDS_MAX], other[ROUNDS_MAX];
};

static inline void print_values(const char *key, const double *values, u32 n)
{
	printf(",\"%s\":", key);
	for (u32 i = 0; i < n; i++)
		printf("%s%.6g", i ? "," : "[", values[i]);
	printf("]");
}

static inline void print_result(const struct result *r, u32 rounds)
{
	printf("{\"what\":\"%s\"", r->what);
	print_values("ours", r->ours, rounds);
	print_values("other", r->other, rounds);
	printf(",\"unit\":\"%s\",\"against\":\"%s\",\"target\":%g,\"better\":\"%s\"}\n", r->unit, r->against,
	       r->target, r->better);
	fflush(stdout);
}

/* A fixed limit instead of a peer: the same in each round. */
static inline void against_limit(struct result *r, double limit, u32 rounds)
{
	for (u32 i = 0; i < rounds; i++)
		r->other[i] = limit;
}

#endif
