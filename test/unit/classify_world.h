#ifndef KOSHIN_TEST_UNIT_CLASSIFY_WORLD_H
#define KOSHIN_TEST_UNIT_CLASSIFY_WORLD_H
/*
 * What the tests of classify share. Evidence is written in words, one string for each name:
 *
 *   NAME [word …]
 *   a= aaaa= caa-status= reg=   ok nx servfail timeout bogus broken local none
 *   said=WORDS       what one visitor's device said
 *   cname=TARGET loop ttl=N why=TEXT caa=FLAGS:TAG:VALUE caa-at=NAME       "_" in a value is a space
 *   ip=ADDRESS                  ours if it is one of the policy's; ours answer rightly, others 404
 *   from=PLACE[/silent]         a vantage point: sees=ADDRESS/HTTP (as http), at=NAME, from-a= from-aaaa= from-caa= (status, or FLAGS:TAG:VALUE) say what it sees
 *   http=…  body=… loc=URL  tls=…  reserved  front=SERVICE  mail=… (as tls)  home=loop[@WHERE]|hsts|page|URL that the page loads                          said of the last address
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

enum { NAMES_MAX = 4, ADDRESSES_MAX = 40, CAA_MAX = 10, VIEWS_MAX = 6 };

static struct str ours[] = { { "203.0.113.10", 12 }, { "203.0.113.11", 12 },
	{ "2001:db8::10", 12 } };

struct world {
	struct arena a;
	struct evidence e;
	struct name_evidence names[NAMES_MAX];
	struct address_evidence addresses[NAMES_MAX][ADDRESSES_MAX];
	struct caa_record caa[NAMES_MAX][CAA_MAX];
	struct view_evidence views[NAMES_MAX][VIEWS_MAX];
	struct finding of_order;
	struct site site;
	struct site_name site_names[NAMES_MAX];
	struct policy p;
	struct finding findings[NAMES_MAX * 16];
	struct finding_list out;
};

static inline enum dns_status
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
static inline struct str
spaced(struct world *w, struct str s)
{
	char *p = arena_get(&w->a, s.n + 1);

	assert_non_null(p);
	for (size_t i = 0; i < s.n; i++)
		p[i] = s.p[i] == '_' ? ' ' : s.p[i];
	return (struct str){ p, s.n };
}

static inline void
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
static inline void
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
	else if (str_ends(word, STR("newer")))
		t->leaf.not_before.s = NOW - DAY;
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
	else if (str_ends(word, STR("revoked")))
		t->revocation = REVOCATION_REVOKED, t->leaf.serial = STR("0a1b");
	else if (str_ends(word, STR("unlisted")))
		t->revocation = REVOCATION_GOOD;
	else if (str_ends(word, STR("root")))
		t->chain_ok = false;
	else if (str_ends(word, STR("wild")))
		*name = STR("*.example.jp");
	else if (!str_eq(word, STR("held")) && !str_eq(word, STR("other")))
		fail_msg("no such tls: %.*s", STR_ARG(word));
}

static inline void
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

static inline void
put_sight(struct world *w, struct view_evidence *v, struct str value)
{
	struct str ip = str_cut(&value, '/');
	struct view_address *at;

	if (v->addresses == NULL)
		v->addresses = arena_get(&w->a, 8 * sizeof *v->addresses);
	assert_non_null(v->addresses);
	assert_true(v->addresses_n < 8);
	at = &v->addresses[v->addresses_n++];
	assert_int_equal(address_read(ip, &at->ip), ERR_OK);
	set_http(&at->http, value);
}

static inline void
put_view_word(struct world *w, struct name_evidence *n, struct str key, struct str value)
{
	struct view_evidence *v = n->views_n > 0 ? &n->views[n->views_n - 1] : NULL;

	if (str_eq(key, STR("from"))) {
		struct str place = str_cut(&value, '/');

		assert_true(n->views_n < VIEWS_MAX);
		n->views[n->views_n++] = (struct view_evidence){ .place = place,
			.result = str_eq(value, STR("silent")) ? VIEW_SILENT : VIEW_SEEN,
			.a_status = DNS_OK, .aaaa_status = DNS_OK, .caa_status = DNS_OK };
		return;
	}
	assert_non_null(v);
	if (str_eq(key, STR("sees")))
		put_sight(w, v, value);
	else if (str_eq(key, STR("front-there")))
		v->addresses[v->addresses_n - 1].front = value;
	else if (str_eq(key, STR("from-a")))
		v->a_status = status_of(value);
	else if (str_eq(key, STR("from-aaaa")))
		v->aaaa_status = status_of(value);
	else if (str_eq(key, STR("from-caa")) && str_find(value, STR(":")) == SIZE_MAX)
		v->caa_status = status_of(value);
	else {
		struct name_evidence there = { .name = n->name, .caa = arena_get(&w->a, CAA_MAX * sizeof *there.caa) };

		assert_true(str_eq(key, STR("from-caa")));
		assert_non_null(there.caa);
		put_caa(w, &there, value);
		v->caa = there.caa;
		v->caa_n = there.caa_n;
		v->caa_at = there.caa_at;
	}
}

static inline void
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
	else if (str_starts(key, STR("from")) || str_eq(key, STR("sees")) || str_eq(key, STR("front-there")))
		put_view_word(w, n, key, value);
	else if (str_eq(key, STR("said")))
		n->reported = value;
	else if (str_eq(key, STR("misplaced")))
		n->misplaced = value;
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
	else if (str_eq(key, STR("home")) && last != NULL) {
		last->home.http.result = str_starts(value, STR("loop")) ? HTTP_REDIRECT_LOOP : HTTP_ANSWERED;
		if (str_starts(value, STR("loop@"))) {
			last->home.http.location = (struct str){ value.p + 5, value.n - 5 };
			last->home.http.hops = 2;
		}
		last->home.has_hsts = str_eq(value, STR("hsts"));
		if (str_starts(value, STR("http://")))
			last->home.insecure = value, last->home.insecure_n = 1;
	} else if (str_eq(key, STR("mail")) && last != NULL) {
		struct service_evidence *one = arena_get(&w->a, sizeof *one);

		assert_non_null(one);
		one->port = 993;
		set_tls(w, n, &one->tls, value);
		if (str_eq(value, STR("other"))) /* the certificate of before */
			one->tls.leaf.not_before.s -= DAY;
		last->services = one;
		last->services_n = 1;
	} else if (str_eq(key, STR("front")) && last != NULL) {
		last->front = value;
		last->is_ours = false;
	} else if (str_eq(key, STR("body")) && last != NULL)
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

