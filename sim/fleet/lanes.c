#include "sim/fleet/inside.h"
#include <stdlib.h>

/*
 * What stands between a decision and the CA: the account's budget of new orders, lanes for those who wait, room for orders
 * under way, and the pace of requests. core/budget, core/lane and core/gcra decide, as in engine/; the limits of a domain, of
 * a set and of a name are not in here: no two sites of a fleet share a domain, and the watch counts the other two.
 */

enum { FIRSTS_S = 43200 };

void
fleet_gate_init(struct fleet *f)
{
	for (size_t i = 0; i < f->cas_n; i++) {
		f->profiles[i] = *budget_profile_of_name(STR("letsencrypt"));
		f->profiles[i].limits[BUDGET_ORDERS] = (struct rate){ f->cas[i].orders_capacity, f->plan->ca.orders_window, 0 };
		f->rules[i] = (struct budget_rules){ .profile = &f->profiles[i] };
		f->accounts[i].orders_budget = (struct budget_row){ .budget = BUDGET_ORDERS };
	}
	f->room.most = f->plan->orders_open_max;
}

void
fleet_gate_fini(struct fleet *f)
{
	for (enum lane l = 0; l < LANE_COUNT; l++) {
		free(f->orders_waiting[l].at);
		free(f->turn_waiting[l].at);
	}
}

/* --- rings --- */

static void
ring_put(struct fleet *f, struct lane_queue *q, struct waiting_order w)
{
	if (q->n == q->cap) {
		uint32_t cap = q->cap == 0 ? 64 : 2 * q->cap;
		struct waiting_order *grown = malloc(cap * sizeof *grown);

		if (grown == NULL) {
			f->err = ERR_MEMORY;
			return;
		}
		for (uint32_t i = 0; i < q->n; i++)
			grown[i] = q->at[(q->head + i) % q->cap];
		free(q->at);
		*q = (struct lane_queue){ grown, 0, q->n, cap };
	}
	q->at[(q->head + q->n++) % q->cap] = w;
}

static struct waiting_order
ring_take(struct lane_queue *q)
{
	struct waiting_order w = q->at[q->head];

	q->head = (q->head + 1) % q->cap;
	q->n--;
	return w;
}

/* --- the account's budget --- */

void
fleet_gate_changed(struct fleet *f, uint8_t ca)
{
	f->accounts[ca].has_token = false;
}

void
fleet_gate_move(struct fleet *f, struct span by)
{
	for (uint8_t i = 0; i < f->cas_n; i++) {
		struct bucket *b = &f->accounts[i].orders_budget.bucket;

		b->tat.us += by.s * 1000000;
		b->not_before.us += by.s * 1000000;
		fleet_gate_changed(f, i);
	}
	f->firsts_since = when_plus(f->firsts_since, by);
}

/* Places in the account's limit that are free now. */
static int64_t
places_left(const struct fleet *f, uint8_t ca)
{
	const struct budget_row *row = &f->accounts[ca].orders_budget;

	return bucket_left(budget_rate(&f->rules[ca], row), &row->bucket, instant_of(fleet_wall(f)));
}

bool
fleet_gate_has_token(struct fleet *f, uint8_t ca)
{
	if (!f->accounts[ca].has_token)
		f->accounts[ca].has_token = places_left(f, ca) > 0;
	return f->accounts[ca].has_token;
}

/* The lanes are those of the first; at the reserve each site has a date instead. */
void
fleet_gate_put_limits(struct fleet *f, uint32_t n, uint8_t ca)
{
	struct site *s = &f->sites[n].site;
	struct turn turn = { fleet_wall(f), (uint32_t)(fleet_random(&f->roll_seed) >> 32) };
	struct when until = budget_wait(&f->rules[ca], &f->accounts[ca].orders_budget, false, &turn);

	s->limits = (struct finding_list){ .at = f->limits, .cap = FLEET_MANY_NAMES };
	s->limits_ca_id = (uint8_t)(ca + 1);
	for (size_t i = 0; i < s->names_n; i++) {
		struct finding *l = finding_put(&s->limits, budget_cause(BUDGET_ORDERS), s->names[i].name);

		if (l == NULL)
			return;
		l->next_look = until;
		l->is_from_order = true;
	}
	fleet_mark(f, FLEET_MARK_RESERVE_FULL);
}

