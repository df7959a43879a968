/*
 * From evidence to findings. Evidence is written in words, one string for each name:
 *
 *   NAME [word …]
 *   a= aaaa= caa-status= reg=   ok nx servfail timeout bogus broken local none
 *   cname=TARGET loop ttl=N why=TEXT caa=FLAGS:TAG:VALUE caa-at=NAME       "_" in a value is a space
 *   ip=ADDRESS                  ours if it is one of the policy's; ours answer rightly, others 404
 *   http=…  body=… loc=URL  tls=…  reserved                          said of the last address
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/limits.h"
#include "core/classify.h"
#include "ports/probe/net.h"

#define NOW 1800000000
#define DAY 86400
#define TOKEN43 "9jg46WB3rR-AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"

enum { NAMES_MAX = 4, ADDRESSES_MAX = 40, CAA_MAX = 10 };

static struct str ours[] = { { "203.0.113.10", 12 }, { "203.0.113.11", 12 },
	{ "2001:db8::10", 12 } };

struct world {
	struct arena a;
	struct evidence e;
	struct name_evidence names[NAMES_MAX];
	struct address_evidence addresses[NAMES_MAX][ADDRESSES_MAX];
	struct caa_record caa[NAMES_MAX][CAA_MAX];
	struct site site;
	struct site_name site_names[NAMES_MAX];
	struct policy p;
	struct finding findings[NAMES_MAX * 16];
	struct finding_list out;
};

static enum dns_status
status_of(struct str word)
{
	static const char *const words[] = { "none", "ok", "nx", "servfail", "bogus", "timeout",
		"broken", "local" };

	for (unsigned i = 0; i < 8; i++)
		if (str_eq(word, str_of(words[i])))
			return (enum dns_status)i;
	fail_msg("no such status: %.*s", STR_ARG(word));
	return DNS_OK;
}

/* "_" stands for a space. */
static struct str
spaced(struct world *w, struct str s)
{
	char *p = arena_get(&w->a, s.n + 1);

	assert_non_null(p);
	for (size_t i = 0; i < s.n; i++)
		p[i] = s.p[i] == '_' ? ' ' : s.p[i];
	return (struct str){ p, s.n };
}

static void
set_http(struct http_evidence *h, struct str word)
{
	static const struct {
		const char *word;
		enum http_result result;
	} table[] = { { "untried", HTTP_NOT_TRIED }, { "refused", HTTP_REFUSED },
		{ "silent", HTTP_TIMEOUT_CONNECT }, { "read", HTTP_TIMEOUT_READ },
		{ "unreachable", HTTP_UNREACHABLE }, { "reset", HTTP_RESET },
		{ "not-http", HTTP_NOT_HTTP }, { "tls", HTTP_TLS_FAILED },
		{ "loop", HTTP_REDIRECT_LOOP }, { "disallowed", HTTP_REDIRECT_DISALLOWED },
		{ "unresolvable", HTTP_REDIRECT_UNRESOLVABLE },
		{ "forbidden", HTTP_FORBIDDEN_ADDRESS } };
	int64_t status;

	*h = (struct http_evidence){ .result = HTTP_ANSWERED, .status = 200 };
	if (str_to_int(word, &status)) {
		h->status = (int)status;
		h->server = STR("Apache");
		h->body = STR("<html>not the answer</html>");
		return;
	}
	if (str_eq(word, STR("ours"))) {
		h->is_ours = true;
		return;
	}
	if (str_eq(word, STR("altered"))) {
		h->is_ours_altered = true;
		return;
	}
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (str_eq(word, str_of(table[i].word))) {
			*h = (struct http_evidence){ .result = table[i].result };
			return;
		}
	fail_msg("no such http: %.*s", STR_ARG(word));
}

