/*
 * Opens the store: looks at the file before SQLite may write to it, creates it, migrates it. A file that is not
 * ours, or that a newer version has written, is left as it is.
 *
 * A new store is made in one transaction of the rollback journal and becomes a WAL store after it. So the main file's
 * first page always says whose it is, and a plain read of it is enough to refuse a file; only where a log lies beside
 * the file may the version in the log be higher, and SQLite is asked, through a connection that cannot write.
 */
#include "ports/store/query.h"
#include "base/must.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	APPLICATION_ID = 1263749198, /* "KSHN"; also in sql/001_first.sql */
	BUSY_MS_DEFAULT = 5000,
	LOCK_NAP_US = 500,
	LOOKASIDE_BYTES = 1200, /* what a statement needs for a moment: a connection keeps this much ready, 600 KB */
	LOOKASIDE_SLOTS = 500,
	VALUE_BYTES_MAX =
	    1 << 20, /* one text or blob: far above every limit of base/limits.h */
	HEADER_BYTES = 100,
	VERSION_AT = 60, /* SQLite file format 1.3: big-endian, 4 bytes each */
	APPLICATION_AT = 68,
};
static const char magic[16] = "SQLite format 3";

struct look {
	bool exists; /* and is not empty */
	bool has_log;
	bool is_sqlite;
	uint32_t application, version;
};

