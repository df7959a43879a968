/*
 * The API against a store in memory: what is refused and stores nothing, what is stored, and what is said of a site.
 */
#include "test/unit/api_try.h"
#include "ports/store/budget.h"

/* Each is refused with this status and these words, and stores nothing. */
static void
test_refused(void **state)
{
	static const struct {
		int line;
		const char *method, *path, *body;
		int status;
		const char *words;
	} rows[] = {
#define POST(body, words) { __LINE__, "POST", "/api/v1/sites", body, 422, words }
		POST("", "no body"),
		POST("{", "not JSON"),
		POST("[]", "expected a JSON object"),
		POST("{\"names\": [\"a.jp\"]}", "owner"),
		POST("{\"owner\": \"a@b.jp\"}", "names"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"root\": \"/r\", "
		     "\"ownr\": 1}",
		    "\\\"ownr\\\""),
		POST("{\"names\": [\"a.jp\"], \"names\": [\"b.jp\"], \"owner\": \"a@b.jp\"}",
		    "uplicate"),
		POST("{\"names\": \"a.jp\", \"owner\": \"a@b.jp\"}",
		    "\\\"names\\\": expected a list"),
		POST(
		    "{\"names\": [], \"owner\": \"a@b.jp\"}", "\\\"names\\\": expected a list"),
		POST("{\"names\": [1], \"owner\": \"a@b.jp\"}", "expected a list of 1 to 100 texts"),
		POST("{\"names\": [\"a.jp\"], \"owner\": 1}", "\\\"owner\\\": expected a text"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"nobody\", \"root\": \"/r\"}",
		    "\\\"owner\\\": the mail address"),
		POST("{\"names\": [\"a b.jp\"], \"owner\": \"a@b.jp\", \"root\": \"/r\"}",
		    "\\\"names\\\": "),
		POST("{\"names\": [\"192.0.2.1\"], \"owner\": \"a@b.jp\", \"root\": \"/r\"}",
		    "\\\"names\\\": "),
		POST("{\"names\": [\"*.a.jp\"], \"owner\": \"a@b.jp\", \"root\": \"/r\"}",
		    "\\\"names\\\": "),
		POST("{\"names\": [\"a.jp\\u0000.evil\"], \"owner\": \"a@b.jp\", \"root\": "
		     "\"/r\"}",
		    "not JSON"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\"}", "\\\"root\\\": missing"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"root\": \"srv\"}",
		    "absolute path"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"root\": \"/srv\\n;\"}",
		    "absolute path"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"root\": \"/r\", "
		     "\"proxy\": \"http://x:1\"}",
		    "either"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"proxy\": "
		     "\"https://x:1\"}",
		    "http://HOST:PORT"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"proxy\": \"http://x\"}",
		    "http://HOST:PORT"),
		POST(
		    "{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"proxy\": \"http://x:0\"}",
		    "http://HOST:PORT"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"proxy\": "
		     "\"http://x:80/;\"}",
		    "http://HOST:PORT"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"proxy\": "
		     "\"http://u@x:80\"}",
		    "http://HOST:PORT"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"root\": \"/r\", "
		     "\"coverage\": \"all\"}",
		    "multi, single"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"root\": \"/r\", "
		     "\"coverage\": \"wildcard\"}",
		    "multi, single"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"root\": \"/r\", "
		     "\"source\": \"own\"}",
		    "free or none"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"root\": \"/r\", "
		     "\"key_type\": \"dsa\"}",
		    "rsa2048"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"root\": \"/r\", "
		     "\"profile\": \"short lived\"}",
		    "a profile of the CA"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"root\": \"/r\", "
		     "\"redirect\": 1}",
		    "true or false"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"root\": \"/r\", "
		     "\"hsts\": true}",
		    "redirect to be on"),
		POST("{\"names\": [\"a.jp\"], \"owner\": \"a@b.jp\", \"root\": \"/r\", "
		     "\"owner_lang\": \"fr\"}",
		    "ja or en"),
		POST("{\"names\": [\"a.jp\", \"b.jp\"], \"owner\": \"a@b.jp\", \"root\": "
		     "\"/r\", \"coverage\": \"single\"}",
		    "single"),
		POST("{\"names\": [\"a.jp\", \"b.jp\"], \"owner\": \"a@b.jp\", \"root\": "
		     "\"/r\", \"coverage\": \"multi\"}",
		    "www."),
#undef POST
		{ __LINE__, "GET", "/api/v1/sites/a.jp", "", 404, "a.jp" },
		{ __LINE__, "GET", "/api/v1/sites/a%20b", "", 422, "expected" },
		{ __LINE__, "PATCH", "/api/v1/sites/a.jp", "{\"redirect\": true}", 404,
		    "a.jp" },
		{ __LINE__, "POST", "/api/v1/sites/a.jp/renew", "", 404, "a.jp" },
		{ __LINE__, "DELETE", "/api/v1/sites/a.jp", "", 404, "a.jp" },
		{ __LINE__, "PUT", "/api/v1/sites/a.jp/draft", "{\"owner\": \"x@y.jp\"}", 422,
		    "no such field" },
		{ __LINE__, "PUT", "/api/v1/sites", "{}", 405, "cannot be done" },
		{ __LINE__, "GET", "/api/v1/nothing", "", 404, "no such place" },
		{ __LINE__, "GET", "/api/v1", "", 404, "no such place" },
		{ __LINE__, "GET", "/api/v1/sites/a.jp/draft/apply/more", "", 404,
		    "no such place" },
		{ __LINE__, "GET", "/", "", 404, "no such place" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		json_t *o = ask(f, rows[i].method, rows[i].path, rows[i].body);

		if (f->status != rows[i].status || strstr(f->text, rows[i].words) == NULL)
			fail_msg("%s:%d: %s: status %d, wanted %d and \"%s\": %s", __FILE__,
			    rows[i].line, rows[i].body, f->status, rows[i].status,
			    rows[i].words, f->text);
		if (strcmp(f->type, "application/problem+json") != 0 ||
		    json_integer_value(json_object_get(o, "status")) != rows[i].status)
			fail_msg(
			    "%s:%d: no problem document: %s", __FILE__, rows[i].line, f->text);
		json_decref(o);
	}
	json_t *list = ask(f, "GET", "/api/v1/sites", "");
	assert_int_equal(json_array_size(json_object_get(list, "sites")), 0);
	json_decref(list);
	assert_int_equal(f->wakes, 0);
}

static void
test_names_of_coverage(void **state)
{
	static const struct {
		int line;
		const char *names, *more, *coverage, *wanted;
	} rows[] = {
		{ __LINE__, "\"a1.jp\"", "", "single", "a1.jp" },
		{ __LINE__, "\"a2.jp\"", ", \"coverage\": \"multi\"", "multi",
		    "a2.jp www.a2.jp" },
		{ __LINE__, "\"www.a3.jp\"", ", \"coverage\": \"multi\"", "multi",
		    "a3.jp www.a3.jp" },
		{ __LINE__, "\"a4.jp\", \"www.a4.jp\"", "", "multi", "a4.jp www.a4.jp" },
		{ __LINE__, "\"www.a5.jp\", \"a5.jp\"", "", "multi", "a5.jp www.a5.jp" },
		{ __LINE__, "\"a6.jp\", \"b6.jp\"", "", "list", "a6.jp b6.jp" },
		{ __LINE__, "\"a7.jp\", \"A7.JP\"", "", "single", "a7.jp" },
		{ __LINE__, "\"日本語.jp\"", ", \"coverage\": \"multi\"", "multi",
		    "xn--wgv71a119e.jp www.xn--wgv71a119e.jp" },
		/* www.jp is a name of its own: what is left without www. is no host name. */
		{ __LINE__, "\"www.jp\"", ", \"coverage\": \"multi\"", "multi",
		    "www.jp www.www.jp" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char got[256] = "", body[1024];
		size_t n;

		(void)snprintf(body, sizeof body,
		    "{\"names\": [%s], \"owner\": \"a@example.jp\", \"root\": \"/r\"%s}",
		    rows[i].names, rows[i].more);
		json_t *o = ask(f, "POST", "/api/v1/sites", body);
		want(f, rows[i].line, 201);
		json_t *names = json_object_get(o, "names");
		n = json_array_size(names);
		for (size_t k = 0; k < n; k++) {
			(void)strncat(got, k == 0 ? "" : " ", sizeof got - strlen(got) - 1);
			(void)strncat(got, text_at(json_array_get(names, k), "ascii"),
			    sizeof got - strlen(got) - 1);
		}
		if (strcmp(got, rows[i].wanted) != 0 ||
		    strcmp(text_at(json_object_get(o, "setting"), "coverage"),
			rows[i].coverage) != 0)
			fail_msg("%s:%d: got %s (%s)", __FILE__, rows[i].line, got, f->text);
		json_decref(o);
	}
}

static void
test_add(void **state)
{
	struct fixture *f = *state;
	json_t *o;

	add(f, "\"www.example.jp\"", ", \"coverage\": \"multi\", \"redirect\": true");
	assert_int_equal(f->wakes, 1);
	o = ask(f, "GET", "/api/v1/sites/www.example.jp", "");
	want(f, __LINE__, 200);
	assert_string_equal(text_at(o, "name"), "example.jp");
	assert_string_equal(text_at(o, "owner"), "hanako@example.jp");
	assert_string_equal(text_at(o, "owner_lang"), "ja");
	assert_true(json_is_null(json_object_get(o, "draft")));
	assert_true(json_is_null(json_object_get(o, "until")));
	assert_true(json_is_null(json_object_get(o, "certificate")));
	assert_string_equal(text_at(json_object_get(o, "setting"), "source"), "free");
	assert_true(json_is_true(json_object_get(json_object_get(o, "setting"), "redirect")));
	assert_int_equal(json_integer_value(json_object_get(o, "redirect")), 0);
	json_decref(o);
	o = ask(f, "GET", "/api/v1/sites/example.jp/history", "");
	assert_int_equal(json_array_size(json_object_get(o, "history")), 1);
	assert_string_equal(
	    text_at(json_array_get(json_object_get(o, "history"), 0), "kind"), "added");
	assert_string_equal(text_at(json_array_get(json_object_get(o, "history"), 0), "at"),
	    "2027-01-15T08:00:00Z");
	json_decref(o);
	/* www as a second domain: told which site has it, and nothing is stored. */
	o = ask(f, "POST", "/api/v1/sites",
	    "{\"names\": [\"www.example.jp\"], \"owner\": \"b@example.com\", \"root\": "
	    "\"/b\"}");
	want(f, __LINE__, 409);
	assert_string_equal(text_at(o, "error"), "EXISTS");
	assert_string_equal(text_at(o, "site"), "example.jp");
	assert_non_null(strstr(text_at(o, "detail"), "koshin site show example.jp"));
	json_decref(o);
	o = ask(f, "GET", "/api/v1/sites", "");
	assert_int_equal(json_array_size(json_object_get(o, "sites")), 1);
	json_decref(o);
}

static int64_t
first_wish(struct fixture *f, enum site_event_kind *ret_kind)
{
	struct wish wishes[8];
	size_t n = 0;

	assert_int_equal(store_wishes(f->api.store, wishes, 8, &n), ERR_OK);
	if (n == 0)
		return 0;
	*ret_kind = wishes[0].kind;
	assert_int_equal(store_wish_done(f->api.store, wishes[0].id), ERR_OK);
	return wishes[0].site_id;
}

static void
test_wishes(void **state)
{
	static const struct {
		int line;
		const char *method, *path, *body;
		int status;
		enum site_event_kind kind;
	} rows[] = {
		{ __LINE__, "POST", "/api/v1/sites/example.jp/renew", "", 202,
		    SITE_ASKED_RENEW },
		{ __LINE__, "POST", "/api/v1/sites/example.jp/check", "", 202,
		    SITE_ASKED_CHECK },
		{ __LINE__, "PATCH", "/api/v1/sites/example.jp", "{\"redirect\": true}", 200,
		    SITE_CHANGED },
		{ __LINE__, "PATCH", "/api/v1/sites/example.jp",
		    "{\"names\": [\"example.jp\", \"b.example.jp\"]}", 200, SITE_CHANGED },
		{ __LINE__, "DELETE", "/api/v1/sites/example.jp", "", 202, SITE_REMOVED },
	};
	struct fixture *f = *state;

	add(f, "\"example.jp\"", "");
	f->wakes = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum site_event_kind kind = SITE_EVENT_COUNT;

		put_ok(f, rows[i].line, rows[i].method, rows[i].path, rows[i].body,
		    rows[i].status);
		if (first_wish(f, &kind) == 0 || kind != rows[i].kind || f->wakes != i + 1)
			fail_msg("%s:%d: wish %d, %u wakes", __FILE__, rows[i].line, (int)kind,
			    f->wakes);
	}
}

/* Any name can be looked at; the site that it is in is told by whose it is. */
static void
test_checks(void **state)
{
	static const struct {
		int line;
		int64_t owner_id;
		const char *body;
		int status; /* 0: a look is taken */
		bool is_of_site, is_discreet;
		const char *name;
	} rows[] = {
		{ __LINE__, 0, "{\"name\": \"Example.jp\"}", 0, true, false, "example.jp" },
		{ __LINE__, 1, "{\"name\": \"example.jp\"}", 0, true, true, "example.jp" },
		{ __LINE__, 2, "{\"name\": \"example.jp\"}", 0, false, true, "example.jp" },
		{ __LINE__, 2, "{\"name\": \"\\u65e5\\u672c\\u8a9e.jp\"}", 0, false, true, "xn--wgv71a119e.jp" },
		{ __LINE__, 0, "{\"name\": \"*.example.com\", \"visitor\": \"x\"}", 0, false, false, "*.example.com" },
		{ __LINE__, 0, "{\"name\": \"127.0.0.1\"}", 422, false, false, NULL },
		{ __LINE__, 0, "{\"name\": \"localhost\"}", 422, false, false, NULL },
		{ __LINE__, 0, "{\"name\": \"example.com\", \"visitor\": \"a\\nb\"}", 422, false, false, NULL },
		{ __LINE__, 0, "{}", 422, false, false, NULL },
	};
	struct fixture *f = *state;

	add(f, "\"example.jp\"", "");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		f->owner_id = rows[i].owner_id;
		json_decref(ask(f, "POST", "/api/v1/checks", rows[i].body));
		bool is_right = rows[i].status != 0 ? f->kind == API_DONE && f->status == rows[i].status
						    : f->kind == API_LOOK && (f->site_id != 0) == rows[i].is_of_site &&
							      f->look.is_discreet == rows[i].is_discreet &&
							      str_eq(f->look.name, str_of(rows[i].name));
		if (!is_right)
			fail_msg("%s:%d: kind %d, status %d, site %d, %.*s", __FILE__, rows[i].line, (int)f->kind, f->status, (int)f->site_id,
			    STR_ARG(f->look.name));
	}
	f->owner_id = 0;
}

