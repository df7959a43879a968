#ifndef KOSHIN_BASE_MUTANT_H
#define KOSHIN_BASE_MUTANT_H
/* Deliberate bugs (base/mutant.tbl), for the build that proves that the simulator bites. In every other build they are not there. */
#include <stdbool.h>

#ifdef KOSHIN_MUTANTS
enum mutant {
	MUTANT_NONE,
#define MUTANT_ROW(symbol, words) MUTANT_##symbol,
#include "base/mutant.tbl"
#undef MUTANT_ROW
	MUTANT_COUNT
};
extern enum mutant mutant_on; /* the one that is alive */
const char *mutant_name(enum mutant m);
const char *mutant_words(enum mutant m);
#define MUTANT(symbol) (mutant_on == MUTANT_##symbol)
#else
#define MUTANT(symbol) false
#endif
#endif
