// SPDX-License-Identifier: MIT
/* Times as people write them: any text is a time or is not, and one that is comes back the same as Unix time. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/when.c"

#define NOW 1763733605

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), unix_text[32];
	int64_t first = -1, again = -1;
	const char *why = NULL;

	setenv("TZ", "Europe/Berlin", 1);
	if (when_parse(text, NOW, NOW, &first, &why)) {
		if (first != -1 || !why)
			abort();
	} else if (first >= 0 && first < 100000000000) {
		snprintf(unix_text, sizeof(unix_text), "@%lld", (long long)first);
		if (when_parse(unix_text, NOW, NOW, &again, &why) || again != first)
			abort();
	}
	free(text);
	return 0;
}
