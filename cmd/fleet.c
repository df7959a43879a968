#include "cmd/simulate.h"
#include "sim/fleet/file.h"
#include "base/mutant.h"
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* koshin simulate --sites N: whole fleets, by seed. */

enum { YEARS_MAX = 1000, SITES_FOR_MARKS = 200000 };

static bool
read_number(const struct cmd *c, const char *option, int64_t least, int64_t most, int64_t *ret)
{
	const char *value = cmd_value(c, option);
	int64_t n;

	if (value == NULL)
		return true;
	if (!str_to_int(str_of(value), &n) || n < least || n > most) {
		fprintf(stderr, "koshin simulate: --%s: expected a number from %lld to %lld, got \"%s\"\n", option,
		    (long long)least, (long long)most, value);
		return false;
	}
	*ret = n;
	return true;
}

/* "7" or "1-200" */
static bool
read_seeds(const struct cmd *c, struct seeds *ret)
{
	const char *value = cmd_value(c, "seeds");
	int64_t a, b;

	if (value == NULL)
		return true;
	struct str rest = str_of(value), first = str_cut(&rest, '-');
	if (!str_to_int(first, &a) || a < 0 || (rest.n > 0 && !str_to_int(rest, &b)) || (rest.n > 0 && b < a)) {
		fprintf(stderr, "koshin simulate: --seeds: expected a number or FIRST-LAST, got \"%s\"\n", value);
		return false;
	}
	ret->first = (uint64_t)a;
	ret->last = rest.n > 0 ? (uint64_t)b : ret->first;
	return true;
}

/* CPU time of the workers that have ended. */
static double
cpu_seconds(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void
print_marks(const struct fleet_tally *t)
{
	for (size_t i = 0; i < FLEET_MARK_COUNT; i++)
		printf("  %-10llu %s\n", (unsigned long long)t->marks[i], fleet_mark_words((enum fleet_mark)i));
}

static int
run_seeds(const struct fleet_plan *p, const struct seeds *seeds, bool is_verbose)
{
	struct seeds_result r;
	double begun = cpu_seconds();

	simulate_seeds(p, seeds, &r);
	double took = cpu_seconds() - begun;
	fwrite(r.words.p == NULL ? "" : r.words.p, 1, r.words.n, stdout);
	const struct fleet_tally *t = &r.tally;
	double site_years = (double)r.seeds * p->sites * (double)p->span.s / (365.0 * 86400);
	printf("%llu seeds of %u sites over %lld days: %llu broken; %.0f site-years in %.1f s of CPU (%.1f us each)\n",
	    (unsigned long long)r.seeds, p->sites, (long long)(p->span.s / 86400), (unsigned long long)r.broken, site_years, took,
	    took * 1e6 / (site_years > 0 ? site_years : 1));
	printf("%llu steps, %llu checks, %llu orders, %llu issued, %llu failed, %llu letters, %llu crashes, %llu requests, %llu limits touched, %llu expired\n",
	    (unsigned long long)t->steps, (unsigned long long)t->checks, (unsigned long long)t->orders,
	    (unsigned long long)t->issued, (unsigned long long)t->order_failures, (unsigned long long)t->letters,
	    (unsigned long long)t->crashes, (unsigned long long)t->requests, (unsigned long long)t->limits_touched,
	    (unsigned long long)t->expired);
	if (is_verbose)
		print_marks(t);
	int status = r.broken > 0 || r.err != ERR_OK ? CMD_FAILED : CMD_DONE;
	/* Over so many seeds a rare branch that was never taken is a hole in the simulator. */
	for (size_t i = 0; p->has_faults && r.seeds * p->sites >= SITES_FOR_MARKS && i < FLEET_MARK_COUNT; i++)
		if (t->marks[i] == 0) {
			printf("never happened: %s\n", fleet_mark_words((enum fleet_mark)i));
			status = CMD_FAILED;
		}
	seeds_result_fini(&r);
	return status;
}

/* The deliberate bug that the environment names: in the build that has them. */
static bool
read_mutant(void)
{
#ifdef KOSHIN_MUTANTS
	const char *name = getenv("KOSHIN_MUTANT");

	for (enum mutant m = 0; name != NULL && m < MUTANT_COUNT; m++)
		if (str_eq(str_of(name), str_of(mutant_name(m)))) {
			mutant_on = m;
			printf("mutant: %s\n", mutant_words(m));
			return true;
		}
	return name == NULL;
#else
	return true;
#endif
}

int
simulate_fleet(struct cmd *c)
{
	struct seeds seeds = { 1, 1, (size_t)sysconf(_SC_NPROCESSORS_ONLN), false };
	struct fleet_plan p;
	int64_t sites = 1000, years = 1, jobs = (int64_t)seeds.jobs;

	fleet_plan_init(&p);
	if (!read_mutant()) {
		fprintf(stderr, "koshin simulate: KOSHIN_MUTANT: expected a symbol of base/mutant.tbl\n");
		return CMD_MISUSED;
	}
	if (!read_number(c, "sites", 1, FLEET_SITES_MAX, &sites) || !read_number(c, "years", 1, YEARS_MAX, &years) ||
	    !read_number(c, "jobs", 1, 64, &jobs) || !read_number(c, "trace", 0, FLEET_SITES_MAX, &p.traced) || !read_seeds(c, &seeds))
		return CMD_MISUSED;
	p.sites = (uint32_t)sites;
	p.span = SPAN_D(365 * years);
	seeds.jobs = (size_t)jobs;
	if (cmd_has(c, "faults"))
		fleet_plan_faults(&p);
	return run_seeds(&p, &seeds, c->is_verbose);
}


enum { PRINT_BYTES_MAX = 4 * 1024 * 1024, PLOT_COLUMNS = 72 };

int
simulate_fleet_file(const struct cmd *c, struct str yaml, const char *file)
{
	AUTO_BUF to = { .max = PRINT_BYTES_MAX };
	struct fleet_plan p;
	struct fleet_report r;
	struct why why = { "" };
	enum err err = fleet_file_read(yaml, file, &p, &why);

	if (err != ERR_OK) {
		fprintf(stderr, "koshin: %s\n", why.text);
		return CMD_FAILED;
	}
	err = fleet_run(&p, &r);
	if (err != ERR_OK) {
		fprintf(stderr, "koshin: %s: %s\n", file, err_words(err));
	} else {
		if (c->is_json)
			fleet_print_json(&p, &r, &to);
		else
			fleet_print(&p, &r, &to, PLOT_COLUMNS);
		fwrite(to.p == NULL ? "" : to.p, 1, to.n, stdout);
	}
	int status = err != ERR_OK || r.is_broken || to.err != ERR_OK ? CMD_FAILED : CMD_DONE;
	fleet_report_fini(&r);
	return status;
}
