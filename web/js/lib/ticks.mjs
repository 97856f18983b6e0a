// SPDX-License-Identifier: MIT
// Round marks for a logarithmic axis.

const STEPS = [[1, [1, 1.5, 2, 3, 5, 7]], [2.5, [1, 2, 5]], [4, [1, 3]], [Infinity, [1]]];	// up to so many decades: these of each

export function logTicks(low, high) {
	const ticks = [];

	if (!(low > 0) || !(high > low))
		return ticks;
	const [, digits] = STEPS.find(([decades]) => Math.log10(high / low) <= decades);
	for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
		for (const digit of digits) {
			const tick = digit * 10 ** power;

			if (tick >= low && tick <= high)
				ticks.push(tick);
		}
	return ticks;
}
