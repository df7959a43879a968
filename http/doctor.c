#include "http/doctor.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/date.h"
#include "base/limits.h"
#include "core/site_plan.h"
#include "http/json_site.h"
#include "ports/alarms/alarms.h"

enum {
	YOUNG_S = 180, /* a process writes its heartbeat each minute */
	OVERDUE_S =
	    300, /* a step that is due waits for a turn of the engine, never for minutes */
	WATCH_LOOKS = 5,
	STUCK_S = 3600, /* a letter that is due is tried within a turn */
};

struct str
doctor_store_file(const struct config *config, struct arena *a)
{
	return arena_strf(a, "%s/koshin.db", config->state_folder);
}

struct str
doctor_master_key_file(const struct config *config, struct arena *a)
{
	return arena_strf(a, "%s/master.key", config->state_folder);
}

/* Files that others must not read or write. One that is not there is no fault of modes. */
static void
examine_mode(struct str file, mode_t forbidden, const char *what, struct buf *lines)
{
	struct stat st;

	if (file.p != NULL && stat(file.p, &st) == 0 && (st.st_mode & forbidden) != 0)
		buf_putf(lines, "P8: %s (%s) has mode %04o: others may read or change it\n",
		    what, file.p, (unsigned)(st.st_mode & 07777));
}

static void
examine_files(const struct doctor_subject *d, struct arena *a, struct buf *lines)
{
	examine_mode(
	    doctor_master_key_file(d->config, a), S_IRWXG | S_IRWXO, "the master key", lines);
	examine_mode(doctor_store_file(d->config, a), S_IRWXO, "the store", lines);
	examine_mode(
	    str_of(d->config->web.socket), S_IRWXG | S_IRWXO, "the socket of the API", lines);
	examine_mode(
	    str_of(d->config->state_folder), S_IWGRP | S_IWOTH, "the state folder", lines);
	for (size_t i = 0; i < d->config->targets_n; i++)
		examine_mode(str_of(d->config->targets[i].folder), S_IWGRP | S_IWOTH,
		    "the folder of live sets", lines);
}

static enum err
engine_is_young(const struct doctor_subject *d, struct arena *a, bool *ret)
{
	struct heartbeat_row *rows;
	size_t n;
	enum err err = store_heartbeats(d->store, a, &rows, &n);

	*ret = false;
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		if (str_eq(rows[i].process, STR("engine")))
			*ret = when_between(rows[i].at, d->now).s < YOUNG_S;
	return err;
}

static bool
is_zero(const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != 0)
			return false;
	return true;
}

static enum err
examine_certificate(const struct doctor_subject *d, const struct site *s, struct str name,
    struct arena *a, struct buf *lines)
{
	struct certificate_row row;
	enum err err, fits;

	if (s->held.id == 0)
		return ERR_OK;
	err = store_certificate_load(d->store, s->held.id, a, &row);
	if (err == ERR_NOT_FOUND) {
		buf_putf(lines, "P7: %.*s: the certificate that it holds is not in the store\n",
		    STR_ARG(name));
		return ERR_OK;
	}
	if (err != ERR_OK)
		return err;
	if (memcmp(row.info.fingerprint, s->held.fingerprint, FINGERPRINT_BYTES) != 0)
		buf_putf(lines,
		    "P7: %.*s: the certificate that it holds has another fingerprint than its "
		    "row\n",
		    STR_ARG(name));
	if (row.is_archived)
		buf_putf(lines,
		    "P3: %.*s: the certificate that it holds was put into the archive\n",
		    STR_ARG(name));
	if (row.sealed_key.n == 0) {
		buf_putf(
		    lines, "P7: %.*s: the key of its certificate is missing\n", STR_ARG(name));
		return ERR_OK;
	}
	fits =
	    d->key_fits == NULL ? ERR_OK : d->key_fits(d->arg, row.sealed_key, row.chain_pem);
	if (fits != ERR_OK)
		buf_putf(lines, "P7: %.*s: its key cannot be used with its certificate: %s\n",
		    STR_ARG(name), err_words(fits));
	return ERR_OK;
}

