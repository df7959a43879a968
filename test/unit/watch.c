/* The watchdog's judgement: from what it saw to alarms and letters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "core/watch.h"

static const struct when start = { 1800000000 };
static const struct watch_limits limits = {
	.dead_after = { 180 }, .late_after = { 900 }, .blind_after = { 36 * 3600 }, .confirm_after = { 60 }, .calm_after = { 300 }
};
enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* An installation in which all is well at this date. */
static struct watch_facts
fine(struct when now)
{
	return (struct watch_facts){ .has_store = true, .engine_at = when_minus(now, SPAN_S(30)), .sites = 5,
		.oldest_due = when_plus(now, SPAN_S(40)), .dns_at = when_minus(now, SPAN_H(3)), .probe_at = when_minus(now, SPAN_H(3)),
		.ca_at = when_minus(now, SPAN_D(40)), .is_outside_known = true, .has_route = true, .is_ca_reached = true,
		.is_other_reached = true, .is_clock_known = true };
}

static struct when
at(int64_t s)
{
	return when_plus(start, SPAN_S(s));
}

/* --- one fault each: its alarm, and no other --- */

typedef void change_fn(struct watch_facts *f, struct when now);
static void
be_dead(struct watch_facts *f, struct when now)
{
	/* It died, so it is late as well. */
	f->engine_at = start;
	f->oldest_due = at(20);
	f->due = when_between(at(20), now).s > 900 ? 3 : 0;
}
static void
be_late(struct watch_facts *f, struct when now)
{
	(void)now;
	f->oldest_due = start;
	f->due = 3;
}
static void
see_no_dns(struct watch_facts *f, struct when now)
{
	(void)now;
	f->dns_at = start;
}
static void
see_no_site(struct watch_facts *f, struct when now)
{
	(void)now;
	f->probe_at = start;
}
static void
hear_no_ca(struct watch_facts *f, struct when now)
{
	(void)now;
	f->ca_at = start;
	f->ca_failures = 7;
}
static void
see_other(struct watch_facts *f, struct when now)
{
	(void)now;
	f->differing = 1;
	f->differing_words = STR("example.jp");
}
static void
lose_store(struct watch_facts *f, struct when now)
{
	(void)now;
	*f = (struct watch_facts){ .store_words = STR("koshin.db: there is no such file"), .engine_at = WHEN_UNKNOWN,
		.oldest_due = WHEN_NEVER, .dns_at = WHEN_UNKNOWN, .probe_at = WHEN_UNKNOWN, .ca_at = WHEN_UNKNOWN };
}
static void
fill_disk(struct watch_facts *f, struct when now)
{
	be_dead(f, now);
	f->disk = ERR_DISK_FULL;
}
static void
lock_disk(struct watch_facts *f, struct when now)
{
	be_dead(f, now);
	f->disk = ERR_UNWRITABLE;
}
static void
cut_route(struct watch_facts *f, struct when now)
{
	static const struct watch_cause blind = { CAUSE_OWN_RESOLVER_UNAVAILABLE, 5, { "no answer", 9 } };

	(void)now;
	f->has_route = f->is_ca_reached = f->is_other_reached = false;
	f->causes = &blind;
	f->causes_n = 1;
}
static void
cut_all(struct watch_facts *f, struct when now)
{
	(void)now;
	f->is_ca_reached = f->is_other_reached = false;
}
static void
cut_ca(struct watch_facts *f, struct when now)
{
	(void)now;
	f->is_ca_reached = false;
}
static void
turn_clock(struct watch_facts *f, struct when now)
{
	be_dead(f, now);
	f->clock_off_s = 2 * HOUR;
}
static void
stop_resolver(struct watch_facts *f, struct when now)
{
	static const struct watch_cause cause = { CAUSE_OWN_RESOLVER_UNAVAILABLE, 5, { "no answer", 9 } };

	f->causes = &cause;
	f->causes_n = 1;
	f->dns_at = start;
	(void)now;
}
static void
break_config(struct watch_facts *f, struct when now)
{
	static const struct watch_cause causes[] = { { CAUSE_DNS_A_ELSEWHERE, 4, { "198.51.100.5", 12 } },
		{ CAUSE_OWN_DEPLOY_CONFIG_BROKEN, 2, { "unknown directive", 17 } } };

	(void)now;
	f->causes = causes;
	f->causes_n = 2;
}

static void
close_zone(struct watch_facts *f, struct when now)
{
	static const struct watch_cause causes[] = { { CAUSE_OWN_ZONE_UNWRITABLE, 3, { "REFUSED", 7 } }, { CAUSE_DNS_ADDRESS_MISSING, 3, { "", 0 } } };

	(void)now;
	f->causes = causes;
	f->causes_n = 2;
}

