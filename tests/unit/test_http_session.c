// SPDX-License-Identifier: MIT
/* Sessions by cookie, and how often an address may guess the token. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "httpd/guesses.h"
#include "httpd/session.h"

#define NOW_S 1000

static struct bounds bounds;
static struct sessions sessions;

static int begin(void **state)
{
	(void)state;
	bounds_init(&bounds);
	return sessions_init(&sessions, false, 5000, &bounds);
}

/* What a browser sends back of a Set-Cookie. */
static void take_cookie(const char *set_cookie, char cookie[SESSION_COOKIE_MAX])
{
	size_t length = strcspn(set_cookie, ";");

	memcpy(cookie, set_cookie, length);
	cookie[length] = '\0';
}

static void new_session(char cookie[SESSION_COOKIE_MAX])
{
	char set_cookie[SESSION_COOKIE_MAX];

	assert_int_equal(sessions_begin(&sessions, NOW_S, set_cookie), 0);
	take_cookie(set_cookie, cookie);
}

static void test_attributes(void **state)
{
	char set_cookie[SESSION_COOKIE_MAX];

	(void)state;
	assert_int_equal(sessions_begin(&sessions, NOW_S, set_cookie), 0);
	assert_int_equal(strncmp(set_cookie, "jopil_session_5000=", 19), 0);
	assert_non_null(strstr(set_cookie, "; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict"));
	assert_null(strstr(set_cookie, "Secure"));
	assert_int_equal(sessions_init(&sessions, true, 0, &bounds), 0);
	assert_int_equal(sessions_begin(&sessions, NOW_S, set_cookie), 0);
	assert_int_equal(strncmp(set_cookie, "__Host-jopil_session=", 21), 0);
	assert_non_null(strstr(set_cookie, "; Secure"));
}

static void test_proves(void **state)
{
	char cookie[SESSION_COOKIE_MAX], other[SESSION_COOKIE_MAX], many[2 * SESSION_COOKIE_MAX];

	(void)state;
	new_session(cookie);
	assert_true(sessions_has(&sessions, cookie, NOW_S));
	assert_true(sessions_has(&sessions, cookie, NOW_S + SESSION_SECONDS - 1));
	assert_false(sessions_has(&sessions, cookie, NOW_S + SESSION_SECONDS));
	new_session(other);
	assert_string_not_equal(cookie, other);
	snprintf(many, sizeof(many), "a=b; jopil_session_5000=x;%s; c", cookie);
	assert_true(sessions_has(&sessions, many, NOW_S));
	assert_false(sessions_has(&sessions, NULL, NOW_S));
	assert_false(sessions_has(&sessions, "", NOW_S));
	assert_false(sessions_has(&sessions, "jopil_session_5000=", NOW_S));
	assert_false(sessions_has(&sessions, "jopil_session_5000", NOW_S));
	assert_int_equal(sessions_init(&sessions, false, 5000, &bounds), 0);
	assert_false(sessions_has(&sessions, cookie, NOW_S));
}

/* Each digit counts, the expiry too. */
static void test_forged(void **state)
{
	char cookie[SESSION_COOKIE_MAX];

	(void)state;
	new_session(cookie);
	for (size_t i = strlen("jopil_session_5000="); cookie[i]; i++) {
		char was = cookie[i];

		cookie[i] = was == '0' ? '1' : '0';
		assert_false(sessions_has(&sessions, cookie, NOW_S));
		cookie[i] = 'A';
		assert_false(sessions_has(&sessions, cookie, NOW_S));
		cookie[i] = was;
	}
	strcat(cookie, "0");
	assert_false(sessions_has(&sessions, cookie, NOW_S));
}

static void test_ended(void **state)
{
	char cookie[SESSION_COOKIE_MAX], other[SESSION_COOKIE_MAX], gone[SESSION_COOKIE_MAX];

	(void)state;
	new_session(cookie);
	new_session(other);
	assert_int_equal(sessions_end(&sessions, cookie, NOW_S, gone), 0);
	assert_int_equal(strncmp(gone, "jopil_session_5000=; Path=/; Max-Age=0;", 39), 0);
	assert_false(sessions_has(&sessions, cookie, NOW_S));
	assert_true(sessions_has(&sessions, other, NOW_S));
	assert_int_equal(sessions_end(&sessions, cookie, NOW_S, gone), 0);
	assert_int_equal(sessions_end(&sessions, NULL, NOW_S, gone), 0);
	assert_int_equal(sessions.ended_count, 1);
}

