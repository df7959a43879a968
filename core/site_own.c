#include "core/site_own.h"
#include "base/must.h"
#include "core/site_findings.h"
#include "core/site_held.h"
#include "core/site_letters.h"
#include "core/site_misfit.h"
#include "core/site_plan.h"

void
own_take_over(const struct step *st)
{
	struct site *s = st->s;
	bool is_end = plan_is_own(s) && (misfit_is_own(s) || !when_before(st->t->now, life_takeover_at(s->held.life)));

	if (!is_end || !s->setting.takeover)
		return;
	s->setting.source = SOURCE_FREE;
	s->asked_check = true;
	(void)site_effect_put(st->out, FX_TAKE_OVER);
	step_history(st, HISTORY_TAKEN_OVER, NULL);
	findings_drop(st, finding_of_own_end);
}

static void
mark_held(struct site *s, const struct site_event *ev)
{
	for (size_t i = 0; i < s->names_n; i++) {
		s->names[i].is_held = false;
		for (size_t k = 0; k < ev->issued_names_n; k++)
			s->names[i].is_held |= str_eq(ev->issued_names[k], s->names[i].name);
	}
}

void
own_imported(const struct step *st)
{
	struct site *s = st->s;

	must(st->ev->issued.id != 0);
	mark_held(s, st->ev);
	site_hold(st, &st->ev->issued);
	s->held.is_spread = false;
	s->held.is_own = true;
	/* What stood against the one before may be over, and what its own dates ask for has to be told. */
	s->asked_check = true;
	s->deploy_failures = s->verify_failures = s->put_backs = 0;
	step_history(st, HISTORY_IMPORTED, NULL);
	findings_drop(st, finding_of_own_end);
	findings_drop_ordered(st);
}
