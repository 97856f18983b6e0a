// SPDX-License-Identifier: MIT
// A view and its parameters as the hash of a URL: #/flows?filter=tcp&sort=-bps

// { view, params: {} }; an unknown view is the first one.
export function parseRoute(hash, views) {
	const [path, query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);

	return {
		view: views.includes(path) ? path : views[0],
		params: Object.fromEntries(new URLSearchParams(query)),
	};
}

// Empty parameters are left out.
export function formatRoute(view, params = {}) {
	const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value)).toString();

	return `#/${view}${query ? `?${query}` : ''}`;
}

// "-bps" <-> { id: "bps", descending: true }; null if it names no column.
export function parseSort(text, ids) {
	const descending = text.startsWith('-');
	const id = descending ? text.slice(1) : text;

	return ids.includes(id) ? { id, descending } : null;
}

export function formatSort({ id, descending }) {
	return (descending ? '-' : '') + id;
}
