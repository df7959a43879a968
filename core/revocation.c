#include "core/revocation.h"
#include "base/must.h"
#include "core/site_plan.h"

enum { PAUSE_LEAST_S = 60, PAUSE_MOST_S = 6 * 3600 };

static const struct {
	const char *name;
	int code;
} reasons[] = {
	[REVOKE_UNSPECIFIED] = { "unspecified", 0 },
	[REVOKE_KEY_COMPROMISE] = { "key-compromise", 1 },
	[REVOKE_CESSATION] = { "cessation", 5 },
};

const char *
revoke_reason_name(enum revoke_reason r)
{
	must(r < REVOKE_REASON_COUNT);
	return reasons[r].name;
}

int
revoke_reason_code(enum revoke_reason r)
{
	must(r < REVOKE_REASON_COUNT);
	return reasons[r].code;
}

bool
revoke_reason_of_name(struct str s, enum revoke_reason *ret)
{
	for (enum revoke_reason r = 0; r < REVOKE_REASON_COUNT; r++)
		if (str_eq(s, str_of(reasons[r].name))) {
			*ret = r;
			return true;
		}
	return false;
}

const char *
revoke_state_name(enum revoke_state s)
{
	static const char *const names[] = { "asked", "waits", "done", "own", "refused", "ended" };

	must(s < REVOKE_STATE_COUNT);
	return names[s];
}

enum revoke_state
revocation_state(const struct revoke *r, struct when now)
{
	if (!when_is_known(r->destroyed_at))
		return REVOKE_ASKED;
	if (r->is_own)
		return REVOKE_OWN;
	if (when_is_known(r->revoked_at))
		return REVOKE_DONE;
	if (!when_before(now, r->ends))
		return REVOKE_ENDED;
	return when_is_known(r->next_try) ? REVOKE_WAITS : REVOKE_REFUSED;
}

enum revoke_next
revocation_next(const struct revoke *r, const struct acme_answer *an, unsigned tries, const struct turn *t, struct when *ret_at)
{
	struct span wait = plan_backoff(tries + 1, SPAN_S(PAUSE_LEAST_S), SPAN_S(PAUSE_MOST_S));
	struct when own = when_plus(t->now, (struct span){ wait.s + (int64_t)(t->roll % ((uint64_t)wait.s / 4 + 1)) });

	*ret_at = when_max(own, an->retry_after);
	if (an->err == ERR_OK)
		return REVOKE_IS_DONE;
	if (r->reason != REVOKE_UNSPECIFIED && str_eq(an->problem.type, STR("badRevocationReason"))) {
		*ret_at = t->now;
		return REVOKE_AGAIN_PLAINLY;
	}
	/* Its own word about this certificate or this account: the same request would be answered in the same way. */
	bool is_final = str_eq(an->problem.type, STR("unauthorized")) || str_eq(an->problem.type, STR("malformed")) ||
			str_eq(an->problem.type, STR("badRevocationReason"));
	return is_final ? REVOKE_GIVEN_UP : REVOKE_AGAIN;
}
