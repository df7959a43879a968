/* The page of a site, for every cause at every age of a certificate: one button at most, dates that agree, and no row without a word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "core/site_plan.h"
#include "test/unit/page_world.h"

static struct page_button
button(const struct fixture *f)
{
	struct view v = view_of(&f->site, now);

	return page_button_of(&f->site, &policy, &v, now);
}

static size_t
plan(const struct fixture *f, struct page_event *ret)
{
	struct view v = view_of(&f->site, now);

	return page_plan(&f->site, &policy, &v, now, ret);
}

static size_t
count(const struct page_event *at, size_t n, enum page_event_kind kind)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += at[i].kind == kind;
	return found;
}

static void
all_is_well(void **unused)
{
	(void)unused;
	struct fixture f;
	struct page_event e[PAGE_EVENTS_MAX];

	begin(&f, 20);
	assert_int_equal(button(&f).action, PAGE_NOTHING);
	assert_int_equal(plan(&f, e), 2);
	assert_int_equal(e[0].kind, PAGE_EVENT_LOOK);
	assert_int_equal(e[1].kind, PAGE_EVENT_RENEWAL);
	assert_int_equal(e[1].at.s, site_renew_at(&f.site).s);
	for (enum page_test t = 0; t < PAGE_TEST_COUNT; t++)
		assert_int_equal(page_check_of(&f.site, &f.names[0], t, now).result, PAGE_OK);
}

static void
the_owner_has_something_to_mend(void **unused)
{
	(void)unused;
	struct fixture f;
	struct page_event e[PAGE_EVENTS_MAX];

	begin(&f, 60);
	find(&f, CAUSE_DNS_ADDRESS_PARTLY_MISSING, STR("www.a.example"));
	assert_int_equal(button(&f).action, PAGE_CHECK);
	size_t n = plan(&f, e);
	assert_int_equal(count(e, n, PAGE_EVENT_RENEWAL), 0);
	assert_int_equal(count(e, n, PAGE_EVENT_REMINDER), LIFE_REMINDERS);
	assert_int_equal(count(e, n, PAGE_EVENT_REDUCE), 1);
	assert_int_equal(e[n - 1].kind, PAGE_EVENT_END);
	assert_int_equal(e[n - 1].at.s, f.site.held.life.to.s);
	/* The name alone, and what comes after the address was not tested. */
	static const enum page_result www[] = { PAGE_FAIL, PAGE_OK, PAGE_UNKNOWN, PAGE_UNKNOWN };
	for (enum page_test t = 0; t < PAGE_TEST_SERVED; t++) {
		assert_int_equal(page_check_of(&f.site, &f.names[0], t, now).result, PAGE_OK);
		assert_int_equal(page_check_of(&f.site, &f.names[1], t, now).result, www[t]);
	}
	assert_ptr_equal(page_check_of(&f.site, &f.names[1], PAGE_TEST_DNS, now).why, &f.finding);
	assert_int_equal(page_check_of(&f.site, &f.names[1], PAGE_TEST_SERVED, now).result, PAGE_FAIL);
}

/* Visitors come to no end; the page that the CA asks for is answered all the same, and its row says so. */
static void
a_circle_is_what_visitors_get(void **unused)
{
	static const enum cause circles[] = { CAUSE_HTTP_HOME_REDIRECT_LOOP, CAUSE_HTTP_CDN_REDIRECT_LOOP };

	(void)unused;
	for (size_t i = 0; i < sizeof circles / sizeof *circles; i++) {
		struct fixture f;

		begin(&f, 20);
		find(&f, circles[i], f.names[0].name);
		assert_int_equal(page_check_of(&f.site, &f.names[0], PAGE_TEST_CHALLENGE, now).result, PAGE_OK);
		const struct page_check served = page_check_of(&f.site, &f.names[0], PAGE_TEST_SERVED, now);
		assert_int_equal(served.result, PAGE_FAIL);
		assert_ptr_equal(served.why, &f.finding);
		assert_int_equal(page_check_of(&f.site, &f.names[1], PAGE_TEST_SERVED, now).result, PAGE_OK);
	}
}

/* Whatever its owner has to mend, on a site that is well otherwise: the page has a button for when it is done. */
static void
whatever_is_mended_has_its_button(void **unused)
{
	(void)unused;
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++) {
		const struct cause_row *row = cause_row(c);
		struct fixture f;

		begin(&f, 20);
		find(&f, c, f.names[0].name);
		if (!actor_is_owner(row->acts) || row->severity < SEVERITY_WARN || c == CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY ||
		    c == CAUSE_OWN_CERTIFICATE_IMPORTED)
			continue;
		if (button(&f).action != PAGE_CHECK)
			fail_msg("%s has no button", row->id);
	}
}

