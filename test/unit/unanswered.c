/* What stands on the home page or on the list of revoked certificates is not over because a look did not get that answer. */
#include "test/unit/site_world.h"

enum seen { PAGE_MIXED, PAGE_WELL, PAGE_SILENT, LIST_HAS_IT, LIST_HAS_IT_NOT, LIST_SILENT, LIST_SILENT_OF_ANOTHER };

static void
put(struct address_evidence *a, enum seen seen)
{
	a->home.http.result = seen == PAGE_SILENT ? HTTP_TIMEOUT_READ : seen <= PAGE_WELL ? HTTP_ANSWERED : HTTP_NOT_TRIED;
	if (seen == PAGE_MIXED) {
		a->home.insecure_n = 1;
		a->home.insecure = STR("http://example.jp/a.png");
	}
	a->tls.revocation = seen == LIST_HAS_IT ? REVOCATION_REVOKED : seen == LIST_HAS_IT_NOT ? REVOCATION_GOOD : REVOCATION_UNKNOWN;
	a->tls.leaf.fingerprint[1] ^= seen == LIST_SILENT_OF_ANOTHER;
}

static void
look(struct fixture *f, int after_s, bool is_verify, enum seen seen)
{
	struct site_effects *out = arena_get(&f->arena, sizeof *out);
	const struct turn t = { when_plus(now, SPAN_S(after_s)), 12345 };
	struct evidence *e = evidence_of(f, SIGHT_FINE, is_verify);

	e->at = t.now;
	put(e->names[0].addresses, seen);
	fixture_do(f, is_verify ? DOING_VERIFY : DOING_CHECK);
	site_step(&f->site, &(struct site_event){ .kind = SITE_CHECKED, .job = f->site.job, .evidence = e, .retry_after = WHEN_UNKNOWN }, &t,
	    &f->policy, &f->arena, out);
}

static void
test_a_lost_answer_mends_nothing(void **state)
{
	static const struct {
		int line;
		enum cause cause;
		enum seen first, then;
		int after_s;
		bool is_verify, stands;
	} rows[] = {
		{ __LINE__, CAUSE_SERVED_CONTENT_MIXED, PAGE_MIXED, PAGE_SILENT, 60, false, true },
		{ __LINE__, CAUSE_SERVED_CONTENT_MIXED, PAGE_MIXED, PAGE_SILENT, 3600, false, false },
		{ __LINE__, CAUSE_SERVED_CONTENT_MIXED, PAGE_MIXED, PAGE_WELL, 60, false, false },
		{ __LINE__, CAUSE_SERVED_CONTENT_MIXED, PAGE_MIXED, LIST_SILENT, 60, true, true },
		{ __LINE__, CAUSE_SERVED_REVOKED, LIST_HAS_IT, LIST_SILENT, 2 * DAY, false, true },
		{ __LINE__, CAUSE_SERVED_REVOKED, LIST_HAS_IT, LIST_SILENT, 60, true, true },
		{ __LINE__, CAUSE_SERVED_REVOKED, LIST_HAS_IT, LIST_HAS_IT_NOT, 60, false, false },
		{ __LINE__, CAUSE_SERVED_REVOKED, LIST_HAS_IT, LIST_SILENT_OF_ANOTHER, 60, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };

		fixture_init(&f, AGE_YOUNG);
		look(&f, 0, false, rows[i].first);
		if (findings_find(&f.site.findings, rows[i].cause, f.names[0].name) == NULL)
			fail_msg("%s:%d: it is not found", __FILE__, rows[i].line);
		look(&f, rows[i].after_s, rows[i].is_verify, rows[i].then);
		if ((findings_find(&f.site.findings, rows[i].cause, f.names[0].name) != NULL) != rows[i].stands)
			fail_msg("%s:%d: it %s", __FILE__, rows[i].line, rows[i].stands ? "is gone" : "still stands");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_lost_answer_mends_nothing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
