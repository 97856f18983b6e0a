// SPDX-License-Identifier: MIT
/* Who may ask: hosts, origins, tokens; and what header fields say. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "httpd/field.h"
#include "httpd/guard.h"
#include "httpd/listener.h"
#include "httpd/site.h"
#include "httpd/token.h"

static struct site site_at(const char *listen)
{
	struct site site = { 0 };

	assert_int_equal(listener_parse(listen, &site.address), 0);
	return site;
}

static void test_hosts(void **state)
{
	static const struct {
		const char *listen, *host;
		bool good;
	} rows[] = {
		{ "127.0.0.1:5000", "127.0.0.1:5000", true },
		{ "127.0.0.1:5000", "localhost:5000", true },
		{ "127.0.0.1:5000", "LocalHost", true },
		{ "127.0.0.1:5000", "localhost.:5000", true },
		{ "127.0.0.1:5000", "localhost:8080", true },	/* ssh -L 8080:... */
		{ "127.0.0.1:5000", "127.0.0.2", true },
		{ "127.0.0.1:5000", "[::1]:5000", true },
		{ "127.0.0.1:5000", "evil.example:5000", false },
		{ "127.0.0.1:5000", "localhost.evil.example", false },
		{ "127.0.0.1:5000", "evil.localhost", false },
		{ "127.0.0.1:5000", "10.0.0.1", false },
		{ "127.0.0.1:5000", "0.0.0.0", false },
		{ "127.0.0.1:5000", "127.1", false },
		{ "127.0.0.1:5000", "", false },
		{ "127.0.0.1:5000", ":5000", false },
		{ "127.0.0.1:5000", "localhost:", true },
		{ "127.0.0.1:5000", "localhost:x", false },
		{ "127.0.0.1:5000", "localhost:123456", false },
		{ "127.0.0.1:5000", "localhost:1:2", false },
		{ "127.0.0.1:5000", "localhost/", false },
		{ "127.0.0.1:5000", "user@localhost", false },
		{ "127.0.0.1:5000", "[127.0.0.1]", false },
		{ "127.0.0.1:5000", "[localhost]", false },
		{ "127.0.0.1:5000", "[::1", false },
		{ "127.0.0.1:5000", "::1", false },
		{ "127.0.0.1:5000", ".", false },
		{ "[::1]:5000", "localhost", true },
		{ "[::1]:5000", "[0:0::1]", true },
		{ "[::1]:5000", "127.0.0.1", true },
		{ "10.0.0.1:80", "10.0.0.1", true },
		{ "10.0.0.1:80", "10.0.0.2", false },
		{ "10.0.0.1:80", "localhost", false },
		{ "10.0.0.1:80", "web1.example", true },
		{ "10.0.0.1:80", "WEB1.example.:80", true },
		{ "0.0.0.0:80", "192.0.2.1", true },
		{ "0.0.0.0:80", "[2001:db8::1]:80", true },
		{ "[::]:80", "192.0.2.1:80", true },
		{ "[::]:80", "localhost", true },
		{ "[::]:80", "evil.example", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct site site = site_at(rows[i].listen);

		site.names[site.name_count++] = "web1.example";
		if (site_is_host(&site, rows[i].host) != rows[i].good)
			fail_msg("%s at %s", rows[i].host, rows[i].listen);
	}
}

