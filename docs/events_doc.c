/* SPDX-License-Identifier: MIT */
/* Prints docs/EVENTS.md, docs/events.schema.json or docs/man/jopil-lines.5 from common/events.def. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/kinds.h"
#include "common/protocol.h"
#include "common/version.h"

/* events.def as one table: a row with .title begins a line or record, the others belong to it. */
struct row {
	const char *title;	/* "packet" */
	const char *producer;	/* "reader" */
	const char *key;	/* "src_ip" */
	const char *kind;	/* "src_ip", a JSON type, "rows:a b c"; of a member its C type */
	const char *what;
};

static const struct row lines[] = {
#define LINE(name, record, producer_, what_) { .title = #name, .producer = producer_, .what = what_ },
#define FIELD(key_, kind_, what_, ...) { .key = #key_, .kind = #kind_, .what = what_ },
#define TEXT(name, producer_, what_) { .title = #name, .producer = producer_, .what = what_ },
#define TEXT_FIELD(key_, json, what_) { .key = #key_, .kind = json, .what = what_ },
#include "common/events.def"
};

static const struct row records[] = {
#define RECORD(name, size, what_) { .title = #name, .producer = #size, .what = what_ },
#define MEMBER(type, name, dimension, what_) { .key = #name #dimension, .kind = #type, .what = what_ },
#include "common/events.def"
};

#define N(array) (sizeof(array) / sizeof(array[0]))

#define ROWS "rows:"
#define OBJECT "object:"

static bool begins(const char *kind, const char *prefix)
{
	return !strncmp(kind, prefix, strlen(prefix));
}

/* An object with the keys of "a b c=boolean"; a key that is no kind is a count. */
static void print_object_schema(const char *key_list)
{
	char words[512], keys[1024] = "", *save, *word;

	printf("{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{");
	snprintf(words, sizeof(words), "%s", key_list);
	for (word = strtok_r(words, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		char *kind = strchr(word, '=');
		const struct kind *row = kinds_find(kind ? kind + 1 : word);
		size_t used = strlen(keys);

		if (kind)
			*kind = '\0';
		printf("%s\"%s\":%s", used ? "," : "", word, row ? row->schema : KINDS_COUNT);
		snprintf(keys + used, sizeof(keys) - used, "%s\"%s\"", used ? "," : "", word);
	}
	printf("},\"required\":[%s]}", keys);
}

static int print_property(const struct row *r)
{
	const struct kind *kind = kinds_find(r->kind);

	printf(",\n        \"%s\": ", r->key);
	if (begins(r->kind, ROWS)) {
		printf("{\"type\":\"array\",\"items\":");
		print_object_schema(r->kind + strlen(ROWS));
		printf("}");
		return 0;
	}
	if (begins(r->kind, OBJECT)) {
		print_object_schema(r->kind + strlen(OBJECT));
		return 0;
	}
	if (!kind) {
		fprintf(stderr, "events_doc: kind '%s' of '%s' has no row\n", r->kind, r->key);
		return 1;
	}
	fputs(kind->schema, stdout);
	return 0;
}

/* The schema of the line that begins at *r; moves *r behind it. */
static int print_line_schema(const struct row **r, const struct row *end)
{
	const struct row *title = (*r)++, *field;
	int status = 0;

	printf("    {\n      \"title\": \"%s\",\n      \"type\": \"object\",\n"
	       "      \"additionalProperties\": false,\n      \"properties\": {\n"
	       "        \"type\": {\"const\":\"%s\"}", title->title, title->title);
	for (field = *r; field < end && !field->title; field++)
		status |= print_property(field);
	printf("\n      },\n      \"required\": [\"type\"");
	for (; *r < field; (*r)++)
		printf(", \"%s\"", (*r)->key);
	printf("]\n    }%s\n", *r < end ? "," : "");
	return status;
}

static int print_schema(void)
{
	const struct row *r = lines;
	int status = 0;

	printf("{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
	       "  \"title\": \"jopil lines, schema %d\",\n  \"oneOf\": [\n", JOPIL_SCHEMA);
	while (r < lines + N(lines))
		status |= print_line_schema(&r, lines + N(lines));
	printf("  ]\n}\n");
	return status;
}

static void print_line_row(const struct row *r)
{
	const struct kind *kind = r->kind ? kinds_find(r->kind) : NULL;

	if (r->title)
		printf("\n## %s\n\nFrom %s. %s\n\n| key | type | meaning |\n|---|---|---|\n", r->title,
		       r->producer, r->what);
	else if (begins(r->kind, ROWS))
		printf("| `%s` | rows of %s | %s |\n", r->key, r->kind + strlen(ROWS), r->what);
	else if (begins(r->kind, OBJECT))
		printf("| `%s` | object of %s | %s |\n", r->key, r->kind + strlen(OBJECT), r->what);
	else
		printf("| `%s` | %s | %s |\n", r->key, kind ? kind->words : r->kind, r->what);
}

static void print_record_row(const struct row *r)
{
	if (r->title)
		printf("\n### struct %s\n\n%s bytes: %s.\n\n| member | type | meaning |\n|---|---|---|\n",
		       r->title, r->producer, r->what);
	else
		printf("| `%s` | `%s` | %s |\n", r->key, r->kind, r->what);
}

static void print_protocols(void)
{
	char name[PROTOCOL_NAME_MAX];

	printf("\n## proto\n\nThe upper-layer protocol behind IPv6 extension headers, of the outermost IP"
	       " header;\nMPLS labels and PPPoE sessions are looked through. Names:\n\n");
	for (u16 n = 0; n < 256; n++)
		if (protocol_name(4, n, name) && (name[0] < '0' || name[0] > '9'))
			printf("`%s` ", name);
	printf("\n\nAny other IP protocol is its number as a string (`\"253\"`). Frames that are not IP,"
	       " by ethertype:\n\n");
	for (unsigned int row = 256; row < TOTAL_OTHER; row++)
		if (protocol_row_name(row, name))
			printf("`%s` ", name);
	printf("\n\nand any other ethertype in four hex digits (`\"0x88b5\"`). `LLC` is an 802.3 length"
	       " field. `0x0800`\nand `0x86dd` are frames whose IP header is not whole.\n");
}

static void print_probe_counters(void)
{
	static const struct row counters[] = {
#define PROBE_COUNTER(probe, name, what_) { .producer = #probe, .key = #name, .what = what_ },
#include "common/probe_counters.def"
	};

	printf("\n## Counters of probes\n\nWhat `probe` lines hold.\n\n| probe | counter | meaning |\n"
	       "|---|---|---|\n");
	for (size_t i = 0; i < N(counters); i++)
		printf("| %s | `%s` | %s |\n", counters[i].producer, counters[i].key, counters[i].what);
}

static int print_markdown(void)
{
	printf("<!-- Made by `make docs` from common/events.def. -->\n# Lines\n\n"
	       "NDJSON, schema %d: one JSON object a line, UTF-8, flat unless said. Every key of a type is\n"
	       "always present; `null` only where a value does not exist for that record. A line fits\n"
	       "4096 bytes. Unknown keys are to be ignored, unknown types to be passed over.\n"
	       "`events.schema.json` says the same for machines.\n", JOPIL_SCHEMA);
	for (size_t i = 0; i < N(lines); i++)
		print_line_row(&lines[i]);
	print_protocols();
	print_probe_counters();
	printf("\n## Records\n\nWhat the kernel's programs write and the reader turns into lines.\n");
	for (size_t i = 0; i < N(records); i++)
		print_record_row(&records[i]);
	return 0;
}

/* ---- jopil-lines(5) -------------------------------------------------------------- */

#define MAN_COLUMNS 78

/* Prose for mdoc(7): sentences begin lines, backticks go, what would be a macro does not begin one. */
static void print_prose(const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t length = strcspn(text, " ");
		bool ends = length && strchr(".:", text[length - 1]);

		if (column && column + 1 + length > MAN_COLUMNS) {
			putchar('\n');
			column = 0;
		} else if (column) {
			putchar(' ');
			column++;
		}
		if (!column && strchr(".'", *text))
			fputs("\\&", stdout);
		for (size_t i = 0; i < length; i++)
			if (text[i] != '`')
				putchar(text[i]);
		column += length;
		text += length + strspn(text + length, " ");
		if (ends && *text) {
			putchar('\n');
			column = 0;
		}
	}
	putchar('\n');
}

