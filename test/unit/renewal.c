#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/renewal.h"

/* What a CA says about renewals, believed within bounds. */

enum { H = 3600, D = 86400 };
static const int64_t T0 = 1800000000; /* the certificate came */

static struct renewal_of
of(int64_t length_s)
{
	struct life l = { { T0 - (length_s > 2 * D ? H : 0) }, { T0 - (length_s > 2 * D ? H : 0) + length_s } };

	return (struct renewal_of){ l, { T0 }, life_renew_at(l, 12345) };
}

/* Windows: start, end, and now are seconds after the issue. UNKNOWN_S: no date. */
#define NONE_S INT64_MIN
static const struct {
	const char *name;
	int line;
	int64_t length_s, now_s, start_s, end_s;
	enum renewal_oddity wanted;
	bool is_urgent;
	int64_t least_s, most_s; /* of the chosen date */
} windows[] = {
	{ "ordinary, 90 days", __LINE__, 90 * D, H, 59 * D, 61 * D, RENEWAL_FINE, false, 59 * D, 61 * D },
	{ "ordinary, 160 hours", __LINE__, 160 * H, 60, 78 * H, 81 * H, RENEWAL_FINE, false, 78 * H, 81 * H },
	{ "ordinary, 10 minutes", __LINE__, 600, 5, 250, 310, RENEWAL_FINE, false, 250, 310 },
	{ "one second wide", __LINE__, 90 * D, H, 60 * D, 60 * D + 1, RENEWAL_FINE, false, 60 * D, 60 * D + 1 },
	{ "in the past: replace now", __LINE__, 90 * D, 20 * D, 20 * D - H, 20 * D - H / 2, RENEWAL_FINE, true, 20 * D - H, 20 * D - H / 2 },
	{ "in the past, from before the issue on", __LINE__, 90 * D, 3 * D, -D, 2 * D, RENEWAL_FINE, true, -H, 2 * D },
	{ "we are late, the CA is not early", __LINE__, 90 * D, 70 * D, 59 * D, 61 * D, RENEWAL_FINE, false, 59 * D, 61 * D },
	{ "reaches past a quarter left", __LINE__, 90 * D, H, 60 * D, 89 * D, RENEWAL_FINE, false, 60 * D, 675 * D / 10 },
	{ "wider than the life", __LINE__, 90 * D, H, -400 * D, 4000 * D, RENEWAL_FINE, false, -H, 675 * D / 10 },
	{ "no start", __LINE__, 90 * D, H, NONE_S, 61 * D, RENEWAL_UNREADABLE, false, 0, 0 },
	{ "no end", __LINE__, 90 * D, H, 59 * D, NONE_S, RENEWAL_UNREADABLE, false, 0, 0 },
	{ "inverted", __LINE__, 90 * D, H, 61 * D, 59 * D, RENEWAL_INVERTED, false, 0, 0 },
	{ "without a width", __LINE__, 90 * D, H, 60 * D, 60 * D, RENEWAL_INVERTED, false, 0, 0 },
	{ "in the past at the issue", __LINE__, 90 * D, 60, -H, -H / 2, RENEWAL_BEFORE_ISSUE, false, 0, 0 },
	{ "years before", __LINE__, 90 * D, 60, -4000 * (int64_t)D, -3999 * (int64_t)D, RENEWAL_BEFORE_ISSUE, false, 0, 0 },
	{ "1970", __LINE__, 90 * D, 60, -T0, -T0 + 1, RENEWAL_BEFORE_ISSUE, false, 0, 0 },
	{ "too late to be safe", __LINE__, 90 * D, H, 80 * D, 82 * D, RENEWAL_TOO_LATE, false, 0, 0 },
	{ "after the end", __LINE__, 90 * D, H, 91 * D, 92 * D, RENEWAL_TOO_LATE, false, 0, 0 },
	{ "years ahead", __LINE__, 90 * D, H, 4000 * (int64_t)D, 4001 * (int64_t)D, RENEWAL_TOO_LATE, false, 0, 0 },
	{ "beyond 2106", __LINE__, 90 * D, H, (INT64_C(1) << 32) - T0, (INT64_C(1) << 33) - T0, RENEWAL_TOO_LATE, false, 0, 0 },
	{ "the year 9999", __LINE__, 90 * D, H, 59 * D, INT64_C(253402300799) - T0, RENEWAL_FINE, false, 59 * D, 675 * D / 10 },
};

static struct when
at(int64_t s)
{
	return s == NONE_S ? WHEN_UNKNOWN : (struct when){ T0 + s };
}

