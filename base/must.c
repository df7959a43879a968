#include "base/must.h"
#include <stdio.h>
#include <stdlib.h>

_Noreturn void
must_fail(const char *file, int line, const char *expr)
{
	fprintf(stderr, "koshin: bug: %s:%d: %s\n", file, line, expr);
	abort();
}
