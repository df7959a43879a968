#include "ports/store/clock.h"
#include "ports/store/query.h"

/* --- owners --- */

static enum err
owner_id(struct store *s, struct str mail, int64_t *ret)
{
	AUTO_QUERY q = query_start(s, SQL_OWNER_ID, NULL);

	query_bind_text(&q, "mail", mail);
	if (query_row(&q))
		*ret = query_id(&q, "id");
	return query_finish(&q);
}

static enum err
insert_owner(struct store *s, const struct owner_row *o, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_OWNER_PUT, NULL);

	query_bind_text(&q, "mail", o->mail);
	query_bind_text(&q, "lang", o->lang);
	query_bind_when(&q, "created", now);
	return query_write(&q);
}

enum err
store_owner_put(struct store *s, const struct owner_row *o, struct when now, int64_t *ret_id)
{
	struct bracket b;
	int64_t id = 0;

	if (o->mail.n == 0)
		return query_fail(s, ERR_INVALID, "an owner needs a mail address");
	if (o->lang.n != 0 && !str_eq(o->lang, STR("ja")) && !str_eq(o->lang, STR("en")))
		return query_fail(s, ERR_INVALID, "a language is ja or en");
	enum err e = bracket_begin(s, false, &b);
	if (e != ERR_OK)
		return e;
	e = owner_id(s, o->mail, &id);
	if (e == ERR_OK && id == 0) {
		e = insert_owner(s, o, now);
		id = sqlite3_last_insert_rowid(s->db);
	}
	e = bracket_end(s, &b, e);
	if (e == ERR_OK)
		*ret_id = id;
	return e;
}

enum err
store_owner_load(struct store *s, int64_t id, struct arena *a, struct owner_row *ret)
{
	AUTO_QUERY q = query_start(s, SQL_OWNER_LOAD, a);
	struct owner_row o = { 0 };

	query_bind_int(&q, "id", id);
	if (query_row(&q)) {
		o.id = query_id(&q, "id");
		o.mail = query_text(&q, "mail");
		o.lang = query_text(&q, "lang");
	}
	enum err e = query_finish(&q);
	if (e == ERR_OK && o.id == 0)
		return query_fail(s, ERR_NOT_FOUND, "there is no owner %lld", (long long)id);
	if (e == ERR_OK)
		*ret = o;
	return e;
}

enum err
store_site_owner(struct store *s, int64_t site_id, int64_t *ret_owner_id)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_OWNER, NULL);
	int64_t id = 0;

	query_bind_int(&q, "id", site_id);
	if (query_row(&q))
		id = query_id(&q, "owner_id");
	enum err e = query_finish(&q);
	if (e == ERR_OK && id == 0)
		return query_fail(s, ERR_NOT_FOUND, "there is no site %lld", (long long)site_id);
	if (e == ERR_OK)
		*ret_owner_id = id;
	return e;
}

/* --- names --- */

static enum err
find_name(struct store *s, struct str name, int64_t *ret_site)
{
	AUTO_QUERY q = query_start(s, SQL_NAME_FIND, NULL);

	query_bind_text(&q, "name", name);
	if (query_row(&q))
		*ret_site = query_id(&q, "site_id");
	return query_finish(&q);
}

/* Nothing is written while a name is wrong or another site has it; inside the transaction nobody can take it after. */
static enum err
judge_names(
    struct store *s, int64_t site_id, const struct str *names, size_t n, int64_t *ret_other)
{
	if (n == 0 || n > LIMIT_SITE_NAMES)
		return query_fail(s, n == 0 ? ERR_INVALID : ERR_TOO_LONG,
		    "a site has 1 to %d names", LIMIT_SITE_NAMES);
	for (size_t i = 0; i < n; i++) {
		int64_t other = 0;

		if (names[i].n == 0 || names[i].n > LIMIT_NAME_BYTES)
			return query_fail(s, names[i].n == 0 ? ERR_INVALID : ERR_TOO_LONG,
			    "a name has 1 to %d bytes", LIMIT_NAME_BYTES);
		for (size_t k = 0; k < i; k++)
			if (str_eq(names[i], names[k]))
				return query_fail(s, ERR_INVALID,
				    "the name %.*s is there twice", STR_ARG(names[i]));
		enum err e = find_name(s, names[i], &other);
		if (e != ERR_OK)
			return e;
		if (other != 0 && other != site_id) {
			*ret_other = other;
			return query_fail(s, ERR_EXISTS, "the name %.*s is in site %lld",
			    STR_ARG(names[i]), (long long)other);
		}
	}
	return ERR_OK;
}

