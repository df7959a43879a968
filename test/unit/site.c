#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "core/site.h"
#include "core/site_letters.h"
#include "core/site_findings.h"
#include "core/site_plan.h"
#include "core/view.h"

/*
 * The decision about one site, over its whole small domain: every state × every event × every age of the certificate ×
 * what the check saw × what stands in the way. site_step asserts its own invariants; here is asserted what comes out.
 */

static const struct when now = { 1800000000 };
enum { DAY = 86400 };

/* --- a site and its world, small enough to enumerate --- */

enum age { AGE_NONE, AGE_YOUNG, AGE_DUE, AGE_REDUCE, AGE_ANYWAY, AGE_ENDED, AGE_COUNT };
static const char *const age_names[] = { "none", "young", "due", "reduce", "anyway", "ended" };
static const int age_days[] = { 0, 10, 65, 70, 77, 91 };

enum sight { SIGHT_FINE, SIGHT_WWW_GONE, SIGHT_ALL_ELSEWHERE, SIGHT_SERVER_DOWN, SIGHT_OTHER_SERVED, SIGHT_COUNT };
static const char *const sight_names[] = { "fine", "www gone", "all elsewhere", "server down", "another served" };

struct fixture {
	struct arena arena;
	struct site site;
	struct site_name names[2];
	struct finding findings[8];
	struct policy policy;
	struct str address;
};

static void
fixture_init(struct fixture *f, enum age age)
{
	memset(f, 0, sizeof *f);
	arena_init(&f->arena, (size_t)64 << 20);
	f->address = STR("192.0.2.10");
	f->policy = (struct policy){
		.look_every = SPAN_D(1),
		.poll_min = SPAN_S(30),
		.poll_max = SPAN_MIN(15),
		.draft_tell_after = SPAN_D(7),
		.draft_discard_after = SPAN_D(30),
		.ca_not_before = WHEN_UNKNOWN,
		.ca_is_ready = true,
		.addresses = &f->address,
		.addresses_n = 1,
		.ca_issuer = STR("ca.example"),
		.thumbprint = STR("thumb"),
	};
	struct site *s = &f->site;
	*s = (struct site){ .id = 7, .setting = { .source = SOURCE_FREE, .root = STR("/srv/www") }, .names = f->names, .names_n = 2,
		.retry_at = WHEN_UNKNOWN, .checked_at = WHEN_UNKNOWN, .look_at = now, .deploy_at = WHEN_UNKNOWN,
		.letter_at = WHEN_UNKNOWN, .wake = now, .job = 41, .jitter = 0x80000000U };
	s->findings = (struct finding_list){ .at = f->findings, .cap = 8 };
	for (size_t i = 0; i < 2; i++)
		f->names[i] = (struct site_name){ .id = (int64_t)i + 1, .is_wanted = true, .passed_at = WHEN_UNKNOWN,
			.validated_at = WHEN_UNKNOWN, .served = { .at = WHEN_UNKNOWN, .not_after = WHEN_UNKNOWN } };
	f->names[0].name = STR("example.jp");
	f->names[1].name = STR("www.example.jp");
	if (age == AGE_NONE)
		return;
	s->held = (struct held){ .id = 3, .is_live = true };
	s->held.life.from = when_minus(now, SPAN_D(age_days[age]));
	s->held.life.to = when_plus(s->held.life.from, SPAN_D(90));
	memset(s->held.fingerprint, 0xab, sizeof s->held.fingerprint);
	s->renewals_good = 1;
	s->issued_told = true;
	for (size_t i = 0; i < 2; i++) {
		f->names[i].is_held = true;
		f->names[i].passed_at = f->names[i].validated_at = s->held.life.from;
		f->names[i].served = (struct served){ .at = when_minus(now, SPAN_H(1)), .is_ok = age != AGE_ENDED, .is_held = true,
			.not_after = s->held.life.to };
		memcpy(f->names[i].served.fingerprint, s->held.fingerprint, FINGERPRINT_BYTES);
	}
	s->applied = (struct applied){ plan_digest(s, now), site_redirect(s, now), site_hsts(s, now) };
}

static void
fixture_do(struct fixture *f, enum doing doing)
{
	f->site.doing = doing;
	f->site.doing_since = when_minus(now, SPAN_S(5));
	f->site.order_id = doing == DOING_ORDER ? 9 : 0;
}

