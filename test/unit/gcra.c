#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "core/gcra.h"

enum { SECOND = 1000000, HOUR_S = 3600, DAY_S = 86400 };

static uint64_t
next(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

static const struct {
	const char *name;
	struct rate rate;
	int64_t interval_us;
} rows[] = {
	{ "new orders", { 300, { 3 * HOUR_S }, 0 }, (int64_t)36 * SECOND },
	{ "certificates of a domain", { 50, { 7 * DAY_S }, 0 }, (int64_t)12096 * SECOND },
	{ "certificates of a set", { 5, { 7 * DAY_S }, 0 }, (int64_t)120960 * SECOND },
	{ "failures of a name", { 5, { HOUR_S }, 0 }, (int64_t)720 * SECOND },
	{ "failures in a row", { 1152, { 1152 * (int64_t)DAY_S }, 0 }, (int64_t)DAY_S *SECOND },
	{ "an override", { 100000, { 7 * DAY_S }, 0 }, 6048000 },
	{ "a million a day", { 1000000, { DAY_S }, 1000 }, 86400 },
	{ "requests with a burst", { 250, { 1 }, 125 }, 4000 },
	{ "strict spacing", { 20, { 1 }, 1 }, 50000 },
	{ "does not divide", { 3, { 1 }, 3 }, 333334 },
	{ "one", { 1, { 60 }, 1 }, (int64_t)60 * SECOND },
};
enum { ROWS = sizeof rows / sizeof *rows };

/* The whole capacity at once, then one for each interval and not a microsecond earlier. */
static void
test_capacity_and_refill(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		struct rate r = rows[i].rate;
		struct instant now = { (int64_t)1800000000 * SECOND };
		struct bucket b = { 0 };
		int64_t burst = rate_burst(r);

		if (rate_interval_us(r) != rows[i].interval_us)
			fail_msg("%s: interval %lld", rows[i].name, (long long)rate_interval_us(r));
		assert_true(bucket_is_full(&b, now));
		for (int64_t n = 0; n < burst; n++) {
			assert_int_equal(bucket_left(r, &b, now), burst - n);
			assert_true(bucket_passes(r, &b, now));
			bucket_spend(r, &b, now);
		}
		assert_int_equal(bucket_left(r, &b, now), 0);
		assert_int_equal(bucket_next(r, &b, now).us, now.us + rows[i].interval_us);
		assert_int_equal(bucket_nth(r, &b, 3, now).us, now.us + 3 * rows[i].interval_us);
		struct instant just = { now.us + rows[i].interval_us - 1 };
		assert_false(bucket_passes(r, &b, just));
		just.us++;
		assert_true(bucket_passes(r, &b, just));
		assert_int_equal(bucket_left(r, &b, just), 1);
		just.us = now.us + burst * rows[i].interval_us;
		assert_int_equal(bucket_left(r, &b, just), burst);
		assert_true(bucket_is_full(&b, just));
	}
}

/* A burst that random tries can use up. */
static struct rate
small(struct rate r)
{
	r.burst = rate_burst(r) < 300 ? rate_burst(r) : 300;
	return r;
}

/* gcra.go of Let's Encrypt's server, in nanoseconds. */
struct boulder {
	int64_t emission_ns, burst_offset_ns, tat_ns;
};

static bool
boulder_spend(struct boulder *g, int64_t now_ns)
{
	int64_t tat = g->tat_ns > now_ns ? g->tat_ns : now_ns;
	int64_t new_tat = tat + g->emission_ns;

	if (now_ns - (new_tat - g->burst_offset_ns) < 0)
		return false;
	g->tat_ns = new_tat;
	return true;
}

/* Tokens that come back one by one, counted; no arithmetic on dates but "is it time for the next one". */
struct tokens {
	int64_t left, most, next_us, interval_us;
};

