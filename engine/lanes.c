#include "engine/inside.h"
#include "base/must.h"
#include "core/site_plan.h"
#include "ports/store/budget.h"

/*
 * Who is let in: sites whose date has come, by lane. An order that can be made waits in the store, where an index of each
 * lane keeps it, and nothing of it is in memory; a million that wait hide nobody. A site that is let in counts in its lane
 * from its check to the end of its order.
 */

enum { LATE_AT_ONCE = 1000, CANDIDATES = 64, KEPT_CHECKS_PART = 4 };

struct candidates {
	int64_t ids[CANDIDATES];
	size_t n, taken;
};

struct gate {
	struct candidates of[LANE_COUNT][2]; /* the second: those that draw from what all share */
	int64_t left;	     /* of what all share */
	size_t places;	     /* in this turn */
};

/* The first checks of sites need no CA. */
static bool
needs_ca(enum lane l, bool draws)
{
	return l != LANE_FIRST || draws;
}

/* A CA that cannot be asked now. */
static bool
is_shut(const struct engine *e, enum lane l, bool draws)
{
	return needs_ca(l, draws) && account_shut_until(e).s != WHEN_UNKNOWN.s;
}

/* One order finds out whether the first CA is well again. Who would make it is checked beforehand, and whom that keeps from it the next
 * one follows: not all who wait are checked at once, for nothing. */
static bool
is_taken(const struct engine *e, enum lane l, bool draws)
{
	return needs_ca(l, draws) && account_is_probed(e) && e->claims_checking > 0;
}

static bool
has_candidate(const struct gate *g, enum lane l, bool draws)
{
	const struct candidates *c = &g->of[l][draws];

	return c->taken < c->n && (!draws || g->left > 0);
}

static bool
may_be_let_in(const struct engine *e, const struct gate *g, enum lane l, bool draws)
{
	return has_candidate(g, l, draws) && !is_taken(e, l, draws);
}

static enum err
load_candidates(struct engine *e, struct gate *g)
{
	struct lane_wakes wakes;
	enum err err = store_lane_wakes(e->ports.store, &wakes);

	for (enum lane l = 0; l < LANE_COUNT; l++)
		for (int draws = 0; err == ERR_OK && draws < 2; draws++) {
			struct candidates *c = &g->of[l][draws];
			size_t most = g->places < CANDIDATES ? g->places : CANDIDATES;

			if (when_before(e->turn.now, wakes.at[l][draws]))
				continue;
			if (draws && g->left < (int64_t)most)
				most = g->left > 0 ? (size_t)g->left : 0;
			if (most > 0 && !is_shut(e, l, draws))
				err = store_due_lane(e->ports.store, l, draws, e->turn.now, c->ids, most, &c->n);
		}
	return err;
}

static enum err
let_in(struct engine *e, struct gate *g, enum lane l)
{
	const struct site_event ev = { .kind = SITE_WAKE, .retry_after = WHEN_UNKNOWN };
	/* By turns, where both kinds wait. */
	bool draws = may_be_let_in(e, g, l, true) && (!may_be_let_in(e, g, l, false) || (e->lane_toggle++ & 1) != 0);
	struct candidates *c = &g->of[l][draws];

	g->places--;
	g->left -= draws;
	e->claim = (struct claim){ true, draws, l };
	enum err err = engine_step_site(e, c->ids[c->taken++], &ev);
	e->claim = (struct claim){ false, false, LANE_COUNT };
	return err;
}

static enum err
open_gate(struct engine *e, size_t places, bool *ret_is_more)
{
	struct gate *g = arena_get(&e->arena, sizeof *g);
	struct when next;
	enum lane l;

	if (g == NULL)
		return ERR_MEMORY;
	*g = (struct gate){ .places = places };
	enum err err = budget_orders_left(e, &g->left, &next);
	g->left = g->left > (int64_t)e->claims_drawing ? g->left - (int64_t)e->claims_drawing : 0;
	if (err == ERR_OK)
		err = load_candidates(e, g);
	while (err == ERR_OK) {
		bool waits[LANE_COUNT], any = false;

		for (enum lane k = 0; k < LANE_COUNT; k++) {
			waits[k] = (may_be_let_in(e, g, k, false) || may_be_let_in(e, g, k, true)) && lane_has_room(&e->lanes, k);
			any |= waits[k];
		}
		if (g->places == 0) {
			*ret_is_more |= any;
			break;
		}
		if (!lane_pick(&e->lane_turns, waits, &l))
			break;
		err = let_in(e, g, l);
	}
	return err;
}

