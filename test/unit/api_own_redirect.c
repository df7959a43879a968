#include "test/unit/api_try.h"

/* What is said of the site's own redirect, in each of the ways to give SSL up; as it is stored. */
static void
test_own_redirect(void **state)
{
	static const struct {
		int line;
		const char *path, *own, *says; /* own: "" is not known */
		enum source source;
		uint16_t applied;
		int days;
	} rows[] = {
		{ __LINE__, "removal", "https://example.jp/", "once the present certificate has ended", SOURCE_FREE, 0, 0 },
		{ __LINE__, "removal", "https://example.jp/", "still send everybody", SOURCE_NONE, 0, 0 },
		{ __LINE__, "removal", "https://example.jp/", "no certificate that works", SOURCE_FREE, 0, 91 },
		{ __LINE__, "revocation", "https://example.jp/", "a minute later", SOURCE_FREE, 0, 0 },
		{ __LINE__, "removal", "https://example.jp/", NULL, SOURCE_FREE, 307, 0 },
		{ __LINE__, "revocation", "https://example.jp/", NULL, SOURCE_FREE, 307, 0 },
		{ __LINE__, "removal", "", NULL, SOURCE_FREE, 0, 0 },
	};
	struct fixture *f = *state;
	int64_t id = put_held(f);
	struct when begun = f->now;
	struct site s;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_BUF path = { .max = 128 };

		f->now = begun;
		assert_int_equal(store_site_load(f->api.store, id, &f->arena, &s), ERR_OK);
		s.memory[0].own_redirect = str_of(rows[i].own);
		s.setting.source = rows[i].source;
		s.applied.redirect = rows[i].applied;
		assert_int_equal(store_site_save(f->api.store, &s, f->now), ERR_OK);
		assert_int_equal(store_setting_put(f->api.store, id, &s.setting), ERR_OK);
		f->now = when_plus(begun, SPAN_D(rows[i].days));
		buf_putf(&path, "/api/v1/sites/example.jp/%s", rows[i].path);
		json_t *o = ask(f, "GET", path.p, ""), *own = json_object_get(o, "own_redirect");
		want(f, rows[i].line, 200);
		if (rows[i].says == NULL) {
			assert_true(json_is_null(own));
			assert_int_equal(strstr(text_at(json_object_get(o, "after"), "en"), ".htaccess") != NULL, strcmp(rows[i].path, "removal") == 0);
		} else {
			const char *en = text_at(json_object_get(own, "words"), "en");

			assert_string_equal(text_at(own, "to"), rows[i].own);
			if (strstr(en, rows[i].says) == NULL || strstr(en, "WordPress") == NULL || strstr(en, rows[i].own) == NULL)
				fail_msg("%s:%d: %s", __FILE__, rows[i].line, en);
			assert_null(strstr(text_at(json_object_get(o, "after"), "en"), ".htaccess"));
		}
		json_decref(o);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(test_own_redirect, setup, teardown) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
