#include "http/passkeys.h"
#include "base/limits.h"
#include "http/access.h"
#include "http/audit.h"
#include "http/json_site.h"
#include "http/people.h"
#include "http/read.h"
#include "http/tries.h"
#include "ports/keys/jose.h"
#include "ports/passkeys/passkeys.h"
#include "ports/store/passkeys.h"

enum { DATA_BYTES_MAX = 8 * 1024, SIGNATURE_BYTES_MAX = 1024 };

/* CONFLICT with words: the panel's address has none. */
static enum err
site_of(struct api_call *c, struct passkey_site *ret)
{
	if (passkey_site_of(str_of(c->api->config->panel_url), c->a, ret))
		return ERR_OK;
	api_say(c, "api.passkeys-off", STR_NONE);
	return ERR_CONFLICT;
}

static struct str
text_of(struct api_call *c, struct str bytes)
{
	AUTO_BUF text = { .max = 4096 };

	jose_put_base64url(&text, bytes);
	return arena_str(c->a, buf_str(&text));
}

static enum err
refuse(struct api_call *c, struct str who)
{
	enum err err = audit_put(c, "passkey_refused", who, STR_NONE);

	if (err != ERR_OK)
		return err;
	api_say(c, "api.passkey-wrong", STR_NONE);
	return ERR_DENIED;
}

/* --- challenges --- */

static enum err
put_challenge(struct api_call *c, int64_t session_id, struct str *ret)
{
	struct digest d;
	enum err err = access_secret(c, ret, &d);

	return err != ERR_OK ? err
			     : store_challenge_put(c->api->store, &d, session_id, c->turn.now, access_challenge_ends(c->turn.now));
}

/* The challenge that these client data answer: one that was given out to this session (0: for signing in), and is used up by this. */
static enum err
take_challenge(struct api_call *c, int64_t session_id, struct str client_data, struct str *ret)
{
	struct digest d;
	enum err err = passkey_challenge(client_data, c->a, ret);

	if (err != ERR_OK)
		return err;
	d = access_digest(*ret);
	err = store_challenge_take(c->api->store, &d, session_id, c->turn.now);
	return err == ERR_NOT_FOUND ? ERR_DENIED : err;
}

enum err
session_challenge(struct api_call *c)
{
	struct passkey_site site;
	struct str challenge;
	struct tries tries;
	enum err err = site_of(c, &site);

	audit_leave_off(c);
	if (err == ERR_OK)
		err = tries_of_address(c, "passkey", &tries);
	if (err == ERR_OK)
		err = tries_count(c, &tries);
	if (err == ERR_OK)
		err = put_challenge(c, 0, &challenge);
	if (err != ERR_OK)
		return err;
	json_t *o = json_object();
	if (!json_put(o, "challenge", json_text(challenge)) || !json_put(o, "rp_id", json_text(site.rp_id))) {
		json_decref(o);
		return ERR_MEMORY;
	}
	api_give(c, 200, o);
	return ERR_OK;
}

/* --- signing in --- */

struct passkey_bytes {
	struct str credential, client_data, authenticator_data, signature;
};

static enum err
decode(struct api_call *c, const struct passkey_sent *sent, struct passkey_bytes *ret)
{
	enum err err = passkey_decode(sent->credential, PASSKEY_ID_BYTES_MAX, c->a, &ret->credential);

	if (err == ERR_OK)
		err = passkey_decode(sent->client_data, DATA_BYTES_MAX, c->a, &ret->client_data);
	if (err == ERR_OK)
		err = passkey_decode(sent->authenticator_data, DATA_BYTES_MAX, c->a, &ret->authenticator_data);
	return err == ERR_OK ? passkey_decode(sent->signature, SIGNATURE_BYTES_MAX, c->a, &ret->signature) : err;
}

static bool
is_theirs(enum err err)
{
	return err == ERR_INVALID || err == ERR_DENIED || err == ERR_TOO_LONG || err == ERR_NOT_FOUND;
}

