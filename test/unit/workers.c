/* Which titles of nginx's processes say that its old workers have ended, and when nothing is known. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "installer/workers.h"
#include "ports/clock/clock.h"

static char home[64], own[] = "nginx", config[] = "-c", file[] = "/a/nginx.conf", sh[] = "/bin/sh", unit[] = "nginx.service", path[] = "/usr/sbin/nginx";
static char *plain[] = { own }, *named[] = { path, config, file }, *script[] = { sh, file }, *by_unit[] = { sh, unit };

static void
test_titles(void **state)
{
	static const struct {
		int line;
		const char *title;
		char **argv;
		size_t argc;
		bool is_master;
	} rows[] = {
		{ __LINE__, "nginx: master process nginx", plain, 1, true },
		{ __LINE__, "nginx: master process /usr/sbin/nginx -g daemon on;", by_unit, 2, true },
		{ __LINE__, "nginx: master process nginx -c /a/nginx.conf -g daemon off;", named, 3, true },
		{ __LINE__, "nginx: master process nginx -g daemon off; -c /a/nginx.conf", named, 3, true },
		{ __LINE__, "nginx: master process nginx -c /a/nginx.conf.old", named, 3, false },
		{ __LINE__, "nginx: master process nginx -c /b/a/nginx.conf", named, 3, false },
		{ __LINE__, "nginx: master process nginx -c /b/a/nginx.conf -p /a/nginx.conf", named, 3, true },
		{ __LINE__, "nginx: master process nginx", named, 3, false },
		{ __LINE__, "nginx: worker process", plain, 1, false },
		{ __LINE__, "nginx: master process nginx", script, 2, false },
		{ __LINE__, "nginx: master process nginx", plain, 0, false },
		{ __LINE__, "", plain, 1, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (workers_title_is_master(str_of(rows[i].title), rows[i].argv, rows[i].argc) != rows[i].is_master)
			fail_msg("%s:%d: %s", __FILE__, rows[i].line, rows[i].title);
	assert_true(workers_title_takes(STR("nginx: worker process")));
	assert_false(workers_title_takes(STR("nginx: worker process is shutting down")));
	assert_false(workers_title_takes(STR("nginx: cache manager process")));
	assert_false(workers_title_takes(STR("")));
}

static void
put(const char *name, const char *text)
{
	char at[256];

	(void)snprintf(at, sizeof at, "%s/%s", home, name);
	for (char *p = at + strlen(home) + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		(void)mkdir(at, 0700); /* it is there from the second time on */
		*p = '/';
	}
	FILE *f = fopen(at, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text) + 1, f), strlen(text) + 1); /* with its NUL, as the system shows it */
	assert_int_equal(fclose(f), 0);
}

static void
put_children(const char *name, const char *text)
{
	put(name, text);
	char at[256];
	(void)snprintf(at, sizeof at, "%s/%s", home, name);
	assert_int_equal(truncate(at, (off_t)strlen(text)), 0);
}

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(home, "/tmp/koshin-workers-XXXXXX");
	assert_non_null(mkdtemp(home));
	put("10/cmdline", "nginx: master process nginx");
	put("11/cmdline", "nginx: worker process");
	put("12/cmdline", "nginx: worker process");
	put("13/cmdline", "nginx: cache manager process");
	put("14/cmdline", "nginx: worker process is shutting down");
	put_children("10/task/10/children", "11 12 13 14 ");
	put("self/cmdline", "nginx: master process nginx");
	return 0;
}

static int
remove_one(const char *at, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(at);
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(home, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
test_ended_when_each_has_said_so(void **state)
{
	struct clock clock = clock_real(SPAN_S(0));
	struct workers w;
	char at[256];

	(void)state;
	workers_note(&w, home, plain, 1);
	assert_int_equal(w.old_n, 2);
	assert_false(workers_await_end(&w, &clock, 0));
	put("11/cmdline", "nginx: worker process is shutting down");
	assert_false(workers_await_end(&w, &clock, 0));
	(void)snprintf(at, sizeof at, "%s/12/cmdline", home);
	assert_int_equal(unlink(at), 0);
	assert_true(workers_await_end(&w, &clock, 0));
	/* One that cannot be read has not said anything. */
	assert_int_equal(mkdir(at, 0700), 0);
	assert_false(workers_await_end(&w, &clock, 0));
}

static void
test_unknown(void **state)
{
	struct clock clock = clock_real(SPAN_S(0));
	struct workers w;

	(void)state;
	workers_note(&w, "/nonexistent", plain, 1);
	assert_int_equal(w.old_n, 0);
	assert_false(workers_await_end(&w, &clock, 0));
	workers_note(&w, home, script, 2);
	assert_int_equal(w.old_n, 0);
	/* Which of two is meant is not known, unless the reload says it. */
	put("20/cmdline", "nginx: master process nginx -c /a/nginx.conf");
	put_children("20/task/20/children", "21 ");
	put("21/cmdline", "nginx: worker process");
	workers_note(&w, home, plain, 1);
	assert_int_equal(w.old_n, 0);
	workers_note(&w, home, named, 3);
	assert_int_equal(w.old_n, 1);
	assert_int_equal(w.old[0], 21);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_titles),
		cmocka_unit_test_setup_teardown(test_ended_when_each_has_said_so, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
