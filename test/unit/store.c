/* Sites in the store: what goes in comes out, a name is in one site, dates and wishes are kept. */
#include "test/unit/store_try.h"
#include "ports/clock/clock.h"

/* --- a random site, and what came back of it --- */

static uint64_t seed;

static uint64_t
roll(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return n == 0 ? seed : seed % n;
}

static bool
flip(void)
{
	return roll(2) == 1;
}

static struct when
any_when(void)
{
	switch (roll(6)) {
	case 0:
		return WHEN_UNKNOWN;
	case 1:
		return WHEN_NEVER;
	case 2:
		return (struct when){ 0 };
	case 3:
		return (struct when){ -(int64_t)roll(100000) - 1 };
	default:
		return (struct when){ (int64_t)roll(4000000000) };
	}
}

static unsigned
any_count(void)
{
	return flip() ? (unsigned)roll(10) : UINT32_MAX - (unsigned)roll(3);
}

/* Any bytes: evidence is what a stranger sent. */
static struct str
any_bytes(struct arena *a, size_t max)
{
	size_t n = roll(max + 1);
	char *p = arena_get(a, n + 1);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (char)roll(256);
	return (struct str){ p, n };
}

static void
any_fingerprint(uint8_t ret[FINGERPRINT_BYTES])
{
	for (size_t i = 0; i < FINGERPRINT_BYTES; i++)
		ret[i] = (uint8_t)roll(256);
}

static void
change_findings(struct site *s, struct arena *a)
{
	static const enum actor actors[] = { ACTOR_OWNER, ACTOR_DOMAIN_COMPANY, ACTOR_WEB_OWNER,
		ACTOR_HOST, ACTOR_NOBODY };
	size_t n = roll(6);

	s->findings =
	    (struct finding_list){ .at = arena_get(a, 6 * sizeof(struct finding)), .cap = 6 };
	assert_non_null(s->findings.at);
	for (size_t i = 0; i < n; i++) {
		/* Different causes: a subject has each at most once. */
		enum cause c = (enum cause)(1 + (roll(3) * 6 + i) % (CAUSE_COUNT - 1));
		struct finding *f =
		    finding_put(&s->findings, c, s->names[roll(s->names_n)].name);

		f->seen = any_bytes(a, 20);
		f->wanted = any_bytes(a, 20);
		f->copy = any_bytes(a, 20);
		f->company = any_bytes(a, 20);
		f->evidence = any_bytes(a, 300);
		f->acts = actors[roll(5)];
		f->first_seen = any_when();
		f->last_seen = any_when();
		f->next_look = (struct when){ (int64_t)roll(4000000000) };
		f->told_at = any_when();
		f->times_seen = any_count();
		f->is_from_order = flip();
		f->mends = any_count();
		f->mended_at = any_when();
	}
}