static void
windows_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
		for (uint64_t roll = 0; roll <= UINT32_MAX; roll += 104729 * 1000) {
			struct renewal r = { .poll_at = WHEN_UNKNOWN, .polled_at = WHEN_UNKNOWN };
			struct renewal_of o = of(windows[i].length_s);
			struct renewal_told told = { at(windows[i].start_s), at(windows[i].end_s), STR("x"), WHEN_UNKNOWN };
			struct turn t = { at(windows[i].now_s), (uint32_t)roll };
			enum renewal_oddity got = renewal_take(&r, &told, &o, &t);
			int64_t chosen = r.at.s - T0, gap = windows[i].length_s / 10 < 12 * H ? windows[i].length_s / 10 : 12 * H;
			int64_t least = windows[i].least_s > gap ? windows[i].least_s : gap;
			int64_t most = windows[i].most_s > gap ? windows[i].most_s : gap;

			if (got != windows[i].wanted || r.is_told != (got == RENEWAL_FINE) || r.is_urgent != windows[i].is_urgent)
				fail_msg("%s:%d: %s: judged \"%s\", urgent %d", __FILE__, windows[i].line, windows[i].name,
				    renewal_oddity_words(got), r.is_urgent);
			if (r.is_told && (chosen < least || chosen > most))
				fail_msg("%s:%d: %s: chosen %lld s after the issue", __FILE__, windows[i].line, windows[i].name, (long long)chosen);
			if (!when_before(t.now, r.poll_at) || r.poll_at.s > t.now.s + D + D / 4)
				fail_msg("%s:%d: %s: next poll after %lld s", __FILE__, windows[i].line, windows[i].name, (long long)(r.poll_at.s - t.now.s));
			assert_int_equal(r.failures, got == RENEWAL_FINE ? 0 : 1);
		}
}

/* Retry-After, in seconds from now (NONE_S: none, negative or garbage, which the port reads as none). */
static const struct {
	const char *name;
	int line;
	int64_t length_s, retry_after_s, least_s, most_s;
} pauses[] = {
	{ "Let's Encrypt's", __LINE__, 90 * D, 6 * H, 6 * H, 6 * H + 6 * H / 20 },
	{ "none", __LINE__, 90 * D, NONE_S, 6 * H, 6 * H + 6 * H / 20 },
	{ "0", __LINE__, 90 * D, 0, 60, 63 },
	{ "in the past", __LINE__, 90 * D, -100000, 60, 63 },
	{ "30 s", __LINE__, 90 * D, 30, 60, 63 },
	{ "10 days", __LINE__, 90 * D, 10 * D, D, D + D / 20 },
	{ "10^12 s", __LINE__, 90 * D, INT64_C(1000000000000), D, D + D / 20 },
	{ "never", __LINE__, 90 * D, INT64_MAX - T0 - 1, D, D + D / 20 },
	{ "6 h at a life of 160 h", __LINE__, 160 * H, 6 * H, 6 * H, 6 * H + 6 * H / 20 },
	{ "1 day at a life of 160 h", __LINE__, 160 * H, D, 20 * H, 21 * H },
	{ "6 h at a life of 10 min", __LINE__, 600, 6 * H, 75, 79 },
};

static void
retry_after_is_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++)
		for (uint64_t roll = 0; roll <= UINT32_MAX; roll += 104729 * 1000) {
			struct renewal r = { .poll_at = WHEN_UNKNOWN };
			struct renewal_of o = of(pauses[i].length_s);
			struct when start = { T0 + pauses[i].length_s / 2 }, end = { start.s + pauses[i].length_s / 50 };
			struct renewal_told told = { start, end, STR_NONE, at(pauses[i].retry_after_s) };

			assert_int_equal(renewal_take(&r, &told, &o, &(struct turn){ { T0 }, (uint32_t)roll }), RENEWAL_FINE);
			int64_t wait = r.poll_at.s - T0;
			if (wait < pauses[i].least_s || wait > pauses[i].most_s)
				fail_msg("%s:%d: %s: next poll after %lld s", __FILE__, pauses[i].line, pauses[i].name, (long long)wait);
		}
}

