/*
 * The program that makes the table of routes: it takes the description of this tree, and refuses a copy with any one mistake,
 * naming the file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

extern char **environ;

static char program[4096], copy[64] = "/tmp/koshin-openapi-XXXXXX",
			   said[64] = "/tmp/koshin-said-XXXXXX";
static const char source[] = "doc/openapi.yaml";

static void
read_file(const char *path, struct buf *out)
{
	char chunk[8192];
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	buf_clear(out);
	for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
		buf_put(out, chunk, n);
	(void)fclose(f);
	buf_putc(out, '\0');
	assert_int_equal(out->err, ERR_OK);
}

/* Runs it on a file; its words end up in `words`. */
static int
run(const char *what, const char *path, struct buf *words)
{
	char *argv[] = { program, strdup(what), strdup(path), NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, said, O_WRONLY | O_TRUNC, 0);
	assert_int_equal(posix_spawn(&pid, program, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	free(argv[1]);
	free(argv[2]);
	read_file(said, words);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_this_tree(void **state)
{
	AUTO_BUF words = { .max = 1 << 20 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		static const char *const what[] = { "table", "header", "types" };

		if (run(what[i], source, &words) != 0)
			fail_msg("%s: %s", what[i], words.p);
	}
	assert_int_equal(run("nothing", source, &words), 2);
	assert_int_equal(run("table", "/nonexistent", &words), 1);
}

/* The first `from` of the file becomes `to`; then these words are said. */
static const struct {
	int line;
	const char *from, *to, *words;
	bool is_of_types; /* the table does not need it */
} rows[] = {
	{ __LINE__, "operationId: sites_list", "operationId: sitesList", "expected operationId",
	    false },
	{ __LINE__, "operationId: sites_list", "operationId: sites_add",
	    "two operations of the name sites_add", false },
	{ __LINE__, "x-who: [owner, support, operator]", "x-who: [owner, suport]",
	    "nobody is called suport", false },
	{ __LINE__, "      x-who: [owner, support, operator]\n", "",
	    "sites_list: expected x-who", false },
	{ __LINE__, "#/components/schemas/NewSite\"", "#/components/schemas/NoSite\"",
	    "there is no #/components/schemas/NoSite", false },
	{ __LINE__, "maxLength: 253 }", "pattern: \"^a\" }",
	    "does not check \"pattern\" of a string", false },
	{ __LINE__, "schema: { type: string, maxLength: 253 }", "schema: { type: number }",
	    "field \"search\": expected one type of", false },
	{ __LINE__, "in: query", "in: cookie", "expected in: path, query or header", false },
	{ __LINE__, "  /sites/{name}:", "  /sites/{site}:", "expected a parameter for {name}",
	    false },
	{ __LINE__, "  /sites/{name}:", "  /sites/name:",
	    "a parameter that the path does not have", false },
	{ __LINE__, "required: [names, owner]", "required: [names, woner]",
	    "there is no property \"woner\"", false },
	{ __LINE__, "    NewSite:\n      type: object\n      additionalProperties: false\n",
	    "    NewSite:\n      type: object\n", "sites_add: expected a flat object", false },
	{ __LINE__, "        \"413\": { $ref: \"#/components/responses/TooLong\" }\n", "",
	    "expected 413", false },
	{ __LINE__, "        \"422\": { $ref: \"#/components/responses/Invalid\" }\n", "",
	    "sites_list: it has parameters; expected 422", false },
	{ __LINE__, "        \"404\": { $ref: \"#/components/responses/NotFound\" }\n", "",
	    "expected 404", false },
	{ __LINE__, "        \"201\":", "        \"301\":",
	    "sites_add: 301: expected a problem document", false },
	{ __LINE__, "maximum: 500", "maximum: many", "maximum: expected a whole number",
	    false },
	{ __LINE__, "openapi: 3.1.0", "openapi: [3.1.0", "did not find expected", false },
	{ __LINE__, "paths:\n", "path:\n", "expected paths", false },
	{ __LINE__, "ok, \"off\"]", "ok, off]", "off: expected in quotes", true },
	{ __LINE__, "items: { $ref: \"#/components/schemas/SiteRow\" }",
	    "items: { $ref: \"#/components/schemas/Row\" }",
	    "there is no #/components/schemas/Row", true },
};

static void
test_mistakes(void **state)
{
	AUTO_BUF text = { .max = 1 << 20 };
	AUTO_BUF words = { .max = 1 << 20 };

	(void)state;
	read_file(source, &text);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *at = strstr(text.p, rows[i].from);
		FILE *f = fopen(copy, "wb");

		assert_non_null(f);
		if (at == NULL)
			fail_msg("%s:%d: the description has no \"%s\"", __FILE__, rows[i].line,
			    rows[i].from);
		(void)fprintf(f, "%.*s%s%s", (int)(at - text.p), text.p, rows[i].to,
		    at + strlen(rows[i].from));
		assert_int_equal(fclose(f), 0);
		int status = run(rows[i].is_of_types ? "types" : "table", copy, &words);
		if (status != 1 || strstr(words.p, rows[i].words) == NULL ||
		    strstr(words.p, copy) != words.p)
			fail_msg(
			    "%s:%d: status %d: %s", __FILE__, rows[i].line, status, words.p);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_this_tree),
		cmocka_unit_test(test_mistakes),
	};
	char *slash = strstr(argv[0], "/test/unit/");
	int status;

	(void)argc;
	if (slash == NULL) {
		(void)fprintf(stderr, "expected to be run as BUILD/test/unit/api_build, in the "
				      "folder of the sources\n");
		return 1;
	}
	(void)snprintf(
	    program, sizeof program, "%.*s/api-build", (int)(slash - argv[0]), argv[0]);
	(void)close(mkstemp(copy));
	(void)close(mkstemp(said));
	status = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(copy);
	(void)unlink(said);
	return status;
}
