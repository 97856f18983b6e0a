/* SPDX-License-Identifier: MIT */
/* Whom a request is meant for, and which page made it: the guards of browsers. */
#ifndef JOPIL_HTTPD_SITE_H
#define JOPIL_HTTPD_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define SITE_NAMES_MAX 16

/* The names and addresses that this server answers to. */
struct site {
	struct sockaddr_storage address;	/* that it listens on */
	const char *names[SITE_NAMES_MAX];	/* further ones, from --host */
	size_t name_count;
};

/* 127.0.0.0/8, ::1 and ::ffff:127.0.0.0/104; and a Unix socket, which is nearer still. */
bool site_is_loopback(const struct sockaddr_storage *address);

/* 0.0.0.0 and ::. */
bool site_is_wildcard(const struct sockaddr_storage *address);

/*
 * Whether the value of a Host field names this server. A page of a foreign
 * site that lets its own name point here (DNS rebinding) sends that name. Good
 * are: the address listened on, every loopback address and "localhost" where
 * those lead here, every literal address if listening on all (a literal cannot be
 * rebound), and the names of --host. The port is not looked at: it may have been
 * forwarded (ssh -L).
 */
bool site_is_host(const struct site *site, const char *host);

/*
 * Whether origin ("http://localhost:5000") is the page of the host that the
 * request was sent to: same name, same port.
 */
bool site_is_same_origin(const char *origin, const char *host);

/*
 * Whether Sec-Fetch-Site, Sec-Fetch-Mode and Sec-Fetch-Dest (NULL = not sent, as
 * by anything but a browser) come from our own page or from the user himself.
 * A link on another site may open the page (navigable), and nothing else.
 */
bool site_is_own_fetch(const char *fetch_site, const char *fetch_mode,
		       const char *fetch_dest, bool navigable);

#endif
