#ifndef KOSHIN_CORE_BREAKER_H
#define KOSHIN_CORE_BREAKER_H
/*
 * The breaker of one CA: while it is ill, nobody orders there; one probe at a time finds out when it is well. Pure: facts
 * are dates and the count of failures in a row, the state is derived from them and the time.
 *
 *              a third failure in a row, or a refusal of the whole account
 *     CLOSED ----------------------------------------------------------------> OPEN <-----------+
 *       ^                                                                       | not_before     | the probe failed,
 *       |                          a certificate came                           v                | or PROBE_S are over
 *       +---------------------------------------------------------------- HALF_OPEN --(one order)+
 *
 *   CLOSED     orders go out; a Retry-After of the CA alone may hold them (not_before), without counting as an illness.
 *   OPEN       not_before is in the future; what still comes back from orders begun earlier changes nothing.
 *   HALF_OPEN  one order may go out (breaker_take); while it is under way the state is OPEN again until PROBE_S are over.
 *
 * A CA that has blocked the account keeps it OPEN, past every date, until the operator says that the block is lifted
 * (breaker_unblock): asking on is what accounts are blocked for.
 */
#include "core/finding.h"

struct breaker {
	unsigned failures;	/* of the CA itself, in a row; each pause counts once */
	struct when ill_since;	/* it opened; WHEN_UNKNOWN: closed */
	struct when not_before; /* no order before; WHEN_UNKNOWN: at any time */
	struct when probed_at;	/* an order went out as the probe; WHEN_UNKNOWN: none since it opened */
	struct when blocked_at; /* the CA said that it has blocked the account; WHEN_UNKNOWN: it has not, or that is over */
};
#define BREAKER_CLOSED_FOREVER ((struct breaker){ 0, WHEN_UNKNOWN, WHEN_UNKNOWN, WHEN_UNKNOWN, WHEN_UNKNOWN })

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };
enum {
	BREAKER_FAILURES = 3,	   /* one lost packet or one broken order is no illness */
	BREAKER_PROBE_S = 60,	   /* then another order may probe */
	BREAKER_PAUSE_MOST_S = 300, /* before jitter: so late at most is it seen that the CA is well */
	BREAKER_REFUSED_S = 3600,  /* an account that the CA refuses waits for the operator, not for the CA */
};
enum breaker_state breaker_state(const struct breaker *b, struct when now);
/* From when on an order may go out; WHEN_UNKNOWN: at any time. While a probe is under way: until it is given up. */
struct when breaker_not_before(const struct breaker *b);
/* The CA itself failed: silence, 5xx, answers that cannot be read. retry_after: its own word, WHEN_UNKNOWN without one. */
void breaker_failed(struct breaker *b, const struct turn *t, struct when retry_after);
/* The CA refuses the account as a whole: opens at once. */
void breaker_refused(struct breaker *b, const struct turn *t, struct when retry_after);
/* It has blocked the account: opens until breaker_unblock. */
void breaker_block(struct breaker *b, const struct turn *t);
bool breaker_is_blocked(const struct breaker *b);
/* While the account is blocked there is always a date to look at this again; moves it on. True if it was past. */
bool breaker_hold(struct breaker *b, const struct turn *t);
/* The operator says that the CA has lifted the block: one order finds out whether that is so. */
void breaker_unblock(struct breaker *b, struct when now);
/* It is well and asks everybody to wait until then. */
void breaker_told(struct breaker *b, struct when until);
/* It gave a certificate. A Retry-After that it has named stays, and so does a block: what was asked for before it may still
 * come. True if anything changed. */
bool breaker_worked(struct breaker *b, struct when now);
/* An order failed: what its findings say of the CA itself, the worst of them. A refusal for a name's sake shows that the CA works, and
 * so does a limit, which has its own bucket (core/budget). True if anything changed. */
bool breaker_judge(struct breaker *b, const struct finding_list *failures, const struct turn *t, struct when retry_after);
/* An order goes out: the probe, if it is half open. True if anything changed. */
bool breaker_take(struct breaker *b, struct when now);
/* Invariants; must() each. */
void breaker_check(const struct breaker *b);
#endif
