/* SPDX-License-Identifier: MIT */
/* Networks: "10.0.0.0/8", "2001:db8::/32", or one address. */
#ifndef JOPIL_REPORT_NETWORK_H
#define JOPIL_REPORT_NETWORK_H

#include <stdbool.h>

#include "common/types.h"

struct network {
	int family;	/* AF_INET, AF_INET6; 0: none */
	u8 address[16];
	unsigned int bits;
};

/* 0, or -EINVAL with a phrase in *ret_why. Bits behind the prefix are ignored. */
int network_parse(const char *text, struct network *ret, const char **ret_why);

/* Whether an address, as text, lies in it; what is no address does not. */
bool network_holds(const struct network *network, const char *ip);

#endif
