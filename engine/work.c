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

static void
on_registered(void *arg, const struct acme_registration *r)
{
	struct work *w = arg;

	w->err = r->err;
	w->retry_after = r->retry_after;
	w->url = arena_str(&w->arena, r->url);
	w->terms = arena_str(&w->arena, r->directory.terms);
	if (r->directory.caa_identities_n > 0)
		w->caa_identity = arena_str(&w->arena, r->directory.caa_identities[0]);
	w->has_renewal_info = r->directory.has_renewal_info;
	for (size_t i = 0; i < r->directory.profiles_n; i++)
		w->profiles = arena_strf(&w->arena, "%.*s%s%.*s", STR_ARG(w->profiles), i > 0 ? " " : "",
		    STR_ARG(r->directory.profiles[i]));
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

static enum err
act_account(struct engine *e, struct work *w)
{
	const struct acme_account account = {
		.id = e->ca.id,
		.name = e->ca.name,
		.directory = e->ca.directory,
		.contact = e->ca.contact,
		.sealed_key = e->ca.sealed_key,
		.url = e->ca.account_url,
		.eab_kid = e->ca.eab_kid,
		.eab_sealed_hmac = e->ca.eab_sealed_hmac,
		.preferred_issuer = e->ca.preferred_issuer,
	};

	return e->ports.acme.open_account(e->ports.acme.ctx, &account, on_registered, w);
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
		.thumbprint = w->is_verify || w->is_dns_only ? STR_NONE : e->ca.thumbprint,
	};

	return e->ports.probe.submit(e->ports.probe.ctx, &job, on_evidence, w);
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
		return e->ports.acme.submit(e->ports.acme.ctx, &w->request, on_acme, w);
	case WORK_SET:
		return act_keys(e, w, KEYS_SET);
	case WORK_DEPLOY:
	case WORK_SNIPPET:
		return e->ports.deploy.submit(e->ports.deploy.ctx, &w->deploy, on_deployed, w);
	case WORK_LETTER:
		return e->ports.mail.submit(e->ports.mail.ctx, &mail, on_mailed, w);
	case WORK_ACCOUNT_KEY:
		return act_keys(e, w, KEYS_ACCOUNT_NEW);
	case WORK_SEAL_EAB:
		return act_keys(e, w, KEYS_SEAL);
	case WORK_ACCOUNT:
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
