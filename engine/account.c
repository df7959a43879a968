#include "engine/inside.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "core/site_ca.h"

/*
 * The accounts at the CAs: key, registration ahead of all need, and the snippet by which every web server answers every
 * challenge. All accounts share one key until one of them is rolled over, so one thumbprint answers for all (DESIGN 4).
 * Each step is stored before the next; a restart goes on where it stopped. Also the CAs' breakers: while a CA is down or has
 * asked for patience, no site begins an order there.
 */

static const int64_t pauses_s[] = { 5, 15, 60, 300 };
enum {
	DIRECTORY_S = 86400,	/* what a CA offers is read again daily */
	DIRECTORY_RETRY_S = 3600,
	FORGOTTEN_S = 3600,	/* an account is opened again so often at most */
	TABLE_S = 3600,		/* after a rollover the web process still decides what is answered */
};

static struct when
pause_after(const struct engine *e, unsigned failures)
{
	int64_t wait = pauses_s[failures < 4 ? failures : 3];

	return when_plus(e->turn.now, SPAN_S(wait + (int64_t)(e->turn.roll % ((uint64_t)wait + 1))));
}

struct engine_ca *
account_ca(const struct engine *e, int64_t ca_id)
{
	for (size_t i = 0; i < e->cas_n; i++)
		if (e->cas[i]->row.id == ca_id)
			return e->cas[i];
	return NULL;
}

struct str
account_thumbprint(const struct engine *e)
{
	return e->cas_n > 0 ? e->cas[0]->row.thumbprint : STR_NONE;
}

struct str
account_answer_at(const struct engine *e)
{
	return e->snippet.is_table && e->config->web.listen_n > 0 ? str_of(e->config->web.listen[0]) : STR_NONE;
}

/* --- rows --- */

static enum err
copy_row(struct engine_ca *ca, const struct ca_row *row)
{
	struct arena fresh;
	struct ca_row c = *row;

	arena_init(&fresh, LIMIT_TURN_BYTES);
	struct str *texts[] = { &c.name, &c.directory, &c.contact, &c.bundle, &c.preferred_issuer, &c.sealed_key, &c.thumbprint,
		&c.account_url, &c.eab_kid, &c.eab_sealed_hmac, &c.caa_identity, &c.terms, &c.error, &c.profiles,
		&c.caa_identities, &c.key_change, &c.next_sealed_key, &c.next_thumbprint, &c.canary_error };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = arena_str(&fresh, *texts[i]);
	if (arena_failed(&fresh)) {
		arena_fini(&fresh);
		return ERR_MEMORY;
	}
	arena_fini(&ca->arena);
	ca->arena = fresh;
	ca->row = c;
	return ERR_OK;
}

enum err
account_save(struct engine *e, struct engine_ca *ca, const struct ca_row *row)
{
	struct ca_row c = *row;
	enum err err = store_ca_put(e->ports.store, &c, &c.id);

	if (err == ERR_OK)
		err = copy_row(ca, &c);
	ca->is_dirty &= err != ERR_OK;
	account_policy(e);
	return err;
}

/* What it allows: by its line in the configuration, or by its directory alone. */
static enum err
load_budget(struct engine *e, const struct engine_ca *ca)
{
	char directory[LIMIT_URL_BYTES + 1];
	const struct config_ca added = { .directory = directory };

	for (size_t i = 0; i < e->config->cas_n; i++)
		if (str_eq(ca->row.name, str_of(e->config->cas[i].name)))
			return budget_load(e, ca->row.id, &e->config->cas[i]);
	(void)snprintf(directory, sizeof directory, "%.*s", STR_ARG(ca->row.directory));
	return budget_load(e, ca->row.id, &added);
}

