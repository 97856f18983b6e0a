// SPDX-License-Identifier: MIT
// Whom the processes of this host talk with.

import { remoteKey } from '../lib/keys.mjs';
import { createHostDetails, createHosts, hostTitle } from '../parts/hosts.mjs';
import { createOpenView } from '../parts/open-view.mjs';

export function createHostsView(context) {
	const list = createHosts({ params: context.params, opens: (row) => context.href({ open: remoteKey(row) }) });

	return createOpenView(context, list, { what: 'host', rows: 'remotes', title: hostTitle, build: createHostDetails });
}
