#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A real Prometheus: what it scrapes is exact, the dashboard's queries answer, the alerts fire when they should.

rules=$BATS_TEST_DIRNAME/../../prometheus/jopil.rules.yml

@test "alert rules: promtool is content" {
	promtool check rules --lint-fatal "$rules"
}

@test "alert rules: they fire when they should, and only then" {
	promtool test rules "$BATS_TEST_DIRNAME/prometheus/rules.test.yml"
}

@test "scraped, also with token and TLS: sums are exact, every query of the dashboard answers" {
	scratch=$(mktemp -d "$BATS_TEST_TMPDIR/XXXXXX")
	# The programs as they are shipped: a sanitizer is left system calls that they are not.
	BIN=$BUILD/bin /usr/bin/python3 "$BATS_TEST_DIRNAME/prometheus/scrape.py" "$scratch" 3>&-
}
