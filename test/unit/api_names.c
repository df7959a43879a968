/*
 * Every kind of name that cannot have a certificate, as a new site, beside a good name, and as a change of a site: refused
 * with what and why before anything is stored. No table of the store has one row more or less.
 */
#include <stdlib.h>
#include "test/unit/api_try.h"
#include "ports/store/query.h"
#include "test/unit/names_table.h"

static int64_t
number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(st, 0);
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	return n;
}

/* Rows of all tables, and changes of any row since the store was opened. */
static void
count_rows(const struct fixture *f, int64_t ret[2])
{
	sqlite3 *db = f->api.store->db;
	sqlite3_stmt *st;

	ret[0] = 0;
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT name FROM sqlite_schema WHERE type = 'table'", -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		char *sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", sqlite3_column_text(st, 0));

		ret[0] += number(db, sql);
		sqlite3_free(sql);
	}
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	ret[1] = sqlite3_total_changes64(db);
}

/* Asks with these names; they must be refused with the row's words. */
static void
want_refused(struct fixture *f, const struct row *r, const char *method, const char *path, json_t *body)
{
	int64_t before[2], after[2];
	char *text = json_dumps(body, 0);

	assert_non_null(text);
	count_rows(f, before);
	json_t *o = ask(f, method, path, text);
	count_rows(f, after);
	const char *detail = text_at(o, "detail");
	if (f->status != 422 || strstr(detail, r->why) == NULL || strstr(detail, "\"names\"") == NULL)
		fail_msg("%s:%d: %s: %s %s: status %d: %s", __FILE__, r->line, r->name, method, path, f->status, f->text);
	if (before[0] != after[0] || before[1] != after[1])
		fail_msg("%s:%d: %s: %s %s: something was stored", __FILE__, r->line, r->name, method, path);
	json_decref(o);
	json_decref(body);
	free(text);
}

static void
test_names_are_refused(void **state)
{
	struct fixture *f = *state;
	unsigned kinds = 0;

	add(f, "\"there.jp\"", "");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *r = &rows[i];

		/* JSON has no bytes that are not UTF-8: such a name cannot be said here. */
		if (r->wanted != NULL || r->wildcard || !str_is_utf8(str_of(r->typed)))
			continue;
		kinds++;
		want_refused(f, r, "POST", "/api/v1/sites",
		    json_pack("{s:[s], s:s, s:s}", "names", r->typed, "owner", "a@b.jp", "root", "/r"));
		want_refused(f, r, "POST", "/api/v1/sites",
		    json_pack("{s:[s, s], s:s, s:s, s:s}", "names", "good.jp", r->typed, "owner", "a@b.jp", "root", "/r", "coverage", "list"));
	}
	assert_int_equal(f->wakes, 1); /* of the site that is there */
	printf("kinds of names: %u passed, 0 failed\n", kinds);
	assert_true(kinds >= 30);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_names_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
