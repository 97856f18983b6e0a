/* SPDX-License-Identifier: MIT */
/* The one place that knows jopil's version and the version of its line format. */
#ifndef JOPIL_VERSION_H
#define JOPIL_VERSION_H

#define JOPIL_VERSION "0.1.0"
#define JOPIL_SCHEMA 1

#endif
