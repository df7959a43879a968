#include "sim/fleet/fleet.h"
#include <stdlib.h>

void
fleet_tally_add(struct fleet_tally *t, const struct fleet_report *r)
{
	t->steps += r->steps;
	t->checks += r->checks;
	t->orders += r->orders;
	t->issued += r->issued;
	t->order_failures += r->order_failures;
	t->deploys += r->deploys;
	t->requests += r->requests;
	t->crashes += r->crashes;
	t->limits_touched += r->limits_touched;
	t->expired += r->expired;
	for (size_t i = 0; i < LETTER_COUNT; i++)
		t->letters += r->letters[i];
	for (size_t i = 0; i < FLEET_MARK_COUNT; i++)
		t->marks[i] += r->marks[i];
}

void
fleet_tally_join(struct fleet_tally *t, const struct fleet_tally *o)
{
	t->steps += o->steps;
	t->checks += o->checks;
	t->orders += o->orders;
	t->issued += o->issued;
	t->order_failures += o->order_failures;
	t->deploys += o->deploys;
	t->requests += o->requests;
	t->crashes += o->crashes;
	t->letters += o->letters;
	t->limits_touched += o->limits_touched;
	t->expired += o->expired;
	for (size_t i = 0; i < FLEET_MARK_COUNT; i++)
		t->marks[i] += o->marks[i];
}
