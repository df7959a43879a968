#include "test/unit/site_world.h"

/* --- everything with everything --- */

/* What lists are sorted by says the same as the page. */
static void
check_urgent(const struct site *s, struct when at, const char *name)
{
	enum site_state state = view_of(s, at).state;
	const struct site_urgent u = site_urgent(s);
	bool is_warned = state == SITE_STATE_EXPIRED || state == SITE_STATE_BROKEN;

	if (is_warned != (when_is_known(u.warned_from) && !when_before(at, u.warned_from)))
		fail_msg("%s: %s, warned from %lld, now %lld", name, site_state_name(state), (long long)u.warned_from.s, (long long)at.s);
}

static void
check_outcome(const struct fixture *f, const struct site_effects *out, const char *name)
{
	const struct site *s = &f->site;
	size_t begun = count(out, FX_CHECK) + count(out, FX_VERIFY) + count(out, FX_ORDER) + count(out, FX_RESUME) + count(out, FX_DEPLOY);

	if (!when_before(now, s->wake))
		fail_msg("%s: the next date is not in the future", name);
	/* P2: whoever wants a certificate is looked at daily; who has moved away, weekly; no answer is awaited for longer. */
	struct span most = plan_is_gone(s) && s->doing == DOING_NOTHING ? SPAN_D(7) : SPAN_D(1);
	if (plan_wants(s) && when_between(now, s->wake).s > most.s)
		fail_msg("%s: the next date is %lld s away", name, (long long)when_between(now, s->wake).s);
	if (begun > 1)
		fail_msg("%s: %zu things were begun at once", name, begun);
	if (begun == 1 && s->doing == DOING_NOTHING)
		fail_msg("%s: something was begun and nothing is awaited", name);
	size_t told = count(out, FX_LETTER) - letters(out, LETTER_DRAFT) - letters(out, LETTER_ISSUED);
	if (told > 1)
		fail_msg("%s: %zu letters of one story at once", name, told);
	/* P5, P6: an order is for names that pass, or for what was validated before in the last sixth. */
	const struct site_effect *order = first(out, FX_ORDER);
	if (order != NULL && order->names_n == 0)
		fail_msg("%s: an order for nothing", name);
	struct view v = view_of(s, now);
	if (v.state == SITE_STATE_OK && s->held.id != 0 && !when_before(now, s->held.life.to))
		fail_msg("%s: said to be fine after its end", name);
	check_urgent(s, now, name);
}

static void
test_everything(void **state)
{
	size_t rows = 0;

	(void)state;
	for (enum doing doing = 0; doing < DOING_COUNT; doing++)
		for (enum site_event_kind kind = 0; kind < SITE_EVENT_COUNT; kind++)
			for (enum age age = 0; age < AGE_COUNT; age++)
				for (enum sight sight = 0; sight < SIGHT_COUNT; sight++)
					for (enum cause cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++) {
						struct fixture f;
						struct finding failure;
						char name[160];

						/* The cause matters only where an answer carries one. */
						if (kind != SITE_ORDER_FAILED && kind != SITE_DEPLOYED && cause > CAUSE_NONE + 1)
							continue;
						fixture_init(&f, age);
						fixture_do(&f, doing);
						struct site_event ev = event_of(&f, kind, sight, cause, &failure);
						(void)snprintf(name, sizeof name, "%s, event %d, %s, %s, %s", doing_name(doing), (int)kind,
						    age_names[age], sight_names[sight], cause_row(cause)->id);
						const struct site_effects *out = step(&f, ev);
						check_outcome(&f, out, name);
						arena_fini(&f.arena);
						rows++;
					}
	printf("# %zu combinations\n", rows);
	assert_true(rows > 10000);
}

