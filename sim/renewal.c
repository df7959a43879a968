#include "sim/world.h"

/*
 * The simulated CA's renewal information (RFC 9773) as Let's Encrypt's server has it: a window around two thirds of the life
 * (half of a short one), a hundredth of the life to either side; once the CA wants certificates replaced, one that has just
 * gone by. `replaces` is checked as there: a certificate of this CA that has no successor yet.
 */

enum { RETRY_AFTER_S = 6 * 3600 };

/* "sim.NUMBER", counted from 1. */
static struct sim_certificate *
find(const struct sim *s, struct str id)
{
	int64_t n;

	if (!str_eq(str_cut(&id, '.'), STR("sim")) || !str_to_int(id, &n) || n < 1 || (size_t)n > s->certificates_n)
		return NULL;
	return &s->certificates[n - 1];
}

static struct when
at_ms(int64_t ms)
{
	return (struct when){ ms / 1000 };
}

static struct renewal_told
window_of(struct sim *s, const struct sim_certificate *c)
{
	struct span length = life_length(c->life), side = span_part(length, 1, 100);
	struct when now = at_ms(s->now_ms), middle = when_plus(c->life.from, life_renew_after(length));
	struct renewal_told told = { .start = when_minus(middle, side), .end = when_plus(middle, side) };

	if (when_before(at_ms(c->issued_ms), s->ca_replace_before))
		told = (struct renewal_told){ .start = when_minus(now, SPAN_H(1)), .end = when_minus(now, SPAN_MIN(30)),
			.explanation = STR("https://a1.example/incident") };
	switch (s->ca_window) {
	case SIM_WINDOW_GOOD:
		break;
	case SIM_WINDOW_INVERTED:
		told = (struct renewal_told){ .start = told.end, .end = told.start };
		break;
	case SIM_WINDOW_PAST:
		told = (struct renewal_told){ .start = when_minus(c->life.from, SPAN_D(3)), .end = when_minus(c->life.from, SPAN_D(2)) };
		break;
	case SIM_WINDOW_LATE:
		told = (struct renewal_told){ .start = when_plus(c->life.to, SPAN_D(365)), .end = when_plus(c->life.to, SPAN_D(366)) };
		break;
	case SIM_WINDOW_NONE:
		told = (struct renewal_told){ .start = WHEN_UNKNOWN, .end = WHEN_UNKNOWN };
		break;
	}
	return told;
}

void
sim_renewal_info(struct sim *s, const struct acme_request *r, struct acme_answer *a)
{
	const struct sim_certificate *c = find(s, r->ari_id);

	s->polls++;
	if (!s->ca_has_renewal || c == NULL || sim_ca_by_id(s, r->ca_id)->faults.renewal_until_ms > s->now_ms) {
		a->err = c == NULL ? ERR_NOT_FOUND : ERR_SERVER;
		a->http_status = c == NULL ? 404 : 503;
		a->detail = STR("no renewal information");
		return;
	}
	a->http_status = 200;
	a->renewal = window_of(s, c);
	/* Six hours, a fifth more or less, on the machine's clock. */
	int64_t spread = RETRY_AFTER_S * 2 / 5;
	a->retry_after = when_plus(sim_now(s),
	    SPAN_S(RETRY_AFTER_S - spread / 2 + (int64_t)(sim_random(s) % (uint64_t)(spread + 1))));
}

bool
sim_is_in_window(struct sim *s, struct str id)
{
	const struct sim_certificate *c = find(s, id);

	if (c == NULL || c->is_replaced || !s->ca_has_renewal)
		return false;
	struct renewal_told told = window_of(s, c);
	return when_is_known(told.start) && !when_before(at_ms(s->now_ms), told.start) && when_before(at_ms(s->now_ms), told.end);
}

bool
sim_replaces(struct sim *s, struct str id)
{
	struct sim_certificate *c = find(s, id);

	if (id.n == 0)
		return true;
	if (c == NULL || c->is_replaced)
		return false;
	c->is_replaced = true;
	s->replaced++;
	return true;
}
