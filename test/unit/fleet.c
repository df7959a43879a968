#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "sim/fleet/file.h"
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

/* --- a fleet as a file --- */

static void
test_mistakes_of_a_file(void **state)
{
	static const struct {
		const char *yaml, *words;
	} rows[] = {
		{ "", "f.yaml:1: the file is empty; expected" },
		{ "sites: ten\n", "f.yaml:1: Invalid uint64_t value: 'ten'; expected a whole number" },
		{ "sites: 10\nfoo: 3\n", "f.yaml:2: Unexpected key: foo; expected one of the keys" },
		{ "sites: 0\n", "f.yaml:1: sites: 0; expected a number from 1 to" },
		{ "sites: 5\nnames:\n  pair_percent: 120\n", "f.yaml:3: pair_percent: 120; expected a number from 0 to 100" },
		{ "ca:\n  outages:\n    - from_day: 3\n      kind: dwn\n", "Invalid ENUM value: dwn; expected down, patience" },
		{ "ca:\n  lives:\n    - from_day: 5\n    - from_day: 5\n", "from_day: 5; expected a number from 6 to 365" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fleet_plan p;
		struct why why = { "" };

		assert_int_equal(fleet_file_read(str_of(rows[i].yaml), "f.yaml", &p, &why), ERR_CONFIG);
		if (strstr(why.text, rows[i].words) == NULL)
			fail_msg("%s: \"%s\" is not in \"%s\"", rows[i].yaml, rows[i].words, why.text);
	}
}

static void
test_a_file_is_read_and_told(void **state)
{
	static const char yaml[] = "sites: 30\ndays: 120\nfill_days: 5\nca:\n  lives:\n    - hours: 1080\n"
				   "  outages:\n    - from_day: 30\n      hours: 48\n      kind: down\n";
	AUTO_BUF to = { .max = 1 << 20 };
	struct fleet_plan p;
	struct fleet_report r;
	struct why why = { "" };

	(void)state;
	assert_int_equal(fleet_file_read(str_of(yaml), "f.yaml", &p, &why), ERR_OK);
	assert_int_equal(p.sites, 30);
	assert_int_equal(p.ca.calendar[0].life.s, 45 * 86400);
	assert_int_equal(p.ca.outages[0].kind, OUTAGE_DOWN);
	assert_int_equal(fleet_run(&p, &r), ERR_OK);
	assert_false(r.is_broken);
	fleet_print(&p, &r, &to, 60);
	assert_non_null(strstr(to.p, "30 sites, 120 days"));
	assert_non_null(strstr(to.p, "would expire                0"));
	buf_clear(&to);
	fleet_print_json(&p, &r, &to);
	assert_non_null(strstr(to.p, "\"expired\": 0"));
	assert_non_null(strstr(to.p, "\"ok\": true"));
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
		cmocka_unit_test(test_mistakes_of_a_file),
		cmocka_unit_test(test_a_file_is_read_and_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
