/*
 * The domain itself: ended, stopped, or about to end. The registry's word explains what DNS fails at; where the names
 * still work, a domain past its date is only a warning, since most registrars renew by themselves and leave some weeks.
 */
#include "core/classify_inside.h"
#include "base/date.h"

enum {
	EXPIRING_DAYS =
	    30, /* a certificate of 90 days outlives most contracts: before this nobody is told */
};

static void
put_domain(struct judge *j, enum cause c, struct str seen)
{
	struct finding *f = judge_put(j, c);

	if (f == NULL)
		return;
	f->seen = seen;
	f->copy = j->n->registered_domain;
	f->company = j->n->registration.registrar;
}

/* What the end of the domain is measured by: the end of the certificate, but no more than a month ahead. */
static bool
ends_soon(const struct judge *j, struct when expires)
{
	struct when horizon = when_plus(j->e->at, SPAN_D(EXPIRING_DAYS));

	if (j->s != NULL && j->s->held.id != 0)
		horizon = when_min(horizon, j->s->held.life.to);
	return when_before(expires, horizon);
}

bool
classify_registration(struct judge *j)
{
	const struct registration *r = &j->n->registration;
	bool is_absent = j->n->addresses_n == 0, is_lost = true;

	if (r->status != REGISTRATION_FOUND)
		return false;
	bool is_dated = when_is_known(r->expires);
	bool is_ended = r->is_redeemable || r->is_being_deleted ||
			(is_dated && when_before(r->expires, j->e->at));
	/* Registrars lead a domain that has ended to a page of their own. */
	for (size_t i = 0; i < j->n->addresses_n; i++)
		is_lost = is_lost && !judge_reaches_us(j, &j->n->addresses[i]);
	struct str seen = is_dated ? date_day_text(r->expires, j->a) : r->words;

	if (is_lost && is_ended) {
		put_domain(j, CAUSE_REGISTRATION_DOMAIN_EXPIRED, seen);
		return true;
	}
	if (r->is_on_hold) {
		put_domain(j, CAUSE_REGISTRATION_DOMAIN_ON_HOLD, r->words);
		return is_absent;
	}
	if (!is_lost && (is_ended || (is_dated && ends_soon(j, r->expires))))
		put_domain(j, CAUSE_REGISTRATION_DOMAIN_EXPIRING, seen);
	return false;
}
