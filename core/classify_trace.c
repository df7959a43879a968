/* Evidence as text for the folded part of a finding. Everything in it came from strangers: only printable text passes. */
#include <string.h>
#include "base/date.h"
#include "base/limits.h"
#include "core/classify_inside.h"

struct lines {
	char *p;
	size_t n;
	bool is_full;
};

static void
put_byte(struct lines *l, char c)
{
	if (l->n < LIMIT_EVIDENCE_BYTES - 8)
		l->p[l->n++] = c;
	else
		l->is_full = true;
}

static void
put(struct lines *l, struct str s)
{
	bool is_text = str_is_utf8(s);

	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c < 0x20 || c == 0x7f)
			put_byte(l, ' ');
		else
			put_byte(l, c >= 0x80 && !is_text ? '?' : s.p[i]);
	}
}

/* Words of our own: nothing in them has to be kept out. */
static void
put_words(struct lines *l, const char *words)
{
	size_t n = strlen(words);

	if (n > LIMIT_EVIDENCE_BYTES - 8 - l->n) {
		put(l, str_of(words));
		return;
	}
	memcpy(l->p + l->n, words, n);
	l->n += n;
}

static void
end_line(struct lines *l)
{
	put_byte(l, '\n');
}

const char *
classify_dns_words(enum dns_status s)
{
	switch (s) {
	case DNS_NOT_ASKED:
		return "not asked";
	case DNS_OK:
		return "NOERROR";
	case DNS_NXDOMAIN:
		return "NXDOMAIN";
	case DNS_SERVFAIL:
		return "SERVFAIL";
	case DNS_BOGUS:
		return "SERVFAIL (DNSSEC: bogus)";
	case DNS_TIMEOUT:
		return "no answer in time";
	case DNS_BROKEN:
		return "an answer that cannot be used";
	case DNS_LOCAL:
		return "our resolver did not work";
	}
	return "";
}

static void
put_family(struct lines *l, const struct name_evidence *n, uint8_t family)
{
	enum dns_status status = family == 4 ? n->a_status : n->aaaa_status;
	size_t found = 0;

	put(l, n->name);
	put_words(l, family == 4 ? " A: " : " AAAA: ");
	put_words(l, classify_dns_words(status));
	for (size_t i = 0; i < n->addresses_n; i++) {
		char ip[46];

		if (n->addresses[i].ip.family != family)
			continue;
		address_text(&n->addresses[i].ip, ip);
		put_words(l, found++ == 0 ? " " : ", ");
		put_words(l, ip);
		if (n->addresses[i].is_ours)
			put_words(l, " (ours)");
		if (n->addresses[i].front.n > 0) {
			put_words(l, " (");
			put(l, n->addresses[i].front);
			put_words(l, ")");
		}
	}
	if (status == DNS_OK && found == 0)
		put_words(l, ", no record");
	end_line(l);
}

static void
put_registration(struct lines *l, const struct name_evidence *n, struct arena *a)
{
	const struct registration *r = &n->registration;

	if (r->status == REGISTRATION_NOT_ASKED)
		return;
	put(l, n->registered_domain);
	put_words(l, r->status == REGISTRATION_UNKNOWN ? " RDAP: no answer"
		     : r->status == REGISTRATION_NONE  ? " RDAP: not registered"
						       : " RDAP: ");
	if (r->status == REGISTRATION_FOUND) {
		put(l, r->words);
		put_words(l, when_is_known(r->expires) ? "; expires " : "");
		put(l, date_day_text(r->expires, a));
		put_words(l, r->registrar.n > 0 ? "; registrar " : "");
		put(l, r->registrar);
	}
	end_line(l);
}

static bool
has_rcode(const struct nameserver_evidence *s)
{
	return s->rcode >= 0;
}