/* The CA has issued exactly these names lately: such an order does not count. */
bool
fleet_gate_is_exempt(const struct fleet *f, uint32_t n, uint8_t ca, struct name_set names)
{
	const struct fleet_site *s = &f->sites[n];

	return s->site.held.id != 0 && s->is_of_reserve == (ca > 0) && fleet_held_names(s).bits == names.bits &&
	       when_between(s->site.held.life.from, fleet_true(f)).s < BUDGET_SAME_SET_MOST.s;
}

void
fleet_gate_hold(struct fleet *f, uint8_t ca)
{
	fleet_gate_changed(f, ca);
	budget_check(&f->rules[ca], &f->accounts[ca].orders_budget, fleet_wall(f));
	f->accounts[ca].orders_budget.bucket.held++;
}

void
fleet_gate_spend(struct fleet *f, uint8_t ca, unsigned new_orders)
{
	struct budget_row *row = &f->accounts[ca].orders_budget;

	fleet_gate_changed(f, ca);
	for (unsigned i = 0; i < new_orders; i++)
		bucket_spend(budget_rate(&f->rules[ca], row), &row->bucket, instant_of(when_plus(fleet_wall(f), SPAN_S(1))));
}

void
fleet_gate_settle(struct fleet *f, uint8_t ca, unsigned new_orders)
{
	struct bucket *b = &f->accounts[ca].orders_budget.bucket;

	if (b->held > 0)
		b->held--;
	fleet_gate_spend(f, ca, new_orders);
}

/* The engine died: what it held is what its open orders hold. */
void
fleet_gate_restart(struct fleet *f)
{
	for (uint8_t i = 0; i < f->cas_n; i++) {
		fleet_gate_changed(f, i);
		f->accounts[i].orders_budget.bucket.held = 0;
	}
	for (uint32_t i = 1; i <= f->rows_n; i++)
		f->accounts[f->rows[i].ca].orders_budget.bucket.held += f->rows[i].is_open && f->rows[i].draws;
	for (enum lane l = 0; l < LANE_COUNT; l++) {
		f->orders_waiting[l].n = 0;
		while (f->turn_waiting[l].n > 0)
			f->sites[ring_take(&f->turn_waiting[l]).site].waits_turn = false;
	}
}

static void
set_gate(struct fleet *f)
{
	struct when at = budget_when(&f->rules[0], &f->accounts[0].orders_budget, fleet_wall(f));
	int64_t ms = when_between(fleet_wall(f), at).s * 1000;

	if (f->gate_is_set)
		return;
	f->gate_is_set = true;
	fleet_put(f, ms < 1000 ? 1000 : ms > FLEET_HOUR_MS ? FLEET_HOUR_MS : ms, EV_GATE, 0, 0, 0);
}

void
fleet_gate_wait(struct fleet *f, uint32_t n)
{
	if (f->sites[n].waits_turn)
		return;
	f->sites[n].waits_turn = true;
	fleet_mark(f, FLEET_MARK_LIMIT_WAITED);
	ring_put(f, &f->turn_waiting[plan_lane(&f->sites[n].site, fleet_wall(f))], (struct waiting_order){ .site = n });
	set_gate(f);
}

void
fleet_gate_open(struct fleet *f)
{
	const struct site_event ev = { .kind = SITE_WAKE, .retry_after = WHEN_UNKNOWN };
	bool waits[LANE_COUNT], is_any = false;
	enum lane l;

	/* No more are called than there are places: most of them check first, and take theirs a moment later. */
	int64_t left = places_left(f, 0);

	f->gate_is_set = false;
	for (; !f->is_down && left > 0; left--) {
		for (l = 0; l < LANE_COUNT; l++)
			waits[l] = f->turn_waiting[l].n > 0;
		if (!lane_pick(&f->lane_turns, waits, &l))
			return;
		uint32_t n = ring_take(&f->turn_waiting[l]).site;
		f->sites[n].waits_turn = false;
		(void)node_event(f, n, &ev);
	}
	for (l = 0; l < LANE_COUNT; l++)
		is_any |= f->turn_waiting[l].n > 0;
	if (is_any)
		set_gate(f);
}

/* --- room for orders under way --- */

bool
fleet_gate_has_room(const struct fleet *f, enum lane l)
{
	return lane_has_room(&f->room, l);
}

