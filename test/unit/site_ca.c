/* Which CA a site is with: every combination of how the first and the second are, how much of the life is left, and CAA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "core/site_ca.h"
#include "core/site_held.h"
#include "core/site_letters.h"

static const struct when now = { 1800000000 };

struct fixture {
	struct arena arena;
	struct site site;
	struct site_name name;
	struct finding findings[8];
	struct policy_ca cas[3];
	struct policy policy;
	struct site_effects out;
};

static void
init(struct fixture *f, size_t cas_n, int64_t age_d)
{
	memset(f, 0, sizeof *f);
	arena_init(&f->arena, (size_t)1 << 20);
	for (size_t i = 0; i < 3; i++)
		f->cas[i] = (struct policy_ca){ .id = (int64_t)i + 1, .name = STR("name"), .issuer = STR("ca.example"),
			.not_before = WHEN_UNKNOWN, .ill_since = WHEN_UNKNOWN, .is_ready = true };
	f->policy = (struct policy){ .look_every = SPAN_D(1), .poll_min = SPAN_S(30), .poll_max = SPAN_MIN(15), .cas = f->cas,
		.cas_n = cas_n, .reserve_after = SPAN_H(1), .ca_not_before = WHEN_UNKNOWN };
	f->name = (struct site_name){ .id = 1, .name = STR("example.jp"), .is_wanted = true, .is_held = age_d >= 0, .passed_at = now,
		.validated_at = WHEN_UNKNOWN, .served = { .at = WHEN_UNKNOWN, .not_after = WHEN_UNKNOWN } };
	f->site = (struct site){ .id = 7, .setting = { .source = SOURCE_FREE }, .names = &f->name, .names_n = 1,
		.retry_at = WHEN_UNKNOWN, .checked_at = now, .look_at = when_plus(now, SPAN_D(1)), .deploy_at = WHEN_UNKNOWN,
		.letter_at = WHEN_UNKNOWN, .wake = now, .left_at = WHEN_UNKNOWN, .jitter = 0x80000000U };
	f->site.findings = (struct finding_list){ .at = f->findings, .cap = 8 };
	if (age_d < 0)
		return;
	f->site.held.id = 3;
	f->site.held.life.from = when_minus(now, SPAN_D(age_d));
	f->site.held.life.to = when_plus(f->site.held.life.from, SPAN_D(90));
}

/* The index that is picked. */
static size_t
pick(struct fixture *f)
{
	struct turn t = { now, 1 };
	struct site_event ev = { .kind = SITE_WAKE, .retry_after = WHEN_UNKNOWN };
	struct policy own = f->policy;
	struct step st = { .s = &f->site, .ev = &ev, .t = &t, .p = &own, .a = &f->arena, .out = &f->out, .own = &own };

	f->out.n = 0;
	site_ca_use(&own, site_ca_index(&f->site, &own));
	site_ca_decide(&st);
	assert_false(arena_failed(&f->arena));
	assert_int_equal(own.ca_id, f->cas[site_ca_index(&f->site, &f->policy)].id);
	return site_ca_index(&f->site, &f->policy);
}

enum health { WELL, DOUBTFUL, SEES_OTHERWISE, OPEN, UNREADY, LIMITED, REFUSED, CAA_KEEPS_OUT, HEALTH_COUNT };

static void
see_otherwise(struct fixture *f)
{
	f->site.findings.at[f->site.findings.n++] = (struct finding){ .cause = CAUSE_TRANSPORT_SECONDARY_VALIDATION_TIMEOUT,
		.subject = f->name.name, .is_from_order = true, .next_look = when_minus(now, SPAN_S(1)) };
	f->site.order_failures = 1;
}

