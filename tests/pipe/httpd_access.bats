#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Who may ask httpd: the token, sessions by cookie, and how often a wrong token may be shown.

load httpd

TOKEN=0123456789abcdef0123456789

serve() {
	echo "$TOKEN" >"$T/token"
	start_httpd --token-file "$T/token" "$@"
	feed '{"type":"snapshot","seq":1,"interval_ms":60000,"flows":[]}'
}

# login TOKEN [CURL OPTION...]: COOKIE is what came back
login() {
	local token=$1
	shift
	get /api/session -H 'Content-Type: application/json' -d "{\"token\":\"$token\"}" "$@"
	COOKIE=$(header set-cookie | sed 's/;.*//')
}

@test "session: the token once, then the cookie on every address" {
	serve
	login "$TOKEN"
	[ "$STATUS" = 204 ]
	[ -z "$output" ]
	[[ $(header set-cookie) == "jopil_session_$PORT="*'; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict' ]]
	[[ $COOKIE != *"$TOKEN"* ]]
	local path
	for path in /api/flows /api/stats /metrics; do
		get $path
		[ "$STATUS" = 401 ]
		[ "$(header content-type)" = application/problem+json ]
		get $path -H "Cookie: other=1; $COOKIE"
		[ "$STATUS" = 200 ]
		get $path -H "Cookie: $COOKIE" -H 'Authorization: Basic cHJveHk6cHJveHk='
		[ "$STATUS" = 200 ]
	done
	get /events -I -H "Cookie: $COOKIE"
	[ "$STATUS" = 200 ]
	get /ws -H "Cookie: $COOKIE"
	[ "$STATUS" = 426 ]
	get /api/flows -H "Cookie: ${COOKIE%?}x"
	[ "$STATUS" = 401 ]
	get /api/flows -H "Cookie: jopil_session_$PORT=$TOKEN"
	[ "$STATUS" = 401 ]
	stop_httpd
}

@test "session: the cookie is of no use to other pages" {
	serve
	login "$TOKEN"
	get /api/flows -H "Cookie: $COOKIE" -H 'Origin: http://evil.example'
	[ "$STATUS" = 403 ]
	get /api/flows -H "Cookie: $COOKIE" -H 'Sec-Fetch-Site: same-site'
	[ "$STATUS" = 403 ]
	get /ws -H "Cookie: $COOKIE" -H 'Origin: http://localhost:1'
	[ "$STATUS" = 403 ]
	login "$TOKEN" -H 'Origin: http://evil.example'
	[ "$STATUS" = 403 ]
	[ -z "$COOKIE" ]
	stop_httpd
}

@test "session: ended by DELETE, also for who has kept the cookie" {
	serve
	login "$TOKEN"
	local kept=$COOKIE
	login "$TOKEN"
	get /api/session -X DELETE -H "Cookie: $kept"
	[ "$STATUS" = 204 ]
	[[ $(header set-cookie) == "jopil_session_$PORT=; Path=/; Max-Age=0; "* ]]
	get /api/flows -H "Cookie: $kept"
	[ "$STATUS" = 401 ]
	get /api/flows -H "Cookie: $COOKIE"
	[ "$STATUS" = 200 ]
	get /api/session
	[ "$STATUS" = 405 ]
	[ "$(header allow)" = 'POST, DELETE' ]
	stop_httpd
}

@test "session: bad questions" {
	serve
	login wrong
	[ "$STATUS" = 401 ]
	[ -z "$COOKIE" ]
	get /api/session -H 'Content-Type: application/json' -d '{}'
	[ "$STATUS" = 400 ]
	get /api/session -H 'Content-Type: application/json' -d "{\"token\":\"$TOKEN\u0000\"}"
	[ "$STATUS" = 400 ]
	get /api/session -H 'Content-Type: application/json' -d '{"token":17}'
	[ "$STATUS" = 400 ]
	get /api/session -d "token=$TOKEN"
	[ "$STATUS" = 415 ]
	[ -z "$(header set-cookie)" ]
	stop_httpd
}

@test "session: none where no token is wanted" {
	start_httpd
	login whatever
	[ "$STATUS" = 204 ]
	[ -z "$COOKIE" ]
	get /health
	[ "$STATUS" = 200 ]
	stop_httpd
}

@test "session: over TLS the cookie is for TLS, and for this host" {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj /CN=localhost -keyout "$T/key" -out "$T/cert" 2>/dev/null
	serve --tls-cert "$T/cert" --tls-key "$T/key"
	URL=https://127.0.0.1:$PORT
	login "$TOKEN" -k
	[[ $(header set-cookie) == "__Host-jopil_session_$PORT="*'; Path=/; '*'; Secure' ]]
	get /api/flows -k -H "Cookie: $COOKIE"
	[ "$STATUS" = 200 ]
	stop_httpd
}

@test "guesses: on loopback wrong ones have to wait, the right one never" {
	serve
	local i
	# At most ten at once, and one more each six seconds that this takes.
	for i in {1..200}; do
		get /api/flows -H "Authorization: Bearer wrong-token-number-$i"
		[ "$STATUS" = 401 ] || break
	done
	[ "$i" -gt 10 ]
	[ "$STATUS" = 429 ]
	[ "$(header content-type)" = application/problem+json ]
	[ "$(header retry-after)" -ge 1 ]
	get /api/flows -H "Authorization: Bearer $TOKEN"
	[ "$STATUS" = 200 ]
	login "$TOKEN"
	[ "$STATUS" = 204 ]
	get /api/stats -H "Cookie: $COOKIE"
	[ "$(jq .httpd.limits.token_guesses.hits <<<"$output")" -ge 1 ]
	stop_httpd
}