static struct evidence *
evidence_of(struct fixture *f, enum sight sight, bool is_tls_only)
{
	struct evidence *e = arena_get(&f->arena, sizeof *e);

	*e = (struct evidence){ .at = now, .has_dns = !is_tls_only, .has_http = !is_tls_only, .has_tls = true, .resolver_works = true,
		.names = arena_get(&f->arena, 2 * sizeof *e->names), .names_n = 2 };
	for (size_t i = 0; i < 2; i++) {
		struct name_evidence *n = &e->names[i];
		bool is_gone = sight == SIGHT_WWW_GONE && i == 1, is_here = sight != SIGHT_ALL_ELSEWHERE;

		*n = (struct name_evidence){ .name = f->names[i].name, .ttl_s = 300, .a_status = DNS_OK, .aaaa_status = DNS_OK,
			.caa_status = DNS_OK, .registered_domain = STR("example.jp"), .registered_status = DNS_OK };
		if (is_gone) {
			n->a_status = n->aaaa_status = DNS_NXDOMAIN;
			continue;
		}
		n->addresses = arena_get(&f->arena, sizeof *n->addresses);
		n->addresses_n = 1;
		struct address_evidence *a = n->addresses;
		*a = (struct address_evidence){ .ip = { 4, { 192, 0, 2, is_here ? 10 : 99 } }, .is_ours = is_here };
		if (sight == SIGHT_SERVER_DOWN) {
			a->http.result = HTTP_REFUSED;
			a->tls.result = TLS_REFUSED;
			continue;
		}
		a->http = (struct http_evidence){ .result = HTTP_ANSWERED, .status = is_here ? 200 : 404, .is_ours = is_here };
		if (!is_here || f->site.held.id == 0) {
			a->tls.result = TLS_REFUSED;
			continue;
		}
		a->tls = (struct tls_evidence){ .result = TLS_SHOWN, .chain_ok = true };
		a->tls.leaf = (struct certificate_info){ .not_before = f->site.held.life.from, .not_after = f->site.held.life.to,
			.names = arena_get(&f->arena, 2 * sizeof(struct str)), .names_n = 2, .issuer = STR("CA") };
		a->tls.leaf.names[0] = f->names[0].name;
		a->tls.leaf.names[1] = f->names[1].name;
		memset(a->tls.leaf.fingerprint, sight == SIGHT_OTHER_SERVED ? 0x11 : 0xab, FINGERPRINT_BYTES);
	}
	return e;
}

static struct site_effects *
step(struct fixture *f, struct site_event ev)
{
	struct site_effects *out = arena_get(&f->arena, sizeof *out);
	struct turn t = { now, 12345 };

	if (ev.retry_after.s == 0)
		ev.retry_after = WHEN_UNKNOWN;
	site_step(&f->site, &ev, &t, &f->policy, &f->arena, out);
	assert_false(arena_failed(&f->arena));
	return out;
}

static size_t
count(const struct site_effects *out, enum site_effect_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < out->n; i++)
		n += out->at[i].kind == kind;
	return n;
}

static size_t
letters(const struct site_effects *out, enum letter_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < out->n; i++)
		n += out->at[i].kind == FX_LETTER && out->at[i].letter == kind;
	return n;
}

static const struct site_effect *
first(const struct site_effects *out, enum site_effect_kind kind)
{
	for (size_t i = 0; i < out->n; i++)
		if (out->at[i].kind == kind)
			return &out->at[i];
	return NULL;
}

/* --- everything with everything --- */

static struct site_event
event_of(struct fixture *f, enum site_event_kind kind, enum sight sight, enum cause cause, struct finding *failure)
{
	struct site_event ev = { .kind = kind, .retry_after = WHEN_UNKNOWN };
	bool is_answer = kind == SITE_CHECKED || kind == SITE_ISSUED || kind == SITE_ORDER_FAILED || kind == SITE_DEPLOYED;

	ev.job = is_answer ? f->site.job : 0;
	ev.evidence = evidence_of(f, sight, f->site.doing == DOING_VERIFY);
	*failure = (struct finding){ .cause = cause, .subject = f->names[0].name, .acts = cause_row(cause)->acts, .next_look = now };
	ev.failures = failure;
	ev.failures_n = kind == SITE_ORDER_FAILED || (kind == SITE_DEPLOYED && cause_row(cause)->layer == LAYER_OWN);
	if (kind == SITE_ISSUED) {
		ev.issued = (struct held){ .id = 4, .life = { now, when_plus(now, SPAN_D(90)) } };
		memset(ev.issued.fingerprint, 0xcd, FINGERPRINT_BYTES);
		struct str *names = arena_get(&f->arena, 2 * sizeof *names);
		names[0] = f->names[0].name;
		names[1] = f->names[1].name;
		ev.issued_names = names;
		ev.issued_names_n = sight == SIGHT_WWW_GONE ? 1 : 2;
	}
	if (kind == SITE_DEPLOYED && ev.failures_n == 0)
		ev.applied = (struct applied){ plan_digest(&f->site, now), site_redirect(&f->site, now), false };
	return ev;
}