static void
set_health(struct fixture *f, size_t i, enum health h)
{
	struct policy_ca *c = &f->cas[i];
	bool is_own = i == site_ca_index(&f->site, &f->policy);

	if (h == OPEN) {
		c->ill_since = when_minus(now, SPAN_H(2));
		c->not_before = when_plus(now, SPAN_S(60));
	} else if (h == DOUBTFUL) {
		c->is_doubtful = true;
		f->site.order_failures += i == 0;
	} else if (h == SEES_OTHERWISE && i == 0) {
		see_otherwise(f);
	} else if (h == UNREADY) {
		c->is_ready = false;
	} else if ((h == LIMITED || h == REFUSED) && is_own) {
		f->site.retry_at = when_plus(now, SPAN_H(3));
		f->site.retry_is_law = h == LIMITED;
		f->site.findings.at[f->site.findings.n++] = (struct finding){ .cause = h == LIMITED ? CAUSE_CA_LIMIT_NEW_ORDERS : CAUSE_CA_NAME_PAUSED,
			.subject = f->name.name, .is_from_order = true, .next_look = f->site.retry_at };
	} else if (h == LIMITED || h == REFUSED) {
		f->site.left_ca_id = (uint8_t)c->id;
		f->site.left_at = when_plus(now, SPAN_H(3));
		f->site.left_is_law = h == LIMITED;
	} else if (h == CAA_KEEPS_OUT) {
		f->name.caa_refuses |= site_ca_bit(c->id);
	}
}

static void
the_second_steps_in_when_it_may(void **state)
{
	(void)state;
	/* Not due, due, a quarter left, ended, none held. */
	static const int64_t ages[] = { 10, 62, 70, 95, -1 };
	static struct fixture f;

	for (size_t a = 0; a < 5; a++)
		for (enum health first = WELL; first < HEALTH_COUNT; first++)
			for (enum health second = WELL; second < HEALTH_COUNT; second++) {
				init(&f, 2, ages[a]);
				set_health(&f, 0, first);
				set_health(&f, 1, second);
				bool is_time = ages[a] >= 70 || (ages[a] < 0 && first == OPEN);
				bool is_second_well = second == WELL || second == DOUBTFUL || second == SEES_OTHERWISE;
				size_t want = is_time && first != WELL && is_second_well;
				size_t got = pick(&f);
				bool is_told = findings_find(&f.site.findings, CAUSE_DNS_CAA_RESERVE, f.name.name) != NULL;

				if (got != want)
					fail_msg("age %d, first %d, second %d: got %zu", (int)ages[a], first, second, got);
				/* CAA alone keeps it out: that is said, and the site stays. */
				if (is_told != (is_time && first > SEES_OTHERWISE && second == CAA_KEEPS_OUT))
					fail_msg("age %d, first %d, second %d: told %d", (int)ages[a], first, second, is_told);
				arena_fini(&f.arena);
			}
}

/* The first CA's validators are kept out on their way, and our own check passes: each CA in its turn, while its own time runs. */
static void
each_in_its_turn_where_one_sees_otherwise(void **state)
{
	(void)state;
	struct fixture f;

	init(&f, 2, 70);
	see_otherwise(&f);
	for (unsigned failures = 1; failures < 7; failures++) {
		f.site.order_failures = failures;
		assert_int_equal(pick(&f), failures % 2);
	}
	/* What a check saw, and not a CA, every CA would see. */
	f.site.order_failures = 7;
	f.site.findings.at[0].is_from_order = false;
	assert_int_equal(pick(&f), 0);
	arena_fini(&f.arena);
}

