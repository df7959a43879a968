#include "core/order.h"
#include "base/must.h"
#include "base/mutant.h"
#include "core/classify.h"
#include "core/order_error.h"

enum {
	POLL_FIRST_MS = 250, /* a quick CA has validated by then */
	POLL_MOST_MS = 15000,
	TRIES_MAX = 3,	       /* of one request, and of finalizing */
	RETRY_FIRST_MS = 2000, /* and five times as long before the last try */
	RETRY_AFTER_MOST_S =
	    60, /* a CA that wants a longer pause ends the order; the caller keeps the date */
};
#define PENDING_MOST SPAN_MIN(55)
#define PENDING_LEAST SPAN_MIN(10) /* an order that was resumed late gets this much */
#define PROCESSING_MOST SPAN_MIN(10)

/* One step: what every function below needs. */
struct run {
	struct order *o;
	const struct turn *t;
	const struct policy *p;
	struct arena *keep, *a;
	struct order_outcome *out;
};

static struct span
processing_most(const struct policy *p)
{
	return p->processing_max.s > 0 ? p->processing_max : PROCESSING_MOST;
}

static bool
is_done(const struct order *o)
{
	return o->phase == ORDER_RECEIVED || o->phase == ORDER_FAILED;
}

static struct str
first_name(const struct order *o)
{
	return o->names_n > 0 ? o->names[0] : STR("?");
}

/* --- ending --- */

static void
close_order(struct run *r, enum order_phase phase)
{
	struct order *o = r->o;

	o->phase = phase;
	o->requests_open = 0;
	o->is_own_open = o->is_waiting = o->is_round_bad = false;
	for (size_t i = 0; i < o->authz_n; i++)
		o->authz[i].is_open = false;
	r->out->requests_n = 0;
	r->out->wake_ms = ORDER_NO_WAKE;
	r->out->must_save = true;
}

static void
fail_resort(struct run *r, enum cause c)
{
	close_order(r, ORDER_FAILED);
	r->out->resort = (struct finding){
		.cause = c,
		.subject = first_name(r->o),
		.acts = cause_row(c)->acts,
		.first_seen = r->t->now,
		.last_seen = r->t->now,
		.next_look = when_plus(r->t->now, SPAN_H(1)),
		.told_at = WHEN_UNKNOWN,
		.times_seen = 1,
		.is_from_order = true,
	};
	r->out->failures = (struct finding_list){ .at = &r->out->resort, .n = 1, .cap = 1 };
}

/* Only an order that is of no use any more, and has no other fault, is worth a new one now. */
static bool
is_only_unusable(const struct finding_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].cause != CAUSE_CA_ORDER_UNUSABLE && l->at[i].cause != CAUSE_CA_REPLACES_REJECTED)
			return false;
	return l->n > 0;
}

static void
fail_with(struct run *r, const struct finding_list *l, struct when retry_after)
{
	if (l->n == 0) {
		fail_resort(r, CAUSE_OWN_UNCLASSIFIED);
		return;
	}
	close_order(r, ORDER_FAILED);
	r->out->failures = *l;
	r->out->retry_after = retry_after;
	r->out->is_retry_at_once = is_only_unusable(l) && !when_is_known(retry_after);
}

/* Room for a finding of each name, and a few of the order itself. */
static bool
make_room(struct run *r, struct finding_list *l)
{
	if (l->at != NULL)
		return true;
	size_t cap = r->o->names_n + 4;

	l->at = arena_get(r->keep, cap * sizeof *l->at);
	l->cap = l->at != NULL ? cap : 0;
	return l->at != NULL;
}

static void
put_finding(struct run *r, enum cause c, struct str subject)
{
	struct finding *f =
	    make_room(r, &r->o->failures) ? finding_put(&r->o->failures, c, subject) : NULL;

	if (f == NULL)
		return;
	f->first_seen = f->last_seen = r->t->now;
	f->next_look = when_plus(r->t->now, SPAN_H(1));
	f->times_seen = 1;
	f->is_from_order = true;
}

