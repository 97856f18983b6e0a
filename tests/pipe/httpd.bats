#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# httpd as a process: what it answers, what it refuses, how it starts and ends.

HEADERS=(content-security-policy x-content-type-options x-frame-options referrer-policy cache-control)

load httpd

snapshot() {
	local flows='{"proto":"TCP","src_ip":"10.0.0.1","src_port":50000,"dst_ip":"10.0.0.2","dst_port":443,"bytes":5,"bps":100.5,"rtt_us":null}'
	flows+=',{"proto":"UDP","src_ip":"fe80::1","src_port":53,"dst_ip":"fe80::2","dst_port":9999,"bytes":500,"bps":50,"rtt_us":7}'
	flows+=',{"proto":"ICMP","src_ip":"10.0.0.1","src_port":null,"dst_ip":"192.0.2.9","dst_port":null,"bytes":50,"bps":20,"rtt_us":null}'
	printf '{"type":"snapshot","schema":1,"timestamp":1763704001000.000,"seq":%d,"interval_ms":%d,"totals":{"packets":3},"flows":[%s],"packets":[{"length":1}],"losses":{"bad_lines":0}}' \
		"$1" "${2:-60000}" "$flows"
}

@test "starts: a newline when ready, the address once, waiting, then ok" {
	start_httpd
	[ "$(grep -c listening "$T/err")" -eq 1 ]
	get /health
	[ "$STATUS" = 200 ]
	[ "$(jq -r .status <<<"$output")" = waiting ]
	for path in /api/stats /api/flows; do
		get $path
		[ "$STATUS" = 503 ]
		[ "$(header content-type)" = application/problem+json ]
		[ "$(jq .status <<<"$output")" = 503 ]
	done
	feed "$(snapshot 1)"
	client wait 1
	get /health
	[ "$(jq -r .status <<<"$output")" = ok ]
	[ "$(jq -r .version <<<"$output")" != null ]
	stop_httpd
}

@test "stats: the snapshot without flows and packets, with httpd's own counters" {
	start_httpd
	feed "$(snapshot 7)"
	client wait 7
	get /api/stats
	[ "$STATUS" = 200 ]
	[ "$(header content-type)" = application/json ]
	grep -q '"timestamp":1763704001000.000,' <<<"$output"
	jq -e '.type == "stats" and .seq == 7 and .totals.packets == 3 and .losses.bad_lines == 0
		and (has("flows") or has("packets") | not)' <<<"$output"
	jq -e '.httpd | .clients.sse >= 0 and .clients.websocket == 0 and .frames_sent == 1 and
		.frames_lost == 0 and .requests >= 2 and .bad_lines == 0 and .stale == false and
		.snapshot_age_ms >= 0 and (.limits | all(.[]; has("limit") and has("hits")))' <<<"$output"
	stop_httpd
}

@test "flows: filtered, sorted, limited" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	get /api/flows
	jq -e '.total == 3 and .matched == 3 and (.flows | length) == 3 and .stale == false' <<<"$output"
	grep -q '"bps":100.5' <<<"$output"
	[ "$(curl -s "$URL/api/flows?sort=bytes&limit=1" | jq -c '[.matched, .flows[].proto]')" = '[3,"UDP"]' ]
	[ "$(curl -s "$URL/api/flows?proto=tcp" | jq -c '[.flows[].proto]')" = '["TCP"]' ]
	[ "$(curl -s "$URL/api/flows?ip=10.0.0.0/8&sort=bps" | jq -c '[.flows[].proto]')" = '["TCP","ICMP"]' ]
	[ "$(curl -s "$URL/api/flows?ip=fe80::2" | jq -c '[.flows[].proto]')" = '["UDP"]' ]
	[ "$(curl -s "$URL/api/flows?port=443" | jq -c '[.flows[].proto]')" = '["TCP"]' ]
	[ "$(curl -s "$URL/api/flows?port=1" | jq -c '[.matched, .flows]')" = '[0,[]]' ]
	stop_httpd
}

