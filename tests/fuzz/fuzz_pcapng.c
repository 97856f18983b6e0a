// SPDX-License-Identifier: MIT
/*
 * Any bytes as a pcapng file: no access strays, and it makes no difference in how many
 * pieces they come.
 */
#include <stdlib.h>

#include "reader/pcapng.c"

static struct pcapng_watch at_once, in_pieces;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t step = size ? 1 + data[size - 1] % 40 : 1;

	pcapng_watch_init(&at_once, "pcap");
	pcapng_watch_init(&in_pieces, "pcap");
	pcapng_watch_feed(&at_once, data, size);
	for (size_t at = 0; at < size; at += step) {
		size_t n = size - at < step ? size - at : step;
		uint8_t *piece = malloc(n);

		memcpy(piece, data + at, n);
		pcapng_watch_feed(&in_pieces, piece, n);
		free(piece);
	}
	if (at_once.n_names != in_pieces.n_names || at_once.last != in_pieces.last ||
	    at_once.off != in_pieces.off || at_once.n_names > PCAPNG_NAMES ||
	    memcmp(at_once.names, in_pieces.names, sizeof(at_once.names)) ||
	    memcmp(at_once.packets, in_pieces.packets, sizeof(at_once.packets)))
		__builtin_trap();
	for (uint32_t i = 0; i < 64; i++)
		if (pcapng_watch_next(&at_once).slot >= at_once.n_names)
			__builtin_trap();
	return 0;
}
