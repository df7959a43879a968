/*
 * The program that turns the texts into a table: it takes the texts of this tree, and refuses a copy with any one
 * mistake, naming file and line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

extern char **environ;

static char program[4096]; /* $BUILD/words-build */
static char source[4096];  /* the folder of texts */
static char folder[64];	   /* the copy */

static void
read_file(const char *path, struct buf *out)
{
	char chunk[8192];
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		fail_msg("%s: %s", path, strerror(errno));
	buf_clear(out);
	for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
		buf_put(out, chunk, n);
	fclose(f);
	buf_put(out, "", 0);
}

static void
write_file(const char *path, struct str text)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
	assert_int_equal(fclose(f), 0);
}

/* Copies the files of a folder, or removes the copy of it. */
static void
each_file(const char *sub, bool is_copy)
{
	char from[8192], to[8192];
	AUTO_BUF text = { .max = 1 << 20 };

	snprintf(from, sizeof from, "%s/%s", is_copy ? source : folder, sub);
	snprintf(to, sizeof to, "%s/%s", folder, sub);
	if (is_copy)
		assert_int_equal(mkdir(to, 0700), 0);
	DIR *d = opendir(from);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		char a[8192 + 512], b[8192 + 512];
		struct stat st;

		snprintf(a, sizeof a, "%s/%s", from, e->d_name);
		snprintf(b, sizeof b, "%s/%s", to, e->d_name);
		if (lstat(a, &st) != 0 || !S_ISREG(st.st_mode))
			continue;
		if (is_copy) {
			read_file(a, &text);
			write_file(b, buf_str(&text));
		} else {
			assert_int_equal(unlink(b), 0);
		}
	}
	closedir(d);
	if (!is_copy)
		assert_int_equal(rmdir(to), 0);
}