static void
change_site(struct site *s, int64_t certificate, int64_t order, struct arena *a)
{
	s->doing = (enum doing)roll(DOING_COUNT);
	s->doing_since = any_when();
	s->job = flip() ? roll(0) : UINT64_MAX;
	s->held = (struct held){ .id = flip() ? certificate : 0,
		.life = { any_when(), any_when() },
		.is_live = flip(),
		.is_spread = flip() };
	s->held.is_own = s->held.id != 0 && flip();
	any_fingerprint(s->held.fingerprint);
	s->order_id = s->doing == DOING_ORDER && flip() ? order : 0;
	s->order_failures = any_count();
	s->retry_at = any_when();
	s->retry_is_law = flip();
	s->checked_at = any_when();
	s->look_at = any_when();
	s->deploy_failures = any_count();
	s->deploy_at = any_when();
	s->verify_failures = any_count();
	s->put_backs = (uint8_t)roll(UINT8_MAX);
	s->applied = (struct applied){ .digest = roll(0) };
	if (s->held.id != 0 && flip())
		s->applied.redirect = flip() ? 307 : 308;
	s->applied.hsts = s->applied.redirect == 308 && flip();
	s->renewals_good = any_count();
	s->jitter = (uint32_t)roll(0);
	s->asked_check = flip();
	s->asked_renew = flip();
	s->is_revoking = flip();
	s->story_open = flip();
	s->reminders_told = (uint8_t)roll(256);
	s->expired_told = flip();
	s->issued_told = flip();
	s->letter_at = any_when();
	s->wake = any_when();
	if (s->draft.exists)
		s->draft.told_at = any_when();
	for (size_t i = 0; i < s->names_n; i++) {
		struct site_name *n = &s->names[i];

		if (flip())
			continue;
		/* An unwanted name that is not held either would not be loaded. */
		n->is_held = !n->is_wanted || flip();
		n->passed_at = any_when();
		n->validated_at = any_when();
		n->served = (struct served){ .at = any_when(),
			.is_ok = flip(),
			.is_held = flip(),
			.not_after = any_when() };
		if (flip())
			any_fingerprint(n->served.fingerprint);
		if (roll(4) == 0)
			n->served =
			    (struct served){ .at = WHEN_UNKNOWN, .not_after = WHEN_UNKNOWN };
	}
	if (flip())
		change_findings(s, a);
}

static void
same_setting(const struct setting *a, const struct setting *b)
{
	SAME(a->source, b->source);
	SAME(a->coverage, b->coverage);
	SAME(a->key_type, b->key_type);
	SAME(a->redirect, b->redirect);
	SAME(a->hsts, b->hsts);
	SAME(a->takeover, b->takeover);
	SAME_STR(a->root, b->root);
	SAME_STR(a->proxy, b->proxy);
	SAME_STR(a->profile, b->profile);
}

static void
same_names(const struct site *a, const struct site *b)
{
	SAME(a->names_n, b->names_n);
	for (size_t i = 0; i < a->names_n; i++) {
		const struct site_name *x = &a->names[i], *y = &b->names[i];

		SAME(x->id, y->id);
		SAME_STR(x->name, y->name);
		SAME(x->is_wanted, y->is_wanted);
		SAME(x->is_held, y->is_held);
		SAME(x->passed_at.s, y->passed_at.s);
		SAME(x->validated_at.s, y->validated_at.s);
		SAME(x->served.at.s, y->served.at.s);
		SAME(x->served.is_ok, y->served.is_ok);
		SAME(x->served.is_held, y->served.is_held);
		SAME(x->served.not_after.s, y->served.not_after.s);
		assert_memory_equal(
		    x->served.fingerprint, y->served.fingerprint, FINGERPRINT_BYTES);
	}
}

static void
same_findings(const struct site *a, const struct site *b)
{
	SAME(a->findings.n, b->findings.n);
	for (size_t i = 0; i < a->findings.n; i++) {
		const struct finding *x = &a->findings.at[i], *y = &b->findings.at[i];

		SAME(x->cause, y->cause);
		SAME_STR(x->subject, y->subject);
		SAME_STR(x->seen, y->seen);
		SAME_STR(x->wanted, y->wanted);
		SAME_STR(x->copy, y->copy);
		SAME_STR(x->company, y->company);
		SAME_STR(x->evidence, y->evidence);
		SAME(x->acts, y->acts);
		SAME(x->first_seen.s, y->first_seen.s);
		SAME(x->last_seen.s, y->last_seen.s);
		SAME(x->next_look.s, y->next_look.s);
		SAME(x->told_at.s, y->told_at.s);
		SAME(x->times_seen, y->times_seen);
		SAME(x->is_from_order, y->is_from_order);
		SAME(x->mends, y->mends);
		SAME(x->mended_at.s, y->mended_at.s);
	}
}

