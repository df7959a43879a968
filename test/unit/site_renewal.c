#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "core/site.h"
#include "core/site_plan.h"

/* What renewal information, a big fill and a refused profile do to a site. */

static const struct when now = { 1800000000 };

struct fixture {
	struct arena arena;
	struct site site;
	struct site_name name;
	struct policy policy;
	struct str address;
	struct site_effects out;
};

/* Holds a certificate of 90 days that is so many days old, looked at an hour ago. */
static void
begin(struct fixture *f, int days)
{
	memset(f, 0, sizeof *f);
	arena_init(&f->arena, (size_t)1 << 24);
	f->address = STR("192.0.2.10");
	f->policy = (struct policy){ .look_every = SPAN_D(1), .poll_min = SPAN_S(30), .poll_max = SPAN_MIN(15),
		.ca_not_before = WHEN_UNKNOWN, .ca_is_ready = true, .addresses = &f->address, .addresses_n = 1 };
	f->name = (struct site_name){ .id = 1, .name = STR("a.example"), .is_wanted = true, .is_held = true,
		.passed_at = when_minus(now, SPAN_H(1)), .validated_at = WHEN_UNKNOWN,
		.served = { .at = now, .is_ok = true, .is_held = true, .not_after = when_plus(now, SPAN_D(90 - days)) } };
	f->site = (struct site){ .id = 7, .setting = { .source = SOURCE_FREE }, .names = &f->name, .names_n = 1,
		.retry_at = WHEN_UNKNOWN, .checked_at = when_minus(now, SPAN_H(1)), .look_at = when_plus(now, SPAN_H(23)),
		.deploy_at = WHEN_UNKNOWN, .letter_at = WHEN_UNKNOWN, .wake = now, .job = 41, .jitter = 0x80000000U,
		.issued_told = true, .held = { .id = 3, .is_live = true } };
	f->site.held.life = (struct life){ when_minus(now, SPAN_D(days)), when_plus(now, SPAN_D(90 - days)) };
	f->site.applied = (struct applied){ plan_digest(&f->site, now), 0, false };
}

static void
step(struct fixture *f, struct site_event ev)
{
	const struct turn t = { now, 0x40000000 };

	ev.retry_after = WHEN_UNKNOWN;
	f->out.n = 0;
	site_step(&f->site, &ev, &t, &f->policy, &f->arena, &f->out);
}

static size_t
count(const struct fixture *f, enum site_effect_kind kind, enum history_kind history)
{
	size_t n = 0;

	for (size_t i = 0; i < f->out.n; i++)
		n += f->out.at[i].kind == kind && (kind != FX_HISTORY || f->out.at[i].history == history);
	return n;
}

/* The date that the CA named is when the site wakes and renews; before it nothing, from it on a check and the order. */
static void
date_of_the_ca_counts(void **state)
{
	struct fixture f;

	(void)state;
	for (int early = 0; early < 2; early++) {
		begin(&f, 20);
		f.site.renewal = (struct renewal){ .is_told = true, .start = when_plus(now, SPAN_H(2)), .end = when_plus(now, SPAN_H(5)),
			.at = when_plus(now, SPAN_H(3)), .is_urgent = early != 0 };
		step(&f, (struct site_event){ .kind = SITE_RENEWAL_TOLD, .is_asked_early = early != 0 });
		assert_int_equal(f.site.doing, DOING_NOTHING);
		assert_int_equal(f.site.wake.s, f.site.renewal.at.s);
		assert_int_equal(count(&f, FX_HISTORY, HISTORY_RENEWAL_ASKED), early);
		assert_int_equal(site_renew_why(&f.site), early ? RENEW_BY_CA_EARLY : RENEW_BY_CA);
		/* At once is in the next second, when there is room for it. */
		f.site.renewal.at = when_minus(now, SPAN_H(1));
		step(&f, (struct site_event){ .kind = SITE_RENEWAL_TOLD, .is_asked_early = true });
		assert_int_equal(f.site.doing, DOING_NOTHING);
		assert_int_equal(f.site.wake.s, now.s + 1);
		step(&f, (struct site_event){ .kind = SITE_WAKE });
		assert_int_equal(f.site.doing, DOING_CHECK);
		arena_fini(&f.arena);
	}
}

