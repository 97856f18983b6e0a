/* SPDX-License-Identifier: MIT */
/* export: the rows as they are kept; a question of report alone. */
#ifndef JOPIL_REPORT_EXPORT_H
#define JOPIL_REPORT_EXPORT_H

#include "common/questions.h"

extern const char *const export_bys[];

bool export_run(struct ask *a);

#endif
