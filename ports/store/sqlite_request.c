#include <string.h>
#include "ports/store/requests.h"
#include "ports/store/query.h"

static struct when
a_day_before(struct when now)
{
	return when_minus(now, SPAN_D(1));
}

enum err
store_request_load(struct store *s, int64_t person_id, struct str key, struct when now, struct arena *a, struct request_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_REQUEST_LOAD, a);
	struct request_row r = { .person_id = person_id, .key = key, .created = WHEN_UNKNOWN };

	query_bind_int(&q, "person_id", person_id);
	query_bind_text(&q, "key", key);
	if (query_row(&q)) {
		query_fingerprint(&q, "digest", r.digest.bytes);
		r.created = query_when(&q, "created");
		r.status = (int)query_int(&q, "status", 0, 599);
		r.answer = query_text(&q, "answer");
	}
	enum err e = query_finish(&q);
	if (e == ERR_OK && (!when_is_known(r.created) || when_before(r.created, a_day_before(now))))
		return query_fail(s, ERR_NOT_FOUND, "there is no such request");
	if (e == ERR_OK)
		*ret = r;
	return e;
}

const struct request_row *
store_request_set(struct store *s, const struct request_row *r)
{
	const struct request_row *before = s->request;

	s->request = r;
	return before;
}

static enum err
drop_old(struct store *s, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_REQUESTS_OLD, NULL);

	query_bind_when(&q, "before", a_day_before(now));
	return query_write(&q);
}

enum err
store_request_put(struct store *s, const struct request_row *r)
{
	enum err e = drop_old(s, r->created);

	if (e != ERR_OK)
		return e;
	AUTO_QUERY q = query_start(s, SQL_REQUEST_PUT, NULL);
	query_bind_int(&q, "person_id", r->person_id);
	query_bind_text(&q, "key", r->key);
	query_bind_blob(&q, "digest", r->digest.bytes, sizeof r->digest.bytes);
	query_bind_when(&q, "created", r->created);
	e = query_write(&q);
	return e == ERR_OK && sqlite3_changes(s->db) == 0 ? query_fail(s, ERR_EXISTS, "there is a request with this key") : e;
}

enum err
store_request_answer(struct store *s, const struct request_row *r)
{
	AUTO_QUERY q = query_start(s, SQL_REQUEST_ANSWER, NULL);

	query_bind_int(&q, "status", r->status);
	query_bind_text(&q, "answer", r->answer);
	query_bind_int(&q, "person_id", r->person_id);
	query_bind_text(&q, "key", r->key);
	return query_write(&q);
}
