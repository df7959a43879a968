/*
 * What people write, and what support answers. A mail that answers a letter belongs to the letter's site only if the letter
 * went to its writer: Message-IDs can be guessed, and nobody shall be told of a site because he named it. What belongs nowhere is a
 * question all the same: support reads it.
 */
#include <string.h>
#include "http/inside.h"
#include "http/json_site.h"
#include "http/read.h"
#include "ports/names/names.h"
#include "ports/store/questions.h"

/* --- one mail that came in --- */

struct mail {
	struct str kind, from, subject, message_id, text, recipient, status, words;
	struct read_texts references;
	bool is_cut;
};

static enum err
refuse(struct api_call *c, const char *field, const char *expected)
{
	why_set(&c->why, "%s", expected);
	read_name_field(&c->why, field);
	return ERR_INVALID;
}

/* Several lines, and nothing that a terminal or a mail would obey. */
static bool
is_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (((unsigned char)s.p[i] < 0x20 && s.p[i] != '\n' && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return true;
}

static enum err
read_mail(struct api_call *c, struct mail *m)
{
	const struct read_field fields[] = {
		{ "kind", READ_TEXT, &m->kind, NULL },
		{ "from", READ_TEXT, &m->from, NULL },
		{ "subject", READ_TEXT, &m->subject, NULL },
		{ "message_id", READ_TEXT, &m->message_id, NULL },
		{ "references", READ_TEXTS, &m->references, NULL },
		{ "text", READ_TEXT, &m->text, NULL },
		{ "is_cut", READ_BOOL, &m->is_cut, NULL },
		{ "recipient", READ_TEXT, &m->recipient, NULL },
		{ "status", READ_TEXT, &m->status, NULL },
		{ "words", READ_TEXT, &m->words, NULL },
	};
	enum err err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);

	if (err != ERR_OK)
		return err;
	if ((str_eq(m->kind, STR("answer")) || m->from.n > 0) && !words_is_address(m->from))
		return refuse(c, "from", "expected the mail address of who wrote");
	for (size_t i = 0; i < m->references.n; i++)
		if (!str_is_line(m->references.at[i]))
			return refuse(c, "references", "expected Message-IDs, a line each");
	const struct {
		const char *name;
		struct str value;
	} lines[] = { { "subject", m->subject }, { "message_id", m->message_id }, { "recipient", m->recipient }, { "status", m->status },
		{ "words", m->words } };
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (!str_is_line(lines[i].value))
			return refuse(c, lines[i].name, "expected one line");
	return is_text(m->text) ? ERR_OK : refuse(c, "text", "expected text without control bytes");
}

static enum err
taken_as(struct api_call *c, const char *what, int64_t question_id)
{
	json_t *document = json_object();

	if (!json_put(document, "taken_as", json_string(what)) ||
	    !json_put(document, "question", question_id == 0 ? json_null() : json_integer(question_id))) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}

static enum err
put_history(struct api_call *c, int64_t site_id, enum history_kind kind, struct str by, struct str subject, struct str detail)
{
	const struct history_row line = { .site_id = site_id, .at = c->turn.now, .kind = kind, .by = by, .subject = subject, .detail = detail };

	return site_id == 0 ? ERR_OK : store_history_put(c->api->store, &line);
}

/* The site's cause at this moment. */
static enum err
cause_now(struct api_call *c, int64_t site_id, struct question_row *ret)
{
	struct site s;
	enum err err = site_id == 0 ? ERR_NOT_FOUND : store_site_load(c->api->store, site_id, c->a, &s);

	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err == ERR_OK) {
		struct view v = view_of(&s, c->turn.now);

		if (v.cause != NULL) {
			ret->cause = str_of(cause_row(v.cause->cause)->id);
			ret->about = v.cause->subject;
		}
	}
	return err;
}

