/* What the lists of sites are read from, and the lists. */
#include "ports/names/names.h"
#include "ports/store/query.h"

enum { TEXT_BYTES_MAX = LIMIT_SITE_NAMES * 2 * (LIMIT_NAME_BYTES + 8) };

/* Each name behind "^^": as it is stored, and as people write it if that is another form. */
static enum err
pack_text(struct store *s, const struct str *names, size_t n, struct buf *ret)
{
	AUTO_ARENA a = { 0 };

	arena_init(&a, TEXT_BYTES_MAX * 4);
	for (size_t i = 0; i < n; i++) {
		struct str shown = names_for_people(names[i], &a);

		buf_putf(ret, "%s^^%.*s", i == 0 ? "" : " ", STR_ARG(names[i]));
		if (!str_eq(shown, names[i]))
			buf_putf(ret, " ^^%.*s", STR_ARG(shown));
	}
	return ret->err == ERR_OK && !arena_failed(&a)
		   ? ERR_OK
		   : query_fail(s, ERR_MEMORY, "out of memory");
}

/* A statement about the row of one site. */
static enum err
about(struct store *s, enum sql id, int64_t site_id)
{
	AUTO_QUERY q = query_start(s, id, NULL);

	query_bind_int(&q, "site_id", site_id);
	return query_write(&q);
}

static enum err
put(struct store *s, int64_t site_id, struct str name, enum site_standing standing,
    struct str text)
{
	AUTO_QUERY q = query_start(s, SQL_LISTING_PUT, NULL);

	query_bind_text(&q, "name", name);
	query_bind_word(&q, "standing", site_standing_name(standing));
	query_bind_text(&q, "text", text);
	query_bind_int(&q, "site_id", site_id);
	return query_write(&q);
}

enum err
listing_put(struct store *s, int64_t site_id, const struct str *names, size_t names_n,
    enum site_standing standing)
{
	AUTO_BUF text = { 0 };
	enum err e;

	buf_init(&text, TEXT_BYTES_MAX);
	e = pack_text(s, names, names_n, &text);
	if (e == ERR_OK)
		e = about(s, SQL_SEARCH_FORGET, site_id);
	if (e == ERR_OK)
		e = put(s, site_id, names[0], standing, buf_str(&text));
	return e == ERR_OK ? about(s, SQL_SEARCH_LEARN, site_id) : e;
}

enum err
listing_save(struct store *s, const struct site *site)
{
	if (site->is_removed) {
		enum err e = about(s, SQL_SEARCH_FORGET, site->id);

		return e == ERR_OK ? about(s, SQL_LISTING_REMOVE, site->id) : e;
	}
	const struct site_urgent u = site_urgent(site);
	AUTO_QUERY q = query_start(s, SQL_LISTING_STAND, NULL);
	query_bind_word(&q, "standing", site_standing_name(site_standing(site)));
	query_bind_when(&q, "warned_from", u.warned_from);
	query_bind_when(&q, "late_from", u.late_from);
	query_bind_int(&q, "site_id", site->id);
	return query_write(&q);
}

/* --- lists --- */

enum { GRAM = 3, GRAMS_PLAIN = 5 };

static void
put_quoted(struct buf *out, struct str text)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			buf_putc(out, '"');
		buf_putc(out, text.p[i]);
	}
	buf_putc(out, '"');
}

/* A text of ASCII: three of its grams near each other leave so few rows that LIKE can look at each; all of them cost several times as much. */
static void
put_grams(struct buf *out, struct str text)
{
	if (text.n <= GRAMS_PLAIN) {
		put_quoted(out, text);
		return;
	}
	buf_put_str(out, STR("NEAR("));
	for (size_t i = 0; i < GRAM; i++) {
		put_quoted(out, (struct str){ text.p + (text.n - GRAM) * i / 2, GRAM });
		buf_putc(out, ' ');
	}
	buf_putf(out, ", %zu)", text.n);
}

