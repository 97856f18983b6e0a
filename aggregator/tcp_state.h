/* SPDX-License-Identifier: MIT */
/*
 * The state of a TCP connection as far as the flags of both sides tell. They are ORs,
 * so that it comes out the same whether packets came one by one or folded.
 */
#ifndef JOPIL_TCP_STATE_H
#define JOPIL_TCP_STATE_H

#include <stdbool.h>

#include "common/types.h"

/* RFC 9293 3.1 */
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* "new", "established", "closing", "closed" or "reset". */
const char *tcp_state_name(u8 src_flags, u8 dst_flags);

/* True if a SYN without ACK begins a new connection over a finished one. */
static inline bool tcp_reopens(u8 one_flags, u8 other_flags, u8 packet_flags)
{
	return packet_flags & TCP_SYN && !(packet_flags & (TCP_ACK | TCP_RST | TCP_FIN)) &&
	       ((one_flags | other_flags) & TCP_RST || one_flags & other_flags & TCP_FIN);
}

#endif
