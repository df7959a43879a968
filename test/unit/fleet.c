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
		static const int64_t spans[] = { 10, 70000, 5000000, 86400000, INT64_C(70000000000), INT64_C(900000000000) };
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
	assert_in_range(r.bytes / p.sites, 1, 1023);
	fleet_report_fini(&r);
}

/* Looks that are taken in one go, ahead of their time, change nothing for anybody: a fleet that is traced takes them one by one. */
static void
test_looks_ahead_change_nothing(void **state)
{
	struct fleet_plan p;
	struct fleet_report a, b;

	(void)state;
	fleet_plan_init(&p);
	p.sites = 50;
	p.span = SPAN_D(900);
	p.fill = SPAN_D(0);
	p.probe_ms = p.deploy_ms = 0;
	assert_int_equal(fleet_run(&p, &a), ERR_OK);
	p.traced = p.sites;
	assert_int_equal(fleet_run(&p, &b), ERR_OK);
	assert_false(a.is_broken);
	assert_false(b.is_broken);
	assert_int_equal(a.steps, b.steps);
	assert_int_equal(a.checks, b.checks);
	assert_int_equal(a.requests, b.requests);
	assert_memory_equal(a.issued_in, b.issued_in, a.bins_n * sizeof *a.issued_in);
	fleet_report_fini(&a);
	fleet_report_fini(&b);
}

/* A CA that never answers again: what koshin cannot help is told, and is no broken promise. */
static void
test_ca_that_is_gone(void **state)
{
	struct fleet_plan p;
	struct fleet_report r;

	(void)state;
	fleet_plan_init(&p);
	p.sites = 20;
	p.ca.outages[0] = (struct fleet_outage){ when_plus(p.start, SPAN_D(40)), SPAN_D(300), OUTAGE_DOWN };
	p.ca.outages_n = 1;
	assert_int_equal(fleet_run(&p, &r), ERR_OK);
	assert_false(r.is_broken);
	assert_int_equal(r.expired, 20);
	assert_string_equal(r.expiries[0].why, "the CA was out of order");
	assert_int_equal(r.letters[LETTER_ACT] + r.letters[LETTER_REMINDER] + r.letters[LETTER_EXPIRED], 0);
	fleet_report_fini(&r);
}

/* --- days that nobody can wait for: bench/fleets.py has them for whole fleets --- */

/* ./check takes as many as stated, the quick run a part: enough that the CA's front end is what everybody waits for. */
static uint32_t
part_of(uint32_t sites)
{
	return getenv("KOSHIN_SWEEP") != NULL ? sites : sites / 12;
}

enum { DAY_S = 86400, BIN_S = 600, A_DAY = DAY_S / BIN_S };

/* The CA is down from day 10 to day 13, and a tenth of the fleet falls due meanwhile. */
static void
test_outage_of_three_days(void **state)
{
	const int64_t longest_wait_s = 4500; /* an order that met an ill CA waits an hour at most, and a quarter more by chance */
	const uint32_t pace = 250;	     /* requests a second that the CA's front end takes */
	struct fleet_plan p;
	struct fleet_report r;

	(void)state;
	fleet_plan_init(&p);
	p.sites = part_of(20000);
	p.fill = SPAN_D(0);
	p.span = SPAN_D(30);
	p.bin = SPAN_S(BIN_S);
	p.ca.calendar[0].life = SPAN_D(45);
	p.ca.outages[0] = (struct fleet_outage){ when_plus(p.start, SPAN_D(10)), SPAN_D(3), OUTAGE_DOWN };
	p.ca.outages_n = 1;
	assert_int_equal(fleet_run(&p, &r), ERR_OK);
	assert_false(r.is_broken);
	assert_int_equal(r.expired, 0);
	assert_int_equal(r.letters[LETTER_ACT] + r.letters[LETTER_REMINDER] + r.letters[LETTER_EXPIRED] + r.letters[LETTER_REDUCED], 0);
	/* The backlog is gone when certificates come at the rate of the days before; what came until then took its requests. */
	const uint32_t *back = &r.issued_in[13 * A_DAY];
	uint64_t ordinary = 0, late = 0;
	int64_t last = 0;
	for (size_t i = 0; i < 10 * A_DAY; i++)
		ordinary += r.issued_in[i];
	ordinary /= 10 * A_DAY;
	for (int64_t i = 0; i < A_DAY; i++)
		last = back[i] > 2 * ordinary + 10 ? i : last;
	for (int64_t i = 0; i <= last; i++)
		late += back[i];
	assert_true(late > p.sites / 20);
	assert_true((last + 1) * BIN_S * 10 <= 11 * (longest_wait_s + (int64_t)(late * r.requests / r.issued / pace)));
	fleet_report_fini(&r);
}

