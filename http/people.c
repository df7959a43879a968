/* The persons that the installation knows: the operator's list, and the links by which they come in. */
#include "http/people.h"
#include <string.h>
#include "http/access.h"
#include "ports/store/codes.h"
#include "http/json_site.h"
#include "http/read.h"

json_t *
person_document(struct api_call *c, const struct person_row *p)
{
	json_t *o = json_object();
	struct owner_row owner = { .id = 0 };

	if (p->owner_id != 0 &&
	    store_owner_load(c->api->store, p->owner_id, c->a, &owner) != ERR_OK) {
		json_decref(o);
		return NULL;
	}
	if (json_put(o, "mail", json_text(p->mail)) &&
	    json_put(o, "name", json_text(p->name)) &&
	    json_put(o, "lang", json_text(p->lang)) &&
	    json_put(o, "role", json_string(role_name(p->role))) &&
	    json_put(o, "owner", owner.id == 0 ? json_null() : json_text(owner.mail)) &&
	    json_put(o, "created_at", json_date(p->created)) &&
	    json_put(o, "has_password", json_boolean(p->password.n > 0)) &&
	    json_put(o, "has_codes", json_boolean(p->has_codes)))
		return o;
	json_decref(o);
	return NULL;
}

enum err
person_needed(struct api_call *c)
{
	if (c->person.id != 0)
		return ERR_OK;
	why_set(&c->why, "the command is no person");
	return ERR_NOT_FOUND;
}

enum err
person_give(struct api_call *c, int status, const struct person_row *p)
{
	json_t *document = person_document(c, p);

	if (document == NULL)
		return ERR_MEMORY;
	api_give(c, status, document);
	return ERR_OK;
}

void
password_hash(struct api_call *c, struct str password, struct str stored)
{
	c->reply->kind = API_HASH;
	c->reply->secret = password;
	c->reply->sealed = stored;
}

enum err
password_judge(struct api_call *c, struct str password, struct str mail)
{
	static const char *const keys[] = {
		[PASSWORD_SHORT] = "api.password-short",
		[PASSWORD_LONG] = "api.password-long",
		[PASSWORD_IS_MAIL] = "api.password-is-mail",
		[PASSWORD_MONOTONE] = "api.password-monotone",
	};
	enum password_fault fault = access_password_fault(password, mail);

	if (fault == PASSWORD_GOOD)
		return ERR_OK;
	api_say(c, keys[fault], STR_NONE);
	return ERR_INVALID;
}

/* --- the list --- */

enum err
people_list(struct api_call *c)
{
	struct str after = api_text(c, "after");
	struct person_row *rows;
	size_t n, max = api_limit(c);
	int64_t after_id = 0;

	if (after.n > 0 && (!str_to_int(after, &after_id) || after_id <= 0)) {
		why_set(&c->why, "?after=: expected the `after` of the page before");
		return ERR_INVALID;
	}
	enum err err = c->asker.role == ROLE_OWNER
			   ? store_people_of(c->api->store, c->asker.owner_id, after_id, max, c->a, &rows, &n)
			   : store_people(c->api->store, after_id, max, c->a, &rows, &n);
	if (err != ERR_OK)
		return err;
	json_t *document = json_object(), *list = json_array();
	bool ok = true;
	for (size_t i = 0; i < n; i++)
		ok = ok && json_array_append_new(list, person_document(c, &rows[i])) == 0;
	if (!json_put(document, "people", list) ||
	    !json_put(document, "after",
		n == max ? json_text(arena_strf(c->a, "%lld", (long long)rows[n - 1].id))
			 : json_null()) ||
	    !ok) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}

/* --- adding --- */

static enum err
refuse(struct api_call *c, const char *field, const char *expected)
{
	why_set(&c->why, "%s", expected);
	read_name_field(&c->why, field);
	return ERR_INVALID;
}

