/* One target under libFuzzer: KOSHIN_FUZZ=NAME build-fuzz/test/fuzz/libfuzzer FOLDER… (see tool/fuzz). */
#include <stdio.h>
#include <stdlib.h>
#include "test/fuzz/targets.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static const struct fuzz_target *target;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *name = getenv("KOSHIN_FUZZ");

	(void)argc;
	(void)argv;
	target = name == NULL ? NULL : fuzz_target_of(name);
	if (target != NULL)
		return 0;
	(void)fputs("KOSHIN_FUZZ has to be one of:\n", stderr);
	for (size_t i = 0; i < fuzz_targets_n; i++)
		(void)fprintf(stderr, "  %s\n", fuzz_targets[i].name);
	exit(2);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	target->read((struct str){ (const char *)bytes, n });
	return 0;
}