/* person_id 0: anybody's, and the device has to have made sure of its person. */
static enum err
judge(struct api_call *c, const struct passkey_sent *sent, int64_t person_id, struct passkey_row *ret)
{
	struct passkey_site site;
	struct passkey_bytes b;
	struct passkey_use use = { .needs_user = person_id == 0 };
	uint32_t count = 0;
	enum err err = site_of(c, &site);

	if (err == ERR_OK)
		err = decode(c, sent, &b);
	if (err == ERR_OK)
		err = take_challenge(c, 0, b.client_data, &use.challenge);
	if (err == ERR_OK)
		err = store_passkey_find(c->api->store, b.credential, c->a, ret);
	if (err != ERR_OK)
		return err;
	if (person_id != 0 && ret->person_id != person_id)
		return ERR_DENIED;
	use.client_data = b.client_data;
	use.authenticator_data = b.authenticator_data;
	use.signature = b.signature;
	err = passkey_verify(&site, ret->algorithm, ret->key, &use, c->a, &count);
	if (err == ERR_OK && !passkey_count_is_good(ret->count, count))
		err = ERR_DENIED;
	return err != ERR_OK ? err : store_passkey_used(c->api->store, ret->id, count, c->turn.now);
}

enum err
passkey_judge_alone(struct api_call *c, const struct passkey_sent *sent, struct person_row *ret)
{
	struct passkey_row row;
	enum err err = judge(c, sent, 0, &row);

	if (is_theirs(err))
		return refuse(c, STR_NONE);
	return err != ERR_OK ? err : store_person_load(c->api->store, row.person_id, c->a, ret);
}

enum err
passkey_judge_second(struct api_call *c, const struct person_row *p, const struct passkey_sent *sent)
{
	struct passkey_row row;
	enum err err = judge(c, sent, p->id, &row);

	return is_theirs(err) ? refuse(c, p->mail) : err;
}

/* --- a person's own --- */

static json_t *
passkey_document(const struct passkey_row *r)
{
	json_t *o = json_object();

	if (json_put(o, "id", json_integer(r->id)) && json_put(o, "name", json_text(r->name)) &&
	    json_put(o, "created_at", json_date(r->created)) && json_put(o, "used_at", json_date(r->used)))
		return o;
	json_decref(o);
	return NULL;
}

static enum err
give_passkeys(struct api_call *c, int status)
{
	struct passkey_site site;
	struct passkey_row *rows;
	size_t n;
	bool ok = true, is_possible = passkey_site_of(str_of(c->api->config->panel_url), c->a, &site);
	enum err err = store_passkeys_of(c->api->store, c->person.id, c->a, &rows, &n);

	if (err != ERR_OK)
		return err;
	json_t *document = json_object(), *list = json_array();
	for (size_t i = 0; i < n; i++)
		ok = ok && json_array_append_new(list, passkey_document(&rows[i])) == 0;
	if (!json_put(document, "passkeys", list) || !json_put(document, "is_possible", json_boolean(is_possible)) || !ok) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, status, document);
	return ERR_OK;
}

enum err
passkeys_list(struct api_call *c)
{
	enum err err = person_needed(c);

	return err != ERR_OK ? err : give_passkeys(c, 200);
}

/* What the browser needs to make one. The user's handle says nothing to anybody. */
static enum err
give_options(struct api_call *c, const struct passkey_site *site, struct str challenge)
{
	struct passkey_row *rows;
	size_t n;
	struct digest handle = access_digest(arena_strf(c->a, "passkeys of person %lld", (long long)c->person.id));
	enum err err = store_passkeys_of(c->api->store, c->person.id, c->a, &rows, &n);

	if (err == ERR_OK && n == LIMIT_PASSKEYS) {
		api_say(c, "api.passkeys-full", STR_NONE);
		err = ERR_CONFLICT;
	}
	if (err != ERR_OK)
		return err;
	json_t *o = json_object(), *known = json_array();
	bool ok = true;
	for (size_t i = 0; i < n; i++)
		ok = ok && json_array_append_new(known, json_text(text_of(c, rows[i].credential))) == 0;
	if (!json_put(o, "known", known) || !ok || !json_put(o, "challenge", json_text(challenge)) ||
	    !json_put(o, "rp_id", json_text(site->rp_id)) || !json_put(o, "user_name", json_text(c->person.mail)) ||
	    !json_put(o, "user_handle", json_text(text_of(c, (struct str){ (const char *)handle.bytes, sizeof handle.bytes })))) {
		json_decref(o);
		return ERR_MEMORY;
	}
	api_give(c, 200, o);
	return ERR_OK;
}

