#include "base/date.h"
#include "http/json_site.h"
#include "http/limits.h"
#include "http/operator.h"

/* How many renewals come due on each of the next days, as the watchdog has counted them, beside what the CAs allow a day. */

enum { DAY_S = 86400 };

static json_t *
date_only(int64_t day)
{
	char text[DATE_TEXT_BYTES];

	date_put_day((struct when){ day * DAY_S }, text);
	return json_string(text);
}

bool
operator_put_day(json_t *list, int64_t today, int64_t days, int64_t n)
{
	json_t *o = json_object();

	if (json_put(o, "day", date_only(today + days)) && json_put(o, "days", json_integer(days)) &&
	    json_put(o, "n", json_integer(n)))
		return json_array_append_new(list, o) == 0;
	json_decref(o);
	return false;
}

/* From today on; what was counted for a day that is over is due. */
static json_t *
days_of(const struct forecast *f, int64_t today, int64_t *due)
{
	json_t *list = json_array();
	bool ok = list != NULL;

	for (int64_t i = 0; ok && i < FORECAST_DAYS; i++) {
		int64_t days = f->first + i - today;

		if (days < 0)
			*due += f->days[i];
		else if (f->days[i] != 0)
			ok = operator_put_day(list, today, days, f->days[i]);
	}
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

/* New orders a day: the limit of the account, as it is known now; null without one. */
static json_t *
limit_of(struct api_call *c, const struct ca_row *ca, const struct limits_facts *f)
{
	struct budget_row row = { .budget = BUDGET_ORDERS };
	struct budget_rules rules;

	for (size_t i = 0; i < f->rows_n; i++)
		if (f->rows[i].ca_id == ca->id && f->rows[i].row.budget == BUDGET_ORDERS && f->rows[i].row.subject.n == 0)
			row = f->rows[i].row;
	if (!limits_rules(c, ca->name, &rules))
		return NULL;
	struct rate r = budget_rate(&rules, &row);
	json_t *o = json_object();
	if (json_put(o, "ca", json_text(ca->name)) &&
	    json_put(o, "new_orders", rate_is_none(r) ? json_null() : json_integer(DAY_S * r.count / r.per.s)))
		return o;
	json_decref(o);
	return NULL;
}

static enum err
limits_of(struct api_call *c, json_t **ret)
{
	struct limits_facts f;
	enum err err = limits_read(c, &f);

	if (err != ERR_OK)
		return err;
	json_t *list = json_array();
	for (size_t i = 0; i < f.cas_n; i++)
		if (f.cas[i].is_used && json_array_append_new(list, limit_of(c, &f.cas[i], &f)) != 0) {
			json_decref(list);
			return ERR_MEMORY;
		}
	*ret = list;
	return ERR_OK;
}

enum err
operator_forecast(struct api_call *c, const struct forecast *f, json_t **ret)
{
	int64_t today = forecast_day(c->turn.now, config_zone(c->api->config)), due = f->due;
	bool is_counted = when_is_known(f->at);
	json_t *limits, *o;
	enum err err = limits_of(c, &limits);

	if (err != ERR_OK)
		return err;
	json_t *days = is_counted ? days_of(f, today, &due) : json_array();
	o = json_object();
	bool ok = json_put(o, "limits", limits);
	ok = json_put(o, "days", days) && ok;
	if (ok && json_put(o, "at", json_date(f->at)) && json_put(o, "due", json_integer(due)) &&
	    json_put(o, "later", json_integer(f->later))) {
		*ret = o;
		return ERR_OK;
	}
	json_decref(o);
	return ERR_MEMORY;
}
