#include "installer/target.h"
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/limits.h"
#include "base/must.h"
#include "base/point.h"
#include "installer/command.h"
#include "installer/nginx.h"
#include "installer/workers.h"

/* A configuration of ten thousand sites takes nginx seconds to read. */
enum { WORKERS_END_MS = 3000 };
static char *nginx_test[] = { (char[]){ "nginx" }, (char[]){ "-t" } };
static char *nginx_reload[] = { (char[]){ "nginx" }, (char[]){ "-s" }, (char[]){ "reload" } };

void
work_init(struct work *w, const struct deploy_job *job, const struct liveset_bytes *bytes)
{
	*w = (struct work){ .job = job, .bytes = bytes };
	buf_init(&w->words, LIMIT_COMMAND_OUTPUT_BYTES + 1024);
	change_init(&w->change);
}

void
work_fini(struct work *w)
{
	buf_fini(&w->words);
	change_fini(&w->change);
}

enum cause
target_cause(enum err e)
{
	if (e == ERR_OK)
		return CAUSE_NONE;
	if (e == ERR_DISK_FULL)
		return CAUSE_OWN_DISK_FULL;
	if (e == ERR_UNWRITABLE)
		return CAUSE_OWN_DISK_UNWRITABLE;
	return e == ERR_MISMATCH ? CAUSE_OWN_CERTIFICATE_KEY_MISMATCH : CAUSE_OWN_UNCLASSIFIED;
}

/* The first failure of a work is the one that is told. */
static void
work_fail(struct work *w, enum err e, enum cause cause, struct str words)
{
	if (w->err != ERR_OK || e == ERR_OK)
		return;
	w->err = e;
	w->cause = cause;
	buf_clear(&w->words);
	buf_put_str(&w->words, words);
}

enum err
target_init(struct target *t, const struct config_target *config, const struct clock *clock,
    const struct files *files, struct why *why)
{
	*t = (struct target){ .config = config, .clock = clock, .journal = { .fd = -1 } };
	t->now = t->together = *files;
	t->together.later = &t->unsynced;
	t->live = (struct liveset){ &t->now, config->folder, FILES_NO_GROUP };
	if (config->folder == NULL || config->folder[0] != '/' ||
	    (config->kind == TARGET_NGINX &&
		(config->config_folder == NULL || config->config_folder[0] != '/'))) {
		why_set(why, "target %s: its folders have to be absolute paths", config->name);
		return ERR_CONFIG;
	}
	if (config->group == NULL || config->group[0] == '\0')
		return ERR_OK;
	errno = 0;
	const struct group *g = getgrnam(config->group);
	if (g == NULL) {
		why_set(why, "target %s: there is no group %s", config->name, config->group);
		return ERR_CONFIG;
	}
	t->live.group = g->gr_gid;
	return ERR_OK;
}

void
target_fini(struct target *t)
{
	journal_close(&t->journal);
	unsynced_fini(&t->unsynced);
}

static enum err
run_command(const struct target *t, char *const *argv, size_t argc, struct buf *words)
{
	struct command c = { argv, argc, NULL, 0, t->command_ms, t->clock };

	buf_clear(words);
	return command_run(&c, words);
}

static enum err
run_test(const struct target *t, struct buf *words)
{
	if (t->config->test_n > 0)
		return run_command(t, t->config->test, t->config->test_n, words);
	return run_command(t, nginx_test, sizeof nginx_test / sizeof nginx_test[0], words);
}

/*
 * nginx -s reload only sends a signal; what the master makes of it is seen by the handshake that follows. `is_settled`: nobody of
 * before answers any more.
 */