static inline void
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
		.caa = w->caa[w->e.names_n],
		.views = w->views[w->e.names_n] };
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

/* how: "" a site with a certificate; "first": none yet; "new": the last name is not in it; "none": no site; "redirect", "hsts": with
 * ours on; "no-dns", "no-http", "no-tls", "dead" of the plan and the resolver. */
static inline void
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
		.setting = { .source = SOURCE_FREE },
		.held = { .id = 7,
		    .is_live = true,
		    .life = { { NOW - 30 * DAY }, { NOW + 60 * DAY } } } };
	w->site.held.fingerprint[0] = 1;
	if (strstr(how, "first") != NULL)
		w->site.held = (struct held){ .id = 0 };
	w->site.applied.hsts = strstr(how, "hsts") != NULL;
	w->site.applied.redirect = strstr(how, "redirect") != NULL ? 307 : 0;
}

static inline void
world_classify(struct world *w, const char *how)
{
	/* The CA could not come in: "kept-out" once, "kept-out2" twice in a row; "refused2": twice, refused. */
	if (strstr(how, "kept-out") != NULL || strstr(how, "refused2") != NULL || strstr(how, "banned") != NULL) {
		w->of_order = (struct finding){ .cause = strstr(how, "kept-out") != NULL ? CAUSE_TRANSPORT_CONNECT_GEO_BLOCKED : strstr(how, "banned") != NULL ?
			CAUSE_TRANSPORT_VALIDATOR_BANNED : CAUSE_TRANSPORT_UNCLASSIFIED,
			.subject = w->names[0].name, .evidence = STR("the CA's words"), .next_look = { NOW + 60 }, .is_from_order = true, .times_seen = strstr(how, "2") != NULL ? 2 : 1 };
		w->site.findings = (struct finding_list){ .at = &w->of_order, .n = 1, .cap = 1 };
	}
	if (strstr(how, "new") != NULL)
		w->site_names[w->e.names_n - 1].is_held = false;
	for (size_t i = 0; strstr(how, "first") != NULL && i < w->e.names_n; i++)
		w->site_names[i].is_held = false;
	classify(&w->e, strstr(how, "none") != NULL ? NULL : &w->site, &w->p, &w->a, &w->out);
}

/* Every finding has what people and programs need of it. */
static inline const char *
fault_of(const struct world *w)
{
	for (size_t i = 0; i < w->out.n; i++) {
		const struct finding *f = &w->out.at[i];
		bool is_outside = f->acts == ACTOR_DOMAIN_COMPANY;

		if (f->subject.n == 0 || f->evidence.n == 0)
			return "a finding without subject or evidence";
		if (!str_is_utf8(f->evidence) || !str_is_utf8(f->seen))
			return "evidence that is no text";
		bool is_of_time = f->cause == CAUSE_SERVED_EXPIRING; /* no look changes it */
		if (is_of_time && f->next_look.s != NOW + w->p.look_every.s)
			return "a next look that is not the daily one";
		if (!is_of_time && (f->next_look.s < NOW + 30 || f->next_look.s > NOW + 900))
			return "a next look that is not soon";
		if (is_outside && f->copy.n == 0)
			return "nothing to copy for who acts outside";
		if (cause_row(f->cause)->layer == LAYER_SERVED && finding_blocks(f))
			return "an order held back by what visitors get";
	}
	return w->out.dropped > 0 ? "a finding was dropped" : NULL;
}

/* "cause cause | cause": of each name, in order. */
static inline void
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

#define W "www.example.jp "
#define OK4 "ip=203.0.113.10 "
#endif
