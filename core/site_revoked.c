#include "core/site_revoked.h"
#include "core/site_letters.h"

void
revoked_begin(const struct step *st)
{
	struct site *s = st->s;

	if (s->held.id == 0)
		return;
	s->is_revoking = true;
	step_history(st, HISTORY_REVOKE_ASKED, NULL);
	if (s->doing == DOING_DEPLOY)
		return;
	s->doing = DOING_NOTHING;
	s->doing_since = s->deploy_at = st->t->now;
}

bool
revoked_is_due(const struct site *s)
{
	return s->is_revoking && s->applied.redirect == 0;
}

static bool
is_any(const struct step *st, const struct finding *f)
{
	(void)st;
	(void)f;
	return true;
}

void
revoked_destroy(const struct step *st)
{
	struct site *s = st->s;
	int64_t held_id = s->held.id;

	s->is_revoking = false;
	s->held = (struct held){ 0 };
	for (size_t i = 0; i < s->names_n; i++) {
		s->names[i].is_held = false;
		s->names[i].served = (struct served){ .at = WHEN_UNKNOWN, .not_after = WHEN_UNKNOWN };
	}
	s->renewal = (struct renewal){ .poll_at = WHEN_NEVER };
	s->renewals_good = s->verify_failures = s->deploy_failures = s->put_backs = 0;
	s->issued_told = s->story_open = s->expired_told = false;
	s->reminders_told = 0;
	findings_drop(st, is_any);
	site_effect_put(st->out, FX_DESTROY)->certificate_id = held_id;
	step_history(st, HISTORY_DESTROYED, NULL);
	/* Its files go whatever was applied last: a deploy whose answer was lost may have written them. */
	s->applied.digest = UINT64_MAX;
	s->deploy_at = st->t->now;
}
