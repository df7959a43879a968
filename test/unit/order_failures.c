/* The order machine against a CA that fails, forgets, limits, or answers late: how each such run ends. */
#include "test/unit/order_world.h"

static void
test_failed_challenge_is_classified_by_name(void **state)
{
	(void)state;
	begin(2);
	r.ca.bad_authz = 1;
	r.ca.validate_polls = 1;
	run();
	assert_int_equal(r.order.phase, ORDER_FAILED);
	assert_int_equal(r.out.failures.n, 1);
	ASSERT_CAUSE(CAUSE_HTTP_CHALLENGE_FORBIDDEN);
	assert_true(str_eq(r.out.failures.at[0].subject, STR("b.example")));
	assert_false(r.out.is_retry_at_once);
	assert_int_equal(r.ca.seen[ACME_GET_AUTHZ], 4);
}

static void
test_invalid_order_without_reason_is_tried_anew(void **state)
{
	(void)state;
	begin(1);
	r.order.phase = ORDER_PLACED;
	r.order.url = STR("order");
	r.ca.is_invalid = true;
	run();
	ASSERT_CAUSE(CAUSE_CA_ORDER_UNUSABLE);
	assert_true(r.out.is_retry_at_once);
}

static void
test_wildcard_without_http_challenge(void **state)
{
	(void)state;
	begin(1);
	r.ca.is_wildcard = true;
	run();
	ASSERT_CAUSE(CAUSE_REGISTRATION_WILDCARD_HTTP_ONLY);
}

/* From each commit point the order goes on with what the CA remembers. */
static void
test_resume_at_each_phase(void **state)
{
	(void)state;
	for (unsigned cut = 0; cut < 12; cut++) {
		begin(2);
		r.ca.validate_polls = 2;
		r.ca.issue_polls = 2;
		step(ORDER_EV_START, NULL);
		for (unsigned i = 0; i < cut && turn_once(); i++)
			continue;
		if (is_done())
			break;
		/* The process died: only the stored fields are left. */
		struct order stored = { .id = ORDER_ID,
			.phase = r.order.phase,
			.url = r.order.url,
			.finalize_url = r.order.finalize_url,
			.certificate_url = r.order.certificate_url,
			.names = names,
			.names_n = 2,
			.csr_der = STR("csr"),
			.created = r.order.created };
		r.order = stored;
		r.queue_n = 0;
		r.wake_ms = ORDER_NO_WAKE;
		/* A challenge that was answered is processing at this CA, and is not answered again (asserted there). */
		if (!r.ca.is_finalized)
			memset(r.ca.answered, 0, sizeof r.ca.answered);
		run();
		if (r.order.phase != ORDER_RECEIVED)
			fail_msg("%s:%d: cut at %u: %s", __FILE__, __LINE__, cut,
			    cause_row(first_cause())->id);
	}
}

static void
test_order_that_the_ca_forgot(void **state)
{
	(void)state;
	begin(2);
	r.order.phase = ORDER_PLACED;
	r.order.url = STR("order");
	r.ca.fault_verb = ACME_GET_ORDER;
	r.ca.fault_times = 100;
	r.ca.fault_err = ERR_NOT_FOUND;
	r.ca.fault_http = 404;
	r.ca.fault_type = "malformed";
	r.ca.fault_detail = "No order \"x\" found for account ID \"y\"";
	run();
	ASSERT_CAUSE(CAUSE_CA_ORDER_UNUSABLE);
	assert_true(r.out.is_retry_at_once);
	assert_int_equal(r.requests, 1);
}

/* It is issued: the CA would count another order for the same set. It is fetched for as long as processing may take, and ends with
 * the last answer's name. */
