#include "engine/inside.h"
#include <stdlib.h>
#include "base/must.h"
#include "base/point.h"

/* Pieces of work: made by a decision, given to a port after the commit, come back through the inbox. */

struct work *
work_new(struct engine *e, enum work_kind kind)
{
	struct work *w = calloc(1, sizeof *w);

	if (w == NULL)
		return NULL;
	w->kind = kind;
	w->engine = e;
	w->retry_after = WHEN_UNKNOWN;
	arena_init(&w->arena, LIMIT_TURN_BYTES);
	w->older = e->newest;
	if (e->newest != NULL)
		e->newest->newer = w;
	e->newest = w;
	return w;
}

void
work_free(struct work **w)
{
	if (*w == NULL)
		return;
	struct work **newest = &(*w)->engine->newest;
	if ((*w)->older != NULL)
		(*w)->older->newer = (*w)->newer;
	if ((*w)->newer != NULL)
		(*w)->newer->older = (*w)->older;
	else
		*newest = (*w)->older;
	evidence_box_free(&(*w)->evidence);
	acme_answer_free(&(*w)->answer);
	arena_fini(&(*w)->arena);
	free(*w);
	*w = NULL;
}

void
queue_init(struct queue *q)
{
	*q = (struct queue){ .tail = &q->head };
}

void
queue_put(struct queue *q, struct work *w)
{
	w->next = NULL;
	*q->tail = w;
	q->tail = &w->next;
	q->n++;
}

struct work *
queue_take(struct queue *q)
{
	struct work *w = q->head;

	if (w == NULL)
		return NULL;
	q->head = w->next;
	if (q->head == NULL)
		q->tail = &q->head;
	q->n--;
	w->next = NULL;
	return w;
}

/* --- answers of the ports --- */

static void
on_evidence(void *arg, struct evidence_box *box)
{
	struct work *w = arg;

	w->evidence = box;
	queue_put(&w->engine->inbox, w);
}

static void
on_keys(void *arg, const struct keys_answer *answer)
{
	struct work *w = arg;

	w->err = answer->err;
	if (answer->sealed.n > 0)
		w->sealed_key = arena_str(&w->arena, answer->sealed);
	w->csr_der = arena_str(&w->arena, answer->csr_der);
	w->set = arena_str(&w->arena, answer->set);
	w->thumbprint = arena_str(&w->arena, answer->thumbprint);
	w->json = arena_str(&w->arena, answer->json);
	if (arena_failed(&w->arena))
		w->err = ERR_MEMORY;
	queue_put(&w->engine->inbox, w);
}

static void
on_acme(void *arg, struct acme_answer *answer)
{
	struct work *w = arg;

	w->answer = answer;
	queue_put(&w->engine->inbox, w);
}

static struct str *
copy_list(struct arena *a, const struct str *list, size_t *n)
{
	struct str *ret = arena_get(a, (*n + 1) * sizeof *ret);

	for (size_t i = 0; ret != NULL && i < *n; i++)
		ret[i] = arena_str(a, list[i]);
	if (ret == NULL)
		*n = 0;
	return ret;
}

static void
copy_directory(const struct acme_directory *d, struct work *w)
{
	w->directory = *d;
	w->directory.terms = arena_str(&w->arena, d->terms);
	w->directory.key_change = arena_str(&w->arena, d->key_change);
	w->directory.caa_identities = copy_list(&w->arena, d->caa_identities, &w->directory.caa_identities_n);
	w->directory.profiles = copy_list(&w->arena, d->profiles, &w->directory.profiles_n);
	w->directory.website = STR_NONE;
}

static void
on_registered(void *arg, const struct acme_registration *r)
{
	struct work *w = arg;

	w->err = r->err;
	w->retry_after = r->retry_after;
	w->url = arena_str(&w->arena, r->url);
	w->problem_type = arena_str(&w->arena, r->problem.type);
	if (r->err == ERR_OK)
		copy_directory(&r->directory, w);
	w->words = arena_strf(&w->arena, "%.*s %.*s%.*s", STR_ARG(r->problem.type), STR_ARG(r->problem.detail),
	    STR_ARG(r->detail));
	if (arena_failed(&w->arena))
		w->err = ERR_MEMORY;
	queue_put(&w->engine->inbox, w);
}

static void
on_deployed(void *arg, const struct deploy_answer *answer)
{
	struct work *w = arg;

	w->err = answer->err;
	w->cause = answer->cause;
	w->is_reloading = answer->is_reloading;
	w->words = arena_str(&w->arena, answer->words);
	w->target = arena_str(&w->arena, answer->target);
	queue_put(&w->engine->inbox, w);
}

static void
on_mailed(void *arg, const struct mail_answer *answer)
{
	struct work *w = arg;

	w->err = answer->err;
	w->words = arena_str(&w->arena, answer->words);
	queue_put(&w->engine->inbox, w);
}

static void
on_record(void *arg, const struct dnsapi_answer *answer)
{
	struct work *w = arg;

	w->err = answer->err;
	w->words = arena_str(&w->arena, answer->words);
	queue_put(&w->engine->inbox, w);
}

/* --- giving work to the ports --- */

static enum err
act_keys(struct engine *e, struct work *w, enum keys_verb verb)
{
	struct keys_job job = { .verb = verb, .names = w->names, .names_n = w->names_n };

	if (verb == KEYS_SITE_NEW)
		job.key_type = (enum key_type)w->tries;
	if (verb == KEYS_SET) {
		job.sealed = w->sealed_key;
		job.chain_pem = w->chain_pem;
	}
	if (verb == KEYS_SEAL)
		job.secret = w->message;
	return e->ports.keys.submit(e->ports.keys.ctx, &job, on_keys, w);
}