@test "flows: a wrong or unknown parameter is named" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	local row
	for row in 'limit=0' 'limit=10001' 'sort=name' 'proto=' 'ip=300.1.1.1' 'ip=::/129' 'port=65536' 'colour=red' 'port=1&port=2'; do
		get "/api/flows?$row"
		[ "$STATUS" = 400 ]
		[ "$(header content-type)" = application/problem+json ]
		[[ $(jq -r .detail <<<"$output") == "${row%%=*}: "* ]]
	done
	get '/api/stats?x=1'
	[ "$STATUS" = 400 ]
	stop_httpd
}

@test "input: what is no snapshot is passed over and counted" {
	start_httpd
	feed '{"type":"hello","schema":1}' '{"type":"something new"}' 'no json' '{"type":7}' '' '[1,2' "$(snapshot 3)"
	client wait 3
	get /api/stats
	[ "$(jq -c '.httpd | [.lines, .snapshots, .other_lines, .bad_lines]' <<<"$output")" = '[6,1,2,3]' ]
	stop_httpd
}

@test "input ends: the last snapshot stays, marked stale" {
	start_httpd
	printf '%s' "$(snapshot 3)" >&8 # also without its newline
	exec 8>&-
	client wait-stale
	get /health
	[ "$(jq -r .status <<<"$output")" = stale ]
	get /api/stats
	jq -e '.seq == 3 and .httpd.stale' <<<"$output"
	get /api/flows
	jq -e '.stale and .total == 3' <<<"$output"
	stop_httpd
}

@test "input is silent for five intervals: stale, until it is not" {
	start_httpd
	feed "$(snapshot 1 1)"
	client wait-stale
	get /health
	[ "$(jq -r .status <<<"$output")" = stale ]
	feed "$(snapshot 2)"
	client wait 2
	get /health
	[ "$(jq -r .status <<<"$output")" = ok ]
	stop_httpd
}

@test "input from a file" {
	{
		snapshot 1
		echo
		snapshot 2
	} >"$T/file"
	rm "$T/in"
	mv "$T/file" "$T/in"
	"$BIN/httpd" --listen 127.0.0.1:0 "${AS_USER[@]}" --ready-fd 9 <"$T/in" 9>"$T/ready" 2>"$T/err" 3>&- &
	PID=$!
	read -r <"$T/ready"
	PORT=$(sed -n 's/.*:\([0-9]*\)$/\1/p' "$T/err")
	URL=http://127.0.0.1:$PORT
	client wait-stale
	get /api/stats
	jq -e '.seq == 2 and .httpd.snapshots == 2' <<<"$output"
	stop_httpd
}

@test "addresses and methods: 404, 405 with Allow, HEAD" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	get /nothing/here
	[ "$STATUS" = 404 ]
	[ "$(jq -r '.title, .status' <<<"$output" | paste -sd' ')" = 'Not Found 404' ]
	get /api/stats -X POST
	[ "$STATUS" = 405 ]
	[ "$(header allow)" = 'GET, HEAD' ]
	get /ws -X DELETE
	[ "$STATUS" = 405 ]
	[ "$(header allow)" = GET ]
	get /nothing -X DELETE
	[ "$STATUS" = 404 ]
	for path in /health /api/stats /api/flows /events; do
		get $path -I
		[ "$STATUS" = 200 ]
	done
	get '/api/%66lows'
	[ "$STATUS" = 200 ]
	stop_httpd
}

@test "every answer has the security headers" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	local path name
	for path in /health /api/stats /api/flows '/api/flows?x=y' /nothing /ws /; do
		get "$path"
		for name in "${HEADERS[@]}"; do
			[ -n "$(header "$name")" ]
		done
		[[ $(header content-security-policy) == "default-src 'self'"* ]]
	done
	get /events -m 1 -I
	for name in "${HEADERS[@]}"; do
		[ -n "$(header "$name")" ]
	done
	stop_httpd
}

