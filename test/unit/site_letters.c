/* What a site tells people, and when it is looked at: letters, what is said of it, its states. */
#include "test/unit/site_world.h"

/* --- letters --- */

static void
test_owner_is_left_in_peace(void **state)
{
	(void)state;
	/* Whatever of ours or of the CA's goes wrong with an order: no letter, at no age. */
	for (enum cause cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++)
		for (enum age age = 0; age < AGE_COUNT; age++) {
			struct fixture f;
			struct finding failure;

			if (actor_is_owner(cause_row(cause)->acts))
				continue;
			fixture_init(&f, age);
			fixture_do(&f, DOING_ORDER);
			const struct site_effects *out = step(&f, event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, cause, &failure));
			if (count(out, FX_LETTER) != 0)
				fail_msg("%s at age %s: a letter", cause_row(cause)->id, age_names[age]);
			arena_fini(&f.arena);
		}
}

/* The CA was down when an order was tried; now the owner's fault keeps the next order away. That silences nobody for ever. */
static void
test_old_failure_of_ours_silences_nobody(void **state)
{
	(void)state;
	for (int is_over = 0; is_over < 2; is_over++) {
		struct fixture f;
		struct site_effects out = { .n = 0 };
		const struct turn t = { now, 1 };

		fixture_init(&f, AGE_DUE);
		f.findings[0] = (struct finding){ .cause = CAUSE_DNS_A_ELSEWHERE, .subject = f.names[0].name, .acts = ACTOR_DOMAIN_COMPANY,
			.first_seen = now, .last_seen = now, .next_look = when_plus(now, SPAN_MIN(15)), .told_at = WHEN_UNKNOWN, .times_seen = 2 };
		f.findings[1] = (struct finding){ .cause = CAUSE_CA_SERVICE_DOWN, .subject = f.names[0].name, .acts = ACTOR_HOST, .is_from_order = true,
			.first_seen = now, .last_seen = now, .told_at = WHEN_UNKNOWN, .times_seen = 2,
			.next_look = is_over ? when_minus(now, SPAN_MIN(1)) : when_plus(now, SPAN_MIN(1)) };
		f.site.findings.n = 2;
		site_letters(&f.site, &t, &f.policy, &f.arena, &out);
		assert_int_equal(count(&out, FX_LETTER), is_over);
		arena_fini(&f.arena);
	}
}

/* A name was left out of a certificate, and all that is known of it is news: nobody is asked to mend that. */
static void
test_loss_is_told_with_a_fault(void **state)
{
	static const enum cause causes[] = { CAUSE_DNS_CAA_RESERVE, CAUSE_DNS_A_ELSEWHERE };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture f;
		struct site_effects out = { .n = 0 };
		const struct turn t = { now, 1 };

		fixture_init(&f, AGE_DUE);
		f.names[1].is_held = false;
		f.names[1].validated_at = when_minus(now, SPAN_D(60));
		f.findings[0] = (struct finding){ .cause = causes[i], .subject = f.names[1].name, .acts = ACTOR_DOMAIN_COMPANY,
			.first_seen = now, .last_seen = now, .next_look = when_plus(now, SPAN_MIN(15)), .told_at = WHEN_UNKNOWN, .times_seen = 2 };
		f.site.findings.n = 1;
		site_letters(&f.site, &t, &f.policy, &f.arena, &out);
		assert_int_equal(out.n, i);
		if (i == 1)
			assert_int_equal(out.at[0].letter, LETTER_REDUCED);
		arena_fini(&f.arena);
	}
}

