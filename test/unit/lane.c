#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/lane.h"

enum { DAY = 86400, LIFE = 40 * DAY };
static const struct when start = { 1800000000 };

/* Every fact that decides, alone and together, with three quarters of the life used and one second before. */
static const struct {
	const char *name;
	bool is_held, is_asked, is_replacement;
	int64_t used_s;
	enum lane want;
} rows[] = {
	{ "no certificate", false, false, false, 0, LANE_FIRST },
	{ "no certificate, years on", false, false, false, 4000 * (int64_t)DAY, LANE_FIRST },
	{ "no certificate, asked for", false, true, false, 0, LANE_ASKED },
	{ "held and young", true, false, false, DAY, LANE_QUIET },
	{ "held, its renewal is due", true, false, false, 27 * DAY, LANE_QUIET },
	{ "held, asked for", true, true, false, DAY, LANE_ASKED },
	{ "held, to be replaced", true, false, true, DAY, LANE_REPLACEMENT },
	{ "held, to be replaced and asked for", true, true, true, DAY, LANE_ASKED },
	{ "a second before a quarter is left", true, false, false, 30 * DAY - 1, LANE_QUIET },
	{ "a second before, to be replaced", true, false, true, 30 * DAY - 1, LANE_REPLACEMENT },
	{ "a quarter is left", true, false, false, 30 * DAY, LANE_EXPIRING },
	{ "a quarter is left, to be replaced and asked for", true, true, true, 30 * DAY, LANE_EXPIRING },
	{ "past its end", true, false, false, LIFE + DAY, LANE_EXPIRING },
};

static void
test_facts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct lane_facts f = { rows[i].is_held, { start, when_plus(start, SPAN_S(LIFE)) }, rows[i].is_asked,
			rows[i].is_replacement };
		enum lane got = lane_of(&f, when_plus(start, SPAN_S(rows[i].used_s)));

		if (got != rows[i].want)
			fail_msg("%s: got %s, wanted %s", rows[i].name, lane_name(got), lane_name(rows[i].want));
		if (rows[i].is_held)
			assert_int_equal(lane_expiring_at(&f).s, start.s + 30 * (int64_t)DAY);
		else
			assert_int_equal(lane_expiring_at(&f).s, WHEN_NEVER.s);
	}
}

static void
test_words_and_shares(void **state)
{
	unsigned sum = 0;

	(void)state;
	for (enum lane l = 0; l < LANE_COUNT; l++) {
		enum lane back;

		assert_true(lane_of_name(str_of(lane_name(l)), &back));
		assert_int_equal(back, l);
		assert_true(lane_share(l) > 0);
		sum += lane_share(l);
	}
	assert_int_equal(sum, LANE_SHARES);
	enum lane none = LANE_COUNT;
	assert_false(lane_of_name(STR("Quiet"), &none));
	assert_false(lane_of_name(STR_NONE, &none));
	assert_int_equal(none, LANE_COUNT);
}

static uint64_t
next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

/* Whatever the others do, a lane that goes on waiting is served within its bound; while all wait, each gets its share. */
static void
test_nobody_starves(void **state)
{
	uint64_t seed = 4;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	for (size_t run = 0; run < 3000; run++) {
		struct lane_turns t = { 0 };
		size_t waited[LANE_COUNT] = { 0 };
		uint64_t always = next(&seed) % (1U << LANE_COUNT), odds = next(&seed) % 100;

		for (size_t n = 0; n < 500; n++) {
			bool waits[LANE_COUNT], any = false;
			enum lane got = LANE_COUNT;

			for (enum lane l = 0; l < LANE_COUNT; l++) {
				waits[l] = (always >> l & 1) != 0 || next(&seed) % 100 < odds || (waited[l] > 0 && next(&seed) % 50 != 0);
				any |= waits[l];
			}
			assert_int_equal(lane_pick(&t, waits, &got), any);
			assert_true(!any || waits[got]);
			for (enum lane l = 0; l < LANE_COUNT; l++) {
				waited[l] = !waits[l] || l == got ? 0 : waited[l] + 1;
				if (waited[l] > LANE_SHARES / lane_share(l) + LANE_COUNT)
					fail_msg("run %zu: %s has waited for %zu places", run, lane_name(l), waited[l]);
			}
		}
	}
	struct lane_turns t = { 0 };
	const bool all[LANE_COUNT] = { true, true, true, true, true };
	size_t got[LANE_COUNT] = { 0 };
	for (size_t n = 0; n < 100 * (size_t)LANE_SHARES; n++) {
		enum lane l;

		assert_true(lane_pick(&t, all, &l));
		got[l]++;
	}
	for (enum lane l = 0; l < LANE_COUNT; l++)
		assert_int_equal(got[l], 100 * lane_share(l));
}

