// SPDX-License-Identifier: MIT
/* Everything of a request that httpd reads itself: targets, hosts, origins, fields; and JSON texts. */
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "httpd/json_text.c"
#include "common/utf8.c"
#include "httpd/websocket.c"
#include "httpd/query.c"
#include "httpd/site.c"

#define slice_is field_slice_is	/* the one static name that two of them share */
#include "httpd/field.c"

static void fuzz_target(char *text, size_t size)
{
	struct target target;

	if (target_parse(text, &target))
		return;
	if (target.path[0] != '/' || strlen(target.path) > size ||
	    target.query.count > QUERY_PAIRS_MAX)
		abort();
	for (size_t i = 0; i < target.query.count; i++)
		if (strlen(target.query.pair[i].name) + strlen(target.query.pair[i].value) > size)
			abort();
}

static void fuzz_site(const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct site site = { .names = { "web1" }, .name_count = 1 };

	memcpy(&site.address, &address, sizeof(address));
	/* Whatever is taken for us leads here: a loopback address or a name we know. */
	if (site_is_host(&site, text) && strncasecmp(text, "localhost", 9) &&
	    strncasecmp(text, "web1", 4) && strncmp(text, "127.", 4) && text[0] != '[')
		abort();
	site_is_same_origin(text, "localhost:5000");
	site_is_same_origin("http://localhost:5000", text);
}

static void fuzz_fields(const char *text)
{
	field_has_token(text, "upgrade");
	field_takes_gzip(text);
	field_has_etag(text, "\"0123\"");
	field_is_name(text);
}

static void fuzz_json(const char *text, size_t size)
{
	struct slice key, value, all = { text, size };
	struct json_walk walk;

	json_text_get(all, "flows", &value);
	if (!json_walk_enter(&walk, all))
		return;
	while (json_walk_member(&walk, &key, &value))
		if (key.data < text || value.data + value.length > text + size || !value.length)
			abort();
	json_walk_enter(&walk, all);
	while (json_walk_element(&walk, &value))
		if (value.data < text || value.data + value.length > text + size || !value.length)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	switch (data[0] % 4) {
	case 0:
		fuzz_target(text, size);
		break;
	case 1:
		fuzz_site(text);
		break;
	case 2:
		fuzz_fields(text);
		break;
	case 3:
		fuzz_json(text, size - 1);
		break;
	}
	free(text);
	return 0;
}
