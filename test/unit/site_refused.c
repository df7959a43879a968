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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mended_after_a_refusal),
		cmocka_unit_test(test_a_lost_answer_mends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
