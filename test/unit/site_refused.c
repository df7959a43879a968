#include "test/unit/site_world.h"

/* A CA refuses what a check had found before it: the check's eyes tell when it is mended, the next order may be a day away. */

static void
test_mended_after_a_refusal(void **state)
{
	(void)state;
	for (int is_by_check = 0; is_by_check < 2; is_by_check++) {
		AUTO_FIXTURE f = { 0 };
		struct finding failure;

		fixture_init(&f, AGE_ANYWAY);
		fixture_do(&f, DOING_ORDER);
		if (is_by_check == 1) {
			f.findings[0] = (struct finding){ .cause = CAUSE_DNS_CAA_FORBIDS, .subject = f.names[0].name,
				.acts = ACTOR_OWNER, .first_seen = now, .last_seen = now, .told_at = now, .times_seen = 2,
				.next_look = when_plus(now, SPAN_MIN(15)) };
			f.site.findings.n = 1;
		}
		f.site.order_failures = 5; /* from the fourth on the back-off is daily */
		(void)step(&f, event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, CAUSE_DNS_CAA_FORBIDS, &failure));
		assert_int_equal(f.site.findings.n, 1);
		assert_int_equal(f.site.findings.at[0].is_from_order, is_by_check == 0);
		/* The CA's word about the name is kept in either case (P6). */
		assert_true(when_before(now, f.site.names[0].refused_until));
		if (is_by_check == 1)
			assert_false(when_before(when_plus(now, SPAN_MIN(15)), f.site.findings.at[0].next_look));

		/* The next check sees nothing of it any more. */
		fixture_do(&f, DOING_CHECK);
		(void)step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_DNS_CAA_FORBIDS, &failure));
		assert_int_equal(findings_find(&f.site.findings, CAUSE_DNS_CAA_FORBIDS, f.names[0].name) == NULL, is_by_check == 1);
		/* … and the renewal goes on at once. */
		assert_int_equal(f.site.doing == DOING_ORDER, is_by_check == 1);
	}
}

/* An AAAA record stood against the name; its question gets no answer this time, and the A record is right. */
static void
test_a_lost_answer_mends_nothing(void **state)
{
	static const struct {
		enum dns_status aaaa;
		int64_t seen_s;
		bool stays;
	} rows[] = {
		{ DNS_TIMEOUT, 60, true },
		{ DNS_SERVFAIL, 60, true },
		{ DNS_OK, 60, false },
		{ DNS_NXDOMAIN, 60, false },
		{ DNS_TIMEOUT, 3700, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };
		struct finding failure;

		fixture_init(&f, AGE_DUE);
		fixture_do(&f, DOING_CHECK);
		struct when seen = when_minus(now, SPAN_S(rows[i].seen_s));
		f.findings[0] = (struct finding){ .cause = CAUSE_DNS_AAAA_ELSEWHERE, .subject = f.names[0].name, .acts = ACTOR_DOMAIN_COMPANY,
			.first_seen = seen, .last_seen = seen, .told_at = seen, .times_seen = 2, .next_look = now };
		f.site.findings.n = 1;
		struct site_event ev = event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_DNS_AAAA_ELSEWHERE, &failure);
		ev.evidence->names[0].aaaa_status = rows[i].aaaa;
		struct site_effects *out = step(&f, ev);
		const struct finding *left = findings_find(&f.site.findings, CAUSE_DNS_AAAA_ELSEWHERE, f.names[0].name);
		assert_int_equal(left != NULL, rows[i].stays);
		assert_int_equal(letters(out, LETTER_RESOLVED), 0);
		if (left != NULL) {
			assert_int_equal(left->last_seen.s, seen.s);
			assert_true(when_before(now, left->next_look));
			assert_int_not_equal(f.site.doing, DOING_ORDER);
		}
	}
}