/* A name that was never in the certificate keeps nobody from renewing: the page says when, and foretells no reminders that never come. */
static void
what_was_never_held_is_left_out(void **unused)
{
	(void)unused;
	struct fixture f;
	struct page_event e[PAGE_EVENTS_MAX];

	begin(&f, 20);
	find(&f, CAUSE_DNS_ADDRESS_PARTLY_MISSING, STR("www.a.example"));
	f.names[1].is_held = false;
	size_t n = plan(&f, e);
	assert_int_equal(count(e, n, PAGE_EVENT_RENEWAL), 1);
	assert_int_equal(count(e, n, PAGE_EVENT_REMINDER) + count(e, n, PAGE_EVENT_REDUCE) + count(e, n, PAGE_EVENT_END), 0);
	/* What stands against all of them does. */
	f.finding.subject = f.names[0].name;
	n = plan(&f, e);
	assert_int_equal(count(e, n, PAGE_EVENT_RENEWAL), 0);
	assert_int_equal(count(e, n, PAGE_EVENT_END), 1);
}

/* Not set up, nothing is looked at, and no look is foretold. */
static void
what_is_off_is_not_looked_at(void **unused)
{
	(void)unused;
	struct fixture f;
	struct page_event e[PAGE_EVENTS_MAX];

	begin(&f, 20);
	f.site.held = (struct held){ .id = 0 };
	f.site.setting.source = SOURCE_NONE;
	assert_int_equal(plan(&f, e), 0);
}

static void
what_is_ours_asks_nothing(void **unused)
{
	(void)unused;
	struct fixture f;
	struct page_event e[PAGE_EVENTS_MAX];

	begin(&f, 60);
	find(&f, CAUSE_CA_SERVICE_DOWN, STR("a.example"));
	assert_int_equal(button(&f).action, PAGE_NOTHING);
	assert_int_equal(count(e, plan(&f, e), PAGE_EVENT_REMINDER), 0);
}

static void
a_warning_without_a_cause_can_be_cured(void **unused)
{
	(void)unused;
	struct fixture f;

	begin(&f, 91);
	assert_int_equal(button(&f).action, PAGE_RENEW);
	assert_false(when_is_known(button(&f).works_at));
	f.site.retry_at = when_plus(now, SPAN_MIN(10));
	assert_int_equal(button(&f).works_at.s, f.site.retry_at.s);
	f.site.retry_at = when_minus(now, SPAN_MIN(10));
	assert_false(when_is_known(button(&f).works_at));
	f.site.doing = DOING_ORDER;
	assert_int_equal(button(&f).action, PAGE_NOTHING);
}

/* Given up: it is said when it ends, and no renewal is promised. */
static void
what_was_given_up_ends(void **unused)
{
	(void)unused;
	struct fixture f;
	struct page_event e[PAGE_EVENTS_MAX];

	begin(&f, 20);
	f.site.setting.source = SOURCE_NONE;
	struct view v = view_of(&f.site, now);
	assert_string_equal(view_headline(&f.site, &v), "ok-ending");
	assert_false(when_is_known(v.next_renewal));
	size_t n = plan(&f, e);
	assert_int_equal(count(e, n, PAGE_EVENT_RENEWAL), 0);
	assert_int_equal(count(e, n, PAGE_EVENT_LAST_END), 1);
}

/* Who has no lock is not called safe. */
static void
what_is_dark_is_not_called_safe(void **unused)
{
	static const struct {
		enum cause cause;
		const char *word;
	} rows[] = { { CAUSE_DNS_A_ELSEWHERE, "act-dark" }, { CAUSE_CA_SERVICE_DOWN, "ours-dark" } };
	(void)unused;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;

		begin(&f, 20);
		find(&f, rows[i].cause, STR("a.example"));
		struct view v = view_of(&f.site, now);
		assert_string_equal(view_headline(&f.site, &v), site_state_name(v.state));
		for (size_t k = 0; k < 2; k++)
			f.names[k].served = (struct served){ .at = now, .not_after = WHEN_UNKNOWN };
		v = view_of(&f.site, now);
		assert_false(when_is_known(v.until));
		assert_string_equal(view_headline(&f.site, &v), rows[i].word);
	}
}