static void print_man_row(const struct row *r, bool is_first)
{
	const struct kind *kind = r->kind ? kinds_find(r->kind) : NULL;
	char text[1024];

	if (r->title) {
		printf("%s.Ss %s\n", is_first ? "" : ".El\n", r->title);
		snprintf(text, sizeof(text), "From %s. %s", r->producer, r->what);
		print_prose(text);
		printf(".Bl -tag -width Ds\n");
		return;
	}
	printf(".It Va %s\n", r->key);
	if (begins(r->kind, ROWS))
		snprintf(text, sizeof(text), "Rows of %s: %s", r->kind + strlen(ROWS), r->what);
	else if (begins(r->kind, OBJECT))
		snprintf(text, sizeof(text), "Object of %s: %s", r->kind + strlen(OBJECT), r->what);
	else
		snprintf(text, sizeof(text), "(%s) %s", kind ? kind->words : r->kind, r->what);
	print_prose(text);
}

static int print_man(void)
{
	printf(".\\\" SPDX-License-Identifier: MIT\n.\\\" Made by `make docs` from common/events.def.\n"
	       ".Dd November 21, 2026\n.Dt JOPIL-LINES 5\n.Os\n.Sh NAME\n.Nm jopil-lines\n"
	       ".Nd what jopil's programs write and read\n.Sh DESCRIPTION\n"
	       "Schema %d: one JSON object a line, UTF-8, flat unless said.\n"
	       "Every key of a type is always present;\n.Dq null\n"
	       "only where a value does not exist for that record.\nA line fits 4096 bytes.\n"
	       "Unknown keys are to be ignored, unknown types to be passed over, and so are\n"
	       "empty lines.\n.Pp\nThe key\n.Va type\nis the name of the section below.\n",
	       JOPIL_SCHEMA);
	for (size_t i = 0; i < N(lines); i++)
		print_man_row(&lines[i], i == 0);
	printf(".El\n.Sh EXAMPLES\n.Dl jopil-reader | jq 'select(.type == \\(dqflow\\(dq)'\n"
	       ".Sh SEE ALSO\n.Xr jopil 1 ,\n.Xr jopil-aggregator 1 ,\n.Xr jopil-reader 1\n");
	return 0;
}

int main(int argc, char **argv)
{
	int status = 2;

	if (argc == 2 && !strcmp(argv[1], "markdown"))
		status = print_markdown();
	else if (argc == 2 && !strcmp(argv[1], "schema"))
		status = print_schema();
	else if (argc == 2 && !strcmp(argv[1], "man"))
		status = print_man();
	else
		fprintf(stderr, "usage: events_doc markdown|schema|man\n");
	if (fflush(stdout) || ferror(stdout))
		return 1;
	return status;
}