static enum err
add_ca(struct engine *e, struct ca_row *row, struct str eab_hmac)
{
	struct engine_ca *ca = calloc(1, sizeof *ca);

	if (ca == NULL)
		return ERR_MEMORY;
	ca->eab_hmac = eab_hmac;
	ca->at = ca->roll.at = ca->polls_at = ca->revokes_at = ca->forgotten_at = WHEN_UNKNOWN;
	buf_init(&ca->roll.words, LIMIT_EVIDENCE_BYTES);
	/* Which key the CA knows is asked before anything is signed with one. */
	ca->roll.is_held = row->next_sealed_key.n > 0;
	row->is_used = true;
	row->position = (unsigned)e->cas_n;
	e->cas[e->cas_n++] = ca;
	enum err err = account_save(e, ca, row);
	return err != ERR_OK ? err : load_budget(e, ca);
}

static struct ca_row *
row_of(struct ca_row *rows, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(rows[i].name, name))
			return &rows[i];
	return NULL;
}

/* The configuration's CA is made known to the store; what the store knows of it (key, account) stays. */
static enum err
load_configured(struct engine *e, const struct config_ca *c, struct str eab_hmac, struct ca_row *rows, size_t n)
{
	const struct ca_row *old = row_of(rows, n, str_of(c->name));
	struct ca_row row = CA_ROW_NEW;

	if (old != NULL)
		row = *old;
	/* Another directory under the same name is another CA: its account is not ours there. */
	if (!str_eq(row.directory, str_of(c->directory)) && row.id != 0)
		row.account_url = row.caa_identity = row.caa_identities = STR_NONE;
	/* Until the CA has bound the account, the file's key counts and not the one that was sealed before: it may have
	 * been corrected since. */
	if (row.account_url.n == 0 && eab_hmac.n > 0)
		row.eab_sealed_hmac = STR_NONE;
	row.name = str_of(c->name);
	row.directory = str_of(c->directory);
	row.contact = str_of(c->contact);
	row.bundle = str_of(c->bundle);
	row.preferred_issuer = str_of(c->preferred_issuer);
	row.eab_kid = str_of(c->eab_kid);
	row.is_added = false;
	return add_ca(e, &row, eab_hmac);
}

static bool
is_configured(const struct engine *e, struct str name)
{
	for (size_t i = 0; i < e->config->cas_n; i++)
		if (str_eq(name, str_of(e->config->cas[i].name)))
			return true;
	return false;
}

static struct engine_ca *
ca_of_name(const struct engine *e, struct str name)
{
	for (size_t i = 0; i < e->cas_n; i++)
		if (str_eq(e->cas[i]->row.name, name))
			return e->cas[i];
	return NULL;
}

/* Those that a person added, after the configuration's; and what the web has written since. */
static enum err
load_added(struct engine *e, struct ca_row *rows, size_t n)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < n; i++) {
		struct engine_ca *ca = ca_of_name(e, rows[i].name);

		if (ca != NULL) {
			ca->row.rollover_asked = rows[i].rollover_asked;
			ca->row.unblock_asked = rows[i].unblock_asked;
		} else if (rows[i].is_added && e->cas_n < LIMIT_CAS) {
			err = add_ca(e, &rows[i], STR_NONE);
		} else if (rows[i].is_used) {
			/* Taken out of the configuration: its account and its certificates stay known. */
			rows[i].is_used = false;
			err = store_ca_put(e->ports.store, &rows[i], &rows[i].id);
		}
	}
	return err;
}

enum err
account_load(struct engine *e)
{
	struct ca_row *rows;
	size_t n;
	int64_t mark;
	enum err err = store_ca_mark(e->ports.store, &mark);

	if (err != ERR_OK || (e->cas_are_loaded && mark == e->cas_mark))
		return err;
	err = store_cas(e->ports.store, &e->arena, &rows, &n);
	for (size_t i = 0; err == ERR_OK && !e->cas_are_loaded && i < e->config->cas_n && i < LIMIT_CAS; i++)
		err = load_configured(e, &e->config->cas[i], e->eab_hmacs != NULL ? e->eab_hmacs[i] : STR_NONE, rows, n);
	for (size_t i = 0; err == ERR_OK && i < n; i++)
		rows[i].is_added &= !is_configured(e, rows[i].name);
	if (err == ERR_OK)
		err = load_added(e, rows, n);
	if (err == ERR_OK)
		err = store_ca_mark(e->ports.store, &e->cas_mark);
	e->cas_are_loaded = err == ERR_OK;
	return err;
}

