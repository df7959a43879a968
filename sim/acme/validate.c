#include "sim/acme/inside.h"
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * Validation as a CA does it: addresses from DNS (or the one that was configured), the challenge over HTTP with redirects
 * followed, or the TXT record; then CAA (RFC 8659). The words of a failure are Boulder's.
 */

enum { REDIRECTS_MAX = 10, ADDRESSES_MAX = 8, DNS_MS = 10000 };
static const char well_known[] = "/.well-known/acme-challenge/";

struct look {
	struct fake *f;
	struct authz *z;
	struct look *next, *prev;
	struct loop_timer *timer;
	struct dns_ask *ask;
	struct fetch *fetch;
	char host[TEXT_BYTES], path[1024]; /* that are fetched now: a redirect changes them */
	uint16_t port;
	unsigned redirects;
	char addresses[ADDRESSES_MAX][INET6_ADDRSTRLEN];
	size_t addresses_n, address_i;
	bool is_aaaa_asked;
	enum dns_status a_status;
	struct str caa_at; /* a view into the name: the level that is asked for CAA */
};

static void
look_free(struct look *k)
{
	loop_cancel(k->f->loop, &k->timer);
	resolver_drop(&k->ask);
	fetch_drop(&k->fetch);
	if (k->prev != NULL)
		k->prev->next = k->next;
	else
		k->f->looks = k->next;
	if (k->next != NULL)
		k->next->prev = k->prev;
	free(k);
}

static void
settle(struct look *k, bool is_valid)
{
	struct authz *z = k->z;

	/* It may have been given back meanwhile. */
	if (z->status == S_PENDING) {
		z->status = is_valid ? S_VALID : S_INVALID;
		z->validated = fake_now(k->f);
		if (is_valid) {
			struct when until = when_plus(z->validated, SPAN_D(90));

			z->expires = when_max(z->expires, until);
			limits_forgive(k->f, z);
		} else {
			limits_spend_failed(k->f, z);
		}
	}
	k->f->validations_n++;
	look_free(k);
}

__attribute__((format(printf, 3, 4))) static void
deny(struct look *k, const char *type, const char *fmt, ...)
{
	struct problem_text *p = &k->z->error;
	va_list args;

	p->status = strcmp(type, "unauthorized") == 0 || strcmp(type, "caa") == 0 ? 403 : 400;
	(void)snprintf(p->type, sizeof p->type, "%s", type);
	va_start(args, fmt);
	(void)vsnprintf(p->detail, sizeof p->detail, fmt, args);
	va_end(args);
	settle(k, false);
}

static void
deny_dns(struct look *k, enum dns_status status, const char *type, const char *name, struct str why_bogus)
{
	if (status == DNS_NXDOMAIN)
		deny(k, "dns", "DNS problem: NXDOMAIN looking up %s for %s - check that a DNS record exists for this domain", type, name);
	else if (status == DNS_TIMEOUT)
		deny(k, "dns", "DNS problem: query timed out looking up %s for %s", type, name);
	else if (status == DNS_BOGUS)
		deny(k, "dns", "DNS problem: looking up %s for %s: DNSSEC: Bogus: %.*s", type, name, STR_ARG(why_bogus));
	else if (status == DNS_SERVFAIL)
		deny(k, "dns", "DNS problem: SERVFAIL looking up %s for %s - the domain's nameservers may be malfunctioning", type, name);
	else
		deny(k, "dns", "DNS problem: REFUSED looking up %s for %s", type, name);
}

/* --- CAA: RFC 8659 --- */

static void ask_caa(struct look *k);

/* "ca.example; accounturi=…; validationmethods=…": does it let this order pass (RFC 8657)? */
static bool
is_issuer_ours(const struct look *k, struct str value)
{
	struct str rest = value, domain = str_trim(str_cut(&rest, ';'));
	const char *method = k->z->tried == HTTP_01 ? "http-01" : "dns-01";
	char own[64];

	if (!str_eq_nocase(domain, str_of(k->f->set.identity)))
		return false;
	(void)snprintf(own, sizeof own, "/acme/acct/%llu", (unsigned long long)k->z->account->id);
	while (rest.n > 0) {
		struct str v = str_cut(&rest, ';'), tag = str_trim(str_cut(&v, '='));

		v = str_trim(v);
		if (str_eq_nocase(tag, STR("accounturi")) && !str_ends(v, str_of(own)))
			return false;
		if (str_eq_nocase(tag, STR("validationmethods"))) {
			bool is_named = false;

			while (v.n > 0)
				is_named = str_eq(str_trim(str_cut(&v, ',')), str_of(method)) || is_named;
			if (!is_named)
				return false;
		}
	}
	return true;
}

