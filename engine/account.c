#include "engine/inside.h"
#include <stdio.h>
#include <string.h>
#include "base/must.h"

/*
 * The account at the CA: key, registration, and the snippet by which every web server answers every challenge. Each
 * step is stored before the next; a restart goes on where it stopped. Also the CA's breaker: while the CA is down or has
 * asked for patience, no site begins an order.
 */

static const int64_t pauses_s[] = { 5, 15, 60, 300 };

static enum err
copy_ca(struct engine *e, const struct ca_row *row)
{
	struct arena fresh;
	struct ca_row c = *row;

	arena_init(&fresh, LIMIT_TURN_BYTES);
	struct str *texts[] = { &c.name, &c.directory, &c.contact, &c.bundle, &c.preferred_issuer, &c.sealed_key, &c.thumbprint,
		&c.account_url, &c.eab_kid, &c.eab_sealed_hmac, &c.caa_identity, &c.terms };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = arena_str(&fresh, *texts[i]);
	if (arena_failed(&fresh)) {
		arena_fini(&fresh);
		return ERR_MEMORY;
	}
	arena_fini(&e->ca_arena);
	e->ca_arena = fresh;
	e->ca = c;
	return ERR_OK;
}

static enum err
save(struct engine *e, struct ca_row *row)
{
	enum err err = store_ca_put(e->ports.store, row, &row->id);

	return err != ERR_OK ? err : copy_ca(e, row);
}

/* The configuration's CA is made known to the store; what the store knows of it (key, account) stays. */
enum err
account_load(struct engine *e)
{
	const struct config_ca *c = &e->config->cas[0];
	struct ca_row *rows, row = { .not_before = WHEN_UNKNOWN };
	size_t n;
	enum err err = store_cas(e->ports.store, &e->arena, &rows, &n);

	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < n; i++)
		if (str_eq(rows[i].name, str_of(c->name)))
			row = rows[i];
	/* Another directory under the same name is another CA: its account is not ours there. */
	if (!str_eq(row.directory, str_of(c->directory)) && row.id != 0)
		row.account_url = row.caa_identity = STR_NONE;
	/* Until the CA has bound the account, the file's key counts and not the one that was sealed before: it may have
	 * been corrected since. */
	if (row.account_url.n == 0 && e->eab_hmac.n > 0)
		row.eab_sealed_hmac = STR_NONE;
	row.name = str_of(c->name);
	row.directory = str_of(c->directory);
	row.contact = str_of(c->contact);
	row.bundle = str_of(c->bundle);
	row.preferred_issuer = str_of(c->preferred_issuer);
	row.eab_kid = str_of(c->eab_kid);
	err = save(e, &row);
	e->ca_is_loaded = err == ERR_OK;
	return err;
}

void
account_ca_failed(struct engine *e, struct when retry_after)
{
	int64_t wait = pauses_s[e->ca.failures < 4 ? e->ca.failures : 3];
	struct when until = when_plus(e->turn.now, SPAN_S(wait + (int64_t)(e->turn.roll % ((uint64_t)wait + 1))));

	if (when_is_known(retry_after))
		until = when_max(until, retry_after);
	e->ca.failures++;
	e->ca.not_before = when_max(e->ca.not_before, until);
	e->policy.ca_not_before = e->ca.not_before;
	e->ca_is_dirty = true;
}

void
account_ca_works(struct engine *e)
{
	if (e->ca.failures == 0)
		return;
	e->ca.failures = 0;
	e->ca.not_before = WHEN_UNKNOWN;
	e->policy.ca_not_before = WHEN_UNKNOWN;
	e->ca_is_dirty = true;
}

static enum err
ask(struct engine *e, enum work_kind kind)
{
	struct work *w = work_new(e, kind);

	if (w == NULL)
		return ERR_MEMORY;
	w->message = e->eab_hmac; /* SEAL_EAB alone reads it */
	w->deploy = (struct deploy_job){ .verb = DEPLOY_CHALLENGE, .thumbprint = e->ca.thumbprint };
	e->account_is_asked = true;
	queue_put(&e->acts, w);
	return ERR_OK;
}

enum err
account_turn(struct engine *e)
{
	if (e->ca_is_dirty) {
		enum err err = store_ca_put(e->ports.store, &e->ca, &e->ca.id);

		if (err != ERR_OK)
			return err;
		e->ca_is_dirty = false;
	}
	if (e->account_is_open || e->account_is_asked || when_before(e->turn.now, e->account_at))
		return ERR_OK;
	if (e->ca.sealed_key.n == 0)
		return ask(e, WORK_ACCOUNT_KEY);
	if (e->ca.eab_kid.n > 0 && e->ca.eab_sealed_hmac.n == 0 && e->eab_hmac.n > 0)
		return ask(e, WORK_SEAL_EAB);
	/* The snippet first: it must answer before the CA can ask. */
	return ask(e, e->snippet_is_written ? WORK_ACCOUNT : WORK_SNIPPET);
}

static void
failed(struct engine *e, const struct work *w, const char *what)
{
	unsigned n = e->account_failures++;
	struct when next = when_plus(e->turn.now, SPAN_S(pauses_s[n < 4 ? n : 3]));

	e->account_at = when_is_known(w->retry_after) ? when_max(next, w->retry_after) : next;
	engine_log(e, "account at %.*s: %s: %s: %.*s", STR_ARG(e->ca.name), what, err_words(w->err), STR_ARG(w->words));
}

enum err
account_answer(struct engine *e, const struct work *w)
{
	struct ca_row row = e->ca;

	e->account_is_asked = false;
	if (w->err != ERR_OK) {
		failed(e, w, w->kind == WORK_ACCOUNT ? "cannot be opened" : w->kind == WORK_SNIPPET ? "the challenge answer cannot be written" : "the key cannot be made");
		return ERR_OK;
	}
	switch (w->kind) {
	case WORK_ACCOUNT_KEY:
		row.sealed_key = w->sealed_key;
		row.thumbprint = w->thumbprint;
		return save(e, &row);
	case WORK_SNIPPET:
		e->snippet_is_written = true;
		return ERR_OK;
	case WORK_ACCOUNT:
		row.account_url = w->url;
		row.caa_identity = w->caa_identity;
		row.terms = w->terms;
		e->ca_offers.has_renewal_info = w->has_renewal_info;
		(void)snprintf(e->ca_offers.profiles, sizeof e->ca_offers.profiles, "%.*s", STR_ARG(w->profiles));
		e->account_is_open = true;
		e->account_failures = 0;
		engine_log(e, "account at %.*s: %.*s", STR_ARG(row.name), STR_ARG(row.account_url));
		return save(e, &row);
	case WORK_SEAL_EAB:
		row.eab_sealed_hmac = w->sealed_key;
		return save(e, &row);
	case WORK_CHECK:
	case WORK_SITE_KEY:
	case WORK_REQUEST:
	case WORK_RENEWAL:
	case WORK_SET:
	case WORK_DEPLOY:
	case WORK_LETTER:
		break;
	}
	must(false);
	return ERR_BUG;
}
