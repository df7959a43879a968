/* The watchdog's file and its letters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "ports/alarms/alarms.h"
#include "words/alarm.h"

static const struct when start = { 1800000000 };

static struct watch some;
static struct watch *
sample(void)
{
	watch_init(&some);
	some.begun = start;
	some.at = when_plus(start, SPAN_H(3));
	some.sites = 12;
	some.samples = 7;
	some.differing = 1;
	for (size_t i = 0; i < WATCH_DAYS; i++)
		some.days_left[i] = (int64_t)i;
	struct alarm *a = &some.alarms[alarm_of_cause(CAUSE_OWN_DISK_FULL)];
	a->is_open = true;
	a->since = a->held_since = start;
	a->told_first = a->told_at = when_plus(start, SPAN_S(5));
	a->sites = 3;
	(void)snprintf(a->words, sizeof a->words, "there is no room: /var/lib (100 %%) 空き容量");
	forecast_begin(&some.forecast, start, SPAN_H(9));
	for (int d = -1; d < FORECAST_DAYS + 4; d += 2)
		forecast_add(&some.forecast, when_plus(start, SPAN_D(d)), SPAN_H(9));
	some.alarms[alarm_of_fault(WATCH_LATE)].owes_end = true;
	some.alarms[alarm_of_fault(WATCH_BLIND)].told_at = start;
	for (unsigned i = 0; i < WATCH_PAST + 1; i++) {
		struct alarm_past p = { .since = start, .ended = when_plus(start, SPAN_S(i)), .sites = i, .alarm = alarm_of_fault(WATCH_LATE) };

		(void)snprintf(p.words, sizeof p.words, "number %u", i);
		watch_remember(&some, &p);
	}
	return &some;
}

static struct watch back;

static void
test_round_trip(void **state)
{
	AUTO_BUF text = { .max = 65536 }, again = { .max = 65536 };

	(void)state;
	alarms_put(sample(), &text);
	assert_int_equal(alarms_parse(buf_str(&text), &back), ERR_OK);
	assert_memory_equal(&back, &some, sizeof back);
	alarms_put(&back, &again);
	assert_true(str_eq(buf_str(&text), buf_str(&again)));
}

/* Cut at any byte, or with any byte changed: refused, or read; never believed by half. */
static void
test_damage(void **state)
{
	AUTO_BUF text = { .max = 65536 };

	(void)state;
	alarms_put(sample(), &text);
	size_t whole = str_find(buf_str(&text), STR("\nend\n")) + 4;
	for (size_t n = 0; n < whole; n++)
		if (alarms_parse((struct str){ text.p, n }, &back) != ERR_CORRUPT)
			fail_msg("cut after %zu bytes, it was believed", n);
	/* Of what is over, the lines that are whole are read. */
	for (size_t n = whole; n <= text.n; n++) {
		size_t lines = 0;

		for (size_t i = whole + 1; i < n; i++)
			lines += text.p[i] == '\n';
		assert_int_equal(alarms_parse((struct str){ text.p, n }, &back), ERR_OK);
		assert_int_equal(back.past_n, lines < WATCH_PAST ? lines : WATCH_PAST);
		assert_true(when_is_known(back.forecast.at) == (lines > WATCH_PAST));
	}
	assert_int_equal(back.past_n, WATCH_PAST);
	assert_string_equal(back.past[0].words, "number 50");
	assert_string_equal(back.past[WATCH_PAST - 1].words, "number 1");
	for (size_t i = 0; i < text.n; i++) {
		char *copy = malloc(text.n);

		assert_non_null(copy);
		memcpy(copy, text.p, text.n);
		copy[i] ^= 1;
		enum err err = alarms_parse((struct str){ copy, text.n }, &back);
		assert_true(err == ERR_OK || err == ERR_CORRUPT);
		free(copy);
	}
	static const char *const bad[] = { "", "koshin-watch 2\nend\n", "koshin-watch 1\nwhat 1\nend\n",
		"koshin-watch 1\nalarm engine.late open 1 - - - - x y\nend\n", "koshin-watch 1\nalarm engine.late ajar 1 - - - - 1 y\nend\n",
		"koshin-watch 1\ndays 1 2\nend\n" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(alarms_parse(str_of(bad[i]), &back), ERR_CORRUPT);
	/* Numbers that none of these can be are not believed. */
	static const char *const odd[] = { "-5", "x", "9223372036854775807", "" };
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		AUTO_BUF file = { .max = 4096 };

		buf_putf(&file, "koshin-watch 1\nend\nforecast 1800000000 %s", odd[i]);
		for (int d = 0; d < FORECAST_DAYS + 2; d++)
			buf_put_str(&file, STR(" 1"));
		buf_putc(&file, '\n');
		assert_int_equal(alarms_parse(buf_str(&file), &back), ERR_OK);
		assert_false(when_is_known(back.forecast.at));
	}
	/* An alarm of another version is no damage. */
	assert_int_equal(alarms_parse(STR("koshin-watch 1\nalarm own.of.later open 1 - - - - 1 y\nend\n"), &back), ERR_OK);
}

