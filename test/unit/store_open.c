/* Opening: what is refused and left untouched, what is made, who may do it at the same time, and failures of the file. */
#include "test/unit/store_try.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], path[96];

static int
make_folder(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof folder, "/tmp/koshin-store-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/store", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	static const char *const names[] = { "store", "store-wal", "store-shm",
		"store-journal" };
	char file[128];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(file, sizeof file, "%s/%s", folder, names[i]);
		(void)unlink(file); /* may not be there */
	}
	return rmdir(folder);
}

static enum err
try_open(bool may_create, bool is_readonly, struct why *why, struct store **ret)
{
	struct store_options o = { .file = path,
		.may_create = may_create,
		.is_readonly = is_readonly,
		.busy_timeout_ms = 20000 };

	return store_open(&o, why, ret);
}

static struct store *
must_open(bool is_readonly)
{
	struct why why;
	struct store *s = NULL;
	enum err e = try_open(true, is_readonly, &why, &s);

	if (e != ERR_OK)
		fail_msg("store_open: %s: %s", err_name(e), why.text);
	return s;
}

static void
run_raw(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static sqlite3 *
open_raw(void)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

static void
read_file(const char *suffix, struct buf *ret)
{
	char file[128], part[4096];

	(void)snprintf(file, sizeof file, "%s%s", path, suffix);
	buf_init(ret, 1 << 24);
	FILE *f = fopen(file, "rb");
	if (f == NULL)
		return;
	for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;)
		buf_put(ret, part, n);
	assert_int_equal(fclose(f), 0);
}

static bool
exists(const char *suffix)
{
	char file[128];
	struct stat st;

	(void)snprintf(file, sizeof file, "%s%s", path, suffix);
	return stat(file, &st) == 0;
}

static void
write_file(const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

/* --- made, and made once --- */

static void
new_store_is_made(void **state)
{
	(void)state;
	struct why why;
	struct store *s = NULL;
	struct stat st;

	FAILS(try_open(false, false, &why, &s), ERR_NOT_FOUND);
	assert_false(exists(""));
	FAILS(try_open(true, true, &why, &s), ERR_NOT_FOUND);
	assert_false(exists(""));
	assert_non_null(strstr(why.text, path));
	s = must_open(false);
	SAME(number(s, "PRAGMA user_version"), SQL_MIGRATIONS);
	SAME(number(s, "PRAGMA foreign_keys"), 1);
	SAME(number(s, "PRAGMA synchronous"), 2);
	SAME(number(s, "SELECT value FROM meta WHERE key = 'schema'"), SQL_MIGRATIONS);
	SAME(number(s, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	SAME(new_site(s, two_names, 2), 1);
	store_close(&s);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0); /* nobody else reads sealed keys and addresses */
	/* Every table is strict. */
	s = must_open(false);
	SAME(number(s, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type "
		       "= 'table' AND name NOT LIKE 'sqlite_%' AND NOT strict"),
	    0);
	SAME(number(s, "SELECT count(*) FROM site"), 1);
	assert_sound(s);
	store_close(&s);
	store_close(&s); /* of nothing: nothing */
}

/* A process that died just after it had made the file. */
static void
empty_file_becomes_a_store(void **state)
{
	(void)state;
	struct why why;
	struct store *s = NULL;

	write_file("", 0);
	FAILS(try_open(false, false, &why, &s), ERR_NOT_FOUND);
	s = must_open(false);
	assert_sound(s);
	store_close(&s);
}

static void
many_make_it_at_once(void **state)
{
	(void)state;
	enum { PROCESSES = 6 };
	pid_t pids[PROCESSES];
	int gate[2];

	assert_int_equal(pipe(gate), 0);
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			struct store *s = NULL;
			struct why why;
			char go;
			struct setting g = free_setting();
			int64_t owner, id, other;

			(void)close(gate[1]);
			(void)!read(gate[0], &go, 1); /* ends for all at once */
			enum err e = try_open(true, false, &why, &s);
			for (int n = 0; n < 20 && e == ERR_OK; n++) {
				char text[64];
				struct str name;

				(void)snprintf(text, sizeof text, "n%d.p%d.example", n, i);
				name = str_of(text);
				e = store_owner_put(s,
				    &(struct owner_row){ .mail = STR("hana@a.example") }, now,
				    &owner);
				if (e == ERR_OK)
					e = store_site_add(
					    s, owner, &g, &name, 1, now, &id, &other);
			}
			if (e != ERR_OK)
				(void)fprintf(stderr, "process %d: %s: %s\n", i, err_name(e),
				    s == NULL ? why.text : store_words(s));
			_exit(e == ERR_OK ? 0 : 1);
		}
	}
	(void)close(gate[0]);
	(void)close(gate[1]);
	int bad = 0;
	for (int i = 0; i < PROCESSES; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		bad += status != 0;
	}
	assert_int_equal(bad, 0);
	struct store *s = must_open(false);
	SAME(number(s, "SELECT count(*) FROM site"), PROCESSES * 20);
	SAME(number(s, "SELECT count(*) FROM owner"), 1);
	SAME(number(s, "SELECT count(*) FROM meta"), 2);
	assert_sound(s);
	store_close(&s);
}

