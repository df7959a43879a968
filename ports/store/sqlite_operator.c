#include "ports/store/operator.h"
#include "ports/store/query.h"

enum { HOUR_S = 3600 };

/* --- the overview --- */

static enum err
read_standing(struct store *s, struct store_overview *ret)
{
	AUTO_QUERY q = query_start(s, SQL_STANDING_COUNTS, NULL);

	while (query_row(&q)) {
		enum site_standing standing;
		struct str word = query_word(&q, "standing");
		bool is_known = site_standing_of_name(word, &standing);

		if (!is_known)
			query_corrupt(&q, "standing", word);
		int64_t n = query_int(&q, "n", 0, INT64_MAX);
		if (is_known)
			ret->standing[standing] = n;
	}
	return query_finish(&q);
}

static enum err
count_ended(struct store *s, struct when now, int64_t *ret)
{
	AUTO_QUERY q = query_start(s, SQL_ENDED_SINCE, NULL);

	query_bind_int(&q, "from", now.s - now.s % HOUR_S);
	query_bind_when(&q, "by", now);
	if (query_row(&q))
		*ret += query_int(&q, "n", 0, INT64_MAX);
	return query_finish(&q);
}

/* Whole hours from the counts, the present one from the index. */
static enum err
read_ended(struct store *s, struct when now, int64_t *ret)
{
	AUTO_QUERY q = query_start(s, SQL_ENDINGS, NULL);

	while (query_row(&q)) {
		int64_t hour = query_int(&q, "hour", INT64_MIN, INT64_MAX);
		int64_t n = query_int(&q, "n", 0, INT64_MAX);

		if (hour < now.s / HOUR_S)
			*ret += n;
	}
	enum err e = query_finish(&q);
	return e == ERR_OK ? count_ended(s, now, ret) : e;
}

static enum err
count(struct store *s, enum sql id, int64_t *ret)
{
	AUTO_QUERY q = query_start(s, id, NULL);

	if (query_row(&q))
		*ret = query_int(&q, "n", 0, INT64_MAX);
	return query_finish(&q);
}

enum err
store_overview(struct store *s, struct when now, struct store_overview *ret)
{
	struct store_overview o = { 0 };
	const struct {
		enum sql id;
		int64_t *to;
	} plain[] = {
		{ SQL_COUNT_LETTERS_WAITING, &o.letters_waiting },
		{ SQL_COUNT_LETTERS_GIVEN_UP, &o.letters_given_up },
		{ SQL_COUNT_LETTERS_BOUNCED, &o.letters_bounced },
		{ SQL_COUNT_QUESTIONS_OPEN, &o.questions_open },
		{ SQL_COUNT_ORDERS, &o.orders_open },
	};
	struct bracket b;
	enum err e = bracket_begin(s, true, &b);

	if (e != ERR_OK)
		return e;
	e = read_standing(s, &o);
	if (e == ERR_OK)
		e = read_ended(s, now, &o.ended);
	for (size_t i = 0; i < sizeof plain / sizeof *plain && e == ERR_OK; i++)
		e = count(s, plain[i].id, plain[i].to);
	e = bracket_end(s, &b, e);
	if (e == ERR_OK)
		*ret = o;
	return e;
}

enum err
store_endings(struct store *s, struct arena *a, struct ending_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_ENDINGS, a);
	struct ending_row *rows = NULL;
	size_t n = 0;

	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		int64_t hour = query_int(&q, "hour", INT64_MIN / HOUR_S, INT64_MAX / HOUR_S);

		rows[n].hour = (struct when){ hour * HOUR_S };
		rows[n++].n = query_int(&q, "n", 0, INT64_MAX);
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

/* --- causes --- */

static enum err
read_clusters(struct store *s, struct arena *a, struct cluster_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_CLUSTERS, a);
	struct cluster_row *rows = NULL;
	size_t n = 0;

	while (query_row(&q)) {
		enum cause c = cause_of_id(query_word(&q, "cause"));
		int64_t count = query_int(&q, "n", 0, INT64_MAX);

		/* A damaged word is the doctor's. */
		if (c == CAUSE_NONE)
			continue;
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		rows[n++] = (struct cluster_row){ .cause = c, .n = count, .since = WHEN_UNKNOWN };
	}
	*ret = rows;
	*ret_n = n;
	return query_finish(&q);
}

static enum err
read_first(struct store *s, struct arena *a, struct cluster_row *r)
{
	AUTO_QUERY q = query_start(s, SQL_CLUSTER_FIRST, a);

	query_bind_word(&q, "cause", cause_row(r->cause)->id);
	if (query_row(&q)) {
		r->since = query_when(&q, "first_seen");
		r->name = query_text(&q, "subject");
		r->site = query_text(&q, "name");
	}
	return query_finish(&q);
}

enum err
store_clusters(struct store *s, struct arena *a, struct cluster_row **ret, size_t *ret_n)
{
	struct cluster_row *rows;
	size_t n;
	struct bracket b;
	enum err e = bracket_begin(s, true, &b);

	if (e != ERR_OK)
		return e;
	e = read_clusters(s, a, &rows, &n);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = read_first(s, a, &rows[i]);
	e = bracket_end(s, &b, e);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_listed_name(struct store *s, int64_t site_id, struct arena *a, struct str *ret)
{
	AUTO_QUERY q = query_start(s, SQL_LISTED_NAME, a);

	*ret = STR_NONE;
	query_bind_int(&q, "site_id", site_id);
	if (query_row(&q))
		*ret = query_text(&q, "name");
	return query_finish(&q);
}

/* --- the status page --- */

enum err
store_incident_put(struct store *s, enum cause c, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_INCIDENT_PUT, NULL);

	query_bind_word(&q, "cause", cause_row(c)->id);
	query_bind_when(&q, "now", now);
	return query_write(&q);
}

enum err
store_incidents_end(struct store *s, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_INCIDENTS_END, NULL);

	query_bind_when(&q, "now", now);
	return query_write(&q);
}

enum err
store_incidents(struct store *s, int64_t before_id, size_t max, struct arena *a, struct incident_row **ret,
    size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_INCIDENTS, a);
	struct incident_row *rows = NULL;
	size_t n = 0;

	query_bind_int(&q, "before_id", before_id == 0 ? INT64_MAX : before_id);
	query_bind_int(&q, "max", (int64_t)max);
	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		struct incident_row *r = &rows[n];

		r->id = query_id(&q, "id");
		r->cause = cause_of_id(query_word(&q, "cause"));
		r->began = query_when(&q, "began");
		r->ended = query_when(&q, "ended");
		/* One of another version is no news any more. */
		n += r->cause != CAUSE_NONE;
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}