void
accounts_free(struct engine *e)
{
	for (size_t i = 0; i < e->cas_n; i++) {
		arena_fini(&e->cas[i]->arena);
		buf_fini(&e->cas[i]->roll.words);
		free(e->cas[i]);
	}
	e->cas_n = 0;
}

/* --- what decisions see of them --- */

bool
account_may_ask(const struct engine_ca *ca)
{
	return ca->row.next_sealed_key.n == 0 || ca->roll.is_old_known;
}

static bool
is_ready(const struct engine *e, const struct engine_ca *ca)
{
	return ca->is_open && !ca->roll.is_held && account_may_ask(ca) && e->snippet.is_written &&
	       !breaker_is_blocked(&ca->row.breaker);
}

void
account_policy(struct engine *e)
{
	for (size_t i = 0; i < e->cas_n; i++) {
		const struct engine_ca *ca = e->cas[i];

		e->policy_cas[i] = (struct policy_ca){
			.id = ca->row.id,
			.name = ca->row.name,
			.issuer = ca->row.caa_identity,
			.issuers = ca->row.caa_identities,
			.account_url = ca->row.account_url,
			.not_before = breaker_not_before(&ca->row.breaker),
			.ill_since = ca->row.breaker.ill_since,
			.is_ready = is_ready(e, ca),
			.is_blocked = breaker_is_blocked(&ca->row.breaker),
			.blocked_words = ca->row.error,
			.is_doubtful = ca->row.breaker.failures > 0,
		};
	}
	e->policy.cas = e->policy_cas;
	e->policy.cas_n = e->cas_n;
	e->policy.thumbprint = account_thumbprint(e);
	site_ca_use(&e->policy, 0);
}

struct policy
account_policy_of(const struct engine *e, int64_t ca_id)
{
	struct policy p = e->policy;

	for (size_t i = 0; i < e->cas_n; i++)
		if (e->cas[i]->row.id == ca_id)
			site_ca_use(&p, i);
	return p;
}

static bool
is_open_now(const struct engine *e, size_t i)
{
	return e->policy_cas[i].is_ready && !when_before(e->turn.now, e->policy_cas[i].not_before);
}

struct when
account_shut_until(const struct engine *e)
{
	struct when until = WHEN_NEVER;

	for (size_t i = 0; i < e->cas_n; i++) {
		if (is_open_now(e, i))
			return WHEN_UNKNOWN;
		if (e->policy_cas[i].is_ready)
			until = when_min(until, e->policy_cas[i].not_before);
	}
	return until;
}

bool
account_is_probed(const struct engine *e)
{
	return is_open_now(e, 0) && breaker_state(&e->cas[0]->row.breaker, e->turn.now) == BREAKER_HALF_OPEN;
}

/* --- breakers --- */

static void
touched(struct engine *e, struct engine_ca *ca)
{
	breaker_check(&ca->row.breaker);
	ca->is_dirty = true;
	account_policy(e);
}

void
account_ca_took(struct engine *e, int64_t ca_id)
{
	struct engine_ca *ca = account_ca(e, ca_id);

	if (ca != NULL && breaker_take(&ca->row.breaker, e->turn.now))
		touched(e, ca);
}

void
account_ca_works(struct engine *e, int64_t ca_id)
{
	struct engine_ca *ca = account_ca(e, ca_id);

	if (ca == NULL || !breaker_worked(&ca->row.breaker, e->turn.now))
		return;
	engine_log(e, "CA %.*s is well", STR_ARG(ca->row.name));
	touched(e, ca);
}

