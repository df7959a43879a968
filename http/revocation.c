/*
 * The third way to give SSL up: the key is destroyed and the certificate revoked. Here it is explained and asked for; what is done, and in which
 * order, is core/site's.
 */
#include "http/inside.h"
#include "http/json_site.h"
#include "http/own_redirect.h"
#include "ports/names/names.h"
#include "ports/store/revocation.h"

static json_t *
texts_of(struct api_call *c, const struct site *s)
{
	const char *key = s->held.id == 0 ? "api.no-certificate" : s->held.is_own ? "api.revoking-own" : "api.revoking";
	const struct str name = names_for_people(s->names[0].name, c->a);
	json_t *o = json_object();

	for (enum lang l = 0; l < LANG_COUNT; l++) {
		AUTO_BUF text = { .max = 8192 };

		words_ui(key, l, &name, 1, &text);
		if (s->held.id != 0 && s->applied.hsts) {
			buf_putc(&text, '\n');
			words_ui("api.revoking-hsts", l, NULL, 0, &text);
		}
		if (!json_put(o, lang_name(l), json_text(buf_str(&text)))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

/* Of what the site holds now, or had before it held nothing; an older one is over. */
static enum err
load(struct api_call *c, const struct site *s, struct revoke *ret, bool *ret_is_there)
{
	enum err err = store_revocation_load(c->api->store, s->id, c->a, ret);

	*ret_is_there = err == ERR_OK && (s->is_revoking || !when_is_known(ret->destroyed_at) || (s->given_up != NULL && s->given_up->revocation != NULL));
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err
revocation_show(struct api_call *c)
{
	struct site s;
	struct revoke r = { .asked_at = WHEN_UNKNOWN, .destroyed_at = WHEN_UNKNOWN, .revoked_at = WHEN_UNKNOWN, .next_try = WHEN_UNKNOWN };
	bool is_there = false;
	enum err err = api_load(c, &s);

	if (err == ERR_OK)
		err = load(c, &s, &r, &is_there);
	if (err != ERR_OK)
		return err;
	const struct when none = WHEN_UNKNOWN;
	json_t *o = json_object();
	if (!json_put(o, "after", texts_of(c, &s)) || !json_put(o, "own_redirect", own_redirect_json(c, &s, s.held.id == 0 ? "api.own-redirect-now" : "api.own-redirect-at-once")) ||
	    !json_put(o, "state", is_there ? json_string(revoke_state_name(revocation_state(&r, c->turn.now))) : json_string("none")) ||
	    !json_put(o, "reason", is_there ? json_string(revoke_reason_name(r.reason)) : json_null()) ||
	    !json_put(o, "asked_at", json_date(is_there ? r.asked_at : none)) || !json_put(o, "destroyed_at", json_date(is_there ? r.destroyed_at : none)) ||
	    !json_put(o, "revoked_at", json_date(is_there ? r.revoked_at : none)) || !json_put(o, "next_try", json_date(is_there ? r.next_try : none))) {
		json_decref(o);
		return ERR_MEMORY;
	}
	api_give(c, 200, o);
	return ERR_OK;
}

/* Free SSL is not wanted any more, and our redirect neither; what was before is kept for the way back. */
static enum err
put(struct api_call *c, const struct site *s, enum revoke_reason reason)
{
	const struct given_up before = { .at = c->turn.now, .by = c->by, .redirect = s->setting.redirect, .hsts = s->setting.hsts };
	struct setting setting = s->setting;
	enum err err = store_revocation_put(c->api->store, s, reason, c->by, c->turn.now);

	setting.source = SOURCE_NONE;
	setting.redirect = setting.hsts = false;
	if (err == ERR_OK)
		err = store_given_up_put(c->api->store, s->id, &before);
	if (err == ERR_OK)
		err = store_setting_put(c->api->store, s->id, &setting);
	return err != ERR_OK ? err : store_wish_put(c->api->store, s->id, SITE_REVOKED, c->turn.now);
}

static enum err
begin(struct api_call *c, struct site *s)
{
	enum revoke_reason reason = REVOKE_UNSPECIFIED;
	enum err err = api_load(c, s);

	if (err == ERR_OK)
		err = api_expects(c, s);
	if (err != ERR_OK)
		return err;
	if (!json_is_true(json_object_get(c->body, "understood"))) {
		api_say(c, "api.not-understood", STR_NONE);
		read_name_field(&c->why, "understood");
		return ERR_INVALID;
	}
	/* The table of the API has let no other word through. */
	if (!revoke_reason_of_name(str_of(json_string_value(json_object_get(c->body, "reason"))), &reason))
		return ERR_BUG;
	if (s->held.id == 0 || s->is_revoking) {
		api_say(c, s->is_revoking ? "api.revoking-already" : "api.no-certificate", s->names[0].name);
		return ERR_CONFLICT;
	}
	return put(c, s, reason);
}

enum err
revocation_begin(struct api_call *c)
{
	struct site s;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = api_end(c, begin(c, &s));
	return err != ERR_OK ? err : api_give_site(c, 202, s.id);
}