static enum err
run_reload(struct target *t, struct buf *words)
{
	bool is_own = t->config->reload_n > 0;
	char *const *argv = is_own ? t->config->reload : nginx_reload;
	size_t argc = is_own ? t->config->reload_n : sizeof nginx_reload / sizeof nginx_reload[0];
	struct workers before;

	POINT("installer.reload.before");
	workers_note(&before, "/proc", argv, argc);
	enum err e = run_command(t, argv, argc, words);
	POINT("installer.reload.after");
	t->is_settled = e == ERR_OK && workers_await_end(&before, t->clock, WORKERS_END_MS);
	return e;
}

/* Everything stands and passed the test: tells the web server. The journal goes when it was told. */
static enum err
accept_and_reload(struct target *t, struct buf *words)
{
	struct why why = { "" };
	enum err e = journal_accept(&t->journal, &why);

	t->reload_due = true;
	if (e == ERR_OK)
		e = run_reload(t, words);
	else
		buf_putf(words, "%s", why.text);
	if (e != ERR_OK)
		return e;
	t->reload_due = false;
	if (journal_remove(&t->journal, NULL) != ERR_OK) {
		/* It is found again by the next start, which then reloads once for nothing. */
	}
	return ERR_OK;
}

/* A predecessor was ended between the first change and the reload. */
static enum err
recover_journal(struct target *t, struct buf *words)
{
	struct why why = { "" };
	struct change c;

	change_init(&c);
	enum err e = run_test(t, words);
	if (e == ERR_OK)
		return accept_and_reload(t, words);
	e = journal_read(&t->journal, &c, &why);
	if (e == ERR_OK)
		e = change_undo(&c, t->live.files, &why);
	change_fini(&c);
	if (e != ERR_OK) {
		buf_clear(words);
		buf_putf(words, "%s", why.text);
		return e;
	}
	e = run_test(t, words);
	if (e == ERR_OK)
		return accept_and_reload(t, words);
	/* Broken without us. What was loaded last is not known: a reload is due as soon as the test passes. */
	t->reload_due = true;
	return journal_accept(&t->journal, &why);
}

enum err
target_recover(struct target *t, struct buf *words)
{
	struct why why = { "" };
	enum err e = liveset_make(&t->live, &why);

	if (e == ERR_OK && t->config->kind != TARGET_FOLDER)
		e = nginx_make_folders(&t->live, t->config, &why);
	if (e == ERR_OK)
		e = files_path(t->journal.path, "%s/journal", t->config->folder);
	if (e != ERR_OK) {
		buf_clear(words);
		buf_putf(words, "%s", why.text);
		return e;
	}
	t->journal.files = t->live.files;
	if (t->config->kind != TARGET_FOLDER && !t->reload_due && journal_exists(&t->journal))
		e = recover_journal(t, words);
	/* A web server that cannot be reloaded is no reason not to write: reload_due says what is missing. */
	t->is_ready = e == ERR_OK || t->reload_due;
	return t->is_ready ? ERR_OK : e;
}

/* A program that takes its certificates from a folder gets nothing of a site that has none and had none. */
static bool
is_nothing_to_put(const struct target *t, const struct work *w)
{
	return t->config->kind == TARGET_FOLDER && w->job->verb == DEPLOY_APPLY && w->bytes == NULL && !liveset_has_site(&t->live, w->job->site_id);
}

