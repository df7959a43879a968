/* registration.domain.moved-away: a name that has left for good, over everything that DNS may say of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "core/site.h"
#include "core/site_letters.h"
#include "core/site_plan.h"
#include "core/view.h"

static const struct when now = { 1800000000 };
enum { DAY = 86400 };

/* What DNS says of a name now, and what is known from before. */
enum sight { HERE, AWAY, FURTHER, SILENT, ABSENT, SIGHT_COUNT };
static const char *const sight_names[] = { "here", "away", "away at another place", "silent", "absent" };
enum past { FINE, AWAY_LATELY, AWAY_LONG, MOVED, PAST_COUNT };
static const char *const past_names[] = { "fine", "away since lately", "away since long", "moved" };

struct fixture {
	struct arena arena;
	struct site site;
	struct site_name names[2];
	struct finding findings[8];
	struct policy policy;
	struct str address;
	struct site_effects out;
};

static void
put_past(struct fixture *f, size_t i, enum past past, struct span length)
{
	/* A little less, and a little more, than thirty forty-fifths of a life of 45 days. */
	int64_t part = length.s < 45 * DAY ? length.s : 45 * DAY;
	int64_t ago = past == AWAY_LATELY ? part * 29 / 45 : part * 31 / 45;

	if (past == FINE)
		return;
	f->findings[f->site.findings.n++] = (struct finding){
		.cause = past == MOVED ? CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY : CAUSE_DNS_A_ELSEWHERE,
		.subject = f->names[i].name,
		.seen = STR("198.51.100.5"),
		.acts = past == MOVED ? ACTOR_OWNER : ACTOR_DOMAIN_COMPANY,
		.first_seen = when_minus(now, SPAN_S(ago)),
		.last_seen = now,
		.next_look = now,
		.told_at = when_minus(now, SPAN_D(20)),
		.times_seen = 5,
	};
}

static void
fixture_init(struct fixture *f, struct span length, const enum past past[2], bool was_here, int64_t used_s)
{
	memset(f, 0, sizeof *f);
	arena_init(&f->arena, (size_t)16 << 20);
	f->address = STR("192.0.2.10");
	f->policy = (struct policy){ .look_every = SPAN_D(1), .poll_min = SPAN_S(30), .poll_max = SPAN_MIN(15),
		.draft_tell_after = SPAN_D(7), .draft_discard_after = SPAN_D(30), .ca_not_before = WHEN_UNKNOWN, .ca_is_ready = true,
		.addresses = &f->address, .addresses_n = 1, .ca_issuer = STR("ca.example"), .thumbprint = STR("thumb") };
	struct site *s = &f->site;
	*s = (struct site){ .id = 7, .setting = { .source = SOURCE_FREE, .root = STR("/srv/www") }, .names = f->names, .names_n = 2,
		.retry_at = WHEN_UNKNOWN, .checked_at = when_minus(now, SPAN_S(30)), .look_at = now, .deploy_at = WHEN_UNKNOWN,
		.letter_at = when_minus(now, SPAN_D(20)), .wake = now, .job = 41, .doing = DOING_CHECK, .doing_since = now,
		.issued_told = true, .renewals_good = 1, .renewal = { .poll_at = WHEN_NEVER } };
	s->held = (struct held){ .id = 3, .is_live = true, .life = { .from = when_minus(now, SPAN_S(used_s)) } };
	s->held.life.to = when_plus(s->held.life.from, length);
	memset(s->held.fingerprint, 0xab, FINGERPRINT_BYTES);
	s->findings = (struct finding_list){ .at = f->findings, .cap = 8 };
	f->names[0].name = STR("example.jp");
	f->names[1].name = STR("www.example.jp");
	for (size_t i = 0; i < 2; i++) {
		struct site_name *n = &f->names[i];

		n->id = (int64_t)i + 1;
		n->is_wanted = true;
		n->is_held = was_here;
		n->validated_at = was_here ? s->held.life.from : WHEN_UNKNOWN;
		n->passed_at = WHEN_UNKNOWN;
		n->served = (struct served){ .at = now, .is_ok = true, .is_held = true, .not_after = s->held.life.to };
		put_past(f, i, past[i], length);
	}
	s->applied = (struct applied){ plan_digest(s, now), site_redirect(s, now), false };
}

static void
fixture_fini(struct fixture *f)
{
	arena_fini(&f->arena);
}