/* All is asked to be replaced on day 2, on an account with override; whoever adds a site then waits for a minute at most. */
static void
test_mass_replacement(void **state)
{
	struct fleet_plan p;
	struct fleet_report r;

	(void)state;
	fleet_plan_init(&p);
	p.sites = part_of(50000);
	p.fill = SPAN_D(0);
	p.span = SPAN_D(4);
	p.replace_at = when_plus(p.start, SPAN_D(2));
	p.newcomers = 24;
	p.ca.orders_capacity = 3000;
	assert_int_equal(fleet_run(&p, &r), ERR_OK);
	assert_false(r.is_broken);
	assert_int_equal(r.replaced, p.sites - p.newcomers);
	assert_true(when_is_known(r.all_replaced_at) && when_between(p.replace_at, r.all_replaced_at).s <= DAY_S);
	assert_in_range(r.newcomer_worst_ms, 1, 60000);
	/* What the front end takes: 300 new orders and 250 others, and bursts of 200 and 125. */
	assert_in_range(r.requests_peak, 1, 875);
	assert_int_equal(r.limits_touched, 0);
	fleet_report_fini(&r);
}

/* Lives become shorter three times, without a herd on any day. */
static void
test_calendar_that_changes(void **state)
{
	static const int64_t lives_h[] = { 90 * 24, 64 * 24, 45 * 24, 160 };
	struct fleet_plan p;
	struct fleet_report r;

	(void)state;
	fleet_plan_init(&p);
	p.sites = part_of(24000);
	p.fill = SPAN_D(0);
	p.span = SPAN_D(240);
	p.bin = SPAN_D(1);
	for (size_t i = 0; i < 4; i++)
		p.ca.calendar[i] = (struct fleet_life){ when_plus(p.start, SPAN_D(60 * (int64_t)i)), SPAN_H(lives_h[i]) };
	p.ca.calendar_n = 4;
	assert_int_equal(fleet_run(&p, &r), ERR_OK);
	assert_false(r.is_broken);
	assert_int_equal(r.expired, 0);
	for (size_t n = 0; n < 4; n++) {
		/* The fleet begins with certificates of every age, those that are just due among them. */
		size_t first = 60 * n + (n == 0 ? 3 : 0), end = 60 * (n + 1);
		uint64_t most = 0, all = 0;

		for (size_t i = first; i < end; i++) {
			most = r.issued_in[i] > most ? r.issued_in[i] : most;
			all += r.issued_in[i];
		}
		if (most * 2 * (end - first) >= 3 * all)
			fail_msg("lives of %lld h: %llu certificates on one day, of %llu in %zu", (long long)lives_h[n],
			    (unsigned long long)most, (unsigned long long)all, end - first);
	}
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
		cmocka_unit_test(test_looks_ahead_change_nothing),
		cmocka_unit_test(test_ca_that_is_gone),
		cmocka_unit_test(test_outage_of_three_days),
		cmocka_unit_test(test_mass_replacement),
		cmocka_unit_test(test_calendar_that_changes),
		cmocka_unit_test(test_mistakes_of_a_file),
		cmocka_unit_test(test_a_file_is_read_and_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
