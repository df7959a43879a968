/* The API's part about CAs: what is added and what is refused, the wish to roll over, and what doctor says of a reserve. */
#include "test/unit/api_try.h"

#define CA(more) "{\"name\": \"second\", \"directory\": \"https://ca2.example/dir\"" more "}"

static void
what_is_no_ca_is_refused(void **state)
{
	static const struct {
		int line;
		const char *body;
		int status;
		const char *words;
	} rows[] = {
		{ __LINE__, "", 422, "no body" },
		{ __LINE__, "{\"directory\": \"https://ca.example/dir\"}", 422, "\\\"name\\\"" },
		{ __LINE__, "{\"name\": \"a b\", \"directory\": \"https://ca.example/dir\"}", 422, "short word" },
		{ __LINE__, "{\"name\": \"-x\", \"directory\": \"https://ca.example/dir\"}", 422, "short word" },
		{ __LINE__, "{\"name\": \"x\"}", 422, "\\\"directory\\\": missing" },
		{ __LINE__, "{\"name\": \"x\", \"directory\": \"http://ca.example/dir\"}", 422, "https:// URL" },
		{ __LINE__, "{\"name\": \"x\", \"directory\": \"https:///dir\"}", 422, "https:// URL" },
		{ __LINE__, "{\"name\": \"x\", \"directory\": \"https://a b/\"}", 422, "https:// URL" },
		{ __LINE__, "{\"name\": \"x\", \"directory\": \"https://a/\\u000a\"}", 422, "https:// URL" },
		{ __LINE__, CA(", \"contact\": \"nobody\""), 422, "mail address" },
		{ __LINE__, CA(", \"contact\": \"a@b\\\"c\""), 422, "mail address" },
		{ __LINE__, CA(", \"root\": \"roots.pem\""), 422, "absolute path" },
		{ __LINE__, CA(", \"eab_kid\": \"k\""), 422, "together" },
		{ __LINE__, CA(", \"eab_hmac\": \"0123456789abcdef\""), 422, "together" },
		{ __LINE__, CA(", \"eab_kid\": \"k\", \"eab_hmac\": \"short\""), 422, "base64url" },
		{ __LINE__, CA(", \"dirctory\": \"x\""), 422, "no such field" },
	};
	struct fixture *f = *state;
	struct ca_row *cas;
	size_t n;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_decref(ask(f, "POST", "/api/v1/cas", rows[i].body));
		if (f->status != rows[i].status || strstr(f->text, rows[i].words) == NULL)
			fail_msg("%s:%d: %d %s", __FILE__, rows[i].line, f->status, f->text);
	}
	assert_int_equal(store_cas(f->api.store, &f->arena, &cas, &n), ERR_OK);
	assert_int_equal(n, 0);
	assert_int_equal(f->wakes, 0);
}

static void
one_is_added_once(void **state)
{
	struct fixture *f = *state;
	struct ca_row *cas;
	size_t n;
	json_t *o = ask(f, "POST", "/api/v1/cas", CA(", \"contact\": \"ops@host.example\", \"root\": \"/etc/root.pem\""));

	want(f, __LINE__, 201);
	assert_string_equal(json_string_value(json_object_get(o, "origin")), "added");
	assert_true(json_is_false(json_object_get(o, "ready")));
	json_decref(o);
	assert_int_equal(f->wakes, 1);
	json_decref(ask(f, "POST", "/api/v1/cas", CA("")));
	want(f, __LINE__, 409);
	assert_non_null(strstr(f->text, "second already: https://ca2.example/dir"));
	assert_int_equal(store_cas(f->api.store, &f->arena, &cas, &n), ERR_OK);
	assert_int_equal(n, 1);
	assert_true(cas[0].is_added && cas[0].is_used && str_eq(cas[0].bundle, STR("/etc/root.pem")));
	/* The key of a binding is sealed by the keeper before anything is stored. */
	json_decref(ask(f, "POST", "/api/v1/cas",
	    "{\"name\": \"third\", \"directory\": \"https://ca3.example/\", \"eab_kid\": \"k\", \"eab_hmac\": \"0123456789abcdef\"}"));
	assert_int_equal(f->kind, API_SEAL);
	assert_int_equal(store_cas(f->api.store, &f->arena, &cas, &n), ERR_OK);
	assert_int_equal(n, 1);
}

