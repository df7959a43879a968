#include "core/site_mend.h"
#include "base/mutant.h"
#include "core/site_plan.h"

/* What only the CA has met, and this look not, is no matter of what the server has. */
static bool
is_meant(const struct finding *f)
{
	if (MUTANT(STRANGER_TOLERATED) && findings_is_replacement(f->cause))
		return false;
	return cause_row(f->cause)->mends == MENDS_DEPLOY && !f->is_from_order;
}

static bool
is_due(const struct step *st, const struct finding *f)
{
	if (f->mends == 0)
		return true;
	return !when_before(st->t->now, when_plus(f->mended_at, plan_backoff(f->mends, st->p->poll_max, st->p->look_every)));
}

void
mend(const struct step *st, bool was_applied)
{
	struct site *s = st->s;

	for (size_t i = 0; was_applied && i < s->findings.n; i++) {
		struct finding *f = &s->findings.at[i];

		if (!is_meant(f) || !is_due(st, f))
			continue;
		f->mends++;
		f->mended_at = st->t->now;
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
