#include "base/limits.h"
#include "ports/store/invitations.h"
#include "ports/store/query.h"

static void
read_invitation(struct query *q, struct invitation_row *ret)
{
	ret->id = query_id(q, "id");
	ret->owner_id = query_id(q, "owner_id");
	struct str role = query_word(q, "role");
	if (!role_of_name(role, &ret->role))
		query_corrupt(q, "role", role);
	ret->mail = query_text(q, "mail");
	ret->name = query_text(q, "name");
	ret->lang = query_text(q, "lang");
	ret->by = query_text(q, "by");
	ret->created = query_when(q, "created");
	ret->ends_at = query_when(q, "ends_at");
}

static enum err
drop_old(struct store *s, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_INVITATIONS_OLD, NULL);

	query_bind_when(&q, "now", now);
	return query_write(&q);
}

enum err
store_invitation_put(struct store *s, const struct invitation_row *r, int64_t *ret_id)
{
	struct bracket b;
	enum err e = bracket_begin(s, false, &b);

	if (e != ERR_OK)
		return e;
	e = drop_old(s, r->created);
	if (e == ERR_OK) {
		AUTO_QUERY q = query_start(s, SQL_INVITATION_PUT, NULL);

		query_bind_id(&q, "owner_id", r->owner_id);
		query_bind_word(&q, "role", role_name(r->role));
		query_bind_text(&q, "mail", r->mail);
		query_bind_text(&q, "name", r->name);
		query_bind_text(&q, "lang", r->lang);
		query_bind_text(&q, "by", r->by);
		query_bind_when(&q, "created", r->created);
		query_bind_when(&q, "ends_at", r->ends_at);
		if (query_row(&q))
			*ret_id = query_id(&q, "id");
		e = query_finish(&q);
	}
	return bracket_end(s, &b, e);
}

static enum err
one_invitation(struct query *q, struct invitation_row *ret)
{
	struct store *s = q->s;
	struct invitation_row r = { 0 };

	if (query_row(q))
		read_invitation(q, &r);
	enum err e = query_found(s, query_finish(q), r.id != 0, "invitation");
	if (e == ERR_OK)
		*ret = r;
	return e;
}

enum err
store_invitation_find(struct store *s, const struct digest *d, struct arena *a, struct invitation_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_INVITATION_FIND, a);

	query_bind_blob(&q, "digest", d->bytes, sizeof d->bytes);
	return one_invitation(&q, ret);
}

enum err
store_invitation_load(struct store *s, int64_t id, struct arena *a, struct invitation_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_INVITATION_LOAD, a);

	query_bind_int(&q, "id", id);
	return one_invitation(&q, ret);
}

enum err
store_invitations(struct store *s, int64_t owner_id, struct when now, struct arena *a, struct invitation_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, owner_id == 0 ? SQL_INVITATIONS : SQL_INVITATIONS_OF, a);
	struct invitation_row *rows = NULL;
	size_t n = 0;

	if (owner_id != 0)
		query_bind_int(&q, "owner_id", owner_id);
	query_bind_when(&q, "now", now);
	query_bind_int(&q, "max", LIMIT_PAGE_ROWS);
	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		read_invitation(&q, &rows[n++]);
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_invitation_set_link(struct store *s, int64_t id, const struct digest *d)
{
	AUTO_QUERY q = query_start(s, SQL_INVITATION_DIGEST, NULL);

	query_bind_blob(&q, "digest", d->bytes, sizeof d->bytes);
	query_bind_int(&q, "id", id);
	return query_write_one(&q, "invitation");
}

enum err
store_invitation_remove(struct store *s, int64_t id)
{
	AUTO_QUERY q = query_start(s, SQL_INVITATION_REMOVE, NULL);

	query_bind_int(&q, "id", id);
	return query_write_one(&q, "invitation");
}

enum err
store_letter_access_put(struct store *s, struct str letter_key, const struct letter_access *l)
{
	AUTO_QUERY q = query_start(s, SQL_LETTER_ACCESS_PUT, NULL);

	query_bind_text(&q, "letter_key", letter_key);
	query_bind_text(&q, "lang", l->lang);
	query_bind_id(&q, "person_id", l->person_id);
	query_bind_id(&q, "invitation_id", l->invitation_id);
	return query_write(&q);
}

enum err
store_letter_access_load(struct store *s, struct str letter_key, struct arena *a, struct letter_access *ret)
{
	AUTO_QUERY q = query_start(s, SQL_LETTER_ACCESS_LOAD, a);
	struct letter_access l = { .lang = STR_NONE };

	query_bind_text(&q, "letter_key", letter_key);
	if (query_row(&q)) {
		l.lang = query_text(&q, "lang");
		l.person_id = query_id(&q, "person_id");
		l.invitation_id = query_id(&q, "invitation_id");
	}
	enum err e = query_found(s, query_finish(&q), l.lang.n > 0, "letter");
	if (e == ERR_OK)
		*ret = l;
	return e;
}
