#include "ports/store/query.h"
#include <string.h>

enum {
	OVERDUE_S = 600, /* a turn of the engine takes seconds: past this it does not keep up */
	DAY_S = 86400,
};

/* --- counts --- */

static enum err
count(struct store *s, enum sql id, int64_t *ret)
{
	AUTO_QUERY q = query_start(s, id, NULL);

	if (query_row(&q))
		*ret = query_int(&q, "n", 0, INT64_MAX);
	return query_finish(&q);
}

static enum err
count_by(struct store *s, enum sql id, struct when by, int64_t *ret)
{
	AUTO_QUERY q = query_start(s, id, NULL);

	query_bind_when(&q, "by", by);
	if (query_row(&q))
		*ret = query_int(&q, "n", 0, INT64_MAX);
	return query_finish(&q);
}

static enum err
count_causes(struct store *s, struct store_counts *ret)
{
	AUTO_QUERY q = query_start(s, SQL_COUNT_CAUSES, NULL);

	while (query_row(&q)) {
		struct str word = query_word(&q, "cause");
		enum cause c = cause_of_id(word);
		int64_t n = query_int(&q, "n", 0, INT64_MAX);

		ret->findings_open += n;
		/* A damaged word is the doctor's; the other figures are good. */
		if (c == CAUSE_NONE || ret->causes_n == CAUSE_COUNT)
			continue;
		ret->causes[ret->causes_n].cause = c;
		ret->causes[ret->causes_n].n = n;
		ret->causes_n++;
	}
	return query_finish(&q);
}

enum err
store_count(struct store *s, struct when now, struct store_counts *ret)
{
	static const int days[] = { 0, 1, 3, 7, 14 };
	struct store_counts c = { 0 };
	struct bracket b;
	enum err e = bracket_begin(s, true, &b);

	if (e != ERR_OK)
		return e;
	const struct {
		enum sql id;
		int64_t *to;
	} plain[] = {
		{ SQL_COUNT_SITES, &c.sites },
		{ SQL_COUNT_HELD, &c.certificates_held },
		{ SQL_COUNT_ORDERS, &c.orders_open },
		{ SQL_COUNT_LETTERS_WAITING, &c.letters_waiting },
		{ SQL_COUNT_LETTERS_GIVEN_UP, &c.letters_given_up },
		{ SQL_COUNT_LETTERS_BOUNCED, &c.letters_bounced },
		{ SQL_COUNT_QUESTIONS_OPEN, &c.questions_open },
	};
	for (size_t i = 0; i < sizeof plain / sizeof *plain && e == ERR_OK; i++)
		e = count(s, plain[i].id, plain[i].to);
	if (e == ERR_OK)
		e = count_by(
		    s, SQL_COUNT_OVERDUE, when_minus(now, SPAN_S(OVERDUE_S)), &c.sites_overdue);
	for (size_t i = 0; i < sizeof days / sizeof *days && e == ERR_OK; i++)
		e = count_by(s, SQL_COUNT_ENDING, when_plus(now, SPAN_S(days[i] * DAY_S)),
		    &c.ending_within_d[i]);
	if (e == ERR_OK)
		e = count_causes(s, &c);
	e = bracket_end(s, &b, e);
	if (e == ERR_OK)
		*ret = c;
	return e;
}

/* --- the store's own promises --- */

/* A damaged page must not hide what the other checks find: it becomes a line. */
static enum err
take_damage(struct store *s, enum sql id, enum err e, struct buf *lines)
{
	if (e != ERR_CORRUPT)
		return e;
	buf_putf(
	    lines, "the check %s cannot be made: %s\n", sql_queries[id].name, s->words.text);
	return ERR_OK;
}

static enum err
verify_lines(struct store *s, enum sql id, struct buf *lines)
{
	AUTO_QUERY q = query_start(s, id, NULL);

	while (query_row(&q)) {
		buf_put_str(lines, query_word(&q, "line"));
		buf_putc(lines, '\n');
	}
	return take_damage(s, id, query_finish(&q), lines);
}

static enum err
verify_pages(struct store *s, struct buf *lines)
{
	AUTO_QUERY q = query_start(s, SQL_VERIFY_PAGES, NULL);

	while (query_row(&q)) {
		struct str line = query_word(&q, "quick_check");

		if (str_eq(line, STR("ok")))
			continue;
		buf_put_str(lines, STR("the file is damaged: "));
		buf_put_str(lines, line);
		buf_putc(lines, '\n');
	}
	return take_damage(s, SQL_VERIFY_PAGES, query_finish(&q), lines);
}

