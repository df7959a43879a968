#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/lifetime.h"

/* The plan as fractions of the life: the same proportions for ten minutes and for ninety days. */

static const struct {
	const char *name;
	int64_t length_s, renew_used_s; /* the middle of the renewal window, without jitter */
	int64_t first_reminder_left_s, gap_s, look_s;
} rows[] = {
	{ "10 minutes", 600, 300, 186, 20, 60 },
	{ "160 hours", 160 * 3600, 80 * 3600, 160 * 3600 / 45 * 14, 86400, 57600 },
	{ "45 days", 45 * 86400, 30 * 86400, 14 * 86400, 86400, 86400 },
	{ "64 days", 64 * 86400, 64 * 86400 * 2 / 3, 14 * 86400, 86400, 86400 },
	{ "90 days", 90 * 86400, 60 * 86400, 14 * 86400, 86400, 86400 },
};
static const struct when start = { 1800000000 };

static void
test_fractions(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct life l = { start, { start.s + rows[i].length_s } };
		int64_t width = rows[i].length_s / 30, renew = life_renew_at(l, 0).s - start.s;

		if (renew < rows[i].renew_used_s - width / 2 - 1 || renew > rows[i].renew_used_s + 1)
			fail_msg("%s: renewed after %lld s", rows[i].name, (long long)renew);
		if (l.to.s - life_reduce_at(l).s != rows[i].length_s / 4 ||
		    l.to.s - life_anyway_at(l).s != rows[i].length_s / 6 ||
		    l.to.s - life_support_at(l).s != rows[i].length_s / 30)
			fail_msg("%s: a quarter, a sixth or a thirtieth is off", rows[i].name);
		int64_t left = l.to.s - life_reminder_at(l, 0).s;
		if (left < rows[i].first_reminder_left_s - 60 || left > rows[i].first_reminder_left_s + 60)
			fail_msg("%s: first reminder %lld s before the end", rows[i].name, (long long)left);
		assert_int_equal(life_letter_gap(l).s, rows[i].gap_s);
		assert_int_equal(life_look_every(l, SPAN_D(1)).s, rows[i].look_s);
	}
}

/* Every roll stays inside its window, and the plan's dates keep their order. */
static void
test_order_of_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct life l = { start, { start.s + rows[i].length_s } };

		for (uint64_t roll = 0; roll <= UINT32_MAX; roll += 104729) {
			struct when renew = life_renew_at(l, (uint32_t)roll);

			assert_true(when_before(start, renew));
			assert_true(when_before(renew, life_reduce_at(l)));
			assert_true(renew.s >= start.s + rows[i].renew_used_s - rows[i].length_s / 60 - 1);
			assert_true(renew.s <= start.s + rows[i].renew_used_s + rows[i].length_s / 60 + 1);
		}
		assert_true(when_before(life_reduce_at(l), life_anyway_at(l)));
		for (unsigned n = 1; n < LIFE_REMINDERS; n++)
			assert_true(when_before(life_reminder_at(l, n - 1), life_reminder_at(l, n)));
		assert_true(when_before(life_reminder_at(l, LIFE_REMINDERS - 1), l.to));
	}
}

static void
test_arithmetic_saturates(void **state)
{
	(void)state;
	assert_int_equal(when_plus(WHEN_NEVER, SPAN_D(-1)).s, WHEN_NEVER.s);
	assert_int_equal(when_plus(WHEN_UNKNOWN, SPAN_D(1)).s, WHEN_UNKNOWN.s);
	assert_true(when_plus((struct when){ INT64_MAX - 5 }, SPAN_S(100)).s > 0);
	assert_true(when_minus((struct when){ INT64_MIN + 5 }, SPAN_S(100)).s < 0);
	assert_true(when_between(WHEN_UNKNOWN, WHEN_NEVER).s > 0);
	assert_true(span_part((struct span){ INT64_MAX / 2 }, 3, 2).s > 0);
}

static void
test_civil(void **state)
{
	(void)state;
	static const struct {
		int64_t s;
		int year, month, day, hour, weekday;
	} days[] = {
		{ 0, 1970, 1, 1, 0, 4 },
		{ 951782400, 2000, 2, 29, 0, 2 },
		{ 1802217600, 2027, 2, 10, 0, 3 },
		{ 4107542400, 2100, 3, 1, 0, 1 },
		{ -86400, 1969, 12, 31, 0, 3 },
	};
	for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
		struct civil c = when_civil((struct when){ days[i].s });

		assert_int_equal(c.year, days[i].year);
		assert_int_equal(c.month, days[i].month);
		assert_int_equal(c.day, days[i].day);
		assert_int_equal(c.weekday, days[i].weekday);
		assert_int_equal(when_of_civil(&c).s, days[i].s);
	}
	for (int64_t d = -200000; d < 200000; d += 37) {
		struct civil c = when_civil((struct when){ d * 86400 + 12345 });

		assert_int_equal(when_of_civil(&c).s, d * 86400 + 12345);
	}
	struct civil bad = { .year = 2026, .month = 13, .day = 1 };
	assert_int_equal(when_of_civil(&bad).s, WHEN_UNKNOWN.s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fractions),
		cmocka_unit_test(test_order_of_dates),
		cmocka_unit_test(test_arithmetic_saturates),
		cmocka_unit_test(test_civil),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
