/* SPDX-License-Identifier: MIT */
/* How main() enters the sandbox. */
#include "common/sandbox_main.h"

#include <stdio.h>
#include <string.h>

#include "common/status.h"

int sandbox_enter_main(const struct sandbox *sandbox, bool verbose, struct sandbox_state *ret_state)
{
	struct sandbox_state own = { 0 }, *state = ret_state ? ret_state : &own;
	const char *step;
	int err = sandbox_enter(sandbox, state, &step);

	if (err) {
		fprintf(stderr, "%s: enter the sandbox: %s: %s; --no-sandbox goes without\n",
			sandbox->program, step, strerror(-err));
		return STATUS_FAILED;
	}
	if (!state->seccomp || !state->landlock)
		fprintf(stderr, "%s: this kernel has no %s; going on without it\n", sandbox->program,
			state->seccomp ? "Landlock" : state->landlock ? "seccomp" : "seccomp, no Landlock");
	if (verbose && state->seccomp)
		fprintf(stderr, "%s: sandbox: %zu system calls are left; Landlock ABI %d\n",
			sandbox->program, state->calls, state->landlock);
	return STATUS_DONE;
}
