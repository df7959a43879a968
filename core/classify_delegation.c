/*
 * One server of several: it is silent, it was forgotten at the last change, it is too old. A resolver hides which one, and
 * a CA that happens to ask the wrong one fails by chance. A server that could not be asked, for want of a route or a
 * socket of ours, is never blamed alone: at least one other must have answered us.
 */
#include "core/classify_inside.h"

enum { LISTED_MAX = 8 }; /* servers told one by one */

static bool
has_answered(const struct nameserver_evidence *s)
{
	return (s->status == DNS_OK || s->status == DNS_NXDOMAIN) && s->is_authoritative;
}

static struct str
text_of_ip(const struct judge *j, const struct address *ip)
{
	char text[46];

	address_text(ip, text);
	return arena_str(j->a, str_of(text));
}

static bool
is_configured(const struct judge *j, const struct address *ip)
{
	struct str text = text_of_ip(j, ip);

	for (size_t i = 0; i < j->p->addresses_n; i++)
		if (str_eq(j->p->addresses[i], text))
			return true;
	return false;
}

static bool
is_address_of_ours(const struct judge *j, const struct address *ip)
{
	if (is_configured(j, ip))
		return true;
	/* A NAT or CDN that has given our own answer is as good. */
	for (size_t i = 0; i < j->n->addresses_n; i++)
		if (address_eq(&j->n->addresses[i].ip, ip) &&
		    judge_reaches_us(j, &j->n->addresses[i]))
			return true;
	return false;
}

/* What a server's answer leads to. */
enum lead { LEAD_NOWHERE, LEAD_ALIAS, LEAD_OURS, LEAD_ELSEWHERE, LEAD_BOTH };

static enum lead
lead_of(const struct judge *j, const struct nameserver_evidence *s)
{
	size_t ours = 0;

	for (size_t i = 0; i < s->addresses_n; i++)
		ours += is_address_of_ours(j, &s->addresses[i]);
	if (s->addresses_n == 0)
		return s->cname.n > 0 ? LEAD_ALIAS : LEAD_NOWHERE;
	return ours == s->addresses_n ? LEAD_OURS : ours == 0 ? LEAD_ELSEWHERE : LEAD_BOTH;
}

/* "ns1.dns.example: 192.0.2.1, 192.0.2.2" */
static struct str
answer_text(const struct judge *j, const struct nameserver_evidence *s)
{
	struct str text = arena_strf(j->a, "%.*s: ", STR_ARG(s->name));

	for (size_t i = 0; i < s->addresses_n; i++)
		text = arena_strf(j->a, "%.*s%s%.*s", STR_ARG(text), i == 0 ? "" : ", ",
		    STR_ARG(text_of_ip(j, &s->addresses[i])));
	if (s->addresses_n == 0)
		text =
		    arena_strf(j->a, "%.*s%s", STR_ARG(text), s->cname.n > 0 ? "CNAME " : "-");
	return s->addresses_n == 0 && s->cname.n > 0
		   ? arena_strf(j->a, "%.*s%.*s", STR_ARG(text), STR_ARG(s->cname))
		   : text;
}

typedef bool server_test(const struct nameserver_evidence *s);

static bool
is_silent(const struct nameserver_evidence *s)
{
	/* NOT_ASKED with an address: one that we may not ask. It says nothing. */
	return !has_answered(s) && !s->is_tcp_silent &&
	       (s->status != DNS_NOT_ASKED || s->ip.family == 0) && s->status != DNS_LOCAL;
}

static bool
is_outdated(const struct nameserver_evidence *s)
{
	return s->is_plain_only || s->is_tcp_silent || s->is_case_lost;
}

/* Names of the servers that are meant, each once. */
static struct str
list_of(const struct judge *j, server_test *is_meant)
{
	const struct delegation_evidence *d = &j->n->delegation;
	struct str text = STR_NONE;
	size_t n = 0;

	for (size_t i = 0; i < d->servers_n && n < LISTED_MAX; i++) {
		bool is_told = false;

		if (!is_meant(&d->servers[i]))
			continue;
		for (size_t k = 0; k < i; k++)
			is_told =
			    is_told || (is_meant(&d->servers[k]) &&
					   str_eq(d->servers[k].name, d->servers[i].name));
		if (is_told)
			continue;
		text = n++ == 0 ? d->servers[i].name
				: arena_strf(j->a, "%.*s, %.*s", STR_ARG(text),
				      STR_ARG(d->servers[i].name));
	}
	return text;
}

static void
put_servers(struct judge *j, enum cause c, struct str seen)
{
	struct finding *f = judge_put(j, c);

	if (f == NULL)
		return;
	f->seen = seen;
	f->wanted = judge_address_of_ours(j);
	f->copy = judge_record_of_ours(j);
}

/* After the last name server has the new answer, some resolver gives the old one for a while. Only addresses of our own servers count as new:
 * a CDN has others for each part of the world. */
