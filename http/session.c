/*
 * Signing in, and what a person changes of his own: sessions and the password. A wrong password and a person who is not there take the
 * same time and get the same answer.
 */
#include <stdlib.h>
#include <string.h>
#include "http/access.h"
#include "http/audit.h"
#include "http/codes.h"
#include "http/json_site.h"
#include "http/passkeys.h"
#include "http/people.h"
#include "http/read.h"
#include "http/tries.h"
#include "ports/store/invitations.h"

/* --- the session --- */

static enum err
give_session(struct api_call *c, int status)
{
	json_t *document = json_object();
	long minutes = (long)(config_zone(c->api->config).s / 60);
	struct str zone = arena_strf(c->a, "%c%02ld:%02ld", minutes < 0 ? '-' : '+',
	    labs(minutes) / 60, labs(minutes) % 60);
	struct when ends =
	    access_session_ends(c->person.role, c->session.begun, c->session.used);

	if (!json_put(document, "timezone", json_text(zone)) ||
	    !json_put(document, "person", person_document(c, &c->person)) ||
	    !json_put(
		document, "csrf", c->session.id == 0 ? json_null() : json_text(c->csrf)) ||
	    !json_put(document, "begun_at",
		json_date(c->session.id == 0 ? WHEN_UNKNOWN : c->session.begun)) ||
	    !json_put(
		document, "ends_at", json_date(c->session.id == 0 ? WHEN_UNKNOWN : ends)) ||
	    !json_put(document, "may_set_password",
		json_boolean(
		    c->session.is_by_link &&
		    when_before(c->turn.now, access_link_is_fresh_until(c->session.begun))))) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, status, document);
	return ERR_OK;
}

enum err
session_show(struct api_call *c)
{
	enum err err = person_needed(c);

	return err != ERR_OK ? err : give_session(c, 200);
}

/* --- signing in --- */

static enum err
begin_by_passkey(struct api_call *c, const struct passkey_sent *sent)
{
	struct person_row p;
	struct tries tries;
	enum err err = passkey_judge_alone(c, sent, &p);

	if (err == ERR_OK)
		err = tries_of_address(c, "passkey", &tries);
	if (err != ERR_OK || (err = store_begin(c->api->store)) != ERR_OK)
		return err;
	err = tries_forgive(c, &tries);
	if (err == ERR_OK)
		err = access_begin_session(c, &p, false);
	if (err == ERR_OK)
		err = audit_put(c, "session_begin", p.mail, STR("by passkey"));
	err = api_commit(c, err);
	return err != ERR_OK ? err : give_session(c, 201);
}

/* tries: by password; link: by link. */
static enum err
begin(struct api_call *c, const struct person_row *p, const struct tries *tries,
    const struct digest *link)
{
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = tries != NULL ? tries_forgive(c, tries) : store_link_take(c->api->store, link);
	if (err == ERR_OK)
		err = access_begin_session(c, p, tries == NULL);
	if (err == ERR_OK)
		err = audit_put(c, "session_begin", p->mail,
		    tries == NULL ? STR("by link") : STR("by password"));
	err = api_commit(c, err);
	return err != ERR_OK ? err : give_session(c, 201);
}

static enum err
refuse(struct api_call *c, const char *key, struct str who)
{
	enum err err = audit_put(c, "session_refused", who, STR_NONE);

	if (err != ERR_OK)
		return err;
	api_say(c, key, STR_NONE);
	return ERR_DENIED;
}

/* What was typed or signed beside mail and password, or a link. */
struct second {
	struct str code;
	struct passkey_sent passkey;
};

/* Whoever has codes needs one, by whatever way he comes; or a passkey, which is a second thing that one has. */
static enum err
second_step(
    struct api_call *c, const struct person_row *p, const struct second *second, bool *ret_may_begin)
{
	struct code_row row;
	bool is_on;
	enum err err = codes_load(c, p->id, &row, &is_on);

	*ret_may_begin = err == ERR_OK && !is_on;
	if (err != ERR_OK || !is_on)
		return err;
	if (second->passkey.credential.n == 0)
		return codes_judge(c, p, &row, second->code, ret_may_begin);
	err = passkey_judge_second(c, p, &second->passkey);
	*ret_may_begin = err == ERR_OK;
	return err;
}

/* Who was invited becomes a person. */
static enum err
accept(struct api_call *c, const struct invitation_row *r, struct person_row *ret)
{
	*ret = (struct person_row){ .owner_id = r->owner_id,
		.role = r->role,
		.mail = r->mail,
		.name = r->name,
		.lang = r->lang,
		.created = c->turn.now };
	enum err err = store_person_put(c->api->store, ret, &ret->id);

	if (err == ERR_OK)
		err = store_invitation_remove(c->api->store, r->id);
	if (err == ERR_OK)
		err = access_begin_session(c, ret, true);
	return err != ERR_OK ? err : audit_put(c, "invitation_accepted", ret->mail, r->by);
}