enum err
person_read(struct api_call *c, struct person_row *p, struct str *owner)
{
	struct str role = str_of(role_name(p->role));
	const struct read_field fields[] = {
		{ "mail", READ_TEXT, &p->mail, NULL },
		{ "name", READ_TEXT, &p->name, NULL },
		{ "lang", READ_TEXT, &p->lang, NULL },
		{ "role", READ_TEXT, &role, NULL },
		{ "owner", READ_TEXT, owner, NULL },
	};
	enum err err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);

	if (err != ERR_OK)
		return err;
	p->mail = str_trim(p->mail);
	p->name = str_trim(p->name);
	if (!words_is_address(p->mail))
		return refuse(c, "mail", "expected a mail address");
	if (!str_is_line(p->name))
		return refuse(c, "name", "expected one line");
	return role_of_name(role, &p->role) ? ERR_OK : ERR_BUG; /* the description has the words */
}

enum err
person_set_owner(struct api_call *c, struct person_row *p, struct str owner)
{
	enum err err = ERR_OK;

	if ((p->role == ROLE_OWNER) != (owner.n > 0))
		return refuse(c, "owner",
		    "expected the mail address of the owner whose sites a person with the role "
		    "owner sees, and nothing for other roles");
	p->owner_id = 0;
	if (owner.n > 0)
		err = store_owner_find(c->api->store, owner, &p->owner_id);
	return err == ERR_NOT_FOUND
		   ? refuse(c, "owner", "expected the mail address of an owner that has sites here")
		   : err;
}

static enum err
put_person(struct api_call *c, struct person_row *p, struct str owner)
{
	enum err err = person_set_owner(c, p, owner);

	if (err == ERR_OK)
		err = store_person_put(c->api->store, p, &p->id);
	if (err == ERR_EXISTS)
		api_say(c, "api.person-exists", STR_NONE);
	return err;
}

enum err
person_add(struct api_call *c)
{
	struct person_row p = { .created = c->turn.now,
		.lang = str_of(c->api->config->language) };
	struct str owner = STR_NONE;
	enum err err = person_read(c, &p, &owner);

	if (err != ERR_OK || (err = store_begin(c->api->store)) != ERR_OK)
		return err;
	err = api_commit(c, put_person(c, &p, owner));
	if (err != ERR_OK)
		return err;
	return person_give(c, 201, &p);
}

/* --- one person --- */

enum err
person_find(struct api_call *c, struct str mail, struct person_row *ret)
{
	enum err err = store_person_find(c->api->store, mail, c->a, ret);

	/* Who belongs to another owner is not there. */
	if (err == ERR_OK && access_to_object(&c->asker, ret->owner_id) != ACCESS_GIVEN)
		err = ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		api_say(c, "api.no-person", STR_NONE);
	return err;
}

enum err
person_remove(struct api_call *c)
{
	struct person_row p;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = person_find(c, c->name, &p);
	if (err == ERR_OK && p.id == c->person.id) {
		api_say(c, "api.person-self", STR_NONE);
		err = ERR_CONFLICT;
	}
	if (err == ERR_OK)
		err = store_person_remove(c->api->store, p.id);
	err = api_commit(c, err);
	if (err != ERR_OK)
		return err;
	return person_give(c, 200, &p);
}

/* What is not given stays. */
static enum err
change(struct api_call *c, struct person_row *p)
{
	const struct person_row before = *p;
	struct owner_row o = { .id = 0 };
	struct str owner = STR_NONE;
	enum err err = p->owner_id == 0 ? ERR_OK : store_owner_load(c->api->store, p->owner_id, c->a, &o);

	owner = o.mail;
	if (err == ERR_OK)
		err = person_read(c, p, &owner);
	if (err == ERR_OK && p->role != ROLE_OWNER && before.role == ROLE_OWNER && str_eq(owner, o.mail))
		owner = STR_NONE; /* that of before, and not of the new role */
	if (err == ERR_OK)
		err = person_set_owner(c, p, owner);
	if (err == ERR_OK)
		err = store_person_change(c->api->store, p);
	if (err == ERR_EXISTS)
		api_say(c, "api.person-exists", STR_NONE);
	bool is_another = p->role != before.role || p->owner_id != before.owner_id || !str_eq(p->mail, before.mail);
	if (err == ERR_OK && is_another)
		err = store_sessions_remove(c->api->store, p->id, 0);
	return err;
}

