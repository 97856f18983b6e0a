/* SPDX-License-Identifier: MIT */
/*
 * What the recorder's two threads are left: the one that passes lines, their descriptors;
 * the one that writes, the database's folder. They share their memory: together they keep
 * who takes over one of them from other files, from programs and from the network.
 */
#ifndef JOPIL_RECORDER_CONFINE_H
#define JOPIL_RECORDER_CONFINE_H

#include <stdbool.h>

/* Each by its own thread: STATUS_DONE, or STATUS_FAILED with a line on stderr. */
int confine_passing(bool verbose);
int confine_writing(const char *database, bool verbose);

#endif