void
account_ca_failed(struct engine *e, int64_t ca_id, const struct finding_list *failures, struct when retry_after)
{
	struct engine_ca *ca = account_ca(e, ca_id);

	if (ca == NULL)
		return;
	bool was_ill = when_is_known(ca->row.breaker.ill_since), was_blocked = breaker_is_blocked(&ca->row.breaker);
	if (!breaker_judge(&ca->row.breaker, failures, &e->turn, retry_after))
		return;
	if (!was_blocked && breaker_is_blocked(&ca->row.breaker))
		blocked_begin(e, ca, failures);
	else if (ca->row.breaker.failures == 0)
		engine_log(e, "CA %.*s is well", STR_ARG(ca->row.name));
	else if (!was_ill && when_is_known(ca->row.breaker.ill_since))
		engine_log(e, "CA %.*s is ill: its orders wait", STR_ARG(ca->row.name));
	touched(e, ca);
}

enum err
account_forgotten(struct engine *e, int64_t ca_id)
{
	struct engine_ca *ca = account_ca(e, ca_id);

	if (ca == NULL || ca->row.account_url.n == 0 || ca->is_asked || ca->row.next_sealed_key.n > 0 ||
	    (when_is_known(ca->forgotten_at) && when_before(e->turn.now, when_plus(ca->forgotten_at, SPAN_S(FORGOTTEN_S)))))
		return ERR_OK;
	struct ca_row row = ca->row;
	engine_log(e, "CA %.*s does not know our account %.*s: it is opened again", STR_ARG(row.name), STR_ARG(row.account_url));
	ca->forgotten_at = e->turn.now;
	ca->is_open = false;
	ca->at = WHEN_UNKNOWN;
	row.account_url = STR_NONE;
	return account_save(e, ca, &row);
}

/* --- the answer to challenges --- */

/* Does more than one thumbprint have to be answered? Also for a while after a rollover: an order of before may still be asked. */
static bool
needs_table(const struct engine *e)
{
	for (size_t i = 0; i < e->cas_n; i++) {
		const struct ca_row *r = &e->cas[i]->row;

		if (r->next_thumbprint.n > 0 || (r->thumbprint.n > 0 && !str_eq(r->thumbprint, account_thumbprint(e))))
			return true;
		if (when_is_known(r->rolled_at) && when_before(e->turn.now, when_plus(r->rolled_at, SPAN_S(TABLE_S))))
			return true;
	}
	return false;
}

static enum err
snippet_turn(struct engine *e)
{
	struct snippet *s = &e->snippet;
	struct str thumbprint = account_thumbprint(e);
	bool is_table = needs_table(e);

	if (thumbprint.n == 0 || thumbprint.n >= sizeof s->thumbprint || s->is_asked)
		return ERR_OK;
	if (!str_eq(thumbprint, str_of(s->thumbprint)) || is_table != s->is_table) {
		memcpy(s->thumbprint, thumbprint.p, thumbprint.n);
		s->thumbprint[thumbprint.n] = '\0';
		s->is_table = is_table;
		s->is_written = false;
		account_policy(e);
	}
	if (s->is_written || when_before(e->turn.now, s->at))
		return ERR_OK;
	struct work *w = work_new(e, WORK_SNIPPET);
	if (w == NULL)
		return ERR_MEMORY;
	w->deploy = (struct deploy_job){ .verb = DEPLOY_CHALLENGE };
	s->is_asked = true;
	queue_put(&e->acts, w);
	return ERR_OK;
}

static enum err
snippet_answer(struct engine *e, const struct work *w)
{
	struct snippet *s = &e->snippet;

	s->is_asked = false;
	s->is_written = w->err == ERR_OK;
	if (w->err != ERR_OK) {
		s->at = pause_after(e, s->failures++);
		engine_log(e, "the challenge answer cannot be written: %s: %.*s", err_words(w->err), STR_ARG(w->words));
	} else {
		s->failures = 0;
	}
	account_policy(e);
	return ERR_OK;
}

/* --- registration --- */

struct work *
account_work(struct engine *e, const struct engine_ca *ca, enum work_kind kind)
{
	struct work *w = work_new(e, kind);

	if (w == NULL)
		return NULL;
	w->ca_id = ca->row.id;
	w->message = ca->eab_hmac; /* SEAL_EAB alone reads it */
	queue_put(&e->acts, w);
	return w;
}

