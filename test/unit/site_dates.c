/* How soon a site is looked at again while something is wrong: by who has to mend it, and for how long it has stood. */
#include "test/unit/site_world.h"

#include "core/site_dates.h"

static void
test_look_at_a_fault(void **state)
{
	static const struct {
		enum cause cause;
		int age_s, wait_s;
	} rows[] = {
		/* An owner mends, and wants to see it. */
		{ CAUSE_DNS_A_ELSEWHERE, 0, 60 },
		{ CAUSE_DNS_A_ELSEWHERE, DAY - 1, 60 },
		{ CAUSE_DNS_A_ELSEWHERE, DAY, 900 },
		{ CAUSE_DNS_A_ELSEWHERE, 29 * DAY, 900 },
		/* The host does, perhaps for a whole server: rarer with its age. */
		{ CAUSE_OWN_DEPLOY_NOT_SERVED, 0, 60 },
		{ CAUSE_OWN_DEPLOY_NOT_SERVED, 600, 60 },
		{ CAUSE_OWN_DEPLOY_NOT_SERVED, 1200, 120 },
		{ CAUSE_OWN_DEPLOY_NOT_SERVED, 3000, 300 },
		{ CAUSE_OWN_DEPLOY_NOT_SERVED, DAY - 1, 300 },
		{ CAUSE_OWN_DEPLOY_NOT_SERVED, DAY, 900 },
		/* A clock that was set back: what is still to come has no age. */
		{ CAUSE_OWN_DEPLOY_NOT_SERVED, -5000, 60 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };
		const struct turn t = { now, 12345 };
		const struct step st = { .s = &f.site, .t = &t, .p = &f.policy };

		fixture_init(&f, AGE_YOUNG);
		/* The finding's own date, which the record's time to live gives. */
		f.findings[0] = (struct finding){ .cause = rows[i].cause, .subject = STR("example.jp"),
			.first_seen = when_minus(now, SPAN_S(rows[i].age_s)), .next_look = when_plus(now, SPAN_S(60)) };
		f.site.findings.at = f.findings;
		f.site.findings.n = 1;
		assert_int_equal(when_between(now, dates_next_look(&st)).s, rows[i].wait_s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_look_at_a_fault) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
