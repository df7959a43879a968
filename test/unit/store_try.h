#ifndef KOSHIN_TEST_UNIT_STORE_TRY_H
#define KOSHIN_TEST_UNIT_STORE_TRY_H
/* What the tests of the store share: a store in memory with a site, an order, a certificate, and ways to look inside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ports/clock/clock.h"
#include "ports/store/query.h"

static const struct when now = { 1767225600 }; /* 2026-01-01 */
static struct str two_names[] = { { "a.example", 9 }, { "www.a.example", 13 } };

/* A failed call says where, and in the store's own words. */
#define OK(s, call) ok((s), (call), #call, __LINE__)
static inline void
ok(struct store *s, enum err e, const char *call, int line)
{
	if (e != ERR_OK)
		print_error(
		    "%s:%d: %s: %s (%s)\n", __FILE__, line, call, err_name(e), store_words(s));
	assert_int_equal(e, ERR_OK);
}
#define FAILS(call, wanted) assert_string_equal(err_name(call), err_name(wanted))
#define SAME_STR(a, b) same_str((a), (b), #a, __LINE__)
static inline void
same_str(struct str a, struct str b, const char *what, int line)
{
	if (!str_eq(a, b))
		fail_msg("%s:%d: %s: got \"%.*s\", not \"%.*s\"", __FILE__, line, what,
		    STR_ARG(a), STR_ARG(b));
}
#define SAME(a, b) same((int64_t)(a), (int64_t)(b), #a, __LINE__)
static inline void
same(int64_t a, int64_t b, const char *what, int line)
{
	if (a != b)
		fail_msg("%s:%d: %s: got %lld, not %lld", __FILE__, line, what, (long long)a,
		    (long long)b);
}

static inline struct store *
new_store(void)
{
	struct store_options o = { .file = ":memory:", .may_create = true };
	struct why why;
	struct store *s = NULL;
	enum err e = store_open(&o, &why, &s);

	if (e != ERR_OK)
		fail_msg("store_open: %s: %s", err_name(e), why.text);
	return s;
}

static inline struct setting
free_setting(void)
{
	return (
	    struct setting){ .source = SOURCE_FREE, .redirect = true, .root = STR("/srv/www") };
}

static inline int64_t
new_owner(struct store *s)
{
	int64_t id = 0;

	OK(s, store_owner_put(s,
		  &(struct owner_row){ .mail = STR("hana@a.example"), .lang = STR("ja") }, now,
		  &id));
	return id;
}

static inline int64_t
new_site(struct store *s, const struct str *names, size_t n)
{
	struct setting g = free_setting();
	int64_t id = 0, other = 0;

	OK(s, store_site_add(s, new_owner(s), &g, names, n, now, &id, &other));
	return id;
}

static inline int64_t
new_order(struct store *s, int64_t site_id, bool is_open)
{
	struct order_row o = { .site_id = site_id,
		.job = UINT64_MAX,
		.phase = ORDER_INTENT,
		.sealed_key = STR("sealed\0key"),
		.csr_der = STR("\x30\x00"),
		.replaces = STR("aki.serial"),
		.names = two_names,
		.names_n = 2,
		.created = now,
		.is_open = is_open };
	int64_t id = 0;

	OK(s, store_order_put(s, &o, &id));
	return id;
}

static inline int64_t
new_certificate(struct store *s, int64_t site_id, uint8_t mark)
{
	struct certificate_row c = { .site_id = site_id,
		.chain_pem = STR("-----BEGIN"),
		.sealed_key = STR("k\0k"),
		.created = now,
		.info = { .not_before = now,
		    .not_after = when_plus(now, SPAN_D(90)),
		    .serial = STR("0a"),
		    .issuer = STR("Example CA"),
		    .ari_id = STR("x.y"),
		    .names = two_names,
		    .names_n = 2 } };
	int64_t id = 0;

	memset(c.info.fingerprint, mark, sizeof c.info.fingerprint);
	OK(s, store_certificate_put(s, &c, &id));
	return id;
}

static inline void
assert_sound(struct store *s)
{
	AUTO_BUF lines = { .max = 0 };

	buf_init(&lines, 65536);
	OK(s, store_verify(s, &lines));
	if (lines.n != 0)
		fail_msg("the store is not sound:\n%s", lines.p);
}

/* Every row of every table as text: two stores with the same dump hold the same. */
static inline void
dump(struct store *s, struct buf *ret)
{
	sqlite3_stmt *tables, *rows;
	char text[200];

	buf_init(ret, 1 << 22);
	assert_int_equal(sqlite3_prepare_v2(s->db,
			     "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT "
			     "LIKE 'sqlite_%' ORDER BY name",
			     -1, &tables, NULL),
	    SQLITE_OK);
	while (sqlite3_step(tables) == SQLITE_ROW) {
		(void)snprintf(text, sizeof text, "SELECT * FROM \"%s\"",
		    (const char *)sqlite3_column_text(tables, 0));
		assert_int_equal(sqlite3_prepare_v2(s->db, text, -1, &rows, NULL), SQLITE_OK);
		while (sqlite3_step(rows) == SQLITE_ROW) {
			buf_putf(ret, "%s", text + 14);
			for (int i = 0; i < sqlite3_column_count(rows); i++) {
				const void *p = sqlite3_column_blob(rows, i);

				buf_putf(ret, " %d:", sqlite3_column_type(rows, i));
				buf_put(ret, p, (size_t)sqlite3_column_bytes(rows, i));
			}
			buf_putc(ret, '\n');
		}
		(void)sqlite3_finalize(rows);
	}
	(void)sqlite3_finalize(tables);
	assert_int_equal(ret->err, ERR_OK);
}

static inline int64_t
number(struct store *s, const char *sql)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(s->db));
	int64_t n = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;
	(void)sqlite3_finalize(st);
	return n;
}

static inline void
run(struct store *s, const char *sql)
{
	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(s->db));
}
#endif
