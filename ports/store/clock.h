#ifndef KOSHIN_PORTS_STORE_CLOCK_H
#define KOSHIN_PORTS_STORE_CLOCK_H
/*
 * By which clock the dates in the store are (core/skew, core/site_clock). When the clock was set, everything but sites is moved
 * in one transaction; sites move with their next step, and a part of those that are left in each turn.
 */
#include "ports/store/store.h"

struct store_clock {
	struct span set; /* by so much, in all */
	bool is_moving;	 /* some sites may be by a clock of before */
};
MUST_USE enum err store_clock(struct store *s, struct store_clock *ret);
/* It was set once more. Letters that wait, budgets, open orders and tokens are moved. */
MUST_USE enum err store_clock_set(struct store *s, struct span set, struct span by);
/* Sites by another clock than that, by id, after this one. */
MUST_USE enum err store_clock_sites(
    struct store *s, struct span set, int64_t after_id, int64_t *ret, size_t max, size_t *ret_n);
MUST_USE enum err store_clock_settled(struct store *s); /* there are none left */
/* The dates on which this site's CA was and will be asked about its certificate. */
MUST_USE enum err store_clock_move_renewal(struct store *s, int64_t site_id, struct span by);
#endif
