#include <stdlib.h>
#include "base/limits.h"
#include "core/acme.h"

/* One answer holds a body's worth of strings, and what was asked for (names, CSR) while a chain is checked. */
enum { ANSWER_ARENA_BYTES = 4 * LIMIT_BODY_BYTES };

struct acme_answer *
acme_answer_new(void)
{
	struct acme_answer *a = calloc(1, sizeof *a);

	if (a == NULL)
		return NULL;
	arena_init(&a->arena, ANSWER_ARENA_BYTES);
	a->retry_after = WHEN_UNKNOWN;
	return a;
}

void
acme_answer_free(struct acme_answer **a)
{
	if (*a == NULL)
		return;
	struct arena arena = (*a)->arena;

	arena_fini(&arena);
	free(*a);
	*a = NULL;
}
