#include "http/news.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http/inside.h"
#include "http/json_site.h"
#include "ports/names/names.h"

enum { LINES_MAX = 500 };

/* {"site": NAME, …the line…}; a line of no site has null. */
static json_t *
line_document(const struct history_row *row, json_t *site)
{
	json_t *o = api_history_line(row);

	if (o == NULL || !json_put(o, "site", site)) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static enum err
site_name(struct api_call *c, int64_t site_id, json_t **ret)
{
	struct site s;
	enum err err;

	*ret = json_null();
	if (site_id == 0)
		return ERR_OK;
	err = store_site_load(c->api->store, site_id, c->a, &s);
	if (err == ERR_OK && s.names_n > 0)
		*ret = json_text(names_for_people(s.names[0].name, c->a));
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

struct giver {
	void (*give)(void *arg, struct str id, struct str name, struct str data);
	void *arg;
};

/* Takes the document. */
static enum err
give(const struct giver *g, struct str id, const char *name, json_t *document)
{
	char *text = document == NULL ? NULL : json_dumps(document, JSON_COMPACT);

	json_decref(document);
	if (text == NULL)
		return ERR_MEMORY;
	g->give(g->arg, id, str_of(name), str_of(text));
	free(text);
	return ERR_OK;
}

static enum err
give_line(struct api_call *c, const struct giver *g, const struct history_row *row)
{
	json_t *site;
	enum err err = site_name(c, row->site_id, &site);

	return err != ERR_OK ? err
			     : give(g, arena_strf(c->a, "%lld", (long long)row->id), "history",
				   line_document(row, site));
}

static enum err
give_site(struct api_call *c, const struct giver *g, struct news_place *place)
{
	struct site s;
	json_t *document;
	struct str mark;
	enum err err = store_site_load(c->api->store, place->site_id, c->a, &s);

	if (err == ERR_OK)
		err = api_site_document(c, &s, &document);
	if (err != ERR_OK)
		return err;
	mark = api_site_mark(&s, document, c->a);
	if (mark.n >= sizeof place->mark || str_eq(mark, str_of(place->mark))) {
		json_decref(document);
		return ERR_OK;
	}
	(void)snprintf(place->mark, sizeof place->mark, "%.*s", STR_ARG(mark));
	return give(g, STR_NONE, "site", document);
}

enum err
news_read(struct api *api, struct news_place *place, struct arena *a,
    void (*to)(void *arg, struct str id, struct str name, struct str data), void *arg)
{
	const struct giver g = { to, arg };
	struct api_call c = { .api = api, .a = a, .turn = clock_turn(&api->clock) };
	struct history_row *rows;
	size_t n;
	enum err err;

	do {
		err = store_history_after(
		    api->store, place->site_id, place->last, LINES_MAX, a, &rows, &n);
		for (size_t i = 0; err == ERR_OK && i < n; i++) {
			err = give_line(&c, &g, &rows[i]);
			if (err == ERR_OK)
				place->last = rows[i].id;
		}
	} while (err == ERR_OK && n == LINES_MAX);
	return err == ERR_OK && place->site_id != 0 ? give_site(&c, &g, place) : err;
}
