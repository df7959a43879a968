/*
 * What vantage points see of a name that passes from here, as a CA's other places would meet it: who is shut out, who is sent
 * elsewhere, who gets another answer. Where we do not pass ourselves, what others see explains nothing that is not found here.
 *
 * A place that could not look says nothing of the name. Where all places pass and the CA alone does not, again and again, it is
 * the CA that somebody keeps out.
 */
#include "core/classify_inside.h"
#include "core/front.h"
#include "core/site_plan.h"

enum { PLACES_TOLD_MAX = 4, CA_FAILURES_MIN = 2 };

enum verdict {
	VERDICT_UNKNOWN, /* nothing can be said by this place */
	VERDICT_PASSES,
	VERDICT_SHUT_OUT, /* no connection, or one that is cut or left without an answer */
	VERDICT_FAILS,	  /* otherwise: cause and seen say how */
};
struct sight {
	enum verdict verdict;
	enum cause cause;
	struct str seen, wanted, copy;
};

/* --- one address, from one place --- */

static const struct address_evidence *
same_address(const struct judge *j, const struct address *ip)
{
	for (size_t i = 0; i < j->n->addresses_n; i++)
		if (address_eq(&j->n->addresses[i].ip, ip))
			return &j->n->addresses[i];
	return NULL;
}

/* One of the zone's own servers gives it out here as well: then it is no matter of the place. */
static bool
is_given_here(const struct judge *j, const struct address *ip)
{
	const struct delegation_evidence *d = &j->n->delegation;

	for (size_t i = 0; i < d->servers_n; i++)
		for (size_t k = 0; k < d->servers[i].addresses_n; k++)
			if (address_eq(&d->servers[i].addresses[k], ip))
				return true;
	return false;
}

static bool
is_dial_failure(enum http_result r)
{
	return r == HTTP_REFUSED || r == HTTP_TIMEOUT_CONNECT || r == HTTP_UNREACHABLE;
}

static struct str
with_place(const struct judge *j, const struct view_evidence *v, struct str what)
{
	return arena_strf(j->a, "%.*s: %.*s", STR_ARG(v->place), STR_ARG(what));
}

static struct str
text_of(const struct judge *j, const struct address *ip)
{
	char text[46];

	address_text(ip, text);
	return arena_str(j->a, str_of(text));
}

static struct sight
fails(enum cause c, struct str seen)
{
	return (struct sight){ .verdict = VERDICT_FAILS, .cause = c, .seen = seen };
}

/* It is ours here, and not there. */
static struct sight
sight_of_known(const struct judge *j, const struct view_evidence *v, const struct view_address *at, const struct address_evidence *here)
{
	const struct address_evidence there = { .ip = at->ip, .is_ours = here->is_ours, .front = here->front, .http = at->http };

	switch (at->http.result) {
	case HTTP_NOT_TRIED:
	case HTTP_FORBIDDEN_ADDRESS:
	case HTTP_UNREACHABLE: /* that machine may have no way there, as ours may not */
		return (struct sight){ .verdict = VERDICT_UNKNOWN };
	case HTTP_REFUSED:
	case HTTP_TIMEOUT_CONNECT:
	case HTTP_TIMEOUT_READ:
	case HTTP_RESET:
		return (struct sight){ .verdict = VERDICT_SHUT_OUT };
	case HTTP_ANSWERED:
	case HTTP_NOT_HTTP:
	case HTTP_TLS_FAILED:
	case HTTP_REDIRECT_LOOP:
	case HTTP_REDIRECT_DISALLOWED:
	case HTTP_REDIRECT_UNRESOLVABLE:
		break;
	}
	enum cause c = classify_http_cause(j, &there);
	struct str seen = c == CAUSE_HTTP_PAGE_PARKED ? page_of(&there.http).who : classify_http_seen(j, &there);
	/* Their sentences go on after it. */
	bool is_amid_words = c == CAUSE_HTTP_PAGE_PARKED || c == CAUSE_HTTP_REDIRECT_UNRESOLVABLE || c == CAUSE_HTTP_REDIRECT_SLASH_MISSING;

	if (c == CAUSE_NONE)
		return (struct sight){ .verdict = VERDICT_UNKNOWN };
	return fails(c, is_amid_words ? arena_strf(j->a, "%.*s (%.*s)", STR_ARG(seen), STR_ARG(v->place)) : with_place(j, v, seen));
}

