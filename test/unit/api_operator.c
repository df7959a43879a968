/* The operator's first page and the status page over the API: what an empty store says, what a full one says, and that the feed is XML whatever
 * is in it. */
#include "test/unit/api_try.h"
#include <stdlib.h>
#include <unistd.h>
#include "ports/alarms/alarms.h"
#include "ports/store/operator.h"

static json_t *
get(struct fixture *f, const char *path, int line)
{
	json_t *o = ask(f, "GET", path, "");

	want(f, line, 200);
	return o;
}

static void
an_empty_store_has_an_overview(void **state)
{
	struct fixture *f = *state;
	json_t *o = get(f, "/api/v1/overview", __LINE__);

	assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "sites"), "all")), 0);
	assert_int_equal(json_array_size(json_object_get(o, "endings")), 0);
	assert_int_equal(json_array_size(json_object_get(o, "causes")), 0);
	assert_true(json_is_null(json_object_get(json_object_get(o, "forecast"), "at")));
	json_decref(o);
	/* Nobody has looked: said, and no fault. */
	o = get(f, "/api/v1/alarms", __LINE__);
	assert_true(json_is_null(json_object_get(o, "looked_at")));
	assert_int_equal(json_array_size(json_object_get(o, "open")), 0);
	json_decref(o);
	o = get(f, "/api/v1/letters", __LINE__);
	assert_true(json_is_null(json_object_get(o, "before")));
	json_decref(o);
	o = get(f, "/api/v1/status", __LINE__);
	assert_string_equal(json_string_value(json_object_get(o, "state")), "well");
	json_decref(o);
}

static void
a_site_and_its_cause_are_counted(void **state)
{
	struct fixture *f = *state;
	struct site site;
	int64_t id;
	struct finding finding = { .cause = CAUSE_DNS_A_ELSEWHERE, .subject = STR("www.a.jp"), .acts = ACTOR_OWNER, .first_seen = f->now,
		.last_seen = f->now, .next_look = f->now, .told_at = WHEN_UNKNOWN, .times_seen = 1 };

	json_decref(ask(f, "POST", "/api/v1/sites", "{\"names\": [\"a.jp\", \"www.a.jp\"], \"owner\": \"a@example.jp\", \"root\": \"/r\"}"));
	want(f, __LINE__, 201);
	assert_int_equal(store_site_find(f->api.store, STR("a.jp"), &id), ERR_OK);
	assert_int_equal(store_site_load(f->api.store, id, &f->arena, &site), ERR_OK);
	site.findings = (struct finding_list){ .at = &finding, .n = 1, .cap = 1 };
	assert_int_equal(store_site_save(f->api.store, &site, f->now), ERR_OK);
	json_t *o = get(f, "/api/v1/overview", __LINE__);
	json_t *cause = json_array_get(json_object_get(o, "causes"), 0);

	assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "sites"), "owner")), 1);
	assert_string_equal(json_string_value(json_object_get(cause, "cause")), "dns.a.elsewhere");
	assert_string_equal(json_string_value(json_object_get(cause, "site")), "a.jp");
	assert_string_equal(json_string_value(json_object_get(cause, "name")), "www.a.jp");
	assert_non_null(strstr(json_string_value(json_object_get(json_object_get(cause, "title"), "ja")), "www.a.jp"));
	json_decref(o);
}

