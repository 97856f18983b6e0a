#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# `make soak` in short: its books and descriptors; memory takes the hour that it has there.

load lib
load probes

@test "the whole pipeline under clients: every packet sent is in the lines, the page and the database, descriptors constant" {
	require_root
	run "$BATS_TEST_DIRNAME/../soak/run" --build "$BUILD" --hours 0.002 --every 2 --past 60
	comment <<<"$output"
	[ "$status" -eq 0 ]
}