/* P1: what is believed of a name must be what a handshake has shown. */
static void
examine_names(const struct site *s, struct str name, struct buf *lines)
{
	for (size_t i = 0; i < s->names_n; i++) {
		const struct site_name *n = &s->names[i];

		if (n->served.is_held && (s->held.id == 0 || !when_is_known(n->served.at)))
			buf_putf(lines,
			    "P1: %.*s: %.*s counts as served with a certificate that nobody "
			    "saw\n",
			    STR_ARG(name), STR_ARG(n->name));
		if (n->served.is_ok &&
		    (!when_is_known(n->served.not_after) ||
			is_zero(n->served.fingerprint, sizeof n->served.fingerprint)))
			buf_putf(lines,
			    "P1: %.*s: %.*s counts as well without a certificate that was "
			    "seen\n",
			    STR_ARG(name), STR_ARG(n->name));
	}
}

static void
examine_dates(const struct doctor_subject *d, const struct site *s, struct str name,
    bool is_young, struct buf *lines)
{
	bool wants = s->setting.source == SOURCE_FREE && !s->is_removed;

	if (wants && !when_is_known(s->wake))
		buf_putf(lines,
		    "P2: %.*s wants a certificate and has no date for its next step\n",
		    STR_ARG(name));
	/* Who waits in a lane for a place at the CA is looked at in its time all the same. */
	struct when due = plan_waits_in_lane(s, s->wake) ? when_max(s->wake, s->look_at) : s->wake;
	if (is_young && when_is_known(due) && when_before(when_plus(due, SPAN_S(OVERDUE_S)), d->now))
		buf_putf(lines,
		    "P2: %.*s was due %lld minutes ago, and the engine is running\n",
		    STR_ARG(name), (long long)(when_between(due, d->now).s / 60));
	if (s->doing != DOING_NOTHING && !when_is_known(s->doing_since))
		buf_putf(lines,
		    "P2: %.*s is in the middle of \"%s\", and nobody knows since when\n",
		    STR_ARG(name), doing_name(s->doing));
	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];

		if (f->next_look.s == WHEN_NEVER.s)
			buf_putf(lines, "P4: %.*s: %s has no date of the next look\n",
			    STR_ARG(name), cause_row(f->cause)->id);
		if (f->subject.n == 0)
			buf_putf(lines, "P4: %.*s: %s is about nothing\n", STR_ARG(name),
			    cause_row(f->cause)->id);
	}
}

static enum err
examine_site(const struct doctor_subject *d, int64_t id, bool is_young, struct arena *a,
    struct buf *lines)
{
	struct site s;
	struct str name;
	enum err err = store_site_load(d->store, id, a, &s);

	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err; /* removed meanwhile */
	if (s.names_n == 0) {
		buf_putf(lines, "P7: site %lld has no name\n", (long long)id);
		return ERR_OK;
	}
	name = s.names[0].name;
	examine_dates(d, &s, name, is_young, lines);
	examine_names(&s, name, lines);
	if (s.applied.redirect != 0 && s.held.id == 0)
		buf_putf(lines, "P3: %.*s sends visitors on to HTTPS without a certificate\n",
		    STR_ARG(name));
	if (s.applied.hsts && s.applied.redirect != 308)
		buf_putf(lines, "P3: %.*s promises HTTPS (HSTS) without the lasting redirect\n",
		    STR_ARG(name));
	if ((s.order_id != 0) != (s.doing == DOING_ORDER) && s.order_id != 0)
		buf_putf(
		    lines, "P6: %.*s has an open order that nobody works on\n", STR_ARG(name));
	return examine_certificate(d, &s, name, a, lines);
}

static enum err
examine_sites(const struct doctor_subject *d, bool is_young, struct arena *a, struct buf *lines,
    size_t *ret_sites)
{
	AUTO_BUF after = { 0 };
	size_t n;

	buf_init(&after, LIMIT_NAME_BYTES + 1);
	do {
		struct store_list all = STORE_LIST_ALL;
		struct store_listed *rows;
		enum err err;

		arena_clear(a); /* a page at a time: a store may hold millions */
		all.after = buf_str(&after);
		err = store_sites(d->store, &all, LIMIT_PAGE_ROWS, a, &rows, &n);
		if (err != ERR_OK)
			return err;
		for (size_t i = 0; i < n; i++) {
			err = examine_site(d, rows[i].id, is_young, a, lines);
			if (err != ERR_OK)
				return err;
		}
		*ret_sites += n;
		if (n > 0) {
			buf_clear(&after);
			buf_put_str(&after, rows[n - 1].cursor);
		}
	} while (n == LIMIT_PAGE_ROWS && after.err == ERR_OK);
	return after.err;
}