static uint32_t
big_endian(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Reads the first bytes of the file, and sees whether there is a log. */
static enum err
look_at_file(const char *file, struct why *why, struct look *ret)
{
	struct look l = { 0 };
	uint8_t header[HEADER_BYTES];
	size_t n = 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 && errno == ENOENT) {
		*ret = l;
		return ERR_OK;
	}
	if (fd < 0) {
		enum err e = err_of_errno(errno);

		why_set(why, "%s cannot be opened: %s", file, err_words(e));
		return e == ERR_UNWRITABLE ? e : ERR_STORE;
	}
	while (n < sizeof header) {
		ssize_t got = read(fd, header + n, sizeof header - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			why_set(
			    why, "%s cannot be read: %s", file, err_words(err_of_errno(errno)));
			(void)close(fd); /* was only read */
			return ERR_STORE;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	(void)close(fd); /* was only read */
	l.exists = n > 0;
	l.is_sqlite = n == sizeof header && memcmp(header, magic, sizeof magic) == 0;
	if (l.is_sqlite) {
		l.version = big_endian(header + VERSION_AT);
		l.application = big_endian(header + APPLICATION_AT);
	}
	AUTO_BUF log = { .max = 0 };
	buf_init(&log, 8192);
	buf_putf(&log, "%s-wal", file);
	if (log.err != ERR_OK)
		return log.err;
	struct stat st;
	l.has_log = stat(log.p, &st) == 0 && st.st_size > 0;
	*ret = l;
	return ERR_OK;
}

static enum err
read_number(struct store *s, enum sql id, int64_t *ret)
{
	AUTO_QUERY q = query_start(s, id, NULL);

	if (query_row(&q))
		*ret = sqlite3_column_int64(q.st, 0);
	return query_finish(&q);
}

static enum err
judge(const char *file, int64_t application, int64_t version, struct why *why)
{
	if (application != APPLICATION_ID) {
		why_set(why,
		    "%s is not a store of koshin: it is the database of another program", file);
		return ERR_STORE;
	}
	if (version > SQL_MIGRATIONS) {
		why_set(why,
		    "%s was made by a newer version of koshin (schema %lld, this one knows "
		    "%d); it was not touched",
		    file, (long long)version, SQL_MIGRATIONS);
		return ERR_NEWER;
	}
	return ERR_OK;
}

/* What the store says of itself, log included; the connection cannot write. */
static enum err
look_through_sqlite(const char *file, int busy_ms, struct why *why)
{
	struct store s = { 0 };
	int64_t application = 0, version = 0;
	enum err e = ERR_OK;

	if (sqlite3_open_v2(file, &s.db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		e = s.db == NULL ? ERR_MEMORY : query_fail_sqlite(&s, "open");
	if (e == ERR_OK) {
		(void)sqlite3_busy_timeout(
		    s.db, busy_ms); /* cannot fail with an open connection */
		e = read_number(&s, SQL_APPLICATION, &application);
	}
	if (e == ERR_OK)
		e = read_number(&s, SQL_VERSION, &version);
	if (e == ERR_OK)
		e = judge(file, application, version, why);
	else
		why_set(why, "%s cannot be read: %s", file, s.words.text);
	for (size_t i = 0; i < SQL_COUNT; i++)
		query_forget(&s.statements[i]);
	(void)sqlite3_close(s.db); /* has no statement left */
	return e;
}

static bool
is_memory(const char *file)
{
	return strcmp(file, ":memory:") == 0;
}

/* Refuses what must not be opened for writing. */
static enum err
look_first(const struct store_options *o, int busy_ms, struct why *why, bool *ret_exists)
{
	struct look l;
	enum err e = look_at_file(o->file, why, &l);

	if (e != ERR_OK)
		return e;
	*ret_exists = l.exists;
	if (!l.exists) {
		if (o->may_create && !o->is_readonly)
			return ERR_OK;
		why_set(why, "there is no store at %s", o->file);
		return ERR_NOT_FOUND;
	}
	if (!l.is_sqlite) {
		why_set(
		    why, "%s is not a store of koshin: it is not an SQLite database", o->file);
		return ERR_STORE;
	}
	if (l.application == APPLICATION_ID && l.version > SQL_MIGRATIONS)
		return judge(o->file, l.application, l.version, why);
	if (l.has_log)
		return look_through_sqlite(o->file, busy_ms, why);
	return judge(o->file, l.application, l.version, why);
}

/* Made by us, so that nobody but its owner and group can read it: SQLite would let everybody. Its log inherits that. */
static enum err
create_file(const char *file, struct why *why)
{
	int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0660);

	if (fd < 0) {
		enum err e = err_of_errno(errno);

		why_set(why, "%s cannot be made: %s", file, err_words(e));
		return e == ERR_UNWRITABLE || e == ERR_DISK_FULL ? e : ERR_STORE;
	}
	(void)close(fd); /* nothing was written */
	return ERR_OK;
}

/*
 * Another holds the lock, mostly for one commit: a millisecond or two. SQLite's own handler sleeps up to a tenth of a second between two
 * tries, and who writes all the time then keeps the lock from who sleeps.
 */
static int
wait_for_lock(void *arg, int tries)
{
	const struct store *s = arg;
	const struct timespec nap = { .tv_nsec = LOCK_NAP_US * 1000L };

	if ((int64_t)tries * LOCK_NAP_US >= s->busy_ms * 1000LL)
		return 0;
	(void)nanosleep(&nap, NULL);
	return 1;
}

static enum err
open_connection(struct store *s, const struct store_options *o, int busy_ms)
{
	int flags = SQLITE_OPEN_NOMUTEX |
		    (o->is_readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
	int on = 0;

	if (is_memory(o->file))
		flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	/*
	 * Nobody asks how much memory SQLite has, and counting takes a lock each time. Both hold from the first connection of a
	 * process on, and are refused later, or where somebody has started SQLite in another way before.
	 */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, LOOKASIDE_BYTES, LOOKASIDE_SLOTS);
	if (sqlite3_open_v2(o->file, &s->db, flags, NULL) != SQLITE_OK)
		return s->db == NULL ? ERR_MEMORY : query_fail_sqlite(s, "open");
	s->busy_ms = busy_ms;
	if (sqlite3_busy_handler(s->db, wait_for_lock, s) != SQLITE_OK ||
	    sqlite3_extended_result_codes(s->db, 1) != SQLITE_OK ||
	    /* The file may have been altered by others: nothing in its schema may call functions with effects. */
	    sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &on) != SQLITE_OK ||
	    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, &on) != SQLITE_OK ||
	    sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DML, 0, &on) != SQLITE_OK)
		return query_fail_sqlite(s, "open");
	(void)sqlite3_limit(
	    s->db, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX); /* returns the old one */
	enum err e = ERR_OK;
	static const enum sql settings[] = { SQL_CONNECT_FOREIGN_KEYS, SQL_CONNECT_SYNCHRONOUS,
		SQL_CONNECT_CACHE, SQL_CONNECT_TEMP, SQL_CONNECT_JOURNAL_SIZE,
		SQL_CONNECT_SECURE_DELETE, SQL_CONNECT_CELL_CHECK };
	for (size_t i = 0; i < sizeof settings / sizeof *settings && e == ERR_OK; i++) {
		int64_t ignored;

		e = read_number(s, settings[i], &ignored);
	}
	return e;
}

/* What the other store holds: for worlds that begin alike. */
static enum err
copy_from(struct store *s, struct store *other)
{
	sqlite3_backup *copy = sqlite3_backup_init(s->db, "main", other->db, "main");

	if (copy == NULL)
		return query_fail_sqlite(s, "copy");
	(void)sqlite3_backup_step(copy, -1); /* its error is that of the end */
	return sqlite3_backup_finish(copy) == SQLITE_OK ? ERR_OK : query_fail_sqlite(s, "copy");
}

