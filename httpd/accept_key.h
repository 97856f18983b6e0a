/* SPDX-License-Identifier: MIT */
/* The handshake's proof that the server understood WebSocket (RFC 6455 section 4.2.2). */
#ifndef JOPIL_HTTPD_ACCEPT_KEY_H
#define JOPIL_HTTPD_ACCEPT_KEY_H

#define ACCEPT_KEY_SIZE 29	/* base64 of SHA-1, and its zero */

/* The Sec-WebSocket-Accept for a Sec-WebSocket-Key. 0; -EINVAL: not 16 bytes in base64. */
int accept_key(const char *key, char ret_accept[ACCEPT_KEY_SIZE]);

#endif
