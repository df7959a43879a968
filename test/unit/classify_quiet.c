#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "core/classify.h"

/* The short way of the common case never hides a finding: evidence by chance, mostly in order, judged both ways. */

static const struct when now = { 1800000000 };

static uint64_t
chance(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

struct world {
	struct site site;
	struct site_name names[2];
	struct evidence evidence;
	struct name_evidence name_evidence[2];
	struct address_evidence addresses[2][2];
	struct service_evidence services[4];
	size_t services_n;
	struct str leaf_names[2];
	struct caa_record caa;
	struct str address;
	struct policy policy;
};

/* One in twenty of each thing is not as it should be. */
static bool
is_odd(uint64_t *state)
{
	return chance(state) % 20 == 0;
}

static void
fill_address(struct world *w, struct address_evidence *a, uint64_t *r)
{
	*a = (struct address_evidence){ .ip = { .family = is_odd(r) ? 6 : 4, .bytes = { 192, 0, 2, 10 } }, .is_ours = !is_odd(r) };
	a->http.result = is_odd(r) ? (enum http_result)(chance(r) % (HTTP_FORBIDDEN_ADDRESS + 1)) : HTTP_ANSWERED;
	a->http.is_ours = !is_odd(r);
	a->http.status = is_odd(r) ? 404 : 200;
	a->tls.result = is_odd(r) ? (enum tls_result)(chance(r) % (TLS_FORBIDDEN_ADDRESS + 1)) : TLS_SHOWN;
	a->tls.chain_ok = !is_odd(r);
	a->tls.chain_is_incomplete = is_odd(r);
	a->tls.leaf = (struct certificate_info){ .not_before = w->site.held.life.from,
		.not_after = w->site.held.life.to,
		.names = w->leaf_names,
		.names_n = is_odd(r) ? 1 : 2 };
	memcpy(a->tls.leaf.fingerprint, w->site.held.fingerprint, FINGERPRINT_BYTES);
	a->tls.leaf.fingerprint[3] ^= is_odd(r);
	a->tls.revocation = is_odd(r) ? REVOCATION_REVOKED : REVOCATION_GOOD;
	a->front = is_odd(r) ? STR("Cloudflare") : STR_NONE;
	a->home.http.result = is_odd(r) ? HTTP_REDIRECT_LOOP : HTTP_ANSWERED;
	a->home.has_hsts = is_odd(r);
	a->home.insecure_n = is_odd(r);
	a->home.insecure = a->home.insecure_n > 0 ? STR("http://a.jp/") : STR_NONE;
	a->services = &w->services[w->services_n++];
	a->services_n = 1;
	a->services[0] = (struct service_evidence){ .port = 993, .tls = a->tls };
	a->services[0].tls.leaf.fingerprint[5] ^= is_odd(r);
	if (is_odd(r))
		a->services[0].tls.leaf.not_before.s -= 5;
	if (is_odd(r))
		a->services[0].tls.leaf.names_n = 1;
}

static enum dns_status
status(uint64_t *r)
{
	return is_odd(r) ? (enum dns_status)(chance(r) % (DNS_LOCAL + 1)) : DNS_OK;
}

static void
fill(struct world *w, uint64_t *r)
{
	static const int ages[] = { 10, 50, 66, 68, 80, 95 };
	int age = ages[is_odd(r) ? chance(r) % 6 : 0];

	memset(w, 0, sizeof *w);
	w->address = STR("192.0.2.10");
	w->leaf_names[0] = STR("example.jp");
	w->leaf_names[1] = STR("www.example.jp");
	w->policy = (struct policy){ .poll_min = SPAN_S(30), .poll_max = SPAN_MIN(15), .addresses = &w->address,
		.addresses_n = 1, .ca_issuer = STR("ca.example"), .thumbprint = STR("t") };
	w->site = (struct site){ .names = w->names, .names_n = 2, .setting.source = is_odd(r) ? SOURCE_NONE : SOURCE_FREE, .held = { .id = is_odd(r) ? 0 : 5,
		.life = { when_minus(now, SPAN_D(age)), when_plus(when_minus(now, SPAN_D(age)), SPAN_D(90)) } } };
	memset(w->site.held.fingerprint, 7, FINGERPRINT_BYTES);
	w->site.applied.redirect = is_odd(r) ? 307 : 0;
	bool is_verify = chance(r) % 4 == 0;
	w->evidence = (struct evidence){ .at = now, .has_dns = !is_verify, .has_http = is_odd(r) ? is_verify : !is_verify,
		.has_tls = !is_odd(r), .resolver_works = !is_odd(r), .names = w->name_evidence, .names_n = is_odd(r) ? 1 : 2 };
	w->caa = (struct caa_record){ 0, STR("issue"), STR("other.example") };
	for (size_t i = 0; i < 2; i++) {
		w->names[i] = (struct site_name){ .name = w->leaf_names[i], .is_wanted = !is_odd(r), .is_held = !is_odd(r) };
		w->name_evidence[i] = (struct name_evidence){ .name = w->leaf_names[i], .a_status = status(r), .aaaa_status = status(r),
			.caa_status = status(r), .registered_status = status(r), .ttl_s = 300, .caa = &w->caa,
			.caa_n = is_odd(r), .addresses = w->addresses[i], .addresses_n = is_odd(r) ? chance(r) % 3 : 1 };
		fill_address(w, &w->addresses[i][0], r);
		fill_address(w, &w->addresses[i][1], r);
	}
}

static void
test_quiet_means_no_finding(void **state)
{
	static struct world w;
	static struct finding room[64];
	uint64_t random = 1;
	unsigned quiet = 0, loud = 0, hidden = 0;
	AUTO_ARENA a = { .max = 0 };

	(void)state;
	arena_init(&a, 1 << 20);
	for (unsigned i = 0; i < 400000; i++) {
		struct finding_list found = { .at = room, .cap = 64 };

		fill(&w, &random);
		arena_clear(&a);
		classify(&w.evidence, &w.site, &w.policy, &a, &found);
		bool is_quiet = classify_is_quiet(&w.evidence, &w.site);
		quiet += is_quiet;
		loud += found.n > 0;
		hidden += is_quiet && found.n > 0;
		if (is_quiet)
			for (size_t k = 0; k < w.evidence.names_n; k++) {
				struct served s = served_of(&w.evidence, &w.evidence.names[k], &w.site.held);
				assert_true(s.is_ok && s.is_held);
				assert_int_equal(s.not_after.s, w.site.held.life.to.s);
			}
	}
	printf("# %u quiet, %u with findings\n", quiet, loud);
	assert_int_equal(hidden, 0);
	assert_true(quiet > 10000 && loud > 10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_quiet_means_no_finding) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
