/*
 * From the migrations to the present form of a new store: what they make together, as one text. A new store is made of that in one step, and
 * an older one is brought here step by step. usage: sql-build FILE…   writes sql_present.c to standard output.
 *
 * Run twice: what is not the same both times (a date, a random number) would be in every new store, and is refused.
 */
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char objects[] =
    "SELECT sql FROM sqlite_master WHERE type = ?1 AND sql IS NOT NULL AND name NOT LIKE "
    "'sqlite_%' "
    "AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow') ORDER BY rowid";
static const char tables[] = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND "
			     "type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
static const char columns[] = "SELECT group_concat('quote(\"' || name || '\")', ' || '', '' || "
			      "') FROM pragma_table_info(?1)";

_Noreturn __attribute__((format(printf, 1, 2))) static void
fail(const char *form, ...)
{
	va_list words;

	(void)fputs("sql-build: ", stderr);
	va_start(words, form);
	(void)vfprintf(stderr, form, words);
	va_end(words);
	(void)fputc('\n', stderr);
	exit(1);
}

static char *
read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	size_t n = 0, max = 0;

	if (f == NULL)
		fail("%s cannot be read", path);
	do {
		max += 65536;
		text = realloc(text, max + 1);
		if (text == NULL)
			fail("out of memory");
		n += fread(text + n, 1, max - n, f);
	} while (n == max);
	if (ferror(f) || fclose(f) != 0)
		fail("%s cannot be read", path);
	text[n] = '\0';
	return text;
}

static sqlite3_stmt *
prepare(sqlite3 *db, const char *sql, const char *first)
{
	sqlite3_stmt *s;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
		fail("%s: %s", sql, sqlite3_errmsg(db));
	if (first != NULL && sqlite3_bind_text(s, 1, first, -1, SQLITE_TRANSIENT) != SQLITE_OK)
		fail("%s: %s", sql, sqlite3_errmsg(db));
	return s;
}

static void
put_objects(sqlite3 *db, sqlite3_str *to, const char *type)
{
	sqlite3_stmt *s = prepare(db, objects, type);

	while (sqlite3_step(s) == SQLITE_ROW)
		sqlite3_str_appendf(to, "%s;\n", (const char *)sqlite3_column_text(s, 0));
	if (sqlite3_finalize(s) != SQLITE_OK)
		fail("%s", sqlite3_errmsg(db));
}

static void
put_rows(sqlite3 *db, sqlite3_str *to, const char *table)
{
	sqlite3_stmt *list = prepare(db, columns, table);

	if (sqlite3_step(list) != SQLITE_ROW)
		fail("%s has no columns", table);
	char *sql = sqlite3_mprintf("SELECT %s FROM \"%w\" ORDER BY 1",
	    (const char *)sqlite3_column_text(list, 0), table);
	sqlite3_stmt *rows = prepare(db, sql, NULL);
	while (sqlite3_step(rows) == SQLITE_ROW)
		sqlite3_str_appendf(to, "INSERT INTO \"%w\" VALUES (%s);\n", table,
		    (const char *)sqlite3_column_text(rows, 0));
	if (sqlite3_finalize(rows) != SQLITE_OK || sqlite3_finalize(list) != SQLITE_OK)
		fail("%s: %s", table, sqlite3_errmsg(db));
	sqlite3_free(sql);
}

static void
put_number(sqlite3 *db, sqlite3_str *to, const char *pragma)
{
	sqlite3_stmt *s = prepare(db, pragma, NULL);

	if (sqlite3_step(s) != SQLITE_ROW)
		fail("%s: %s", pragma, sqlite3_errmsg(db));
	sqlite3_str_appendf(to, "%s = %d;\n", pragma, sqlite3_column_int(s, 0));
	(void)sqlite3_finalize(s); /* it had its row */
}

static char *
present(char *const *files)
{
	sqlite3 *db;

	if (sqlite3_open(":memory:", &db) != SQLITE_OK)
		fail("out of memory");
	for (; *files != NULL; files++) {
		char *text = read_file(*files);

		if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
			fail("%s: %s", *files, sqlite3_errmsg(db));
		free(text);
	}
	sqlite3_str *to = sqlite3_str_new(db);
	put_objects(db, to, "table");
	/* Rows before indexes and triggers: these would count them. */
	sqlite3_stmt *s = prepare(db, tables, NULL);
	while (sqlite3_step(s) == SQLITE_ROW)
		put_rows(db, to, (const char *)sqlite3_column_text(s, 0));
	if (sqlite3_finalize(s) != SQLITE_OK)
		fail("%s", sqlite3_errmsg(db));
	put_objects(db, to, "index");
	put_objects(db, to, "trigger");
	put_objects(db, to, "view");
	put_number(db, to, "PRAGMA application_id");
	put_number(db, to, "PRAGMA user_version");
	char *text = sqlite3_str_finish(to);
	if (text == NULL || sqlite3_close(db) != SQLITE_OK)
		fail("out of memory");
	return text;
}

static void
print_c(const char *text)
{
	(void)printf(
	    "/* Made by sql/build.c from the migrations. */\n#include \"sql_table.h\"\n\n");
	(void)printf("#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n\nconst char "
		     "*const sql_present =\n\t\"");
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			(void)printf("\\n\"\n\t\"");
		else if (*text == '\\' || *text == '"')
			(void)printf("\\%c", *text);
		else if (*text == '\t')
			(void)printf("\\t");
		else
			(void)putchar(*text);
	}
	(void)printf("\";\n");
}

int
main(int n, char **files)
{
	if (n < 2)
		fail("no files");
	char *once = present(files + 1), *twice = present(files + 1);
	if (strcmp(once, twice) != 0)
		fail("a migration does not make the same each time it is run");
	print_c(once);
	sqlite3_free(once);
	sqlite3_free(twice);
	return fflush(stdout) == 0 ? 0 : 1;
}
