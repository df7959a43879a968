/* What the table of routes refuses before a handler is asked: for each kind of field the last value that passes and the first that does not. */
#include "test/unit/api_try.h"
#include "http/route.h"

static const char *const colours[] = { "red", "green", "blue", NULL };
static const struct api_field body_fields[] = {
	{ "word", API_FIELD_TEXT, 0, 100, colours, false },
	{ "text", API_FIELD_TEXT, 2, 4, NULL, true },
	{ "number", API_FIELD_WHOLE, 1, 10, NULL, false },
	{ "yes", API_FIELD_BOOL, 0, 0, NULL, false },
	{ "list", API_FIELD_TEXTS, 1, 2, NULL, false },
	{ "object", API_FIELD_OBJECT, 0, 0, NULL, false },
};
static const struct api_field query_fields[] = {
	{ "page", API_FIELD_WHOLE, 0, 500, NULL, false },
	{ "name", API_FIELD_TEXT, 0, 3, NULL, false },
};
static const struct api_field needed[] = { { "state", API_FIELD_TEXT, 0, 9, colours, true } };
static const struct api_field path_fields[] = { { "id", API_FIELD_WHOLE, 1, 100, NULL, true } };
static const struct api_route with_body = {
	.has_body = true, .query = { query_fields, 2 }, .body = { body_fields, 6 }
};
static const struct api_route without_body = { .query = { query_fields, 2 } };
static const struct api_route with_needed = { .query = { needed, 1 } };
static const struct api_route with_path = { .path = { path_fields, 1 } };

static const struct {
	int line;
	const struct api_route *route;
	const char *name, *body, *args[5];
	const char *words; /* NULL: it passes */
} rows[] = {
#define BODY(body, words) \
	{ \
		__LINE__, &with_body, "", body, { NULL }, words \
	}
	BODY("{\"text\": \"ab\"}", NULL),
	BODY("{\"text\": \"日本語。\"}", NULL),
	BODY("{\"text\": \"a\"}", "field \"text\": too short; expected at least 2 characters"),
	BODY("{\"text\": \"日本語です\"}",
	    "field \"text\": too long; expected at most 4 characters"),
	BODY("{\"text\": null}", "field \"text\": expected a text"),
	BODY("{}", "field \"text\": missing"),
	BODY(
	    "{\"text\": \"ab\", \"txt\": 1}", "field \"txt\": there is no such field; expected "
					      "one of word, text, number, yes, list, object"),
	BODY("{\"text\": \"ab\", \"text\": \"ab\"}", "uplicate"),
	BODY("{\"text\": \"ab\", \"word\": \"blue\"}", NULL),
	BODY("{\"text\": \"ab\", \"word\": \"pink\"}",
	    "field \"word\": \"pink\" cannot be used; expected red, green or blue"),
	BODY("{\"text\": \"ab\", \"word\": \"\"}", "expected red, green or blue"),
	BODY("{\"text\": \"ab\", \"number\": 1}", NULL),
	BODY("{\"text\": \"ab\", \"number\": 10}", NULL),
	BODY("{\"text\": \"ab\", \"number\": 0}",
	    "field \"number\": 0 cannot be used; expected 1 to 10"),
	BODY("{\"text\": \"ab\", \"number\": 11}", "11 cannot be used"),
	BODY(
	    "{\"text\": \"ab\", \"number\": 1.5}", "field \"number\": expected a whole number"),
	BODY("{\"text\": \"ab\", \"yes\": false}", NULL),
	BODY("{\"text\": \"ab\", \"yes\": 0}", "field \"yes\": expected true or false"),
	BODY("{\"text\": \"ab\", \"list\": [\"a\", \"b\"]}", NULL),
	BODY("{\"text\": \"ab\", \"list\": []}",
	    "field \"list\": expected a list of 1 to 2 texts"),
	BODY("{\"text\": \"ab\", \"list\": [\"a\", \"b\", \"c\"]}", "a list of 1 to 2 texts"),
	BODY("{\"text\": \"ab\", \"list\": [1]}", "a list of 1 to 2 texts"),
	BODY("{\"text\": \"ab\", \"list\": \"a\"}", "a list of 1 to 2 texts"),
	BODY("{\"text\": \"ab\", \"object\": {\"any\": [1]}}", NULL),
	BODY("{\"text\": \"ab\", \"object\": []}", "field \"object\": expected an object"),
	BODY("", "the request has no body"),
	BODY("[]", "expected a JSON object"),
	BODY("{", "not JSON"),
#undef BODY
	{ __LINE__, &without_body, "", "", { NULL }, NULL },
	{ __LINE__, &without_body, "", "{}", { NULL }, NULL },
	{ __LINE__, &without_body, "", "{\"a\": 1}", { NULL },
	    "field \"a\": there is no such field; expected none at all" },
	{ __LINE__, &without_body, "", "a=1", { NULL }, "not JSON" },
	{ __LINE__, &without_body, "", "", { "page", "500", "name", "abc" }, NULL },
	{ __LINE__, &without_body, "", "", { "page", "501" },
	    "?page=: 501 cannot be used; expected 0 to 500" },
	{ __LINE__, &without_body, "", "", { "page", "-1" }, "?page=: -1 cannot be used" },
	{ __LINE__, &without_body, "", "", { "page", "x" },
	    "?page=: \"x\" cannot be used; expected a whole number" },
	{ __LINE__, &without_body, "", "", { "page", "" }, "expected a whole number" },
	{ __LINE__, &without_body, "", "", { "page", "99999999999999999999" },
	    "expected a whole number" },
	{ __LINE__, &without_body, "", "", { "name", "日本語" }, NULL },
	{ __LINE__, &without_body, "", "", { "name", "abcd" },
	    "?name=: too long; expected at most 3 characters" },
	{ __LINE__, &without_body, "", "", { "name", "a\nb" },
	    "?name=: expected one line of text" },
	{ __LINE__, &without_body, "", "", { "name", "\xff" },
	    "?name=: expected one line of text in UTF-8" },
	{ __LINE__, &without_body, "", "", { "page", "1", "page", "2" },
	    "?page=: given twice" },
	{ __LINE__, &without_body, "", "", { "pgae", "1" },
	    "?pgae=: there is no such field; expected one of page, name" },
	{ __LINE__, &with_needed, "", "", { NULL }, "?state=: missing" },
	{ __LINE__, &with_needed, "", "", { "state", "red" }, NULL },
	{ __LINE__, &with_path, "100", "", { NULL }, NULL },
	{ __LINE__, &with_path, "0", "", { NULL },
	    "path, id: 0 cannot be used; expected 1 to 100" },
	{ __LINE__, &with_path, "a", "", { NULL }, "path, id: \"a\" cannot be used" },
	{ __LINE__, &with_path, "", "", { NULL }, "path, id: \"\" cannot be used" },
};