/* The question that the mail goes on with; 0: none of this writer's. */
static enum err
find_question(struct api_call *c, const struct mail *m, int64_t *ret_id)
{
	*ret_id = 0;
	for (size_t i = 0; i < m->references.n; i++) {
		struct str writer;
		int64_t id;
		enum err err = store_question_of_message(c->api->store, m->references.at[i], c->a, &id, &writer);

		if (err == ERR_OK && str_eq_nocase(writer, m->from)) {
			*ret_id = id;
			return ERR_OK;
		}
		if (err != ERR_OK && err != ERR_NOT_FOUND)
			return err;
	}
	return ERR_OK;
}

/* A new one, of the site whose letter this writer answers. */
static enum err
begin_question(struct api_call *c, const struct mail *m, int64_t *ret_id, int64_t *ret_site_id)
{
	struct question_row q = { .writer = m->from, .subject = m->subject, .asked_at = c->turn.now };

	for (size_t i = 0; i < m->references.n && q.letter_id == 0; i++) {
		struct letter_found letter;
		enum err err = store_letter_of_message(c->api->store, m->references.at[i], c->a, &letter);

		if (err == ERR_OK && str_eq_nocase(letter.to, m->from)) {
			q.letter_id = letter.id;
			q.site_id = letter.site_id;
			q.owner_id = letter.owner_id;
		} else if (err != ERR_OK && err != ERR_NOT_FOUND) {
			return err;
		}
	}
	enum err err = cause_now(c, q.site_id, &q);
	*ret_site_id = q.site_id;
	return err != ERR_OK ? err : store_question_put(c->api->store, &q, ret_id);
}

static enum err
take_question(struct api_call *c, const struct mail *m, int64_t *ret_id)
{
	int64_t site_id = 0;
	struct question_row old;
	enum err err = find_question(c, m, ret_id);

	if (err == ERR_OK && *ret_id == 0) {
		err = begin_question(c, m, ret_id, &site_id);
	} else if (err == ERR_OK) {
		err = store_question_load(c->api->store, *ret_id, c->a, &old);
		site_id = old.site_id;
		/* The longest wait counts where it is open already. */
		if (err == ERR_OK && !when_is_known(old.open_since))
			err = store_question_set_open(c->api->store, *ret_id, c->turn.now);
	}
	const struct question_part_row part = { .question_id = *ret_id,
		.at = c->turn.now,
		.by = m->from,
		.text = m->text,
		.is_cut = m->is_cut,
		.message_id = m->message_id };
	if (err == ERR_OK)
		err = store_question_part_put(c->api->store, &part);
	return err != ERR_OK ? err : put_history(c, site_id, HISTORY_QUESTION, m->from, m->subject, STR_NONE);
}

/* What came back goes to the second person of its owner, if there is one. */
static enum err
pass_on(struct api_call *c, int64_t letter_id)
{
	struct letter_passed p;
	enum err err = store_letter_pass_on(c->api->store, letter_id, c->turn.now, c->a, &p);

	if (err != ERR_OK || p.to.n == 0)
		return err;
	return put_history(c, p.site_id, HISTORY_LETTER, STR("koshin"), str_of(letter_name(p.kind)), p.to);
}

/* The letter that came back; without one it is a question of the mail server's to support. */
static enum err
take_bounce(struct api_call *c, const struct mail *m, bool *ret_found)
{
	struct str words = str_trim(arena_strf(c->a, "%.*s %.*s", STR_ARG(m->status), STR_ARG(m->words)));

	*ret_found = false;
	for (size_t i = 0; i < m->references.n && !*ret_found; i++) {
		struct letter_found letter;
		enum err err = store_letter_of_message(c->api->store, m->references.at[i], c->a, &letter);

		if (err == ERR_NOT_FOUND)
			continue;
		if (err == ERR_OK)
			err = store_letter_bounced(c->api->store, letter.id, words, c->turn.now);
		if (err == ERR_OK)
			err = put_history(c, letter.site_id, HISTORY_LETTER_BOUNCED, STR("koshin"), letter.to, words);
		if (err == ERR_OK)
			err = pass_on(c, letter.id);
		if (err != ERR_OK)
			return err;
		*ret_found = true;
	}
	return ERR_OK;
}

