#include "http/metrics.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "http/json_site.h"
#include "ports/alarms/alarms.h"
#include "ports/store/watch.h"

enum { YOUNG_S = 180 }; /* a heartbeat comes each minute */

static void
gauge(struct buf *b, const char *name, const char *help)
{
	buf_putf(b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void
one(struct buf *b, const char *name, const char *help, int64_t value)
{
	gauge(b, name, help);
	buf_putf(b, "%s %" PRId64 "\n", name, value);
}

/* The value of a label; quotes and backslashes are escaped as the format wants it. */
static void
put_label(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n') {
			buf_put_str(b, STR("\\n"));
			continue;
		}
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_putc(b, '\\');
		buf_putc(b, s.p[i]);
	}
}

static void
put_counts(const struct store_counts *n, struct buf *out)
{
	static const int days[] = { 0, 1, 3, 7, 14 };

	one(out, "koshin_sites", "Sites that are not removed.", n->sites);
	one(out, "koshin_certificates_held", "Sites that hold a certificate.",
	    n->certificates_held);
	one(out, "koshin_orders_open", "Orders at the CA that are under way.", n->orders_open);
	one(out, "koshin_letters_waiting", "Letters that the mail server has not taken yet.",
	    n->letters_waiting);
	one(out, "koshin_letters_given_up", "Letters that were refused for good.",
	    n->letters_given_up);
	one(out, "koshin_letters_bounced", "Letters that came back after they were sent.", n->letters_bounced);
	one(out, "koshin_questions_open", "Questions that wait for an answer.", n->questions_open);
	one(out, "koshin_findings_open", "Findings that stand.", n->findings_open);
	one(out, "koshin_sites_overdue", "Sites whose next step is late.", n->sites_overdue);
	gauge(out, "koshin_certificates_ending",
	    "Held certificates that end within so many days; 0: have ended.");
	for (size_t i = 0; i < sizeof days / sizeof *days; i++)
		buf_putf(out, "koshin_certificates_ending{within_days=\"%d\"} %" PRId64 "\n",
		    days[i], n->ending_within_d[i]);
	gauge(out, "koshin_findings", "Findings that stand, by cause.");
	for (size_t i = 0; i < n->causes_n; i++)
		buf_putf(out, "koshin_findings{cause=\"%s\"} %" PRId64 "\n",
		    cause_row(n->causes[i].cause)->id, n->causes[i].n);
}

static enum err
put_heartbeats(struct store *s, struct when now, struct arena *a, struct buf *out)
{
	struct heartbeat_row *rows;
	size_t n;
	enum err err = store_heartbeats(s, a, &rows, &n);

	if (err != ERR_OK)
		return err;
	gauge(
	    out, "koshin_heartbeat_age_seconds", "Time since a process wrote that it is well.");
	for (size_t i = 0; i < n; i++) {
		buf_put_str(out, STR("koshin_heartbeat_age_seconds{process=\""));
		put_label(out, rows[i].process);
		buf_putf(out, "\"} %" PRId64 "\n", when_between(rows[i].at, now).s);
	}
	return ERR_OK;
}

static int64_t
ca_failures(const struct ca_row *r, struct when now)
{
	(void)now;
	return r->breaker.failures;
}

static int64_t
ca_wait(const struct ca_row *r, struct when now)
{
	struct when until = breaker_not_before(&r->breaker);

	return when_before(now, until) ? when_between(now, until).s : 0;
}

static int64_t
ca_ill(const struct ca_row *r, struct when now)
{
	return when_is_known(r->breaker.ill_since) ? when_between(r->breaker.ill_since, now).s : 0;
}

static int64_t
ca_ready(const struct ca_row *r, struct when now)
{
	(void)now;
	return r->account_url.n > 0;
}

static int64_t
ca_rehearsal(const struct ca_row *r, struct when now)
{
	(void)now;
	return when_is_known(r->canary_done_at) && r->canary_error.n == 0;
}

static enum err
put_cas(struct store *s, struct when now, struct arena *a, struct buf *out)
{
	struct ca_row *rows;
	size_t n;
	enum err err = store_cas(s, a, &rows, &n);

	if (err != ERR_OK)
		return err;
	const struct {
		const char *name, *help;
		int64_t (*value)(const struct ca_row *r, struct when now);
	} all[] = {
		{ "koshin_ca_failures", "Failures of a CA in a row.", ca_failures },
		{ "koshin_ca_wait_seconds", "How long a CA is left alone yet.", ca_wait },
		{ "koshin_ca_ill_seconds", "How long a CA has been ill; 0: it is well.", ca_ill },
		{ "koshin_ca_ready", "1: it has an account of ours.", ca_ready },
		{ "koshin_ca_rehearsal_ok", "1: the last rehearsal went well; 0: it failed, or there was none yet.", ca_rehearsal },
	};
	for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
		gauge(out, all[k].name, all[k].help);
		for (size_t i = 0; i < n; i++) {
			if (!rows[i].is_used)
				continue;
			buf_putf(out, "%s{ca=\"", all[k].name);
			put_label(out, rows[i].name);
			buf_putf(out, "\"} %" PRId64 "\n", all[k].value(&rows[i], now));
		}
	}
	return ERR_OK;
}

