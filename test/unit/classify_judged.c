/* What findings hold beside their cause: when to look again, who acts, the evidence; and what visitors are handed. */
#include "test/unit/classify_world.h"

/* No false alarm: every combination of ways in which a site can be well. */
static void
nothing_is_said_of_the_well(void **state)
{
	static const char *const addresses[] = { OK4, "ip=2001:db8::10 ",
		"ip=2001:db8::10 " OK4, OK4 "ip=203.0.113.11 ",
		"ip=198.51.100.5 http=ours tls=held ", "ip=198.51.100.5 http=ours tls=other ",
		"ip=198.51.100.5 http=ours tls=refused ",
		OK4 "http=ours loc=https://www.example.jp/ " };
	static const char *const lookups[] = { "", "cname=front.example.com ", "aaaa=nx ",
		"aaaa=servfail ", "ttl=0 ", "ttl=604800 ", "a=servfail " };
	static const char *const caas[] = { "", "caa-status=nx ",
		"caa=0:issue:letsencrypt.org ", "caa=0:Issue:LETSENCRYPT.ORG ",
		"caa=0:issue:letsencrypt.org_; ",
		"caa=0:issue:_letsencrypt.org_;_accounturi=https://ca/acct/1 ",
		"caa=0:issue:letsencrypt.org;validationmethods=http-01 ",
		"caa=0:issue:other.example caa=0:issue:letsencrypt.org ",
		"caa=128:issue:letsencrypt.org caa=0:issuewild:; ",
		"caa=0:iodef:mailto:a@example.jp " };
	static const char *const hows[] = { "", "first", "redirect", "no-tls", "new" };
	static struct world w;
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; i < 8 * 7 * 10 * 5; i++) {
		char text[512];
		const char *how = hows[i % 5];

		(void)snprintf(text, sizeof text, W "%s%s%s", lookups[i / 40 % 7],
		    caas[i / 280 % 10], addresses[i / 5 % 8]);
		world_new(&w, how);
		put_name(&w, "example.jp " OK4);
		put_name(&w, text);
		world_classify(&w, how);
		if (w.out.n > 0)
			fail_msg("[%s] %s: %s", how, text, cause_row(w.out.at[0].cause)->id);
		arena_fini(&w.a);
		n++;
	}
	assert_true(n >= 100);
}

static void
looks_follow_the_ttl(void **state)
{
	static const struct {
		int line;
		const char *name;
		int64_t after;
	} table[] = {
		{ __LINE__, W "ip=198.51.100.5 ttl=300", 300 },
		{ __LINE__, W "ip=198.51.100.5 ttl=1", 30 },
		{ __LINE__, W "ip=198.51.100.5 ttl=86400", 900 },
		{ __LINE__, W "a=servfail aaaa=servfail ttl=0", 120 },
		{ __LINE__, W OK4 "http=404", 60 },
		{ __LINE__, W OK4 "tls=other", 60 },
	};
	static struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		world_new(&w, "");
		put_name(&w, table[i].name);
		world_classify(&w, "");
		assert_true(w.out.n > 0);
		if (w.out.at[0].next_look.s != NOW + table[i].after)
			fail_msg("%s:%d: after %lld s", __FILE__, table[i].line,
			    (long long)(w.out.at[0].next_look.s - NOW));
		arena_fini(&w.a);
	}
}

static void
what_is_served_is_acted_on_by_the_root_cause(void **state)
{
	static struct world w;

	(void)state;
	world_new(&w, "");
	put_name(&w, W OK4 "tls=held-expired");
	put_name(&w, "example.jp " OK4 "tls=held-expired caa=0:issue:;");
	world_classify(&w, "");
	assert_int_equal(w.out.n, 3);
	assert_int_equal(w.out.at[0].acts, ACTOR_HOST);
	assert_int_equal(w.out.at[2].cause, CAUSE_SERVED_EXPIRED);
	assert_int_equal(w.out.at[2].acts, ACTOR_DOMAIN_COMPANY);
	assert_true(str_eq(w.out.at[2].copy, w.out.at[1].copy));
	arena_fini(&w.a);
}

