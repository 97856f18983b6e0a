/* SPDX-License-Identifier: MIT */
/* The options that only the reader has, as parsers for the option table. */
#ifndef JOPIL_READER_PARSE_OPTIONS_H
#define JOPIL_READER_PARSE_OPTIONS_H

/* "packet,flow" into a u32 of PRINT_* bits. 0, or -EINVAL and why. */
int parse_types(const char *argument, void *target, const char **ret_why);

/* "1000" or "all" into struct request's packet_lines. 0, or -EINVAL and why. */
int parse_packet_lines(const char *argument, void *target, const char **ret_why);

#endif
