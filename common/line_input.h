/* SPDX-License-Identifier: MIT */
/* Lines from a descriptor, in large reads. */
#ifndef JOPIL_LINE_INPUT_H
#define JOPIL_LINE_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Longer lines are counted and passed over: no line of ours comes near. */
#define INPUT_LINE_MAX 65536

#define INPUT_REST_MS 100

struct input {
	int fd;
	char *buffer;
	size_t begin, end;	/* of what is read and not yet taken */
	bool skipping;		/* inside a line that is too long */
	bool at_end;		/* of the input */
};

enum input_line {
	INPUT_NONE,		/* no whole line: input_read(), or at_end */
	INPUT_LINE,
	INPUT_TOO_LONG,		/* its first part, to be shown */
};

/* Also enlarges the pipe, if it is one. 0 or -ENOMEM. */
int input_init(struct input *in, int fd);
void input_free(struct input *in);

/*
 * Whose lines come before a hello says so: "", or for a FIFO with a name, whose hello may have
 * been read by one of us that ended since, this machine's.
 */
void input_first_host(int fd, char *ret_host, size_t size);

/* Reads once. 0 (also at the end: at_end), or -errno. */
int input_read(struct input *in);

/*
 * Before the end, while more comes: reads to the end of the line that the last read has cut, and not
 * a byte more, so that who reads next begins with a whole one. Gives up when nothing comes for
 * INPUT_REST_MS. 0 or -errno.
 */
int input_read_rest(struct input *in);

/*
 * The next line without its newline; as line_read.h wants it. A last line without a
 * newline counts as a line.
 */
enum input_line input_next(struct input *in, const char **ret_line, size_t *ret_length);

#endif
