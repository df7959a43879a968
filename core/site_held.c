#include "core/site_held.h"
#include "core/site_ca.h"

void
site_hold(const struct step *st, const struct held *held)
{
	struct site *s = st->s;

	/* The wish of a person is fulfilled by a certificate, not by the attempt: a kill in between loses nothing (P7). */
	s->asked_renew = false;
	s->held = *held;
	s->held.is_live = false;
	/* What the CA said was about the one before. */
	s->renewal = (struct renewal){ .poll_at = WHEN_NEVER };
	s->order_failures = 0;
	/* A date of the CA's is one though its owner has brought another certificate meanwhile. */
	if (!s->retry_is_law || !when_before(st->t->now, s->retry_at)) {
		s->retry_at = WHEN_UNKNOWN;
		s->retry_is_law = false;
	}
	site_ca_reset(st);
	s->deploy_at = st->t->now;
	s->reminders_told = 0;
	s->expired_told = false;
}
