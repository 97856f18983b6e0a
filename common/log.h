/* SPDX-License-Identifier: MIT */
/*
 * What a program says on stderr: one line each, which begins with the program's name. Where
 * stderr is systemd's journal (JOURNAL_STREAM) a priority such as <4> stands before it, as
 * sd-daemon(3) has it.
 */
#ifndef JOPIL_LOG_H
#define JOPIL_LOG_H

#include <stdarg.h>

enum log_level {		/* the numbers of syslog(3) */
	LOG_LEVEL_ERROR = 3,	/* what was asked for is not done */
	LOG_LEVEL_WARNING = 4,	/* it goes on, with something missing */
	LOG_LEVEL_INFO = 6,	/* what somebody who starts it wants to know */
	LOG_LEVEL_DEBUG = 7,	/* --verbose */
};

/*
 * The program's name as it is built ("reader", a literal); as it is installed ("jopil-reader")
 * it says so itself. options_parse() does this first.
 */
void log_open(const char *program);

/* This program's name as its user knows it: "reader" or "jopil-reader". */
const char *log_name(void);

/* What stands before the name of every program: "" or "jopil-". */
const char *log_prefix(void);

/* One line. Control characters, which may come from outside, become '?'. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_line(enum log_level level, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

#endif
