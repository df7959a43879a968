#include "ports/store/budget.h"
#include "base/limits.h"
#include "ports/store/query.h"

static void
bind_key(struct query *q, int64_t ca_id, enum budget b, struct str subject)
{
	query_bind_int(q, "ca_id", ca_id);
	query_bind_word(q, "budget", budget_name(b));
	query_bind_text(q, "subject", subject);
}

static void
read_bucket(struct query *q, struct budget_row *ret)
{
	ret->bucket.tat.us = query_int(q, "tat", INT64_MIN, INT64_MAX);
	ret->bucket.not_before.us = query_int(q, "not_before", INT64_MIN, INT64_MAX);
	ret->line.us = query_int(q, "line", INT64_MIN, INT64_MAX);
	ret->bucket.held = query_int(q, "held", 0, INT32_MAX);
	ret->learned.count = query_int(q, "learned_count", 0, INT64_MAX);
	ret->learned.per.s = query_int(q, "learned_s", 0, INT64_MAX);
}

enum err
store_budget_load(struct store *s, int64_t ca_id, enum budget b, struct str subject, struct budget_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_BUDGET_LOAD, NULL);
	struct budget_row row = { .budget = b, .subject = subject };

	bind_key(&q, ca_id, b, subject);
	if (query_row(&q))
		read_bucket(&q, &row);
	enum err e = query_finish(&q);
	if (e == ERR_OK)
		*ret = row;
	return e;
}

enum err
store_budget_save(struct store *s, int64_t ca_id, const struct budget_row *row)
{
	AUTO_QUERY q = query_start(s, SQL_BUDGET_SAVE, NULL);

	bind_key(&q, ca_id, row->budget, row->subject);
	query_bind_int(&q, "tat", row->bucket.tat.us);
	query_bind_int(&q, "not_before", row->bucket.not_before.us);
	query_bind_int(&q, "line", row->line.us);
	query_bind_int(&q, "held", row->bucket.held);
	query_bind_int(&q, "learned_count", row->learned.count);
	query_bind_int(&q, "learned_s", row->learned.per.s);
	return query_write(&q);
}

static struct budget_listed
read_listed(struct query *q)
{
	struct budget_listed l = { .ca_id = query_id(q, "ca_id") };
	struct str word = query_word(q, "budget");

	if (!budget_of_name(word, &l.row.budget))
		query_corrupt(q, "budget", word);
	l.row.subject = query_text(q, "subject");
	return l;
}

static enum err
read_list(struct query *q, bool has_bucket, struct budget_listed **ret, size_t *ret_n)
{
	struct budget_listed *rows = NULL;
	size_t n = 0;

	while (query_row(q)) {
		rows = query_grow(q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		rows[n] = read_listed(q);
		if (has_bucket)
			read_bucket(q, &rows[n].row);
		n++;
	}
	enum err e = query_finish(q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_budgets(struct store *s, struct arena *a, struct budget_listed **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_BUDGETS, a);

	query_bind_int(&q, "max", LIMIT_PAGE_ROWS);
	return read_list(&q, true, ret, ret_n);
}

enum err
store_budget_sweep(struct store *s, struct when now, size_t max)
{
	AUTO_QUERY q = query_start(s, SQL_BUDGET_SWEEP, NULL);

	query_bind_int(&q, "now", instant_of(now).us);
	query_bind_int(&q, "max", (int64_t)max);
	return query_write(&q);
}

enum err
store_budget_draw(struct store *s, int64_t site_id, int64_t ca_id, enum budget b, struct str subject)
{
	AUTO_QUERY q = query_start(s, SQL_BUDGET_DRAW, NULL);

	query_bind_int(&q, "site_id", site_id);
	bind_key(&q, ca_id, b, subject);
	return query_write(&q);
}

enum err
store_budget_draws(struct store *s, int64_t site_id, struct arena *a, struct budget_listed **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_BUDGET_DRAWS_OF, a);

	query_bind_int(&q, "site_id", site_id);
	return read_list(&q, false, ret, ret_n);
}

enum err
store_budget_undraw(struct store *s, int64_t site_id)
{
	AUTO_QUERY q = query_start(s, SQL_BUDGET_UNDRAW, NULL);

	query_bind_int(&q, "site_id", site_id);
	return query_write(&q);
}

enum err
store_budget_held(struct store *s, int64_t site_id, int64_t *ret_ca_id, struct when *ret_from)
{
	AUTO_QUERY q = query_start(s, SQL_BUDGET_HELD, NULL);
	struct when from = WHEN_UNKNOWN;
	int64_t ca_id = 0;

	query_bind_int(&q, "site_id", site_id);
	if (query_row(&q)) {
		ca_id = query_id(&q, "ca_id");
		from = query_when(&q, "not_before");
	}
	enum err e = query_finish(&q);
	if (e == ERR_OK) {
		*ret_ca_id = ca_id;
		*ret_from = from;
	}
	return e;
}

/* --- lanes --- */

static enum err
read_ids(struct query *q, int64_t *ret, size_t max, size_t *ret_n)
{
	size_t n = 0;

	while (n < max && query_row(q))
		ret[n++] = query_id(q, "id");
	enum err e = query_finish(q);
	if (e == ERR_OK)
		*ret_n = n;
	return e;
}

static enum err
read_wake(struct query *q, const char *name, struct when *ret)
{
	struct when w = WHEN_NEVER;

	if (query_row(q))
		w = query_when(q, name);
	enum err e = query_finish(q);
	if (e == ERR_OK)
		*ret = w.s == WHEN_UNKNOWN.s ? WHEN_NEVER : w;
	return e;
}

static const char *
lane_word(enum lane l)
{
	return l == LANE_COUNT ? "" : lane_name(l);
}

enum err
store_budget_orphans(struct store *s, int64_t *ret, size_t max, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_BUDGET_ORPHANS, NULL);

	query_bind_int(&q, "max", (int64_t)max);
	return read_ids(&q, ret, max, ret_n);
}

