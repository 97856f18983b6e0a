#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Which pages of other sites may read what httpd answers.

bats_require_minimum_version 1.5.0
load httpd

good=https://grafana.example:3000
evil=https://evil.example

@test "off by default: no page of another site is told anything" {
	start_httpd
	get /health -H "Origin: $good"
	[ "$STATUS" = 403 ]
	[ -z "$(header access-control-allow-origin)" ]
	get /health -X OPTIONS -H "Origin: $good" -H 'Access-Control-Request-Method: GET'
	[ "$STATUS" = 405 ]
	[ -z "$(header access-control-allow-origin)" ]
	get /health
	[ "$STATUS" = 200 ]
	[ -z "$(header vary)" ]
	stop_httpd
}

@test "a page that was named reads answers and errors, another does not" {
	start_httpd --cors "$good" --cors http://localhost:3000
	feed '{"type":"snapshot","seq":1}'
	client wait 1
	local origin path
	for origin in "$good" http://localhost:3000; do
		for path in /health /api/stats /api/flows /api/nothing '/api/flows?limit=x' /metrics /openapi.json; do
			get "$path" -H "Origin: $origin" -H 'Sec-Fetch-Site: cross-site' -H 'Sec-Fetch-Mode: cors'
			[ "$(header access-control-allow-origin)" = "$origin" ]
			[[ $(header vary) == *Origin* ]]
			[ -z "$(header access-control-allow-credentials)" ]
			[ "$STATUS" != 403 ]
		done
	done
	for origin in "$evil" "$good.evil.example" "${good%0}" null http://grafana.example:3000 https://GRAFANA.example:3000; do
		get /health -H "Origin: $origin"
		[ "$STATUS" = 403 ]
		[ -z "$(header access-control-allow-origin)" ]
		[[ $(header vary) == *Origin* ]]
	done
	get /health -H 'Sec-Fetch-Site: cross-site' -H 'Sec-Fetch-Mode: no-cors'
	[ "$STATUS" = 403 ]
	stop_httpd
}

@test "preflight: methods of the path, for those that were named" {
	start_httpd --cors "$good"
	local ask=(-X OPTIONS -H 'Access-Control-Request-Method: POST' -H 'Access-Control-Request-Headers: content-type')
	get /api/connection-summary "${ask[@]}" -H "Origin: $good"
	[ "$STATUS" = 204 ]
	[ "$(header access-control-allow-origin)" = "$good" ]
	[ "$(header access-control-allow-methods)" = 'GET, HEAD, POST' ]
	[ "$(header access-control-allow-headers)" = 'Authorization, Content-Type, Last-Event-ID' ]
	[ -z "$output" ]
	get /api/nothing "${ask[@]}" -H "Origin: $good"
	[ "$STATUS" = 404 ]
	get /api/connection-summary "${ask[@]}" -H "Origin: $evil"
	[ "$STATUS" = 405 ]
	[ -z "$(header access-control-allow-origin)" ]
	get /api/connection-summary -X OPTIONS -H "Origin: $good"
	[ "$STATUS" = 405 ]
	stop_httpd
}

@test "the stream goes to those that were named" {
	start_httpd --cors "$good"
	feed '{"type":"snapshot","seq":1}'
	client wait 1
	curl -sN --max-time 20 -D "$T/head" -H "Origin: $good" "$URL/events" 2>/dev/null | grep -m1 -q '^event: snapshot'
	[ "$(header access-control-allow-origin)" = "$good" ]
	stop_httpd
}

@test "with a token: asked for of other sites' pages too, and a cookie of ours is not enough" {
	echo 0123456789abcdef0123456789abcdef >"$T/token"
	chmod 644 "$T/token"
	start_httpd --token-file "$T/token" --cors '*'
	get /api/session -H 'Content-Type: application/json' -d '{"token":"0123456789abcdef0123456789abcdef"}'
	[ "$STATUS" = 204 ]
	local cookie
	cookie=$(header set-cookie)
	get /api/stats -H "Cookie: ${cookie%%;*}"
	[ "$STATUS" = 503 ]
	get /api/stats -H "Cookie: ${cookie%%;*}" -H "Origin: $evil"
	[ "$STATUS" = 401 ]
	[ "$(header access-control-allow-origin)" = '*' ]
	get /api/stats -H 'Authorization: Bearer 0123456789abcdef0123456789abcdef' -H "Origin: $evil"
	[ "$STATUS" = 503 ]
	stop_httpd
}

@test "what is no origin is refused, and any page without a token" {
	local origin
	for origin in grafana.example https://Grafana.example https://a.example/ https://a.example:443 http://a:0 \
		http:// https://a@b 'https://*.example' null http://a:99999 ''; do
		run -2 "$BIN/httpd" --cors "$origin" </dev/null
		[[ $output == *"not an origin"* ]]
	done
	run -2 "$BIN/httpd" --cors '*' </dev/null
	[[ $output == *token* ]]
}
