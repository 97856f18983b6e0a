#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Everything that is written follows docs/events.schema.json, which allows no key that it does not name.

validate=$BATS_TEST_DIRNAME/validate.py
golden=$BATS_TEST_DIRNAME/../golden

@test "golden lines" { cat "$golden"/*.ndjson | "$validate"; }
@test "snapshots" { cat "$golden"/*.ndjson | "$BIN/aggregator" --interval 0.01 | "$validate"; }
@test "flow totals" { cat "$golden"/*.ndjson | "$BIN/aggregator" --flows | "$validate"; }

@test "a reader's lines, snapshots and flows of every capture" {
	for capture in "$BATS_TEST_DIRNAME"/pcaps/*.pcap*; do
		"$BIN/reader" --pcap "$capture" 2>/dev/null >"$BATS_TEST_TMPDIR/lines" || [ "$(wc -l <"$BATS_TEST_TMPDIR/lines")" -gt 0 ]
		"$validate" <"$BATS_TEST_TMPDIR/lines"
		"$BIN/reader" --pcap "$capture" --packet-lines 0 2>/dev/null | "$validate"
		"$BIN/aggregator" <"$BATS_TEST_TMPDIR/lines" | "$validate"
	done
}