/* held: ours, 60 of 90 days left. The others differ in one thing each. */
static void
set_tls(struct world *w, struct name_evidence *n, struct tls_evidence *t, struct str word)
{
	static const struct {
		const char *word;
		enum tls_result result;
	} table[] = { { "untried", TLS_NOT_TRIED }, { "refused", TLS_REFUSED },
		{ "silent", TLS_TIMEOUT }, { "unreachable", TLS_UNREACHABLE },
		{ "reset", TLS_RESET }, { "alert", TLS_ALERT },
		{ "forbidden", TLS_FORBIDDEN_ADDRESS } };
	struct str *name = arena_get(&w->a, sizeof *name);

	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		if (str_eq(word, str_of(table[i].word))) {
			*t = (struct tls_evidence){ .result = table[i].result };
			return;
		}
	assert_non_null(name);
	*name = n->name;
	*t = (struct tls_evidence){ .result = TLS_SHOWN,
		.chain_ok = true,
		.leaf = { .not_before = { NOW - 30 * DAY },
		    .not_after = { NOW + 60 * DAY },
		    .issuer = STR("R11"),
		    .names = name,
		    .names_n = 1 } };
	t->leaf.fingerprint[0] = str_starts(word, STR("held")) ? 1 : 2;
	if (str_ends(word, STR("expired")))
		t->leaf.not_after.s = NOW - DAY;
	else if (str_ends(word, STR("future")))
		t->leaf.not_before.s = NOW + DAY;
	else if (str_ends(word, STR("soon")))
		t->leaf.not_after.s = NOW + 8 * DAY;
	else if (str_ends(word, STR("kin")))
		*name = STR("example.jp");
	else if (str_ends(word, STR("stranger")))
		*name = STR("somebody.com");
	else if (str_ends(word, STR("nameless")))
		t->leaf.names_n = 0;
	else if (str_ends(word, STR("chain")))
		t->chain_ok = false, t->chain_is_incomplete = true;
	else if (str_ends(word, STR("root")))
		t->chain_ok = false;
	else if (str_ends(word, STR("wild")))
		*name = STR("*.example.jp");
	else if (!str_eq(word, STR("held")) && !str_eq(word, STR("other")))
		fail_msg("no such tls: %.*s", STR_ARG(word));
}

static void
put_caa(struct world *w, struct name_evidence *n, struct str value)
{
	int64_t flags = 0;

	assert_true(str_to_int(str_cut(&value, ':'), &flags));
	struct str tag = str_cut(&value, ':');
	assert_true(n->caa_n < CAA_MAX);
	n->caa[n->caa_n++] = (struct caa_record){
		.flags = (uint8_t)flags, .tag = tag, .value = spaced(w, value)
	};
	if (n->caa_at.n == 0)
		n->caa_at = n->name;
}

static void
put_word(struct world *w, struct name_evidence *n, struct str word)
{
	struct str value = word, key = str_cut(&value, '=');
	struct address_evidence *last =
	    n->addresses_n > 0 ? &n->addresses[n->addresses_n - 1] : NULL;
	int64_t number;

	if (str_eq(key, STR("a")))
		n->a_status = status_of(value);
	else if (str_eq(key, STR("aaaa")))
		n->aaaa_status = status_of(value);
	else if (str_eq(key, STR("caa-status")))
		n->caa_status = status_of(value);
	else if (str_eq(key, STR("reg")))
		n->registered_status = status_of(value);
	else if (str_eq(key, STR("cname")))
		n->cname_target = value;
	else if (str_eq(key, STR("wild")))
		n->has_wildcard = true;
	else if (str_eq(key, STR("loop")))
		n->is_cname_loop = true;
	else if (str_eq(key, STR("ttl")) && str_to_int(value, &number))
		n->ttl_s = (uint32_t)number;
	else if (str_eq(key, STR("why")))
		n->why_bogus = spaced(w, value);
	else if (str_eq(key, STR("caa")))
		put_caa(w, n, value);
	else if (str_eq(key, STR("caa-at")))
		n->caa_at = value;
	else if (str_eq(key, STR("ip"))) {
		assert_true(n->addresses_n < ADDRESSES_MAX);
		last = &n->addresses[n->addresses_n++];
		assert_int_equal(address_read(value, &last->ip), ERR_OK);
		for (size_t i = 0; i < w->p.addresses_n; i++)
			last->is_ours = last->is_ours || str_eq(value, w->p.addresses[i]);
		set_http(&last->http, last->is_ours ? STR("ours") : STR("404"));
		set_tls(w, n, &last->tls, last->is_ours ? STR("held") : STR("other"));
	} else if (str_eq(key, STR("http")) && last != NULL)
		set_http(&last->http, value);
	else if (str_eq(key, STR("body")) && last != NULL)
		last->http.body = spaced(w, value);
	else if (str_eq(key, STR("loc")) && last != NULL)
		last->http.location = value, last->http.hops = 1;
	else if (str_eq(key, STR("tls")) && last != NULL)
		set_tls(w, n, &last->tls, value);
	else if (str_eq(key, STR("reserved")) && last != NULL) {
		last->is_reserved = true;
		last->http = (struct http_evidence){ .result = HTTP_FORBIDDEN_ADDRESS };
		last->tls = (struct tls_evidence){ .result = TLS_FORBIDDEN_ADDRESS };
	} else
		fail_msg("no such word: %.*s", STR_ARG(word));
}

