#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "core/site.h"
#include "core/site_plan.h"

/* A step that would begin an order, with what the CA's budget says of it among the facts. */

static const struct when now = { 1800000000 };

struct fixture {
	struct arena arena;
	struct site site;
	struct site_name names[2];
	struct finding findings[8], limits[2];
	struct policy policy;
	struct site_effects out;
};

/* Checked a minute ago, without a fault. held: since 65 days, of 90. */
static void
init(struct fixture *f, bool is_held)
{
	memset(f, 0, sizeof *f);
	arena_init(&f->arena, (size_t)16 << 20);
	f->policy = (struct policy){ .look_every = SPAN_D(1), .poll_min = SPAN_S(30), .poll_max = SPAN_MIN(15),
		.draft_tell_after = SPAN_D(7), .draft_discard_after = SPAN_D(30), .ca_not_before = WHEN_UNKNOWN, .ca_is_ready = true,
		.thumbprint = STR("thumb") };
	struct site *s = &f->site;
	*s = (struct site){ .id = 7, .setting = { .source = SOURCE_FREE, .root = STR("/srv/www") }, .names = f->names, .names_n = 2,
		.retry_at = WHEN_UNKNOWN, .checked_at = when_minus(now, SPAN_S(60)), .look_at = when_plus(now, SPAN_D(1)),
		.deploy_at = WHEN_UNKNOWN, .letter_at = WHEN_UNKNOWN, .wake = now };
	s->findings = (struct finding_list){ .at = f->findings, .cap = 8 };
	s->limits = (struct finding_list){ .at = f->limits, .cap = 2 };
	for (size_t i = 0; i < 2; i++)
		f->names[i] = (struct site_name){ .id = (int64_t)i + 1, .is_wanted = true, .is_held = is_held,
			.passed_at = when_minus(now, SPAN_S(60)), .validated_at = WHEN_UNKNOWN,
			.served = { .at = WHEN_UNKNOWN, .not_after = WHEN_UNKNOWN } };
	f->names[0].name = STR("example.jp");
	f->names[1].name = STR("www.example.jp");
	if (is_held)
		s->held = (struct held){ .id = 3, .is_live = true,
			.life = { when_minus(now, SPAN_D(65)), when_plus(now, SPAN_D(25)) } };
	s->issued_told = true;
	s->applied = (struct applied){ plan_digest(s, now), site_redirect(s, now), site_hsts(s, now) };
}

static void
put_limit(struct fixture *f, enum cause c, struct str name)
{
	struct finding *l = finding_put(&f->site.limits, c, name);

	l->next_look = when_plus(now, SPAN_H(5));
	l->is_from_order = true;
}

static const struct site_effect *
step(struct fixture *f, enum site_event_kind kind)
{
	const struct site_event ev = { .kind = kind, .retry_after = WHEN_UNKNOWN };
	const struct turn t = { now, 1 };

	f->out.n = 0;
	site_step(&f->site, &ev, &t, &f->policy, &f->arena, &f->out);
	for (size_t i = 0; i < f->out.n; i++)
		if (f->out.at[i].kind == FX_ORDER)
			return &f->out.at[i];
	return NULL;
}

static const struct {
	const char *name;
	bool is_held, waits_turn;
	enum cause cause;
	size_t names;  /* that cannot pass */
	size_t ordered;
} rows[] = {
	{ "nothing stands in the way", false, false, CAUSE_NONE, 0, 2 },
	{ "a renewal, nothing in the way", true, false, CAUSE_NONE, 0, 2 },
	{ "one name of two", false, false, CAUSE_CA_LIMIT_REGISTERED_DOMAIN, 1, 1 },
	{ "both names", false, false, CAUSE_CA_LIMIT_REGISTERED_DOMAIN, 2, 0 },
	{ "a renewal would lose a name, and has time", true, false, CAUSE_CA_LIMIT_FAILED_AUTHORIZATIONS, 1, 0 },
	{ "the set: not one name less", false, false, CAUSE_CA_LIMIT_EXACT_SET, 1, 0 },
	{ "a limit without a name", false, false, CAUSE_CA_LIMIT_OTHER, 1, 0 },
	{ "nothing is left for all", false, true, CAUSE_NONE, 0, 0 },
	{ "a renewal, nothing is left for all", true, true, CAUSE_NONE, 0, 0 },
};

static void
test_stands_in_the_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;

		init(&f, rows[i].is_held);
		for (size_t k = 0; k < rows[i].names; k++)
			put_limit(&f, rows[i].cause, f.names[k].name);
		f.site.waits_turn = rows[i].waits_turn;
		const struct site_effect *fx = step(&f, SITE_WAKE);
		if ((fx == NULL ? 0 : fx->names_n) != rows[i].ordered)
			fail_msg("%s: %zu names were ordered", rows[i].name, fx == NULL ? 0 : fx->names_n);
		if (f.site.findings.n != rows[i].names)
			fail_msg("%s: %zu findings", rows[i].name, f.site.findings.n);
		/* A date, never a failure: nothing counts as tried. */
		assert_int_equal(f.site.order_failures, 0);
		if (fx == NULL && f.site.doing == DOING_NOTHING)
			assert_true(when_before(now, f.site.wake) && f.site.wake.s <= now.s + 5 * 3600);
		for (size_t k = 0; k < f.out.n; k++)
			assert_true(f.out.at[k].kind != FX_LETTER);
		arena_fini(&f.arena);
	}
}