static void
put_delegation(struct lines *l, const struct delegation_evidence *d)
{
	if (!d->is_asked)
		return;
	for (size_t i = 0; i < d->servers_n; i++) {
		const struct nameserver_evidence *s = &d->servers[i];
		char ip[46] = "no address";

		if (s->ip.family != 0)
			address_text(&s->ip, ip);
		put(l, s->name);
		put_words(l, " (");
		put_words(l, ip);
		put_words(l, "): ");
		put_words(l, s->rcode == 5 ? "REFUSED" : classify_dns_words(s->status));
		put_words(l, has_rcode(s) && !s->is_authoritative ? ", not authoritative" : "");
		put_words(l, s->is_plain_only ? ", only without EDNS" : "");
		put_words(l, s->is_tcp_silent ? ", silent over TCP" : "");
		put_words(l, s->is_case_lost ? ", does not keep letters" : "");
		if (s->cname.n > 0) {
			put_words(l, " CNAME ");
			put(l, s->cname);
		}
		for (size_t k = 0; k < s->addresses_n; k++) {
			address_text(&s->addresses[k], ip);
			put_words(l, k == 0 ? " " : ", ");
			put_words(l, ip);
		}
		end_line(l);
	}
	if (d->denied_parent.n > 0) {
		put(l, d->denied_parent);
		put_words(l, ": NXDOMAIN, although names below it exist");
		end_line(l);
	}
}

static void
put_publics(struct lines *l, const struct name_evidence *n, struct arena *a)
{
	for (size_t i = 0; i < n->publics_n; i++) {
		const struct public_evidence *p = &n->publics[i];
		char ip[46];

		put(l, p->server);
		put_words(l, " (for everybody): ");
		put_words(l, classify_dns_words(p->status));
		for (size_t k = 0; k < p->addresses_n; k++) {
			address_text(&p->addresses[k], ip);
			put_words(l, k == 0 ? " " : ", ");
			put_words(l, ip);
		}
		if (p->status == DNS_OK || p->status == DNS_NXDOMAIN)
			put(l, arena_strf(a, ", for %u s", (unsigned)p->ttl_s));
		end_line(l);
	}
}

static void
put_dns(struct lines *l, const struct name_evidence *n, struct arena *a)
{
	put_family(l, n, 4);
	put_family(l, n, 6);
	if (n->cname_target.n > 0) {
		put_words(l, "CNAME to ");
		put(l, n->cname_target);
		put_words(l, n->is_cname_loop ? " (a loop)" : "");
		end_line(l);
	}
	if (n->registered_status != DNS_NOT_ASKED) {
		put(l, n->registered_domain);
		put_words(l, " SOA: ");
		put_words(l, classify_dns_words(n->registered_status));
		end_line(l);
	}
	put_registration(l, n, a);
	put_delegation(l, &n->delegation);
	put_publics(l, n, a);
	if (n->misplaced.n > 0) {
		put(l, n->misplaced);
		put_words(l, " TXT: a proof for dns-01, entered with the domain twice");
		end_line(l);
	}
	if (n->reported.n > 0) {
		put_words(l, "one visitor's device said: ");
		put(l, n->reported);
		end_line(l);
	}
	if (n->why_bogus.n > 0) {
		put(l, n->why_bogus);
		end_line(l);
	}
	put_words(l, "CAA: ");
	put_words(l, classify_dns_words(n->caa_status));
	if (n->caa_n > 0)
		put_words(l, " at ");
	put(l, n->caa_at);
	end_line(l);
	for (size_t i = 0; i < n->caa_n; i++) {
		const struct caa_record *r = &n->caa[i];

		put(l, arena_strf(a, "  %u %.*s \"%.*s\"", r->flags, STR_ARG(r->tag),
			   STR_ARG(r->value)));
		end_line(l);
	}
}

const char *
classify_http_words(enum http_result r)
{
	switch (r) {
	case HTTP_NOT_TRIED:
		return "not tried";
	case HTTP_ANSWERED:
		return "answered";
	case HTTP_REFUSED:
		return "connection refused";
	case HTTP_TIMEOUT_CONNECT:
		return "no answer to the connection";
	case HTTP_TIMEOUT_READ:
		return "connected, no answer in time";
	case HTTP_UNREACHABLE:
		return "unreachable";
	case HTTP_RESET:
		return "the connection was cut";
	case HTTP_NOT_HTTP:
		return "answered something that is not HTTP";
	case HTTP_TLS_FAILED:
		return "the TLS handshake of the redirect's target failed";
	case HTTP_REDIRECT_LOOP:
		return "redirects in a loop";
	case HTTP_REDIRECT_DISALLOWED:
		return "redirects where the CA does not follow";
	case HTTP_REDIRECT_UNRESOLVABLE:
		return "redirects to a name without an address";
	case HTTP_FORBIDDEN_ADDRESS:
		return "not tried: an address for inside networks";
	}
	return "";
}

