#include "test/unit/store_try.h"

/* Renewal information and calendars in the store. */

static int64_t
new_ca(struct store *s, const char *name)
{
	struct ca_row c = { .name = str_of(name), .directory = STR("https://ca.example/"), .breaker = BREAKER_CLOSED_FOREVER };
	int64_t id = 0;

	OK(s, store_ca_put(s, &c, &id));
	return id;
}

/* A site of this name that holds a certificate. */
static int64_t
holding(struct store *s, struct str name, int64_t *ret_certificate)
{
	AUTO_ARENA a = { .max = 1 << 20 };
	int64_t id = new_site(s, &name, 1);
	struct site site;

	*ret_certificate = new_certificate(s, id, (uint8_t)id);
	OK(s, store_site_load(s, id, &a, &site));
	site.held.id = *ret_certificate;
	site.held.life = (struct life){ now, when_plus(now, SPAN_D(90)) };
	OK(s, store_site_save(s, &site, now));
	return id;
}

static void
window_goes_round(void **state)
{
	(void)state;
	AUTO_ARENA a = { .max = 1 << 20 };
	struct store *s = new_store();
	int64_t certificate, ca = new_ca(s, "a1"), site = holding(s, STR("a.example"), &certificate);
	struct renewal_row r = { .site_id = site, .certificate_id = certificate, .ca_id = ca, .oddities = 3,
		.renewal = { .polled_at = WHEN_UNKNOWN, .poll_at = now, .failures = 2 } }, got;
	struct site loaded;

	FAILS(store_renewal_load(s, site, &a, &got), ERR_NOT_FOUND);
	OK(s, store_renewal_put(s, &r));
	OK(s, store_renewal_load(s, site, &a, &got));
	assert_false(got.renewal.is_told);
	SAME(got.renewal.failures, 2);
	SAME(got.oddities, 3);
	SAME(got.issued_at.s, now.s);
	r.renewal = (struct renewal){ .is_told = true, .is_urgent = true, .start = { 10 }, .end = { 20 }, .at = { 15 },
		.explanation = STR("https://ca.example/why"), .polled_at = { 5 }, .poll_at = { 6 } };
	OK(s, store_renewal_put(s, &r));
	OK(s, store_site_load(s, site, &a, &loaded));
	assert_true(loaded.renewal.is_told && loaded.renewal.is_urgent);
	SAME(loaded.renewal.start.s, 10);
	SAME(loaded.renewal.end.s, 20);
	SAME(loaded.renewal.at.s, 15);
	SAME(loaded.renewal.polled_at.s, 5);
	SAME(loaded.renewal.poll_at.s, 6);
	SAME_STR(loaded.renewal.explanation, r.renewal.explanation);
	/* Another certificate is held: what was told of the one before is nothing to it. */
	loaded.held.id = new_certificate(s, site, 77);
	OK(s, store_site_save(s, &loaded, now));
	OK(s, store_site_load(s, site, &a, &loaded));
	assert_false(loaded.renewal.is_told || loaded.renewal.is_urgent);
	OK(s, store_renewal_drop(s, site));
	FAILS(store_renewal_load(s, site, &a, &got), ERR_NOT_FOUND);
	r.site_id = 99;
	FAILS(store_renewal_put(s, &r), ERR_CONFLICT);
	assert_sound(s);
	store_close(&s);
}

