#ifndef KOSHIN_CORE_FORECAST_H
#define KOSHIN_CORE_FORECAST_H
/*
 * How many renewals come due on each of the next days: what is counted are the dates that the engine itself goes by (site_renew_at), each
 * site once, with its next one. Pure; who goes through the sites is the watchdog.
 */
#include "base/when.h"

enum { FORECAST_DAYS = 31 };
struct forecast {
	struct when at; /* as it was then; WHEN_UNKNOWN: not counted yet */
	int64_t first;	/* the day of days[0], since 1970 by the provider's clock */
	int64_t due;	/* at that time already: under way, in a line, or held up by a cause */
	int64_t days[FORECAST_DAYS];
	int64_t later;
};
/* The day of a date by the provider's clock, since 1970. */
int64_t forecast_day(struct when w, struct span zone);
void forecast_begin(struct forecast *f, struct when now, struct span zone);
/* One site more. */
void forecast_add(struct forecast *f, struct when renew_at, struct span zone);
#endif