static enum err
put_name(struct store *s, int64_t site_id, struct str name, size_t position, bool is_taken)
{
	AUTO_QUERY q = query_start(s, SQL_NAME_PUT, NULL);

	query_bind_int(&q, "site_id", site_id);
	query_bind_text(&q, "name", name);
	query_bind_int(&q, "position", (int64_t)position);
	query_bind_int(&q, "is_taken", is_taken);
	return query_write(&q);
}

static enum err
put_all_names(
    struct store *s, int64_t site_id, const struct str *names, size_t n, bool is_taken)
{
	AUTO_QUERY q = query_start(s, SQL_NAMES_UNWANTED, NULL);

	query_bind_int(&q, "site_id", site_id);
	enum err e = query_write(&q);
	for (size_t i = 0; i < n && e == ERR_OK; i++)
		e = put_name(s, site_id, names[i], i, is_taken);
	return e;
}

static enum err
is_removed(struct store *s, int64_t site_id, bool *ret)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_IS_REMOVED, NULL);
	bool is_found = false;

	query_bind_int(&q, "id", site_id);
	if (query_row(&q)) {
		is_found = true;
		*ret = query_bool(&q, "is_removed");
	}
	enum err e = query_finish(&q);
	if (e == ERR_OK && !is_found)
		return query_fail(
		    s, ERR_NOT_FOUND, "there is no site %lld", (long long)site_id);
	return e;
}

enum err
store_names_put(struct store *s, int64_t site_id, const struct str *names, size_t names_n)
{
	struct bracket b;
	bool removed = false;
	int64_t other;
	enum err e = bracket_begin(s, false, &b);

	if (e != ERR_OK)
		return e;
	e = is_removed(s, site_id, &removed);
	if (e == ERR_OK)
		e = judge_names(s, site_id, names, names_n, &other);
	if (e == ERR_OK)
		e = put_all_names(s, site_id, names, names_n, !removed);
	if (e == ERR_OK && !removed)
		e = listing_put(s, site_id, names, names_n, SITE_STANDING_PROGRESS);
	return bracket_end(s, &b, e);
}

/* --- sites --- */

static void
bind_setting(struct query *q, const struct setting *g)
{
	query_bind_word(q, "source", source_name(g->source));
	query_bind_word(q, "coverage", coverage_name(g->coverage));
	query_bind_word(q, "key_type", key_type_name(g->key_type));
	query_bind_int(q, "redirect", g->redirect);
	query_bind_int(q, "hsts", g->hsts);
	query_bind_int(q, "takeover", g->takeover);
	query_bind_text(q, "root", g->root);
	query_bind_text(q, "proxy", g->proxy);
	query_bind_text(q, "profile", g->profile);
}

static enum err
put_setting(struct store *s, int64_t site_id, const struct setting *setting)
{
	AUTO_QUERY q = query_start(s, SQL_SETTING_PUT, NULL);

	query_bind_int(&q, "site_id", site_id);
	bind_setting(&q, setting);
	return query_write(&q);
}

static enum err
insert_site(struct store *s, int64_t owner_id, struct when now, int64_t *ret_id)
{
	struct store_clock clock;
	enum err e = store_clock(s, &clock);

	if (e != ERR_OK)
		return e;
	AUTO_QUERY q = query_start(s, SQL_SITE_PUT, NULL);
	query_bind_int(&q, "owner_id", owner_id);
	query_bind_when(&q, "now", now);
	query_bind_int(&q, "clock_s", clock.set.s);
	e = query_write(&q);
	*ret_id = sqlite3_last_insert_rowid(s->db);
	return e;
}