static void
it_comes_back_and_leaves_nothing_behind(void **state)
{
	(void)state;
	struct fixture f;

	init(&f, 2, 70);
	f.cas[0].ill_since = when_minus(now, SPAN_D(3));
	f.cas[0].not_before = when_plus(now, SPAN_S(60));
	set_health(&f, 0, REFUSED);
	f.site.findings.at[f.site.findings.n++] =
	    (struct finding){ .cause = CAUSE_DNS_CAA_FORBIDS, .subject = f.name.name, .next_look = now };
	struct when first_retry = f.site.retry_at;
	assert_int_equal(pick(&f), 1);
	/* The other CA's refusals and judgements are gone, and so is its back-off; DNS is looked at anew. */
	assert_int_equal(f.site.findings.n, 0);
	assert_int_equal(f.site.retry_at.s, WHEN_UNKNOWN.s);
	assert_int_equal(f.site.look_at.s, now.s);
	assert_int_equal(f.site.left_ca_id, 1);
	assert_int_equal(f.site.left_at.s, first_retry.s);
	assert_int_equal(f.out.at[f.out.n - 1].history, HISTORY_CA_CHANGED);
	/* Its own back-off there is no reason to leave. */
	f.site.retry_at = when_plus(now, SPAN_H(5));
	assert_int_equal(pick(&f), 1);
	/* The first is well, but its date for this site has not come. */
	f.cas[0].ill_since = f.cas[0].not_before = WHEN_UNKNOWN;
	assert_int_equal(pick(&f), 1);
	f.site.left_at = when_minus(now, SPAN_S(1));
	assert_int_equal(pick(&f), 0);
	assert_int_equal(f.site.ca_id, 0);
	assert_int_equal(f.site.left_ca_id, 2);
	/* There and back again: the second still waits. */
	f.cas[0].not_before = when_plus(now, SPAN_S(60));
	f.site.retry_at = when_plus(now, SPAN_H(9));
	assert_int_equal(pick(&f), 0);
	f.site.left_at = when_minus(now, SPAN_S(1));
	assert_int_equal(pick(&f), 1);
	const struct turn t = { now, 1 };
	site_ca_reset(&(struct step){ .s = &f.site, .t = &t, .p = &f.policy });
	assert_int_equal(site_ca_index(&f.site, &f.policy), 0);
	arena_fini(&f.arena);
}

static void
the_third_and_none(void **state)
{
	(void)state;
	struct fixture f;

	init(&f, 3, 70);
	set_health(&f, 0, OPEN);
	set_health(&f, 1, OPEN);
	assert_int_equal(pick(&f), 2);
	arena_fini(&f.arena);
	/* CAA keeps the second out, the third may: nothing is told. */
	init(&f, 3, 70);
	set_health(&f, 0, OPEN);
	set_health(&f, 1, CAA_KEEPS_OUT);
	assert_int_equal(pick(&f), 2);
	assert_int_equal(f.site.findings.n, 0);
	arena_fini(&f.arena);
	/* A site whose CA was taken away is with the first. */
	init(&f, 2, 70);
	f.site.ca_id = 3;
	assert_int_equal(pick(&f), 0);
	arena_fini(&f.arena);
	/* One CA: nothing is picked, whatever it is like. */
	init(&f, 1, 95);
	set_health(&f, 0, OPEN);
	assert_int_equal(pick(&f), 0);
	arena_fini(&f.arena);
}

/* CAA is asked before a site goes over, and when it comes to keep the site out where it is, the site waits with the first. */
static void
it_does_not_stay_where_caa_keeps_it_out(void **state)
{
	(void)state;
	struct fixture f;

	init(&f, 2, 70);
	set_health(&f, 0, OPEN);
	f.site.checked_at = WHEN_UNKNOWN;
	assert_int_equal(pick(&f), 0);
	f.site.checked_at = now;
	assert_int_equal(pick(&f), 1);
	f.site.findings.at[f.site.findings.n++] =
	    (struct finding){ .cause = CAUSE_DNS_CAA_FORBIDS, .subject = f.name.name, .next_look = now };
	f.name.caa_refuses = site_ca_bit(2);
	assert_int_equal(pick(&f), 0);
	/* Nobody is asked to let the reserve issue: that is told, and no more. */
	assert_null(findings_find(&f.site.findings, CAUSE_DNS_CAA_FORBIDS, f.name.name));
	assert_non_null(findings_find(&f.site.findings, CAUSE_DNS_CAA_RESERVE, f.name.name));
	arena_fini(&f.arena);
}

