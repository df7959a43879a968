#include "core/site_misfit.h"
#include "core/own_certificate.h"
#include "core/site_plan.h"

enum { AGAIN_FIRST_S = 86400, AGAIN_MOST_S = 7 * 86400 };

static const struct finding *
find_of_held(const struct site *s, enum cause c)
{
	for (size_t i = 0; i < s->findings.n; i++)
		if (s->findings.at[i].cause == c && plan_is_of_held(s, &s->findings.at[i]))
			return &s->findings.at[i];
	return NULL;
}

void
misfit_met(const struct step *st, struct finding *f)
{
	const struct site *s = st->s;
	char *held = s->held.id != 0 ? arena_get(st->a, 2 * FINGERPRINT_BYTES) : NULL;

	if (f->cause != CAUSE_OWN_CERTIFICATE_KEY_MISMATCH || held == NULL)
		return;
	certificate_fingerprint_text(s->held.fingerprint, held);
	f->wanted = (struct str){ held, 2 * FINGERPRINT_BYTES };
	if (!s->held.is_own)
		return;
	f->cause = CAUSE_OWN_CERTIFICATE_KEY_MISSING;
	f->subject = s->names[0].name;
	f->seen = str_of(own_fault_words(OWN_FAULT_OTHER_KEY));
	f->acts = ACTOR_OWNER;
}

void
misfit_followed(const struct step *st)
{
	for (size_t i = 0; i < st->s->findings.n; i++) {
		struct finding *f = &st->s->findings.at[i];

		if (f->cause != CAUSE_OWN_CERTIFICATE_KEY_MISMATCH || f->wanted.n == 0)
			continue;
		f->mends++;
		f->mended_at = st->t->now;
	}
}

struct when
misfit_renew_at(const struct site *s)
{
	const struct finding *f = s->held.is_own ? NULL : find_of_held(s, CAUSE_OWN_CERTIFICATE_KEY_MISMATCH);

	if (f == NULL)
		return WHEN_UNKNOWN;
	return f->mends == 0 ? f->first_seen : when_plus(f->mended_at, plan_backoff(f->mends, SPAN_S(AGAIN_FIRST_S), SPAN_S(AGAIN_MOST_S)));
}

bool
misfit_is_own(const struct site *s)
{
	return s->held.is_own && find_of_held(s, CAUSE_OWN_CERTIFICATE_KEY_MISSING) != NULL;
}