static void
evidence_is_text_and_bounded(void **state)
{
	static struct world w;
	char page[LIMIT_EVIDENCE_BYTES];

	(void)state;
	world_new(&w, "");
	put_name(&w, W OK4 "http=200");
	memset(page, 'x', sizeof page);
	memcpy(page, "\x1b[31m\xff\r\n\0<b>", 13);
	w.addresses[0][0].http.body = (struct str){ page, sizeof page };
	world_classify(&w, "");
	assert_int_equal(w.out.n, 1);
	struct str e = w.out.at[0].evidence;
	assert_true(e.n <= LIMIT_EVIDENCE_BYTES && str_is_utf8(e) && str_ends(e, STR("[cut]")));
	for (size_t i = 0; i < e.n; i++)
		assert_true(e.p[i] == '\n' || (unsigned char)e.p[i] >= 0x20);
	assert_int_not_equal(
	    str_find(e, STR("www.example.jp A: NOERROR 203.0.113.10 (ours)")), SIZE_MAX);
	arena_fini(&w.a);
}

static void
served_is_the_worst_over_the_addresses(void **state)
{
	static const struct {
		int line;
		const char *name;
		bool is_ok, is_held;
		int64_t not_after; /* days from now; 999: unknown */
		uint8_t fingerprint;
	} table[] = {
		{ __LINE__, W OK4, true, true, 60, 1 },
		{ __LINE__, W OK4 "ip=203.0.113.11", true, true, 60, 1 },
		{ __LINE__, W OK4 "ip=203.0.113.11 tls=other", true, false, 60, 2 },
		{ __LINE__, W OK4 "ip=203.0.113.11 tls=other-expired", false, false, -1, 2 },
		{ __LINE__, W OK4 "ip=203.0.113.11 tls=refused", false, false, 60, 1 },
		{ __LINE__, W OK4 "tls=refused", false, false, 999, 0 },
		{ __LINE__, W OK4 "tls=held-expired", false, true, -1, 1 },
		{ __LINE__, W OK4 "tls=held-chain", false, true, 60, 1 },
		{ __LINE__, W OK4 "tls=kin", false, false, 60, 2 },
		{ __LINE__, W OK4 "tls=held-future", false, true, 60, 1 },
		{ __LINE__, W OK4 "ip=198.51.100.5 tls=other-expired", true, true, 60, 1 },
		{ __LINE__, W "ip=198.51.100.5 tls=other", true, false, 60, 2 },
		{ __LINE__, W "ip=198.51.100.5 tls=held", true, true, 60, 1 },
		{ __LINE__, W "ip=2001:db8::10 tls=unreachable " OK4, true, true, 60, 1 },
		{ __LINE__, W "ip=2001:db8::10 tls=unreachable", false, false, 999, 0 },
	};
	static struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		world_new(&w, "");
		put_name(&w, table[i].name);
		struct served s = served_of(&w.e, &w.names[0], &w.site.held);
		int64_t end =
		    table[i].not_after == 999 ? WHEN_UNKNOWN.s : NOW + table[i].not_after * DAY;
		if (s.at.s != NOW || s.is_ok != table[i].is_ok ||
		    s.is_held != table[i].is_held || s.not_after.s != end ||
		    s.fingerprint[0] != table[i].fingerprint)
			fail_msg("%s:%d: ok %d, held %d, fingerprint %d", __FILE__,
			    table[i].line, s.is_ok, s.is_held, s.fingerprint[0]);
		arena_fini(&w.a);
	}
	world_new(&w, "");
	put_name(&w, W OK4 "tls=untried");
	struct served s = served_of(&w.e, &w.names[0], NULL);
	assert_true(s.at.s == WHEN_UNKNOWN.s && !s.is_ok && !s.is_held &&
		    s.not_after.s == WHEN_UNKNOWN.s);
	arena_fini(&w.a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_said_of_the_well),
		cmocka_unit_test(looks_follow_the_ttl),
		cmocka_unit_test(what_is_served_is_acted_on_by_the_root_cause),
		cmocka_unit_test(evidence_is_text_and_bounded),
		cmocka_unit_test(served_is_the_worst_over_the_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