static enum err
ask(struct engine *e, struct engine_ca *ca, enum work_kind kind)
{
	if (account_work(e, ca, kind) == NULL)
		return ERR_MEMORY;
	ca->is_asked = true;
	return ERR_OK;
}

/* One key for the installation: its thumbprint is a constant, and every server answers for every CA. */
static enum err
share_key(struct engine *e, struct engine_ca *ca)
{
	const struct ca_row *first = &e->cas[0]->row;
	struct ca_row row = ca->row;

	row.sealed_key = first->sealed_key;
	row.thumbprint = first->thumbprint;
	return account_save(e, ca, &row);
}

/* What an account needs next, and from when on; WHEN_NEVER while something else has to come first. */
enum need { NEEDS_KEY, NEEDS_SHARE, NEEDS_SEAL, NEEDS_OPEN };

static enum need
need_of(const struct engine *e, size_t index, struct when *ret_at)
{
	const struct engine_ca *ca = e->cas[index];
	const struct ca_row *first = &e->cas[0]->row;

	*ret_at = ca->is_asked ? WHEN_NEVER : ca->at;
	if (ca->row.sealed_key.n == 0 && index == 0)
		return NEEDS_KEY;
	if (ca->row.sealed_key.n == 0) {
		if (first->sealed_key.n == 0 || first->next_sealed_key.n > 0)
			*ret_at = WHEN_NEVER;
		return NEEDS_SHARE;
	}
	if (ca->row.eab_kid.n > 0 && ca->row.eab_sealed_hmac.n == 0 && ca->eab_hmac.n > 0)
		return NEEDS_SEAL;
	/* The snippet first: it must answer before the CA can ask. */
	if (!e->snippet.is_written || breaker_is_blocked(&ca->row.breaker))
		*ret_at = WHEN_NEVER;
	else if (ca->is_open && when_is_known(ca->row.directory_at))
		*ret_at = when_max(*ret_at, when_plus(ca->row.directory_at, SPAN_S(DIRECTORY_S)));
	return NEEDS_OPEN;
}

static enum err
ca_turn(struct engine *e, size_t index)
{
	struct engine_ca *ca = e->cas[index];
	struct when at;
	enum need need = need_of(e, index, &at);

	if (when_before(e->turn.now, at))
		return ERR_OK;
	switch (need) {
	case NEEDS_KEY:
		return ask(e, ca, WORK_ACCOUNT_KEY);
	case NEEDS_SHARE:
		return share_key(e, ca);
	case NEEDS_SEAL:
		return ask(e, ca, WORK_SEAL_EAB);
	case NEEDS_OPEN:
		return ask(e, ca, WORK_ACCOUNT);
	}
	must(false);
	return ERR_BUG;
}

enum err
account_turn(struct engine *e)
{
	enum err err = ERR_OK;

	for (size_t i = 0; err == ERR_OK && i < e->cas_n; i++) {
		struct engine_ca *ca = e->cas[i];

		if (ca->is_dirty)
			err = account_save(e, ca, &ca->row);
		if (err == ERR_OK)
			err = blocked_turn(e, ca);
		if (err == ERR_OK)
			err = ca_turn(e, i);
		if (err == ERR_OK && !breaker_is_blocked(&ca->row.breaker))
			err = rollover_turn(e, ca);
		if (err == ERR_OK)
			err = canary_turn(e, i);
	}
	return err == ERR_OK ? snippet_turn(e) : err;
}

struct when
account_next(const struct engine *e)
{
	struct when next = WHEN_NEVER;

	if (!e->snippet.is_written && !e->snippet.is_asked && account_thumbprint(e).n > 0)
		next = e->snippet.at;
	for (size_t i = 0; i < e->cas_n; i++) {
		struct when at;

		(void)need_of(e, i, &at); /* only when, not what */
		next = when_min(next, at);
		next = when_min(next, blocked_next(e->cas[i]));
		if (!breaker_is_blocked(&e->cas[i]->row.breaker))
			next = when_min(next, rollover_next(e, e->cas[i]));
		next = when_min(next, canary_next(e, i));
	}
	return next;
}

