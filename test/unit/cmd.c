/* The command line: what a line of words means, which are refused, and what may reach a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd/cmd.c"
#include "cmd/terminal.c"

/* What the command that ran was given, as one line. */
static char ran[1024];

static int
keep(struct cmd *c)
{
	(void)snprintf(ran, sizeof ran, "%s file=%s json=%d verbose=%d lang=%s x=%s flag=%d",
	    c->command->name, c->config_file, c->is_json, c->is_verbose, lang_name(c->lang),
	    cmd_value(c, "names") == NULL ? "(none)" : cmd_value(c, "names"),
	    cmd_has(c, "wait"));
	for (size_t i = 0; i < c->args_n; i++) {
		size_t n = strlen(ran);

		(void)snprintf(ran + n, sizeof ran - n, " [%s]", c->args[i]);
	}
	return 42;
}

static const struct command commands[] = {
	{ "site add", keep, "NAME...", 0, 3, "  koshin site add a.jp\n",
	    { { "names", "X" }, { "wait", NULL } } },
	{ "check", keep, "NAME", 1, 1, "  koshin check a.jp\n",
	    { { "names", "X" }, { "wait", NULL } } },
	{ NULL, NULL, NULL, 0, 0, NULL, { { NULL, NULL } } },
};

#define BASE "file=/etc/koshin/koshin.yaml json=0 verbose=0 lang=en x=(none) flag=0"
enum { WORDS_MAX = 10 };
static const struct {
	int line;
	const char *words[WORDS_MAX];
	int status; /* 42: it ran */
	const char *ran;
} rows[] = {
	{ __LINE__, { "check", "a.jp" }, 42, "check " BASE " [a.jp]" },
	{ __LINE__, { "site", "add" }, 42, "site add " BASE },
	{ __LINE__, { "site", "add", "a", "b", "c" }, 42, "site add " BASE " [a] [b] [c]" },
	{ __LINE__, { "site", "add", "--", "--wait", "-v" }, 42,
	    "site add " BASE " [--wait] [-v]" },
	{ __LINE__, { "site", "add", "-" }, 42, "site add " BASE " [-]" },
	{ __LINE__, { "check", "--wait", "a", "--names", "v" }, 42,
	    "check file=/etc/koshin/koshin.yaml json=0 verbose=0 lang=en x=v flag=1 [a]" },
	{ __LINE__, { "check", "--names=", "a" }, 42,
	    "check file=/etc/koshin/koshin.yaml json=0 verbose=0 lang=en x= flag=0 [a]" },
	{ __LINE__, { "check", "--names", "--wait", "a" }, 42,
	    "check file=/etc/koshin/koshin.yaml json=0 verbose=0 lang=en x=--wait flag=0 [a]" },
	{ __LINE__, { "-c", "f", "--json", "check", "a", "-v", "--lang=ja" }, 42,
	    "check file=f json=1 verbose=1 lang=ja x=(none) flag=0 [a]" },
	{ __LINE__, { "check", "a", "--config=g" }, 42,
	    "check file=g json=0 verbose=0 lang=en x=(none) flag=0 [a]" },
	{ __LINE__, { "check" }, CMD_MISUSED, "" },
	{ __LINE__, { "check", "a", "b" }, CMD_MISUSED, "" },
	{ __LINE__, { "site" }, CMD_MISUSED, "" },
	{ __LINE__, { "add" }, CMD_MISUSED, "" },
	{ __LINE__, { "sit", "add" }, CMD_MISUSED, "" },
	{ __LINE__, { "check", "a", "--nothing" }, CMD_MISUSED, "" },
	{ __LINE__, { "check", "a", "--wait=1" }, CMD_MISUSED, "" },
	{ __LINE__, { "check", "a", "--names" }, CMD_MISUSED, "" },
	{ __LINE__, { "check", "a", "-x" }, CMD_MISUSED, "" },
	{ __LINE__,
	    { "check", "a",
		"--"
		"lang",
		"de" },
	    CMD_MISUSED, "" },
	{ __LINE__, { "--wait", "check", "a" }, CMD_MISUSED, "" },
	{ __LINE__, { "-c" }, CMD_MISUSED, "" },
	{ __LINE__, { "check", "--help" }, CMD_DONE, "" },
	{ __LINE__, { "--help" }, CMD_DONE, "" },
	{ __LINE__, { NULL }, CMD_MISUSED, "" },
};