static void
test_file(void **state)
{
	char folder[] = "/tmp/koshin-alarms-XXXXXX", file[64], beside[80];

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(file, sizeof file, "%s/%s", folder, ALARMS_FILE);
	(void)snprintf(beside, sizeof beside, "%s.new", file);
	assert_int_equal(alarms_read(file, &back), ERR_NOT_FOUND);
	assert_int_equal(alarms_write(file, sample()), ERR_OK);
	assert_int_equal(alarms_read(file, &back), ERR_OK);
	assert_memory_equal(&back, &some, sizeof back);
	/* A folder where the new file should be: the old one stays whole. */
	assert_int_equal(mkdir(beside, 0700), 0);
	some.sites = 99;
	assert_int_not_equal(alarms_write(file, &some), ERR_OK);
	assert_int_equal(alarms_read(file, &back), ERR_OK);
	assert_int_equal(back.sites, 12);
	assert_int_equal(rmdir(beside), 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
}

/* Every alarm that can open has its words in both languages: title, what to do, the count of sites, and its name. */
static void
test_letters(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ALARM_COUNT; i++) {
		if (i == WATCH_FAULT_COUNT + CAUSE_NONE ||
		    (i >= WATCH_FAULT_COUNT && cause_row(alarm_cause(i))->severity != SEVERITY_ALARM))
			continue;
		for (enum lang l = 0; l < LANG_COUNT; l++)
			for (int is_end = 0; is_end < 2; is_end++) {
				AUTO_BUF subject = { .max = 4096 }, body = { .max = 65536 }, message = { .max = 65536 }, id = { .max = 256 };
				const struct words_context c = { .lang = l, .now = when_plus(start, SPAN_H(3)), .zone = SPAN_H(9) };
				const struct alarm_letter letter = { i, is_end != 0 };
				struct watch *w = sample();

				w->alarms[i].since = start;
				w->alarms[i].sites = 3;
				(void)snprintf(w->alarms[i].words, sizeof w->alarms[i].words, "seen\x01there");
				words_alarm(w, &letter, &c, &subject, &body);
				words_alarm_id(&letter, start, &id);
				buf_putf(&id, "@host.example");
				assert_true(str_is_line(buf_str(&subject)) && str_is_utf8(buf_str(&body)));
				assert_true(str_find(buf_str(&body), STR("seen there")) != SIZE_MAX || is_end);
				assert_true(str_find(buf_str(&body), str_of(alarm_name(i))) != SIZE_MAX);
				assert_true(str_find(buf_str(&body), STR("12")) != SIZE_MAX);
				assert_true(str_find(buf_str(&body), STR("{")) == SIZE_MAX);
				const struct letter_envelope e = { .from = STR("koshin@host.example"), .from_name = STR("koshin"),
					.to = STR("operator@host.example"), .subject = buf_str(&subject), .body = buf_str(&body),
					.message_id = buf_str(&id), .date = start, .lang = l };
				assert_int_equal(words_message(&e, &message), ERR_OK);
				if (i == 0)
					print_message("%.*s\n%.*s\n", STR_ARG(buf_str(&subject)), STR_ARG(buf_str(&body)));
			}
	}
	AUTO_BUF id = { .max = 256 };
	words_alarm_id(&(struct alarm_letter){ WATCH_LATE, true }, start, &id);
	assert_string_equal(id.p, "alarm.engine.late.20270115.end");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