static void
same_site(const struct site *a, const struct site *b)
{
	SAME(a->id, b->id);
	SAME(a->owner_id, b->owner_id);
	same_setting(&a->setting, &b->setting);
	SAME(a->draft.exists, b->draft.exists);
	same_setting(&a->draft.setting, &b->draft.setting);
	SAME(a->draft.begun_at.s, b->draft.begun_at.s);
	SAME_STR(a->draft.begun_by, b->draft.begun_by);
	SAME(a->draft.told_at.s, b->draft.told_at.s);
	SAME(a->draft.has_csr, b->draft.has_csr);
	same_names(a, b);
	same_findings(a, b);
	SAME(a->doing, b->doing);
	SAME(a->doing_since.s, b->doing_since.s);
	assert_true(a->job == b->job);
	SAME(a->held.id, b->held.id);
	SAME(a->held.life.from.s, b->held.life.from.s);
	SAME(a->held.life.to.s, b->held.life.to.s);
	assert_memory_equal(a->held.fingerprint, b->held.fingerprint, FINGERPRINT_BYTES);
	SAME(a->held.is_live, b->held.is_live);
	SAME(a->held.is_spread, b->held.is_spread);
	SAME(a->held.is_own, b->held.is_own);
	SAME(a->order_id, b->order_id);
	SAME(a->order_failures, b->order_failures);
	SAME(a->retry_at.s, b->retry_at.s);
	SAME(a->retry_is_law, b->retry_is_law);
	SAME(a->checked_at.s, b->checked_at.s);
	SAME(a->look_at.s, b->look_at.s);
	SAME(a->deploy_failures, b->deploy_failures);
	SAME(a->deploy_at.s, b->deploy_at.s);
	SAME(a->verify_failures, b->verify_failures);
	SAME(a->put_backs, b->put_backs);
	assert_true(a->applied.digest == b->applied.digest);
	SAME(a->applied.redirect, b->applied.redirect);
	SAME(a->applied.hsts, b->applied.hsts);
	SAME(a->renewals_good, b->renewals_good);
	SAME(a->jitter, b->jitter);
	SAME(a->asked_check, b->asked_check);
	SAME(a->asked_renew, b->asked_renew);
	SAME(a->is_revoking, b->is_revoking);
	SAME(a->is_removed, b->is_removed);
	SAME(a->story_open, b->story_open);
	SAME(a->reminders_told, b->reminders_told);
	SAME(a->expired_told, b->expired_told);
	SAME(a->issued_told, b->issued_told);
	SAME(a->letter_at.s, b->letter_at.s);
	SAME(a->wake.s, b->wake.s);
}

static struct setting
any_setting(struct arena *a)
{
	return (struct setting){ .source = (enum source)roll(3),
		.coverage = (enum coverage)roll(4),
		.key_type = (enum key_type)roll(5),
		.redirect = flip(),
		.hsts = flip(),
		.takeover = flip(),
		.root = any_bytes(a, 30),
		.proxy = any_bytes(a, 30),
		.profile = any_bytes(a, 30) };
}

/* The web's half of a site: names, setting, draft. */
static void
change_choices(struct store *s, int64_t id, struct arena *a)
{
	struct setting g = any_setting(a);
	struct draft d = { .exists = flip(),
		.setting = any_setting(a),
		.begun_at = any_when(),
		.begun_by = any_bytes(a, 20),
		.told_at = any_when(),
		.has_csr = flip() };
	struct str names[5];
	size_t n = 1 + roll(5);

	for (size_t i = 0; i < n; i++)
		names[i] =
		    arena_strf(a, "n%zu.s%lld.example", (i + roll(1)) % 5, (long long)id);
	if (flip()) {
		struct str first = names[0];

		names[0] = names[n - 1];
		names[n - 1] = first;
	}
	OK(s, store_setting_put(s, id, &g));
	OK(s, store_draft_put(s, id, &d));
	OK(s, store_names_put(s, id, names, n));
}

