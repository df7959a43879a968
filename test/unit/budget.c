#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/limits.h"
#include "core/budget.h"
#include "core/site_plan.h"

enum { HOUR_S = 3600, DAY_S = 86400 };
static const struct when start = { 1800000000 };

static struct budget_rules
rules_of(const char *profile)
{
	return (struct budget_rules){ .profile = budget_profile_of_name(str_of(profile)) };
}

static void
test_profiles(void **state)
{
	const struct budget_profile *p = budget_profile_of_name(STR("letsencrypt"));

	(void)state;
	assert_ptr_equal(budget_profile_of_directory(STR("https://acme-v02.api.letsencrypt.org/directory")), p);
	assert_string_equal(budget_profile_of_directory(STR("https://acme-staging-v02.api.letsencrypt.org/directory"))->name,
	    "letsencrypt-staging");
	assert_string_equal(budget_profile_of_directory(STR("https://acme-v02.api.letsencrypt.org.evil.example/directory"))->name,
	    "none");
	assert_null(budget_profile_of_name(STR("lets-encrypt")));
	assert_int_equal(rate_interval_us(p->limits[BUDGET_ORDERS]), 36 * (int64_t)1000000);
	assert_int_equal(rate_interval_us(p->limits[BUDGET_DOMAIN]), 12096 * (int64_t)1000000);
	assert_int_equal(rate_burst(p->endpoints[ENDPOINT_NEW_ORDER]), 200);
	for (enum budget b = 0; b < BUDGET_COUNT; b++) {
		enum budget back;

		assert_true(budget_of_name(str_of(budget_name(b)), &back));
		assert_int_equal(back, b);
		assert_true(cause_row(budget_cause(b))->layer == LAYER_CA);
		assert_true(rate_is_none(budget_profile_of_name(STR("none"))->limits[b]));
	}
	for (enum endpoint e = 0; e < ENDPOINT_COUNT; e++)
		assert_true(strlen(endpoint_name(e)) > 0 && !rate_is_none(p->endpoints[e]));
}

/* Every mix of exemptions: what is held, and what is only looked at. */
static const struct {
	const char *name;
	bool is_same_set, is_in_window;
	size_t orders, domains, sets, looks;
} mixes[] = {
	{ "a first order", false, false, 1, 2, 1, 8 },
	{ "the same set again", true, false, 0, 0, 1, 8 },
	{ "a replacement in its window", false, true, 0, 0, 0, 8 },
	{ "both", true, true, 0, 0, 0, 8 },
};

static void
test_draws(void **state)
{
	const struct str names[] = { STR("a.example.jp"), STR("www.a.example.jp"), STR("b.jp") };
	const struct str domains[] = { STR("example.jp"), STR("example.jp"), STR("b.jp") };

	(void)state;
	for (size_t i = 0; i < sizeof mixes / sizeof *mixes; i++) {
		AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
		struct budget_draw got[14];
		struct budget_order o = { names, domains, 3, mixes[i].is_same_set, mixes[i].is_in_window };
		size_t n, orders = 0, of_domain = 0, sets = 0, looks = 0;

		assert_true(budget_draws(&o, &a, got, &n));
		for (size_t k = 0; k < n; k++) {
			orders += got[k].is_held && got[k].budget == BUDGET_ORDERS;
			of_domain += got[k].is_held && got[k].budget == BUDGET_DOMAIN;
			sets += got[k].is_held && got[k].budget == BUDGET_SET;
			looks += !got[k].is_held;
		}
		if (orders != mixes[i].orders || of_domain != mixes[i].domains || sets != mixes[i].sets || looks != mixes[i].looks)
			fail_msg("%s: %zu orders, %zu domains, %zu sets, %zu looks", mixes[i].name, orders, of_domain, sets, looks);
	}
}

static void
test_set_key(void **state)
{
	AUTO_ARENA a = { .max = LIMIT_TURN_BYTES };
	const struct str one[] = { STR("a.jp"), STR("b.jp") }, other[] = { STR("b.jp"), STR("a.jp") }, more[] = { STR("a.jp"), STR("b.jp"), STR("c.jp") },
			 near[] = { STR("a.jpb"), STR(".jp") };
	struct str k1 = STR_NONE, k2 = STR_NONE, k3 = STR_NONE, k4 = STR_NONE;

	(void)state;
	assert_true(budget_set_key(one, 2, &a, &k1) && budget_set_key(other, 2, &a, &k2));
	assert_true(budget_set_key(more, 3, &a, &k3) && budget_set_key(near, 2, &a, &k4));
	assert_true(str_eq(k1, k2) && k1.n == 32);
	assert_false(str_eq(k1, k3) || str_eq(k1, k4));
}

