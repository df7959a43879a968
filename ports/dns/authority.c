#include "ports/dns/authority.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/must.h"
#include "ports/dns/exchange.h"
#include "ports/dns/packet.h"
#include "ports/dns/rdata.h"

enum {
	SURVEYS_MAX = 16,   /* at one time: 16 times 36 sockets at most */
	SERVERS_MAX = 12,   /* of one zone that are asked: a zone has two to eight */
	NAMES_MAX = 8,	    /* of name servers */
	PER_NAME_MAX = 2,   /* addresses of one of them */
	PARENTS_MAX = 2,    /* servers of the zone above that are tried */
	DS_MAX = 16,
	BETWEEN_MAX = 8, /* names between zone and name */
	QUICK_PART = 4, /* of the time that an answer is waited for: who answers in less is not slow */
};

struct server {
	struct survey *s;
	struct nameserver_evidence *e;
	struct exchange *a, *aaaa, *caa;
	struct mono plain_at; /* when the question of the old form was sent */
};
struct nameserver {
	struct survey *s;
	struct str name;
	struct address ips[PER_NAME_MAX];
	size_t ips_n;
	struct dns_ask *a, *aaaa;
};
struct survey {
	struct authority *owner;
	struct survey *next, **link; /* under way, or waiting */
	bool is_running;
	struct authority_target t;
	struct loop_timer *timer;
	unsigned open; /* questions of the present stage */
	/* the zone above */
	struct str above;
	struct dns_ask *ask;
	struct exchange *referral;
	struct nameserver parents[PARENTS_MAX];
	size_t parents_n, parent_at;
	/* the zone's own servers */
	struct nameserver names[NAMES_MAX];
	size_t names_n;
	struct server servers[SERVERS_MAX];
	/* names between */
	struct str between[BETWEEN_MAX];
	size_t between_n, between_at;
	struct exchange *denial;
};
struct authority {
	struct authority_options o;
	struct survey *running, *waiting, **waiting_end;
	unsigned running_n;
};

static void start_next(struct authority *a);
static void ask_parents(struct survey *s);
static void ask_own(struct survey *s);
static void find_servers(struct survey *s);
static void ask_servers(struct survey *s);
static void ask_between(struct survey *s);

/* ---- the end ---- */

static void
stop_names(struct nameserver *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		resolver_drop(&names[i].a);
		resolver_drop(&names[i].aaaa);
	}
}

static void
survey_free(struct survey *s)
{
	struct authority *a = s->owner;

	loop_cancel(a->o.loop, &s->timer);
	resolver_drop(&s->ask);
	exchange_stop(&s->referral);
	exchange_stop(&s->denial);
	stop_names(s->parents, PARENTS_MAX);
	stop_names(s->names, NAMES_MAX);
	for (size_t i = 0; i < SERVERS_MAX; i++) {
		exchange_stop(&s->servers[i].a);
		exchange_stop(&s->servers[i].aaaa);
		exchange_stop(&s->servers[i].caa);
	}
	*s->link = s->next;
	if (s->next != NULL)
		s->next->link = s->link;
	else if (!s->is_running)
		a->waiting_end = s->link;
	if (s->is_running)
		a->running_n--;
	free(s);
	start_next(a);
}

void
authority_stop(struct survey **s)
{
	if (*s == NULL)
		return;
	/* Of a server that was waited for, nothing came. */
	for (size_t i = 0; i < SERVERS_MAX; i++) {
		struct server *v = &(*s)->servers[i];

		if (v->a != NULL)
			v->e->status = DNS_TIMEOUT;
		if (v->caa != NULL)
			v->e->caa_status = DNS_TIMEOUT;
	}
	survey_free(*s);
	*s = NULL;
}

static void
finish(struct survey *s)
{
	loop_fn *done = s->t.done;
	void *arg = s->t.arg;

	survey_free(s);
	done(arg);
}

/* ---- reading packets ---- */