/* A fault of the owner's over a whole life, day by day: what is told, and how often. */
static void
test_story_of_letters(void **state)
{
	struct fixture f;
	size_t told[LETTER_COUNT] = { 0 };
	struct when last = WHEN_UNKNOWN;

	(void)state;
	fixture_init(&f, AGE_DUE);
	f.findings[0] = (struct finding){ .cause = CAUSE_DNS_A_ELSEWHERE, .subject = f.names[0].name };
	f.site.findings.n = 1;
	struct finding *gone = &f.findings[0];
	gone->acts = ACTOR_DOMAIN_COMPANY;
	gone->first_seen = gone->last_seen = now;
	gone->told_at = WHEN_UNKNOWN;
	gone->times_seen = 2;
	for (int hour = 0; hour < 40 * 24; hour++) {
		struct turn t = { when_plus(now, SPAN_H(hour)), 1 };
		struct site_effects out = { .n = 0 };

		site_letters(&f.site, &t, &f.policy, &f.arena, &out);
		assert_true(out.n <= 1);
		if (out.n == 0)
			continue;
		told[out.at[0].letter]++;
		if (when_is_known(last))
			assert_true(when_between(last, t.now).s >= DAY);
		last = t.now;
	}
	assert_int_equal(told[LETTER_ACT], 1);
	assert_int_equal(told[LETTER_REMINDER], 4);
	assert_int_equal(told[LETTER_EXPIRED], 1);
	assert_int_equal(told[LETTER_RESOLVED], 0);
	/* Mended: one letter says so, and the story is over. */
	f.site.findings.n = 0;
	f.site.held.life = (struct life){ now, when_plus(now, SPAN_D(130)) };
	f.names[0].served.is_ok = f.names[1].served.is_ok = true;
	struct turn t = { when_plus(now, SPAN_D(41)), 1 };
	struct site_effects out = { .n = 0 };
	site_letters(&f.site, &t, &f.policy, &f.arena, &out);
	assert_int_equal(letters(&out, LETTER_RESOLVED), 1);
	out.n = 0;
	site_letters(&f.site, &t, &f.policy, &f.arena, &out);
	assert_int_equal(out.n, 0);
	arena_fini(&f.arena);
}

