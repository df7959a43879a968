#include "watch/inside.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "base/must.h"
#include "ports/alarms/alarms.h"
#include "ports/loop/ending.h"
#include "ports/probe/net.h"

/* The process: one look after the other, each judged when all that it began has ended. */

enum {
	LOOK_BYTES = 64 * 1024 * 1024,
	SHAKES_MAX = 32,
	OUTSIDE_LOOKS = 5, /* while all is well, in each fifth look: the directory of a CA is a public thing, but not ours */
	BUSY_MS = 2000,
	CALM_LOOKS = 5,
	PATH_BYTES = 4096,
};

struct run {
	struct watchdog d;
	struct ending ending;
	int fd_ready, fd_lock;
	bool is_first_of_two, was_told;
};

void
watchdog_log(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	for (char *p = line; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	fprintf(stderr, "koshin-watch: %s\n", line);
}

static enum err
path_of(const struct config *c, const char *name, struct buf *ret)
{
	buf_init(ret, PATH_BYTES);
	buf_putf(ret, "%s/%s", c->state_folder, name);
	return ret->err;
}

void
watchdog_keep(struct watchdog *d)
{
	AUTO_BUF path = { 0 };

	if (d->is_once)
		return;
	d->disk = path_of(d->config, ALARMS_FILE, &path);
	if (d->disk == ERR_OK)
		d->disk = alarms_write(path.p, &d->watch);
}

/* --- the end of a look --- */

static void
log_changes(const struct watch *before, const struct watch *w)
{
	for (unsigned i = 0; i < ALARM_COUNT; i++) {
		const struct alarm *a = &w->alarms[i];

		if (a->is_open && !before->alarms[i].is_open)
			watchdog_log("alarm %s: %s", alarm_name(i), a->words);
		else if (!a->is_open && before->alarms[i].is_open)
			watchdog_log("alarm %s is over", alarm_name(i));
	}
}

static void
judge(struct watchdog *d)
{
	static struct watch before; /* too large for a stack that is to stay small; one watchdog a process */

	samples_judge(d);
	d->facts.disk = d->disk;
	d->facts.is_outside_known = d->is_outside_known;
	d->facts.has_route = d->outside_answer.has_route;
	d->facts.is_ca_reached = d->outside_answer.is_ca_reached;
	d->facts.is_other_reached = d->outside_answer.is_other_reached;
	d->facts.outside_words = str_of(d->outside_answer.words);
	d->facts.is_clock_known = d->is_clock_known || d->skew.is_in_doubt;
	d->facts.clock_off_s = d->is_clock_known ? d->clock_off_s : d->skew.off_s;
	before = d->watch;
	watch_look(&d->watch, &d->facts, &d->limits, d->now);
	log_changes(&before, &d->watch);
	d->is_looking = false;
	watchdog_keep(d);
	d->letter_from = 0;
	letters_begin(d);
}

void
watchdog_release(struct watchdog *d)
{
	must(d->open > 0);
	if (--d->open == 0)
		judge(d);
}

/* --- a look --- */

static void
on_outside(void *arg, const struct outside_answer *answer)
{
	struct watchdog *d = arg;
	struct when wall = clock_now(&d->clock);
	struct when date = when_is_known(answer->date) ? when_plus(answer->date, d->config->clock_offset) : WHEN_UNKNOWN;

	d->outside_answer = *answer;
	d->is_outside_known = true;
	d->is_clock_known = when_is_known(date);
	d->clock_off_s = d->is_clock_known ? when_between(date, wall).s : 0;
	skew_witness(&d->skew, date, wall, clock_mono(&d->clock));
	watchdog_release(d);
}

static void
ask_outside(struct watchdog *d)
{
	struct mono now = clock_mono(&d->clock);
	bool is_well = d->is_outside_known && d->outside_answer.is_ca_reached && !d->skew.is_in_doubt;

	if (is_well && now.ms - d->outside_at.ms < OUTSIDE_LOOKS * d->config->watch.every.s * 1000)
		return;
	d->outside_at = now;
	if (outside_ask(d->outside, on_outside, d) == ERR_OK)
		d->open++;
}

static void
read_store(struct watchdog *d)
{
	AUTO_BUF path = { 0 };
	struct why why = { "" };
	struct store *s = NULL;
	enum err e = path_of(d->config, "koshin.db", &path);
	const struct store_options o = { .file = path.p, .is_readonly = true, .busy_timeout_ms = BUSY_MS };

	if (e == ERR_OK)
		e = store_open(&o, &why, &s);
	if (e == ERR_OK) {
		e = store_watched(s, d->now, d->limits.late_after, &d->arena, &d->facts);
		if (e == ERR_OK)
			e = samples_begin(d, s);
		if (e == ERR_OK)
			e = forecast_look(d, s);
		if (e != ERR_OK)
			why_set(&why, "%s", store_words(s));
	}
	store_close(&s);
	if (e == ERR_OK)
		return;
	d->facts.has_store = false;
	d->facts.store_words = arena_strf(&d->arena, "%s: %s", err_words(e), why.text);
}

static void
look(struct watchdog *d)
{
	arena_clear(&d->arena);
	d->now = clock_now(&d->clock);
	d->facts = (struct watch_facts){ .engine_at = WHEN_UNKNOWN,
		.oldest_due = WHEN_NEVER,
		.dns_at = WHEN_UNKNOWN,
		.probe_at = WHEN_UNKNOWN,
		.ca_at = WHEN_UNKNOWN };
	(void)skew_look(&d->skew, d->now, clock_mono(&d->clock), WHEN_UNKNOWN);
	d->is_looking = true;
	d->open = 1;
	ask_outside(d);
	read_store(d);
	watchdog_release(d);
}

/* --- opening and closing --- */

static enum err
open_mail(struct watchdog *d, struct why *why)
{
	const struct config *c = d->config;
	bool is_own = c->watch.server != NULL;

	if (d->is_once || c->watch.operator_mail == NULL)
		return ERR_OK;
	if (!is_own && c->mail.password_file != NULL) {
		enum err e = smtp_read_password(c->mail.password_file, why, &d->password);

		if (e != ERR_OK)
			return e;
	}
	const struct smtp_options o = {
		.server = is_own ? c->watch.server : c->mail.server,
		.user = is_own ? NULL : c->mail.user,
		.password = d->password,
		.tls = is_own ? false : c->mail.tls,
		.bundle = c->mail.bundle,
		.timeout_ms = 60000,
	};
	return smtp_new(d->loop, &o, why, &d->smtp);
}

static enum err
open_all(struct watchdog *d, const struct config *c, struct why *why)
{
	const struct shaker_options shakes = { .gate = &d->gate,
		.roots = c->check.roots,
		.timeout_ms = c->check.timeout_ms,
		.port = c->check.https_port };
	struct shaker_options o = shakes;

	d->config = c;
	d->clock = clock_real(c->clock_offset);
	arena_init(&d->arena, LOOK_BYTES);
	watch_init(&d->watch);
	d->limits = (struct watch_limits){ .dead_after = c->watch.dead_after,
		.late_after = c->watch.late_after,
		.blind_after = c->watch.blind_after,
		.confirm_after = d->is_once ? SPAN_S(0) : c->watch.every,
		.calm_after = SPAN_S(CALM_LOOKS * c->watch.every.s) };
	for (size_t i = 0; i < c->server.addresses_n && d->ours_n < LIMIT_ADDRESSES; i++)
		if (address_read(str_of(c->server.addresses[i]), &d->ours[d->ours_n]) == ERR_OK)
			d->ours_n++;
	enum err e = loop_new(&d->clock, &d->loop);
	if (e != ERR_OK)
		return e;
	gate_init(&d->gate, d->loop, SHAKES_MAX);
	o.loop = d->loop;
	e = shaker_new(&o, why, &d->shaker);
	if (e == ERR_OK)
		e = outside_new(d->loop, c, &d->outside);
	return e == ERR_OK ? open_mail(d, why) : e;
}

static void
close_all(struct watchdog *d)
{
	smtp_free(&d->smtp);
	outside_free(&d->outside);
	samples_stop(d);
	shaker_free(&d->shaker);
	gate_fini(&d->gate);
	loop_free(&d->loop);
	arena_fini(&d->arena);
	free(d->password);
}

/* What an earlier life knew. A file that is damaged is said and begun anew: a letter may then come twice a day. */
static void
remember(struct watchdog *d)
{
	AUTO_BUF path = { 0 };
	enum err e = path_of(d->config, ALARMS_FILE, &path);

	if (e == ERR_OK)
		e = alarms_read(path.p, &d->watch);
	if (e != ERR_OK && e != ERR_NOT_FOUND)
		watchdog_log("%s: %s; begun anew", path.p, err_words(e));
	/* Of what happened while nobody watched nothing is known. */
	d->watch.begun = WHEN_UNKNOWN;
}

/* One at a time looks and writes letters; a second one stands by, and looks on when the first has died. A folder in which
 * no file can be made is no reason to look away. */
static bool
may_look(struct run *r)
{
	AUTO_BUF path = { 0 };

	if (r->is_first_of_two)
		return true;
	if (r->fd_lock < 0 && path_of(r->d.config, "watch.lock", &path) == ERR_OK)
		r->fd_lock = open(path.p, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	r->is_first_of_two = r->fd_lock < 0 || flock(r->fd_lock, LOCK_EX | LOCK_NB) == 0;
	if (r->is_first_of_two)
		remember(&r->d);
	else if (!r->was_told)
		watchdog_log("another watchdog looks already; this one stands by");
	r->was_told = true;
	return r->is_first_of_two;
}

static enum err
rounds(struct run *r)
{
	struct watchdog *d = &r->d;
	struct mono begun = clock_mono(&d->clock);
	enum err e = ERR_OK;

	for (bool is_first = true; !r->ending.is_wanted && e == ERR_OK; is_first = false) {
		int64_t left = begun.ms + d->config->watch.every.s * 1000 - clock_mono(&d->clock).ms;

		if (is_first || (left <= 0 && !d->is_looking)) {
			begun = clock_mono(&d->clock);
			if (may_look(r))
				look(d);
			if (is_first && r->fd_ready >= 0 && write(r->fd_ready, "w", 1) != 1)
				e = err_of_errno(errno);
			continue;
		}
		e = loop_round(d->loop, left > 0 ? left : -1);
	}
	return e;
}

int
watchdog_run(const struct watchdog_options *o)
{
	struct run r = { .ending = ENDING_NONE, .fd_ready = o->fd_ready, .fd_lock = -1 };
	struct why why = { "" };

	enum err e = open_all(&r.d, o->config, &why);
	if (e == ERR_OK)
		e = ending_init(&r.ending, r.d.loop);
	if (e == ERR_OK)
		e = rounds(&r);
	if (e != ERR_OK)
		watchdog_log("stops: %s: %s", err_words(e), why.text);
	ending_fini(&r.ending, r.d.loop);
	close_all(&r.d);
	if (r.fd_lock >= 0)
		(void)close(r.fd_lock);
	return e == ERR_OK ? 0 : 1;
}

enum err
watchdog_once(const struct config *c, struct why *why, struct watch *ret)
{
	struct watchdog d = { .is_once = true };

	(void)signal(SIGPIPE, SIG_IGN);
	enum err e = open_all(&d, c, why);
	/* Dates count from their own beginning, not from this look's. */
	d.watch.begun = (struct when){ 0 };
	if (e == ERR_OK)
		look(&d);
	while (e == ERR_OK && d.is_looking)
		e = loop_round(d.loop, -1);
	if (e == ERR_OK)
		*ret = d.watch;
	close_all(&d);
	return e;
}