/* --- refused and untouched --- */

static void
newer_is_untouched(void **state)
{
	(void)state;
	struct why why;
	struct store *s = must_open(false);
	AUTO_BUF before = { .max = 0 }, after = { .max = 0 };

	(void)new_site(s, two_names, 2);
	store_close(&s);
	sqlite3 *db = open_raw();
	run_raw(db, "PRAGMA user_version = 99; CREATE TABLE later (x)");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_false(exists("-wal"));
	read_file("", &before);
	assert_true(before.n > 4096);
	for (int is_readonly = 0; is_readonly < 2; is_readonly++) {
		FAILS(try_open(true, is_readonly == 1, &why, &s), ERR_NEWER);
		assert_null(s);
		assert_non_null(strstr(why.text, "99"));
	}
	read_file("", &after);
	assert_true(str_eq(buf_str(&before), buf_str(&after)));
	assert_false(exists("-wal") || exists("-shm") || exists("-journal"));
}

/* The newer version is known from the log alone: its process was killed before the file was brought up to date. */
static void
newer_in_the_log_is_untouched(void **state)
{
	(void)state;
	struct why why;
	struct store *s = must_open(false);
	AUTO_BUF file, log, file_after, log_after;

	store_close(&s);
	sqlite3 *db = open_raw();
	run_raw(db, "PRAGMA wal_autocheckpoint = 0; PRAGMA user_version = 99");
	read_file("", &file);
	read_file("-wal", &log);
	assert_int_equal(file.p[63], SQL_MIGRATIONS);
	assert_true(log.n > 0);
	FAILS(try_open(true, false, &why, &s), ERR_NEWER);
	read_file("", &file_after);
	read_file("-wal", &log_after);
	assert_true(str_eq(buf_str(&file), buf_str(&file_after)));
	assert_true(str_eq(buf_str(&log), buf_str(&log_after)));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
foreign_is_untouched(void **state)
{
	(void)state;
	static const char text[] = "server:\n  addresses: [ 203.0.113.10 ]\n";
	struct why why;
	struct store *s = NULL;
	static const char *const made_by[] = {
		"CREATE TABLE bookmarks (url)",
		"PRAGMA application_id = 77; PRAGMA user_version = 1; CREATE TABLE site (id)",
		"PRAGMA application_id = 77; PRAGMA user_version = 99; CREATE TABLE site (id)",
		"PRAGMA user_version = 1; CREATE TABLE site (id)",
	};
	for (size_t i = 0; i <= sizeof made_by / sizeof *made_by; i++) {
		AUTO_BUF before = { .max = 0 }, after = { .max = 0 };

		(void)unlink(path); /* may not be there */
		if (i == 0) {
			write_file(text, sizeof text - 1);
		} else {
			sqlite3 *db = open_raw();

			run_raw(db, made_by[i - 1]);
			assert_int_equal(sqlite3_close(db), SQLITE_OK);
		}
		read_file("", &before);
		for (int is_readonly = 0; is_readonly < 2; is_readonly++) {
			FAILS(try_open(true, is_readonly == 1, &why, &s), ERR_STORE);
			assert_non_null(strstr(why.text, "is not a store of koshin"));
		}
		read_file("", &after);
		assert_true(str_eq(buf_str(&before), buf_str(&after)));
		assert_false(exists("-wal") || exists("-journal"));
	}
}

static void
path_that_cannot_be(void **state)
{
	(void)state;
	struct why why;
	struct store *s = NULL;
	struct store_options o = { .file = folder, .may_create = true };

	FAILS(store_open(&o, &why, &s), ERR_STORE); /* a folder */
	(void)snprintf(path, sizeof path, "%s/none/store", folder);
	FAILS(try_open(true, false, &why, &s), ERR_STORE);
	assert_true(why.text[0] != '\0');
	FAILS(try_open(true, false, NULL, &s), ERR_STORE); /* nobody wants the words */
	(void)snprintf(path, sizeof path, "%s/store", folder);
}

static void
older_is_not_migrated_by_a_reader(void **state)
{
	(void)state;
	struct why why;
	struct store *s = must_open(false);

	store_close(&s);
	sqlite3 *db = open_raw();
	run_raw(db, "PRAGMA user_version = 0");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	FAILS(try_open(false, true, &why, &s), ERR_STORE);
	assert_non_null(strstr(why.text, "older version"));
	/* A migration that fails leaves the store as it was, with words. */
	FAILS(try_open(false, false, &why, &s), ERR_STORE);
	assert_non_null(strstr(why.text, "migration"));
	db = open_raw();
	sqlite3_stmt *st;
	assert_int_equal(
	    sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	SAME(sqlite3_column_int64(st, 0), 0);
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* --- two connections, readers, failures of the file --- */

static void
reader_reads_and_does_not_write(void **state)
{
	(void)state;
	struct store *s = must_open(false), *reader;
	int64_t id = new_site(s, two_names, 2), found = 0;
	struct store_counts c;
	struct site site;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	reader = must_open(true);
	OK(reader, store_site_find(reader, two_names[0], &found));
	SAME(found, id);
	OK(reader, store_site_load(reader, id, &a, &site));
	OK(reader, store_count(reader, now, &c));
	SAME(c.sites, 1);
	assert_sound(reader);
	FAILS(store_site_save(reader, &site, now), ERR_UNWRITABLE);
	FAILS(store_wish_put(reader, id, SITE_CHANGED, now), ERR_UNWRITABLE);
	OK(reader, store_site_load(reader, id, &a, &site));
	store_close(&reader);
	/* Without a writer too. */
	store_close(&s);
	reader = must_open(true);
	OK(reader, store_site_load(reader, id, &a, &site));
	store_close(&reader);
}

static void
second_connection_waits_or_is_told(void **state)
{
	(void)state;
	struct store *engine = must_open(false), *web = NULL;
	struct store_options o = { .file = path, .busy_timeout_ms = 1 };
	struct why why;
	struct site site;
	AUTO_ARENA a = { .max = 0 };

	arena_init(&a, 1 << 20);
	int64_t id = new_site(engine, two_names, 2);
	FAILS(store_open(&o, &why, &web), ERR_OK);
	OK(engine, store_begin(engine));
	OK(engine, store_site_load(engine, id, &a, &site));
	site.jitter = 5;
	OK(engine, store_site_save(engine, &site, now));
	/* What is not committed is not seen, and nobody else writes. */
	OK(web, store_site_load(web, id, &a, &site));
	SAME(site.jitter, 0);
	FAILS(store_begin(web), ERR_BUSY);
	FAILS(store_wish_put(web, id, SITE_CHANGED, now), ERR_BUSY);
	FAILS(store_names_put(web, id, two_names, 1), ERR_BUSY);
	OK(engine, store_commit(engine));
	OK(web, store_wish_put(web, id, SITE_CHANGED, now));
	OK(web, store_site_load(web, id, &a, &site));
	SAME(site.jitter, 5);
	/* What was not committed when its process ended never was. */
	OK(engine, store_begin(engine));
	site.jitter = 6;
	OK(engine, store_site_save(engine, &site, now));
	store_close(&engine);
	OK(web, store_site_load(web, id, &a, &site));
	SAME(site.jitter, 5);
	store_close(&web);
}

static void
damaged_page_is_told(void **state)
{
	(void)state;
	struct store *s = must_open(false);
	struct site site;
	struct why why;
	AUTO_ARENA a = { .max = 0 };
	AUTO_BUF lines = { .max = 0 }, bytes = { .max = 0 };

	arena_init(&a, 1 << 20);
	buf_init(&lines, 1 << 20);
	int64_t id = new_site(s, two_names, 2);
	store_close(&s);
	read_file("", &bytes);
	/* All but the first page: the header and the schema's beginning are good. */
	memset(bytes.p + 4096, 0x5a, bytes.n - 4096);
	write_file(bytes.p, bytes.n);
	enum err e = try_open(false, false, &why, &s);
	if (e == ERR_OK) {
		FAILS(store_site_load(s, id, &a, &site), ERR_CORRUPT);
		FAILS(store_heartbeat_put(s, STR("web"), 1, now), ERR_CORRUPT);
		OK(s, store_verify(s, &lines));
		assert_true(lines.n > 0);
		store_close(&s);
	} else {
		FAILS(e, ERR_CORRUPT);
		assert_true(why.text[0] != '\0');
	}
}

static void
damaged_table_is_told(void **state)
{
	(void)state;
	struct store *s = must_open(false);
	struct site site;
	AUTO_ARENA a = { .max = 0 };
	AUTO_BUF lines = { .max = 0 }, bytes = { .max = 0 };

	arena_init(&a, 1 << 20);
	buf_init(&lines, 1 << 20);
	int64_t id = new_site(s, two_names, 2),
		root = number(s, "SELECT rootpage FROM sqlite_schema WHERE name = 'setting'");
	store_close(&s);
	read_file("", &bytes);
	memset(bytes.p + (root - 1) * 4096, 0x5a, 4096);
	write_file(bytes.p, bytes.n);
	s = must_open(false);
	FAILS(store_site_load(s, id, &a, &site), ERR_CORRUPT);
	struct setting g = free_setting();
	FAILS(store_setting_put(s, id, &g), ERR_CORRUPT);
	OK(s, store_verify(s, &lines));
	assert_non_null(strstr(lines.p, "the file is damaged"));
	/* What is elsewhere still works. */
	OK(s, store_heartbeat_put(s, STR("web"), 1, now));
	store_close(&s);
}

static void
put_rows(sqlite3 *db, const char *sql, struct buf *ret)
{
	sqlite3_stmt *rows;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK);
	while (sqlite3_step(rows) == SQLITE_ROW)
		buf_putf(ret, "%s\n", (const char *)sqlite3_column_text(rows, 0));
	assert_int_equal(sqlite3_finalize(rows), SQLITE_OK);
}

/* All objects, rows and numbers of the store as one text, in an order of its own. */
static void
write_down(struct buf *ret)
{
	/* For each table, the statement that reads its rows. */
	static const char reads[] =
	    "SELECT 'SELECT ' || quote(name) || group_concat(' || ' || 'quote(\"' || c || '\")', '') || ' FROM \"' || name || '\" ORDER BY 1' "
	    "FROM (SELECT t.name AS name, c.name AS c FROM pragma_table_list t, pragma_table_info(t.name) c "
	    "WHERE t.schema = 'main' AND t.type = 'table' AND t.name <> 'sqlite_schema') GROUP BY name";
	sqlite3 *db = open_raw();
	sqlite3_stmt *list;

	put_rows(db, "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY type, name", ret);
	put_rows(db, "PRAGMA application_id", ret);
	put_rows(db, "PRAGMA user_version", ret);
	put_rows(db, "PRAGMA page_size", ret);
	assert_int_equal(sqlite3_prepare_v2(db, reads, -1, &list, NULL), SQLITE_OK);
	while (sqlite3_step(list) == SQLITE_ROW)
		put_rows(db, (const char *)sqlite3_column_text(list, 0), ret);
	assert_int_equal(sqlite3_finalize(list), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(ret->err, ERR_OK);
}

static void
new_store_is_what_all_migrations_make(void **state)
{
	(void)state;
	AUTO_BUF made = { .max = 1 << 20 };
	AUTO_BUF brought = { .max = 1 << 20 };
	sqlite3 *db = open_raw();

	run_raw(db, sql_migrations[0]);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	struct store *s = must_open(false);
	store_close(&s);
	write_down(&brought);
	assert_int_equal(remove_folder(NULL), 0);
	assert_int_equal(make_folder(NULL), 0);
	s = must_open(false);
	store_close(&s);
	write_down(&made);
	assert_non_null(strstr(made.p, "'koshin'"));
	assert_string_equal(made.p, brought.p);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		TEST(new_store_is_made),
		TEST(empty_file_becomes_a_store),
		TEST(many_make_it_at_once),
		TEST(newer_is_untouched),
		TEST(newer_in_the_log_is_untouched),
		TEST(foreign_is_untouched),
		TEST(path_that_cannot_be),
		TEST(older_is_not_migrated_by_a_reader),
		TEST(new_store_is_what_all_migrations_make),
		TEST(reader_reads_and_does_not_write),
		TEST(second_connection_waits_or_is_told),
		TEST(damaged_page_is_told),
		TEST(damaged_table_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