@test "the page: embedded, gzip, ETag, 304" {
	start_httpd
	get /
	[ "$STATUS" = 200 ]
	[ "$(header content-type)" = 'text/html; charset=utf-8' ]
	[ "$(header cache-control)" = no-cache ]
	[ "$(header vary)" = Accept-Encoding ]
	local plain=$output etag
	etag=$(header etag)
	[[ $etag == \"*\" ]]
	get / -H "If-None-Match: W/$etag"
	[ "$STATUS" = 304 ]
	[ -z "$output" ]
	[ "$(header etag)" = "$etag" ]
	get / --compressed
	[ "$output" = "$plain" ]
	get /index.html
	[ "$output" = "$plain" ]
	get '/?view=flows'
	[ "$STATUS" = 200 ]
	get / -X PUT
	[ "$STATUS" = 405 ]
	get /embed
	[ "$STATUS" = 404 ]
	stop_httpd
}

@test "the page from a directory: nothing outside of it" {
	mkdir -p "$T/web/sub"
	echo '<p>hello' >"$T/web/index.html"
	echo 'x = 1' >"$T/web/sub/x.js"
	echo secret >"$T/secret"
	echo secret >"$T/web/.hidden"
	ln -s ../secret "$T/web/link"
	ln -s "$T" "$T/web/up"
	mkfifo "$T/web/fifo"
	chmod -R a+rX "$T" "$BATS_TEST_TMPDIR"
	start_httpd --web "$T/web"
	get /
	[ "$output" = '<p>hello' ]
	get /sub/x.js
	[ "$(header content-type)" = 'text/javascript; charset=utf-8' ]
	[ "$(header cache-control)" = no-store ]
	local path
	for path in /link /up/secret /.hidden /../secret /%2e%2e/secret /sub/../../secret /sub /sub/ /fifo //etc/passwd /nothing; do
		get "$path"
		[ "$STATUS" = 404 ]
	done
	stop_httpd
}

@test "hosts: a rebound name is sent away" {
	start_httpd --host web1.example
	local host
	for host in localhost "localhost:$PORT" 127.0.0.1 "[::1]:$PORT" web1.example; do
		get /health -H "Host: $host"
		[ "$STATUS" = 200 ]
	done
	for host in evil.example "evil.example:$PORT" 10.0.0.1 localhost.evil.example; do
		get / -H "Host: $host"
		[ "$STATUS" = 421 ]
		[ "$(header content-type)" = application/problem+json ]
	done
	stop_httpd
}

@test "pages of other sites may not ask" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	get /api/stats -H "Origin: $URL"
	[ "$STATUS" = 200 ]
	[ -z "$(header access-control-allow-origin)" ]
	get /api/stats -H 'Origin: http://evil.example'
	[ "$STATUS" = 403 ]
	get /api/stats -H 'Sec-Fetch-Site: cross-site' -H 'Sec-Fetch-Mode: no-cors' -H 'Sec-Fetch-Dest: image'
	[ "$STATUS" = 403 ]
	get /events -H 'Sec-Fetch-Site: same-site'
	[ "$STATUS" = 403 ]
	# A link to the page is fine, a frame around it is not.
	get / -H 'Sec-Fetch-Site: cross-site' -H 'Sec-Fetch-Mode: navigate' -H 'Sec-Fetch-Dest: document'
	[ "$STATUS" != 403 ]
	get / -H 'Sec-Fetch-Site: cross-site' -H 'Sec-Fetch-Mode: navigate' -H 'Sec-Fetch-Dest: iframe'
	[ "$STATUS" = 403 ]
	stop_httpd
}

@test "token: asked for on everything that says something of the network" {
	echo '0123456789abcdef0123456789' >"$T/token"
	start_httpd --token-file "$T/token"
	feed "$(snapshot 1)"
	local path
	for path in /api/stats /api/flows /events /ws; do
		get $path
		[ "$STATUS" = 401 ]
		[[ $(header www-authenticate) == Bearer* ]]
		get $path -H 'Authorization: Bearer 0123456789abcdef012345678X'
		[ "$STATUS" = 401 ]
	done
	get /api/flows -H 'Authorization: Bearer 0123456789abcdef0123456789'
	[ "$STATUS" = 200 ] || [ "$STATUS" = 503 ]
	get /health
	[ "$STATUS" = 200 ]
	stop_httpd
	echo short >"$T/token"
	run "$BIN/httpd" --listen 127.0.0.1:0 --token-file "$T/token" </dev/null
	[ "$status" -eq 1 ]
	[[ $output == 'httpd: token in '* ]]
	run "$BIN/httpd" --listen 127.0.0.1:0 --token-file "$T/none" </dev/null
	[ "$status" -eq 1 ]
}

@test "beyond loopback: only with a token, or when told" {
	run "$BIN/httpd" --listen 0.0.0.0:0 </dev/null
	[ "$status" -eq 2 ]
	[[ $output == *--token-file* && $output == *--insecure-open* ]]
	[ "${#lines[@]}" -eq 1 ]
	start_httpd --listen 0.0.0.0:0 --insecure-open
	get /health
	[ "$STATUS" = 200 ]
	get /health -H 'Host: 192.0.2.1'
	[ "$STATUS" = 200 ]
	get /health -H 'Host: evil.example'
	[ "$STATUS" = 421 ]
	stop_httpd
}

@test "IPv6" {
	start_httpd --listen '[::1]:0' || skip "no IPv6 loopback here"
	URL="http://[::1]:$PORT"
	get /health
	[ "$STATUS" = 200 ]
	stop_httpd
}

@test "root is refused, --user is kept to" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	run "$BIN/httpd" --listen 127.0.0.1:0 </dev/null
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *--user* ]]
	run "$BIN/httpd" --listen 127.0.0.1:0 --user root </dev/null
	[ "$status" -eq 1 ]
	run "$BIN/httpd" --listen 127.0.0.1:0 --user 'no such user' </dev/null
	[ "$status" -eq 1 ]
	start_httpd
	local uid gid
	uid=$(id -u nobody) gid=$(id -g nobody)
	grep -Eq "^Uid:\s$uid\s$uid\s$uid\s$uid$" "/proc/$PID/status"
	grep -Eq "^Gid:\s$gid\s$gid\s$gid\s$gid$" "/proc/$PID/status"
	grep -Eq '^Groups:\s*$' "/proc/$PID/status"
	[ "$(grep -Ec '^Cap(Inh|Prm|Eff|Bnd|Amb):\s0+$' "/proc/$PID/status")" -eq 5 ]
	grep -Eq '^NoNewPrivs:\s1$' "/proc/$PID/status"
	stop_httpd
}

