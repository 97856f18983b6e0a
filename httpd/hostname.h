/* SPDX-License-Identifier: MIT */
/* Addresses and their names: what the resolver process is asked, says, and is believed. */
#ifndef JOPIL_HTTPD_HOSTNAME_H
#define JOPIL_HTTPD_HOSTNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOSTNAME_BYTES 253	/* RFC 1035: 255 on the wire */

struct address {
	uint8_t version;	/* 4 or 6 */
	uint8_t bytes[16];	/* network byte order; IPv4 in the first four, then zeroes */
};

/* Whole messages of a SOCK_SEQPACKET socket, between two processes of one program: no byte is left unset. */
struct name_question {
	uint64_t number;	/* never 0, never used twice */
	struct address address;
	uint8_t zero[7];
};

enum name_kind {
	NAME_READY,	/* a resolver begins; questions before this are not answered any more */
	NAME_FOUND,
	NAME_NONE,	/* the address has no name */
	NAME_FAILED,	/* nobody could say */
	NAME_KINDS
};

struct name_answer {
	uint64_t number;	/* of the question; 0 with NAME_READY */
	uint8_t kind;
	uint8_t confirmed;	/* 1: the name leads back to the address, 0: not, or nobody could say */
	uint8_t length;		/* of name; 0 unless NAME_FOUND */
	uint8_t zero[5];
	char name[256];		/* zeroes after length */
};

_Static_assert(sizeof(struct name_question) == 32, "no padding");
_Static_assert(sizeof(struct name_answer) == 272, "no padding");

/* "10.0.0.1" or "2001:db8::1". 0 or -EINVAL. */
int address_parse(const char *text, struct address *ret_address);

bool address_equals(const struct address *a, const struct address *b);

/* Whether asking makes sense: it is one machine's (not 0.0.0.0, multicast, broadcast, and so on). */
bool address_is_host(const struct address *address);

/*
 * Whether it is a host name (RFC 1123, and underscores as they are in use): labels
 * of 1 to 63 letters, digits, - and _ that do not begin or end with -, with dots
 * between them, at most HOSTNAME_BYTES in all. One that ends in a number is none: it
 * would look like an address.
 */
bool hostname_is_good(const char *name, size_t length);

/*
 * Reads size bytes that came from the resolver process. 0; -EBADMSG: it is no
 * answer; -EILSEQ: an answer to question ret_answer->number, but the name is not
 * one that is believed.
 */
int name_answer_parse(const void *data, size_t size, struct name_answer *ret_answer);

#endif