static struct nameserver *
put_name(struct survey *s, struct str name)
{
	for (size_t i = 0; i < s->names_n; i++)
		if (str_eq(s->names[i].name, name))
			return &s->names[i];
	if (name.n == 0 || s->names_n == NAMES_MAX)
		return NULL;
	s->names[s->names_n] = (struct nameserver){ .s = s, .name = name };
	return &s->names[s->names_n++];
}

static void
put_ip(struct nameserver *n, const struct address *ip)
{
	for (size_t i = 0; i < n->ips_n; i++)
		if (address_eq(&n->ips[i], ip))
			return;
	if (n->ips_n < PER_NAME_MAX)
		n->ips[n->ips_n++] = *ip;
}

/* The list is put in order: servers turn it round from answer to answer. */
static void
take_delegation(struct survey *s, ldns_rr_list *list)
{
	struct delegation_evidence *e = s->t.into;
	struct arena *a = s->t.arena;

	ldns_rr_list_sort(list);
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);

		if (!str_eq(packet_name(ldns_rr_owner(rr), a), s->t.zone) ||
		    ldns_rr_rd_count(rr) == 0)
			continue;
		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NS)
			(void)put_name(
			    s, packet_name(ldns_rr_rdf(rr, 0), a)); /* the ninth is not asked */
		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DS && e->ds_n < DS_MAX) {
			if (e->ds_tags == NULL)
				e->ds_tags = arena_get(a, DS_MAX * sizeof *e->ds_tags);
			if (e->ds_tags != NULL)
				e->ds_tags[e->ds_n++] =
				    ldns_rdf2native_int16(ldns_rr_rdf(rr, 0));
		}
	}
}

static void
take_glue(struct survey *s, const ldns_rr_list *list)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		struct address ip;

		if (!packet_address(rr, &ip))
			continue;
		struct str owner = packet_name(ldns_rr_owner(rr), s->t.arena);
		for (size_t k = 0; k < s->names_n; k++)
			if (str_eq(s->names[k].name, owner))
				put_ip(&s->names[k], &ip);
	}
}

/* ---- the zone above ---- */

static void
on_referral(void *arg, const struct exchange_answer *an)
{
	struct survey *s = arg;

	s->referral = NULL;
	if (an->packet != NULL && an->status == DNS_OK) {
		/* A server that has both zones answers for the lower one itself. */
		take_delegation(s, ldns_pkt_authority(an->packet));
		take_delegation(s, ldns_pkt_answer(an->packet));
		take_glue(s, ldns_pkt_additional(an->packet));
	}
	if (s->names_n == 0) {
		s->parent_at++;
		ask_parents(s);
		return;
	}
	s->t.into->is_from_parent = true;
	find_servers(s);
}

static void
ask_parents(struct survey *s)
{
	struct authority *a = s->owner;

	for (; s->parent_at < s->parents_n; s->parent_at++) {
		const struct nameserver *p = &s->parents[s->parent_at];

		if (p->ips_n == 0 || !a->o.may_ask(a->o.arg, &p->ips[0]))
			continue;
		const struct exchange_question q = { .server = p->ips[0],
			.port = a->o.port,
			.name = s->t.zone,
			.type = LDNS_RR_TYPE_NS,
			.want_dnssec = true,
			.from = a->o.from,
			.timeout_ms = a->o.timeout_ms };
		if (exchange_start(a->o.loop, a->o.clock, &q, on_referral, s, &s->referral) ==
		    ERR_OK)
			return;
	}
	ask_own(s);
}

static void
take_ips(struct nameserver *n, const struct dns_answer *an, size_t bytes)
{
	for (size_t i = 0; i < an->data_n; i++) {
		struct address ip = { .family = bytes == 4 ? 4 : 6 };

		if (an->data[i].n != bytes)
			continue;
		memcpy(ip.bytes, an->data[i].p, bytes);
		put_ip(n, &ip);
	}
}

