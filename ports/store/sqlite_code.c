#include "ports/store/codes.h"
#include "ports/store/query.h"

enum { RECOVERY_MAX = 1000 }; /* far above what is ever made: more is a damaged store */

enum err
store_code_put(struct store *s, int64_t person_id, struct str sealed, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_CODE_PUT, NULL);

	query_bind_int(&q, "person_id", person_id);
	query_bind_blob(&q, "sealed", sealed.p, sealed.n);
	query_bind_when(&q, "now", now);
	enum err e = query_write(&q);
	return e == ERR_OK && sqlite3_changes(s->db) == 0
		   ? query_fail(s, ERR_EXISTS, "the person has codes already")
		   : e;
}

enum err
store_code_load(struct store *s, int64_t person_id, struct arena *a, struct code_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_CODE_LOAD, a);
	struct code_row r = { .person_id = person_id };
	bool is_there;

	query_bind_int(&q, "person_id", person_id);
	is_there = query_row(&q);
	if (is_there) {
		r.sealed = query_text(&q, "sealed");
		r.begun = query_when(&q, "begun");
		r.confirmed = query_when(&q, "confirmed");
		r.step = (uint64_t)query_int(&q, "step", 0, INT64_MAX);
		r.recovery_left = (unsigned)query_int(&q, "recovery_left", 0, RECOVERY_MAX);
	}
	enum err e = query_finish(&q);
	if (e == ERR_OK && !is_there)
		return query_fail(s, ERR_NOT_FOUND, "the person has no codes");
	if (e == ERR_OK)
		*ret = r;
	return e;
}

static enum err
one_changed(struct store *s, enum err e, const char *words)
{
	return e == ERR_OK && sqlite3_changes(s->db) == 0
		   ? query_fail(s, ERR_NOT_FOUND, "%s", words)
		   : e;
}

enum err
store_code_take(struct store *s, int64_t person_id, uint64_t step, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_CODE_TAKE, NULL);

	query_bind_int(&q, "step", (int64_t)step);
	query_bind_when(&q, "now", now);
	query_bind_int(&q, "person_id", person_id);
	return one_changed(s, query_write(&q), "a code of this step was taken already");
}

static enum err
drop(struct store *s, enum sql id, int64_t person_id)
{
	AUTO_QUERY q = query_start(s, id, NULL);

	query_bind_int(&q, "person_id", person_id);
	return query_write(&q);
}

enum err
store_code_drop(struct store *s, int64_t person_id)
{
	struct bracket b;
	enum err e = bracket_begin(s, false, &b);

	if (e != ERR_OK)
		return e;
	e = drop(s, SQL_RECOVERY_DROP, person_id);
	if (e == ERR_OK)
		e = drop(s, SQL_CODE_DROP, person_id);
	return bracket_end(s, &b, e);
}

static enum err
with_digest(struct store *s, enum sql id, int64_t person_id, const struct digest *d)
{
	AUTO_QUERY q = query_start(s, id, NULL);

	query_bind_int(&q, "person_id", person_id);
	query_bind_blob(&q, "digest", d->bytes, sizeof d->bytes);
	return query_write(&q);
}

enum err
store_recovery_put(struct store *s, int64_t person_id, const struct digest *d, size_t n)
{
	struct bracket b;
	enum err e = bracket_begin(s, false, &b);

	if (e != ERR_OK)
		return e;
	e = drop(s, SQL_RECOVERY_DROP, person_id);
	for (size_t i = 0; e == ERR_OK && i < n; i++)
		e = with_digest(s, SQL_RECOVERY_PUT, person_id, &d[i]);
	return bracket_end(s, &b, e);
}

enum err
store_recovery_take(struct store *s, int64_t person_id, const struct digest *d)
{
	return one_changed(s, with_digest(s, SQL_RECOVERY_TAKE, person_id, d),
	    "there is no such recovery code");
}
