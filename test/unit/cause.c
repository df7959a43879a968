/* The cause table against its contract, both ways: doc/cause-ids.txt says what programs outside may rely on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "core/cause.h"

enum { LINE_MAX_BYTES = 200 };

static bool is_listed[CAUSE_COUNT];

static void
compare(const char *line, unsigned number)
{
	struct str rest = str_of(line);
	struct str id = str_cut(&rest, ' '), severity = str_cut(&rest, ' '), scope = str_cut(&rest, ' '), blocks = str_trim(rest);
	enum cause c = cause_of_id(id);

	if (c == CAUSE_NONE)
		fail_msg("doc/cause-ids.txt:%u: core/cause.tbl has no %.*s", number, STR_ARG(id));
	const struct cause_row *row = cause_row(c);
	if (is_listed[c])
		fail_msg("doc/cause-ids.txt:%u: %s stands there twice", number, row->id);
	is_listed[c] = true;
	if (!str_eq(severity, str_of(severity_name(row->severity))) || !str_eq(scope, str_of(scope_name(row->scope))) ||
	    !str_eq(blocks, row->blocks ? STR("yes") : STR("no")))
		fail_msg("doc/cause-ids.txt:%u: %s is %s %s %s in core/cause.tbl", number, row->id,
		    severity_name(row->severity), scope_name(row->scope), row->blocks ? "yes" : "no");
}

static void
the_table_keeps_its_contract(void **state)
{
	char line[LINE_MAX_BYTES];
	FILE *f = fopen("doc/cause-ids.txt", "re");
	unsigned number = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL) {
		number++;
		if (line[0] != '#' && line[0] != '\n')
			compare(line, number);
	}
	(void)fclose(f);
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++)
		if (!is_listed[c])
			fail_msg("doc/cause-ids.txt has no %s", cause_row(c)->id);
}

/* What a program does with an id that it does not know: by its first part. */
static void
an_id_begins_with_its_layer(void **state)
{
	(void)state;
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++) {
		const struct cause_row *row = cause_row(c);
		struct str rest = str_of(row->id);

		assert_true(str_eq(str_cut(&rest, '.'), str_of(layer_name(row->layer))));
		assert_int_equal(cause_of_id(str_of(row->id)), c);
	}
}

/* koshin says that it repairs something by itself where it does, and nowhere else. */
static void
it_heals_by_what_koshin_does(void **state)
{
	static const enum heals by[] = { [MENDS_DEPLOY] = HEALS_NOW, [MENDS_ORDER] = HEALS_NOW, [MENDS_ASIDE] = HEALS_NOW, [MENDS_RECORD] = HEALS_OUTSIDE };

	(void)state;
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++) {
		const struct cause_row *row = cause_row(c);
		bool is_true = row->mends == MENDS_NOTHING ? row->heals != HEALS_NOW : row->heals == by[row->mends];

		if (!is_true)
			fail_msg("%s heals \"%s\", and koshin does \"%s\" about it", row->id, heals_name(row->heals), mends_name(row->mends));
		/* In a zone of anybody else's it is the owner's. */
		assert_true(row->mends != MENDS_RECORD || actor_is_owner(row->acts));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_keeps_its_contract),
		cmocka_unit_test(an_id_begins_with_its_layer),
		cmocka_unit_test(it_heals_by_what_koshin_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