/* Sets before the server block that names them, server blocks before the sets that they no longer name. */
static enum err
plan_site(struct target *t, struct work *w, struct why *why)
{
	char set[LIVESET_NAME_BYTES] = "";
	const struct deploy_job *job = w->job;
	struct change *c = &w->change;
	bool is_nginx = t->config->kind == TARGET_NGINX,
	     is_variable = t->config->kind == TARGET_NGINX_VARIABLE;
	bool is_map_changed = false;
	enum err e = ERR_OK;

	if (job->verb == DEPLOY_APPLY)
		e = liveset_make_site(&t->live, job->site_id, why);
	if (e == ERR_OK && w->bytes != NULL) {
		e = liveset_write(&t->live, job->site_id, w->bytes, why, set);
		if (e == ERR_OK)
			e = liveset_plan_current(&t->live, job->site_id, set, c, why);
	}
	size_t before = c->n;
	if (e == ERR_OK && job->verb == DEPLOY_APPLY && (is_nginx || is_variable))
		e = nginx_plan_challenge(&t->live, job, c, why);
	bool is_answer_changed = c->n > before;
	if (e == ERR_OK && is_nginx)
		e = nginx_plan_site(&t->live, t->config, job, c, why);
	if (e == ERR_OK && is_variable)
		e = nginx_plan_flags(&t->live, job, c, &is_map_changed, why);
	if (e == ERR_OK && w->bytes == NULL)
		e = liveset_plan_current(&t->live, job->site_id, "", c, why);
	w->wants_reload = job->is_again || (is_nginx ? c->n > 0 : is_answer_changed || is_map_changed);
	if (e == ERR_OK)
		e = liveset_plan_names(&t->live, job->site_id, job->names,
		    job->verb == DEPLOY_REMOVE ? 0 : job->names_n, c, why);
	return e;
}

static enum err
plan(struct target *t, struct work *w, struct why *why)
{
	change_fini(&w->change);
	w->wants_reload = false;
	if (w->job->verb != DEPLOY_CHALLENGE) {
		if (w->job->site_id <= 0 ||
		    (w->job->verb == DEPLOY_APPLY && w->job->names_n == 0)) {
			why_set(why, "a site needs a number and a name");
			return ERR_INVALID;
		}
		return is_nothing_to_put(t, w) ? ERR_OK : plan_site(t, w, why);
	}
	if (w->job->thumbprint.n == 0) {
		why_set(why, "the account's thumbprint is missing");
		return ERR_INVALID;
	}
	if (t->config->kind == TARGET_FOLDER)
		return ERR_OK;
	enum err e = nginx_plan_challenge(&t->live, w->job, &w->change, why);
	w->wants_reload = w->change.n > 0;
	return e;
}

/* --- what is written together --- */

/*
 * Works whose changes touch different paths: what one of them plans is not what another one does. Their files are written beside their
 * places and synced together, then their renames are done and synced together. For 100 sites this is two syncs instead of 1,500.
 */
enum { RUN_PATHS_MAX = 4096 };
struct run {
	uint64_t paths[RUN_PATHS_MAX]; /* hashes of what is changed */
	size_t paths_n;
	bool is_closed; /* nothing goes together with what is in it */
};

static bool
has_wildcard(const struct deploy_job *job)
{
	for (size_t i = 0; i < job->names_n; i++)
		if (str_starts(job->names[i], STR("*")))
			return true;
	return false;
}

/* Two hashes that are equal by chance cost a sync. */
static bool
run_takes(struct run *r, const struct change *c)
{
	size_t n = r->paths_n;

	if (c->n > RUN_PATHS_MAX - n)
		return false;
	for (size_t i = 0; i < c->n; i++) {
		uint64_t h = str_hash(str_of(c->steps[i].path));

		for (size_t k = 0; k < n; k++)
			if (r->paths[k] == h) {
				r->paths_n = n;
				return false;
			}
		r->paths[r->paths_n++] = h;
	}
	return true;
}

static bool
has_site(const struct work *works, size_t n, int64_t site_id)
{
	for (size_t i = 0; i < n; i++)
		if (works[i].job->site_id == site_id)
			return true;
	return false;
}

/* Says that the command has not answered for this site's files yet; found by the next start. */
static enum err
pending_path(const struct target *t, const struct work *w, char ret[PATH_MAX])
{
	return files_path(
	    ret, "%s/sets/%" PRId64 "/pending", t->config->folder, w->job->site_id);
}

static bool
has_command(const struct target *t, const struct work *w)
{
	return t->config->kind == TARGET_FOLDER && t->config->reload_n > 0 &&
	       w->job->verb != DEPLOY_CHALLENGE;
}

