#include "base/limits.h"
#include "ports/store/passkeys.h"
#include "ports/store/query.h"

static void
read_passkey(struct query *q, struct passkey_row *ret)
{
	ret->id = query_id(q, "id");
	ret->person_id = query_id(q, "person_id");
	ret->credential = query_text(q, "credential");
	ret->algorithm = (int)query_int(q, "algorithm", INT16_MIN, INT16_MAX);
	ret->key = query_text(q, "key");
	ret->count = (uint32_t)query_int(q, "count", 0, UINT32_MAX);
	ret->name = query_text(q, "name");
	ret->created = query_when(q, "created");
	ret->used = query_when(q, "used");
}

enum err
store_passkey_put(struct store *s, const struct passkey_row *r, int64_t *ret_id)
{
	AUTO_QUERY q = query_start(s, SQL_PASSKEY_PUT, NULL);
	int64_t id = 0;

	query_bind_int(&q, "person_id", r->person_id);
	query_bind_blob(&q, "credential", r->credential.p, r->credential.n);
	query_bind_int(&q, "algorithm", r->algorithm);
	query_bind_blob(&q, "key", r->key.p, r->key.n);
	query_bind_int(&q, "count", r->count);
	query_bind_text(&q, "name", r->name);
	query_bind_when(&q, "created", r->created);
	if (query_row(&q))
		id = query_id(&q, "id");
	enum err e = query_finish(&q);
	if (e == ERR_OK && id == 0)
		return query_fail(s, ERR_EXISTS, "somebody has this passkey");
	if (e == ERR_OK)
		*ret_id = id;
	return e;
}

enum err
store_passkey_find(struct store *s, struct str credential, struct arena *a, struct passkey_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_PASSKEY_FIND, a);
	struct passkey_row r = { 0 };

	query_bind_blob(&q, "credential", credential.p, credential.n);
	if (query_row(&q))
		read_passkey(&q, &r);
	enum err e = query_finish(&q);
	if (e == ERR_OK && r.id == 0)
		return query_fail(s, ERR_NOT_FOUND, "there is no such passkey");
	if (e == ERR_OK)
		*ret = r;
	return e;
}

enum err
store_passkeys_of(struct store *s, int64_t person_id, struct arena *a, struct passkey_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_PASSKEYS_OF, a);
	struct passkey_row *rows = NULL;
	size_t n = 0;

	query_bind_int(&q, "person_id", person_id);
	query_bind_int(&q, "max", LIMIT_PASSKEYS);
	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		read_passkey(&q, &rows[n++]);
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_passkey_used(struct store *s, int64_t id, uint32_t count, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_PASSKEY_USED, NULL);

	query_bind_int(&q, "count", count);
	query_bind_when(&q, "now", now);
	query_bind_int(&q, "id", id);
	return query_write_one(&q, "passkey");
}

enum err
store_passkey_remove(struct store *s, int64_t id, int64_t person_id)
{
	AUTO_QUERY q = query_start(s, SQL_PASSKEY_REMOVE, NULL);

	query_bind_int(&q, "id", id);
	query_bind_int(&q, "person_id", person_id);
	return query_write_one(&q, "passkey");
}

static enum err
drop_old(struct store *s, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_CHALLENGES_OLD, NULL);

	query_bind_when(&q, "now", now);
	return query_write(&q);
}

enum err
store_challenge_put(struct store *s, const struct digest *d, int64_t session_id, struct when now, struct when ends_at)
{
	struct bracket b;
	enum err e = bracket_begin(s, false, &b);

	if (e != ERR_OK)
		return e;
	e = drop_old(s, now);
	if (e == ERR_OK) {
		AUTO_QUERY q = query_start(s, SQL_CHALLENGE_PUT, NULL);

		query_bind_blob(&q, "digest", d->bytes, sizeof d->bytes);
		query_bind_id(&q, "session_id", session_id);
		query_bind_when(&q, "ends_at", ends_at);
		e = query_write(&q);
	}
	return bracket_end(s, &b, e);
}

enum err
store_challenge_take(struct store *s, const struct digest *d, int64_t session_id, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_CHALLENGE_TAKE, NULL);

	query_bind_blob(&q, "digest", d->bytes, sizeof d->bytes);
	query_bind_int(&q, "session_id", session_id);
	query_bind_when(&q, "now", now);
	return query_write_one(&q, "challenge");
}