/* An own certificate is no way around the provider's word; and it comes in by its file alone. */
static void
test_own_and_suspended(void **state)
{
	struct fixture *f = *state;

	add(f, "\"example.jp\"", "");
	put_ok(f, __LINE__, "PATCH", "/api/v1/sites/example.jp", "{\"source\": \"own\"}", 422);
	f->owner_id = 1;
	put_ok(f, __LINE__, "POST", "/api/v1/sites/example.jp/own", "{}", 422);
	put_ok(f, __LINE__, "DELETE", "/api/v1/sites/example.jp/own", "", 409);
	f->owner_id = 0;
	put_ok(f, __LINE__, "POST", "/api/v1/sites/example.jp/removal", "", 202);
	put_ok(f, __LINE__, "POST", "/api/v1/sites/example.jp/own", "{}", 422);
	f->owner_id = 1;
	put_ok(f, __LINE__, "POST", "/api/v1/sites/example.jp/own", "{}", 409);
	f->owner_id = 2;
	put_ok(f, __LINE__, "POST", "/api/v1/sites/example.jp/own", "{}", 404);
	put_ok(f, __LINE__, "POST", "/api/v1/sites/example.jp/csr", "{}", 404);
}

static void
test_change(void **state)
{
	struct fixture *f = *state;
	json_t *o;

	add(f, "\"example.jp\"", "");
	o = ask(f, "PATCH", "/api/v1/sites/example.jp",
	    "{\"coverage\": \"multi\", \"proxy\": \"http://[::1]:3000\", \"key_type\": "
	    "\"p384\", \"profile\": \"shortlived\"}");
	want(f, __LINE__, 200);
	assert_string_equal(text_at(json_object_get(o, "setting"), "profile"), "shortlived");
	assert_true(json_is_null(json_object_get(o, "renewal")));
	json_t *setting = json_object_get(o, "setting");
	assert_string_equal(text_at(setting, "proxy"), "http://[::1]:3000");
	assert_string_equal(text_at(setting, "root"), "");
	assert_string_equal(text_at(setting, "key_type"), "p384");
	assert_int_equal(json_array_size(json_object_get(o, "names")), 2);
	json_decref(o);
	/* Once the CA's directory was read, a profile is one of its own; the refusal names them. */
	struct ca_row ca = CA_ROW_NEW;
	int64_t ca_id = 0;
	ca.name = STR("a1");
	ca.directory = STR("https://ca.example/d");
	ca.profiles = STR("classic shortlived");
	ca.directory_at = f->now;
	ca.is_used = true;
	assert_int_equal(store_ca_put(f->api.store, &ca, &ca_id), ERR_OK);
	o = ask(f, "PATCH", "/api/v1/sites/example.jp", "{\"profile\": \"nonesuch\"}");
	want(f, __LINE__, 422);
	assert_non_null(strstr(text_at(o, "detail"), "expected classic, shortlived"));
	json_decref(o);
	put_ok(f, __LINE__, "PUT", "/api/v1/sites/example.jp/draft", "{\"profile\": \"nonesuch\"}", 422);
	put_ok(f, __LINE__, "PATCH", "/api/v1/sites/example.jp", "{\"profile\": \"classic\"}", 200);
	put_ok(f, __LINE__, "PATCH", "/api/v1/sites/example.jp", "{\"profile\": \"\"}", 200);
	/* HSTS falls with the redirect. */
	put_ok(f, __LINE__, "PATCH", "/api/v1/sites/example.jp",
	    "{\"redirect\": true, \"hsts\": true}", 200);
	put_ok(f, __LINE__, "PATCH", "/api/v1/sites/example.jp",
	    "{\"hsts\": true, \"redirect\": false}", 422);
	o = ask(f, "PATCH", "/api/v1/sites/example.jp", "{\"redirect\": false}");
	assert_true(json_is_false(json_object_get(json_object_get(o, "setting"), "hsts")));
	json_decref(o);
	put_ok(f, __LINE__, "PATCH", "/api/v1/sites/example.jp", "{\"proxy\": \"\"}", 422);
	/* A name of another site cannot be taken. */
	add(f, "\"other.jp\"", "");
	put_ok(f, __LINE__, "PATCH", "/api/v1/sites/example.jp",
	    "{\"names\": [\"example.jp\", \"other.jp\"]}", 409);
	o = ask(f, "GET", "/api/v1/sites/example.jp", "");
	assert_string_equal(text_at(json_object_get(o, "setting"), "coverage"), "multi");
	json_decref(o);
}