static enum err
verify_words(struct store *s, struct buf *lines)
{
	AUTO_QUERY q = query_start(s, SQL_VERIFY_WORDS, NULL);

	while (query_row(&q)) {
		enum actor actor;
		enum letter_kind letter;
		enum history_kind history;
		struct str kind = query_word(&q, "kind"), word = query_word(&q, "word");
		bool is_known = true;

		if (str_eq(kind, STR("cause")))
			is_known = cause_of_id(word) != CAUSE_NONE;
		else if (str_eq(kind, STR("actor")))
			is_known = actor_of_name(word, &actor);
		else if (str_eq(kind, STR("letter")))
			is_known = letter_of_name(word, &letter);
		else if (str_eq(kind, STR("history")))
			is_known = history_of_name(word, &history);
		if (!is_known)
			buf_putf(lines, "the %.*s \"%.*s\" is in no table of this version\n",
			    STR_ARG(kind), STR_ARG(word));
	}
	return take_damage(s, SQL_VERIFY_WORDS, query_finish(&q), lines);
}

enum err
store_verify(struct store *s, struct buf *ret_lines)
{
	static const enum sql own[] = { SQL_VERIFY_REFERENCES, SQL_VERIFY_ORDERS,
		SQL_VERIFY_ORDER_OF_OTHER, SQL_VERIFY_WAKES, SQL_VERIFY_SETTINGS,
		SQL_VERIFY_FIRST_NAMES, SQL_VERIFY_HELD, SQL_VERIFY_LETTERS, SQL_VERIFY_LOOKS,
		SQL_VERIFY_NAMES, SQL_VERIFY_BUDGETS, SQL_VERIFY_DRAWS, SQL_VERIFY_COUNTS };
	struct bracket b;
	enum err e = bracket_begin(s, true, &b);

	if (e == ERR_CORRUPT) {
		buf_putf(ret_lines, "the store cannot be read: %s\n", s->words.text);
		return ret_lines->err;
	}
	if (e != ERR_OK)
		return e;
	e = verify_pages(s, ret_lines);
	for (size_t i = 0; i < sizeof own / sizeof *own && e == ERR_OK; i++)
		e = verify_lines(s, own[i], ret_lines);
	if (e == ERR_OK)
		e = verify_words(s, ret_lines);
	e = bracket_end(s, &b, e);
	return e != ERR_OK ? e : ret_lines->err;
}

/* --- heartbeats --- */

enum err
store_heartbeat_put(struct store *s, struct str process, int64_t pid, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_HEARTBEAT_PUT, NULL);

	query_bind_text(&q, "process", process);
	query_bind_int(&q, "pid", pid);
	query_bind_when(&q, "at", now);
	return query_write(&q);
}

enum err
store_heartbeats(struct store *s, struct arena *a, struct heartbeat_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_HEARTBEATS, a);
	struct heartbeat_row *rows = NULL;
	size_t n = 0;

	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		struct heartbeat_row *h = &rows[n++];

		h->process = query_text(&q, "process");
		h->pid = query_int(&q, "pid", 0, INT64_MAX);
		h->at = query_when(&q, "at");
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

/* --- what no rule understood --- */

static enum err
forget_unclassified(struct store *s)
{
	AUTO_QUERY q = query_start(s, SQL_UNCLASSIFIED_FORGET, NULL);

	query_bind_int(&q, "most", LIMIT_UNCLASSIFIED_ROWS);
	return query_write(&q);
}

static enum err
put_unclassified(struct store *s, struct str type, struct str text, struct when now)
{
	AUTO_QUERY q = query_start(s, SQL_UNCLASSIFIED_PUT, NULL);

	query_bind_text(&q, "type", type);
	query_bind_text(&q, "text", text);
	query_bind_when(&q, "now", now);
	return query_write(&q);
}

enum err
store_unclassified_put(struct store *s, struct str type, struct str text, struct when now)
{
	struct bracket b;

	if (type.n > LIMIT_EVIDENCE_BYTES || text.n > LIMIT_EVIDENCE_BYTES)
		return query_fail(s, ERR_TOO_LONG, "at most %d bytes of a CA's text are kept",
		    LIMIT_EVIDENCE_BYTES);
	enum err e = bracket_begin(s, false, &b);
	if (e != ERR_OK)
		return e;
	e = put_unclassified(s, type, text, now);
	if (e == ERR_OK)
		e = forget_unclassified(s);
	return bracket_end(s, &b, e);
}

enum err
store_unclassified_count(
    struct store *s, struct arena *a, struct unclassified_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_UNCLASSIFIED_COUNT, a);
	struct unclassified_row *rows = NULL;
	size_t n = 0;

	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		rows[n] = (struct unclassified_row){ .type = query_text(&q, "type") };
		rows[n++].times_seen = query_int(&q, "n", 0, INT64_MAX);
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_unclassified_list(struct store *s, size_t max, struct arena *a,
    struct unclassified_row **ret, size_t *ret_n)
{
	AUTO_QUERY q = query_start(s, SQL_UNCLASSIFIED_LIST, a);
	struct unclassified_row *rows = NULL;
	size_t n = 0;

	query_bind_int(&q, "max", (int64_t)max);
	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		struct unclassified_row *r = &rows[n++];

		r->type = query_text(&q, "type");
		r->text = query_text(&q, "text");
		r->first_seen = query_when(&q, "first_seen");
		r->last_seen = query_when(&q, "last_seen");
		r->times_seen = query_int(&q, "times_seen", 1, INT64_MAX);
	}
	enum err e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}
