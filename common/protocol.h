/* SPDX-License-Identifier: MIT */
/* Names of IP protocols and ethertypes, and the rows in which totals are kept. */
#ifndef JOPIL_PROTOCOL_H
#define JOPIL_PROTOCOL_H

#include <stddef.h>

#include "common/total_rows.h"
#include "common/types.h"

/* Longest name: "UDPLite", "0x88cc", and room for more. */
#define PROTOCOL_NAME_MAX 16

/*
 * The name of what a packet carries: for ip_version 4 and 6 the IP protocol
 * (IANA numbers; a decimal number where there is no name), for 0 the ethertype
 * ("0x88cc" where there is no name). Writes at most PROTOCOL_NAME_MAX bytes
 * with the NUL and returns the length.
 */
size_t protocol_name(u8 ip_version, u16 protocol, char *buf);

/*
 * The other way round; any spelling protocol_name() can produce, letter case as
 * written there. *ret_is_ip: 1 IP protocol, 0 ethertype. 0 or -EINVAL.
 */
int protocol_parse(const char *name, size_t length, u16 *ret_protocol, int *ret_is_ip);

/* The name of a row of the totals (total_row()); "other" for the last. */
size_t protocol_row_name(unsigned int row, char *buf);

#endif