enum err
store_site_add(struct store *s, int64_t owner, const struct setting *setting,
    const struct str *names, size_t names_n, struct when now, int64_t *ret_id,
    int64_t *ret_other)
{
	struct bracket b;
	int64_t id = 0, other = 0;
	enum err e = bracket_begin(s, false, &b);

	if (e != ERR_OK)
		return e;
	e = judge_names(s, 0, names, names_n, &other);
	if (e == ERR_OK)
		e = insert_site(s, owner, now, &id);
	if (e == ERR_OK)
		e = put_setting(s, id, setting);
	if (e == ERR_OK)
		e = put_all_names(s, id, names, names_n, true);
	if (e == ERR_OK)
		e = listing_put(s, id, names, names_n,
		    setting->source == SOURCE_FREE ? SITE_STANDING_PROGRESS : SITE_STANDING_FINE);
	e = bracket_end(s, &b, e);
	if (e == ERR_OK)
		*ret_id = id;
	if (e == ERR_EXISTS && ret_other != NULL)
		*ret_other = other;
	return e;
}

enum err
store_site_find(struct store *s, struct str name, int64_t *ret_id)
{
	int64_t id = 0;
	enum err e = find_name(s, name, &id);

	if (e == ERR_OK && id == 0)
		return query_fail(s, ERR_NOT_FOUND, "no site has the name %.*s",
		    (int)(name.n < 256 ? name.n : 256), name.n == 0 ? "" : name.p);
	if (e == ERR_OK)
		*ret_id = id;
	return e;
}

static enum err
wake_at_once(struct store *s, int64_t site_id)
{
	AUTO_QUERY q = query_start(s, SQL_SITE_WAKE_AT_ONCE, NULL);

	query_bind_int(&q, "id", site_id);
	return query_write(&q);
}

enum err
store_setting_put(struct store *s, int64_t site_id, const struct setting *setting)
{
	struct bracket b;
	bool removed = false;
	enum err e = bracket_begin(s, false, &b);

	if (e != ERR_OK)
		return e;
	e = is_removed(s, site_id, &removed);
	if (e == ERR_OK)
		e = put_setting(s, site_id, setting);
	if (e == ERR_OK && setting->source != SOURCE_NONE && !removed)
		e = wake_at_once(s, site_id);
	return bracket_end(s, &b, e);
}

enum err
store_draft_put(struct store *s, int64_t site_id, const struct draft *d)
{
	if (!d->exists)
		return store_draft_discard(s, site_id);
	AUTO_QUERY q = query_start(s, SQL_DRAFT_PUT, NULL);
	query_bind_int(&q, "site_id", site_id);
	bind_setting(&q, &d->setting);
	query_bind_when(&q, "begun_at", d->begun_at);
	query_bind_text(&q, "begun_by", d->begun_by);
	query_bind_when(&q, "told_at", d->told_at);
	query_bind_int(&q, "has_csr", d->has_csr);
	return query_write(&q);
}

/* --- given up --- */

enum err
store_given_up_put(struct store *s, int64_t site_id, const struct given_up *g)
{
	AUTO_QUERY q = query_start(s, SQL_GIVEN_UP_PUT, NULL);

	query_bind_int(&q, "site_id", site_id);
	query_bind_when(&q, "at", g->at);
	query_bind_text(&q, "by", g->by);
	query_bind_int(&q, "is_suspended", g->is_suspended);
	query_bind_int(&q, "redirect", g->redirect);
	query_bind_int(&q, "hsts", g->hsts);
	return query_write(&q);
}

enum err
store_given_up_drop(struct store *s, int64_t site_id)
{
	AUTO_QUERY q = query_start(s, SQL_GIVEN_UP_DROP, NULL);

	query_bind_int(&q, "site_id", site_id);
	return query_write(&q);
}
