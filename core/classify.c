/*
 * The order of judgement for one name, and DNS: who has no address, who has another's, and what DNS failed at. An
 * owner is asked to act only on what was seen with an answer in hand: a resolver of ours that does not work says
 * nothing of a domain, and an address that we do not know says nothing against one that gave our own answer.
 */
#include "core/classify.h"
#include <string.h>

#include "base/date.h"
#include "base/limits.h"
#include "core/classify_inside.h"
#include "core/site_mend.h"
#include "core/site_plan.h"

enum {
	RECORD_TTL_S = 3600,
	OWN_LOOK_S = 60,
	OWN_LOOK_MAX_S = 300,
	FAILED_LOOK_TIMES = 4,
	SEEN_MAX = 4
};

static bool
is_answered(enum dns_status s)
{
	return s == DNS_OK || s == DNS_NXDOMAIN;
}

/* ---- findings of a name ---- */

static struct finding *
find(const struct judge *j, enum cause c)
{
	for (size_t i = j->first; i < j->out->n; i++)
		if (j->out->at[i].cause == c)
			return &j->out->at[i];
	return NULL;
}

bool
judge_has(const struct judge *j, enum cause c)
{
	return find(j, c) != NULL;
}

/* What the owner is mending in DNS is looked at again when the old answer has left the caches; what is ours, soon. */
static struct when
next_look(const struct judge *j, enum cause c)
{
	const struct policy *p = j->p;
	enum layer layer = cause_row(c)->layer;
	struct span after = SPAN_S(OWN_LOOK_S), most = SPAN_S(OWN_LOOK_MAX_S);

	/* Time alone does it, and what ends it is the next certificate, which is looked at as soon as it is in its place. */
	if (c == CAUSE_SERVED_EXPIRING)
		return when_plus(j->e->at, p->look_every);
	if (layer == LAYER_REGISTRATION || layer == LAYER_DNS) {
		/* An answer that did not come has no TTL. */
		after = j->n->ttl_s > 0 ? SPAN_S(j->n->ttl_s)
					: SPAN_S(p->poll_min.s * FAILED_LOOK_TIMES);
		most = p->poll_max;
	}
	after = span_max(span_min(after, span_min(most, p->poll_max)), p->poll_min);
	return when_plus(j->e->at, after);
}

struct finding *
judge_put(struct judge *j, enum cause c)
{
	struct finding *f = find(j, c);

	if (f != NULL)
		return f;
	if (j->out->n - j->first >= LIMIT_FINDINGS)
		return NULL;
	f = finding_put(j->out, c, j->n->name);
	if (f == NULL)
		return NULL;
	if (j->trace.n == 0)
		j->trace = classify_trace(j);
	f->evidence = j->trace;
	f->first_seen = f->last_seen = j->e->at;
	f->times_seen = 1;
	f->next_look = next_look(j, c);
	return f;
}

/* ---- addresses ---- */

static bool
is_v6_text(struct str address)
{
	return str_find(address, STR(":")) != SIZE_MAX;
}

struct str
judge_address_of_ours(const struct judge *j)
{
	for (size_t i = 0; i < j->p->addresses_n; i++)
		if (!is_v6_text(j->p->addresses[i]))
			return j->p->addresses[i];
	return j->p->addresses_n > 0 ? j->p->addresses[0] : STR_NONE;
}

static struct str
record_of(const struct judge *j, struct str address)
{
	if (address.n == 0)
		return STR_NONE;
	return arena_strf(j->a, "%.*s. %d IN %s %.*s", STR_ARG(j->n->name), RECORD_TTL_S,
	    is_v6_text(address) ? "AAAA" : "A", STR_ARG(address));
}

struct str
judge_record_of_ours(const struct judge *j)
{
	return record_of(j, judge_address_of_ours(j));
}

bool
judge_is_held(const struct held *h, const struct tls_evidence *t)
{
	if (h == NULL || h->id == 0 || t->result != TLS_SHOWN)
		return false;
	return memcmp(h->fingerprint, t->leaf.fingerprint, FINGERPRINT_BYTES) == 0;
}

bool
judge_reaches_us(const struct judge *j, const struct address_evidence *a)
{
	return a->is_ours || a->http.is_ours ||
	       (j->s != NULL && judge_is_held(&j->s->held, &a->tls));
}