static void
put_http(struct lines *l, const struct http_evidence *h, struct arena *a)
{
	put_words(l, classify_http_words(h->result));
	if (h->status != 0)
		put(l, arena_strf(a, ", status %d", h->status));
	put_words(l, h->is_ours		  ? ", our answer"
		     : h->is_ours_altered ? ", our answer, altered"
					  : "");
	if (h->location.n > 0) {
		put_words(l, ", redirected to ");
		put(l, h->location);
	}
	if (h->server.n > 0) {
		put_words(l, ", Server: ");
		put(l, h->server);
	}
	if (h->tries > 1)
		put(l, arena_strf(a, ", asked %u times, ours %u times", h->tries, h->ours_n));
	put_words(l, h->is_mitigated ? ", stopped by the service in front" : "");
	put_words(l, h->is_from_cache ? ", from a cache" : "");
	if (h->detail.n > 0) {
		put_words(l, ": ");
		put(l, h->detail);
	}
	end_line(l);
	if (h->body.n > 0 && !h->is_ours) {
		put_words(l, "  body: ");
		put(l, h->body);
		end_line(l);
	}
}

static const char *
tls_words(enum tls_result r)
{
	switch (r) {
	case TLS_NOT_TRIED:
		return "not tried";
	case TLS_SHOWN:
		return "shows";
	case TLS_REFUSED:
		return "connection refused";
	case TLS_TIMEOUT:
		return "no answer in time";
	case TLS_UNREACHABLE:
		return "unreachable";
	case TLS_RESET:
		return "the connection was cut";
	case TLS_ALERT:
		return "the handshake failed";
	case TLS_FORBIDDEN_ADDRESS:
		return "not tried: an address for inside networks";
	}
	return "";
}

static void
put_tls(struct lines *l, const struct tls_evidence *t, struct arena *a)
{
	static const char hex[] = "0123456789abcdef";
	const struct certificate_info *c = &t->leaf;

	put_words(l, tls_words(t->result));
	for (size_t i = 0; i < c->names_n && i < 8; i++) {
		put_words(l, i == 0 ? " " : ", ");
		put(l, c->names[i]);
	}
	if (t->result == TLS_SHOWN) {
		put_words(l, "; ends ");
		put(l, date_text(c->not_after, a));
		put_words(l, "; issuer ");
		put(l, c->issuer);
		put_words(l, t->chain_ok	      ? "; chain well; SHA-256 "
			     : t->chain_is_incomplete ? "; chain incomplete; SHA-256 "
						      : "; chain to no known root; SHA-256 ");
		for (size_t i = 0; i < FINGERPRINT_BYTES; i++) {
			put_byte(l, hex[c->fingerprint[i] >> 4]);
			put_byte(l, hex[c->fingerprint[i] & 15]);
		}
	}
	put_words(l, t->revocation == REVOCATION_REVOKED ? "; revoked by " : t->revocation == REVOCATION_GOOD ? "; not revoked by " : "");
	if (t->revocation >= REVOCATION_GOOD)
		put(l, t->crl_url);
	if (t->detail.n > 0) {
		put_words(l, ": ");
		put(l, t->detail);
	}
	end_line(l);
}

static void
put_services(struct lines *l, const struct address_evidence *a, const char *ip, struct arena *arena)
{
	for (size_t i = 0; i < a->services_n; i++) {
		put(l, arena_strf(arena, "port %u at %s: ", (unsigned)a->services[i].port, ip));
		put_tls(l, &a->services[i].tls, arena);
	}
}