/* In every state the news is taken, and disturbs nothing that is under way. */
static void
news_disturb_nothing(void **state)
{
	struct fixture f;

	(void)state;
	for (enum doing d = DOING_CHECK; d < DOING_COUNT; d++) {
		begin(&f, 20);
		f.site.doing = d;
		f.site.doing_since = now;
		f.site.order_id = d == DOING_ORDER ? 9 : 0;
		f.site.renewal = (struct renewal){ .is_told = true, .at = when_minus(now, SPAN_H(1)), .is_urgent = true };
		step(&f, (struct site_event){ .kind = SITE_RENEWAL_TOLD, .is_asked_early = true });
		assert_int_equal(f.site.doing, d);
		assert_int_equal(f.site.job, 41);
		assert_int_equal(f.out.n, 1);
		arena_fini(&f.arena);
	}
}

static void
lanes(void **state)
{
	static const struct {
		const char *name;
		int days;
		bool is_told, is_urgent, is_asked;
		enum lane wanted;
	} rows[] = {
		{ "by the life", 60, false, false, false, LANE_QUIET },
		{ "by the CA", 60, true, false, false, LANE_QUIET },
		{ "the CA wants it early", 20, true, true, false, LANE_REPLACEMENT },
		{ "a person asked", 20, true, true, true, LANE_ASKED },
		{ "little is left", 70, true, true, true, LANE_EXPIRING },
		{ "urgent without a window", 20, false, true, false, LANE_QUIET },
	};
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin(&f, rows[i].days);
		f.site.renewal = (struct renewal){ .is_told = rows[i].is_told, .is_urgent = rows[i].is_urgent, .at = now };
		f.site.asked_renew = rows[i].is_asked;
		struct lane_facts facts = site_lane_facts(&f.site);
		if (lane_of(&facts, now) != rows[i].wanted)
			fail_msg("%s: %s", rows[i].name, lane_name(lane_of(&facts, now)));
		arena_fini(&f.arena);
	}
	begin(&f, 20);
	f.site.held.id = 0;
	f.site.renewal = (struct renewal){ .is_told = true, .is_urgent = true };
	struct lane_facts facts = site_lane_facts(&f.site);
	assert_int_equal(lane_of(&facts, now), LANE_FIRST);
	arena_fini(&f.arena);
}

/* An issue forgets what was told of the certificate before; a first one among many renews from half of its time on. */
static void
issue(struct fixture *f, bool is_first, size_t firsts, const struct finding *noted)
{
	static struct str names[] = { { "a.example", 9 } };

	begin(f, 20);
	if (is_first) {
		f->site.held = (struct held){ .id = 0 };
		f->name.is_held = false;
	}
	f->site.doing = DOING_ORDER;
	f->site.doing_since = now;
	f->site.order_id = 9;
	f->site.renewal = (struct renewal){ .is_told = true, .is_urgent = true, .at = now };
	f->policy.firsts_lately = firsts;
	step(f, (struct site_event){ .kind = SITE_ISSUED, .job = 41, .issued = { .id = 4, .life = { now, when_plus(now, SPAN_D(90)) } },
		.issued_names = names, .issued_names_n = 1, .failures = noted, .failures_n = noted != NULL });
}