/* One date for one window: it is not drawn again at each poll, and only a window that has left it behind moves it. */
static void
date_is_fixed(void **state)
{
	(void)state;
	struct renewal r = { .poll_at = WHEN_UNKNOWN };
	struct renewal_of o = of(90 * D);
	struct renewal_told told = { at(59 * D), at(61 * D), STR_NONE, WHEN_UNKNOWN };

	(void)renewal_take(&r, &told, &o, &(struct turn){ at(0), UINT32_MAX / 2 });
	struct when first = r.at;
	assert_int_equal(first.s, T0 + 60 * D);
	for (uint32_t roll = 0; roll < 1000; roll++) {
		(void)renewal_take(&r, &told, &o, &(struct turn){ at(H * roll), roll * 4000000 });
		assert_int_equal(r.at.s, first.s);
	}
	told.start.s -= D / 2;
	told.end.s -= D / 2;
	(void)renewal_take(&r, &told, &o, &(struct turn){ at(41 * D), 7 });
	assert_int_equal(r.at.s, first.s);
	assert_false(r.is_urgent);
	/* Moved to an earlier time: that is the CA's wish, and urgent. */
	told = (struct renewal_told){ at(45 * D), at(46 * D), STR_NONE, WHEN_UNKNOWN };
	(void)renewal_take(&r, &told, &o, &(struct turn){ at(44 * D), 0 });
	assert_int_equal(r.at.s, T0 + 45 * D);
	assert_true(r.is_urgent);
	/* Let's Encrypt moves an urgent window along with the clock; it stays urgent, and due. */
	for (int64_t h = 0; h < 100; h++) {
		told = (struct renewal_told){ at(46 * D + h * H), at(46 * D + h * H + H / 2), STR_NONE, WHEN_UNKNOWN };
		(void)renewal_take(&r, &told, &o, &(struct turn){ at(46 * D + (h + 1) * H), (uint32_t)h });
		assert_true(r.is_urgent);
		assert_true(when_before(r.at, at(46 * D + (h + 1) * H)));
	}
}

/* However long the CA says nothing: a window of a fiftieth of the life is never slept through, and no date is later than the
 * table's once the last word is old. */
static void
silence_delays_nothing(void **state)
{
	static const int64_t lengths[] = { 600, 160 * H, 45 * (int64_t)D, 64 * (int64_t)D, 90 * (int64_t)D };

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct renewal_of o = of(lengths[i]);
		struct renewal_told told = { when_minus(life_reduce_at(o.life), SPAN_S(2)), life_reduce_at(o.life), STR_NONE, WHEN_UNKNOWN };
		struct renewal r = { .poll_at = WHEN_UNKNOWN };
		struct turn t = { { T0 }, 99 };

		(void)renewal_take(&r, &told, &o, &t);
		assert_true(when_before(o.table_at, r.at));
		unsigned polls = 0;
		while (when_before(t.now, o.table_at) && r.at.s != o.table_at.s) {
			struct when before = t.now = r.poll_at;

			renewal_miss(&r, WHEN_UNKNOWN, &o, &t);
			int64_t wait = r.poll_at.s - before.s, most = lengths[i] / 50 > 75 ? lengths[i] / 50 : 75;
			if (wait < 60 || (wait > most && wait > 6 * H * 5 / 4))
				fail_msg("a life of %lld s: next poll after %lld s", (long long)lengths[i], (long long)wait);
			t.roll = t.roll * 1664525 + 1013904223;
			polls++;
		}
		/* A life so short that a day of patience outlasts it keeps the CA's date, which is a quarter of the life early at worst. */
		if (lengths[i] > 2 * D)
			assert_int_equal(r.at.s, o.table_at.s);
		assert_true(!when_before(life_reduce_at(o.life), r.at));
		assert_true(polls < 400);
	}
}

/* Retry-After of a refusal is law, within a day; and the pauses grow. */
static void
misses_back_off(void **state)
{
	(void)state;
	struct renewal_of o = of(90 * D);
	struct renewal r = { .poll_at = WHEN_UNKNOWN };
	struct turn t = { { T0 }, 0 };
	static const int64_t waits[] = { 60, 240, 960, 3840, 15360, 21600, 21600 };

	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
		renewal_miss(&r, WHEN_UNKNOWN, &o, &t);
		assert_int_equal(r.poll_at.s - t.now.s, waits[i]);
	}
	renewal_miss(&r, when_plus(t.now, SPAN_H(12)), &o, &t);
	assert_int_equal(r.poll_at.s - t.now.s, 12 * H);
	renewal_miss(&r, when_plus(t.now, SPAN_D(100)), &o, &t);
	assert_int_equal(r.poll_at.s - t.now.s, D);
	assert_int_equal(r.failures, 9);
}

static void
first_poll_is_soon(void **state)
{
	static const struct {
		int64_t length_s, most_s;
	} rows[] = { { 90 * D, 60 }, { 160 * H, 60 }, { 600, 9 }, { 60, 0 }, { 0, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (uint64_t roll = 0; roll <= UINT32_MAX; roll += 104729 * 1000) {
			struct life l = { { T0 }, { T0 + rows[i].length_s } };
			struct when at = renewal_first_poll(l, &(struct turn){ { T0 }, (uint32_t)roll });

			assert_true(at.s >= T0 && at.s <= T0 + rows[i].most_s);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_are_judged),
		cmocka_unit_test(retry_after_is_bounded),
		cmocka_unit_test(date_is_fixed),
		cmocka_unit_test(silence_delays_nothing),
		cmocka_unit_test(misses_back_off),
		cmocka_unit_test(first_poll_is_soon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