static void
put_home(struct lines *l, const struct address_evidence *a, const char *ip, struct arena *arena)
{
	const struct home_evidence *h = &a->home;

	if (a->plain.result != HTTP_NOT_TRIED) {
		put_words(l, "home page over http at ");
		put_words(l, ip);
		put_words(l, ": ");
		put_http(l, &a->plain, arena);
	}
	if (h->http.result == HTTP_NOT_TRIED)
		return;
	put_words(l, "home page at ");
	put_words(l, ip);
	put_words(l, ": ");
	put_http(l, &h->http, arena);
	if (h->has_hsts) {
		put_words(l, "  Strict-Transport-Security is promised");
		end_line(l);
	}
	if (h->insecure_n > 0) {
		put(l, arena_strf(arena, "  loads over http: %u, first ", h->insecure_n));
		put(l, h->insecure);
		end_line(l);
	}
}

static const char *
view_words(enum view_result r)
{
	switch (r) {
	case VIEW_NOT_ASKED:
		return "was not asked";
	case VIEW_SEEN:
		return "";
	case VIEW_SILENT:
		return "did not answer";
	case VIEW_REFUSED:
		return "did not take the question";
	case VIEW_BLIND:
		return "could not look";
	}
	return "";
}

/* A line for each place, and one for each address that it looked at. */
static void
put_views(struct lines *l, const struct name_evidence *n, struct arena *a)
{
	for (size_t i = 0; i < n->views_n; i++) {
		const struct view_evidence *v = &n->views[i];
		char ip[46];

		put_words(l, "from ");
		put(l, v->place);
		put_words(l, v->result == VIEW_SEEN ? ": A " : ": ");
		put_words(l, v->result == VIEW_SEEN ? classify_dns_words(v->a_status) : view_words(v->result));
		if (v->result == VIEW_SEEN) {
			put_words(l, ", AAAA ");
			put_words(l, classify_dns_words(v->aaaa_status));
			put_words(l, ", CAA ");
			put_words(l, classify_dns_words(v->caa_status));
			put_words(l, v->caa_n > 0 ? " at " : "");
			put(l, v->caa_n > 0 ? v->caa_at : STR_NONE);
		}
		/* Why it did not answer is the operator's to read, and stands in the log. */
		end_line(l);
		for (size_t k = 0; k < v->addresses_n; k++) {
			address_text(&v->addresses[k].ip, ip);
			put_words(l, "  http at ");
			put_words(l, ip);
			put_words(l, ": ");
			put_http(l, &v->addresses[k].http, a);
		}
	}
}

struct str
classify_trace(const struct judge *j)
{
	struct lines l = { .p = arena_get(j->a, LIMIT_EVIDENCE_BYTES) };

	if (l.p == NULL)
		return STR_NONE;
	put_dns(&l, j->n, j->a);
	if (j->e->has_dns && !j->e->resolver_works) {
		put_words(&l, "the control question was not answered");
		put_words(&l, j->e->no_route ? "; there is no route out of this server" : "");
		end_line(&l);
	}
	for (size_t i = 0; i < j->n->addresses_n; i++) {
		const struct address_evidence *a = &j->n->addresses[i];
		char ip[46];

		address_text(&a->ip, ip);
		if (j->e->has_http) {
			put_words(&l, "http at ");
			put_words(&l, ip);
			put_words(&l, ": ");
			put_http(&l, &a->http, j->a);
		}
		if (j->e->has_tls) {
			put_words(&l, "https at ");
			put_words(&l, ip);
			put_words(&l, ": ");
			put_tls(&l, &a->tls, j->a);
			put_home(&l, a, ip, j->a);
			put_services(&l, a, ip, j->a);
		}
	}
	put_views(&l, j->n, j->a);
	/* Said, not hidden: the rest did not fit. */
	if (l.is_full)
		for (const char *mark = " [cut]\n"; *mark != '\0'; mark++)
			l.p[l.n++] = *mark;
	while (l.n > 0 && l.p[l.n - 1] == '\n')
		l.n--;
	return (struct str){ l.p, l.n };
}