enum err
store_due_lane(struct store *s, enum lane l, bool draws, struct when now, int64_t *ret, size_t max, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_DUE_LANE, NULL);

	query_bind_word(&q, "lane", lane_word(l));
	query_bind_int(&q, "draws", draws);
	query_bind_int(&q, "now", now.s);
	query_bind_int(&q, "max", (int64_t)max);
	return read_ids(&q, ret, max, ret_n);
}

enum err
store_due_look(struct store *s, struct when now, int64_t *ret, size_t max, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_DUE_LOOK, NULL);

	query_bind_int(&q, "now", now.s);
	query_bind_int(&q, "max", (int64_t)max);
	return read_ids(&q, ret, max, ret_n);
}

/* The lane that stands behind this one in the index, if there is one; draws is -1 before the first. */
static enum err
lane_behind(struct store *s, enum lane *l, int *draws, struct when *ret_wake, bool *ret_is_there)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_LANE_BEHIND, NULL);

	query_bind_word(&q, "lane", lane_word(*l));
	query_bind_int(&q, "draws", *draws);
	*ret_is_there = query_row(&q);
	if (*ret_is_there) {
		struct str word = query_word(&q, "lane");

		*l = LANE_COUNT;
		if (word.n > 0 && !lane_of_name(word, l))
			query_corrupt(&q, "lane", word);
		*draws = query_bool(&q, "lane_draws");
		*ret_wake = query_when(&q, "wake");
	}
	return query_finish(&q);
}

enum err
store_lane_wakes(struct store *s, struct lane_wakes *ret)
{
	enum lane l = LANE_COUNT; /* its word is the first in the index */
	int draws = -1;
	struct when wake;
	bool is_there = true;
	enum err e = ERR_OK;

	for (size_t i = 0; i <= LANE_COUNT; i++)
		ret->at[i][0] = ret->at[i][1] = WHEN_NEVER;
	while (e == ERR_OK && is_there) {
		e = lane_behind(s, &l, &draws, &wake, &is_there);
		if (e == ERR_OK && is_there)
			ret->at[l][draws] = wake;
	}
	return e;
}

enum err
store_lanes_wake(struct store *s, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_LANES_WAKE, NULL);

	query_bind_when(&q, "now", now);
	return query_write(&q);
}

enum err
store_lane_look_wake(struct store *s, struct when *ret)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_LANE_LOOK_WAKE, NULL);

	return read_wake(&q, "wake", ret);
}

enum err
store_lane_late(struct store *s, struct when now, size_t max)
{
	AUTO_QUERY first = query_start(s, SQL_SITE_LANE_LATE_AT, NULL);
	struct when late = WHEN_NEVER;
	enum err e = read_wake(&first, "late_at", &late);

	if (e != ERR_OK || when_before(now, late))
		return e;
	AUTO_QUERY q = query_start(s, SQL_SITE_LANE_LATE, NULL);

	query_bind_int(&q, "now", now.s);
	query_bind_int(&q, "max", (int64_t)max);
	return query_write(&q);
}