static void
test_draft(void **state)
{
	struct fixture *f = *state;
	enum site_event_kind kind = SITE_EVENT_COUNT;
	json_t *o;

	add(f, "\"example.jp\", \"www.example.jp\"", "");
	put_ok(f, __LINE__, "DELETE", "/api/v1/sites/example.jp/draft", "", 404);
	put_ok(f, __LINE__, "POST", "/api/v1/sites/example.jp/draft/apply", "", 404);
	o = ask(f, "PUT", "/api/v1/sites/example.jp/draft", "{\"coverage\": \"single\"}");
	want(f, __LINE__, 200);
	json_t *draft = json_object_get(o, "draft");
	assert_string_equal(text_at(json_object_get(draft, "setting"), "coverage"), "single");
	assert_string_equal(text_at(json_object_get(draft, "setting"), "root"), "/srv/a");
	assert_string_equal(text_at(draft, "begun_at"), "2027-01-15T08:00:00Z");
	assert_string_equal(text_at(json_object_get(o, "setting"), "coverage"), "multi");
	json_decref(o);
	assert_int_equal(first_wish(f, &kind), 0); /* renewal does not even look at it */
	/* Going on with it keeps what was begun, and when. */
	f->now.s += 60;
	o = ask(f, "PUT", "/api/v1/sites/example.jp/draft", "{\"key_type\": \"rsa2048\"}");
	draft = json_object_get(o, "draft");
	assert_string_equal(text_at(json_object_get(draft, "setting"), "coverage"), "single");
	assert_string_equal(text_at(draft, "begun_at"), "2027-01-15T08:00:00Z");
	json_decref(o);
	o = ask(f, "POST", "/api/v1/sites/example.jp/draft/apply", "");
	want(f, __LINE__, 200);
	assert_true(json_is_null(json_object_get(o, "draft")));
	assert_string_equal(text_at(json_object_get(o, "setting"), "key_type"), "rsa2048");
	json_decref(o);
	assert_int_not_equal(first_wish(f, &kind), 0);
	assert_int_equal(kind, SITE_CHANGED);
	put_ok(f, __LINE__, "PUT", "/api/v1/sites/example.jp/draft", "{}", 200);
	put_ok(f, __LINE__, "DELETE", "/api/v1/sites/example.jp/draft", "", 200);
	o = ask(f, "GET", "/api/v1/sites/example.jp/history", "");
	assert_string_equal(text_at(json_array_get(json_object_get(o, "history"), 0), "kind"),
	    "draft-discarded");
	json_decref(o);
}

