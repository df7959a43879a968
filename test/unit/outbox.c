/* When a letter that was not taken is tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/outbox.h"

static const struct when created = { 1800000000 };

static void
test_dates(void **state)
{
	static const struct {
		int line;
		enum err err;
		unsigned n;
		int64_t age_s, least_s; /* least_s 0: given up */
	} rows[] = {
		{ __LINE__, ERR_TIMEOUT, 0, 0, 60 },
		{ __LINE__, ERR_TIMEOUT, 1, 70, 300 },
		{ __LINE__, ERR_SERVER, 2, 400, 1800 },
		{ __LINE__, ERR_SERVER, 3, 3000, 7200 },
		{ __LINE__, ERR_SERVER, 4, 10000, 21600 },
		{ __LINE__, ERR_SERVER, 400, 5 * 86400, 21600 },
		{ __LINE__, ERR_SERVER, 24, 5 * 86400 + 1, 0 },
		{ __LINE__, ERR_REFUSED, 0, 0, 0 },
		/* Our own configuration is mended by and by. */
		{ __LINE__, ERR_CONFIG, 0, 0, 60 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (uint32_t roll = 0; roll < 100000; roll += 9973) {
			const struct turn t = { when_plus(created, SPAN_S(rows[i].age_s)), roll };
			struct when next = outbox_next(created, rows[i].n, rows[i].err, &t);
			int64_t wait = when_between(t.now, next).s;

			if (rows[i].least_s == 0 ? next.s != WHEN_NEVER.s : wait < rows[i].least_s || wait > rows[i].least_s * 5 / 4)
				fail_msg("%s:%d: next in %lld s", __FILE__, rows[i].line, (long long)wait);
		}
}

/* One that is never taken: its tries are few, and come to an end. */
static void
test_it_ends(void **state)
{
	struct turn t = { created, 0 };
	unsigned n = 0;

	(void)state;
	for (struct when next = created; next.s != WHEN_NEVER.s; n++) {
		t.now = next;
		next = outbox_next(created, n, ERR_SERVER, &t);
	}
	assert_in_range(n, 10, 40);
	assert_in_range(when_between(created, t.now).s, OUTBOX_GIVE_UP.s, OUTBOX_GIVE_UP.s + OUTBOX_PAUSE_MOST_S * 5 / 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