static void
polls_are_due_by_date(void **state)
{
	(void)state;
	AUTO_ARENA a = { .max = 1 << 20 };
	struct store *s = new_store();
	int64_t c1, c2, ca = new_ca(s, "a1"), other = new_ca(s, "b2");
	int64_t one = holding(s, STR("a.example"), &c1), two = holding(s, STR("b.example"), &c2);
	struct renewal_row r = { .site_id = one, .certificate_id = c1, .ca_id = ca,
		.renewal = { .polled_at = WHEN_UNKNOWN, .poll_at = when_plus(now, SPAN_H(2)) } };
	struct renewal_due *due;
	struct when next;
	struct site site;
	size_t n;

	OK(s, store_renewals_next(s, ca, &next));
	SAME(next.s, WHEN_NEVER.s);
	OK(s, store_renewal_put(s, &r));
	r.site_id = two;
	r.certificate_id = c2;
	r.renewal.poll_at = when_plus(now, SPAN_H(1));
	OK(s, store_renewal_put(s, &r));
	OK(s, store_renewals_next(s, ca, &next));
	SAME(next.s, r.renewal.poll_at.s);
	OK(s, store_renewals_next(s, other, &next));
	SAME(next.s, WHEN_NEVER.s);
	OK(s, store_renewals_due(s, ca, now, 9, &a, &due, &n));
	SAME(n, 0);
	OK(s, store_renewals_due(s, ca, when_plus(now, SPAN_H(2)), 9, &a, &due, &n));
	SAME(n, 2);
	SAME(due[0].site_id, two);
	SAME(due[1].site_id, one);
	SAME_STR(due[0].ari_id, STR("x.y"));
	assert_true(due[0].is_wanted && due[1].is_wanted);
	OK(s, store_renewals_due(s, other, when_plus(now, SPAN_H(2)), 9, &a, &due, &n));
	SAME(n, 0);
	/* A removed site is not asked about. */
	OK(s, store_site_load(s, two, &a, &site));
	site.is_removed = true;
	OK(s, store_site_save(s, &site, now));
	OK(s, store_renewals_due(s, ca, when_plus(now, SPAN_H(1)), 9, &a, &due, &n));
	SAME(n, 1);
	assert_true(due[0].is_removed && !due[0].is_wanted);
	OK(s, store_renewal_put_off(s, two, when_plus(now, SPAN_D(1))));
	OK(s, store_renewals_due(s, ca, when_plus(now, SPAN_H(1)), 9, &a, &due, &n));
	SAME(n, 0);
	store_close(&s);
}

static void
calendar_goes_round(void **state)
{
	(void)state;
	AUTO_ARENA a = { .max = 1 << 20 };
	struct store *s = new_store();
	int64_t ca = new_ca(s, "a1");
	struct calendar c = { .life = SPAN_D(90), .since = now, .next_life = SPAN_D(45), .next_since = { 7 }, .next_seen = 2 }, got;

	OK(s, store_calendar_load(s, ca, STR("classic"), &got));
	SAME(got.life.s, 0);
	OK(s, store_calendar_put(s, ca, STR("classic"), &c));
	OK(s, store_calendar_load(s, ca, STR("classic"), &got));
	SAME(got.life.s, c.life.s);
	SAME(got.since.s, now.s);
	SAME(got.next_life.s, c.next_life.s);
	SAME(got.next_since.s, 7);
	SAME(got.next_seen, 2);
	OK(s, store_calendar_load(s, ca, STR("shortlived"), &got));
	SAME(got.life.s, 0);
	/* A site has that of its certificate's CA and of its own profile. */
	struct setting g = { .source = SOURCE_FREE, .root = STR("/srv"), .profile = STR("classic") };
	struct str name = STR("c.example");
	int64_t id = 0, other = 0, certificate = 0, owner = 0;
	struct site site;
	OK(s, store_owner_put(s, &(struct owner_row){ .mail = STR("o@example.jp") }, now, &owner));
	OK(s, store_site_add(s, owner, &g, &name, 1, now, &id, &other));
	struct certificate_row row = { .site_id = id, .ca_id = ca, .created = now, .chain_pem = STR("-"),
		.info = { .not_before = now, .not_after = when_plus(now, SPAN_D(90)), .names = &name, .names_n = 1 } };
	OK(s, store_certificate_put(s, &row, &certificate));
	OK(s, store_site_load(s, id, &a, &site));
	SAME(site.calendar.life.s, 0);
	site.held.id = certificate;
	OK(s, store_site_save(s, &site, now));
	OK(s, store_site_load(s, id, &a, &site));
	SAME(site.calendar.life.s, SPAN_D(90).s);
	SAME(site.calendar.since.s, now.s);
	store_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_goes_round),
		cmocka_unit_test(polls_are_due_by_date),
		cmocka_unit_test(calendar_goes_round),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
