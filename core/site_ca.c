#include "core/site_ca.h"
#include "base/must.h"
#include "base/mutant.h"
#include "core/classify.h"
#include "core/site_letters.h"
#include "core/site_plan.h"

uint32_t
site_ca_bit(int64_t ca_id)
{
	must(ca_id > 0 && ca_id <= SITE_CAS_MAX);
	return (uint32_t)1 << ca_id;
}

size_t
site_ca_index(const struct site *s, const struct policy *p)
{
	for (size_t i = 0; i < p->cas_n; i++)
		if (p->cas[i].id == s->ca_id)
			return i;
	return 0;
}

void
site_ca_use(struct policy *p, size_t index)
{
	if (index >= p->cas_n)
		return;
	const struct policy_ca *c = &p->cas[index];

	p->ca_id = c->id;
	p->ca_not_before = c->not_before;
	p->ca_is_ready = c->is_ready;
	p->ca_issuer = c->issuer;
	p->ca_issuers = c->issuers;
	p->account_url = c->account_url;
}

void
site_ca_judge(const struct step *st)
{
	const struct evidence *e = st->ev->evidence;

	for (size_t i = 0; e->has_dns && i < e->names_n; i++) {
		struct site_name *n = plan_name_of(st->s, i, e->names[i].name);
		bool is_read = e->names[i].caa_status == DNS_OK || e->names[i].caa_status == DNS_NXDOMAIN;

		if (!is_read || n == NULL)
			continue;
		n->caa_refuses = 0;
		for (size_t c = 0; c < st->p->cas_n; c++) {
			struct policy p = *st->p;

			site_ca_use(&p, c);
			if (classify_caa_refuses(&e->names[i], &p))
				n->caa_refuses |= site_ca_bit(p.cas[c].id);
		}
	}
}

/* Would CAA keep this CA out of a name that the certificate must have? */
static bool
caa_refuses(const struct site *s, const struct policy_ca *c)
{
	if (MUTANT(RESERVE_CAA_IGNORED))
		return false;
	for (size_t i = 0; i < s->names_n; i++)
		if (s->names[i].is_wanted && (s->names[i].caa_refuses & site_ca_bit(c->id)) != 0)
			return true;
	return false;
}

/* Until when the CA that the site is with refuses it, as far as it has said or its limits tell; WHEN_UNKNOWN: not at all. A
 * back-off of ours for another reason is none. */
static struct when
refused_until(const struct step *st)
{
	const struct site *s = st->s;
	struct when until = s->retry_is_law ? s->retry_at : WHEN_UNKNOWN;

	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];

		if (!f->is_from_order || cause_row(f->cause)->layer != LAYER_CA || !finding_blocks(f))
			continue;
		/* What the CA has paused has no date of its own: our next look. */
		until = when_max(until, f->next_look);
		if (!when_before(st->t->now, f->next_look))
			until = when_max(until, s->retry_at);
	}
	return until;
}

/* The CA has refused this site, by whatever word of its own, and its date has not come. */
static bool
has_refused(const struct step *st, size_t index)
{
	const struct site *s = st->s;
	struct when now = st->t->now;

	if (index != site_ca_index(s, st->p))
		return s->left_ca_id == st->p->cas[index].id && when_before(now, s->left_at);
	return when_before(now, refused_until(st));
}

static bool
is_well(const struct step *st, size_t index)
{
	const struct policy_ca *c = &st->p->cas[index];

	return c->is_ready && !when_before(st->t->now, c->not_before) && !has_refused(st, index);
}

static bool
is_time_for_reserve(const struct site *s, const struct policy *p, struct when now)
{
	if (MUTANT(RESERVE_NOT_USED))
		return false;
	if (s->held.id != 0)
		return !when_before(now, life_reduce_at(s->held.life));
	return when_is_known(p->cas[0].ill_since) &&
	       !when_before(now, when_plus(p->cas[0].ill_since, p->reserve_after));
}

static bool
finding_of_reserve(const struct step *st, const struct finding *f)
{
	(void)st;
	return f->cause == CAUSE_DNS_CAA_RESERVE;
}

static bool
finding_of_other_ca(const struct step *st, const struct finding *f)
{
	(void)st;
	return f->cause == CAUSE_DNS_CAA_FORBIDS || f->cause == CAUSE_DNS_CAA_PARAMETER_MISMATCH ||
	       (f->is_from_order && cause_row(f->cause)->layer == LAYER_CA);
}