static enum err
begin_by_invitation(struct api_call *c, const struct digest *d)
{
	struct invitation_row r;
	struct person_row p;
	enum err err = store_invitation_find(c->api->store, d, c->a, &r);

	if (err == ERR_NOT_FOUND || (err == ERR_OK && !when_before(c->turn.now, r.ends_at)))
		return refuse(c, "api.link-spent", STR_NONE);
	if (err != ERR_OK || (err = store_begin(c->api->store)) != ERR_OK)
		return err;
	err = api_commit(c, accept(c, &r, &p));
	/* Meanwhile the address has become a person by another way. */
	if (err == ERR_EXISTS)
		return refuse(c, "api.link-spent", STR_NONE);
	return err != ERR_OK ? err : give_session(c, 201);
}

static enum err
begin_by_link(struct api_call *c, struct str link, const struct second *second)
{
	bool may_begin = false;
	struct digest d = access_digest(link);
	struct person_row p;
	struct when ends;
	int64_t id;
	enum err err = store_link_find(c->api->store, &d, &id, &ends);

	if (err == ERR_NOT_FOUND)
		return begin_by_invitation(c, &d);
	if (err == ERR_OK && !when_before(c->turn.now, ends))
		return refuse(c, "api.link-spent", STR_NONE);
	if (err == ERR_OK)
		err = store_person_load(c->api->store, id, c->a, &p);
	if (err == ERR_OK)
		err = second_step(c, &p, second, &may_begin);
	return err == ERR_OK && may_begin ? begin(c, &p, NULL, &d) : err;
}

enum err
session_begin(struct api_call *c)
{
	struct str mail = STR_NONE, password = STR_NONE, link = STR_NONE;
	struct second second = { .code = STR_NONE };
	const struct read_field fields[] = { { "mail", READ_TEXT, &mail, NULL },
		{ "password", READ_TEXT, &password, NULL }, { "link", READ_TEXT, &link, NULL },
		{ "code", READ_TEXT, &second.code, NULL },
		{ "credential", READ_TEXT, &second.passkey.credential, NULL },
		{ "client_data", READ_TEXT, &second.passkey.client_data, NULL },
		{ "authenticator_data", READ_TEXT, &second.passkey.authenticator_data, NULL },
		{ "signature", READ_TEXT, &second.passkey.signature, NULL } };
	bool may_begin = false;
	struct person_row p = { .id = 0 };
	struct tries tries;
	enum err err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);

	audit_leave_off(c);
	if (err != ERR_OK)
		return err;
	if (link.n > 0)
		return begin_by_link(c, link, &second);
	if (mail.n == 0 && password.n == 0 && second.passkey.credential.n > 0)
		return begin_by_passkey(c, &second.passkey);
	if (mail.n == 0 || password.n == 0) {
		why_set(&c->why, "expected \"mail\" and \"password\", or \"link\", or \"credential\" of a passkey");
		return ERR_INVALID;
	}
	err = store_person_find(c->api->store, mail, c->a, &p);
	if (err == ERR_OK || err == ERR_NOT_FOUND)
		err = tries_of(c, mail, p.id, &tries);
	if (err == ERR_OK && c->q->hashed_n == 0) {
		err = tries_count(c, &tries);
		/* Nobody: a hash is made that nobody needs, in the time that judging one takes. */
		if (err == ERR_OK)
			password_hash(c, password, p.password);
		return err;
	}
	if (err != ERR_OK)
		return err;
	if (p.password.n == 0 || !c->q->hashed[0].is_right)
		return refuse(c, "api.login-wrong", mail);
	/* Asked for here, so that it tells nobody anything who does not know the password. */
	err = second_step(c, &p, &second, &may_begin);
	if (err == ERR_CODE_NEEDED) {
		enum err forgiven = tries_forgive(c, &tries);

		return forgiven != ERR_OK ? forgiven : err;
	}
	return err == ERR_OK && may_begin ? begin(c, &p, &tries, NULL) : err;
}

enum err
session_end(struct api_call *c)
{
	json_t *document = json_pack("{s:b}", "is_ended", 1);
	enum err err = c->session.id == 0
			   ? ERR_NOT_FOUND
			   : store_session_remove(c->api->store, c->session.id, c->person.id);

	if (err != ERR_OK) {
		json_decref(document);
		return err;
	}
	access_drop_cookie(c);
	api_give(c, 200, document);
	return ERR_OK;
}

/* --- all of a person's sessions --- */