static void
put_problem(
    struct run *r, struct finding_list *l, const struct acme_answer *an, struct str name)
{
	if (make_room(r, l))
		classify_problem(
		    an, name.n > 0 ? name : first_name(r->o), r->p, r->t->now, r->keep, l);
}

static void
fail_by(struct run *r, const struct acme_answer *an, struct str name)
{
	struct finding_list *l = &r->o->failures;

	put_problem(r, l, an, name);
	/* A limit's date may be in the text alone; classify_problem has read it. A pause has none: it stops its name only. */
	struct when retry_after = an->retry_after;
	if (!when_is_known(retry_after) && l->n > 0 && l->at[l->n - 1].cause != CAUSE_CA_NAME_PAUSED &&
	    (an->err == ERR_LIMITED || an->http_status == 429))
		retry_after = l->at[l->n - 1].next_look;
	fail_with(r, l, retry_after);
}

/* --- asking --- */

static struct acme_request *
put_request(struct run *r, enum acme_verb verb, uint32_t index)
{
	struct acme_request *q = &r->out->requests[r->out->requests_n];

	must(r->out->requests_n < ORDER_REQUESTS_MAX);
	r->out->requests_n++;
	r->o->requests_open++;
	*q = (struct acme_request){ .verb = verb, .order_id = r->o->id, .index = index };
	return q;
}

static void
ask_authz(struct run *r, size_t i, enum acme_verb verb)
{
	struct order_authz *au = &r->o->authz[i];
	struct acme_request *q = put_request(r, verb, (uint32_t)i);

	q->url = verb == ACME_CHALLENGE ? au->challenge_url : au->url;
	q->token = au->token;
	au->asks += verb == ACME_CHALLENGE;
	au->is_open = true;
}

static void
ask_own(struct run *r, enum acme_verb verb)
{
	struct order *o = r->o;
	struct acme_request *q = put_request(r, verb, 0);

	o->is_own_open = true;
	o->own_verb = verb;
	if (verb == ACME_NEW_ORDER) {
		q->replaces = o->replaces;
		q->profile = o->profile;
	} else {
		q->url = verb == ACME_FINALIZE	    ? o->finalize_url
			 : verb == ACME_CERTIFICATE ? o->certificate_url
						    : o->url;
	}
	if (verb == ACME_NEW_ORDER || verb == ACME_CERTIFICATE) {
		q->names = o->names;
		q->names_n = o->names_n;
	}
	if (verb == ACME_FINALIZE || verb == ACME_CERTIFICATE)
		q->csr_der = o->csr_der;
	if (verb == ACME_FINALIZE && !o->is_hopeful) {
		o->finalizes++;
		o->polls = 0;
		o->deadline = when_plus(r->t->now, processing_most(r->p));
	}
}

static void
wait_ms(struct run *r, int64_t ms)
{
	int64_t left_s = when_between(r->t->now, r->o->deadline).s;

	/* Not past the deadline: the step after it ends the order. */
	if (ms / 1000 > left_s)
		ms = left_s > 0 ? (left_s + 1) * 1000 : 0;
	r->o->is_waiting = true;
	r->out->wake_ms = ms;
}

/* Short at first for a quick CA, then longer; a date that the CA gave with its last answer is law. */
static void
wait_for_poll(struct run *r, struct when retry_after)
{
	int64_t ms = POLL_FIRST_MS;

	for (unsigned i = 0; i < r->o->polls && ms < POLL_MOST_MS; i++)
		ms += ms / 2;
	if (ms > POLL_MOST_MS)
		ms = POLL_MOST_MS;
	if (when_is_known(retry_after)) {
		struct span asked = span_min(when_between(r->t->now, retry_after), SPAN_D(1));

		ms = asked.s * 1000 > POLL_FIRST_MS ? asked.s * 1000 : POLL_FIRST_MS;
	}
	r->o->polls++;
	wait_ms(r, ms);
}