/* For the next key: only whether the CA knows it. */
static enum err
act_account(struct engine *e, struct work *w)
{
	const struct ca_row *ca = &account_ca(e, w->ca_id)->row;
	bool is_next = w->kind == WORK_FIND_KEY;
	const struct acme_account account = {
		.id = ca->id,
		.name = ca->name,
		.directory = ca->directory,
		.bundle = ca->bundle,
		.contact = ca->contact,
		.sealed_key = is_next ? ca->next_sealed_key : ca->sealed_key,
		.url = is_next ? STR_NONE : ca->account_url,
		.eab_kid = ca->eab_kid,
		.eab_sealed_hmac = ca->eab_sealed_hmac,
		.preferred_issuer = ca->preferred_issuer,
		.only_existing = is_next,
	};

	return e->ports.acme.open_account(e->ports.acme.ctx, &account, on_registered, w);
}

static enum err
act_sign_change(struct engine *e, struct work *w)
{
	const struct ca_row *ca = &account_ca(e, w->ca_id)->row;
	const struct keys_job job = {
		.verb = KEYS_KEY_CHANGE,
		.sealed = ca->next_sealed_key,
		.sealed_old = ca->sealed_key,
		.kid = ca->account_url,
		.url = ca->key_change,
	};

	return e->ports.keys.submit(e->ports.keys.ctx, &job, on_keys, w);
}

/* BUSY while nobody knows with which key the CA wants them signed. */
static enum err
act_request(struct engine *e, struct work *w)
{
	const struct engine_ca *ca = account_ca(e, w->request.ca_id);

	if (w->kind == WORK_KEY_CHANGE)
		w->request = (struct acme_request){ .verb = ACME_KEY_CHANGE, .ca_id = w->ca_id, .inner = w->json };
	else if (w->kind != WORK_RENEWAL && (ca == NULL || !account_may_ask(ca)))
		return ERR_BUSY;
	return e->ports.acme.submit(e->ports.acme.ctx, &w->request, on_acme, w);
}

/* The answer to challenges is that of this moment, whenever the job was made. */
static enum err
act_deploy(struct engine *e, struct work *w)
{
	w->deploy.thumbprint = account_thumbprint(e);
	w->deploy.answer_at = account_answer_at(e);
	return e->ports.deploy.submit(e->ports.deploy.ctx, &w->deploy, on_deployed, w);
}

static enum err
act_check(struct engine *e, struct work *w)
{
	const struct probe_job job = {
		.names = w->names,
		.names_n = w->names_n,
		.want_dns = !w->is_verify,
		.want_http = !w->is_verify && !w->is_dns_only,
		.want_tls = !w->is_dns_only,
		.want_views = w->wants_views,
		.thumbprint = w->is_verify || w->is_dns_only ? STR_NONE : account_thumbprint(e),
	};

	return e->ports.probe.submit(e->ports.probe.ctx, &job, on_evidence, w);
}

static enum err
act_record(struct engine *e, struct work *w)
{
	const struct dnsapi_job job = { w->names[0], e->policy.addresses, e->policy.addresses_n };

	return e->ports.dnsapi.submit(e->ports.dnsapi.ctx, &job, on_record, w);
}

static enum err
act(struct engine *e, struct work *w)
{
	const struct mail_job mail = { w->from, w->to, w->message };

	switch (w->kind) {
	case WORK_CHECK:
		return act_check(e, w);
	case WORK_SITE_KEY:
		return act_keys(e, w, KEYS_SITE_NEW);
	case WORK_REQUEST:
	case WORK_RENEWAL:
	case WORK_REVOKE:
	case WORK_KEY_CHANGE:
		return act_request(e, w);
	case WORK_SET:
		return act_keys(e, w, KEYS_SET);
	case WORK_DEPLOY:
	case WORK_SNIPPET:
		return act_deploy(e, w);
	case WORK_RECORD:
		return act_record(e, w);
	case WORK_LETTER:
		return e->ports.mail.submit(e->ports.mail.ctx, &mail, on_mailed, w);
	case WORK_ACCOUNT_KEY:
	case WORK_NEXT_KEY:
		return act_keys(e, w, KEYS_ACCOUNT_NEW);
	case WORK_SIGN_CHANGE:
		return act_sign_change(e, w);
	case WORK_SEAL_EAB:
		return act_keys(e, w, KEYS_SEAL);
	case WORK_ACCOUNT:
	case WORK_FIND_KEY:
		return act_account(e, w);
	}
	must(false);
	return ERR_BUG;
}

static void
give(struct engine *e, struct work *w)
{
	POINT("engine.effect.before");
	/* A port that is full gets it again in a later turn: the state of the site says what is under way. */
	if (act(e, w) != ERR_OK)
		queue_put(&e->later, w);
	POINT("engine.effect.after");
}

void
engine_act(struct engine *e)
{
	struct work *w;

	must(!e->is_in_transaction);
	while ((w = queue_take(&e->acts)) != NULL) {
		/* Room at the CA is for orders under way; new ones wait without asking anybody. */
		if (w->kind == WORK_SITE_KEY && !w->has_room)
			queue_put(&e->orders_waiting[w->lane], w);
		else
			give(e, w);
	}
	while ((w = lanes_next_order(e)) != NULL) {
		w->has_room = true;
		give(e, w);
	}
}