static void
see(struct fixture *f, struct name_evidence *n, enum sight sight, bool is_dns_only)
{
	n->ttl_s = 300;
	n->caa_status = DNS_OK;
	n->a_status = n->aaaa_status = sight == SILENT ? DNS_TIMEOUT : sight == ABSENT ? DNS_NXDOMAIN : DNS_OK;
	n->registered_domain = STR("example.jp");
	n->registered_status = DNS_OK;
	if (sight == SILENT || sight == ABSENT)
		return;
	struct address_evidence *a = arena_get(&f->arena, sizeof *a);
	assert_non_null(a);
	n->addresses = a;
	n->addresses_n = 1;
	*a = (struct address_evidence){ .ip = { 4, { 192, 0, 2, 10 } }, .is_ours = sight == HERE };
	if (sight != HERE)
		a->ip = (struct address){ 4, { 198, 51, 100, sight == AWAY ? 5 : 6 } };
	if (is_dns_only)
		return;
	a->http = (struct http_evidence){ .result = HTTP_ANSWERED, .status = sight == HERE ? 200 : 404, .is_ours = sight == HERE };
	a->tls = (struct tls_evidence){ .result = TLS_SHOWN, .chain_ok = true };
	a->tls.leaf = (struct certificate_info){ .not_before = f->site.held.life.from, .not_after = f->site.held.life.to,
		.names = arena_get(&f->arena, 2 * sizeof(struct str)), .names_n = 2, .issuer = STR("CA") };
	a->tls.leaf.names[0] = f->names[0].name;
	a->tls.leaf.names[1] = f->names[1].name;
	memset(a->tls.leaf.fingerprint, sight == HERE ? 0xab : 0x22, FINGERPRINT_BYTES);
}

static void
step(struct fixture *f, const enum sight sights[2], bool is_dns_only)
{
	struct evidence *e = arena_get(&f->arena, sizeof *e);
	struct turn t = { now, 0 };

	assert_non_null(e);
	*e = (struct evidence){ .at = now, .has_dns = true, .has_http = !is_dns_only, .has_tls = !is_dns_only, .resolver_works = true,
		.names = arena_get(&f->arena, 2 * sizeof *e->names), .names_n = 2 };
	for (size_t i = 0; i < 2; i++) {
		e->names[i].name = f->names[i].name;
		see(f, &e->names[i], sights[i], is_dns_only);
	}
	f->out.n = 0;
	const struct site_event ev = { .kind = SITE_CHECKED, .job = f->site.job, .evidence = e, .retry_after = WHEN_UNKNOWN };
	site_step(&f->site, &ev, &t, &f->policy, &f->arena, &f->out);
	assert_false(arena_failed(&f->arena));
}

static const struct site_effect *
first(const struct fixture *f, enum site_effect_kind kind)
{
	for (size_t i = 0; i < f->out.n; i++)
		if (f->out.at[i].kind == kind)
			return &f->out.at[i];
	return NULL;
}

static size_t
letters(const struct fixture *f, enum letter_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < f->out.n; i++)
		n += f->out.at[i].kind == FX_LETTER && f->out.at[i].letter == kind;
	return n;
}

static bool
is_moved_now(enum past past, enum sight sight, bool was_here)
{
	if (past == MOVED && sight == SILENT)
		return true;
	return was_here && (sight == AWAY || sight == FURTHER) && (past == AWAY_LONG || past == MOVED);
}

/* A check of everything: who has moved, what is ordered, what is told. */
static void
test_check(void **state)
{
	static const int64_t lengths[] = { 90 * DAY, 45 * DAY, 160 * 3600, 600 };
	static const int64_t used_percent[] = { 20, 70, 80, 90, 120 };
	size_t rows = 0;

	(void)state;
	for (size_t l = 0; l < 4; l++)
		for (size_t u = 0; u < 5; u++)
			for (unsigned k = 0; k < PAST_COUNT * PAST_COUNT * SIGHT_COUNT * SIGHT_COUNT * 2; k++, rows++) {
				const enum past past[2] = { (enum past)(k % PAST_COUNT), (enum past)(k / PAST_COUNT % PAST_COUNT) };
				unsigned rest = k / (PAST_COUNT * PAST_COUNT);
				const enum sight sights[2] = { (enum sight)(rest % SIGHT_COUNT), (enum sight)(rest / SIGHT_COUNT % SIGHT_COUNT) };
				bool was_here = rest / (SIGHT_COUNT * SIGHT_COUNT) != 0, is_gone = true;
				struct span length = SPAN_S(lengths[l]);
				char name[200];
				struct fixture f;

				(void)snprintf(name, sizeof name, "life %lld, %lld %% used, %s: %s, %s: %s%s", (long long)lengths[l],
				    (long long)used_percent[u], past_names[past[0]], sight_names[sights[0]], past_names[past[1]],
				    sight_names[sights[1]], was_here ? "" : ", never here");
				fixture_init(&f, length, past, was_here, lengths[l] / 100 * used_percent[u]);
				step(&f, sights, false);
				for (size_t i = 0; i < 2; i++) {
					bool wanted = is_moved_now(past[i], sights[i], was_here);

					is_gone &= wanted;
					if (plan_is_moved(&f.site, &f.names[i]) != wanted)
						fail_msg("%s: name %zu is %smoved", name, i, wanted ? "not " : "");
					const struct site_effect *order = first(&f, FX_ORDER);
					for (size_t n = 0; wanted && order != NULL && n < order->names_n; n++)
						if (str_eq(order->names[n], f.names[i].name))
							fail_msg("%s: name %zu is ordered", name, i);
				}
				if (plan_is_gone(&f.site) != is_gone || (view_of(&f.site, now).state == SITE_STATE_MOVED) != is_gone)
					fail_msg("%s: gone %d, state %s", name, is_gone, site_state_name(view_of(&f.site, now).state));
				if (letters(&f, LETTER_MOVED) > 1 || (is_gone && f.out.n > 0 && letters(&f, LETTER_REMINDER) + letters(&f, LETTER_EXPIRED) + letters(&f, LETTER_ACT) > 0))
					fail_msg("%s: letters about a site that has moved away", name);
				/* What was told stays told. */
				if (is_gone && past[0] == MOVED && past[1] == MOVED && letters(&f, LETTER_MOVED) > 0)
					fail_msg("%s: told again", name);
				if (is_gone && past[0] == AWAY_LONG && past[1] == AWAY_LONG && letters(&f, LETTER_MOVED) != 1)
					fail_msg("%s: not told", name);
				fixture_fini(&f);
			}
	printf("# %zu combinations\n", rows);
}

