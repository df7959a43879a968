#include "base/arena.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16384 };

struct arena_block {
	struct arena_block *next;
	size_t n, cap;
	_Alignas(16) char bytes[];
};

void
arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){ .max = max };
}

void
arena_fini(struct arena *a)
{
	for (struct arena_block *b = a->head, *next; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	*a = (struct arena){ .max = a->max };
}

void
arena_clear(struct arena *a)
{
	struct arena_block *keep = a->head;

	if (keep != NULL && keep->cap == BLOCK_SIZE) {
		a->head = keep->next;
		arena_fini(a);
		keep->next = NULL;
		keep->n = 0;
		a->head = keep;
	} else {
		arena_fini(a);
	}
	a->used = 0;
	a->failed = false;
}

void *
arena_get(struct arena *a, size_t n)
{
	if (n > a->max || a->used > a->max - n) {
		a->failed = true;
		return NULL;
	}
	size_t rounded = (n + 15) & ~(size_t)15;
	struct arena_block *b = a->head;

	if (b == NULL || b->cap - b->n < rounded) {
		size_t cap = rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE;

		b = malloc(sizeof *b + cap);
		if (b == NULL) {
			a->failed = true;
			return NULL;
		}
		*b = (struct arena_block){ .next = a->head, .cap = cap };
		a->head = b;
	}
	void *p = b->bytes + b->n;
	b->n += rounded;
	a->used += rounded;
	memset(p, 0, rounded);
	return p;
}

bool
arena_failed(const struct arena *a)
{
	return a->failed;
}

struct str
arena_str(struct arena *a, struct str s)
{
	char *p = arena_get(a, s.n + 1);

	if (p == NULL)
		return STR_NONE;
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return (struct str){ p, s.n };
}

struct str
arena_strf(struct arena *a, const char *fmt, ...)
{
	va_list ap, again;
	struct str ret = STR_NONE;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	char *p = n < 0 ? NULL : arena_get(a, (size_t)n + 1);
	if (p != NULL) {
		(void)vsnprintf(p, (size_t)n + 1, fmt, again);
		ret = (struct str){ p, (size_t)n };
	}
	va_end(again);
	va_end(ap);
	return ret;
}