static enum err
take_mail(struct api_call *c, struct mail *m, const char **ret_as, int64_t *ret_id)
{
	struct str writer;
	bool is_found = false;

	*ret_as = "nothing";
	if (str_eq(m->kind, STR("delayed")) || str_eq(m->kind, STR("automatic")))
		return ERR_OK;
	if (m->message_id.n > 0) {
		enum err err = store_question_of_message(c->api->store, m->message_id, c->a, ret_id, &writer);

		*ret_as = "known";
		if (err != ERR_NOT_FOUND)
			return err;
	}
	if (str_eq(m->kind, STR("bounce"))) {
		enum err err = take_bounce(c, m, &is_found);

		*ret_as = "bounce";
		if (err != ERR_OK || is_found || m->from.n == 0)
			return err;
		m->text = arena_strf(c->a, "%.*s\n%.*s %.*s\n", STR_ARG(m->recipient), STR_ARG(m->status), STR_ARG(m->words));
	}
	*ret_as = "question";
	return take_question(c, m, ret_id);
}

enum err
mail_take(struct api_call *c)
{
	struct mail m = { .is_cut = false };
	const char *as = NULL;
	int64_t id = 0;
	enum err err = read_mail(c, &m);

	if (err != ERR_OK || (err = store_begin(c->api->store)) != ERR_OK)
		return err;
	err = api_commit(c, take_mail(c, &m, &as, &id));
	if (err == ERR_OK)
		api_wake(c);
	return err != ERR_OK ? err : taken_as(c, as, id);
}

/* --- what support sees --- */

static bool
put_head(json_t *o, const struct question_row *q, struct arena *a)
{
	return json_put(o, "id", json_integer(q->id)) && json_put(o, "site", q->site.n == 0 ? json_null() : json_text(q->site)) &&
	       json_put(o, "writer", json_text(q->writer)) && json_put(o, "subject", json_text(q->subject)) &&
	       json_put(o, "state", json_string(when_is_known(q->open_since) ? "open" : "answered")) &&
	       json_put(o, "asked_at", json_date(q->asked_at)) && json_put(o, "open_since", json_date(q->open_since)) &&
	       json_put(o, "cause", q->cause.n == 0 ? json_null() : json_text(q->cause)) &&
	       json_put(o, "about", q->about.n == 0 ? json_null() : json_text(names_for_people(q->about, a))) &&
	       json_put(o, "letter", q->letter_id == 0 ? json_null() : json_integer(q->letter_id));
}

static json_t *
question_line(const struct question_row *q, struct arena *a)
{
	json_t *o = json_object();

	if (put_head(o, q, a))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *
message_of(const struct question_part_row *p)
{
	json_t *o = json_object();

	if (json_put(o, "id", json_integer(p->id)) && json_put(o, "at", json_date(p->at)) &&
	    json_put(o, "from", json_string(p->is_ours ? "support" : "owner")) && json_put(o, "by", json_text(p->by)) &&
	    json_put(o, "text", json_text(p->text)) && json_put(o, "is_cut", json_boolean(p->is_cut)) &&
	    json_put(o, "letter", p->letter_id == 0 ? json_null() : json_integer(p->letter_id)))
		return o;
	json_decref(o);
	return NULL;
}

static enum err
give_page(struct api_call *c, const struct question_row *rows, size_t n, size_t max)
{
	json_t *list = json_array(), *document = json_object();
	bool ok = true;
	char after[24];

	for (size_t i = 0; i < n; i++)
		ok = ok && json_array_append_new(list, question_line(&rows[i], c->a)) == 0;
	if (n == max)
		(void)snprintf(after, sizeof after, "%lld", (long long)rows[n - 1].id);
	if (!json_put(document, "questions", list) || !json_put(document, "after", n == max ? json_string(after) : json_null()) || !ok) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, 200, document);
	return ERR_OK;
}

/* The id behind which the page begins; 0 without one. */
static enum err
read_after(struct api_call *c, int64_t *ret)
{
	struct str after = api_text(c, "after");

	*ret = 0;
	if (after.n == 0 || (str_to_int(after, ret) && *ret > 0))
		return ERR_OK;
	why_set(&c->why, "?after=: expected the `after` of the page before");
	return ERR_INVALID;
}