/* An order ends with the first name that the CA refuses. What it has refused before of another name is counted on. */
static void
test_one_refused_after_the_other(void **state)
{
	AUTO_FIXTURE f = { 0 };
	struct finding failure;

	(void)state;
	fixture_init(&f, AGE_ANYWAY);
	f.findings[0] = (struct finding){ .cause = CAUSE_HTTP_CHALLENGE_FORBIDDEN, .subject = f.names[1].name, .acts = ACTOR_WEB_OWNER,
		.is_from_order = true, .first_seen = when_minus(now, SPAN_H(2)), .last_seen = when_minus(now, SPAN_H(2)),
		.told_at = now, .times_seen = 3, .next_look = when_minus(now, SPAN_S(1)) };
	f.site.findings.n = 1;
	fixture_do(&f, DOING_ORDER);
	struct site_event ev = event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, CAUSE_HTTP_CHALLENGE_FORBIDDEN, &failure);
	failure.subject = f.names[0].name;
	(void)step(&f, ev);
	const struct finding *first = findings_find(&f.site.findings, CAUSE_HTTP_CHALLENGE_FORBIDDEN, f.names[0].name);
	struct finding *other = findings_find(&f.site.findings, CAUSE_HTTP_CHALLENGE_FORBIDDEN, f.names[1].name);
	assert_true(first != NULL && first->times_seen == 1 && other != NULL && other->times_seen == 3);

	/* Its turn again: the fourth time is a day's wait. */
	fixture_do(&f, DOING_ORDER);
	ev = event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, CAUSE_HTTP_CHALLENGE_FORBIDDEN, &failure);
	failure.subject = f.names[1].name;
	(void)step(&f, ev);
	other = findings_find(&f.site.findings, CAUSE_HTTP_CHALLENGE_FORBIDDEN, f.names[1].name);
	assert_true(other != NULL && other->times_seen == 4);
	assert_true(when_before(when_plus(now, SPAN_H(1)), f.names[1].refused_until));

	/* What the CA says now of a name stands for what it had said. */
	other->next_look = when_minus(now, SPAN_S(1));
	other->last_seen = when_minus(now, SPAN_H(1));
	fixture_do(&f, DOING_ORDER);
	ev = event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, CAUSE_DNS_CAA_FORBIDS, &failure);
	failure.subject = f.names[1].name;
	(void)step(&f, ev);
	assert_null(findings_find(&f.site.findings, CAUSE_HTTP_CHALLENGE_FORBIDDEN, f.names[1].name));
	assert_non_null(findings_find(&f.site.findings, CAUSE_DNS_CAA_FORBIDS, f.names[1].name));
}

/* One record is missing, and has its word from how the other name is: whoever was told is not told again under the other word. */
static void
test_one_record_is_told_of_once(void **state)
{
	static const enum cause before[] = { CAUSE_DNS_ADDRESS_PARTLY_MISSING, CAUSE_DNS_ADDRESS_MISSING, CAUSE_OWN_NAME_UNUSED };

	(void)state;
	for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
		AUTO_FIXTURE f = { 0 };
		struct finding failure;
		struct when told = when_minus(now, SPAN_D(2));

		fixture_init(&f, AGE_DUE);
		fixture_do(&f, DOING_CHECK);
		f.findings[0] = (struct finding){ .cause = before[i], .subject = f.names[1].name, .acts = ACTOR_DOMAIN_COMPANY,
			.first_seen = told, .last_seen = when_minus(now, SPAN_H(1)), .told_at = told, .times_seen = 9, .next_look = now };
		f.site.findings.n = 1;
		struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_WWW_GONE, CAUSE_OWN_UNCLASSIFIED, &failure));
		const struct finding *left = findings_find(&f.site.findings, CAUSE_DNS_ADDRESS_PARTLY_MISSING, f.names[1].name);
		if (left == NULL || left->told_at.s != told.s || left->first_seen.s != told.s || left->times_seen != 10)
			fail_msg("it was %s", cause_row(before[i])->id);
		assert_int_equal(letters(out, LETTER_ACT), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mended_after_a_refusal),
		cmocka_unit_test(test_a_lost_answer_mends_nothing),
		cmocka_unit_test(test_one_refused_after_the_other),
		cmocka_unit_test(test_one_record_is_told_of_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