static void
test_an_issued_certificate_is_fetched_patiently(void **state)
{
	(void)state;
	begin(1);
	r.ca.fault_verb = ACME_CERTIFICATE;
	r.ca.fault_err = ERR_TIMEOUT;
	r.ca.fault_times = 12;
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_int_equal(r.ca.seen[ACME_CERTIFICATE], 13);
	assert_int_equal(r.ca.seen[ACME_NEW_ORDER], 1);
	assert_in_range(r.now.s - 1800000000, 100, 300);

	begin(1);
	r.policy.processing_max = SPAN_S(90);
	r.ca.fault_verb = ACME_CERTIFICATE;
	r.ca.fault_err = ERR_TIMEOUT;
	r.ca.fault_times = 999;
	run();
	assert_int_equal(r.order.phase, ORDER_FAILED);
	ASSERT_CAUSE(CAUSE_CA_SERVICE_DOWN);
	assert_in_range(r.now.s - 1800000000, 50, 90);
	assert_in_range(r.ca.seen[ACME_CERTIFICATE], 4, 10);
}

/* Each verb x each error: once, the order gets through or fails with a name; for ever, it ends with a name after 3 tries. */
static void
test_every_error_at_every_step(void **state)
{
	static const enum acme_verb verbs[] = { ACME_NEW_ORDER, ACME_GET_ORDER, ACME_GET_AUTHZ,
		ACME_CHALLENGE, ACME_FINALIZE, ACME_CERTIFICATE };

	(void)state;
	for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
		for (enum err e = ERR_OK + 1; e < ERR_COUNT; e++)
			for (unsigned i = 0; i < 4; i++) {
				unsigned times = i % 2 == 0 ? 1 : 999;

				begin(2);
				r.policy.ca_is_quick = i >= 2;
				r.ca.validate_polls = 1;
				r.ca.issue_polls = 1;
				r.ca.fault_verb = verbs[v];
				r.ca.fault_times = times;
				r.ca.fault_err = e;
				r.ca.fault_http = e == ERR_SERVER    ? 500
						  : e == ERR_LIMITED ? 429
						  : e == ERR_REFUSED ? 400
								     : 0;
				run();
				enum err_class class = err_class_of(e);
				bool is_soft = class == ERR_CLASS_TRANSIENT ||
					       class == ERR_CLASS_LOCAL || e == ERR_FULL ||
					       /* a chain that was cut on its way */
					       (verbs[v] == ACME_CERTIFICATE && e == ERR_INVALID);
				if (is_soft && times == 1 && r.order.phase != ORDER_RECEIVED)
					fail_msg("verb %d, %s once: did not get through",
					    (int)verbs[v], err_name(e));
				if (times > 1 && r.order.phase != ORDER_FAILED)
					fail_msg("verb %d, %s for ever: did not fail",
					    (int)verbs[v], err_name(e));
				if (is_soft && times > 1 && verbs[v] != ACME_CERTIFICATE &&
				    r.ca.seen[verbs[v]] > 6)
					fail_msg("verb %d, %s: asked %u times", (int)verbs[v],
					    err_name(e), r.ca.seen[verbs[v]]);
				if (r.order.phase == ORDER_FAILED)
					assert_true(
					    r.out.failures.at[0].subject.n > 0 &&
					    when_before(r.now, r.out.failures.at[0].next_look));
			}
}

static void
test_rubbish_statuses(void **state)
{
	static const enum acme_verb verbs[] = { ACME_NEW_ORDER, ACME_GET_ORDER, ACME_GET_AUTHZ,
		ACME_FINALIZE };

	(void)state;
	for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
		for (enum acme_status s = ACME_UNKNOWN; s <= ACME_REVOKED; s++)
			for (unsigned times = 1; times < 100000; times += 99998) {
				begin(2);
				r.ca.validate_polls = 1;
				r.ca.fault_verb = verbs[v];
				r.ca.fault_times = times;
				r.ca.fault_status = s;
				run(); /* ends, with order_check after each step */
			}
}

