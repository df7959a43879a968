#include "ports/store/questions.h"
#include "ports/store/query.h"

static void
read_letter(struct query *q, struct letter_found *ret)
{
	ret->id = query_id(q, "id");
	ret->site_id = query_id(q, "site_id");
	ret->owner_id = query_id(q, "owner_id");
	ret->to = query_text(q, "to");
}

enum err
store_letter_of_message(struct store *s, struct str message_id, struct arena *a, struct letter_found *ret)
{
	AUTO_QUERY q = query_start(s, SQL_LETTER_OF_MESSAGE, a);
	bool is_there;

	query_bind_text(&q, "message_id", message_id);
	is_there = query_row(&q);
	if (is_there)
		read_letter(&q, ret);
	enum err e = query_finish(&q);
	return e == ERR_OK && !is_there ? query_fail(s, ERR_NOT_FOUND, "no letter has this Message-ID") : e;
}

static enum err
one_changed(struct store *s, enum err e, const char *what, int64_t id)
{
	if (e == ERR_OK && sqlite3_changes(s->db) == 0)
		return query_fail(s, ERR_NOT_FOUND, "there is no %s %lld", what, (long long)id);
	return e;
}

enum err
store_letter_bounced(struct store *s, int64_t id, struct str words, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_LETTER_BOUNCED, NULL);

	query_bind_when(&q, "now", now);
	query_bind_text(&q, "bounce", words);
	query_bind_int(&q, "id", id);
	return one_changed(s, query_write(&q), "letter", id);
}

enum err
store_question_put(struct store *s, const struct question_row *r, int64_t *ret_id)
{
	if (r->writer.n == 0)
		return query_fail(s, ERR_INVALID, "a question needs somebody who asks");
	AUTO_QUERY q = query_start(s, SQL_QUESTION_PUT, NULL);
	query_bind_id(&q, "site_id", r->site_id);
	query_bind_id(&q, "owner_id", r->owner_id);
	query_bind_id(&q, "letter_id", r->letter_id);
	query_bind_text(&q, "writer", r->writer);
	query_bind_text(&q, "subject", r->subject);
	query_bind_text(&q, "cause", r->cause);
	query_bind_text(&q, "about", r->about);
	query_bind_when(&q, "asked_at", r->asked_at);
	if (query_row(&q))
		*ret_id = query_id(&q, "id");
	return query_finish(&q);
}

enum err
store_question_part_put(struct store *s, const struct question_part_row *p)
{
	AUTO_QUERY q = query_start(s, SQL_QUESTION_PART_PUT, NULL);

	query_bind_int(&q, "question_id", p->question_id);
	query_bind_when(&q, "at", p->at);
	query_bind_text(&q, "by", p->by);
	query_bind_int(&q, "is_ours", p->is_ours);
	query_bind_text(&q, "text", p->text);
	query_bind_int(&q, "is_cut", p->is_cut);
	query_bind_text(&q, "message_id", p->message_id);
	return query_write(&q);
}

enum err
store_question_of_message(struct store *s, struct str message_id, struct arena *a, int64_t *ret_id, struct str *ret_writer)
{
	AUTO_QUERY q = query_start(s, SQL_QUESTION_OF_MESSAGE, a);
	bool is_there;

	query_bind_text(&q, "message_id", message_id);
	is_there = query_row(&q);
	if (is_there) {
		*ret_id = query_id(&q, "id");
		*ret_writer = query_text(&q, "writer");
	}
	enum err e = query_finish(&q);
	return e == ERR_OK && !is_there ? query_fail(s, ERR_NOT_FOUND, "no question has this Message-ID") : e;
}

enum err
store_question_set_open(struct store *s, int64_t id, struct when open_since)
{
	AUTO_QUERY q = query_start(s, SQL_QUESTION_STATE, NULL);

	query_bind_when(&q, "open_since", open_since);
	query_bind_int(&q, "id", id);
	return one_changed(s, query_write(&q), "question", id);
}

