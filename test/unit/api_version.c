/* Versions of a site: who expects another one changes nothing; what koshin does by itself is no other version. */
#include "test/unit/api_try.h"

static const char site[] = "/api/v1/sites/example.jp",
		  draft[] = "/api/v1/sites/example.jp/draft";
static const char apply[] = "/api/v1/sites/example.jp/draft/apply";

static void
read_version(struct fixture *f, char ret[64])
{
	f->if_match = NULL;
	put_ok(f, __LINE__, "GET", site, "", 200);
	assert_true(strlen(f->etag) == 18 && f->etag[0] == '"' && f->etag[17] == '"');
	memcpy(ret, f->etag, 64);
}

static void
every_change_is_another_version(void **state)
{
	static const struct {
		int line;
		const char *method, *path, *body;
	} rows[] = {
		{ __LINE__, "PATCH", site, "{\"redirect\": true}" },
		{ __LINE__, "PATCH", site,
		    "{\"names\": [\"example.jp\", \"shop.example.jp\"]}" },
		{ __LINE__, "PUT", draft, "{\"key_type\": \"p384\"}" },
		{ __LINE__, "PUT", draft, "{\"key_type\": \"rsa2048\"}" },
		{ __LINE__, "DELETE", draft, "" },
		{ __LINE__, "PUT", draft, "{\"key_type\": \"p384\"}" },
		{ __LINE__, "POST", apply, "" },
	};
	struct fixture *f = *state;
	char before[64], after[64], stale[64] = "\"0000000000000000\"";

	add(f, "\"example.jp\"", "");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		read_version(f, before);
		f->if_match = stale;
		put_ok(f, rows[i].line, rows[i].method, rows[i].path, rows[i].body, 412);
		assert_non_null(strstr(f->text, err_name(ERR_STALE)));
		read_version(f, after);
		assert_string_equal(before, after); /* nothing was changed */
		f->if_match = before;
		put_ok(f, rows[i].line, rows[i].method, rows[i].path, rows[i].body, 200);
		assert_string_not_equal(f->etag, before);
		memcpy(after, f->etag, sizeof after);
		read_version(f, stale);
		assert_string_equal(
		    stale, after); /* the answer to the change has the new version */
		memcpy(stale, before, sizeof stale);
	}
}

static void
what_matches(void **state)
{
	struct fixture *f = *state;
	char version[64], list[256];

	add(f, "\"example.jp\"", "");
	read_version(f, version);
	(void)snprintf(list, sizeof list, "\"a\" , %s", version);
	f->if_match = list;
	put_ok(f, __LINE__, "PUT", draft, "{}", 200);
	f->if_match = "*";
	put_ok(f, __LINE__, "PUT", draft, "{}", 200);
	read_version(f, version);
	/* A weak tag never matches (RFC 9110 8.8.3.2); nor does what is no tag. */
	(void)snprintf(list, sizeof list, "W/%s", version);
	f->if_match = list;
	put_ok(f, __LINE__, "PUT", draft, "{}", 412);
	f->if_match = "";
	put_ok(f, __LINE__, "PUT", draft, "{}", 412);
	/* Another person, who did not look before. */
	f->if_match = NULL;
	put_ok(f, __LINE__, "PUT", draft, "{}", 200);
}

static void
what_koshin_does_is_no_version(void **state)
{
	struct fixture *f = *state;
	char before[64], after[64];
	struct site s;
	int64_t id;

	add(f, "\"example.jp\"", "");
	read_version(f, before);
	assert_int_equal(store_site_find(f->api.store, STR("example.jp"), &id), ERR_OK);
	assert_int_equal(store_site_load(f->api.store, id, &f->arena, &s), ERR_OK);
	s.doing = DOING_CHECK;
	s.doing_since = s.checked_at = f->now;
	assert_int_equal(store_site_save(f->api.store, &s, f->now), ERR_OK);
	read_version(f, after);
	assert_string_equal(before, after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    every_change_is_another_version, setup, teardown),
		cmocka_unit_test_setup_teardown(what_matches, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_koshin_does_is_no_version, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
