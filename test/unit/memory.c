/* What the last good check saw, what differs from it since, and the causes that only this memory can tell. */
#include "core/site_memory.h"
#include "test/unit/classify_world.h"
#include "words/words.h"

static const char well[] = W "ip=203.0.113.10 caa=0:issue:letsencrypt.org ";

static void
set_servers(struct world *w, const char *a, const char *b)
{
	struct str *list = arena_get(&w->a, 2 * sizeof *list);

	assert_non_null(list);
	list[0] = str_of(a);
	list[1] = str_of(b);
	w->names[0].nameservers = list;
	w->names[0].nameservers_n = 2;
}

/* One check of a site, as the engine hands it to the decision. */
static void
check(struct world *w, const char *name, const char *ns1, const char *ns2)
{
	static struct site_effects out;
	const struct turn turn = { { NOW }, 7 };

	w->e.names_n = 0;
	memset(w->addresses, 0, sizeof w->addresses);
	put_name(w, name);
	if (ns1 != NULL)
		set_servers(w, ns1, ns2);
	w->site.doing = DOING_CHECK;
	w->site.job = 5;
	const struct site_event ev = { .kind = SITE_CHECKED, .job = 5, .evidence = &w->e };
	out.n = 0;
	w->p.remembers = true;
	site_step(&w->site, &ev, &turn, &w->p, &w->a, &out);
	w->site.wake = (struct when){ NOW + 60 };
}

static void
begin(struct world *w)
{
	world_new(w, "");
	w->p.ca_not_before = WHEN_UNKNOWN;
	w->site.retry_at = w->site.left_at = w->site.letter_at = WHEN_UNKNOWN;
	w->site.look_at = w->site.wake = (struct when){ NOW + 60 };
	check(w, well, "ns1.old.example", "ns2.old.example");
}

#define SAME(got, wanted) \
	do { \
		if (!str_eq(got, STR(wanted))) \
			fail_msg("%s:%d: got \"%.*s\"", __FILE__, __LINE__, STR_ARG(got)); \
	} while (0)

static void
a_good_check_is_remembered(void **state)
{
	static struct world w;

	(void)state;
	begin(&w);
	const struct memory *m = site_memory_of(&w.site, STR("www.example.jp"));
	assert_non_null(m);
	assert_true(m->is_new);
	assert_int_equal(m->good.at.s, NOW);
	SAME(m->good.nameservers, "ns1.old.example, ns2.old.example");
	SAME(m->good.addresses, "203.0.113.10");
	SAME(m->good.ours, "203.0.113.10");
	SAME(m->good.caa, "0 issue \"letsencrypt.org\"");
	SAME(m->good.issuer, "koshin");
	SAME(m->good.redirect, "-");
	struct memory_change changes[CHANGE_COUNT];
	assert_int_equal(memory_changes(m, changes), 0);
	assert_null(site_memory_of(&w.site, STR("example.jp")));
	arena_fini(&w.a);
}

static void
what_differs_is_told(void **state)
{
	static const struct {
		const char *name, *ns1;
		const char *wanted; /* "what before>now;" */
	} rows[] = {
		{ W "ip=198.51.100.5 caa=0:issue:letsencrypt.org ", "ns1.old.example",
		    "addresses 203.0.113.10>198.51.100.5;server ->Apache;issuer koshin>R11;" },
		{ W "a=nx aaaa=nx reg=ok ", "ns1.new.example",
		    "nameservers ns1.old.example, ns2.old.example>ns1.new.example, ns2.old.example;addresses 203.0.113.10>-;caa 0 issue \"letsencrypt.org\">-;" },
		{ W "ip=203.0.113.10 caa=0:issue:other-ca.example ", "ns1.old.example", "caa 0 issue \"letsencrypt.org\">0 issue \"other-ca.example\";" },
		/* Nothing was seen of the addresses: nothing is said of them. */
		{ W "a=servfail aaaa=servfail caa-status=servfail ", "ns1.old.example", "" },
		/* A resolver that does not tell the name servers has not changed them. */
		{ W "ip=203.0.113.10 caa=0:issue:letsencrypt.org http=401 ", NULL, "server ->Apache;" },
	};
	static struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct memory_change changes[CHANGE_COUNT];
		AUTO_BUF got = { .max = 4096 };

		begin(&w);
		check(&w, rows[i].name, rows[i].ns1, "ns2.old.example");
		const struct memory *m = site_memory_of(&w.site, STR("www.example.jp"));
		assert_true(when_is_known(m->last.at));
		size_t n = memory_changes(m, changes);
		for (size_t k = 0; k < n; k++) {
			buf_putf(&got, "%s %.*s>%.*s;", change_name(changes[k].what), STR_ARG(changes[k].before), STR_ARG(changes[k].now));
			assert_int_equal(changes[k].since.s, NOW);
		}
		if (!str_eq(buf_str(&got), str_of(rows[i].wanted)))
			fail_msg("%s: %.*s", rows[i].name, STR_ARG(buf_str(&got)));
		/* Mended: nothing differs any more. */
		check(&w, well, "ns1.old.example", "ns2.old.example");
		assert_false(when_is_known(site_memory_of(&w.site, STR("www.example.jp"))->last.at));
		arena_fini(&w.a);
	}
}

