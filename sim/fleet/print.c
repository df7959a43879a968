#include "sim/fleet/file.h"
#include <stdlib.h>

/* What an operator wants to know of a fleet's life: how many certificates a day, which limits, which letters, who would expire. */

enum { ROWS = 8, DAY_S = 86400 };

static uint64_t
in_days(const struct fleet_plan *p, const struct fleet_report *r, int64_t from, int64_t to)
{
	uint64_t n = 0;

	for (size_t i = (size_t)(from * DAY_S / p->bin.s); i < r->bins_n && (int64_t)i * p->bin.s < to * DAY_S; i++)
		n += r->issued_in[i];
	return n;
}

static int64_t
days_of(const struct fleet_plan *p)
{
	return (p->span.s + DAY_S - 1) / DAY_S;
}

static uint32_t
busiest(const struct fleet_report *r)
{
	uint32_t most = 0;

	for (size_t i = 0; i < r->bins_n; i++)
		most = r->issued_in[i] > most ? r->issued_in[i] : most;
	return most;
}

/* Columns of eighths of a character cell. */
static void
plot(const struct fleet_plan *p, const struct fleet_report *r, struct buf *to, size_t columns)
{
	static const char *const eighths[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	int64_t days = days_of(p);
	size_t n = (size_t)days < columns ? (size_t)days : columns;
	double most = 0;

	if (n == 0)
		return;
	for (int row = -1; row < ROWS; row++) {
		for (size_t c = 0; c < n; c++) {
			int64_t from = days * (int64_t)c / (int64_t)n, end = days * (int64_t)(c + 1) / (int64_t)n;
			double rate = (double)in_days(p, r, from, end) / (double)(end - from);

			if (row < 0) {
				most = rate > most ? rate : most;
				continue;
			}
			double level = most > 0 ? rate * ROWS / most - (ROWS - 1 - row) : 0;
			buf_putf(to, "%s", eighths[level <= 0 ? 0 : level >= 1 ? 8 : (int)(level * 8)]);
		}
		if (row >= 0)
			buf_putf(to, row == 0 ? " %.0f a day\n" : "\n", most);
	}
	buf_putf(to, "day 0%*s%lld\n", (int)(n > 9 ? n - 5 : 1), "day ", (long long)days);
}

void
fleet_print(const struct fleet_plan *p, const struct fleet_report *r, struct buf *to, size_t columns)
{
	buf_putf(to, "%u sites, %lld days, seed %llu\n\n", p->sites, (long long)days_of(p), (unsigned long long)p->seed);
	plot(p, r, to, columns);
	buf_putf(to, "\ncertificates       %10llu   %.1f a day, at most %u in %lld min\n", (unsigned long long)r->issued,
	    (double)r->issued / (double)days_of(p), busiest(r), (long long)p->bin.s / 60);
	buf_putf(to, "orders that failed %10llu\n", (unsigned long long)r->order_failures);
	buf_putf(to, "requests to the CA %10llu   at most %u in a second\n", (unsigned long long)r->requests, r->requests_peak);
	buf_putf(to, "limits touched     %10llu   orders that waited for a place instead: %llu\n", (unsigned long long)r->limits_touched,
	    (unsigned long long)r->marks[FLEET_MARK_LIMIT_WAITED]);
	for (enum letter_kind k = 0; k < LETTER_COUNT; k++)
		if (r->letters[k] > 0)
			buf_putf(to, "letters %-10s %10llu\n", letter_name(k), (unsigned long long)r->letters[k]);
	buf_putf(to, "would expire       %10llu\n", (unsigned long long)r->expired);
	for (size_t i = 0; i < r->expiries_n; i++)
		buf_putf(to, "  s%u.example on day %lld: %s\n", r->expiries[i].site,
		    (long long)(when_between(p->start, r->expiries[i].at).s / DAY_S), r->expiries[i].why);
	if (r->expired > r->expiries_n)
		buf_putf(to, "  … and %llu more\n", (unsigned long long)(r->expired - r->expiries_n));
	if (when_is_known(p->replace_at))
		buf_putf(to, "replaced           %10u   %s %.1f h\n", r->replaced, when_is_known(r->all_replaced_at) ? "all within" : "not all;",
		    when_is_known(r->all_replaced_at) ? (double)when_between(p->replace_at, r->all_replaced_at).s / 3600 : 0.0);
	if (r->is_broken)
		buf_putf(to, "\nA PROMISE IS BROKEN: %s\n%.*s", r->broken.text, STR_ARG(buf_str(&r->steps_kept)));
}

void
fleet_print_json(const struct fleet_plan *p, const struct fleet_report *r, struct buf *to)
{
	buf_putf(to, "{\"sites\": %u, \"days\": %lld, \"seed\": %llu, \"certificates\": %llu, \"failed\": %llu, \"requests\": %llu, "
		     "\"requests_peak\": %u, \"limits_touched\": %llu, \"waited\": %llu, \"letters\": {",
	    p->sites, (long long)days_of(p), (unsigned long long)p->seed, (unsigned long long)r->issued,
	    (unsigned long long)r->order_failures, (unsigned long long)r->requests, r->requests_peak,
	    (unsigned long long)r->limits_touched, (unsigned long long)r->marks[FLEET_MARK_LIMIT_WAITED]);
	for (enum letter_kind k = 0; k < LETTER_COUNT; k++)
		buf_putf(to, "%s\"%s\": %llu", k > 0 ? ", " : "", letter_name(k), (unsigned long long)r->letters[k]);
	buf_putf(to, "}, \"expired\": %llu, \"expiries\": [", (unsigned long long)r->expired);
	for (size_t i = 0; i < r->expiries_n; i++)
		buf_putf(to, "%s{\"site\": \"s%u.example\", \"day\": %lld, \"why\": \"%s\"}", i > 0 ? ", " : "", r->expiries[i].site,
		    (long long)(when_between(p->start, r->expiries[i].at).s / DAY_S), r->expiries[i].why);
	buf_putf(to, "], \"replaced\": %u, \"certificates_by_day\": [", r->replaced);
	for (int64_t d = 0; d < days_of(p); d++)
		buf_putf(to, "%s%llu", d > 0 ? ", " : "", (unsigned long long)in_days(p, r, d, d + 1));
	/* The words of a broken promise hold names and numbers of ours alone. */
	buf_putf(to, "], \"ok\": %s, \"broken\": \"%s\"}\n", r->is_broken ? "false" : "true", r->is_broken ? r->broken.text : "");
}
