/* The breaker of a CA: its way through the states, and every event in every state with the invariants held. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "core/breaker.h"

static const struct when start = { 1800000000 };

static struct turn
at(int64_t s, uint32_t roll)
{
	return (struct turn){ { start.s + s }, roll };
}

static void
opens_probes_and_closes(void **state)
{
	(void)state;
	struct breaker b = BREAKER_CLOSED_FOREVER;
	struct turn t = at(0, 0);

	for (int i = 1; i < BREAKER_FAILURES; i++) {
		breaker_failed(&b, &t, WHEN_UNKNOWN);
		assert_int_equal(breaker_state(&b, t.now), BREAKER_CLOSED);
	}
	breaker_failed(&b, &t, WHEN_UNKNOWN);
	assert_int_equal(breaker_state(&b, t.now), BREAKER_OPEN);
	assert_int_equal(b.ill_since.s, t.now.s);
	assert_int_equal(breaker_not_before(&b).s, t.now.s + 15);

	/* Those that were under way come back with the same news: nothing changes. */
	struct breaker before = b;
	struct turn later = at(3, 0);
	for (int i = 0; i < 500; i++)
		breaker_failed(&b, &later, WHEN_UNKNOWN);
	assert_memory_equal(&b, &before, sizeof b);

	/* One probe, and one alone. */
	t = at(15, 0);
	assert_int_equal(breaker_state(&b, t.now), BREAKER_HALF_OPEN);
	assert_true(breaker_take(&b, t.now));
	assert_int_equal(breaker_state(&b, t.now), BREAKER_OPEN);
	assert_false(breaker_take(&b, t.now));
	t = at(20, 0);
	breaker_failed(&b, &t, WHEN_UNKNOWN);
	assert_int_equal(breaker_not_before(&b).s, t.now.s + 60);
	assert_int_equal(b.ill_since.s, start.s);

	/* A probe whose answer is lost does not keep it shut. */
	t = at(80, 0);
	assert_true(breaker_take(&b, t.now));
	assert_int_equal(breaker_state(&b, at(80 + BREAKER_PROBE_S - 1, 0).now), BREAKER_OPEN);
	assert_int_equal(breaker_state(&b, at(80 + BREAKER_PROBE_S, 0).now), BREAKER_HALF_OPEN);

	assert_true(breaker_worked(&b, t.now));
	assert_int_equal(breaker_state(&b, t.now), BREAKER_CLOSED);
	assert_int_equal(breaker_not_before(&b).s, WHEN_UNKNOWN.s);
	assert_false(breaker_worked(&b, t.now));
}

static void
backs_off_to_a_bound(void **state)
{
	(void)state;
	for (uint32_t roll = 0; roll < 1000; roll += 37) {
		struct breaker b = BREAKER_CLOSED_FOREVER;
		int64_t now = 0, last = 0;

		for (int i = 0; i < 20; i++) {
			struct turn t = at(now, roll);

			breaker_failed(&b, &t, WHEN_UNKNOWN);
			int64_t wait = when_is_known(b.not_before) ? b.not_before.s - t.now.s : 0;
			assert_true(wait <= 2 * BREAKER_PAUSE_MOST_S);
			if (i >= BREAKER_FAILURES + 2)
				assert_true(wait >= BREAKER_PAUSE_MOST_S);
			if (i >= BREAKER_FAILURES && i <= BREAKER_FAILURES + 1)
				assert_true(wait >= last);
			last = wait;
			now += wait;
			(void)breaker_take(&b, at(now, roll).now);
		}
	}
}

