#include "core/site_mend.h"
#include "base/mutant.h"
#include "core/site_letters.h"
#include "core/site_plan.h"

enum { LEFT_ALONE_LOOKS = 2 }; /* it has to be found in place for so many daily looks to count as left alone */

/* What only the CA has met, and this look not, is no matter of what the server has; and a certificate that has ended is put in nobody's
 * place. */
static bool
is_meant(const struct step *st, const struct finding *f)
{
	if (MUTANT(STRANGER_TOLERATED) && findings_is_replacement(f->cause))
		return false;
	if (findings_by_handshake(f->cause) && !when_before(st->t->now, st->s->held.life.to))
		return false;
	return cause_row(f->cause)->mends == MENDS_DEPLOY && !f->is_from_order;
}

static bool
is_due(const struct step *st, const struct finding *f)
{
	if (f->mends == 0 || !when_is_known(f->mended_at))
		return true;
	return !when_before(st->t->now, when_plus(f->mended_at, plan_backoff(f->mends, st->p->poll_max, st->p->look_every)));
}

/* Another certificate than ours is shown at an address of ours. */
static bool
is_displaced(const struct finding *f)
{
	return f->cause == CAUSE_OWN_ORDER_COMPETING || f->cause == CAUSE_OWN_DEPLOY_NOT_SERVED;
}

/* Another hand that does it again each time begins no new count: what was put back and is gone goes on from where it stood. */
static void
recall(const struct site *s, struct finding *f)
{
	if (!is_displaced(f) || f->mends >= s->put_backs)
		return;
	f->mends = s->put_backs;
	f->mended_at = s->deploy_at;
}

void
mend_forget(const struct step *st)
{
	struct site *s = st->s;
	struct span alone = { LEFT_ALONE_LOOKS * st->p->look_every.s };

	if (s->put_backs > 0 && !when_before(st->t->now, when_plus(s->deploy_at, alone)))
		s->put_backs = 0;
}

bool
mend_is_zone_ours(const struct policy *p, struct str name)
{
	for (size_t i = 0; i < p->zones_n; i++)
		if (str_is_in_zone(name, p->zones[i]))
			return true;
	return false;
}

static void
mend_records(const struct step *st)
{
	for (size_t i = 0; plan_wants(st->s) && i < st->s->findings.n; i++) {
		struct finding *f = &st->s->findings.at[i];

		if (cause_row(f->cause)->mends != MENDS_RECORD || f->is_from_order || !mend_is_zone_ours(st->p, f->subject) || !is_due(st, f))
			continue;
		f->mends++;
		f->mended_at = st->t->now;
		struct site_effect *fx = site_effect_put(st->out, FX_RECORD);
		fx->names = &f->subject;
		fx->names_n = 1;
	}
}

void
mend_asked(const struct step *st)
{
	struct site *s = st->s;

	if (s->deploy_failures > 0)
		s->deploy_at = when_min(s->deploy_at, st->t->now);
	for (size_t i = 0; i < s->findings.n; i++)
		if (cause_row(s->findings.at[i].cause)->mends == MENDS_RECORD)
			s->findings.at[i].mended_at = WHEN_UNKNOWN;
}

static bool
is_refusal_of(const struct step *st, const struct finding *f)
{
	return f->cause == CAUSE_OWN_ZONE_UNWRITABLE && str_eq(f->subject, st->ev->name);
}

/* What lacks an address of ours, and we add it. */
static const struct finding *
find_missing(const struct finding_list *l, struct str name)
{
	for (size_t i = 0; i < l->n; i++)
		if (cause_row(l->at[i].cause)->mends == MENDS_RECORD && !l->at[i].is_from_order && str_eq(l->at[i].subject, name))
			return &l->at[i];
	return NULL;
}

bool
mend_is_refused_still(const struct step *st, const struct finding *old, const struct finding_list *seen)
{
	return mend_is_zone_ours(st->p, old->subject) &&
	       (find_missing(seen, old->subject) != NULL || findings_is_hidden(seen, old->subject));
}

/* An answer that comes when nobody misses the address any more says nothing of today. */
static void
put_refusal(const struct step *st)
{
	const struct site_event *ev = st->ev;
	const struct finding *missing = find_missing(&st->s->findings, ev->name);
	const struct str words = ev->words.n > 0 ? ev->words : str_of(err_words(ev->err));

	if (missing == NULL || !mend_is_zone_ours(st->p, ev->name))
		return;
	const struct finding f = { .cause = CAUSE_OWN_ZONE_UNWRITABLE,
		.subject = ev->name,
		.seen = words,
		.evidence = words,
		.acts = ACTOR_HOST,
		.next_look = when_plus(st->t->now, plan_backoff(missing->mends, st->p->poll_max, st->p->look_every)) };

	findings_add(st, &f, 1);
	struct finding *put = findings_find(&st->s->findings, f.cause, f.subject);
	if (put != NULL)
		put->is_from_order = false; /* no order, deploy or date ends it */
}

void
mend_record_told(const struct step *st)
{
	const struct site_event *ev = st->ev;
	struct site *s = st->s;
	bool is_added = ev->err == ERR_OK, is_there = is_added || ev->err == ERR_CONFLICT;

	if (is_there)
		s->look_at = when_min(s->look_at, when_plus(st->t->now, st->p->poll_min));
	struct site_effect *fx = is_added || !is_there ? site_effect_put(st->out, FX_HISTORY) : NULL;
	if (fx != NULL) {
		fx->history = is_added ? HISTORY_RECORD_ADDED : HISTORY_RECORD_REFUSED;
		fx->detail = is_added ? ev->name : ev->words;
	}
	if (is_there)
		findings_drop(st, is_refusal_of);
	else
		put_refusal(st);
}

void
mend(const struct step *st, bool was_applied)
{
	struct site *s = st->s;
	const uint8_t before = s->put_backs;

	mend_records(st);

	for (size_t i = 0; was_applied && i < s->findings.n; i++) {
		struct finding *f = &s->findings.at[i];

		if (!is_meant(st, f))
			continue;
		recall(s, f);
		if (!is_due(st, f))
			continue;
		f->mends++;
		f->mended_at = st->t->now;
		if (is_displaced(f) && s->put_backs == before)
			s->put_backs = (uint8_t)(f->mends < UINT8_MAX ? f->mends : UINT8_MAX);
		s->applied.digest = DIGEST_UNKNOWN;
		step_history(st, HISTORY_DEPLOYED_AGAIN, f);
	}
}

bool
mend_wants_reload(const struct site *s)
{
	for (size_t i = 0; i < s->findings.n; i++)
		if (cause_row(s->findings.at[i].cause)->mends == MENDS_DEPLOY)
			return true;
	return false;
}
