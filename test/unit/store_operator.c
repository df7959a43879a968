/* What the operator's pages and the status page are read from: counts follow the rows, and pages do not lose one. */
#include "test/unit/store_try.h"
#include "ports/store/operator.h"
#include "ports/store/people.h"

static struct store *s;
static struct arena a;

static int
set_up(void **state)
{
	(void)state;
	s = new_store();
	arena_init(&a, 16 << 20);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	assert_sound(s);
	arena_fini(&a);
	store_close(&s);
	return 0;
}

static struct store_overview
overview(void)
{
	struct store_overview v;

	OK(s, store_overview(s, now, &v));
	return v;
}

static void
hold(int64_t site_id, int64_t certificate_id, struct when to)
{
	struct site site;

	OK(s, store_site_load(s, site_id, &a, &site));
	site.held = (struct held){ .id = certificate_id, .life = { when_minus(to, SPAN_D(90)), to } };
	OK(s, store_site_save(s, &site, now));
}

static void
endings_follow_what_is_held(void **state)
{
	int64_t id = new_site(s, two_names, 2), certificate = new_certificate(s, id, 1);
	struct ending_row *rows;
	struct site site;
	size_t n;

	(void)state;
	OK(s, store_endings(s, &a, &rows, &n));
	SAME(n, 0);
	hold(id, certificate, when_plus(now, SPAN_D(3)));
	hold(id, certificate, when_plus(now, SPAN_D(3)));
	OK(s, store_endings(s, &a, &rows, &n));
	SAME(n, 1);
	SAME(rows[0].n, 1);
	SAME(rows[0].hour.s, now.s + 3 * 86400);
	SAME(overview().ended, 0);
	/* Within this hour and past: ended; within this hour and to come: not yet. */
	hold(id, certificate, now);
	SAME(overview().ended, 1);
	hold(id, certificate, when_plus(now, SPAN_S(1)));
	SAME(overview().ended, 0);
	hold(id, certificate, when_minus(now, SPAN_D(5)));
	SAME(overview().ended, 1);
	OK(s, store_site_load(s, id, &a, &site));
	site.is_removed = true;
	OK(s, store_site_save(s, &site, now));
	OK(s, store_endings(s, &a, &rows, &n));
	SAME(n, 0);
	SAME(overview().ended, 0);
}

static void
find(int64_t site_id, enum cause c, struct str subject, struct when first)
{
	struct site site;
	struct finding f = { .cause = c,
		.subject = subject,
		.acts = c == CAUSE_NONE ? ACTOR_NOBODY : cause_row(c)->acts,
		.first_seen = first,
		.last_seen = now,
		.next_look = when_plus(now, SPAN_H(1)),
		.told_at = WHEN_UNKNOWN,
		.times_seen = 1 };

	OK(s, store_site_load(s, site_id, &a, &site));
	site.findings = (struct finding_list){ .at = &f, .n = c != CAUSE_NONE, .cap = 1 };
	OK(s, store_site_save(s, &site, now));
}

static void
causes_are_counted_with_the_oldest(void **state)
{
	struct str b[] = { STR("b.example") }, c[] = { STR("c.example") };
	int64_t one = new_site(s, two_names, 2), two = new_site(s, b, 1), three = new_site(s, c, 1);
	struct cluster_row *rows;
	size_t n;

	(void)state;
	SAME(overview().standing[SITE_STANDING_PROGRESS], 3);
	find(one, CAUSE_DNS_A_ELSEWHERE, two_names[1], when_minus(now, SPAN_D(2)));
	find(two, CAUSE_DNS_A_ELSEWHERE, b[0], when_minus(now, SPAN_D(4)));
	find(three, CAUSE_DNS_CAA_FORBIDS, c[0], now);
	SAME(overview().standing[SITE_STANDING_OWNER], 3);
	SAME(overview().standing[SITE_STANDING_PROGRESS], 0);
	OK(s, store_clusters(s, &a, &rows, &n));
	SAME(n, 2);
	SAME(rows[0].cause, CAUSE_DNS_A_ELSEWHERE);
	SAME(rows[0].n, 2);
	SAME(rows[0].since.s, now.s - 4 * 86400);
	SAME_STR(rows[0].name, b[0]);
	SAME_STR(rows[0].site, b[0]);
	find(two, CAUSE_NONE, STR_NONE, now);
	OK(s, store_clusters(s, &a, &rows, &n));
	SAME(rows[0].n, 1);
	SAME_STR(rows[0].name, two_names[1]);
	SAME_STR(rows[0].site, two_names[0]);
	find(one, CAUSE_NONE, STR_NONE, now);
	find(three, CAUSE_NONE, STR_NONE, now);
	OK(s, store_clusters(s, &a, &rows, &n));
	SAME(n, 0);
}

