#include "test/unit/site_world.h"

/* What only other networks can see: when they are asked, how long what they said stands, and what becomes of the CA's word. */

enum far { FAR_PASSES, FAR_SHUT_OUT, FAR_SILENT };

/* A check that passes from here; for example.jp one place says this, and another that it passes. */
static struct site_event
looked(struct fixture *f, enum far far, struct finding *failure)
{
	struct site_event ev = event_of(f, SITE_CHECKED, SIGHT_FINE, CAUSE_OWN_UNCLASSIFIED, failure);
	struct name_evidence *n = &ev.evidence->names[0];

	n->views = arena_get(&f->arena, 2 * sizeof *n->views);
	n->views_n = 2;
	for (size_t i = 0; i < 2; i++) {
		struct view_address *at = arena_get(&f->arena, sizeof *at);

		*at = (struct view_address){ .ip = n->addresses[0].ip, .http = n->addresses[0].http };
		if (i == 0 && far == FAR_SHUT_OUT)
			at->http = (struct http_evidence){ .result = HTTP_TIMEOUT_CONNECT };
		n->views[i] = (struct view_evidence){ .place = i == 0 ? STR("tokyo") : STR("oregon"), .result = far == FAR_SILENT ? VIEW_SILENT : VIEW_SEEN,
			.a_status = DNS_OK, .aaaa_status = DNS_OK, .caa_status = DNS_OK, .addresses = at, .addresses_n = far != FAR_SILENT };
	}
	return ev;
}

static struct finding *
found(struct fixture *f, enum cause c)
{
	return findings_find(&f->site.findings, c, f->names[0].name);
}

static void
stand(struct fixture *f, enum cause c, bool is_from_order, unsigned times, struct when next_look)
{
	f->findings[0] = (struct finding){ .cause = c, .subject = f->names[0].name, .acts = cause_row(c)->acts, .evidence = STR("the CA's words"),
		.first_seen = when_minus(now, SPAN_H(1)), .last_seen = when_minus(now, SPAN_MIN(10)), .told_at = now, .times_seen = times,
		.next_look = next_look, .is_from_order = is_from_order };
	f->site.findings = (struct finding_list){ .at = f->findings, .n = 1, .cap = 8 };
}

static void
test_places_are_asked_where_they_can_tell_something(void **state)
{
	static const struct {
		enum cause cause;
		bool is_from_order, wants;
	} rows[] = {
		{ CAUSE_NONE, false, false },
		{ CAUSE_TRANSPORT_CONNECT_RESET, true, true },
		{ CAUSE_HTTP_CHALLENGE_FORBIDDEN, true, true },
		{ CAUSE_DNS_LOOKUP_SERVFAIL, true, true },
		{ CAUSE_CA_SERVICE_DOWN, true, false },
		{ CAUSE_OWN_CHALLENGE_NOT_SERVED, true, false },
		{ CAUSE_DNS_A_ELSEWHERE, false, false },
		{ CAUSE_TRANSPORT_PORT80_CLOSED, false, false },
		{ CAUSE_SERVED_EXPIRED, false, false },
		{ CAUSE_TRANSPORT_CONNECT_GEO_BLOCKED, false, true },
		{ CAUSE_DNS_VIEW_SPLIT, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };
		struct finding failure;

		fixture_init(&f, AGE_YOUNG);
		if (rows[i].cause != CAUSE_NONE)
			stand(&f, rows[i].cause, rows[i].is_from_order, 1, now);
		struct site_effects *out = step(&f, event_of(&f, SITE_WAKE, SIGHT_FINE, CAUSE_OWN_UNCLASSIFIED, &failure));
		const struct site_effect *check = first(out, FX_CHECK);
		if (check == NULL || check->wants_views != rows[i].wants)
			fail_msg("row %zu", i);
	}
}