/* An answer to another job than the one that is awaited changes nothing that is under way. */
static void
test_late_answers(void **state)
{
	(void)state;
	for (enum doing doing = DOING_CHECK; doing < DOING_COUNT; doing++)
		for (enum site_event_kind kind = SITE_CHECKED; kind <= SITE_DEPLOYED; kind++) {
			struct fixture f;
			struct finding failure;

			fixture_init(&f, AGE_YOUNG);
			fixture_do(&f, doing);
			struct site_event ev = event_of(&f, kind, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &failure);
			ev.job = f.site.job - 1;
			const struct site_effects *out = step(&f, ev);
			assert_int_equal(f.site.doing, doing);
			assert_int_equal(out->n, 0);
			arena_fini(&f.arena);
		}
}

/* --- P5: which names are ordered, at each age of the certificate and for each sight --- */

static void
test_partial_beats_nothing(void **state)
{
	static const struct {
		enum age age;
		enum sight sight;
		size_t ordered; /* names in the order that follows the check */
	} rows[] = {
		{ AGE_NONE, SIGHT_FINE, 2 }, { AGE_NONE, SIGHT_WWW_GONE, 1 }, { AGE_NONE, SIGHT_ALL_ELSEWHERE, 0 },
		{ AGE_YOUNG, SIGHT_FINE, 0 }, { AGE_YOUNG, SIGHT_WWW_GONE, 0 },
		{ AGE_DUE, SIGHT_FINE, 2 }, { AGE_DUE, SIGHT_WWW_GONE, 0 }, { AGE_DUE, SIGHT_ALL_ELSEWHERE, 0 },
		{ AGE_REDUCE, SIGHT_FINE, 2 }, { AGE_REDUCE, SIGHT_WWW_GONE, 1 }, { AGE_REDUCE, SIGHT_ALL_ELSEWHERE, 0 },
		{ AGE_ANYWAY, SIGHT_WWW_GONE, 1 }, { AGE_ANYWAY, SIGHT_ALL_ELSEWHERE, 2 },
		{ AGE_ENDED, SIGHT_FINE, 2 }, { AGE_ENDED, SIGHT_WWW_GONE, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;
		struct finding unused;

		fixture_init(&f, rows[i].age);
		/* What is on the server is as it should be. */
		f.site.applied.digest = plan_digest(&f.site, now);
		fixture_do(&f, DOING_CHECK);
		const struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, rows[i].sight, CAUSE_CA_SERVICE_DOWN, &unused));
		const struct site_effect *order = first(out, FX_ORDER);
		size_t got = order != NULL ? order->names_n : 0;

		if (got != rows[i].ordered)
			fail_msg("%s, %s: %zu names ordered, wanted %zu", age_names[rows[i].age], sight_names[rows[i].sight], got, rows[i].ordered);
		arena_fini(&f.arena);
	}
}

/* --- P3: drafts, redirects --- */

static void
test_draft_is_not_read(void **state)
{
	(void)state;
	for (enum age age = 0; age < AGE_COUNT; age++)
		for (enum sight sight = 0; sight < SIGHT_COUNT; sight++) {
			struct fixture with, without;
			struct finding unused;

			fixture_init(&with, age);
			fixture_init(&without, age);
			with.site.draft = (struct draft){ .exists = true, .begun_at = when_minus(now, SPAN_D(3)), .told_at = WHEN_UNKNOWN,
				.setting = { .source = SOURCE_NONE, .redirect = true, .hsts = true, .root = STR("/elsewhere") } };
			fixture_do(&with, DOING_CHECK);
			fixture_do(&without, DOING_CHECK);
			const struct site_effects *a = step(&with, event_of(&with, SITE_CHECKED, sight, CAUSE_CA_SERVICE_DOWN, &unused));
			const struct site_effects *b = step(&without, event_of(&without, SITE_CHECKED, sight, CAUSE_CA_SERVICE_DOWN, &unused));
			assert_int_equal(a->n, b->n);
			for (size_t i = 0; i < a->n; i++)
				assert_int_equal(a->at[i].kind, b->at[i].kind);
			assert_int_equal(with.site.doing, without.site.doing);
			arena_fini(&with.arena);
			arena_fini(&without.arena);
		}
}

