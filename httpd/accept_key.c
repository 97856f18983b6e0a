/* SPDX-License-Identifier: MIT */
/* The handshake's proof that the server understood WebSocket (RFC 6455 section 4.2.2). */
#include "httpd/accept_key.h"

#include <errno.h>
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <stdint.h>
#include <string.h>

#define KEY_BYTES 16
#define KEY_LENGTH 24	/* of KEY_BYTES in base64 */

static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

_Static_assert(ACCEPT_KEY_SIZE == BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE) + 1, "room");

static int is_key(const char *key)
{
	uint8_t bytes[BASE64_DECODE_LENGTH(KEY_LENGTH)];
	struct base64_decode_ctx context;
	size_t length = sizeof(bytes);

	if (strlen(key) != KEY_LENGTH)
		return 0;
	base64_decode_init(&context);
	return base64_decode_update(&context, &length, bytes, KEY_LENGTH, key) &&
	       base64_decode_final(&context) && length == KEY_BYTES;
}

int accept_key(const char *key, char ret_accept[ACCEPT_KEY_SIZE])
{
	uint8_t digest[SHA1_DIGEST_SIZE];
	struct sha1_ctx context;

	if (!is_key(key))
		return -EINVAL;
	sha1_init(&context);
	sha1_update(&context, strlen(key), (const uint8_t *)key);
	sha1_update(&context, sizeof(guid) - 1, (const uint8_t *)guid);
	sha1_digest(&context, sizeof(digest), digest);
	base64_encode_raw(ret_accept, sizeof(digest), digest);
	ret_accept[ACCEPT_KEY_SIZE - 1] = '\0';
	return 0;
}
