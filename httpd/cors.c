/* SPDX-License-Identifier: MIT */
/* Which other sites' pages may read answers: --cors (Fetch standard, section 3.2). */
#include "httpd/cors.h"

#include <errno.h>
#include <string.h>

#include "common/options.h"

/* What a host is spelled with; [] and : for literal IPv6 addresses. */
#define HOST_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789.-_"
#define IPV6_LETTERS "abcdef0123456789:."

static size_t host_length(const char *text)
{
	size_t length;

	if (*text != '[')
		return strspn(text, HOST_LETTERS);
	length = strspn(text + 1, IPV6_LETTERS);
	return length && text[length + 1] == ']' ? length + 2 : 0;
}

static bool is_port(const char *text, uint64_t usual)
{
	uint64_t port;

	return !options_number(text, 1, 65535, false, &port) && port != usual && *text != '0';
}

static bool is_origin(const char *text)
{
	bool tls = !strncmp(text, "https://", 8);
	size_t length;

	if (!tls && strncmp(text, "http://", 7))
		return false;
	text += tls ? 8 : 7;
	length = host_length(text);
	if (!length)
		return false;
	text += length;
	return !*text || (*text == ':' && is_port(text + 1, tls ? 443 : 80));
}

int cors_add(struct cors *cors, const char *origin)
{
	if (!strcmp(origin, "*")) {
		cors->any = true;
		return 0;
	}
	if (!is_origin(origin))
		return -EINVAL;
	if (cors->count == CORS_ORIGINS_MAX)
		return -E2BIG;
	cors->origins[cors->count++] = origin;
	return 0;
}

const char *cors_allows(const struct cors *cors, const char *origin)
{
	if (!origin)
		return NULL;
	if (cors->any)
		return "*";
	for (size_t i = 0; i < cors->count; i++)
		if (!strcmp(cors->origins[i], origin))
			return cors->origins[i];
	return NULL;
}
