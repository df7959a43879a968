/* The status page and its feed: what concerns many customers at once. For everybody, so nothing of a customer is in it. */
#include <stdio.h>
#include "base/date.h"
#include "http/inside.h"
#include "http/json_site.h"
#include "ports/store/operator.h"

enum { SHOWN = 30, KEY_BYTES = 64, TEXT_BYTES = 8192 };

/* What a reader needs to know of a cause that many have: where the trouble is. */
static const char *
kind_of(enum cause c)
{
	switch (cause_row(c)->layer) {
	case LAYER_REGISTRATION:
	case LAYER_DNS:
		return "dns";
	case LAYER_TRANSPORT:
		return "reach";
	case LAYER_HTTP:
		return "answer";
	case LAYER_OWN:
		return "server";
	case LAYER_CA:
		return "issuer";
	case LAYER_SERVED:
		break;
	}
	return "shown";
}

static void
put_words(const struct incident_row *r, const char *suffix, enum lang l, struct buf *out)
{
	char key[KEY_BYTES];

	(void)snprintf(key, sizeof key, "incident.%s%s", kind_of(r->cause), suffix);
	words_ui(key, l, NULL, 0, out);
}

/* The text says something else once it is over. */
static const char *
text_key(const struct incident_row *r)
{
	return when_is_known(r->ended) ? ".over" : ".text";
}

static json_t *
both(const struct incident_row *r, const char *suffix)
{
	json_t *o = json_object();

	for (enum lang l = 0; l < LANG_COUNT; l++) {
		AUTO_BUF text = { .max = TEXT_BYTES };

		put_words(r, suffix, l, &text);
		if (!json_put(o, lang_name(l), json_text(buf_str(&text)))) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *
line_of(const struct incident_row *r)
{
	json_t *o = json_object();

	if (json_put(o, "id", json_integer(r->id)) && json_put(o, "kind", json_string(kind_of(r->cause))) &&
	    json_put(o, "title", both(r, "")) && json_put(o, "text", both(r, text_key(r))) &&
	    json_put(o, "began", json_date(r->began)) && json_put(o, "ended", json_date(r->ended)))
		return o;
	json_decref(o);
	return NULL;
}

enum err
status_show(struct api_call *c)
{
	struct incident_row *rows;
	size_t n;
	bool lasts = false, ok = true;
	enum err err = store_incidents(c->api->store, 0, SHOWN, c->a, &rows, &n);

	if (err != ERR_OK)
		return err;
	json_t *list = json_array(), *o = json_object();
	for (size_t i = 0; i < n; i++) {
		lasts = lasts || !when_is_known(rows[i].ended);
		ok = ok && json_array_append_new(list, line_of(&rows[i])) == 0;
	}
	ok = json_put(o, "state", json_string(lasts ? "trouble" : "well")) && ok;
	ok = json_put(o, "incidents", list) && ok;
	if (ok) {
		api_give(c, 200, o);
		return ERR_OK;
	}
	json_decref(o);
	return ERR_MEMORY;
}

/* --- the feed --- */

/* Characters that XML takes for its own, and none that it does not know. */
static void
put_xml(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char b = (unsigned char)s.p[i];

		if (b == '&')
			buf_put_str(out, STR("&amp;"));
		else if (b == '<')
			buf_put_str(out, STR("&lt;"));
		else if (b == '>')
			buf_put_str(out, STR("&gt;"));
		else if (b == '"')
			buf_put_str(out, STR("&quot;"));
		else if (b >= 0x20 || b == '\n' || b == '\t')
			buf_putc(out, s.p[i]);
	}
}

static void
put_text(struct buf *out, const char *element, const char *key, enum lang l)
{
	AUTO_BUF text = { .max = TEXT_BYTES };

	words_ui(key, l, NULL, 0, &text);
	buf_putf(out, "<%s>", element);
	put_xml(out, buf_str(&text));
	buf_putf(out, "</%s>\n", element);
}

static void
put_date(struct buf *out, const char *element, struct when w)
{
	char text[DATE_TEXT_BYTES];

	date_put(w, text);
	buf_putf(out, "<%s>%s</%s>\n", element, text, element);
}

/* Where the page is, for people; without an address the ids stand for themselves. */
static void
put_page(struct buf *out, const struct config *config)
{
	if (config != NULL && str_of(config->panel_url).n > 0)
		put_xml(out, str_of(config->panel_url));
	else
		buf_put_str(out, STR("urn:koshin"));
	buf_put_str(out, STR("/status"));
}

static void
put_entry(struct buf *out, const struct config *config, const struct incident_row *r, enum lang l)
{
	char key[KEY_BYTES];

	buf_put_str(out, STR("<entry>\n<id>"));
	put_page(out, config);
	buf_putf(out, "#incident-%lld</id>\n", (long long)r->id);
	(void)snprintf(key, sizeof key, "incident.%s", kind_of(r->cause));
	put_text(out, "title", key, l);
	put_date(out, "published", r->began);
	put_date(out, "updated", when_is_known(r->ended) ? r->ended : r->began);
	(void)snprintf(key, sizeof key, "incident.%s%s", kind_of(r->cause), text_key(r));
	put_text(out, "summary", key, l);
	buf_put_str(out, STR("<link href=\""));
	put_page(out, config);
	buf_put_str(out, STR("\"/>\n</entry>\n"));
}

/* The last thing that happened; the day on which nothing had happened yet is the beginning of time. */
static struct when
updated(const struct incident_row *rows, size_t n)
{
	struct when last = { 0 };

	for (size_t i = 0; i < n; i++)
		last = when_max(last, when_is_known(rows[i].ended) ? rows[i].ended : rows[i].began);
	return last;
}

enum err
status_feed(struct api_call *c)
{
	struct incident_row *rows;
	size_t n;
	enum lang l = c->q->lang;
	struct str word = api_text(c, "lang");
	const struct config *config = c->api->config;
	struct buf *out = &c->reply->body;
	enum err err = store_incidents(c->api->store, 0, SHOWN, c->a, &rows, &n);

	if (err != ERR_OK)
		return err;
	if (word.n > 0)
		l = str_eq(word, STR("ja")) ? LANG_JA : LANG_EN;
	buf_putf(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"%s\">\n<id>", lang_name(l));
	put_page(out, config);
	buf_put_str(out, STR("</id>\n"));
	put_text(out, "title", "status.feed", l);
	put_date(out, "updated", updated(rows, n));
	buf_put_str(out, STR("<author><name>koshin</name></author>\n<link href=\""));
	put_page(out, config);
	buf_put_str(out, STR("\"/>\n"));
	for (size_t i = 0; i < n; i++)
		put_entry(out, config, &rows[i], l);
	buf_put_str(out, STR("</feed>\n"));
	c->reply->status = 200;
	c->reply->type = "application/atom+xml";
	return out->err;
}
