#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "sim/fleet/fleet.h"
#include "sim/fleet/queue.h"

/* --- the queue: in order of time, then of putting --- */

static void
test_queue_keeps_order(void **state)
{
	struct queue_of_events *q = calloc(1, sizeof *q);
	struct fleet_event ev, last = { .at_ms = -1 };
	uint64_t random = 7, n = 0, taken = 0;

	(void)state;
	assert_non_null(q);
	events_init(q, 1000);
	for (unsigned i = 0; i < 20000; i++) {
		static const int64_t spans[] = { 10, 70000, 5000000, 86400000, INT64_C(70000000000), INT64_C(9000000000000) };
		random = random * 6364136223846793005U + 1442695040888963407U;
		events_put(q, (struct fleet_event){ .at_ms = 1000 + (int64_t)(random >> 20) % spans[i % 6], .site = i });
		n++;
	}
	while (events_take(q, INT64_C(100000000000000), &ev)) {
		assert_true(ev.at_ms > last.at_ms || (ev.at_ms == last.at_ms && ev.seq > last.seq));
		last = ev;
		/* What is put while it runs takes its place as well. */
		if (++taken % 3 == 0 && n < 40000) {
			events_put(q, (struct fleet_event){ .at_ms = ev.at_ms + (int64_t)(taken * 977 % 100000), .site = 1 });
			n++;
		}
	}
	assert_int_equal(taken, n);
	assert_false(q->failed);
	events_fini(q);
	free(q);
}

/* --- a fleet --- */

static struct fleet_plan
small_plan(uint64_t seed)
{
	struct fleet_plan p;

	fleet_plan_init(&p);
	fleet_plan_faults(&p);
	p.seed = seed;
	p.sites = 40;
	p.span = SPAN_D(200);
	return p;
}

static void
test_same_seed_same_life(void **state)
{
	struct fleet_plan p = small_plan(5);
	struct fleet_report a, b;

	(void)state;
	assert_int_equal(fleet_run(&p, &a), ERR_OK);
	assert_int_equal(fleet_run(&p, &b), ERR_OK);
	assert_false(a.is_broken);
	assert_int_equal(a.steps, b.steps);
	assert_int_equal(a.requests, b.requests);
	assert_memory_equal(a.letters, b.letters, sizeof a.letters);
	assert_memory_equal(a.marks, b.marks, sizeof a.marks);
	assert_memory_equal(a.issued_in, b.issued_in, a.bins_n * sizeof *a.issued_in);
	fleet_report_fini(&b);
	p.seed = 6;
	assert_int_equal(fleet_run(&p, &b), ERR_OK);
	assert_int_not_equal(a.requests, b.requests);
	fleet_report_fini(&a);
	fleet_report_fini(&b);
}

static void
test_quiet_life(void **state)
{
	struct fleet_plan p;
	struct fleet_report r;

	(void)state;
	fleet_plan_init(&p);
	p.sites = 100;
	assert_int_equal(fleet_run(&p, &r), ERR_OK);
	assert_false(r.is_broken);
	assert_int_equal(r.letters[LETTER_ISSUED], 100);
	for (size_t i = 0; i < LETTER_COUNT; i++)
		assert_true(i == LETTER_ISSUED || r.letters[i] == 0);
	assert_int_equal(r.orders, r.issued);
	assert_in_range(r.issued, 600, 700);
	/* Daily, each of them. */
	assert_in_range(r.checks, 100 * 365, 100 * 420);
	assert_int_equal(r.expired, 0);
	assert_true(r.bytes / p.sites < 1024);
	fleet_report_fini(&r);
}

/* A CA that never answers again: what koshin cannot help is told, and is no broken promise. */
static void
test_ca_that_is_gone(void **state)
{
	struct fleet_plan p;
	struct fleet_report r;

	(void)state;
	fleet_plan_init(&p);
	p.sites = 50;
	p.ca.outages[0] = (struct fleet_outage){ when_plus(p.start, SPAN_D(40)), SPAN_D(300), OUTAGE_DOWN };
	p.ca.outages_n = 1;
	assert_int_equal(fleet_run(&p, &r), ERR_OK);
	assert_false(r.is_broken);
	assert_int_equal(r.expired, 50);
	assert_string_equal(r.expiries[0].why, "the CA was out of order");
	assert_int_equal(r.letters[LETTER_ACT] + r.letters[LETTER_REMINDER] + r.letters[LETTER_EXPIRED], 0);
	fleet_report_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queue_keeps_order),
		cmocka_unit_test(test_same_seed_same_life),
		cmocka_unit_test(test_quiet_life),
		cmocka_unit_test(test_ca_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