/* False: forbidden; ret_tag names a critical tag that is not known. */
static bool
caa_allows(const struct look *k, const struct dns_answer *a, struct str *ret_tag)
{
	bool has_issue = false, has_wild = false, issue = false, wild = false;

	for (size_t i = 0; i < a->data_n; i++) {
		struct str d = a->data[i];
		size_t n = d.n >= 2 ? (unsigned char)d.p[1] : 0;

		if (d.n < 2 + n || n == 0)
			continue;
		struct str tag = { d.p + 2, n }, value = { d.p + 2 + n, d.n - 2 - n };
		if (str_eq_nocase(tag, STR("issue"))) {
			has_issue = true;
			issue = issue || is_issuer_ours(k, value);
		} else if (str_eq_nocase(tag, STR("issuewild"))) {
			has_wild = true;
			wild = wild || is_issuer_ours(k, value);
		} else if (((unsigned char)d.p[0] & 128) != 0 && !str_eq_nocase(tag, STR("iodef"))) {
			*ret_tag = tag;
			return false;
		}
	}
	if (k->z->is_wildcard && has_wild)
		return wild;
	return !has_issue || issue;
}

static void
got_caa(void *arg, const struct dns_answer *a)
{
	struct look *k = arg;
	struct str tag = STR_NONE;
	char level[TEXT_BYTES];

	k->ask = NULL;
	(void)snprintf(level, sizeof level, "%.*s", STR_ARG(k->caa_at));
	if (a->status != DNS_OK && a->status != DNS_NXDOMAIN) {
		deny_dns(k, a->status, "CAA", level, a->why_bogus);
		return;
	}
	if (a->data_n == 0) {
		(void)str_cut(&k->caa_at, '.');
		ask_caa(k);
		return;
	}
	if (caa_allows(k, a, &tag))
		settle(k, true);
	else if (tag.n > 0)
		deny(k, "caa", "CAA record for %s contains a critical tag that is unknown: %.*s", level, STR_ARG(tag));
	else
		deny(k, "caa", "While processing CAA for %s: CAA record for %s prevents issuance", k->z->name, level);
}

static void
ask_caa(struct look *k)
{
	/* Fresh at each level: what the owner of a domain has just changed counts at once. */
	if (k->f->resolver == NULL || k->caa_at.n == 0)
		settle(k, true);
	else if (resolver_begin(k->f->resolver, &k->caa_at, 1) != ERR_OK ||
		 resolver_ask(k->f->resolver, k->caa_at, DNS_CAA, got_caa, k, &k->ask) != ERR_OK)
		deny(k, "serverInternal", "Error checking CAA");
}

static void
is_proven(struct look *k)
{
	k->caa_at = str_of(k->z->name);
	ask_caa(k);
}

/* --- HTTP-01: RFC 8555 8.3 --- */

static void fetch_next(struct look *k);

static void
url_of(const struct look *k, char ret[2048])
{
	(void)snprintf(ret, 2048, "http://%s%s", k->host, k->path);
}

static void begin_host(struct look *k);

/* The new place in host, path and port; false after a denial. */
static bool
follow(struct look *k, struct str to)
{
	char url[2048];
	int64_t port = 80;

	url_of(k, url);
	if (++k->redirects > REDIRECTS_MAX) {
		deny(k, "connection", "Fetching %s: Too many redirects", url);
		return false;
	}
	if (to.n > 0 && to.p[0] == '/' && to.n < sizeof k->path) {
		(void)snprintf(k->path, sizeof k->path, "%.*s", STR_ARG(to));
		return true;
	}
	if (!str_starts(to, STR("http://"))) {
		deny(k, "connection",
		    "Fetching %s: Invalid protocol scheme in redirect target. Only \"http\" protocol scheme is supported, not \"%.*s\"", url,
		    (int)(to.n < 60 ? to.n : 60), to.p);
		return false;
	}
	to = (struct str){ to.p + 7, to.n - 7 };
	size_t slash = 0;
	while (slash < to.n && to.p[slash] != '/')
		slash++;
	struct str path = { to.p + slash, to.n - slash }, rest = { to.p, slash }, host = str_cut(&rest, ':');
	if ((rest.n > 0 && !str_to_int(rest, &port)) || host.n == 0 || host.n >= sizeof k->host || path.n >= sizeof k->path) {
		deny(k, "connection", "Fetching %s: Invalid empty host in redirect target", url);
		return false;
	}
	if (port != 80 && port != k->f->set.validate_port) {
		deny(k, "connection", "Fetching %s: Invalid port in redirect target. Only ports 80 and 443 are supported, not %lld", url,
		    (long long)port);
		return false;
	}
	(void)snprintf(k->host, sizeof k->host, "%.*s", STR_ARG(host));
	(void)snprintf(k->path, sizeof k->path, "%.*s", path.n > 0 ? (int)path.n : 1, path.n > 0 ? path.p : "/");
	return true;
}

