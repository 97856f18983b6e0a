/* SPDX-License-Identifier: MIT */
/* Names of IP protocols and ethertypes, and the rows in which totals are kept. */
#include "common/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* IANA protocol numbers whose names the line format fixes. */
static const char *const ip_names[256] = {
	[1] = "ICMP",	 [2] = "IGMP",	  [4] = "IPIP",	 [6] = "TCP",	[17] = "UDP",
	[33] = "DCCP",	 [41] = "IPv6",	  [47] = "GRE",	 [50] = "ESP",	[51] = "AH",
	[58] = "ICMPv6", [88] = "EIGRP",  [89] = "OSPF", [103] = "PIM", [112] = "VRRP",
	[132] = "SCTP",	 [136] = "UDPLite",
};

static const struct {
	u16 number;
	const char *name;
} ethertypes[] = {
#define ETHERTYPE(id, number, name) { number, name },
	ETHERTYPES(ETHERTYPE)
#undef ETHERTYPE
};

#define N_ETHERTYPES (sizeof(ethertypes) / sizeof(ethertypes[0]))

static size_t copy_name(const char *name, char *buf)
{
	size_t length = strlen(name);

	memcpy(buf, name, length + 1);
	return length;
}

size_t protocol_name(u8 ip_version, u16 protocol, char *buf)
{
	if (ip_version && protocol < 256) {
		if (ip_names[protocol])
			return copy_name(ip_names[protocol], buf);
		return (size_t)snprintf(buf, PROTOCOL_NAME_MAX, "%u", protocol);
	}
	for (size_t i = 0; i < N_ETHERTYPES; i++)
		if (ethertypes[i].number == protocol)
			return copy_name(ethertypes[i].name, buf);
	return (size_t)snprintf(buf, PROTOCOL_NAME_MAX, "0x%04x", protocol);
}

size_t protocol_row_name(unsigned int row, char *buf)
{
	if (row < 256)
		return protocol_name(4, (u16)row, buf);
	if (row - 256 < N_ETHERTYPES)
		return copy_name(ethertypes[row - 256].name, buf);
	return copy_name("other", buf);
}

static int equals(const char *name, const char *text, size_t length)
{
	return strlen(name) == length && !memcmp(name, text, length);
}

static int parse_digits(const char *text, size_t length, unsigned int base, u16 *ret_value)
{
	unsigned int value = 0;

	for (size_t i = 0; i < length; i++) {
		const char *digits = "0123456789abcdef";
		const char *hit = text[i] ? strchr(digits, text[i]) : NULL;

		if (!hit || (unsigned int)(hit - digits) >= base)
			return -EINVAL;
		value = value * base + (unsigned int)(hit - digits);
	}
	*ret_value = (u16)value;
	return 0;
}

static int parse_number(const char *name, size_t length, u16 *ret_protocol, int *ret_is_ip)
{
	if (length == 6 && name[0] == '0' && name[1] == 'x') {
		*ret_is_ip = 0;
		return parse_digits(name + 2, 4, 16, ret_protocol);
	}
	if (length < 1 || length > 3 || (length > 1 && name[0] == '0') ||
	    parse_digits(name, length, 10, ret_protocol) || *ret_protocol > 255)
		return -EINVAL;
	*ret_is_ip = 1;
	return 0;
}

int protocol_parse(const char *name, size_t length, u16 *ret_protocol, int *ret_is_ip)
{
	u16 protocol = 0;

	for (u16 i = 0; i < 256; i++)
		if (ip_names[i] && equals(ip_names[i], name, length)) {
			*ret_protocol = i;
			*ret_is_ip = 1;
			return 0;
		}
	for (size_t i = 0; i < N_ETHERTYPES; i++)
		if (equals(ethertypes[i].name, name, length)) {
			*ret_protocol = ethertypes[i].number;
			*ret_is_ip = 0;
			return 0;
		}
	if (parse_number(name, length, &protocol, ret_is_ip))
		return -EINVAL;
	*ret_protocol = protocol;
	return 0;
}
