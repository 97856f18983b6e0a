/* SPDX-License-Identifier: MIT */
/* How each kind of value in a line is spelled in JSON: in words, and as a JSON Schema. */
#include "common/kinds.h"

#include <stddef.h>
#include <string.h>

#define ADDRESS "{\"type\":[\"string\",\"null\"],\"maxLength\":45}"
#define PORT "{\"type\":[\"integer\",\"null\"],\"minimum\":0,\"maximum\":65535}"
#define BYTE "{\"type\":[\"integer\",\"null\"],\"minimum\":0,\"maximum\":255}"
#define COUNT KINDS_COUNT
#define COUNT_OR_NULL "{\"type\":[\"integer\",\"null\"],\"minimum\":0}"
#define COUNTS "{\"type\":\"array\",\"maxItems\":300,\"items\":" COUNT_OR_NULL "}"
#define FLAGS "{\"type\":[\"string\",\"null\"],\"pattern\":\"^F?S?R?P?A?U?E?C?$\"}"
#define STRING "{\"type\":\"string\"}"
#define STRING_OR_NULL "{\"type\":[\"string\",\"null\"]}"
#define PROTO "{\"type\":\"string\",\"minLength\":1,\"maxLength\":15}"
#define BUCKETS "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"minItems\":2,\"maxItems\":2," \
	"\"items\":" COUNT "}}"
#define BOOLEAN "{\"type\":\"boolean\"}"
#define NUMBER "{\"type\":\"number\",\"minimum\":0}"

/* An object of rows within a row. */
#define NESTED(properties, keys) "{\"type\":\"array\",\"items\":{\"type\":\"object\"," \
	"\"additionalProperties\":false,\"properties\":{" properties "},\"required\":[" keys "]}}"
#define BYTES_MOVED "\"tx_bytes\":" COUNT ",\"rx_bytes\":" COUNT

static const struct kind kinds[] = {
	{ "unix_ms", "number", NUMBER },
	{ "ifname", "string", STRING },
	{ "direction", "string", "{\"enum\":[\"ingress\",\"egress\"]}" },
	{ "u16", "integer", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":65535}" },
	{ "u32", "integer", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":4294967295}" },
	{ "u64", "integer", COUNT },
	{ "bool", "boolean", BOOLEAN },
	{ "ip_version", "integer or null", "{\"enum\":[4,6,null]}" },
	{ "proto", "string", PROTO },
	{ "src_direction", "string or null", "{\"enum\":[\"ingress\",\"egress\",null]}" },
	{ "string or null", "string or null", STRING_OR_NULL },
	{ "src_ip", "string or null", ADDRESS },
	{ "dst_ip", "string or null", ADDRESS },
	{ "port", "integer or null", PORT },
	{ "src_port", "integer or null", PORT },
	{ "dst_port", "integer or null", PORT },
	{ "icmp_type", "integer or null", BYTE },
	{ "icmp_code", "integer or null", BYTE },
	{ "tcp_flags", "string or null", FLAGS },
	{ "ttl", "integer or null", BYTE },
	{ "vlan", "integer or null", "{\"type\":[\"integer\",\"null\"],\"minimum\":0,\"maximum\":4095}" },
	{ "fragment", "boolean", BOOLEAN },
	{ "u32_or_null", "integer or null", COUNT_OR_NULL },
	{ "connection_event", "string",
	  "{\"enum\":[\"connect\",\"accept\",\"established\",\"close\",\"failed\"]}" },
	{ "connection_reason", "string or null",
	  "{\"type\":[\"string\",\"null\"],\"pattern\":\"^(local|remote|abort|refused|timed_out|reset|"
	  "unreachable|aborted|error_[0-9]+)$\"}" },
	{ "owner_pid", "integer or null", COUNT_OR_NULL },
	{ "owner_command", "string or null", STRING_OR_NULL },
	{ "owner_uid", "integer or null", COUNT_OR_NULL },
	{ "cgroup", "string or null", STRING_OR_NULL },
	{ "service", "string or null", STRING_OR_NULL },
	{ "duration_ms", "number or null", "{\"type\":[\"number\",\"null\"],\"minimum\":0}" },
	{ "process_version", "integer or null", "{\"enum\":[4,6,null]}" },
	{ "process_proto", "string", PROTO },
	{ "remote_ip", "string or null", ADDRESS },
	{ "remote_port", "integer or null", PORT },
	{ "drop_ifname", "string or null", STRING_OR_NULL },
	{ "proto_or_null", "string or null", "{\"type\":[\"string\",\"null\"],\"maxLength\":15}" },
	{ "drop_reason", "string", STRING },
	{ "location", "string or null", STRING_OR_NULL },
	{ "string_or_null", "string or null", STRING_OR_NULL },
	{ "buckets", "array of [upper bound, count]", BUCKETS },
	{ "counters", "object", "{\"type\":\"object\",\"additionalProperties\":" COUNT "}" },
	{ "string", "string", STRING },
	{ "integer", "integer", COUNT },
	{ "number", "number", NUMBER },
	{ "boolean", "boolean", BOOLEAN },
	{ "strings", "strings", "{\"type\":\"array\",\"items\":" STRING "}" },
	/* Keys of rows that are no counts. */
	{ "host", "string", STRING },
	{ "timestamp", "number", NUMBER },
	{ "first", "number", NUMBER },
	{ "last", "number", NUMBER },
	{ "state", "string or null",
	  "{\"enum\":[\"new\",\"established\",\"closing\",\"closed\",\"reset\",null]}" },
	{ "tcp_flags_src", "string or null", FLAGS },
	{ "tcp_flags_dst", "string or null", FLAGS },
	{ "command", "string or null", STRING_OR_NULL },
	{ "pid", "integer or null", COUNT_OR_NULL },
	{ "rtt_us", "integer or null", COUNT_OR_NULL },
	{ "retransmits", "integer or null", COUNT_OR_NULL },
	{ "drops", "integer or null", COUNT_OR_NULL },
	{ "limit", "integer or null", COUNT_OR_NULL },
	{ "connection_state", "string", "{\"enum\":[\"connecting\",\"open\",\"closed\",\"failed\"]}" },
	{ "process_remotes", "rows",
	  NESTED("\"remote_ip\":" ADDRESS ",\"remote_port\":" PORT ",\"proto\":" PROTO "," BYTES_MOVED
		 ",\"tx_bps\":" COUNT ",\"rx_bps\":" COUNT,
		 "\"remote_ip\",\"remote_port\",\"proto\",\"tx_bytes\",\"rx_bytes\",\"tx_bps\",\"rx_bps\"") },
	{ "process_protocols", "rows",
	  NESTED("\"proto\":" PROTO "," BYTES_MOVED, "\"proto\",\"tx_bytes\",\"rx_bytes\"") },
	{ "history", "object",
	  "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"interval_ms\":" COUNT
	  ",\"start\":" COUNT ",\"ingress_bytes\":" COUNTS ",\"egress_bytes\":" COUNTS
	  ",\"ingress_packets\":" COUNTS ",\"egress_packets\":" COUNTS "},\"required\":[\"interval_ms\","
	  "\"start\",\"ingress_bytes\",\"egress_bytes\",\"ingress_packets\",\"egress_packets\"]}" },
};

const struct kind *kinds_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}
