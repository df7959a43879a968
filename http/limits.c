#include "base/limits.h"
#include "http/json_site.h"
#include "http/limits.h"

/* What the CAs' limits leave: one line for each bucket that is not full, the emptiest first. */

enum err
limits_read(struct api_call *c, struct limits_facts *ret)
{
	enum err err = store_budgets(c->api->store, c->a, &ret->rows, &ret->rows_n);

	return err == ERR_OK ? store_cas(c->api->store, c->a, &ret->cas, &ret->cas_n) : err;
}

bool
limits_rules(struct api_call *c, struct str name, struct budget_rules *ret)
{
	const struct config *config = c->api->config;

	*ret = (struct budget_rules){ .profile = budget_profile(STR("none"), STR_NONE) };
	for (size_t i = 0; config != NULL && i < config->cas_n; i++) {
		const struct config_ca *ca = &config->cas[i];

		if (!str_eq(str_of(ca->name), name))
			continue;
		struct budget_override *all = arena_get(c->a, (ca->raised_n + 1) * sizeof *all);
		size_t n = 0;
		for (size_t k = 0; all != NULL && k < ca->raised_n; k++)
			n += budget_read_override(str_of(ca->raised[k]), &all[n]);
		*ret = (struct budget_rules){ budget_profile(str_of(ca->limits), str_of(ca->directory)), all, n };
		return all != NULL;
	}
	return true;
}

static json_t *
line(const struct budget_rules *rules, struct str ca, const struct budget_row *row, struct when now)
{
	struct rate r = budget_rate(rules, row);
	int64_t left = bucket_left(r, &row->bucket, instant_of(now));
	struct when next = budget_when(rules, row, now);
	json_t *o = json_object();

	if (json_put(o, "ca", json_text(ca)) && json_put(o, "limit", json_string(budget_name(row->budget))) &&
	    json_put(o, "subject", json_text(row->subject)) &&
	    json_put(o, "allowed", rate_is_none(r) ? json_null() : json_integer(rate_burst(r))) &&
	    json_put(o, "per_s", rate_is_none(r) ? json_null() : json_integer(r.per.s)) &&
	    json_put(o, "left", left == INT64_MAX ? json_null() : json_integer(left)) &&
	    json_put(o, "held", json_integer(row->bucket.held)) && json_put(o, "next", json_date(next)))
		return o;
	json_decref(o);
	return NULL;
}

enum err
limits_list(struct api_call *c)
{
	struct limits_facts f;
	enum err err = limits_read(c, &f);

	if (err != ERR_OK)
		return err;
	json_t *list = json_array(), *document;
	for (size_t i = 0; i < f.rows_n; i++) {
		const struct budget_row *row = &f.rows[i].row;
		struct str name = STR_NONE;
		struct budget_rules rules;

		for (size_t k = 0; k < f.cas_n; k++)
			if (f.cas[k].id == f.rows[i].ca_id)
				name = f.cas[k].name;
		bool is_full = bucket_is_full(&row->bucket, instant_of(c->turn.now));
		/* "*": what a CA taught for every subject; no bucket. */
		if (is_full || str_eq(row->subject, STR("*")))
			continue;
		if (!limits_rules(c, name, &rules) ||
		    json_array_append_new(list, line(&rules, name, row, c->turn.now)) != 0) {
			json_decref(list);
			return ERR_MEMORY;
		}
	}
	document = json_object();
	if (!json_put(document, "limits", list)) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}
