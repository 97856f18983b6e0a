/* SPDX-License-Identifier: MIT */
/* loader: attaches the packet probe to interfaces, pins it, and exits. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "loader/arguments.h"
#include "loader/failure.h"
#include "loader/program.h"
#include "loader/verbs.h"

static int (*const verbs[])(const struct arguments *args, struct failure *f) = {
	[VERB_ATTACH] = attach_run,
	[VERB_STATUS] = status_run,
	[VERB_DETACH] = detach_run,
};

/* A map must not become descriptor 1, which lines are written to. */
static void fill_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

static int tell_ready(const struct arguments *args, struct failure *f)
{
	if (args->ready_fd == UINT64_MAX || write((int)args->ready_fd, "\n", 1) == 1)
		return 0;
	return failure_set(f, STATUS_FAILED, "--ready-fd: nobody reads it");
}

int main(int argc, char **argv)
{
	struct failure failure = { .status = STATUS_FAILED };
	struct arguments args;

	fill_standard_fds();
	signal(SIGPIPE, SIG_IGN);
	switch (arguments_parse(argc, argv, &args)) {
	case OPTIONS_BAD:
		return STATUS_USAGE;
	case OPTIONS_END:
		return fflush(stdout) ? STATUS_FAILED : STATUS_DONE;
	case OPTIONS_GO:
		break;
	}
	program_be_verbose(args.verbose);
	if (verbs[args.verb](&args, &failure) || tell_ready(&args, &failure)) {
		if (*failure.text)
			log_error("%s", failure.text);
		return (int)failure.status;
	}
	return STATUS_DONE;
}