static struct sight
sight_of_address(const struct judge *j, const struct view_evidence *v, const struct view_address *at)
{
	const struct address_evidence *here = same_address(j, &at->ip);

	if (at->http.is_ours)
		return (struct sight){ .verdict = VERDICT_PASSES };
	if (here != NULL)
		return here->http.is_ours ? sight_of_known(j, v, at, here) : (struct sight){ .verdict = VERDICT_UNKNOWN };
	/* A service in front may have an address for each country; only its answer counts. */
	if (at->front.n > 0)
		return sight_of_known(j, v, at, &(struct address_evidence){ .front = at->front });
	return is_given_here(j, &at->ip) ? (struct sight){ .verdict = VERDICT_UNKNOWN }
					 : fails(CAUSE_DNS_VIEW_SPLIT, with_place(j, v, text_of(j, &at->ip)));
}

/* --- one place --- */

/* Addresses of one family; the worst of them, since nobody knows which one is taken. */
static struct sight
sight_of_family(const struct judge *j, const struct view_evidence *v, uint8_t family, bool *ret_can_fall_back)
{
	struct sight worst = { .verdict = VERDICT_UNKNOWN };

	*ret_can_fall_back = true;
	for (size_t i = 0; i < v->addresses_n; i++) {
		const struct view_address *at = &v->addresses[i];

		if (at->ip.family != family)
			continue;
		struct sight s = sight_of_address(j, v, at);
		if (s.verdict > worst.verdict)
			worst = s;
		if (!is_dial_failure(at->http.result) || at->http.hops > 0)
			*ret_can_fall_back = false;
	}
	return worst;
}

static bool
has_family(const struct view_evidence *v, uint8_t family)
{
	for (size_t i = 0; i < v->addresses_n; i++)
		if (v->addresses[i].ip.family == family)
			return true;
	return false;
}

static bool
is_lost(enum dns_status s)
{
	return dns_is_lost(s) || s == DNS_BOGUS;
}

static enum cause
cause_of_lookup(enum dns_status s)
{
	return s == DNS_TIMEOUT ? CAUSE_DNS_LOOKUP_TIMEOUT : CAUSE_DNS_LOOKUP_SERVFAIL;
}

static struct sight
sight_of_dns(const struct judge *j, const struct view_evidence *v)
{
	const struct name_evidence there = { .name = j->n->name, .caa_status = v->caa_status, .caa_at = v->caa_at, .caa = v->caa, .caa_n = v->caa_n };
	bool is_here_known = j->n->caa_status == DNS_OK || j->n->caa_status == DNS_NXDOMAIN;

	if (v->addresses_n == 0 && is_lost(v->a_status) && is_lost(v->aaaa_status))
		return fails(cause_of_lookup(v->a_status), with_place(j, v, str_of(classify_dns_words(v->a_status))));
	if (v->addresses_n == 0 && (v->a_status == DNS_OK || v->a_status == DNS_NXDOMAIN) && !is_lost(v->aaaa_status))
		return fails(CAUSE_DNS_VIEW_SPLIT, with_place(j, v, str_of(classify_dns_words(v->a_status))));
	if (is_here_known && is_lost(v->caa_status)) {
		struct sight s = fails(CAUSE_DNS_CAA_LOOKUP_FAILED, with_place(j, v, str_of(classify_dns_words(v->caa_status))));

		s.copy = arena_strf(j->a, "Queries for the CAA record of %.*s fail from some networks (%.*s).", STR_ARG(j->n->name), STR_ARG(s.seen));
		return s;
	}
	if (is_here_known && classify_caa_refuses(&there, j->p) && !classify_caa_refuses(j->n, j->p)) {
		struct sight s = fails(CAUSE_DNS_CAA_FORBIDS, with_place(j, v, v->caa_at));

		s.wanted = arena_strf(j->a, "0 issue \"%.*s\"", STR_ARG(j->p->ca_issuer));
		s.copy = arena_strf(j->a, "%.*s. CAA %.*s", STR_ARG(v->caa_at), STR_ARG(s.wanted));
		return s;
	}
	return (struct sight){ .verdict = v->addresses_n > 0 ? VERDICT_PASSES : VERDICT_UNKNOWN };
}

/* As the validator goes about it: IPv6 first, IPv4 where that cannot be connected to. */
static struct sight
sight_of(const struct judge *j, const struct view_evidence *v)
{
	bool can_fall_back = true, unused;

	if (v->result != VIEW_SEEN)
		return (struct sight){ .verdict = VERDICT_UNKNOWN };
	struct sight dns = sight_of_dns(j, v);
	if (dns.verdict != VERDICT_PASSES)
		return dns;
	if (has_family(v, 6)) {
		struct sight six = sight_of_family(j, v, 6, &can_fall_back);

		if (!can_fall_back || !has_family(v, 4))
			return six;
	}
	return sight_of_family(j, v, 4, &unused);
}

