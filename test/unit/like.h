#ifndef KOSHIN_TEST_UNIT_LIKE_H
#define KOSHIN_TEST_UNIT_LIKE_H
/*
 * For tests that make many worlds: a new store that is migrated once, and which the store of each world begins as. To be
 * given to cmocka_run_group_tests.
 */
#include "ports/store/store.h"

static struct store *like;

static inline int
like_open(void **state)
{
	const struct store_options o = { .file = ":memory:", .may_create = true };
	struct store *first = NULL;

	(void)state;
	if (store_open(&o, NULL, &like) != ERR_OK)
		return -1;
	const struct store_options copy = { .file = ":memory:", .like = like };
	/* A first copy: what SQLite keeps of the pages that it has read is there before anybody counts. */
	if (store_open(&copy, NULL, &first) != ERR_OK)
		return -1;
	store_close(&first);
	return 0;
}

static inline int
like_close(void **state)
{
	(void)state;
	store_close(&like);
	return 0;
}
#endif
