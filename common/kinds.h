/* SPDX-License-Identifier: MIT */
/* How each kind of value in a line is spelled in JSON: in words, and as a JSON Schema. */
#ifndef JOPIL_COMMON_KINDS_H
#define JOPIL_COMMON_KINDS_H

struct kind {
	const char *name;	/* as FIELD and TEXT_FIELD of common/events.def name it */
	const char *words;	/* "integer or null" */
	const char *schema;	/* JSON Schema 2020-12, one object */
};

/* What a key of a row is whose name is no kind: a count. */
#define KINDS_COUNT "{\"type\":\"integer\",\"minimum\":0,\"maximum\":9007199254740991}"

/* NULL if there is no such kind. */
const struct kind *kinds_find(const char *name);

#endif
