/* The part of the API that changes sites, and lists and shows them. */
#include <string.h>
#include "http/inside.h"
#include "http/json_site.h"
#include "http/read.h"
#include "http/tries.h"
#include "ports/names/names.h"

/* --- reading --- */

/* Is empty: an owner that does not exist has no sites. */
static enum err
read_list(struct api_call *c, struct store_list *ret, bool *ret_is_empty)
{
	struct str owner = api_text(c, "owner"), cause = api_text(c, "cause");
	enum err err = ERR_OK;

	*ret = STORE_LIST_ALL;
	*ret_is_empty = false;
	ret->after = api_text(c, "after");
	ret->search = api_text(c, "search");
	(void)site_standing_of_name(api_text(c, "show"), &ret->standing); /* without it: any */
	ret->is_urgent = str_eq(api_text(c, "show"), STR("urgent"));
	ret->now = c->turn.now;
	ret->cause = cause.n == 0 ? CAUSE_NONE : cause_of_id(cause);
	if (cause.n > 0 && ret->cause == CAUSE_NONE) {
		why_set(&c->why, "?cause=: \"%.*s\" is no cause; expected an id, as dns.a.elsewhere", STR_ARG(cause));
		return ERR_INVALID;
	}
	if (ret->after.n > 0 && ret->after.p[0] != '#')
		err = names_read(ret->after, false, c->a, &c->why, &ret->after);
	if (err == ERR_OK && owner.n > 0) {
		err = store_owner_find(c->api->store, owner, &ret->owner_id);
		*ret_is_empty = err == ERR_NOT_FOUND;
	}
	if (c->asker.role == ROLE_OWNER) {
		*ret_is_empty = *ret_is_empty || (ret->owner_id != 0 && access_to_object(&c->asker, ret->owner_id) != ACCESS_GIVEN);
		ret->owner_id = c->asker.owner_id;
	}
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err
sites_list(struct api_call *c)
{
	struct store_list what;
	struct store_listed *rows = NULL;
	size_t max = api_limit(c), n = 0;
	bool is_empty;
	json_t *list, *document;
	enum err err = read_list(c, &what, &is_empty);

	/* One more than is shown tells whether there are more. */
	if (err == ERR_OK && !is_empty)
		err = store_sites(c->api->store, &what, max + 1, c->a, &rows, &n);
	if (err == ERR_INVALID && c->why.text[0] == '\0')
		why_set(&c->why, "?after=: expected `after` of a page of the same list");
	if (err != ERR_OK)
		return err;
	list = json_array();
	for (size_t i = 0; i < n && i < max; i++) {
		struct json_site_facts facts = { .now = c->turn.now,
			.order_phase = ORDER_PHASE_COUNT };
		struct site s;

		err = store_site_load(c->api->store, rows[i].id, c->a, &s);
		if (err == ERR_NOT_FOUND)
			continue; /* removed meanwhile */
		if (err == ERR_OK)
			err = store_owner_load(c->api->store, s.owner_id, c->a, &facts.owner);
		if (err == ERR_OK &&
		    json_array_append_new(list, json_site_row(&s, &facts, c->a)) != 0)
			err = ERR_MEMORY;
		if (err != ERR_OK) {
			json_decref(list);
			return err;
		}
	}
	document = json_object();
	if (!json_put(document, "sites", list) ||
	    !json_put(
		document, "after", n > max ? json_text(rows[max - 1].cursor) : json_null())) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}

enum err
api_give_site(struct api_call *c, int status, int64_t id)
{
	struct site s;
	json_t *document;
	enum err err = store_site_load(c->api->store, id, c->a, &s);

	if (err == ERR_OK)
		err = api_site_document(c, &s, &document);
	if (err == ERR_OK) {
		api_put_version(c, &s);
		api_give(c, status, document);
	}
	return err;
}

enum err
site_show(struct api_call *c)
{
	int64_t id;
	enum err err = api_find(c, &id);

	return err != ERR_OK ? err : api_give_site(c, 200, id);
}

/* --- changing --- */

enum err
api_put_history(struct api_call *c, int64_t site_id, enum history_kind kind, struct str subject)
{
	const struct history_row row = {
		.site_id = site_id,
		.at = c->turn.now,
		.kind = kind,
		.by = c->by,
		.subject = subject,
	};

	return store_history_put(c->api->store, &row);
}

enum err
api_end(struct api_call *c, enum err err)
{
	err = api_commit(c, err);
	if (err == ERR_OK)
		api_wake(c);
	return err;
}

/* A web server has to know what to serve. A folder target only hands out files. */
static enum err
check_source_of_pages(struct api_call *c, const struct setting *s)
{
	bool is_web = false;

	for (size_t i = 0; i < c->api->config->targets_n; i++)
		is_web = is_web || c->api->config->targets[i].kind != TARGET_FOLDER;
	if (!is_web || s->root.n > 0 || s->proxy.n > 0)
		return ERR_OK;
	why_set(&c->why,
	    "field \"root\": missing; expected root (the folder of the site's pages) or proxy");
	return ERR_INVALID;
}

/* One of those that a CA in use offers; before any directory was read nobody can say. */
static enum err
check_profile(struct api_call *c, struct str profile)
{
	struct ca_row *rows;
	size_t n;
	struct str all = STR_NONE;
	bool is_known = false;

	if (profile.n == 0)
		return ERR_OK;
	enum err err = store_cas(c->api->store, c->a, &rows, &n);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < n; i++) {
		struct str rest = rows[i].profiles;

		if (!rows[i].is_used || !when_is_known(rows[i].directory_at))
			continue;
		is_known = true;
		while (rest.n > 0) {
			struct str one = str_cut(&rest, ' ');

			if (str_eq(one, profile))
				return ERR_OK;
			all = all.n == 0 ? one : arena_strf(c->a, "%.*s, %.*s", STR_ARG(all), STR_ARG(one));
		}
	}
	if (!is_known)
		return ERR_OK;
	why_set(&c->why, "field \"profile\": the CA does not offer \"%.*s\"; expected %.*s", STR_ARG(profile),
	    STR_ARG(all.n > 0 ? all : STR("none: this CA has no profiles")));
	return ERR_INVALID;
}

