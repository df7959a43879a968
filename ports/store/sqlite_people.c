#include <string.h>
#include "base/limits.h"
#include "ports/store/people.h"
#include "ports/store/query.h"

/* --- persons --- */

static void
read_person(struct query *q, struct person_row *ret)
{
	ret->id = query_id(q, "id");
	ret->owner_id = query_id(q, "owner_id");
	ret->mail = query_text(q, "mail");
	ret->name = query_text(q, "name");
	ret->lang = query_text(q, "lang");
	struct str role = query_word(q, "role");
	if (!role_of_name(role, &ret->role))
		query_corrupt(q, "role", role);
	ret->password = query_text(q, "password");
	ret->created = query_when(q, "created");
	ret->has_codes = query_bool(q, "has_codes");
}

enum err
store_person_put(struct store *s, const struct person_row *p, int64_t *ret_id)
{
	AUTO_QUERY q = query_start(s, SQL_PERSON_PUT, NULL);
	int64_t id = 0;

	query_bind_id(&q, "owner_id", p->owner_id);
	query_bind_text(&q, "mail", p->mail);
	query_bind_text(&q, "name", p->name);
	query_bind_text(&q, "lang", p->lang);
	query_bind_word(&q, "role", role_name(p->role));
	query_bind_when(&q, "created", p->created);
	if (query_row(&q))
		id = query_id(&q, "id");
	enum err e = query_finish(&q);
	if (e == ERR_OK && id == 0)
		return query_fail(s, ERR_EXISTS, "somebody has this mail address");
	if (e == ERR_OK)
		*ret_id = id;
	return e;
}

static enum err
one_person(struct query *q, struct person_row *ret)
{
	struct store *s = q->s;
	struct person_row p = { 0 };

	if (query_row(q))
		read_person(q, &p);
	enum err e = query_found(s, query_finish(q), p.id != 0, "person");
	if (e == ERR_OK)
		*ret = p;
	return e;
}

enum err
store_person_find(struct store *s, struct str mail, struct arena *a, struct person_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_PERSON_FIND, a);

	query_bind_text(&q, "mail", mail);
	return one_person(&q, ret);
}

enum err
store_person_load(struct store *s, int64_t id, struct arena *a, struct person_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_PERSON_LOAD, a);

	query_bind_int(&q, "id", id);
	return one_person(&q, ret);
}

/* All rows of a statement, each read by `read`, into one array of the arena. */
static enum err
read_rows(struct query *q, size_t size, void (*read)(struct query *q, void *row), void **ret,
    size_t *ret_n)
{
	char *rows = NULL;
	size_t n = 0;

	while (query_row(q)) {
		rows = query_grow(q, rows, n, size);
		if (rows == NULL)
			break;
		read(q, rows + n++ * size);
	}
	enum err e = query_finish(q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

static void
read_person_row(struct query *q, void *row)
{
	read_person(q, row);
}

enum err
store_people(struct store *s, int64_t after_id, size_t max, struct arena *a,
    struct person_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_PEOPLE, a);
	void *rows;

	query_bind_int(&q, "after_id", after_id);
	query_bind_int(&q, "max", (int64_t)max);
	enum err e = read_rows(&q, sizeof **ret, read_person_row, &rows, ret_n);
	if (e == ERR_OK)
		*ret = rows;
	return e;
}

enum err
store_people_of(struct store *s, int64_t owner_id, int64_t after_id, size_t max, struct arena *a,
    struct person_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_PEOPLE_OF, a);
	void *rows;

	query_bind_int(&q, "owner_id", owner_id);
	query_bind_int(&q, "after_id", after_id);
	query_bind_int(&q, "max", (int64_t)max);
	enum err e = read_rows(&q, sizeof **ret, read_person_row, &rows, ret_n);
	if (e == ERR_OK)
		*ret = rows;
	return e;
}

enum err
store_person_change(struct store *s, const struct person_row *p)
{
	AUTO_QUERY q = query_start(s, SQL_PERSON_CHANGE, NULL);

	query_bind_id(&q, "owner_id", p->owner_id);
	query_bind_text(&q, "mail", p->mail);
	query_bind_text(&q, "name", p->name);
	query_bind_text(&q, "lang", p->lang);
	query_bind_word(&q, "role", role_name(p->role));
	query_bind_int(&q, "id", p->id);
	enum err e = query_write(&q);
	return e == ERR_OK && sqlite3_changes(s->db) == 0
		   ? query_fail(s, ERR_EXISTS, "somebody else has this mail address")
		   : e;
}

