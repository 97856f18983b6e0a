/* SPDX-License-Identifier: MIT */
/* Names of the addresses in the latest snapshot: remembered, and asked of the resolver process. */
#ifndef JOPIL_HTTPD_RESOLVER_H
#define JOPIL_HTTPD_RESOLVER_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "httpd/bounds.h"
#include "httpd/hostname.h"
#include "httpd/resolver_process.h"
#include "httpd/shot.h"

#define RESOLVER_BUCKETS 4096

enum named_state {
	NAMED_NOT_YET,	/* nothing is known, or it is too old */
	NAMED_ASKED,
	NAMED_YES,
	NAMED_NO,	/* it has none, or nobody could say */
};

struct named {
	TAILQ_ENTRY(named) by_use;
	LIST_ENTRY(named) by_hash;
	struct address address;
	char text[INET6_ADDRSTRLEN];	/* the address as the snapshot has it */
	enum named_state state;
	uint64_t until_ms;	/* server_now_ms(): what is known holds so long */
	uint64_t round;		/* of the snapshot that had it last */
	double bytes;		/* it moved, in that snapshot */
	bool confirmed;		/* the name leads back to the address */
	char *name;		/* NULL = none; an old one stays until there is another answer */
};

/* What happened since the start; in the answer of /api/names. */
struct resolver_counters {
	uint64_t asked;
	uint64_t found;
	uint64_t refused;	/* names that were none, or messages that made no sense */
	uint64_t unanswered;	/* questions that got no answer in time, or fell with their process */
	uint64_t restarts;	/* of the process, after a crash */
};

struct resolver {
	int fd;			/* of the resolver process; -1: there is none */
	bool enabled;
	bool ready;		/* the process has said that it begins */
	struct bounds *bounds;
	struct resolver_counters counters;

	TAILQ_HEAD(named_list, named) by_use;	/* longest unused first */
	LIST_HEAD(named_bucket, named) bucket[RESOLVER_BUCKETS];
	uint64_t seed;		/* of the buckets, chosen by chance */
	size_t count;

	uint64_t round;		/* number of the snapshot noted last; 0 = none yet */
	struct named **wanted;	/* those of the last round, most bytes first */
	size_t wanted_count;
	size_t next;		/* of wanted: all before it need no question */

	struct resolver_question {
		uint64_t number;	/* 0 = free */
		uint64_t asked_ms;
		struct named *named;
	} question[RESOLVER_THREADS];
	uint64_t number;	/* of the last question */
	uint64_t second;	/* the current one */
	uint64_t this_second;	/* questions in it */
};

/* fd: of the resolver process, -1 = names are not looked up; closed by resolver_free(). */
void resolver_init(struct resolver *resolver, int fd, struct bounds *bounds);
void resolver_free(struct resolver *resolver);

/*
 * Notes the addresses of the snapshot's flows, remotes and connections, most bytes
 * first, and asks for the names that are not known. number: of the snapshot, from 1;
 * does nothing for the one that was noted last. 0 or -ENOMEM.
 */
int resolver_note(struct resolver *resolver, const struct shot *shot, uint64_t number,
		  uint64_t now_ms);

/* Takes what the process has said, and asks further. False: the process is gone, for good. */
bool resolver_take(struct resolver *resolver, uint64_t now_ms);

/* To be called each second: gives up on old questions, and asks further. */
void resolver_sweep(struct resolver *resolver, uint64_t now_ms);

#endif