enum err
passkey_begin(struct api_call *c)
{
	struct str password = STR_NONE, challenge;
	const struct read_field fields[] = { { "password", READ_TEXT, &password, NULL } };
	struct passkey_site site;
	bool is_confirmed = false;
	enum err err = person_needed(c);

	audit_leave_off(c);
	if (err == ERR_OK)
		err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);
	if (err == ERR_OK)
		err = site_of(c, &site);
	if (err == ERR_OK)
		err = password_confirm(c, password, &is_confirmed);
	if (err != ERR_OK || !is_confirmed)
		return err;
	err = put_challenge(c, c->session.id, &challenge);
	return err != ERR_OK ? err : give_options(c, &site, challenge);
}

static enum err
read_new(struct api_call *c, struct passkey_row *ret)
{
	struct str client = STR_NONE, data = STR_NONE, challenge;
	const struct read_field fields[] = { { "name", READ_TEXT, &ret->name, NULL },
		{ "client_data", READ_TEXT, &client, NULL }, { "authenticator_data", READ_TEXT, &data, NULL } };
	struct passkey_site site;
	struct passkey_made made;
	enum err err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);

	ret->name = str_trim(ret->name);
	if (err == ERR_OK && !str_is_line(ret->name)) {
		why_set(&c->why, "field \"name\": expected one line");
		return ERR_INVALID;
	}
	if (err == ERR_OK)
		err = site_of(c, &site);
	if (err != ERR_OK)
		return err;
	err = passkey_decode(client, DATA_BYTES_MAX, c->a, &client);
	if (err == ERR_OK)
		err = passkey_decode(data, DATA_BYTES_MAX, c->a, &data);
	if (err == ERR_OK)
		err = take_challenge(c, c->session.id, client, &challenge);
	if (err == ERR_OK)
		err = passkey_read(&site, challenge, client, data, c->a, &made);
	if (is_theirs(err))
		return refuse(c, STR_NONE);
	if (err != ERR_OK)
		return err;
	ret->credential = made.id;
	ret->key = made.key;
	ret->algorithm = made.algorithm;
	ret->count = made.count;
	return ERR_OK;
}

enum err
passkey_add(struct api_call *c)
{
	struct passkey_row r = { .person_id = c->person.id, .created = c->turn.now, .used = WHEN_UNKNOWN };
	enum err err = person_needed(c);

	if (err == ERR_OK)
		err = read_new(c, &r);
	if (err != ERR_OK || (err = store_begin(c->api->store)) != ERR_OK)
		return err;
	err = api_commit(c, store_passkey_put(c->api->store, &r, &r.id));
	if (err == ERR_EXISTS)
		api_say(c, "api.passkey-there", STR_NONE);
	return err != ERR_OK ? err : give_passkeys(c, 201);
}

enum err
passkey_end(struct api_call *c)
{
	struct str password = STR_NONE;
	const struct read_field fields[] = { { "password", READ_TEXT, &password, NULL } };
	int64_t id;
	bool is_confirmed = false;
	enum err err = person_needed(c);

	if (err == ERR_OK)
		err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);
	if (err == ERR_OK && !str_to_int(c->name, &id))
		err = ERR_NOT_FOUND;
	if (err == ERR_OK)
		err = password_confirm(c, password, &is_confirmed);
	if (err != ERR_OK || !is_confirmed || (err = store_begin(c->api->store)) != ERR_OK)
		return err;
	err = api_commit(c, store_passkey_remove(c->api->store, id, c->person.id));
	return err != ERR_OK ? err : give_passkeys(c, 200);
}