static struct str
text_of(const struct judge *j, const struct address *a)
{
	char text[46];

	address_text(a, text);
	return arena_str(j->a, str_of(text));
}

/* How the addresses of one family divide. */
struct family {
	size_t good, bad, reserved;
	struct str seen; /* the bad ones, at most SEEN_MAX of them */
	struct str first_bad;
	const struct address_evidence
	    *bad_at; /* the bad one that says most: it answered, if any did */
};

/* Somebody is there: an answer, also one that refuses. Silence may be a dead machine or our own missing route. */
static bool
has_reacted(const struct http_evidence *h)
{
	switch (h->result) {
	case HTTP_NOT_TRIED:
	case HTTP_TIMEOUT_CONNECT:
	case HTTP_UNREACHABLE:
	case HTTP_FORBIDDEN_ADDRESS:
		return h->result == HTTP_FORBIDDEN_ADDRESS && h->hops > 0;
	case HTTP_ANSWERED:
	case HTTP_REFUSED:
	case HTTP_TIMEOUT_READ:
	case HTTP_RESET:
	case HTTP_NOT_HTTP:
	case HTTP_TLS_FAILED:
	case HTTP_REDIRECT_LOOP:
	case HTTP_REDIRECT_DISALLOWED:
	case HTTP_REDIRECT_UNRESOLVABLE:
		return true;
	}
	return false;
}

static struct family
family_of(const struct judge *j, uint8_t family)
{
	struct family f = { 0 };

	for (size_t i = 0; i < j->n->addresses_n; i++) {
		const struct address_evidence *a = &j->n->addresses[i];

		if (a->ip.family != family)
			continue;
		if (judge_reaches_us(j, a)) {
			f.good++;
			continue;
		}
		/* A known service stands there: whether it leads to us is told by what it answers. */
		if (a->front.n > 0)
			continue;
		struct str text = text_of(j, &a->ip);
		if (f.bad < SEEN_MAX)
			f.seen = f.bad == 0 ? text
					    : arena_strf(j->a, "%.*s, %.*s", STR_ARG(f.seen),
						  STR_ARG(text));
		if (f.bad == 0)
			f.first_bad = text;
		if (f.bad_at == NULL ||
		    (has_reacted(&a->http) && !has_reacted(&f.bad_at->http)))
			f.bad_at = a;
		f.bad++;
		f.reserved += a->is_reserved;
	}
	return f;
}

static void
put_elsewhere(struct judge *j, enum cause c, struct str seen, struct str copy)
{
	struct finding *f = judge_put(j, c);

	if (f == NULL)
		return;
	f->seen = seen;
	f->wanted = judge_address_of_ours(j);
	f->copy = copy;
}

/* The CA falls back to IPv4 for the first request alone: a redirect on the way makes it try IPv6 again, and fail. */
static bool
has_redirect(const struct judge *j)
{
	for (size_t i = 0; i < j->n->addresses_n; i++)
		if (j->n->addresses[i].ip.family == 4 && j->n->addresses[i].http.hops > 0)
			return true;
	return false;
}

/* An IPv6 address that is not ours although other addresses are right. */
static void
classify_v6(struct judge *j, const struct family *v6)
{
	const struct http_evidence *h = &v6->bad_at->http;

	/* The record to delete. */
	struct str copy = record_of(j, v6->first_bad);
	if (has_reacted(h))
		put_elsewhere(j, CAUSE_DNS_AAAA_ELSEWHERE, v6->seen, copy);
	else if (h->result == HTTP_TIMEOUT_CONNECT || v6->bad_at->is_reserved)
		put_elsewhere(j,
		    has_redirect(j) ? CAUSE_DNS_AAAA_FALLBACK_LOST : CAUSE_DNS_AAAA_UNREACHABLE,
		    v6->seen, copy);
	/* HTTP_UNREACHABLE: a machine of ours without IPv6 cannot tell, and the CA falls back to IPv4. */
}