enum err
questions_inbox(struct api_call *c)
{
	struct question_row *rows;
	size_t n, max = api_limit(c);
	int64_t after;
	enum err err = read_after(c, &after);

	if (err == ERR_OK)
		err = str_eq(api_text(c, "state"), STR("all")) ? store_questions(c->api->store, 0, after, max, c->a, &rows, &n)
							       : store_questions_open(c->api->store, after, max, c->a, &rows, &n);
	return err != ERR_OK ? err : give_page(c, rows, n, max);
}

enum err
questions_list(struct api_call *c)
{
	struct question_row *rows;
	size_t n, max = api_limit(c);
	int64_t after, site_id;
	enum err err = read_after(c, &after);

	if (err == ERR_OK)
		err = api_find(c, &site_id);
	if (err == ERR_OK)
		err = store_questions(c->api->store, site_id, after, max, c->a, &rows, &n);
	return err != ERR_OK ? err : give_page(c, rows, n, max);
}

/* What the cause table says of the site as it is now, in its owner's language: support sends it, or changes it. */
static enum err
draft_of(struct api_call *c, const struct question_row *q, struct buf *out)
{
	struct site s;
	struct owner_row owner;
	enum err err = q->site_id == 0 ? ERR_NOT_FOUND : store_site_load(c->api->store, q->site_id, c->a, &s);

	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err == ERR_OK)
		err = store_owner_load(c->api->store, s.owner_id, c->a, &owner);
	if (err != ERR_OK)
		return err;
	const struct words_context ctx = { .lang = lang_of(owner.lang.n > 0 ? owner.lang : str_of(c->api->config->language)),
		.now = c->turn.now,
		.zone = config_zone(c->api->config),
		.site_name = names_for_people(s.names[0].name, c->a),
		.view = view_of(&s, c->turn.now),
		.panel_url = str_of(c->api->config->panel_url),
		.for_people = names_for_people,
		.registered_domain = names_registered_domain };
	words_draft(&s, &ctx, out);
	return out->err;
}

static enum err
give_question(struct api_call *c, int status, int64_t id)
{
	struct question_row q;
	struct question_part_row *parts;
	size_t n;
	AUTO_BUF drafted = { .max = LIMIT_LETTER_BYTES };
	enum err err = store_question_load(c->api->store, id, c->a, &q);

	/* That of another owner is not there. */
	if (err == ERR_OK && access_to_object(&c->asker, q.owner_id) != ACCESS_GIVEN)
		err = ERR_NOT_FOUND;
	if (err == ERR_NOT_FOUND)
		why_set(&c->why, "there is no question %lld", (long long)id);
	if (err == ERR_OK)
		err = store_question_parts(c->api->store, id, c->a, &parts, &n);
	if (err == ERR_OK && c->asker.role != ROLE_OWNER)
		err = draft_of(c, &q, &drafted);
	if (err != ERR_OK)
		return err;
	json_t *document = json_object(), *list = json_array();
	bool ok = put_head(document, &q, c->a);
	for (size_t i = 0; i < n; i++)
		ok = ok && json_array_append_new(list, message_of(&parts[i])) == 0;
	if (!json_put(document, "messages", list) || !json_put(document, "drafted", json_text(str_trim(buf_str(&drafted)))) || !ok) {
		json_decref(document);
		return ERR_MEMORY;
	}
	api_give(c, status, document);
	return ERR_OK;
}

static enum err
find_id(const struct api_call *c, int64_t *ret)
{
	return str_to_int(c->name, ret) ? ERR_OK : ERR_NOT_FOUND;
}

enum err
question_show(struct api_call *c)
{
	int64_t id;
	enum err err = find_id(c, &id);

	return err != ERR_OK ? err : give_question(c, 200, id);
}

/* --- asking and answering --- */

