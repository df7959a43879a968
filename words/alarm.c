#include "words/alarm.h"
#include "words/table.h"

enum { KEY_BYTES = 96 };

/* The key of an alarm in words/ui.txt. */
static void
put_ui(const char *prefix, unsigned alarm, const char *suffix, enum lang l, struct buf *out)
{
	AUTO_BUF key = { .max = KEY_BYTES };

	buf_putf(&key, "%s%s%s", prefix, alarm_name(alarm), suffix);
	words_ui(key.p, l, NULL, 0, out);
}

static void
put_line(const char *key, const struct words_context *c, const struct str *args, size_t n, struct buf *out)
{
	words_ui(key, c->lang, args, n, out);
	buf_putc(out, '\n');
}

void
words_alarm_title(unsigned alarm, enum lang l, struct buf *out)
{
	put_ui("alarm.", alarm, "", l, out);
}

void
words_alarm_todo(unsigned alarm, enum lang l, struct buf *out)
{
	put_ui("alarm.", alarm, ".todo", l, out);
}

void
words_alarm_id(const struct alarm_letter *l, struct when day, struct buf *out)
{
	struct civil c = when_civil(day);

	buf_putf(out, "alarm.%s.%04d%02d%02d%s", alarm_name(l->alarm), c.year, c.month, c.day,
	    l->is_end ? ".end" : "");
}

static void
put_days(const struct watch *w, const struct words_context *c, struct buf *out)
{
	AUTO_BUF text = { .max = KEY_BYTES };

	buf_putf(&text, "%lld", (long long)w->sites);
	put_line("alarm.days", c, (const struct str[]){ buf_str(&text) }, 1, out);
	for (size_t i = 0; i < WATCH_DAYS; i++) {
		AUTO_BUF from = { .max = KEY_BYTES }, to = { .max = KEY_BYTES }, count = { .max = KEY_BYTES };
		bool is_last = i == WATCH_DAYS - 1;

		/* The list says most when it is short: empty steps are left out, but never the ended ones. */
		if (i > 0 && w->days_left[i] == 0)
			continue;
		buf_putf(&from, "%d", i > 0 ? watch_days[i - 1] : 0);
		buf_putf(&to, "%d", is_last ? 0 : watch_days[i]);
		buf_putf(&count, "%lld", (long long)w->days_left[i]);
		buf_put_str(out, STR("  "));
		if (i == 0)
			put_line("alarm.days.ended", c, (const struct str[]){ buf_str(&count) }, 1, out);
		else if (is_last)
			put_line("alarm.days.above", c, (const struct str[]){ buf_str(&from), buf_str(&count) }, 2, out);
		else
			put_line("alarm.days.between", c,
			    (const struct str[]){ buf_str(&from), buf_str(&to), buf_str(&count) }, 3, out);
	}
}

static void
put_news(const struct alarm *a, unsigned alarm, const struct words_context *c, struct buf *out)
{
	AUTO_BUF seen = { .max = 4 * ALARM_WORDS_BYTES }, sites = { .max = KEY_BYTES }, todo = { .max = 4096 };

	words_put_clean(str_of(a->words), &seen);
	buf_putf(&sites, "%lld", (long long)a->sites);
	words_alarm_todo(alarm, c->lang, &todo);
	if (seen.n > 0)
		put_line("alarm.seen", c, (const struct str[]){ buf_str(&seen) }, 1, out);
	if (a->sites > 0)
		put_line("alarm.sites", c, (const struct str[]){ buf_str(&sites) }, 1, out);
	put_line("alarm.todo", c, (const struct str[]){ buf_str(&todo) }, 1, out);
}

void
words_alarm(const struct watch *w, const struct alarm_letter *l, const struct words_context *c,
    struct buf *ret_subject, struct buf *ret_body)
{
	const struct alarm *a = &w->alarms[l->alarm];
	AUTO_BUF title = { .max = 1024 }, since = { .max = 1024 };

	words_alarm_title(l->alarm, c->lang, &title);
	words_put_date(a->since, c, &since);
	words_ui(l->is_end ? "alarm.subject-end" : "alarm.subject", c->lang,
	    (const struct str[]){ buf_str(&title) }, 1, ret_subject);
	buf_put_str(ret_body, buf_str(&title));
	buf_put_str(ret_body, STR("\n\n"));
	put_line(l->is_end ? "alarm.over" : "alarm.since", c, (const struct str[]){ buf_str(&since) }, 1, ret_body);
	if (!l->is_end)
		put_news(a, l->alarm, c, ret_body);
	buf_putc(ret_body, '\n');
	put_days(w, c, ret_body);
	buf_putc(ret_body, '\n');
	put_line("alarm.rest", c, NULL, 0, ret_body);
	buf_putf(ret_body, "(%s)\n", alarm_name(l->alarm));
}
