/* SPDX-License-Identifier: MIT */
/* remotes: whom processes talked to. */
#include "report/verb.h"

bool remotes_run(struct ask *a)
{
	return list_run(a, &top_by_remote);
}