static int
make_copy(void **unused)
{
	(void)unused;
	snprintf(folder, sizeof folder, "/tmp/koshin-words-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(rmdir(folder), 0);
	each_file("", true);
	each_file("cause", true);
	each_file("letter", true);
	return 0;
}

static int
remove_copy(void **unused)
{
	(void)unused;
	each_file("cause", false);
	each_file("letter", false);
	each_file("", false);
	return 0;
}

/* The exit status of the program on the copy; out gets what it said. */
static int
run(const char *where, struct buf *out)
{
	char *argv[] = { program, NULL, NULL }, log[128];
	posix_spawn_file_actions_t actions;
	int status;
	pid_t pid;

	argv[1] = strdup(where);
	snprintf(log, sizeof log, "/tmp/koshin-words-log-%ld", (long)getpid());
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(posix_spawn(&pid, program, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	read_file(log, out);
	unlink(log);
	free(argv[1]);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
the_texts_of_this_tree_are_whole(void **unused)
{
	(void)unused;
	AUTO_BUF out = { .max = 1 << 20 };

	int status = run(source, &out);
	if (status != 0)
		fail_msg("%s", out.p);
	assert_int_equal(out.n, 0);
	assert_int_equal(run("/nonexistent", &out), 1);
}

/* Replaces the first `from` in the file by `to`; NULL for from: appends; NULL for to: removes the file. */
static void
spoil(const char *file, const char *from, const char *to)
{
	char path[512];
	AUTO_BUF text = { .max = 1 << 20 }, spoilt = { .max = 1 << 20 };

	snprintf(path, sizeof path, "%s/%s", folder, file);
	if (to == NULL) {
		assert_int_equal(unlink(path), 0);
		return;
	}
	if (access(path, F_OK) == 0)
		read_file(path, &text);
	size_t at = from == NULL ? text.n : str_find(buf_str(&text), str_of(from));
	if (at == SIZE_MAX)
		fail_msg("%s has no \"%s\" to spoil", file, from);
	buf_put(&spoilt, text.p, at);
	buf_put_str(&spoilt, str_of(to));
	at += from == NULL ? 0 : strlen(from);
	if (text.n > at)
		buf_put(&spoilt, text.p + at, text.n - at);
	write_file(path, buf_str(&spoilt));
}

static const char missing[] = "cause/dns.address.missing.txt";

static void
each_mistake_is_refused(void **unused)
{
	(void)unused;
	static const struct {
		int line;
		const char *file, *from, *to, *want; /* want: ":LINE: words" or words */
	} rows[] = {
		{ __LINE__, missing, "", NULL,
		    "cause/dns.address.missing.txt:1: cannot be read" },
		{ __LINE__, missing, "[ja.next]", "[ja.nexte]", "[ja.next] is missing" },
		{ __LINE__, missing, "[ja.next]", "[ja.nexte]",
		    "[ja.nexte] is read by nobody" },
		{ __LINE__, missing, "[en.title]", "[fr.title]", "[en.title] is missing" },
		{ __LINE__, missing, "@look-again", "", "[ja.next] is empty" },
		{ __LINE__, missing, "@look-again", "@look-agan",
		    "words/shared.txt has no [ja.look-agan]" },
		{ __LINE__, missing, "{name}", "{nam}",
		    ":3: {nam} is no placeholder of this text" },
		{ __LINE__, missing, "{name}", "{name", "is no placeholder" },
		{ __LINE__, missing, "{name}", "name}", "a } without its {" },
		{ __LINE__, missing, "[en.cause]\n{name}", "[en.cause]\nIt",
		    "cause: {name} is in the ja text only" },
		{ __LINE__, missing, "[ja.cause]\n{name}", "[ja.cause]\n{date}{name}",
		    "{date} has no one meaning here" },
		{ __LINE__, missing, "visitors: always", "visitors: safe",
		    "[visitors]: {date} is missing" },
		{ __LINE__, missing, "visitors: always\n", "",
		    "has no line \"visitors: safe\"" },
		{ __LINE__, missing, "visitors: always", "colour: red\nvisitors: always",
		    "\"colour:\" is no field" },
		{ __LINE__, missing, "visitors: always",
		    "visitors: always\ncopy: none, there is none",
		    "\"copy: none\" is for an action of the owner without a value" },
		{ __LINE__, missing, "値(VALUE): {copy}", "値", "has no {copy} or {wanted}" },
		{ __LINE__, missing, "@dns-open\n", "", "has no numbered steps" },
		{ __LINE__, missing, "[en.action]", "[ja.action]",
		    "[ja.action] stands here twice" },
		{ __LINE__, missing, "visitors: always", "visitors",
		    "comments (#) and \"field: value\" only" },
		{ __LINE__, missing, "[ja.title]\n", "[ja.title]\n\xff", ":4: is not UTF-8" },
		{ __LINE__, missing, "[ja.title]\n", "[ja.title]\n\x07",
		    ":4: has a control character" },
		{ __LINE__, missing, "[ja.title]\n", "[ja.title] \n", "ends in a space" },
		{ __LINE__, "cause/dns.dnssec.ds-mismatch.txt", "copy: none, ",
		    "copy: ", "is written \"copy: none, REASON\"" },
		{ __LINE__, "cause/dns.dnssec.ds-mismatch.txt",
		    "copy: ", "# copy: ", "has no {copy} or {wanted}" },
		{ __LINE__, "cause/ca.service.busy.txt", "@nothing-wait", "1. {copy}",
		    "does not say that there is nothing to do" },
		{ __LINE__, "cause/dns.new.thing.txt", NULL, "visitors: safe\n",
		    "dns.new.thing.txt:1: nobody reads this file" },
		{ __LINE__, "cause/dns.address.missing.txt~", NULL, "x",
		    "nobody reads this file" },
		{ __LINE__, "letter/spam.txt", NULL, "x",
		    "letter/spam.txt:1: nobody reads this file" },
		{ __LINE__, "notes.txt", NULL, "x", "notes.txt:1: nobody reads this file" },
		{ __LINE__, "letter/act.txt", "", NULL, "letter/act.txt:1: cannot be read" },
		{ __LINE__, "letter/act.txt", "[en.subject]", "[en.subjekt]",
		    "[en.subject] is missing" },
		{ __LINE__, "letter/act.txt", "?safe", "?save",
		    "?save is no condition of a letter" },
		{ __LINE__, "letter/act.txt", "{title}", "{titel}",
		    "{titel} is no placeholder" },
		{ __LINE__, "letter/draft.txt", "{by} began", "Somebody began",
		    "{by} is in the ja text only" },
		{ __LINE__, "ui.txt", "history.expired\n", "history.ended\n",
		    "history.expired is missing" },
		{ __LINE__, "ui.txt", "\ten: OK\n", "", "state.ok has no en text" },
		{ __LINE__, "ui.txt", "state.ok\n", "state.act\n",
		    "state.act stands here twice" },
		{ __LINE__, "ui.txt", "\tja: 正常\n", "\tja: 正常 {0}\n",
		    "{0} is in the ja text only" },
		{ __LINE__, "ui.txt", "\tja: 正常\n", "\tja: 正常\n\tja: 正常\n",
		    "has two ja texts" },
		{ __LINE__, "ui.txt", "\tja: 正常\n", "\tjp: 正常\n", "is neither a key nor" },
		{ __LINE__, "ui.txt", "", NULL, "ui.txt:1: cannot be read" },
		{ __LINE__, "shared.txt", NULL, "\n[ja.left-over]\nx\n",
		    "[ja.left-over] is read by nobody" },
		{ __LINE__, "shared.txt", "[en.as-before]", "[en.as-ever]",
		    "words/shared.txt has no [en.as-before]" },
	};
	unsigned bad = 0;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_BUF out = { .max = 1 << 20 };

		make_copy(NULL);
		spoil(rows[i].file, rows[i].from, rows[i].to);
		int status = run(folder, &out);
		if (status != 1 || str_find(buf_str(&out), str_of(rows[i].want)) == SIZE_MAX) {
			print_error("%s:%d: %s: exit %d, got %s\n", __FILE__, rows[i].line,
			    rows[i].want, status, out.p);
			bad++;
		}
		remove_copy(NULL);
	}
	assert_int_equal(bad, 0);
}

static void
wrong_use_is_told(void **unused)
{
	(void)unused;
	pid_t pid;
	int status;
	char *argv[] = { program, NULL };
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	assert_int_equal(posix_spawn(&pid, program, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
}

/* $BUILD is two folders above this program; the texts are in the tree, which is where tests are run, or above $BUILD. */
static void
find_places(const char *self)
{
	char dir[2048];

	snprintf(dir, sizeof dir, "%s", self);
	for (int up = 0; up < 3; up++) {
		char *slash = strrchr(dir, '/');

		if (slash == NULL)
			snprintf(dir, sizeof dir, ".");
		else
			*slash = '\0';
	}
	snprintf(program, sizeof program, "%s/words-build", dir);
	snprintf(source, sizeof source, "words");
	if (access("words/ui.txt", R_OK) != 0)
		snprintf(source, sizeof source, "%s/../words", dir);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_texts_of_this_tree_are_whole),
		cmocka_unit_test(each_mistake_is_refused),
		cmocka_unit_test(wrong_use_is_told),
	};
	if (argc < 1)
		return 1;
	find_places(argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
