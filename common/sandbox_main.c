/* SPDX-License-Identifier: MIT */
/* How main() enters the sandbox. */
#include "common/sandbox_main.h"

#include <string.h>

#include "common/log.h"
#include "common/status.h"

int sandbox_enter_main(const struct sandbox *sandbox, bool verbose, struct sandbox_state *ret_state)
{
	struct sandbox_state own = { 0 }, *state = ret_state ? ret_state : &own;
	const char *step;
	int err = sandbox_enter(sandbox, state, &step);

	if (err) {
		log_error("enter the sandbox: %s: %s; --no-sandbox goes without", step, strerror(-err));
		return STATUS_FAILED;
	}
	if (!state->seccomp || !state->landlock)
		log_warning("this kernel has no %s; going on without it",
			    state->seccomp    ? "Landlock"
			    : state->landlock ? "seccomp"
					      : "seccomp, no Landlock");
	if (verbose && state->seccomp)
		log_debug("sandbox: %zu system calls are left; Landlock ABI %d", state->calls,
			  state->landlock);
	return STATUS_DONE;
}
