/* The order machine against a scripted CA: what it asks, in which order, and how each run ends. */
#include "test/unit/order_world.h"

static void
test_quick_ca_takes_nine_requests(void **state)
{
	(void)state;
	begin(2);
	r.ca.validate_polls = 1;
	r.ca.issue_polls = 1;
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_int_equal(r.requests, 9);
	assert_int_equal(r.waits, 2);
	assert_true(str_eq(r.out.chain_pem, STR("PEM")));
	assert_int_equal(r.out.certificate.names_n, 1);
	assert_int_equal(r.saves, 4); /* URL, finalised, certificate's URL, chain */
	assert_true(r.now.s - 1800000000 <= 1);

	begin(1); /* a CA that answers everything at once */
	run();
	assert_int_equal(r.requests, 6);
}

/* A CA that was quick lately is not polled first; whether it was right to hope is told for the next order. */
static void
test_poll_is_left_out_where_the_ca_is_quick(void **state)
{
	(void)state;
	begin(2);
	r.policy.ca_is_quick = true;
	r.ca.issue_polls = 1;
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_int_equal(r.requests, 8);
	assert_int_equal(r.ca.seen[ACME_FINALIZE], 1);
	assert_int_equal(r.pace, ORDER_PACE_UNKNOWN);

	/* It was not ready: polled as ever, and finalized once it is, however long that takes. */
	begin(2);
	r.policy.ca_is_quick = true;
	r.ca.validate_polls = 60;
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_int_equal(r.ca.seen[ACME_FINALIZE], 2);
	assert_in_range(r.now.s - 1800000000, 600, 1000);
	assert_int_equal(r.pace, ORDER_PACE_SLOW);

	/* Its validation failed: the reasons are those of the authorization. */
	begin(2);
	r.policy.ca_is_quick = true;
	r.ca.bad_authz = 0;
	run();
	assert_int_equal(r.order.phase, ORDER_FAILED);
	assert_int_equal(r.ca.seen[ACME_FINALIZE], 1);
	assert_int_equal(r.out.failures.n, 1);
	assert_true(str_eq(r.out.failures.at[0].subject, names[0]));

	/* A limit is a limit. */
	begin(1);
	r.policy.ca_is_quick = true;
	r.ca.fault_verb = ACME_FINALIZE;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_LIMITED;
	r.ca.fault_http = 429;
	run();
	assert_int_equal(r.order.phase, ORDER_FAILED);
	assert_int_equal(r.ca.seen[ACME_FINALIZE], 1);
}

/* The pace is that of a validation that took place. */
static void
test_pace_is_learnt_from_the_first_poll(void **state)
{
	(void)state;
	begin(2);
	r.ca.validate_polls = 1;
	run();
	assert_int_equal(r.pace, ORDER_PACE_QUICK);
	begin(2);
	r.ca.validate_polls = 2;
	run();
	assert_int_equal(r.pace, ORDER_PACE_SLOW);
	begin(2);
	r.ca.reused = 2;
	run();
	assert_int_equal(r.pace, ORDER_PACE_UNKNOWN);
}

static void
test_valid_authorizations_are_left_alone(void **state)
{
	(void)state;
	begin(2);
	r.ca.reused = 1;
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_int_equal(r.ca.seen[ACME_CHALLENGE], 1);
	assert_int_equal(r.requests, 7);

	begin(5);
	r.ca.reused = 5; /* the order is ready from the start */
	run();
	assert_int_equal(r.requests, 3);
	assert_int_equal(r.waits, 0);
}

static void
test_slow_ca_is_polled_ever_slower(void **state)
{
	(void)state;
	begin(2);
	r.ca.validate_polls = 60;
	r.ca.issue_polls = 10;
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_in_range(r.now.s - 1800000000, 600, 1000);
}

static void
test_slowness_has_an_end(void **state)
{
	(void)state;
	begin(1);
	r.ca.validate_polls = 1000000;
	run();
	assert_int_equal(r.order.phase, ORDER_FAILED);
	ASSERT_CAUSE(CAUSE_CA_ORDER_SLOW);
	assert_in_range(r.now.s - 1800000000, 3300, 3330);

	begin(1);
	r.ca.issue_polls = 1000000;
	run();
	ASSERT_CAUSE(CAUSE_CA_ORDER_SLOW);
	assert_in_range(r.now.s - 1800000000, 600, 620);

	begin(1);
	r.policy.processing_max = SPAN_S(20);
	r.ca.issue_polls = 1000000;
	run();
	ASSERT_CAUSE(CAUSE_CA_ORDER_SLOW);
	assert_in_range(r.now.s - 1800000000, 20, 40);
}

/* The machine slept while work of ours was left: that is not the CA's slowness. */
static void
test_own_sleep_is_told_as_such(void **state)
{
	(void)state;
	begin(1);
	r.ca.fault_verb = ACME_GET_AUTHZ;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_TIMEOUT;
	step(ORDER_EV_START, NULL);
	while (r.queue_n > 0)
		turn_once();
	r.now.s += 2 * 3600;
	finish();
	assert_int_equal(r.order.phase, ORDER_FAILED);
	assert_string_equal(cause_row(first_cause())->id, "own.order.stuck");
}

static void
test_retry_after_of_a_poll_is_law(void **state)
{
	struct acme_answer an;

	(void)state;
	begin(1);
	step(ORDER_EV_START, NULL);
	while (r.queue_n > 0)
		turn_once();
	assert_int_equal(r.wake_ms, 250);
	r.wake_ms = ORDER_NO_WAKE;
	step(ORDER_EV_WAKE, NULL);
	r.queue_n = 0;
	an = (struct acme_answer){ .verb = ACME_GET_ORDER,
		.order_id = ORDER_ID,
		.status = ACME_PENDING,
		.retry_after = { r.now.s + 40 } };
	step(ORDER_EV_ANSWER, &an);
	assert_int_equal(r.wake_ms, 40000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quick_ca_takes_nine_requests),
		cmocka_unit_test(test_poll_is_left_out_where_the_ca_is_quick),
		cmocka_unit_test(test_pace_is_learnt_from_the_first_poll),
		cmocka_unit_test(test_valid_authorizations_are_left_alone),
		cmocka_unit_test(test_slow_ca_is_polled_ever_slower),
		cmocka_unit_test(test_slowness_has_an_end),
		cmocka_unit_test(test_own_sleep_is_told_as_such),
		cmocka_unit_test(test_retry_after_of_a_poll_is_law),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