static void
test_limits_keep_their_date(void **state)
{
	(void)state;
	begin(1);
	r.ca.fault_verb = ACME_NEW_ORDER;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_LIMITED;
	r.ca.fault_http = 429;
	r.ca.fault_type = "rateLimited";
	r.ca.fault_detail = "too many certificates (5) already issued for this exact set of "
			    "identifiers in the last 168h0m0s, "
			    "retry after 2027-02-01 10:20:30 UTC: see "
			    "https://letsencrypt.org/docs/rate-limits/#x";
	run();
	ASSERT_CAUSE(CAUSE_CA_LIMIT_EXACT_SET);
	struct civil c = { 2027, 2, 1, 10, 20, 30, 0 };
	assert_int_equal(r.out.retry_after.s, when_of_civil(&c).s);
	assert_int_equal(r.requests, 1);

	begin(1); /* the header wins */
	r.ca.fault_verb = ACME_NEW_ORDER;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_LIMITED;
	r.ca.fault_http = 429;
	r.ca.fault_type = "rateLimited";
	r.ca.fault_retry_after = when_plus(r.now, SPAN_MIN(7));
	run();
	ASSERT_CAUSE(CAUSE_CA_LIMIT_OTHER);
	assert_int_equal(r.out.retry_after.s, r.now.s + 420);

	begin(
	    1); /* a long pause of a failing server ends the order, a short one is waited for */
	r.ca.fault_verb = ACME_GET_ORDER;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_SERVER;
	r.ca.fault_http = 503;
	r.ca.fault_retry_after = when_plus(r.now, SPAN_H(1));
	run();
	ASSERT_CAUSE(CAUSE_CA_SERVICE_BUSY);
	assert_int_equal(r.out.retry_after.s, 1800000000 + 3600);

	begin(1);
	r.ca.fault_verb = ACME_NEW_ORDER;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_SERVER;
	r.ca.fault_http = 503;
	r.ca.fault_retry_after = when_plus(r.now, SPAN_S(30));
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_true(r.now.s >= 1800000000 + 30);
}