static bool
tokens_take(struct tokens *t, int64_t now_us)
{
	while (t->left < t->most && t->next_us <= now_us) {
		t->left++;
		t->next_us += t->interval_us;
	}
	if (t->left == 0)
		return false;
	if (t->left == t->most)
		t->next_us = now_us + t->interval_us;
	t->left--;
	return true;
}

/* Without delay ours says at each instant what the server says, and what counted tokens say. */
static void
test_agrees_with_the_server(void **state)
{
	uint64_t seed = 20261125;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	for (size_t i = 0; i < ROWS; i++) {
		struct rate r = small(rows[i].rate);
		int64_t interval = rate_interval_us(r);
		struct boulder g = { interval * 1000, interval * 1000 * rate_burst(r), 0 };
		struct tokens t = { rate_burst(r), rate_burst(r), 0, interval };
		struct bucket b = { 0 };
		int64_t now_us = (int64_t)1800000000 * SECOND;
		size_t passed = 0, refused = 0;

		for (size_t n = 0; n < 20000; n++) {
			/* Bursts, a pace near the limit, and long pauses. */
			uint64_t kind = next(&seed) % 100;
			int64_t most = kind < 60 ? interval / 8 + 1 : kind < 98 ? 2 * interval : 40 * interval;

			now_us += (int64_t)(next(&seed) % (uint64_t)most);
			bool ours = bucket_passes(r, &b, (struct instant){ now_us });
			bool server = boulder_spend(&g, now_us * 1000), counted = tokens_take(&t, now_us);

			if (ours != server || ours != counted)
				fail_msg("%s, try %zu: we say %d, the server %d, counted %d", rows[i].name, n, ours,
				    server, counted);
			passed += ours;
			refused += !ours;
			if (ours)
				bucket_spend(r, &b, (struct instant){ now_us });
		}
		assert_true(passed > 1000 && refused > 1000);
	}
}

/*
 * The server counts later than we ask (an order takes its time), or not at all (it failed). Ours knows only the end of
 * each; nevertheless the server never has to refuse what passed here, and a token is not lost by it for good.
 */
enum { OPEN_MOST = 64 };
struct open {
	int64_t counted_us, ended_us;
	bool is_good, is_counted;
};

static void
let_pass(struct open *open, size_t *n, int64_t now_us, struct rate r, struct bucket *b, struct boulder *g, const char *name)
{
	for (size_t i = 0; i < *n;) {
		struct open *o = &open[i];

		if (o->is_good && !o->is_counted && o->counted_us <= now_us) {
			o->is_counted = true;
			if (!boulder_spend(g, o->counted_us * 1000))
				fail_msg("%s: the server refused what passed here", name);
		}
		if (o->ended_us > now_us) {
			i++;
			continue;
		}
		b->held--;
		if (o->is_good)
			bucket_spend(r, b, (struct instant){ now_us });
		*o = open[--*n];
	}
}

static void
test_never_fuller_than_the_server(void **state)
{
	uint64_t seed = 7;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	for (size_t i = 0; i < ROWS; i++) {
		struct rate r = small(rows[i].rate);
		int64_t interval = rate_interval_us(r), now_us = (int64_t)1800000000 * SECOND, first_us = now_us;
		struct boulder g = { interval * 1000, interval * 1000 * rate_burst(r), 0 };
		struct bucket b = { 0 };
		struct open open[OPEN_MOST];
		size_t open_n = 0, passed = 0;

		for (size_t n = 0; n < 40000; n++) {
			now_us += (int64_t)(next(&seed) % (uint64_t)(interval / 4 + 2));
			/* In the order of time, as far as the step is fine enough: every event by itself. */
			for (int64_t at = now_us; open_n > 0; at = now_us) {
				for (size_t k = 0; k < open_n; k++) {
					if (!open[k].is_counted && open[k].is_good && open[k].counted_us < at)
						at = open[k].counted_us;
					if (open[k].ended_us < at)
						at = open[k].ended_us;
				}
				let_pass(open, &open_n, at, r, &b, &g, rows[i].name);
				if (at == now_us)
					break;
			}
			if (open_n == OPEN_MOST || !bucket_passes(r, &b, (struct instant){ now_us }))
				continue;
			int64_t delay = (int64_t)(next(&seed) % (uint64_t)(2 * interval + 1));
			open[open_n++] = (struct open){ now_us + delay,
				now_us + delay + (int64_t)(next(&seed) % (uint64_t)(interval + 1)), next(&seed) % 4 != 0, false };
			b.held++;
			passed++;
		}
		int64_t possible = rate_burst(r) + (now_us - first_us) / interval;
		/* Three quarters are good; what failed came back. Where one is all that there is, each is waited for. */
		if ((int64_t)passed < possible / (rate_burst(r) == 1 ? 4 : 2))
			fail_msg("%s: %zu of %lld possible ones passed", rows[i].name, passed, (long long)possible);
	}
}

