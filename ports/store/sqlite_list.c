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
	AUTO_QUERY q = query_start(s, SQL_LISTING_STAND, NULL);
	query_bind_word(&q, "standing", site_standing_name(site_standing(site)));
	query_bind_int(&q, "site_id", site->id);
	return query_write(&q);
}

/* --- lists --- */

/* A phrase of FTS5: in quotes, each quote in it doubled; what is too short for it is looked for at beginnings. */
static enum err
pack_phrase(struct store *s, struct str text, struct buf *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++)
		n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
	buf_putc(ret, '"');
	for (; n < 3; n++)
		buf_putc(ret, '^');
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '"')
			buf_putc(ret, '"');
		buf_putc(ret, text.p[i]);
	}
	buf_putc(ret, '"');
	return ret->err == ERR_OK ? ERR_OK
				  : query_fail(s, ret->err, "the text to look for is too long");
}

/* Along which index: the one that leaves the fewest rows. */
static enum sql
query_of(const struct store_list *l)
{
	if (l->owner_id != 0 && l->search.n == 0)
		return SQL_LIST_OWNER;
	if (l->search.n > 0)
		return SQL_LIST_SEARCH;
	if (l->cause != CAUSE_NONE)
		return SQL_LIST_CAUSE;
	return l->standing != SITE_STANDING_COUNT ? SQL_LIST_STANDING : SQL_LIST_ALL;
}

static bool
is_by_name(enum sql id)
{
	return id == SQL_LIST_ALL || id == SQL_LIST_STANDING;
}

/* In the order of the first appearance of each parameter. */
static void
bind_list(struct query *q, enum sql id, const struct store_list *l, struct str phrase,
    int64_t after_id, size_t max)
{
	const char *standing =
	    l->standing == SITE_STANDING_COUNT ? "" : site_standing_name(l->standing);
	const char *cause = l->cause == CAUSE_NONE ? "" : cause_row(l->cause)->id;

	if (id == SQL_LIST_STANDING)
		query_bind_word(q, "standing", standing);
	if (id == SQL_LIST_SEARCH)
		query_bind_text(q, "search", phrase);
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
	if (id == SQL_LIST_SEARCH || id == SQL_LIST_OWNER)
		query_bind_word(q, "cause", cause);
	if (id == SQL_LIST_SEARCH)
		query_bind_int(q, "owner_id", l->owner_id);
	query_bind_int(q, "max", (int64_t)max);
}

enum err
store_sites(struct store *s, const struct store_list *l, size_t max, struct arena *a,
    struct store_listed **ret, size_t *ret_n)
{
	const enum sql id = query_of(l);
	struct store_listed *rows = NULL;
	int64_t after_id = 0;
	size_t n = 0;
	AUTO_BUF phrase = { 0 };
	enum err e = ERR_OK;

	buf_init(&phrase, 2 * TEXT_BYTES_MAX);
	/* Pages by number and pages by name are not continued with each other's cursor. */
	if (!is_by_name(id) && l->after.n > 0 &&
	    (l->after.p[0] != '#' ||
		!str_to_int((struct str){ l->after.p + 1, l->after.n - 1 }, &after_id)))
		return query_fail(
		    s, ERR_INVALID, "the place where the page before ended is of another list");
	if (id == SQL_LIST_SEARCH)
		e = pack_phrase(s, l->search, &phrase);
	if (e != ERR_OK)
		return e;
	AUTO_QUERY q = query_start(s, id, a);
	bind_list(&q, id, l, buf_str(&phrase), after_id, max);
	while (query_row(&q)) {
		rows = query_grow(&q, rows, n, sizeof *rows);
		if (rows == NULL)
			break;
		struct store_listed *row = &rows[n++];

		row->id = query_id(&q, "site_id");
		row->name = query_text(&q, "name");
		row->cursor =
		    is_by_name(id) ? row->name : arena_strf(a, "#%lld", (long long)row->id);
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
