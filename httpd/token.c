/* SPDX-License-Identifier: MIT */
/* The shared secret that requests must show where one is asked for. */
#include "httpd/token.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

_Static_assert(TOKEN_DIGEST == SHA256_DIGEST_SIZE, "the digest is SHA-256");

static void digest(const char *text, uint8_t result[TOKEN_DIGEST])
{
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, strlen(text), (const uint8_t *)text);
	sha256_digest(&context, TOKEN_DIGEST, result);
}

int token_set(const char *text, struct token *ret_token)
{
	size_t length = strlen(text);

	if (length < TOKEN_LENGTH_MIN || length > TOKEN_LENGTH_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return -EBADMSG;
	ret_token->wanted = true;
	digest(text, ret_token->digest);
	return 0;
}

int token_read(const char *path, struct token *ret_token)
{
	char text[TOKEN_LENGTH_MAX + 64];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t start, length;
	ssize_t got;
	int err;

	if (fd < 0)
		return -errno;
	got = read(fd, text, sizeof(text) - 1);
	err = got < 0 ? -errno : 0;
	close(fd);
	if (err)
		return err;
	text[got] = '\0';
	start = strspn(text, " \t");
	length = strcspn(text + start, "\r\n");
	while (length && strchr(" \t", text[start + length - 1]))
		length--;
	text[start + length] = '\0';
	err = token_set(text + start, ret_token);
	explicit_bzero(text, sizeof(text));
	return err;
}

bool token_is(const struct token *token, const char *text)
{
	uint8_t shown[TOKEN_DIGEST];

	digest(text, shown);
	return memeql_sec(shown, token->digest, TOKEN_DIGEST);
}

const char *token_in_field(const char *authorization)
{
	if (!authorization || strncasecmp(authorization, "Bearer ", 7))
		return NULL;
	return authorization + 7 + strspn(authorization + 7, " ");
}