static void
site_round_trip(void **state)
{
	(void)state;
	struct clock c = clock_real(SPAN_S(0));
	const char *given = getenv("KOSHIN_SEED");

	seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)clock_roll(&c) + 1;
	print_message("seed: KOSHIN_SEED=%llu\n", (unsigned long long)seed);
	struct store *s = new_store();
	int64_t ids[4], certificates[4], orders[4];
	for (size_t i = 0; i < 4; i++) {
		char text[32];

		(void)snprintf(text, sizeof text, "first%zu.example", i);
		struct str name = str_of(text);
		ids[i] = new_site(s, &name, 1);
		certificates[i] = new_certificate(s, ids[i], (uint8_t)i);
		orders[i] = new_order(s, ids[i], true);
	}
	for (int n = 0; n < 400; n++) {
		size_t i = roll(4);
		struct site before, after;
		AUTO_ARENA a = { .max = 0 };

		arena_init(&a, 1 << 22);
		if (roll(3) == 0)
			change_choices(s, ids[i], &a);
		OK(s, store_site_load(s, ids[i], &a, &before));
		change_site(&before, certificates[i], orders[i], &a);
		OK(s, store_site_save(s, &before, now));
		OK(s, store_site_load(s, ids[i], &a, &after));
		same_site(&after, &before);
		/* What is as it was is not written: only the site's own row, and the statement that says so. */
		int64_t changes = sqlite3_total_changes64(s->db);
		OK(s, store_site_save(s, &before, now));
		SAME(sqlite3_total_changes64(s->db) - changes, 1);
	}
	store_close(&s);
	assert_null(s);
}

/* --- findings, names, wishes --- */

static void
finding_opens_and_goes(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t id = new_site(s, two_names, 2);
	struct finding at[2] = {
		{ .cause = CAUSE_DNS_A_ELSEWHERE, .subject = two_names[0], .next_look = now },
		{ .cause = CAUSE_DNS_CAA_FORBIDS, .subject = two_names[0], .next_look = now }
	};
	struct site site;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	OK(s, store_site_load(s, id, &a, &site));
	site.findings = (struct finding_list){ .at = at, .n = 2, .cap = 2 };
	OK(s, store_site_save(s, &site, now));
	SAME(number(s, "SELECT count(*) FROM finding WHERE gone_at IS NULL"), 2);
	/* One goes: its row stays, with the date. */
	site.findings.at = &at[1];
	site.findings.n = 1;
	OK(s, store_site_save(s, &site, when_plus(now, SPAN_S(60))));
	SAME(number(s, "SELECT gone_at FROM finding WHERE cause = 'dns.a.elsewhere'"),
	    now.s + 60);
	SAME(number(s, "SELECT id FROM finding WHERE cause = 'dns.caa.forbids'"), 2);
	/* It comes back: another row, and the first one is what it was. */
	site.findings.at = at;
	site.findings.n = 2;
	OK(s, store_site_save(s, &site, when_plus(now, SPAN_S(120))));
	SAME(number(s, "SELECT count(*) FROM finding WHERE cause = 'dns.a.elsewhere'"), 2);
	SAME(number(s, "SELECT count(*) FROM finding WHERE gone_at IS NULL"), 2);
	OK(s, store_site_load(s, id, &a, &site));
	SAME(site.findings.at[0].cause, CAUSE_DNS_A_ELSEWHERE);

	assert_sound(s);
	store_close(&s);
}