static void
classify_addresses(struct judge *j)
{
	struct family v4 = family_of(j, 4), v6 = family_of(j, 6);

	if (v4.bad + v6.bad == 0)
		return;
	struct str record = judge_record_of_ours(j);
	if (v4.good + v6.good == 0 && v4.reserved + v6.reserved == v4.bad + v6.bad) {
		put_elsewhere(
		    j, CAUSE_DNS_ADDRESS_RESERVED, v4.bad > 0 ? v4.seen : v6.seen, record);
		return;
	}
	if (v4.good + v6.good == 0 && classify_moved(j, v4.bad > 0 ? v4.seen : v6.seen, record))
		return;
	if (v4.good + v6.good == 0)
		classify_former_address(j);
	/* Without an answer to the challenge an address that we do not know may still be a NAT or a CDN of the owner's. */
	if (!j->e->has_http)
		return;
	if (v4.bad > 0 && v4.good > 0)
		put_elsewhere(
		    j, CAUSE_DNS_A_PARTLY_ELSEWHERE, v4.seen, record_of(j, v4.first_bad));
	else if (v4.bad > 0)
		put_elsewhere(j, CAUSE_DNS_A_ELSEWHERE, v4.seen, record);
	if (v6.bad > 0 && v4.good + v6.good > 0)
		classify_v6(j, &v6);
	else if (v6.bad > 0)
		put_elsewhere(j, CAUSE_DNS_AAAA_ELSEWHERE, v6.seen, record_of(j, v6.first_bad));
}

/* ---- lookups ---- */

/* The record to delete, with its key tags where the zone above told them. */
static struct str
ds_record(const struct judge *j)
{
	const struct delegation_evidence *d = &j->n->delegation;
	struct str zone = j->n->registered_domain.n > 0 ? j->n->registered_domain : j->n->name,
		   text = arena_strf(j->a, "%.*s. DS", STR_ARG(zone));

	for (size_t i = 0; i < d->ds_n; i++)
		text = arena_strf(j->a, "%.*s%s %u", STR_ARG(text), i == 0 ? "" : ",",
		    (unsigned)d->ds_tags[i]);
	return text;
}

void
classify_dnssec(struct judge *j)
{
	static const char *const dated[] = { "signature expired", "before inception",
		"inception after expiration", "not yet valid" };
	/* A DS record that no key of the zone fits: words of several versions of Unbound. */
	static const char *const mismatched[] = { "ds hash mismatches", "no keys have a ds",
		"no dnskey", "matches ds", "match ds", "dnskey missing", "keyset not secured" };
	struct str why = j->n->why_bogus;
	char lower[512];
	size_t n = why.n < sizeof lower ? why.n : sizeof lower;
	enum cause c = CAUSE_DNS_DNSSEC_UNVERIFIABLE;

	for (size_t i = 0; i < n; i++)
		lower[i] = why.p[i] >= 'A' && why.p[i] <= 'Z' ? (char)(why.p[i] - 'A' + 'a')
							      : why.p[i];
	struct str text = { lower, n };
	for (size_t i = 0; i < sizeof mismatched / sizeof *mismatched; i++)
		if (str_find(text, str_of(mismatched[i])) != SIZE_MAX)
			c = CAUSE_DNS_DNSSEC_DS_MISMATCH;
	for (size_t i = 0; i < sizeof dated / sizeof *dated; i++)
		if (str_find(text, str_of(dated[i])) != SIZE_MAX)
			c = CAUSE_DNS_DNSSEC_RRSIG_OUT_OF_DATE;
	struct finding *f = judge_put(j, c);
	if (f == NULL)
		return;
	f->seen = why.n > 0 ? why : STR("DNSSEC: bogus");
	/* The one thing to take away, or the one sentence to send. */
	if (c == CAUSE_DNS_DNSSEC_DS_MISMATCH)
		f->copy = ds_record(j);
	else
		f->copy = arena_strf(j->a, "DNSSEC validation of %.*s fails: %.*s",
		    STR_ARG(j->n->name), STR_ARG(f->seen));
}

static void
put_lookup_failure(struct judge *j, enum dns_status status)
{
	struct finding *f = NULL;

	switch (status) {
	case DNS_BOGUS:
		classify_dnssec(j);
		return;
	case DNS_TIMEOUT:
		f = judge_put(j, CAUSE_DNS_LOOKUP_TIMEOUT);
		break;
	case DNS_SERVFAIL:
	case DNS_BROKEN:
		f = judge_put(j, CAUSE_DNS_LOOKUP_SERVFAIL);
		break;
	case DNS_LOCAL:
		f = judge_put(j, CAUSE_OWN_RESOLVER_UNAVAILABLE);
		break;
	case DNS_NOT_ASKED:
	case DNS_OK:
	case DNS_NXDOMAIN:
		f = judge_put(j, CAUSE_DNS_UNCLASSIFIED);
		break;
	}
	if (f == NULL)
		return;
	f->seen = status == DNS_TIMEOUT	   ? STR("no answer")
		  : status == DNS_BROKEN   ? STR("an answer that cannot be used")
		  : status == DNS_SERVFAIL ? STR("SERVFAIL")
					   : STR("");
	f->wanted =
	    f->cause == CAUSE_OWN_RESOLVER_UNAVAILABLE ? STR_NONE : judge_address_of_ours(j);
}

