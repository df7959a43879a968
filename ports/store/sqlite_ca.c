/* CAs: their accounts, what their directories say, breakers, rollovers and rehearsals; and tokens. */
#include "core/site_ca.h"
#include "ports/store/query.h"

enum { TOKEN_DAYS = 7 }; /* no CA asks for a challenge after its authorization has ended */

static enum err
ca_id(struct store *s, struct str name, int64_t *ret)
{
	AUTO_QUERY q = query_start(s, SQL_CA_ID, NULL);

	query_bind_text(&q, "name", name);
	if (query_row(&q))
		*ret = query_id(&q, "id");
	return query_finish(&q);
}

/* Among dates, unknown is NULL; so is the place of a CA that is not used. */
static void
bind_position(struct query *q, const struct ca_row *c)
{
	query_bind_when(q, "position", c->is_used ? (struct when){ c->position } : WHEN_UNKNOWN);
}

static void
read_position(struct query *q, struct ca_row *c)
{
	struct when place = query_when(q, "position");

	c->is_used = place.s != WHEN_UNKNOWN.s;
	c->position = c->is_used && place.s >= 0 && place.s <= SITE_CAS_MAX ? (unsigned)place.s : 0;
}

static enum err
upsert_ca(struct store *s, const struct ca_row *c)
{
	AUTO_QUERY q = query_start(s, SQL_CA_PUT, NULL);

	query_bind_text(&q, "name", c->name);
	query_bind_text(&q, "directory", c->directory);
	query_bind_text(&q, "contact", c->contact);
	query_bind_text(&q, "bundle", c->bundle);
	query_bind_text(&q, "preferred_issuer", c->preferred_issuer);
	query_bind_blob(&q, "sealed_key", c->sealed_key.p, c->sealed_key.n);
	query_bind_text(&q, "thumbprint", c->thumbprint);
	query_bind_text(&q, "account_url", c->account_url);
	query_bind_text(&q, "eab_kid", c->eab_kid);
	query_bind_blob(&q, "eab_sealed_hmac", c->eab_sealed_hmac.p, c->eab_sealed_hmac.n);
	query_bind_text(&q, "caa_identity", c->caa_identity);
	query_bind_text(&q, "terms", c->terms);
	query_bind_when(&q, "not_before", c->breaker.not_before);
	query_bind_int(&q, "failures", c->breaker.failures);
	query_bind_word(&q, "origin", c->is_added ? "added" : "config");
	bind_position(&q, c);
	query_bind_text(&q, "profiles", c->profiles);
	query_bind_text(&q, "caa_identities", c->caa_identities);
	query_bind_int(&q, "has_renewal_info", c->has_renewal_info);
	query_bind_int(&q, "eab_required", c->eab_required);
	query_bind_text(&q, "key_change", c->key_change);
	query_bind_when(&q, "directory_at", c->directory_at);
	query_bind_text(&q, "error", c->error);
	query_bind_when(&q, "ill_since", c->breaker.ill_since);
	query_bind_when(&q, "probed_at", c->breaker.probed_at);
	query_bind_blob(&q, "next_sealed_key", c->next_sealed_key.p, c->next_sealed_key.n);
	query_bind_text(&q, "next_thumbprint", c->next_thumbprint);
	query_bind_when(&q, "rolled_at", c->rolled_at);
	query_bind_when(&q, "canary_at", c->canary_at);
	query_bind_when(&q, "canary_done_at", c->canary_done_at);
	query_bind_when(&q, "canary_ok_at", c->canary_ok_at);
	query_bind_text(&q, "canary_error", c->canary_error);
	query_bind_when(&q, "blocked_at", c->breaker.blocked_at);
	return query_write(&q);
}

enum err
store_ca_put(struct store *s, const struct ca_row *c, int64_t *ret_id)
{
	struct bracket b;
	int64_t id = 0;

	if (c->name.n == 0)
		return query_fail(s, ERR_INVALID, "a CA needs a name");
	enum err e = bracket_begin(s, false, &b);
	if (e != ERR_OK)
		return e;
	e = upsert_ca(s, c);
	if (e == ERR_OK)
		e = ca_id(s, c->name, &id);
	if (e == ERR_OK && id > SITE_CAS_MAX)
		e = query_fail(s, ERR_FULL, "no more than %d CAs, with those that are not used any more", SITE_CAS_MAX);
	e = bracket_end(s, &b, e);
	if (e == ERR_OK)
		*ret_id = id;
	return e;
}