static void
name_is_in_one_site(void **state)
{
	(void)state;
	struct store *s = new_store();
	struct setting g = free_setting();
	int64_t first = new_site(s, two_names, 2), second = 0, other = 0, found = 0;
	struct str b[] = { STR("b.example"), STR("www.a.example") };

	FAILS(store_site_add(s, 1, &g, b, 2, now, &second, &other), ERR_EXISTS);
	SAME(other, first);
	SAME(second, 0);
	assert_non_null(strstr(store_words(s), "www.a.example"));
	SAME(number(s, "SELECT count(*) FROM site"), 1);
	OK(s, store_site_add(s, 1, &g, b, 1, now, &second, &other));
	FAILS(store_names_put(s, second, b, 2), ERR_EXISTS);
	OK(s, store_site_find(s, STR("www.a.example"), &found));
	SAME(found, first);

	/* The refusal inside of a transaction does not break it: nothing was written. */
	OK(s, store_begin(s));
	FAILS(store_site_add(s, 1, &g, b, 2, now, &second, &other), ERR_EXISTS);
	OK(s, store_heartbeat_put(s, STR("web"), 1, now));
	OK(s, store_commit(s));

	/* A name that is let go can be had by another site; its state is kept while it is held. */
	struct site site;
	AUTO_ARENA a = { .max = 0 };
	arena_init(&a, 1 << 20);
	OK(s, store_site_load(s, first, &a, &site));
	site.names[1].is_held = true;
	site.names[1].passed_at = now;
	OK(s, store_site_save(s, &site, now));
	OK(s, store_names_put(s, first, two_names, 1));
	OK(s, store_names_put(s, second, b, 2));
	OK(s, store_site_load(s, first, &a, &site));
	SAME(site.names_n, 2);
	assert_true(
	    site.names[0].is_wanted && !site.names[1].is_wanted && site.names[1].is_held);
	FAILS(store_names_put(s, first, two_names, 2), ERR_EXISTS);

	/* A removed site lets go of all, and still knows what it has to take off the server. */
	OK(s, store_site_load(s, second, &a, &site));
	site.is_removed = true;
	OK(s, store_site_save(s, &site, now));
	FAILS(store_site_find(s, STR("b.example"), &found), ERR_NOT_FOUND);
	OK(s, store_names_put(s, first, two_names, 2));
	OK(s, store_site_load(s, first, &a, &site));
	SAME(site.names[1].passed_at.s, now.s);
	OK(s, store_site_load(s, second, &a, &site));
	SAME(site.names_n, 2);
	assert_true(site.is_removed);
	assert_sound(s);
	store_close(&s);
}

static void
names_are_refused(void **state)
{
	(void)state;
	static char longest[LIMIT_NAME_BYTES + 1];
	static struct str many[LIMIT_SITE_NAMES + 1];
	struct str twice[] = { STR("c.example"), STR("c.example") };
	memset(longest, 'x', sizeof longest);
	struct str too_long = { longest, sizeof longest }, empty = STR("");
	for (size_t i = 0; i < LIMIT_SITE_NAMES + 1; i++)
		many[i] = STR("c.example");
	const struct {
		const char *name;
		int line;
		const struct str *names;
		size_t n;
		enum err wanted;
	} rows[] = {
		{ "none", __LINE__, many, 0, ERR_INVALID },
		{ "more than a certificate takes", __LINE__, many, LIMIT_SITE_NAMES + 1,
		    ERR_TOO_LONG },
		{ "one twice", __LINE__, twice, 2, ERR_INVALID },
		{ "empty", __LINE__, &empty, 1, ERR_INVALID },
		{ "longer than DNS allows", __LINE__, &too_long, 1, ERR_TOO_LONG },
	};
	struct store *s = new_store();
	int64_t site = new_site(s, two_names, 2);
	struct setting g = free_setting();
	AUTO_BUF before = { .max = 0 }, after = { .max = 0 };

	dump(s, &before);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t id = 0, other = 0;
		enum err added = store_site_add(
			     s, 1, &g, rows[i].names, rows[i].n, now, &id, &other),
			 put = store_names_put(s, site, rows[i].names, rows[i].n);

		if (added != rows[i].wanted || put != rows[i].wanted)
			fail_msg("%s:%d: %s: got %s and %s", __FILE__, rows[i].line,
			    rows[i].name, err_name(added), err_name(put));
	}
	dump(s, &after);
	SAME_STR(buf_str(&after), buf_str(&before));
	FAILS(store_names_put(s, 99, two_names, 2), ERR_NOT_FOUND);
	store_close(&s);
}

