/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Indices of the map probe_counters: COUNTER_drop_packets, ... */
#ifndef JOPIL_PROBE_COUNTERS_H
#define JOPIL_PROBE_COUNTERS_H

enum probe_counter {
#define PROBE_COUNTER(probe, name, what) COUNTER_##probe##_##name,
#include "common/probe_counters.def"
	PROBE_COUNTERS,
};

#endif