/* What was typed decides: one name alone, a name with its www., or a list. */
static enum coverage
coverage_of_typed(const struct read_texts *names)
{
	struct str a, b;

	if (names->n == 1)
		return COVERAGE_SINGLE;
	if (names->n != 2)
		return COVERAGE_LIST;
	a = names->at[0];
	b = names->at[1];
	if (a.n > b.n) {
		a = names->at[1];
		b = names->at[0];
	}
	return b.n == a.n + 4 && str_starts(b, STR("www.")) && str_ends(b, a) ? COVERAGE_MULTI
									      : COVERAGE_LIST;
}

struct new_site {
	struct owner_row owner;
	struct setting setting;
	struct read_texts names;
};

static enum err
read_new(struct api_call *c, struct new_site *ret)
{
	struct read_site r;
	struct new_site n = { .setting = { .source = SOURCE_FREE, .key_type = KEY_P256 } };
	enum err err = read_site(c->body, c->a, &r);

	/* Every name in its stored form first, so that the coverage is guessed from equals. */
	if (err == ERR_OK)
		err = read_names(r.names.at, r.names.n, COVERAGE_LIST, c->a, &c->why, &n.names);
	if (err != ERR_OK)
		return err;
	n.setting.coverage = coverage_of_typed(&n.names);
	err = read_setting(&r, c->a, &c->why, &n.setting);
	if (err == ERR_OK && n.setting.coverage == COVERAGE_SINGLE && n.names.n > 1) {
		why_set(&c->why, "field \"coverage\": single has one name; expected list, or "
				 "one name alone");
		err = ERR_INVALID;
	}
	if (err == ERR_OK)
		err = read_names(
		    n.names.at, n.names.n, n.setting.coverage, c->a, &c->why, &n.names);
	if (err == ERR_OK) {
		err = names_read_mail(r.owner, c->a, &c->why, &n.owner.mail);
		if (err != ERR_OK)
			read_name_field(&c->why, "owner");
		n.owner.lang =
		    r.has_owner_lang ? r.owner_lang : str_of(c->api->config->language);
	}
	if (err == ERR_OK)
		*ret = n;
	return err;
}

/* Which site has a name that was asked for: the way on is to open that one (www as a second domain). */
static enum err
tell_other(struct api_call *c, int64_t other)
{
	struct site s;

	if (other != 0 && store_site_load(c->api->store, other, c->a, &s) == ERR_OK &&
	    s.names_n > 0 && access_to_object(&c->asker, s.owner_id) == ACCESS_GIVEN) {
		c->other = names_for_people(s.names[0].name, c->a);
		api_say(c, "api.exists-in", s.names[0].name);
	}
	return ERR_EXISTS;
}