static void
test_list_pages(void **state)
{
	struct fixture *f = *state;
	json_t *o;

	add(f, "\"c.jp\"", "");
	add(f, "\"a.jp\"", "");
	add(f, "\"b.jp\"", "");
	f->args[0] = "limit";
	f->args[1] = "2";
	o = ask(f, "GET", "/api/v1/sites", "");
	assert_int_equal(json_array_size(json_object_get(o, "sites")), 2);
	assert_string_equal(
	    text_at(json_array_get(json_object_get(o, "sites"), 0), "name"), "a.jp");
	assert_string_equal(text_at(o, "after"), "b.jp");
	json_decref(o);
	f->args[2] = "after";
	f->args[3] = "b.jp";
	o = ask(f, "GET", "/api/v1/sites", "");
	assert_int_equal(json_array_size(json_object_get(o, "sites")), 1);
	assert_true(json_is_null(json_object_get(o, "after")));
	json_decref(o);
	f->args[1] = "501";
	put_ok(f, __LINE__, "GET", "/api/v1/sites", "", 422);
	f->args[1] = "x";
	put_ok(f, __LINE__, "GET", "/api/v1/sites", "", 422);
	memset(f->args, 0, sizeof f->args);
	f->args[0] = "search";
	f->args[1] = "b.";
	o = ask(f, "GET", "/api/v1/sites", "");
	assert_int_equal(json_array_size(json_object_get(o, "sites")), 1);
	json_decref(o);
}

