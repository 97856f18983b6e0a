// SPDX-License-Identifier: MIT
// Interface, protocol, process, remote: where the bandwidth goes, in one picture.

import { createSankey } from '../parts/sankey.mjs';

export function createSankeyView({ params }) {
	return createSankey({ params });
}
