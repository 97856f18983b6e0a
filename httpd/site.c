/* SPDX-License-Identifier: MIT */
/* Whom a request is meant for, and which page made it: the guards of browsers. */
#include "httpd/site.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 256	/* a DNS name has at most 253 */
#define LOOPBACK_NET 127

static const struct in6_addr *address6(const struct sockaddr_storage *address)
{
	return &((const struct sockaddr_in6 *)address)->sin6_addr;
}

static uint32_t address4(const struct sockaddr_storage *address)
{
	return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr);
}

bool site_is_loopback(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return address4(address) >> 24 == LOOPBACK_NET;
	if (address->ss_family == AF_UNIX)
		return true;
	if (address->ss_family != AF_INET6)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(address6(address)))
		return address6(address)->s6_addr[12] == LOOPBACK_NET;
	return IN6_IS_ADDR_LOOPBACK(address6(address));
}

bool site_is_wildcard(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET)
		return address4(address) == INADDR_ANY;
	return address->ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(address6(address));
}

static bool is_same_address(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return address4(a) == address4(b);
	return IN6_ARE_ADDR_EQUAL(address6(a), address6(b));
}

static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits <= 5 && !text[digits];
}

/* The name of "name", "name:port", "[address]", "[address]:port", without the brackets. */
static bool copy_name(const char *host, char name[HOST_MAX], bool *ret_bracketed)
{
	size_t start = *host == '[', length = strcspn(host + start, start ? "]" : ":");
	const char *rest = host + start + length + start;

	if (!length || length >= HOST_MAX || (start && host[start + length] != ']'))
		return false;
	if (*rest && (*rest != ':' || !is_port(rest + 1)))
		return false;
	memcpy(name, host + start, length);
	/* "localhost." is the same name, written in full. */
	if (!start && length > 1 && name[length - 1] == '.')
		length--;
	name[length] = '\0';
	*ret_bracketed = start;
	return true;
}

static bool parse_literal(const char *name, bool bracketed, struct sockaddr_storage *address)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)address;
	struct sockaddr_in *in = (struct sockaddr_in *)address;

	memset(address, 0, sizeof(*address));
	address->ss_family = bracketed ? AF_INET6 : AF_INET;
	if (bracketed)
		return inet_pton(AF_INET6, name, &in6->sin6_addr) == 1;
	return inet_pton(AF_INET, name, &in->sin_addr) == 1;
}

static bool is_named(const struct site *site, const char *name)
{
	for (size_t i = 0; i < site->name_count; i++)
		if (!strcasecmp(site->names[i], name))
			return true;
	return false;
}

bool site_is_host(const struct site *site, const char *host)
{
	bool everywhere = site_is_wildcard(&site->address);
	bool local = everywhere || site_is_loopback(&site->address);
	struct sockaddr_storage literal;
	char name[HOST_MAX];
	bool bracketed;

	if (!copy_name(host, name, &bracketed))
		return false;
	if (parse_literal(name, bracketed, &literal))
		return everywhere || is_same_address(&literal, &site->address) ||
		       (local && site_is_loopback(&literal)) || is_named(site, name);
	return !bracketed && ((local && !strcasecmp(name, "localhost")) || is_named(site, name));
}

/* The length without ":80" behind http and ":443" behind https, which mean nothing. */
static size_t length_without_port(const char *host, const char *port)
{
	size_t length = strlen(host), tail = strlen(port);

	return length > tail && !strcmp(host + length - tail, port) ? length - tail : length;
}

bool site_is_same_origin(const char *origin, const char *host)
{
	const char *port = NULL;
	size_t length;

	if (!strncasecmp(origin, "http://", 7)) {
		origin += 7;
		port = ":80";
	} else if (!strncasecmp(origin, "https://", 8)) {
		origin += 8;
		port = ":443";
	} else {
		return false;
	}
	length = length_without_port(origin, port);
	return length && length == length_without_port(host, port) &&
	       !strncasecmp(origin, host, length);
}

bool site_is_own_fetch(const char *fetch_site, const char *fetch_mode,
		       const char *fetch_dest, bool navigable)
{
	if (!fetch_site || !strcmp(fetch_site, "same-origin") || !strcmp(fetch_site, "none"))
		return true;
	return navigable && fetch_mode && !strcmp(fetch_mode, "navigate") && fetch_dest &&
	       !strcmp(fetch_dest, "document");
}
