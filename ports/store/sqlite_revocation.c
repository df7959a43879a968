#include "ports/store/query.h"
#include "ports/store/revocation.h"

enum { EMPTY_LOG_MS = 200 };

enum err
store_revocation_put(struct store *s, const struct site *site, enum revoke_reason reason, struct str by, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_REVOCATION_PUT, NULL);

	query_bind_int(&q, "certificate_id", site->held.id);
	query_bind_int(&q, "site_id", site->id);
	query_bind_word(&q, "reason", revoke_reason_name(reason));
	query_bind_text(&q, "by", by);
	query_bind_when(&q, "now", now);
	return query_write(&q);
}

static enum err
put_others(struct store *s, int64_t site_id, int64_t newest_id, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_REVOCATION_PUT_OTHERS, NULL);

	query_bind_int(&q, "site_id", site_id);
	query_bind_int(&q, "newest_id", newest_id);
	query_bind_when(&q, "now", now);
	return query_write(&q);
}

static enum err
set_destroyed(struct store *s, int64_t site_id, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_REVOCATION_DESTROYED, NULL);

	query_bind_when(&q, "now", now);
	query_bind_int(&q, "site_id", site_id);
	return query_write(&q);
}

static enum err
destroy(struct store *s, enum sql id, int64_t site_id)
{
	AUTO_QUERY q = query_start(s, id, NULL);

	query_bind_int(&q, "site_id", site_id);
	return query_write(&q);
}

enum err
store_revocation_destroy(struct store *s, int64_t site_id, int64_t newest_id, struct when now)
{
	enum err e = put_others(s, site_id, newest_id, now);

	if (e == ERR_OK)
		e = set_destroyed(s, site_id, now);
	if (e == ERR_OK)
		e = destroy(s, SQL_ORDER_KEYS_DESTROY, site_id);
	if (e == ERR_OK)
		e = destroy(s, SQL_CSR_KEYS_DESTROY, site_id);
	if (e != ERR_OK)
		return e;
	AUTO_QUERY q = query_start(s, SQL_CERTIFICATE_KEYS_DESTROY, NULL);
	query_bind_int(&q, "site_id", site_id);
	query_bind_int(&q, "newest_id", newest_id);
	return query_write(&q);
}

static enum revoke_reason
read_reason(struct query *q)
{
	enum revoke_reason r = REVOKE_UNSPECIFIED;
	struct str word = query_word(q, "reason");

	if (!revoke_reason_of_name(word, &r))
		query_corrupt(q, "reason", word);
	return r;
}

enum err
store_revocation_load(struct store *s, int64_t site_id, struct arena *a, struct revoke *ret)
{
	AUTO_QUERY q = query_start(s, SQL_REVOCATION_LOAD, a);
	struct revoke r = { .asked_at = WHEN_UNKNOWN };

	query_bind_int(&q, "site_id", site_id);
	bool is_there = query_row(&q);
	if (is_there) {
		r.reason = read_reason(&q);
		r.by = query_text(&q, "by");
		r.asked_at = query_when(&q, "asked_at");
		r.destroyed_at = query_when(&q, "destroyed_at");
		r.next_try = query_when(&q, "next_try");
		r.revoked_at = query_when(&q, "revoked_at");
		r.ends = query_when(&q, "not_after");
		r.is_own = query_bool(&q, "is_own");
	}
	enum err e = query_found(s, query_finish(&q), is_there, "revocation of this site");
	if (e == ERR_OK)
		*ret = r;
	return e;
}

static struct revocation_row
read_row(struct query *q)
{
	struct revocation_row r = { .certificate_id = query_id(q, "certificate_id") };

	r.site_id = query_id(q, "site_id");
	r.reason = read_reason(q);
	r.tries = (unsigned)query_int(q, "tries", 0, UINT32_MAX);
	r.chain_pem = query_text(q, "chain_pem");
	r.next_try = r.revoked_at = WHEN_UNKNOWN;
	return r;
}

enum err
store_revocations_due(
    struct store *s, int64_t ca_id, struct when now, size_t max, struct arena *a, struct revocation_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_REVOCATIONS_DUE, a);
	struct revocation_row *rows = NULL;
	size_t n = 0;

	query_bind_when(&q, "now", now);
	query_bind_int(&q, "ca_id", ca_id);
	query_bind_int(&q, "max", (int64_t)max);
	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		rows[n++] = read_row(&q);
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_revocation_find(struct store *s, int64_t certificate_id, struct arena *a, struct revocation_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_REVOCATION_FIND, a);
	struct revocation_row r = { .certificate_id = 0 };

	query_bind_int(&q, "certificate_id", certificate_id);
	bool is_there = query_row(&q);
	if (is_there)
		r = read_row(&q);
	enum err e = query_found(s, query_finish(&q), is_there, "revocation that waits");
	if (e == ERR_OK)
		*ret = r;
	return e;
}

enum err
store_revocation_save(struct store *s, const struct revocation_row *r)
{
	AUTO_QUERY q = query_start(s, SQL_REVOCATION_SAVE, NULL);

	query_bind_word(&q, "reason", revoke_reason_name(r->reason));
	query_bind_when(&q, "next_try", r->next_try);
	query_bind_int(&q, "tries", r->tries);
	query_bind_when(&q, "revoked_at", r->revoked_at);
	query_bind_text(&q, "error", r->error);
	query_bind_int(&q, "certificate_id", r->certificate_id);
	return query_write_one(&q, "revocation");
}

enum err
store_revocations_next(struct store *s, int64_t ca_id, struct when now, struct when *ret)
{
	AUTO_QUERY q = query_start(s, SQL_REVOCATIONS_NEXT, NULL);
	struct when at = WHEN_UNKNOWN;

	query_bind_int(&q, "ca_id", ca_id);
	query_bind_when(&q, "now", now);
	if (query_row(&q))
		at = query_when(&q, "at");
	enum err e = query_finish(&q);
	if (e == ERR_OK)
		*ret = when_is_known(at) ? at : WHEN_NEVER;
	return e;
}

enum err
store_revocations_waiting(struct store *s, int64_t site_id, int64_t *ret)
{
	AUTO_QUERY q = query_start(s, SQL_REVOCATIONS_WAITING, NULL);
	int64_t n = 0;

	query_bind_int(&q, "site_id", site_id);
	if (query_row(&q))
		n = query_int(&q, "n", 0, INT64_MAX);
	enum err e = query_finish(&q);
	if (e == ERR_OK)
		*ret = n;
	return e;
}

enum err
store_empty_log(struct store *s)
{
	/* Whoever reads for longer is not waited for: it can be asked again. */
	int busy_ms = s->busy_ms;
	s->busy_ms = EMPTY_LOG_MS;
	AUTO_QUERY q = query_start(s, SQL_LOG_EMPTY, NULL);
	bool is_busy = query_row(&q) && sqlite3_column_int(q.st, 0) != 0;
	enum err e = query_finish(&q);

	s->busy_ms = busy_ms;
	return e == ERR_OK && is_busy ? query_fail(s, ERR_BUSY, "somebody reads the store: its log is emptied later") : e;
}
