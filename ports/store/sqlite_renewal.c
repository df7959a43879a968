#include "ports/store/query.h"

/* Renewal information of held certificates, and the calendars of CAs. */

enum err
store_renewal_put(struct store *s, const struct renewal_row *r)
{
	AUTO_QUERY q = query_start(s, SQL_RENEWAL_PUT, NULL);
	const struct renewal *i = &r->renewal;
	const struct when none = WHEN_UNKNOWN;

	query_bind_int(&q, "site_id", r->site_id);
	query_bind_int(&q, "certificate_id", r->certificate_id);
	query_bind_int(&q, "ca_id", r->ca_id);
	query_bind_when(&q, "starts", i->is_told ? i->start : none);
	query_bind_when(&q, "ends", i->is_told ? i->end : none);
	query_bind_when(&q, "renew_at", i->is_told ? i->at : none);
	query_bind_int(&q, "is_urgent", i->is_told && i->is_urgent);
	query_bind_text(&q, "explanation", i->is_told ? i->explanation : STR_NONE);
	query_bind_when(&q, "polled_at", i->polled_at);
	query_bind_when(&q, "poll_at", i->poll_at);
	query_bind_int(&q, "failures", i->failures);
	query_bind_int(&q, "oddities", r->oddities);
	return query_write(&q);
}

enum err
store_renewals_due(struct store *s, int64_t ca_id, struct when now, size_t max, struct arena *a,
    struct renewal_due **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_RENEWALS_DUE, a);
	struct renewal_due *rows = NULL;
	size_t n = 0;

	query_bind_int(&q, "ca_id", ca_id);
	query_bind_int(&q, "now", now.s);
	query_bind_int(&q, "max", (int64_t)max);
	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		struct renewal_due *d = &rows[n++];

		d->site_id = query_id(&q, "site_id");
		d->certificate_id = query_id(&q, "certificate_id");
		d->ari_id = query_text(&q, "ari_id");
		d->is_removed = query_bool(&q, "is_removed");
		d->is_wanted = query_bool(&q, "is_wanted");
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

static void
read_renewal(struct query *q, struct renewal_row *r)
{
	struct renewal *i = &r->renewal;

	r->certificate_id = query_id(q, "certificate_id");
	r->ca_id = query_id(q, "ca_id");
	i->start = query_when(q, "starts");
	i->end = query_when(q, "ends");
	i->at = query_when(q, "renew_at");
	i->is_told = i->at.s != WHEN_UNKNOWN.s;
	i->is_urgent = query_bool(q, "is_urgent");
	i->explanation = query_text(q, "explanation");
	i->polled_at = query_when(q, "polled_at");
	i->poll_at = query_when(q, "poll_at");
	i->failures = (unsigned)query_int(q, "failures", 0, UINT32_MAX);
	r->oddities = (unsigned)query_int(q, "oddities", 0, UINT32_MAX);
	r->issued_at = query_when(q, "created");
}

enum err
store_renewal_load(
    struct store *s, int64_t site_id, struct arena *a, struct renewal_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_RENEWAL_LOAD, a);
	struct renewal_row r = { .site_id = site_id };

	query_bind_int(&q, "site_id", site_id);
	if (query_row(&q))
		read_renewal(&q, &r);
	enum err e = query_finish(&q);
	if (e == ERR_OK && r.certificate_id == 0)
		return query_fail(s, ERR_NOT_FOUND,
		    "there is no renewal information for site %lld", (long long)site_id);
	if (e == ERR_OK)
		*ret = r;
	return e;
}

enum err
store_renewal_put_off(struct store *s, int64_t site_id, struct when poll_at)
{
	AUTO_QUERY q = query_start(s, SQL_RENEWAL_PUT_OFF, NULL);

	query_bind_when(&q, "poll_at", poll_at);
	query_bind_int(&q, "site_id", site_id);
	return query_write(&q);
}

enum err
store_renewal_drop(struct store *s, int64_t site_id)
{
	AUTO_QUERY q = query_start(s, SQL_RENEWAL_DROP, NULL);

	query_bind_int(&q, "site_id", site_id);
	return query_write(&q);
}

enum err
store_renewals_next(struct store *s, int64_t ca_id, struct when *ret)
{
	AUTO_QUERY q = query_start(s, SQL_RENEWALS_NEXT, NULL);
	struct when w = WHEN_UNKNOWN;

	query_bind_int(&q, "ca_id", ca_id);
	if (query_row(&q))
		w = query_when(&q, "poll_at");
	enum err e = query_finish(&q);
	if (e == ERR_OK)
		*ret = w.s == WHEN_UNKNOWN.s ? WHEN_NEVER : w;
	return e;
}

enum err
store_calendar_load(
    struct store *s, int64_t ca_id, struct str profile, struct calendar *ret)
{
	AUTO_QUERY q = query_start(s, SQL_CALENDAR_LOAD, NULL);
	struct calendar c = { .since = WHEN_UNKNOWN, .next_since = WHEN_UNKNOWN };

	query_bind_int(&q, "ca_id", ca_id);
	query_bind_text(&q, "profile", profile);
	if (query_row(&q)) {
		c.life.s = query_int(&q, "life", 1, INT64_MAX);
		c.since = query_when(&q, "since");
		c.next_life.s = query_int(&q, "next_life", 0, INT64_MAX);
		c.next_since = query_when(&q, "next_since");
		c.next_seen = (unsigned)query_int(&q, "next_seen", 0, UINT32_MAX);
	}
	enum err e = query_finish(&q);
	if (e == ERR_OK)
		*ret = c;
	return e;
}

enum err
store_calendar_put(
    struct store *s, int64_t ca_id, struct str profile, const struct calendar *c)
{
	AUTO_QUERY q = query_start(s, SQL_CALENDAR_PUT, NULL);

	query_bind_int(&q, "ca_id", ca_id);
	query_bind_text(&q, "profile", profile);
	query_bind_int(&q, "life", c->life.s);
	query_bind_when(&q, "since", c->since);
	query_bind_int(&q, "next_life", c->next_life.s);
	query_bind_when(&q, "next_since", c->next_since);
	query_bind_int(&q, "next_seen", c->next_seen);
	return query_write(&q);
}
