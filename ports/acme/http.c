#include "ports/acme/inside.h"
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "ports/acme/payload.h"
#include "ports/keys/x509.h"

/* --- lists --- */

void
http_list_put(struct list *l, struct job *j)
{
	j->next = NULL;
	j->prev = l->last;
	if (l->last != NULL)
		l->last->next = j;
	else
		l->first = j;
	l->last = j;
	l->n++;
}

void
http_list_take(struct list *l, struct job *j)
{
	if (j->prev != NULL)
		j->prev->next = j->next;
	else
		l->first = j->next;
	if (j->next != NULL)
		j->next->prev = j->prev;
	else
		l->last = j->prev;
	j->next = j->prev = NULL;
	l->n--;
}

/* --- jobs --- */

struct job *
http_job_new(struct acme_http *a)
{
	struct job *j = a->free_jobs;

	if (j != NULL) {
		struct buf url = j->url, payload = j->payload;

		a->free_jobs = j->next;
		a->free_jobs_n--;
		*j = (struct job){ .a = a, .url = url, .payload = payload };
		buf_clear(&j->url);
		buf_clear(&j->payload);
		return j;
	}
	j = calloc(1, sizeof *j);
	if (j == NULL)
		return NULL;
	j->a = a;
	buf_init(&j->url, LIMIT_URL_BYTES);
	buf_init(&j->payload, LIMIT_MESSAGE_BYTES / 2);
	return j;
}

void
http_job_free(struct job *j)
{
	acme_answer_free(&j->answer);
	buf_fini(&j->url);
	buf_fini(&j->payload);
	free(j);
}

void
http_job_give(struct acme_http *a, struct job *j)
{
	acme_answer_free(&j->answer);
	if (a->free_jobs_n >= FREE_JOBS_MAX) {
		http_job_free(j);
		return;
	}
	j->next = a->free_jobs;
	a->free_jobs = j;
	a->free_jobs_n++;
}

void
http_finish(struct acme_http *a, struct job *j)
{
	struct acme_answer *an = j->answer;

	j->answer = NULL;
	if (j->kind == JOB_ACCOUNT) {
		struct acme_registration r = { .err = an->err,
			.problem = an->problem,
			.detail = an->detail,
			.retry_after = an->retry_after,
			.url = an->location };

		http_job_give(a, j);
		http_registered(a, &r);
		acme_answer_free(&an);
		return;
	}
	acme_done *done = j->done;
	void *arg = j->arg;
	bool is_forgotten = j->is_forgotten;

	http_job_give(a, j);
	if (is_forgotten)
		acme_answer_free(&an);
	else
		done(arg, an);
}

static void
finish_failed(void *arg)
{
	struct acme_http *a = arg;
	struct list failed = a->failed;
	struct job *j;

	a->failed_soon = NULL;
	a->failed = (struct list){ .n = 0 };
	while ((j = failed.first) != NULL) {
		http_list_take(&failed, j);
		http_finish(a, j);
	}
	http_pump(a);
}

/* Ends a job from anywhere, submit included: its `done` is called by the loop. */
void
http_fail_later(struct acme_http *a, struct job *j, enum err e, const char *words)
{
	j->answer->err = e;
	j->answer->detail = arena_str(&j->answer->arena, str_of(words));
	http_list_put(&a->failed, j);
	if (a->failed_soon == NULL)
		a->failed_soon = loop_after(a->loop, 0, finish_failed, a);
	/* Without memory for a timer the next event of any kind does it: see pump. */
}

/* --- nonces --- */

void
http_put_nonce(struct acme_http *a, struct str s)
{
	if (s.n == 0 || s.n >= NONCE_BYTES || !str_is_line(s))
		return;
	if (a->nonces_n == NONCES_MAX) {
		memmove(a->nonces, a->nonces + 1, (NONCES_MAX - 1) * sizeof *a->nonces);
		a->nonces_n--;
	}
	struct nonce *n = &a->nonces[a->nonces_n++];
	memcpy(n->text, s.p, s.n);
	n->text[s.n] = '\0';
	n->at = clock_mono(&a->clock);
}

