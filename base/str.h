#ifndef KOSHIN_BASE_STR_H
#define KOSHIN_BASE_STR_H
/*
 * struct str: a borrowed view of bytes that never outlives the call or the arena it came from; not
 * terminated, may hold any byte. struct buf: a growing buffer that remembers its first error, so that
 * a writer checks once at the end.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/err.h"

struct str {
	const char *p;
	size_t n;
};
#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
#define STR_NONE ((struct str){ NULL, 0 })
#define STR_ARG(s) (int)(s).n, (s).p /* for "%.*s" */

struct str str_of(const char *cstr); /* NULL gives STR_NONE */
/* In the header, because a fleet asks this a million times a second; mostly of the very same bytes. */
static inline bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || a.p == b.p || memcmp(a.p, b.p, a.n) == 0);
}
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* Is it the zone itself, or below it? Both are host names in small letters, without the final dot. */
bool str_is_in_zone(struct str name, struct str zone);
/* Position of needle in s, or SIZE_MAX. */
size_t str_find(struct str s, struct str needle);
uint64_t str_hash(struct str s); /* FNV-1a: for tables of our own, not against who chooses the strings */
struct str str_trim(struct str s);		     /* ASCII white space at both ends */
struct str str_cut(struct str *s, char sep);	     /* takes the part before sep off the front of s */
bool str_to_int(struct str s, int64_t *ret);	     /* whole string, decimal */
bool str_is_line(struct str s);			     /* has no CR, LF, NUL or other control byte */
bool str_is_utf8(struct str s);

struct buf {
	char *p;    /* always terminated by a NUL that n does not count, once something was put */
	size_t n, cap, max;
	enum err err; /* first error: MEMORY, or TOO_LONG past max */
};
void buf_init(struct buf *b, size_t max);
void buf_fini(struct buf *b); /* safe on a zeroed struct */
void buf_clear(struct buf *b);
void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_str(struct buf *b, struct str s);
void buf_putc(struct buf *b, char c);
__attribute__((format(printf, 2, 3))) void buf_putf(struct buf *b, const char *fmt, ...);
struct str buf_str(const struct buf *b);
/* Gives the bytes away (terminated; the caller frees), leaves b empty; NULL if b has an error. */
char *buf_take(struct buf *b);

/* A longer story for one error: what was wrong, where, what was expected. Cut at its size. */
struct why {
	char text[512];
};
__attribute__((format(printf, 2, 3))) void why_set(struct why *w, const char *fmt, ...); /* w may be NULL */

#define AUTO_BUF __attribute__((cleanup(buf_fini))) struct buf
#endif