@test "the port is taken: one line, exit 1" {
	start_httpd
	run "$BIN/httpd" --listen "127.0.0.1:$PORT" "${AS_USER[@]}" </dev/null
	[ "$status" -eq 1 ]
	[ "$output" = "httpd: listen on 127.0.0.1:$PORT: the port is taken; --listen ADDR:PORT takes another one" ]
	stop_httpd
}

@test "usage: one line, exit 2" {
	local row
	for row in '--listen here' '--listen localhost:1' '--ready-fd 77' '--tls-cert x' '--nonsense' 'operand' '--max-connections 0'; do
		# shellcheck disable=SC2086
		run "$BIN/httpd" $row </dev/null
		[ "$status" -eq 2 ]
		[ "${#lines[@]}" -eq 1 ]
	done
	run "$BIN/httpd" --help
	[ "$status" -eq 0 ]
	[[ $output == *--token-file* ]]
	run "$BIN/httpd" --version
	[ "$status" -eq 0 ]
	[[ $output == 'httpd (jopil) '* ]]
}

@test "events: each snapshot, large ones too, and the end" {
	start_httpd
	feeding_client events
	stop_httpd
}

@test "events: who leaves is noticed without a message, who sends no more is served" {
	start_httpd
	feeding_client leave
	stop_httpd
}

@test "websocket: each snapshot, large ones too, and the end" {
	start_httpd
	feeding_client websocket
	stop_httpd
}

