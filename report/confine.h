/* SPDX-License-Identifier: MIT */
/* What report is left once it knows what is asked. */
#ifndef JOPIL_REPORT_CONFINE_H
#define JOPIL_REPORT_CONFINE_H

#include <stdbool.h>

/*
 * To read the database, which need not be there, and to write the answer to what is open.
 * STATUS_DONE, or STATUS_FAILED with a line on stderr.
 */
int confine(const char *database, bool verbose);

#endif
