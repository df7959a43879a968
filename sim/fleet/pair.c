#include "sim/fleet/inside.h"

/*
 * Two engines on one store, in three of ten seeds. The one that acts is killed, or sleeps for longer than its lease; the other looks at the
 * row now and then (core/lease), by a clock of its own that may be off by hours, and takes over. What the sleeper would decide when it
 * wakes must not count. The store is memory here: test/unit/lease.c has real engines, test/e2e/test_lease.py real daemons.
 */

enum { LENGTH_MS = 30000, LOOK_MS = 5000, LATE_MS = LENGTH_MS + 3 * LOOK_MS, SLEEP_LEAST_MS = LATE_MS + LOOK_MS, SLEEP_MORE_MS = 600000 };
enum { PAIR_LOOKS, PAIR_WAKES };

void
pair_init(struct fleet *f)
{
	uint64_t state = f->plan->seed ^ 0x2a2a;

	f->pair = (struct pair){ .is_on = f->plan->has_faults && f->plan->reserve_by_seed && fleet_below(&state, 10) < 3 };
	f->pair.row = (struct lease_row){ STR("a"), 1, 0 };
}

/* Since the last turn of the one that acts, which moves the end of its lease when a third is over. */
void
pair_begin(struct fleet *f)
{
	static const int64_t off_ms[] = { 0, 0, 7200000, -7200000 };
	struct pair *p = &f->pair;
	uint64_t *random = &f->world_seed;

	bool is_killed = fleet_below(random, 2) == 0;
	int64_t left_ms = LENGTH_MS * 2 / 3 + (int64_t)fleet_below(random, LENGTH_MS / 3 + 1);
	int64_t sleeps_ms = SLEEP_LEAST_MS + (int64_t)fleet_below(random, SLEEP_MORE_MS);
	p->off_ms = off_ms[fleet_below(random, sizeof off_ms / sizeof *off_ms)];
	p->is_seen_dead = is_killed && fleet_below(random, 2) == 0;
	if (f->is_down)
		return;
	p->begun_ms = f->now_ms;
	p->old = (struct lease){ .length_ms = LENGTH_MS, .fence = p->row.fence, .until = { f->now_ms + left_ms } };
	p->row.ends_ms = p->old.until.ms + (int64_t)fleet_below(random, 1000);
	p->next = (struct lease){ .length_ms = LENGTH_MS };
	node_stop(f);
	fleet_put(f, 1 + (int64_t)fleet_below(random, LOOK_MS), EV_PAIR, 0, PAIR_LOOKS, 0);
	if (!is_killed)
		fleet_put(f, sleeps_ms, EV_PAIR, 0, PAIR_WAKES, (uint64_t)p->old.fence);
}

static void
look(struct fleet *f)
{
	struct pair *p = &f->pair;
	const struct lease_now now = { f->now_ms + p->off_ms, { f->now_ms }, p->is_seen_dead };

	if (f->now_ms - p->begun_ms > LATE_MS) {
		fleet_broken(f, UINT32_MAX, "no engine has acted for %.1f s", (double)(f->now_ms - p->begun_ms) / 1000);
		return;
	}
	if (lease_look(&p->next, &p->row, &now) != LEASE_TAKE) {
		fleet_put(f, LOOK_MS, EV_PAIR, 0, PAIR_LOOKS, 0);
		return;
	}
	p->row = (struct lease_row){ str_eq(p->row.holder, STR("a")) ? STR("b") : STR("a"), p->row.fence + 1, now.wall_ms + LENGTH_MS };
	lease_held(&p->next, p->row.fence, now.mono);
	fleet_mark(f, FLEET_MARK_LEASE_TAKEN);
	node_restart(f);
}

/* Its first turn after its sleep, with answers from before in its hands. */
static void
wake(struct fleet *f)
{
	struct pair *p = &f->pair;
	const struct lease_now now = { f->now_ms, { f->now_ms }, false };

	fleet_mark(f, FLEET_MARK_LEASE_LOST);
	if (p->old.fence == p->row.fence)
		fleet_broken(f, UINT32_MAX, "an engine slept for longer than its lease, and nobody took it");
	if (lease_may_act(&p->old, now.mono) || lease_look(&p->old, &p->row, &now) != LEASE_LOST)
		fleet_broken(f, UINT32_MAX, "an engine goes on under lease %lld, and another acts under %lld", (long long)p->old.fence,
		    (long long)p->row.fence);
}

void
pair_event(struct fleet *f, const struct fleet_event *ev)
{
	const struct pair *p = &f->pair;

	/* Two that stopped one soon after the other: the first is not judged. */
	if (ev->arg == PAIR_LOOKS)
		look(f);
	else if (ev->extra == (uint64_t)p->old.fence)
		wake(f);
}
