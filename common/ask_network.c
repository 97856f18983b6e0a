/* SPDX-License-Identifier: MIT */
/* Networks. */
#include "common/ask_network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int family_of(const char *text)
{
	return strchr(text, ':') ? AF_INET6 : AF_INET;
}

int ask_network_parse(const char *text, struct ask_network *ret, const char **ret_why)
{
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	struct ask_network network = { 0 };
	char address[INET6_ADDRSTRLEN];
	char *end = NULL;

	*ret_why = "not an address or network, as in 10.0.0.1, 10.0.0.0/8, 2001:db8::/32";
	if (length >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, length);
	address[length] = '\0';
	network.family = family_of(address);
	network.bits = network.family == AF_INET ? 32 : 128;
	if (inet_pton(network.family, address, network.address) != 1)
		return -EINVAL;
	if (slash) {
		unsigned long bits = strtoul(slash + 1, &end, 10);

		if (slash[1] < '0' || slash[1] > '9' || *end || bits > network.bits)
			return -EINVAL;
		network.bits = (unsigned int)bits;
	}
	*ret = network;
	return 0;
}

bool ask_network_holds(const struct ask_network *network, const char *ip)
{
	unsigned int whole = network->bits / 8, rest = network->bits % 8;
	u8 address[16] = { 0 };

	if (family_of(ip) != network->family || inet_pton(network->family, ip, address) != 1)
		return false;
	if (memcmp(address, network->address, whole))
		return false;
	return !rest || !((address[whole] ^ network->address[whole]) >> (8 - rest));
}