static void
test_the_ca_alone_gets_another_name(void **state)
{
	static const enum cause words[] = { CAUSE_TRANSPORT_CONNECT_GEO_BLOCKED, CAUSE_TRANSPORT_CONNECT_RESET, CAUSE_TRANSPORT_UNCLASSIFIED };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		AUTO_FIXTURE f = { 0 };
		struct finding failure;
		bool is_again = i >= 3;

		fixture_init(&f, AGE_DUE);
		fixture_do(&f, DOING_CHECK);
		stand(&f, words[i % 3], true, is_again ? 2 : 1, now);
		f.site.retry_at = now;
		(void)step(&f, looked(&f, FAR_PASSES, &failure));
		assert_int_equal(found(&f, CAUSE_TRANSPORT_VALIDATOR_BANNED) != NULL, is_again);
		assert_int_equal(found(&f, words[i % 3]) == NULL, is_again);
		/* It holds up no order that the CA's own word would not: the date has come, and the CA is asked. */
		assert_int_equal(f.site.doing, DOING_ORDER);
		if (!is_again)
			continue;
		struct finding *f1 = found(&f, CAUSE_TRANSPORT_VALIDATOR_BANNED);
		if (f1 == NULL)
			fail_msg("row %zu", i);
		assert_true(f1->is_from_order && f1->acts == ACTOR_HOST && str_eq(f1->seen, STR("tokyo, oregon")));
		assert_true(str_starts(f1->evidence, STR("the CA's words\n")));
		/* The CA could not come in once more: that is known. */
		fixture_do(&f, DOING_ORDER);
		(void)step(&f, event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, words[i % 3], &failure));
		f1 = found(&f, CAUSE_TRANSPORT_VALIDATOR_BANNED);
		if (f1 == NULL)
			fail_msg("row %zu, again", i);
		assert_true(f1->times_seen >= 2 && when_before(now, f1->next_look) && str_eq(f1->seen, STR("tokyo, oregon")));
		assert_null(found(&f, words[i % 3]));
		/* It fails in another way: that is told too. */
		fixture_do(&f, DOING_ORDER);
		(void)step(&f, event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, CAUSE_HTTP_SERVER_ERROR, &failure));
		assert_non_null(found(&f, CAUSE_HTTP_SERVER_ERROR));
	}
}

static void
test_it_is_the_ca_alone_no_longer(void **state)
{
	AUTO_FIXTURE f = { 0 };
	struct finding failure;

	(void)state;
	fixture_init(&f, AGE_DUE);
	fixture_do(&f, DOING_CHECK);
	stand(&f, CAUSE_TRANSPORT_VALIDATOR_BANNED, true, 3, when_plus(now, SPAN_MIN(5)));
	(void)step(&f, looked(&f, FAR_SHUT_OUT, &failure));
	assert_null(found(&f, CAUSE_TRANSPORT_VALIDATOR_BANNED));
	assert_non_null(found(&f, CAUSE_TRANSPORT_SECONDARY_VALIDATION_TIMEOUT));
	/* Places that say nothing say nothing against it. */
	fixture_do(&f, DOING_CHECK);
	stand(&f, CAUSE_TRANSPORT_VALIDATOR_BANNED, true, 3, when_plus(now, SPAN_MIN(5)));
	(void)step(&f, looked(&f, FAR_SILENT, &failure));
	assert_non_null(found(&f, CAUSE_TRANSPORT_VALIDATOR_BANNED));
	/* An order that goes well ends it. */
	fixture_do(&f, DOING_ORDER);
	(void)step(&f, event_of(&f, SITE_ISSUED, SIGHT_FINE, CAUSE_OWN_UNCLASSIFIED, &failure));
	assert_null(found(&f, CAUSE_TRANSPORT_VALIDATOR_BANNED));
}

/* What a place saw is over when places see it no more; a place that is silent mends nothing, for a day. */
static void
test_silence_mends_nothing(void **state)
{
	static const struct {
		enum far far;
		int64_t seen_h;
		bool stays;
	} rows[] = { { FAR_PASSES, 1, false }, { FAR_SHUT_OUT, 1, true }, { FAR_SILENT, 1, true }, { FAR_SILENT, 23, true }, { FAR_SILENT, 25, false } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };
		struct finding failure;

		fixture_init(&f, AGE_DUE);
		fixture_do(&f, DOING_CHECK);
		stand(&f, CAUSE_TRANSPORT_SECONDARY_VALIDATION_TIMEOUT, false, 1, now);
		f.findings[0].last_seen = when_minus(now, SPAN_H(rows[i].seen_h));
		(void)step(&f, looked(&f, rows[i].far, &failure));
		struct finding *left = found(&f, CAUSE_TRANSPORT_SECONDARY_VALIDATION_TIMEOUT);
		assert_int_equal(left != NULL, rows[i].stays);
		assert_int_equal(f.site.doing == DOING_ORDER, !rows[i].stays);
		if (left != NULL)
			assert_true(when_before(now, left->next_look));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_are_asked_where_they_can_tell_something),
		cmocka_unit_test(test_the_ca_alone_gets_another_name),
		cmocka_unit_test(test_it_is_the_ca_alone_no_longer),
		cmocka_unit_test(test_silence_mends_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
