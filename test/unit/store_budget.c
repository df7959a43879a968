#include "store_try.h"
#include "ports/store/budget.h"

static int64_t
new_ca(struct store *s)
{
	const struct ca_row row = { .name = STR("le"), .directory = STR("https://ca.example/"), .breaker = BREAKER_CLOSED_FOREVER };
	int64_t id = 0;

	OK(s, store_ca_put(s, &row, &id));
	return id;
}

static void
rows_come_back(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t ca = new_ca(s);
	struct budget_row row;

	OK(s, store_budget_load(s, ca, BUDGET_DOMAIN, STR("example.jp"), &row));
	assert_true(bucket_is_full(&row.bucket, instant_of(now)) && rate_is_none(row.learned));
	row.bucket = (struct bucket){ { INT64_MAX }, { -5 }, 3 };
	row.line.us = 77;
	row.learned = (struct rate){ 50, { 604800 }, 0 };
	OK(s, store_budget_save(s, ca, &row));
	OK(s, store_budget_save(s, ca, &row));
	struct budget_row back;
	OK(s, store_budget_load(s, ca, BUDGET_DOMAIN, STR("example.jp"), &back));
	SAME(back.bucket.tat.us, INT64_MAX);
	SAME(back.bucket.not_before.us, -5);
	SAME(back.bucket.held, 3);
	SAME(back.line.us, 77);
	SAME(back.learned.count, 50);
	SAME(back.learned.per.s, 604800);
	/* Another limit, another subject, another CA: another bucket. */
	OK(s, store_budget_load(s, ca, BUDGET_OTHER, STR("example.jp"), &back));
	SAME(back.bucket.held, 0);
	OK(s, store_budget_load(s, ca, BUDGET_DOMAIN, STR("other.jp"), &back));
	SAME(back.bucket.held, 0);
	OK(s, store_budget_load(s, ca + 1, BUDGET_DOMAIN, STR("example.jp"), &back));
	SAME(back.bucket.held, 0);
	FAILS(store_budget_save(s, ca + 1, &row), ERR_CONFLICT);
	store_close(&s);
}

/* Only what is full, is held by nobody and has no date of the CA is forgotten, and not more than was asked for. */
static void
full_ones_are_forgotten(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t ca = new_ca(s), us = instant_of(now).us;
	static const struct {
		const char *subject;
		int64_t tat, not_before, held;
		bool stays;
	} rows[] = {
		{ "full.jp", 0, 0, 0, false },
		{ "just.jp", -1, 0, 0, false },
		{ "soon.jp", 1, 0, 0, true },
		{ "law.jp", -9, 1, 0, true },
		{ "held.jp", -9, 0, 1, true },
	};
	AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
	struct budget_listed *list;
	size_t n = 0;

	for (size_t i = 0; i < 5; i++) {
		struct budget_row row = { .budget = BUDGET_DOMAIN, .subject = str_of(rows[i].subject),
			.bucket = { { us + rows[i].tat }, { us + rows[i].not_before }, rows[i].held } };

		OK(s, store_budget_save(s, ca, &row));
	}
	OK(s, store_budget_sweep(s, now, 1));
	OK(s, store_budgets(s, &a, &list, &n));
	SAME(n, 4);
	OK(s, store_budget_sweep(s, now, 100));
	OK(s, store_budgets(s, &a, &list, &n));
	SAME(n, 3);
	SAME_STR(list[0].row.subject, STR("soon.jp"));
	for (size_t i = 0; i < 5; i++) {
		bool is_there = false;

		for (size_t k = 0; k < n; k++)
			is_there |= str_eq(list[k].row.subject, str_of(rows[i].subject));
		if (is_there != rows[i].stays)
			fail_msg("%s: %d", rows[i].subject, is_there);
	}
	store_close(&s);
}

static void
nothing_is_drawn_twice(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t ca = new_ca(s), site = new_site(s, two_names, 2), ids[4];
	AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
	struct budget_listed *draws;
	size_t n = 0;

	OK(s, store_budget_draw(s, site, ca, BUDGET_ORDERS, STR("")));
	OK(s, store_budget_draw(s, site, ca, BUDGET_DOMAIN, STR("a.example")));
	FAILS(store_budget_draw(s, site, ca, BUDGET_ORDERS, STR("")), ERR_EXISTS);
	OK(s, store_budget_draws(s, site, &a, &draws, &n));
	SAME(n, 2);
	SAME(draws[0].row.budget, BUDGET_DOMAIN);
	SAME(draws[1].row.budget, BUDGET_ORDERS);
	SAME(draws[1].ca_id, ca);
	/* The site does nothing: whoever drew for it has died. */
	OK(s, store_budget_orphans(s, ids, 4, &n));
	SAME(n, 1);
	SAME(ids[0], site);
	OK(s, store_budget_undraw(s, site));
	OK(s, store_budget_orphans(s, ids, 4, &n));
	SAME(n, 0);
	store_close(&s);
}

