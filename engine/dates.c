#include "engine/inside.h"
#include "core/site_clock.h"
#include "ports/store/clock.h"

/*
 * The wall clock was set, and its date is believed: dates of before are moved along (core/skew). Those of the engine and of the
 * CAs at once, with what the store moves; sites by their next step, and in parts, so that none that was given a date by a
 * wrong clock sleeps until then.
 */

static void
move(struct when *w, struct span by)
{
	*w = when_plus(*w, by);
}

static enum err
move_ca(struct engine *e, struct engine_ca *ca, struct span by)
{
	struct ca_row row = ca->row;

	move(&ca->at, by);
	move(&ca->forgotten_at, by);
	move(&ca->polls_at, by);
	move(&ca->revokes_at, by);
	move(&ca->roll.at, by);
	move(&row.breaker.ill_since, by);
	move(&row.breaker.not_before, by);
	move(&row.breaker.probed_at, by);
	move(&row.breaker.blocked_at, by);
	move(&row.directory_at, by);
	move(&row.rolled_at, by);
	move(&row.canary_at, by);
	move(&row.canary_done_at, by);
	move(&row.canary_ok_at, by);
	return account_save(e, ca, &row);
}

static void
move_own(struct engine *e, struct span by)
{
	struct when *own[] = { &e->heartbeat_at, &e->mass_at, &e->budget_tidy_at, &e->firsts_since, &e->snippet.at };

	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		move(own[i], by);
	for (size_t i = 0; i < ORDER_BUCKETS; i++)
		for (struct live_order *o = e->orders[i]; o != NULL; o = o->next_in_bucket) {
			move(&o->order.created, by);
			move(&o->order.deadline, by);
		}
}

enum err
dates_load(struct engine *e)
{
	struct store_clock clock;
	enum err err = store_clock(e->ports.store, &clock);

	if (err != ERR_OK)
		return err;
	e->skew.set = e->policy.clock = clock.set;
	e->is_moving = clock.is_moving;
	return ERR_OK;
}

enum err
dates_move(struct engine *e)
{
	const struct span by = { e->skew.set.s - e->policy.clock.s };

	if (by.s == 0)
		return ERR_OK;
	engine_log(e, "the clock was set by %lld s: dates of before are moved along", (long long)by.s);
	e->policy.clock = e->skew.set;
	e->is_moving = true;
	e->moved_after_id = 0;
	move_own(e, by);
	enum err err = store_clock_set(e->ports.store, e->skew.set, by);
	for (size_t i = 0; err == ERR_OK && i < e->cas_n; i++)
		err = move_ca(e, e->cas[i], by);
	return err;
}

enum err
dates_move_sites(struct engine *e)
{
	const struct site_event ev = { .kind = SITE_CLOCK_SET, .retry_after = WHEN_UNKNOWN };
	int64_t *ids = arena_get(&e->arena, LIMIT_TURN_SITES * sizeof *ids);
	size_t n = 0;

	if (ids == NULL)
		return ERR_MEMORY;
	enum err err = store_clock_sites(e->ports.store, e->policy.clock, e->moved_after_id, ids, LIMIT_TURN_SITES, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		err = engine_step_site(e, ids[i], &ev);
		e->moved_after_id = ids[i];
	}
	if (err != ERR_OK || n == LIMIT_TURN_SITES)
		return err;
	e->is_moving = false;
	return store_clock_settled(e->ports.store);
}
