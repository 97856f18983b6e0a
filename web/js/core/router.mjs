// SPDX-License-Identifier: MIT
// The hash of the URL decides which view is shown, and with which parameters: links can be shared, "back" works.

import { formatRoute, parseRoute } from '../lib/route.mjs';

export function createRouter(views) {
	const listeners = new Set();
	let route = parseRoute(location.hash, views);

	// The time range is one for all views: it goes along.
	function tell() {
		const { range } = route.params;

		route = parseRoute(location.hash, views);
		if (range && route.params.range === undefined) {
			history.replaceState(null, '', formatRoute(route.view, { ...route.params, range }));
			route = parseRoute(location.hash, views);
		}
		listeners.forEach((listener) => listener(route));
	}

	addEventListener('hashchange', tell);
	return {
		get: () => route,
		// The hash of a view; parameters that it has now stay, unless they are given.
		href: (view, params) => formatRoute(view, { ...(view === route.view ? route.params : {}), ...params }),
		listen: (listener) => listeners.add(listener),
		// Parameters change in place: typing into a filter is not a step in the history.
		setParams(view, params) {
			if (view !== route.view)
				return;
			history.replaceState(null, '', formatRoute(view, { ...route.params, ...params }));
			route = parseRoute(location.hash, views);
		},
	};
}