static void
read_question(struct query *q, struct question_row *ret)
{
	ret->id = query_id(q, "id");
	ret->site_id = query_id(q, "site_id");
	ret->owner_id = query_id(q, "owner_id");
	ret->letter_id = query_id(q, "letter_id");
	ret->writer = query_text(q, "writer");
	ret->subject = query_text(q, "subject");
	ret->cause = query_text(q, "cause");
	ret->about = query_text(q, "about");
	ret->asked_at = query_when(q, "asked_at");
	ret->open_since = query_when(q, "open_since");
	ret->site = query_text(q, "site");
}

static enum err
read_questions(struct query *q, struct question_row **ret, size_t *ret_n)
{
	struct question_row *rows = NULL;
	size_t n = 0;

	while (query_row(q)) {
		rows = query_grow(q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		read_question(q, &rows[n++]);
	}
	enum err e = query_finish(q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_question_load(struct store *s, int64_t id, struct arena *a, struct question_row *ret)
{
	struct question_row *rows;
	size_t n;
	AUTO_QUERY q = query_start(s, SQL_QUESTION_LOAD, a);

	query_bind_int(&q, "id", id);
	enum err e = read_questions(&q, &rows, &n);
	if (e != ERR_OK)
		return e;
	if (n == 0)
		return query_fail(s, ERR_NOT_FOUND, "there is no question %lld", (long long)id);
	*ret = rows[0];
	return ERR_OK;
}

enum err
store_questions_open(struct store *s, int64_t after_id, size_t max, struct arena *a, struct question_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_QUESTIONS_OPEN, a);

	query_bind_int(&q, "after_id", after_id);
	query_bind_int(&q, "max", (int64_t)max);
	return read_questions(&q, ret, ret_n);
}

enum err
store_questions(
    struct store *s, int64_t site_id, int64_t before_id, size_t max, struct arena *a, struct question_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, site_id == 0 ? SQL_QUESTIONS_ALL : SQL_QUESTIONS_OF, a);

	if (site_id != 0)
		query_bind_int(&q, "site_id", site_id);
	query_bind_int(&q, "before_id", before_id == 0 ? INT64_MAX : before_id);
	query_bind_int(&q, "max", (int64_t)max);
	return read_questions(&q, ret, ret_n);
}

static void
read_part(struct query *q, struct question_part_row *ret)
{
	ret->id = query_id(q, "id");
	ret->question_id = query_id(q, "question_id");
	ret->at = query_when(q, "at");
	ret->by = query_text(q, "by");
	ret->is_ours = query_bool(q, "is_ours");
	ret->text = query_text(q, "text");
	ret->is_cut = query_bool(q, "is_cut");
	ret->message_id = query_text(q, "message_id");
	ret->letter_id = query_id(q, "letter_id");
}

static enum err
read_parts(struct query *q, struct question_part_row **ret, size_t *ret_n)
{
	struct question_part_row *rows = NULL;
	size_t n = 0;

	while (query_row(q)) {
		rows = query_grow(q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		read_part(q, &rows[n++]);
	}
	enum err e = query_finish(q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_question_parts(struct store *s, int64_t question_id, struct arena *a, struct question_part_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_QUESTION_PARTS, a);

	query_bind_int(&q, "question_id", question_id);
	query_bind_int(&q, "max", LIMIT_PAGE_ROWS);
	return read_parts(&q, ret, ret_n);
}

enum err
store_answers_unwritten(struct store *s, size_t max, struct arena *a, struct question_part_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_ANSWERS_UNWRITTEN, a);

	query_bind_int(&q, "max", (int64_t)max);
	return read_parts(&q, ret, ret_n);
}

enum err
store_answer_written(struct store *s, int64_t part_id, struct str letter_key, struct str message_id)
{
	AUTO_QUERY found = query_start(s, SQL_LETTER_OF_KEY, NULL);
	int64_t letter_id = 0;

	query_bind_text(&found, "key", letter_key);
	if (query_row(&found))
		letter_id = query_id(&found, "id");
	enum err e = query_finish(&found);
	if (e != ERR_OK)
		return e;
	if (letter_id == 0)
		return query_fail(s, ERR_NOT_FOUND, "there is no letter with this key");
	AUTO_QUERY q = query_start(s, SQL_ANSWER_WRITTEN, NULL);
	query_bind_int(&q, "letter_id", letter_id);
	query_bind_text(&q, "message_id", message_id);
	query_bind_int(&q, "id", part_id);
	return one_changed(s, query_write(&q), "part of a question", part_id);
}