/* Help and complaints are for people; here only what they lead to is looked at. */
static void
silence(bool is_on)
{
	static int kept[2] = { -1, -1 };
	FILE *streams[2] = { stdout, stderr };

	for (int fd = 1; fd <= 2; fd++) {
		(void)fflush(streams[fd - 1]);
		if (is_on) {
			FILE *nothing = fopen("/dev/null", "we");

			assert_non_null(nothing);
			kept[fd - 1] = dup(fd);
			assert_true(kept[fd - 1] >= 0 && dup2(fileno(nothing), fd) == fd);
			(void)fclose(nothing);
		} else {
			assert_true(dup2(kept[fd - 1], fd) == fd);
			(void)close(kept[fd - 1]);
		}
	}
}

static int
run(const char *const *words)
{
	static char program[] = "koshin";
	char *argv[WORDS_MAX + 2] = { program }, copies[WORDS_MAX][64];
	int argc = 1, status;

	for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++) {
		(void)snprintf(copies[i], sizeof copies[i], "%s", words[i]);
		argv[argc++] = copies[i];
	}
	ran[0] = '\0';
	silence(true);
	status = cmd_main(commands, argc, argv);
	silence(false);
	return status;
}

static void
test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int status = run(rows[i].words);

		if (status != rows[i].status || strcmp(ran, rows[i].ran) != 0)
			fail_msg("%s:%d: status %d: %s", __FILE__, rows[i].line, status, ran);
	}
}

static void
test_language(void **state)
{
	static const struct {
		int line;
		const char *all, *messages, *lang, *wanted;
	} settings[] = {
		{ __LINE__, "ja_JP.UTF-8", "en_US.UTF-8", "en", "lang=ja" },
		{ __LINE__, "", "ja", "en", "lang=ja" },
		{ __LINE__, NULL, NULL, "ja_JP", "lang=ja" },
		{ __LINE__, "C", "ja", "ja", "lang=en" },
		{ __LINE__, NULL, NULL, NULL, "lang=en" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		const char *names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
		const char *values[] = { settings[i].all, settings[i].messages,
			settings[i].lang };

		for (size_t k = 0; k < 3; k++)
			if ((values[k] == NULL ? unsetenv(names[k])
					       : setenv(names[k], values[k], 1)) != 0)
				fail();
		(void)run((const char *const[WORDS_MAX]){ "check", "a" });
		if (strstr(ran, settings[i].wanted) == NULL)
			fail_msg("%s:%d: %s", __FILE__, settings[i].line, ran);
	}
	(void)unsetenv("LANG");
}

static void
test_terminal(void **state)
{
	static const struct {
		int line;
		struct str text;
		size_t width;
		const char *shown;
	} texts[] = {
		{ __LINE__, { NULL, 0 }, 0, "" }, { __LINE__, { "abc", 3 }, 3, "abc" },
		{ __LINE__, { "日本語.jp", 12 }, 9, "日本語.jp" },
		{ __LINE__, { "a\033[31mb", 7 }, 7, "a?[31mb" }, /* no colour */
		{ __LINE__, { "a\nb\rc\td", 7 }, 7, "a?b?c?d" }, /* no line, no column */
		{ __LINE__,
		    { "a\xc2\x9b"
		      "31m",
			6 },
		    5, "a?31m" },			    /* C1: CSI in one character */
		{ __LINE__, { "a\xff\xfe", 3 }, 3, "a??" }, /* no UTF-8 */
		{ __LINE__, { "\xe6\x97", 2 }, 2, "??" },   /* cut in the middle */
		{ __LINE__, { "a\0b", 3 }, 3, "a?b" },
		{ __LINE__, { "e\xcc\x81", 3 }, 1,
		    "e\xcc\x81" }, /* a mark that combines takes no place */
		{ __LINE__,
		    { "a\xe2\x80\xae"
		      "b",
			5 },
		    3, "a?b" }, /* right-to-left override */
	};

	(void)state;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		char *out = NULL;
		size_t n = 0;
		FILE *f = open_memstream(&out, &n);

		assert_non_null(f);
		terminal_put(f, texts[i].text);
		(void)fclose(f);
		if (strcmp(out, texts[i].shown) != 0 ||
		    terminal_width(texts[i].text) != texts[i].width)
			fail_msg("%s:%d: \"%s\", %zu places", __FILE__, texts[i].line, out,
			    terminal_width(texts[i].text));
		free(out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_language),
		cmocka_unit_test(test_terminal),
	};
	const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG", "KOSHIN_CONFIG" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		(void)unsetenv(names[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