/* Jitter, because a CA that stumbles does so for all orders at once. */
static void
wait_for_retry(struct run *r, struct when retry_after)
{
	int64_t ms = r->o->tries <= 1 ? RETRY_FIRST_MS : RETRY_FIRST_MS * 5;

	ms += (int64_t)(r->t->roll % (uint32_t)ms);
	if (when_is_known(retry_after) && !MUTANT(PATIENCE_IGNORED)) {
		int64_t asked = when_between(r->t->now, retry_after).s * 1000;

		ms = asked > ms ? asked : ms;
	}
	wait_ms(r, ms);
}

/* --- going on --- */

static bool
has_work(const struct order *o)
{
	for (size_t i = 0; i < o->authz_n; i++)
		if (o->authz[i].status == ACME_UNKNOWN ||
		    (o->authz[i].status == ACME_PENDING && !o->authz[i].is_answered))
			return true;
	return false;
}

static bool
has_answered(const struct order *o)
{
	for (size_t i = 0; i < o->authz_n; i++)
		if (o->authz[i].is_answered)
			return true;
	return false;
}

static bool
has_pending(const struct order *o)
{
	for (size_t i = 0; i < o->authz_n; i++)
		if (o->authz[i].status != ACME_VALID)
			return true;
	return o->authz_n == 0;
}

/* The reasons of an invalid order are in its authorizations; after finalizing they are in the order alone. */
static void
begin_autopsy(struct run *r)
{
	struct order *o = r->o;

	o->is_autopsy = true;
	if (o->finalizes > 0 && o->from_order.n > 0)
		return;
	for (size_t i = 0; i < o->authz_n; i++)
		if (o->authz[i].status != ACME_VALID)
			o->authz[i].status = ACME_UNKNOWN;
}

static void
go_on_autopsy(struct run *r)
{
	struct order *o = r->o;

	for (size_t i = 0; i < o->authz_n; i++)
		if (o->authz[i].status == ACME_UNKNOWN)
			ask_authz(r, i, ACME_GET_AUTHZ);
	if (o->requests_open > 0)
		return;
	if (o->failures.n == 0 && o->from_order.n == 0)
		put_finding(r, CAUSE_CA_ORDER_UNUSABLE, first_name(o));
	fail_with(r, o->failures.n > 0 ? &o->failures : &o->from_order, WHEN_UNKNOWN);
}

static void
fail_late(struct run *r)
{
	bool is_ours = r->o->url.n == 0 || (r->o->status == ACME_PENDING && has_work(r->o));

	put_finding(r, is_ours ? CAUSE_OWN_ORDER_STUCK : CAUSE_CA_ORDER_SLOW, first_name(r->o));
	fail_with(r, &r->o->failures, WHEN_UNKNOWN);
}

static void
fail_rubbish(struct run *r)
{
	put_finding(r, CAUSE_CA_UNCLASSIFIED, first_name(r->o));
	fail_with(r, &r->o->failures, WHEN_UNKNOWN);
}

static void
go_on_pending(struct run *r)
{
	struct order *o = r->o;

	for (size_t i = 0; i < o->authz_n; i++) {
		if (o->authz[i].status == ACME_UNKNOWN)
			ask_authz(r, i, ACME_GET_AUTHZ);
		else if (o->authz[i].status == ACME_PENDING && !o->authz[i].is_answered)
			ask_authz(r, i, ACME_CHALLENGE);
	}
	if (o->requests_open > 0)
		return;
	o->is_hopeful = r->p->ca_is_quick && o->polls == 1 && o->finalizes == 0 &&
			o->finalize_url.n > 0;
	ask_own(r, o->is_hopeful ? ACME_FINALIZE : ACME_GET_ORDER);
}