static void
a_rollover_is_a_wish(void **state)
{
	struct fixture *f = *state;
	struct ca_row row = CA_ROW_NEW, *cas;
	size_t n;

	json_decref(ask(f, "POST", "/api/v1/cas/nobody/rollover", ""));
	want(f, __LINE__, 404);
	row.name = STR("le");
	row.is_used = true;
	row.directory_at = f->now;
	assert_int_equal(store_ca_put(f->api.store, &row, &row.id), ERR_OK);
	json_decref(ask(f, "POST", "/api/v1/cas/le/rollover", ""));
	want(f, __LINE__, 409);
	assert_non_null(strstr(f->text, "no keyChange"));
	assert_int_equal(f->wakes, 0);
	row.key_change = STR("https://ca.example/key");
	assert_int_equal(store_ca_put(f->api.store, &row, &row.id), ERR_OK);
	json_t *o = ask(f, "POST", "/api/v1/cas/le/rollover", "");
	want(f, __LINE__, 202);
	assert_string_equal(json_string_value(json_object_get(o, "rollover")), "asked");
	json_decref(o);
	assert_int_equal(f->wakes, 1);
	assert_int_equal(store_cas(f->api.store, &f->arena, &cas, &n), ERR_OK);
	assert_int_equal(cas[0].rollover_asked.s, f->now.s);
}

static void
a_lifted_block_is_a_wish(void **state)
{
	struct fixture *f = *state;
	struct ca_row row = CA_ROW_NEW, *cas;
	const struct turn t = { .now = f->now };
	size_t n;

	json_decref(ask(f, "POST", "/api/v1/cas/nobody/unblock", ""));
	want(f, __LINE__, 404);
	row.name = STR("le");
	row.is_used = true;
	assert_int_equal(store_ca_put(f->api.store, &row, &row.id), ERR_OK);
	json_decref(ask(f, "POST", "/api/v1/cas/le/unblock", ""));
	want(f, __LINE__, 409);
	assert_non_null(strstr(f->text, "has not blocked the account"));
	breaker_block(&row.breaker, &t);
	assert_int_equal(store_ca_put(f->api.store, &row, &row.id), ERR_OK);
	assert_int_equal(f->wakes, 0);
	json_t *o = ask(f, "POST", "/api/v1/cas/le/unblock", "");
	want(f, __LINE__, 202);
	assert_true(json_is_string(json_object_get(o, "blocked_since")) && json_is_null(json_object_get(o, "not_before")));
	json_decref(o);
	assert_int_equal(f->wakes, 1);
	assert_int_equal(store_cas(f->api.store, &f->arena, &cas, &n), ERR_OK);
	assert_int_equal(cas[0].unblock_asked.s, f->now.s);
	assert_true(breaker_is_blocked(&cas[0].breaker));
}

static void
doctor_knows_a_reserve_that_would_fail(void **state)
{
	struct fixture *f = *state;
	struct ca_row row = CA_ROW_NEW;

	row.name = STR("reserve");
	row.is_used = true;
	row.account_url = STR("https://ca.example/1");
	row.canary_done_at = f->now;
	row.canary_error = STR("ca.service.down: 503");
	assert_int_equal(store_ca_put(f->api.store, &row, &row.id), ERR_OK);
	json_decref(ask(f, "GET", "/api/v1/doctor", ""));
	assert_non_null(strstr(f->text, "CA reserve: the last rehearsal failed: ca.service.down: 503"));
	row.canary_error = STR_NONE;
	assert_int_equal(store_ca_put(f->api.store, &row, &row.id), ERR_OK);
	json_decref(ask(f, "GET", "/api/v1/doctor", ""));
	assert_null(strstr(f->text, "rehearsal"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_no_ca_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(one_is_added_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_rollover_is_a_wish, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lifted_block_is_a_wish, setup, teardown),
		cmocka_unit_test_setup_teardown(doctor_knows_a_reserve_that_would_fail, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
