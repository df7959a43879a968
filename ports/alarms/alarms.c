#include "ports/alarms/alarms.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* 110 alarms with all their words, and those that are over. */
enum { FILE_BYTES_MAX = 128 * 1024, PATH_BYTES = 4096 };
#define FIRST_LINE "koshin-watch 1"
#define COUNT_MAX INT64_C(1000000000000)

static void
put_when(struct buf *out, struct when w)
{
	if (when_is_known(w))
		buf_putf(out, " %" PRId64, w.s);
	else
		buf_put_str(out, STR(" -"));
}

/* Worth a line: something about it is to be remembered. */
static bool
is_told(const struct alarm *a)
{
	return a->is_open || a->owes_end || when_is_known(a->held_since) || when_is_known(a->told_at);
}

static void
put_forecast(const struct forecast *f, struct buf *out)
{
	if (!when_is_known(f->at))
		return;
	buf_putf(out, "forecast %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64, f->at.s, f->first, f->due, f->later);
	for (size_t i = 0; i < FORECAST_DAYS; i++)
		buf_putf(out, " %" PRId64, f->days[i]);
	buf_putc(out, '\n');
}

void
alarms_put(const struct watch *w, struct buf *out)
{
	buf_put_str(out, STR(FIRST_LINE "\nat"));
	put_when(out, w->begun);
	put_when(out, w->at);
	buf_putf(out, "\nsites %" PRId64 " %" PRId64 " %" PRId64 "\ndays", w->sites, w->samples, w->differing);
	for (size_t i = 0; i < WATCH_DAYS; i++)
		buf_putf(out, " %" PRId64, w->days_left[i]);
	buf_putc(out, '\n');
	for (unsigned i = 0; i < ALARM_COUNT; i++) {
		const struct alarm *a = &w->alarms[i];

		if (i == WATCH_FAULT_COUNT + CAUSE_NONE || !is_told(a))
			continue;
		buf_putf(out, "alarm %s %s", alarm_name(i), a->is_open ? "open" : a->owes_end ? "ended" : "quiet");
		put_when(out, a->since);
		put_when(out, a->held_since);
		put_when(out, a->gone_since);
		put_when(out, a->told_first);
		put_when(out, a->told_at);
		buf_putf(out, " %" PRId64 " %s\n", a->sites, a->words);
	}
	/* A file that was cut short does not end with this. */
	buf_put_str(out, STR("end\n"));
	/* Behind it, where a version that does not know of them does not look: one that is lost is no damage. */
	for (size_t i = 0; i < w->past_n; i++) {
		const struct alarm_past *p = &w->past[i];

		buf_putf(out, "past %s", alarm_name(p->alarm));
		put_when(out, p->since);
		put_when(out, p->ended);
		buf_putf(out, " %" PRId64 " %s\n", p->sites, p->words);
	}
	put_forecast(&w->forecast, out);
}

/* --- reading --- */

static bool
take_number(struct str *line, int64_t *ret)
{
	return str_to_int(str_cut(line, ' '), ret);
}

static bool
take_when(struct str *line, struct when *ret)
{
	struct str word = str_cut(line, ' ');

	*ret = WHEN_UNKNOWN;
	return str_eq(word, STR("-")) || str_to_int(word, &ret->s);
}

static bool
parse_alarm(struct str line, struct watch *w)
{
	struct str name = str_cut(&line, ' '), state = str_cut(&line, ' ');
	struct alarm a = { .since = WHEN_UNKNOWN };
	unsigned alarm;

	a.is_open = str_eq(state, STR("open"));
	a.owes_end = str_eq(state, STR("ended"));
	if (!a.is_open && !a.owes_end && !str_eq(state, STR("quiet")))
		return false;
	if (!take_when(&line, &a.since) || !take_when(&line, &a.held_since) ||
	    !take_when(&line, &a.gone_since) || !take_when(&line, &a.told_first) ||
	    !take_when(&line, &a.told_at) || !take_number(&line, &a.sites) ||
	    line.n >= sizeof a.words)
		return false;
	if (line.n > 0)
		memcpy(a.words, line.p, line.n);
	/* One that this version does not know is no damage. */
	if (alarm_of_name(name, &alarm))
		w->alarms[alarm] = a;
	return true;
}

static bool
parse_line(struct str line, struct watch *w)
{
	struct str word = str_cut(&line, ' ');

	if (str_eq(word, STR("at")))
		return take_when(&line, &w->begun) && take_when(&line, &w->at);
	if (str_eq(word, STR("sites")))
		return take_number(&line, &w->sites) && take_number(&line, &w->samples) &&
		       take_number(&line, &w->differing);
	if (str_eq(word, STR("alarm")))
		return parse_alarm(line, w);
	if (!str_eq(word, STR("days")))
		return false;
	for (size_t i = 0; i < WATCH_DAYS; i++)
		if (!take_number(&line, &w->days_left[i]))
			return false;
	return true;
}

static bool
parse_past(struct str line, struct alarm_past *ret)
{
	struct alarm_past p = { 0 };

	if (!alarm_of_name(str_cut(&line, ' '), &p.alarm) || !take_when(&line, &p.since) || !take_when(&line, &p.ended) ||
	    !take_number(&line, &p.sites) || line.n >= sizeof p.words)
		return false;
	if (line.n > 0)
		memcpy(p.words, line.p, line.n);
	*ret = p;
	return true;
}

/* A number that a file may hold whatever has become of it: sums of some stay numbers. */
static bool
take_count(struct str *line, int64_t *ret)
{
	return take_number(line, ret) && *ret >= 0 && *ret <= COUNT_MAX;
}

static bool
parse_forecast(struct str line, struct forecast *ret)
{
	struct forecast f;
	bool ok = take_count(&line, &f.at.s) && take_count(&line, &f.first) && take_count(&line, &f.due) &&
		  take_count(&line, &f.later);

	for (size_t i = 0; ok && i < FORECAST_DAYS; i++)
		ok = take_count(&line, &f.days[i]);
	if (ok)
		*ret = f;
	return ok;
}

/* What stands behind the end: whole lines, of which none is missed that cannot be read. */
static void
parse_rest(struct str text, struct watch *w)
{
	struct alarm_past all[WATCH_PAST];
	size_t n = 0;

	while (str_find(text, STR("\n")) != SIZE_MAX) {
		struct str line = str_cut(&text, '\n'), word = str_cut(&line, ' ');

		if (str_eq(word, STR("forecast")))
			(void)parse_forecast(line, &w->forecast);
		else if (str_eq(word, STR("past")) && n < WATCH_PAST)
			n += parse_past(line, &all[n]);
	}
	while (n > 0)
		watch_remember(w, &all[--n]);
}

enum err
alarms_parse(struct str text, struct watch *ret)
{
	struct str first = str_cut(&text, '\n');
	bool is_good = str_eq(first, STR(FIRST_LINE)), is_whole = false;

	watch_init(ret);
	while (is_good && !is_whole && text.n > 0) {
		struct str line = str_cut(&text, '\n');

		is_whole = str_eq(line, STR("end"));
		is_good = is_whole || parse_line(line, ret);
	}
	if (is_good && is_whole) {
		parse_rest(text, ret);
		return ERR_OK;
	}
	watch_init(ret);
	return ERR_CORRUPT;
}

enum err
alarms_read(const char *file, struct watch *ret)
{
	AUTO_BUF text = { 0 };
	char part[4096];
	ssize_t n;

	watch_init(ret);
	buf_init(&text, FILE_BYTES_MAX);
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND : err_of_errno(errno);
	while ((n = read(fd, part, sizeof part)) > 0)
		buf_put(&text, part, (size_t)n);
	enum err e = n < 0 ? err_of_errno(errno) : text.err;
	(void)close(fd); /* it was only read */
	return e != ERR_OK ? e : alarms_parse(buf_str(&text), ret);
}

/* --- writing --- */

static enum err
write_all(int fd, struct str text)
{
	while (text.n > 0) {
		ssize_t n = write(fd, text.p, text.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_of_errno(errno);
		text.p += n;
		text.n -= (size_t)n;
	}
	return fsync(fd) == 0 ? ERR_OK : err_of_errno(errno);
}

enum err
alarms_write(const char *file, const struct watch *w)
{
	AUTO_BUF text = { 0 };
	char beside[PATH_BYTES];

	buf_init(&text, FILE_BYTES_MAX);
	alarms_put(w, &text);
	if (text.err != ERR_OK)
		return text.err;
	if (snprintf(beside, sizeof beside, "%s.new", file) >= (int)sizeof beside)
		return ERR_TOO_LONG;
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_of_errno(errno);
	enum err e = write_all(fd, buf_str(&text));
	if (close(fd) != 0 && e == ERR_OK)
		e = err_of_errno(errno);
	if (e == ERR_OK && rename(beside, file) != 0)
		e = err_of_errno(errno);
	if (e != ERR_OK)
		(void)unlink(beside); /* it gives its room back; if not, the next one writes over it */
	return e;
}