enum err
sites_add(struct api_call *c)
{
	struct new_site n;
	int64_t owner_id = 0, id = 0, other = 0;
	enum err err = read_new(c, &n);

	/* A name that has a site already needs no other answer than that. */
	for (size_t i = 0; err == ERR_OK && i < n.names.n; i++)
		if (store_site_find(c->api->store, n.names.at[i], &other) == ERR_OK)
			return tell_other(c, other);
	if (err == ERR_OK)
		err = check_source_of_pages(c, &n.setting);
	if (err == ERR_OK)
		err = check_profile(c, n.setting.profile);
	if (err == ERR_OK)
		err = store_begin(c->api->store);
	if (err != ERR_OK)
		return err;
	err = store_owner_put(c->api->store, &n.owner, c->turn.now, &owner_id);
	if (err == ERR_OK)
		err = store_site_add(c->api->store, owner_id, &n.setting, n.names.at, n.names.n,
		    c->turn.now, &id, &other);
	if (err == ERR_OK)
		err = api_put_history(c, id, HISTORY_ADDED, n.names.at[0]);
	err = api_end(c, err);
	if (err == ERR_EXISTS)
		return tell_other(c, other);
	return err != ERR_OK ? err : api_give_site(c, 201, id);
}

static struct read_texts
wanted_names(struct api_call *c, const struct site *s)
{
	struct read_texts list = { arena_get(c->a, (s->names_n + 1) * sizeof *list.at), 0 };

	for (size_t i = 0; list.at != NULL && i < s->names_n; i++)
		if (s->names[i].is_wanted)
			list.at[list.n++] = s->names[i].name;
	return list;
}

/* An own certificate comes in by its file alone (http/own.c), and has to have every name. */
static enum err
check_own(struct api_call *c, const struct site *s, const struct read_texts *names)
{
	struct certificate_row row;
	enum err err = s->held.is_own ? store_certificate_load(c->api->store, s->held.id, c->a, &row) : ERR_CONFLICT;

	if (err == ERR_CONFLICT)
		api_say(c, "api.own-without", s->names[0].name);
	for (size_t i = 0; err == ERR_OK && i < names->n; i++)
		if (!certificate_has_name(&row.info, names->at[i])) {
			api_say(c, "api.own-lacks", names->at[i]);
			err = ERR_CONFLICT;
		}
	return err;
}

enum err
api_put_live(struct api_call *c, const struct site *s, const struct setting *setting,
    struct read_texts typed)
{
	struct read_texts names = wanted_names(c, s);
	bool changes_names = typed.n > 0 || setting->coverage != s->setting.coverage;
	bool is_taken_back = s->setting.source == SOURCE_NONE && setting->source != SOURCE_NONE;
	enum err err = check_source_of_pages(c, setting);

	/* What the provider has stopped, the provider lets go on. */
	if (err == ERR_OK && is_taken_back && s->given_up != NULL && s->given_up->is_suspended && c->asker.role == ROLE_OWNER) {
		api_say(c, "api.suspended", s->names[0].name);
		err = ERR_CONFLICT;
	}
	if (err == ERR_OK && is_taken_back)
		err = store_given_up_drop(c->api->store, s->id);
	if (err == ERR_OK && changes_names) {
		if (typed.n > 0)
			names = typed;
		err = read_names(names.at, names.n, setting->coverage, c->a, &c->why, &names);
	}
	if (err == ERR_OK && setting->source == SOURCE_OWN)
		err = check_own(c, s, &names);
	if (err == ERR_OK)
		err = store_setting_put(c->api->store, s->id, setting);
	if (err == ERR_OK && changes_names)
		err = store_names_put(c->api->store, s->id, names.at, names.n);
	if (err == ERR_EXISTS && c->why.text[0] == '\0')
		why_set(&c->why, "one of the names is in another site");
	if (err == ERR_OK)
		err = store_wish_put(c->api->store, s->id, SITE_CHANGED, c->turn.now);
	return err;
}

enum err
site_change(struct api_call *c)
{
	struct read_site r;
	struct site s;
	struct setting setting;
	enum err err = read_site(c->body, c->a, &r);

	if (err == ERR_OK)
		err = store_begin(c->api->store);
	if (err != ERR_OK)
		return err;
	err = api_load(c, &s);
	if (err == ERR_OK)
		err = api_expects(c, &s);
	if (err == ERR_OK) {
		setting = s.setting;
		err = read_setting(&r, c->a, &c->why, &setting);
		if (err == ERR_OK && r.has_profile)
			err = check_profile(c, setting.profile);
	}
	if (err == ERR_OK && r.has_names && !r.has_coverage) {
		struct read_texts names;

		err = read_names(r.names.at, r.names.n, COVERAGE_LIST, c->a, &c->why, &names);
		if (err == ERR_OK)
			setting.coverage = coverage_of_typed(&names);
	}
	if (err == ERR_OK)
		err = api_put_live(c, &s, &setting, r.names);
	err = api_end(c, err);
	return err != ERR_OK ? err : api_give_site(c, 200, s.id);
}