enum err
store_person_set_password(struct store *s, int64_t id, struct str password)
{
	AUTO_QUERY q = query_start(s, SQL_PERSON_PASSWORD, NULL);

	query_bind_text(&q, "password", password);
	query_bind_int(&q, "id", id);
	return query_write_one(&q, "person");
}

enum err
store_person_remove(struct store *s, int64_t id)
{
	AUTO_QUERY q = query_start(s, SQL_PERSON_REMOVE, NULL);

	query_bind_int(&q, "id", id);
	return query_write_one(&q, "person");
}

/* --- sessions --- */

static void
bind_digest(struct query *q, const struct digest *d)
{
	query_bind_blob(q, "digest", d->bytes, sizeof d->bytes);
}

static void
read_session(struct query *q, void *row)
{
	struct session_row *ret = row;

	ret->id = query_id(q, "id");
	ret->person_id = query_id(q, "person_id");
	ret->begun = query_when(q, "begun");
	ret->used = query_when(q, "used");
	ret->address = query_text(q, "address");
	ret->agent = query_text(q, "agent");
	ret->is_by_link = query_bool(q, "is_by_link");
}

enum err
store_session_put(
    struct store *s, const struct session_row *r, const struct digest *d, int64_t *ret_id)
{
	AUTO_QUERY q = query_start(s, SQL_SESSION_PUT, NULL);

	query_bind_int(&q, "person_id", r->person_id);
	bind_digest(&q, d);
	query_bind_when(&q, "now", r->begun);
	query_bind_text(&q, "address", r->address);
	query_bind_text(&q, "agent", r->agent);
	query_bind_int(&q, "is_by_link", r->is_by_link);
	if (query_row(&q))
		*ret_id = query_id(&q, "id");
	return query_finish(&q);
}

enum err
store_session_find(
    struct store *s, const struct digest *d, struct arena *a, struct session_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_SESSION_FIND, a);
	struct session_row r = { 0 };

	bind_digest(&q, d);
	if (query_row(&q))
		read_session(&q, &r);
	enum err e = query_found(s, query_finish(&q), r.id != 0, "session");
	if (e == ERR_OK)
		*ret = r;
	return e;
}

enum err
store_sessions_of(struct store *s, int64_t person_id, struct arena *a, struct session_row **ret,
    size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_SESSIONS_OF, a);
	void *rows;

	query_bind_int(&q, "person_id", person_id);
	query_bind_int(&q, "max", LIMIT_PAGE_ROWS);
	enum err e = read_rows(&q, sizeof **ret, read_session, &rows, ret_n);
	if (e == ERR_OK)
		*ret = rows;
	return e;
}

enum err
store_session_used(struct store *s, int64_t id, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_SESSION_USED, NULL);

	query_bind_when(&q, "now", now);
	query_bind_int(&q, "id", id);
	return query_write(&q);
}

enum err
store_session_remove(struct store *s, int64_t id, int64_t person_id)
{
	AUTO_QUERY q = query_start(s, SQL_SESSION_REMOVE, NULL);

	query_bind_int(&q, "id", id);
	query_bind_int(&q, "person_id", person_id);
	return query_write_one(&q, "session");
}

enum err
store_sessions_remove(struct store *s, int64_t person_id, int64_t except_id)
{
	AUTO_QUERY q = query_start(s, SQL_SESSIONS_REMOVE, NULL);

	query_bind_int(&q, "person_id", person_id);
	query_bind_int(&q, "except_id", except_id);
	return query_write(&q);
}

/* --- devices, tries, links --- */

enum err
store_device_put(struct store *s, const struct digest *d, int64_t person_id, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_DEVICE_PUT, NULL);

	bind_digest(&q, d);
	query_bind_int(&q, "person_id", person_id);
	query_bind_when(&q, "now", now);
	return query_write(&q);
}

enum err
store_device_is_known(struct store *s, const struct digest *d, int64_t person_id, bool *ret)
{
	AUTO_QUERY q = query_start(s, SQL_DEVICE_IS_KNOWN, NULL);

	bind_digest(&q, d);
	query_bind_int(&q, "person_id", person_id);
	*ret = query_row(&q);
	if (*ret)
		query_skip(&q, 1);
	return query_finish(&q);
}