static void
test_overrides(void **state)
{
	const struct budget_override raised[] = {
		{ BUDGET_DOMAIN, STR("host.jp"), { 25000, { 7 * DAY_S }, 0 } },
		{ BUDGET_DOMAIN, STR(""), { 100, { 7 * DAY_S }, 0 } },
		{ BUDGET_ORDERS, STR(""), { 1000000, { DAY_S }, 0 } },
	};
	struct budget_rules rules = { budget_profile_of_name(STR("letsencrypt")), raised, 3 };
	struct budget_row row = { .budget = BUDGET_DOMAIN, .subject = STR("host.jp") };

	(void)state;
	assert_int_equal(budget_rate(&rules, &row).count, 25000);
	row.subject = STR("other.jp");
	assert_int_equal(budget_rate(&rules, &row).count, 100);
	/* The CA says that it is less: it knows. That it is more may be an old word. */
	row.learned = (struct rate){ 50, { 7 * DAY_S }, 0 };
	assert_int_equal(budget_rate(&rules, &row).count, 50);
	row.learned = (struct rate){ 500, { 7 * DAY_S }, 0 };
	assert_int_equal(budget_rate(&rules, &row).count, 100);
	row.budget = BUDGET_ORDERS;
	row.learned = (struct rate){ 0 };
	assert_int_equal(budget_rate(&rules, &row).count, 1000000);
	row.budget = BUDGET_SET;
	assert_int_equal(budget_rate(&rules, &row).count, 5);
}

static const struct {
	const char *text;
	bool is_good;
	enum budget budget;
	int64_t count, per_s;
	const char *domain;
} override_rows[] = {
	{ "new-orders 1000000/1d", true, BUDGET_ORDERS, 1000000, DAY_S, "" },
	{ "certificates-per-domain 25000/7d host.jp", true, BUDGET_DOMAIN, 25000, 7 * DAY_S, "host.jp" },
	{ "certificates-per-domain 100/168h", true, BUDGET_DOMAIN, 100, 7 * DAY_S, "" },
	{ "failures 10/60m", true, BUDGET_FAILURES, 10, HOUR_S, "" },
	{ "failures 10/3600s", true, BUDGET_FAILURES, 10, HOUR_S, "" },
	{ "new-orders 5/1d host.jp", false, 0, 0, 0, "" },
	{ "certificates-per-domain 5/1d host.jp other.jp", false, 0, 0, 0, "" },
	{ "certificates-per-domain 5/1d host", false, 0, 0, 0, "" },
	{ "other 5/1d", false, 0, 0, 0, "" },
	{ "orders 5/1d", false, 0, 0, 0, "" },
	{ "new-orders 0/1d", false, 0, 0, 0, "" },
	{ "new-orders -5/1d", false, 0, 0, 0, "" },
	{ "new-orders 5/0d", false, 0, 0, 0, "" },
	{ "new-orders 5/367d", false, 0, 0, 0, "" },
	{ "new-orders 5/9223372036854775807d", false, 0, 0, 0, "" },
	{ "new-orders 5/1y", false, 0, 0, 0, "" },
	{ "new-orders 5/d", false, 0, 0, 0, "" },
	{ "new-orders 5", false, 0, 0, 0, "" },
	{ "new-orders", false, 0, 0, 0, "" },
	{ "", false, 0, 0, 0, "" },
};

static void
test_override_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof override_rows / sizeof *override_rows; i++) {
		struct budget_override o;
		bool is = budget_read_override(str_of(override_rows[i].text), &o);

		if (is != override_rows[i].is_good)
			fail_msg("%s: %d", override_rows[i].text, is);
		if (is && (o.budget != override_rows[i].budget || o.rate.count != override_rows[i].count ||
			      o.rate.per.s != override_rows[i].per_s || !str_eq(o.domain, str_of(override_rows[i].domain))))
			fail_msg("%s: read as something else", override_rows[i].text);
	}
}