/* No answer is awaited and no wait is wanted: asks for the next thing that the facts call for. */
static void
go_on(struct run *r)
{
	struct order *o = r->o;

	o->is_round_bad = false;
	if (o->is_autopsy) {
		go_on_autopsy(r);
		return;
	}
	if (!when_before(r->t->now, o->deadline)) {
		fail_late(r);
		return;
	}
	if (o->url.n == 0 || (MUTANT(ORDER_PLACED_TWICE) && o->status == ACME_PENDING && o->polls == 2)) {
		ask_own(r, ACME_NEW_ORDER);
		return;
	}
	switch (o->status) {
	case ACME_PENDING:
		go_on_pending(r);
		break;
	case ACME_READY:
		if (o->finalize_url.n == 0 || o->finalizes >= TRIES_MAX)
			fail_rubbish(r);
		else
			ask_own(r, ACME_FINALIZE);
		break;
	case ACME_VALID:
		ask_own(r, o->certificate_url.n > 0 ? ACME_CERTIFICATE : ACME_GET_ORDER);
		break;
	case ACME_UNKNOWN:
	case ACME_PROCESSING:
		ask_own(r, ACME_GET_ORDER);
		break;
	case ACME_INVALID:
	case ACME_DEACTIVATED:
	case ACME_EXPIRED:
	case ACME_REVOKED:
		begin_autopsy(r);
		go_on_autopsy(r);
		break;
	}
}

/* The last awaited answer has come. */
static void
end_round(struct run *r, const struct acme_answer *an)
{
	struct order *o = r->o;
	bool is_own = an->verb != ACME_GET_AUTHZ && an->verb != ACME_CHALLENGE;
	struct when retry_after = is_own ? an->retry_after : WHEN_UNKNOWN;

	if (o->is_round_bad) {
		o->is_round_bad = false;
		o->tries += o->tries + 1 < TRIES_MAX;
		wait_for_retry(r, an->retry_after);
		return;
	}
	o->tries = 0;
	if (o->failures.n > 0 && !o->is_autopsy) {
		fail_with(r, &o->failures, WHEN_UNKNOWN);
		return;
	}
	bool is_polling =
	    !o->is_autopsy && o->url.n > 0 &&
	    ((o->status == ACME_PENDING && !has_work(o)) || o->status == ACME_PROCESSING ||
		(o->status == ACME_VALID && o->certificate_url.n == 0) ||
		(an->verb == ACME_FINALIZE &&
		    (o->status == ACME_UNKNOWN || o->status == ACME_READY)));
	/* With nothing left to validate the order is ready by now: its first poll need not wait. */
	bool is_soon = o->status == ACME_PENDING && o->polls == 0 && !has_pending(o);
	if (is_polling && !is_soon) {
		wait_for_poll(r, retry_after);
	} else {
		o->polls += is_soon;
		go_on(r);
	}
}

/* --- answers --- */

/* A certificate that was issued waits to be fetched: another order would cost one more of the few that the CA gives for a set. */
static bool
is_issued(const struct order *o)
{
	return o->status == ACME_VALID && !o->is_autopsy;
}

static bool
is_last_try(const struct run *r, const struct acme_answer *an)
{
	const struct order *o = r->o;

	/* The longest pause must end before the time does. An answer that cannot be read three times over is no outage. */
	if (is_issued(o) && err_class_of(an->err) == ERR_CLASS_TRANSIENT && an->err != ERR_PEER)
		return !when_before(when_plus(r->t->now, (struct span){ RETRY_FIRST_MS * 10 / 1000 }), o->deadline);
	return o->tries + 1 >= TRIES_MAX || (an->verb == ACME_FINALIZE && o->finalizes >= TRIES_MAX);
}

/* Lost or refused for now: the facts stay, and the round is tried again after a wait; at the third time it is over, and for what is
 * issued when its time is. */
static void
take_transient(struct run *r, const struct acme_answer *an)
{
	struct order *o = r->o;
	bool is_long = when_is_known(an->retry_after) &&
		       when_between(r->t->now, an->retry_after).s > RETRY_AFTER_MOST_S &&
		       !(is_issued(o) && when_before(an->retry_after, o->deadline));
	if (MUTANT(PATIENCE_IGNORED))
		is_long = false;
	bool is_last = is_last_try(r, an);

	if (is_long || is_last) {
		fail_by(r, an, STR_NONE);
		return;
	}
	/* The CA may have taken the CSR although its answer was lost. */
	if (an->verb == ACME_FINALIZE)
		o->status = ACME_UNKNOWN;
	o->is_round_bad = true;
}