enum err
store_attempts(struct store *s, struct str subject, struct attempts *ret)
{
	AUTO_QUERY q = query_start(s, SQL_ATTEMPTS_OF, NULL);

	*ret = (struct attempts){ 0, WHEN_UNKNOWN };
	query_bind_text(&q, "subject", subject);
	if (query_row(&q)) {
		ret->counted = (unsigned)query_int(&q, "failures", 0, INT32_MAX);
		ret->last = query_when(&q, "failed_at");
	}
	return query_finish(&q);
}

static enum err
drop_before(struct store *s, enum sql id, const char *name, struct when when)
{
	AUTO_QUERY q = query_start(s, id, NULL);

	query_bind_when(&q, name, when);
	return query_write(&q);
}

enum err
store_attempt_put(struct store *s, struct str subject, struct when now)
{
	struct bracket b;
	enum err e = bracket_begin(s, false, &b);

	if (e != ERR_OK)
		return e;
	e = drop_before(s, SQL_ATTEMPTS_OLD, "before", when_minus(now, SPAN_D(1)));
	if (e == ERR_OK) {
		AUTO_QUERY q = query_start(s, SQL_ATTEMPT_PUT, NULL);

		query_bind_text(&q, "subject", subject);
		query_bind_when(&q, "now", now);
		e = query_write(&q);
	}
	return bracket_end(s, &b, e);
}

enum err
store_attempt_forgive(struct store *s, struct str subject)
{
	AUTO_QUERY q = query_start(s, SQL_ATTEMPT_FORGIVE, NULL);

	query_bind_text(&q, "subject", subject);
	return query_write(&q);
}

enum err
store_attempts_forget(struct store *s, struct str subject)
{
	AUTO_QUERY q = query_start(s, SQL_ATTEMPTS_FORGET, NULL);

	query_bind_text(&q, "subject", subject);
	return query_write(&q);
}

enum err
store_link_put(struct store *s, const struct digest *d, int64_t person_id, struct when now,
    struct when ends_at)
{
	struct bracket b;
	enum err e = bracket_begin(s, false, &b);

	if (e != ERR_OK)
		return e;
	e = drop_before(s, SQL_LINKS_OLD, "now", now);
	if (e == ERR_OK) {
		AUTO_QUERY q = query_start(s, SQL_LINK_PUT, NULL);

		bind_digest(&q, d);
		query_bind_int(&q, "person_id", person_id);
		query_bind_when(&q, "ends_at", ends_at);
		e = query_write(&q);
	}
	return bracket_end(s, &b, e);
}

enum err
store_link_find(
    struct store *s, const struct digest *d, int64_t *ret_person_id, struct when *ret_ends_at)
{
	AUTO_QUERY q = query_start(s, SQL_LINK_FIND, NULL);
	bool is_there;

	bind_digest(&q, d);
	is_there = query_row(&q);
	if (is_there) {
		*ret_person_id = query_id(&q, "person_id");
		*ret_ends_at = query_when(&q, "ends_at");
	}
	return query_found(s, query_finish(&q), is_there, "link");
}

enum err
store_link_take(struct store *s, const struct digest *d)
{
	AUTO_QUERY q = query_start(s, SQL_LINK_TAKE, NULL);

	bind_digest(&q, d);
	return query_write_one(&q, "link");
}

/* --- tokens --- */

static void
read_token(struct query *q, void *row)
{
	struct api_token_row *ret = row;

	ret->id = query_id(q, "id");
	ret->person_id = query_id(q, "person_id");
	ret->name = query_text(q, "name");
	ret->scopes = query_text(q, "scopes");
	ret->created = query_when(q, "created");
	ret->used = query_when(q, "used");
	ret->ends_at = query_when(q, "ends_at");
}

enum err
store_api_token_put(
    struct store *s, const struct api_token_row *r, const struct digest *d, int64_t *ret_id)
{
	AUTO_QUERY q = query_start(s, SQL_API_TOKEN_PUT, NULL);

	query_bind_int(&q, "person_id", r->person_id);
	bind_digest(&q, d);
	query_bind_text(&q, "name", r->name);
	query_bind_text(&q, "scopes", r->scopes);
	query_bind_when(&q, "now", r->created);
	query_bind_when(&q, "ends_at", r->ends_at);
	if (query_row(&q))
		*ret_id = query_id(&q, "id");
	return query_finish(&q);
}