static void
wishes_are_taken_once(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t id = new_site(s, two_names, 2);
	static const enum site_event_kind kinds[] = { SITE_REMOVED, SITE_CHANGED,
		SITE_ASKED_RENEW, SITE_ASKED_CHECK, SITE_RESUMED };
	enum { KINDS = sizeof kinds / sizeof *kinds };
	struct wish w[8];
	size_t n = 0;

	for (size_t i = 0; i < KINDS; i++) {
		OK(s, store_wish_put(s, id, kinds[i], now));
		OK(s, store_wish_put(s, id, kinds[i], now)); /* the button was pressed twice */
	}
	FAILS(store_wish_put(s, id, SITE_WAKE, now), ERR_INVALID);
	FAILS(store_wish_put(s, 99, SITE_CHANGED, now), ERR_CONFLICT);
	OK(s, store_wishes(s, w, 8, &n));
	SAME(n, KINDS);
	for (size_t i = 0; i < KINDS; i++) {
		SAME(w[i].kind, kinds[i]);
		SAME(w[i].site_id, id);
	}
	for (size_t i = 0; i < KINDS; i++)
		OK(s, store_wish_done(s, w[i].id));
	OK(s, store_wishes(s, w, 8, &n));
	SAME(n, 0);
	/* A number is never used again: a late "done" takes nothing away. */
	int64_t last = w[KINDS - 1].id;
	OK(s, store_wish_put(s, id, SITE_CHANGED, now));
	OK(s, store_wish_done(s, last));
	OK(s, store_wishes(s, w, 8, &n));
	SAME(n, 1);
	store_close(&s);
}

/* --- dates --- */

static int64_t
wake_of(struct store *s, int64_t id, struct arena *a)
{
	struct site site;

	OK(s, store_site_load(s, id, a, &site));
	return site.wake.s;
}

static void
sites_have_a_date_and_some_are_unfinished(void **state)
{
	(void)state;
	struct store *s = new_store();
	int64_t ids[4], ret[8];
	size_t n = 9;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	static const int64_t wakes[] = { 300, 100, 200, INT64_MAX };
	for (size_t i = 0; i < 4; i++) {
		struct site site;
		struct str name = arena_strf(&a, "s%zu.example", i);

		ids[i] = new_site(s, &name, 1);
		OK(s, store_site_load(s, ids[i], &a, &site));
		SAME(site.wake.s, now.s);
		site.wake.s = wakes[i];
		site.doing = i % 2 == 0 ? DOING_CHECK : DOING_NOTHING;
		OK(s, store_site_save(s, &site, now));
	}
	OK(s, store_unfinished(s, 0, ret, 8, &n));
	SAME(n, 2);
	SAME(ret[0], ids[0]);
	OK(s, store_unfinished(s, ids[0], ret, 8, &n));
	SAME(n, 1);
	SAME(ret[0], ids[2]);
	/* A site that had no date gets one when it wants a certificate; one that has a date keeps it. */
	struct setting g = free_setting();
	OK(s, store_setting_put(s, ids[3], &g));
	OK(s, store_setting_put(s, ids[0], &g));
	SAME(wake_of(s, ids[0], &a), wakes[0]);
	assert_true(wake_of(s, ids[3], &a) < 50);
	struct site site;
	FAILS(store_site_load(s, 99, &a, &site), ERR_NOT_FOUND);
	FAILS(store_setting_put(s, 99, &g), ERR_NOT_FOUND);
	site = (struct site){ .id = 99 };
	FAILS(store_site_save(s, &site, now), ERR_NOT_FOUND);
	store_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(site_round_trip),
		cmocka_unit_test(finding_opens_and_goes),
		cmocka_unit_test(name_is_in_one_site),
		cmocka_unit_test(names_are_refused),
		cmocka_unit_test(wishes_are_taken_once),
		cmocka_unit_test(sites_have_a_date_and_some_are_unfinished),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