static void
test_redirect(void **state)
{
	static const struct {
		const char *name;
		enum age age;
		unsigned good;
		bool is_live, www_ok;
		int wanted;
		bool hsts;
	} rows[] = {
		{ "no certificate", AGE_NONE, 0, false, true, 0, false },
		{ "first certificate", AGE_YOUNG, 1, true, true, 307, false },
		{ "one renewal", AGE_YOUNG, 2, true, true, 307, false },
		{ "two renewals", AGE_YOUNG, 3, true, true, 308, true },
		{ "less left than HSTS would promise", AGE_ANYWAY, 3, true, true, 308, false },
		{ "not proven", AGE_YOUNG, 3, false, true, 0, false },
		{ "www shows a warning", AGE_YOUNG, 3, true, false, 0, false },
		{ "over", AGE_ENDED, 3, true, true, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;

		fixture_init(&f, rows[i].age);
		f.site.setting.redirect = f.site.setting.hsts = true;
		f.site.renewals_good = rows[i].good;
		f.site.held.is_live = rows[i].is_live;
		f.names[1].served.is_ok = rows[i].www_ok;
		if (!rows[i].is_live)
			f.names[0].served.not_after = f.names[1].served.not_after = WHEN_UNKNOWN;
		if (site_redirect(&f.site, now) != rows[i].wanted || site_hsts(&f.site, now) != rows[i].hsts)
			fail_msg("%s: redirect %d, hsts %d", rows[i].name, site_redirect(&f.site, now), site_hsts(&f.site, now));
		arena_fini(&f.arena);
	}
}

/* --- P6: a failed order is not repeated without a reason --- */

static void
test_backoff_of_orders(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, AGE_NONE);
	for (unsigned n = 1; n <= 6; n++) {
		static const int64_t least[] = { 60, 600, 6000, 86400, 86400, 86400 };
		struct turn t = { now, 0xffffffffU };

		assert_true(plan_order_backoff(&f.site, n, &t).s >= least[n - 1]);
		assert_true(plan_order_backoff(&f.site, n, &t).s <= least[n - 1] * 5 / 4 + 1);
	}
	/* The CA's own date is law: no wish and no passed check shortens it. */
	struct finding failure;
	fixture_do(&f, DOING_ORDER);
	struct site_event ev = event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, CAUSE_CA_LIMIT_EXACT_SET, &failure);
	ev.retry_after = when_plus(now, SPAN_H(34));
	(void)step(&f, ev);
	assert_int_equal(f.site.retry_at.s, when_plus(now, SPAN_H(34)).s);
	(void)step(&f, (struct site_event){ .kind = SITE_ASKED_RENEW, .retry_after = WHEN_UNKNOWN });
	f.site.doing = DOING_CHECK;
	struct site_event seen = event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_LIMIT_EXACT_SET, &failure);
	const struct site_effects *out = step(&f, seen);
	assert_int_equal(count(out, FX_ORDER), 0);
	arena_fini(&f.arena);
}

/* One name that the CA refuses does not take the others down: they are ordered without it at once. */
static void
test_refused_name_is_left_out(void **state)
{
	struct fixture f;
	struct finding failure;

	(void)state;
	fixture_init(&f, AGE_NONE);
	f.site.applied.digest = plan_digest(&f.site, now);
	f.names[0].passed_at = f.names[1].passed_at = f.site.checked_at = now;
	fixture_do(&f, DOING_ORDER);
	struct site_event ev = event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, CAUSE_HTTP_CHALLENGE_FORBIDDEN, &failure);
	failure.subject = f.names[1].name;
	(void)step(&f, ev);
	assert_true(f.site.retry_at.s <= now.s + 1);
	/* A second later, after a check that sees nothing wrong. */
	f.site.retry_at = now;
	f.site.doing = DOING_CHECK;
	const struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &failure));
	const struct site_effect *order = first(out, FX_ORDER);
	if (order == NULL) {
		fail_msg("nothing was ordered");
		return;
	}
	assert_int_equal(order->names_n, 1);
	assert_true(str_eq(order->names[0], f.names[0].name));
	arena_fini(&f.arena);
}