static void
test_offers_are_taken_back(void **state)
{
	/* Whether the refusal is about `replaces` (or the profile), and so is answered by one more try without it. */
	static const struct {
		int line;
		const char *type, *detail;
		int http;
		enum err err;
		unsigned asked;
		bool is_issued, keeps_replaces, keeps_profile;
	} rows[] = {
		{ __LINE__, "alreadyReplaced", "", 409, ERR_REFUSED, 2, true, false, true },
		{ __LINE__, "malformed", "parsing ARI CertID failed", 400, ERR_REFUSED, 2, true, false, true },
		{ __LINE__, "malformed", "", 404, ERR_NOT_FOUND, 2, true, false, true },
		{ __LINE__, "unauthorized", "requester account did not request the certificate being replaced", 403, ERR_REFUSED, 2, true, false, true },
		{ __LINE__, "serverInternal", "Could not validate ARI 'replaces' field", 500, ERR_SERVER, 2, true, false, true },
		{ __LINE__, "conflict", "", 409, ERR_REFUSED, 2, true, false, true },
		{ __LINE__, "", "", 400, ERR_REFUSED, 2, true, false, true },
		{ __LINE__, "invalidProfile", "profile \"x\" not recognized", 400, ERR_REFUSED, 2, true, true, false },
		{ __LINE__, "rejectedIdentifier", "forbidden by policy", 400, ERR_REFUSED, 1, false, true, true },
		{ __LINE__, "rateLimited", "too many new orders (300)", 429, ERR_LIMITED, 1, false, true, true },
		/* An ill CA is asked again as it was. */
		{ __LINE__, "serverInternal", "oops", 500, ERR_SERVER, 2, true, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin(1);
		r.order.replaces = STR("aki.serial");
		r.order.profile = STR("x");
		r.ca.fault_verb = ACME_NEW_ORDER;
		r.ca.fault_times = 1;
		r.ca.fault_err = rows[i].err;
		r.ca.fault_http = rows[i].http;
		r.ca.fault_type = rows[i].type;
		r.ca.fault_detail = rows[i].detail;
		run();
		if ((r.order.phase == ORDER_RECEIVED) != rows[i].is_issued || r.ca.seen[ACME_NEW_ORDER] != rows[i].asked ||
		    (r.order.replaces.n > 0) != rows[i].keeps_replaces || (r.order.profile.n > 0) != rows[i].keeps_profile)
			fail_msg("%s:%d: asked %u times", __FILE__, rows[i].line, r.ca.seen[ACME_NEW_ORDER]);
	}
	/* Once: a CA that refuses on is not asked for ever. */
	begin(1);
	r.order.replaces = STR("aki.serial");
	r.ca.fault_verb = ACME_NEW_ORDER;
	r.ca.fault_times = 9;
	r.ca.fault_err = ERR_REFUSED;
	r.ca.fault_http = 409;
	r.ca.fault_type = "alreadyReplaced";
	run();
	assert_int_equal(r.order.phase, ORDER_FAILED);
	assert_int_equal(r.ca.seen[ACME_NEW_ORDER], 2);
}

static void
test_finalized_too_early(void **state)
{
	(void)state;
	begin(1);
	r.ca.fault_verb = ACME_FINALIZE;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_REFUSED;
	r.ca.fault_http = 403;
	r.ca.fault_type = "orderNotReady";
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_int_equal(r.ca.seen[ACME_FINALIZE], 2);
}

/* Whatever comes that was not asked for changes nothing. */
static void
test_late_and_foreign_answers(void **state)
{
	(void)state;
	begin(2);
	r.ca.validate_polls = 2;
	r.ca.issue_polls = 1;
	step(ORDER_EV_START, NULL);
	for (unsigned i = 0; i < 200; i++) {
		for (enum acme_verb v = ACME_NEW_ORDER; v < ACME_VERB_COUNT; v++)
			for (uint32_t index = 0; index < 4; index++) {
				bool is_awaited = false;

				for (size_t q = 0; q < r.queue_n; q++)
					is_awaited =
					    is_awaited || (r.queue[q].verb == v &&
							      (r.queue[q].index == index ||
								  (v != ACME_GET_AUTHZ &&
								      v != ACME_CHALLENGE)));
				struct acme_answer an = { .verb = v,
					.order_id = ORDER_ID,
					.index = index,
					.status = ACME_INVALID,
					.err = ERR_REFUSED };
				struct acme_answer foreign = { .verb = v,
					.order_id = ORDER_ID + 1,
					.index = index,
					.status = ACME_VALID };
				static struct order before;
				int64_t wake_ms = r.wake_ms;

				before = r.order;
				step(ORDER_EV_ANSWER, &foreign);
				if (!is_awaited)
					step(ORDER_EV_ANSWER, &an);
				if (r.queue_n > 0)
					step(ORDER_EV_WAKE, NULL);
				step(ORDER_EV_START, NULL);
				assert_memory_equal(&before, &r.order, sizeof before);
				assert_int_equal(wake_ms, r.wake_ms);
				assert_false(r.out.must_save);
			}
		if (!turn_once())
			break;
	}
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
}

static void
test_row_that_is_no_order(void **state)
{
	(void)state;
	begin(0);
	run();
	ASSERT_CAUSE(CAUSE_OWN_UNCLASSIFIED);
	begin(1);
	r.order.csr_der = STR_NONE;
	run();
	ASSERT_CAUSE(CAUSE_OWN_UNCLASSIFIED);
}

static void
test_no_memory_ends_with_a_finding(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t max = 0; max < 1200; max += 16) {
		begin(2);
		r.ca.bad_authz = max % 32 == 0 ? 0 : -1;
		r.keep.max = r.turn.max = max;
		run();
		failed += r.order.phase == ORDER_FAILED;
	}
	assert_true(failed > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failed_challenge_is_classified_by_name),
		cmocka_unit_test(test_invalid_order_without_reason_is_tried_anew),
		cmocka_unit_test(test_wildcard_without_http_challenge),
		cmocka_unit_test(test_resume_at_each_phase),
		cmocka_unit_test(test_order_that_the_ca_forgot),
		cmocka_unit_test(test_an_issued_certificate_is_fetched_patiently),
		cmocka_unit_test(test_every_error_at_every_step),
		cmocka_unit_test(test_rubbish_statuses),
		cmocka_unit_test(test_limits_keep_their_date),
		cmocka_unit_test(test_offers_are_taken_back),
		cmocka_unit_test(test_finalized_too_early),
		cmocka_unit_test(test_late_and_foreign_answers),
		cmocka_unit_test(test_row_that_is_no_order),
		cmocka_unit_test(test_no_memory_ends_with_a_finding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
