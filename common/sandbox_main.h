/* SPDX-License-Identifier: MIT */
/* How main() enters the sandbox: what is to be said about it is the same everywhere. */
#ifndef JOPIL_SANDBOX_MAIN_H
#define JOPIL_SANDBOX_MAIN_H

#include "common/sandbox.h"

/* The option that goes without. */
#define SANDBOX_OPTION(target_) \
	{ .name = "no-sandbox", .kind = OPTION_FLAG, \
	  .help = "keep system calls and files that are not needed", .target = (target_) }

/*
 * sandbox_enter(), with a line on stderr if it fails or, once, if the kernel lacks something;
 * what is in force if verbose. ret_state may be NULL. STATUS_DONE or STATUS_FAILED.
 */
int sandbox_enter_main(const struct sandbox *sandbox, bool verbose, struct sandbox_state *ret_state);

#endif