static void
test_rows(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct api_request q = {
			.body = str_of(rows[i].body), .each_arg = fixture_each_arg, .arg_ctx = f
		};
		struct api_call c = { .q = &q, .name = str_of(rows[i].name) };
		enum err wanted = rows[i].words == NULL ? ERR_OK : ERR_INVALID;
		enum err err;

		memcpy(f->args, rows[i].args, sizeof rows[i].args);
		err = check_request(&c, rows[i].route);
		json_decref(c.body);
		if (err != wanted ||
		    strstr(c.why.text, wanted == ERR_OK ? "" : rows[i].words) == NULL)
			fail_msg("%s:%d: got %s: %s", __FILE__, rows[i].line, err_name(err),
			    c.why.text);
	}
}

/* Nobody and an owner get no further than the door of what is the operator's, whatever they send. */
static void
test_who(void **state)
{
	struct fixture *f = *state;
	const struct asker askers[] = { { .is_known = false }, { .is_known = true, .role = ROLE_OWNER, .owner_id = 1 },
		{ .is_known = true, .role = ROLE_SUPPORT } };

	for (size_t i = 0; i < sizeof askers / sizeof *askers; i++)
		for (size_t r = 0; r < api_routes_n; r++) {
			AUTO_BUF path = { 0 };
			struct api_request q = { .asker = askers[i],
				.method = str_of(api_routes[r].method),
				.body = STR("{\"a\": 1}") };
			struct api_reply reply;

			buf_init(&path, 1000);
			buf_putf(&path, "/api/v1");
			for (size_t k = 0; api_routes[r].parts[k] != NULL; k++)
				buf_putf(&path, "/%s", api_routes[r].parts[k]);
			q.path = buf_str(&path);
			arena_init(&f->arena, 1 << 20);
			api_answer(&f->api, &q, &f->arena, &reply);
			bool may = access_to_operation(&askers[i], api_routes[r].who, api_routes[r].scope) == ACCESS_GIVEN;
			bool is_at_door = reply.status == 403 || reply.status == 401;
			if (is_at_door == may || (reply.status == 401) != (!may && !askers[i].is_known))
				fail_msg("%s: status %d for asker %zu", api_routes[r].id, reply.status, i);
			buf_fini(&reply.body);
			arena_fini(&f->arena);
		}
	assert_int_equal(f->wakes, 0);
	/* Who could sign in is told apart from who may not. */
	assert_int_equal(err_class_of(ERR_SIGNED_OUT), ERR_CLASS_DENIED);
	assert_int_equal(err_class_of(ERR_CODE_NEEDED), ERR_CLASS_DENIED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
