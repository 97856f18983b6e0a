/* SPDX-License-Identifier: MIT */
/* The open connections: how many, from where, and which have kept silent too long. */
#ifndef JOPIL_HTTPD_PEERS_H
#define JOPIL_HTTPD_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "httpd/bounds.h"

enum peer_state {
	PEER_WAITING,	/* we wait for a request, or for the rest of one */
	PEER_BUSY,	/* it waits for us, or is fed for ever */
	PEER_DOOMED,	/* shut down; its end will be seen soon */
};

struct peer {
	TAILQ_ENTRY(peer) all;
	TAILQ_ENTRY(peer) waiting;
	enum peer_state state;
	uint64_t since_ms;	/* waiting for so long */
	int fd;			/* borrowed */
	uint8_t ip[16];		/* IPv4 in its IPv6 form */
};

TAILQ_HEAD(peer_list, peer);

struct peers {
	struct peer_list all;
	struct peer_list waiting;	/* the one that waits longest first */
	uint64_t count;		/* without the doomed */
	struct bounds *bounds;
};

void peers_init(struct peers *peers, struct bounds *bounds);

/*
 * Whether one more connection may come from address. When all places are
 * taken, the one that has been waiting longest makes room.
 */
bool peers_admit(struct peers *peers, const struct sockaddr *address);

/* A connection, waiting from now on; NULL without memory. peers_remove() frees it. */
struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address,
		       uint64_t now_ms);
void peers_remove(struct peers *peers, struct peer *peer);

void peers_busy(struct peers *peers, struct peer *peer);
void peers_wait(struct peers *peers, struct peer *peer, uint64_t now_ms);

/* Shuts down those that have been waiting longer than the limit. */
void peers_sweep(struct peers *peers, uint64_t now_ms);

#endif