/* The server's texts, bare and inside evidence; what says nothing of a limit teaches nothing. */
static const struct {
	const char *text;
	bool is_lesson;
	enum budget budget;
	const char *domain;
	int64_t count, per_s;
} texts[] = {
	{ "too many new orders (300) from this account in the last 3h0m0s, retry after 2026-12-01 00:00:36 UTC: see https://letsencrypt.org/docs/rate-limits/#new-orders-per-account",
	    true, BUDGET_ORDERS, "", 300, 3 * HOUR_S },
	{ "too many certificates (50) already issued for \"example.co.jp\" in the last 168h0m0s, retry after 2026-12-01 03:21:36 UTC: see https://letsencrypt.org/docs/rate-limits/#new-certificates-per-registered-domain",
	    true, BUDGET_DOMAIN, "example.co.jp", 50, 7 * DAY_S },
	{ "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"too many certificates (50) already issued for \\\"example.jp\\\" in the last 168h0m0s, retry after …\",\"status\":429}",
	    true, BUDGET_DOMAIN, "example.jp", 50, 7 * DAY_S },
	{ "too many certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, retry after 2026-12-01 03:21:36 UTC: see …", true,
	    BUDGET_SET, "", 5, 7 * DAY_S },
	{ "too many certificates (5) already issued for this exact set of domains in the last 168h0m0s, retry after 2026-12-01 03:21:36 UTC: see …", true,
	    BUDGET_SET, "", 5, 7 * DAY_S },
	{ "too many failed authorizations (5) for \"www.example.jp\" in the last 1h0m0s, retry after 2026-12-01 00:12:00 UTC: see …", true,
	    BUDGET_FAILURES, "www.example.jp", 5, HOUR_S },
	{ "too many new registrations (10) from this IP address in the last 3h0m0s, retry after …", true, BUDGET_ACCOUNTS, "", 10, 3 * HOUR_S },
	{ "too many certificates already issued for: example.jp: see …", true, BUDGET_DOMAIN, "", 0, 0 },
	{ "too many new orders (many) from this account in the last while, later", true, BUDGET_ORDERS, "", 0, 0 },
	{ "too many new orders (0) from this account in the last 3h0m0s,", true, BUDGET_ORDERS, "", 0, 0 },
	{ "too many new orders (99999999999999999999) from this account in the last 3h,", true, BUDGET_ORDERS, "", 0, 0 },
	{ "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"quota exceeded\"}", true, BUDGET_OTHER, "", 0, 0 },
	{ "CAA record for example.jp prevents issuance", false, 0, "", 0, 0 },
	{ "", false, 0, "", 0, 0 },
};

static void
test_lessons(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct budget_lesson l = { .budget = BUDGET_COUNT };
		bool is = budget_lesson(str_of(texts[i].text), &l);

		if (is != texts[i].is_lesson)
			fail_msg("%s: %s", texts[i].text, is ? "a lesson" : "no lesson");
		if (is && (l.budget != texts[i].budget || !str_eq(l.domain, str_of(texts[i].domain)) ||
			      l.rate.count != texts[i].count || (l.rate.count > 0 && l.rate.per.s != texts[i].per_s)))
			fail_msg("%s: got %s of \"%.*s\", %lld in %lld s", texts[i].text, budget_name(l.budget), STR_ARG(l.domain),
			    (long long)l.rate.count, (long long)l.rate.per.s);
	}
}

static void
test_learning(void **state)
{
	struct budget_rules rules = rules_of("none");
	struct budget_row row = { .budget = BUDGET_DOMAIN, .subject = STR("example.jp") };
	struct budget_lesson l;
	struct when until = when_plus(start, SPAN_H(5));

	(void)state;
	assert_int_equal(budget_when(&rules, &row, start).s, start.s);
	assert_true(budget_lesson(str_of(texts[1].text), &l));
	budget_learn(&rules, &row, &l, until, start);
	assert_int_equal(budget_when(&rules, &row, start).s, until.s);
	/* From now on it is counted: one at that date, the next one when a token has come. */
	bucket_spend(budget_rate(&rules, &row), &row.bucket, instant_of(until));
	assert_int_equal(budget_when(&rules, &row, until).s, until.s + 12096);
	/* A refusal without a date, or with one in the past: ten minutes. */
	struct budget_row bare = { .budget = BUDGET_OTHER, .subject = STR("example.jp") };
	struct budget_lesson other = { .budget = BUDGET_OTHER };
	budget_learn(&rules, &bare, &other, WHEN_UNKNOWN, start);
	assert_int_equal(budget_when(&rules, &bare, start).s, start.s + 600);
	budget_learn(&rules, &bare, &other, when_minus(start, SPAN_D(9)), start);
	assert_int_equal(budget_when(&rules, &bare, start).s, start.s + 600);
}