static enum err
put_question(struct api_call *c, const struct site *s, struct str subject, struct str text, int64_t *ret_id)
{
	struct owner_row owner;
	struct question_row q = { .site_id = s->id, .owner_id = s->owner_id, .subject = subject, .asked_at = c->turn.now };
	enum err err = store_owner_load(c->api->store, s->owner_id, c->a, &owner);

	q.writer = owner.mail;
	if (err == ERR_OK)
		err = cause_now(c, s->id, &q);
	if (err == ERR_OK)
		err = store_question_put(c->api->store, &q, ret_id);
	const struct question_part_row part = { .question_id = *ret_id, .at = c->turn.now, .by = q.writer, .text = text };
	if (err == ERR_OK)
		err = store_question_part_put(c->api->store, &part);
	return err != ERR_OK ? err : put_history(c, s->id, HISTORY_QUESTION, q.writer, subject, STR_NONE);
}

enum err
question_ask(struct api_call *c)
{
	struct str text = STR_NONE, subject = STR_NONE;
	const struct read_field fields[] = { { "text", READ_TEXT, &text, NULL }, { "subject", READ_TEXT, &subject, NULL } };
	struct site s;
	int64_t id = 0;
	enum err err = api_load(c, &s);

	if (err == ERR_OK)
		err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);
	if (err != ERR_OK)
		return err;
	text = str_trim(text);
	if (text.n == 0 || !is_text(text))
		return refuse(c, "text", "expected the question, without control bytes");
	if (!str_is_line(subject))
		return refuse(c, "subject", "expected one line");
	if ((err = store_begin(c->api->store)) != ERR_OK)
		return err;
	err = api_commit(c, put_question(c, &s, subject, text, &id));
	return err != ERR_OK ? err : give_question(c, 201, id);
}

/* STALE: somebody has written since. */
static enum err
expect_last(struct api_call *c, int64_t id, int64_t seen)
{
	struct question_part_row *parts;
	size_t n;
	enum err err = store_question_parts(c->api->store, id, c->a, &parts, &n);

	if (err == ERR_OK && n > 0 && parts[n - 1].id > seen) {
		api_say(c, "api.answered-meanwhile", STR_NONE);
		err = ERR_STALE;
	}
	return err;
}

static enum err
put_answer(struct api_call *c, int64_t id, struct str text, struct str by)
{
	const struct question_part_row part = { .question_id = id, .at = c->turn.now, .by = by, .is_ours = true, .text = text };
	enum err err = store_question_set_open(c->api->store, id, WHEN_UNKNOWN);

	if (err == ERR_NOT_FOUND)
		why_set(&c->why, "there is no question %lld", (long long)id);
	return err != ERR_OK ? err : store_question_part_put(c->api->store, &part);
}

enum err
question_answer(struct api_call *c)
{
	struct str text = STR_NONE, by = STR("support");
	int64_t id, seen = INT64_MAX;
	const struct read_field fields[] = { { "text", READ_TEXT, &text, NULL }, { "by", READ_TEXT, &by, NULL }, { "seen", READ_WHOLE, &seen, NULL } };
	enum err err = find_id(c, &id);

	if (err == ERR_OK)
		err = read_object(c->body, fields, sizeof fields / sizeof *fields, c->a);
	if (err != ERR_OK)
		return err;
	text = str_trim(text);
	if (text.n == 0 || !is_text(text))
		return refuse(c, "text", "expected the answer, without control bytes");
	if (by.n == 0 || !str_is_line(by))
		return refuse(c, "by", "expected who answers, on one line");
	if ((err = store_begin(c->api->store)) != ERR_OK)
		return err;
	err = expect_last(c, id, seen);
	if (err == ERR_OK)
		err = put_answer(c, id, text, by);
	err = api_commit(c, err);
	if (err != ERR_OK)
		return err;
	api_wake(c);
	return give_question(c, 200, id);
}

enum err
question_close(struct api_call *c)
{
	int64_t id;
	enum err err = find_id(c, &id);

	if (err == ERR_OK)
		err = store_question_set_open(c->api->store, id, WHEN_UNKNOWN);
	if (err == ERR_NOT_FOUND)
		why_set(&c->why, "there is no question %.*s", STR_ARG(c->name));
	return err != ERR_OK ? err : give_question(c, 200, id);
}