/* What a first certificate waits for is said of it alone, and not beside a cause of its own. */
static void
who_waits_for_the_issuer_is_told_so(void **unused)
{
	const struct when since = when_minus(now, SPAN_H(2)), next = when_plus(now, SPAN_S(300));
	struct fixture f;

	(void)unused;
	begin(&f, 20);
	f.site.findings.n = 0;
	struct view v = view_of(&f.site, now);
	view_awaits_issuer(&v, &f.site, since, next);
	assert_false(when_is_known(v.issuer_ill_since));
	f.site.held = (struct held){ .id = 0 };
	for (size_t k = 0; k < 2; k++)
		f.names[k].served = (struct served){ .at = now, .not_after = WHEN_UNKNOWN };
	v = view_of(&f.site, now);
	assert_string_equal(view_headline(&f.site, &v), "issuing");
	view_awaits_issuer(&v, &f.site, WHEN_UNKNOWN, next);
	assert_string_equal(view_headline(&f.site, &v), "issuing");
	view_awaits_issuer(&v, &f.site, since, next);
	assert_string_equal(view_headline(&f.site, &v), "issuing-waits");
	assert_string_equal(view_pill(&v), "issuing");
	assert_int_equal(v.issuer_ill_since.s, since.s);
	assert_true(v.next_look.s >= next.s);
	/* Also while its own order is under way there. */
	f.site.doing = DOING_ORDER;
	v = view_of(&f.site, now);
	view_awaits_issuer(&v, &f.site, since, next);
	assert_string_equal(view_headline(&f.site, &v), "issuing-waits");
	f.site.doing = DOING_NOTHING;
	find(&f, CAUSE_CA_SERVICE_DOWN, STR("a.example"));
	v = view_of(&f.site, now);
	view_awaits_issuer(&v, &f.site, since, next);
	assert_false(when_is_known(v.issuer_ill_since));
	assert_string_equal(view_headline(&f.site, &v), "issuing-waits");
}

/* Where each name warns it is not said of some; and a look that finds it so once more does not move the date since when. */
static void
what_warns_everywhere_says_so_and_since_when(void **unused)
{
	(void)unused;
	struct fixture f;

	begin(&f, 20);
	find(&f, CAUSE_SERVED_CERTIFICATE_WRONG, STR("a.example"));
	f.names[0].served.is_ok = false;
	struct view v = view_of(&f.site, now);
	assert_string_equal(view_headline(&f.site, &v), "broken");
	assert_string_equal(view_pill(&v), "broken");
	assert_int_equal(v.since.s, f.finding.first_seen.s);
	f.finding.first_seen = when_minus(now, SPAN_D(2));
	f.names[1].served.is_ok = false;
	v = view_of(&f.site, now);
	assert_string_equal(view_headline(&f.site, &v), "broken-all");
	assert_string_equal(view_pill(&v), "broken-all");
	assert_int_equal(v.since.s, f.finding.first_seen.s);
	/* Findings of another kind do not say since when visitors are warned. */
	f.finding.cause = CAUSE_DNS_A_ELSEWHERE;
	v = view_of(&f.site, now);
	assert_int_equal(v.since.s, f.names[0].served.at.s);
}

static void
what_is_not_wanted_is_offered(void **unused)
{
	(void)unused;
	struct fixture f;

	begin(&f, 0);
	f.site.setting.source = SOURCE_NONE;
	f.site.held = (struct held){ 0 };
	assert_int_equal(button(&f).action, PAGE_SET_UP);
}

static void
a_draft_has_an_end_and_a_bought_one_none(void **unused)
{
	(void)unused;
	struct fixture f;
	struct page_event e[PAGE_EVENTS_MAX];

	begin(&f, 20);
	f.site.draft = (struct draft){ .exists = true, .begun_at = when_minus(now, SPAN_D(3)), .told_at = WHEN_UNKNOWN };
	size_t n = plan(&f, e);
	assert_int_equal(count(e, n, PAGE_EVENT_DRAFT_ENDS), 1);
	f.site.draft.has_csr = true;
	assert_int_equal(count(e, plan(&f, e), PAGE_EVENT_DRAFT_ENDS), 0);
	/* A draft changes nothing else. */
	assert_int_equal(button(&f).action, PAGE_NOTHING);
}