static void
test_events(void **state)
{
	struct fixture *f = *state;
	char mark[64], last[32];
	json_t *o;

	add(f, "\"example.jp\"", "");
	o = ask(f, "GET", "/api/v1/sites/example.jp/events", "");
	want(f, __LINE__, 200);
	assert_int_equal(json_array_size(json_object_get(o, "events")), 1);
	(void)snprintf(mark, sizeof mark, "%s", text_at(o, "mark"));
	(void)snprintf(last, sizeof last, "%lld",
	    (long long)json_integer_value(json_object_get(o, "last")));
	json_decref(o);
	f->args[0] = "since";
	f->args[1] = last;
	f->args[2] = "mark";
	f->args[3] = mark;
	json_decref(ask(f, "GET", "/api/v1/sites/example.jp/events", ""));
	assert_int_equal(f->kind, API_WAIT);
	f->is_last = true;
	json_decref(ask(f, "GET", "/api/v1/sites/example.jp/events", ""));
	assert_int_equal(f->kind, API_DONE);
	want(f, __LINE__, 200);
	f->is_last = false;
	f->args[0] = NULL;
	put_ok(f, __LINE__, "PUT", "/api/v1/sites/example.jp/draft", "{}", 200);
	f->args[0] = "since";
	o = ask(f, "GET", "/api/v1/sites/example.jp/events", "");
	assert_int_equal(f->kind, API_DONE);
	assert_int_equal(json_array_size(json_object_get(o, "events")), 1);
	json_decref(o);
}

