/*
 * The corpus of each fuzz target read again, and some thousand bytes changed in it, always the same ones: what fuzzing has found stays
 * mended, on every compiler. `tool/fuzz` looks for more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "test/fuzz/targets.h"

enum { BYTES_MAX = 1 << 20, CHANGES = 200 };

/* xorshift: no seed, no time. */
static uint32_t
next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static size_t
read_file(const char *path, char *to)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	n = fread(to, 1, BYTES_MAX, f);
	assert_true(n < BYTES_MAX);
	(void)fclose(f);
	return n;
}

/* In memory of just its size, so that a byte too far is seen by the sanitizers. */
static void
feed(const struct fuzz_target *t, const char *bytes, size_t n)
{
	char *own = malloc(n == 0 ? 1 : n);

	assert_non_null(own);
	memcpy(own, bytes, n);
	t->read((struct str){ own, n });
	free(own);
}

static void
change_and_feed(const struct fuzz_target *t, char *bytes, size_t n)
{
	uint32_t state = 2463534242U;

	for (int i = 0; i < CHANGES && n > 0; i++) {
		size_t at = next(&state) % n, until = next(&state) % n;
		char kept = bytes[at];

		switch (next(&state) % 3) {
		case 0: /* one byte is another */
			bytes[at] = (char)next(&state);
			feed(t, bytes, n);
			break;
		case 1: /* it ends too early */
			feed(t, bytes, at);
			break;
		default: /* it begins in the middle */
			feed(t, bytes + until, n - until);
		}
		bytes[at] = kept;
	}
}

static void
the_corpus_is_read(void **unused)
{
	(void)unused;
	char *bytes = malloc(BYTES_MAX);

	assert_non_null(bytes);
	for (size_t i = 0; i < fuzz_targets_n; i++) {
		const struct fuzz_target *t = &fuzz_targets[i];
		char path[512];
		struct dirent *e;
		size_t files = 0;

		(void)snprintf(path, sizeof path, "test/fuzz/corpus/%s", t->name);
		DIR *folder = opendir(path);
		if (folder == NULL)
			fail_msg("%s has no beginnings: %s", t->name, path);
		while ((e = readdir(folder)) != NULL) {
			if (e->d_name[0] == '.')
				continue;
			(void)snprintf(path, sizeof path, "test/fuzz/corpus/%s/%s", t->name, e->d_name);
			size_t n = read_file(path, bytes);
			feed(t, bytes, n);
			change_and_feed(t, bytes, n);
			files++;
		}
		(void)closedir(folder);
		assert_true(files > 0);
		feed(t, "", 0);
	}
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_corpus_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