/* Sites that no order can be made for, and those that wait long in a lane and are to be looked at meanwhile. */
static enum err
take_others(struct engine *e, size_t max, bool *ret_is_more)
{
	const struct site_event ev = { .kind = SITE_WAKE, .retry_after = WHEN_UNKNOWN };
	int64_t *ids = arena_get(&e->arena, max * sizeof *ids);
	size_t n = 0, looks = 0;

	if (ids == NULL)
		return ERR_MEMORY;
	enum err err = store_due_lane(e->ports.store, LANE_COUNT, false, e->turn.now, ids, max, &n);
	if (err == ERR_OK && n < max)
		err = store_due_look(e->ports.store, e->turn.now, ids + n, max - n, &looks);
	for (size_t i = 0; err == ERR_OK && i < n + looks; i++)
		err = engine_step_site(e, ids[i], &ev);
	*ret_is_more |= n + looks == max;
	return err;
}

/* No more probes at one time than limits.h allows; neither lanes nor others take all of them. */
static size_t
places_for(const struct engine *e, size_t mine)
{
	size_t others = e->checks_n - (mine < e->checks_n ? mine : e->checks_n);
	size_t kept = LIMIT_CHECKS_OPEN / KEPT_CHECKS_PART, spoken_for = others < kept ? kept - others : 0;
	size_t used = e->checks_n + spoken_for;

	return used < LIMIT_CHECKS_OPEN ? LIMIT_CHECKS_OPEN - used : 0;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

enum err
lanes_take_due(struct engine *e, bool *ret_is_more)
{
	size_t half = LIMIT_TURN_SITES / 2;
	size_t places = least(half, places_for(e, e->claims_checking));
	enum err err = store_lane_late(e->ports.store, e->turn.now, LATE_AT_ONCE);

	*ret_is_more = false;
	if (err == ERR_OK && places > 0)
		err = open_gate(e, places, ret_is_more);
	size_t others = least(half, places_for(e, e->checks_n - e->claims_checking));
	return err != ERR_OK || others == 0 ? err : take_others(e, others, ret_is_more);
}

/* --- when the next turn is --- */

static enum err
lane_next(struct engine *e, enum lane l, bool draws, struct when wake, struct when *next)
{
	struct when token;
	int64_t left;

	if (wake.s == WHEN_NEVER.s)
		return ERR_OK;
	if (when_before(e->turn.now, wake)) {
		*next = when_min(*next, wake);
		return ERR_OK;
	}
	/* Due, and not let in: room comes with the end of an order, which is an event; the rest has a date. */
	if (is_shut(e, l, draws)) {
		*next = when_min(*next, account_shut_until(e));
		return ERR_OK;
	}
	if (!lane_has_room(&e->lanes, l) || places_for(e, e->claims_checking) == 0 || is_taken(e, l, draws))
		return ERR_OK;
	enum err err = draws ? budget_orders_left(e, &left, &token) : ERR_OK;
	*next = when_min(*next, draws && err == ERR_OK ? token : e->turn.now);
	return err;
}

enum err
lanes_next(struct engine *e, struct when *ret)
{
	struct when next = WHEN_NEVER, wake;
	struct lane_wakes wakes;
	enum err err = store_lane_wakes(e->ports.store, &wakes);

	for (enum lane l = 0; l < LANE_COUNT && err == ERR_OK; l++)
		for (int draws = 0; err == ERR_OK && draws < 2; draws++)
			err = lane_next(e, l, draws, wakes.at[l][draws], &next);
	if (err == ERR_OK && places_for(e, e->checks_n - e->claims_checking) > 0) {
		next = when_min(next, wakes.at[LANE_COUNT][false]);
		err = store_lane_look_wake(e->ports.store, &wake);
		next = err == ERR_OK ? when_min(next, wake) : next;
	}
	*ret = next;
	return err;
}

/* --- from the decision to the end --- */

void
lanes_enter(struct engine *e, struct work *w, enum lane l)
{
	w->lane = l;
	e->lanes.in[l]++;
}

void
lanes_leave(struct engine *e, enum lane l)
{
	must(l < LANE_COUNT && e->lanes.in[l] > 0);
	e->lanes.in[l]--;
}

void
lanes_check_begins(struct engine *e, struct work *w)
{
	w->claim = e->claim;
	if (!w->claim.is_in)
		return;
	e->claims_checking++;
	e->claims_drawing += w->claim.draws;
	e->lanes.in[w->claim.lane]++;
}

void
lanes_check_ended(struct engine *e, const struct work *w)
{
	if (!w->claim.is_in)
		return;
	must(e->claims_checking > 0);
	e->claims_checking--;
	e->claims_drawing -= w->claim.draws;
	lanes_leave(e, w->claim.lane);
}

/* Orders that were decided on and wait for room: by lane, each lane in the order in which they came. */
struct work *
lanes_next_order(struct engine *e)
{
	bool waits[LANE_COUNT];
	enum lane l;

	for (l = 0; l < LANE_COUNT; l++)
		waits[l] = e->orders_waiting[l].n > 0 && lane_has_room(&e->orders_room, l);
	if (!lane_pick(&e->order_turns, waits, &l))
		return NULL;
	e->orders_room.in[l]++;
	return queue_take(&e->orders_waiting[l]);
}
