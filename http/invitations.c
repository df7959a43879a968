/*
 * People who are invited by mail. Whether the address is known already is told to its reader alone: the answer, the list and the letter's
 * way are the same. Who follows the link becomes a person (http/session.c).
 */
#include "base/limits.h"
#include "http/access_letter.h"
#include "http/json_site.h"
#include "http/people.h"
#include "http/tries.h"

static json_t *
invitation_document(struct api_call *c, const struct invitation_row *r)
{
	json_t *o = json_object();
	struct owner_row owner = { .id = 0 };

	if (r->owner_id != 0 && store_owner_load(c->api->store, r->owner_id, c->a, &owner) != ERR_OK) {
		json_decref(o);
		return NULL;
	}
	if (json_put(o, "id", json_integer(r->id)) && json_put(o, "mail", json_text(r->mail)) &&
	    json_put(o, "name", json_text(r->name)) && json_put(o, "lang", json_text(r->lang)) &&
	    json_put(o, "role", json_string(role_name(r->role))) &&
	    json_put(o, "owner", owner.id == 0 ? json_null() : json_text(owner.mail)) &&
	    json_put(o, "by", json_text(r->by)) && json_put(o, "created_at", json_date(r->created)) &&
	    json_put(o, "ends_at", json_date(r->ends_at)))
		return o;
	json_decref(o);
	return NULL;
}

/* Of the asker: an owner's own, or all. */
static enum err
load_all(struct api_call *c, struct invitation_row **ret, size_t *ret_n)
{
	return store_invitations(
	    c->api->store, c->asker.role == ROLE_OWNER ? c->asker.owner_id : 0, c->turn.now, c->a, ret, ret_n);
}

enum err
invitations_list(struct api_call *c)
{
	struct invitation_row *rows;
	size_t n;
	enum err err = load_all(c, &rows, &n);

	if (err != ERR_OK)
		return err;
	json_t *document = json_object(), *list = json_array();
	bool ok = true;
	for (size_t i = 0; i < n; i++)
		ok = ok && json_array_append_new(list, invitation_document(c, &rows[i])) == 0;
	if (!json_put(document, "invitations", list) || !ok) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}

/* --- inviting --- */

/* Who invites, as the letter says it. */
static struct str
inviter_of(const struct api_call *c)
{
	if (c->person.id == 0)
		return STR("koshin");
	return c->person.name.n > 0 ? c->person.name : c->person.mail;
}

static enum err
read_invitation(struct api_call *c, struct person_row *ret)
{
	struct str owner = STR_NONE;
	bool is_owner = c->asker.role == ROLE_OWNER;
	enum err err = person_read(c, ret, &owner);

	if (err != ERR_OK)
		return err;
	if (is_owner && (ret->role != ROLE_OWNER || owner.n > 0)) {
		why_set(&c->why, "fields \"role\" and \"owner\": expected none, you invite to your own sites");
		return ERR_INVALID;
	}
	if (!is_owner)
		return person_set_owner(c, ret, owner);
	ret->owner_id = c->asker.owner_id;
	return ERR_OK;
}

static enum err
judge_room(struct api_call *c, const struct person_row *to)
{
	struct invitation_row *rows;
	size_t n = 0, others = 0;
	enum err err = to->owner_id == 0
			   ? ERR_OK
			   : store_invitations(c->api->store, to->owner_id, c->turn.now, c->a, &rows, &n);

	for (size_t i = 0; err == ERR_OK && i < n; i++)
		others += !str_eq_nocase(rows[i].mail, to->mail);
	if (err != ERR_OK || others < LIMIT_INVITATIONS)
		return err;
	api_say(c, "api.invitations-full", STR_NONE);
	return ERR_CONFLICT;
}

/* The invitation, and its letter: another one to somebody who can sign in already. */
static enum err
put_invitation(struct api_call *c, struct invitation_row *r)
{
	struct access_letter l = { .kind = LETTER_INVITATION, .to = r->mail, .inviter = inviter_of(c), .access = { .lang = r->lang } };
	struct person_row known;
	enum err err = store_invitation_put(c->api->store, r, &r->id);

	if (err == ERR_OK)
		err = store_person_find(c->api->store, r->mail, c->a, &known);
	if (err == ERR_OK) {
		l.kind = LETTER_ACCOUNT;
		l.access.lang = known.lang;
	} else if (err == ERR_NOT_FOUND) {
		l.access.invitation_id = r->id;
		err = ERR_OK;
	}
	return err != ERR_OK ? err : access_letter_put(c, &l);
}

enum err
invitation_send(struct api_call *c)
{
	struct person_row p = { .role = ROLE_OWNER,
		.lang = c->person.id != 0 ? c->person.lang : str_of(c->api->config->language) };
	struct tries tries;
	enum err err = read_invitation(c, &p);

	if (err == ERR_OK && !access_letters_are_sent(c)) {
		api_say(c, "api.no-letters", STR_NONE);
		err = ERR_CONFLICT;
	}
	if (err == ERR_OK)
		err = judge_room(c, &p);
	if (err != ERR_OK || (err = store_begin(c->api->store)) != ERR_OK)
		return err;
	struct invitation_row r = { .owner_id = p.owner_id,
		.role = p.role,
		.mail = p.mail,
		.name = p.name,
		.lang = p.lang,
		.by = c->person.id != 0 ? c->person.mail : STR("command"),
		.created = c->turn.now,
		.ends_at = access_invitation_ends(c->turn.now) };
	err = tries_of_letter(c, p.mail, &tries);
	if (err == ERR_OK)
		err = tries_count(c, &tries);
	if (err == ERR_OK)
		err = put_invitation(c, &r);
	err = api_end(c, err);
	if (err != ERR_OK)
		return err;
	json_t *document = invitation_document(c, &r);
	if (document == NULL)
		return ERR_MEMORY;
	api_give(c, 201, document);
	return ERR_OK;
}

enum err
invitation_withdraw(struct api_call *c)
{
	struct invitation_row r;
	int64_t id;
	enum err err = str_to_int(c->name, &id) ? store_begin(c->api->store) : ERR_NOT_FOUND;

	if (err != ERR_OK)
		return err;
	err = store_invitation_load(c->api->store, id, c->a, &r);
	if (err == ERR_OK && access_to_object(&c->asker, r.owner_id) != ACCESS_GIVEN)
		err = ERR_NOT_FOUND;
	if (err == ERR_OK)
		err = store_invitation_remove(c->api->store, id);
	err = api_commit(c, err);
	return err != ERR_OK ? err : invitations_list(c);
}
