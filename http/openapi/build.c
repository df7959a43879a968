/*
 * Turns the description of the API into what is built of it: api-build table|header|types openapi.yaml, to standard output.
 * It is a program of the build's machine and links nothing of ours.
 */
#include <stdio.h>
#include <string.h>
#include "http/openapi/source.h"

int
main(int argc, char **argv)
{
	static struct operation ops[OPERATIONS_MAX];
	struct source s;
	size_t n;

	if (argc != 3) {
		fputs("usage: api-build table|header|types FILE\n", stderr);
		return 2;
	}
	if (!source_read(argv[2], &s))
		return 1;
	n = operations_read(&s, ops);
	if (mistakes_told() > 0)
		return 1;
	if (strcmp(argv[1], "table") == 0) {
		table_write(ops, n, &s);
	} else if (strcmp(argv[1], "header") == 0) {
		table_header_write(ops, n);
	} else if (strcmp(argv[1], "types") == 0) {
		types_write(&s, ops, n);
	} else {
		fprintf(stderr, "api-build: nothing is called %s\n", argv[1]);
		return 2;
	}
	return mistakes_told() > 0 || fflush(stdout) != 0 || ferror(stdout);
}
