/* The site's own redirect: what is one, what may be ours, and how long it is remembered. */
#include "core/own_redirect.h"
#include "test/unit/site_world.h"

static struct str
text(const char *s)
{
	return s != NULL ? str_of(s) : STR_NONE;
}

static void
test_what_is_one(void **state)
{
	static const struct {
		int line;
		bool is_ours;
		enum http_result result;
		int status;
		const char *location, *wanted;
	} rows[] = {
		{ __LINE__, true, HTTP_ANSWERED, 301, "https://example.jp/", "https://example.jp/" },
		{ __LINE__, true, HTTP_ANSWERED, 302, "https://www.example.jp:8443/wp/", "https://www.example.jp:8443/wp/" },
		{ __LINE__, true, HTTP_ANSWERED, 308, "https://EXAMPLE.jp?a=b", "https://EXAMPLE.jp?a=b" },
		{ __LINE__, true, HTTP_ANSWERED, 301, "https://example.jp", "https://example.jp" },
		{ __LINE__, true, HTTP_ANSWERED, 301, "https://example.jp/\x1b[2J", "https://example.jp/ [2J" },
		/* Another host's certificate is none of this site. */
		{ __LINE__, true, HTTP_ANSWERED, 301, "https://shop.example.jp/", "" },
		{ __LINE__, true, HTTP_ANSWERED, 301, "https://example.jp.evil.example/", "" },
		{ __LINE__, true, HTTP_ANSWERED, 301, "http://www.example.jp/", "" },
		/* It was led over http, and is shown there. */
		{ __LINE__, true, HTTP_ANSWERED, 200, "http://www.example.jp/", "" },
		{ __LINE__, true, HTTP_ANSWERED, 200, NULL, "" },
		{ __LINE__, true, HTTP_ANSWERED, 200, "https://example.jp/", "" },
		{ __LINE__, true, HTTP_REDIRECT_LOOP, 301, "https://example.jp/", "" },
		{ __LINE__, true, HTTP_TIMEOUT_READ, 301, "https://example.jp/", "" },
		{ __LINE__, true, HTTP_NOT_TRIED, 0, NULL, "" },
		{ __LINE__, false, HTTP_ANSWERED, 301, "https://example.jp/", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };

		fixture_init(&f, AGE_YOUNG);
		struct evidence *e = evidence_of(&f, SIGHT_FINE, false);
		struct address_evidence *a = e->names[0].addresses;
		a->is_ours = rows[i].is_ours;
		a->plain = (struct http_evidence){ .result = rows[i].result, .status = rows[i].status, .location = text(rows[i].location) };
		struct str got = own_redirect_of(e, &e->names[0], &f.arena);
		if (!str_eq(got, str_of(rows[i].wanted)))
			fail_msg("%s:%d: \"%.*s\"", __FILE__, rows[i].line, STR_ARG(got));
	}
}

enum seen { SEEN_FORWARDS, SEEN_PAGE, SEEN_SILENT, SEEN_NOT_ASKED, SEEN_ELSEWHERE };

static void
look(struct fixture *f, int64_t at_s, enum seen seen)
{
	struct site_effects *out = arena_get(&f->arena, sizeof *out);
	struct evidence *e = evidence_of(f, SIGHT_FINE, false);
	struct address_evidence *a = e->names[0].addresses;
	const struct turn t = { when_plus(now, SPAN_S(at_s)), 12345 };

	e->at = t.now;
	a->is_ours = seen != SEEN_ELSEWHERE;
	a->plain = seen == SEEN_FORWARDS ? (struct http_evidence){ .result = HTTP_ANSWERED, .status = 301, .location = STR("https://example.jp/") }
		   : seen == SEEN_PAGE	 ? (struct http_evidence){ .result = HTTP_ANSWERED, .status = 200 }
		   : seen == SEEN_SILENT ? (struct http_evidence){ .result = HTTP_TIMEOUT_READ }
					 : (struct http_evidence){ .result = HTTP_NOT_TRIED };
	fixture_do(f, DOING_CHECK);
	site_step(&f->site, &(struct site_event){ .kind = SITE_CHECKED, .job = f->site.job, .evidence = e, .retry_after = WHEN_UNKNOWN }, &t,
	    &f->policy, &f->arena, out);
}

static void
test_how_long_it_is_remembered(void **state)
{
	static const struct {
		int line;
		enum seen then;
		uint16_t redirect;
		int settles_s;
		bool stands;
	} rows[] = {
		{ __LINE__, SEEN_FORWARDS, 0, -60, true },
		{ __LINE__, SEEN_SILENT, 0, -60, true },
		{ __LINE__, SEEN_NOT_ASKED, 0, -60, true },
		{ __LINE__, SEEN_PAGE, 0, -60, false },
		{ __LINE__, SEEN_ELSEWHERE, 0, -60, false },
		/* It is ours, or a worker of before may have answered with ours: not known. */
		{ __LINE__, SEEN_FORWARDS, 307, -60, false },
		{ __LINE__, SEEN_FORWARDS, 308, -60, false },
		{ __LINE__, SEEN_FORWARDS, 0, 61, false },
		{ __LINE__, SEEN_FORWARDS, 0, 60, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_FIXTURE f = { 0 };

		fixture_init(&f, AGE_YOUNG);
		f.policy.remembers = true;
		assert_int_equal(own_redirect_known(&f.site).n, 0);
		f.site.setting.redirect = f.site.setting.hsts = false;
		f.site.applied.redirect = 0;
		f.site.applied.hsts = false;
		f.site.deploy_at = when_minus(now, SPAN_S(60));
		look(&f, 0, SEEN_FORWARDS);
		assert_true(str_eq(own_redirect_known(&f.site), STR("https://example.jp/")));
		f.site.applied.redirect = rows[i].redirect;
		f.site.deploy_at = when_plus(now, SPAN_S(rows[i].settles_s));
		look(&f, 60, rows[i].then);
		f.site.applied.redirect = 0;
		if ((own_redirect_known(&f.site).n > 0) != rows[i].stands)
			fail_msg("%s:%d", __FILE__, rows[i].line);
	}
}

/* Said only while ours does not stand before it. */
static void
test_said_while_it_is_seen(void **state)
{
	AUTO_FIXTURE f = { 0 };
	struct memory kept[] = { { .own_redirect = STR("https://example.jp/") } };

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.memory = kept;
	f.site.names_n = 1;
	f.site.applied.redirect = 0;
	assert_true(own_redirect_known(&f.site).n > 0);
	f.site.applied.redirect = 307;
	assert_int_equal(own_redirect_known(&f.site).n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_one),
		cmocka_unit_test(test_how_long_it_is_remembered),
		cmocka_unit_test(test_said_while_it_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