static void
change_to(const struct step *st, size_t to)
{
	const struct policy *p = st->p;
	struct site *s = st->s;
	struct when left_at = when_max(s->retry_at, refused_until(st));
	bool left_is_law = s->retry_is_law, was_there = s->left_ca_id == p->cas[to].id;
	uint8_t left_ca_id = (uint8_t)p->cas[site_ca_index(s, p)].id;

	s->retry_at = was_there ? s->left_at : WHEN_UNKNOWN;
	s->retry_is_law = was_there && s->left_is_law;
	s->left_ca_id = left_ca_id;
	s->left_at = left_at;
	s->left_is_law = left_is_law;
	s->ca_id = to == 0 ? 0 : (uint8_t)p->cas[to].id;
	site_ca_use(st->own, to);
	findings_drop(st, finding_of_other_ca);
	s->look_at = st->t->now;
	struct site_effect *fx = site_effect_put(st->out, FX_HISTORY);
	if (fx != NULL) {
		fx->history = HISTORY_CA_CHANGED;
		fx->detail = p->cas[to].name;
	}
}

/* CAA alone stands between the site and a CA that could help now: somebody can mend that. */
static void
tell_reserve(const struct step *st, const struct policy_ca *c)
{
	const struct site *s = st->s;

	for (size_t i = 0; i < s->names_n; i++) {
		const struct site_name *n = &s->names[i];

		if (!n->is_wanted || (n->caa_refuses & site_ca_bit(c->id)) == 0 ||
		    findings_find(&st->s->findings, CAUSE_DNS_CAA_RESERVE, n->name) != NULL)
			continue;
		struct finding f = { .cause = CAUSE_DNS_CAA_RESERVE,
			.subject = n->name,
			.acts = cause_row(CAUSE_DNS_CAA_RESERVE)->acts,
			.seen = c->name,
			.wanted = arena_strf(st->a, "0 issue \"%.*s\"", STR_ARG(c->issuer)),
			.next_look = when_plus(st->t->now, st->p->look_every) };

		f.copy = arena_strf(st->a, "%.*s. CAA %.*s", STR_ARG(n->name), STR_ARG(f.wanted));
		findings_add(st, &f, 1);
	}
}

/* Its validators see something else than our own check does, which passed before the order: those of another CA look from other networks,
 * and may be let in. Each in its turn, until one is. */
static bool
is_turn_of_another(const struct site *s)
{
	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];

		if (f->is_from_order && (plan_is_from_afar(f->cause) || plan_is_kept_out(f->cause)))
			return s->order_failures % 2 == 1;
	}
	return false;
}

void
site_ca_pick(const struct step *st)
{
	const struct policy *p = st->p;
	struct site *s = st->s;
	struct when now = st->t->now;
	size_t at = site_ca_index(s, p), to = at;
	const struct policy_ca *kept_out = NULL;

	if (p->cas_n < 2)
		return;
	bool is_due = plan_order_is_due(s, now);
	bool is_first_well = is_well(st, 0) && !caa_refuses(s, &p->cas[0]);
	/* It failed this site, and nobody has seen it well since: with little time left one that is sure comes first. */
	bool is_doubtful = is_first_well && s->order_failures > 0 && (p->cas[0].is_doubtful || is_turn_of_another(s));
	if (is_due && (is_first_well || !is_time_for_reserve(s, p, now)) && !MUTANT(RESERVE_KEPT))
		to = 0;
	/* Before the first check nobody has asked what CAA says. */
	for (size_t i = 1; is_due && when_is_known(s->checked_at) && (!is_first_well || is_doubtful) && is_time_for_reserve(s, p, now) && i < p->cas_n; i++) {
		/* Where it is it stays, though its own back-off runs: that is no reason to ask a third. */
		bool is_possible = is_well(st, i) || (i == at && !is_doubtful && p->cas[i].is_ready && !when_before(now, p->cas[i].not_before));

		if (!is_possible)
			continue;
		if (!caa_refuses(s, &p->cas[i])) {
			to = i;
			kept_out = NULL;
			break;
		}
		if (!is_doubtful && kept_out == NULL)
			kept_out = &p->cas[i];
	}
	/* CAA has come to keep it out where it is: it waits with the first, as if it had never left. */
	if (kept_out != NULL && to == at && caa_refuses(s, &p->cas[at]))
		to = 0;
	if (kept_out != NULL)
		tell_reserve(st, kept_out);
	for (size_t i = 0; kept_out == NULL && i < s->findings.n; i++)
		if (finding_of_reserve(st, &s->findings.at[i])) {
			findings_drop(st, finding_of_reserve);
			break;
		}
	if (to != at)
		change_to(st, to);
}

static bool
finding_of_block(const struct step *st, const struct finding *f)
{
	return f->cause == CAUSE_CA_ACCOUNT_BLOCKED && f->last_seen.s != st->t->now.s;
}