/* The others of its site are well, and for so long it has led nowhere that nobody seems to want it. */
static void
classify_unused(struct judge *j)
{
	struct when since = WHEN_NEVER;

	for (size_t i = 0; j->s != NULL && i < j->s->findings.n; i++) {
		const struct finding *f = &j->s->findings.at[i];

		if (f->cause == CAUSE_DNS_ADDRESS_PARTLY_MISSING && str_eq(f->subject, j->n->name) &&
		    when_is_known(f->first_seen))
			since = f->first_seen;
	}
	if (since.s == WHEN_NEVER.s || when_between(since, j->e->at).s < LIFE_MOVED_AFTER.s)
		return;
	struct finding *f = judge_put(j, CAUSE_OWN_NAME_UNUSED);
	if (f == NULL)
		return;
	f->seen = date_day_text(since, j->a);
	f->next_look = next_look(j, CAUSE_DNS_ADDRESS_PARTLY_MISSING);
}

/* The name has no address: an absence that was answered, or a failure. */
static void
classify_absence(struct judge *j)
{
	const struct name_evidence *n = j->n;
	bool is_nxdomain = n->a_status == DNS_NXDOMAIN || n->aaaa_status == DNS_NXDOMAIN;
	struct finding *f;

	if (n->is_cname_loop || (n->cname_target.n > 0 && is_answered(n->a_status))) {
		f = judge_put(j, CAUSE_DNS_CNAME_BROKEN);
		if (f != NULL)
			f->seen = n->cname_target;
	} else if (is_nxdomain && n->registered_status == DNS_NXDOMAIN) {
		f = judge_put(j, CAUSE_REGISTRATION_DOMAIN_UNREGISTERED);
		if (f != NULL)
			f->seen = n->registered_domain;
		return;
	} else if (is_answered(n->a_status) && classify_not_copied(j)) {
		return;
	} else if (is_answered(n->a_status)) {
		classify_unused(j);
		f = judge_put(j, CAUSE_DNS_ADDRESS_MISSING);
	} else {
		put_lookup_failure(j, n->a_status);
		return;
	}
	if (f == NULL)
		return;
	f->wanted = judge_address_of_ours(j);
	f->copy = judge_record_of_ours(j);
	if (cause_row(f->cause)->mends == MENDS_RECORD && mend_is_zone_ours(j->p, j->n->name))
		f->acts = ACTOR_HOST;
}

static bool
is_resolver_down(const struct judge *j)
{
	const struct name_evidence *n = j->n;
	bool is_any_answered = is_answered(n->a_status) || is_answered(n->aaaa_status) ||
			       n->a_status == DNS_BOGUS || n->aaaa_status == DNS_BOGUS;

	if (n->addresses_n > 0 || is_any_answered)
		return false;
	return !j->e->resolver_works ||
	       (n->a_status == DNS_LOCAL && n->aaaa_status == DNS_LOCAL);
}

static void
classify_dns(struct judge *j)
{
	if (classify_registration(j))
		return;
	if (!classify_delegation(j)) {
		if (j->n->addresses_n > 0)
			classify_addresses(j);
		else
			classify_absence(j);
	}
	classify_caa(j);
	if (j->n->has_wildcard)
		(void)judge_put(
		    j, CAUSE_DNS_WILDCARD_PRESENT); /* one more place in the list, or none */
}

/* "_acme-challenge.example.jp.example.jp": what was typed already had the domain. */
static void
put_misplaced(struct judge *j)
{
	struct finding *f = judge_put(j, CAUSE_DNS_TXT_MISPLACED);
	struct str host = j->n->misplaced, zone = j->n->registered_domain;

	if (f == NULL)
		return;
	f->seen = host;
	/* Once without the domain is the right name, twice what has to be typed. */
	f->wanted = arena_str(j->a, (struct str){ host.p, host.n - zone.n - 1 });
	f->copy = arena_str(j->a, (struct str){ f->wanted.p, f->wanted.n > zone.n + 1 ? f->wanted.n - zone.n - 1 : f->wanted.n });
}