/* The same fault, by what was there before: only the first of each pair has its own name. */
static void
the_past_names_the_cause(void **state)
{
	static const struct {
		const char *ours, *nameservers, *name, *ns1, *wanted, *copy;
	} rows[] = {
		{ "203.0.113.10, 198.51.100.5", "a", W "ip=198.51.100.5 ", "a", "own.address.moved dns.a.elsewhere", "www.example.jp. 3600 IN A 203.0.113.10" },
		{ "203.0.113.10", "a", W "ip=198.51.100.5 ", "a", "dns.a.elsewhere", NULL },
		{ "203.0.113.10, 198.51.100.5", "a", W "ip=198.51.100.5 " OK4, "a", "dns.a.partly-elsewhere", NULL },
		{ "203.0.113.10, 198.51.100.5", "a", W "ip=198.51.100.5 http=ours tls=held ", "a", "", NULL },
		{ "203.0.113.10", "ns1.old.example", W "a=nx aaaa=nx reg=ok ", "ns1.new.example", "dns.zone.not-copied", "www.example.jp. 3600 IN A 203.0.113.10" },
		{ "203.0.113.10", "ns1.old.example", W "a=nx aaaa=nx reg=ok ", "ns1.old.example", "dns.address.missing", NULL },
		{ "203.0.113.10", "", W "a=nx aaaa=nx reg=ok ", "ns1.new.example", "dns.address.missing", NULL },
		{ "203.0.113.10", "ns1.old.example", W OK4, "ns1.new.example", "", NULL },
		{ "203.0.113.10", "ns1.old.example", W "a=servfail aaaa=servfail ", "ns1.new.example", "dns.lookup.servfail", NULL },
	};
	static struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct memory memory = { .good = { .at = { NOW - DAY }, .ours = str_of(rows[i].ours), .nameservers = str_of(rows[i].nameservers) } };
		char got[256];

		world_new(&w, "");
		put_name(&w, rows[i].name);
		set_servers(&w, rows[i].ns1, "ns9.new.example");
		w.site.memory = &memory;
		world_classify(&w, "");
		print_causes(&w, got, sizeof got);
		if (strcmp(got, rows[i].wanted) != 0)
			fail_msg("row %zu: %s", i, got);
		assert_null(fault_of(&w));
		if (rows[i].copy != NULL)
			assert_true(str_eq(w.out.at[0].copy, str_of(rows[i].copy)));
		arena_fini(&w.a);
	}
}

/* The old machine still answers for us: its address stays one of ours, for the day on which it goes. */
static void
a_former_address_that_still_answers_is_kept(void **state)
{
	static struct world w;

	(void)state;
	begin(&w);
	w.p.addresses = ours + 1; /* the configuration names another address now */
	w.p.addresses_n = 2;
	check(&w, W "ip=203.0.113.10 http=ours tls=held ", "ns1.old.example", "ns2.old.example");
	SAME(site_memory_of(&w.site, STR("www.example.jp"))->good.ours, "203.0.113.10");
	check(&w, W "ip=203.0.113.10 http=refused tls=refused ", "ns1.old.example", "ns2.old.example");
	assert_int_equal(w.site.findings.at[0].cause, CAUSE_OWN_ADDRESS_MOVED);
	arena_fini(&w.a);
}

static void
it_is_said_in_both_languages(void **state)
{
	static const char *const wanted[LANG_COUNT] = { "ns1.old.example から ns1.new.example に変わりました", "from ns1.old.example to ns1.new.example" };
	const struct memory m = { .good = { .at = { NOW - DAY }, .nameservers = STR("ns1.old.example"), .issuer = STR("koshin") },
		.last = { .at = { NOW }, .nameservers = STR("ns1.new.example"), .issuer = STR("\033[31mX") } };
	struct memory_change changes[CHANGE_COUNT];

	(void)state;
	assert_int_equal(memory_changes(&m, changes), 2);
	for (enum lang l = 0; l < LANG_COUNT; l++) {
		const struct words_context ctx = { .lang = l, .now = { NOW }, .zone = SPAN_H(9) };
		AUTO_BUF text = { .max = 4096 }, issuer = { .max = 4096 };

		words_change(&changes[0], &ctx, &text);
		assert_true(str_find(buf_str(&text), str_of(wanted[l])) != SIZE_MAX);
		assert_true(str_find(buf_str(&text), l == LANG_JA ? STR("月") : STR("Jan")) != SIZE_MAX);
		words_change(&changes[1], &ctx, &issuer);
		assert_true(str_find(buf_str(&issuer), STR("\033")) == SIZE_MAX && str_find(buf_str(&issuer), STR("koshin")) == SIZE_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_check_is_remembered),
		cmocka_unit_test(what_differs_is_told),
		cmocka_unit_test(the_past_names_the_cause),
		cmocka_unit_test(a_former_address_that_still_answers_is_kept),
		cmocka_unit_test(it_is_said_in_both_languages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
