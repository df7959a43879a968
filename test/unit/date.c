/* Dates of RFC 3339, as programs write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/date.h"

static const struct {
	int line;
	const char *text;
	int64_t wanted; /* INT64_MIN: no date */
} date_rows[] = {
	{ __LINE__, "2027-01-15T08:00:00Z", 1800000000 },
	{ __LINE__, "2027-01-15t08:00:00z", 1800000000 },
	{ __LINE__, "2027-01-15 08:00:00Z", 1800000000 },
	{ __LINE__, "2027-01-15T17:00:00+09:00", 1800000000 },
	{ __LINE__, "2027-01-14T22:30:00-09:30", 1800000000 },
	{ __LINE__, "2027-01-15T08:00:00.123456789Z", 1800000000 },
	{ __LINE__, "2106-02-07T06:28:16Z", INT64_C(4294967296) },
	{ __LINE__, "9999-12-31T23:59:59Z", INT64_C(253402300799) },
	{ __LINE__, "0001-01-01T00:00:00Z", INT64_C(-62135596800) },
	{ __LINE__, "2016-12-31T23:59:60Z", 1483228799 },
	{ __LINE__, "2027-01-15T08:00:00", INT64_MIN },
	{ __LINE__, "2027-01-15", INT64_MIN },
	{ __LINE__, "2027-13-15T08:00:00Z", INT64_MIN },
	{ __LINE__, "2027-02-30T08:00:00Z", INT64_MIN },
	{ __LINE__, "2027-01-15T25:00:00Z", INT64_MIN },
	{ __LINE__, "2027-01-15T08:00:00.Z", INT64_MIN },
	{ __LINE__, "2027-01-15T08:00:00+25:00", INT64_MIN },
	{ __LINE__, "2027-01-15T08:00:00Zx", INT64_MIN },
	{ __LINE__, "20270115T080000Z", INT64_MIN },
	{ __LINE__, "+027-01-15T08:00:00Z", INT64_MIN },
	{ __LINE__, "1800000000", INT64_MIN },
	{ __LINE__, "tomorrow", INT64_MIN },
	{ __LINE__, "", INT64_MIN },
};

static void
dates_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof date_rows / sizeof *date_rows; i++) {
		struct when got = date_read(str_of(date_rows[i].text), DATE_ZONE_NEEDED);

		if (got.s != date_rows[i].wanted)
			fail_msg("%s:%d: got %lld", __FILE__, date_rows[i].line, (long long)got.s);
	}
}

/* Without a zone it is UTC for who says so, and only where nothing stands in its place. */
static void
zone_may_be_left_out(void **state)
{
	(void)state;
	assert_int_equal(date_read(STR("2027-01-15T08:00:00"), DATE_ZONE_OR_UTC).s, 1800000000);
	assert_int_equal(date_read(STR("2027-01-15T08:00:00.5"), DATE_ZONE_OR_UTC).s, 1800000000);
	assert_int_equal(date_read(STR("2027-01-15T17:00:00+09:00"), DATE_ZONE_OR_UTC).s, 1800000000);
	assert_false(when_is_known(date_read(STR("2027-01-15T08:00:00x"), DATE_ZONE_OR_UTC)));
	assert_false(when_is_known(date_read(STR("2027-01-15T08:00"), DATE_ZONE_OR_UTC)));
}

static void
what_is_written_is_read(void **state)
{
	AUTO_ARENA a = { .max = 1024 };

	(void)state;
	struct str text = date_text((struct when){ 1800000000 }, &a);
	assert_true(str_eq(text, STR("2027-01-15T08:00:00Z")));
	assert_int_equal(date_read(text, DATE_ZONE_NEEDED).s, 1800000000);
	assert_int_equal(date_text(WHEN_UNKNOWN, &a).n, 0);
	assert_true(str_eq(date_day_text((struct when){ 1800000000 }, &a), STR("2027-01-15")));
	assert_int_equal(date_day_text(WHEN_UNKNOWN, &a).n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates_are_read),
		cmocka_unit_test(zone_may_be_left_out),
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