static enum err
note_pending(struct target *t, struct work *w, struct why *why)
{
	char path[PATH_MAX];
	enum err e = pending_path(t, w, path);

	if (e != ERR_OK)
		return e;
	w->is_pending = access(path, F_OK) == 0;
	if (w->is_pending || w->change.n == 0 || w->job->verb != DEPLOY_APPLY)
		return ERR_OK;
	e = files_write(
	    t->live.files, path, STR_NONE, (struct files_access){ 0600, FILES_NO_GROUP }, why);
	w->is_pending = e == ERR_OK;
	return e;
}

static enum err
prepare_work(struct target *t, struct work *w, struct why *why)
{
	bool has_journal = t->config->kind != TARGET_FOLDER;
	enum err e = has_command(t, w) ? note_pending(t, w, why) : ERR_OK;

	if (e == ERR_OK && has_journal && w->change.n > 0 && t->journal.fd < 0)
		e = journal_open(&t->journal, t->live.files, t->config->folder, why);
	return e == ERR_OK ? change_prepare(&w->change, t->live.files,
				 has_journal ? &t->journal : NULL, why)
			   : e;
}

static void
work_fail_for(struct work *w, enum err e, const struct why *why)
{
	w->wants_reload = false;
	work_fail(
	    w, e, target_cause(e), str_of(why->text[0] != '\0' ? why->text : err_words(e)));
}

/* Plans and prepares as many works as go together, from the first on; gives how many. One that does not go with them is planned anew. */
static size_t
prepare_run(struct target *t, struct work *works, size_t n, struct run *r)
{
	size_t i = 0, taken = 0;

	for (; i < n && !r->is_closed; i++) {
		struct work *w = &works[i];
		struct why why = { "" };
		bool is_alone = has_wildcard(w->job);

		if (w->err != ERR_OK)
			continue;
		if (taken > 0 && (is_alone || has_site(works, i, w->job->site_id)))
			break;
		enum err e = plan(t, w, &why);
		if (e == ERR_OK && !run_takes(r, &w->change)) {
			if (taken > 0)
				break;
			r->is_closed =
			    true; /* it has more steps than any run: it is one by itself */
		}
		if (e == ERR_OK)
			e = prepare_work(t, w, &why);
		if (e != ERR_OK)
			work_fail_for(w, e, &why);
		r->is_closed = r->is_closed || is_alone;
		taken++;
	}
	return i;
}

/* The renames of what is prepared. */
static void
do_run(struct target *t, struct work *works, size_t n)
{
	struct why why = { "" };

	for (size_t i = 0; i < n; i++) {
		struct work *w = &works[i];
		struct why own = { "" };
		enum err e =
		    w->err == ERR_OK ? change_do(&w->change, t->live.files, &own) : ERR_OK;

		if (e != ERR_OK)
			work_fail_for(w, e, &own);
	}
	enum err e = unsynced_sync(&t->unsynced, t->live.files, &why);
	for (size_t i = n; e != ERR_OK && i-- > 0;) {
		if (works[i].err != ERR_OK)
			continue;
		if (change_undo(&works[i].change, &t->now, NULL) != ERR_OK) {
			/* As in change_do: the journal still knows. */
		}
		work_fail_for(&works[i], e, &why);
	}
}

