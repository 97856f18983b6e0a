/* SPDX-License-Identifier: MIT */
/* The full screen: until a key or a signal ends it. */
#ifndef JOPIL_TOP_LIVE_H
#define JOPIL_TOP_LIVE_H

#include "top/feed.h"
#include "top/model.h"

/* 0; else -errno, and in *ret_why what did not work. The terminal is as it was. */
int live_run(struct feed *feed, struct model *model, const char **ret_why);

#endif
