#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# /api/history: known lines through aggregator and httpd come out as the sums that they are.

load httpd

T0=1763704000000

# serve AGGREGATOR_OPTION...: all lines are in; TRUTH is what they say.
serve() {
	"$HERE/history_truth.py" lines "$T/truth" >"$T/lines"
	start_httpd
	"$BIN/aggregator" "$@" <"$T/lines" >&8
	exec 8>&-
	wait_for_final
}

# Until httpd has the aggregator's last snapshot. On a busy machine it is stale before: five short intervals are over.
wait_for_final() {
	local tries=0
	until get /api/stats && jq -e .final <<<"$output"; do
		[ $((tries++)) -lt 2000 ] || return 1
	done
}

# Until httpd has read all that there is.
wait_for_end() {
	local tries=0
	until get /health && [[ $output == *'"stale"'* ]]; do
		[ $((tries++)) -lt 2000 ] || return 1
	done
}

# snapshot SEQ MS BYTES: since the beginning
snapshot() {
	printf '{"type":"snapshot","timestamp":%s,"seq":%s,"interval_ms":1000,"totals":{"ingress_bytes":%s,"egress_bytes":0,"ingress_packets":%s,"egress_packets":0}}' \
		"$2" "$1" "$3" "$3"
}

@test "sums of every part are those of the lines" {
	# Where the aggregator stood still for some intervals, history has a gap: rightly, and not what is asked here.
	BATS_TEST_RETRIES=3
	serve --interval 0.2
	get "/api/history?limit=10000"
	[ "$STATUS" = 200 ]
	"$HERE/history_truth.py" check "$T/truth" <<<"$output"
	get "/api/history?range=3600&step=60&limit=10000"
	"$HERE/history_truth.py" check "$T/truth" <<<"$output"
}

@test "rows that snapshots do not show are others" {
	serve --interval 0.05 --top 2 --max-processes 9
	get "/api/history?limit=10000"
	"$HERE/history_truth.py" check "$T/truth" --top <<<"$output"
}

@test "gaps and another aggregator are null, not guessed" {
	start_httpd
	feed "$(snapshot 1 $((T0 + 1000)) 100)" "$(snapshot 2 $((T0 + 2000)) 150)" "$(snapshot 3 $((T0 + 3000)) 250)" \
		"$(snapshot 4 $((T0 + 9000)) 9000)" "$(snapshot 5 $((T0 + 10000)) 9001)" \
		"$(snapshot 1 $((T0 + 11000)) 20000)" "$(snapshot 2 $((T0 + 12000)) 20007)"
	exec 8>&-
	wait_for_end
	get "/api/history?from=$((T0))&what=rates"
	[ "$(jq -c '[.step_ms, .source, .times[0], .rates.ingress_bytes]' <<<"$output")" = \
		"[1000,\"memory\",$T0,[null,50,100,null,null,null,null,null,null,1,null,7]]" ]
	[ "$(jq -c '[.oldest, .newest, .known]' <<<"$output")" = "[$((T0 + 1000)),$((T0 + 12000)),[\"rates\"]]" ]
}

@test "answers name their step, and say when it is longer than asked for" {
	start_httpd
	get /api/history
	[ "$STATUS" = 503 ]
	feed "$(snapshot 1 $((T0 + 1000)) 100)" "$(snapshot 2 $((T0 + 2000)) 150)"
	exec 8>&-
	wait_for_end
	get "/api/history?range=300&what=rates"
	[ "$(jq -c '[.step_ms, .widened, (.times | length)]' <<<"$output")" = '[1000,false,300]' ]
	get "/api/history?range=3600&step=1&what=rates"
	[ "$(jq -c '[.step_ms, .widened, (.times | length <= 720)]' <<<"$output")" = '[10000,true,true]' ]
}

@test "a bad question is answered with the parameter's name" {
	start_httpd
	feed "$(snapshot 1 $((T0 + 1000)) 100)"
	exec 8>&-
	wait_for_end
	local question
	for question in "from=x from" "from=5&to=5 from" "from=1&range=2 range" "step=0 step" "what=all what" \
		"what=process what" "pid=x pid" "ip=1.2.3 ip" "limit=0 limit" "until=5 until"; do
		get "/api/history?${question% *}"
		[ "$STATUS" = 400 ]
		[ "$(header content-type)" = application/problem+json ]
		[[ "$(jq -r .detail <<<"$output")" = "${question#* }: "* ]]
	done
}

@test "100000 processes and remotes that never come again: bounded memory, whole sums" {
	start_httpd
	/usr/bin/python3 - >&8 <<-'END'
		import json
		T0 = 1763704000000
		for seq in range(1, 1001):
		    ids = range(seq * 100, seq * 100 + 100)
		    print(json.dumps({
		        "type": "snapshot", "timestamp": T0 + seq * 1000, "seq": seq, "interval_ms": 1000,
		        "interval": {"process_tx_bytes": 300, "remote_rx_bytes": 500},
		        "processes": [{"host": "h", "pid": i, "command": "c", "interval_tx_bytes": 3} for i in ids],
		        "remotes": [{"host": "h", "remote_ip": f"fd00::{i:x}", "interval_rx_bytes": 5} for i in ids]}))
	END
	exec 8>&-
	wait_for_end
	get "/api/history?range=3600&limit=10000&what=processes,remotes"
	[ "$(jq '(.processes | map(.tx_bytes) | add) + .processes_other.tx_bytes' <<<"$output")" = 300000 ]
	[ "$(jq '(.remotes | map(.rx_bytes) | add) + .remotes_other.rx_bytes' <<<"$output")" = 500000 ]
	get /api/stats
	[ "$(jq '.httpd.limits.history_keys.hits > 0' <<<"$output")" = true ]
	# The sanitizers' own memory is no measure; the unit tests add up what history holds.
	if ! nm -C "$BIN/httpd" 2>/dev/null | grep -q __asan_init; then
		[ "$(awk '/VmRSS/ { print $2 }' "/proc/$PID/status")" -lt $((48 * 1024)) ]
	fi
}
