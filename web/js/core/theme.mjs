// SPDX-License-Identifier: MIT
// Light, dark, or as the system has it. early.js puts the choice in force before anything is painted.

const KEY = 'jopil-theme';
const CHOICES = ['auto', 'light', 'dark'];

function stored() {
	try {
		return localStorage.getItem(KEY);
	} catch {
		return null;
	}
}

function keep(choice) {
	try {
		localStorage.setItem(KEY, choice);
	} catch {
		// Without storage the choice lasts as long as the page.
	}
}

// The values of colour variables as the canvas needs them; a theme has its own map.
let colours = new Map();

export function createTheme(tell) {
	let choice = CHOICES.includes(stored()) ? stored() : 'auto';

	function changed() {
		colours = new Map();
		tell(choice);
	}

	function apply() {
		if (choice === 'auto')
			delete document.documentElement.dataset.theme;
		else
			document.documentElement.dataset.theme = choice;
		changed();
	}

	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
	return {
		get: () => choice,
		next() {
			choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
			keep(choice);
			apply();
		},
	};
}

export function colour(name) {
	if (!colours.has(name)) {
		const probe = document.createElement('i');

		probe.hidden = true;
		probe.style.color = `var(${name})`;
		document.body.append(probe);
		colours.set(name, getComputedStyle(probe).color);
		probe.remove();
	}
	return colours.get(name);
}