static int64_t
letter(int64_t number, struct when next_try, const char *error)
{
	char key[32];
	struct letter_row l = { .kind = LETTER_ACT, .key = { key, 0 }, .to = STR("hana@a.example"), .created = now, .next_try = next_try,
		.sent_at = WHEN_UNKNOWN, .error = str_of(error) };

	l.key.n = (size_t)snprintf(key, sizeof key, "key/%lld", (long long)number);
	OK(s, store_letter_put(s, &l));
	return number;
}

static void
letters_that_did_not_arrive(void **state)
{
	struct letter_row *rows;
	size_t n;
	int64_t last = 0;

	(void)state;
	letter(1, now, "");
	letter(2, WHEN_NEVER, "550 no such mailbox");
	letter(3, now, "451 later");
	letter(4, now, "");
	OK(s, store_letter_sent(s, 4, now));
	letter(5, now, "");
	OK(s, store_letter_sent(s, 1, now));
	OK(s, store_letters_trouble(s, 0, 1, &a, &rows, &n));
	SAME(n, 1);
	SAME_STR(rows[0].error, STR("451 later"));
	last = rows[0].id;
	OK(s, store_letters_trouble(s, last, 9, &a, &rows, &n));
	SAME(n, 1);
	SAME_STR(rows[0].error, STR("550 no such mailbox"));
	OK(s, store_letter_sent(s, last, now));
	OK(s, store_letters_trouble(s, 0, 9, &a, &rows, &n));
	SAME(n, 1);
}

static void
the_audit_is_filtered(void **state)
{
	static const struct {
		const char *who, *action, *object;
	} done[] = { { "a@x.jp", "site_renew", "a.jp" }, { "b@x.jp", "site_renew", "xn--wgv71a119e.jp" }, { "a@x.jp", "site_change", "日本語.jp" },
		{ "command", "site_renew", "a.jp" } };
	static const struct {
		const char *who, *action, *object, *other, *wanted;
	} rows[] = { { "", "", "", "", "4321" }, { "a@x.jp", "", "", "", "31" }, { "", "site_renew", "", "", "421" }, { "a@x.jp", "site_change", "", "", "3" },
		{ "", "", "a.jp", "a.jp", "41" }, { "", "", "日本語.jp", "xn--wgv71a119e.jp", "32" }, { "command", "", "a.jp", "a.jp", "4" },
		{ "b@x.jp", "site_renew", "日本語.jp", "xn--wgv71a119e.jp", "2" }, { "nobody", "", "", "", "" } };

	(void)state;
	for (size_t i = 0; i < sizeof done / sizeof *done; i++)
		OK(s, store_audit_put(s, &(struct audit_row){ .at = now, .who = str_of(done[i].who), .action = str_of(done[i].action), .object = str_of(done[i].object) }));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct audit_filter f = { .who = str_of(rows[i].who), .action = str_of(rows[i].action), .object = str_of(rows[i].object), .other = str_of(rows[i].other) };
		char got[16] = "";
		struct audit_row *found;
		size_t n = 1, used = 0;

		/* Line by line, by the cursor. */
		while (n > 0 && used < sizeof got - 1) {
			OK(s, store_audit(s, &f, 1, &a, &found, &n));
			if (n > 0) {
				got[used++] = (char)('0' + found[0].id);
				f.before_id = found[0].id;
			}
		}
		if (strcmp(got, rows[i].wanted) != 0)
			fail_msg("row %zu: got %s, not %s", i, got, rows[i].wanted);
	}
}

static void
an_incident_begins_lasts_and_ends(void **state)
{
	struct incident_row *rows;
	size_t n;

	(void)state;
	OK(s, store_incident_put(s, CAUSE_DNS_LOOKUP_TIMEOUT, now));
	OK(s, store_incidents_end(s, now));
	OK(s, store_incident_put(s, CAUSE_DNS_LOOKUP_TIMEOUT, when_plus(now, SPAN_S(60))));
	OK(s, store_incidents_end(s, when_plus(now, SPAN_S(60))));
	OK(s, store_incidents(s, 0, 9, &a, &rows, &n));
	SAME(n, 1);
	SAME(rows[0].began.s, now.s);
	assert_false(when_is_known(rows[0].ended));
	OK(s, store_incidents_end(s, when_plus(now, SPAN_S(120))));
	OK(s, store_incident_put(s, CAUSE_DNS_LOOKUP_TIMEOUT, when_plus(now, SPAN_D(1))));
	OK(s, store_incidents(s, 0, 9, &a, &rows, &n));
	SAME(n, 2);
	SAME(rows[1].ended.s, now.s + 120);
	assert_false(when_is_known(rows[0].ended));
	OK(s, store_incidents(s, rows[0].id, 9, &a, &rows, &n));
	SAME(n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(endings_follow_what_is_held, set_up, tear_down),
		cmocka_unit_test_setup_teardown(causes_are_counted_with_the_oldest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(letters_that_did_not_arrive, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_audit_is_filtered, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_incident_begins_lasts_and_ends, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