static void
raw(struct store *s, const char *sql)
{
	assert_int_equal(sqlite3_exec(s->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* Each lane has its own queue, by date; a site in a lane that grows old goes to the head lane; looks are apart. */
static void
lanes_are_queues(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t ids[8], site[4];
	size_t n = 0;
	struct lane_wakes wakes;
	struct when w;

	OK(s, store_lane_wakes(s, &wakes));
	SAME(wakes.at[LANE_FIRST][false].s, WHEN_NEVER.s);
	for (size_t i = 0; i < 4; i++) {
		char name[32];
		struct str one = { name, (size_t)snprintf(name, sizeof name, "s%zu.example", i) };

		site[i] = new_site(s, &one, 1);
	}
	/* New ones wait for their first check. */
	OK(s, store_due_lane(s, LANE_FIRST, false, now, ids, 8, &n));
	SAME(n, 4);
	OK(s, store_due_lane(s, LANE_FIRST, true, now, ids, 8, &n));
	SAME(n, 0);
	raw(s, "UPDATE site SET lane = 'quiet', lane_draws = 1, wake = 1767225500, look_at = 1767225700, late_at = 1767225650 WHERE id = 1;"
	       "UPDATE site SET lane = 'quiet', lane_draws = 1, wake = 1767225400, look_at = 1767225400, late_at = 1767229999 WHERE id = 2;"
	       "UPDATE site SET lane = '', wake = 1767225590 WHERE id = 3;"
	       "UPDATE site SET lane = '', wake = 1767225601 WHERE id = 4;");
	OK(s, store_due_lane(s, LANE_QUIET, true, now, ids, 8, &n));
	SAME(n, 2);
	SAME(ids[0], site[1]);
	SAME(ids[1], site[0]);
	OK(s, store_due_lane(s, LANE_QUIET, true, now, ids, 1, &n));
	SAME(n, 1);
	OK(s, store_due_lane(s, LANE_COUNT, false, now, ids, 8, &n));
	SAME(n, 1);
	SAME(ids[0], site[2]);
	OK(s, store_due_look(s, now, ids, 8, &n));
	SAME(n, 1);
	SAME(ids[0], site[1]);
	OK(s, store_lane_look_wake(s, &w));
	SAME(w.s, 1767225400);
	OK(s, store_lane_wakes(s, &wakes));
	SAME(wakes.at[LANE_QUIET][true].s, 1767225400);
	SAME(wakes.at[LANE_QUIET][false].s, WHEN_NEVER.s);
	SAME(wakes.at[LANE_ASKED][true].s, WHEN_NEVER.s);
	SAME(wakes.at[LANE_COUNT][false].s, 1767225590);
	OK(s, store_lane_late(s, now, 8));
	OK(s, store_due_lane(s, LANE_EXPIRING, true, now, ids, 8, &n));
	SAME(n, 0);
	OK(s, store_lane_late(s, when_plus(now, SPAN_S(50)), 8));
	OK(s, store_due_lane(s, LANE_EXPIRING, true, now, ids, 8, &n));
	SAME(n, 1);
	SAME(ids[0], site[0]);
	OK(s, store_due_lane(s, LANE_QUIET, true, now, ids, 8, &n));
	SAME(n, 1);
	raw(s, "PRAGMA ignore_check_constraints = ON; UPDATE site SET lane = 'nowhere' WHERE id = 1;");
	assert_int_equal(store_lane_wakes(s, &wakes), ERR_CORRUPT);
	store_close(&s);
}

static void
who_issued_what_is_held(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t site = new_site(s, two_names, 2), ca = 5;
	struct when from = now;

	OK(s, store_budget_held(s, site, &ca, &from));
	SAME(ca, 0);
	SAME(from.s, WHEN_UNKNOWN.s);
	int64_t id = new_ca(s);
	(void)new_certificate(s, site, 1);
	raw(s, "UPDATE certificate SET ca_id = 1; UPDATE site SET held_id = 1");
	OK(s, store_budget_held(s, site, &ca, &from));
	SAME(ca, id);
	SAME(from.s, now.s);
	store_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_back),
		cmocka_unit_test(full_ones_are_forgotten),
		cmocka_unit_test(nothing_is_drawn_twice),
		cmocka_unit_test(lanes_are_queues),
		cmocka_unit_test(who_issued_what_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