static void
the_word_of_the_ca_holds(void **state)
{
	(void)state;
	struct breaker b = BREAKER_CLOSED_FOREVER;
	struct turn t = at(0, 0);
	struct when hour = { t.now.s + 3600 };

	/* A limit is no illness. */
	breaker_told(&b, hour);
	assert_int_equal(breaker_state(&b, t.now), BREAKER_CLOSED);
	assert_int_equal(breaker_not_before(&b).s, hour.s);
	/* A certificate that still came does not shorten it, unless it was ill. */
	(void)breaker_worked(&b, t.now);
	assert_int_equal(breaker_not_before(&b).s, hour.s);
	breaker_failed(&b, &t, WHEN_UNKNOWN);
	(void)breaker_worked(&b, t.now);
	assert_int_equal(breaker_not_before(&b).s, hour.s);
	/* Absurd dates are bounded. */
	for (int i = 0; i < BREAKER_FAILURES; i++)
		breaker_failed(&b, &t, (struct when){ INT64_MAX - 1 });
	assert_true(b.not_before.s <= t.now.s + 7 * 86400);
	/* A refusal of the account opens at once. */
	b = BREAKER_CLOSED_FOREVER;
	breaker_refused(&b, &t, WHEN_UNKNOWN);
	assert_int_equal(breaker_state(&b, t.now), BREAKER_OPEN);
	assert_true(breaker_not_before(&b).s >= t.now.s + BREAKER_REFUSED_S);
}

/* Every sequence of six events out of seven, at every spacing: the invariants hold, and there is always a way on. */
static void
every_way(void **state)
{
	(void)state;
	static const int64_t spaces[] = { 0, 20, 400 };

	for (unsigned n = 0; n < 7 * 7 * 7 * 7 * 7 * 7; n++)
		for (size_t k = 0; k < 3; k++) {
			struct breaker b = BREAKER_CLOSED_FOREVER;
			unsigned rest = n;
			struct turn t = at(0, n);

			for (int i = 0; i < 6; i++, rest /= 7) {
				t.now.s += spaces[k];
				switch (rest % 7) {
				case 0: breaker_failed(&b, &t, WHEN_UNKNOWN); break;
				case 1: breaker_failed(&b, &t, when_plus(t.now, SPAN_S(50))); break;
				case 2: breaker_refused(&b, &t, WHEN_UNKNOWN); break;
				case 3: breaker_told(&b, when_plus(t.now, SPAN_S(100))); break;
				case 4: (void)breaker_worked(&b, t.now); break;
				case 5: (void)breaker_take(&b, t.now); break;
				default: break;
				}
				breaker_check(&b);
				struct when on = breaker_not_before(&b);
				assert_true(on.s == WHEN_UNKNOWN.s || on.s <= t.now.s + 2 * BREAKER_REFUSED_S);
				assert_int_not_equal(breaker_state(&b, when_max(on, t.now)), BREAKER_OPEN);
			}
		}
}

/* What an order's failures say of the CA: the worst of them counts. */
static void
judges_what_failed(void **state)
{
	static const struct {
		int line;
		enum cause causes[2];
		size_t n;
		unsigned failures;
		bool is_ill;
	} rows[] = {
		{ __LINE__, { CAUSE_NONE }, 0, 2, false },
		/* Ours: says nothing of the CA. */
		{ __LINE__, { CAUSE_OWN_ORDER_STUCK }, 1, 2, false },
		{ __LINE__, { CAUSE_OWN_UNCLASSIFIED }, 1, 2, false },
		/* A name's, and a limit's: it works. */
		{ __LINE__, { CAUSE_DNS_CAA_FORBIDS }, 1, 0, false },
		{ __LINE__, { CAUSE_CA_LIMIT_NEW_ORDERS }, 1, 0, false },
		/* Its own: the third in a row. */
		{ __LINE__, { CAUSE_CA_SERVICE_DOWN }, 1, 3, true },
		{ __LINE__, { CAUSE_CA_SERVICE_BUSY }, 1, 3, true },
		{ __LINE__, { CAUSE_CA_SERVICE_INTERNAL_ERROR }, 1, 3, true },
		{ __LINE__, { CAUSE_CA_NONCE_REJECTED }, 1, 3, true },
		{ __LINE__, { CAUSE_CA_ORDER_SLOW }, 1, 3, true },
		{ __LINE__, { CAUSE_DNS_CAA_FORBIDS, CAUSE_CA_SERVICE_DOWN }, 2, 3, true },
		{ __LINE__, { CAUSE_CA_SERVICE_DOWN, CAUSE_CA_ACCOUNT_BLOCKED }, 2, 3, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct finding room[2];
		struct finding_list l = { .at = room, .cap = 2 };
		const struct turn t = at(100, 0);
		struct breaker b = BREAKER_CLOSED_FOREVER;

		b.failures = 2;
		for (size_t k = 0; k < rows[i].n; k++)
			assert_non_null(finding_put(&l, rows[i].causes[k], STR("shop.example")));
		bool changed = breaker_judge(&b, &l, &t, WHEN_UNKNOWN);
		if (b.failures != rows[i].failures || when_is_known(b.ill_since) != rows[i].is_ill || changed != (rows[i].failures != 2))
			fail_msg("%s:%d: %u failures, ill %d", __FILE__, rows[i].line, b.failures, when_is_known(b.ill_since));
	}
	/* A refusal of the whole account shuts it at once, and for an hour. */
	static const enum cause refused[] = { CAUSE_CA_EAB_INVALID, CAUSE_CA_TERMS_NOT_AGREED, CAUSE_OWN_ACME_ACCOUNT_UNUSABLE };
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct finding f;
		struct finding_list l = { .at = &f, .cap = 1 };
		struct breaker b = BREAKER_CLOSED_FOREVER;
		const struct turn t = at(100, 0);

		assert_non_null(finding_put(&l, refused[i], STR("shop.example")));
		assert_true(breaker_judge(&b, &l, &t, WHEN_UNKNOWN));
		assert_int_equal(breaker_not_before(&b).s, t.now.s + BREAKER_REFUSED_S);
	}
}

