/* Lists of findings: order, limit, what blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/finding.h"

static void
findings_take_the_row_of_the_table(void **state)
{
	(void)state;
	struct finding at[2];
	struct finding_list l = { .at = at, .cap = 2 };

	struct finding *f = finding_put(&l, CAUSE_DNS_A_ELSEWHERE, STR("example.jp"));
	assert_non_null(f);
	assert_int_equal(f->acts, ACTOR_DOMAIN_COMPANY);
	assert_int_equal(f->told_at.s, WHEN_UNKNOWN.s);
	assert_int_equal(f->next_look.s, WHEN_UNKNOWN.s);
	assert_int_equal(f->seen.n, 0);
	assert_int_equal(f->times_seen, 0);
	assert_true(finding_blocks(f));
	assert_non_null(finding_put(&l, CAUSE_SERVED_EXPIRED, STR("example.jp")));
	assert_false(finding_blocks(&at[1]));
	assert_null(finding_put(&l, CAUSE_SERVED_EXPIRED, STR("example.jp")));
	assert_int_equal(l.n, 2);
	assert_int_equal(l.dropped, 1);
}

static void
findings_are_sorted_by_layer_and_stay_in_order(void **state)
{
	(void)state;
	struct finding at[CAUSE_COUNT * 2];
	struct finding_list l = { .at = at, .cap = CAUSE_COUNT * 2 };

	/* Every cause twice, in a scattered order: by a prime that no count of causes has in it. */
	for (unsigned i = 0; i < 2 * (CAUSE_COUNT - 1); i++) {
		enum cause c = (enum cause)(1 + i * 7919 % (CAUSE_COUNT - 1));
		assert_non_null(
		    finding_put(&l, c, i < CAUSE_COUNT - 1 ? STR("first") : STR("second")));
	}
	finding_sort(&l);
	/* But for a draft that was left and a zone that answers for every name, which explain nothing: they come last. */
	for (size_t i = 1; i < l.n - 4; i++) {
		assert_true(cause_row(at[i - 1].cause)->layer <= cause_row(at[i].cause)->layer);
		if (at[i - 1].cause == at[i].cause)
			assert_true(str_eq(at[i - 1].subject, STR("first")) &&
				    str_eq(at[i].subject, STR("second")));
		else
			assert_true(at[i - 1].cause < at[i].cause);
	}
	assert_int_equal(at[l.n - 1].cause, CAUSE_DNS_WILDCARD_PRESENT);
	assert_int_equal(at[l.n - 2].cause, CAUSE_DNS_WILDCARD_PRESENT);
	assert_int_equal(at[l.n - 3].cause, CAUSE_OWN_DRAFT_ABANDONED);
	assert_int_equal(at[l.n - 4].cause, CAUSE_OWN_DRAFT_ABANDONED);
	l.n = 0;
	finding_sort(&l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_take_the_row_of_the_table),
		cmocka_unit_test(findings_are_sorted_by_layer_and_stay_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