/* Places in the line: one token apart, whoever has waited comes nearer, nobody is sent further than a day. */
static void
test_line(void **state)
{
	struct budget_rules rules = rules_of("letsencrypt");
	struct budget_row row = { .budget = BUDGET_DOMAIN, .subject = STR("example.jp") };
	struct turn t = { start, 0 };

	(void)state;
	for (size_t i = 0; i < 50; i++)
		bucket_spend(budget_rate(&rules, &row), &row.bucket, instant_of(start));
	assert_int_equal(budget_wait(&rules, &row, false, &t).s, start.s + 12096);
	assert_int_equal(budget_wait(&rules, &row, false, &t).s, start.s + 2 * 12096);
	assert_int_equal(budget_wait(&rules, &row, true, &t).s, start.s + 12096);
	for (uint32_t i = 0; i < 1000; i++) {
		t.roll = i * 2654435761U;
		struct when at = budget_wait(&rules, &row, i % 2 == 1, &t);

		assert_true(at.s >= start.s + 12096 && at.s <= start.s + DAY_S);
	}
	/* The CA's own date is never shortened. */
	struct budget_lesson l = { .budget = BUDGET_DOMAIN };
	budget_learn(&rules, &row, &l, when_plus(start, SPAN_D(5)), start);
	assert_true(budget_wait(&rules, &row, false, &t).s >= start.s + 5 * (int64_t)DAY_S);
}

/*
 * The back-off between failed orders, followed for four years of failing, never leads to a paused name; and the
 * test can fail: twice a day would.
 */
static int64_t
least_left(bool is_twice)
{
	struct budget_rules rules = rules_of("letsencrypt");
	struct budget_row row = { .budget = BUDGET_STREAK, .subject = STR("www.example.jp") };
	struct rate r = budget_rate(&rules, &row);
	struct site_name name = { .id = 1, .name = STR("www.example.jp"), .is_wanted = true };
	struct site s = { .id = 1, .names = &name, .names_n = 1 };
	struct when now = start, end = when_plus(start, SPAN_D(4 * 365 + 1));
	int64_t least = INT64_MAX;
	uint32_t roll = 12345;

	for (unsigned failures = 1; when_before(now, end); failures++) {
		int64_t left = bucket_left(r, &row.bucket, instant_of(now));

		least = left < least ? left : least;
		bucket_spend(r, &row.bucket, instant_of(now));
		roll = roll * 1664525 + 1013904223;
		struct turn t = { now, roll };
		struct span wait = plan_order_backoff(&s, failures, &t);
		now = when_plus(now, is_twice && failures > 3 ? SPAN_H(12) : wait);
	}
	return least;
}

static void
test_never_paused(void **state)
{
	(void)state;
	int64_t least = least_left(false);
	if (least < 1000)
		fail_msg("failing daily left %lld of 1152", (long long)least);
	assert_int_equal(least_left(true), 0);
}

static void
test_counts(void **state)
{
	(void)state;
	assert_true(budget_counts(BUDGET_ORDERS, false) && budget_counts(BUDGET_ORDERS, true));
	assert_true(budget_counts(BUDGET_DOMAIN, true) && budget_counts(BUDGET_SET, true));
	assert_false(budget_counts(BUDGET_DOMAIN, false) || budget_counts(BUDGET_SET, false));
	assert_false(budget_counts(BUDGET_STREAK, true) || budget_counts(BUDGET_FAILURES, true));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profiles),
		cmocka_unit_test(test_draws),
		cmocka_unit_test(test_set_key),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_override_texts),
		cmocka_unit_test(test_lessons),
		cmocka_unit_test(test_learning),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_never_paused),
		cmocka_unit_test(test_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