static enum err
run_site_command(const struct target *t, const struct work *w, struct buf *words)
{
	const struct deploy_job *job = w->job;
	char site[64],
	    name[512] = "KOSHIN_NAME=", fingerprint[128] = "KOSHIN_FINGERPRINT=", file[256];
	char folder[PATH_MAX] = "KOSHIN_FOLDER=";
	const char *env[] = { site, name, fingerprint, folder,
		job->verb == DEPLOY_REMOVE ? "KOSHIN_VERB=remove" : "KOSHIN_VERB=apply" };
	struct command c = { t->config->test, t->config->test_n, env,
		sizeof env / sizeof env[0], t->command_ms, t->clock };
	enum err e = ERR_OK;

	(void)snprintf(site, sizeof site, "KOSHIN_SITE=%" PRId64, job->site_id);
	if (job->names_n > 0) {
		liveset_name_file(job->names[0], file);
		(void)snprintf(name, sizeof name, "KOSHIN_NAME=%.*s", STR_ARG(job->names[0]));
		e = files_path(folder, "KOSHIN_FOLDER=%s/live/%s", t->config->folder, file);
	}
	if (w->bytes != NULL)
		(void)snprintf(fingerprint, sizeof fingerprint, "KOSHIN_FINGERPRINT=%.*s",
		    STR_ARG(w->bytes->fingerprint));
	buf_clear(words);
	if (e == ERR_OK && c.argc > 0)
		e = command_run(&c, words);
	c.argv = t->config->reload;
	c.argc = t->config->reload_n;
	POINT("installer.command.before");
	if (e == ERR_OK && c.argc > 0)
		e = command_run(&c, words);
	POINT("installer.command.after");
	return e;
}

/* A site's command, after its files. */
static void
tell_command(struct target *t, struct work *w)
{
	char pending[PATH_MAX];
	struct why why = { "" };
	AUTO_BUF words = { .max = 0 };

	if (w->change.n == 0 && !w->is_pending && !w->job->is_again)
		return;
	buf_init(&words, LIMIT_COMMAND_OUTPUT_BYTES + 1024);
	enum err e = pending_path(t, w, pending);
	if (e == ERR_OK)
		e = run_site_command(t, w, &words);
	if (e == ERR_OK) {
		w->is_reloading = true;
		(void)t->now.unlink(
		    t->now.ctx, pending); /* if it stays: one more run of the command */
		return;
	}
	if (change_undo(&w->change, &t->now, &why) != ERR_OK) {
		/* The files are whole either way; the command's words are the ones to tell. */
	}
	work_fail(w, e, CAUSE_OWN_DEPLOY_NOT_SERVED, buf_str(&words));
}

/* Writes the range; true if the web server has to be told of something. */
static bool
write_range(struct target *t, struct work *works, size_t n)
{
	bool wants_reload = false;
	struct run r;

	t->live.files = &t->together;
	for (size_t from = 0; from < n;) {
		struct why why = { "" };

		r.paths_n = 0;
		r.is_closed = false;
		size_t run_n = prepare_run(t, works + from, n - from, &r);
		enum err e = unsynced_sync(&t->unsynced, t->live.files, &why);
		/* What of it is written down is not known either. */
		if (e != ERR_OK)
			t->journal.failed = e;
		for (size_t i = from; e != ERR_OK && i < from + run_n; i++) {
			if (works[i].err != ERR_OK)
				continue;
			change_drop(&works[i].change, t->live.files);
			work_fail_for(&works[i], e, &why);
		}
		do_run(t, works + from, run_n);
		/* What comes later for the same site is planned by what its command has left. */
		for (size_t i = from; i < from + run_n; i++)
			if (works[i].err == ERR_OK && has_command(t, &works[i]))
				tell_command(t, &works[i]);
		from += run_n;
	}
	t->live.files = &t->now;
	for (size_t i = 0; i < n; i++)
		wants_reload =
		    wants_reload || (works[i].err == ERR_OK && works[i].wants_reload);
	return wants_reload;
}

/* False when something could not be put back: then only target_recover may go on. */
static bool
undo_range(struct target *t, struct work *works, size_t n)
{
	struct why why = { "" };
	enum err e = ERR_OK;

	for (size_t i = n; i-- > 0;) {
		enum err one = change_undo(&works[i].change, t->live.files, &why);

		e = e == ERR_OK ? one : e;
	}
	for (size_t i = 0; e != ERR_OK && i < n; i++)
		work_fail(&works[i], e, target_cause(e), str_of(why.text));
	t->is_ready = t->is_ready && e == ERR_OK;
	return e == ERR_OK;
}

