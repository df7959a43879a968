/* Which promises of https count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ports/probe/hsts.h"

static void
promises(void **state)
{
	static const struct {
		int line;
		const char *value;
		bool is_one;
	} rows[] = {
		{ __LINE__, "max-age=31536000", true },
		{ __LINE__, "includeSubDomains; Max-Age=\"300\" ; preload", true },
		{ __LINE__, "max-age = 5", true },
		{ __LINE__, "max-age=0", false },
		{ __LINE__, "max-age=\"0\"; includeSubDomains", false },
		{ __LINE__, "max-age=0; max-age=5", false },
		{ __LINE__, "max-age=-1", false },
		{ __LINE__, "max-age=soon", false },
		{ __LINE__, "max-age=\"", false },
		{ __LINE__, "max-age", false },
		{ __LINE__, "includeSubDomains", false },
		{ __LINE__, "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (hsts_is_promise(str_of(rows[i].value)) != rows[i].is_one)
			fail_msg("%s:%d: %s", __FILE__, rows[i].line, rows[i].value);
}

static void
places(void **state)
{
	static const struct {
		int line;
		const char *url;
		bool counts;
	} rows[] = {
		{ __LINE__, "https://a.jp/", true },
		{ __LINE__, "https://A.jp:8443/x?y", true },
		{ __LINE__, "https://a.jp", true },
		{ __LINE__, "http://a.jp/", false },
		{ __LINE__, "https://www.a.jp/", false },
		{ __LINE__, "https://b.jp/a.jp", false },
		{ __LINE__, "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (hsts_counts_at(str_of(rows[i].url), STR("a.jp")) != rows[i].counts)
			fail_msg("%s:%d: %s", __FILE__, rows[i].line, rows[i].url);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(promises),
		cmocka_unit_test(places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
