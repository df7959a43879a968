#include "base/limits.h"
#include "base/must.h"
#include "core/site_plan.h"

void
site_check(const struct site *s)
{
	must(s->names_n > 0 && s->names_n <= LIMIT_SITE_NAMES);
	must(s->doing < DOING_COUNT);
	/* P2: whoever wants a certificate has a next date, and so has whoever is in the middle of something. */
	must(!plan_wants(s) || s->wake.s != WHEN_NEVER.s);
	must(!plan_is_own(s) || s->wake.s != WHEN_NEVER.s);
	must(!s->held.is_own || s->held.id != 0);
	must(s->doing == DOING_NOTHING || s->wake.s != WHEN_NEVER.s);
	/* P2, P4: no finding without a date on which it is looked at again. */
	for (size_t i = 0; i < s->findings.n; i++)
		must(s->findings.at[i].cause != CAUSE_NONE &&
		     when_is_known(s->findings.at[i].next_look));
	/* P3: the redirect is on only while a certificate is held. */
	must(s->applied.redirect == 0 || s->held.id != 0);
	must(!s->applied.hsts || s->applied.redirect == 308);
	/* P6: an order is open in one state alone. */
	must(s->order_id == 0 || s->doing == DOING_ORDER);
}
