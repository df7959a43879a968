#include "sim/fleet/inside.h"

/* What breaks by chance: the CA, servers, companies that host DNS, our resolver, our clock, our engine. */

enum { MINUTE_MS = 60000, YEAR_DAYS = 365, BY_PLAN = 255, DAYS_LONG = 254, OF_PAIR = 1 };

struct often {
	uint32_t per_year;
};
static const struct often ca_often = { 8 }, server_often = { 1 }, company_often = { 1 }, resolver_often = { 1 },
			  days_often = { 3 }, crash_often = { 40 }, pair_often = { 20 }, clock_often = { 3 };

static void
put_next(struct fleet *f, enum fleet_kind kind, uint32_t which, struct often o)
{
	int64_t mean_ms = FLEET_DAY_MS * YEAR_DAYS / o.per_year;
	int64_t after_ms = (int64_t)(fleet_random(&f->world_seed) % (uint64_t)(2 * mean_ms));

	if (f->now_ms + after_ms < f->calm_ms)
		fleet_put(f, after_ms, kind, 0, which, 0);
}

/* Most are over in minutes or hours, a few last for days. */
static int64_t
lasts_ms(struct fleet *f, uint32_t most_minutes)
{
	uint32_t roll = fleet_below(&f->world_seed, 100);
	uint32_t most = roll < 50 ? 60 : roll < 85 ? 360 : most_minutes;

	if (most > most_minutes)
		most = most_minutes;
	return (2 + (int64_t)fleet_below(&f->world_seed, most)) * MINUTE_MS;
}

static int64_t
until(const struct fleet *f, int64_t ms)
{
	return f->now_ms + ms < f->calm_ms ? f->now_ms + ms : f->calm_ms;
}

static void
later(int64_t *at, int64_t ms)
{
	if (*at < ms)
		*at = ms;
}

static void
break_ca(struct fleet *f, uint32_t ca)
{
	enum fleet_outage_kind kind = (enum fleet_outage_kind)fleet_below(&f->world_seed, OUTAGE_COUNT);
	int64_t end = until(f, lasts_ms(f, 3 * 1440));

	later(&f->cas[ca].fault_ms[kind], end);
	later(&f->cas[ca].clean_ms, end);
}

/* The first CA is down for so long that certificates come to their last quarter: the reserve has to step in. */
static void
break_ca_for_days(struct fleet *f)
{
	static const enum fleet_outage_kind kinds[] = { OUTAGE_DOWN, OUTAGE_SILENT, OUTAGE_INTERNAL, OUTAGE_PATIENCE };
	enum fleet_outage_kind kind = kinds[fleet_below(&f->world_seed, sizeof kinds / sizeof *kinds)];
	int64_t end = until(f, (1440 + (int64_t)fleet_below(&f->world_seed, 14 * 1440)) * MINUTE_MS);

	fleet_mark(f, FLEET_MARK_FIRST_DOWN_FOR_DAYS);
	later(&f->cas[0].fault_ms[kind], end);
	later(&f->cas[0].clean_ms, end);
}

static void
break_server(struct fleet *f, uint32_t n)
{
	struct server *w = &f->servers[n];
	uint32_t roll = fleet_below(&f->world_seed, 4);
	int64_t end = until(f, lasts_ms(f, 2 * 1440));

	if (roll == 0)
		w->down_ms = end;
	else if (roll == 1)
		w->disk_ms = end;
	else if (roll == 2)
		w->config_ms = end;
	else
		w->slow_ms = end;
	/* What was begun at the end of a slow time ends later. */
	later(&w->clean_ms, roll == 3 ? end + NODE_SLOW_MOST_MS : end);
}

static void
step_clock(struct fleet *f)
{
	int64_t by_s = (int64_t)fleet_below(&f->world_seed, 7200) - 3600;

	int64_t before_s = f->clock_step_s;

	fleet_mark(f, FLEET_MARK_CLOCK_STEPPED);
	f->clock_step_s = f->clock_step_s != 0 || f->now_ms >= f->calm_ms ? 0 : by_s;
	f->clock_clean_ms = f->now_ms;
	if (f->clock_step_s != 0)
		fleet_put(f, lasts_ms(f, 720), EV_CLOCK, 0, 1, 0);
	/* The engine reads the clock anew with its next turn. */
	node_clock_stepped(f, SPAN_S(f->clock_step_s - before_s));
}

