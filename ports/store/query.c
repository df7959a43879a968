#include "ports/store/query.h"
#include "ports/store/requests.h"
#include "base/must.h"
#include "base/point.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_BYTES_MAX = LIMIT_SITE_NAMES * (LIMIT_NAME_BYTES + 1) };

enum err
query_fail(struct store *s, enum err e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s->words.text, sizeof s->words.text, fmt, ap);
	va_end(ap);
	return e;
}

static enum err
err_of_sqlite(sqlite3 *db, int rc)
{
	switch (rc) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return ERR_EXISTS;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return ERR_CONFLICT;
	case SQLITE_IOERR_NOMEM:
		return ERR_MEMORY;
	default:
		break;
	}
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_FULL:
		return ERR_DISK_FULL;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return ERR_UNWRITABLE;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ERR_CORRUPT;
	case SQLITE_NOMEM:
		return ERR_MEMORY;
	case SQLITE_TOOBIG:
		return ERR_TOO_LONG;
	case SQLITE_IOERR:
		/* Only the system knows that the disk was full when the log could not be synchronised. */
		switch (sqlite3_system_errno(db)) {
		case ENOSPC:
		case EDQUOT:
			return ERR_DISK_FULL;
		case EROFS:
			return ERR_UNWRITABLE;
		default:
			return ERR_STORE;
		}
	default:
		return ERR_STORE;
	}
}

enum err
query_fail_sqlite(struct store *s, const char *verb)
{
	int rc = sqlite3_extended_errcode(s->db);

	return query_fail(
	    s, err_of_sqlite(s->db, rc), "%s: %s (SQLite %d)", verb, sqlite3_errmsg(s->db), rc);
}

/* --- one use of a statement --- */

