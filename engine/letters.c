#include "engine/inside.h"
#include <string.h>
#include "base/must.h"
#include "base/point.h"
#include "ports/names/names.h"

/*
 * The outbox. A letter is written, whole, in the transaction of the step that decided on it; sending is repeated
 * until the mail server has taken it, always under the same Message-ID.
 */

enum { DAY_S = 86400, GIVE_UP_AFTER_S = 5 * DAY_S };

static struct str
text_of(struct arena *a, const char *s)
{
	return s == NULL ? STR_NONE : arena_str(a, str_of(s));
}

/* Part after the "@" of the sender, for Message-IDs. */
static struct str
domain_of(struct str mail)
{
	struct str rest = mail;

	(void)str_cut(&rest, '@');
	return rest.n > 0 ? rest : STR("koshin.invalid");
}

/* The letter that the story began with: all that follow refer to it, so that they stay one thread. */
static enum err
story_of(struct engine *e, const struct site *s, enum letter_kind kind, struct str *ret)
{
	struct letter_row *rows;
	int64_t newest = 0;
	size_t n;

	*ret = STR_NONE;
	if (kind == LETTER_ISSUED || kind == LETTER_DRAFT || kind == LETTER_ACT)
		return ERR_OK;
	enum err err = store_letters_of(e->ports.store, s->id, &e->arena, &rows, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		if (rows[i].kind == LETTER_ACT && rows[i].id > newest) {
			*ret = rows[i].message_id;
			newest = rows[i].id;
		}
	return err;
}

/* Words, message, outbox and history of one letter. */
enum err
letters_put(struct engine *e, const struct letter_out *o)
{
	struct arena *a = &e->arena;
	AUTO_BUF subject = { .max = LIMIT_LETTER_BYTES }, body = { .max = LIMIT_LETTER_BYTES }, html = { .max = LIMIT_LETTER_BYTES },
		 message = { .max = LIMIT_LETTER_BYTES };

	words_letter(&o->facts, &o->ctx, a, &subject, &body);
	words_html(buf_str(&subject), buf_str(&body), o->ctx.lang, &html);
	const struct letter_envelope envelope = {
		.from = text_of(a, e->config->mail.from),
		.from_name = STR("koshin"),
		.to = o->to,
		.reply_to = text_of(a, e->config->mail.reply_to),
		.subject = buf_str(&subject),
		.body = buf_str(&body),
		.html = buf_str(&html),
		.message_id = o->message_id,
		.references = o->references,
		.date = e->turn.now,
		.lang = o->ctx.lang,
	};
	enum err err = words_message(&envelope, &message);
	if (err == ERR_OK)
		err = subject.err != ERR_OK ? subject.err : body.err != ERR_OK ? body.err : html.err != ERR_OK ? html.err : message.err;
	if (err != ERR_OK)
		return err;
	const struct letter_row row = {
		.site_id = o->site_id,
		.owner_id = o->owner_id,
		.kind = o->facts.kind,
		.key = o->key,
		.message_id = envelope.message_id,
		.to = o->to,
		.subject = buf_str(&subject),
		.body = buf_str(&body),
		.message = buf_str(&message),
		.created = e->turn.now,
		.next_try = e->turn.now,
		.sent_at = WHEN_UNKNOWN,
	};
	const struct history_row line = {
		.site_id = o->site_id,
		.at = e->turn.now,
		.kind = HISTORY_LETTER,
		.by = STR("koshin"),
		.subject = str_of(letter_name(o->facts.kind)),
		.detail = o->to,
	};
	err = store_letter_put(e->ports.store, &row);
	return err != ERR_OK || o->site_id == 0 ? err : store_history_put(e->ports.store, &line);
}

struct str
letters_message_id(struct engine *e, struct str local)
{
	struct str domain = domain_of(text_of(&e->arena, e->config->mail.from));

	return arena_strf(&e->arena, "%.*s@%.*s", STR_ARG(local), STR_ARG(domain));
}

enum err
letters_write(struct engine *e, const struct site *s, const struct site_effect *fx)
{
	struct arena *a = &e->arena;
	struct owner_row owner;
	enum err err = store_owner_load(e->ports.store, s->owner_id, a, &owner);

	if (err != ERR_OK)
		return err;
	const char *kind = letter_name(fx->letter);
	struct letter_out o = {
		.site_id = s->id,
		.owner_id = s->owner_id,
		.to = owner.mail,
		.key = arena_strf(a, "%lld/%s/%lld", (long long)s->id, kind, (long long)e->turn.now.s),
		.message_id = letters_message_id(e, arena_strf(a, "%lld.%s.%lld", (long long)s->id, kind, (long long)e->turn.now.s)),
		.ctx = { .lang = lang_of(owner.lang.n > 0 ? owner.lang : str_of(e->config->language)),
		    .now = e->turn.now,
		    .zone = config_zone(e->config),
		    .site_name = names_for_people(s->names[0].name, a),
		    .view = view_of(s, e->turn.now),
		    .panel_url = str_of(e->config->panel_url),
		    .for_people = names_for_people,
		    .registered_domain = names_registered_domain },
		.facts = { .kind = fx->letter,
		    .site = s,
		    .finding = fx->finding,
		    .reminder = fx->reminder,
		    .left_out = fx->names,
		    .left_out_n = fx->names_n,
		    .for_people = names_for_people },
	};
	err = story_of(e, s, fx->letter, &o.references);
	return err != ERR_OK ? err : letters_put(e, &o);
}

static bool
is_on_its_way(const struct engine *e, int64_t id)
{
	for (size_t i = 0; i < LETTERS_AT_ONCE; i++)
		if (e->letters_open[i] == id)
			return true;
	return false;
}

enum err
letters_send(struct engine *e)
{
	struct letter_row *rows;
	size_t n;

	if (e->letters_n >= LETTERS_AT_ONCE || e->config->mail.server == NULL)
		return ERR_OK;
	enum err err = store_letters_due(e->ports.store, e->turn.now, 2 * LETTERS_AT_ONCE, &e->arena, &rows, &n);
	for (size_t i = 0; err == ERR_OK && i < n && e->letters_n < LETTERS_AT_ONCE; i++) {
		if (is_on_its_way(e, rows[i].id))
			continue;
		struct work *w = work_new(e, WORK_LETTER);
		if (w == NULL)
			return ERR_MEMORY;
		w->letter_id = rows[i].id;
		w->tries = rows[i].tries;
		w->from = text_of(&w->arena, e->config->mail.from);
		w->to = arena_str(&w->arena, rows[i].to);
		w->message = arena_str(&w->arena, rows[i].message);
		w->retry_after = rows[i].created;
		for (size_t k = 0; k < LETTERS_AT_ONCE; k++)
			if (e->letters_open[k] == 0) {
				e->letters_open[k] = w->letter_id;
				break;
			}
		e->letters_n++;
		queue_put(&e->acts, w);
	}
	return err;
}

enum err
letters_answer(struct engine *e, const struct work *w)
{
	for (size_t k = 0; k < LETTERS_AT_ONCE; k++)
		if (e->letters_open[k] == w->letter_id)
			e->letters_open[k] = 0;
	must(e->letters_n > 0);
	e->letters_n--;
	if (w->err == ERR_OK)
		return store_letter_sent(e->ports.store, w->letter_id, e->turn.now);
	/* Refused for good, or tried for days: given up, which doctor and the operator's page show. */
	static const int64_t waits_s[] = { 60, 300, 1800, 7200, 21600 };
	int64_t wait = waits_s[w->tries < 5 ? w->tries : 4];
	bool is_over = err_class_of(w->err) == ERR_CLASS_DENIED ||
	    when_between(w->retry_after, e->turn.now).s > GIVE_UP_AFTER_S;
	struct when next = is_over ? WHEN_NEVER
				   : when_plus(e->turn.now, SPAN_S(wait + (int64_t)(e->turn.roll % ((uint64_t)wait / 4 + 1))));

	engine_log(e, "letter %lld: %s: %.*s", (long long)w->letter_id, err_words(w->err), STR_ARG(w->words));
	return store_letter_failed(e->ports.store, w->letter_id, w->words.n > 0 ? w->words : str_of(err_words(w->err)), next);
}