static void
check_outcome(const struct fixture *f, const struct site_effects *out, const char *name)
{
	const struct site *s = &f->site;
	size_t begun = count(out, FX_CHECK) + count(out, FX_VERIFY) + count(out, FX_ORDER) + count(out, FX_RESUME) + count(out, FX_DEPLOY);

	if (!when_before(now, s->wake))
		fail_msg("%s: the next date is not in the future", name);
	/* P2: whoever wants a certificate is looked at daily; who has moved away, weekly; no answer is awaited for longer. */
	struct span most = plan_is_gone(s) && s->doing == DOING_NOTHING ? SPAN_D(7) : SPAN_D(1);
	if (plan_wants(s) && when_between(now, s->wake).s > most.s)
		fail_msg("%s: the next date is %lld s away", name, (long long)when_between(now, s->wake).s);
	if (begun > 1)
		fail_msg("%s: %zu things were begun at once", name, begun);
	if (begun == 1 && s->doing == DOING_NOTHING)
		fail_msg("%s: something was begun and nothing is awaited", name);
	size_t told = count(out, FX_LETTER) - letters(out, LETTER_DRAFT) - letters(out, LETTER_ISSUED);
	if (told > 1)
		fail_msg("%s: %zu letters of one story at once", name, told);
	/* P5, P6: an order is for names that pass, or for what was validated before in the last sixth. */
	const struct site_effect *order = first(out, FX_ORDER);
	if (order != NULL && order->names_n == 0)
		fail_msg("%s: an order for nothing", name);
	struct view v = view_of(s, now);
	if (v.state == SITE_STATE_OK && s->held.id != 0 && !when_before(now, s->held.life.to))
		fail_msg("%s: said to be fine after its end", name);
}

static void
test_everything(void **state)
{
	size_t rows = 0;

	(void)state;
	for (enum doing doing = 0; doing < DOING_COUNT; doing++)
		for (enum site_event_kind kind = 0; kind < SITE_EVENT_COUNT; kind++)
			for (enum age age = 0; age < AGE_COUNT; age++)
				for (enum sight sight = 0; sight < SIGHT_COUNT; sight++)
					for (enum cause cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++) {
						struct fixture f;
						struct finding failure;
						char name[160];

						/* The cause matters only where an answer carries one. */
						if (kind != SITE_ORDER_FAILED && kind != SITE_DEPLOYED && cause > CAUSE_NONE + 1)
							continue;
						fixture_init(&f, age);
						fixture_do(&f, doing);
						struct site_event ev = event_of(&f, kind, sight, cause, &failure);
						(void)snprintf(name, sizeof name, "%s, event %d, %s, %s, %s", doing_name(doing), (int)kind,
						    age_names[age], sight_names[sight], cause_row(cause)->id);
						const struct site_effects *out = step(&f, ev);
						check_outcome(&f, out, name);
						arena_fini(&f.arena);
						rows++;
					}
	printf("# %zu combinations\n", rows);
	assert_true(rows > 10000);
}

/* An answer to another job than the one that is awaited changes nothing that is under way. */
static void
test_late_answers(void **state)
{
	(void)state;
	for (enum doing doing = DOING_CHECK; doing < DOING_COUNT; doing++)
		for (enum site_event_kind kind = SITE_CHECKED; kind <= SITE_DEPLOYED; kind++) {
			struct fixture f;
			struct finding failure;

			fixture_init(&f, AGE_YOUNG);
			fixture_do(&f, doing);
			struct site_event ev = event_of(&f, kind, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &failure);
			ev.job = f.site.job - 1;
			const struct site_effects *out = step(&f, ev);
			assert_int_equal(f.site.doing, doing);
			assert_int_equal(out->n, 0);
			arena_fini(&f.arena);
		}
}

/* --- P5: which names are ordered, at each age of the certificate and for each sight --- */

static void
test_partial_beats_nothing(void **state)
{
	static const struct {
		enum age age;
		enum sight sight;
		size_t ordered; /* names in the order that follows the check */
	} rows[] = {
		{ AGE_NONE, SIGHT_FINE, 2 }, { AGE_NONE, SIGHT_WWW_GONE, 1 }, { AGE_NONE, SIGHT_ALL_ELSEWHERE, 0 },
		{ AGE_YOUNG, SIGHT_FINE, 0 }, { AGE_YOUNG, SIGHT_WWW_GONE, 0 },
		{ AGE_DUE, SIGHT_FINE, 2 }, { AGE_DUE, SIGHT_WWW_GONE, 0 }, { AGE_DUE, SIGHT_ALL_ELSEWHERE, 0 },
		{ AGE_REDUCE, SIGHT_FINE, 2 }, { AGE_REDUCE, SIGHT_WWW_GONE, 1 }, { AGE_REDUCE, SIGHT_ALL_ELSEWHERE, 0 },
		{ AGE_ANYWAY, SIGHT_WWW_GONE, 1 }, { AGE_ANYWAY, SIGHT_ALL_ELSEWHERE, 2 },
		{ AGE_ENDED, SIGHT_FINE, 2 }, { AGE_ENDED, SIGHT_WWW_GONE, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;
		struct finding unused;

		fixture_init(&f, rows[i].age);
		/* What is on the server is as it should be. */
		f.site.applied.digest = plan_digest(&f.site, now);
		fixture_do(&f, DOING_CHECK);
		const struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, rows[i].sight, CAUSE_CA_SERVICE_DOWN, &unused));
		const struct site_effect *order = first(out, FX_ORDER);
		size_t got = order != NULL ? order->names_n : 0;

		if (got != rows[i].ordered)
			fail_msg("%s, %s: %zu names ordered, wanted %zu", age_names[rows[i].age], sight_names[rows[i].sight], got, rows[i].ordered);
		arena_fini(&f.arena);
	}
}

/* --- P3: drafts, redirects --- */

