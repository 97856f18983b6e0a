/* SPDX-License-Identifier: MIT */
/* `loader --status`: data on stdout; without anything attached a line and exit 1. */
#include "loader/verbs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "loader/view.h"

/* A reader of stdout that has gone away has seen enough. */
static int flush(struct failure *f)
{
	if (!fflush(stdout) || errno == EPIPE)
		return 0;
	return failure_errno(f, errno, "write the status");
}

int status_run(const struct arguments *args, struct failure *f)
{
	struct view *view = malloc(sizeof(*view));
	int err;

	if (!view)
		return failure_errno(f, ENOMEM, "gather the status");
	err = view_gather(args->pin_dir, view, f);
	if (!err && args->json)
		err = view_print_json(view, stdout);
	else if (!err)
		view_print_text(view, stdout);
	if (err == -ENOMEM)
		failure_errno(f, ENOMEM, "print the status");
	else if (!err)
		err = flush(f);
	if (!err && !view->attached_count)
		err = failure_set(f, STATUS_FAILED, "nothing is attached in %s", view->pin_dir);
	view_free(view);
	free(view);
	return err ? -1 : 0;
}