/* The CA refused www in words of its own while a check saw no record of it; a check that finds all in order says that it was
 * mended, and it is ordered at once. Where no check had anything against it, the CA's word stands until its date. */
static void
test_mended_name_is_not_refused(void **state)
{
	(void)state;
	for (int was_seen = 0; was_seen < 2; was_seen++) {
		struct fixture f;
		struct finding failure;

		fixture_init(&f, AGE_NONE);
		f.site.applied.digest = plan_digest(&f.site, now);
		if (was_seen) {
			fixture_do(&f, DOING_CHECK);
			(void)step(&f, event_of(&f, SITE_CHECKED, SIGHT_WWW_GONE, CAUSE_CA_SERVICE_DOWN, &failure));
		}
		f.names[0].passed_at = f.names[1].passed_at = f.site.checked_at = now;
		f.site.order_failures = 3; /* the next try is a day away */
		fixture_do(&f, DOING_ORDER);
		struct site_event ev = event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, CAUSE_HTTP_CHALLENGE_FORBIDDEN, &failure);
		failure.subject = f.names[1].name;
		(void)step(&f, ev);
		assert_true(f.names[1].refused_until.s > now.s);
		fixture_do(&f, DOING_CHECK);
		f.site.retry_at = now;
		const struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &failure));
		const struct site_effect *order = first(out, FX_ORDER);
		if (order == NULL) {
			fail_msg("nothing was ordered");
			return;
		}
		assert_int_equal(order->names_n, was_seen ? 2 : 1);
		assert_int_equal(findings_find(&f.site.findings, CAUSE_HTTP_CHALLENGE_FORBIDDEN, f.names[1].name) == NULL, was_seen);
		arena_fini(&f.arena);
	}
}

/* What has been taken off the server is left alone; what the installer was about to put on is taken off as well. */
static void
test_removed_site_rests(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, AGE_NONE);
	f.site.is_removed = true;
	f.site.applied.digest = 5;
	fixture_do(&f, DOING_DEPLOY);
	const struct site_effects *out = step(&f, (struct site_event){ .kind = SITE_DEPLOYED, .job = f.site.job, .retry_after = WHEN_UNKNOWN });
	assert_int_equal(count(out, FX_DEPLOY), 0);
	assert_int_equal(f.site.doing, DOING_NOTHING);
	assert_int_equal(f.site.wake.s, WHEN_NEVER.s);
	arena_fini(&f.arena);
	fixture_init(&f, AGE_NONE);
	fixture_do(&f, DOING_DEPLOY);
	f.site.applied.digest = 0;
	out = step(&f, (struct site_event){ .kind = SITE_REMOVED, .retry_after = WHEN_UNKNOWN });
	const struct site_effect *deploy = first(out, FX_DEPLOY);
	assert_true(deploy != NULL && deploy->is_removal);
	arena_fini(&f.arena);
}

/* P7: a renewal that a person asked for survives the death of the engine between the decision and the order. */
static void
test_wish_survives(void **state)
{
	struct fixture f;
	struct finding unused;

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.asked_renew = true;
	fixture_do(&f, DOING_CHECK);
	(void)step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_int_equal(f.site.doing, DOING_ORDER);
	/* The order was never placed; the next engine begins with what is stored. */
	const struct site_effects *out = step(&f, (struct site_event){ .kind = SITE_RESTARTED, .retry_after = WHEN_UNKNOWN });
	assert_int_equal(count(out, FX_ORDER), 1);
	/* Refused, it is no reason for tries without end. */
	f.site.order_id = 9;
	(void)step(&f, event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_false(f.site.asked_renew);
	arena_fini(&f.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_late_answers),
		cmocka_unit_test(test_partial_beats_nothing),
		cmocka_unit_test(test_draft_is_not_read),
		cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_backoff_of_orders),
		cmocka_unit_test(test_refused_name_is_left_out),
		cmocka_unit_test(test_mended_name_is_not_refused),
		cmocka_unit_test(test_removed_site_rests),
		cmocka_unit_test(test_wish_survives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
