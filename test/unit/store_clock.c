#include "test/unit/store_try.h"
#include "ports/store/budget.h"
#include "ports/store/clock.h"

/* By which clock the dates in the store are. */

enum { BY_S = 7200 };

static void
test_it_is_set(void **state)
{
	(void)state;
	struct store *s = new_store();
	struct store_clock clock;

	OK(s, store_clock(s, &clock));
	SAME(clock.set.s, 0);
	assert_false(clock.is_moving);
	OK(s, store_clock_set(s, SPAN_S(-BY_S), SPAN_S(-BY_S)));
	OK(s, store_clock(s, &clock));
	SAME(clock.set.s, -BY_S);
	assert_true(clock.is_moving);
	OK(s, store_clock_settled(s));
	OK(s, store_clock(s, &clock));
	SAME(clock.set.s, -BY_S);
	assert_false(clock.is_moving);
	store_close(&s);
}

/* Sites are by the clock of their last save; a new one by that of now. */
static void
test_sites_that_are_left(void **state)
{
	(void)state;
	AUTO_ARENA a = { .max = 1 << 20 };
	struct store *s = new_store();
	const struct str one = STR("one.example"), two = STR("two.example"), three = STR("three.example");
	int64_t first = new_site(s, &one, 1), second = new_site(s, &two, 1), ids[4];
	struct site site;
	size_t n = 0;

	OK(s, store_clock_sites(s, SPAN_S(0), 0, ids, 4, &n));
	SAME(n, 0);
	OK(s, store_clock_set(s, SPAN_S(BY_S), SPAN_S(BY_S)));
	(void)new_site(s, &three, 1);
	OK(s, store_clock_sites(s, SPAN_S(BY_S), 0, ids, 4, &n));
	SAME(n, 2);
	SAME(ids[0], first);
	SAME(ids[1], second);
	OK(s, store_clock_sites(s, SPAN_S(BY_S), first, ids, 4, &n));
	SAME(n, 1);
	OK(s, store_site_load(s, second, &a, &site));
	SAME(site.clock.s, 0);
	site.clock.s = BY_S;
	OK(s, store_site_save(s, &site, now));
	OK(s, store_site_load(s, second, &a, &site));
	SAME(site.clock.s, BY_S);
	OK(s, store_clock_sites(s, SPAN_S(BY_S), first, ids, 4, &n));
	SAME(n, 0);
	assert_sound(s);
	store_close(&s);
}

/* A draft's age goes with its site. */
static void
test_a_draft(void **state)
{
	(void)state;
	AUTO_ARENA a = { .max = 1 << 20 };
	struct store *s = new_store();
	const struct str one = STR("one.example");
	int64_t id = new_site(s, &one, 1);
	const struct draft draft = { .setting = free_setting(), .exists = true, .begun_by = STR("hana"), .begun_at = now,
		.told_at = WHEN_UNKNOWN };
	struct site site;

	OK(s, store_draft_put(s, id, &draft));
	OK(s, store_site_load(s, id, &a, &site));
	site.draft.begun_at = when_plus(now, SPAN_S(BY_S));
	OK(s, store_site_save(s, &site, now));
	OK(s, store_site_load(s, id, &a, &site));
	SAME(site.draft.begun_at.s, now.s + BY_S);
	store_close(&s);
}

static void
test_budgets_and_orders(void **state)
{
	(void)state;
	AUTO_ARENA a = { .max = 1 << 20 };
	struct store *s = new_store();
	const struct str one = STR("one.example");
	struct ca_row c = { .name = STR("a1"), .directory = STR("https://ca.example/"), .breaker = BREAKER_CLOSED_FOREVER };
	int64_t site = new_site(s, &one, 1), order = new_order(s, site, true), ca = 0;
	struct order_row got;

	OK(s, store_ca_put(s, &c, &ca));
	struct budget_row row = { .budget = BUDGET_DOMAIN, .subject = STR("one.example"),
		.bucket = { .tat = instant_of(now), .not_before = instant_of(now) } };
	OK(s, store_budget_save(s, ca, &row));
	OK(s, store_clock_set(s, SPAN_S(BY_S), SPAN_S(BY_S)));
	OK(s, store_order_load(s, order, &a, &got));
	SAME(got.created.s, now.s + BY_S);
	OK(s, store_budget_load(s, ca, BUDGET_DOMAIN, STR("one.example"), &row));
	SAME(row.bucket.tat.us, instant_of(when_plus(now, SPAN_S(BY_S))).us);
	SAME(row.bucket.not_before.us, instant_of(when_plus(now, SPAN_S(BY_S))).us);
	store_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_set),
		cmocka_unit_test(test_sites_that_are_left),
		cmocka_unit_test(test_a_draft),
		cmocka_unit_test(test_budgets_and_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
