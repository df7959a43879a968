#ifndef KOSHIN_TEST_UNIT_SITE_WORLD_H
#define KOSHIN_TEST_UNIT_SITE_WORLD_H
/* A site and its world, small enough to enumerate: what the tests of sites share. */
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

static inline void
fixture_fini(struct fixture *f)
{
	arena_fini(&f->arena);
}
#define AUTO_FIXTURE __attribute__((cleanup(fixture_fini))) struct fixture

static inline void
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

static inline void
fixture_do(struct fixture *f, enum doing doing)
{
	f->site.doing = doing;
	f->site.doing_since = when_minus(now, SPAN_S(5));
	f->site.order_id = doing == DOING_ORDER ? 9 : 0;
}

static inline struct evidence *
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

static inline struct site_effects *
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

static inline size_t
count(const struct site_effects *out, enum site_effect_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < out->n; i++)
		n += out->at[i].kind == kind;
	return n;
}

static inline size_t
letters(const struct site_effects *out, enum letter_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < out->n; i++)
		n += out->at[i].kind == FX_LETTER && out->at[i].letter == kind;
	return n;
}

static inline const struct site_effect *
first(const struct site_effects *out, enum site_effect_kind kind)
{
	for (size_t i = 0; i < out->n; i++)
		if (out->at[i].kind == kind)
			return &out->at[i];
	return NULL;
}

static inline struct site_event
event_of(struct fixture *f, enum site_event_kind kind, enum sight sight, enum cause cause, struct finding *failure)
{
	struct site_event ev = { .kind = kind, .retry_after = WHEN_UNKNOWN };
	bool is_answer = kind == SITE_CHECKED || kind == SITE_ISSUED || kind == SITE_ORDER_FAILED || kind == SITE_DEPLOYED;

	ev.job = is_answer ? f->site.job : 0;
	ev.evidence = evidence_of(f, sight, f->site.doing == DOING_VERIFY);
	*failure = (struct finding){ .cause = cause, .subject = f->names[0].name, .acts = cause_row(cause)->acts, .next_look = now };
	ev.failures = failure;
	ev.failures_n = kind == SITE_ORDER_FAILED || (kind == SITE_DEPLOYED && cause_row(cause)->layer == LAYER_OWN);
	if (kind == SITE_ISSUED || kind == SITE_IMPORTED) {
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
#endif
