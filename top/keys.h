/* SPDX-License-Identifier: MIT */
/* Keys as a table: what each does, and what the help says of it. */
#ifndef JOPIL_TOP_KEYS_H
#define JOPIL_TOP_KEYS_H

#include <stddef.h>

#include "top/model.h"

/* Keys that are no characters; those are their code points. */
enum {
	KEYS_UP = 0x110000,	/* above every code point */
	KEYS_DOWN,
	KEYS_LEFT,
	KEYS_RIGHT,
	KEYS_PAGE_UP,
	KEYS_PAGE_DOWN,
	KEYS_HOME,
	KEYS_END,
	KEYS_ENTER,
	KEYS_ESCAPE,
	KEYS_BACKSPACE,
	KEYS_TAB,
	KEYS_BACK_TAB,
};

/* Does what a key does; model->over: the end is asked for. */
void keys_press(struct model *model, int key);

/* Lines of the help; NULL behind the last. */
struct keys_help {
	const char *keys, *what;
};
const struct keys_help *keys_help_row(size_t n);

#endif