/* No room to remember one more: all end, none comes back. */
static void test_ended_full(void **state)
{
	char cookie[SESSION_COOKIE_MAX], other[SESSION_COOKIE_MAX], gone[SESSION_COOKIE_MAX];

	(void)state;
	new_session(other);
	for (int i = 0; i <= LIMIT_SESSIONS_ENDED; i++) {
		assert_true(sessions_has(&sessions, other, NOW_S));
		new_session(cookie);
		assert_int_equal(sessions_end(&sessions, cookie, NOW_S, gone), 0);
		assert_false(sessions_has(&sessions, cookie, NOW_S));
	}
	assert_false(sessions_has(&sessions, other, NOW_S));
	assert_int_equal(bounds.row[BOUND_SESSIONS_ENDED].hits, 1);
	/* Expired ones make room. */
	for (int i = 0; i < LIMIT_SESSIONS_ENDED; i++) {
		new_session(cookie);
		assert_int_equal(sessions_end(&sessions, cookie, NOW_S, gone), 0);
	}
	assert_int_equal(sessions_end(&sessions, NULL, NOW_S + SESSION_SECONDS, gone), 0);
	assert_int_equal(sessions.ended_count, 0);
}

static struct guesses guesses;

static void set_ip4(uint8_t ip[16], unsigned int number)
{
	memset(ip, 0, 16);
	ip[10] = ip[11] = 0xff;
	ip[12] = 10;
	ip[13] = (uint8_t)(number >> 16);
	ip[14] = (uint8_t)(number >> 8);
	ip[15] = (uint8_t)number;
}

static void test_guesses(void **state)
{
	uint8_t ip[16], other[16];
	uint64_t now_ms = 5000;

	(void)state;
	bounds_init(&bounds);
	guesses_init(&guesses, &bounds);
	set_ip4(ip, 1);
	set_ip4(other, 2);
	for (int i = 0; i < LIMIT_TOKEN_GUESSES; i++) {
		assert_int_equal(guesses_wait_ms(&guesses, ip, now_ms), 0);
		guesses_wrong(&guesses, ip, now_ms);
	}
	assert_int_equal(guesses_wait_ms(&guesses, ip, now_ms), GUESS_PERIOD_MS);
	assert_int_equal(guesses_wait_ms(&guesses, ip, now_ms + 1000), GUESS_PERIOD_MS - 1000);
	assert_int_equal(guesses_wait_ms(&guesses, other, now_ms), 0);
	now_ms += GUESS_PERIOD_MS;
	assert_int_equal(guesses_wait_ms(&guesses, ip, now_ms), 0);
	guesses_wrong(&guesses, ip, now_ms);
	assert_int_equal(guesses_wait_ms(&guesses, ip, now_ms), GUESS_PERIOD_MS);
}

static void test_guesses_ipv6(void **state)
{
	uint8_t ip[16] = { 0x20, 1, [15] = 1 }, near[16] = { 0x20, 1, [8] = 9 };
	uint8_t far[16] = { 0x20, 1, [7] = 9, [15] = 1 };

	(void)state;
	guesses_init(&guesses, &bounds);
	for (int i = 0; i < LIMIT_TOKEN_GUESSES; i++)
		guesses_wrong(&guesses, ip, 1);
	assert_int_not_equal(guesses_wait_ms(&guesses, near, 1), 0);
	assert_int_equal(guesses_wait_ms(&guesses, far, 1), 0);
}

/* More addresses than rows: the others share, those that have a row keep it. */
static void test_guesses_full(void **state)
{
	uint8_t ip[16];

	(void)state;
	bounds_init(&bounds);
	guesses_init(&guesses, &bounds);
	for (unsigned int i = 0; i < LIMIT_TOKEN_GUESSERS + LIMIT_TOKEN_GUESSES; i++) {
		set_ip4(ip, i);
		assert_int_equal(guesses_wait_ms(&guesses, ip, 1), 0);
		guesses_wrong(&guesses, ip, 1);
	}
	assert_int_equal(bounds.row[BOUND_TOKEN_GUESSERS].hits, LIMIT_TOKEN_GUESSES);
	set_ip4(ip, 1 << 20);
	assert_int_equal(guesses_wait_ms(&guesses, ip, 1), GUESS_PERIOD_MS);
	set_ip4(ip, 7);
	assert_int_equal(guesses_wait_ms(&guesses, ip, 1), 0);
	set_ip4(ip, 1 << 20);
	assert_int_equal(guesses_wait_ms(&guesses, ip, 1 + GUESS_PERIOD_MS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_attributes, begin),
		cmocka_unit_test_setup(test_proves, begin),
		cmocka_unit_test_setup(test_forged, begin),
		cmocka_unit_test_setup(test_ended, begin),
		cmocka_unit_test_setup(test_ended_full, begin),
		cmocka_unit_test(test_guesses),
		cmocka_unit_test(test_guesses_ipv6),
		cmocka_unit_test(test_guesses_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
