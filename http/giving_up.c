/*
 * Giving free SSL up, taking that back, and starting over: the folk cures, made harmless. The stored certificate goes on being
 * served until its end whatever is pressed here; our redirect lets go first; and whoever sets up again gets the stored one back at
 * once, without the CA.
 */
#include <string.h>
#include "core/own_redirect.h"
#include "http/inside.h"
#include "http/json_site.h"
#include "http/own_redirect.h"
#include "ports/names/names.h"

/* The stored certificate can still be served. */
static bool
has_valid(const struct api_call *c, const struct site *s)
{
	return s->held.id != 0 && when_before(c->turn.now, s->held.life.to);
}

/* The provider has stopped it, so that its owner cannot take it back. */
static bool
is_suspended(const struct site *s)
{
	return s->setting.source == SOURCE_NONE && s->given_up != NULL && s->given_up->is_suspended;
}

static json_t *
texts_of(struct api_call *c, const struct site *s, const char *form)
{
	json_t *o = json_object();
	const char *key = is_suspended(s) ? "api.suspended" : !has_valid(c, s) ? "api.giving-up-without" : s->setting.source == SOURCE_NONE ? "api.given-up" : form;

	for (enum lang l = 0; l < LANG_COUNT; l++) {
		AUTO_BUF until = { .max = 256 }, text = { .max = 4096 };

		const struct words_context ctx = {
			.lang = l, .now = c->turn.now, .zone = config_zone(c->api->config)
		};

		words_date(s->held.life.to, &ctx, &until);
		const struct str args[] = { names_for_people(s->names[0].name, c->a),
			buf_str(&until) };
		words_ui(key, l, args, sizeof args / sizeof *args, &text);
		if (key == form && own_redirect_known(s).n == 0) {
			buf_putc(&text, '\n');
			words_ui("api.own-redirect-unknown", l, NULL, 0, &text);
		}
		if (!json_put(o, lang_name(l), json_text(buf_str(&text)))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

/* What becomes of visitors whom the site itself sends to https. */
static json_t *
own_redirect_of_giving_up(struct api_call *c, const struct site *s)
{
	return own_redirect_json(c, s, !has_valid(c, s) ? "api.own-redirect-now" : s->setting.source == SOURCE_NONE ? "api.own-redirect-given-up" : "api.own-redirect");
}

enum err
removal_show(struct api_call *c)
{
	struct site s;
	json_t *document;
	enum err err = api_load(c, &s);

	if (err != ERR_OK)
		return err;
	document = json_object();
	if (!json_put(document, "after", texts_of(c, &s, "api.giving-up")) ||
	    !json_put(document, "after_stop", texts_of(c, &s, "api.stopping")) ||
	    !json_put(document, "own_redirect", own_redirect_of_giving_up(c, &s)) ||
	    !json_put(document, "is_given_up", json_boolean(s.setting.source == SOURCE_NONE)) ||
	    !json_put(document, "is_suspended", json_boolean(is_suspended(&s))) ||
	    !json_put(document, "can_undo_until",
		json_date(has_valid(c, &s) ? s.held.life.to : WHEN_UNKNOWN))) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}

/* Renewals alone are stopped: what is served stays as it is, our redirect too, until it lets go at the end by itself. */
static bool
is_stop(const struct api_call *c)
{
	return str_eq(api_text(c, "form"), STR("stop"));
}

static enum err
give_up(struct api_call *c, struct site *s)
{
	enum err err = api_load(c, s);

	if (err == ERR_OK)
		err = api_expects(c, s);
	/* Who has stopped renewals may go on to take SSL off. */
	bool is_next = err == ERR_OK && s->setting.source == SOURCE_NONE && s->setting.redirect && !is_stop(c);

	if (err == ERR_OK && s->setting.source != SOURCE_FREE && !is_next) {
		api_say(c, s->setting.source == SOURCE_OWN ? "api.own-in-use" : "api.given-up-already", s->names[0].name);
		err = ERR_CONFLICT;
	}
	if (err != ERR_OK)
		return err;
	const struct given_up before = { .at = c->turn.now,
		.by = c->by,
		.is_suspended = c->asker.role != ROLE_OWNER,
		.redirect = s->setting.redirect,
		.hsts = s->setting.hsts };
	struct setting setting = s->setting;
	setting.source = SOURCE_NONE;
	if (!is_stop(c))
		setting.redirect = setting.hsts = false;
	err = store_given_up_put(c->api->store, s->id, &before);
	if (err == ERR_OK)
		err = api_put_live(c, s, &setting, (struct read_texts){ 0 });
	/* Behind ours the site may have a redirect of its own: it is looked for as soon as ours has let go. */
	if (err == ERR_OK && !is_stop(c) && s->applied.redirect != 0)
		err = store_wish_put(c->api->store, s->id, SITE_ASKED_CHECK, c->turn.now);
	return err != ERR_OK ? err : api_put_history(c, s->id, HISTORY_GIVEN_UP, STR_NONE);
}

enum err
removal_begin(struct api_call *c)
{
	struct site s;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = api_end(c, give_up(c, &s));
	return err != ERR_OK ? err : api_give_site(c, 202, s.id);
}

/* Back to what it was before; without that, to free SSL as it is set. */
static enum err
take_back(struct api_call *c, const struct site *s)
{
	struct setting setting = s->setting;

	setting.source = SOURCE_FREE;
	if (s->given_up != NULL) {
		setting.redirect = s->given_up->redirect;
		setting.hsts = s->given_up->hsts;
	}
	enum err err = api_put_live(c, s, &setting, (struct read_texts){ 0 });
	return err != ERR_OK ? err : api_put_history(c, s->id, HISTORY_TAKEN_BACK, STR_NONE);
}

enum err
removal_undo(struct api_call *c)
{
	struct site s;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = api_load(c, &s);
	if (err == ERR_OK && s.setting.source != SOURCE_NONE) {
		api_say(c, "api.not-given-up", s.names[0].name);
		err = ERR_CONFLICT;
	}
	if (err == ERR_OK)
		err = take_back(c, &s);
	err = api_end(c, err);
	return err != ERR_OK ? err : api_give_site(c, 202, s.id);
}

/*
 * What an owner hopes for from deleting and registering again: an unfinished draft is gone, free SSL is on, everything is looked at
 * anew. A new certificate is asked for only where none is stored that works, or where that is wanted.
 */
static enum err
start_over(struct api_call *c, struct site *s)
{
	bool wants_new = json_is_true(json_object_get(c->body, "new_certificate"));
	enum err err = api_load(c, s);

	if (err == ERR_OK && s->setting.source == SOURCE_OWN) {
		api_say(c, "api.own-not-renewed", s->names[0].name);
		err = ERR_CONFLICT;
	}
	if (err != ERR_OK)
		return err;
	if (s->draft.exists) {
		err = store_draft_discard(c->api->store, s->id);
		if (err == ERR_OK)
			err = api_put_history(c, s->id, HISTORY_DRAFT_DISCARDED, STR_NONE);
	}
	if (err == ERR_OK && s->setting.source == SOURCE_NONE)
		err = take_back(c, s);
	else if (err == ERR_OK)
		err = store_wish_put(c->api->store, s->id, SITE_CHANGED, c->turn.now);
	if (err == ERR_OK && (wants_new || !has_valid(c, s)))
		err = store_wish_put(c->api->store, s->id, SITE_ASKED_RENEW, c->turn.now);
	return err;
}

enum err
site_start_over(struct api_call *c)
{
	struct site s;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = api_end(c, start_over(c, &s));
	return err != ERR_OK ? err : api_give_site(c, 202, s.id);
}
