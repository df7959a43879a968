/* The part of the API that only reads what has been: history, letters, certificates; and the news of a site. */
#include <string.h>
#include "http/doctor.h"
#include "http/inside.h"
#include "http/json_site.h"
#include "ports/names/names.h"

static json_t *
texts_of(const struct history_row *h)
{
	char key[64];
	json_t *o = json_object();

	(void)snprintf(key, sizeof key, "history.%s", history_name(h->kind));
	for (enum lang l = 0; l < LANG_COUNT; l++) {
		AUTO_BUF text = { 0 };

		buf_init(&text, 4096);
		words_ui(key, l, NULL, 0, &text);
		if (!json_put(o, lang_name(l), json_text(buf_str(&text)))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

json_t *
api_history_line(const struct history_row *h)
{
	json_t *o = json_object();

	if (json_put(o, "id", json_integer(h->id)) && json_put(o, "at", json_date(h->at)) &&
	    json_put(o, "kind", json_string(history_name(h->kind))) &&
	    json_put(o, "by", json_text(h->by)) &&
	    json_put(o, "subject", json_text(h->subject)) &&
	    json_put(o, "detail", json_text(h->detail)) && json_put(o, "words", texts_of(h)))
		return o;
	json_decref(o);
	return NULL;
}

/* Gives {"KEY": rows, "before": id of the last row if there may be more}. */
static enum err
give_rows(struct api_call *c, const char *key, json_t *rows, json_t *before)
{
	json_t *document = json_object();

	if (!json_put(document, key, rows)) {
		json_decref(before);
		json_decref(document);
		return ERR_MEMORY;
	}
	if (!json_put(document, "before", before)) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}

enum err
site_history_list(struct api_call *c)
{
	int64_t id;
	size_t max = api_limit(c), n;
	struct history_row *rows;
	json_t *list;
	enum err err = api_find(c, &id);

	if (err == ERR_OK)
		err = store_history(c->api->store, id, api_whole(c, "before"), max, c->a, &rows, &n);
	if (err != ERR_OK)
		return err;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(list, api_history_line(&rows[i])) != 0) {
			json_decref(list);
			return ERR_MEMORY;
		}
	return give_rows(
	    c, "history", list, n == max ? json_integer(rows[n - 1].id) : json_null());
}

static json_t *
letter_line(const struct letter_row *l)
{
	const char *state = when_is_known(l->bounced_at)	    ? "bounced"
			    : when_is_known(l->sent_at)	    ? "sent"
			    : l->next_try.s == WHEN_NEVER.s ? "given-up"
							    : "waiting";
	json_t *o = json_object();

	if (json_put(o, "id", json_integer(l->id)) &&
	    json_put(o, "kind", json_string(letter_name(l->kind))) &&
	    json_put(o, "state", json_string(state)) && json_put(o, "to", json_text(l->to)) &&
	    json_put(o, "subject", json_text(l->subject)) &&
	    json_put(o, "body", json_text(l->body)) &&
	    json_put(o, "message_id", json_text(l->message_id)) &&
	    json_put(o, "created", json_date(l->created)) &&
	    json_put(o, "sent_at", json_date(l->sent_at)) &&
	    json_put(o, "next_try", json_date(l->next_try)) &&
	    json_put(o, "tries", json_integer((json_int_t)l->tries)) &&
	    json_put(o, "error", json_text(l->error)) && json_put(o, "bounced_at", json_date(l->bounced_at)) &&
	    json_put(o, "bounce", json_text(l->bounce)))
		return o;
	json_decref(o);
	return NULL;
}

static enum err
give_letters(struct api_call *c, const struct letter_row *rows, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(list, letter_line(&rows[i])) != 0) {
			json_decref(list);
			return ERR_MEMORY;
		}
	return give_rows(c, "letters", list, json_null());
}

enum err
site_letters_list(struct api_call *c)
{
	int64_t id;
	struct letter_row *rows;
	size_t n;
	enum err err = api_find(c, &id);

	if (err == ERR_OK)
		err = store_letters_of(c->api->store, id, c->a, &rows, &n);
	return err != ERR_OK ? err : give_letters(c, rows, n);
}

/* --- letters that did not arrive: whose they are is told until they were read --- */

enum err
letters_lost(struct api_call *c)
{
	struct letter_row *rows;
	size_t n;
	enum err err = store_letters_lost(c->api->store, c->asker.owner_id, LIMIT_PAGE_ROWS, c->a, &rows, &n);

	return err != ERR_OK ? err : give_letters(c, rows, n);
}

enum err
letter_read(struct api_call *c)
{
	int64_t id;
	enum err err = str_to_int(c->name, &id) ? store_begin(c->api->store) : ERR_NOT_FOUND;

	if (err == ERR_OK)
		err = api_commit(c, store_letter_read(c->api->store, id, c->asker.owner_id, c->turn.now));
	if (err == ERR_NOT_FOUND)
		why_set(&c->why, "there is no letter %.*s", STR_ARG(c->name));
	return err != ERR_OK ? err : letters_lost(c);
}

static json_t *
certificate_document(const struct site *s, const struct certificate_row *row, struct arena *a)
{
	json_t *o = json_object(), *list = json_array();
	bool ok = true;

	for (size_t i = 0; ok && i < row->info.names_n; i++)
		ok = json_array_append_new(list, json_text(row->info.names[i])) == 0;
	ok = json_put(o, "names", list) && ok &&
	     json_put(o, "site", json_text(names_for_people(s->names[0].name, a))) &&
	     json_put(o, "not_before", json_date(row->info.not_before)) &&
	     json_put(o, "not_after", json_date(row->info.not_after)) &&
	     json_put(o, "issuer", json_text(row->info.issuer)) &&
	     json_put(o, "serial", json_text(row->info.serial)) &&
	     json_put(o, "fingerprint", json_fingerprint(row->info.fingerprint)) &&
	     json_put(o, "live", json_boolean(s->held.is_live)) &&
	     json_put(o, "chain", json_text(row->chain_pem));
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

enum err
site_certificate(struct api_call *c)
{
	struct site s;
	struct certificate_row row;
	enum err err = api_load(c, &s);

	if (err == ERR_OK && s.held.id == 0) {
		api_say(c, "api.no-certificate", s.names[0].name);
		err = ERR_NOT_FOUND;
	}
	if (err == ERR_OK)
		err = store_certificate_load(c->api->store, s.held.id, c->a, &row);
	if (err == ERR_OK)
		api_give(c, 200, certificate_document(&s, &row, c->a));
	return err;
}

struct str
api_site_mark(const struct site *s, const json_t *document, struct arena *a)
{
	const json_t *phase = json_object_get(json_object_get(document, "order"), "phase");

	return arena_strf(a, "%s.%s.%llu.%lld", doing_name(s->doing),
	    json_is_string(phase) ? json_string_value(phase) : "-", (unsigned long long)s->job,
	    when_is_known(s->checked_at) ? (long long)s->checked_at.s : 0);
}

/* Is a stream asked for (RFC 9110 12.5.1)? Whoever wants one names it: a program that takes anything gets a document. */
static bool
wants_stream(const struct api_call *c)
{
	const char *accepts = c->q->header == NULL ? NULL : c->q->header(c->q->arg_ctx, "Accept");

	return str_find(str_of(accepts), STR("text/event-stream")) != SIZE_MAX;
}

/* From behind Last-Event-ID, else ?since=, else from now on. */
static enum err
begin_stream(struct api_call *c, int64_t site_id)
{
	const char *last = c->q->header(c->q->arg_ctx, "Last-Event-ID");
	struct history_row *rows;
	size_t n;
	int64_t since = api_whole(c, "since");

	if (last != NULL && (!str_to_int(str_of(last), &since) || since < 0)) {
		why_set(&c->why, "Last-Event-ID: expected the number of an event");
		return ERR_INVALID;
	}
	if (last == NULL && api_text(c, "since").p == NULL) {
		enum err err = store_history(c->api->store, site_id, 0, 1, c->a, &rows, &n);

		if (err != ERR_OK)
			return err;
		since = n > 0 ? rows[0].id : 0;
	}
	c->reply->kind = API_STREAM;
	c->reply->site_id = site_id;
	c->reply->since = since;
	return ERR_OK;
}

enum err
events_all(struct api_call *c)
{
	if (wants_stream(c))
		return begin_stream(c, 0);
	why_set(&c->why, "Accept: expected text/event-stream");
	return ERR_INVALID;
}

/*
 * News of a site, for --wait and live pages. As a stream (http/stream.h); or as a document: the lines of its history after
 * ?since=ID (oldest first) with the site as it is now, as soon as there are any or ?mark= (the mark of the answer before)
 * does not hold any more. Whoever waits is asked for again when the engine has done something.
 */
enum err
site_events(struct api_call *c)
{
	enum { EVENTS_MAX = 50 };
	struct str mark = api_text(c, "mark");
	int64_t since = api_whole(c, "since");
	struct history_row *rows;
	size_t n;
	struct site s;
	json_t *list, *document, *site;
	struct str now;
	enum err err = api_load(c, &s);

	if (err == ERR_OK && wants_stream(c))
		return begin_stream(c, s.id);
	if (err == ERR_OK)
		err = store_history(c->api->store, s.id, 0, EVENTS_MAX, c->a, &rows, &n);
	if (err == ERR_OK)
		err = api_site_document(c, &s, &site);
	if (err != ERR_OK)
		return err;
	now = api_site_mark(&s, site, c->a);
	if (!c->q->is_last && str_eq(mark, now) &&
	    (n == 0 || rows[0].id <= since)) {
		json_decref(site);
		c->reply->kind = API_WAIT;
		return ERR_OK;
	}
	list = json_array();
	for (size_t i = n; i-- > 0;)
		if (rows[i].id > since &&
		    json_array_append_new(list, api_history_line(&rows[i])) != 0) {
			json_decref(list);
			json_decref(site);
			return ERR_MEMORY;
		}
	document = json_object();
	bool ok = json_put(document, "site", site);
	ok = json_put(document, "events", list) && ok;
	ok = ok && json_put(document, "mark", json_text(now)) &&
	     json_put(document, "last", json_integer(n > 0 ? rows[0].id : since));
	if (!ok) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}

static json_t *
unclassified_line(const struct unclassified_row *r)
{
	json_t *o = json_object();

	if (json_put(o, "class", json_text(r->type)) && json_put(o, "text", json_text(r->text)) &&
	    json_put(o, "first_seen", json_date(r->first_seen)) &&
	    json_put(o, "last_seen", json_date(r->last_seen)) &&
	    json_put(o, "times", json_integer((json_int_t)r->times_seen)))
		return o;
	json_decref(o);
	return NULL;
}

enum err
unclassified_list(struct api_call *c)
{
	struct unclassified_row *rows;
	size_t n;
	json_t *list, *document;
	enum err err = store_unclassified_list(c->api->store, api_limit(c), c->a, &rows, &n);

	if (err != ERR_OK)
		return err;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(list, unclassified_line(&rows[i])) != 0) {
			json_decref(list);
			return ERR_MEMORY;
		}
	document = json_object();
	if (!json_put(document, "texts", list)) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}

enum err
doctor_report(struct api_call *c)
{
	AUTO_BUF lines = { 0 };
	const struct doctor_subject subject = {
		.store = c->api->store,
		.config = c->api->config,
		.now = c->turn.now,
	};
	size_t sites = 0;
	json_t *document;
	enum err err;

	buf_init(&lines, 1024 * 1024);
	err = doctor_examine(&subject, c->a, &lines, &sites);
	if (err != ERR_OK)
		return err;
	document = doctor_document(buf_str(&lines), sites);
	api_give(c, 200, document);
	return ERR_OK;
}
