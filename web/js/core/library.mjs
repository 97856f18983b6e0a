// SPDX-License-Identifier: MIT
// Libraries of vendor/: the page begins without them. One comes when something needs it first, after what is painted then.

export const UPLOT = 'vendor/uplot/uPlot.iife.min.js';
export const SANKEY = 'vendor/d3-sankey/d3-sankey.min.js';

const coming = new Map();	// path -> promise that is kept when it is there
const here = new Set();

function fetchLibrary(path) {
	return new Promise((resolve) => {
		requestAnimationFrame(() => setTimeout(() => {
			const script = document.createElement('script');

			script.src = path;
			script.addEventListener('load', () => {
				here.add(path);
				resolve();
			});
			document.head.append(script);
		}));
	});
}

// Whether it is there; if not, `then` is called when it has come.
export function hasLibrary(path, then) {
	if (here.has(path))
		return true;
	if (!coming.has(path))
		coming.set(path, fetchLibrary(path));
	coming.get(path).then(then);
	return false;
}
