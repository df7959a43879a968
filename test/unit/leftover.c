/* What the facts of a site say by themselves: a CA that is gone, a window that is past, a name that nobody uses. */
#include "test/unit/classify_world.h"

static const struct policy_ca cas[] = { { .id = 1, .name = { "le", 2 } }, { .id = 2, .name = { "zero", 4 } } };

struct state {
	const char *what;
	int ca_id;
	size_t cas_n;
	bool is_told, is_urgent;
	int64_t window_end_s; /* from now */
	const char *how;
	const char *wanted; /* first finding; "" none */
	bool is_quiet_allowed;
};

static const struct state states[] = {
	{ "with the first", 0, 2, false, false, 0, "", "", true },
	{ "with another", 2, 2, false, false, 0, "", "", false },
	{ "with one that is gone", 3, 2, false, false, 0, "", "own.setting.leftover", false },
	{ "no CA is known here", 3, 0, false, false, 0, "", "", false },
	{ "handshake only", 3, 2, false, false, 0, "no-dns no-http", "", false },
	{ "a window to come", 0, 2, true, false, DAY, "", "", true },
	{ "a window that passed in its time", 0, 2, true, false, -DAY, "", "", true },
	{ "moved to an earlier day", 0, 2, true, true, DAY, "", "", false },
	{ "a window in the past", 0, 2, true, true, -DAY, "", "ca.ari.window-past", false },
	{ "no window", 0, 2, false, true, -DAY, "", "", false },
	{ "no certificate", 0, 2, true, true, -DAY, "first", "", false },
};

static void
facts_become_findings(void **state)
{
	static struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		const struct state *r = &states[i];

		world_new(&w, r->how);
		put_name(&w, W OK4);
		w.p.cas = cas;
		w.p.cas_n = r->cas_n;
		w.site.ca_id = (uint8_t)r->ca_id;
		w.site.renewal = (struct renewal){ .is_told = r->is_told, .is_urgent = r->is_urgent,
			.start = { NOW + r->window_end_s - 60 }, .end = { NOW + r->window_end_s } };
		world_classify(&w, r->how);
		const char *got = w.out.n > 0 ? cause_row(w.out.at[0].cause)->id : "";
		if (strcmp(got, r->wanted) != 0 || w.out.n > 1)
			fail_msg("%s: %s, %zu findings", r->what, got, w.out.n);
		assert_true(w.out.n == 0 || (w.out.at[0].seen.n > 0 && w.out.at[0].evidence.n > 0 && !finding_blocks(&w.out.at[0])));
		/* The short way may not overlook what the long one sees. */
		assert_true(!classify_is_quiet(&w.e, &w.site) || w.out.n == 0);
		assert_true(r->is_quiet_allowed == classify_is_quiet(&w.e, &w.site));
		arena_fini(&w.a);
	}
}

