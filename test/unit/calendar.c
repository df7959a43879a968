#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "core/site.h"

/* The calendar changes on a living fleet: 100,000 lives, 90 days to 64 to 45 to 160 hours, and the orders of each hour. */

enum { H = 3600, D = 86400, LIVES = 100000 };

static uint64_t seed;
static uint32_t
roll(void)
{
	seed += 0x9e3779b97f4a7c15U;
	uint64_t z = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return (uint32_t)((z ^ (z >> 31)) >> 16);
}

static const int64_t START = 1800000000;
static const struct {
	int64_t from_h, life_s;
} eras[] = { { 0, 90 * D }, { 200 * 24, 64 * D }, { 566 * 24, 45 * D }, { 932 * 24, 160 * H } };
enum { ERAS = sizeof eras / sizeof *eras, END_H = 1000 * 24 };

static int64_t
life_at(int64_t s)
{
	int64_t length = 0;

	for (size_t i = 0; i < ERAS; i++)
		if (s >= START + eras[i].from_h * H)
			length = eras[i].life_s;
	return length;
}

struct fleet {
	struct site *sites;
	struct calendar calendar;
	unsigned orders[END_H];
	int32_t first[END_H], *next; /* sites that are looked at in an hour */
};

/* In the hour of this date; past the end: never. */
static void
put(struct fleet *f, size_t i, int64_t at, int64_t least_h)
{
	int64_t h = at < START ? least_h : (at - START) / H;

	h = h < least_h ? least_h : h;
	if (h >= END_H)
		return;
	f->next[i] = f->first[h];
	f->first[h] = (int32_t)i;
	f->sites[i].wake = (struct when){ START + h * H };
}

/* What site_step does at an issue, as far as dates are concerned. */
static void
issue(struct fleet *f, struct site *s, int64_t at, int64_t length)
{
	s->held.is_spread = s->held.id == 0; /* of many */
	s->held.id = 1;
	s->held.life = (struct life){ { at }, { at + length } };
	s->jitter = roll();
	(void)calendar_note(&f->calendar, s->held.life, (struct when){ at });
	if (at >= START && at < START + END_H * (int64_t)H)
		f->orders[(at - START) / H]++;
}

/* Hour by hour, the sites whose date has come, which is asked of the facts anew each time. A site is looked at daily anyway, so
 * within a day of a change of the calendar each has its new date. */
static void
live(struct fleet *f, int64_t from_h, int64_t to_h)
{
	for (int64_t h = from_h; h < to_h; h++) {
		struct when since = f->calendar.since;
		int32_t i = f->first[h];

		while (i >= 0) {
			struct site *s = &f->sites[i];
			int32_t next = f->next[i];
			struct when begin = { START + h * H }, end = { begin.s + H };

			s->calendar = f->calendar;
			struct when due = site_renew_at(s);
			if (due.s < end.s)
				issue(f, s, when_max(due, begin).s, life_at(begin.s));
			s->calendar = f->calendar;
			put(f, (size_t)i, site_renew_at(s).s, h + 1);
			i = next;
		}
		if (f->calendar.since.s == since.s)
			continue;
		for (int64_t k = h + 1; k < END_H; k++)
			f->first[k] = -1;
		for (size_t k = 0; k < LIVES; k++) {
			int64_t look = START + (h + 1 + roll() % 24) * (int64_t)H, due = f->sites[k].wake.s;

			put(f, k, look < due ? look : due, h + 1);
		}
	}
}

/* Peak and mean of the orders of an hour in [from, to). */
static double
peak_to_mean(const struct fleet *f, int64_t from_h, int64_t to_h, double mean)
{
	unsigned peak = 0;

	for (int64_t h = from_h; h < to_h; h++)
		peak = f->orders[h] > peak ? f->orders[h] : peak;
	return peak / mean;
}

static struct fleet *
new_fleet(uint64_t start_seed)
{
	struct fleet *f = calloc(1, sizeof *f);

	seed = start_seed;
	assert_non_null(f);
	f->sites = calloc(LIVES, sizeof *f->sites);
	f->next = calloc(LIVES, sizeof *f->next);
	assert_non_null(f->sites);
	assert_non_null(f->next);
	for (size_t h = 0; h < END_H; h++)
		f->first[h] = -1;
	return f;
}

static void
free_fleet(struct fleet *f)
{
	free(f->sites);
	free(f->next);
	free(f);
}