static const struct {
	change_fn *change;
	const char *wanted; /* the only alarm that opens */
	int64_t by;	    /* seconds: it must be open then */
	int64_t not_by;	    /* and not yet then */
} faults[] = {
	{ be_dead, "own.process.stopped", 300, 120 },
	{ be_late, "engine.late", 1020, 840 },
	{ see_no_dns, "engine.blind", 36 * HOUR + 1200, 35 * HOUR },
	{ see_no_site, "engine.blind", 36 * HOUR + 1200, 35 * HOUR },
	{ hear_no_ca, "engine.blind", 36 * HOUR + 1200, 35 * HOUR },
	{ see_other, "served.differs", 120, 30 },
	{ lose_store, "own.store.unavailable", 120, 30 },
	{ fill_disk, "own.disk.full", 120, 30 },
	{ lock_disk, "own.disk.unwritable", 120, 30 },
	{ cut_route, "own.network.down", 120, 30 },
	{ cut_all, "own.network.down", 120, 30 },
	{ cut_ca, "own.outbound.blocked", 120, 30 },
	{ turn_clock, "own.clock.skewed", 120, 30 },
	{ stop_resolver, "own.resolver.unavailable", 120, 30 },
	{ break_config, "own.deploy.config-broken", 120, 30 },
	{ close_zone, "own.zone.unwritable", 120, 30 },
};

static void
test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		struct watch w;
		unsigned wanted;
		int64_t step = faults[i].by > HOUR * 2 ? 10 * MINUTE : 30;

		assert_true(alarm_of_name(str_of(faults[i].wanted), &wanted));
		watch_init(&w);
		for (int64_t s = 0; s <= faults[i].by; s += step) {
			struct watch_facts f = fine(at(s));

			faults[i].change(&f, at(s));
			watch_look(&w, &f, &limits, at(s));
			if (s <= faults[i].not_by && watch_open(&w) != 0)
				fail_msg("%s: open after %lld s", faults[i].wanted, (long long)s);
		}
		if (!w.alarms[wanted].is_open)
			fail_msg("%s: not open", faults[i].wanted);
		for (unsigned k = 0; k < ALARM_COUNT; k++)
			if (w.alarms[k].is_open && k != wanted)
				fail_msg("%s: %s is open too", faults[i].wanted, alarm_name(k));
		/* Mended, it ends after the calm, not before, and says so only if it was told. */
		struct alarm_letter l;
		assert_true(watch_letter(&w, 0, at(faults[i].by), &l));
		assert_int_equal(l.alarm, wanted);
		assert_false(l.is_end);
		watch_told(&w, &l, at(faults[i].by));
		assert_false(watch_letter(&w, 0, at(faults[i].by + HOUR), &l));
		for (int64_t s = faults[i].by + 30; s <= faults[i].by + 30 + 300; s += 30) {
			assert_true(w.alarms[wanted].is_open);
			struct watch_facts f = fine(at(s));
			watch_look(&w, &f, &limits, at(s));
		}
		assert_int_equal(watch_open(&w), 0);
		assert_int_equal(w.past_n, 1);
		assert_int_equal(w.past[0].alarm, wanted);
		assert_true(when_before(w.past[0].since, w.past[0].ended));
		assert_true(watch_letter(&w, 0, at(faults[i].by + 400), &l));
		assert_int_equal(l.alarm, wanted);
		assert_true(l.is_end);
		watch_told(&w, &l, at(faults[i].by + 400));
		assert_false(watch_letter(&w, 0, at(faults[i].by + 400), &l));
	}
}

static void
test_peace(void **state)
{
	struct watch w;

	(void)state;
	watch_init(&w);
	/* Ten days in which all is well, and a CA that nobody needed. */
	for (int64_t s = 0; s < 10 * DAY; s += MINUTE) {
		struct watch_facts f = fine(at(s));

		watch_look(&w, &f, &limits, at(s));
		assert_int_equal(watch_open(&w), 0);
	}
	assert_int_equal(w.sites, 5);
	/* The machine was off for a week: the engine gets its time. */
	watch_init(&w);
	for (int64_t s = 0; s <= 120; s += 30) {
		struct watch_facts f = fine(at(s));

		f.engine_at = f.dns_at = f.probe_at = f.oldest_due = at(-7 * DAY);
		f.due = 5;
		watch_look(&w, &f, &limits, at(s));
	}
	assert_int_equal(watch_open(&w), 0);
	/* A sign of life from the future, which a clock that ran ahead has left, hides no death. */
	watch_init(&w);
	for (int64_t s = 0; s <= 300; s += 30) {
		struct watch_facts f = fine(at(s));

		f.engine_at = at(60 * DAY);
		watch_look(&w, &f, &limits, at(s));
	}
	assert_true(w.alarms[alarm_of_cause(CAUSE_OWN_PROCESS_STOPPED)].is_open);
	watch_init(&w);
	/* One look that went wrong is no alarm. */
	struct watch_facts f = fine(at(150));
	lose_store(&f, at(150));
	watch_look(&w, &f, &limits, at(150));
	f = fine(at(180));
	watch_look(&w, &f, &limits, at(180));
	lose_store(&f, at(210));
	watch_look(&w, &f, &limits, at(210));
	assert_int_equal(watch_open(&w), 0);
}