/* The newest: the CA is the least likely to have forgotten it. */
static bool
take_nonce(struct acme_http *a, char ret[NONCE_BYTES])
{
	if (a->nonces_n == 0)
		return false;
	const struct nonce *n = &a->nonces[a->nonces_n - 1];
	if (clock_mono(&a->clock).ms - n->at.ms > NONCE_AGE_MS) {
		a->nonces_n = 0; /* the rest is older */
		return false;
	}
	memcpy(ret, n->text, NONCE_BYTES);
	a->nonces_n--;
	return true;
}

void
http_wait(struct acme_http *a, struct job *j)
{
	j->state = JOB_WAITS;
	http_list_put(&a->waiting[j->urgency], j);
}

static size_t
waiting_n(const struct acme_http *a)
{
	size_t n = 0;

	for (size_t i = 0; i < URGENCY_COUNT; i++)
		n += a->waiting[i].n;
	return n;
}

/* New orders that stand in the line of what the CA allows in a second leave room for the steps of the others. */
static struct job *
first_of(const struct acme_http *a, enum urgency u)
{
	return u == URGENCY_ORDER && pace_waiting(a->pace) >= PACED_MAX ? NULL : a->waiting[u].first;
}

/* Of four turns two are for steps, one for a poll and one for a new order, as long as there are such. */
static struct job *
first_waiting(const struct acme_http *a)
{
	static const enum urgency preferred[] = { URGENCY_STEP, URGENCY_POLL, URGENCY_STEP, URGENCY_ORDER };
	struct job *j = first_of(a, URGENCY_RETRY);

	if (j == NULL)
		j = first_of(a, preferred[a->turn % (sizeof preferred / sizeof *preferred)]);
	for (enum urgency u = 0; j == NULL && u < URGENCY_COUNT; u++)
		j = first_of(a, u);
	return j;
}

static void
fail_list(struct acme_http *a, struct list *l, enum err e, struct str words,
    struct when retry_after)
{
	struct list waiting = *l;
	struct job *j;

	*l = (struct list){ .n = 0 };
	while ((j = waiting.first) != NULL) {
		http_list_take(&waiting, j);
		j->answer->retry_after = retry_after;
		j->answer->err = e;
		j->answer->detail =
		    arena_strf(&j->answer->arena, "newNonce: %.*s", STR_ARG(words));
		http_finish(a, j);
	}
}

/* There is no nonce to be had, and nothing on the wire that could bring one: all that wait are told so. */
static void
fail_waiting(struct acme_http *a, enum err e, struct str words, struct when retry_after)
{
	for (size_t i = 0; i < URGENCY_COUNT; i++)
		fail_list(a, &a->waiting[i], e, words, retry_after);
}

static void
got_nonce(void *arg, const struct courier_answer *w)
{
	struct acme_http *a = arg;

	a->nonce_fetches--;
	pace_told(a->pace, ENDPOINT_NEW_NONCE, w);
	http_put_nonce(a, w->nonce);
	/* Those on the wire come to their end before another begins: of several that go on by turns none would be the last. */
	a->is_dry = w->nonce.n == 0 && a->nonce_fetches > 0;
	if (w->nonce.n == 0 && a->active.n == 0 && a->nonce_fetches == 0) {
		if (w->err != ERR_OK)
			fail_waiting(a, w->err, w->words, WHEN_UNKNOWN);
		else
			fail_waiting(a,
			    w->status == 429   ? ERR_LIMITED
			    : w->status >= 500 ? ERR_SERVER
					       : ERR_PEER,
			    w->status >= 400 ? STR("newNonce answers with an error")
					     : STR("the answer has no Replay-Nonce"),
			    parse_retry_after(w->retry_after, w->date, clock_now(&a->clock)));
	}
	http_pump(a);
}

static void
nonce_later(void *arg)
{
	struct acme_http *a = arg;

	a->nonce_later = NULL;
	http_pump(a);
}