static void
peak_is_below_one_and_a_half_times_the_mean(void **state)
{
	(void)state;
	struct fleet *f = new_fleet(1);

	/* In full swing: each somewhere in its life. */
	for (size_t i = 0; i < LIVES; i++) {
		struct site *s = &f->sites[i];

		s->held.id = 1;
		issue(f, s, START - 1, 90 * D);
		int64_t age = roll() % (site_renew_at(s).s - START);
		s->held.life.from.s -= age;
		s->held.life.to.s -= age;
		put(f, i, site_renew_at(s).s, 0);
	}
	live(f, 0, END_H);
	for (size_t i = 1; i < ERAS; i++) {
		int64_t to_h = i + 1 < ERAS ? eras[i + 1].from_h : END_H;
		double mean = LIVES * (double)H / (double)life_renew_after(SPAN_S(eras[i].life_s)).s;
		double ratio = peak_to_mean(f, eras[i].from_h, to_h, mean);
		uint64_t sum = 0;

		for (int64_t h = eras[i].from_h; h < to_h; h++)
			sum += f->orders[h];
		print_message("life %4lld h: mean %.0f orders an hour, measured %.0f, peak/mean %.2f\n", (long long)(eras[i].life_s / H), mean,
		    (double)sum / (double)(to_h - eras[i].from_h), ratio);
		if (ratio >= 1.5)
			fail_msg("a life of %lld h: the peak of an hour is %.2f of the mean", (long long)(eras[i].life_s / H), ratio);
		/* Nor is it bought with orders: 5 % more than the lives need. */
		assert_true((double)sum < 1.05 * mean * (double)(to_h - eras[i].from_h));
	}
	free_fleet(f);
}

/* Ten in a second, all the fleet within three hours: the renewals of such a fill do not come as it came. */
static void
first_fill_is_spread(void **state)
{
	(void)state;
	struct fleet *f = new_fleet(2);

	for (size_t i = 0; i < LIVES; i++)
		issue(f, &f->sites[i], START + (int64_t)i * 3 * H / LIVES, 90 * D);
	for (size_t i = 0; i < LIVES; i++)
		put(f, i, site_renew_at(&f->sites[i]).s, 0);
	live(f, 3, 200 * 24);
	double mean = LIVES / (60 * 24.0), ratio = peak_to_mean(f, 3, 200 * 24, mean);
	print_message("first fill in 3 h: peak/mean of the renewals %.2f\n", ratio);
	assert_true(ratio < 3.0);
	free_fleet(f);
}

static void
one_odd_certificate_changes_nothing(void **state)
{
	(void)state;
	struct calendar c = { 0 };
	struct life l90 = { { START }, { START + 90 * D } }, l45 = { { START }, { START + 45 * D } };
	struct when t = { START };

	assert_true(calendar_note(&c, l90, t));
	for (int i = 0; i < 100; i++) {
		(void)calendar_note(&c, l45, t);
		(void)calendar_note(&c, l45, t);
		assert_true(calendar_note(&c, l90, t));
		assert_false(calendar_note(&c, l90, t));
		assert_int_equal(c.life.s, 90 * D);
	}
	(void)calendar_note(&c, l45, (struct when){ START + 5 });
	(void)calendar_note(&c, l45, (struct when){ START + 6 });
	(void)calendar_note(&c, l45, (struct when){ START + 7 });
	assert_int_equal(c.life.s, 45 * D);
	assert_int_equal(c.since.s, START + 5);
	assert_false(calendar_note(&c, (struct life){ { START }, { START } }, t));
}

static void
pull_is_in_proportion(void **state)
{
	static const struct {
		const char *name;
		int64_t life_s, from_d, at_d, now_life_s, since_d, wanted_d;
	} rows[] = {
		{ "no calendar", 90 * D, 0, 60, 0, 0, 60 },
		{ "the same life", 90 * D, 0, 60, 90 * D, 10, 60 },
		{ "half of it is left", 90 * D, 0, 60, 45 * D, 29, 45 },
		{ "all of it is left", 90 * D, 0, 60, 45 * D, 1, 2 + 58 / 2 },
		{ "due on the day of the change", 90 * D, 0, 60, 45 * D, 60, 60 },
		{ "due before", 90 * D, 0, 60, 45 * D, 70, 60 },
		{ "issued after the change", 90 * D, 20, 80, 45 * D, 10, 80 },
		{ "lives became longer", 45 * D, 0, 30, 90 * D, 10, 30 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct life l = { { START + rows[i].from_d * D }, { START + rows[i].from_d * D + rows[i].life_s } };
		struct calendar c = { .life = { rows[i].now_life_s }, .since = { START + rows[i].since_d * D } };
		int64_t got = calendar_pull(&c, l, (struct when){ START + rows[i].at_d * D }).s - START;

		if (got < rows[i].wanted_d * D || got > rows[i].wanted_d * D + D / 2)
			fail_msg("%s: %lld s", rows[i].name, (long long)got);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_odd_certificate_changes_nothing),
		cmocka_unit_test(pull_is_in_proportion),
		cmocka_unit_test(first_fill_is_spread),
		cmocka_unit_test(peak_is_below_one_and_a_half_times_the_mean),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