@test "topics: what each of them carries" {
	start_httpd
	feeding_client topics
	stop_httpd
}

@test "topics: there is none of that name" {
	start_httpd
	feed "$(snapshot 1)"
	client topics-refused
	stop_httpd
}

@test "packets: at most 200 a second, the others counted" {
	start_httpd
	feeding_client packets
	stop_httpd
}

@test "late clients hold 64 MiB at most" {
	start_httpd
	feeding_client late
	get /api/stats
	[ "$(jq .httpd.limits.held_bytes.hits <<<"$output")" -eq 2 ]
	stop_httpd
}

@test "events: going on after an id" {
	start_httpd
	feeding_client resume
	stop_httpd
}

@test "websocket: subscriptions" {
	start_httpd
	feeding_client subscribe
	stop_httpd
}

@test "websocket: what is not understood" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	client problems
	stop_httpd
}

@test "websocket: between the fragments of a large message" {
	start_httpd
	feeding_client between-fragments
	stop_httpd
}

@test "websocket: handshakes" {
	start_httpd
	client handshakes
	stop_httpd
}

@test "websocket: ping, pong, messages in pieces" {
	start_httpd
	feed "$(snapshot 1)"
	client ping
	get /api/stats
	[ "$(jq .httpd.messages <<<"$output")" -eq 2 ]
	stop_httpd
}

@test "websocket: who does not pong" {
	start_httpd --ping 1
	client no-pong
	stop_httpd
}

@test "websocket: close codes" {
	start_httpd
	feed "$(snapshot 1)"
	client close
	stop_httpd
}

@test "websocket: violations" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	client violations
	get /api/stats
	[ "$(jq .httpd.limits.message_bytes.hits <<<"$output")" -eq 3 ]
	stop_httpd
}

@test "websocket: the rules of RFC 6455" {
	start_httpd
	client rules
	stop_httpd
}

@test "SIGTERM: goodbye to all, exit 0" {
	start_httpd
	feed "$(snapshot 1)"
	client wait 1
	client goodbye "$PID"
	wait "$PID"
	PID=
}

@test "requests that no decent client sends" {
	start_httpd
	client abuse
	feed "$(snapshot 1)"
	client wait 1
	get /api/stats
	jq -e '.httpd.limits | .target_bytes.hits == 1 and .header_bytes.hits >= 1 and .body_bytes.hits == 1' <<<"$output"
	stop_httpd
}

@test "requests in pieces, and many at once" {
	start_httpd
	client pieces
	client pipelined
	stop_httpd
}

@test "silent connections make room" {
	start_httpd --max-connections 20
	client idle-make-room 20
	stop_httpd
}

@test "connections of one address" {
	start_httpd --listen 0.0.0.0:0 --insecure-open --max-per-address 5
	client per-address 5
	stop_httpd
}

@test "TLS" {
	command -v openssl >/dev/null || skip "needs openssl to make a certificate"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj /CN=localhost -keyout "$T/key" -out "$T/cert" 2>/dev/null
	start_httpd --tls-cert "$T/cert" --tls-key "$T/key"
	grep -q 'listening on https://' "$T/err"
	URL=https://127.0.0.1:$PORT
	get /health -k
	[ "$STATUS" = 200 ]
	feeding_client tls
	stop_httpd
	run "$BIN/httpd" --listen 127.0.0.1:0 "${AS_USER[@]}" --tls-cert "$T/key" --tls-key "$T/cert" </dev/null
	[ "$status" -eq 1 ]
	[[ $output == 'httpd: start libmicrohttpd: '* ]]
}

@test "verbose: a line for each request, made harmless" {
	start_httpd --verbose
	get '/%1b%5b31mred'
	[ "$STATUS" = 404 ]
	stop_httpd
	grep -q ' 404 GET /?\[31mred$' "$T/err"
}

@test "100 clients, half of them stalled: the others get every snapshot" {
	run /usr/bin/python3 "$HERE/httpd_clients.py" "${BUILD:-}"
	echo "$output"
	[ "$status" -eq 0 ]
}
