#include "watch/inside.h"

/* Sites a look: a tenth of a second, and no transaction of the store that holds up its log. A million of them take twenty looks. */
enum { SITES_A_LOOK = 50000 };

enum err
forecast_look(struct watchdog *d, struct store *s)
{
	const struct span zone = config_zone(d->config);

	if (d->counted_to == 0)
		forecast_begin(&d->counting, d->now, zone);
	enum err e = store_plans(s, d->counted_to, SITES_A_LOOK, zone, &d->counting, &d->counted_to);
	if (e != ERR_OK)
		d->counted_to = 0;
	else if (d->counted_to == 0)
		d->watch.forecast = d->counting;
	return e;
}
