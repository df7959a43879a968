#ifndef KOSHIN_BASE_MUST_H
#define KOSHIN_BASE_MUST_H
/*
 * must(x): x is true unless we have a bug. Always compiled in. Prints file, line and expression, then
 * aborts; the supervisor restarts the process from the store. Never for bytes that came from outside
 * or from a process of lower trust: those are parsed and refused.
 */
_Noreturn void must_fail(const char *file, int line, const char *expr);
#define must(x) ((x) ? (void)0 : must_fail(__FILE__, __LINE__, #x))
#endif
