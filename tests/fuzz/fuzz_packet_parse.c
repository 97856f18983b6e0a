// SPDX-License-Identifier: MIT
/*
 * Any bytes as a frame of any link type, cut off anywhere: no read strays, what is said
 * of the frame hangs together, and a shorter part of it never says something else.
 */
#include <stdlib.h>

#include "reader/link.c"

static const int numbers[] = { 1, 12, 228, 229, 113, 276, 0, 108 };

#define CHECK(condition) do { if (!(condition)) __builtin_trap(); } while (0)

static void check(const struct packet_info *info)
{
	const struct flow_key *key = &info->key;

	CHECK(key->ip_version == 0 || key->ip_version == 4 || key->ip_version == 6);
	CHECK(!key->ip_version || key->protocol < 256);
	CHECK(key->vlan == VLAN_NONE || key->vlan < 4096);
	CHECK(key->direction < DIRECTIONS);
	CHECK(!(key->flags & ~(FLOW_PORTS | FLOW_ICMP | FLOW_FRAGMENT)));
	CHECK(!(key->flags & (key->flags - 1)));	/* one of them at most */
	CHECK(!key->flags || key->ip_version);
	CHECK(key->flags & (FLOW_PORTS | FLOW_ICMP) || (!key->src_port_be && !key->dst_port_be));
	CHECK(info->malformed >= info->truncated);
	CHECK(!info->tcp_flags || (key->ip_version && key->protocol == IP_TCP));
}

/* The first `there` bytes of a frame of size bytes, alone in memory. */
static struct packet_info parse(const struct link_type *type, const uint8_t *data, size_t there,
				uint32_t wire_length)
{
	uint8_t *bytes = malloc(there + 1);
	struct packet_info info;

	memcpy(bytes + 1, data, there);
	link_parse(type, bytes + 1, (u32)there, wire_length, &info);
	free(bytes);
	check(&info);
	return info;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte is the link type, the second where to cut, the third what was cut off. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct link_type *type;
	struct packet_info whole, part;
	uint32_t wire_length;
	size_t there;

	if (size < 3)
		return 0;
	type = link_type_find(numbers[data[0] % (sizeof(numbers) / sizeof(numbers[0]))]);
	there = data[1] < size - 3 ? data[1] : size - 3;
	wire_length = (uint32_t)(size - 3) + (data[2] > 200 ? data[2] * 1000u : 0);
	whole = parse(type, data + 3, size - 3, wire_length);
	part = parse(type, data + 3, there, wire_length);
	if (part.key.ip_version)
		CHECK(!memcmp(part.key.src_ip, whole.key.src_ip, 32) &&
		      part.key.ip_version == whole.key.ip_version);
	if (part.key.flags & FLOW_PORTS)
		CHECK(part.key.src_port_be == whole.key.src_port_be &&
		      part.key.dst_port_be == whole.key.dst_port_be);
	return 0;
}