static void
check_body(struct look *k, struct str body)
{
	char want[128], got[65] = "";
	const struct authz *z = k->z;

	while (body.n > 0 && strchr(" \t\r\n", body.p[body.n - 1]) != NULL)
		body.n--;
	(void)snprintf(want, sizeof want, "%s.%s", z->token, z->account->thumbprint);
	if (str_eq(body, str_of(want))) {
		is_proven(k);
		return;
	}
	(void)snprintf(got, sizeof got, "%.*s", (int)(body.n < 64 ? body.n : 64), body.p != NULL ? body.p : "");
	deny(k, "unauthorized",
	    "%s: The key authorization file from the server did not match this challenge. Expected \"%s\" (got \"%s\")", k->z->address, want, got);
}

static void
got_answer(void *arg, const struct fetch_result *r)
{
	struct look *k = arg;
	char url[2048], location[1024] = "";
	struct fetch *fetch = k->fetch;

	k->fetch = NULL;
	url_of(k, url);
	if (r->what == FETCH_ANSWERED && r->status == 200) {
		check_body(k, r->body);
	} else if (r->what == FETCH_ANSWERED && (r->status == 301 || r->status == 302 || r->status == 307 || r->status == 308)) {
		(void)snprintf(location, sizeof location, "%.*s", (int)(r->location.n < 1000 ? r->location.n : 1000),
		    r->location.p != NULL ? r->location.p : "");
		if (follow(k, str_of(location)))
			begin_host(k);
	} else if (r->what == FETCH_ANSWERED && r->status == 303) {
		deny(k, "connection", "%s: Fetching %s: received disallowed redirect status code", k->z->address, url);
	} else if (r->what == FETCH_ANSWERED) {
		deny(k, "unauthorized", "%s: Invalid response from %s: %d", k->z->address, url, r->status);
	} else if (r->what == FETCH_RUBBISH) {
		deny(k, "connection", "%s: Fetching %s: malformed HTTP response", k->z->address, url);
	} else if (k->address_i + 1 < k->addresses_n) {
		k->address_i++;
		fetch_next(k);
	} else {
		deny(k, "connection", "%s: Fetching %s: %s", k->z->address, url,
		    r->what == FETCH_REFUSED	      ? "Connection refused"
		    : r->what == FETCH_TIMEOUT_CONNECT ? "Timeout during connect (likely firewall problem)"
		    : r->what == FETCH_TIMEOUT_READ    ? "Timeout after connect (your server may be slow or overloaded)"
		    : r->what == FETCH_RESET	      ? "Connection reset by peer"
						      : "Network unreachable");
	}
	fetch_drop(&fetch);
}

static void
fetch_next(struct look *k)
{
	const char *address = k->addresses[k->address_i];

	(void)snprintf(k->z->address, sizeof k->z->address, "%s", address);
	if (fetch_begin(k->f->loop, address, k->port, str_of(k->host), str_of(k->path), got_answer, k, &k->fetch) != ERR_OK)
		deny(k, "connection", "%s: Fetching http://%s%s: Network unreachable", address, k->host, k->path);
}

static void
got_address(void *arg, const struct dns_answer *a)
{
	struct look *k = arg;
	bool is_first = !k->is_aaaa_asked;

	k->ask = NULL;
	for (size_t i = 0; i < a->data_n && k->addresses_n < ADDRESSES_MAX; i++) {
		size_t n = a->data[i].n;

		if ((n == 4 || n == 16) &&
		    inet_ntop(n == 4 ? AF_INET : AF_INET6, a->data[i].p, k->addresses[k->addresses_n], INET6_ADDRSTRLEN) != NULL)
			k->addresses_n++;
	}
	/* IPv6 is tried first; A was not asked yet. */
	if (is_first) {
		k->is_aaaa_asked = true;
		if (resolver_ask(k->f->resolver, str_of(k->host), DNS_A, got_address, k, &k->ask) != ERR_OK)
			deny(k, "serverInternal", "Error looking up %s", k->host);
		return;
	}
	if (k->addresses_n > 0)
		fetch_next(k);
	else if (a->status != DNS_OK)
		deny_dns(k, a->status, "A", k->host, a->why_bogus);
	else
		deny(k, "dns", "no valid A records found for %s; no valid AAAA records found for %s", k->host, k->host);
}