static void
crash(struct fleet *f)
{
	if (f->is_down)
		return;
	if (fleet_below(&f->world_seed, 5) == 0) {
		node_crash(f, true);
		return;
	}
	f->crash_in = 1 + fleet_below(&f->world_seed, 64);
	f->crash_at = (uint8_t)fleet_below(&f->world_seed, 4);
}

static void
ca_event(struct fleet *f, const struct fleet_event *ev)
{
	int64_t end = (int64_t)(ev->extra >> 3);

	if (ev->arg == DAYS_LONG) {
		break_ca_for_days(f);
		put_next(f, EV_CA, DAYS_LONG, days_often);
		return;
	}
	if (ev->arg != BY_PLAN) {
		break_ca(f, ev->arg);
		put_next(f, EV_CA, ev->arg, ca_often);
		return;
	}
	f->cas[0].fault_ms[ev->extra & 7] = end;
	later(&f->cas[0].clean_ms, end);
}

void
faults_event(struct fleet *f, const struct fleet_event *ev)
{
	if (ev->kind == EV_CA) {
		ca_event(f, ev);
	} else if (ev->kind == EV_SERVER) {
		break_server(f, ev->arg);
		put_next(f, EV_SERVER, ev->arg, server_often);
	} else if (ev->kind == EV_COMPANY) {
		f->companies[ev->arg].silent_ms = until(f, lasts_ms(f, 1440));
		put_next(f, EV_COMPANY, ev->arg, company_often);
	} else if (ev->kind == EV_RESOLVER) {
		f->resolver_ms = until(f, lasts_ms(f, 240));
		later(&f->network_clean_ms, f->resolver_ms);
		put_next(f, EV_RESOLVER, 0, resolver_often);
	} else if (ev->kind == EV_CRASH) {
		if (ev->arg == OF_PAIR)
			pair_begin(f);
		else
			crash(f);
		put_next(f, EV_CRASH, ev->arg, ev->arg == OF_PAIR ? pair_often : crash_often);
	} else if (ev->kind == EV_CLOCK) {
		step_clock(f);
		if (ev->arg == 0)
			put_next(f, EV_CLOCK, 0, clock_often);
	}
}

/* Nothing new breaks from here on, and owners who mend at all have mended. */
void
faults_calm(struct fleet *f)
{
	f->crash_in = 0;
	if (f->clock_step_s != 0)
		step_clock(f);
	for (uint32_t n = 0; n < f->sites_n; n++)
		if (f->sites[n].is_here && f->sites[n].habit != MENDS_NEVER)
			owners_mend(f, n);
}

void
faults_begin(struct fleet *f)
{
	const struct fleet_ca *c = &f->plan->ca;

	/* What the plan says of the CA. */
	for (size_t i = 0; i < c->outages_n; i++) {
		const struct fleet_outage *o = &c->outages[i];
		int64_t end = when_plus(o->from, o->span).s * 1000;

		fleet_put(f, o->from.s * 1000 - f->now_ms, EV_CA, 0, BY_PLAN, (uint64_t)end << 3 | o->kind);
	}
	if (f->plan->calm.s > 0)
		fleet_put(f, f->calm_ms - f->now_ms, EV_CALM, 0, 0, 0);
	if (!f->plan->has_faults)
		return;
	put_next(f, EV_CA, 0, ca_often);
	if (f->cas_n > 1) {
		put_next(f, EV_CA, 1, ca_often);
		put_next(f, EV_CA, DAYS_LONG, days_often);
	}
	put_next(f, EV_RESOLVER, 0, resolver_often);
	put_next(f, EV_CRASH, 0, crash_often);
	if (f->pair.is_on)
		put_next(f, EV_CRASH, OF_PAIR, pair_often);
	put_next(f, EV_CLOCK, 0, clock_often);
	for (uint32_t i = 0; i < f->plan->servers; i++)
		put_next(f, EV_SERVER, i, server_often);
	for (uint32_t i = 0; i < f->plan->companies; i++)
		put_next(f, EV_COMPANY, i, company_often);
}
