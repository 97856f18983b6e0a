// SPDX-License-Identifier: MIT
// Who moves the bytes: processes, their remotes, protocols and connections.

import { processKey } from '../lib/keys.mjs';
import { createOpenView } from '../parts/open-view.mjs';
import {
	createProcessDetails, createProcessProtocols, createProcesses, processTitle,
} from '../parts/processes.mjs';

export function createProcessesView(context) {
	const list = createProcesses({ params: context.params, opens: (row) => context.href({ open: processKey(row) }) });

	return createOpenView(context, list, {
		what: 'process', rows: 'processes', title: processTitle, build: createProcessDetails,
	}, [createProcessProtocols()]);
}
