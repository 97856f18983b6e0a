/* SPDX-License-Identifier: MIT */
/* What the terminal's description says. */
#include "top/terminfo.h"

#include <curses.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>

static TERMINAL *ours;	/* newterm() makes its own */

static char *capability(const char *name)
{
	/* The declaration takes what is a constant for a variable. */
	char *text = tigetstr((char *)(uintptr_t)name);

	return text == (char *)-1 ? NULL : text;
}

size_t terminfo_reset(char *ret_bytes, size_t size)
{
	static const char *const names[] = { "sgr0", "op", "rmkx", "cnorm", "rmcup" };
	size_t length = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *at = capability(names[i]);

		while (at && *at && length < size) {
			if (at[0] == '$' && at[1] == '<' && strchr(at, '>'))
				at = strchr(at, '>') + 1;
			else
				ret_bytes[length++] = *at++;
		}
	}
	return length;
}

int terminfo_open(int fd, const char **ret_why)
{
	const char *term = getenv("TERM");
	int found = 0;

	if (!term || !*term || setupterm(NULL, fd, &found) != OK) {
		*ret_why = "TERM is not set, or names a terminal that is not known here";
		return -ENOTSUP;
	}
	ours = cur_term;
	if (!capability("cup") || !capability("clear")) {
		*ret_why = "this terminal (TERM) cannot place text";
		return -ENOTSUP;
	}
	return 0;
}

void terminfo_close(void)
{
	if (ours)
		del_curterm(ours);
	ours = NULL;
}
