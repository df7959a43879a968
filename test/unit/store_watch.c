/* What the store tells the watchdog. */
#include "test/unit/store_try.h"
#include "ports/store/watch.h"

static void
conditions_and_learned(void **state)
{
	(void)state;
	struct store *s = new_store();
	AUTO_ARENA a = { .max = 1 << 20 };
	struct watch_facts f = { 0 };
	struct when at;

	OK(s, store_watched(s, now, SPAN_MIN(15), &a, &f));
	assert_true(f.has_store);
	SAME(f.engine_at.s, WHEN_UNKNOWN.s);
	SAME(f.dns_at.s, WHEN_UNKNOWN.s);
	SAME(f.sites, 0);
	SAME(f.causes_n, 0);
	OK(s, store_heartbeat_of(s, STR("engine"), &at));
	SAME(at.s, WHEN_UNKNOWN.s);

	OK(s, store_heartbeat_put(s, STR("engine"), 7, now));
	OK(s, store_learned_put(s, LEARNED_DNS, when_plus(now, SPAN_S(1))));
	OK(s, store_learned_put(s, LEARNED_PROBE, when_plus(now, SPAN_S(2))));
	OK(s, store_learned_put(s, LEARNED_CA, now));
	OK(s, store_learned_put(s, LEARNED_CA, when_plus(now, SPAN_S(3))));
	OK(s, store_condition_put(s, CAUSE_OWN_CLOCK_SKEWED, STR("first"), now));
	OK(s, store_condition_put(s, CAUSE_OWN_CLOCK_SKEWED, STR("by a day"), now));
	OK(s, store_watched(s, now, SPAN_MIN(15), &a, &f));
	SAME(f.engine_at.s, now.s);
	SAME(f.dns_at.s, now.s + 1);
	SAME(f.probe_at.s, now.s + 2);
	SAME(f.ca_at.s, now.s + 3);
	SAME(f.causes_n, 1);
	SAME(f.causes[0].cause, CAUSE_OWN_CLOCK_SKEWED);
	SAME_STR(f.causes[0].words, STR("by a day"));
	OK(s, store_condition_end(s, CAUSE_OWN_CLOCK_SKEWED));
	OK(s, store_condition_end(s, CAUSE_OWN_CLOCK_SKEWED));
	OK(s, store_watched(s, now, SPAN_MIN(15), &a, &f));
	SAME(f.causes_n, 0);
	store_close(&s);
}

/* Six sites: ended, in 12 h, 47 h, 6 d, 12 d, 83 d. Their names, dates, causes. */
static void
sites(void **state)
{
	(void)state;
	static const int ends_h[] = { -1, 12, 47, 144, 300, 2000 };
	static const int64_t days[WATCH_DAYS] = { 1, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1 };
	struct store *s = new_store();
	AUTO_ARENA a = { .max = 1 << 20 };
	struct watch_facts f = { 0 };
	struct store_sample *rows, row;
	size_t n;

	for (size_t i = 0; i < 6; i++) {
		struct str name = arena_strf(&a, "s%zu.example", i);
		struct finding found[] = { { .cause = CAUSE_OWN_DEPLOY_CONFIG_BROKEN, .subject = STR("nginx"), .seen = STR("unknown directive"), .next_look = now },
			{ .cause = CAUSE_DNS_A_ELSEWHERE, .subject = name, .next_look = now } };
		int64_t id = new_site(s, &name, 1);
		struct site site;

		OK(s, store_site_load(s, id, &a, &site));
		site.held = (struct held){ .id = new_certificate(s, id, (uint8_t)i), .life = { now, when_plus(now, SPAN_H(ends_h[i])) } };
		site.wake = when_plus(now, SPAN_S(i == 0 ? -3600 : i == 1 ? -60 : 60));
		site.findings = (struct finding_list){ .at = found, .n = i < 2 ? 2 : 0 };
		site.names[0].is_held = true;
		site.names[0].served = (struct served){ .at = now, .is_ok = true, .is_held = i != 2, .not_after = site.held.life.to };
		memset(site.names[0].served.fingerprint, (int)i + 1, FINGERPRINT_BYTES);
		site.is_removed = false;
		OK(s, store_site_save(s, &site, now));
	}
	OK(s, store_watched(s, now, SPAN_MIN(15), &a, &f));
	SAME(f.sites, 6);
	SAME(f.due, 1);
	SAME(f.oldest_due.s, now.s - 3600);
	for (size_t i = 0; i < WATCH_DAYS; i++)
		if (f.days_left[i] != days[i])
			fail_msg("days_left[%zu] is %lld", i, (long long)f.days_left[i]);
	/* Of the causes only those that are the operator's, with one example. */
	SAME(f.causes_n, 1);
	SAME(f.causes[0].cause, CAUSE_OWN_DEPLOY_CONFIG_BROKEN);
	SAME(f.causes[0].sites, 2);
	SAME_STR(f.causes[0].words, STR("nginx: unknown directive"));
	/* Samples: by id, a part at a time, and only what is said to be served. */
	OK(s, store_samples(s, 0, 3, &a, &rows, &n));
	SAME(n, 3);
	SAME_STR(rows[2].name, STR("s3.example"));
	SAME(rows[2].fingerprint[31], 4);
	int64_t last = rows[2].name_id;
	OK(s, store_samples(s, last, 10, &a, &rows, &n));
	SAME(n, 2);
	OK(s, store_sample(s, last, &a, &row));
	SAME_STR(row.name, STR("s3.example"));
	FAILS(store_sample(s, last - 1, &a, &row), ERR_NOT_FOUND);
	store_close(&s);
}