static void
on_parent_ip(void *arg, const struct dns_answer *an)
{
	struct nameserver *n = arg;
	struct survey *s = n->s;

	n->a = NULL;
	take_ips(n, an, 4);
	if (--s->open == 0)
		ask_parents(s);
}

static struct str
parent_of(struct str name)
{
	(void)str_cut(&name, '.');
	return name;
}

static void climb(struct survey *s);

static void
on_above(void *arg, const struct dns_answer *an)
{
	struct survey *s = arg;

	s->ask = NULL;
	for (size_t i = 0; i < an->data_n && s->parents_n < PARENTS_MAX; i++) {
		struct str name = rdata_name(an->data[i], s->t.arena);

		if (name.n > 0)
			s->parents[s->parents_n++] =
			    (struct nameserver){ .s = s, .name = name };
	}
	/* "co.jp" is no zone of its own: "jp" answers for what is below it. */
	if (s->parents_n == 0) {
		climb(s);
		return;
	}
	s->open = 1;
	for (size_t i = 0; i < s->parents_n; i++)
		if (resolver_ask(s->owner->o.resolver, s->parents[i].name, DNS_A, on_parent_ip,
			&s->parents[i], &s->parents[i].a) == ERR_OK)
			s->open++;
	if (--s->open == 0)
		ask_parents(s);
}

static void
climb(struct survey *s)
{
	s->above = parent_of(s->above);
	if (s->above.n == 0 || resolver_ask(s->owner->o.resolver, s->above, DNS_NS, on_above, s,
				   &s->ask) != ERR_OK)
		ask_own(s);
}

/* ---- its servers ---- */

static void
on_own(void *arg, const struct dns_answer *an)
{
	struct survey *s = arg;

	s->ask = NULL;
	for (size_t i = 0; i < an->data_n; i++)
		(void)put_name(
		    s, rdata_name(an->data[i], s->t.arena)); /* the ninth is not asked */
	find_servers(s);
}

/* The zone above did not say: the zone's own word, by the resolver. */
static void
ask_own(struct survey *s)
{
	if (resolver_ask(s->owner->o.resolver, s->t.zone, DNS_NS, on_own, s, &s->ask) != ERR_OK)
		finish(s);
}

static void
one_address_less(struct survey *s)
{
	if (--s->open == 0)
		ask_servers(s);
}

static void
on_ip4(void *arg, const struct dns_answer *an)
{
	struct nameserver *n = arg;

	n->a = NULL;
	take_ips(n, an, 4);
	one_address_less(n->s);
}

static void
on_ip6(void *arg, const struct dns_answer *an)
{
	struct nameserver *n = arg;

	n->aaaa = NULL;
	take_ips(n, an, 16);
	one_address_less(n->s);
}

/* Each name that came without glue is looked up. */
static void
find_servers(struct survey *s)
{
	struct resolver *r = s->owner->o.resolver;

	s->open = 1;
	for (size_t i = 0; i < s->names_n; i++) {
		struct nameserver *n = &s->names[i];

		if (n->ips_n > 0)
			continue;
		if (resolver_ask(r, n->name, DNS_A, on_ip4, n, &n->a) == ERR_OK)
			s->open++;
		if (resolver_ask(r, n->name, DNS_AAAA, on_ip6, n, &n->aaaa) == ERR_OK)
			s->open++;
	}
	one_address_less(s);
}

/* ---- what each of them says ---- */

static void
one_answer_less(struct survey *s)
{
	if (--s->open == 0)
		ask_between(s);
}

static bool
start_exchange(
    struct server *v, int type, bool is_plain, exchange_fn *fn, struct exchange **ret)
{
	struct survey *s = v->s;
	const struct authority_options *o = &s->owner->o;
	const struct exchange_question q = { .server = v->e->ip,
		.port = o->port,
		.name = s->t.name,
		.type = type,
		.is_plain = is_plain,
		.from = o->from,
		.timeout_ms = o->timeout_ms };

