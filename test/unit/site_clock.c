#include "test/unit/site_world.h"
#include "core/site_clock.h"

/* The wall clock was set, and is believed: waits stay as long as they were, what happened stays in the past. */

enum { BEFORE_S = 3600, AHEAD_S = 3 * 3600 };

/* What every date of a site is, once more by the clock that has been set so much. */
static const struct {
	const char *name;
	int64_t set_s;	  /* the clock was set by so much */
	int64_t at_s;	  /* a date that was written, seconds from the clock of before */
	int64_t past_s;	  /* what it is if it is something that happened, from the clock of now */
	int64_t look_s;	  /* … if it is the next look */
	int64_t retry_s;  /* … if the CA named it */
} rows[] = {
	{ "set ahead: a wait is as long as it was", AHEAD_S, 7200, 0, 7200, 7200 },
	{ "set ahead: what was is as old as it was", AHEAD_S, -7200, -7200, -7200, -7200 },
	{ "set back: a wait is as long as it was", -AHEAD_S, 7200, 0, 7200, 7200 },
	{ "set back: what was is as old as it was", -AHEAD_S, -7200, -7200, -7200, -7200 },
	{ "a year ahead by a clock that was never believed", 0, 365 * DAY, 0, 7 * DAY, 365 * DAY },
};

static void
test_dates(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };
		const struct when later = when_plus(now, SPAN_S(rows[i].set_s)), at = when_plus(now, SPAN_S(rows[i].at_s));
		const struct when past = when_plus(later, SPAN_S(rows[i].past_s));

		fixture_init(&f, AGE_YOUNG);
		struct site *s = &f.site;
		const struct life life = s->held.life;
		s->findings.n = 1;
		f.findings[0] = (struct finding){ .cause = CAUSE_DNS_A_ELSEWHERE, .subject = f.names[0].name, .first_seen = at,
			.last_seen = at, .told_at = WHEN_UNKNOWN, .mends = 1, .mended_at = at, .next_look = at };
		s->doing_since = s->checked_at = s->letter_at = s->look_at = s->retry_at = at;
		s->draft = (struct draft){ .exists = true, .begun_at = at, .told_at = WHEN_UNKNOWN };
		s->retry_is_law = true;
		s->wake = WHEN_NEVER;
		f.names[0].passed_at = f.names[0].served.at = f.names[0].refused_until = at;
		/* The row above that sets nothing is for the limits; the clock of the site is another one all the same. */
		s->clock.s = 5;
		site_set_clock(s, SPAN_S(5 + rows[i].set_s), later);
		if (s->doing_since.s != past.s || s->checked_at.s != past.s || s->letter_at.s != past.s ||
		    s->draft.begun_at.s != past.s || f.names[0].passed_at.s != past.s || f.names[0].served.at.s != past.s ||
		    f.findings[0].first_seen.s != past.s || f.findings[0].last_seen.s != past.s || f.findings[0].mended_at.s != past.s)
			fail_msg("%s: what happened is wrong", rows[i].name);
		if (s->look_at.s != when_plus(later, SPAN_S(rows[i].look_s)).s)
			fail_msg("%s: the next look is wrong", rows[i].name);
		const struct when law = when_plus(later, SPAN_S(rows[i].retry_s));
		if (s->retry_at.s != law.s || f.names[0].refused_until.s != law.s || f.findings[0].next_look.s != law.s)
			fail_msg("%s: what the CA named is wrong", rows[i].name);
		/* Unknown and never are no dates; those of the certificate are the CA's. */
		assert_int_equal(s->wake.s, WHEN_NEVER.s);
		assert_int_equal(f.findings[0].told_at.s, WHEN_UNKNOWN.s);
		assert_int_equal(s->held.life.from.s, life.from.s);
		assert_int_equal(s->held.life.to.s, life.to.s);
		assert_int_equal(f.names[0].served.not_after.s, life.to.s);
		assert_int_equal(s->clock.s, 5 + rows[i].set_s);
	}
}

/* A back-off of ours never keeps a site longer than it could have been made, however wrong the clock was. */
static void
test_own_back_off(void **state)
{
	AUTO_FIXTURE f = { 0 };

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.retry_at = when_plus(now, SPAN_D(100));
	site_set_clock(&f.site, SPAN_S(-60), now);
	assert_true(when_before(f.site.retry_at, when_plus(now, SPAN_D(2))));
}

/* There and back: a site that nobody stepped in between is as it was. */
static void
test_there_and_back(void **state)
{
	AUTO_FIXTURE f = { 0 };

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.look_at = when_plus(now, SPAN_H(5));
	f.policy.clock = SPAN_S(AHEAD_S);
	f.policy.clock = SPAN_S(0);
	(void)step(&f, (struct site_event){ .kind = SITE_CLOCK_SET });
	assert_int_equal(f.site.look_at.s, when_plus(now, SPAN_H(5)).s);
}

/* The news moves the dates and begins nothing, even where all is due by them. */
static void
test_news_begins_nothing(void **state)
{
	AUTO_FIXTURE f = { 0 };

	(void)state;
	fixture_init(&f, AGE_DUE);
	f.site.look_at = f.site.wake = when_minus(now, SPAN_S(BEFORE_S));
	f.policy.clock = SPAN_S(AHEAD_S);
	struct site_effects *out = step(&f, (struct site_event){ .kind = SITE_CLOCK_SET });
	assert_int_equal(out->n, 0);
	assert_int_equal(f.site.doing, DOING_NOTHING);
	assert_int_equal(f.site.clock.s, AHEAD_S);
	assert_true(when_before(f.site.wake, when_plus(now, SPAN_S(2))));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_own_back_off),
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_news_begins_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
