#include "ports/store/operator.h"
#include "ports/store/query.h"

enum err
store_letter_put(struct store *s, const struct letter_row *l)
{
	if (l->key.n == 0)
		return query_fail(s, ERR_INVALID, "a letter needs a key");
	if (l->sent_at.s == WHEN_UNKNOWN.s && l->next_try.s == WHEN_UNKNOWN.s)
		return query_fail(
		    s, ERR_INVALID, "a letter that waits needs a date for its next try");
	if (l->message.n > LIMIT_LETTER_BYTES || l->body.n > LIMIT_LETTER_BYTES)
		return query_fail(
		    s, ERR_TOO_LONG, "a letter has at most %d bytes", LIMIT_LETTER_BYTES);
	AUTO_QUERY q = query_start(s, SQL_LETTER_PUT, NULL);
	query_bind_id(&q, "site_id", l->site_id);
	query_bind_id(&q, "owner_id", l->owner_id);
	query_bind_word(&q, "kind", letter_name(l->kind));
	query_bind_text(&q, "key", l->key);
	query_bind_text(&q, "message_id", l->message_id);
	query_bind_text(&q, "to", l->to);
	query_bind_text(&q, "subject", l->subject);
	query_bind_text(&q, "body", l->body);
	query_bind_text(&q, "message", l->message);
	query_bind_when(&q, "created", l->created);
	query_bind_when(&q, "next_try", l->next_try);
	query_bind_when(&q, "sent_at", l->sent_at);
	query_bind_int(&q, "tries", l->tries);
	query_bind_text(&q, "error", l->error);
	return query_write(&q);
}

static enum err
read_letters(struct query *q, struct letter_row **ret, size_t *ret_n)
{
	struct letter_row *rows = NULL;
	size_t n = 0;

	while (query_row(q)) {
		rows = query_grow(q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		struct letter_row *l = &rows[n++];

		l->id = query_id(q, "id");
		l->site_id = query_id(q, "site_id");
		l->owner_id = query_id(q, "owner_id");
		struct str word = query_word(q, "kind");
		if (!letter_of_name(word, &l->kind))
			query_corrupt(q, "kind", word);
		l->key = query_text(q, "key");
		l->message_id = query_text(q, "message_id");
		l->to = query_text(q, "to");
		l->subject = query_text(q, "subject");
		l->body = query_text(q, "body");
		l->message = query_text(q, "message");
		l->created = query_when(q, "created");
		l->next_try = query_when(q, "next_try");
		l->sent_at = query_when(q, "sent_at");
		l->tries = (unsigned)query_int(q, "tries", 0, UINT32_MAX);
		l->error = query_text(q, "error");
		l->bounced_at = query_when(q, "bounced_at");
		l->bounce = query_text(q, "bounce");
	}
	enum err e = query_finish(q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_letters_due(struct store *s, struct when now, size_t max, struct arena *a,
    struct letter_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_LETTERS_DUE, a);

	query_bind_int(&q, "now", now.s);
	query_bind_int(&q, "max", (int64_t)max);
	return read_letters(&q, ret, ret_n);
}

enum err
store_letters_of(
    struct store *s, int64_t site_id, struct arena *a, struct letter_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_LETTERS_OF, a);

	query_bind_int(&q, "site_id", site_id);
	query_bind_int(&q, "max", LIMIT_PAGE_ROWS);
	return read_letters(&q, ret, ret_n);
}

enum err
store_letters_trouble(
    struct store *s, int64_t before_id, size_t max, struct arena *a, struct letter_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_LETTERS_TROUBLE, a);

	query_bind_int(&q, "before_id", before_id == 0 ? INT64_MAX : before_id);
	query_bind_int(&q, "max", (int64_t)max);
	return read_letters(&q, ret, ret_n);
}

enum err
store_letters_next(struct store *s, struct when *ret)
{
	AUTO_QUERY q = query_start(s, SQL_LETTERS_NEXT, NULL);
	struct when w = WHEN_NEVER;

	if (query_row(&q))
		w = query_when(&q, "next_try");
	enum err e = query_finish(&q);
	if (e == ERR_OK)
		*ret = w.s == WHEN_UNKNOWN.s ? WHEN_NEVER : w;
	return e;
}

static enum err
one_changed(struct store *s, enum err e, int64_t id)
{
	if (e == ERR_OK && sqlite3_changes(s->db) == 0)
		return query_fail(
		    s, ERR_NOT_FOUND, "there is no letter %lld that waits", (long long)id);
	return e;
}