/* Slowly, so that the CA's limit on newNonce is never met: what is on the wire brings nonces too. */
static void
fetch_nonce(struct acme_http *a)
{
	struct mono now = clock_mono(&a->clock);
	struct str url = a->reg.is_open && a->reg.directory.new_nonce.n > 0
			     ? a->reg.directory.new_nonce
			     : a->directory.new_nonce;

	if (a->is_dry || a->nonce_fetches >= NONCE_FETCHES_MAX || a->nonce_fetches >= waiting_n(a) ||
	    url.n == 0)
		return;
	if (now.ms - a->fetched_from.ms >= 1000) {
		a->fetched_from = now;
		a->fetched_n = 0;
	}
	if (a->fetched_n >= NONCE_FETCHES_A_SECOND) {
		if (a->nonce_later == NULL)
			a->nonce_later = loop_after(a->loop, 1000, nonce_later, a);
		return;
	}
	if (pace_send(a->pace, ENDPOINT_NEW_NONCE, COURIER_HEAD, url.p, STR_NONE, got_nonce, a) != ERR_OK) {
		if (a->nonce_later == NULL)
			a->nonce_later = loop_after(a->loop, 1000, nonce_later, a);
		return;
	}
	a->nonce_fetches++;
	a->fetched_n++;
}

/* --- what came back --- */

static void
set_detail(struct acme_answer *an, enum err e, const char *words)
{
	an->err = e;
	an->detail = arena_str(&an->arena, str_of(words));
}

/* Takes a chain that fits. The CA's default unless an alternate of the wanted issuer comes (7.4.2). */
static void
read_chain(struct acme_http *a, struct job *j, const struct courier_answer *w)
{
	struct acme_answer *an = j->answer;
	struct why why = { .text = "" };

	if (!http_is_type(w->type, STR("application/pem-certificate-chain")) ||
	    w->body.n > LIMIT_CHAIN_BYTES) {
		set_detail(an, ERR_PEER,
		    "the certificate is not of type application/pem-certificate-chain, or is "
		    "too long");
		return;
	}
	struct str chain = arena_str(&an->arena, w->body);
	enum err e = x509_check_chain(chain, j->csr_der, j->names, j->names_n,
	    clock_now(&a->clock), &a->known, &an->arena, &why, &an->certificate);
	if (e != ERR_OK) {
		set_detail(an, e, why.text);
		return;
	}
	an->err = ERR_OK;
	an->chain_pem = chain;
}

static void
read_alternates(struct acme_http *a, struct job *j, const struct courier_answer *w)
{
	for (size_t i = 0; i < w->links_n && j->alternates_n < ALTERNATES_MAX; i++) {
		struct str url = parse_link(w->links[i], STR("alternate"));

		if (parse_url_is_good(url, a->is_plain))
			j->alternates[j->alternates_n++] = arena_str(&j->answer->arena, url);
	}
}

static bool
is_preferred(struct acme_http *a, struct acme_answer *an, struct str chain)
{
	struct str issuer;

	return x509_top_issuer(chain, &an->arena, &issuer) == ERR_OK &&
	       str_eq_nocase(issuer, a->account.preferred_issuer);
}

/* True if another chain is to be looked at: the job goes round again. */
static bool
wants_alternate(struct acme_http *a, struct job *j, const struct courier_answer *w)
{
	struct acme_answer *an = j->answer;

	if (a->account.preferred_issuer.n == 0)
		return false;
	if (j->first_chain.n == 0) {
		if (an->err != ERR_OK)
			return false;
		j->first_chain = an->chain_pem;
		j->first = an->certificate;
		read_alternates(a, j, w);
	}
	if (an->err == ERR_OK && is_preferred(a, an, an->chain_pem))
		return false;
	/* An alternate that cannot be had or does not fit is passed over. */
	an->err = ERR_OK;
	an->detail = STR_NONE;
	an->problem = (struct problem){ .sub_n = 0 };
	an->chain_pem = j->first_chain;
	an->certificate = j->first;
	an->http_status = 200;
	if (j->alternate_i >= j->alternates_n)
		return false;
	buf_clear(&j->url);
	buf_put_str(&j->url, j->alternates[j->alternate_i++]);
	j->bad_nonces = 0;
	return j->url.err == ERR_OK;
}

static void
read_success(struct acme_http *a, struct job *j, const struct courier_answer *w)
{
	struct acme_answer *an = j->answer;
	struct why why = { .text = "" };

	an->location = w->location.n > 0 && parse_url_is_good(w->location, a->is_plain)
			   ? arena_str(&an->arena, w->location)
			   : STR_NONE;
	if (j->kind == JOB_ACCOUNT || an->verb == ACME_NEW_ORDER) {
		if (an->location.n == 0) {
			set_detail(
			    an, ERR_PEER, "the answer has no Location header with a URL");
			return;
		}
	}
	if (j->kind == JOB_ACCOUNT || an->verb == ACME_REVOKE || an->verb == ACME_KEY_CHANGE)
		return;
	if (an->verb == ACME_CERTIFICATE) {
		read_chain(a, j, w);
		return;
	}
	if (!http_is_type(w->type, STR("application/json"))) {
		set_detail(an, ERR_PEER, "the answer is not of type application/json");
		return;
	}
	an->err = parse_answer(w->body, &why, an);
	if (an->err != ERR_OK)
		an->detail = arena_str(&an->arena, str_of(why.text));
}