static void
put_name(struct world *w, const char *text)
{
	struct name_evidence *n = &w->names[w->e.names_n];
	struct str rest = str_of(text);

	*n = (struct name_evidence){ .name = str_cut(&rest, ' '),
		.a_status = DNS_OK,
		.aaaa_status = DNS_OK,
		.caa_status = DNS_OK,
		.registered_domain = STR("example.jp"),
		.ttl_s = 300,
		.addresses = w->addresses[w->e.names_n],
		.caa = w->caa[w->e.names_n] };
	while (rest.n > 0) {
		struct str word = str_cut(&rest, ' ');

		if (word.n > 0)
			put_word(w, n, word);
	}
	w->site_names[w->e.names_n] =
	    (struct site_name){ .name = n->name, .is_wanted = true, .is_held = true };
	w->e.names_n++;
	w->site.names_n = w->e.names_n;
}

/* how: "" a site with a certificate; "first": none yet; "new": the last name is not in it; "none": no site; "redirect": with
 * our redirect on; "no-dns", "no-http", "no-tls", "dead" of the plan and the resolver. */
static void
world_new(struct world *w, const char *how)
{
	*w = (struct world){ .out = { .cap = NAMES_MAX * 16 } };
	arena_init(&w->a, 1 << 20);
	w->out.at = w->findings;
	w->p = (struct policy){ .poll_min = { 30 },
		.poll_max = { 900 },
		.look_every = { DAY },
		.addresses = ours,
		.addresses_n = 3,
		.ca_issuer = STR("letsencrypt.org"),
		.account_url = STR("https://ca/acct/1") };
	w->e = (struct evidence){ .at = { NOW },
		.has_dns = strstr(how, "no-dns") == NULL,
		.has_http = strstr(how, "no-http") == NULL,
		.has_tls = strstr(how, "no-tls") == NULL,
		.resolver_works = strstr(how, "dead") == NULL,
		.no_route = strstr(how, "cut") != NULL,
		.names = w->names };
	w->site = (struct site){ .id = 1,
		.names = w->site_names,
		.held = { .id = 7,
		    .is_live = true,
		    .life = { { NOW - 30 * DAY }, { NOW + 60 * DAY } } } };
	w->site.held.fingerprint[0] = 1;
	if (strstr(how, "first") != NULL)
		w->site.held = (struct held){ .id = 0 };
	w->site.applied.redirect = strstr(how, "redirect") != NULL ? 307 : 0;
}

static void
world_classify(struct world *w, const char *how)
{
	if (strstr(how, "new") != NULL)
		w->site_names[w->e.names_n - 1].is_held = false;
	for (size_t i = 0; strstr(how, "first") != NULL && i < w->e.names_n; i++)
		w->site_names[i].is_held = false;
	classify(&w->e, strstr(how, "none") != NULL ? NULL : &w->site, &w->p, &w->a, &w->out);
}

/* Every finding has what people and programs need of it. */
static const char *
fault_of(const struct world *w)
{
	for (size_t i = 0; i < w->out.n; i++) {
		const struct finding *f = &w->out.at[i];
		bool is_outside = f->acts == ACTOR_DOMAIN_COMPANY;

		if (f->subject.n == 0 || f->evidence.n == 0)
			return "a finding without subject or evidence";
		if (!str_is_utf8(f->evidence) || !str_is_utf8(f->seen))
			return "evidence that is no text";
		if (f->next_look.s < NOW + 30 || f->next_look.s > NOW + 900)
			return "a next look that is not soon";
		if (is_outside && f->copy.n == 0)
			return "nothing to copy for who acts outside";
		if (cause_row(f->cause)->layer == LAYER_SERVED && finding_blocks(f))
			return "an order held back by what visitors get";
	}
	return w->out.dropped > 0 ? "a finding was dropped" : NULL;
}

/* "cause cause | cause": of each name, in order. */
static void
print_causes(const struct world *w, char *ret, size_t size)
{
	size_t n = 0, at = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < w->e.names_n; i++) {
		n += (size_t)snprintf(ret + n, size - n, "%s", i > 0 ? "|" : "");
		for (bool is_first = true;
		     at < w->out.n && str_eq(w->out.at[at].subject, w->names[i].name); at++) {
			n += (size_t)snprintf(ret + n, size - n, "%s%s", is_first ? "" : " ",
			    cause_row(w->out.at[at].cause)->id);
			is_first = false;
		}
	}
}

