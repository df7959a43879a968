/* Two clocks beside each other: when a date is believed, and when it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "core/skew.h"

static const struct when start = { 1800000000 };
enum { DAY = 86400 };

static struct mono
at(int64_t s)
{
	return (struct mono){ 5000 + s * 1000 };
}

static bool
look(struct skew *k, int64_t s, int64_t off)
{
	return skew_look(k, when_plus(start, SPAN_S(s + off)), at(s), WHEN_UNKNOWN);
}

static void
test_table(void **state)
{
	/* Each row: looks at these seconds with the wall clock off by so much; believed or not at the last one. */
	static const struct {
		const char *name;
		struct {
			int64_t s, off;
		} looks[4];
		size_t n;
		bool wanted;
	} rows[] = {
		{ "steady", { { 0, 0 }, { 60, 0 }, { 3600, 0 } }, 3, true },
		{ "slewed a little each hour", { { 0, 0 }, { 3600, 60 }, { 7200, 120 }, { 10800, 180 } }, 4, true },
		{ "a step of seconds", { { 0, 0 }, { 60, 80 } }, 2, true },
		{ "two months ahead", { { 0, 0 }, { 60, 60 * DAY } }, 2, false },
		{ "an hour back", { { 0, 0 }, { 60, -3600 } }, 2, false },
		{ "ahead and back again", { { 0, 0 }, { 60, 60 * DAY }, { 120, 0 } }, 3, true },
		{ "ahead for five hours", { { 0, 0 }, { 60, DAY }, { 5 * 3600, DAY } }, 3, false },
		{ "ahead for long, and nobody to ask", { { 0, 0 }, { 60, DAY }, { 60 + 6 * 3600, DAY } }, 3, true },
		{ "it jumps on: the wait begins anew", { { 0, 0 }, { 60, DAY }, { 3600, 2 * DAY }, { 60 + 6 * 3600, 2 * DAY } }, 4, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct skew k = { 0 };
		bool got = false;

		for (size_t n = 0; n < rows[i].n; n++)
			got = look(&k, rows[i].looks[n].s, rows[i].looks[n].off);
		if (got != rows[i].wanted)
			fail_msg("%s: believed %d", rows[i].name, got);
		assert_int_equal(k.is_in_doubt, !got);
	}
}

static void
test_begin(void **state)
{
	static const struct {
		const char *name;
		int64_t gap; /* since the last date in the store */
		bool wanted;
	} rows[] = {
		{ "just now", 0, true },
		{ "after a night", 10 * 3600, true },
		{ "a minute back, as time servers do", -60, true },
		{ "a week before what was already", -7 * DAY, false },
		{ "half a year later", 180 * DAY, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct skew k = { 0 };
		bool got = skew_look(&k, when_plus(start, SPAN_S(rows[i].gap)), at(0), start);

		if (got != rows[i].wanted)
			fail_msg("%s: believed %d", rows[i].name, got);
	}
}

static void
test_witness(void **state)
{
	static const struct {
		const char *name;
		int64_t outside; /* what the outside clock says, from the true time on */
		bool wanted;
	} rows[] = {
		{ "agrees with the new date", 60 * DAY, true },
		{ "is two minutes off it", 60 * DAY - 120, true },
		{ "agrees with the old one", 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct skew k = { 0 };

		assert_true(look(&k, 0, 0));
		assert_false(look(&k, 60, 60 * DAY));
		assert_int_equal(k.off_s, 60 * DAY);
		assert_int_equal(skew_expected(&k, at(90)).s, start.s + 90);
		skew_witness(&k, when_plus(start, SPAN_S(90 + rows[i].outside)), when_plus(start, SPAN_S(90 + 60 * DAY)), at(90));
		if (look(&k, 91, 60 * DAY) != rows[i].wanted)
			fail_msg("%s: in doubt %d", rows[i].name, k.is_in_doubt);
	}
	/* Contradicted, it is in doubt for days, and not for ever. */
	struct skew k = { 0 };
	assert_true(look(&k, 0, 0));
	assert_false(look(&k, 60, DAY));
	skew_witness(&k, when_plus(start, SPAN_S(60)), when_plus(start, SPAN_S(60 + DAY)), at(60));
	assert_false(look(&k, 60 + DAY, DAY));
	assert_true(look(&k, 60 + 3 * DAY, DAY));
	/* An outside clock alone begins no doubt. */
	skew_witness(&k, start, when_plus(start, SPAN_S(60 + 4 * DAY)), at(60 + 3 * DAY));
	assert_true(look(&k, 61 + 3 * DAY, DAY));
	k = (struct skew){ 0 };
	assert_true(look(&k, 0, 0));
	assert_false(look(&k, 60, DAY));
	skew_witness(&k, WHEN_UNKNOWN, when_plus(start, SPAN_S(60 + DAY)), at(60));
	assert_true(k.is_in_doubt);
}

/* By how much the clock was set, in all that was believed. */
static void
test_set(void **state)
{
	(void)state;
	struct skew k = { .set = { 50 } };

	assert_true(look(&k, 0, 0));
	/* Ahead and back before anybody believed it, and the steps of a time server, are nothing. */
	assert_false(look(&k, 60, DAY));
	assert_true(look(&k, 120, 0));
	assert_true(look(&k, 180, 80));
	assert_true(look(&k, 240, 0));
	assert_int_equal(k.set.s, 50);
	/* Nobody to ask: it is believed in the end, and was set a day ahead. */
	assert_false(look(&k, 300, DAY));
	assert_true(look(&k, 300 + 6 * 3600, DAY));
	assert_int_equal(k.set.s, 50 + DAY);
	/* Set right again, which an outside clock confirms. */
	assert_false(look(&k, 30000, 0));
	skew_witness(&k, when_plus(start, SPAN_S(30010)), when_plus(start, SPAN_S(30010)), at(30010));
	assert_true(look(&k, 30020, 0));
	assert_int_equal(k.set.s, 50);

	/* At a start: a date before the last one known was set back by that; long after it, time has passed. */
	k = (struct skew){ 0 };
	assert_false(skew_look(&k, start, at(0), when_plus(start, SPAN_D(7))));
	skew_witness(&k, start, start, at(0));
	assert_int_equal(k.set.s, -7 * DAY);
	k = (struct skew){ 0 };
	assert_false(skew_look(&k, when_plus(start, SPAN_D(60)), at(0), start));
	skew_witness(&k, when_plus(start, SPAN_D(60)), when_plus(start, SPAN_D(60)), at(0));
	assert_false(k.is_in_doubt);
	assert_int_equal(k.set.s, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_begin),
		cmocka_unit_test(test_witness),
		cmocka_unit_test(test_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
