#include "sim/fleet/fleet.h"

/* What a fleet is like if nothing is said of it. */

void
fleet_plan_init(struct fleet_plan *p)
{
	*p = (struct fleet_plan){
		.seed = 1,
		.sites = 1000,
		.start = { 1796083200 }, /* 2026-12-01 */
		.span = SPAN_D(365),
		.fill = SPAN_D(30),
		.pair_percent = 90,
		.many_percent = 2,
		.redirect_percent = 50,
		.quick_percent = 60,
		.late_percent = 35,
		.servers = 4,
		.companies = 8,
		.ca = { .calendar = { { { 0 }, SPAN_D(90) } },
		    .calendar_n = 1,
		    .answer_ms = 50,
		    .validation_ms = 1500,
		    .orders_capacity = 300,
		    .orders_window = SPAN_H(3) },
		.orders_open_max = 500,
		.probe_ms = 200,
		.deploy_ms = 300,
		.replace_at = WHEN_UNKNOWN,
		.bin = SPAN_H(1),
		.traced = -1,
	};
}

void
fleet_plan_faults(struct fleet_plan *p)
{
	p->has_faults = p->lives_by_seed = p->reserve_by_seed = true;
	p->owner_faults = 80;
	p->wishes = 300;
	p->drafts = 100;
	p->www_missing_percent = 3;
	p->quick_percent = 65;
	p->late_percent = 33;
	p->calm = SPAN_D(14);
	/* A small fleet lives a harder life, to see as much. */
	if (p->sites <= 100) {
		p->owner_faults = 400;
		p->wishes = 600;
		p->www_missing_percent = 10;
	}
}