/* The account is blocked there: every site that waits for it says so, and not only the one whose order was refused. */
static void
tell_block(const struct step *st)
{
	const struct policy *p = st->p;
	const struct policy_ca *c = p->cas_n > 0 ? &p->cas[site_ca_index(st->s, p)] : NULL;
	const struct finding *told = NULL;

	for (size_t i = 0; i < st->s->findings.n; i++)
		if (st->s->findings.at[i].cause == CAUSE_CA_ACCOUNT_BLOCKED)
			told = &st->s->findings.at[i];
	if (c != NULL && c->is_blocked && plan_order_is_due(st->s, st->t->now)) {
		struct finding f = { .cause = CAUSE_CA_ACCOUNT_BLOCKED,
			.subject = st->s->names[0].name,
			.acts = cause_row(CAUSE_CA_ACCOUNT_BLOCKED)->acts,
			.evidence = c->blocked_words,
			.next_look = when_plus(st->t->now, st->p->look_every),
			.is_from_order = true };

		if (told == NULL)
			findings_add(st, &f, 1);
	} else if (told != NULL && finding_of_block(st, told)) {
		findings_drop(st, finding_of_block);
	}
}

/* Its place in the line may come after its end, and those before it may not need theirs any more: towards the end the limit is asked
 * about again in time. That costs the CA nothing, it is koshin's own count. */
static struct when
limit_date(const struct step *st, struct when place)
{
	enum { PARTS_OF_REST = 8 };
	const struct held *h = &st->s->held;
	struct when now = st->t->now;

	if (h->id == 0 || !when_before(now, h->life.to))
		return place;
	struct span part = span_part(life_left(h->life, now), 1, PARTS_OF_REST);
	return when_min(place, when_plus(now, span_max(part, st->p->poll_max)));
}

/* A limit of the whole account is as good as the CA's own refusal with its date: no haste and no wish goes past it. */
static void
take_limits(const struct step *st)
{
	struct site *s = st->s;

	if (s->limits.n == 0)
		return;
	for (size_t i = 0; i < s->limits.n; i++) {
		struct finding *l = &s->limits.at[i];

		if (l->cause != CAUSE_CA_LIMIT_NEW_ORDERS)
			continue;
		l->next_look = limit_date(st, l->next_look);
		s->retry_at = when_max(s->retry_at, l->next_look);
		s->retry_is_law = true;
	}
	findings_add(st, s->limits.at, s->limits.n);
}

void
site_ca_decide(const struct step *st)
{
	const struct site *s = st->s;
	bool is_own_limit = s->limits_ca_id == 0 || s->limits_ca_id == st->p->ca_id;

	if (is_own_limit)
		take_limits(st);
	site_ca_pick(st);
	/* Of the CA that this very step goes over to. */
	if (!is_own_limit && s->limits_ca_id == st->p->ca_id)
		take_limits(st);
	tell_block(st);
}

struct when
site_ca_wake(const struct site *s, const struct policy *p, struct when now)
{
	struct when at = WHEN_NEVER;

	if (p->cas_n < 2 || !plan_order_is_due(s, now))
		return at;
	for (size_t i = 0; i < p->cas_n; i++)
		if (when_before(now, p->cas[i].not_before))
			at = when_min(at, p->cas[i].not_before);
	if (s->left_ca_id != 0 && when_before(now, s->left_at))
		at = when_min(at, s->left_at);
	struct when reserve = s->held.id != 0 ? life_reduce_at(s->held.life)
			      : when_is_known(p->cas[0].ill_since)
				  ? when_plus(p->cas[0].ill_since, p->reserve_after)
				  : WHEN_UNKNOWN;
	return when_before(now, reserve) ? when_min(at, reserve) : at;
}

bool
site_ca_is_gone(const struct site *s, const struct policy *p)
{
	for (size_t i = 0; i < p->cas_n; i++)
		if (p->cas[i].id == s->ca_id)
			return false;
	return s->ca_id != 0 && p->cas_n > 0;
}

void
site_ca_reset(const struct step *st)
{
	struct site *s = st->s;

	if (MUTANT(RESERVE_KEPT))
		return;
	if (s->ca_id != 0) {
		bool has_date = s->left_is_law && st->p->cas_n > 0 && s->left_ca_id == st->p->cas[0].id && when_before(st->t->now, s->left_at);

		s->retry_at = has_date ? s->left_at : WHEN_UNKNOWN;
		s->retry_is_law = has_date;
	}
	s->ca_id = 0;
	s->left_ca_id = 0;
	s->left_at = WHEN_UNKNOWN;
	s->left_is_law = false;
}
