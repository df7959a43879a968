#include "core/breaker.h"
#include "base/must.h"

/* No Retry-After of a CA is believed beyond this: a slip of its clock must not close it for years. */
enum { RETRY_MOST_S = 7 * 86400 };

static bool
is_set(struct when w)
{
	return w.s != WHEN_UNKNOWN.s;
}

struct when
breaker_not_before(const struct breaker *b)
{
	struct when until = b->not_before;

	if (is_set(b->probed_at))
		until = when_max(until, when_plus(b->probed_at, SPAN_S(BREAKER_PROBE_S)));
	return until;
}

enum breaker_state
breaker_state(const struct breaker *b, struct when now)
{
	if (!is_set(b->ill_since))
		return BREAKER_CLOSED;
	if (breaker_is_blocked(b))
		return BREAKER_OPEN;
	return when_before(now, breaker_not_before(b)) ? BREAKER_OPEN : BREAKER_HALF_OPEN;
}

bool
breaker_is_blocked(const struct breaker *b)
{
	return is_set(b->blocked_at);
}

void
breaker_told(struct breaker *b, struct when until)
{
	if (when_is_known(until))
		b->not_before = when_max(b->not_before, until);
}

/* Up to as much again: those who were turned away together do not come back together. */
static void
open_for(struct breaker *b, const struct turn *t, struct span pause, struct when retry_after)
{
	struct span jitter = { (int64_t)(t->roll % ((uint64_t)pause.s + 1)) };
	struct when most = when_plus(t->now, SPAN_S(RETRY_MOST_S));

	if (!is_set(b->ill_since))
		b->ill_since = t->now;
	b->probed_at = WHEN_UNKNOWN;
	b->not_before = when_plus(when_plus(t->now, pause), jitter);
	if (when_is_known(retry_after))
		b->not_before = when_max(b->not_before, when_min(retry_after, most));
}

/* Orders that were under way when it opened fail one after the other: that is the same illness, and no worse one. Only what
 * was begun while it was half open tells something new. */
static bool
is_news(const struct breaker *b, struct when now)
{
	return breaker_state(b, now) != BREAKER_OPEN || is_set(b->probed_at);
}

void
breaker_failed(struct breaker *b, const struct turn *t, struct when retry_after)
{
	static const int64_t pauses_s[] = { 15, 60, BREAKER_PAUSE_MOST_S };

	if (!is_news(b, t->now)) {
		breaker_told(b, when_min(retry_after, when_plus(t->now, SPAN_S(RETRY_MOST_S))));
		return;
	}
	if (b->failures < UINT32_MAX)
		b->failures++;
	if (b->failures < BREAKER_FAILURES) {
		breaker_told(b, when_min(retry_after, when_plus(t->now, SPAN_S(RETRY_MOST_S))));
		return;
	}
	unsigned n = b->failures - BREAKER_FAILURES;
	open_for(b, t, SPAN_S(pauses_s[n < 3 ? n : 2]), retry_after);
}

void
breaker_refused(struct breaker *b, const struct turn *t, struct when retry_after)
{
	if (is_news(b, t->now) && b->failures < UINT32_MAX)
		b->failures++;
	open_for(b, t, SPAN_S(BREAKER_REFUSED_S), retry_after);
}

void
breaker_block(struct breaker *b, const struct turn *t)
{
	if (breaker_is_blocked(b))
		return;
	breaker_refused(b, t, WHEN_UNKNOWN);
	b->blocked_at = t->now;
}

bool
breaker_hold(struct breaker *b, const struct turn *t)
{
	if (!breaker_is_blocked(b) || when_before(t->now, b->not_before))
		return false;
	b->probed_at = WHEN_UNKNOWN;
	b->not_before = when_plus(t->now, SPAN_S(BREAKER_PAUSE_MOST_S));
	return true;
}

void
breaker_unblock(struct breaker *b, struct when now)
{
	if (!breaker_is_blocked(b))
		return;
	b->blocked_at = b->probed_at = WHEN_UNKNOWN;
	b->not_before = now;
}

bool
breaker_worked(struct breaker *b, struct when now)
{
	bool was_ill = b->failures > 0 || is_set(b->ill_since);

	if (!was_ill || breaker_is_blocked(b))
		return false;
	/* What opened it is over; the pause that it had chosen itself goes with it. */
	if (is_set(b->ill_since) || !when_before(now, b->not_before))
		b->not_before = WHEN_UNKNOWN;
	b->failures = 0;
	b->ill_since = b->probed_at = WHEN_UNKNOWN;
	return true;
}

enum tells { TELLS_NOTHING, TELLS_WELL, TELLS_ILL, TELLS_REFUSED, TELLS_BLOCKED };

static enum tells
what_tells(enum cause c)
{
	static const enum cause ill[] = { CAUSE_CA_SERVICE_BUSY, CAUSE_CA_SERVICE_DOWN,
		CAUSE_CA_SERVICE_INTERNAL_ERROR, CAUSE_CA_NONCE_REJECTED, CAUSE_CA_ORDER_SLOW };
	static const enum cause refused[] = { CAUSE_CA_EAB_INVALID, CAUSE_CA_TERMS_NOT_AGREED,
		CAUSE_OWN_ACME_ACCOUNT_UNUSABLE };

	if (c == CAUSE_CA_ACCOUNT_BLOCKED)
		return TELLS_BLOCKED;
	for (size_t i = 0; i < sizeof ill / sizeof *ill; i++)
		if (c == ill[i])
			return TELLS_ILL;
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
		if (c == refused[i])
			return TELLS_REFUSED;
	return cause_row(c)->layer == LAYER_OWN ? TELLS_NOTHING : TELLS_WELL;
}

bool
breaker_judge(struct breaker *b, const struct finding_list *failures, const struct turn *t,
    struct when retry_after)
{
	enum tells worst = TELLS_NOTHING;

	for (size_t i = 0; i < failures->n; i++) {
		enum tells tells = what_tells(failures->at[i].cause);

		worst = tells > worst ? tells : worst;
	}
	switch (worst) {
	case TELLS_NOTHING:
		return false;
	case TELLS_WELL:
		return breaker_worked(b, t->now);
	case TELLS_ILL:
		breaker_failed(b, t, retry_after);
		return true;
	case TELLS_REFUSED:
		breaker_refused(b, t, retry_after);
		return true;
	case TELLS_BLOCKED:
		breaker_block(b, t);
		return true;
	}
	must(false);
	return false;
}

bool
breaker_take(struct breaker *b, struct when now)
{
	if (breaker_state(b, now) != BREAKER_HALF_OPEN)
		return false;
	b->probed_at = now;
	return true;
}

void
breaker_check(const struct breaker *b)
{
	/* Nothing is ill without a failure, nothing is probed that is not ill. */
	must(!is_set(b->ill_since) || b->failures > 0);
	must(!is_set(b->probed_at) || is_set(b->ill_since));
	/* What is ill has a date (P2). */
	must(!is_set(b->ill_since) || when_is_known(b->not_before));
	must(!breaker_is_blocked(b) || is_set(b->ill_since));
}
