/* API tokens: a person's own, for programs. What a token may do is what its scopes name, and never more than its person may. */
#include <string.h>
#include "http/access.h"
#include "http/json_site.h"
#include "http/people.h"
#include "http/read.h"
#include "http/route.h"

enum { DAYS_DEFAULT = 90 };

static json_t *
token_document(const struct api_token_row *r)
{
	json_t *o = json_object(), *scopes = json_array();
	struct str rest = r->scopes;
	bool ok = true;

	while (rest.n > 0)
		ok = ok && json_array_append_new(scopes, json_text(str_cut(&rest, ' '))) == 0;
	if (json_put(o, "scopes", scopes) && ok && json_put(o, "id", json_integer(r->id)) &&
	    json_put(o, "name", json_text(r->name)) &&
	    json_put(o, "created_at", json_date(r->created)) &&
	    json_put(o, "used_at", json_date(r->used)) &&
	    json_put(o, "ends_at", json_date(r->ends_at)))
		return o;
	json_decref(o);
	return NULL;
}

static enum err
give_tokens(struct api_call *c, int64_t person_id)
{
	struct api_token_row *rows;
	size_t n;
	enum err err = store_api_tokens_of(c->api->store, person_id, c->a, &rows, &n);

	if (err != ERR_OK)
		return err;
	json_t *document = json_object(), *list = json_array();
	bool ok = true;
	for (size_t i = 0; i < n; i++)
		ok = ok && json_array_append_new(list, token_document(&rows[i])) == 0;
	if (!json_put(document, "tokens", list) || !ok) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}

enum err
tokens_list(struct api_call *c)
{
	enum err err = person_needed(c);

	return err != ERR_OK ? err : give_tokens(c, c->person.id);
}

static bool
is_scope(struct str word)
{
	for (size_t i = 0; i < api_routes_n; i++)
		if (api_routes[i].scope != NULL && str_eq(word, str_of(api_routes[i].scope)))
			return true;
	return false;
}

static enum err
read_scopes(struct api_call *c, const struct read_texts *words, struct str *ret)
{
	*ret = STR_NONE;
	for (size_t i = 0; i < words->n; i++) {
		if (!is_scope(words->at[i])) {
			why_set(&c->why,
			    "field \"scopes\": \"%.*s\" is none; expected words as sites.read "
			    "(x-scope of the description)",
			    STR_ARG(words->at[i]));
			return ERR_INVALID;
		}
		if (!access_has_scope(*ret, words->at[i]))
			*ret = ret->n == 0 ? words->at[i]
					   : arena_strf(c->a, "%.*s %.*s", STR_ARG(*ret),
						 STR_ARG(words->at[i]));
	}
	return ERR_OK;
}

static enum err
put_token(struct api_call *c, const struct api_token_row *r, const struct digest *d, int64_t *ret_id)
{
	enum err err = store_begin(c->api->store);

	return err != ERR_OK ? err : api_commit(c, store_api_token_put(c->api->store, r, d, ret_id));
}

static enum err
make(struct api_call *c, int64_t person_id)
{
	struct api_token_row r = { .person_id = person_id, .created = c->turn.now, .used = WHEN_UNKNOWN };
	struct read_texts scopes = { .n = 0 };
	const json_t *days = json_object_get(c->body, "days");
	const struct read_field fields[] = { { "name", READ_TEXT, &r.name, NULL },
		{ "scopes", READ_TEXTS, &scopes, NULL } };
	struct str secret;
	struct digest d;
	enum err err;

	r.ends_at = when_plus(
	    c->turn.now, SPAN_D(days == NULL ? DAYS_DEFAULT : json_integer_value(days)));
	if (days != NULL)
		(void)json_object_del(c->body, "days"); /* it was there */
	err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);
	if (err == ERR_OK && !str_is_line(r.name)) {
		why_set(&c->why, "field \"name\": expected one line");
		err = ERR_INVALID;
	}
	if (err == ERR_OK)
		err = read_scopes(c, &scopes, &r.scopes);
	if (err == ERR_OK)
		err = access_secret(c, &secret, &d);
	if (err == ERR_OK)
		err = put_token(c, &r, &d, &r.id);
	if (err != ERR_OK)
		return err;
	json_t *document = token_document(&r);
	/* The only time that it is seen. */
	if (!json_put(document, "token",
		json_text(arena_strf(c->a, "koshin_%.*s", STR_ARG(secret))))) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 201, document);
	return ERR_OK;
}

enum err
token_make(struct api_call *c)
{
	enum err err = person_needed(c);

	return err != ERR_OK ? err : make(c, c->person.id);
}

static enum err
revoke(struct api_call *c, int64_t person_id)
{
	int64_t id;
	enum err err = str_to_int(c->name, &id) ? store_begin(c->api->store) : ERR_NOT_FOUND;

	if (err == ERR_OK)
		err = api_commit(c, store_api_token_remove(c->api->store, id, person_id));
	return err != ERR_OK ? err : give_tokens(c, person_id);
}

enum err
token_revoke(struct api_call *c)
{
	enum err err = person_needed(c);

	return err != ERR_OK ? err : revoke(c, c->person.id);
}

/* --- those of a person, for the operator --- */

enum err
person_tokens(struct api_call *c)
{
	struct person_row p;
	enum err err = person_find(c, c->name, &p);

	return err != ERR_OK ? err : give_tokens(c, p.id);
}

enum err
person_token_make(struct api_call *c)
{
	struct person_row p;
	enum err err = person_find(c, c->name, &p);

	return err != ERR_OK ? err : make(c, p.id);
}

enum err
person_token_revoke(struct api_call *c)
{
	struct person_row p;
	enum err err = person_find(c, c->parent, &p);

	return err != ERR_OK ? err : revoke(c, p.id);
}