/* Who waits for its turn is in a lane; who waits for a date is in none before it. */
static void
test_lanes(void **state)
{
	struct fixture f;

	(void)state;
	init(&f, false);
	assert_true(plan_waits_in_lane(&f.site, now) && plan_draws(&f.site, now));
	assert_int_equal(plan_lane(&f.site, now), LANE_FIRST);
	f.site.waits_turn = true;
	assert_null(step(&f, SITE_WAKE));
	assert_int_equal(f.site.wake.s, now.s + 1);
	assert_true(plan_waits_in_lane(&f.site, f.site.wake) && plan_draws(&f.site, f.site.wake));
	arena_fini(&f.arena);

	init(&f, false);
	put_limit(&f, CAUSE_CA_LIMIT_REGISTERED_DOMAIN, f.names[0].name);
	put_limit(&f, CAUSE_CA_LIMIT_REGISTERED_DOMAIN, f.names[1].name);
	assert_null(step(&f, SITE_WAKE));
	assert_int_equal(f.site.wake.s, now.s + 5 * 3600);
	assert_false(plan_waits_in_lane(&f.site, now));
	assert_true(plan_waits_in_lane(&f.site, f.site.wake));
	arena_fini(&f.arena);

	/* The same names again draw from nothing that is shared; a name more does. */
	init(&f, true);
	assert_true(plan_waits_in_lane(&f.site, now));
	assert_false(plan_draws(&f.site, now));
	assert_int_equal(plan_lane(&f.site, now), LANE_QUIET);
	f.names[1].is_held = false;
	assert_true(plan_draws(&f.site, now));
	f.site.asked_renew = true;
	assert_int_equal(plan_lane(&f.site, now), LANE_ASKED);
	assert_int_equal(plan_lane(&f.site, plan_late_at(&f.site)), LANE_EXPIRING);
	/* A site that was never looked at waits for its first check, which draws nothing. */
	struct fixture g;
	init(&g, false);
	g.site.checked_at = g.names[0].passed_at = g.names[1].passed_at = WHEN_UNKNOWN;
	assert_true(plan_waits_in_lane(&g.site, now));
	assert_false(plan_draws(&g.site, now));
	/* One that fails its checks has no place to wait for. */
	g.site.checked_at = now;
	assert_false(plan_waits_in_lane(&g.site, now));
	g.site.doing = DOING_CHECK;
	assert_false(plan_waits_in_lane(&g.site, now));
	arena_fini(&f.arena);
	arena_fini(&g.arena);
}

/* A paused name is ordered by no date and no wish of its owner, only by the operator's word. */
static void
test_paused(void **state)
{
	struct fixture f;

	(void)state;
	init(&f, false);
	struct finding *p = finding_put(&f.site.findings, CAUSE_CA_NAME_PAUSED, f.names[0].name);
	p->next_look = when_minus(now, SPAN_D(3));
	p->first_seen = p->last_seen = when_minus(now, SPAN_D(4));
	p->is_from_order = true;
	assert_false(plan_passes(&f.site, &f.names[0], now));
	assert_true(plan_passes(&f.site, &f.names[1], now));
	const struct site_effect *fx = step(&f, SITE_WAKE);
	assert_non_null(fx);
	assert_int_equal(fx->names_n, 1);
	assert_true(str_eq(fx->names[0], f.names[1].name));
	/* That order fails: the pause stands all the same. */
	const struct finding other = { .cause = CAUSE_CA_SERVICE_DOWN, .subject = f.names[1].name, .next_look = now };
	const struct site_event failed = { .kind = SITE_ORDER_FAILED, .job = f.site.job, .failures = &other, .failures_n = 1,
		.retry_after = WHEN_UNKNOWN };
	const struct turn t = { now, 1 };
	f.out.n = 0;
	site_step(&f.site, &failed, &t, &f.policy, &f.arena, &f.out);
	assert_false(plan_passes(&f.site, &f.names[0], when_plus(now, SPAN_D(400))));
	f.site.asked_renew = true;
	assert_false(plan_passes(&f.site, &f.names[0], when_plus(now, SPAN_D(400))));
	(void)step(&f, SITE_RESUMED);
	assert_true(plan_passes(&f.site, &f.names[0], now));
	arena_fini(&f.arena);
}

/* A place in the line of all who wait: whoever would have it after the end asks about it again in time, again and again. */
static void
test_a_place_after_the_end(void **state)
{
	static const struct {
		bool is_held;
		int64_t left_s, wait_s;
	} cases[] = {
		{ false, 0, 20 * 3600 },
		{ true, 20 * 86400, 20 * 3600 },
		{ true, 8 * 3600, 3600 },
		{ true, 600, 900 }, /* no oftener than every quarter of an hour */
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fixture f;

		init(&f, cases[i].is_held);
		if (cases[i].is_held) {
			f.site.held.life.to = when_plus(now, SPAN_S(cases[i].left_s));
			f.site.held.life.from = when_minus(f.site.held.life.to, SPAN_D(90));
		}
		put_limit(&f, CAUSE_CA_LIMIT_NEW_ORDERS, f.names[0].name);
		f.limits[0].next_look = when_plus(now, SPAN_H(20));
		assert_null(step(&f, SITE_WAKE));
		if (f.site.retry_at.s - now.s != cases[i].wait_s || !f.site.retry_is_law)
			fail_msg("row %zu: it waits %lld s", i, (long long)(f.site.retry_at.s - now.s));
		arena_fini(&f.arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stands_in_the_way),
		cmocka_unit_test(test_lanes),
		cmocka_unit_test(test_paused),
		cmocka_unit_test(test_a_place_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
