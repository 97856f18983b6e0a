// SPDX-License-Identifier: MIT
/* What comes from the resolver process: whatever it is, only host names are believed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "httpd/hostname.c"

static bool is_harmless(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
			    name[i]) || !name[i])
			return false;
	return length > 0 && length <= HOSTNAME_BYTES;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct name_answer answer = { .kind = NAME_READY };
	struct in6_addr address;

	if (!name_answer_parse(data, size, &answer) && answer.kind == NAME_FOUND) {
		if (!is_harmless(answer.name, answer.length) ||
		    strlen(answer.name) != answer.length || !answer.number ||
		    inet_pton(AF_INET, answer.name, &address) == 1 ||
		    inet_pton(AF_INET6, answer.name, &address) == 1)
			abort();
	}
	if (hostname_is_good((const char *)data, size) && !is_harmless((const char *)data, size))
		abort();
	return 0;
}
