/* SPDX-License-Identifier: MIT */
/* Keys as a table: what each does, and what the help says of it. */
#ifndef JOPIL_TOP_KEYS_H
#define JOPIL_TOP_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "top/model.h"

/* Keys that are no characters. */
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

/* What a key did: false if the end is asked for. `page` is how many rows are shown. */
bool keys_press(struct model *model, int key, int page);

/* Lines of the help; NULL behind the last. */
struct keys_help {
	const char *keys, *what;
};
const struct keys_help *keys_help_row(size_t n);

#endif