/* The operator's word is asked for where a CA has paused a name, and nowhere else. */
static void
test_resume(void **state)
{
	struct fixture *f = *state;
	int64_t id = put_held(f);
	enum site_event_kind kind = SITE_EVENT_COUNT;
	struct site s;

	put_ok(f, __LINE__, "POST", "/api/v1/sites/example.jp/resume", "", 409);
	put_ok(f, __LINE__, "POST", "/api/v1/sites/nobody.jp/resume", "", 404);
	assert_int_equal(first_wish(f, &kind), 0);
	assert_int_equal(store_site_load(f->api.store, id, &f->arena, &s), ERR_OK);
	s.findings.at[0].cause = CAUSE_CA_NAME_PAUSED;
	assert_int_equal(store_site_save(f->api.store, &s, f->now), ERR_OK);
	put_ok(f, __LINE__, "POST", "/api/v1/sites/example.jp/resume", "", 202);
	assert_int_equal(first_wish(f, &kind), id);
	assert_int_equal(kind, SITE_RESUMED);
}

static void
test_json_of_site(void **state)
{
	struct fixture *f = *state;
	json_t *o, *finding, *name;

	(void)put_held(f);
	o = ask(f, "GET", "/api/v1/sites/example.jp", "");
	want(f, __LINE__, 200);
	name = json_array_get(json_object_get(o, "names"), 0);
	finding = json_array_get(json_object_get(name, "findings"), 0);
	assert_string_equal(text_at(name, "visitors"), "lock");
	assert_string_equal(
	    text_at(json_object_get(name, "served"), "not_after"), "2027-04-15T08:00:00Z");
	assert_string_equal(text_at(finding, "cause"), "dns.a.elsewhere");
	assert_string_equal(text_at(finding, "who"), "domain-company");
	assert_string_equal(text_at(finding, "seen"), "198.51.100.5");
	assert_string_equal(text_at(finding, "next_look"), "2027-01-15T08:05:00Z");
	assert_string_equal(
	    text_at(json_object_get(finding, "action"), "copy"), "example.jp. A 203.0.113.10");
	assert_true(strlen(text_at(json_object_get(finding, "action"), "ja")) > 10);
	assert_true(
	    strstr(text_at(json_object_get(finding, "action"), "en"), "203.0.113.10") != NULL);
	assert_int_equal(json_array_size(json_object_get(finding, "evidence")), 2);
	assert_string_equal(
	    json_string_value(json_array_get(json_object_get(finding, "evidence"), 1)),
	    "line ? two");
	assert_string_equal(text_at(o, "state"), "act");
	assert_string_equal(text_at(o, "until"), "2027-04-15T08:00:00Z");
	assert_string_equal(text_at(json_object_get(o, "cause"), "cause"), "dns.a.elsewhere");
	assert_string_equal(
	    text_at(json_object_get(o, "certificate"), "not_after"), "2027-04-15T08:00:00Z");
	json_decref(o);
	o = ask(f, "GET", "/api/v1/sites/example.jp/certificate", "");
	want(f, __LINE__, 200);
	assert_string_equal(text_at(o, "issuer"), "Test CA");
	json_decref(o);
}