struct row {
	int line;
	const char *how, *names[3], *wanted;
	const char *seen, *copy; /* of the first finding; NULL: not looked at */
};
#define ROW(how, name, wanted, ...) \
	{ \
		__LINE__, how, { name }, wanted, __VA_ARGS__ \
	}
#define TWO(how, one, two, wanted, ...) \
	{ \
		__LINE__, how, { one, two }, wanted, __VA_ARGS__ \
	}
#define W "www.example.jp "
#define OK4 "ip=203.0.113.10 "
#define A_RECORD "www.example.jp. 3600 IN A 203.0.113.10"

static const struct row rows[] = {
	ROW("", W OK4, "", NULL, NULL),

	/* our own resolver */
	ROW("dead", W "a=timeout aaaa=timeout caa-status=timeout", "own.resolver.unavailable",
	    NULL, NULL),
	ROW("", W "a=local aaaa=local caa-status=local", "own.resolver.unavailable", NULL,
	    NULL),
	ROW("dead cut", W "a=timeout aaaa=timeout caa-status=timeout", "own.network.down", NULL, NULL),
	ROW("cut", W OK4, "", NULL, NULL),
	TWO("dead", W "a=servfail aaaa=servfail", "example.jp a=timeout aaaa=timeout",
	    "own.resolver.unavailable|own.resolver.unavailable", NULL, NULL),
	ROW("", W "a=timeout aaaa=timeout caa-status=timeout", "dns.lookup.timeout", NULL,
	    NULL),

	/* registration */
	ROW("", W "a=nx aaaa=nx reg=nx", "registration.domain.unregistered", "example.jp",
	    NULL),
	ROW("", W "a=nx aaaa=nx reg=ok", "dns.address.missing", NULL, A_RECORD),
	ROW("", W "a=nx aaaa=nx reg=servfail", "dns.address.missing", NULL, A_RECORD),
	ROW("", "*.example.jp a=none aaaa=none", "registration.wildcard.http-only",
	    "*.example.jp", NULL),

	/* no address */
	ROW("", W, "dns.address.missing", NULL, A_RECORD),
	TWO("", "example.jp " OK4, W "a=nx aaaa=nx reg=ok", "|dns.address.partly-missing", NULL,
	    A_RECORD),
	TWO("", "example.jp " OK4, W, "|dns.address.partly-missing", NULL, A_RECORD),
	TWO("", "example.jp", W, "dns.address.missing|dns.address.missing", NULL, NULL),
	TWO("", "example.jp ip=198.51.100.5", W, "dns.a.elsewhere|dns.address.missing", NULL,
	    NULL),
	TWO("", "example.jp " OK4 "tls=held-expired", W,
	    "served.expired|dns.address.partly-missing", NULL, NULL),
	ROW("", W "aaaa=servfail", "dns.address.missing", NULL, A_RECORD),
	ROW("", W "a=servfail", "dns.lookup.servfail", "SERVFAIL", NULL),
	ROW("", W "a=servfail aaaa=servfail caa-status=servfail", "dns.lookup.servfail", NULL,
	    NULL),
	ROW("", W "a=broken aaaa=broken", "dns.lookup.servfail", NULL, NULL),
	ROW("", W "a=servfail ip=2001:db8::10", "", NULL, NULL),
	ROW("", W "aaaa=timeout " OK4, "", NULL, NULL),
	ROW("", W "aaaa=bogus why=signature_expired " OK4, "", NULL, NULL),

	/* aliases */
	ROW("", W "a=nx aaaa=nx cname=gone.example.com", "dns.cname.broken", "gone.example.com",
	    A_RECORD),
	ROW("", W "cname=empty.example.com", "dns.cname.broken", "empty.example.com", A_RECORD),
	ROW("", W "a=servfail aaaa=servfail cname=b.example.jp loop", "dns.cname.broken",
	    "b.example.jp", A_RECORD),
	ROW("", W "a=servfail aaaa=servfail cname=b.example.jp", "dns.lookup.servfail", NULL,
	    NULL),
	ROW("", W "cname=front.example.com " OK4, "", NULL, NULL),

	/* DNSSEC: the words of Unbound 1.17 */
	ROW("",
	    W "a=bogus aaaa=bogus caa-status=bogus "
	      "why=validation_failure_<www.example.jp._A_IN>:_signature_expired_from_192.0.2.1",
	    "dns.dnssec.rrsig-out-of-date", NULL, NULL),
	ROW("", W "a=bogus aaaa=bogus why=signature_before_inception_date_from_192.0.2.1",
	    "dns.dnssec.rrsig-out-of-date", NULL, NULL),
	ROW("",
	    W "a=bogus aaaa=bogus why=no_keys_have_a_DS_with_algorithm_ECDSAP256SHA256_from",
	    "dns.dnssec.ds-mismatch", NULL, NULL),
	ROW("", W "a=bogus aaaa=bogus why=DS_hash_mismatches_key_from_192.0.2.1",
	    "dns.dnssec.ds-mismatch", NULL, NULL),
	ROW("", W "a=bogus aaaa=bogus why=no_DNSKEY_rrset_from_192.0.2.1",
	    "dns.dnssec.ds-mismatch", NULL, NULL),
	ROW("", W "a=bogus aaaa=bogus why=no_signatures_from_192.0.2.1",
	    "dns.dnssec.unverifiable", NULL, NULL),
	ROW("", W "a=bogus aaaa=bogus", "dns.dnssec.unverifiable", NULL, NULL),
	ROW("", W OK4 "caa-status=bogus why=signature_expired", "dns.dnssec.rrsig-out-of-date",
	    NULL, NULL),

	/* addresses */
	ROW("", W "ip=198.51.100.5", "dns.a.elsewhere", "198.51.100.5", A_RECORD),
	ROW("", W "ip=198.51.100.5 http=silent tls=silent", "dns.a.elsewhere", "198.51.100.5",
	    A_RECORD),
	ROW("", W "ip=198.51.100.5 http=ours tls=other", "", NULL, NULL),
	ROW("", W "ip=198.51.100.5 http=ours tls=held", "", NULL, NULL),
	ROW("no-http", W "ip=198.51.100.5 http=untried tls=other", "", NULL, NULL),
	ROW("", W OK4 "ip=198.51.100.5", "dns.a.partly-elsewhere", "198.51.100.5",
	    "www.example.jp. 3600 IN A 198.51.100.5"),
	ROW("", W OK4 "ip=203.0.113.11", "", NULL, NULL),
	ROW("", W OK4 "ip=198.51.100.5 http=ours tls=held", "", NULL, NULL),
	ROW("", W "ip=2001:db8::99 " OK4, "dns.aaaa.elsewhere", "2001:db8::99",
	    "www.example.jp. 3600 IN AAAA 2001:db8::99"),
	ROW("", W "ip=2001:db8::99 http=refused tls=refused " OK4, "dns.aaaa.elsewhere", NULL,
	    NULL),
	ROW("", W OK4 "wild", "dns.wildcard.present", NULL, NULL),
	ROW("", W "ip=2001:db8::99 http=silent tls=silent " OK4 "loc=http://www.example.jp/x", "dns.aaaa.fallback-lost",
	    "2001:db8::99", NULL),
	ROW("", W "ip=2001:db8::99 http=silent tls=silent " OK4, "dns.aaaa.unreachable",
	    "2001:db8::99", "www.example.jp. 3600 IN AAAA 2001:db8::99"),
	ROW("", W "ip=2001:db8::99 http=unreachable tls=unreachable " OK4, "", NULL, NULL),
	ROW("", W "ip=fd00::1 reserved " OK4, "dns.aaaa.unreachable", "fd00::1", NULL),
	ROW("", W "ip=2001:db8::99 ip=198.51.100.5", "dns.a.elsewhere dns.aaaa.elsewhere",
	    "198.51.100.5", A_RECORD),
	ROW("", W "ip=2001:db8::99", "dns.aaaa.elsewhere", NULL, NULL),
	ROW("", W "ip=2001:db8::10", "", NULL, NULL),
	ROW("", W "ip=2001:db8::10 ip=198.51.100.5", "dns.a.elsewhere", NULL, NULL),
	ROW("", W "ip=10.0.0.5 reserved", "dns.address.reserved", "10.0.0.5", A_RECORD),
	ROW("", W "ip=10.0.0.5 reserved ip=198.51.100.5", "dns.a.elsewhere",
	    "10.0.0.5, 198.51.100.5", NULL),
	ROW("", W "ip=10.0.0.5 reserved " OK4, "dns.a.partly-elsewhere", "10.0.0.5", NULL),

	/* CAA */
	ROW("", W OK4 "caa=0:issue:other-ca.example", "dns.caa.forbids",
	    "0 issue \"other-ca.example\"", "www.example.jp. CAA 0 issue \"letsencrypt.org\""),
	ROW("", W OK4 "caa=0:issue:; caa-at=example.jp", "dns.caa.forbids", "0 issue \";\"",
	    "example.jp. CAA 0 issue \"letsencrypt.org\""),
	ROW("", W OK4 "caa=0:issue:other.example caa=0:issue:letsencrypt.org", "", NULL, NULL),
	ROW("", W OK4 "caa=0:issue:;", "dns.caa.forbids", NULL, NULL),
	ROW("", W OK4 "caa=0:ISSUE:LetsEncrypt.ORG", "", NULL, NULL),
	ROW("", W OK4 "caa=0:issue:_letsencrypt.org_;_", "", NULL, NULL),
	ROW("", W OK4 "caa=128:issue:letsencrypt.org", "", NULL, NULL),
	ROW("", W OK4 "caa=0:iodef:mailto:a@example.jp", "", NULL, NULL),
	ROW("", W OK4 "caa=0:issuewild:;", "", NULL, NULL),
	ROW("", "*.example.jp a=none aaaa=none caa=0:issue:letsencrypt.org caa=0:issuewild:;",
	    "registration.wildcard.http-only dns.caa.forbids-wildcard", "*.example.jp", NULL),
	ROW("", W OK4 "caa=0:tbs:x caa=0:issue:letsencrypt.org", "", NULL, NULL),
	ROW("", W OK4 "caa=128:tbs:x caa=0:issue:letsencrypt.org", "dns.caa.critical-unknown",
	    "128 tbs \"x\"", "www.example.jp. CAA 128 tbs \"x\""),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org;_accounturi=https://ca/acct/1", "", NULL,
	    NULL),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org;accounturi=https://ca/acct/2",
	    "dns.caa.parameter-mismatch",
	    "0 issue \"letsencrypt.org;accounturi=https://ca/acct/2\"", NULL),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org;_validationmethods=dns-01,http-01", "", NULL,
	    NULL),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org;_validationmethods=dns-01",
	    "dns.caa.parameter-mismatch", NULL, NULL),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org;rubbish", "dns.caa.parameter-mismatch", NULL,
	    NULL),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org;policy=ev", "", NULL, NULL),
	ROW("", W OK4 "caa=0:issue:letsencrypt.org.evil.example", "dns.caa.forbids", NULL,
	    NULL),
	ROW("", W OK4 "caa-status=servfail", "dns.caa.lookup-failed", "SERVFAIL", NULL),
	ROW("", W OK4 "caa-status=timeout", "dns.caa.lookup-failed", "no answer", NULL),
	ROW("", W OK4 "caa-status=nx", "", NULL, NULL),
	ROW("", W "ip=198.51.100.5 caa=0:issue:;", "dns.a.elsewhere dns.caa.forbids", NULL,
	    NULL),

	/* transport, at addresses of ours */
	ROW("", W OK4 "http=refused", "transport.port80.closed", "203.0.113.10", NULL),
	ROW("", W OK4 "http=silent", "transport.port80.closed", NULL, NULL),
	ROW("", W "ip=2001:db8::10 http=refused " OK4, "", NULL, NULL),
	ROW("", W OK4 "ip=203.0.113.11 http=refused", "transport.port80.closed", "203.0.113.11",
	    NULL),
	ROW("", W OK4 "http=reset", "transport.connect.reset", NULL, NULL),
	ROW("", W OK4 "http=unreachable", "transport.connect.unreachable", NULL, NULL),
	ROW("", W "ip=2001:db8::10 http=unreachable tls=unreachable " OK4, "", NULL, NULL),
	ROW("", W OK4 "http=read", "transport.read.timeout", NULL, NULL),
	ROW("", W OK4 "http=not-http", "own.challenge.not-served", NULL, NULL),
	ROW("", W "ip=198.51.100.5 http=not-http tls=held", "transport.protocol.mismatch",
	    "198.51.100.5", A_RECORD),
	ROW("", W OK4 "http=tls loc=https://www.example.jp/", "transport.tls.handshake-failed",
	    NULL, NULL),
	ROW("", W OK4 "http=untried", "own.unclassified", NULL, NULL),

	/* HTTP */
	ROW("", W OK4 "http=404", "own.challenge.not-served", "404, Apache", NULL),
	ROW("", W OK4 "http=401", "http.challenge.unauthorized", NULL, NULL),
	ROW("", W OK4 "http=403", "http.challenge.forbidden", NULL, NULL),
	ROW("", W OK4 "http=500", "http.server.error", NULL, NULL),
	ROW("", W OK4 "http=503", "http.server.error", NULL, NULL),
	ROW("", W OK4 "http=418", "http.unclassified", NULL, NULL),
	ROW("", W OK4 "http=300", "http.redirect.disallowed", NULL, NULL),
	ROW("", W OK4 "http=200", "http.rewrite.intercepts", NULL, NULL),
	ROW("", W OK4 "http=200 body=abcdefghijklmnopqrstuvwx." TOKEN43,
	    "http.key-authorization.foreign", NULL, NULL),
	ROW("", W OK4 "http=200 body=abcdefghijklmnopqrstuvwx." TOKEN43 "x",
	    "http.rewrite.intercepts", NULL, NULL),
	ROW("", W OK4 "http=altered", "http.body.altered", NULL, NULL),
	ROW("", W "ip=198.51.100.5 http=404 tls=held", "http.server.foreign", "404, Apache",
	    A_RECORD),
	ROW("", W OK4 "http=404 loc=https://shop.example.com/", "http.redirect.elsewhere",
	    "https://shop.example.com/", NULL),
	ROW("", W OK4 "http=404 loc=https://www.example.jp/x", "own.challenge.not-served", NULL,
	    NULL),
	ROW("", W OK4 "http=ours loc=https://www.example.jp/x", "", NULL, NULL),
	ROW("", W OK4 "http=loop loc=http://www.example.jp/a", "http.redirect.loop", NULL,
	    NULL),
	ROW("", W OK4 "http=disallowed loc=ftp://x/", "http.redirect.disallowed", "ftp://x/",
	    NULL),
	ROW("", W OK4 "http=forbidden loc=http://10.0.0.1/", "http.redirect.disallowed", NULL,
	    NULL),
	ROW("", W OK4 "http=unresolvable loc=http://gone.example.jp/",
	    "http.redirect.unresolvable", NULL, NULL),

	/* what visitors get */
	ROW("first", W OK4 "tls=refused", "", NULL, NULL),
	ROW("first", W OK4 "tls=stranger", "", NULL, NULL),
	ROW("first", W OK4 "tls=other-expired", "", NULL, NULL),
	ROW("", W OK4 "tls=held-expired", "served.expired", NULL, NULL),
	ROW("redirect", W OK4 "tls=held-expired", "served.expired served.redirect.unsafe", NULL,
	    NULL),
	ROW("redirect", W OK4, "", NULL, NULL),
	ROW("", W OK4 "tls=other-expired", "own.deploy.not-served served.expired", NULL, NULL),
	ROW("", W OK4 "tls=other", "own.deploy.not-served", NULL, NULL),
	ROW("", W OK4 "tls=kin", "own.deploy.not-served", "example.jp", NULL),
	ROW("", W OK4 "tls=stranger", "own.deploy.not-served served.certificate.wrong",
	    "somebody.com", NULL),
	ROW("", W OK4 "tls=nameless", "own.deploy.not-served served.certificate.wrong", NULL,
	    NULL),
	ROW("", W OK4 "tls=other-root", "own.deploy.not-served served.certificate.wrong", NULL,
	    NULL),
	ROW("", W OK4 "tls=refused", "served.unreachable", "203.0.113.10", NULL),
	ROW("redirect", W OK4 "tls=refused", "served.redirect.unsafe served.unreachable", NULL,
	    NULL),
	ROW("", W OK4 "tls=alert", "served.unreachable", NULL, NULL),
	ROW("", W OK4 "tls=untried", "", NULL, NULL),
	ROW("", W OK4 "tls=held-chain", "served.chain.incomplete", NULL, NULL),
	ROW("", W OK4 "tls=held-soon", "served.expiring", NULL, NULL),
	ROW("", W OK4 "tls=held-future", "served.certificate.wrong", NULL, NULL),
	ROW("", W OK4 "ip=203.0.113.11 tls=other",
	    "own.deploy.not-served served.address.inconsistent", NULL, NULL),
	ROW("", W OK4 "ip=203.0.113.11", "", NULL, NULL),
	ROW("", W "ip=198.51.100.5 http=ours tls=stranger", "served.certificate.wrong", NULL,
	    NULL),
	ROW("", W "ip=198.51.100.5 http=ours tls=other-expired", "served.expired", NULL, NULL),
	ROW("", W "ip=198.51.100.5 tls=other-expired", "dns.a.elsewhere", NULL, NULL),
	ROW("", W OK4 "caa=0:issue:; tls=held-expired", "dns.caa.forbids served.expired", NULL,
	    NULL),
	TWO("new", "example.jp " OK4, W OK4 "tls=kin", "|", NULL, NULL),
	TWO("new", "example.jp " OK4, W OK4 "tls=kin caa=0:issue:;",
	    "|dns.caa.forbids served.name.missing", NULL, NULL),
	TWO("new", "example.jp " OK4, W OK4 "tls=alert", "|", NULL, NULL),

	/* a name that is not a site */
	ROW("none", W "ip=198.51.100.5 http=ours tls=other-expired", "served.expired", NULL,
	    NULL),
	ROW("none", W OK4 "tls=kin", "served.name.missing", "example.jp", NULL),
	ROW("none", W OK4 "tls=stranger", "served.certificate.wrong", NULL, NULL),
	ROW("none", W OK4 "tls=wild", "", NULL, NULL),
	ROW("none", W OK4 "tls=other-chain", "served.chain.incomplete", NULL, NULL),
	ROW("none", W OK4 "tls=refused", "", NULL, NULL),

	/* plans that ask for less */
	ROW("no-dns no-http", W "a=servfail aaaa=servfail caa-status=none", "", NULL, NULL),
	ROW("no-dns no-http", W OK4 "caa-status=none http=untried tls=other",
	    "own.deploy.not-served", NULL, NULL),
	ROW("no-tls", W OK4 "tls=untried", "", NULL, NULL),
};