static void
fail_range(struct work *works, size_t n, enum cause cause, struct str words)
{
	for (size_t i = 0; i < n; i++)
		work_fail(&works[i], ERR_COMMAND, cause, words);
}

/*
 * Writes and tests a range. When the test fails the range is put back; then either the configuration is broken without
 * us (*is_sound is not known yet, and the test fails again), or somebody in the range breaks it, who is found by halves.
 * Gives true if something that passed is to be reloaded.
 */
static bool
apply_range(struct target *t, struct work *works, size_t n, bool *is_sound)
{
	AUTO_BUF words = { .max = 0 }, again = { .max = 0 };

	buf_init(&words, LIMIT_COMMAND_OUTPUT_BYTES + 1024);
	buf_init(&again, LIMIT_COMMAND_OUTPUT_BYTES + 1024);
	bool wants_reload = write_range(t, works, n);
	if (!wants_reload && !(t->reload_due && !*is_sound))
		return false;
	if (run_test(t, &words) == ERR_OK)
		return true;
	if (!undo_range(t, works, n))
		return false;
	if (!*is_sound && run_test(t, &again) != ERR_OK) {
		fail_range(works, n, CAUSE_OWN_DEPLOY_CONFIG_BROKEN, buf_str(&again));
		return false;
	}
	*is_sound = true;
	if (n == 1) {
		fail_range(works, n, CAUSE_OWN_UNCLASSIFIED, buf_str(&words));
		return t->reload_due;
	}
	bool first = apply_range(t, works, n / 2, is_sound);
	bool second = t->is_ready && apply_range(t, works + n / 2, n - n / 2, is_sound);
	return first || second || t->reload_due;
}

static void
apply_to_nginx(struct target *t, struct work *works, size_t n)
{
	bool is_sound = false;
	AUTO_BUF words = { .max = 0 };

	buf_init(&words, LIMIT_COMMAND_OUTPUT_BYTES + 1024);
	t->journal.failed = ERR_OK;
	bool wants_reload = apply_range(t, works, n, &is_sound);
	if (!t->is_ready) {
		/* The journal has what is to be put back; nothing is reloaded before that is done. */
		fail_range(works, n, CAUSE_OWN_UNCLASSIFIED,
		    STR("an earlier change could not be put back"));
	} else if (wants_reload) {
		if (accept_and_reload(t, &words) != ERR_OK)
			fail_range(works, n, CAUSE_OWN_DEPLOY_NOT_SERVED, buf_str(&words));
		for (size_t i = 0; i < n; i++)
			works[i].is_reloading = works[i].err == ERR_OK && !t->is_settled;
	} else if (!t->reload_due && t->journal.fd >= 0 &&
		   journal_remove(&t->journal, NULL) != ERR_OK) {
		/* As in accept_and_reload: it costs one reload for nothing. */
	}
	journal_close(&t->journal);
}

void
target_apply(struct target *t, struct work *works, size_t n)
{
	AUTO_BUF words = { .max = 0 };

	must(n <= TARGET_BATCH_MAX);
	buf_init(&words, LIMIT_COMMAND_OUTPUT_BYTES + 1024);
	if (!t->is_ready) {
		enum err e = target_recover(t, &words);

		if (e != ERR_OK) {
			for (size_t i = 0; i < n; i++)
				work_fail(&works[i], e, target_cause(e), buf_str(&words));
			return;
		}
	}
	if (t->config->kind == TARGET_FOLDER) {
		(void)write_range(t, works, n);
	} else {
		apply_to_nginx(t, works, n);
	}
	for (size_t i = 0; i < n; i++)
		if (works[i].err == ERR_OK && works[i].job->verb != DEPLOY_CHALLENGE)
			liveset_tidy(&t->live, works[i].job->site_id);
}
