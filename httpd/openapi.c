/* SPDX-License-Identifier: MIT */
/* GET /openapi.json: the table of routes as an OpenAPI 3.1 document. */
#include "httpd/openapi.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/version.h"
#include "httpd/answers.h"
#include "httpd/routes.h"
#include "httpd/topics.h"

#define NAME_SIZE 80
#define TYPE_PROBLEM "application/problem+json"

static const struct {
	const char *name, *what;
} tags[TAG_COUNT] = {
	[TAG_LISTS] = { "lists", "Rows of the last snapshot, filtered, sorted, cut" },
	[TAG_SUMMARIES] = { "summaries", "What the last seconds had, and lists grouped by process" },
	[TAG_LIVE] = { "live", "Each snapshot as it comes" },
	[TAG_SERVER] = { "server", "Sums, counters, and httpd itself" },
	[TAG_PAGE] = { "page", "For people" },
};

static const char about[] =
	"What jopil counts on this host, over HTTP. HEAD works wherever GET does, /ws apart. "
	"Errors are application/problem+json (RFC 9457); only requests that are no HTTP at all, or whose "
	"header is beyond 32 KiB, are answered in HTML by the HTTP library. A list takes limit, sort and "
	"fields, and with Accept: application/x-ndjson it is one row a line. Times are Unix time in "
	"milliseconds, bps are bits a second, pps packets a second.";

/* ---- parameters ------------------------------------------------------------ */

static json_t *number_schema(const struct parameter *parameter)
{
	json_t *schema = json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum",
				   (json_int_t)parameter->min, "maximum", (json_int_t)parameter->max);

	if (parameter->preset)
		json_object_set_new(schema, "default", json_integer((json_int_t)parameter->preset));
	return schema;
}

static json_t *text_schema(const struct parameter *parameter)
{
	return json_pack("{s:s, s:i, s:I, s:[s]}", "type", "string", "minLength", 1, "maxLength",
			 (json_int_t)parameter->max,
			 "examples", parameter->example ? parameter->example : "curl");
}

static json_t *word_schema(const struct parameter *parameter)
{
	json_t *words = json_array();

	for (const char *const *word = parameter->words; *word; word++)
		json_array_append_new(words, json_string(*word));
	return json_pack("{s:s, s:o}", "type", "string", "enum", words);
}

/* Any of the words, separated by commas. */
static json_t *words_schema(const struct parameter *parameter)
{
	struct body pattern = { 0 };
	json_t *schema = NULL;

	for (int part = 0; part < 2; part++) {
		body_printf(&pattern, "%s", part ? "(,(" : "^(");
		for (const char *const *word = parameter->words; *word; word++)
			body_printf(&pattern, "%s%s", word > parameter->words ? "|" : "", *word);
		body_printf(&pattern, "%s", part ? "))*$" : ")");
	}
	if (!pattern.failed)
		schema = json_pack("{s:s, s:s%, s:[s]}", "type", "string", "pattern", pattern.data,
				   pattern.length, "examples", *parameter->words);
	free(pattern.data);
	return schema;
}

static json_t *parameter_schema(const struct parameter *parameter)
{
	switch (parameter->kind) {
	case PARAMETER_LIMIT:
	case PARAMETER_NUMBER:
	case PARAMETER_SINCE:
		return number_schema(parameter);
	case PARAMETER_TEXT:
	case PARAMETER_NAME:
		return text_schema(parameter);
	case PARAMETER_SORT:
	case PARAMETER_WORD:
		return word_schema(parameter);
	case PARAMETER_WORDS:
		return words_schema(parameter);
	case PARAMETER_FIELDS:
		return json_pack("{s:s, s:s, s:[s]}", "type", "string", "pattern",
				 "^[a-z0-9_]+(,[a-z0-9_]+)*$", "examples", "host,proto");
	case PARAMETER_IP:
	case PARAMETER_NETWORK:
		break;
	}
	return json_pack("{s:s, s:i, s:[s, s]}", "type", "string", "minLength", 1, "examples",
			 "10.0.0.0/8", parameter->kind == PARAMETER_IP ? "2001:db8::1" : "host");
}

static json_t *describe_parameter(const struct parameter *parameter, const char *in)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", parameter->name, "in", in, "required",
			 !strcmp(in, "path"), "description", parameter->help, "schema",
			 parameter_schema(parameter));
}

static json_t *describe_parameters(const struct route *route)
{
	const struct parameter *parameter = route->parameters;
	json_t *array = json_array();

	if (route->in_path)
		json_array_append_new(array, describe_parameter(route->in_path, "path"));
	for (; parameter && parameter->name && !(route->flags & ROUTE_JSON); parameter++)
		json_array_append_new(array, describe_parameter(parameter, "query"));
	return array;
}

/* A member of a body: null is none, and where that is so also 0 or "". */
static json_t *member_schema(const struct parameter *parameter)
{
	json_t *schema = parameter_schema(parameter);

	if (parameter->empty_is_none && json_object_get(schema, "minimum"))
		json_object_set_new(schema, "minimum", json_integer(0));
	if (parameter->empty_is_none && json_object_get(schema, "minLength"))
		json_object_set_new(schema, "minLength", json_integer(0));
	return json_pack("{s:s, s:[o, {s:s}]}", "description", parameter->help, "anyOf", schema,
			 "type", "null");
}

