/* SPDX-License-Identifier: MIT */
/* The whole screen from the model: pure, cells only. */
#ifndef JOPIL_TOP_COMPOSE_H
#define JOPIL_TOP_COMPOSE_H

#include <stdio.h>

#include "top/frame.h"
#include "top/model.h"
#include "top/overview.h"

/* Fills the frame; scrolls the model so that the selected row is seen. */
void compose_screen(struct frame *frame, struct model *model, const struct feed_facts *facts);

/* The same as plain lines, with every row, and an empty line behind. 0 or -ENOMEM. */
int compose_plain(FILE *out, struct model *model, const struct feed_facts *facts, int columns);

#endif
