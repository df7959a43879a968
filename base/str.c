#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct str
str_of(const char *cstr)
{
	return cstr == NULL ? STR_NONE : (struct str){ cstr, strlen(cstr) };
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool
str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq((struct str){ s.p, prefix.n }, prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq((struct str){ s.p + s.n - suffix.n, suffix.n }, suffix);
}

bool
str_is_in_zone(struct str name, struct str zone)
{
	return str_eq(name, zone) || (name.n > zone.n && str_ends(name, zone) && name.p[name.n - zone.n - 1] == '.');
}

uint64_t
str_hash(struct str s)
{
	uint64_t h = 14695981039346656037U;

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (uint8_t)s.p[i]) * 1099511628211U;
	return h;
}

size_t
str_find(struct str s, struct str needle)
{
	if (needle.n == 0)
		return 0;
	for (size_t i = 0; i + needle.n <= s.n; i++)
		if (memcmp(s.p + i, needle.p, needle.n) == 0)
			return i;
	return SIZE_MAX;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str
str_trim(struct str s)
{
	while (s.n > 0 && is_space(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str
str_cut(struct str *s, char sep)
{
	const char *at = s->n > 0 ? memchr(s->p, sep, s->n) : NULL;
	struct str head = *s;

	if (at == NULL) {
		*s = STR_NONE;
		return head;
	}
	head.n = (size_t)(at - s->p);
	s->p = at + 1;
	s->n -= head.n + 1;
	return head;
}

bool
str_to_int(struct str s, int64_t *ret)
{
	bool is_negative = s.n > 0 && s.p[0] == '-';
	int64_t v = 0;

	if (s.n == (is_negative ? 1U : 0U))
		return false;
	for (size_t i = is_negative; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, (int64_t)10, &v) ||
		    __builtin_sub_overflow(v, (int64_t)(s.p[i] - '0'), &v))
			return false;
	}
	if (!is_negative && v == INT64_MIN)
		return false;
	*ret = is_negative ? v : -v;
	return true;
}

bool
str_is_line(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return true;
}

bool
str_is_utf8(struct str s)
{
	for (size_t i = 0; i < s.n;) {
		unsigned char c = (unsigned char)s.p[i];
		size_t more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : (c & 0xf0) == 0xe0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 9;

		if (more > 3 || i + more >= s.n)
			return false;
		for (size_t k = 1; k <= more; k++)
			if (((unsigned char)s.p[i + k] & 0xc0) != 0x80)
				return false;
		unsigned char d = more > 0 ? (unsigned char)s.p[i + 1] : 0;
		/* Overlong forms, surrogates, and beyond U+10FFFF. */
		if ((c == 0xe0 && d < 0xa0) || (c == 0xed && d > 0x9f) || (c == 0xf0 && d < 0x90) || (c == 0xf4 && d > 0x8f))
			return false;
		i += more + 1;
	}
	return true;
}

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void
buf_fini(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->err = ERR_OK;
	if (b->p != NULL)
		b->p[0] = '\0';
}

static bool
reserve(struct buf *b, size_t more)
{
	if (b->err != ERR_OK)
		return false;
	if (more > b->max || b->n > b->max - more) {
		b->err = ERR_TOO_LONG;
		return false;
	}
	size_t want = b->n + more + 1, cap = b->cap < 64 ? 64 : b->cap;
	while (cap < want)
		cap *= 2;
	if (cap != b->cap) {
		char *p = realloc(b->p, cap);

		if (p == NULL) {
			b->err = ERR_MEMORY;
			return false;
		}
		b->p = p;
		b->cap = cap;
	}
	return true;
}

void
buf_put(struct buf *b, const void *p, size_t n)
{
	if (!reserve(b, n))
		return;
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void
buf_put_str(struct buf *b, struct str s)
{
	buf_put(b, s.p, s.n);
}

void
buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void
buf_putf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0)
		b->err = b->err == ERR_OK ? ERR_BUG : b->err;
	else if (reserve(b, (size_t)n)) {
		(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
		b->n += (size_t)n;
	}
	va_end(again);
	va_end(ap);
}

struct str
buf_str(const struct buf *b)
{
	return (struct str){ b->p, b->n };
}

char *
buf_take(struct buf *b)
{
	buf_put(b, "", 0);
	if (b->err != ERR_OK) {
		buf_fini(b);
		return NULL;
	}
	char *p = b->p;
	*b = (struct buf){ .max = b->max };
	return p;
}

void
why_set(struct why *w, const char *fmt, ...)
{
	va_list ap;

	if (w == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(w->text, sizeof w->text, fmt, ap);
	va_end(ap);
}
