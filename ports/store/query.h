#ifndef KOSHIN_PORTS_STORE_QUERY_H
#define KOSHIN_PORTS_STORE_QUERY_H
/*
 * One use of one statement of sql/: bind every parameter in the order of its first appearance, run it or read its
 * rows column by column, finish it. The names that are passed are compared with those of the statement, so that
 * SQL and C cannot drift apart unseen. The first error sticks (q->err): a ladder of calls is checked once, by
 * query_finish. Private to ports/store/.
 *
 * Values that are read are checked: a word that is in no table, a number out of its range or a fingerprint of another
 * length is CORRUPT. Text is bytes: what a CA or a name server sent is stored as it came.
 */
#include <sqlite3.h>
#include "core/certificate.h"
#include "core/setting.h"
#include "ports/store/store.h"
#include "sql_table.h"

struct statement {
	sqlite3_stmt *st; /* prepared at first use */
	/* For each parameter and then each column, the caller's name that was last found to be right: a literal, so the
	 * same address need not be compared again. */
	const char **seen;
	int parameters, columns;
	bool is_busy; /* between query_start and query_finish */
};

struct store {
	sqlite3 *db;
	struct statement statements[SQL_COUNT];
	int busy_ms;			     /* so long another's lock is waited for */
	bool is_begun;			     /* by store_begin */
	bool is_broken; /* a statement of the transaction failed: it can only be abandoned */
	int64_t changes; /* SQLite's count when it began */
	const struct audit_row *audit; /* to be written by the next transaction that changes something; NULL: none */
	const struct request_row *request; /* as audit */
	enum err (*fault)(void *arg, const char *verb);
	void *fault_arg;
	struct why words;
};

struct query {
	struct store *s;
	struct arena *a; /* for what is read; NULL if nothing is */
	sqlite3_stmt *st;
	struct statement *of;
	enum sql id;
	int bound, read;
	enum err err;
};
/* Names are literals, here and below. */
struct query query_start(struct store *s, enum sql id, struct arena *a);
/* Gives up what query_start prepared. */
void query_forget(struct statement *statement);
void query_bind_int(struct query *q, const char *name, int64_t v);
void query_bind_u64(struct query *q, const char *name, uint64_t v);
void query_bind_id(struct query *q, const char *name, int64_t id); /* 0: NULL */
void query_bind_when(struct query *q, const char *name, struct when w);
void query_bind_text(struct query *q, const char *name, struct str s);
void query_bind_word(struct query *q, const char *name, const char *word);
void query_bind_blob(struct query *q, const char *name, const void *p, size_t n);
/* Runs a statement that writes. NOT_FOUND with `must_change` if no row was changed. */
enum err query_write(struct query *q);
/* e, or ERR_NOT_FOUND, "there is no such <what>", where all went well and nothing is there. */
enum err query_found(struct store *s, enum err e, bool is_there, const char *what);
/* query_write of what has to change a row: query_found says whether it did. */
enum err query_write_one(struct query *q, const char *what);
/* The next row; false at the end and after an error. */
bool query_row(struct query *q);
int64_t query_int(struct query *q, const char *name, int64_t least, int64_t most);
uint64_t query_u64(struct query *q, const char *name);
int64_t query_id(struct query *q, const char *name);
bool query_bool(struct query *q, const char *name);
struct when query_when(struct query *q, const char *name);
struct str query_text(struct query *q, const char *name); /* copied into the arena */
struct str query_word(struct query *q, const char *name); /* borrowed until the next row */
void query_fingerprint(struct query *q, const char *name, uint8_t ret[FINGERPRINT_BYTES]);
void query_skip(struct query *q, int n); /* columns */
/* A value was read that is not one of its kind. */
void query_corrupt(struct query *q, const char *name, struct str word);
/* Resets the statement and says how it went. Safe to repeat. */
enum err query_finish(struct query *q);
static inline void
query_fini(struct query *q)
{
	(void)query_finish(q);
}
#define AUTO_QUERY __attribute__((cleanup(query_fini))) struct query

/* Names as one text with a space between two. */
enum err query_pack_names(struct store *s, const struct str *names, size_t n, struct buf *ret);
struct str *query_names(struct query *q, const char *name, size_t *ret_n);
/* An array in the arena for one more row than n: the same one while it has room. NULL without memory (q->err). */
void *query_grow(struct query *q, void *rows, size_t n, size_t size);

/* sqlite_list.c: what the lists are read from. A site that is there keeps its standing. */
enum err listing_put(
    struct store *s, int64_t site_id, const struct str *names, size_t names_n, enum site_standing standing);
/* The standing of a site that was stepped; takes a removed one away. */
enum err listing_save(struct store *s, const struct site *site);

/* The words of a failure and its code. */
__attribute__((format(printf, 3, 4))) enum err query_fail(
    struct store *s, enum err e, const char *fmt, ...);
/* What SQLite's last error means to us. */
enum err query_fail_sqlite(struct store *s, const char *verb);

/* A verb of several statements is one transaction: the caller's if there is one, else its own. */
struct bracket {
	bool is_own;
	int64_t changes;
};
enum err bracket_begin(struct store *s, bool is_read, struct bracket *ret);
enum err bracket_end(struct store *s, const struct bracket *b, enum err e);
#endif
