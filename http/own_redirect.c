#include "http/own_redirect.h"
#include "core/own_redirect.h"
#include "http/json_site.h"
#include "ports/names/names.h"

static json_t *
words_in(struct api_call *c, const struct site *s, const char *key, struct str to, enum lang l)
{
	AUTO_BUF until = { .max = 256 }, text = { .max = 8192 };
	const struct words_context ctx = { .lang = l, .now = c->turn.now, .zone = config_zone(c->api->config) };

	words_date(s->held.life.to, &ctx, &until);
	const struct str args[] = { names_for_people(s->names[0].name, c->a), buf_str(&until), to };
	words_ui(key, l, args, sizeof args / sizeof *args, &text);
	buf_putc(&text, '\n');
	words_ui("api.own-redirect-first", l, NULL, 0, &text);
	return json_text(buf_str(&text));
}

json_t *
own_redirect_json(struct api_call *c, const struct site *s, const char *key)
{
	struct str to = own_redirect_known(s);
	json_t *o = json_object(), *words = json_object();

	if (to.n == 0) {
		json_decref(o);
		json_decref(words);
		return json_null();
	}
	bool is_whole = json_put(o, "to", json_text(to));
	for (enum lang l = 0; l < LANG_COUNT; l++)
		is_whole = is_whole && json_put(words, lang_name(l), words_in(c, s, key, to, l));
	if (json_put(o, "words", words) && is_whole)
		return o;
	json_decref(o);
	return NULL;
}