/* What an order met is told again only when no order is under way that may go well: its owner may have mended it. */
static void
test_order_under_way_is_awaited(void **state)
{
	static const struct {
		enum doing doing;
		bool is_from_order;
		size_t told;
	} rows[] = { { DOING_ORDER, true, 0 }, { DOING_NOTHING, true, 1 }, { DOING_ORDER, false, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;
		struct turn t = { now, 1 };
		struct site_effects out = { .n = 0 };

		fixture_init(&f, AGE_ENDED);
		f.site.story_open = true;
		f.findings[0] = (struct finding){ .cause = CAUSE_DNS_A_ELSEWHERE,
			.subject = f.names[0].name,
			.acts = ACTOR_DOMAIN_COMPANY,
			.is_from_order = rows[i].is_from_order,
			.times_seen = 3,
			.told_at = when_minus(now, SPAN_D(10)),
			.next_look = now };
		f.site.findings.n = 1;
		fixture_do(&f, rows[i].doing);
		site_letters(&f.site, &t, &f.policy, &f.arena, &out);
		if (letters(&out, LETTER_EXPIRED) != rows[i].told || out.n != rows[i].told)
			fail_msg("row %zu: %zu letters, %zu of them about the end", i, out.n, letters(&out, LETTER_EXPIRED));
		arena_fini(&f.arena);
	}
}

/* Our resolver is down and hides what the owner had to mend: a handshake that goes well is no reason to say that all is well. */
static void
test_well_is_not_said_blindly(void **state)
{
	static const struct {
		enum cause cause;
		size_t told;
	} rows[] = { { CAUSE_OWN_RESOLVER_UNAVAILABLE, 0 }, { CAUSE_OWN_NETWORK_DOWN, 0 }, { CAUSE_NONE, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;
		struct finding unused;

		fixture_init(&f, AGE_YOUNG);
		f.site.story_open = true;
		f.site.look_at = when_plus(now, SPAN_H(1));
		f.findings[0] = (struct finding){ .cause = rows[i].cause,
			.subject = f.names[0].name,
			.acts = ACTOR_HOST,
			.told_at = WHEN_UNKNOWN,
			.next_look = when_plus(now, SPAN_MIN(1)) };
		f.site.findings.n = rows[i].cause != CAUSE_NONE;
		fixture_do(&f, DOING_VERIFY);
		const struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
		if (letters(out, LETTER_RESOLVED) != rows[i].told || f.site.doing != DOING_NOTHING)
			fail_msg("%s: %zu letters, doing %s", cause_row(rows[i].cause)->id, letters(out, LETTER_RESOLVED),
			    doing_name(f.site.doing));
		arena_fini(&f.arena);
	}
}

/* While our resolver is down nothing is seen, and nothing is over: the owner is not told the same again when it is back. */
static void
test_unseen_is_not_gone(void **state)
{
	struct fixture f;
	struct finding unused;

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	fixture_do(&f, DOING_CHECK);
	(void)step(&f, event_of(&f, SITE_CHECKED, SIGHT_WWW_GONE, CAUSE_CA_SERVICE_DOWN, &unused));
	struct finding *www = findings_find(&f.site.findings, CAUSE_DNS_ADDRESS_PARTLY_MISSING, f.names[1].name);
	assert_non_null(www);
	struct when first = www->first_seen, told = www->told_at = when_minus(now, SPAN_H(2));
	fixture_do(&f, DOING_CHECK);
	struct evidence *e = evidence_of(&f, SIGHT_WWW_GONE, false);
	for (size_t i = 0; i < 2; i++) {
		e->names[i].a_status = e->names[i].aaaa_status = DNS_LOCAL;
		e->names[i].addresses_n = 0;
	}
	struct site_event blind = event_of(&f, SITE_CHECKED, SIGHT_WWW_GONE, CAUSE_CA_SERVICE_DOWN, &unused);
	blind.evidence = e;
	const struct site_effects *out = step(&f, blind);
	assert_non_null(findings_find(&f.site.findings, CAUSE_OWN_RESOLVER_UNAVAILABLE, f.names[1].name));
	www = findings_find(&f.site.findings, CAUSE_DNS_ADDRESS_PARTLY_MISSING, f.names[1].name);
	assert_non_null(www);
	assert_int_equal(www->first_seen.s, first.s);
	assert_int_equal(www->told_at.s, told.s);
	assert_int_equal(count(out, FX_LETTER), 0);
	/* It is back, and so is the record. */
	fixture_do(&f, DOING_CHECK);
	(void)step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_null(findings_find(&f.site.findings, CAUSE_DNS_ADDRESS_PARTLY_MISSING, f.names[1].name));
	arena_fini(&f.arena);
}

/* --- what is said --- */

/* The first state that fits is the one that is said; rows in the order of precedence. */
/* The first verification saw a web server in the middle of its reload. Whichever look sees the certificate next proves it. */
static void
test_proven_by_any_look(void **state)
{
	static const enum doing looks[] = { DOING_VERIFY, DOING_CHECK };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture f;
		struct finding unused;
		size_t proven = 0;

		fixture_init(&f, AGE_YOUNG);
		f.site.held.is_live = false;
		f.site.verify_failures = 1;
		fixture_do(&f, looks[i]);
		const struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
		for (size_t k = 0; k < out->n; k++)
			proven += out->at[k].kind == FX_HISTORY && out->at[k].history == HISTORY_PROVEN;
		if (!f.site.held.is_live || proven != 1 || f.site.renewals_good != 2 || f.site.verify_failures != 0)
			fail_msg("%s: live %d, proven %zu times, good %u", doing_name(looks[i]), f.site.held.is_live, proven,
			    f.site.renewals_good);
		arena_fini(&f.arena);
	}
}

/* A web server that reloads is asked again in a moment; one that answers nobody does not come back in a moment. Both have six seconds at most. */
static void
test_asked_again_before_it_is_told(void **state)
{
	static const struct {
		enum sight sight;
		int64_t pauses_s[4]; /* ends with 0: it is told */
	} rows[] = {
		{ SIGHT_OTHER_SERVED, { 1, 2, 3, 0 } },
		{ SIGHT_SERVER_DOWN, { 5, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;
		struct finding unused;
		unsigned tries = 0;

		fixture_init(&f, AGE_YOUNG);
		f.site.held.is_live = false;
		for (;; tries++) {
			fixture_do(&f, DOING_VERIFY);
			(void)step(&f, event_of(&f, SITE_CHECKED, rows[i].sight, CAUSE_CA_SERVICE_DOWN, &unused));
			if (rows[i].pauses_s[tries] == 0)
				break;
			assert_int_equal(when_between(now, f.site.look_at).s, rows[i].pauses_s[tries]);
			assert_int_equal(f.site.deploy_failures, 0);
			assert_null(findings_find(&f.site.findings, CAUSE_OWN_DEPLOY_NOT_SERVED, f.names[0].name));
		}
		assert_int_equal(f.site.deploy_failures, 1);
		assert_int_equal(f.site.verify_failures, 0);
		arena_fini(&f.arena);
	}
}

/* Another certificate is shown, or nothing answers: found once, however often it is deployed and looked at again, until ours is shown. */
static void
test_not_served_is_found_once(void **state)
{
	static const enum sight sights[] = { SIGHT_OTHER_SERVED, SIGHT_SERVER_DOWN };
	enum { LOOKS = 12 };

	(void)state;
	for (size_t i = 0; i < sizeof sights / sizeof *sights; i++) {
		struct fixture f;
		struct finding unused;
		size_t found = 0, gone = 0;

		fixture_init(&f, AGE_YOUNG);
		for (unsigned look = 0; look <= LOOKS; look++) {
			assert_int_equal(gone, 0);
			fixture_do(&f, DOING_VERIFY);
			const struct site_effects *out =
			    step(&f, event_of(&f, SITE_CHECKED, look < LOOKS ? sights[i] : SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
			for (size_t k = 0; k < out->n; k++) {
				const struct site_effect *e = &out->at[k];

				if (e->kind != FX_HISTORY || e->finding == NULL || e->finding->cause != CAUSE_OWN_DEPLOY_NOT_SERVED ||
				    !str_eq(e->finding->subject, f.names[0].name))
					continue;
				found += e->history == HISTORY_FOUND;
				gone += e->history == HISTORY_GONE;
			}
		}
		assert_int_equal(found, 1);
		assert_int_equal(gone, 1);
		assert_false(findings_has(&f.site, CAUSE_OWN_DEPLOY_NOT_SERVED));
		arena_fini(&f.arena);
	}
}

/* What was taken off the server is taken off once, whatever the site had. */
static void
test_removed_once(void **state)
{
	/* The first one was never on the server, but is just being put there. */
	static const enum age ages[] = { AGE_NONE, AGE_YOUNG, AGE_ENDED };

	(void)state;
	for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
		struct fixture f;
		struct finding unused;

		fixture_init(&f, ages[i]);
		if (ages[i] == AGE_NONE)
			fixture_do(&f, DOING_DEPLOY);
		const struct site_effects *out = step(&f, event_of(&f, SITE_REMOVED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
		const struct site_effect *fx = first(out, FX_DEPLOY);
		assert_non_null(fx);
		struct site_event done = { .kind = SITE_DEPLOYED, .job = f.site.job };
		if (fx != NULL)
			done.applied = fx->applied;
		out = step(&f, done);
		assert_int_equal(count(out, FX_DEPLOY), 0);
		assert_int_equal(f.site.doing, DOING_NOTHING);
		assert_int_equal(f.site.wake.s, WHEN_NEVER.s);
		arena_fini(&f.arena);
	}
}

/* What a change puts on the server is proven by a handshake; the change itself is looked at with everything, at once. */
static void
test_changed_is_looked_at(void **state)
{
	struct fixture f;
	struct finding unused;

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.checked_at = when_minus(now, SPAN_H(20));
	f.site.look_at = when_plus(now, SPAN_H(4));
	f.site.setting.root = STR("/srv/another");
	const struct site_effects *out = step(&f, event_of(&f, SITE_CHANGED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	const struct site_effect *fx = first(out, FX_DEPLOY);
	assert_non_null(fx);
	struct site_event done = { .kind = SITE_DEPLOYED, .job = f.site.job };
	if (fx != NULL)
		done.applied = fx->applied;
	(void)step(&f, done);
	assert_int_equal(f.site.doing, DOING_VERIFY);
	out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_int_equal(count(out, FX_CHECK), 1);
	arena_fini(&f.arena);
}

/* A handshake does not put off the look at everything by a day. */
static void
test_look_counts_from_the_last(void **state)
{
	struct fixture f;
	struct finding unused;

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.checked_at = when_minus(now, SPAN_H(20));
	fixture_do(&f, DOING_VERIFY);
	(void)step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_true(when_between(now, f.site.look_at).s <= 4 * 3600);
	arena_fini(&f.arena);
}

/* Between the order and its proof the names were led elsewhere. The cause is looked for at once, not with the next ordinary look. */
static void
test_nothing_seen_is_looked_into(void **state)
{
	struct fixture f;
	struct finding unused;

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.held.is_live = false;
	f.site.verify_failures = 3;
	fixture_do(&f, DOING_VERIFY);
	const struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_ALL_ELSEWHERE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_int_equal(count(out, FX_CHECK), 1);
	assert_int_equal(f.site.doing, DOING_CHECK);
	/* It is found and named, and the next look is an ordinary one. */
	(void)step(&f, event_of(&f, SITE_CHECKED, SIGHT_ALL_ELSEWHERE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_int_equal(f.site.doing, DOING_NOTHING);
	assert_non_null(site_cause_of(&f.site, f.names[0].name));
	assert_true(when_before(now, f.site.look_at));
	arena_fini(&f.arena);
}

static void
test_states(void **state)
{
	static const struct {
		const char *name;
		enum age age;
		enum cause cause; /* open for www */
		bool is_www_held;
		enum site_state wanted;
	} rows[] = {
		{ "over", AGE_ENDED, CAUSE_NONE, true, SITE_STATE_EXPIRED },
		{ "nothing yet", AGE_NONE, CAUSE_NONE, false, SITE_STATE_ISSUING },
		{ "nothing yet, and the owner must act", AGE_NONE, CAUSE_DNS_A_ELSEWHERE, false, SITE_STATE_ACT },
		{ "the owner must act", AGE_DUE, CAUSE_DNS_A_ELSEWHERE, true, SITE_STATE_ACT },
		{ "we must act", AGE_DUE, CAUSE_OWN_DEPLOY_CONFIG_BROKEN, true, SITE_STATE_OURS },
		{ "www is left out", AGE_YOUNG, CAUSE_DNS_ADDRESS_PARTLY_MISSING, false, SITE_STATE_PARTIAL },
		{ "www moved away", AGE_YOUNG, CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY, true, SITE_STATE_PARTIAL },
		{ "fine", AGE_YOUNG, CAUSE_NONE, true, SITE_STATE_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;

		fixture_init(&f, rows[i].age);
		f.names[1].is_held = rows[i].is_www_held;
		if (rows[i].cause != CAUSE_NONE) {
			f.findings[0] = (struct finding){ .cause = rows[i].cause, .subject = f.names[1].name,
				.acts = cause_row(rows[i].cause)->acts };
			f.site.findings.n = 1;
		}
		struct view v = view_of(&f.site, now);
		if (v.state != rows[i].wanted)
			fail_msg("%s: %s, wanted %s", rows[i].name, site_state_name(v.state), site_state_name(rows[i].wanted));
		/* The page never says "safe until" and "a warning since" together. */
		assert_false(when_is_known(v.until) && when_is_known(v.since));
		arena_fini(&f.arena);
	}
}

/* After the first deploy the check begins at once, unless workers of before the reload might still answer. */
static void
test_settling_after_a_reload(void **state)
{
	(void)state;
	for (int is_reloading = 0; is_reloading < 2; is_reloading++) {
		struct fixture f;
		struct finding unused;

		fixture_init(&f, AGE_NONE);
		fixture_do(&f, DOING_DEPLOY);
		struct site_event ev = event_of(&f, SITE_DEPLOYED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused);
		ev.is_reloading = is_reloading;
		const struct site_effects *out = step(&f, ev);
		assert_int_equal(count(out, FX_CHECK), !is_reloading);
		if (is_reloading)
			assert_int_equal(when_between(now, f.site.wake).s, 2);
		arena_fini(&f.arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner_is_left_in_peace),
		cmocka_unit_test(test_old_failure_of_ours_silences_nobody),
		cmocka_unit_test(test_loss_is_told_with_a_fault),
		cmocka_unit_test(test_story_of_letters),
		cmocka_unit_test(test_well_is_not_said_blindly),
		cmocka_unit_test(test_unseen_is_not_gone),
		cmocka_unit_test(test_order_under_way_is_awaited),
		cmocka_unit_test(test_proven_by_any_look),
		cmocka_unit_test(test_asked_again_before_it_is_told),
		cmocka_unit_test(test_not_served_is_found_once),
		cmocka_unit_test(test_removed_once),
		cmocka_unit_test(test_changed_is_looked_at),
		cmocka_unit_test(test_look_counts_from_the_last),
		cmocka_unit_test(test_nothing_seen_is_looked_into),
		cmocka_unit_test(test_settling_after_a_reload),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