static void
begin_host(struct look *k)
{
	const struct settings *s = &k->f->set;
	struct str host = str_of(k->host);

	k->addresses_n = k->address_i = 0;
	k->is_aaaa_asked = false;
	k->port = s->validate_port;
	if (s->validate_at[0] != '\0') {
		(void)snprintf(k->addresses[0], sizeof k->addresses[0], "%.*s", (int)sizeof k->addresses[0] - 1, s->validate_at);
		k->addresses_n = 1;
		fetch_next(k);
	} else if (k->f->resolver == NULL) {
		deny(k, "dns", "DNS problem: the fake CA was told neither \"validate at\" nor \"dns\"");
	} else if (resolver_begin(k->f->resolver, &host, 1) != ERR_OK ||
		   resolver_ask(k->f->resolver, host, DNS_AAAA, got_address, k, &k->ask) != ERR_OK) {
		deny(k, "serverInternal", "Error looking up %s", k->host);
	}
}

/* --- DNS-01: RFC 8555 8.4 --- */

static void
got_txt(void *arg, const struct dns_answer *a)
{
	struct look *k = arg;
	char text[128], want[64];
	uint8_t digest[32];

	k->ask = NULL;
	(void)snprintf(text, sizeof text, "%s.%s", k->z->token, k->z->account->thumbprint);
	(void)EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL); /* it has no way to fail for SHA-256 of bytes */
	jws_encode(digest, sizeof digest, want);
	for (size_t i = 0; i < a->data_n; i++)
		if (a->data[i].n > 1 && str_eq((struct str){ a->data[i].p + 1, a->data[i].n - 1 }, str_of(want))) {
			is_proven(k);
			return;
		}
	if (a->data_n > 0)
		deny(k, "unauthorized", "Incorrect TXT record found at _acme-challenge.%s", k->z->name);
	else if (a->status == DNS_OK)
		deny(k, "unauthorized", "No TXT record found at _acme-challenge.%s", k->z->name);
	else
		deny_dns(k, a->status, "TXT", k->host, a->why_bogus);
}

static void
begin_dns(struct look *k)
{
	struct str host;

	(void)snprintf(k->host, sizeof k->host, "_acme-challenge.%.230s", k->z->name);
	host = str_of(k->host);
	if (k->f->resolver == NULL)
		deny(k, "dns", "DNS problem: the fake CA was not told a \"dns\"");
	else if (resolver_begin(k->f->resolver, &host, 1) != ERR_OK ||
		 resolver_ask(k->f->resolver, host, DNS_TXT, got_txt, k, &k->ask) != ERR_OK)
		deny(k, "serverInternal", "Error looking up %s", k->host);
}

/* --- the whole --- */

static void
begin(void *arg)
{
	struct look *k = arg;
	struct authz *z = k->z;

	k->timer = NULL;
	if (k->f->set.validation == VALIDATION_STOPPED) {
		z->is_queued = true;
		look_free(k);
	} else if (k->f->set.refusals[AT_CHALLENGE].status != 0) {
		z->error = k->f->set.refusals[AT_CHALLENGE];
		settle(k, false);
	} else if (k->f->set.validation == VALIDATION_SKIPPED) {
		settle(k, true);
	} else if (z->tried == DNS_01) {
		begin_dns(k);
	} else {
		(void)snprintf(k->host, sizeof k->host, "%s", z->name);
		(void)snprintf(k->path, sizeof k->path, "%s%s", well_known, z->token);
		begin_host(k);
	}
}

void
validation_begin(struct fake *f, struct authz *z)
{
	struct look *k = calloc(1, sizeof *k);

	if (k == NULL)
		return; /* pending until it expires: as with a CA whose validator died */
	*k = (struct look){ .f = f, .z = z, .next = f->looks };
	if (k->next != NULL)
		k->next->prev = k;
	f->looks = k;
	if (f->set.validation_ms == 0) {
		begin(k);
		return;
	}
	k->timer = loop_after(f->loop, f->set.validation_ms, begin, k);
	if (k->timer == NULL)
		begin(k);
}

void
validation_resume(struct fake *f)
{
	for (size_t i = 0; i < f->authzs.n; i++)
		if (f->authzs.at[i]->is_queued) {
			f->authzs.at[i]->is_queued = false;
			validation_begin(f, f->authzs.at[i]);
		}
}

void
validation_end(struct fake *f)
{
	while (f->looks != NULL)
		look_free(f->looks);
	resolver_free(&f->resolver);
}

enum err
validation_use_dns(struct fake *f, struct why *why)
{
	const char *forwarder = f->set.forwarder;
	struct resolver_options o = { .forwarders = &forwarder, .forwarders_n = 1, .timeout_ms = DNS_MS };

	/* Questions under way end with the resolver, and their looks with them. */
	for (struct look *k = f->looks, *next; k != NULL; k = next) {
		next = k->next;
		if (k->ask != NULL)
			deny(k, "serverInternal", "The fake CA was told to use another name server meanwhile");
	}
	resolver_free(&f->resolver);
	return forwarder[0] == '\0' ? ERR_OK : resolver_new(f->loop, f->clock, &o, why, &f->resolver);
}