/* What stands behind "@" is in very many rows: the part before it says which ones are worth a look. */
static void
put_ascii(struct buf *out, struct str text)
{
	size_t at = str_find(text, STR("@"));
	struct str before = { text.p, at == SIZE_MAX ? text.n : at + 1 };
	struct str behind = { text.p + before.n, text.n - before.n };

	if (before.n < GRAM || behind.n == 0) {
		put_grams(out, text);
		return;
	}
	put_grams(out, before);
	if (behind.n < GRAM)
		return;
	buf_put_str(out, STR(" AND "));
	put_grams(out, behind);
}

/* For LIKE: the text somewhere in the row. */
static void
put_like(struct buf *out, struct str text)
{
	buf_putc(out, '%');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '%' || text.p[i] == '_' || text.p[i] == '!')
			buf_putc(out, '!');
		buf_putc(out, text.p[i]);
	}
	buf_putc(out, '%');
}

/*
 * What FTS5 is asked for, and what each row that it finds is held against. What is too short for it is looked for at beginnings.
 * LIKE knows the two cases of ASCII alone: of other texts the whole phrase is asked for, and every row is right.
 */
static enum err
pack_search(struct store *s, struct str text, struct buf *ret, struct buf *ret_like)
{
	AUTO_BUF padded = { .max = 8 * GRAM };
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	if (n < GRAM) {
		for (size_t i = n; i < GRAM; i++)
			buf_putc(&padded, '^');
		buf_put_str(&padded, text);
		text = buf_str(&padded);
	}
	if (n < GRAM || text.n > n) {
		put_quoted(ret, text);
		buf_putc(ret_like, '%');
	} else {
		put_ascii(ret, text);
		put_like(ret_like, text);
	}
	return padded.err == ERR_OK && ret->err == ERR_OK && ret_like->err == ERR_OK
		   ? ERR_OK
		   : query_fail(s, ret->err == ERR_OK ? ERR_TOO_LONG : ret->err, "the text to look for is too long");
}

/* Along which index: the one that leaves the fewest rows. */
static enum sql
query_of(const struct store_list *l)
{
	if (l->is_urgent)
		return l->owner_id != 0 ? SQL_LIST_OWNER_URGENT : SQL_LIST_URGENT;
	if (l->owner_id != 0 && l->search.n == 0)
		return SQL_LIST_OWNER;
	if (l->search.n > 0)
		return l->standing == SITE_STANDING_COUNT ? SQL_LIST_SEARCH : SQL_LIST_SEARCH_STANDING;
	if (l->cause != CAUSE_NONE)
		return SQL_LIST_CAUSE;
	return l->standing != SITE_STANDING_COUNT ? SQL_LIST_STANDING : SQL_LIST_ALL;
}

static bool
is_by_name(enum sql id)
{
	return id == SQL_LIST_ALL || id == SQL_LIST_STANDING;
}

static bool
is_by_date(enum sql id)
{
	return id == SQL_LIST_URGENT || id == SQL_LIST_OWNER_URGENT;
}

/* Where the page before ended: an id, or a date and an id. */
struct place {
	struct when from;
	int64_t id;
};

static bool
read_place(struct str after, enum sql id, struct place *ret)
{
	struct str rest = after;
	int64_t from = INT64_MIN;

	*ret = (struct place){ { INT64_MIN }, 0 };
	if (after.n == 0)
		return true;
	if (str_cut(&rest, '#').n > 0 || rest.n == 0)
		return false;
	if (is_by_date(id) && !str_to_int(str_cut(&rest, '#'), &from))
		return false;
	ret->from.s = from;
	return str_to_int(rest, &ret->id);
}

/* What a list of texts is held against. */
struct searched {
	struct str phrase, like;
};

static void
bind_search(struct query *q, enum sql id, const struct store_list *l, const struct searched *found, int64_t after_id)
{
	if (id == SQL_LIST_SEARCH_STANDING)
		query_bind_word(q, "standing", site_standing_name(l->standing));
	query_bind_text(q, "search", found->phrase);
	query_bind_int(q, "after", after_id);
	query_bind_text(q, "like", found->like);
	query_bind_word(q, "cause", l->cause == CAUSE_NONE ? "" : cause_row(l->cause)->id);
	query_bind_int(q, "owner_id", l->owner_id);
}

