#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Captures whose content is known: every conversation has the same packets and bytes each way, whether its packets came
# as lines, were folded, or some of each. Our own captures (pcaps/make.py), and those of the directory JOPIL_PCAPS:
# F.pcap with truth/F.json.

# agrees_with_truth DIRECTORY
agrees_with_truth() {
	local capture budget name differ=0
	for capture in "$1"/*.pcap; do
		name=$(basename "$capture" .pcap)
		for budget in all 0 2; do
			if ! "$BIN/reader" --pcap "$capture" --packet-lines "$budget" 2>/dev/null |
				"$BIN/aggregator" --flows | "$BATS_TEST_DIRNAME/pcaps/compare.py" "$1/truth/$name.json"; then
				echo "$name differs with --packet-lines $budget"
				differ=1
			fi
		done
	done
	return "$differ"
}

@test "captures hold what their truth files say" {
	agrees_with_truth "$BATS_TEST_DIRNAME/pcaps"
	[ -z "${JOPIL_PCAPS:-}" ] || agrees_with_truth "$JOPIL_PCAPS"
}
