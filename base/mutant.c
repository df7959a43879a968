#include "base/mutant.h"

#ifdef KOSHIN_MUTANTS
enum mutant mutant_on = MUTANT_NONE;

const char *
mutant_name(enum mutant m)
{
	static const char *const names[] = { "NONE",
#define MUTANT_ROW(symbol, words) #symbol,
#include "base/mutant.tbl"
#undef MUTANT_ROW
	};

	return names[m];
}

const char *
mutant_words(enum mutant m)
{
	static const char *const texts[] = { "no bug",
#define MUTANT_ROW(symbol, words) words,
#include "base/mutant.tbl"
#undef MUTANT_ROW
	};

	return texts[m];
}
#else
typedef int mutant_is_not_built; /* ISO C wants one declaration in a file */
#endif
