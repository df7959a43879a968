#include "core/site_dates.h"
#include "base/must.h"
#include "base/mutant.h"
#include "core/site_ca.h"
#include "core/site_letters.h"
#include "core/site_plan.h"

enum {
	AGED_S = 30 * 86400, /* past this, an open fault of the owner's is looked at daily */
	CA_PAUSE_S = 10,     /* until the account at the CA is there */
	YOUNG_S = 86400,     /* until this age it is polled at the record's TTL */
	PATIENCE = 10,	     /* a fault of the host is looked at after a tenth of its age … */
	PATIENCE_MOST_S = 300, /* … or after this: who has mended it wants to see it */
};

static const int32_t longest_s[] = {
#define DOING(symbol, word, waits_for, longest) [DOING_##symbol] = longest,
#include "core/doing.tbl"
#undef DOING
};

struct span
dates_longest(enum doing doing)
{
	must(doing < DOING_COUNT);
	return SPAN_S(longest_s[doing]);
}

struct when
dates_next_look_of_gone(const struct step *st)
{
	const struct site *s = st->s;
	struct span every = s->held.id != 0 ? life_moved_look(s->held.life, st->t->now) : LIFE_MOVED_LOOK;

	return when_plus(st->t->now,
	    (struct span){ every.s - (int64_t)(st->t->roll % ((uint64_t)every.s / 10 + 1)) });
}

/*
 * An owner who mends sees it at once. What the host has to mend is mostly the same for each site of a server: they are looked at the more
 * rarely the longer it has stood, so that fifty thousand of them are not asked for every minute while somebody repairs the disk.
 */
static struct span
least_wait(const struct finding *f, const struct step *st)
{
	const struct policy *p = st->p;
	int64_t age = when_between(f->first_seen, st->t->now).s;

	if (age >= YOUNG_S)
		return p->poll_max;
	if (cause_row(f->cause)->acts != ACTOR_HOST)
		return p->poll_min;
	struct span rarer = span_min(SPAN_S(age / PATIENCE), SPAN_S(PATIENCE_MOST_S));

	return span_max(p->poll_min, span_min(rarer, p->poll_max));
}

struct when
dates_next_look(const struct step *st)
{
	const struct site *s = st->s;

	if (plan_is_gone(s))
		return dates_next_look_of_gone(st);
	struct span every = s->held.id != 0 ? life_look_every(s->held.life, st->p->look_every)
					    : st->p->look_every;
	if (MUTANT(LOOK_FORGOTTEN))
		every.s *= 3;
	struct when at = when_plus(st->t->now,
	    (struct span){ every.s - (int64_t)(st->t->roll % ((uint64_t)every.s / 10 + 1)) });

	/* From that day on there is something to be told. */
	if (plan_is_own(s) && when_before(st->t->now, life_own_warn_at(s->held.life)))
		at = when_min(at, life_own_warn_at(s->held.life));
	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];
		/* What the CA said of itself no look can change: its date is the next order's. */
		if (f->is_from_order && cause_row(f->cause)->layer == LAYER_CA)
			continue;
		struct when since =
		    s->held.id != 0 ? when_max(f->first_seen, s->held.life.to) : f->first_seen;
		/* Nobody has mended it, and nothing is left that could be saved: daily is enough from now on. */
		bool is_aged = when_between(since, st->t->now).s >= AGED_S;
		struct span least = is_aged ? st->p->look_every : least_wait(f, st);

		at = when_min(at, when_max(f->next_look, when_plus(st->t->now, least)));
	}
	return at;
}

static struct when
draft_next(const struct site *s, const struct policy *p)
{
	if (!s->draft.exists)
		return WHEN_NEVER;
	struct when tell = when_is_known(s->draft.told_at)
			       ? WHEN_NEVER
			       : when_plus(s->draft.begun_at, p->draft_tell_after);
	struct when discard = s->draft.has_csr
				  ? WHEN_NEVER
				  : when_plus(s->draft.begun_at, p->draft_discard_after);

	return when_min(tell, discard);
}

/* The next date on which an order may become possible by the passing of time alone; checks have their own date. */
static struct when
order_wake(const struct step *st)
{
	const struct site *s = st->s;
	struct when now = st->t->now, not_before = plan_order_not_before(s, st->p),
		    renew_at = site_renew_at(s), at = WHEN_NEVER;

	if (plan_is_gone(s))
		return WHEN_NEVER;
	if (!plan_order_is_due_by(s, now, renew_at))
		return s->held.id != 0 ? renew_at : WHEN_NEVER;
	if (s->waits_turn)
		return now;
	if (when_before(now, not_before))
		at = not_before;
	else if (!st->p->ca_is_ready)
		at = when_plus(now, SPAN_S(CA_PAUSE_S));
	/* Waiting for a name that fails is not for ever: the dates at which the plan changes. */
	if (s->held.id != 0 && when_before(now, life_reduce_at(s->held.life)))
		at = when_min(at, life_reduce_at(s->held.life));
	else if (s->held.id != 0 && when_before(now, life_anyway_at(s->held.life)))
		at = when_min(at, life_anyway_at(s->held.life));
	/* What the CA refused may be asked for again from its next look on. */
	for (size_t i = 0; i < s->names_n; i++)
		if (plan_is_refused(s, &s->names[i], now))
			at = when_min(at, s->names[i].refused_until);
	for (size_t i = 0; i < s->findings.n; i++)
		if (s->findings.at[i].is_from_order &&
		    when_before(now, s->findings.at[i].next_look))
			at = when_min(at, s->findings.at[i].next_look);
	return when_min(at, site_ca_wake(s, st->p, now));
}

static struct when
own_wake(const struct site *s, struct when now)
{
	struct when take = life_takeover_at(s->held.life);

	return s->setting.takeover && when_before(now, take) ? take : WHEN_NEVER;
}

struct when
dates_next_wake(const struct step *st)
{
	const struct site *s = st->s;
	struct when now = st->t->now, soon = when_plus(now, SPAN_S(1));

	if (s->doing != DOING_NOTHING)
		return when_plus(s->doing_since, dates_longest(s->doing));
	struct when at = when_min(draft_next(s, st->p), site_letters_next(s, st->p, now));
	if (s->is_removed || s->is_revoking)
		return s->applied.digest != 0 ? when_max(s->deploy_at, soon) : WHEN_NEVER;
	if (s->setting.source != SOURCE_NONE || s->held.id != 0)
		at = when_min(at, s->look_at);
	if (plan_is_own(s))
		at = when_min(at, own_wake(s, now));
	if (st->is_deploy_due || plan_is_settling(s, now))
		at = when_min(at, s->deploy_at);
	if (s->held.id != 0) {
		/* At the end of the life the redirect lets go; when less than HSTS promises is left, so does HSTS. */
		struct when hsts_ends =
		    when_minus(s->held.life.to, life_hsts_age(s->held.life));

		if (when_before(now, s->held.life.to))
			at = when_min(at, s->held.life.to);
		if (when_before(now, hsts_ends) && s->applied.hsts)
			at = when_min(at, hsts_ends);
	}
	return when_max(plan_wants(s) ? when_min(at, order_wake(st)) : at, soon);
}

struct when
dates_look_after_handshake(const struct step *st)
{
	const struct site *s = st->s;
	struct span every = s->held.id != 0 ? life_look_every(s->held.life, st->p->look_every)
					    : st->p->look_every;
	struct when at = dates_next_look(st);

	if (when_is_known(s->checked_at) && !plan_is_gone(s))
		at = when_min(at, when_max(st->t->now, when_plus(s->checked_at, every)));
	return at;
}