enum err
person_change(struct api_call *c)
{
	struct person_row p;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = person_find(c, c->name, &p);
	if (err == ERR_OK)
		err = change(c, &p);
	err = api_commit(c, err);
	return err != ERR_OK ? err : person_give(c, 200, &p);
}

enum err
person_own_change(struct api_call *c)
{
	struct person_row p = c->person;
	const struct read_field fields[] = { { "lang", READ_TEXT, &p.lang, NULL }, { "name", READ_TEXT, &p.name, NULL } };
	enum err err = person_needed(c);

	if (err == ERR_OK)
		err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);
	p.name = str_trim(p.name);
	if (err == ERR_OK && !str_is_line(p.name))
		err = refuse(c, "name", "expected one line");
	if (err == ERR_OK)
		err = store_begin(c->api->store);
	if (err != ERR_OK)
		return err;
	err = api_commit(c, store_person_change(c->api->store, &p));
	return err != ERR_OK ? err : person_give(c, 200, &p);
}

/* For whoever has lost both app and recovery codes. */
enum err
person_codes_end(struct api_call *c)
{
	struct person_row p;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = person_find(c, c->name, &p);
	if (err == ERR_OK)
		err = store_code_drop(c->api->store, p.id);
	err = api_commit(c, err);
	if (err != ERR_OK)
		return err;
	p.has_codes = false;
	return person_give(c, 200, &p);
}

/* The link's secret stands behind "#": no server and no proxy gets to log it. */
enum err
person_link(struct api_call *c)
{
	struct person_row p;
	struct str secret, panel = str_of(c->api->config->panel_url);
	struct digest d;
	struct when ends = access_link_ends(c->turn.now);
	enum err err = access_secret(c, &secret, &d);

	if (err != ERR_OK || (err = store_begin(c->api->store)) != ERR_OK)
		return err;
	err = person_find(c, c->name, &p);
	if (err == ERR_OK)
		err = store_link_put(c->api->store, &d, p.id, c->turn.now, ends);
	err = api_commit(c, err);
	if (err != ERR_OK)
		return err;
	json_t *document = json_object();
	struct str url =
	    arena_strf(c->a, "%.*s/login#link=%.*s", STR_ARG(panel), STR_ARG(secret));
	if (!json_put(document, "mail", json_text(p.mail)) ||
	    !json_put(document, "link", json_text(secret)) ||
	    !json_put(document, "url", panel.n == 0 ? json_null() : json_text(url)) ||
	    !json_put(document, "ends_at", json_date(ends))) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 201, document);
	return ERR_OK;
}

/* The operator sets it: for the first time, or because it was forgotten. All sessions of the person end. */
enum err
person_password(struct api_call *c)
{
	struct person_row p;
	struct str password = STR_NONE;
	const struct read_field fields[] = { { "password", READ_TEXT, &password, NULL } };
	enum err err = person_find(c, c->name, &p);

	if (err == ERR_OK)
		err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);
	if (err == ERR_OK)
		err = password_judge(c, password, p.mail);
	if (err != ERR_OK)
		return err;
	if (c->q->hashed_n == 0) {
		password_hash(c, password, STR_NONE);
		return ERR_OK;
	}
	if ((err = store_begin(c->api->store)) != ERR_OK)
		return err;
	err = store_person_set_password(c->api->store, p.id, c->q->hashed[0].made);
	if (err == ERR_OK)
		err = store_sessions_remove(c->api->store, p.id, 0);
	err = api_commit(c, err);
	if (err != ERR_OK)
		return err;
	p.password = c->q->hashed[0].made;
	return person_give(c, 200, &p);
}