static void
test_key(void **state)
{
	struct fixture *f = *state;
	const struct api_request q = { .lang = LANG_EN };
	struct api_reply r = { 0 };
	int64_t id = put_held(f);
	json_t *o;

	json_decref(ask(f, "GET", "/api/v1/sites/example.jp/key", ""));
	assert_int_equal(f->kind, API_KEY);
	buf_init(&r.body, 4096);
	api_key_reply(&f->api, &q, id, STR("PEM"), &f->arena, &r);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.body.p, "{\"key\":\"PEM\"}");
	buf_fini(&r.body);
	o = ask(f, "GET", "/api/v1/sites/example.jp/history", "");
	assert_string_equal(
	    text_at(json_array_get(json_object_get(o, "history"), 0), "kind"), "key-exported");
	json_decref(o);
	add(f, "\"none.jp\"", "");
	put_ok(f, __LINE__, "GET", "/api/v1/sites/none.jp/key", "", 404);
	put_ok(f, __LINE__, "GET", "/api/v1/sites/none.jp/certificate", "", 404);
}

/* A store that fails at any write leaves nothing behind, and the answer is ours to explain. */
static enum err
fail_nth(void *arg, const char *verb)
{
	int *left = arg;

	(void)verb;
	return (*left)-- == 0 ? ERR_DISK_FULL : ERR_OK;
}