static enum endpoint
endpoint_of(const struct job *j)
{
	if (j->kind == JOB_ACCOUNT)
		return ENDPOINT_NEW_ACCOUNT;
	if (j->answer->verb == ACME_NEW_ORDER)
		return ENDPOINT_NEW_ORDER;
	return j->answer->verb == ACME_REVOKE ? ENDPOINT_REVOKE : ENDPOINT_OTHER;
}

/* A limit of new orders is the account's, and not that of the order that met it: those which stand in line behind it would be
 * refused as well. A long one is left to the budget, because it knows which orders are exempt. */
static void
hold_new_orders(struct acme_http *a, const struct acme_answer *an)
{
	struct span wait = when_between(clock_now(&a->clock), an->retry_after);

	if (an->verb == ACME_NEW_ORDER && an->err == ERR_LIMITED &&
	    when_is_known(an->retry_after) && wait.s * 1000 <= PACE_LONGEST_MS &&
	    str_find(an->problem.detail, STR("too many new orders")) != SIZE_MAX)
		pace_hold(a->pace, ENDPOINT_NEW_ORDER, an->retry_after);
}

static void
answered(void *arg, const struct courier_answer *w)
{
	struct job *j = arg;
	struct acme_http *a = j->a;
	struct acme_answer *an = j->answer;

	http_put_nonce(a, w->nonce);
	pace_told(a->pace, endpoint_of(j), w);
	http_list_take(&a->active, j);
	an->err = w->err;
	an->http_status = w->status;
	if (w->err != ERR_OK) {
		an->http_status = 0;
		an->detail = arena_str(&an->arena, w->words);
	} else {
		an->retry_after = parse_retry_after(w->retry_after, w->date, clock_now(&a->clock));
		if (w->status >= 200 && w->status < 300)
			read_success(a, j, w);
		else
			http_read_refusal(w, an);
		if (j->kind == JOB_REQUEST)
			hold_new_orders(a, an);
	}
	bool is_bad_nonce = an->err != ERR_OK && str_eq(an->problem.type, STR("badNonce")) &&
			    j->bad_nonces < BAD_NONCES_MAX;
	j->bad_nonces += is_bad_nonce;
	if (is_bad_nonce || (an->verb == ACME_CERTIFICATE && wants_alternate(a, j, w))) {
		an->problem = (struct problem){ .sub_n = 0 };
		j->urgency = URGENCY_RETRY;
		http_wait(a, j);
	} else {
		/* RFC 8555 7.6: revoked already is what was wanted. */
		if (an->verb == ACME_REVOKE && j->kind == JOB_REQUEST &&
		    str_eq(an->problem.type, STR("alreadyRevoked")))
			an->err = ERR_OK;
		if (arena_failed(&an->arena) && an->err == ERR_OK)
			an->err = ERR_MEMORY;
		http_finish(a, j);
	}
	http_pump(a);
}

/* --- signing and sending --- */

static void
is_signed(void *arg, const struct keys_answer *k)
{
	struct job *j = arg;
	struct acme_http *a = j->a;

	if (a == NULL) {
		http_job_free(j);
		return;
	}
	j->state = JOB_ON_WIRE;
	if (j->is_forgotten) {
		http_list_take(&a->active, j);
		http_job_give(a, j);
		http_pump(a);
		return;
	}
	enum err e = k->err;
	if (e == ERR_OK) {
		e = pace_send(a->pace, endpoint_of(j), COURIER_POST, j->url.p, k->json, answered, j);
		if (e == ERR_OK)
			return;
	}
	http_list_take(&a->active, j);
	j->answer->err = e;
	j->answer->detail =
	    arena_str(&j->answer->arena, STR("the request could not be signed or sent"));
	http_finish(a, j);
	http_pump(a);
}