/* Members that are not named are passed over. */
static json_t *describe_body(const struct route *route)
{
	json_t *properties = json_object();

	for (const struct parameter *p = route->parameters; p && p->name; p++)
		json_object_set_new(properties, p->name, member_schema(p));
	return json_pack("{s:b, s:{s:{s:{s:s, s:o}}}}", "required", 1, "content", TYPE_JSON, "schema",
			 "type", "object", "properties", properties);
}

/* ---- answers --------------------------------------------------------------- */

static bool is_in_stats(const char *key)
{
	return topic_carries(TOPIC_STATS, key);
}

/* /api/stats: members of the snapshot as they are, and httpd's own. */
static json_t *stats_schema(json_t *components)
{
	json_t *schema = schema_snapshot(components, is_in_stats);
	json_t *properties = json_object_get(schema, "properties");
	json_t *required = json_object_get(schema, "required");

	json_object_set_new(properties, "type", json_pack("{s:s}", "const", "stats"));
	json_object_set_new(properties, "httpd",
			    schema_value(components, "object", httpd_members, "httpd's own counters"));
	json_array_append_new(required, json_string("type"));
	json_array_append_new(required, json_string("httpd"));
	return schema;
}

static json_t *text_content(const char *type, const char *what)
{
	return json_pack("{s:{s:{s:s, s:s}}}", type, "schema", "type",
			 strcmp(type, TYPE_JSON) ? "string" : "object", "description", what);
}

static json_t *content_of(const struct route *route, json_t *components)
{
	char what[NAME_SIZE];
	json_t *content;

	if (!route->members)
		return text_content(route->type, route->help);
	content = json_pack("{s:{s:o}}", TYPE_JSON, "schema",
			    route->members == httpd_members ?
			    stats_schema(components) : schema_object(components, route->members));
	if (route->lines) {
		snprintf(what, sizeof(what), "rows of %s, one JSON object a line", route->lines);
		json_object_update_new(content, text_content("application/x-ndjson", what));
	}
	return content;
}

static json_t *success(const struct route *route, json_t *components)
{
	json_t *response = json_pack("{s:s}", "description", route->help);

	if (route->members || route->type)
		json_object_set_new(response, "content", content_of(route, components));
	return response;
}

/* What comes with an error beyond its text. */
static const struct {
	unsigned int status;
	const char *field, *what;
} error_fields[] = {
	{ 401, "WWW-Authenticate", "Bearer" },
	{ 429, "Retry-After", "seconds" },
	{ 405, "Allow", "the methods that there are" },
};

static json_t *describe_error(json_t *components, unsigned int status)
{
	json_t *response = json_pack("{s:s, s:{s:{s:{s:s}}}}", "description",
				     MHD_get_reason_phrase_for(status), "content", TYPE_PROBLEM,
				     "schema", "$ref", "#/components/schemas/problem");

	if (!json_object_get(components, "problem"))
		json_object_set_new(components, "problem",
				    schema_object(components, problem_members));
	for (size_t i = 0; i < sizeof(error_fields) / sizeof(*error_fields); i++)
		if (error_fields[i].status == status)
			json_object_set_new(response, "headers",
					    json_pack("{s:{s:s, s:{s:s}}}", error_fields[i].field,
						      "description", error_fields[i].what, "schema",
						      "type", "string"));
	return response;
}

static void add_error(json_t *responses, json_t *root, unsigned int status)
{
	json_t *components = json_object_get(root, "components");
	json_t *shared = json_object_get(components, "responses");
	char name[NAME_SIZE], number[16], path[NAME_SIZE + 32];

	snprintf(number, sizeof(number), "%u", status);
	snprintf(name, sizeof(name), "problem_%u", status);
	snprintf(path, sizeof(path), "#/components/responses/%s", name);
	if (!json_object_get(shared, name))
		json_object_set_new(shared, name,
				    describe_error(json_object_get(components, "schemas"), status));
	json_object_set_new(responses, number, json_pack("{s:s}", "$ref", path));
}

static json_t *describe_responses(const struct route *route, json_t *root)
{
	static const unsigned int always[] = { 400, 403, 411, 413, 414, 421, 431 };
	json_t *schemas = json_object_get(json_object_get(root, "components"), "schemas");
	json_t *responses = json_object();
	char number[16];

	snprintf(number, sizeof(number), "%u", route->status ? route->status : 200);
	json_object_set_new(responses, number, success(route, schemas));
	if (route->flags & ROUTE_PAGE)
		json_object_set_new(responses, "304", json_pack("{s:s}", "description", "Not Modified"));
	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		add_error(responses, root, always[i]);
	if (!(route->flags & ROUTE_OPEN))
		add_error(responses, root, 401);
	if (!(route->flags & ROUTE_OPEN))
		add_error(responses, root, 429);
	if (route->flags & ROUTE_NUMBER)
		add_error(responses, root, 404);
	if (route->flags & ROUTE_JSON)
		add_error(responses, root, 415);
	if (route->flags & ROUTE_WAITS)
		add_error(responses, root, 503);
	for (size_t i = 0; i < ROUTE_ERRORS_MAX && route->errors[i]; i++)
		add_error(responses, root, route->errors[i]);
	return responses;
}