	if (exchange_start(o->loop, o->clock, &q, fn, v, ret) != ERR_OK)
		return false;
	s->open++;
	return true;
}

static void
take_a(struct server *v, const struct exchange_answer *an)
{
	v->e->status = an->status;
	v->e->rcode = an->rcode;
	v->e->is_authoritative = an->is_authoritative;
	v->e->is_case_lost |= an->is_case_lost;
	v->e->is_tcp_silent |= an->is_tcp_silent;
	if (an->packet != NULL)
		packet_addresses(an->packet, v->s->t.arena, v->e);
}

static void
on_plain_a(void *arg, const struct exchange_answer *an)
{
	struct server *v = arg;

	v->a = NULL;
	if (an->status == DNS_OK || an->status == DNS_NXDOMAIN) {
		const struct authority_options *o = &v->s->owner->o;
		int64_t took_ms = clock_mono(o->clock).ms - v->plain_at.ms;

		/* The silence before was long. One that takes its time now too is slow, and may understand both forms. */
		v->e->is_plain_only = v->e->status != DNS_TIMEOUT || took_ms < o->timeout_ms / QUICK_PART;
		take_a(v, an);
	}
	one_answer_less(v->s);
}

static void
on_a(void *arg, const struct exchange_answer *an)
{
	struct server *v = arg;

	v->a = NULL;
	take_a(v, an);
	/* Silence, or "I do not understand": perhaps the form of the question is too new for it. REFUSED is a word. */
	bool is_odd = an->status == DNS_TIMEOUT ||
		      (an->status == DNS_BROKEN && an->rcode != LDNS_RCODE_REFUSED);
	v->plain_at = clock_mono(v->s->owner->o.clock);
	if (is_odd && !an->is_tcp_silent)
		(void)start_exchange(v, LDNS_RR_TYPE_A, true, on_plain_a,
		    &v->a); /* then the first answer stands */
	one_answer_less(v->s);
}

static void
on_aaaa(void *arg, const struct exchange_answer *an)
{
	struct server *v = arg;

	v->aaaa = NULL;
	if (an->packet != NULL)
		packet_addresses(an->packet, v->s->t.arena, v->e);
	one_answer_less(v->s);
}

static void
on_caa(void *arg, const struct exchange_answer *an)
{
	struct server *v = arg;

	v->caa = NULL;
	v->e->caa_status = an->status;
	v->e->is_tcp_silent |= an->is_tcp_silent;
	one_answer_less(v->s);
}

static struct server *
put_server(struct survey *s, struct str name, struct address ip)
{
	struct delegation_evidence *e = s->t.into;

	if (e->servers == NULL)
		e->servers = arena_get(s->t.arena, SERVERS_MAX * sizeof *e->servers);
	if (e->servers == NULL || e->servers_n == SERVERS_MAX)
		return NULL;
	struct server *v = &s->servers[e->servers_n];
	*v = (struct server){ .s = s, .e = &e->servers[e->servers_n++] };
	*v->e = (struct nameserver_evidence){ .name = name, .ip = ip, .rcode = -1 };
	return v;
}

static void
ask_servers(struct survey *s)
{
	struct authority *a = s->owner;

	s->open = 1;
	for (size_t i = 0; i < s->names_n; i++) {
		struct nameserver *n = &s->names[i];

		if (n->ips_n == 0)
			(void)put_server(
			    s, n->name, (struct address){ 0 }); /* the thirteenth is not told */
		for (size_t k = 0; k < n->ips_n; k++) {
			struct server *v = put_server(s, n->name, n->ips[k]);

			if (v == NULL || !a->o.may_ask(a->o.arg, &n->ips[k]))
				continue;
			s->t.into->is_asked = true;
			/* Without a socket of ours nothing is said of the server. */
			(void)(start_exchange(v, LDNS_RR_TYPE_A, false, on_a, &v->a) &&
			       start_exchange(v, LDNS_RR_TYPE_AAAA, false, on_aaaa, &v->aaaa) &&
			       start_exchange(v, DNS_CAA, false, on_caa, &v->caa));
		}
	}
	one_answer_less(s);
}