static void test_long_host(void **state)
{
	struct site site = site_at("5000");
	char host[400];

	(void)state;
	memset(host, 'a', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	assert_false(site_is_host(&site, host));
}

static void test_origins(void **state)
{
	static const struct {
		const char *origin, *host;
		bool good;
	} rows[] = {
		{ "http://localhost:5000", "localhost:5000", true },
		{ "HTTP://LOCALHOST:5000", "localhost:5000", true },
		{ "https://[::1]:5000", "[::1]:5000", true },
		{ "http://localhost", "localhost:80", true },
		{ "http://localhost:80", "localhost", true },
		{ "https://web1", "web1:443", true },
		{ "http://localhost:443", "localhost", false },
		{ "http://localhost:5001", "localhost:5000", false },
		{ "http://localhost", "localhost:5000", false },
		{ "http://127.0.0.1:5000", "localhost:5000", false },
		{ "http://evil.example", "localhost:5000", false },
		{ "http://localhost:5000.evil.example", "localhost:5000", false },
		{ "http://localhost:5000/", "localhost:5000", false },
		{ "null", "localhost:5000", false },
		{ "", "localhost:5000", false },
		{ "http://", "", false },
		{ "file://", "localhost:5000", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (site_is_same_origin(rows[i].origin, rows[i].host) != rows[i].good)
			fail_msg("%s to %s", rows[i].origin, rows[i].host);
}

static void test_fetches(void **state)
{
	(void)state;
	assert_true(site_is_own_fetch(NULL, NULL, NULL, false));
	assert_true(site_is_own_fetch("none", "navigate", "document", false));
	assert_true(site_is_own_fetch("same-origin", "cors", "empty", false));
	assert_false(site_is_own_fetch("cross-site", "no-cors", "image", false));
	/* Another port of localhost is the same site, and still somebody else. */
	assert_false(site_is_own_fetch("same-site", "cors", "empty", false));
	assert_false(site_is_own_fetch("cross-site", "navigate", "document", false));
	assert_true(site_is_own_fetch("cross-site", "navigate", "document", true));
	assert_false(site_is_own_fetch("cross-site", "navigate", "iframe", true));
	assert_false(site_is_own_fetch("cross-site", "no-cors", "script", true));
	assert_false(site_is_own_fetch("nonsense", NULL, NULL, true));
}

static void test_listeners(void **state)
{
	static const struct {
		const char *text, *same;
	} rows[] = {
		{ "127.0.0.1:5000", "127.0.0.1:5000" }, { ":5000", "127.0.0.1:5000" },
		{ "80", "127.0.0.1:80" }, { "[::1]:0", "[::1]:0" },
		{ "[::]:65535", "[::]:65535" }, { "0.0.0.0:1", "0.0.0.0:1" },
	};
	static const char *const bad[] = {
		"", ":", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "[::1]",
		"[::1:80", "[]:80", "[127.0.0.1]:80", "1.2.3.4.5:80", "127.0.0.1:+1", "127.0.0.1:8 0",
		"0123456789012345678901234567890123456789012345678901:80",
		"[0123456789012345678901234567890123456789012345678901]:80",
	};
	struct sockaddr_storage address;
	char text[LISTENER_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(listener_parse(rows[i].text, &address), 0);
		listener_format((struct sockaddr *)&address, text);
		assert_string_equal(text, rows[i].same);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (listener_parse(bad[i], &address) != -EINVAL)
			fail_msg("'%s' is taken", bad[i]);
}

static void test_listener_open(void **state)
{
	struct sockaddr_storage address, again;
	char text[LISTENER_TEXT];
	int fd;

	(void)state;
	assert_int_equal(listener_parse("127.0.0.1:0", &address), 0);
	fd = listener_open(&address);
	assert_true(fd >= 0);
	listener_format((struct sockaddr *)&address, text);
	assert_string_not_equal(text, "127.0.0.1:0");
	again = address;
	assert_int_equal(listener_open(&again), -EADDRINUSE);
	close(fd);
}

static bool shows(const struct token *token, const char *authorization)
{
	const char *text = token_in_field(authorization);

	return text && token_is(token, text);
}

static void test_token(void **state)
{
	struct token token = { 0 };

	(void)state;
	assert_int_equal(token_set("too short", &token), -EBADMSG);
	assert_int_equal(token_set("with a space in the middle", &token), -EBADMSG);
	assert_int_equal(token_set("0123456789abcdef", &token), 0);
	assert_true(shows(&token, "Bearer 0123456789abcdef"));
	assert_true(shows(&token, "bearer   0123456789abcdef"));
	assert_false(shows(&token, NULL));
	assert_false(shows(&token, ""));
	assert_false(shows(&token, "Bearer "));
	assert_false(shows(&token, "Basic 0123456789abcdef"));
	assert_false(shows(&token, "Bearer 0123456789abcdeF"));
	assert_false(shows(&token, "Bearer 0123456789abcdef0"));
	assert_false(shows(&token, "0123456789abcdef"));
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_token_file(void **state)
{
	char path[] = "/tmp/jopil-token-XXXXXX";
	int fd = mkstemp(path);
	struct token token = { 0 };

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_file(path, " \tsecret/secret+secret= \r\nsecond line\n");
	assert_int_equal(token_read(path, &token), 0);
	assert_true(shows(&token, "Bearer secret/secret+secret="));
	write_file(path, "\n");
	assert_int_equal(token_read(path, &token), -EBADMSG);
	unlink(path);
	assert_int_equal(token_read(path, &token), -ENOENT);
}

static void test_fields(void **state)
{
	(void)state;
	assert_true(field_has_token("keep-alive, Upgrade", "upgrade"));
	assert_true(field_has_token("upgrade", "upgrade"));
	assert_false(field_has_token("upgrades", "upgrade"));
	assert_false(field_has_token("", "upgrade"));
	assert_false(field_has_token(NULL, "upgrade"));
	assert_true(field_takes_gzip("gzip"));
	assert_true(field_takes_gzip("deflate, gzip;q=0.5, br"));
	assert_true(field_takes_gzip("br;q=1.0, *;q=0.1"));
	assert_true(field_takes_gzip("gzip ; q=1"));
	assert_false(field_takes_gzip("gzip;q=0"));
	assert_false(field_takes_gzip("gzip;q=0.000, *"));
	assert_false(field_takes_gzip("*;q=0"));
	assert_false(field_takes_gzip("br, identity"));
	assert_false(field_takes_gzip("gzipped"));
	assert_false(field_takes_gzip(""));
	assert_false(field_takes_gzip(NULL));
	assert_true(field_has_etag("\"a\"", "\"a\""));
	assert_true(field_has_etag("\"b\", W/\"a\"", "\"a\""));
	assert_true(field_has_etag("*", "\"a\""));
	assert_false(field_has_etag("\"b\"", "\"a\""));
	assert_false(field_has_etag("a", "\"a\""));
	assert_false(field_has_etag(NULL, "\"a\""));
	assert_true(field_is_name("X-Forwarded-For"));
	assert_false(field_is_name("Host "));
	assert_false(field_is_name(""));
	assert_false(field_is_name("a\tb"));
	assert_false(field_is_name("\xc3\xbc"));
}

/* Lines as libmicrohttpd before 1.0 leaves them in its buffer. */
static void test_guard_lines(void **state)
{
	char crlf[] = "GET\0/path\0HTTP/1.1\0\0Host\0 a\0\0\0\0";
	char bare[] = "GET\0/path\0HTTP/1.1\0Host\0 a\0X\0b\0\0";
	char zero[] = "GET\0/pa\0h\0HTTP/1.1\0\0";
	char folded[] = "\0\0 a\0\0\0\0Hostb\0";

	(void)state;
	assert_true(guard_is_request_line(crlf + 4, 5, crlf + 10));
	assert_false(guard_is_request_line(bare + 4, 5, bare + 10));
	assert_false(guard_is_request_line(zero + 4, 3, zero + 10));
	assert_true(guard_is_field_line(crlf + 20, 4, crlf + 26, 1));
	assert_false(guard_is_field_line(bare + 19, 4, bare + 25, 1));
	/* A name that was moved behind its value, or far away, or has more than space behind it. */
	assert_false(guard_is_field_line(folded + 7, 5, folded + 3, 1));
	assert_false(guard_is_field_line(crlf, 3, crlf + 26, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_long_host),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_fetches),
		cmocka_unit_test(test_listeners),
		cmocka_unit_test(test_listener_open),
		cmocka_unit_test(test_token),
		cmocka_unit_test(test_token_file),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_guard_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