static void
classify_name(struct judge *j)
{
	bool is_wildcard = str_starts(j->n->name, STR("*."));

	if (is_wildcard) {
		struct finding *f = judge_put(j, CAUSE_REGISTRATION_WILDCARD_HTTP_ONLY);

		if (f != NULL)
			f->seen = j->n->name;
		if (j->e->has_dns && j->n->misplaced.n > 0)
			put_misplaced(j);
		if (j->e->has_dns)
			classify_caa(j);
		return;
	}
	if (j->e->has_dns) {
		if (is_resolver_down(j)) {
			(void)judge_put(j, j->e->no_route ? CAUSE_OWN_NETWORK_DOWN
							  : CAUSE_OWN_RESOLVER_UNAVAILABLE);
			return;
		}
		classify_dns(j);
		/* What another company's server answers and hands out there is its own affair. */
		if (judge_has(j, CAUSE_REGISTRATION_DOMAIN_MOVED_AWAY))
			return;
	}
	if (j->e->has_http) {
		classify_http(j);
		classify_views(j);
	}
	if (j->e->has_tls)
		classify_served(j);
}

static bool
has_passed(const struct name_evidence *n, const struct finding *at, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (finding_blocks(&at[i]))
			return false;
	return n->addresses_n > 0;
}

/* Would it keep visitors away, or show them something else? What only a CA of ours would meet is of no matter to a bought certificate. */
static bool
is_of_matter_to_own(enum cause c)
{
	const struct cause_row *row = cause_row(c);

	if (c == CAUSE_HTTP_CDN_REDIRECT_LOOP || c == CAUSE_HTTP_HOME_REDIRECT_LOOP)
		return true;
	switch (row->layer) {
	case LAYER_HTTP:
	case LAYER_CA:
	case LAYER_TRANSPORT:
		return false;
	case LAYER_DNS:
		return !str_starts(str_of(row->id), STR("dns.caa."));
	case LAYER_OWN:
		return !str_starts(str_of(row->id), STR("own.challenge."));
	case LAYER_REGISTRATION:
		return c != CAUSE_REGISTRATION_WILDCARD_HTTP_ONLY;
	case LAYER_SERVED:
		/* What we would do about a revoked one is no cure for a bought one: its issuer has told its owner. */
		if (c == CAUSE_SERVED_REVOKED)
			return false;
		/* That it is late for a renewal; its own date is own.certificate.imported. */
		return c != CAUSE_SERVED_EXPIRING;
	}
	return true;
}

static void
leave_to_own(struct finding_list *l, size_t begin)
{
	size_t n = begin;

	for (size_t i = begin; i < l->n; i++)
		if (is_of_matter_to_own(l->at[i].cause))
			l->at[n++] = l->at[i];
	l->n = n;
}

void
classify(const struct evidence *e, const struct site *s, const struct policy *p,
    struct arena *a, struct finding_list *out)
{
	size_t begin = out->n;
	bool is_any_well = false;

	for (size_t i = 0; i < e->names_n; i++) {
		struct judge j = { .e = e,
			.n = &e->names[i],
			.s = s,
			.p = p,
			.a = a,
			.out = out,
			.first = out->n };

		classify_name(&j);
		struct finding_list mine = {
			.at = out->n > j.first ? out->at + j.first : NULL, .n = out->n - j.first, .cap = out->n - j.first
		};
		if (mine.n > 0)
			finding_sort(&mine);
		is_any_well = is_any_well || has_passed(j.n, mine.at, mine.n);
	}
	/* The site is safe without this name: it is said so, and one word less urgent. */
	for (size_t i = begin; is_any_well && i < out->n; i++) {
		if (out->at[i].cause != CAUSE_DNS_ADDRESS_MISSING)
			continue;
		out->at[i].cause = CAUSE_DNS_ADDRESS_PARTLY_MISSING;
	}
	if (s != NULL && plan_is_own(s))
		leave_to_own(out, begin);
	classify_state(e, s, p, a, out);
}