static void
start(struct acme_http *a, struct job *j, const char *nonce)
{
	const struct acme_account *account =
	    j->kind == JOB_ACCOUNT ? &a->reg.account : &a->account;
	struct keys_job k = {
		.verb = KEYS_JWS,
		.sealed = account->sealed_key,
		.url = buf_str(&j->url),
		.nonce = str_of(nonce),
		.kid = j->has_key_in_header ? STR_NONE : account->url,
		.payload = buf_str(&j->payload),
	};

	a->turn++;
	http_list_take(&a->waiting[j->urgency], j);
	http_list_put(&a->active, j);
	j->state = JOB_SIGNS;
	enum err e = a->keys->submit(a->keys->ctx, &k, is_signed, j);
	if (e == ERR_OK)
		return;
	http_list_take(&a->active, j);
	http_put_nonce(a, str_of(nonce));
	http_fail_later(a, j, e, "the keys port does not take the request");
}

/* What is signed lies in wait for a connection with its nonce growing old: not more of it than keeps the connections busy. What waits for its
 * second (pace.h) keeps none busy. */
static bool
has_room(const struct acme_http *a)
{
	size_t paced = pace_waiting(a->pace), wire = a->active.n > paced ? a->active.n - paced : 0;

	return a->active.n < ACTIVE_MAX && wire < 2 * courier_room(a->courier);
}

/* Whatever can go on goes on. */
void
http_pump(struct acme_http *a)
{
	char nonce[NONCE_BYTES];

	if (a->failed.n > 0 && a->failed_soon == NULL)
		a->failed_soon = loop_after(a->loop, 0, finish_failed, a);
	struct job *j;

	while (has_room(a) && (j = first_waiting(a)) != NULL &&
	       take_nonce(a, nonce))
		start(a, j, nonce);
	if (first_waiting(a) != NULL && has_room(a))
		fetch_nonce(a);
}

/* --- submit --- */

static struct str
url_of(const struct acme_http *a, const struct acme_request *r)
{
	if (r->verb == ACME_NEW_ORDER)
		return a->directory.new_order;
	if (r->verb == ACME_KEY_CHANGE)
		return a->directory.about.key_change;
	return r->verb == ACME_REVOKE ? a->directory.revoke_cert : r->url;
}

/* What the chain will be checked against: copied, because the order may be gone by then. */
static enum err
keep_expectation(struct job *j, const struct acme_request *r)
{
	struct arena *arena = &j->answer->arena;

	j->csr_der = arena_str(arena, r->csr_der);
	j->names = arena_get(arena, (r->names_n + 1) * sizeof *j->names);
	for (size_t i = 0; j->names != NULL && i < r->names_n; i++)
		j->names[j->names_n++] = arena_str(arena, r->names[i]);
	return arena_failed(arena) ? ERR_MEMORY : ERR_OK;
}

static enum err
fill_job(struct acme_http *a, struct job *j, const struct acme_request *r)
{
	struct str url = url_of(a, r);
	enum err e = payload_put(&j->payload, r);

	if (e == ERR_OK && !parse_url_is_good(url, a->is_plain))
		e = ERR_INVALID;
	buf_put_str(&j->url, url);
	if (e == ERR_OK)
		e = j->payload.err != ERR_OK ? j->payload.err : j->url.err;
	if (e == ERR_OK && r->verb == ACME_CERTIFICATE)
		e = keep_expectation(j, r);
	return e;
}

