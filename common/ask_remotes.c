/* SPDX-License-Identifier: MIT */
/* remotes: whom processes talked to. */
#include "common/questions.h"

bool remotes_run(struct ask *a)
{
	return ask_list_run(a, &top_by_remote);
}
