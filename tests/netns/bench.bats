#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make bench: its arithmetic, a theme of it from end to end, and that it leaves nothing behind. No time is asserted.

bats_require_minimum_version 1.5.0
load lib

setup() {
	BENCH=$BATS_TEST_DIRNAME/../bench
	T=$(mktemp -d)
}

teardown() {
	if [ -n "${pid:-}" ] && kill "$pid" 2>/dev/null; then
		wait "$pid" || status=$?
	fi
	rm -rf "$T"
}

# left_of PID: namespaces and pins that a run has made.
left_of() {
	ip netns list | grep -F "jopil-bench-$1-" || [ $? -eq 1 ]
	find /sys/fs/bpf -maxdepth 1 -name "jopil-bench-$1-*"
}

@test "the arithmetic of rows, table and captures" {
	run "$BENCH/check"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "a theme yields its rows, each with figures, and every flow comes out of a drain" {
	require_root
	"$BENCH/run" --build "$BUILD" --quick --rounds 1 --json "$T/bench.json" drain >"$T/table" 2>"$T/progress" &
	pid=$!
	wait "$pid"
	cat "$T/table"
	run -0 jq -e '(.rows | length) == 7 and .absent == [] and all(.rows[]; .ours > 0 and .ours_min <= .ours_max)' "$T/bench.json"
	run -0 jq -e '[.rows[] | select(.better == "equal")] | length == 2 and all(.met)' "$T/bench.json"
	grep -q '^drain of 100 000 flows: flow lines .* met ' "$T/table"
	[ -z "$(left_of "$pid")" ]
	pid=''
}

@test "an interrupted run leaves no namespace and no pin" {
	require_root
	mkfifo "$T/progress"
	"$BENCH/run" --build "$BUILD" --quick --rounds 1 --json "$T/bench.json" drain >"$T/table" 2>"$T/progress" &
	pid=$!
	# The rows of its first block come together; what is next is under way then.
	exec 8<"$T/progress"
	read -r line <&8
	[[ $line == *"drain of 100 000 flows: flow lines"* ]]
	until [ -n "$(left_of "$pid")" ]; do kill -0 "$pid"; done
	kill -INT "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 1 ]
	[ -z "$(left_of "$pid")" ]
	[ ! -e "$T/bench.json" ]
	exec 8<&-
	pid=''
}

@test "plot draws each curve, as well-formed SVG" {
	cat >"$T/bench.json" <<-E
		{"curves":[{"name":"one","title":"A <title>","x":"flows","y":"ns","log":"x",
		 "series":{"s":[{"x":1,"median":20,"min":10,"max":30},{"x":1000,"median":5,"min":5,"max":5}]}}],
		 "rows":[{"theme":"offline","what":"capture to flows, 128 hosts","ours":2e6,"other":1e6,"against":"a peer"}]}
	E
	"$BENCH/plot" "$T/bench.json" "$T"
	run -0 /usr/bin/python3 - "$T" <<-'E'
		import sys, xml.etree.ElementTree as tree
		for name, marks in (("one", "circle"), ("offline-flows", "rect")):
		    root = tree.parse(f"{sys.argv[1]}/bench-{name}.svg").getroot()
		    print(name, len([e for e in root if e.tag.endswith("}" + marks)]))
	E
	[ "$output" = $'one 3\noffline-flows 3' ]
}

@test "document puts table and sizing where they belong, and leaves the rest" {
	/usr/bin/python3 - "$T" "$BENCH" <<-'E'
		import sys
		sys.path.insert(0, sys.argv[2])
		from lib.table import Bench, dump
		b = Bench("build", 1, False, None)
		b.say = lambda _: None
		b.limit("the whole pipe on one core: user CPU of reader and aggregator", [200], "ns/line", 140, "lower")
		b.limit("drain of 100 000 flows: CPU of the reader", [50], "ms", 40, "lower")
		for name in ("program-flows", "aggregator-flows"):
		    b.curve(name, name, "flows", "ns", {"s": [(10_000, [100]), (100_000, [300]), (1_000_000, [500])]})
		dump(b, sys.argv[1] + "/bench.json")
	E
	printf 'before\n<!-- bench table -->\nold\n<!-- end -->\nbetween\n<!-- bench sizing -->\n<!-- end -->\nafter\n' >"$T/page.md"
	"$BENCH/document" "$T/bench.json" "$T/page.md"
	cat "$T/page.md"
	run -1 grep -x old "$T/page.md"
	[ "$(grep -cE '^(before|between|after)$' "$T/page.md")" -eq 3 ]
	grep -q '^2 rows, 0 targets met, 2 missed' "$T/page.md"
	# 1e9 / 8 / 700 packets of 100 ns, of 200 ns a line; 10 000 flows of 500 + 100 ns.
	grep -qF '| 1 Gbit/s | 179k, 1.49M | 10k | 0.018 | 0.15 | 0.036 | 0.006 |' "$T/page.md"
	"$BENCH/document" "$T/bench.json" "$T/page.md"
	[ "$(grep -c '^<!-- end -->$' "$T/page.md")" -eq 2 ]
}