static void
check_plan(const struct fixture *f, const struct view *v)
{
	struct page_event e[PAGE_EVENTS_MAX];
	size_t n = plan(f, e);

	for (size_t i = 0; i < n; i++) {
		assert_true(when_before(now, e[i].at));
		assert_false(i > 0 && when_before(e[i].at, e[i - 1].at));
		assert_false(e[i].kind == PAGE_EVENT_REMINDER && !actor_is_owner(v->acts));
		if (e[i].kind == PAGE_EVENT_END)
			assert_int_equal(e[i].at.s, f->site.held.life.to.s);
	}
	/* It is renewed by itself, or something stands in the way and it may end: never both. */
	assert_true(count(e, n, PAGE_EVENT_RENEWAL) + count(e, n, PAGE_EVENT_END) <= 1);
}

static void
check_rows(const struct fixture *f, const struct view *v)
{
	for (enum lang l = 0; l < LANG_COUNT; l++)
		for (enum page_row r = 0; r < PAGE_ROW_COUNT; r++) {
			const struct words_context c = { .lang = l, .now = now, .zone = SPAN_H(9), .site_name = STR("a.example"), .view = *v };
			AUTO_BUF label = { .max = 4096 }, text = { .max = 65536 };

			words_page_label(r, &c, &label);
			words_page_row(r, &f->site, &c, &text);
			assert_int_equal(label.err, ERR_OK);
			assert_int_equal(text.err, ERR_OK);
			if (label.n == 0 || text.n == 0 || str_find(buf_str(&text), STR("{")) != SIZE_MAX)
				fail_msg("%s, %s: \"%.*s\"", page_row_name(r), site_state_name(v->state), (int)text.n, text.p);
		}
}

static void
every_cause_at_every_age(void **unused)
{
	(void)unused;

	for (enum cause c = CAUSE_NONE; c < CAUSE_COUNT; c++)
		for (int days = 0; days < 100; days += 3) {
			struct fixture f;

			begin(&f, days);
			if (c != CAUSE_NONE)
				find(&f, c, STR("www.a.example"));
			struct view v = view_of(&f.site, now);
			struct page_button b = button(&f);
			check_plan(&f, &v);
			check_rows(&f, &v);
			/* A button only where a person can do something, and never one that is styled as a way out of what is ours. */
			if (b.action == PAGE_CHECK)
				assert_true(actor_is_owner(v.acts));
			if (v.state == SITE_STATE_OK || v.state == SITE_STATE_OURS || v.state == SITE_STATE_MOVED)
				assert_int_equal(b.action, PAGE_NOTHING);
			if (v.state == SITE_STATE_ACT)
				assert_int_equal(b.action, PAGE_CHECK);
			/* What the lists are sorted by says the same as the page, now and at any time to come. */
			const struct site_urgent u = site_urgent(&f.site);
			for (int later = 0; later < 120; later += 5) {
				const struct when at = when_plus(now, SPAN_D(later));
				enum site_state state = view_of(&f.site, at).state;
				bool is_warned = state == SITE_STATE_EXPIRED || state == SITE_STATE_BROKEN;

				if (is_warned != (when_is_known(u.warned_from) && !when_before(at, u.warned_from)))
					fail_msg("%s, %d days old, %d days later: %s, warned from %lld", c == CAUSE_NONE ? "-" : cause_row(c)->id, days,
					    later, site_state_name(state), (long long)u.warned_from.s);
			}
			assert_true(u.late_from.s <= u.warned_from.s);
			if (days < 90 && u.warned_from.s == f.site.held.life.to.s)
				assert_int_equal(u.late_from.s, life_support_at(f.site.held.life).s);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(the_owner_has_something_to_mend),
		cmocka_unit_test(a_circle_is_what_visitors_get),
		cmocka_unit_test(whatever_is_mended_has_its_button),
		cmocka_unit_test(what_was_never_held_is_left_out),
		cmocka_unit_test(what_is_off_is_not_looked_at),
		cmocka_unit_test(what_is_ours_asks_nothing),
		cmocka_unit_test(a_warning_without_a_cause_can_be_cured),
		cmocka_unit_test(what_warns_everywhere_says_so_and_since_when),
		cmocka_unit_test(what_is_not_wanted_is_offered),
		cmocka_unit_test(what_was_given_up_ends),
		cmocka_unit_test(what_is_dark_is_not_called_safe),
		cmocka_unit_test(who_waits_for_the_issuer_is_told_so),
		cmocka_unit_test(a_draft_has_an_end_and_a_bought_one_none),
		cmocka_unit_test(every_cause_at_every_age),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
