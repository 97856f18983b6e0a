/* SPDX-License-Identifier: MIT */
/* --retain: how long what is kept, as people write it. */
#ifndef JOPIL_RECORDER_RETAIN_H
#define JOPIL_RECORDER_RETAIN_H

#include "recorder/prune.h"

/* As store_tiers says; flows for a week; no limit of size. */
struct retention retain_default(void);

/*
 * "raw=1h,minutes=48h,hours=35d,days=25mo,flows=7d": any of them, for an option row whose
 * target is a struct retention. Units s, min, h, d, mo (31 days), y (366 days); 0: not kept.
 * 0, or -EINVAL and why.
 */
int retain_parse(const char *argument, void *target, const char **ret_why);

#endif