/* The weekly look, in DNS alone: still away, silent, or changed; a change is looked at in full at once. */
static void
test_weekly_look(void **state)
{
	static const int64_t lengths[] = { 90 * DAY, 160 * 3600 };
	const enum past past[2] = { MOVED, MOVED };

	(void)state;
	for (size_t l = 0; l < 2; l++)
		for (unsigned k = 0; k < SIGHT_COUNT * SIGHT_COUNT; k++) {
			const enum sight sights[2] = { (enum sight)(k % SIGHT_COUNT), (enum sight)(k / SIGHT_COUNT) };
			bool is_same = (sights[0] == AWAY || sights[0] == SILENT) && (sights[1] == AWAY || sights[1] == SILENT);
			struct fixture f;

			fixture_init(&f, SPAN_S(lengths[l]), past, true, lengths[l] * 2);
			step(&f, sights, true);
			const struct site_effect *check = first(&f, FX_CHECK);
			if (is_same ? check != NULL : check == NULL || check->is_dns_only)
				fail_msg("%s, %s: %s", sight_names[sights[0]], sight_names[sights[1]],
				    check == NULL ? "no look" : "a look at DNS alone, or one too many");
			assert_true(plan_is_gone(&f.site));
			if (!is_same) {
				fixture_fini(&f);
				continue;
			}
			/* The next look is a week away, or as much of a shorter life, less a tenth by chance, and again in DNS alone;
			 * unless a person asks. */
			int64_t wanted = lengths[l] >= 45 * DAY ? 7 * DAY : lengths[l] * 7 / 45;
			assert_in_range(when_between(now, f.site.wake).s, wanted - wanted / 10, wanted);
			for (int is_asked = 0; is_asked < 2; is_asked++) {
				struct turn t = { is_asked ? now : f.site.wake, 0 };
				const struct site_event ev = { .kind = is_asked ? SITE_ASKED_CHECK : SITE_WAKE, .retry_after = WHEN_UNKNOWN };
				struct site copy = f.site;

				f.out.n = 0;
				site_step(&copy, &ev, &t, &f.policy, &f.arena, &f.out);
				check = first(&f, FX_CHECK);
				if (check == NULL) {
					fail_msg("no look");
					return;
				}
				assert_int_equal(check->is_dns_only, !is_asked);
			}
			fixture_fini(&f);
		}
}

static void
test_lives(void **state)
{
	static const struct {
		int64_t life, after, every, often;
	} rows[] = { { 90 * DAY, 30 * DAY, 7 * DAY, DAY }, { 45 * DAY, 30 * DAY, 7 * DAY, DAY }, { 6 * DAY, 4 * DAY, 80640, 51840 },
		{ 600, 400, 93, 60 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct life l = { now, when_plus(now, SPAN_S(rows[i].life)) };
		struct when quarter = life_reduce_at(l);

		assert_int_equal(life_moved_after(l).s, rows[i].after);
		assert_int_equal(life_moved_look(l, now).s, rows[i].every);
		/* The last of the seldom looks comes when a quarter is left, and no look is nearer than the often ones. */
		assert_int_equal(life_moved_look(l, when_minus(quarter, SPAN_S(rows[i].every - 1))).s, rows[i].every - 1);
		assert_int_equal(life_moved_look(l, when_minus(quarter, SPAN_S(1))).s, rows[i].often);
		assert_int_equal(life_moved_look(l, quarter).s, rows[i].often);
		assert_int_equal(life_moved_look(l, when_minus(l.to, SPAN_S(1))).s, rows[i].often);
		assert_int_equal(life_moved_look(l, l.to).s, rows[i].every);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_weekly_look),
		cmocka_unit_test(test_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
