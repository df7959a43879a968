#include <stdlib.h>

#include "ports/probe/probe.h"

void
evidence_box_free(struct evidence_box **b)
{
	if (*b == NULL)
		return;
	arena_fini(&(*b)->arena);
	free(*b);
	*b = NULL;
}
