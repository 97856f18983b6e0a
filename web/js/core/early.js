// SPDX-License-Identifier: MIT
// A plain script in the head: the chosen theme is in force before the first paint.
(() => {
	try {
		const choice = localStorage.getItem('jopil-theme');

		if (choice === 'light' || choice === 'dark')
			document.documentElement.dataset.theme = choice;
	} catch {
		// No storage: as the system has it.
	}
})();
