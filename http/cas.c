/* The CAs: what is known of each, one added while the daemon runs, and the wish for another key of an account. */
#include <string.h>
#include "core/site_ca.h"
#include "http/inside.h"
#include "http/json_site.h"
#include "http/read.h"

enum { KID_BYTES = 1024, HMAC_BYTES = 1024 };

/* A list that is stored as one text. */
static json_t *
words_of(struct str list)
{
	json_t *all = json_array();

	while (list.n > 0)
		if (json_array_append_new(all, json_text(str_cut(&list, ' '))) != 0) {
			json_decref(all);
			return NULL;
		}
	return all;
}

static const char *
breaker_word(const struct breaker *b, struct when now)
{
	static const char *const words[] = { "closed", "open", "half-open" };

	return words[breaker_state(b, now)];
}

static bool
put_offers(json_t *o, const struct ca_row *r)
{
	return json_put(o, "terms", json_text(r->terms)) &&
	       json_put(o, "caa_identities", words_of(r->caa_identities)) &&
	       json_put(o, "profiles", words_of(r->profiles)) &&
	       json_put(o, "renewal_info", json_boolean(r->has_renewal_info)) &&
	       json_put(o, "eab_required", json_boolean(r->eab_required)) &&
	       json_put(o, "key_change", json_boolean(r->key_change.n > 0)) &&
	       json_put(o, "directory_at", json_date(r->directory_at));
}

static bool
put_health(json_t *o, const struct ca_row *r, struct when now)
{
	return json_put(o, "breaker", json_string(breaker_word(&r->breaker, now))) &&
	       json_put(o, "failures", json_integer((json_int_t)r->breaker.failures)) &&
	       json_put(o, "ill_since", json_date(r->breaker.ill_since)) &&
	       json_put(o, "blocked_since", json_date(r->breaker.blocked_at)) &&
	       json_put(o, "unblock_asked", json_date(r->unblock_asked)) &&
	       /* A block ends by a person's word, not by a date. */
	       json_put(o, "not_before", json_date(breaker_is_blocked(&r->breaker) ? WHEN_UNKNOWN : breaker_not_before(&r->breaker))) &&
	       json_put(o, "error", json_text(r->error));
}

static bool
put_rehearsal(json_t *o, const struct ca_row *r)
{
	json_t *c = json_object();

	if (json_put(c, "at", json_date(r->canary_done_at)) &&
	    json_put(c, "ok", json_boolean(when_is_known(r->canary_done_at) && r->canary_error.n == 0)) &&
	    json_put(c, "last_ok", json_date(r->canary_ok_at)) &&
	    json_put(c, "error", json_text(r->canary_error)) &&
	    json_put(c, "next", json_date(r->canary_at)))
		return json_put(o, "rehearsal", c);
	json_decref(c);
	return false;
}

static json_t *
ca_line(const struct ca_row *r, struct when now)
{
	json_t *o = json_object();

	if (json_put(o, "name", json_text(r->name)) &&
	    json_put(o, "origin", json_string(r->is_added ? "added" : "config")) &&
	    json_put(o, "position", r->is_used ? json_integer((json_int_t)r->position + 1) : json_null()) &&
	    json_put(o, "directory", json_text(r->directory)) &&
	    json_put(o, "contact", json_text(r->contact)) &&
	    json_put(o, "account", json_text(r->account_url)) &&
	    json_put(o, "ready", json_boolean(r->account_url.n > 0)) &&
	    json_put(o, "thumbprint", json_text(r->thumbprint)) &&
	    json_put(o, "caa_identity", json_text(r->caa_identity)) &&
	    json_put(o, "rollover",
		json_string(r->next_sealed_key.n > 0		    ? "running"
			    : when_is_known(r->rollover_asked) ? "asked"
								    : "none")) &&
	    json_put(o, "rolled_at", json_date(r->rolled_at)) && put_offers(o, r) &&
	    put_health(o, r, now) && put_rehearsal(o, r))
		return o;
	json_decref(o);
	return NULL;
}