/* ---- names between ---- */

static void
on_denial(void *arg, const struct exchange_answer *an)
{
	struct survey *s = arg;

	s->denial = NULL;
	if (an->status == DNS_NXDOMAIN && an->is_authoritative)
		s->t.into->denied_parent = s->between[s->between_at];
	s->between_at++;
	ask_between(s);
}

/* A server that denies a name has denied all below it (RFC 8020). One that does so and answers for the name below is
 * broken, and a resolver that minimises its questions (RFC 9156) is led astray. */
static void
ask_between(struct survey *s)
{
	struct authority *a = s->owner;
	const struct nameserver_evidence *who = NULL;
	const struct delegation_evidence *e = s->t.into;

	for (size_t i = 0; i < e->servers_n && who == NULL; i++)
		if (e->servers[i].status == DNS_OK && e->servers[i].addresses_n > 0)
			who = &e->servers[i];
	if (who == NULL || s->between_at == s->between_n || e->denied_parent.n > 0) {
		finish(s);
		return;
	}
	const struct exchange_question q = { .server = who->ip,
		.port = a->o.port,
		.name = s->between[s->between_at],
		.type = LDNS_RR_TYPE_A,
		.from = a->o.from,
			.timeout_ms = a->o.timeout_ms };
	if (exchange_start(a->o.loop, a->o.clock, &q, on_denial, s, &s->denial) != ERR_OK)
		finish(s);
}

/* ---- beginning ---- */

static void
on_start(void *arg)
{
	struct survey *s = arg;

	s->timer = NULL;
	for (struct str n = parent_of(s->t.name);
	     n.n > s->t.zone.n && s->between_n < BETWEEN_MAX; n = parent_of(n))
		s->between[s->between_n++] = n;
	climb(s);
}

static bool
run(struct survey *s)
{
	struct authority *a = s->owner;

	s->timer = loop_after(a->o.loop, 0, on_start, s);
	if (s->timer == NULL)
		return false;
	s->is_running = true;
	s->link = &a->running;
	s->next = a->running;
	if (s->next != NULL)
		s->next->link = &s->next;
	a->running = s;
	a->running_n++;
	return true;
}

static void
put_waiting(struct authority *a, struct survey *s)
{
	s->next = NULL;
	s->link = a->waiting_end;
	*a->waiting_end = s;
	a->waiting_end = &s->next;
}

static void
start_next(struct authority *a)
{
	while (a->running_n < SURVEYS_MAX && a->waiting != NULL) {
		struct survey *s = a->waiting;

		a->waiting = s->next;
		if (a->waiting != NULL)
			a->waiting->link = &a->waiting;
		else
			a->waiting_end = &a->waiting;
		if (!run(s)) {
			/* Without memory for a timer it goes on waiting; its job's deadline ends it. */
			put_waiting(a, s);
			return;
		}
	}
}

enum err
authority_start(struct authority *a, const struct authority_target *t, struct survey **ret)
{
	struct survey *s = calloc(1, sizeof *s);

	if (s == NULL)
		return ERR_MEMORY;
	s->owner = a;
	s->t = *t;
	s->above = t->zone;
	*t->into = (struct delegation_evidence){ .zone = t->zone };
	put_waiting(a, s);
	start_next(a);
	*ret = s;
	return ERR_OK;
}

enum err
authority_new(const struct authority_options *o, struct authority **ret)
{
	struct authority *a = calloc(1, sizeof *a);

	if (a == NULL)
		return ERR_MEMORY;
	a->o = *o;
	a->waiting_end = &a->waiting;
	*ret = a;
	return ERR_OK;
}

void
authority_free(struct authority **a)
{
	if (*a == NULL)
		return;
	must((*a)->running == NULL && (*a)->waiting == NULL);
	free(*a);
	*a = NULL;
}
