/* The owner's own certificate, over its life: what is told when, what is ordered (nothing), and how free SSL takes its place. */
#include "test/unit/site_world.h"
#include "core/page.h"

/* An own certificate of a year that ends in so many days. */
static void
fixture_own(struct fixture *f, int days_left, bool takeover)
{
	struct site *s = &f->site;

	fixture_fini(f);
	fixture_init(f, AGE_YOUNG);
	s->setting.source = SOURCE_OWN;
	s->setting.takeover = takeover;
	s->held.is_own = true;
	s->held.life.to = when_plus(now, SPAN_D(days_left));
	s->held.life.from = when_minus(s->held.life.to, SPAN_D(365));
	for (size_t i = 0; i < 2; i++) {
		f->names[i].served.not_after = s->held.life.to;
		f->names[i].served.is_ok = days_left > 0;
	}
	s->applied = (struct applied){ plan_digest(s, now), site_redirect(s, now), site_hsts(s, now) };
}

static const struct site_effects *
checked(struct fixture *f)
{
	struct finding unused;

	fixture_do(f, DOING_CHECK);
	return step(f, event_of(f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
}

/* At each distance from the end, agreed or not: the state, the one letter, the button, and no order of its own. */
static void
test_dates(void **state)
{
	static const struct {
		int line, days_left;
		bool takeover;
		enum site_state state;
		size_t own_ends, expired;
		bool takes_over;
	} rows[] = {
		{ __LINE__, 200, false, SITE_STATE_OK, 0, 0, false },
		{ __LINE__, 31, false, SITE_STATE_OK, 0, 0, false },
		{ __LINE__, 30, false, SITE_STATE_OWN_ENDS, 1, 0, false },
		{ __LINE__, 14, true, SITE_STATE_OWN_ENDS, 1, 0, false },
		{ __LINE__, 4, true, SITE_STATE_OWN_ENDS, 1, 0, false },
		{ __LINE__, 3, false, SITE_STATE_OWN_ENDS, 1, 0, false },
		{ __LINE__, 3, true, SITE_STATE_OK, 0, 0, true },
		{ __LINE__, 1, true, SITE_STATE_OK, 0, 0, true },
		{ __LINE__, 0, false, SITE_STATE_EXPIRED, 0, 1, false },
		{ __LINE__, -2, true, SITE_STATE_EXPIRED, 0, 0, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };

		fixture_own(&f, rows[i].days_left, rows[i].takeover);
		const struct site_effects *out = checked(&f);
		struct view v = view_of(&f.site, now);
		struct page_button b = page_button_of(&f.site, &f.policy, &v, now);
		if (v.state != rows[i].state || letters(out, LETTER_OWN_ENDS) != rows[i].own_ends || letters(out, LETTER_EXPIRED) != rows[i].expired ||
		    count(out, FX_TAKE_OVER) != rows[i].takes_over)
			fail_msg("%s:%d: %s %s, %zu own-ends, %zu expired, %zu take-overs", __FILE__, rows[i].line, site_state_name(v.state), v.cause != NULL ? cause_row(v.cause->cause)->id : "no cause",
			    letters(out, LETTER_OWN_ENDS), letters(out, LETTER_EXPIRED), count(out, FX_TAKE_OVER));
		assert_int_equal(letters(out, LETTER_ACT) + letters(out, LETTER_REMINDER), 0);
		assert_true(findings_find(&f.site.findings, CAUSE_OWN_CERTIFICATE_IMPORTED, f.names[0].name) == NULL ||
			    f.site.setting.source == SOURCE_OWN);
		if (!rows[i].takes_over) {
			assert_int_equal(count(out, FX_ORDER), 0);
			assert_int_equal(b.action == PAGE_TO_FREE, rows[i].state != SITE_STATE_OK);
			assert_true(!when_is_known(v.next_renewal));
		} else {
			/* It is ordered like everything else: with a check that is fresh, at once. */
			assert_int_equal(f.site.setting.source, SOURCE_FREE);
			assert_int_equal(count(out, FX_ORDER), 1);
			assert_true(f.site.held.is_own);
		}
	}
}

/* Five letters at most over the last month, each at its date, and never two a day: 30, 14, 7, 3, 1 days, then the end. */
static void
test_letters(void **state)
{
	size_t told = 0, ended = 0;
	AUTO_FIXTURE f = { 0 };

	(void)state;
	fixture_own(&f, 40, false);
	struct when from = f.site.held.life.from, to = f.site.held.life.to;
	for (int day = 40; day >= -3; day--) {
		struct finding unused;

		/* The days go by as the life moves to the past. */
		f.site.held.life = (struct life){ when_minus(from, SPAN_D(40 - day)), when_minus(to, SPAN_D(40 - day)) };
		if (when_is_known(f.site.letter_at))
			f.site.letter_at = when_minus(f.site.letter_at, SPAN_D(1));
		fixture_do(&f, DOING_CHECK);
		const struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
		bool is_date = day == 30 || day == 14 || day == 7 || day == 3 || day == 1;
		if (letters(out, LETTER_OWN_ENDS) != is_date)
			fail_msg("%zu letters with %d days left", letters(out, LETTER_OWN_ENDS), day);
		told += letters(out, LETTER_OWN_ENDS);
		ended += letters(out, LETTER_EXPIRED);
	}
	assert_int_equal(told, 5);
	assert_int_equal(ended, 1);
}

/* It comes in whatever is under way: an open order is given up, ours goes on being served, and it is deployed at once. */
static void
test_import(void **state)
{
	(void)state;
	for (enum doing doing = 0; doing < DOING_COUNT; doing++)
		for (enum age age = 0; age < AGE_COUNT; age++) {
			AUTO_FIXTURE f = { 0 };
			struct finding unused;

			fixture_init(&f, age);
			fixture_do(&f, doing);
			f.site.setting.source = SOURCE_OWN;
			f.site.asked_renew = true;
			uint64_t job = f.site.job;
			const struct site_effects *out = step(&f, event_of(&f, SITE_IMPORTED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
			assert_int_equal(count(out, FX_ABANDON), doing == DOING_ORDER);
			assert_int_equal(count(out, FX_DEPLOY), 1);
			assert_int_equal(f.site.doing, DOING_DEPLOY);
			assert_true(f.site.job > job && f.site.held.is_own && !f.site.held.is_live && !f.site.asked_renew);
			/* The answer to what was under way before is too late. */
			struct site_event late = event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused);
			late.job = job;
			assert_int_equal(step(&f, late)->n, 0);
		}
}

/* A removed site takes nothing in any more. */
static void
test_import_of_removed(void **state)
{
	AUTO_FIXTURE f = { 0 };
	struct finding unused;

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.is_removed = true;
	step(&f, event_of(&f, SITE_IMPORTED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_false(f.site.held.is_own);
}

/* Back to free SSL: ordered at once, whatever the life that is left; the own one is served until the free one is here. */
static void
test_back_to_free(void **state)
{
	AUTO_FIXTURE f = { 0 };
	struct finding unused;

	(void)state;
	fixture_own(&f, 200, false);
	f.site.setting.source = SOURCE_FREE;
	const struct site_effects *out = checked(&f);
	assert_int_equal(count(out, FX_ORDER), 1);
	assert_true(f.site.held.is_own);
	assert_int_equal(letters(out, LETTER_RESOLVED), 0);
	out = step(&f, event_of(&f, SITE_ISSUED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_int_equal(count(out, FX_DEPLOY), 1);
	assert_false(f.site.held.is_own);
	/* A name that fails meanwhile takes nothing away from what was bought (P3). */
	fixture_own(&f, 200, false);
	f.site.setting.source = SOURCE_FREE;
	fixture_do(&f, DOING_CHECK);
	out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_WWW_GONE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_int_equal(count(out, FX_ORDER), 0);
}

/* What only a CA of ours would meet is no matter to a bought certificate: nobody is told to change a record for it. */
static void
test_only_what_matters(void **state)
{
	AUTO_FIXTURE f = { 0 };

	(void)state;
	for (int own = 0; own < 2; own++) {
		fixture_own(&f, 200, false);
		if (!own)
			f.site.setting.source = SOURCE_FREE;
		fixture_do(&f, DOING_CHECK);
		struct finding unused;
		struct site_event ev = event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused);
		struct name_evidence *n = ((struct evidence *)(uintptr_t)ev.evidence)->names;
		for (size_t i = 0; i < 2; i++)
			n[i].addresses[0].http = (struct http_evidence){ .result = HTTP_REFUSED };
		step(&f, ev);
		assert_int_equal(f.site.findings.n == 0, own);
	}
}

/* What will happen, on the page: a letter, letters, and how it ends. */
static void
test_plan(void **state)
{
	(void)state;
	for (int takeover = 0; takeover < 2; takeover++) {
		struct page_event plan[PAGE_EVENTS_MAX];
		AUTO_FIXTURE f = { 0 };

		fixture_own(&f, 100, takeover);
		struct view v = view_of(&f.site, now);
		size_t n = page_plan(&f.site, &f.policy, &v, now, plan), reminders = 0;
		for (size_t i = 0; i < n; i++)
			reminders += plan[i].kind == PAGE_EVENT_REMINDER;
		assert_int_equal(plan[n - 1].kind, takeover ? PAGE_EVENT_TAKEOVER : PAGE_EVENT_OWN_END);
		assert_int_equal(reminders, takeover ? 2 : 4);
		assert_string_equal(view_headline(&f.site, &v), "ok-own");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dates),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_import),
		cmocka_unit_test(test_import_of_removed),
		cmocka_unit_test(test_back_to_free),
		cmocka_unit_test(test_only_what_matters),
		cmocka_unit_test(test_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