static void
test_draft_is_not_read(void **state)
{
	(void)state;
	for (enum age age = 0; age < AGE_COUNT; age++)
		for (enum sight sight = 0; sight < SIGHT_COUNT; sight++) {
			struct fixture with, without;
			struct finding unused;

			fixture_init(&with, age);
			fixture_init(&without, age);
			with.site.draft = (struct draft){ .exists = true, .begun_at = when_minus(now, SPAN_D(3)), .told_at = WHEN_UNKNOWN,
				.setting = { .source = SOURCE_NONE, .redirect = true, .hsts = true, .root = STR("/elsewhere") } };
			fixture_do(&with, DOING_CHECK);
			fixture_do(&without, DOING_CHECK);
			const struct site_effects *a = step(&with, event_of(&with, SITE_CHECKED, sight, CAUSE_CA_SERVICE_DOWN, &unused));
			const struct site_effects *b = step(&without, event_of(&without, SITE_CHECKED, sight, CAUSE_CA_SERVICE_DOWN, &unused));
			assert_int_equal(a->n, b->n);
			for (size_t i = 0; i < a->n; i++)
				assert_int_equal(a->at[i].kind, b->at[i].kind);
			assert_int_equal(with.site.doing, without.site.doing);
			arena_fini(&with.arena);
			arena_fini(&without.arena);
		}
}

static void
test_redirect(void **state)
{
	static const struct {
		const char *name;
		enum age age;
		unsigned good;
		bool is_live, www_ok;
		int wanted;
		bool hsts;
	} rows[] = {
		{ "no certificate", AGE_NONE, 0, false, true, 0, false },
		{ "first certificate", AGE_YOUNG, 1, true, true, 307, false },
		{ "one renewal", AGE_YOUNG, 2, true, true, 307, false },
		{ "two renewals", AGE_YOUNG, 3, true, true, 308, true },
		{ "less left than HSTS would promise", AGE_ANYWAY, 3, true, true, 308, false },
		{ "not proven", AGE_YOUNG, 3, false, true, 0, false },
		{ "www shows a warning", AGE_YOUNG, 3, true, false, 0, false },
		{ "over", AGE_ENDED, 3, true, true, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;

		fixture_init(&f, rows[i].age);
		f.site.setting.redirect = f.site.setting.hsts = true;
		f.site.renewals_good = rows[i].good;
		f.site.held.is_live = rows[i].is_live;
		f.names[1].served.is_ok = rows[i].www_ok;
		if (!rows[i].is_live)
			f.names[0].served.not_after = f.names[1].served.not_after = WHEN_UNKNOWN;
		if (site_redirect(&f.site, now) != rows[i].wanted || site_hsts(&f.site, now) != rows[i].hsts)
			fail_msg("%s: redirect %d, hsts %d", rows[i].name, site_redirect(&f.site, now), site_hsts(&f.site, now));
		arena_fini(&f.arena);
	}
}

/* --- letters --- */

static void
test_owner_is_left_in_peace(void **state)
{
	(void)state;
	/* Whatever of ours or of the CA's goes wrong with an order: no letter, at no age. */
	for (enum cause cause = CAUSE_NONE + 1; cause < CAUSE_COUNT; cause++)
		for (enum age age = 0; age < AGE_COUNT; age++) {
			struct fixture f;
			struct finding failure;

			if (actor_is_owner(cause_row(cause)->acts))
				continue;
			fixture_init(&f, age);
			fixture_do(&f, DOING_ORDER);
			const struct site_effects *out = step(&f, event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, cause, &failure));
			if (count(out, FX_LETTER) != 0)
				fail_msg("%s at age %s: a letter", cause_row(cause)->id, age_names[age]);
			arena_fini(&f.arena);
		}
}

/* A fault of the owner's over a whole life, day by day: what is told, and how often. */
static void
test_story_of_letters(void **state)
{
	struct fixture f;
	size_t told[LETTER_COUNT] = { 0 };
	struct when last = WHEN_UNKNOWN;

	(void)state;
	fixture_init(&f, AGE_DUE);
	f.findings[0] = (struct finding){ .cause = CAUSE_DNS_A_ELSEWHERE, .subject = f.names[0].name };
	f.site.findings.n = 1;
	struct finding *gone = &f.findings[0];
	gone->acts = ACTOR_DOMAIN_COMPANY;
	gone->first_seen = gone->last_seen = now;
	gone->told_at = WHEN_UNKNOWN;
	gone->times_seen = 2;
	for (int hour = 0; hour < 40 * 24; hour++) {
		struct turn t = { when_plus(now, SPAN_H(hour)), 1 };
		struct site_effects out = { .n = 0 };

		site_letters(&f.site, &t, &f.policy, &f.arena, &out);
		assert_true(out.n <= 1);
		if (out.n == 0)
			continue;
		told[out.at[0].letter]++;
		if (when_is_known(last))
			assert_true(when_between(last, t.now).s >= DAY);
		last = t.now;
	}
	assert_int_equal(told[LETTER_ACT], 1);
	assert_int_equal(told[LETTER_REMINDER], 4);
	assert_int_equal(told[LETTER_EXPIRED], 1);
	assert_int_equal(told[LETTER_RESOLVED], 0);
	/* Mended: one letter says so, and the story is over. */
	f.site.findings.n = 0;
	f.site.held.life = (struct life){ now, when_plus(now, SPAN_D(130)) };
	f.names[0].served.is_ok = f.names[1].served.is_ok = true;
	struct turn t = { when_plus(now, SPAN_D(41)), 1 };
	struct site_effects out = { .n = 0 };
	site_letters(&f.site, &t, &f.policy, &f.arena, &out);
	assert_int_equal(letters(&out, LETTER_RESOLVED), 1);
	out.n = 0;
	site_letters(&f.site, &t, &f.policy, &f.arena, &out);
	assert_int_equal(out.n, 0);
	arena_fini(&f.arena);
}