static enum err
prepare(struct store *s, enum sql id, struct statement *ret)
{
	sqlite3_stmt *st;

	if (sqlite3_prepare_v3(s->db, sql_queries[id].text, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK)
		return query_fail_sqlite(s, sql_queries[id].name);
	int parameters = sqlite3_bind_parameter_count(st), columns = sqlite3_column_count(st);
	const char **seen = calloc((size_t)(parameters + columns) + 1, sizeof *seen);
	if (seen == NULL) {
		(void)sqlite3_finalize(st); /* was not run */
		return query_fail(s, ERR_MEMORY, "%s: out of memory", sql_queries[id].name);
	}
	*ret = (struct statement){ .st = st, .seen = seen, .parameters = parameters, .columns = columns };
	return ERR_OK;
}

void
query_forget(struct statement *statement)
{
	(void)sqlite3_finalize(statement->st); /* repeats the step's error */
	free(statement->seen);
	*statement = (struct statement){ .st = NULL };
}

struct query
query_start(struct store *s, enum sql id, struct arena *a)
{
	struct statement *of = &s->statements[id];
	struct query q = { .s = s, .a = a, .id = id, .of = of };

	must(!of->is_busy);
	if (of->st == NULL)
		q.err = prepare(s, id, of);
	q.st = of->st;
	of->is_busy = q.st != NULL;
	return q;
}

/* The number of the next parameter; 0 after an error. */
static int
next_parameter(struct query *q, const char *name)
{
	if (q->err != ERR_OK)
		return 0;
	must(q->bound < q->of->parameters);
	const char **seen = &q->of->seen[q->bound++];
	if (*seen != name) {
		const char *known = sqlite3_bind_parameter_name(q->st, q->bound);

		must(known != NULL && strcmp(known + 1, name) == 0);
		*seen = name;
	}
	return q->bound;
}

static void
bound(struct query *q, int rc)
{
	if (rc != SQLITE_OK)
		q->err = query_fail_sqlite(q->s, sql_queries[q->id].name);
}

void
query_bind_int(struct query *q, const char *name, int64_t v)
{
	int i = next_parameter(q, name);

	if (i > 0)
		bound(q, sqlite3_bind_int64(q->st, i, v));
}

void
query_bind_u64(struct query *q, const char *name, uint64_t v)
{
	int64_t same;

	memcpy(&same, &v, sizeof same);
	query_bind_int(q, name, same);
}

void
query_bind_id(struct query *q, const char *name, int64_t id)
{
	int i = next_parameter(q, name);

	if (i > 0)
		bound(q,
		    id == 0 ? sqlite3_bind_null(q->st, i) : sqlite3_bind_int64(q->st, i, id));
}

void
query_bind_when(struct query *q, const char *name, struct when w)
{
	int i = next_parameter(q, name);

	_Static_assert(INT64_MAX == 9223372036854775807, "what sql/ calls never");
	if (i > 0)
		bound(q, w.s == WHEN_UNKNOWN.s ? sqlite3_bind_null(q->st, i)
					       : sqlite3_bind_int64(q->st, i, w.s));
}

/* Bytes stay the caller's: query_finish unbinds them before the call that was given them returns. */
void
query_bind_text(struct query *q, const char *name, struct str s)
{
	int i = next_parameter(q, name);

	if (i > 0)
		bound(q, sqlite3_bind_text64(
			     q->st, i, s.n == 0 ? "" : s.p, s.n, SQLITE_STATIC, SQLITE_UTF8));
}

void
query_bind_word(struct query *q, const char *name, const char *word)
{
	query_bind_text(q, name, str_of(word));
}

void
query_bind_blob(struct query *q, const char *name, const void *p, size_t n)
{
	int i = next_parameter(q, name);

	if (i > 0)
		bound(q, sqlite3_bind_blob64(q->st, i, n == 0 ? "" : p, n, SQLITE_STATIC));
}

/* After some errors SQLite rolls back by itself; what follows must not be written outside of a transaction. */
static enum err
may_write(struct store *s, const char *verb)
{
	if (s->is_broken)
		return query_fail(s, ERR_STORE, "%s: the transaction has failed before", verb);
	if (s->is_begun && sqlite3_get_autocommit(s->db) != 0)
		return query_fail(s, ERR_STORE, "%s: the transaction was lost", verb);
	enum err e = s->fault == NULL ? ERR_OK : s->fault(s->fault_arg, verb);
	if (e != ERR_OK)
		return query_fail(s, e, "%s: a fault was wanted here", verb);
	return ERR_OK;
}

enum err
query_write(struct query *q)
{
	const char *verb = sql_queries[q->id].name;

	if (q->err == ERR_OK) {
		must(q->bound == q->of->parameters);
		q->err = may_write(q->s, verb);
	}
	if (q->err == ERR_OK && sqlite3_step(q->st) != SQLITE_DONE)
		q->err = query_fail_sqlite(q->s, verb);
	/* A refused row leaves the transaction as it was; any other failure may have done a part. */
	if (q->err != ERR_OK && q->err != ERR_EXISTS && q->err != ERR_CONFLICT &&
	    q->s->is_begun)
		q->s->is_broken = true;
	return query_finish(q);
}

enum err
query_found(struct store *s, enum err e, bool is_there, const char *what)
{
	return e == ERR_OK && !is_there ? query_fail(s, ERR_NOT_FOUND, "there is no such %s", what) : e;
}

enum err
query_write_one(struct query *q, const char *what)
{
	struct store *s = q->s;
	enum err e = query_write(q);

	return query_found(s, e, e != ERR_OK || sqlite3_changes(s->db) > 0, what);
}

bool
query_row(struct query *q)
{
	if (q->err != ERR_OK)
		return false;
	must(q->bound == q->of->parameters);
	must(q->read == 0 || q->read == q->of->columns);
	q->read = 0;
	int rc = sqlite3_step(q->st);
	if (rc == SQLITE_ROW)
		return true;
	if (rc != SQLITE_DONE)
		q->err = query_fail_sqlite(q->s, sql_queries[q->id].name);
	return false;
}

enum err
query_finish(struct query *q)
{
	if (q->st == NULL)
		return q->err;
	/* These repeat the error of the step, which is known already. */
	(void)sqlite3_reset(q->st);
	(void)sqlite3_clear_bindings(q->st);
	q->st = NULL;
	q->of->is_busy = false;
	return q->err;
}

/* --- columns --- */

static int
next_column(struct query *q, const char *name)
{
	must(q->read < q->of->columns);
	int i = q->read++;
	const char **seen = &q->of->seen[q->of->parameters + i];

	if (*seen != name) {
		const char *known = sqlite3_column_name(q->st, i);

		if (known == NULL && q->err == ERR_OK)
			q->err = query_fail(q->s, ERR_MEMORY, "%s: out of memory", name);
		must(known == NULL || strcmp(known, name) == 0);
		if (known != NULL)
			*seen = name;
	}
	return i;
}

void
query_corrupt(struct query *q, const char *name, struct str word)
{
	if (q->err == ERR_OK)
		q->err = query_fail(q->s, ERR_CORRUPT,
		    "%s: %s is \"%.*s\", which is not a value of it", sql_queries[q->id].name,
		    name, (int)(word.n < 100 ? word.n : 100), word.n == 0 ? "" : word.p);
}

int64_t
query_int(struct query *q, const char *name, int64_t least, int64_t most)
{
	int i = next_column(q, name);
	int64_t v = sqlite3_column_int64(q->st, i);

	if (v >= least && v <= most)
		return v;
	char number[32];
	(void)snprintf(number, sizeof number, "%lld", (long long)v);
	query_corrupt(q, name, str_of(number));
	return least;
}

uint64_t
query_u64(struct query *q, const char *name)
{
	int64_t v = query_int(q, name, INT64_MIN, INT64_MAX);
	uint64_t same;

	memcpy(&same, &v, sizeof same);
	return same;
}

int64_t
query_id(struct query *q, const char *name)
{
	return query_int(q, name, 0, INT64_MAX);
}

bool
query_bool(struct query *q, const char *name)
{
	return query_int(q, name, 0, 1) == 1;
}

struct when
query_when(struct query *q, const char *name)
{
	int i = next_column(q, name);

	if (sqlite3_column_type(q->st, i) == SQLITE_NULL)
		return WHEN_UNKNOWN;
	return (struct when){ sqlite3_column_int64(q->st, i) };
}

static struct str
column_bytes(struct query *q, const char *name)
{
	int i = next_column(q, name);
	const void *p = sqlite3_column_blob(q->st, i); /* NULL if it is empty */
	int n = sqlite3_column_bytes(q->st, i);

	return n > 0 && p != NULL ? (struct str){ p, (size_t)n } : STR("");
}

struct str
query_text(struct query *q, const char *name)
{
	struct str s = column_bytes(q, name), copy = s.n == 0 ? STR("") : arena_str(q->a, s);

	if (copy.p == NULL && q->err == ERR_OK)
		q->err = query_fail(q->s, ERR_MEMORY, "%s: out of memory", name);
	return copy;
}

struct str
query_word(struct query *q, const char *name)
{
	return column_bytes(q, name);
}

void
query_fingerprint(struct query *q, const char *name, uint8_t ret[FINGERPRINT_BYTES])
{
	struct str s = column_bytes(q, name);

	if (s.n == FINGERPRINT_BYTES)
		memcpy(ret, s.p, FINGERPRINT_BYTES);
	else
		query_corrupt(q, name, STR("of another length"));
}

void
query_skip(struct query *q, int n)
{
	q->read += n;
}

/* --- lists --- */

enum err
query_pack_names(struct store *s, const struct str *names, size_t n, struct buf *ret)
{
	buf_init(ret, NAMES_BYTES_MAX);
	for (size_t i = 0; i < n; i++) {
		if (names[i].n == 0 || str_find(names[i], STR(" ")) != SIZE_MAX)
			return query_fail(
			    s, ERR_INVALID, "a name is empty or has a space in it");
		if (i > 0)
			buf_putc(ret, ' ');
		buf_put_str(ret, names[i]);
	}
	return ret->err == ERR_OK ? ERR_OK
				  : query_fail(s, ret->err, "the list of names is too long");
}

struct str *
query_names(struct query *q, const char *name, size_t *ret_n)
{
	struct str all = query_text(q, name), *names;
	size_t n = 0;

	for (size_t i = 0; i < all.n; i++)
		n += all.p[i] == ' ';
	n += all.n > 0;
	names = arena_get(q->a, n * sizeof *names);
	if (names == NULL) {
		q->err = q->err == ERR_OK
			     ? query_fail(q->s, ERR_MEMORY, "%s: out of memory", name)
			     : q->err;
		*ret_n = 0;
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		names[i] = str_cut(&all, ' ');
	*ret_n = n;
	return names;
}

/* Room doubles at 0, 8, 16, 32 … rows; the arena gives the smaller ones back at the end of the turn. */
void *
query_grow(struct query *q, void *rows, size_t n, size_t size)
{
	if (n != 0 && (n < 8 || (n & (n - 1)) != 0))
		return rows;
	void *bigger = arena_get(q->a, (n == 0 ? 8 : 2 * n) * size);
	if (bigger == NULL)
		q->err =
		    q->err == ERR_OK ? query_fail(q->s, ERR_MEMORY, "out of memory") : q->err;
	else if (n > 0)
		memcpy(bigger, rows, n * size);
	return bigger;
}

/* --- transactions --- */

static enum err
run_plain(struct store *s, enum sql id, bool is_faulty)
{
	AUTO_QUERY q = query_start(s, id, NULL);

	if (is_faulty && s->fault != NULL && q.err == ERR_OK) {
		q.err = s->fault(s->fault_arg, sql_queries[id].name);
		if (q.err != ERR_OK)
			(void)query_fail(
			    s, q.err, "%s: a fault was wanted here", sql_queries[id].name);
	}
	(void)query_row(&q);
	return query_finish(&q);
}

enum err
store_begin(struct store *s)
{
	must(!s->is_begun);
	enum err e = run_plain(s, SQL_BEGIN, true);
	s->is_begun = e == ERR_OK;
	s->is_broken = false;
	s->changes = sqlite3_total_changes64(s->db);
	return e;
}

static enum err
write_audit(struct store *s)
{
	const struct audit_row *line = s->audit;

	if (line == NULL || sqlite3_total_changes64(s->db) == s->changes)
		return ERR_OK;
	s->audit = NULL;
	enum err e = store_audit_put(s, line);
	if (e != ERR_OK)
		s->audit = line;
	return e;
}

static enum err
write_request(struct store *s)
{
	const struct request_row *row = s->request;

	if (row == NULL || sqlite3_total_changes64(s->db) == s->changes)
		return ERR_OK;
	s->request = NULL;
	enum err e = store_request_put(s, row);
	if (e != ERR_OK)
		s->request = row;
	return e;
}

enum err
store_commit(struct store *s)
{
	must(s->is_begun);
	if (s->is_broken)
		return query_fail(
		    s, ERR_STORE, "commit: a statement of this transaction has failed");
	if (sqlite3_get_autocommit(s->db) != 0)
		return query_fail(s, ERR_STORE, "commit: the transaction was lost");
	enum err e = write_request(s);
	if (e == ERR_OK)
		e = write_audit(s);
	POINT("commit");
	if (e == ERR_OK)
		e = run_plain(s, SQL_COMMIT, true);
	if (e == ERR_OK)
		s->is_begun = false;
	else
		s->is_broken = true;
	POINT("committed");
	return e;
}

void
store_abandon(struct store *s)
{
	/* A rollback that fails leaves nothing behind: the log's frames of a transaction without a commit do not count.
	 * SQLite may have rolled back before, by itself. */
	if (sqlite3_get_autocommit(s->db) == 0) {
		struct why kept = s->words;

		if (run_plain(s, SQL_ROLLBACK, false) == ERR_OK)
			s->words = kept;
	}
	s->is_begun = s->is_broken = false;
}

enum err
bracket_begin(struct store *s, bool is_read, struct bracket *ret)
{
	*ret = (struct bracket){ .is_own = sqlite3_get_autocommit(s->db) != 0 && !s->is_begun };
	if (ret->is_own) {
		enum err e = is_read ? run_plain(s, SQL_BEGIN_READ, false) : store_begin(s);

		if (e != ERR_OK)
			return e;
		s->is_begun = true;
	}
	ret->changes = sqlite3_total_changes64(s->db);
	return ERR_OK;
}

enum err
bracket_end(struct store *s, const struct bracket *b, enum err e)
{
	if (!b->is_own) {
		/* Half of a verb must not be committed with the rest of the caller's transaction. */
		if (e != ERR_OK && sqlite3_total_changes64(s->db) != b->changes)
			s->is_broken = true;
		return e;
	}
	/* After reads alone there is nothing to commit; on a damaged file a commit would even fail. */
	if (e == ERR_OK && sqlite3_total_changes64(s->db) != b->changes)
		e = store_commit(s);
	if (s->is_begun)
		store_abandon(s);
	return e;
}