enum err
cas_list(struct api_call *c)
{
	struct ca_row *rows;
	size_t n;
	json_t *list, *document;
	enum err err = store_cas(c->api->store, c->a, &rows, &n);

	if (err != ERR_OK)
		return err;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(list, ca_line(&rows[i], c->turn.now)) != 0) {
			json_decref(list);
			return ERR_MEMORY;
		}
	document = json_object();
	if (!json_put(document, "cas", list)) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}

static enum err
find_ca(struct api_call *c, struct str name, struct ca_row *ret)
{
	struct ca_row *rows;
	size_t n;
	enum err err = store_cas(c->api->store, c->a, &rows, &n);

	for (size_t i = 0; err == ERR_OK && i < n; i++)
		if (str_eq(rows[i].name, name)) {
			*ret = rows[i];
			return ERR_OK;
		}
	return err == ERR_OK ? ERR_NOT_FOUND : err;
}

/* --- one more --- */

struct new_ca {
	struct str name, directory, contact, bundle, eab_kid, eab_hmac;
	bool has_kid, has_hmac;
};

static bool
is_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", s.p[i], 65) == NULL)
			return false;
	return s.n > 0 && s.n <= 64 && s.p[0] != '-' && s.p[0] != '.';
}

static bool
is_directory(struct str s)
{
	return str_starts(s, STR("https://")) && s.n > 8 && s.p[8] != '/' && s.p[8] != ':' && s.n <= LIMIT_URL_BYTES &&
	       str_is_line(s) && memchr(s.p, ' ', s.n) == NULL;
}

static bool
is_mail(struct str s)
{
	struct str rest = s, local = str_cut(&rest, '@');

	return s.n == 0 || (local.n > 0 && rest.n > 0 && s.n <= 254 && memchr(rest.p, '@', rest.n) == NULL && str_is_line(s) &&
			       memchr(s.p, ' ', s.n) == NULL && memchr(s.p, '"', s.n) == NULL);
}

static enum err
judge(struct api_call *c, const struct new_ca *n)
{
	const struct {
		bool is_wrong;
		const char *words;
	} rules[] = {
		{ !is_word(n->name), "field \"name\": expected a short word of letters, digits, \"-\", \"_\" and \".\"" },
		{ !is_directory(n->directory), "field \"directory\": expected an https:// URL" },
		{ !is_mail(n->contact), "field \"contact\": expected a mail address" },
		{ n->bundle.n > 0 && (n->bundle.p[0] != '/' || !str_is_line(n->bundle) || n->bundle.n > PATH_BYTES_MAX),
		    "field \"root\": expected the absolute path of a PEM file" },
		{ n->has_kid != n->has_hmac, "field \"eab_kid\": expected together with eab_hmac, or neither" },
		{ n->has_kid && (n->eab_kid.n == 0 || n->eab_kid.n > KID_BYTES || !str_is_line(n->eab_kid)),
		    "field \"eab_kid\": expected one line of text" },
		{ n->has_hmac && (n->eab_hmac.n < 16 || n->eab_hmac.n > HMAC_BYTES || !str_is_line(n->eab_hmac)),
		    "field \"eab_hmac\": expected the key as the CA gives it, base64url" },
	};

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (rules[i].is_wrong) {
			why_set(&c->why, "%s", rules[i].words);
			return ERR_INVALID;
		}
	return ERR_OK;
}

