#ifndef KOSHIN_PORTS_STORE_BUDGET_H
#define KOSHIN_PORTS_STORE_BUDGET_H
/* The store's part in core/budget and core/lane: rows that all nodes share, each written in the transaction of the
 * decision that draws from it. A bucket that is full again is not kept. */
#include "core/budget.h"
#include "core/lane.h"
#include "ports/store/store.h"

/* A row that is not there is a full bucket. Its subject is the caller's. */
MUST_USE enum err store_budget_load(struct store *s, int64_t ca_id, enum budget b, struct str subject, struct budget_row *ret);
MUST_USE enum err store_budget_save(struct store *s, int64_t ca_id, const struct budget_row *row);
/* The emptiest ones, LIMIT_PAGE_ROWS at most. */
struct budget_listed {
	int64_t ca_id;
	struct budget_row row;
};
MUST_USE enum err store_budgets(struct store *s, struct arena *a, struct budget_listed **ret, size_t *ret_n);
/* Forgets at most so many full buckets. */
MUST_USE enum err store_budget_sweep(struct store *s, struct when now, size_t max);

/* What a site's order holds. EXISTS: it holds that already. Counting in the rows' `held` is the caller's. */
MUST_USE enum err store_budget_draw(struct store *s, int64_t site_id, int64_t ca_id, enum budget b, struct str subject);
MUST_USE enum err store_budget_draws(struct store *s, int64_t site_id, struct arena *a, struct budget_listed **ret, size_t *ret_n);
MUST_USE enum err store_budget_undraw(struct store *s, int64_t site_id);
/* Ids of sites that hold something while no order of theirs is under way. */
MUST_USE enum err store_budget_orphans(struct store *s, int64_t *ret, size_t max, size_t *ret_n);
/* Which CA issued the certificate that the site holds, and its first date; 0 and WHEN_UNKNOWN without one. */
MUST_USE enum err store_budget_held(struct store *s, int64_t site_id, int64_t *ret_ca_id, struct when *ret_from);

/* Ids of sites whose wake is not after now, earliest first: of one lane, or (LANE_COUNT) those that no order can be made for. draws:
 * those whose order counts against what all sites share; or the others. */
MUST_USE enum err store_due_lane(struct store *s, enum lane l, bool draws, struct when now, int64_t *ret, size_t max, size_t *ret_n);
/* Those in any lane that are to be looked at. */
MUST_USE enum err store_due_look(struct store *s, struct when now, int64_t *ret, size_t max, size_t *ret_n);
/* The earliest wake of each lane, and (LANE_COUNT) of the sites that no order can be made for; the second: of those whose order counts
 * against what all sites share. WHEN_NEVER where nobody is. */
struct lane_wakes {
	struct when at[LANE_COUNT + 1][2];
};
MUST_USE enum err store_lane_wakes(struct store *s, struct lane_wakes *ret);
/* Everybody who waits in a lane for a date to come is due now. */
MUST_USE enum err store_lanes_wake(struct store *s, struct when now);
/* The earliest look at one that waits in any lane; WHEN_NEVER if there is none. */
MUST_USE enum err store_lane_look_wake(struct store *s, struct when *ret);
/* Sites in other lanes of whose certificate little is left by now go into the most pressing one, at most so many. */
MUST_USE enum err store_lane_late(struct store *s, struct when now, size_t max);
#endif
