/* SPDX-License-Identifier: MIT */
/* What the loader can be told to do. Each: 0, or -1 with *f filled. */
#ifndef JOPIL_VERBS_H
#define JOPIL_VERBS_H

#include "loader/arguments.h"
#include "loader/failure.h"

int attach_run(const struct arguments *args, struct failure *f);
int detach_run(const struct arguments *args, struct failure *f);
int status_run(const struct arguments *args, struct failure *f);

#endif