enum err
store_letter_sent(struct store *s, int64_t id, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_LETTER_SENT, NULL);

	query_bind_when(&q, "now", now);
	query_bind_int(&q, "id", id);
	return one_changed(s, query_write(&q), id);
}

enum err
store_letter_failed(struct store *s, int64_t id, struct str error, struct when next_try)
{
	if (next_try.s == WHEN_UNKNOWN.s)
		return query_fail(
		    s, ERR_INVALID, "a letter that waits needs a date for its next try");
	AUTO_QUERY q = query_start(s, SQL_LETTER_FAILED, NULL);
	query_bind_text(&q, "error", error);
	query_bind_when(&q, "next_try", next_try);
	query_bind_int(&q, "id", id);
	return one_changed(s, query_write(&q), id);
}

enum err
store_letter_pass_on(struct store *s, int64_t id, struct when now, struct arena *a, struct letter_passed *ret)
{
	AUTO_QUERY q = query_start(s, SQL_LETTER_SECOND, a);
	struct letter_row *rows;
	size_t n;

	*ret = (struct letter_passed){ .to = STR_NONE };
	query_bind_when(&q, "now", now);
	query_bind_int(&q, "id", id);
	enum err e = read_letters(&q, &rows, &n);
	if (e != ERR_OK || n == 0)
		return e;
	*ret = (struct letter_passed){ .site_id = rows[0].site_id, .kind = rows[0].kind, .to = rows[0].to };
	return store_letter_put(s, &rows[0]);
}

enum err
store_letters_lost(struct store *s, int64_t owner_id, size_t max, struct arena *a, struct letter_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_LETTERS_LOST, a);

	query_bind_int(&q, "owner_id", owner_id);
	query_bind_int(&q, "max", (int64_t)max);
	return read_letters(&q, ret, ret_n);
}

enum err
store_letter_read(struct store *s, int64_t id, int64_t owner_id, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_LETTER_READ, NULL);

	query_bind_when(&q, "now", now);
	query_bind_int(&q, "id", id);
	query_bind_int(&q, "owner_id", owner_id);
	enum err e = query_write(&q);
	if (e == ERR_OK && sqlite3_changes(s->db) == 0)
		return query_fail(s, ERR_NOT_FOUND, "there is no letter %lld of this owner", (long long)id);
	return e;
}

/* --- history --- */

enum err
store_history_put(struct store *s, const struct history_row *h)
{
	AUTO_QUERY q = query_start(s, SQL_HISTORY_PUT, NULL);

	query_bind_id(&q, "site_id", h->site_id);
	query_bind_when(&q, "at", h->at);
	query_bind_word(&q, "kind", history_name(h->kind));
	query_bind_text(&q, "by", h->by);
	query_bind_text(&q, "subject", h->subject);
	query_bind_text(&q, "detail", h->detail);
	return query_write(&q);
}

/* Takes what the statement finds. */
static enum err
history_rows(struct query *q, struct history_row **ret, size_t *ret_n)
{
	struct history_row *rows = NULL;
	size_t n = 0;

	while (query_row(q)) {
		rows = query_grow(q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		struct history_row *h = &rows[n++];

		h->id = query_id(q, "id");
		h->site_id = query_id(q, "site_id");
		h->at = query_when(q, "at");
		struct str word = query_word(q, "kind");
		if (!history_of_name(word, &h->kind))
			query_corrupt(q, "kind", word);
		h->by = query_text(q, "by");
		h->subject = query_text(q, "subject");
		h->detail = query_text(q, "detail");
	}
	enum err e = query_finish(q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_history(struct store *s, int64_t site_id, int64_t before_id, size_t max, struct arena *a,
    struct history_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, site_id == 0 ? SQL_HISTORY_ALL : SQL_HISTORY_OF, a);

	if (site_id != 0)
		query_bind_int(&q, "site_id", site_id);
	query_bind_int(&q, "before_id", before_id == 0 ? INT64_MAX : before_id);
	query_bind_int(&q, "max", (int64_t)max);
	return history_rows(&q, ret, ret_n);
}

enum err
store_history_after(struct store *s, int64_t site_id, int64_t after_id, size_t max, struct arena *a,
    struct history_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, site_id == 0 ? SQL_HISTORY_ALL_AFTER : SQL_HISTORY_OF_AFTER, a);

	if (site_id != 0)
		query_bind_int(&q, "site_id", site_id);
	query_bind_int(&q, "after_id", after_id);
	query_bind_int(&q, "max", (int64_t)max);
	return history_rows(&q, ret, ret_n);
}