static void
test_store_fails(void **state)
{
	struct fixture *f = *state;

	for (int n = 0;; n++) {
		int left = n;

		store_set_fault(f->api.store, fail_nth, &left);
		json_decref(ask(f, "POST", "/api/v1/sites",
		    "{\"names\": [\"example.jp\"], \"owner\": \"a@example.jp\", \"root\": "
		    "\"/r\"}"));
		store_set_fault(f->api.store, NULL, NULL);
		if (f->status == 201) {
			assert_true(n > 2);
			return;
		}
		want(f, __LINE__, 500);
		json_decref(ask(f, "GET", "/api/v1/sites/example.jp", ""));
		want(f, __LINE__, 404);
		assert_true(n < 100);
	}
}

static void
test_doctor(void **state)
{
	struct fixture *f = *state;
	json_t *o;

	(void)put_held(f);
	o = ask(f, "GET", "/api/v1/doctor", "");
	want(f, __LINE__, 200);
	if (!json_is_true(json_object_get(o, "ok")))
		fail_msg("%s", f->text);
	assert_int_equal(json_integer_value(json_object_get(o, "sites")), 1);
	json_decref(o);
	/* The engine runs, and yet a step is late. */
	f->now.s += 3600;
	assert_int_equal(store_heartbeat_put(f->api.store, STR("engine"), 1, f->now), ERR_OK);
	o = ask(f, "GET", "/api/v1/doctor", "");
	assert_true(json_is_false(json_object_get(o, "ok")));
	assert_non_null(strstr(f->text, "P2: example.jp was due 55 minutes ago"));
	json_decref(o);
	json_decref(ask(f, "GET", "/api/v1/cas", ""));
	want(f, __LINE__, 200);
}

/* What is left of the limits, with the date of the next one; a full bucket is no news. */
static void
test_limits(void **state)
{
	struct fixture *f = *state;
	const struct ca_row ca = { .name = STR("le"), .directory = STR("https://ca.example/") };
	struct budget_row row = { .budget = BUDGET_DOMAIN, .subject = STR("example.jp"), .learned = { 50, { 604800 }, 0 } };
	struct rate r = row.learned;
	int64_t id;
	json_t *o, *one;

	assert_int_equal(store_ca_put(f->api.store, &ca, &id), ERR_OK);
	for (size_t i = 0; i < 51; i++)
		bucket_spend(r, &row.bucket, instant_of(f->now));
	row.bucket.held = 2;
	assert_int_equal(store_budget_save(f->api.store, id, &row), ERR_OK);
	row = (struct budget_row){ .budget = BUDGET_ORDERS, .subject = STR("") };
	assert_int_equal(store_budget_save(f->api.store, id, &row), ERR_OK);
	o = ask(f, "GET", "/api/v1/limits", "");
	want(f, __LINE__, 200);
	assert_int_equal(json_array_size(json_object_get(o, "limits")), 1);
	one = json_array_get(json_object_get(o, "limits"), 0);
	assert_string_equal(text_at(one, "ca"), "le");
	assert_string_equal(text_at(one, "limit"), "certificates-per-domain");
	assert_string_equal(text_at(one, "subject"), "example.jp");
	assert_int_equal(json_integer_value(json_object_get(one, "left")), 0);
	assert_int_equal(json_integer_value(json_object_get(one, "allowed")), 50);
	assert_int_equal(json_integer_value(json_object_get(one, "held")), 2);
	/* One is owed, two are held: the fourth token from now. */
	assert_string_equal(text_at(one, "next"), "2027-01-15T21:26:24Z");
	json_decref(o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names_of_coverage, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_and_suspended, setup, teardown),
		cmocka_unit_test_setup_teardown(test_add, setup, teardown),
		cmocka_unit_test_setup_teardown(test_wishes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_checks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resume, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_draft, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json_of_site, setup, teardown),
		cmocka_unit_test_setup_teardown(test_key, setup, teardown),
		cmocka_unit_test_setup_teardown(test_store_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_doctor, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
