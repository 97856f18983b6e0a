/* SPDX-License-Identifier: MIT */
/* What httpd and the process that reads the database say: whole messages of a SOCK_SEQPACKET socket. */
#ifndef JOPIL_HTTPD_ARCHIVE_WIRE_H
#define JOPIL_HTTPD_ARCHIVE_WIRE_H

#include <stdint.h>

#define ARCHIVE_NAME_MAX 256	/* a text of a question, with its NUL */
#define ARCHIVE_STEP_MAX 8
#define ARCHIVE_PIECE_MAX 65000	/* bytes of an answer in one message */
#define ARCHIVE_ANSWER_MAX (16 * 1024 * 1024)

enum archive_kind {
	ARCHIVE_REPORT,		/* one of the questions of common/questions.h: its JSON */
	ARCHIVE_SERIES,		/* a history in steps: see archive_series.h */
	ARCHIVE_EXTENT,		/* struct archive_extent */
	ARCHIVE_KINDS
};

/* No byte is left unset: the same question has the same bytes, but for the number. */
struct archive_question {
	uint64_t number;	/* never 0, never used twice */
	int64_t now, from, to;	/* Unix seconds */
	int64_t step;		/* of a series: at least so many seconds */
	int64_t seam;		/* of a series: what begins then or later is not wanted */
	uint64_t limit;		/* rows; 0: all */
	uint32_t parts;		/* of a series: enum history_part */
	uint8_t kind;		/* enum archive_kind */
	uint8_t question;	/* of questions[] */
	uint8_t by;		/* of its bys */
	uint8_t family;		/* 4, 6; 0: any address */
	uint8_t address[16];
	uint32_t bits;
	uint32_t zero;
	char process[ARCHIVE_NAME_MAX], proto[ARCHIVE_NAME_MAX], host[ARCHIVE_NAME_MAX];	/* "": all */
	char step_name[ARCHIVE_STEP_MAX];
};

_Static_assert(sizeof(struct archive_question) == 864, "no padding");

enum archive_piece_kind {
	ARCHIVE_READY,		/* one begins; questions before this are not answered any more */
	ARCHIVE_PIECE,		/* a part of an answer */
	ARCHIVE_DONE,		/* that was all */
	ARCHIVE_FAILED,		/* there is none: the text says why */
	ARCHIVE_TOO_LONG,	/* it took too long, or is too large: the text says which */
};

/* Followed by length bytes. */
struct archive_piece {
	uint64_t number;	/* of the question; 0 with ARCHIVE_READY */
	uint32_t kind;
	uint32_t length;	/* at most ARCHIVE_PIECE_MAX */
};

_Static_assert(sizeof(struct archive_piece) == 16, "no padding");

/* Unix seconds; 0, 0: nothing was recorded. */
struct archive_extent {
	int64_t oldest, newest;
};

#endif