/* What cannot be known neither opens nor ends. */
static void
test_unknown(void **state)
{
	struct watch w;

	(void)state;
	watch_init(&w);
	for (int64_t s = 0; s <= 120; s += 60) {
		struct watch_facts f = fine(at(s));

		see_other(&f, at(s));
		watch_look(&w, &f, &limits, at(s));
	}
	assert_int_equal(watch_open(&w), 1);
	for (int64_t s = 180; s <= HOUR; s += 60) {
		struct watch_facts f;

		lose_store(&f, at(s));
		watch_look(&w, &f, &limits, at(s));
	}
	assert_true(w.alarms[alarm_of_fault(WATCH_DIFFERS)].is_open);
	assert_int_equal(watch_open(&w), 2);
	assert_int_equal(w.sites, 5); /* the last that was known */
}

/* Over a month of one fault: a letter a day, one at the end. And a flapping one is not told twice a day. */
static void
test_letters(void **state)
{
	struct watch w;
	unsigned told = 0, ended = 0;
	int64_t last = INT64_MIN;

	(void)state;
	watch_init(&w);
	for (int64_t s = 0; s < 32 * DAY; s += 5 * MINUTE) {
		struct watch_facts f = fine(at(s));
		struct alarm_letter l;

		if (s < 30 * DAY)
			cut_ca(&f, at(s));
		watch_look(&w, &f, &limits, at(s));
		while (watch_letter(&w, 0, at(s), &l)) {
			if (l.is_end) {
				ended++;
			} else {
				assert_true(last == INT64_MIN || s - last >= DAY);
				told++;
				last = s;
			}
			watch_told(&w, &l, at(s));
		}
	}
	assert_in_range(told, 29, 30);
	assert_int_equal(ended, 1);

	watch_init(&w);
	told = ended = 0;
	for (int64_t s = 0; s < DAY; s += MINUTE) {
		struct watch_facts f = fine(at(s));
		struct alarm_letter l;

		if (s / (20 * MINUTE) % 2 == 0)
			cut_ca(&f, at(s));
		watch_look(&w, &f, &limits, at(s));
		while (watch_letter(&w, 0, at(s), &l)) {
			*(l.is_end ? &ended : &told) += 1;
			watch_told(&w, &l, at(s));
		}
	}
	assert_int_equal(told, 1);
	assert_int_equal(ended, 1);
}

static void
test_names(void **state)
{
	size_t alarms = 0;

	(void)state;
	for (unsigned i = 0; i < ALARM_COUNT; i++) {
		unsigned back;

		if (i == WATCH_FAULT_COUNT + CAUSE_NONE)
			continue;
		assert_true(alarm_of_name(str_of(alarm_name(i)), &back));
		assert_int_equal(back, i);
		assert_true(alarm_cause(i) != CAUSE_NONE);
	}
	assert_false(alarm_of_name(STR("no.such"), &(unsigned){ 0 }));
	/* Whatever is of severity alarm and stands in the store opens its alarm: none is forgotten. */
	for (enum cause c = CAUSE_NONE + 1; c < CAUSE_COUNT; c++) {
		struct watch w;
		struct watch_cause cause = { c, 1, STR("seen\nthere") };

		watch_init(&w);
		for (int64_t s = 0; s <= 120; s += 60) {
			struct watch_facts f = fine(at(s));

			f.causes = &cause;
			f.causes_n = 1;
			watch_look(&w, &f, &limits, at(s));
		}
		assert_int_equal(w.alarms[alarm_of_cause(c)].is_open, cause_row(c)->severity == SEVERITY_ALARM);
		alarms += cause_row(c)->severity == SEVERITY_ALARM;
		if (w.alarms[alarm_of_cause(c)].is_open)
			assert_string_equal(w.alarms[alarm_of_cause(c)].words, "seen there");
	}
	assert_true(alarms >= 12);
}

/* Long words are cut between characters. */
static void
test_words(void **state)
{
	char text[2 * ALARM_WORDS_BYTES];
	struct watch w;

	(void)state;
	for (size_t i = 0; i + 3 <= sizeof text; i += 3)
		memcpy(text + i, "\xe6\x9b\xb4", 3);
	watch_init(&w);
	struct watch_facts f = fine(start);
	f.differing = 1;
	f.differing_words = (struct str){ text, sizeof text / 3 * 3 };
	watch_look(&w, &f, &limits, start);
	size_t n = strlen(w.alarms[WATCH_DIFFERS].words);
	assert_true(n > ALARM_WORDS_BYTES - 4 && n % 3 == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_peace),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