static enum err
failed(struct engine *e, struct engine_ca *ca, const struct work *w)
{
	struct ca_row row = ca->row;
	struct when next = pause_after(e, ca->failures++);

	/* What was known of it holds; only the daily reading is late. */
	if (ca->is_open)
		next = when_max(next, when_plus(e->turn.now, SPAN_S(DIRECTORY_RETRY_S)));
	ca->at = when_is_known(w->retry_after) ? when_max(next, w->retry_after) : next;
	engine_log(e, "account at %.*s: %s: %.*s", STR_ARG(row.name), err_words(w->err), STR_ARG(w->words));
	if (w->kind == WORK_ACCOUNT && err_class_of(w->err) == ERR_CLASS_TRANSIENT)
		breaker_failed(&row.breaker, &e->turn, w->retry_after);
	row.error = arena_strf(&e->arena, "%s: %.*s", err_words(w->err), STR_ARG(w->words));
	return account_save(e, ca, &row);
}

static struct str
join(struct arena *a, const struct str *list, size_t n)
{
	struct str all = STR_NONE;

	for (size_t i = 0; i < n && i < 32; i++)
		if (list[i].n > 0 && memchr(list[i].p, ' ', list[i].n) == NULL)
			all = all.n == 0 ? list[i] : arena_strf(a, "%.*s %.*s", STR_ARG(all), STR_ARG(list[i]));
	return all;
}

static enum err
opened(struct engine *e, struct engine_ca *ca, const struct work *w)
{
	const struct acme_directory *d = &w->directory;
	struct ca_row row = ca->row;

	row.account_url = w->url;
	row.terms = d->terms;
	row.caa_identity = d->caa_identities_n > 0 ? d->caa_identities[0] : STR_NONE;
	row.caa_identities = join(&e->arena, d->caa_identities, d->caa_identities_n);
	row.profiles = join(&e->arena, d->profiles, d->profiles_n);
	row.has_renewal_info = d->has_renewal_info;
	row.eab_required = d->eab_required;
	row.key_change = d->key_change;
	row.directory_at = e->turn.now;
	row.error = ca->roll.is_refused ? row.error : STR_NONE;
	/* Orders of the account that is gone have shut the breaker; the new one has no part in that. */
	if (when_is_known(ca->forgotten_at) && !ca->is_open)
		(void)breaker_worked(&row.breaker, e->turn.now);
	if (!ca->is_open)
		engine_log(e, "account at %.*s: %.*s", STR_ARG(row.name), STR_ARG(row.account_url));
	ca->is_open = true;
	ca->failures = 0;
	ca->at = WHEN_UNKNOWN;
	return account_save(e, ca, &row);
}

enum err
account_answer(struct engine *e, struct work *w)
{
	struct engine_ca *ca = account_ca(e, w->ca_id);

	if (w->kind == WORK_SNIPPET)
		return snippet_answer(e, w);
	must(ca != NULL);
	struct ca_row row = ca->row;
	switch (w->kind) {
	case WORK_ACCOUNT_KEY:
	case WORK_SEAL_EAB:
	case WORK_ACCOUNT:
		break;
	case WORK_NEXT_KEY:
	case WORK_FIND_KEY:
	case WORK_SIGN_CHANGE:
	case WORK_KEY_CHANGE:
		return rollover_answer(e, ca, w);
	case WORK_SNIPPET:
	case WORK_CHECK:
	case WORK_SITE_KEY:
	case WORK_REQUEST:
	case WORK_RENEWAL:
	case WORK_REVOKE:
	case WORK_SET:
	case WORK_DEPLOY:
	case WORK_RECORD:
	case WORK_LETTER:
		must(false);
	}
	ca->is_asked = false;
	if (w->err != ERR_OK)
		return failed(e, ca, w);
	if (w->kind == WORK_ACCOUNT)
		return opened(e, ca, w);
	if (w->kind == WORK_SEAL_EAB) {
		row.eab_sealed_hmac = w->sealed_key;
	} else {
		row.sealed_key = w->sealed_key;
		row.thumbprint = w->thumbprint;
	}
	return account_save(e, ca, &row);
}