/* ---- operations ------------------------------------------------------------ */

/* "/api/processes/{pid}"; the files of the page are "/". */
static void path_of(const struct route *route, char path[NAME_SIZE])
{
	if (route->in_path)
		snprintf(path, NAME_SIZE, "%s{%s}", route->path, route->in_path->name);
	else
		snprintf(path, NAME_SIZE, "%s", *route->path ? route->path : "/");
}

/* GET /api/processes/{pid} is getApiProcessesPid. */
static void operation_id(const struct route *route, char name[NAME_SIZE])
{
	char path[NAME_SIZE];
	bool up = false;
	size_t length = 0;

	for (const char *p = route->method; *p; p++)
		name[length++] = (char)tolower((unsigned char)*p);
	path_of(route, path);
	for (const char *p = *route->path ? path : "/page"; *p && length < NAME_SIZE - 1; p++) {
		if (isalnum((unsigned char)*p))
			name[length++] = up ? (char)toupper((unsigned char)*p) : *p;
		up = !isalnum((unsigned char)*p);
	}
	name[length] = '\0';
}

static json_t *describe_operation(const struct route *route, json_t *root)
{
	char name[NAME_SIZE];
	json_t *operation, *parameters = describe_parameters(route);

	operation_id(route, name);
	operation = json_pack("{s:s, s:s, s:[s]}", "operationId", name, "summary", route->help,
			      "tags", tags[route->tag].name);
	if (json_array_size(parameters))
		json_object_set(operation, "parameters", parameters);
	json_decref(parameters);
	if (route->flags & ROUTE_JSON)
		json_object_set_new(operation, "requestBody", describe_body(route));
	json_object_set_new(operation, "responses", describe_responses(route, root));
	if (route->flags & ROUTE_OPEN)
		json_object_set_new(operation, "security", json_array());
	return operation;
}

static void add_route(json_t *root, const struct route *route)
{
	json_t *paths = json_object_get(root, "paths");
	char path[NAME_SIZE], method[NAME_SIZE];
	size_t length = strlen(route->method);
	json_t *item;

	path_of(route, path);
	item = json_object_get(paths, path);
	if (!item) {
		item = json_object();
		json_object_set_new(paths, path, item);
	}
	for (size_t i = 0; i <= length; i++)
		method[i] = (char)tolower((unsigned char)route->method[i]);
	json_object_set_new(item, method, describe_operation(route, root));
}

/* ---- the document ---------------------------------------------------------- */

static json_t *describe_tags(void)
{
	json_t *array = json_array();

	for (size_t i = 0; i < TAG_COUNT; i++)
		json_array_append_new(array, json_pack("{s:s, s:s}", "name", tags[i].name,
						       "description", tags[i].what));
	return array;
}

static json_t *describe_security(const char *cookie)
{
	return json_pack("{s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s, s:s}}",
			 "bearer", "type", "http", "scheme", "bearer", "description",
			 "the token of --token-file; without one, nothing is asked for",
			 "cookie", "type", "apiKey", "in", "cookie", "name", cookie,
			 "description", "what POST /api/session sets, for the page itself");
}

static json_t *describe(const char *cookie)
{
	json_t *root = json_pack(
		"{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:[{s:s, s:s}], s:[{s:[]}, {s:[]}, {}], s:o,"
		" s:{}, s:{s:o, s:{}, s:{}}}",
		"openapi", "3.1.0", "info", "title", "jopil", "version", JOPIL_VERSION, "description",
		about, "license", "name", "MIT", "identifier", "MIT", "servers", "url", "/",
		"description", "this one", "security", "bearer", "cookie", "tags", describe_tags(),
		"paths", "components", "securitySchemes", describe_security(cookie), "responses", "schemas");

	for (const struct route *route = routes; root && route->path; route++)
		add_route(root, route);
	return root;
}

static int make_document(struct server *server)
{
	json_t *root = describe(server->sessions.name);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;

	json_decref(root);
	if (text)
		server->openapi = blob_new(text, strlen(text));
	free(text);
	return server->openapi ? 0 : -1;
}

static void free_blob(void *closure)
{
	blob_unref(closure);
}

enum MHD_Result openapi_answer(struct server *server, struct request *request)
{
	struct MHD_Response *response;
	struct MHD_IoVec part;
	struct blob *blob;

	if (!server->openapi && make_document(server))
		return MHD_NO;
	blob = blob_ref(server->openapi);
	part = (struct MHD_IoVec){ blob->data, blob->length };
	response = MHD_create_response_from_iovec(&part, 1, free_blob, blob);
	if (!response)
		blob_unref(blob);
	return reply_send(request, MHD_HTTP_OK, response, TYPE_JSON, CACHE_CHECK, NULL);
}
