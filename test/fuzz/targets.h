#ifndef KOSHIN_TEST_FUZZ_TARGETS_H
#define KOSHIN_TEST_FUZZ_TARGETS_H
/*
 * What reads bytes of strangers, each behind one function. It must neither crash, nor leak, nor take for ever; what it says of the
 * bytes is the business of other tests. Beginnings for each stand in test/fuzz/corpus/NAME.
 */
#include "base/str.h"

struct fuzz_target {
	const char *name;
	void (*read)(struct str bytes);
};
extern const struct fuzz_target fuzz_targets[];
extern const size_t fuzz_targets_n;
/* NULL: there is none of this name. */
const struct fuzz_target *fuzz_target_of(const char *name);
#endif