/* One migration in one transaction, or a new store in its present form, unless another process was quicker. */
static enum err
migrate_one(struct store *s, const char *file, struct why *why, int64_t *ret_version)
{
	int64_t application = 0, version = 0, is_empty = 0;
	enum err e = read_number(s, SQL_APPLICATION, &application);

	if (e == ERR_OK)
		e = read_number(s, SQL_VERSION, &version);
	if (e == ERR_OK)
		e = read_number(s, SQL_IS_EMPTY, &is_empty);
	if (e != ERR_OK)
		return e;
	if (is_empty != 1 || application != 0) {
		e = judge(file, application, version, why);
		if (e != ERR_OK)
			return e;
	}
	if (version < 0)
		return query_fail(s, ERR_CORRUPT, "the schema's version is negative");
	*ret_version = version;
	if (version == SQL_MIGRATIONS)
		return ERR_OK;
	if (sqlite3_exec(s->db, is_empty == 1 ? sql_present : sql_migrations[version], NULL, NULL, NULL) != SQLITE_OK)
		return query_fail_sqlite(s, "migration");
	e = read_number(s, SQL_VERSION, ret_version);
	must(e != ERR_OK || *ret_version == (is_empty == 1 ? SQL_MIGRATIONS : version + 1));
	return e;
}

static enum err
migrate(struct store *s, const char *file, struct why *why)
{
	int64_t version = 0;
	enum err e = read_number(s, SQL_VERSION, &version);

	while (e == ERR_OK && version < SQL_MIGRATIONS) {
		e = store_begin(s);
		if (e == ERR_OK)
			e = migrate_one(s, file, why, &version);
		if (e == ERR_OK)
			e = store_commit(s);
		if (e != ERR_OK)
			store_abandon(s);
	}
	return e;
}

static enum err
try_log_on(struct store *s)
{
	AUTO_QUERY q = query_start(s, SQL_JOURNAL_WAL, NULL);

	if (query_row(&q) && strcmp((const char *)sqlite3_column_text(q.st, 0), "wal") != 0)
		q.err = query_fail(s, ERR_STORE,
		    "the file system cannot keep a write-ahead log (a network file system?)");
	return query_finish(&q);
}

/* Several connections may do this at once. SQLite does not call its handler for the lock that this takes. */
static enum err
turn_log_on(struct store *s)
{
	int tries = 0;
	enum err e;

	do {
		e = try_log_on(s);
	} while (e == ERR_BUSY && wait_for_lock(s, tries++) == 1);
	return e;
}

static enum err
open_store(struct store *s, const struct store_options *o, struct why *why)
{
	int busy_ms = o->busy_timeout_ms > 0 ? o->busy_timeout_ms : BUSY_MS_DEFAULT;
	bool exists = true;
	enum err e = ERR_OK;

	if (!is_memory(o->file)) {
		e = look_first(o, busy_ms, why, &exists);
		if (e == ERR_OK && !exists)
			e = create_file(o->file, why);
	}
	if (e != ERR_OK)
		return e;
	e = open_connection(s, o, busy_ms);
	if (e == ERR_OK && o->is_readonly && !is_memory(o->file)) {
		int64_t version = 0;

		e = read_number(s, SQL_VERSION, &version);
		if (e == ERR_OK && version < SQL_MIGRATIONS)
			e = query_fail(s, ERR_STORE,
			    "the store is of an older version (schema %lld, this one needs "
			    "%d): start the daemon "
			    "once, it brings the store up to date",
			    (long long)version, SQL_MIGRATIONS);
	} else if (e == ERR_OK) {
		if (o->like != NULL && is_memory(o->file))
			e = copy_from(s, o->like);
		if (e == ERR_OK)
			e = migrate(s, o->file, why);
		if (e == ERR_OK && !is_memory(o->file))
			e = turn_log_on(s);
	}
	if (e != ERR_OK && (why == NULL || why->text[0] == '\0'))
		why_set(why, "%s: %s", o->file,
		    s->words.text[0] != '\0' ? s->words.text : err_words(e));
	return e;
}

enum err
store_open(const struct store_options *o, struct why *why, struct store **ret)
{
	struct store *s = calloc(1, sizeof *s);

	why_set(why, "%s", "");
	if (s == NULL) {
		why_set(why, "out of memory");
		return ERR_MEMORY;
	}
	enum err e = open_store(s, o, why);
	if (e != ERR_OK)
		store_close(&s);
	else
		*ret = s;
	return e;
}

void
store_close(struct store **s)
{
	struct store *old = *s;

	*s = NULL;
	if (old == NULL)
		return;
	for (size_t i = 0; i < SQL_COUNT; i++)
		query_forget(&old->statements[i]);
	/* Without statements it cannot be busy; a transaction that is open is rolled back. */
	(void)sqlite3_close(old->db);
	free(old);
}

const char *
store_words(const struct store *s)
{
	return s->words.text;
}

void
store_set_fault(struct store *s, enum err (*fault)(void *arg, const char *verb), void *arg)
{
	s->fault = fault;
	s->fault_arg = arg;
}