/* --- all places --- */

struct tally {
	size_t passing, shut_out;
	struct str passing_places, shut_out_places;
};

static void
put_place(const struct judge *j, struct str *list, size_t n, struct str place)
{
	if (n == 0)
		*list = place;
	else if (n < PLACES_TOLD_MAX)
		*list = arena_strf(j->a, "%.*s, %.*s", STR_ARG(*list), STR_ARG(place));
	else if (n == PLACES_TOLD_MAX)
		*list = arena_strf(j->a, "%.*s, …", STR_ARG(*list));
}

static void
put_failure(struct judge *j, const struct sight *s)
{
	struct finding *f = judge_put(j, s->cause);

	if (f == NULL || f->seen.n > 0)
		return;
	f->seen = s->seen;
	f->wanted = s->wanted;
	f->copy = s->copy;
	if (s->cause == CAUSE_HTTP_CDN_BLOCKS) {
		f->copy = STR("/.well-known/acme-challenge/");
	} else if (f->acts == ACTOR_DOMAIN_COMPANY && f->copy.n == 0) {
		f->wanted = judge_address_of_ours(j);
		f->copy = judge_record_of_ours(j);
	}
}

/* The CA's own word about this name: it could not come in, more than once. */
static const struct finding *
refusal_of_ca(const struct judge *j)
{
	for (size_t i = 0; j->s != NULL && i < j->s->findings.n; i++) {
		const struct finding *f = &j->s->findings.at[i];

		if (!f->is_from_order || !str_eq(f->subject, j->n->name))
			continue;
		if (f->cause == CAUSE_TRANSPORT_VALIDATOR_BANNED)
			return f;
		if (plan_is_kept_out(f->cause) && f->times_seen >= CA_FAILURES_MIN)
			return f;
	}
	return NULL;
}

static void
classify_banned(struct judge *j, const struct tally *t)
{
	const struct finding *ca = refusal_of_ca(j);

	if (ca == NULL)
		return;
	struct finding *f = judge_put(j, CAUSE_TRANSPORT_VALIDATOR_BANNED);
	if (f == NULL)
		return;
	struct str words = ca->evidence, first = str_cut(&words, '\n');
	f->seen = t->passing_places;
	/* It stands as the CA's word does, until an order goes well, and puts none off for longer. */
	f->is_from_order = true;
	f->next_look = ca->next_look;
	f->evidence = arena_strf(j->a, "%.*s\n%.*s", STR_ARG(first), STR_ARG(j->trace));
}

static bool
passes_here(const struct judge *j)
{
	bool is_any_ours = false;

	for (size_t i = j->first; i < j->out->n; i++)
		if (finding_blocks(&j->out->at[i]))
			return false;
	for (size_t i = 0; i < j->n->addresses_n; i++)
		is_any_ours = is_any_ours || j->n->addresses[i].http.is_ours;
	return is_any_ours;
}

void
classify_views(struct judge *j)
{
	struct tally t = { 0 };
	bool has_failed = false;

	if (j->n->views_n == 0 || !passes_here(j))
		return;
	for (size_t i = 0; i < j->n->views_n; i++) {
		const struct view_evidence *v = &j->n->views[i];
		const struct sight s = sight_of(j, v);

		switch (s.verdict) {
		case VERDICT_UNKNOWN:
			break;
		case VERDICT_PASSES:
			put_place(j, &t.passing_places, t.passing++, v->place);
			break;
		case VERDICT_SHUT_OUT:
			put_place(j, &t.shut_out_places, t.shut_out++, v->place);
			break;
		case VERDICT_FAILS:
			has_failed = true;
			put_failure(j, &s);
			break;
		}
	}
	if (t.shut_out > 0) {
		/* From nowhere but here, or from some places and not from others. */
		struct finding *f = judge_put(j, t.passing == 0 ? CAUSE_TRANSPORT_CONNECT_GEO_BLOCKED : CAUSE_TRANSPORT_SECONDARY_VALIDATION_TIMEOUT);

		if (f != NULL)
			f->seen = t.shut_out_places;
	} else if (t.passing > 0 && !has_failed) {
		classify_banned(j, &t);
	}
}