static enum err
examine_letters(
    const struct doctor_subject *d, bool is_young, struct arena *a, struct buf *lines)
{
	struct letter_row *rows;
	size_t n;
	enum err err;

	if (!is_young)
		return ERR_OK; /* nobody is there to send one */
	err =
	    store_letters_due(d->store, when_minus(d->now, SPAN_S(STUCK_S)), 10, a, &rows, &n);
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		buf_putf(lines,
		    "P2: letter %lld (%s) to %.*s was due more than an hour ago, and the "
		    "engine is running\n",
		    (long long)rows[i].id, letter_name(rows[i].kind), STR_ARG(rows[i].to));
	return err;
}

void
doctor_alarms(const struct config *config, struct when now, bool is_young, struct buf *lines)
{
	AUTO_BUF path = { .max = 4096 };
	struct watch *w = malloc(sizeof *w);
	struct span most = SPAN_S(WATCH_LOOKS * config->watch.every.s + YOUNG_S);

	buf_putf(&path, "%s/%s", config->state_folder, ALARMS_FILE);
	enum err err = w == NULL || path.err != ERR_OK ? ERR_MEMORY : alarms_read(path.p, w);
	if (err != ERR_OK && err != ERR_NOT_FOUND)
		buf_putf(lines, "the watchdog's file %s cannot be read: %s\n", path.p, err_words(err));
	for (unsigned i = 0; err == ERR_OK && i < ALARM_COUNT; i++) {
		const struct alarm *a = &w->alarms[i];
		char since[DATE_TEXT_BYTES];

		date_put(a->since, since);
		if (a->is_open)
			buf_putf(lines, "alarm: %s since %s: %s\n", alarm_name(i), since, a->words);
	}
	if (err == ERR_OK && is_young && when_before(when_plus(w->at, most), now))
		buf_putf(lines, "the watchdog has not looked for %lld minutes, and the engine is running\n",
		    (long long)(when_between(w->at, now).s / 60));
	free(w);
}

/* A reserve that would not work is found out before it is needed. */
static enum err
examine_cas(const struct doctor_subject *d, struct arena *a, struct buf *lines)
{
	struct ca_row *rows;
	size_t n;
	enum err err = store_cas(d->store, a, &rows, &n);

	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		const struct ca_row *r = &rows[i];

		if (r->is_used && r->canary_error.n > 0)
			buf_putf(lines, "CA %.*s: the last rehearsal failed: %.*s\n", STR_ARG(r->name), STR_ARG(r->canary_error));
		if (r->is_used && r->account_url.n == 0 && r->error.n > 0)
			buf_putf(lines, "CA %.*s: there is no account yet: %.*s\n", STR_ARG(r->name), STR_ARG(r->error));
	}
	return err;
}

enum err
doctor_examine(
    const struct doctor_subject *d, struct arena *a, struct buf *lines, size_t *ret_sites)
{
	AUTO_ARENA work = { .max = 0 };
	AUTO_BUF verify = { 0 };
	bool is_young;
	size_t sites = 0;
	enum err err = engine_is_young(d, a, &is_young);

	arena_init(&work, 64 * 1024 * 1024);
	buf_init(&verify, 1024 * 1024);
	if (err == ERR_OK)
		err = store_verify(d->store, &verify);
	for (struct str rest = buf_str(&verify); rest.n > 0;) {
		struct str line = str_cut(&rest, '\n');

		if (line.n > 0)
			buf_putf(lines, "store: %.*s\n", STR_ARG(line));
	}
	if (err == ERR_OK)
		err = examine_sites(d, is_young, &work, lines, &sites);
	if (err == ERR_OK)
		err = examine_letters(d, is_young, a, lines);
	examine_files(d, a, lines);
	if (err == ERR_OK)
		err = examine_cas(d, a, lines);
	doctor_alarms(d->config, d->now, is_young, lines);
	if (err == ERR_OK)
		err = lines->err;
	if (err == ERR_OK)
		*ret_sites = sites;
	return err;
}

json_t *
doctor_document(struct str lines, size_t sites)
{
	json_t *document = json_object(), *list = json_array();
	bool is_ok = lines.n == 0;

	while (lines.n > 0) {
		struct str line = str_cut(&lines, '\n');

		if (line.n > 0 && json_array_append_new(list, json_text(line)) != 0) {
			json_decref(list);
			json_decref(document);
			return NULL;
		}
	}
	if (json_put(document, "broken", list) &&
	    json_put(document, "ok", json_boolean(is_ok)) &&
	    json_put(document, "sites", json_integer((json_int_t)sites)))
		return document;
	json_decref(document);
	return NULL;
}
