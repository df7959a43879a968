#ifndef KOSHIN_BASE_ARENA_H
#define KOSHIN_BASE_ARENA_H
/*
 * Memory that is released all at once: one arena for each turn and one for each web request.
 * arena_get returns zeroed memory, or NULL when the limit or the machine's memory is used up; the arena
 * then remembers it (arena_failed), so a builder may check once at the end.
 */
#include <stdbool.h>
#include <stddef.h>
#include "base/str.h"

struct arena_block;
struct arena {
	struct arena_block *head;
	size_t used, max;
	bool failed;
};
void arena_init(struct arena *a, size_t max);
void arena_fini(struct arena *a); /* safe on a zeroed struct */
void arena_clear(struct arena *a); /* forget the contents, keep one block */
void *arena_get(struct arena *a, size_t n);
bool arena_failed(const struct arena *a);
/* A copy of s in the arena, terminated by a NUL that n does not count; STR_NONE on failure. */
struct str arena_str(struct arena *a, struct str s);
__attribute__((format(printf, 2, 3))) struct str arena_strf(struct arena *a, const char *fmt, ...);
#define AUTO_ARENA __attribute__((cleanup(arena_fini))) struct arena
#endif
