// SPDX-License-Identifier: MIT
// total == packet_lines + flow_packets + unattributed + before + difference: what it says about the count.

// [level, words]; level: none | exact | pending | off
export function verdict({ total, difference }) {
	if (total === null || difference === null)
		return ['none', 'No accounting yet'];
	if (difference < 0)
		return ['off', 'The lines have packets that the totals lack'];
	if (difference > 0)
		return ['pending', 'Every packet counted; some are still to be read'];
	return ['exact', total === 0 ? 'Nothing to count yet' : 'Every packet counted exactly once'];
}
