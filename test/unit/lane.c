#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/lane.h"

enum { DAY = 86400, LIFE = 40 * DAY };
static const struct when start = { 1800000000 };

/* Every fact that decides, alone and together, with three quarters of the life used and one second before. */
static const struct {
	const char *name;
	bool is_held, is_asked, is_replacement;
	int64_t used_s;
	enum lane want;
} rows[] = {
	{ "no certificate", false, false, false, 0, LANE_FIRST },
	{ "no certificate, years on", false, false, false, 4000 * (int64_t)DAY, LANE_FIRST },
	{ "no certificate, asked for", false, true, false, 0, LANE_ASKED },
	{ "held and young", true, false, false, DAY, LANE_QUIET },
	{ "held, its renewal is due", true, false, false, 27 * DAY, LANE_QUIET },
	{ "held, asked for", true, true, false, DAY, LANE_ASKED },
	{ "held, to be replaced", true, false, true, DAY, LANE_REPLACEMENT },
	{ "held, to be replaced and asked for", true, true, true, DAY, LANE_ASKED },
	{ "a second before a quarter is left", true, false, false, 30 * DAY - 1, LANE_QUIET },
	{ "a second before, to be replaced", true, false, true, 30 * DAY - 1, LANE_REPLACEMENT },
	{ "a quarter is left", true, false, false, 30 * DAY, LANE_EXPIRING },
	{ "a quarter is left, to be replaced and asked for", true, true, true, 30 * DAY, LANE_EXPIRING },
	{ "past its end", true, false, false, LIFE + DAY, LANE_EXPIRING },
};

static void
test_facts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct lane_facts f = { rows[i].is_held, { start, when_plus(start, SPAN_S(LIFE)) }, rows[i].is_asked,
			rows[i].is_replacement };
		enum lane got = lane_of(&f, when_plus(start, SPAN_S(rows[i].used_s)));

		if (got != rows[i].want)
			fail_msg("%s: got %s, wanted %s", rows[i].name, lane_name(got), lane_name(rows[i].want));
		if (rows[i].is_held)
			assert_int_equal(lane_expiring_at(&f).s, start.s + 30 * (int64_t)DAY);
		else
			assert_int_equal(lane_expiring_at(&f).s, WHEN_NEVER.s);
	}
}

static void
test_words_and_shares(void **state)
{
	unsigned sum = 0;

	(void)state;
	for (enum lane l = 0; l < LANE_COUNT; l++) {
		enum lane back;

		assert_true(lane_of_name(str_of(lane_name(l)), &back));
		assert_int_equal(back, l);
		assert_true(lane_share(l) > 0);
		sum += lane_share(l);
	}
	assert_int_equal(sum, LANE_SHARES);
	enum lane none = LANE_COUNT;
	assert_false(lane_of_name(STR("Quiet"), &none));
	assert_false(lane_of_name(STR_NONE, &none));
	assert_int_equal(none, LANE_COUNT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_words_and_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