static const struct public_evidence *
last_with_old(const struct judge *j)
{
	const struct delegation_evidence *d = &j->n->delegation;
	const struct public_evidence *last = NULL;

	for (size_t i = 0; i < d->servers_n; i++)
		for (size_t k = 0; k < d->servers[i].addresses_n; k++)
			if (!is_configured(j, &d->servers[i].addresses[k]))
				return NULL;
	for (size_t i = 0; i < j->n->publics_n; i++) {
		const struct public_evidence *p = &j->n->publics[i];
		bool is_old = p->status == DNS_OK || p->status == DNS_NXDOMAIN;

		for (size_t k = 0; k < p->addresses_n; k++)
			is_old = is_old && !is_configured(j, &p->addresses[k]);
		if (is_old && (last == NULL || p->ttl_s > last->ttl_s))
			last = p;
	}
	return last;
}

static struct finding *
put_cached(struct judge *j, const struct address *old)
{
	struct finding *f = judge_put(j, CAUSE_DNS_ANSWER_STILL_CACHED);

	if (f != NULL)
		f->seen = old != NULL ? text_of_ip(j, old) : STR_NONE;
	return f;
}

/* We and the CA have the new answer, and some visitors the old one: nothing is new before the last of them has forgotten it. */
static void
put_cached_elsewhere(struct judge *j, const struct public_evidence *last)
{
	struct finding *f = put_cached(j, last->addresses_n > 0 ? &last->addresses[0] : NULL);

	if (f != NULL)
		f->next_look = when_plus(j->e->at, span_max(span_min(SPAN_S(last->ttl_s), j->p->look_every), j->p->poll_min));
}

/* Answers that lead to different places: not the rotation of a large service, but ours against another or none. */
static bool
classify_disagreement(struct judge *j)
{
	const struct delegation_evidence *d = &j->n->delegation;
	size_t leads[LEAD_BOTH + 1] = { 0 }, answered = 0;
	struct str seen = STR_NONE;

	for (size_t i = 0; i < d->servers_n; i++) {
		if (!has_answered(&d->servers[i]))
			continue;
		leads[lead_of(j, &d->servers[i])]++;
		if (answered < LISTED_MAX)
			seen = answered == 0 ? answer_text(j, &d->servers[i])
					     : arena_strf(j->a, "%.*s; %.*s", STR_ARG(seen),
						   STR_ARG(answer_text(j, &d->servers[i])));
		answered++;
	}
	bool is_split = leads[LEAD_OURS] > 0 && leads[LEAD_OURS] < answered;
	if (is_split)
		put_servers(j, CAUSE_DNS_NS_INCONSISTENT, seen);
	bool is_changed = leads[LEAD_OURS] > 0 && leads[LEAD_OURS] == answered, is_cached = is_changed;
	/* All lead to us already, only the resolver still has the old answer. */
	for (size_t i = 0; i < j->n->addresses_n; i++)
		is_cached = is_cached && !judge_reaches_us(j, &j->n->addresses[i]);
	if (is_cached && (j->n->addresses_n > 0 || j->n->a_status == DNS_OK ||
			     j->n->a_status == DNS_NXDOMAIN)) {
		(void)put_cached(j, j->n->addresses_n > 0 ? &j->n->addresses[0].ip : NULL);
		return true;
	}
	/* All else of the name is judged as ever. */
	const struct public_evidence *last = is_changed ? last_with_old(j) : NULL;
	if (last != NULL)
		put_cached_elsewhere(j, last);
	return is_split;
}

bool
classify_delegation(struct judge *j)
{
	const struct delegation_evidence *d = &j->n->delegation;
	size_t answered = 0;

	if (!d->is_asked)
		return false;
	/* One that cuts its answer and is silent over TCP was heard: with what it said, not with what was asked. */
	for (size_t i = 0; i < d->servers_n; i++)
		answered += has_answered(&d->servers[i]) || d->servers[i].is_tcp_silent;
	if (answered == 0)
		return false;
	struct str silent = list_of(j, is_silent), outdated = list_of(j, is_outdated);
	if (silent.n > 0)
		put_servers(j, CAUSE_DNS_DELEGATION_LAME, silent);
	/* Old habits hurt nobody as long as the answer comes; where it does not, they say more than the failure. */
	bool is_unknown = dns_is_lost(j->n->a_status) || dns_is_lost(j->n->aaaa_status);
	bool is_explained = outdated.n > 0 && is_unknown;
	if (outdated.n > 0 && (is_unknown || dns_is_lost(j->n->caa_status)))
		put_servers(j, CAUSE_DNS_NS_NONCOMPLIANT, outdated);
	if (d->denied_parent.n > 0)
		put_servers(j, CAUSE_DNS_PARENT_NXDOMAIN, d->denied_parent);
	return classify_disagreement(j) || is_explained;
}