enum err
store_api_token_find(
    struct store *s, const struct digest *d, struct arena *a, struct api_token_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_API_TOKEN_FIND, a);
	struct api_token_row r = { 0 };

	bind_digest(&q, d);
	if (query_row(&q))
		read_token(&q, &r);
	enum err e = query_found(s, query_finish(&q), r.id != 0, "token");
	if (e == ERR_OK)
		*ret = r;
	return e;
}

enum err
store_api_tokens_of(struct store *s, int64_t person_id, struct arena *a,
    struct api_token_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_API_TOKENS_OF, a);
	void *rows;

	query_bind_int(&q, "person_id", person_id);
	query_bind_int(&q, "max", LIMIT_PAGE_ROWS);
	enum err e = read_rows(&q, sizeof **ret, read_token, &rows, ret_n);
	if (e == ERR_OK)
		*ret = rows;
	return e;
}

enum err
store_api_token_used(struct store *s, int64_t id, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_API_TOKEN_USED, NULL);

	query_bind_when(&q, "now", now);
	query_bind_int(&q, "id", id);
	return query_write(&q);
}

enum err
store_api_token_remove(struct store *s, int64_t id, int64_t person_id)
{
	AUTO_QUERY q = query_start(s, SQL_API_TOKEN_REMOVE, NULL);

	query_bind_int(&q, "id", id);
	query_bind_int(&q, "person_id", person_id);
	return query_write_one(&q, "token");
}

/* --- audit --- */

enum err
store_audit_put(struct store *s, const struct audit_row *r)
{
	AUTO_QUERY q = query_start(s, SQL_AUDIT_PUT, NULL);

	query_bind_when(&q, "at", r->at);
	query_bind_text(&q, "who", r->who);
	query_bind_text(&q, "role", r->role);
	query_bind_text(&q, "address", r->address);
	query_bind_text(&q, "action", r->action);
	query_bind_text(&q, "object", r->object);
	query_bind_text(&q, "detail", r->detail);
	return query_write(&q);
}

const struct audit_row *
store_audit_set(struct store *s, const struct audit_row *r)
{
	const struct audit_row *before = s->audit;

	s->audit = r;
	return before;
}

static void
read_audit(struct query *q, void *row)
{
	struct audit_row *ret = row;

	ret->id = query_id(q, "id");
	ret->at = query_when(q, "at");
	ret->who = query_text(q, "who");
	ret->role = query_text(q, "role");
	ret->address = query_text(q, "address");
	ret->action = query_text(q, "action");
	ret->object = query_text(q, "object");
	ret->detail = query_text(q, "detail");
}

/* In the order of the first appearance of each parameter. */
static void
bind_filter(struct query *q, enum sql id, const struct audit_filter *f)
{
	if (id == SQL_AUDIT_OBJECT) {
		query_bind_text(q, "object", f->object);
		query_bind_text(q, "other", f->other);
	}
	if (id == SQL_AUDIT_WHO)
		query_bind_text(q, "who", f->who);
	if (id == SQL_AUDIT_ACTION)
		query_bind_text(q, "action", f->action);
	query_bind_int(q, "before_id", f->before_id == 0 ? INT64_MAX : f->before_id);
	if (id == SQL_AUDIT_OBJECT)
		query_bind_text(q, "who", f->who);
	if (id == SQL_AUDIT_OBJECT || id == SQL_AUDIT_WHO)
		query_bind_text(q, "action", f->action);
}

enum err
store_audit(struct store *s, const struct audit_filter *f, size_t max, struct arena *a,
    struct audit_row **ret, size_t *ret_n)
{
	enum sql id = f->object.n > 0	? SQL_AUDIT_OBJECT
		      : f->who.n > 0	? SQL_AUDIT_WHO
		      : f->action.n > 0 ? SQL_AUDIT_ACTION
					: SQL_AUDIT;
	AUTO_QUERY q = query_start(s, id, a);
	void *rows;

	bind_filter(&q, id, f);
	query_bind_int(&q, "max", (int64_t)max);
	enum err e = read_rows(&q, sizeof **ret, read_audit, &rows, ret_n);
	if (e == ERR_OK)
		*ret = rows;
	return e;
}