static json_t *
session_line(const struct api_call *c, const struct session_row *r)
{
	json_t *o = json_object();

	if (json_put(o, "id", json_integer(r->id)) &&
	    json_put(o, "begun_at", json_date(r->begun)) &&
	    json_put(o, "used_at", json_date(r->used)) &&
	    json_put(o, "ends_at",
		json_date(access_session_ends(c->person.role, r->begun, r->used))) &&
	    json_put(o, "address", json_text(r->address)) &&
	    json_put(o, "agent", json_text(r->agent)) &&
	    json_put(o, "is_this", json_boolean(r->id == c->session.id)))
		return o;
	json_decref(o);
	return NULL;
}

static enum err
give_sessions(struct api_call *c)
{
	struct session_row *rows;
	size_t n;
	enum err err = store_sessions_of(c->api->store, c->person.id, c->a, &rows, &n);

	if (err != ERR_OK)
		return err;
	json_t *document = json_object(), *list = json_array();
	bool ok = true;
	for (size_t i = 0; i < n; i++)
		ok = ok && json_array_append_new(list, session_line(c, &rows[i])) == 0;
	if (!json_put(document, "sessions", list) || !ok) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}

enum err
sessions_list(struct api_call *c)
{
	enum err err = person_needed(c);

	return err != ERR_OK ? err : give_sessions(c);
}

enum err
session_stop(struct api_call *c)
{
	int64_t id;
	enum err err = person_needed(c);

	if (err == ERR_OK)
		err = str_to_int(c->name, &id)
			  ? store_session_remove(c->api->store, id, c->person.id)
			  : ERR_NOT_FOUND;
	return err != ERR_OK ? err : give_sessions(c);
}

/* --- the password --- */

enum err
password_confirm(struct api_call *c, struct str password, bool *ret_is_confirmed)
{
	struct tries tries;
	enum err err = ERR_OK;

	*ret_is_confirmed = c->session.is_by_link && when_before(c->turn.now, access_link_is_fresh_until(c->session.begun));
	if (!*ret_is_confirmed)
		err = tries_of(c, c->person.mail, c->person.id, &tries);
	if (err != ERR_OK || *ret_is_confirmed)
		return err;
	if (c->q->hashed_n == 0) {
		err = tries_count(c, &tries);
		if (err == ERR_OK)
			password_hash(c, password, c->person.password);
		return err;
	}
	if (c->person.password.n == 0 || !c->q->hashed[0].is_right)
		return refuse(c, "api.password-wrong", c->person.mail);
	*ret_is_confirmed = true;
	/* The keeper may be asked in between; it was one try all the same. */
	return c->q->is_sealed ? ERR_OK : tries_forgive(c, &tries);
}

/* All other sessions end: whoever knew the old one is out. */
static enum err
set_password(struct api_call *c, struct str hash)
{
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = store_person_set_password(c->api->store, c->person.id, hash);
	if (err == ERR_OK)
		err = store_sessions_remove(c->api->store, c->person.id, c->session.id);
	if (err == ERR_OK)
		err = audit_put(c, "password_change", STR_NONE, STR_NONE);
	err = api_commit(c, err);
	if (err != ERR_OK)
		return err;
	c->person.password = hash;
	return give_session(c, 200);
}

enum err
password_change(struct api_call *c)
{
	struct str password = STR_NONE, old = STR_NONE;
	const struct read_field fields[] = { { "password", READ_TEXT, &password, NULL },
		{ "old_password", READ_TEXT, &old, NULL } };
	struct tries tries;
	bool is_fresh = c->session.is_by_link &&
			when_before(c->turn.now, access_link_is_fresh_until(c->session.begun));
	enum err err = person_needed(c);

	audit_leave_off(c);
	if (err == ERR_OK)
		err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);
	if (err == ERR_OK)
		err = password_judge(c, password, c->person.mail);
	if (err == ERR_OK)
		err = tries_of(c, c->person.mail, c->person.id, &tries);
	if (err != ERR_OK)
		return err;
	/* First the old one is judged, then a hash of the new one is made. Who came by a link just now has no need of the old one. */
	if (c->q->hashed_n == 0 && !is_fresh) {
		err = tries_count(c, &tries);
		if (err == ERR_OK)
			password_hash(c, old, c->person.password);
		return err;
	}
	if (!is_fresh && (c->person.password.n == 0 || !c->q->hashed[0].is_right))
		return refuse(c, "api.password-wrong", c->person.mail);
	if (c->q->hashed_n == (is_fresh ? 0 : 1)) {
		err = is_fresh ? ERR_OK : tries_forgive(c, &tries);
		if (err == ERR_OK)
			password_hash(c, password, STR_NONE);
		return err;
	}
	return set_password(c, c->q->hashed[c->q->hashed_n - 1].made);
}
