/* SPDX-License-Identifier: MIT */
/* The answers that are files of the page. */
#include "httpd/page.h"

#include <stdio.h>
#include <unistd.h>

#include "httpd/assets.h"
#include "httpd/field.h"

#define ETAG_MAX 80

bool page_exists(const struct server *server, const char *path)
{
	size_t size;
	int fd;

	if (server->config.web_fd < 0)
		return assets_find(path);
	fd = assets_open(server->config.web_fd, path, &size);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static enum MHD_Result answer_file(struct server *server, struct request *request)
{
	const char *path = request->target.path;
	struct MHD_Response *response;
	size_t size;
	int fd = assets_open(server->config.web_fd, path, &size);

	if (fd < 0)
		return reply_problem(request, MHD_HTTP_NOT_FOUND, NULL, "there is nothing at %s", path);
	response = MHD_create_response_from_fd64(size, fd);
	if (!response)
		close(fd);
	return reply_send(request, MHD_HTTP_OK, response, assets_type(path), CACHE_NEVER, NULL);
}

static enum MHD_Result answer_asset(struct request *request, const struct asset *asset, bool gzip)
{
	char etag[ETAG_MAX];
	const struct reply_field fields[] = {
		{ "ETag", etag },
		{ "Vary", "Accept-Encoding" },
		{ gzip ? "Content-Encoding" : NULL, "gzip" },
		{ NULL, NULL },
	};
	struct MHD_Response *response;

	/* Two representations, two tags (RFC 9110 section 8.8.3.3). */
	snprintf(etag, sizeof(etag), "\"%s%s\"", asset->etag, gzip ? "-gzip" : "");
	if (field_has_etag(request_field(request, "If-None-Match"), etag)) {
		response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
		return reply_send(request, MHD_HTTP_NOT_MODIFIED, response, NULL, CACHE_CHECK,
				  fields);
	}
	response = MHD_create_response_from_buffer(gzip ? asset->gzip_length : asset->plain_length,
						   (void *)(gzip ? asset->gzip : asset->plain),
						   MHD_RESPMEM_PERSISTENT);
	return reply_send(request, MHD_HTTP_OK, response, assets_type(asset->path), CACHE_CHECK,
			  fields);
}

enum MHD_Result page_answer(struct server *server, struct request *request)
{
	const struct asset *asset;

	if (server->config.web_fd >= 0)
		return answer_file(server, request);
	asset = assets_find(request->target.path);
	return answer_asset(request, asset, asset->gzip &&
			    field_takes_gzip(request_field(request, "Accept-Encoding")));
}
