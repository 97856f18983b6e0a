// SPDX-License-Identifier: MIT
/* Writes docs/PROMETHEUS.md anew: its table of families out of httpd/metric_table.c, all else as it is. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "httpd/metric.h"

#define BEGIN "<!-- families: made by `make docs` from httpd/metric_table.c -->\n"
#define END "<!-- end of families -->\n"
#define LINE_MAX_BYTES 4096

static void print_families(void)
{
	static const char *const types[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
	};

	printf("| family | type | unit | labels | meaning |\n|---|---|---|---|---|\n");
	for (const struct metric *metric = metric_table; metric->name; metric++)
		printf("| `%s` | %s | %s | %s | %s |\n", metric->name, types[metric->type], metric->unit,
		       metric->labels, metric->help);
}

static int copy(FILE *from)
{
	char line[LINE_MAX_BYTES];
	bool inside = false, found = false;

	while (fgets(line, sizeof(line), from)) {
		if (inside && !strcmp(line, END))
			inside = false;
		if (inside)
			continue;
		fputs(line, stdout);
		if (strcmp(line, BEGIN))
			continue;
		inside = found = true;
		print_families();
	}
	if (found && !inside)
		return 0;
	fprintf(stderr, "metrics_doc: the comments around the table are not there\n");
	return 1;
}

int main(int argc, char **argv)
{
	FILE *from = argc == 2 ? fopen(argv[1], "re") : NULL;
	int status;

	if (!from) {
		fprintf(stderr, "usage: metrics_doc docs/PROMETHEUS.md\n");
		return 2;
	}
	status = copy(from);
	fclose(from);
	return fflush(stdout) || ferror(stdout) ? 1 : status;
}