/*
 * A million replacements wait and each order takes a minute, twelve end in a second; sites without a certificate
 * come now and then. None of them waits for a minute, and the replacements take all the room that is left.
 */
static void
test_first_within_a_minute(void **state)
{
	enum { MOST = 720, SECONDS = 3600, LASTS = 60 };
	struct lane_room room = { .most = MOST };
	struct lane_turns t = { 0 };
	static uint8_t started[LANE_COUNT][SECONDS + LASTS];
	size_t first = 0, served = 0, replaced = 0, since = 0;
	uint64_t seed = 9;

	(void)state;
	for (size_t s = 0; s < SECONDS; s++) {
		bool is_all_used = false;

		for (enum lane l = 0; s >= LASTS && l < LANE_COUNT; l++)
			room.in[l] -= started[l][s - LASTS];
		if (next(&seed) % 2 == 0 && first++ == 0)
			since = s;
		while (!is_all_used) {
			const bool waits[LANE_COUNT] = {
				[LANE_REPLACEMENT] = lane_has_room(&room, LANE_REPLACEMENT) && started[LANE_REPLACEMENT][s] < 200,
				[LANE_FIRST] = first > 0 && lane_has_room(&room, LANE_FIRST),
			};
			enum lane l;

			is_all_used = !lane_pick(&t, waits, &l);
			if (is_all_used)
				break;
			room.in[l]++;
			started[l][s]++;
			replaced += l == LANE_REPLACEMENT;
			served += l == LANE_FIRST;
			first -= l == LANE_FIRST;
		}
		if (first > 0 && s - since >= 60)
			fail_msg("second %zu: a first certificate waits since %zu", s, since);
	}
	assert_true(served > 1500);
	assert_true(replaced > (SECONDS / LASTS) * (MOST / 2));
}

/* Every lane has a place whatever the others fill, and together they fill the room; the smallest rooms are of use too. */
static void
test_room(void **state)
{
	uint64_t seed = 11;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	for (size_t most = 1; most <= 2000; most = most < 40 ? most + 1 : most * 3 / 2) {
		for (enum lane greedy = 0; greedy < LANE_COUNT; greedy++) {
			struct lane_room r = { .most = most };

			while (lane_has_room(&r, greedy))
				r.in[greedy]++;
			assert_true(r.in[greedy] >= most / 2);
			for (enum lane l = 0; l < LANE_COUNT; l++)
				if (l != greedy && most >= 2 * (size_t)LANE_COUNT && !lane_has_room(&r, l))
					fail_msg("%zu places: %s leaves none to %s", most, lane_name(greedy), lane_name(l));
		}
		struct lane_room r = { .most = most };
		size_t used = 0;
		for (size_t n = 0; n < 20 * most + 100; n++) {
			enum lane l = (enum lane)(next(&seed) % LANE_COUNT);

			if (lane_has_room(&r, l)) {
				r.in[l]++;
				used++;
			}
		}
		assert_true(used <= most && used + LANE_COUNT >= most);
		assert_false(lane_has_room(&r, LANE_EXPIRING) && used == most);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_words_and_shares),
		cmocka_unit_test(test_nobody_starves),
		cmocka_unit_test(test_first_within_a_minute),
		cmocka_unit_test(test_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
