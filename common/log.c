/* SPDX-License-Identifier: MIT */
/* Lines on stderr, with the program's name, and for the journal with a priority. */
#include "common/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INSTALLED_PREFIX "jopil-"
#define NAME_MAX_BYTES 32
#define LOG_LINE_MAX 2048	/* the journal takes more, but nobody reads it */

static struct {
	char name[NAME_MAX_BYTES];
	const char *prefix;
	bool to_journal;
} log_state = { .prefix = "" };

/* systemd.exec(5): device and inode of what it made our stderr. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == device && st.st_ino == inode;
}

void log_open(const char *program)
{
	bool is_installed = !strncmp(program_invocation_short_name, INSTALLED_PREFIX,
				     strlen(INSTALLED_PREFIX));

	log_state.prefix = is_installed ? INSTALLED_PREFIX : "";
	snprintf(log_state.name, sizeof(log_state.name), "%s%s", log_state.prefix, program);
	log_state.to_journal = is_journal();
}

const char *log_name(void)
{
	return log_state.name;
}

const char *log_prefix(void)
{
	return log_state.prefix;
}

void log_line(enum log_level level, const char *format, va_list args)
{
	char line[LOG_LINE_MAX], priority[8] = "";

	vsnprintf(line, sizeof(line), format, args);
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	if (log_state.to_journal)
		snprintf(priority, sizeof(priority), "<%d>", (int)level);
	fprintf(stderr, "%s%s: %s\n", priority, log_state.name, line);
}

#define LOG_FUNCTION(name, level) \
	void name(const char *format, ...) \
	{ \
		va_list args; \
\
		va_start(args, format); \
		log_line(level, format, args); \
		va_end(args); \
	}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warning, LOG_LEVEL_WARNING)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)
