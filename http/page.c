/* The page of a site: made of the same facts and the same words as letters, by core/view, core/page and words/page. */
#include "core/page.h"
#include "http/inside.h"
#include "http/json_site.h"
#include "ports/names/names.h"

enum { PAST_LINES = 50, TEXT_BYTES_MAX = 16384 };

struct page {
	struct api_call *c;
	const struct site *s;
	struct policy policy;
	struct words_context ctx;
};

typedef void put_text(const struct page *p, const void *what, const struct words_context *ctx, struct buf *out);

static json_t *
both(const struct page *p, put_text *put, const void *what)
{
	json_t *o = json_object();

	for (enum lang l = 0; l < LANG_COUNT; l++) {
		struct words_context ctx = p->ctx;
		AUTO_BUF text = { .max = TEXT_BYTES_MAX };

		ctx.lang = l;
		put(p, what, &ctx, &text);
		if (text.err != ERR_OK || !json_put(o, lang_name(l), json_text(buf_str(&text)))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static void
put_label(const struct page *p, const void *what, const struct words_context *ctx, struct buf *out)
{
	(void)p;
	words_page_label(*(const enum page_row *)what, ctx, out);
}

static void
put_row(const struct page *p, const void *what, const struct words_context *ctx, struct buf *out)
{
	words_page_row(*(const enum page_row *)what, p->s, ctx, out);
}

static void
put_key(const struct page *p, const void *what, const struct words_context *ctx, struct buf *out)
{
	(void)p;
	words_ui(what, ctx->lang, NULL, 0, out);
}

static void
put_value(const struct page *p, const void *what, const struct words_context *ctx, struct buf *out)
{
	(void)p;
	words_put_value(*(const struct str *)what, ctx, out);
}

/* An effect takes the value of its root cause along: that belongs to the test of the root. */
static const struct str *
wanted_of(enum page_test t, const struct finding *why)
{
	static const struct str none = { NULL, 0 };

	if (why == NULL || (t == PAGE_TEST_SERVED && why->cause != CAUSE_OWN_DEPLOY_NOT_SERVED && why->cause != CAUSE_SERVED_CERTIFICATE_WRONG))
		return &none;
	return &why->wanted;
}

static json_t *
lines_of(const struct page *p)
{
	json_t *list = json_array();
	bool ok = true;

	for (enum page_row r = 0; r < PAGE_ROW_COUNT; r++) {
		json_t *o = json_object();

		ok = json_put(o, "row", json_string(page_row_name(r))) && json_put(o, "label", both(p, put_label, &r)) &&
		     json_put(o, "text", both(p, put_row, &r)) && ok;
		ok = json_array_append_new(list, o) == 0 && ok;
	}
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *
button_of(const struct page *p)
{
	static const struct {
		const char *operation, *key;
	} rows[] = { [PAGE_SET_UP] = { "draft_put", "page.button.set-up" }, [PAGE_CHECK] = { "site_check_again", "page.button.check" },
		[PAGE_TO_FREE] = { "own_end", "page.button.to-free" },
		[PAGE_RENEW] = { "site_renew", "page.button.renew" } };
	struct page_button b = page_button_of(p->s, &p->policy, &p->ctx.view, p->ctx.now);
	json_t *o;

	if (b.action == PAGE_NOTHING)
		return json_null();
	o = json_object();
	if (json_put(o, "action", json_string(rows[b.action].operation)) && json_put(o, "text", both(p, put_key, rows[b.action].key)) &&
	    json_put(o, "works_at", json_date(b.works_at)))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
checks_of(const struct page *p)
{
	static const struct str none = { NULL, 0 };
	json_t *list = json_array();
	bool ok = true;

	for (size_t i = 0; i < p->s->names_n; i++) {
		const struct site_name *n = &p->s->names[i];

		for (enum page_test t = 0; n->is_wanted && t < PAGE_TEST_COUNT; t++) {
			struct page_check k = page_check_of(p->s, n, t, p->ctx.now);
			json_t *o = json_object();

			ok = json_put(o, "name", json_text(names_for_people(n->name, p->c->a))) &&
			     json_put(o, "test", json_string(page_test_name(t))) && json_put(o, "at", json_date(k.at)) &&
			     json_put(o, "result", json_string(page_result_name(k.result))) &&
			     json_put(o, "cause", k.why == NULL ? json_null() : json_string(cause_row(k.why->cause)->id)) &&
			     json_put(o, "seen", both(p, put_value, k.why == NULL ? &none : &k.why->seen)) &&
			     json_put(o, "wanted", both(p, put_value, wanted_of(t, k.why))) && ok;
			ok = json_array_append_new(list, o) == 0 && ok;
		}
	}
	if (ok)
		return list;
	json_decref(list);
	return NULL;
}

/* What happened, and to what: a line that names nothing frightens. */
static void
put_past(const struct page *p, const void *what, const struct words_context *ctx, struct buf *out)
{
	const struct history_row *h = what;
	const struct finding f = { .cause = cause_of_id(h->subject), .subject = h->detail.n > 0 ? h->detail : p->s->names[0].name };
	struct str to = h->kind == HISTORY_LETTER ? h->detail : h->kind == HISTORY_LETTER_BOUNCED ? h->subject : STR_NONE;
	char key[64];

	(void)snprintf(key, sizeof key, "history.%s", history_name(h->kind));
	words_ui(key, ctx->lang, NULL, 0, out);
	if (f.cause == CAUSE_NONE && to.n == 0)
		return;
	buf_put_str(out, STR(": "));
	if (f.cause != CAUSE_NONE)
		words_cause_title(&f, ctx, out);
	else
		words_put_value(to, ctx, out);
}

static json_t *
event(const struct page *p, struct when at, const char *kind, bool is_planned, put_text *put, const void *what)
{
	json_t *o = json_object();

	if (json_put(o, "at", json_date(at)) && json_put(o, "kind", json_string(kind)) && json_put(o, "planned", json_boolean(is_planned)) &&
	    json_put(o, "text", both(p, put, what)))
		return o;
	json_decref(o);
	return NULL;
}

/* The past from the history, oldest first, then the plan. */
static enum err
timeline_of(const struct page *p, json_t **ret)
{
	struct page_event plan[PAGE_EVENTS_MAX];
	struct history_row *past;
	size_t n, plan_n = page_plan(p->s, &p->policy, &p->ctx.view, p->ctx.now, plan);
	enum err err = store_history(p->c->api->store, p->s->id, 0, PAST_LINES, p->c->a, &past, &n);
	char key[64];

	if (err != ERR_OK)
		return err;
	json_t *list = json_array();
	bool ok = true;
	for (size_t i = n; i > 0; i--) {
		const struct history_row *h = &past[i - 1];

		ok = json_array_append_new(list, event(p, h->at, history_name(h->kind), false, put_past, h)) == 0 && ok;
	}
	for (size_t i = 0; i < plan_n; i++) {
		const char *kind = page_event_name(plan[i].kind);

		(void)snprintf(key, sizeof key, "page.plan.%s", kind);
		ok = json_array_append_new(list, event(p, plan[i].at, kind, true, put_key, key)) == 0 && ok;
	}
	if (!ok) {
		json_decref(list);
		return ERR_MEMORY;
	}
	*ret = list;
	return ERR_OK;
}

static json_t *
addresses_of(const struct config *config)
{
	json_t *list = json_array();

	for (size_t i = 0; i < config->server.addresses_n; i++)
		if (json_array_append_new(list, json_string(config->server.addresses[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

enum err
site_page(struct api_call *c)
{
	struct site s;
	json_t *site = NULL, *timeline = NULL, *document;
	const struct ca_row *ca;
	enum err err = api_load(c, &s);

	if (err == ERR_OK)
		err = api_ca_of(c, &s, &ca);
	if (err == ERR_OK)
		err = api_site_document(c, &s, &site);
	if (err != ERR_OK)
		return err;
	const struct page p = { .c = c,
		.s = &s,
		.policy = { .ca_not_before = WHEN_UNKNOWN, .draft_discard_after = c->api->config->draft.discard_after },
		.ctx = { .now = c->turn.now,
		    .zone = config_zone(c->api->config),
		    .site_name = names_for_people(s.names[0].name, c->a),
		    .view = json_site_view(&s, ca, c->turn.now),
		    .panel_url = str_of(c->api->config->panel_url),
		    .for_people = names_for_people,
		    .registered_domain = names_registered_domain } };
	err = timeline_of(&p, &timeline);
	if (err != ERR_OK) {
		json_decref(site);
		return err;
	}
	document = json_object();
	bool ok = json_put(document, "site", site);
	ok = json_put(document, "timeline", timeline) && ok;
	ok = ok && json_put(document, "lines", lines_of(&p)) && json_put(document, "button", button_of(&p)) &&
	     json_put(document, "checks", checks_of(&p)) && json_put(document, "addresses", addresses_of(c->api->config));
	if (!ok) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}