static void
test_refused(void **state)
{
	struct rate r = { 50, { 7 * DAY_S }, 0 };
	struct instant now = { (int64_t)1800000000 * SECOND }, until = { now.us + (int64_t)5 * HOUR_S * SECOND };
	struct bucket b = { 0 };

	(void)state;
	bucket_shut(r, &b, until, now);
	assert_int_equal(bucket_left(r, &b, now), 0);
	assert_int_equal(bucket_next(r, &b, now).us, until.us);
	assert_int_equal(bucket_left(r, &b, until), 1);
	bucket_spend(r, &b, until);
	assert_int_equal(bucket_next(r, &b, until).us, until.us + rate_interval_us(r));
	/* Without a known limit the date alone stands. */
	struct bucket other = { 0 };
	struct rate none = { 0 };
	bucket_shut(none, &other, until, now);
	assert_int_equal(bucket_next(none, &other, now).us, until.us);
	assert_int_equal(bucket_left(none, &other, until), INT64_MAX);
	assert_false(bucket_is_full(&other, now));
	assert_true(bucket_is_full(&other, until));
}

static void
test_absurd(void **state)
{
	struct rate r = { 5, { 7 * DAY_S }, 0 };
	struct instant now = { (int64_t)1800000000 * SECOND };
	struct bucket b = { { INT64_MAX }, { INT64_MAX }, INT64_MAX };

	(void)state;
	/* A clock that was years ahead has written this. */
	bucket_mend(r, &b, now);
	assert_true(b.not_before.us <= now.us + (int64_t)60 * DAY_S * SECOND);
	assert_true(b.tat.us <= now.us + (int64_t)67 * DAY_S * SECOND);
	assert_int_equal(bucket_left(r, &b, now), 0);
	assert_true(bucket_next(r, &b, now).us > now.us);
	bucket_spend(r, &b, (struct instant){ INT64_MAX });
	assert_int_equal(b.tat.us, INT64_MAX);
	assert_int_equal(instant_of(WHEN_NEVER).us, INT64_MAX);
	assert_int_equal(instant_when(instant_of(WHEN_NEVER)).s, WHEN_NEVER.s);
	assert_int_equal(instant_when((struct instant){ 1 }).s, 1);
	assert_int_equal(instant_when((struct instant){ 2 * SECOND }).s, 2);
	assert_int_equal(instant_when((struct instant){ -1 }).s, 0);
	struct rate odd[] = { { -1, { 1 }, 0 }, { 1, { 0 }, 0 }, { 1, { -5 }, 0 }, { INT64_MAX, { 1 }, 0 }, { 1, { INT64_MAX }, 0 } };
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		struct bucket fresh = { 0 };

		assert_true(bucket_left(odd[i], &fresh, now) > 0);
		assert_true(bucket_passes(odd[i], &fresh, now));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_capacity_and_refill),
		cmocka_unit_test(test_agrees_with_the_server),
		cmocka_unit_test(test_never_fuller_than_the_server),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_absurd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