/* A 2xx answer whose status is none of RFC 8555 7.1.6 is one that cannot be read. */
static void
take_unreadable(struct run *r, const struct acme_answer *an)
{
	struct acme_answer copy = *an;

	copy.err = ERR_PEER;
	copy.detail = STR("the answer has no status that RFC 8555 knows");
	take_transient(r, &copy);
}

/* "Could not validate ARI 'replaces' field" with status 500: no ill CA. */
static bool
is_about_replaces(const struct order *o, const struct acme_answer *an)
{
	return an->verb == ACME_NEW_ORDER && o->replaces.n > 0 && an->err != ERR_OK &&
	       str_find(an->problem.detail, STR("replaces")) != SIZE_MAX;
}

static void
take_refusal(struct run *r, const struct acme_answer *an)
{
	struct order *o = r->o;
	struct str type = an->problem.type;

	/* The profiles draft, and RFC 9773 5: what was an offer of ours is taken back, once, and for good. */
	if (an->verb == ACME_NEW_ORDER && o->profile.n > 0 &&
	    str_eq(type, STR("invalidProfile"))) {
		o->profile = STR_NONE;
		r->out->must_save = true;
		return;
	}
	if (an->verb == ACME_NEW_ORDER && o->replaces.n > 0 && order_error_may_be_replaces(an)) {
		o->replaces = STR_NONE;
		r->out->must_save = true;
		return;
	}
	/* The order may be anything, invalid too; only a limit is about the request itself. */
	if (o->is_hopeful && an->verb == ACME_FINALIZE && an->err != ERR_LIMITED) {
		o->status = ACME_UNKNOWN;
		r->out->pace = ORDER_PACE_SLOW;
		return;
	}
	if (an->verb == ACME_FINALIZE && str_eq(type, STR("orderNotReady")) &&
	    o->finalizes < TRIES_MAX) {
		o->status = ACME_UNKNOWN;
		return;
	}
	fail_by(r, an, STR_NONE);
}

static void
take_authz_refusal(struct run *r, struct order_authz *au, const struct acme_answer *an)
{
	/* "Authorization must be pending": it was settled meanwhile, and it alone can say how. */
	if (an->verb == ACME_CHALLENGE && an->http_status >= 400 && an->http_status < 429 &&
	    au->asks < TRIES_MAX) {
		au->status = ACME_UNKNOWN;
		return;
	}
	if (r->o->is_autopsy) {
		au->status = ACME_INVALID;
		return;
	}
	fail_by(r, an, au->name);
}

static void
take_authz(struct run *r, struct order_authz *au, const struct acme_answer *an)
{
	struct order *o = r->o;

	au->name = arena_str(r->keep, an->identifier);
	if (an->status == ACME_UNKNOWN || an->status == ACME_READY ||
	    an->status == ACME_PROCESSING) {
		take_unreadable(r, an);
		return;
	}
	au->status = an->status;
	if (an->status == ACME_INVALID) {
		put_problem(r, &o->failures, an, au->name);
	} else if (an->status == ACME_PENDING && !o->is_autopsy) {
		if (!an->has_challenge || an->challenge_url.n == 0) {
			put_finding(r,
			    an->is_wildcard ? CAUSE_REGISTRATION_WILDCARD_HTTP_ONLY
					    : CAUSE_CA_UNCLASSIFIED,
			    au->name.n > 0 ? au->name : first_name(o));
			return;
		}
		au->challenge_url = arena_str(r->keep, an->challenge_url);
		au->token = arena_str(r->keep, an->token);
		/* Answered by us before a restart. */
		au->is_answered = an->challenge_status != ACME_PENDING;
		if (!au->is_answered && o->failures.n == 0)
			ask_authz(r, (size_t)(au - o->authz), ACME_CHALLENGE);
	} else if (an->status != ACME_VALID && an->status != ACME_PENDING) {
		put_finding(
		    r, CAUSE_CA_ORDER_UNUSABLE, au->name.n > 0 ? au->name : first_name(o));
	}
}