static void
evidence_becomes_findings(void **state)
{
	static struct world w;
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		char got[1024];

		world_new(&w, r->how);
		for (size_t k = 0; k < 3 && r->names[k] != NULL; k++)
			put_name(&w, r->names[k]);
		world_classify(&w, r->how);
		print_causes(&w, got, sizeof got);
		const struct finding *f =
		    w.out.n > 0 ? &w.out.at[0] : &(struct finding){ .cause = CAUSE_NONE };
		const char *fault = fault_of(&w);
		if (strcmp(got, r->wanted) != 0 || fault != NULL ||
		    (r->seen != NULL && !str_eq(f->seen, str_of(r->seen))) ||
		    (r->copy != NULL && !str_eq(f->copy, str_of(r->copy)))) {
			print_error(
			    "%s:%d: %s[%s]: got \"%s\", seen \"%.*s\", copy \"%.*s\"%s%s\n",
			    __FILE__, r->line, r->names[0], r->how, got, STR_ARG(f->seen),
			    STR_ARG(f->copy), fault != NULL ? ": " : "",
			    fault != NULL ? fault : "");
			failed++;
		}
		arena_fini(&w.a);
	}
	assert_int_equal(failed, 0);
}

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

/* ---- next looks, actors ---- */

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
a_full_list_and_a_full_arena_are_survived(void **state)
{
	static struct world w;

	(void)state;
	for (size_t cap = 0; cap < 4; cap++) {
		world_new(&w, "");
		put_name(&w, W "ip=198.51.100.5 ip=2001:db8::99 caa=0:issue:;");
		w.out.cap = cap;
		world_classify(&w, "");
		assert_int_equal(w.out.n, cap < 3 ? cap : 3);
		arena_fini(&w.a);
	}
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		world_new(&w, rows[i].how);
		for (size_t k = 0; k < 3 && rows[i].names[k] != NULL; k++)
			put_name(&w, rows[i].names[k]);
		w.a.max = w.a.used; /* not a byte more */
		world_classify(&w, rows[i].how);
		arena_fini(&w.a);
	}
}

/* ---- struct served ---- */

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
		cmocka_unit_test(evidence_becomes_findings),
		cmocka_unit_test(nothing_is_said_of_the_well),
		cmocka_unit_test(looks_follow_the_ttl),
		cmocka_unit_test(what_is_served_is_acted_on_by_the_root_cause),
		cmocka_unit_test(evidence_is_text_and_bounded),
		cmocka_unit_test(a_full_list_and_a_full_arena_are_survived),
		cmocka_unit_test(served_is_the_worst_over_the_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