/* What an order met is told again only when no order is under way that may go well: its owner may have mended it. */
static void
test_order_under_way_is_awaited(void **state)
{
	static const struct {
		enum doing doing;
		bool is_from_order;
		size_t told;
	} rows[] = { { DOING_ORDER, true, 0 }, { DOING_NOTHING, true, 1 }, { DOING_ORDER, false, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;
		struct turn t = { now, 1 };
		struct site_effects out = { .n = 0 };

		fixture_init(&f, AGE_ENDED);
		f.site.story_open = true;
		f.findings[0] = (struct finding){ .cause = CAUSE_DNS_A_ELSEWHERE,
			.subject = f.names[0].name,
			.acts = ACTOR_DOMAIN_COMPANY,
			.is_from_order = rows[i].is_from_order,
			.times_seen = 3,
			.told_at = when_minus(now, SPAN_D(10)),
			.next_look = now };
		f.site.findings.n = 1;
		fixture_do(&f, rows[i].doing);
		site_letters(&f.site, &t, &f.policy, &f.arena, &out);
		if (letters(&out, LETTER_EXPIRED) != rows[i].told || out.n != rows[i].told)
			fail_msg("row %zu: %zu letters, %zu of them about the end", i, out.n, letters(&out, LETTER_EXPIRED));
		arena_fini(&f.arena);
	}
}

/* Our resolver is down and hides what the owner had to mend: a handshake that goes well is no reason to say that all is well. */
static void
test_well_is_not_said_blindly(void **state)
{
	static const struct {
		enum cause cause;
		size_t told;
	} rows[] = { { CAUSE_OWN_RESOLVER_UNAVAILABLE, 0 }, { CAUSE_OWN_NETWORK_DOWN, 0 }, { CAUSE_NONE, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;
		struct finding unused;

		fixture_init(&f, AGE_YOUNG);
		f.site.story_open = true;
		f.site.look_at = when_plus(now, SPAN_H(1));
		f.findings[0] = (struct finding){ .cause = rows[i].cause,
			.subject = f.names[0].name,
			.acts = ACTOR_HOST,
			.told_at = WHEN_UNKNOWN,
			.next_look = when_plus(now, SPAN_MIN(1)) };
		f.site.findings.n = rows[i].cause != CAUSE_NONE;
		fixture_do(&f, DOING_VERIFY);
		const struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
		if (letters(out, LETTER_RESOLVED) != rows[i].told || f.site.doing != DOING_NOTHING)
			fail_msg("%s: %zu letters, doing %s", cause_row(rows[i].cause)->id, letters(out, LETTER_RESOLVED),
			    doing_name(f.site.doing));
		arena_fini(&f.arena);
	}
}

/* While our resolver is down nothing is seen, and nothing is over: the owner is not told the same again when it is back. */
static void
test_unseen_is_not_gone(void **state)
{
	struct fixture f;
	struct finding unused;

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	fixture_do(&f, DOING_CHECK);
	(void)step(&f, event_of(&f, SITE_CHECKED, SIGHT_WWW_GONE, CAUSE_CA_SERVICE_DOWN, &unused));
	struct finding *www = findings_find(&f.site.findings, CAUSE_DNS_ADDRESS_PARTLY_MISSING, f.names[1].name);
	assert_non_null(www);
	struct when first = www->first_seen, told = www->told_at = when_minus(now, SPAN_H(2));
	fixture_do(&f, DOING_CHECK);
	struct evidence *e = evidence_of(&f, SIGHT_WWW_GONE, false);
	for (size_t i = 0; i < 2; i++) {
		e->names[i].a_status = e->names[i].aaaa_status = DNS_LOCAL;
		e->names[i].addresses_n = 0;
	}
	struct site_event blind = event_of(&f, SITE_CHECKED, SIGHT_WWW_GONE, CAUSE_CA_SERVICE_DOWN, &unused);
	blind.evidence = e;
	const struct site_effects *out = step(&f, blind);
	assert_non_null(findings_find(&f.site.findings, CAUSE_OWN_RESOLVER_UNAVAILABLE, f.names[1].name));
	www = findings_find(&f.site.findings, CAUSE_DNS_ADDRESS_PARTLY_MISSING, f.names[1].name);
	assert_non_null(www);
	assert_int_equal(www->first_seen.s, first.s);
	assert_int_equal(www->told_at.s, told.s);
	assert_int_equal(count(out, FX_LETTER), 0);
	/* It is back, and so is the record. */
	fixture_do(&f, DOING_CHECK);
	(void)step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_null(findings_find(&f.site.findings, CAUSE_DNS_ADDRESS_PARTLY_MISSING, f.names[1].name));
	arena_fini(&f.arena);
}

/* --- P6: a failed order is not repeated without a reason --- */

static void
test_backoff_of_orders(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, AGE_NONE);
	for (unsigned n = 1; n <= 6; n++) {
		static const int64_t least[] = { 60, 600, 6000, 86400, 86400, 86400 };
		struct turn t = { now, 0xffffffffU };

		assert_true(plan_order_backoff(&f.site, n, &t).s >= least[n - 1]);
		assert_true(plan_order_backoff(&f.site, n, &t).s <= least[n - 1] * 5 / 4 + 1);
	}
	/* The CA's own date is law: no wish and no passed check shortens it. */
	struct finding failure;
	fixture_do(&f, DOING_ORDER);
	struct site_event ev = event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, CAUSE_CA_LIMIT_EXACT_SET, &failure);
	ev.retry_after = when_plus(now, SPAN_H(34));
	(void)step(&f, ev);
	assert_int_equal(f.site.retry_at.s, when_plus(now, SPAN_H(34)).s);
	(void)step(&f, (struct site_event){ .kind = SITE_ASKED_RENEW, .retry_after = WHEN_UNKNOWN });
	f.site.doing = DOING_CHECK;
	struct site_event seen = event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_LIMIT_EXACT_SET, &failure);
	const struct site_effects *out = step(&f, seen);
	assert_int_equal(count(out, FX_ORDER), 0);
	arena_fini(&f.arena);
}

