/* SPDX-License-Identifier: MIT */
/* The open connections: how many, from where, and which have kept silent too long. */
#include "httpd/peers.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

void peers_init(struct peers *peers, struct bounds *bounds)
{
	*peers = (struct peers){ .bounds = bounds };
	TAILQ_INIT(&peers->all);
	TAILQ_INIT(&peers->waiting);
}

static void copy_ip(const struct sockaddr *address, uint8_t ip[16])
{
	memset(ip, 0, 16);
	if (address->sa_family == AF_INET6) {
		memcpy(ip, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
	} else if (address->sa_family == AF_INET) {
		ip[10] = ip[11] = 0xff;
		memcpy(ip + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
	}
}

/* MHD notices the end of the connection and lets it go; the descriptor stays its own. */
static void doom(struct peers *peers, struct peer *peer)
{
	TAILQ_REMOVE(&peers->waiting, peer, waiting);
	peer->state = PEER_DOOMED;
	peers->count--;
	shutdown(peer->fd, SHUT_RDWR);
}

static bool is_address_full(const struct peers *peers, const struct sockaddr *address)
{
	uint64_t limit = bounds_limit(peers->bounds, BOUND_CONNECTIONS_PER_ADDRESS), same = 0;
	const struct peer *peer;
	uint8_t ip[16];

	if (!limit || peers->count < limit)
		return false;
	copy_ip(address, ip);
	TAILQ_FOREACH(peer, &peers->all, all)
		same += peer->state != PEER_DOOMED && !memcmp(peer->ip, ip, sizeof(ip));
	return same >= limit;
}

bool peers_admit(struct peers *peers, const struct sockaddr *address)
{
	struct peer *oldest;

	if (is_address_full(peers, address)) {
		bounds_hit(peers->bounds, BOUND_CONNECTIONS_PER_ADDRESS);
		return false;
	}
	if (peers->count < bounds_limit(peers->bounds, BOUND_CONNECTIONS))
		return true;
	bounds_hit(peers->bounds, BOUND_CONNECTIONS);
	oldest = TAILQ_FIRST(&peers->waiting);
	if (!oldest)
		return false;
	doom(peers, oldest);
	return true;
}

struct peer *peers_add(struct peers *peers, int fd, const struct sockaddr *address,
		       uint64_t now_ms)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer->fd = fd;
	peer->since_ms = now_ms;
	copy_ip(address, peer->ip);
	TAILQ_INSERT_TAIL(&peers->all, peer, all);
	TAILQ_INSERT_TAIL(&peers->waiting, peer, waiting);
	peers->count++;
	return peer;
}

void peers_remove(struct peers *peers, struct peer *peer)
{
	if (!peer)
		return;
	if (peer->state == PEER_WAITING)
		TAILQ_REMOVE(&peers->waiting, peer, waiting);
	if (peer->state != PEER_DOOMED)
		peers->count--;
	TAILQ_REMOVE(&peers->all, peer, all);
	free(peer);
}

void peers_busy(struct peers *peers, struct peer *peer)
{
	if (!peer || peer->state != PEER_WAITING)
		return;
	TAILQ_REMOVE(&peers->waiting, peer, waiting);
	peer->state = PEER_BUSY;
}

void peers_wait(struct peers *peers, struct peer *peer, uint64_t now_ms)
{
	if (!peer || peer->state != PEER_BUSY)
		return;
	peer->state = PEER_WAITING;
	peer->since_ms = now_ms;
	TAILQ_INSERT_TAIL(&peers->waiting, peer, waiting);
}

void peers_sweep(struct peers *peers, uint64_t now_ms)
{
	uint64_t limit = bounds_limit(peers->bounds, BOUND_REQUEST_MS);
	struct peer *peer;

	while ((peer = TAILQ_FIRST(&peers->waiting)) && now_ms - peer->since_ms > limit) {
		bounds_hit(peers->bounds, BOUND_REQUEST_MS);
		doom(peers, peer);
	}
}
