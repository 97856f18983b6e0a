/* SPDX-License-Identifier: MIT */
/* What the aggregator is left once it runs: its descriptors, and time. */
#ifndef JOPIL_AGGREGATOR_CONFINE_H
#define JOPIL_AGGREGATOR_CONFINE_H

#include <stdbool.h>

/* For main(): STATUS_DONE, or STATUS_FAILED with a line on stderr. */
int confine(bool verbose);

#endif