static enum err
put_unclassified(struct store *s, struct arena *a, struct buf *out)
{
	struct unclassified_row *rows;
	size_t n;
	enum err err = store_unclassified_count(s, a, &rows, &n);

	if (err != ERR_OK)
		return err;
	/* A gauge: the oldest texts are forgotten, so that the sum can fall. */
	gauge(out, "koshin_unclassified_texts_total",
	    "What CAs said and no rule understood, by the class that it fell back to.");
	for (size_t i = 0; i < n; i++) {
		buf_put_str(out, STR("koshin_unclassified_texts_total{class=\""));
		put_label(out, rows[i].type);
		buf_putf(out, "\"} %" PRId64 "\n", rows[i].times_seen);
	}
	return ERR_OK;
}

static enum err
put_days(struct store *s, struct when now, struct buf *out)
{
	int64_t days[WATCH_DAYS] = { 0 }, sum = 0;
	enum err err = store_days_left(s, now, days);

	if (err != ERR_OK)
		return err;
	gauge(out, "koshin_certificate_days_left",
	    "Held certificates by the days that they have left: those with less than le days.");
	for (size_t i = 0; i < WATCH_DAYS; i++) {
		sum += days[i];
		if (i < WATCH_DAYS - 1)
			buf_putf(out, "koshin_certificate_days_left{le=\"%d\"} %" PRId64 "\n", watch_days[i], sum);
		else
			buf_putf(out, "koshin_certificate_days_left{le=\"+Inf\"} %" PRId64 "\n", sum);
	}
	return ERR_OK;
}

void
metrics_alarms(const char *state_folder, struct when now, struct buf *out)
{
	AUTO_BUF path = { .max = 4096 };
	struct watch *w = malloc(sizeof *w);

	buf_putf(&path, "%s/%s", state_folder, ALARMS_FILE);
	if (w == NULL || path.err != ERR_OK || alarms_read(path.p, w) != ERR_OK) {
		free(w);
		return;
	}
	gauge(out, "koshin_alarm_open", "1: the watchdog has raised this alarm.");
	for (unsigned i = 0; i < ALARM_COUNT; i++)
		if (i < WATCH_FAULT_COUNT ||
		    (i != WATCH_FAULT_COUNT + CAUSE_NONE && cause_row(alarm_cause(i))->severity == SEVERITY_ALARM))
			buf_putf(out, "koshin_alarm_open{alarm=\"%s\"} %d\n", alarm_name(i), w->alarms[i].is_open);
	one(out, "koshin_watch_age_seconds", "Time since the watchdog looked.", when_between(w->at, now).s);
	one(out, "koshin_watch_samples", "Names whose certificate the watchdog saw, in its last round of all.", w->samples);
	one(out, "koshin_watch_differing", "Names that are handed another certificate than the store says.", w->differing);
	free(w);
}

enum err
metrics_write(struct store *s, struct when now, struct arena *a, struct buf *out)
{
	struct store_counts *counts = arena_get(a, sizeof *counts);
	enum err err = counts == NULL ? ERR_MEMORY : store_count(s, now, counts);

	if (err != ERR_OK)
		return err;
	put_counts(counts, out);
	err = put_heartbeats(s, now, a, out);
	if (err == ERR_OK)
		err = put_days(s, now, out);
	if (err == ERR_OK)
		err = put_cas(s, now, a, out);
	if (err == ERR_OK)
		err = put_unclassified(s, a, out);
	return err != ERR_OK ? err : out->err;
}

enum err
metrics_health(struct store *s, struct when now, bool store_is_writable, struct arena *a,
    struct buf *out, bool *ret_healthy)
{
	struct heartbeat_row *rows = NULL;
	size_t n = 0;
	enum err err = store_heartbeats(s, a, &rows, &n);
	bool is_healthy = err == ERR_OK && store_is_writable, has_engine = false;
	json_t *document = json_object(), *ages = json_object();
	char *text;

	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		int64_t age = when_between(rows[i].at, now).s;
		struct str name = arena_str(a, rows[i].process);

		has_engine = has_engine || str_eq(name, STR("engine"));
		is_healthy = is_healthy && age < YOUNG_S;
		if (name.p == NULL || !json_put(ages, name.p, json_integer(age)))
			err = ERR_MEMORY;
	}
	is_healthy = is_healthy && has_engine;
	bool ok = json_put(document, "heartbeats", ages);
	ok = ok && json_put(document, "ok", json_boolean(is_healthy)) &&
	     json_put(document, "store",
		 json_string(store_is_writable && err == ERR_OK ? "writable" : "broken"));
	text = ok ? json_dumps(document, JSON_COMPACT) : NULL;
	json_decref(document);
	if (text == NULL)
		return ERR_MEMORY;
	buf_put(out, text, strlen(text));
	free(text);
	*ret_healthy = is_healthy;
	return out->err;
}