/* The forecast is the watchdog's; what it counted for a day that is over is due. Beside it what the CAs in use allow a day. */
static void
renewals_to_come_stand_beside_what_a_ca_allows(void **state)
{
	struct fixture *f = *state;
	char folder[] = "/tmp/koshin-api-XXXXXX", file[64];
	static struct watch w;
	const struct ca_row cas[] = { { .name = STR("ca"), .directory = STR("https://ca.example/dir"), .breaker = BREAKER_CLOSED_FOREVER, .is_used = true },
		{ .name = STR("was"), .directory = STR("https://was.example/dir"), .breaker = BREAKER_CLOSED_FOREVER, .position = 1 } };
	static const int counts[] = { 2, 0, 5, 1 }; /* yesterday, today … */
	int64_t id;

	assert_non_null(mkdtemp(folder));
	(void)snprintf(file, sizeof file, "%s/%s", folder, ALARMS_FILE);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(store_ca_put(f->api.store, &cas[i], &id), ERR_OK);
	watch_init(&w);
	forecast_begin(&w.forecast, when_plus(f->now, SPAN_D(-1)), config_zone(f->config));
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		w.forecast.days[i] = counts[i];
	w.forecast.due = 3;
	w.forecast.later = 9;
	assert_int_equal(alarms_write(file, &w), ERR_OK);
	char none[] = "letsencrypt", *before = f->config->state_folder, *limits = f->config->cas[0].limits;
	f->config->state_folder = folder;
	f->config->cas[0].limits = none;
	json_t *o = get(f, "/api/v1/overview", __LINE__), *forecast = json_object_get(o, "forecast");
	json_t *days = json_object_get(forecast, "days"), *allowed = json_object_get(forecast, "limits");
	f->config->state_folder = before;
	f->config->cas[0].limits = limits;

	assert_true(json_is_string(json_object_get(forecast, "at")));
	assert_int_equal(json_integer_value(json_object_get(forecast, "due")), 5);
	assert_int_equal(json_integer_value(json_object_get(forecast, "later")), 9);
	assert_int_equal(json_array_size(days), 2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(days, 0), "days")), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(days, 0), "n")), 5);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(days, 1), "n")), 1);
	assert_int_equal(json_array_size(allowed), 1);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(allowed, 0), "new_orders")), 2400);
	json_decref(o);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void
every_incident_has_words_and_the_feed_them_all(void **state)
{
	struct fixture *f = *state;
	size_t n = 0;

	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++, n++)
		assert_int_equal(store_incident_put(f->api.store, c, f->now), ERR_OK);
	assert_int_equal(store_incidents_end(f->api.store, (struct when){ f->now.s + 60 }), ERR_OK);
	assert_int_equal(store_incident_put(f->api.store, CAUSE_DNS_LOOKUP_TIMEOUT, (struct when){ f->now.s + 120 }), ERR_OK);
	json_t *o = get(f, "/api/v1/status", __LINE__), *one;
	size_t i;

	assert_string_equal(json_string_value(json_object_get(o, "state")), "trouble");
	assert_int_equal(json_array_size(json_object_get(o, "incidents")), 30);
	json_array_foreach(json_object_get(o, "incidents"), i, one)
	{
		assert_true(json_is_null(json_object_get(one, "ended")) == (i == 0));
		assert_true(json_string_length(json_object_get(json_object_get(one, "text"), "ja")) > 0);
	}
	json_decref(o);
	for (int k = 0; k < 2; k++) {
		f->args[0] = "lang";
		f->args[1] = k == 0 ? "ja" : "en";
		json_decref(ask(f, "GET", "/api/v1/status/feed", ""));
		f->args[0] = NULL;
		want(f, __LINE__, 200);
		assert_string_equal(f->type, "application/atom+xml");
		assert_non_null(strstr(f->text, k == 0 ? "xml:lang=\"ja\"" : "xml:lang=\"en\""));
		assert_non_null(strstr(f->text, k == 0 ? "無料SSL" : "Free SSL"));
		assert_non_null(strstr(f->text, "<updated>2027-01-15T08:02:00Z</updated>"));
		assert_null(strstr(f->text, "example.jp"));
	}
	assert_true(n > 100);
}

static void
what_is_no_filter_is_refused(void **state)
{
	struct fixture *f = *state;

	f->args[0] = "lang";
	f->args[1] = "fr";
	json_decref(ask(f, "GET", "/api/v1/status/feed", ""));
	want(f, __LINE__, 422);
	f->args[0] = "before";
	f->args[1] = "-1";
	json_decref(ask(f, "GET", "/api/v1/letters", ""));
	want(f, __LINE__, 422);
	f->args[0] = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_store_has_an_overview, setup, teardown),
		cmocka_unit_test_setup_teardown(renewals_to_come_stand_beside_what_a_ca_allows, setup, teardown),
		cmocka_unit_test_setup_teardown(a_site_and_its_cause_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(every_incident_has_words_and_the_feed_them_all, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_filter_is_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