static void
bind_urgent(struct query *q, enum sql id, const struct store_list *l, const struct place *after, struct str like)
{
	if (id == SQL_LIST_OWNER_URGENT)
		query_bind_int(q, "owner_id", l->owner_id);
	query_bind_int(q, "now", l->now.s);
	query_bind_int(q, "after_from", after->from.s);
	query_bind_int(q, "after", after->id);
	query_bind_text(q, "like", like);
	query_bind_word(q, "cause", l->cause == CAUSE_NONE ? "" : cause_row(l->cause)->id);
}

/* In the order of the first appearance of each parameter. */
static void
bind_list(struct query *q, enum sql id, const struct store_list *l, int64_t after_id)
{
	const char *standing =
	    l->standing == SITE_STANDING_COUNT ? "" : site_standing_name(l->standing);
	const char *cause = l->cause == CAUSE_NONE ? "" : cause_row(l->cause)->id;

	if (id == SQL_LIST_STANDING)
		query_bind_word(q, "standing", standing);
	if (id == SQL_LIST_OWNER)
		query_bind_int(q, "owner_id", l->owner_id);
	if (id == SQL_LIST_CAUSE)
		query_bind_word(q, "cause", cause);
	if (is_by_name(id))
		query_bind_text(q, "after", l->after);
	else
		query_bind_int(q, "after", after_id);
	if (!is_by_name(id))
		query_bind_word(q, "standing", standing);
	if (id == SQL_LIST_OWNER)
		query_bind_word(q, "cause", cause);
}

enum err
store_sites(struct store *s, const struct store_list *l, size_t max, struct arena *a,
    struct store_listed **ret, size_t *ret_n)
{
	const enum sql id = query_of(l);
	struct store_listed *rows = NULL;
	struct place after = { { 0 }, 0 };
	size_t n = 0;
	AUTO_BUF phrase = { .max = 2 * TEXT_BYTES_MAX }, like = { .max = 2 * TEXT_BYTES_MAX };
	enum err e = ERR_OK;

	/* Pages by number and pages by name are not continued with each other's cursor. */
	if (!is_by_name(id) && !read_place(l->after, id, &after))
		return query_fail(
		    s, ERR_INVALID, "the place where the page before ended is of another list");
	if (is_by_date(id))
		put_like(&like, l->search);
	else if (l->search.n > 0)
		e = pack_search(s, l->search, &phrase, &like);
	if (e != ERR_OK)
		return e;
	AUTO_QUERY q = query_start(s, id, a);
	if (is_by_date(id))
		bind_urgent(&q, id, l, &after, buf_str(&like));
	else if (l->search.n > 0)
		bind_search(&q, id, l, &(struct searched){ buf_str(&phrase), buf_str(&like) }, after.id);
	else
		bind_list(&q, id, l, after.id);
	query_bind_int(&q, "max", (int64_t)max);
	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		struct store_listed *row = &rows[n++];

		row->id = query_id(&q, "site_id");
		row->name = query_text(&q, "name");
		if (is_by_date(id))
			row->cursor = arena_strf(a, "#%lld#%lld", (long long)query_when(&q, "warned_from").s, (long long)row->id);
		else
			row->cursor = is_by_name(id) ? row->name : arena_strf(a, "#%lld", (long long)row->id);
	}
	e = query_finish(&q);
	if (e != ERR_OK)
		return e;
	*ret = rows;
	*ret_n = n;
	return ERR_OK;
}

enum err
store_owner_find(struct store *s, struct str mail, int64_t *ret_id)
{
	AUTO_QUERY q = query_start(s, SQL_OWNER_ID, NULL);
	int64_t id = 0;

	query_bind_text(&q, "mail", mail);
	if (query_row(&q))
		id = query_id(&q, "id");
	enum err e = query_finish(&q);
	if (e == ERR_OK && id == 0)
		return query_fail(s, ERR_NOT_FOUND, "no owner has this mail address");
	if (e == ERR_OK)
		*ret_id = id;
	return e;
}