/* The date of each renewal is the one that the engine goes by, whatever it is made of; each site that is renewed by itself is counted once. */
static void
plans(void **state)
{
	(void)state;
	enum { SITES = 9, SPREAD = 1, OWN, ASKED, NOT_WANTED, REVOKED, TOLD, NOTHING_HELD };
	struct store *s = new_store();
	AUTO_ARENA a = { .max = 1 << 20 };
	struct forecast counted, want;
	int64_t last = 0, ca;
	const struct ca_row row = { .name = STR("a1"), .directory = STR("https://ca.example/"), .breaker = BREAKER_CLOSED_FOREVER };


	OK(s, store_ca_put(s, &row, &ca));
	forecast_begin(&counted, now, SPAN_H(9));
	forecast_begin(&want, now, SPAN_H(9));
	for (size_t i = 0; i < SITES; i++) {
		struct str name = arena_strf(&a, "p%zu.example", i);
		uint8_t text[2 * FINGERPRINT_BYTES];
		int64_t id = new_site(s, &name, 1);
		struct site site;

		OK(s, store_site_load(s, id, &a, &site));
		if (i != NOTHING_HELD)
			site.held = (struct held){ .id = new_certificate(s, id, (uint8_t)i),
				.life = { when_plus(now, SPAN_D(-(int)i)), when_plus(now, SPAN_D(90 - (int)(6 * i))) } };
		memset(site.held.fingerprint, (int)i + 1, FINGERPRINT_BYTES);
		certificate_fingerprint_text(site.held.fingerprint, (char *)text);
		struct finding revoked = { .cause = CAUSE_SERVED_REVOKED, .subject = name, .wanted = { (char *)text, sizeof text },
			.first_seen = when_plus(now, SPAN_D(3)), .next_look = now };
		site.held.is_spread = i == SPREAD;
		site.held.is_own = i == OWN;
		site.asked_renew = i == ASKED;
		site.setting.source = i == NOT_WANTED ? SOURCE_NONE : SOURCE_FREE;
		site.jitter = (uint32_t)i * 400000000u;
		if (i == REVOKED)
			site.findings = (struct finding_list){ .at = &revoked, .n = 1, .cap = 1 };
		OK(s, store_site_save(s, &site, now));
		OK(s, store_setting_put(s, id, &site.setting));
		if (i == TOLD) {
			const struct renewal_row r = { .site_id = id, .certificate_id = site.held.id, .ca_id = ca,
				.renewal = { .is_told = true, .start = when_plus(now, SPAN_D(5)), .end = when_plus(now, SPAN_D(6)),
				    .at = when_plus(now, SPAN_D(5)), .polled_at = now, .poll_at = now } };

			OK(s, store_renewal_put(s, &r));
		}
		OK(s, store_site_load(s, id, &a, &site));
		if (i != NOT_WANTED && i != NOTHING_HELD)
			forecast_add(&want, i == ASKED ? now : site_renew_at(&site), SPAN_H(9));
	}
	/* In parts, or all at once. */
	int64_t parts = 0;
	do {
		OK(s, store_plans(s, last, 3, SPAN_H(9), &counted, &last));
		parts++;
	} while (last != 0);
	SAME(parts, 3);
	assert_memory_equal(&counted, &want, sizeof counted);
	SAME(counted.due, 2);
	SAME(counted.days[3], 1);
	SAME(counted.days[5], 1);
	store_close(&s);
}

/* Bursts: by cause, by owner, by when they were first seen. */
static void
bursts(void **state)
{
	(void)state;
	struct store *s = new_store();
	AUTO_ARENA a = { .max = 1 << 20 };
	struct setting g = free_setting();
	struct mass_burst *rows;
	int64_t n_sites;
	size_t n;

	for (int i = 0; i < 50; i++) {
		/* The last ten are all one owner's, and the first five are of long ago. */
		struct str name = arena_strf(&a, "s%d.example", i), mail = arena_strf(&a, "o%d@a.example", i < 40 ? i : 40);
		struct finding found = { .cause = CAUSE_DNS_CAA_FORBIDS, .subject = name, .next_look = now,
			.first_seen = i < 5 ? when_minus(now, SPAN_D(8)) : now };
		int64_t owner, id, other;
		struct site site;

		OK(s, store_owner_put(s, &(struct owner_row){ .mail = mail, .lang = STR("ja") }, now, &owner));
		OK(s, store_site_add(s, owner, &g, &name, 1, now, &id, &other));
		OK(s, store_site_load(s, id, &a, &site));
		site.findings = (struct finding_list){ .at = &found, .n = 1 };
		OK(s, store_site_save(s, &site, now));
	}
	OK(s, store_bursts(s, now, &a, &rows, &n, &n_sites));
	SAME(n_sites, 50);
	SAME(n, 1);
	SAME(rows[0].cause, CAUSE_DNS_CAA_FORBIDS);
	SAME(rows[0].owners, 36);
	store_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions_and_learned),
		cmocka_unit_test(sites),
		cmocka_unit_test(plans),
		cmocka_unit_test(bursts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
