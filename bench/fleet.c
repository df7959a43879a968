/* What a fleet lives through, in the simulator: speed, a CA that is down for three days, a mass replacement, calendars that change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "sim/fleet/fleet.h"

enum { DAY_S = 86400 };

static double
cpu_s(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static struct when
day(const struct fleet_plan *p, int64_t n)
{
	return when_plus(p->start, SPAN_D(n));
}

static void
plan_quiet(struct fleet_plan *p, int64_t years)
{
	p->span = SPAN_D(365 * years);
	p->probe_ms = p->deploy_ms = 0;
}

/* The CA is down from day 10 to day 13; lives of 45 days, so that a tenth of the fleet is due meanwhile. */
static void
plan_outage(struct fleet_plan *p)
{
	p->span = SPAN_D(30);
	p->bin = SPAN_MIN(10);
	p->ca.calendar[0].life = SPAN_D(45);
	p->ca.outages[0] = (struct fleet_outage){ day(p, 10), SPAN_D(3), OUTAGE_DOWN };
	p->ca.outages_n = 1;
}

/* Everything has to be replaced on day 2, by an account with override; a new site comes every hour. */
static void
plan_replacement(struct fleet_plan *p)
{
	p->span = SPAN_D(4);
	p->replace_at = day(p, 2);
	p->newcomers = 24;
	p->ca.orders_capacity = 3000;
}

static void
plan_calendar(struct fleet_plan *p)
{
	static const int64_t lives_h[] = { 90 * 24, 64 * 24, 45 * 24, 160 };

	p->span = SPAN_D(240);
	for (size_t i = 0; i < 4; i++)
		p->ca.calendar[i] = (struct fleet_life){ day(p, 60 * (int64_t)i), SPAN_H(lives_h[i]) };
	p->ca.calendar_n = 4;
}

static void
print(const struct fleet_plan *p, const struct fleet_report *r, double cpu)
{
	uint64_t asked = r->letters[LETTER_ACT] + r->letters[LETTER_REMINDER] + r->letters[LETTER_EXPIRED] + r->letters[LETTER_REDUCED];

	printf("{\"sites\": %u, \"site_years\": %.0f, \"cpu_s\": %.3f, \"steps\": %llu, \"bytes_per_site\": %.0f, \"expired\": %llu, "
	       "\"owners_asked\": %llu, \"limits_touched\": %llu, \"requests\": %llu, \"requests_peak\": %u, \"issued\": %llu, "
	       "\"replaced\": %u, \"replaced_h\": %.2f, \"newcomer_worst_s\": %.1f, \"bin_s\": %lld, \"issued_in\": [",
	    p->sites, (double)p->sites * (double)p->span.s / (365.0 * DAY_S), cpu, (unsigned long long)r->steps,
	    (double)r->bytes / p->sites, (unsigned long long)r->expired, (unsigned long long)asked, (unsigned long long)r->limits_touched,
	    (unsigned long long)r->requests, r->requests_peak, (unsigned long long)r->issued, r->replaced,
	    when_is_known(r->all_replaced_at) ? (double)when_between(p->replace_at, r->all_replaced_at).s / 3600 : -1.0,
	    (double)r->newcomer_worst_ms / 1000, (long long)p->bin.s);
	for (size_t i = 0; i < r->bins_n && p->span.s < 400 * (int64_t)DAY_S; i++)
		printf("%s%u", i > 0 ? ", " : "", r->issued_in[i]);
	printf("]}\n");
}

int
main(int argc, char **argv)
{
	struct fleet_plan p;
	struct fleet_report r;
	const char *what = argc > 2 ? argv[1] : "";

	fleet_plan_init(&p);
	p.fill = SPAN_D(0);
	p.sites = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
	if (strcmp(what, "quiet") == 0 && argc == 4)
		plan_quiet(&p, strtol(argv[3], NULL, 10));
	else if (strcmp(what, "outage") == 0)
		plan_outage(&p);
	else if (strcmp(what, "replacement") == 0)
		plan_replacement(&p);
	else if (strcmp(what, "calendar") == 0)
		plan_calendar(&p);
	else
		p.sites = 0;
	if (p.sites == 0) {
		fprintf(stderr, "usage: fleet quiet SITES YEARS | outage SITES | replacement SITES | calendar SITES\n");
		return 2;
	}
	double begun = cpu_s();
	if (fleet_run(&p, &r) != ERR_OK || r.is_broken) {
		fprintf(stderr, "%.*sfleet: %s\n", STR_ARG(buf_str(&r.steps_kept)), r.broken.text);
		return 1;
	}
	print(&p, &r, cpu_s() - begun);
	fleet_report_fini(&r);
	return 0;
}
