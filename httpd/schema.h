/* SPDX-License-Identifier: MIT */
/* What answers hold, as tables; and as JSON Schema, with what common/events.def says of snapshots. */
#ifndef JOPIL_HTTPD_SCHEMA_H
#define JOPIL_HTTPD_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

/*
 * One member of an object. Its kind is one of
 *
 *   a kind of common/kinds.h	"integer" "unix_ms" "strings" ...
 *   "object:a b=kind", "rows:a b=kind"	as in common/events.def: a key that is no kind is a count
 *   "object", "rows"		an object, or an array of them, with the members of .of
 *   "snapshot:KEY"		the snapshot's member KEY, as common/events.def has it
 *   "report:QUESTION"		rows of an answer of report, by common/questions.h
 *   "list"			rows, of which the parameter `fields` may leave members out
 *   "list:KEY"			the snapshot's member KEY, likewise
 *   "row:KEY"			one whole row of the snapshot's list KEY
 *   "array:KIND", "map:KIND"	an array, or an object with any keys, of those
 *   "null:KIND"		null, or that
 *   "const:TEXT"		that string
 *   "word:a b c"		one of those strings
 *   "{..."			a JSON Schema
 */
struct member {
	const char *key;	/* NULL ends a table; "*": what else a "row:KEY" has */
	const char *kind;
	const char *what;	/* for people, with the unit; NULL: nothing to say beyond its name */
	const struct member *of;
	bool optional;
};

/*
 * The schema of an object with just these members. What it refers to is added to
 * components, an object by name. NULL without memory, or if a kind is not known.
 */
json_t *schema_object(json_t *components, const struct member *members);

/* The schema of one value; what may be NULL. NULL as above. */
json_t *schema_value(json_t *components, const char *kind, const struct member *of,
		     const char *what);

/* The schema of a whole snapshot, or of what has the members that takes() says yes to. */
json_t *schema_snapshot(json_t *components, bool (*takes)(const char *key));

#endif