/* One name that the CA refuses does not take the others down: they are ordered without it at once. */
static void
test_refused_name_is_left_out(void **state)
{
	struct fixture f;
	struct finding failure;

	(void)state;
	fixture_init(&f, AGE_NONE);
	f.site.applied.digest = plan_digest(&f.site, now);
	f.names[0].passed_at = f.names[1].passed_at = f.site.checked_at = now;
	fixture_do(&f, DOING_ORDER);
	struct site_event ev = event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, CAUSE_HTTP_CHALLENGE_FORBIDDEN, &failure);
	failure.subject = f.names[1].name;
	(void)step(&f, ev);
	assert_true(f.site.retry_at.s <= now.s + 1);
	/* A second later, after a check that sees nothing wrong. */
	f.site.retry_at = now;
	f.site.doing = DOING_CHECK;
	const struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &failure));
	const struct site_effect *order = first(out, FX_ORDER);
	if (order == NULL) {
		fail_msg("nothing was ordered");
		return;
	}
	assert_int_equal(order->names_n, 1);
	assert_true(str_eq(order->names[0], f.names[0].name));
	arena_fini(&f.arena);
}

/* The CA refused www in words of its own while a check saw no record of it; a check that finds all in order says that it was
 * mended, and it is ordered at once. Where no check had anything against it, the CA's word stands until its date. */
static void
test_mended_name_is_not_refused(void **state)
{
	(void)state;
	for (int was_seen = 0; was_seen < 2; was_seen++) {
		struct fixture f;
		struct finding failure;

		fixture_init(&f, AGE_NONE);
		f.site.applied.digest = plan_digest(&f.site, now);
		if (was_seen) {
			fixture_do(&f, DOING_CHECK);
			(void)step(&f, event_of(&f, SITE_CHECKED, SIGHT_WWW_GONE, CAUSE_CA_SERVICE_DOWN, &failure));
		}
		f.names[0].passed_at = f.names[1].passed_at = f.site.checked_at = now;
		f.site.order_failures = 3; /* the next try is a day away */
		fixture_do(&f, DOING_ORDER);
		struct site_event ev = event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, CAUSE_HTTP_CHALLENGE_FORBIDDEN, &failure);
		failure.subject = f.names[1].name;
		(void)step(&f, ev);
		assert_true(f.names[1].refused_until.s > now.s);
		fixture_do(&f, DOING_CHECK);
		f.site.retry_at = now;
		const struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &failure));
		const struct site_effect *order = first(out, FX_ORDER);
		if (order == NULL) {
			fail_msg("nothing was ordered");
			return;
		}
		assert_int_equal(order->names_n, was_seen ? 2 : 1);
		assert_int_equal(findings_find(&f.site.findings, CAUSE_HTTP_CHALLENGE_FORBIDDEN, f.names[1].name) == NULL, was_seen);
		arena_fini(&f.arena);
	}
}