static void
take_about_authz(struct run *r, const struct acme_answer *an)
{
	struct order_authz *au = &r->o->authz[an->index];

	if (an->err != ERR_OK) {
		if (order_error_is_transient(an))
			take_transient(r, an);
		else
			take_authz_refusal(r, au, an);
	} else if (an->verb == ACME_CHALLENGE) {
		au->is_answered = true;
		r->o->polls = 0;
	} else {
		take_authz(r, au, an);
	}
}

static void
take_status(struct run *r, const struct acme_answer *an)
{
	struct order *o = r->o;

	o->status = an->status;
	if (o->finalize_url.n == 0 && an->finalize_url.n > 0)
		o->finalize_url = arena_str(r->keep, an->finalize_url);
	if (an->certificate_url.n > 0 && !str_eq(o->certificate_url, an->certificate_url)) {
		o->certificate_url = arena_str(r->keep, an->certificate_url);
		r->out->must_save = true;
	}
	if (o->authz_n == 0 && an->authz_n <= LIMIT_SITE_NAMES)
		for (size_t i = 0; i < an->authz_n; i++)
			o->authz[o->authz_n++] = (struct order_authz){ .url = arena_str(r->keep,
									   an->authz_urls[i]) };
	if (o->phase == ORDER_PLACED &&
	    (o->status == ACME_PROCESSING || o->status == ACME_VALID)) {
		o->phase = ORDER_FINALIZED;
		o->deadline = when_plus(r->t->now, processing_most(r->p));
		r->out->must_save = true;
	}
	if (o->status == ACME_INVALID && an->problem.type.n > 0)
		put_problem(r, &o->from_order, an, first_name(o));
}

static void
take_certificate(struct run *r, const struct acme_answer *an)
{
	const struct certificate_info *from = &an->certificate;
	struct certificate_info *to = &r->out->certificate;

	close_order(r, ORDER_RECEIVED);
	r->out->chain_pem = arena_str(r->a, an->chain_pem);
	*to = *from;
	to->serial = arena_str(r->a, from->serial);
	to->issuer = arena_str(r->a, from->issuer);
	to->ari_id = arena_str(r->a, from->ari_id);
	to->names = arena_get(r->a, (from->names_n + 1) * sizeof *to->names);
	for (size_t i = 0; to->names != NULL && i < from->names_n; i++)
		to->names[i] = arena_str(r->a, from->names[i]);
}

static void
take_about_order(struct run *r, const struct acme_answer *an)
{
	struct order *o = r->o;

	if (an->err != ERR_OK) {
		if (order_error_is_transient(an) && !is_about_replaces(o, an))
			take_transient(r, an);
		else
			take_refusal(r, an);
		return;
	}
	if (an->verb == ACME_CERTIFICATE) {
		take_certificate(r, an);
		return;
	}
	if (an->status == ACME_UNKNOWN || (an->verb == ACME_NEW_ORDER && an->location.n == 0) ||
	    an->authz_n > LIMIT_SITE_NAMES) {
		take_unreadable(r, an);
		return;
	}
	if (an->verb == ACME_NEW_ORDER) {
		o->url = arena_str(r->keep, an->location);
		o->finalize_url = arena_str(r->keep, an->finalize_url);
		o->phase = ORDER_PLACED;
		r->out->must_save = true;
	}
	/* The first poll after challenges were answered tells how quick this CA is. */
	if (an->verb == ACME_GET_ORDER && o->phase == ORDER_PLACED && o->polls == 1 && has_answered(o))
		r->out->pace = an->status == ACME_READY	    ? ORDER_PACE_QUICK
			       : an->status == ACME_PENDING ? ORDER_PACE_SLOW
							    : ORDER_PACE_UNKNOWN;
	take_status(r, an);
}