/* One wish for a site, and the site as the answer. */
static enum err
wish(struct api_call *c, enum site_event_kind kind)
{
	int64_t id = 0;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = api_find(c, &id);
	if (err == ERR_OK)
		err = store_wish_put(c->api->store, id, kind, c->turn.now);
	err = api_end(c, err);
	return err != ERR_OK ? err : api_give_site(c, 202, id);
}

enum err
site_remove(struct api_call *c)
{
	return wish(c, SITE_REMOVED);
}

enum err
site_renew(struct api_call *c)
{
	struct site s;
	enum err err = api_load(c, &s);

	if (err != ERR_OK)
		return err;
	if (s.setting.source == SOURCE_OWN) {
		api_say(c, "api.own-not-renewed", s.names[0].name);
		return ERR_CONFLICT;
	}
	return wish(c, SITE_ASKED_RENEW);
}

/* The operator has opened the CA's page for the names that it had paused. */
enum err
site_resume(struct api_call *c)
{
	struct site s;
	enum err err = api_load(c, &s);

	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < s.findings.n; i++)
		if (s.findings.at[i].cause == CAUSE_CA_NAME_PAUSED)
			return wish(c, SITE_RESUMED);
	api_say(c, "api.not-paused", s.names[0].name);
	return ERR_CONFLICT;
}

enum err
site_check_again(struct api_call *c)
{
	struct tries tries;
	int64_t id = 0;
	enum err err = api_find(c, &id);

	if (err == ERR_OK)
		err = tries_of_check(c, id, &tries);
	if (err == ERR_OK)
		err = tries_count(c, &tries);
	return err == ERR_OK ? wish(c, SITE_ASKED_CHECK) : err;
}

/* --- the draft --- */

enum err
draft_put(struct api_call *c)
{
	struct read_site r;
	struct site s;
	struct draft d;
	bool is_new;
	enum err err = read_site(c->body, c->a, &r);

	if (err == ERR_OK)
		err = store_begin(c->api->store);
	if (err != ERR_OK)
		return err;
	err = api_load(c, &s);
	if (err == ERR_OK)
		err = api_expects(c, &s);
	if (err == ERR_OK) {
		is_new = !s.draft.exists;
		d = s.draft;
		if (is_new)
			d = (struct draft){
				.exists = true,
				.setting = s.setting,
				.begun_at = c->turn.now,
				.begun_by = c->by,
				.told_at = WHEN_UNKNOWN,
			};
		err = read_setting(&r, c->a, &c->why, &d.setting);
		if (err == ERR_OK && r.has_profile)
			err = check_profile(c, d.setting.profile);
		if (err == ERR_OK)
			err = store_draft_put(c->api->store, s.id, &d);
		if (err == ERR_OK && is_new)
			err = api_put_history(c, s.id, HISTORY_DRAFT_BEGUN, STR_NONE);
	}
	err = api_end(c, err);
	return err != ERR_OK ? err : api_give_site(c, 200, s.id);
}

static enum err
load_with_draft(struct api_call *c, struct site *s)
{
	enum err err = api_load(c, s);

	if (err == ERR_OK && !s->draft.exists) {
		api_say(c, "api.no-draft", s->names[0].name);
		err = ERR_NOT_FOUND;
	}
	return err == ERR_OK ? api_expects(c, s) : err;
}

enum err
draft_discard(struct api_call *c)
{
	struct site s;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = load_with_draft(c, &s);
	if (err == ERR_OK)
		err = store_draft_discard(c->api->store, s.id);
	if (err == ERR_OK)
		err = api_put_history(c, s.id, HISTORY_DRAFT_DISCARDED, STR_NONE);
	err = api_end(c, err);
	return err != ERR_OK ? err : api_give_site(c, 200, s.id);
}

enum err
draft_apply(struct api_call *c)
{
	struct site s;
	enum err err = store_begin(c->api->store);

	if (err != ERR_OK)
		return err;
	err = load_with_draft(c, &s);
	if (err == ERR_OK)
		err = api_put_live(c, &s, &s.draft.setting, (struct read_texts){ 0 });
	if (err == ERR_OK)
		err = store_draft_discard(c->api->store, s.id);
	err = api_end(c, err);
	return err != ERR_OK ? err : api_give_site(c, 200, s.id);
}