/* What has been taken off the server is left alone; what the installer was about to put on is taken off as well. */
static void
test_removed_site_rests(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f, AGE_NONE);
	f.site.is_removed = true;
	f.site.applied.digest = 5;
	fixture_do(&f, DOING_DEPLOY);
	const struct site_effects *out = step(&f, (struct site_event){ .kind = SITE_DEPLOYED, .job = f.site.job, .retry_after = WHEN_UNKNOWN });
	assert_int_equal(count(out, FX_DEPLOY), 0);
	assert_int_equal(f.site.doing, DOING_NOTHING);
	assert_int_equal(f.site.wake.s, WHEN_NEVER.s);
	arena_fini(&f.arena);
	fixture_init(&f, AGE_NONE);
	fixture_do(&f, DOING_DEPLOY);
	f.site.applied.digest = 0;
	out = step(&f, (struct site_event){ .kind = SITE_REMOVED, .retry_after = WHEN_UNKNOWN });
	const struct site_effect *deploy = first(out, FX_DEPLOY);
	assert_true(deploy != NULL && deploy->is_removal);
	arena_fini(&f.arena);
}

/* P7: a renewal that a person asked for survives the death of the engine between the decision and the order. */
static void
test_wish_survives(void **state)
{
	struct fixture f;
	struct finding unused;

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.asked_renew = true;
	fixture_do(&f, DOING_CHECK);
	(void)step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_int_equal(f.site.doing, DOING_ORDER);
	/* The order was never placed; the next engine begins with what is stored. */
	const struct site_effects *out = step(&f, (struct site_event){ .kind = SITE_RESTARTED, .retry_after = WHEN_UNKNOWN });
	assert_int_equal(count(out, FX_ORDER), 1);
	/* Refused, it is no reason for tries without end. */
	f.site.order_id = 9;
	(void)step(&f, event_of(&f, SITE_ORDER_FAILED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_false(f.site.asked_renew);
	arena_fini(&f.arena);
}

/* --- what is said --- */

/* The first state that fits is the one that is said; rows in the order of precedence. */
/* The first verification saw a web server in the middle of its reload. Whichever look sees the certificate next proves it. */
static void
test_proven_by_any_look(void **state)
{
	static const enum doing looks[] = { DOING_VERIFY, DOING_CHECK };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture f;
		struct finding unused;
		size_t proven = 0;

		fixture_init(&f, AGE_YOUNG);
		f.site.held.is_live = false;
		f.site.verify_failures = 1;
		fixture_do(&f, looks[i]);
		const struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
		for (size_t k = 0; k < out->n; k++)
			proven += out->at[k].kind == FX_HISTORY && out->at[k].history == HISTORY_PROVEN;
		if (!f.site.held.is_live || proven != 1 || f.site.renewals_good != 2 || f.site.verify_failures != 0)
			fail_msg("%s: live %d, proven %zu times, good %u", doing_name(looks[i]), f.site.held.is_live, proven,
			    f.site.renewals_good);
		arena_fini(&f.arena);
	}
}

/* What was taken off the server is taken off once, whatever the site had. */
static void
test_removed_once(void **state)
{
	/* The first one was never on the server, but is just being put there. */
	static const enum age ages[] = { AGE_NONE, AGE_YOUNG, AGE_ENDED };

	(void)state;
	for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
		struct fixture f;
		struct finding unused;

		fixture_init(&f, ages[i]);
		if (ages[i] == AGE_NONE)
			fixture_do(&f, DOING_DEPLOY);
		const struct site_effects *out = step(&f, event_of(&f, SITE_REMOVED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
		const struct site_effect *fx = first(out, FX_DEPLOY);
		assert_non_null(fx);
		struct site_event done = { .kind = SITE_DEPLOYED, .job = f.site.job };
		if (fx != NULL)
			done.applied = fx->applied;
		out = step(&f, done);
		assert_int_equal(count(out, FX_DEPLOY), 0);
		assert_int_equal(f.site.doing, DOING_NOTHING);
		assert_int_equal(f.site.wake.s, WHEN_NEVER.s);
		arena_fini(&f.arena);
	}
}

/* What a change puts on the server is proven by a handshake; the change itself is looked at with everything, at once. */
static void
test_changed_is_looked_at(void **state)
{
	struct fixture f;
	struct finding unused;

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.checked_at = when_minus(now, SPAN_H(20));
	f.site.look_at = when_plus(now, SPAN_H(4));
	f.site.setting.root = STR("/srv/another");
	const struct site_effects *out = step(&f, event_of(&f, SITE_CHANGED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	const struct site_effect *fx = first(out, FX_DEPLOY);
	assert_non_null(fx);
	struct site_event done = { .kind = SITE_DEPLOYED, .job = f.site.job };
	if (fx != NULL)
		done.applied = fx->applied;
	(void)step(&f, done);
	assert_int_equal(f.site.doing, DOING_VERIFY);
	out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_int_equal(count(out, FX_CHECK), 1);
	arena_fini(&f.arena);
}

/* A handshake does not put off the look at everything by a day. */
static void
test_look_counts_from_the_last(void **state)
{
	struct fixture f;
	struct finding unused;

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.checked_at = when_minus(now, SPAN_H(20));
	fixture_do(&f, DOING_VERIFY);
	(void)step(&f, event_of(&f, SITE_CHECKED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_true(when_between(now, f.site.look_at).s <= 4 * 3600);
	arena_fini(&f.arena);
}

/* Between the order and its proof the names were led elsewhere. The cause is looked for at once, not with the next ordinary look. */
static void
test_nothing_seen_is_looked_into(void **state)
{
	struct fixture f;
	struct finding unused;

	(void)state;
	fixture_init(&f, AGE_YOUNG);
	f.site.held.is_live = false;
	f.site.verify_failures = 3;
	fixture_do(&f, DOING_VERIFY);
	const struct site_effects *out = step(&f, event_of(&f, SITE_CHECKED, SIGHT_ALL_ELSEWHERE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_int_equal(count(out, FX_CHECK), 1);
	assert_int_equal(f.site.doing, DOING_CHECK);
	/* It is found and named, and the next look is an ordinary one. */
	(void)step(&f, event_of(&f, SITE_CHECKED, SIGHT_ALL_ELSEWHERE, CAUSE_CA_SERVICE_DOWN, &unused));
	assert_int_equal(f.site.doing, DOING_NOTHING);
	assert_non_null(site_cause_of(&f.site, f.names[0].name));
	assert_true(when_before(now, f.site.look_at));
	arena_fini(&f.arena);
}

static void
test_states(void **state)
{
	static const struct {
		const char *name;
		enum age age;
		enum cause cause; /* open for www */
		bool is_www_held;
		enum site_state wanted;
	} rows[] = {
		{ "over", AGE_ENDED, CAUSE_NONE, true, SITE_STATE_EXPIRED },
		{ "nothing yet", AGE_NONE, CAUSE_NONE, false, SITE_STATE_ISSUING },
		{ "nothing yet, and the owner must act", AGE_NONE, CAUSE_DNS_A_ELSEWHERE, false, SITE_STATE_ACT },
		{ "the owner must act", AGE_DUE, CAUSE_DNS_A_ELSEWHERE, true, SITE_STATE_ACT },
		{ "we must act", AGE_DUE, CAUSE_OWN_DEPLOY_CONFIG_BROKEN, true, SITE_STATE_OURS },
		{ "www is left out", AGE_YOUNG, CAUSE_DNS_ADDRESS_PARTLY_MISSING, false, SITE_STATE_PARTIAL },
		{ "www moved away", AGE_YOUNG, CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY, true, SITE_STATE_PARTIAL },
		{ "fine", AGE_YOUNG, CAUSE_NONE, true, SITE_STATE_OK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fixture f;

		fixture_init(&f, rows[i].age);
		f.names[1].is_held = rows[i].is_www_held;
		if (rows[i].cause != CAUSE_NONE) {
			f.findings[0] = (struct finding){ .cause = rows[i].cause, .subject = f.names[1].name,
				.acts = cause_row(rows[i].cause)->acts };
			f.site.findings.n = 1;
		}
		struct view v = view_of(&f.site, now);
		if (v.state != rows[i].wanted)
			fail_msg("%s: %s, wanted %s", rows[i].name, site_state_name(v.state), site_state_name(rows[i].wanted));
		/* The page never says "safe until" and "a warning since" together. */
		assert_false(when_is_known(v.until) && when_is_known(v.since));
		arena_fini(&f.arena);
	}
}

/* After the first deploy the check begins at once, unless workers of before the reload might still answer. */
static void
test_settling_after_a_reload(void **state)
{
	(void)state;
	for (int is_reloading = 0; is_reloading < 2; is_reloading++) {
		struct fixture f;
		struct finding unused;

		fixture_init(&f, AGE_NONE);
		fixture_do(&f, DOING_DEPLOY);
		struct site_event ev = event_of(&f, SITE_DEPLOYED, SIGHT_FINE, CAUSE_CA_SERVICE_DOWN, &unused);
		ev.is_reloading = is_reloading;
		const struct site_effects *out = step(&f, ev);
		assert_int_equal(count(out, FX_CHECK), !is_reloading);
		if (is_reloading)
			assert_int_equal(when_between(now, f.site.wake).s, 1);
		arena_fini(&f.arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_late_answers),
		cmocka_unit_test(test_partial_beats_nothing),
		cmocka_unit_test(test_draft_is_not_read),
		cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_owner_is_left_in_peace),
		cmocka_unit_test(test_story_of_letters),
		cmocka_unit_test(test_well_is_not_said_blindly),
		cmocka_unit_test(test_unseen_is_not_gone),
		cmocka_unit_test(test_order_under_way_is_awaited),
		cmocka_unit_test(test_backoff_of_orders),
		cmocka_unit_test(test_refused_name_is_left_out),
		cmocka_unit_test(test_mended_name_is_not_refused),
		cmocka_unit_test(test_proven_by_any_look),
		cmocka_unit_test(test_removed_site_rests),
		cmocka_unit_test(test_wish_survives),
		cmocka_unit_test(test_removed_once),
		cmocka_unit_test(test_changed_is_looked_at),
		cmocka_unit_test(test_look_counts_from_the_last),
		cmocka_unit_test(test_nothing_seen_is_looked_into),
		cmocka_unit_test(test_settling_after_a_reload),
		cmocka_unit_test(test_states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
