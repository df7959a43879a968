/* One million site-years of quiet life, on one core. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "sim/fleet/fleet.h"

static double
cpu_s(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int
main(int argc, char **argv)
{
	struct fleet_plan p;
	struct fleet_report r;

	if (argc != 3) {
		fprintf(stderr, "usage: fleet SITES YEARS\n");
		return 2;
	}
	fleet_plan_init(&p);
	p.sites = (uint32_t)strtoul(argv[1], NULL, 10);
	p.span = SPAN_D(365 * strtol(argv[2], NULL, 10));
	p.fill = SPAN_D(0);
	p.probe_ms = p.deploy_ms = 0;
	double begun = cpu_s();
	if (fleet_run(&p, &r) != ERR_OK || r.is_broken) {
		fprintf(stderr, "fleet: %s\n", r.broken.text);
		return 1;
	}
	printf("{\"site_years\": %.0f, \"cpu_s\": %.3f, \"steps\": %llu, \"bytes_per_site\": %.0f}\n",
	    (double)p.sites * (double)p.span.s / (365.0 * 86400), cpu_s() - begun, (unsigned long long)r.steps,
	    (double)r.bytes / (double)p.sites);
	fleet_report_fini(&r);
	return 0;
}
