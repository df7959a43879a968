#include "http/json_site.h"
#include <stdio.h>
#include <string.h>
#include "base/date.h"
#include "ports/names/names.h"

enum { TEXT_MAX = 16 * 1024 }; /* one sentence of words/, values included */

bool
json_put(json_t *object, const char *key, json_t *value)
{
	return json_object_set_new(object, key, value) == 0;
}

json_t *
json_text(struct str s)
{
	AUTO_BUF clean = { 0 };

	if (str_is_utf8(s))
		return json_stringn(s.p == NULL ? "" : s.p, s.n);
	buf_init(&clean, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		buf_putc(&clean, (unsigned char)s.p[i] < 0x80 ? s.p[i] : '?');
	return clean.err != ERR_OK ? NULL
				   : json_stringn(clean.p == NULL ? "" : clean.p, clean.n);
}

json_t *
json_names(const struct str *names, size_t n, struct arena *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(list, json_text(names_for_people(names[i], a))) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

json_t *
json_date(struct when w)
{
	char text[DATE_TEXT_BYTES];

	if (!when_is_known(w))
		return json_null();
	date_put(w, text);
	return json_string(text);
}

json_t *
json_fingerprint(const uint8_t fingerprint[FINGERPRINT_BYTES])
{
	char text[2 * FINGERPRINT_BYTES + 1];
	bool is_zero = true;

	for (size_t i = 0; i < FINGERPRINT_BYTES; i++) {
		(void)snprintf(text + 2 * i, 3, "%02x", fingerprint[i]);
		is_zero = is_zero && fingerprint[i] == 0;
	}
	return is_zero ? json_null() : json_string(text);
}

json_t *
json_setting(const struct setting *s)
{
	json_t *o = json_object();
	bool ok = json_put(o, "source", json_string(source_name(s->source))) &&
		  json_put(o, "coverage", json_string(coverage_name(s->coverage))) &&
		  json_put(o, "key_type", json_string(key_type_name(s->key_type))) &&
		  json_put(o, "redirect", json_boolean(s->redirect)) &&
		  json_put(o, "hsts", json_boolean(s->hsts)) &&
		  json_put(o, "takeover", json_boolean(s->takeover)) &&
		  json_put(o, "root", json_text(s->root)) &&
		  json_put(o, "proxy", json_text(s->proxy)) &&
		  json_put(o, "profile", json_text(s->profile));

	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

/* {"ja": …, "en": …} of one text of words/ui.txt. */
static json_t *
both(const char *prefix, const char *word, struct str arg)
{
	json_t *o = json_object();
	char key[64];

	(void)snprintf(key, sizeof key, "%s%s", prefix, word);
	for (enum lang l = 0; l < LANG_COUNT; l++) {
		AUTO_BUF text = { 0 };

		buf_init(&text, TEXT_MAX);
		words_ui(key, l, &arg, 1, &text);
		if (!json_put(o, lang_name(l), json_text(buf_str(&text)))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *
cause_text(const struct finding *f, enum cause_text t, struct words_context ctx)
{
	json_t *o = json_object();

	for (enum lang l = 0; l < LANG_COUNT; l++) {
		AUTO_BUF text = { 0 };

		buf_init(&text, TEXT_MAX);
		ctx.lang = l;
		words_cause(f, t, &ctx, &text);
		if (!json_put(o, lang_name(l), json_text(buf_str(&text)))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *
cause_title(const struct finding *f, struct words_context ctx)
{
	json_t *o = json_object();

	for (enum lang l = 0; l < LANG_COUNT; l++) {
		AUTO_BUF text = { 0 };

		buf_init(&text, TEXT_MAX);
		ctx.lang = l;
		words_cause_title(f, &ctx, &text);
		if (!json_put(o, lang_name(l), json_text(buf_str(&text)))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *
lines_of(struct str text)
{
	json_t *lines = json_array();

	while (text.n > 0) {
		struct str line = str_cut(&text, '\n');

		if (line.n > 0 && json_array_append_new(lines, json_text(line)) != 0) {
			json_decref(lines);
			return NULL;
		}
	}
	return lines;
}

static struct words_context
context_of(struct str site_name, const struct view *view, const struct json_site_facts *facts, struct arena *a)
{
	return (struct words_context){
		.now = facts->now,
		.zone = facts->zone,
		.site_name = names_for_people(site_name, a),
		.view = *view,
		.panel_url = facts->panel_url,
		.for_people = names_for_people,
		.registered_domain = names_registered_domain,
	};
}

json_t *
json_finding(const struct finding *f, struct str site_name, const struct view *view,
    const struct json_site_facts *facts, struct arena *a)
{
	const struct cause_row *row = cause_row(f->cause);
	const struct words_context ctx = context_of(site_name, view, facts, a);
	json_t *o = json_object(), *action = cause_text(f, CAUSE_ACTION, ctx);
	bool ok = json_put(action, "copy", json_text(f->copy)) &&
		  json_put(o, "cause", json_string(row->id)) &&
		  json_put(o, "subject", json_text(f->subject)) &&
		  json_put(o, "severity", json_string(severity_name(row->severity))) &&
		  json_put(o, "who", json_string(actor_name(f->acts))) &&
		  json_put(o, "seen", json_text(f->seen)) &&
		  json_put(o, "wanted", json_text(f->wanted)) &&
		  json_put(o, "company", json_text(f->company)) &&
		  json_put(o, "title", cause_title(f, ctx)) &&
		  json_put(o, "visitors", cause_text(f, CAUSE_VISITORS, ctx)) &&
		  json_put(o, "explanation", cause_text(f, CAUSE_CAUSE, ctx)) &&
		  json_put(o, "next", cause_text(f, CAUSE_NEXT, ctx)) &&
		  json_put(o, "first_seen", json_date(f->first_seen)) &&
		  json_put(o, "last_seen", json_date(f->last_seen)) &&
		  json_put(o, "next_look", json_date(f->next_look)) &&
		  json_put(o, "told_at", json_date(f->told_at)) &&
		  json_put(o, "times_seen", json_integer((json_int_t)f->times_seen)) &&
		  json_put(o, "mends", json_integer((json_int_t)f->mends)) &&
		  json_put(o, "mended_at", json_date(f->mends > 0 ? f->mended_at : WHEN_UNKNOWN)) &&
		  json_put(o, "evidence", lines_of(f->evidence));

	if (!json_put(o, "action", action) || !ok) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* A finding is told with the name that it is about; one about none of them (a server, a CA) with the first. */
static bool
belongs_to(const struct site *s, const struct finding *f, size_t name)
{
	for (size_t i = 0; i < s->names_n; i++)
		if (str_eq(s->names[i].name, f->subject))
			return i == name;
	return name == 0;
}

static json_t *
findings_of(const struct site *s, size_t name, const struct view *view,
    const struct json_site_facts *facts, struct arena *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];

		if (!belongs_to(s, f, name))
			continue;
		if (json_array_append_new(
			list, json_finding(f, s->names[0].name, view, facts, a)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
served(const struct served *v)
{
	json_t *o;

	if (!when_is_known(v->at))
		return json_null();
	o = json_object();
	if (json_put(o, "at", json_date(v->at)) && json_put(o, "ok", json_boolean(v->is_ok)) &&
	    json_put(o, "held", json_boolean(v->is_held)) &&
	    json_put(o, "not_after", json_date(v->not_after)) &&
	    json_put(o, "fingerprint", json_fingerprint(v->fingerprint)))
		return o;
	json_decref(o);
	return NULL;
}

/* What differs from the last good check; only where something stands against the name. */
static json_t *
changes_of(const struct site *s, const struct site_name *n, const struct json_site_facts *facts)
{
	const struct memory *m = site_memory_of(s, n->name);
	struct memory_change changes[CHANGE_COUNT];
	size_t count = m != NULL && site_cause_of(s, n->name) != NULL ? memory_changes(m, changes) : 0;
	json_t *list = json_array();
	bool ok = list != NULL;

	for (size_t i = 0; i < count && ok; i++) {
		json_t *o = json_object(), *texts = json_object();

		for (enum lang l = 0; l < LANG_COUNT; l++) {
			const struct words_context ctx = { .lang = l, .now = facts->now, .zone = facts->zone };
			AUTO_BUF text = { .max = TEXT_MAX };

			words_change(&changes[i], &ctx, &text);
			ok = json_put(texts, lang_name(l), json_text(buf_str(&text))) && ok;
		}
		ok = json_put(o, "what", json_string(change_name(changes[i].what))) && json_put(o, "before", json_text(changes[i].before)) &&
		     json_put(o, "now", json_text(changes[i].now)) && json_put(o, "since", json_date(changes[i].since)) && ok;
		ok = json_put(o, "text", texts) && ok;
		ok = json_array_append_new(list, o) == 0 && ok;
	}
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *
names(const struct site *s, const struct view *view, const struct json_site_facts *facts,
    struct arena *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->names_n; i++) {
		const struct site_name *n = &s->names[i];
		json_t *o = json_object();
		bool ok = json_put(o, "name", json_text(names_for_people(n->name, a))) &&
			  json_put(o, "ascii", json_text(n->name)) &&
			  json_put(o, "wanted", json_boolean(n->is_wanted)) &&
			  json_put(o, "held", json_boolean(n->is_held)) &&
			  json_put(o, "visitors",
			      json_string(visitors_name(view_visitors(s, n, facts->now)))) &&
			  json_put(o, "passed_at", json_date(n->passed_at)) &&
			  json_put(o, "served", served(&n->served)) &&
			  json_put(o, "changed", changes_of(s, n, facts)) &&
			  json_put(o, "findings", findings_of(s, i, view, facts, a));

		if (json_array_append_new(list, o) != 0 || !ok) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *
draft(const struct draft *d)
{
	json_t *o;

	if (!d->exists)
		return json_null();
	o = json_object();
	if (json_put(o, "setting", json_setting(&d->setting)) &&
	    json_put(o, "begun_at", json_date(d->begun_at)) &&
	    json_put(o, "begun_by", json_text(d->begun_by)) &&
	    json_put(o, "has_csr", json_boolean(d->has_csr)))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
certificate(const struct held *h)
{
	json_t *o;

	if (h->id == 0)
		return json_null();
	o = json_object();
	if (json_put(o, "not_before", json_date(h->life.from)) &&
	    json_put(o, "not_after", json_date(h->life.to)) &&
	    json_put(o, "fingerprint", json_fingerprint(h->fingerprint)) &&
	    json_put(o, "live", json_boolean(h->is_live)) &&
	    json_put(o, "own", json_boolean(h->is_own)))
		return o;
	json_decref(o);
	return NULL;
}

/* When and why the certificate is renewed next, and what the CA has said of it (RFC 9773). */
static json_t *
renewal(const struct site *s)
{
	const struct renewal *r = &s->renewal;
	const char *why = renew_why_name(site_renew_why(s));
	json_t *o, *window = json_null();

	if (s->held.id == 0 || s->setting.source != SOURCE_FREE || s->held.is_own)
		return json_null();
	if (r->is_told)
		window = json_pack("{s:o, s:o}", "start", json_date(r->start), "end", json_date(r->end));
	o = json_object();
	if (json_put(o, "at", json_date(site_renew_at(s))) && json_put(o, "why", json_string(why)) &&
	    json_put(o, "because", both("renewal.", why, STR_NONE)) && json_put(o, "window", window) &&
	    json_put(o, "explanation", json_text(r->is_told ? r->explanation : STR_NONE)) &&
	    json_put(o, "polled_at", json_date(r->polled_at)) && json_put(o, "next_poll", json_date(r->poll_at)))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
order(enum order_phase phase)
{
	return phase == ORDER_PHASE_COUNT
		   ? json_null()
		   : json_pack("{s:s}", "phase", order_phase_name(phase));
}

/* What list and page have in common. */
static bool
put_head(json_t *o, const struct site *s, const struct view *v, const struct json_site_facts *f,
    struct arena *a)
{
	struct str name = names_for_people(s->names[0].name, a);

	return json_put(o, "id", json_integer(s->id)) && json_put(o, "name", json_text(name)) &&
	       json_put(o, "ascii", json_text(s->names[0].name)) &&
	       json_put(o, "owner", json_text(f->owner.mail)) &&
	       json_put(o, "state", json_string(site_state_name(v->state))) &&
	       json_put(o, "pill", both("state.", view_pill(v), STR_NONE)) &&
	       json_put(o, "until", json_date(v->until)) &&
	       json_put(o, "since", json_date(v->since)) &&
	       json_put(o, "acts", json_string(actor_name(v->acts))) &&
	       json_put(o, "next_look", json_date(v->next_look)) &&
	       json_put(o, "next_renewal", json_date(v->next_renewal)) &&
	       json_put(o, "doing", json_string(doing_name(s->doing)));
}

json_t *
json_site_row(const struct site *s, const struct json_site_facts *f, struct arena *a)
{
	struct view v = view_of(s, f->now);
	json_t *o = json_object();

	if (s->names_n > 0 && put_head(o, s, &v, f, a) &&
	    json_put(o, "cause",
		v.cause == NULL ? json_null() : json_string(cause_row(v.cause->cause)->id)) &&
	    json_put(o, "title",
		v.cause == NULL ? json_null() : cause_title(v.cause, context_of(s->names[0].name, &v, f, a))))
		return o;
	json_decref(o);
	return NULL;
}

struct view
json_site_view(const struct site *s, const struct ca_row *ca, struct when now)
{
	struct view v = view_of(s, now);

	if (ca != NULL)
		view_awaits_issuer(&v, s, ca->breaker.ill_since, breaker_not_before(&ca->breaker));
	return v;
}

json_t *
json_site(const struct site *s, const struct json_site_facts *f, struct arena *a)
{
	struct view v = json_site_view(s, f->ca, f->now);
	json_t *o = json_object();
	bool ok = s->names_n > 0 && put_head(o, s, &v, f, a);

	ok = ok &&
	     json_put(o, "headline",
		 both("headline.", view_headline(s, &v),
		     names_for_people(s->names[0].name, a))) &&
	     json_put(o, "cause",
		 v.cause == NULL ? json_null()
				 : json_finding(v.cause, s->names[0].name, &v, f, a)) &&
	     json_put(o, "names", names(s, &v, f, a)) &&
	     json_put(o, "setting", json_setting(&s->setting)) &&
	     json_put(o, "draft", draft(&s->draft)) &&
	     json_put(o, "certificate", certificate(&s->held)) &&
	     json_put(o, "renewal", renewal(s)) &&
	     json_put(o, "redirect", json_integer(site_redirect(s, f->now))) &&
	     json_put(o, "hsts", json_boolean(site_hsts(s, f->now))) &&
	     json_put(o, "doing_since", json_date(s->doing_since)) &&
	     json_put(o, "order", order(f->order_phase)) &&
	     json_put(o, "asked",
		 json_pack("{s:b, s:b}", "check", s->asked_check, "renew", s->asked_renew)) &&
	     json_put(o, "order_failures", json_integer((json_int_t)s->order_failures)) &&
	     json_put(o, "retry_at", json_date(s->retry_at)) &&
	     json_put(o, "checked_at", json_date(s->checked_at)) &&
	     json_put(o, "owner_lang", json_text(f->owner.lang)) &&
	     json_put(o, "removed", json_boolean(s->is_removed));
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}