static enum err
put_ca(struct api_call *c, const struct new_ca *n)
{
	struct ca_row row = CA_ROW_NEW, *rows, old;
	size_t rows_n, used = 0;
	enum err err = store_begin(c->api->store);

	row.name = n->name;
	row.directory = n->directory;
	row.contact = n->contact;
	row.bundle = n->bundle;
	row.eab_kid = n->eab_kid;
	row.eab_sealed_hmac = c->q->sealed;
	row.is_added = row.is_used = true;
	row.position = SITE_CAS_MAX; /* behind all others, until the engine has put it in its place */
	if (err != ERR_OK)
		return err;
	err = find_ca(c, n->name, &old);
	if (err == ERR_OK) {
		why_set(&c->why, "there is a CA %.*s already: %.*s", STR_ARG(n->name), STR_ARG(old.directory));
		err = ERR_EXISTS;
	} else if (err == ERR_NOT_FOUND) {
		err = store_cas(c->api->store, c->a, &rows, &rows_n);
	}
	for (size_t i = 0; err == ERR_OK && i < rows_n; i++)
		used += rows[i].is_used;
	if (err == ERR_OK && used >= LIMIT_CAS) {
		why_set(&c->why, "no more than %d CAs", LIMIT_CAS);
		err = ERR_FULL;
	}
	if (err == ERR_OK)
		err = store_ca_put(c->api->store, &row, &row.id);
	if (err == ERR_OK)
		err = store_commit(c->api->store);
	if (err != ERR_OK) {
		store_abandon(c->api->store);
		return err;
	}
	api_wake(c);
	api_give(c, 201, ca_line(&row, c->turn.now));
	return ERR_OK;
}

/* That the directory can be reached is the command's to see: this process speaks to no CA (ARCHITECTURE). */
enum err
ca_add(struct api_call *c)
{
	struct new_ca n = { 0 };
	const struct read_field fields[] = {
		{ "name", READ_TEXT, &n.name, NULL },
		{ "directory", READ_TEXT, &n.directory, NULL },
		{ "contact", READ_TEXT, &n.contact, NULL },
		{ "root", READ_TEXT, &n.bundle, NULL },
		{ "eab_kid", READ_TEXT, &n.eab_kid, &n.has_kid },
		{ "eab_hmac", READ_TEXT, &n.eab_hmac, &n.has_hmac },
	};
	enum err err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);

	if (err == ERR_OK)
		err = judge(c, &n);
	if (err != ERR_OK)
		return err;
	if (n.has_hmac && c->q->sealed.n == 0) {
		/* The store never sees it in clear. */
		c->reply->kind = API_SEAL;
		c->reply->secret = n.eab_hmac;
		return ERR_OK;
	}
	return put_ca(c, &n);
}

static enum err
find_named_ca(struct api_call *c, struct ca_row *ret)
{
	enum err err = find_ca(c, c->name, ret);

	if (err == ERR_NOT_FOUND)
		why_set(&c->why, "there is no CA %.100s", c->name.n > 0 ? arena_str(c->a, c->name).p : "");
	return err;
}

/* What the engine is to do about a CA, told to it by the store. */
static enum err
put_wish(struct api_call *c, struct ca_row *row, enum err (*put)(struct store *, struct str, struct when))
{
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = put(c->api->store, row->name, c->turn.now);
	if (err == ERR_OK)
		err = store_commit(c->api->store);
	if (err != ERR_OK) {
		store_abandon(c->api->store);
		return err;
	}
	api_wake(c);
	return ERR_OK;
}

enum err
ca_rollover(struct api_call *c)
{
	struct ca_row row;
	enum err err = find_named_ca(c, &row);

	if (err == ERR_OK && row.key_change.n == 0 && when_is_known(row.directory_at)) {
		why_set(&c->why, "%.*s cannot change the key of an account: its directory has no keyChange", STR_ARG(row.name));
		err = ERR_CONFLICT;
	}
	if (err == ERR_OK)
		err = put_wish(c, &row, store_ca_ask_rollover);
	if (err != ERR_OK)
		return err;
	row.rollover_asked = c->turn.now;
	api_give(c, 202, ca_line(&row, c->turn.now));
	return ERR_OK;
}

/* The operator has spoken with the CA. Said twice it is one wish. */
enum err
ca_unblock(struct api_call *c)
{
	struct ca_row row;
	enum err err = find_named_ca(c, &row);

	if (err == ERR_OK && !breaker_is_blocked(&row.breaker)) {
		api_say(c, "api.not-blocked", row.name);
		err = ERR_CONFLICT;
	}
	if (err == ERR_OK)
		err = put_wish(c, &row, store_ca_ask_unblock);
	if (err != ERR_OK)
		return err;
	row.unblock_asked = c->turn.now;
	api_give(c, 202, ca_line(&row, c->turn.now));
	return ERR_OK;
}