static enum err
submit(void *ctx, const struct acme_request *r, acme_done *done, void *arg)
{
	struct acme_http *a = ctx;

	if (!a->is_open)
		return ERR_BUSY;
	if (waiting_n(a) >= LIMIT_ORDERS_OPEN)
		return ERR_FULL;
	struct job *j = http_job_new(a);
	struct acme_answer *an = j != NULL ? acme_answer_new() : NULL;
	if (an == NULL) {
		if (j != NULL)
			http_job_give(a, j);
		return ERR_MEMORY;
	}
	an->verb = r->verb;
	an->order_id = r->order_id;
	an->index = r->index;
	j->answer = an;
	j->done = done;
	j->arg = arg;
	if (r->verb == ACME_RENEWAL_INFO) {
		enum err polled = http_poll(a, j, r->ari_id);

		/* As with a URL that may not be asked: an answer like any other, and asked again later. */
		if (polled == ERR_INVALID)
			http_fail_later(a, j, polled, "the CA has no renewalInfo, or the certificate no id for it");
		else if (polled != ERR_OK)
			http_job_give(a, j);
		return polled == ERR_INVALID ? ERR_OK : polled;
	}
	enum err e = fill_job(a, j, r);
	if (e != ERR_OK) {
		/* A URL of the CA's that may not be asked is the CA's fault, and an answer like any other. */
		http_fail_later(a, j,
		    e == ERR_INVALID && r->verb != ACME_NEW_ORDER ? ERR_PEER : e,
		    "the request cannot be made: its URL or content is not acceptable");
		return ERR_OK;
	}
	if (r->verb == ACME_NEW_ORDER)
		http_refresh_directory(a);
	j->urgency = r->verb == ACME_NEW_ORDER	 ? URGENCY_ORDER
		     : r->verb == ACME_GET_ORDER ? URGENCY_POLL
						 : URGENCY_STEP;
	http_wait(a, j);
	http_pump(a);
	return ERR_OK;
}

static void
forget_in(struct acme_http *a, struct list *l, int64_t order_id)
{
	struct job *next;

	for (struct job *j = l->first; j != NULL; j = next) {
		next = j->next;
		if (j->kind == JOB_REQUEST && j->answer->order_id == order_id) {
			http_list_take(l, j);
			http_job_give(a, j);
		}
	}
}

static void
forget(void *ctx, int64_t order_id)
{
	struct acme_http *a = ctx;

	for (size_t i = 0; i < URGENCY_COUNT; i++)
		forget_in(a, &a->waiting[i], order_id);
	for (struct job *j = a->active.first; j != NULL; j = j->next)
		j->is_forgotten = j->is_forgotten ||
				  (j->kind == JOB_REQUEST && j->answer->order_id == order_id);
	for (struct job *j = a->failed.first; j != NULL; j = j->next)
		j->is_forgotten = j->is_forgotten ||
				  (j->kind == JOB_REQUEST && j->answer->order_id == order_id);
}

/* --- the whole --- */

static enum err
send_now(void *ctx, enum courier_method method, const char *url, struct str body, courier_done *done, void *arg)
{
	struct acme_http *a = ctx;

	return courier_send(a->courier, method, url, body, done, arg);
}

enum err
acme_http_new(struct loop *l, const struct clock *c, struct keys *k,
    const struct acme_http_options *o, struct acme_http **ret)
{
	struct acme_http *a = calloc(1, sizeof *a);

	if (a == NULL)
		return ERR_MEMORY;
	a->loop = l;
	a->clock = *c;
	a->keys = k;
	enum err e = courier_new(l, o, &a->courier);
	const struct pace_out out = { a, send_now };
	if (e == ERR_OK)
		e = pace_new(l, c, &out, o->rates, &a->pace);
	if (e != ERR_OK) {
		courier_free(&a->courier);
		free(a);
		return e;
	}
	*ret = a;
	return ERR_OK;
}

static void
drop(struct list *l)
{
	struct job *j;

	while ((j = l->first) != NULL) {
		http_list_take(l, j);
		/* The keys port answers it later, and finds nobody. */
		if (j->state == JOB_SIGNS)
			j->a = NULL;
		else
			http_job_free(j);
	}
}

void
acme_http_free(struct acme_http **ap)
{
	struct acme_http *a = *ap;
	struct job *j;

	if (a == NULL)
		return;
	pace_free(&a->pace);
	courier_free(&a->courier);
	for (size_t i = 0; i < URGENCY_COUNT; i++)
		drop(&a->waiting[i]);
	drop(&a->active);
	drop(&a->polls);
	drop(&a->failed);
	while ((j = a->free_jobs) != NULL) {
		a->free_jobs = j->next;
		http_job_free(j);
	}
	loop_cancel(a->loop, &a->nonce_later);
	loop_cancel(a->loop, &a->failed_soon);
	arena_fini(&a->keep);
	arena_fini(&a->directory_arena);
	arena_fini(&a->reg.arena);
	known_fini(&a->known);
	free(a);
	*ap = NULL;
}

struct acme
acme_http_port(struct acme_http *a)
{
	return (struct acme){ a, submit, http_open_account, forget };
}

uint64_t
acme_http_requests(const struct acme_http *a)
{
	return courier_requests(a->courier);
}
