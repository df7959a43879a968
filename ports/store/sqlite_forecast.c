#include "ports/store/query.h"
#include "ports/store/watch.h"

/* The facts of one site from which the date of its renewal follows, and no others. */
static void
read_plan(struct query *q, struct finding *revoked, struct site *ret)
{
	ret->held.id = query_id(q, "held_id");
	ret->held.life.from = query_when(q, "held_from");
	ret->held.life.to = query_when(q, "held_to");
	ret->held.is_own = query_bool(q, "held_is_own");
	ret->held.is_spread = query_bool(q, "held_is_spread");
	query_fingerprint(q, "held_fingerprint", ret->held.fingerprint);
	ret->jitter = (uint32_t)query_int(q, "jitter", 0, UINT32_MAX);
	ret->asked_renew = query_bool(q, "is_wanted");
	ret->renewal.at = query_when(q, "renew_at");
	ret->renewal.is_told = when_is_known(ret->renewal.at);
	ret->calendar.life.s = query_int(q, "calendar_life", 0, INT64_MAX);
	ret->calendar.since = query_when(q, "calendar_since");
	revoked->first_seen = query_when(q, "revoked_at");
	if (when_is_known(revoked->first_seen))
		ret->findings = (struct finding_list){ .at = revoked, .n = 1, .cap = 1 };
}

enum err
store_plans(struct store *s, int64_t after_id, size_t max, struct span zone, struct forecast *f, int64_t *ret_last)
{
	AUTO_QUERY q = query_start(s, SQL_WATCH_PLANS, NULL);
	int64_t last = 0;
	size_t n = 0;

	query_bind_int(&q, "after", after_id);
	query_bind_int(&q, "max", (int64_t)max);
	for (; query_row(&q); n++) {
		struct site site = { 0 };
		char held[2 * FINGERPRINT_BYTES];
		struct finding revoked = { .cause = CAUSE_SERVED_REVOKED, .wanted = { held, sizeof held } };

		last = query_id(&q, "id");
		read_plan(&q, &revoked, &site);
		certificate_fingerprint_text(site.held.fingerprint, held);
		/* Asked for, or ordered already: it is under way. */
		forecast_add(f, site.asked_renew ? f->at : site_renew_at(&site), zone);
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret_last = n == max ? last : 0;
	return ERR_OK;
}