/* A block ends by a person's word alone: not by a date, nor by a certificate that was asked for before. */
static void
a_block_waits_for_a_person(void **state)
{
	struct finding f;
	struct finding_list l = { .at = &f, .cap = 1 };
	struct breaker b = BREAKER_CLOSED_FOREVER;
	struct turn t = at(100, 0);

	(void)state;
	assert_non_null(finding_put(&l, CAUSE_CA_ACCOUNT_BLOCKED, STR("shop.example")));
	assert_true(breaker_judge(&b, &l, &t, WHEN_UNKNOWN));
	breaker_check(&b);
	assert_true(breaker_is_blocked(&b) && b.blocked_at.s == t.now.s);
	/* Others that were under way come back refused: it is one block, since the first of them. */
	t = at(130, 0);
	assert_true(breaker_judge(&b, &l, &t, WHEN_UNKNOWN));
	assert_int_equal(b.blocked_at.s, at(100, 0).now.s);
	assert_int_equal(b.failures, 1);
	assert_false(breaker_worked(&b, t.now));
	assert_false(breaker_hold(&b, &t));
	t = at(100 + 400 * 86400, 0);
	assert_int_equal(breaker_state(&b, t.now), BREAKER_OPEN);
	assert_false(breaker_take(&b, t.now));
	/* There is always a date to come. */
	assert_true(breaker_hold(&b, &t));
	assert_int_equal(b.not_before.s, t.now.s + BREAKER_PAUSE_MOST_S);
	breaker_check(&b);
	breaker_unblock(&b, t.now);
	breaker_check(&b);
	assert_int_equal(breaker_state(&b, t.now), BREAKER_HALF_OPEN);
	assert_true(breaker_take(&b, t.now));
	assert_int_equal(breaker_state(&b, t.now), BREAKER_OPEN);
	/* It was not lifted after all. */
	struct breaker again = b;
	assert_true(breaker_judge(&again, &l, &t, WHEN_UNKNOWN));
	assert_int_equal(again.blocked_at.s, t.now.s);
	breaker_check(&again);
	assert_true(breaker_worked(&b, t.now));
	assert_int_equal(breaker_state(&b, t.now), BREAKER_CLOSED);
	breaker_unblock(&b, t.now);
	assert_int_equal(breaker_state(&b, t.now), BREAKER_CLOSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_probes_and_closes),
		cmocka_unit_test(backs_off_to_a_bound),
		cmocka_unit_test(the_word_of_the_ca_holds),
		cmocka_unit_test(every_way),
		cmocka_unit_test(judges_what_failed),
		cmocka_unit_test(a_block_waits_for_a_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