void
fleet_gate_wait_for_room(struct fleet *f, enum lane l, const struct waiting_order *w)
{
	fleet_mark(f, FLEET_MARK_ROOM_WAITED);
	ring_put(f, &f->orders_waiting[l], *w);
}

void
fleet_gate_take_waiting(struct fleet *f)
{
	bool waits[LANE_COUNT];
	enum lane l;

	while (!f->is_down && !f->report->is_broken) {
		for (l = 0; l < LANE_COUNT; l++)
			waits[l] = f->orders_waiting[l].n > 0 && lane_has_room(&f->room, l);
		if (!lane_pick(&f->order_turns, waits, &l))
			return;
		struct waiting_order w = ring_take(&f->orders_waiting[l]);
		const struct site *s = &f->sites[w.site].site;
		if (w.is_canary || (s->doing == DOING_ORDER && s->order_id == 0 && s->job == w.job))
			orders_of_fleet_begin(f, &w);
	}
}

/* --- the pace of requests --- */

/* Milliseconds until this request may be sent; its place is taken. */
int64_t
fleet_gate_pace_ms(struct fleet *f, uint8_t ca, enum acme_verb verb)
{
	enum endpoint e = verb == ACME_NEW_ORDER ? ENDPOINT_NEW_ORDER : ENDPOINT_OTHER;
	struct rate r = f->profiles[ca].endpoints[e];
	struct bucket *b = &f->accounts[ca].endpoints[e];
	struct instant now = { f->now_ms * 1000 };

	if (rate_is_none(r))
		return 0;
	struct instant at = bucket_next(r, b, now);
	if (at.us < now.us)
		at = now;
	bucket_spend(r, b, at);
	return (at.us - now.us + 999) / 1000;
}

/* --- what an issue teaches --- */

void
fleet_gate_note_issue(struct fleet *f, uint8_t ca, const struct site *s, struct life life)
{
	struct when now = fleet_wall(f);

	(void)calendar_note(&f->accounts[ca].calendar, life, now);
	if (s->held.id != 0)
		return;
	if (!when_is_known(f->firsts_since) || when_between(f->firsts_since, now).s >= FIRSTS_S) {
		f->firsts[1] = f->firsts[0];
		f->firsts[0] = 0;
		f->firsts_since = now;
	}
	f->firsts[0]++;
	f->policy.firsts_lately = f->firsts[0] + f->firsts[1];
}

/* The CA wants it replaced: what a poll of its renewal information says after the day on which it broke something. */
void
fleet_gate_poll(struct fleet *f, uint32_t n)
{
	struct fleet_site *s = &f->sites[n];
	struct turn turn = { fleet_wall(f), (uint32_t)(fleet_random(&f->roll_seed) >> 32) };
	const struct renewal_told told = { .start = when_minus(turn.now, SPAN_H(1)),
		.end = when_minus(turn.now, SPAN_MIN(30)),
		.retry_after = when_plus(turn.now, SPAN_H(6)) };
	const struct renewal_of of = { s->site.held.life, s->site.held.life.from, site_table_renew_at(&s->site) };
	const struct site_event ev = { .kind = SITE_RENEWAL_TOLD, .is_asked_early = true, .retry_after = WHEN_UNKNOWN };

	/* What was issued after that day is sound; a certificate dates back by an hour. */
	if (s->site.held.id == 0 || !when_before(s->site.held.life.from, when_minus(f->plan->replace_at, SPAN_H(1))))
		return;
	if (f->is_down || renewal_take(&s->site.renewal, &told, &of, &turn) != RENEWAL_FINE) {
		fleet_put(f, FLEET_HOUR_MS, EV_POLL, n, 0, 0);
		return;
	}
	s->site.renewal.explanation = STR_NONE;
	(void)node_event(f, n, &ev);
}

void
fleet_gate_begin_polls(struct fleet *f)
{
	for (uint32_t n = 0; n < f->sites_n; n++)
		if (f->sites[n].is_here && f->sites[n].site.held.id != 0 && ++f->to_replace > 0)
			/* Each site is asked about every six hours, one after the other. */
			fleet_put(f, (int64_t)(fleet_random(&f->roll_seed) % (uint64_t)(6 * FLEET_HOUR_MS)), EV_POLL, n, 0, 0);
}