static bool
fits(const struct order *o, const struct acme_answer *an)
{
	if (an == NULL || an->order_id != o->id)
		return false;
	if (an->verb != ACME_GET_AUTHZ && an->verb != ACME_CHALLENGE)
		return o->is_own_open && o->own_verb == an->verb;
	if (an->index >= o->authz_n || !o->authz[an->index].is_open)
		return false;
	return an->verb ==
	       (o->authz[an->index].status == ACME_UNKNOWN ? ACME_GET_AUTHZ : ACME_CHALLENGE);
}

static void
take_answer(struct run *r, const struct acme_answer *an)
{
	struct order *o = r->o;

	o->requests_open--;
	if (an->verb == ACME_GET_AUTHZ || an->verb == ACME_CHALLENGE) {
		o->authz[an->index].is_open = false;
		take_about_authz(r, an);
	} else {
		o->is_own_open = false;
		take_about_order(r, an);
		if (o->is_hopeful && an->err == ERR_OK) {
			o->finalizes++;
			o->polls = 0;
		}
		o->is_hopeful = false;
	}
	if (!is_done(o) && o->requests_open == 0)
		end_round(r, an);
}

static void
start(struct run *r)
{
	struct order *o = r->o;

	o->is_started = true;
	o->deadline =
	    when_max(when_plus(o->created, PENDING_MOST), when_plus(r->t->now, PENDING_LEAST));
	/* A row that cannot be an order: the store is not trusted to hold only what was put there. */
	if (o->names_n == 0 || o->names_n > LIMIT_SITE_NAMES || o->csr_der.n == 0 ||
	    !when_is_known(o->deadline)) {
		fail_resort(r, CAUSE_OWN_UNCLASSIFIED);
		return;
	}
	if (o->url.n == 0)
		o->phase = ORDER_INTENT;
	else if (o->phase == ORDER_INTENT)
		o->phase = ORDER_PLACED;
	go_on(r);
}

void
order_step(struct order *o, const struct order_event *ev, const struct turn *t,
    const struct policy *p, struct arena *keep, struct arena *a, struct order_outcome *out)
{
	struct run r = { o, t, p, keep, a, out };

	order_check(o);
	out->requests_n = 0;
	out->wake_ms = ORDER_NO_WAKE;
	out->must_save = out->is_retry_at_once = false;
	out->pace = ORDER_PACE_UNKNOWN;
	out->chain_pem = STR_NONE;
	out->certificate = (struct certificate_info){ .names_n = 0 };
	out->failures = (struct finding_list){ .at = NULL };
	out->retry_after = WHEN_UNKNOWN;
	if (is_done(o) || o->is_started == (ev->kind == ORDER_EV_START))
		return;
	switch (ev->kind) {
	case ORDER_EV_START:
		start(&r);
		break;
	case ORDER_EV_WAKE:
		if (!o->is_waiting)
			return;
		o->is_waiting = false;
		go_on(&r);
		break;
	case ORDER_EV_ANSWER:
		if (!fits(o, ev->answer))
			return;
		take_answer(&r, ev->answer);
		break;
	}
	if (arena_failed(keep) || arena_failed(a))
		fail_resort(&r, CAUSE_OWN_UNCLASSIFIED);
	order_check(o);
}

void
order_check(const struct order *o)
{
	unsigned open = o->is_own_open;

	must(o->phase < ORDER_PHASE_COUNT);
	must(o->authz_n <= LIMIT_SITE_NAMES);
	for (size_t i = 0; i < o->authz_n; i++)
		open += o->authz[i].is_open;
	must(open == o->requests_open);
	must(o->tries < TRIES_MAX && o->finalizes <= TRIES_MAX);
	if (is_done(o) || !o->is_started) {
		must(o->requests_open == 0 && !o->is_waiting);
		return;
	}
	must((o->requests_open > 0) != o->is_waiting);
	must((o->url.n == 0) == (o->phase == ORDER_INTENT));
	must(when_is_known(o->deadline));
}