/* What its account at the reserve has no place for: the site goes over all the same, and has a date there. */
static void
limits_are_of_the_ca_that_it_goes_to(void **state)
{
	(void)state;
	struct fixture f;
	struct finding limit = { .cause = CAUSE_CA_LIMIT_NEW_ORDERS, .is_from_order = true, .next_look = when_plus(now, SPAN_H(3)) };

	for (uint8_t of = 0; of < 3; of++) {
		init(&f, 2, 70);
		set_health(&f, 0, OPEN);
		limit.subject = f.name.name;
		f.site.limits = (struct finding_list){ .at = &limit, .n = 1, .cap = 1 };
		f.site.limits_ca_id = of;
		assert_int_equal(pick(&f), 1);
		/* The first one's own is left with it. */
		bool is_here = of == 2;
		assert_int_equal(findings_find(&f.site.findings, CAUSE_CA_LIMIT_NEW_ORDERS, f.name.name) != NULL, is_here);
		assert_int_equal(f.site.retry_at.s, is_here ? limit.next_look.s : WHEN_UNKNOWN.s);
		assert_int_equal(f.site.retry_is_law, is_here);
		assert_int_equal(f.site.left_at.s, is_here ? WHEN_UNKNOWN.s : limit.next_look.s);
		arena_fini(&f.arena);
	}
}

/* The reserve has issued. A date that the first gave still holds; a back-off of ours, and what another CA said, do not. */
static void
the_date_of_the_first_outlives_the_reserve(void **state)
{
	static const struct {
		uint8_t left_ca_id;
		bool is_law;
		int hours;
		bool holds;
	} rows[] = { { 1, true, 3, true }, { 1, false, 3, false }, { 1, true, -1, false }, { 3, true, 3, false } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;
		const struct turn t = { now, 1 };
		const struct step st = { .s = &f.site, .t = &t, .p = &f.policy };
		const struct held held = { .id = 4, .life = { now, when_plus(now, SPAN_D(90)) } };
		struct when date = when_plus(now, SPAN_H(rows[i].hours));

		init(&f, 3, 70);
		f.site.ca_id = 2;
		f.site.retry_at = when_plus(now, SPAN_D(2)); /* the reserve's own */
		f.site.retry_is_law = true;
		f.site.left_ca_id = rows[i].left_ca_id;
		f.site.left_at = date;
		f.site.left_is_law = rows[i].is_law;
		site_hold(&st, &held);
		assert_int_equal(f.site.ca_id, 0);
		assert_int_equal(f.site.retry_at.s, rows[i].holds ? date.s : WHEN_UNKNOWN.s);
		assert_int_equal(f.site.retry_is_law, rows[i].holds);
		arena_fini(&f.arena);
	}
}

static void
it_wakes_when_another_may_help(void **state)
{
	(void)state;
	struct fixture f;

	init(&f, 2, 62);
	f.cas[0].not_before = when_plus(now, SPAN_D(30));
	assert_int_equal(site_ca_wake(&f.site, &f.policy, now).s, life_reduce_at(f.site.held.life).s);
	f.cas[1].not_before = when_plus(now, SPAN_S(9));
	assert_int_equal(site_ca_wake(&f.site, &f.policy, now).s, now.s + 9);
	f.site.left_ca_id = 1;
	f.site.left_at = when_plus(now, SPAN_S(5));
	assert_int_equal(site_ca_wake(&f.site, &f.policy, now).s, now.s + 5);
	arena_fini(&f.arena);
	init(&f, 2, -1);
	f.cas[0].ill_since = now;
	assert_int_equal(site_ca_wake(&f.site, &f.policy, now).s, now.s + 3600);
	arena_fini(&f.arena);
	init(&f, 2, 10); /* nothing is due */
	f.cas[0].not_before = when_plus(now, SPAN_S(9));
	assert_int_equal(site_ca_wake(&f.site, &f.policy, now).s, WHEN_NEVER.s);
	arena_fini(&f.arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_second_steps_in_when_it_may),
		cmocka_unit_test(each_in_its_turn_where_one_sees_otherwise),
		cmocka_unit_test(it_comes_back_and_leaves_nothing_behind),
		cmocka_unit_test(the_third_and_none),
		cmocka_unit_test(it_does_not_stay_where_caa_keeps_it_out),
		cmocka_unit_test(limits_are_of_the_ca_that_it_goes_to),
		cmocka_unit_test(the_date_of_the_first_outlives_the_reserve),
		cmocka_unit_test(it_wakes_when_another_may_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