/* At once, and once: what was said of the certificate of before is not said of its successor. */
static void
revoked_is_renewed(void **state)
{
	static const char mine[] = "0700000000000000000000000000000000000000000000000000000000000000";
	struct finding found = { .cause = CAUSE_SERVED_REVOKED, .subject = STR("a.example"), .acts = ACTOR_HOST,
		.first_seen = when_minus(now, SPAN_H(1)), .last_seen = now, .next_look = when_plus(now, SPAN_MIN(5)) };
	struct fixture f;

	(void)state;
	begin(&f, 20);
	found.wanted = str_of(mine);
	f.site.held.fingerprint[0] = 7;
	assert_false(plan_order_is_due(&f.site, now));
	f.site.findings = (struct finding_list){ .at = &found, .n = 1, .cap = 1 };
	assert_int_equal(site_renew_at(&f.site).s, found.first_seen.s);
	assert_int_equal(site_renew_why(&f.site), RENEW_BY_CA_EARLY);
	assert_true(plan_order_is_due(&f.site, now));
	f.site.held.fingerprint[0] = 8;
	assert_false(plan_order_is_due(&f.site, now));
	assert_int_equal(site_renew_why(&f.site), RENEW_BY_LIFE);
	/* A bought one is its owner's to replace. */
	f.site.held.fingerprint[0] = 7;
	f.site.held.is_own = true;
	assert_int_equal(site_renew_at(&f.site).s, f.site.held.life.from.s);
	arena_fini(&f.arena);
}

static void
first_fill_is_spread(void **state)
{
	struct fixture f;

	(void)state;
	issue(&f, true, 5, NULL);
	assert_false(f.site.held.is_spread || f.site.renewal.is_told);
	assert_true(site_renew_at(&f.site).s > now.s + 57 * 86400);
	arena_fini(&f.arena);
	issue(&f, true, 10000, NULL);
	assert_true(f.site.held.is_spread);
	assert_true(site_renew_at(&f.site).s >= now.s + 30 * 86400 && site_renew_at(&f.site).s < now.s + 60 * 86400);
	/* Whatever the CA then says of it: a later date of the CA's does not gather them again. */
	struct when spread = site_renew_at(&f.site);
	f.site.renewal = (struct renewal){ .is_told = true, .at = when_plus(now, SPAN_D(60)) };
	assert_int_equal(site_renew_at(&f.site).s, spread.s);
	assert_int_equal(site_renew_why(&f.site), RENEW_BY_LIFE);
	f.site.renewal.at = when_plus(now, SPAN_D(2));
	assert_int_equal(site_renew_at(&f.site).s, f.site.renewal.at.s);
	arena_fini(&f.arena);
	issue(&f, false, 10000, NULL);
	assert_false(f.site.held.is_spread);
	arena_fini(&f.arena);
}

/* A certificate without the profile that was wanted is a certificate: noted, and nothing is polled or blocked for it. */
static void
refused_profile_is_noted(void **state)
{
	const struct finding noted = { .cause = CAUSE_CA_PROFILE_REJECTED, .subject = STR("le"), .acts = ACTOR_HOST,
		.next_look = when_plus(now, SPAN_D(67)) };
	struct fixture f;

	(void)state;
	issue(&f, false, 0, &noted);
	assert_int_equal(f.site.held.id, 4);
	assert_int_equal(f.site.findings.n, 1);
	assert_int_equal(f.site.findings.at[0].cause, CAUSE_CA_PROFILE_REJECTED);
	assert_false(finding_blocks(&f.site.findings.at[0]));
	arena_fini(&f.arena);
	issue(&f, false, 0, NULL);
	assert_int_equal(f.site.findings.n, 0);
	arena_fini(&f.arena);
}

/* Those who are stepped in one turn draw from one roll, and still do not come back together. */
static void
one_turn_is_many_chances(void **state)
{
	const struct turn t = { now, 7 };
	size_t in[16] = { 0 };

	(void)state;
	for (int64_t id = 1; id <= 16000; id++) {
		struct turn own = site_turn(&t, id);

		assert_int_equal(own.now.s, now.s);
		in[own.roll >> 28]++;
	}
	for (size_t i = 0; i < 16; i++)
		assert_in_range(in[i], 850, 1150);
	const struct turn other = { now, 8 };
	assert_int_not_equal(site_turn(&t, 1).roll, site_turn(&other, 1).roll);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(date_of_the_ca_counts),
		cmocka_unit_test(news_disturb_nothing),
		cmocka_unit_test(lanes),
		cmocka_unit_test(revoked_is_renewed),
		cmocka_unit_test(first_fill_is_spread),
		cmocka_unit_test(refused_profile_is_noted),
		cmocka_unit_test(one_turn_is_many_chances),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
