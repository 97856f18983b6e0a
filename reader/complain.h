/* SPDX-License-Identifier: MIT */
/* Why the pin directory cannot be read, in words that say what to do. */
#ifndef JOPIL_READER_COMPLAIN_H
#define JOPIL_READER_COMPLAIN_H

#include "common/status.h"
#include "reader/pinset.h"

/* One line on stderr; err is what pinset_open() or pinset_refresh() returned. */
enum status complain(const char *path, const struct pinset_failure *failure, int err);

#endif
