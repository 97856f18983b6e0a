/* SPDX-License-Identifier: MIT */
/* The state of a TCP connection as far as the flags of both sides tell. */
#include "aggregator/tcp_state.h"

/* One side has sent its SYN and no ACK, or only a SYN with ACK has been seen of the other. */
static bool is_unfinished(u8 one, u8 other)
{
	if (one & TCP_SYN && !(one & TCP_ACK))
		return true;
	return !one && other == (TCP_SYN | TCP_ACK);
}

const char *tcp_state_name(u8 src, u8 dst)
{
	if ((src | dst) & TCP_RST)
		return "reset";
	if (src & dst & TCP_FIN)
		return "closed";
	if ((src | dst) & TCP_FIN)
		return "closing";
	/* The handshake is over when the side that sent the SYN has sent an ACK. */
	if (is_unfinished(src, dst) || is_unfinished(dst, src))
		return "new";
	return "established";
}
