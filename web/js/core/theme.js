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

export function createTheme(changed) {
	let choice = CHOICES.includes(stored()) ? stored() : 'auto';

	function apply() {
		if (choice === 'auto')
			delete document.documentElement.dataset.theme;
		else
			document.documentElement.dataset.theme = choice;
		changed(choice);
	}

	matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => changed(choice));
	return {
		get: () => choice,
		next() {
			choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length];
			keep(choice);
			apply();
		},
	};
}

// The value of a colour variable as the canvas needs it.
export function colour(name) {
	const probe = document.createElement('i');

	probe.hidden = true;
	probe.style.color = `var(${name})`;
	document.body.append(probe);
	const value = getComputedStyle(probe).color;
	probe.remove();
	return value;
}