/* Free SSL that is off: whoever gave it up is told when the end nears, whoever has to speak with the provider at once. */
static void
what_is_given_up_is_said_in_time(void **state)
{
	static const struct {
		const char *what;
		enum source source;
		bool is_suspended;
		int64_t left_days;
		const char *wanted, *seen;
	} rows[] = {
		{ "in use, near its end", SOURCE_FREE, false, 5, "", "" },
		{ "given up, far from its end", SOURCE_NONE, false, 60, "", "" },
		{ "given up, near its end", SOURCE_NONE, false, 20, "own.renewal.off", "2027-01-05" },
		{ "stopped by the provider", SOURCE_NONE, true, 60, "own.contract.suspended", "2027-01-05" },
		{ "stopped, near its end", SOURCE_NONE, true, 5, "own.contract.suspended", "2027-01-05" },
		{ "stopped once, in use again", SOURCE_FREE, true, 60, "", "" },
	};
	static struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		world_new(&w, "");
		put_name(&w, W OK4);
		w.site.setting.source = rows[i].source;
		const struct given_up given_up = { .at = { NOW - 10 * DAY }, .by = STR("hanako@example.jp"), .is_suspended = rows[i].is_suspended };

		w.site.given_up = &given_up;
		w.site.held.life = (struct life){ { NOW + (rows[i].left_days - 90) * DAY }, { NOW + rows[i].left_days * DAY } };
		w.addresses[0][0].tls.leaf.not_before = w.site.held.life.from;
		w.addresses[0][0].tls.leaf.not_after = w.site.held.life.to;
		world_classify(&w, "");
		/* What is served ends soon: that is said as well, by its own row, of who waits for a renewal. */
		const struct finding *f = w.out.n > 0 && w.out.at[0].cause == CAUSE_SERVED_EXPIRING ? &w.out.at[w.out.n - 1] : w.out.at;
		const char *got = w.out.n > 0 && f->cause != CAUSE_SERVED_EXPIRING ? cause_row(f->cause)->id : "";
		if (strcmp(got, rows[i].wanted) != 0)
			fail_msg("%s: %s", rows[i].what, got);
		if (got[0] != '\0') {
			assert_true(str_eq(f->seen, str_of(rows[i].seen)) && f->acts == ACTOR_OWNER && finding_blocks(f));
			assert_true(str_find(f->evidence, STR("hanako@example.jp")) != SIZE_MAX);
			assert_false(classify_is_quiet(&w.e, &w.site));
		}
		arena_fini(&w.a);
	}
}

static void
a_name_that_nobody_uses_is_asked_about_after_a_month(void **state)
{
	static const struct {
		int days;
		enum cause before;
		const char *name, *wanted;
	} rows[] = {
		{ 29, CAUSE_DNS_ADDRESS_PARTLY_MISSING, W, "|dns.address.partly-missing" },
		{ 31, CAUSE_DNS_ADDRESS_PARTLY_MISSING, W, "|own.name.unused dns.address.partly-missing" },
		{ 31, CAUSE_DNS_ADDRESS_MISSING, W, "|dns.address.partly-missing" },
		{ 31, CAUSE_DNS_ADDRESS_PARTLY_MISSING, W OK4, "|" },
		{ 31, CAUSE_DNS_ADDRESS_PARTLY_MISSING, W "a=servfail aaaa=servfail", "|dns.lookup.servfail" },
	};
	static struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct finding before = { .cause = rows[i].before, .subject = STR("www.example.jp"), .first_seen = { NOW - rows[i].days * DAY } };
		char got[256];

		world_new(&w, "");
		put_name(&w, "example.jp " OK4);
		put_name(&w, rows[i].name);
		w.site.findings = (struct finding_list){ .at = &before, .n = 1, .cap = 1 };
		world_classify(&w, "");
		print_causes(&w, got, sizeof got);
		assert_string_equal(got, rows[i].wanted);
		assert_null(fault_of(&w));
		arena_fini(&w.a);
	}
}

static void
hsts_is_remembered_by_browsers(void **state)
{
	static struct world w;
	struct finding before = { .cause = CAUSE_SERVED_HSTS_NO_RECOURSE, .subject = STR("www.example.jp") };
	char got[256];

	(void)state;
	for (unsigned is_mended = 0; is_mended < 2; is_mended++) {
		world_new(&w, ""); /* our header was taken back */
		put_name(&w, is_mended ? W OK4 : W OK4 "tls=held-expired");
		w.site.findings = (struct finding_list){ .at = &before, .n = 1, .cap = 1 };
		world_classify(&w, "");
		print_causes(&w, got, sizeof got);
		assert_string_equal(got, is_mended ? "" : "served.expired served.hsts.no-recourse");
		arena_fini(&w.a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(facts_become_findings),
		cmocka_unit_test(what_is_given_up_is_said_in_time),
		cmocka_unit_test(a_name_that_nobody_uses_is_asked_about_after_a_month),
		cmocka_unit_test(hsts_is_remembered_by_browsers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
