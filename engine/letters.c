#include "engine/inside.h"
#include <string.h>
#include "base/must.h"
#include "base/point.h"
#include "core/outbox.h"
#include "ports/keys/ticket.h"
#include "ports/names/names.h"
#include "ports/store/invitations.h"

/*
 * The outbox. A letter is written, whole, in the transaction of the step that decided on it; sending is repeated
 * until the mail server has taken it, always under the same Message-ID.
 */

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

/* The letter that the story began with: all that follow refer to it, so that they stay one thread. Copies for a second person count as none. */
static enum err
story_of(struct engine *e, int64_t site_id, enum letter_kind kind, struct str *ret)
{
	struct letter_row *rows;
	int64_t newest = 0;
	size_t n;

	*ret = STR_NONE;
	if (kind == LETTER_ISSUED || kind == LETTER_DRAFT || kind == LETTER_ACT)
		return ERR_OK;
	enum err err = store_letters_of(e->ports.store, site_id, &e->arena, &rows, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		if (rows[i].kind == LETTER_ACT && rows[i].id > newest && !str_starts(rows[i].message_id, STR(LETTER_SECOND_ID))) {
			*ret = rows[i].message_id;
			newest = rows[i].id;
		}
	return err;
}

/* What differs from letter to letter of its message. */
struct message_facts {
	struct str to, subject, body, message_id, references;
	enum lang lang;
};

/* The whole message, with its HTML form. */
static enum err
put_message(struct engine *e, const struct message_facts *f, struct buf *ret)
{
	AUTO_BUF html = { .max = LIMIT_LETTER_BYTES };

	words_html(f->subject, f->body, f->lang, &html);
	const struct letter_envelope envelope = {
		.from = text_of(&e->arena, e->config->mail.from),
		.from_name = STR("koshin"),
		.to = f->to,
		.reply_to = text_of(&e->arena, e->config->mail.reply_to),
		.subject = f->subject,
		.body = f->body,
		.html = buf_str(&html),
		.message_id = f->message_id,
		.references = f->references,
		.date = e->turn.now,
		.lang = f->lang,
	};
	enum err err = html.err != ERR_OK ? html.err : words_message(&envelope, ret);
	return err != ERR_OK ? err : ret->err;
}

/* Words, message, outbox and history of one letter. */
enum err
letters_put(struct engine *e, const struct letter_out *o)
{
	AUTO_BUF subject = { .max = LIMIT_LETTER_BYTES }, body = { .max = LIMIT_LETTER_BYTES }, message = { .max = LIMIT_LETTER_BYTES };

	words_letter(&o->facts, &o->ctx, &e->arena, &subject, &body);
	const struct message_facts facts = { .to = o->to,
		.subject = buf_str(&subject),
		.body = buf_str(&body),
		.message_id = o->message_id,
		.references = o->references,
		.lang = o->ctx.lang };
	enum err err = subject.err != ERR_OK ? subject.err : body.err;
	if (err == ERR_OK)
		err = put_message(e, &facts, &message);
	if (err != ERR_OK)
		return err;
	const struct letter_row row = {
		.site_id = o->site_id,
		.owner_id = o->owner_id,
		.kind = o->facts.kind,
		.key = o->key,
		.message_id = o->message_id,
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
	err = story_of(e, s->id, fx->letter, &o.references);
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

/* --- letters with a link that signs somebody in --- */

/* The link's secret is made here and its digest stored; a letter that is sent again has another one. Empty: nobody is signed in. */
static enum err
make_link(struct engine *e, const struct letter_access *l, struct str *ret)
{
	AUTO_BUF text = { .max = 128 };
	uint8_t secret[TICKET_BYTES];
	struct digest d;
	struct str panel = text_of(&e->arena, e->config->panel_url);

	*ret = STR_NONE;
	if (l->person_id == 0 && l->invitation_id == 0)
		return ERR_OK;
	e->ports.clock.random(e->ports.clock.ctx, secret, sizeof secret);
	ticket_put(secret, &text);
	explicit_bzero(secret, sizeof secret);
	if (text.err != ERR_OK)
		return text.err;
	ticket_digest(buf_str(&text), d.bytes);
	*ret = arena_strf(&e->arena, "%.*s/login#link=%.*s&to=password", STR_ARG(panel), STR_ARG(buf_str(&text)));
	if (ret->n == 0)
		return ERR_MEMORY;
	return l->person_id != 0 ? store_link_put(e->ports.store, &d, l->person_id, e->turn.now, access_link_ends(e->turn.now))
				 : store_invitation_set_link(e->ports.store, l->invitation_id, &d);
}

/* The message of a letter that lies in the outbox without one (ports/store/invitations.h). NOT_FOUND: whom it was for is gone. */
static enum err
finish(struct engine *e, const struct letter_row *row, struct str *ret)
{
	AUTO_BUF body = { .max = LIMIT_LETTER_BYTES }, message = { .max = LIMIT_LETTER_BYTES };
	struct letter_access access;
	struct str link = STR_NONE, mark = STR(LETTER_LINK_MARK), rest = row->body;
	enum err err = store_letter_access_load(e->ports.store, row->key, &e->arena, &access);

	if (err == ERR_OK)
		err = make_link(e, &access, &link);
	if (err != ERR_OK)
		return err;
	for (size_t at; (at = str_find(rest, mark)) != SIZE_MAX; rest = (struct str){ rest.p + at + mark.n, rest.n - at - mark.n }) {
		buf_put(&body, rest.p, at);
		buf_put_str(&body, link);
	}
	buf_put_str(&body, rest);
	const struct message_facts facts = {
		.to = row->to, .subject = row->subject, .body = buf_str(&body), .message_id = row->message_id, .lang = lang_of(access.lang)
	};
	err = body.err != ERR_OK ? body.err : put_message(e, &facts, &message);
	*ret = arena_str(&e->arena, buf_str(&message));
	return err == ERR_OK && ret->n == 0 ? ERR_MEMORY : err;
}

/* --- letters that did not arrive, for the second person of an owner --- */

/* In the thread of what the first one would have got. */
static enum err
finish_copy(struct engine *e, const struct letter_row *row, struct str *ret)
{
	AUTO_BUF message = { .max = LIMIT_LETTER_BYTES };
	struct owner_row owner;
	struct str first = { row->message_id.p + sizeof LETTER_SECOND_ID - 1, row->message_id.n - (sizeof LETTER_SECOND_ID - 1) }, story;
	enum err err = store_owner_load(e->ports.store, row->owner_id, &e->arena, &owner);

	if (err == ERR_OK)
		err = story_of(e, row->site_id, row->kind, &story);
	if (err != ERR_OK)
		return err;
	const struct message_facts facts = { .to = row->to,
		.subject = row->subject,
		.body = row->body,
		.message_id = row->message_id,
		.references = story.n > 0 ? story : first,
		.lang = lang_of(owner.lang.n > 0 ? owner.lang : str_of(e->config->language)) };
	err = put_message(e, &facts, &message);
	*ret = arena_str(&e->arena, buf_str(&message));
	return err == ERR_OK && ret->n == 0 ? ERR_MEMORY : err;
}

/* A copy for the second person, if there is one; the history says to whom it goes. */
static enum err
pass_on(struct engine *e, int64_t letter_id)
{
	struct letter_passed p;
	enum err err = store_letter_pass_on(e->ports.store, letter_id, e->turn.now, &e->arena, &p);

	if (err != ERR_OK || p.to.n == 0)
		return err;
	const struct history_row line = {
		.site_id = p.site_id, .at = e->turn.now, .kind = HISTORY_LETTER, .by = STR("koshin"), .subject = str_of(letter_name(p.kind)), .detail = p.to
	};
	return store_history_put(e->ports.store, &line);
}

/* message: as it is sent. Empty: the letter is for nobody any more and was given up. */
static enum err
message_of(struct engine *e, const struct letter_row *row, struct str *ret)
{
	*ret = row->message;
	if (row->message.n > 0)
		return ERR_OK;
	if (str_starts(row->message_id, STR(LETTER_SECOND_ID)))
		return finish_copy(e, row, ret);
	enum err err = finish(e, row, ret);
	return err == ERR_NOT_FOUND ? store_letter_failed(e->ports.store, row->id, STR("whom it was for is gone"), WHEN_NEVER) : err;
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
		struct str message;

		if (is_on_its_way(e, rows[i].id))
			continue;
		err = message_of(e, &rows[i], &message);
		if (err != ERR_OK || message.n == 0)
			continue;
		struct work *w = work_new(e, WORK_LETTER);
		if (w == NULL)
			return ERR_MEMORY;
		w->letter_id = rows[i].id;
		w->tries = rows[i].tries;
		w->from = text_of(&w->arena, e->config->mail.from);
		w->to = arena_str(&w->arena, rows[i].to);
		w->message = arena_str(&w->arena, message);
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
	struct when next = outbox_next(w->retry_after, (unsigned)w->tries, w->err, &e->turn);

	engine_log(e, "letter %lld: %s: %.*s", (long long)w->letter_id, err_words(w->err), STR_ARG(w->words));
	if (next.s == WHEN_NEVER.s) {
		enum err err = pass_on(e, w->letter_id);

		if (err != ERR_OK)
			return err;
	}
	return store_letter_failed(e->ports.store, w->letter_id, w->words.n > 0 ? w->words : str_of(err_words(w->err)), next);
}
