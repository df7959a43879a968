#include "core/forecast.h"

enum { DAY_S = 86400 };

int64_t
forecast_day(struct when w, struct span zone)
{
	int64_t s = when_plus(w, zone).s;

	return s / DAY_S - (s % DAY_S < 0);
}

void
forecast_begin(struct forecast *f, struct when now, struct span zone)
{
	*f = (struct forecast){ .at = now, .first = forecast_day(now, zone) };
}

void
forecast_add(struct forecast *f, struct when renew_at, struct span zone)
{
	int64_t day = forecast_day(renew_at, zone) - f->first;

	if (!when_before(f->at, renew_at))
		f->due++;
	else if (day < FORECAST_DAYS)
		f->days[day]++;
	else
		f->later++;
}