static void
read_ca(struct query *q, struct ca_row *c)
{
	c->id = query_id(q, "id");
	c->name = query_text(q, "name");
	c->directory = query_text(q, "directory");
	c->contact = query_text(q, "contact");
	c->bundle = query_text(q, "bundle");
	c->preferred_issuer = query_text(q, "preferred_issuer");
	c->sealed_key = query_text(q, "sealed_key");
	c->thumbprint = query_text(q, "thumbprint");
	c->account_url = query_text(q, "account_url");
	c->eab_kid = query_text(q, "eab_kid");
	c->eab_sealed_hmac = query_text(q, "eab_sealed_hmac");
	c->caa_identity = query_text(q, "caa_identity");
	c->terms = query_text(q, "terms");
	c->breaker.not_before = query_when(q, "not_before");
	c->breaker.failures = (unsigned)query_int(q, "failures", 0, UINT32_MAX);
	c->is_added = str_eq(query_word(q, "origin"), STR("added"));
	read_position(q, c);
	c->profiles = query_text(q, "profiles");
	c->caa_identities = query_text(q, "caa_identities");
	c->has_renewal_info = query_bool(q, "has_renewal_info");
	c->eab_required = query_bool(q, "eab_required");
	c->key_change = query_text(q, "key_change");
	c->directory_at = query_when(q, "directory_at");
	c->error = query_text(q, "error");
	c->breaker.ill_since = query_when(q, "ill_since");
	c->breaker.probed_at = query_when(q, "probed_at");
	c->next_sealed_key = query_text(q, "next_sealed_key");
	c->next_thumbprint = query_text(q, "next_thumbprint");
	c->rolled_at = query_when(q, "rolled_at");
	c->canary_at = query_when(q, "canary_at");
	c->canary_done_at = query_when(q, "canary_done_at");
	c->canary_ok_at = query_when(q, "canary_ok_at");
	c->canary_error = query_text(q, "canary_error");
	c->rollover_asked = query_when(q, "rollover_asked");
	c->breaker.blocked_at = query_when(q, "blocked_at");
	c->unblock_asked = query_when(q, "unblock_asked");
}

enum err
store_cas(struct store *s, struct arena *a, struct ca_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_CAS, a);
	struct ca_row *rows = NULL;
	size_t n = 0;

	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		read_ca(&q, &rows[n++]);
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_ca_mark(struct store *s, int64_t *ret)
{
	AUTO_QUERY q = query_start(s, SQL_CA_MARK, NULL);
	int64_t mark = 0;

	if (query_row(&q))
		mark = query_int(&q, "mark", INT64_MIN, INT64_MAX);
	enum err e = query_finish(&q);
	if (e == ERR_OK)
		*ret = mark;
	return e;
}

static enum err
ask_for(struct store *s, enum sql wish, struct str name, struct when now)
{
	AUTO_QUERY q = query_start(s, wish, NULL);

	query_bind_when(&q, "now", now);
	query_bind_text(&q, "name", name);
	enum err e = query_write(&q);
	if (e == ERR_OK && sqlite3_changes(s->db) == 0)
		return query_fail(s, ERR_NOT_FOUND, "there is no CA %.*s", STR_ARG(name));
	return e;
}

enum err
store_ca_ask_rollover(struct store *s, struct str name, struct when now)
{
	return ask_for(s, SQL_CA_ASK_ROLLOVER, name, now);
}

enum err
store_ca_ask_unblock(struct store *s, struct str name, struct when now)
{
	return ask_for(s, SQL_CA_ASK_UNBLOCK, name, now);
}

static enum err
take_wish(struct store *s, enum sql taken, int64_t id)
{
	AUTO_QUERY q = query_start(s, taken, NULL);

	query_bind_int(&q, "id", id);
	return query_write(&q);
}

enum err
store_ca_rollover_taken(struct store *s, int64_t id)
{
	return take_wish(s, SQL_CA_ROLLOVER_TAKEN, id);
}

enum err
store_ca_unblock_taken(struct store *s, int64_t id)
{
	return take_wish(s, SQL_CA_UNBLOCK_TAKEN, id);
}

/* --- tokens --- */

static enum err
put_token(struct store *s, struct str token, struct str thumbprint, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_TOKEN_PUT, NULL);

	query_bind_text(&q, "token", token);
	query_bind_text(&q, "thumbprint", thumbprint);
	query_bind_int(&q, "now", now.s);
	return query_write(&q);
}

static enum err
forget_tokens(struct store *s, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_TOKEN_FORGET, NULL);

	query_bind_int(&q, "before", when_minus(now, SPAN_D(TOKEN_DAYS)).s);
	return query_write(&q);
}

enum err
store_token_put(struct store *s, struct str token, struct str thumbprint, struct when now)
{
	struct bracket b;

	if (token.n == 0 || thumbprint.n == 0)
		return query_fail(s, ERR_INVALID, "a token and its thumbprint are not empty");
	enum err e = bracket_begin(s, false, &b);
	if (e != ERR_OK)
		return e;
	e = put_token(s, token, thumbprint, now);
	if (e == ERR_OK)
		e = forget_tokens(s, now);
	return bracket_end(s, &b, e);
}

enum err
store_token_find(struct store *s, struct str token, struct arena *a, struct str *ret)
{
	AUTO_QUERY q = query_start(s, SQL_TOKEN_FIND, a);
	struct str thumbprint = STR_NONE;

	query_bind_text(&q, "token", token);
	if (query_row(&q))
		thumbprint = query_text(&q, "thumbprint");
	enum err e = query_finish(&q);
	if (e == ERR_OK && thumbprint.n == 0)
		return ERR_NOT_FOUND;
	if (e == ERR_OK)
		*ret = thumbprint;
	return e;
}
