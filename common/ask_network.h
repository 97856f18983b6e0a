/* SPDX-License-Identifier: MIT */
/* Networks: "10.0.0.0/8", "2001:db8::/32", or one address. */
#ifndef JOPIL_ASK_NETWORK_H
#define JOPIL_ASK_NETWORK_H

#include <stdbool.h>

#include "common/types.h"

struct ask_network {
	int family;	/* AF_INET, AF_INET6; 0: none */
	u8 address[16];
	unsigned int bits;
};

/* 0, or -EINVAL with a phrase in *ret_why. Bits behind the prefix are ignored. */
int ask_network_parse(const char *text, struct ask_network *ret, const char **ret_why);

/* Whether an address, as text, lies in it; what is no address does not. */
bool ask_network_holds(const struct ask_network *network, const char *ip);

#endif
