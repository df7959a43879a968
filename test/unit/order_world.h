#ifndef KOSHIN_TEST_UNIT_ORDER_WORLD_H
#define KOSHIN_TEST_UNIT_ORDER_WORLD_H
/* A CA in a few numbers, and the order machine run against it: what the tests of orders share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "core/order.h"

enum { NAMES_MAX = 5, ORDER_ID = 7, STEPS_MAX = 2000 };

/* A CA in a few numbers. */
struct ca {
	size_t names_n;
	bool is_placed, is_finalized;
	unsigned
	    validate_polls; /* polls of the order until an answered challenge is validated */
	unsigned
	    issue_polls; /* polls until the certificate is there; 0: with the answer to FINALIZE */
	size_t reused;	  /* that many authorizations are valid from the start */
	int bad_authz;	  /* this one fails; -1: none */
	bool is_wildcard; /* offers no http-01 */
	bool is_invalid;  /* the order is found invalid */
	bool answered[NAMES_MAX];
	unsigned polls, since_finalize;
	/* one fault: the nth request of this verb (from 0), for `times` of them */
	enum acme_verb fault_verb;
	unsigned fault_from, fault_times;
	enum err fault_err;
	int fault_http;
	const char *fault_type, *fault_detail;
	struct when fault_retry_after;
	enum acme_status fault_status; /* with fault_err OK: a 2xx answer of this status */
	unsigned seen[ACME_VERB_COUNT];
};

/* One run. */
struct run {
	struct order order;
	struct order_outcome out;
	struct arena keep, turn;
	struct ca ca;
	struct when now;
	struct acme_request queue[ORDER_REQUESTS_MAX];
	size_t queue_n;
	int64_t wake_ms, ms;
	unsigned requests, waits, saves;
	enum order_pace pace; /* last one told */
	struct policy policy;
};
static struct run r;
static struct str names[NAMES_MAX] = { { "a.example", 9 }, { "b.example", 9 },
	{ "c.example", 9 }, { "d.example", 9 }, { "e.example", 9 } };
static struct str addresses[] = { { "192.0.2.1", 9 } };

static inline bool
all_answered(const struct ca *ca)
{
	for (size_t i = ca->reused; i < ca->names_n; i++)
		if (!ca->answered[i])
			return false;
	return true;
}

static inline enum acme_status
status_of_order(const struct ca *ca)
{
	if (ca->is_invalid)
		return ACME_INVALID;
	if (ca->is_finalized)
		return ca->since_finalize >= ca->issue_polls ? ACME_VALID : ACME_PROCESSING;
	if (!all_answered(ca) || ca->polls < ca->validate_polls)
		return ACME_PENDING;
	return ca->bad_authz >= 0 ? ACME_INVALID : ACME_READY;
}

static inline void
answer_order(struct ca *ca, struct acme_answer *an)
{
	static struct str urls[NAMES_MAX] = { { "u0", 2 }, { "u1", 2 }, { "u2", 2 },
		{ "u3", 2 }, { "u4", 2 } };

	an->status = status_of_order(ca);
	an->authz_urls = urls;
	an->authz_n = ca->names_n;
	an->finalize_url = STR("finalize");
	if (an->status == ACME_VALID)
		an->certificate_url = STR("certificate");
}

static inline void
answer_authz(struct ca *ca, struct acme_answer *an)
{
	size_t i = an->index;
	bool is_bad = (int)i == ca->bad_authz && ca->answered[i];

	an->identifier = names[i];
	an->is_wildcard = ca->is_wildcard;
	an->has_challenge = !ca->is_wildcard;
	an->challenge_url = STR("challenge");
	an->challenge_status = ACME_PENDING;
	an->status = i < ca->reused ? ACME_VALID : is_bad ? ACME_INVALID : ACME_PENDING;
	if (an->status == ACME_PENDING && status_of_order(ca) != ACME_PENDING &&
	    ca->answered[i])
		an->status = ACME_VALID;
	if (is_bad) {
		an->challenge_error.type = STR("unauthorized");
		an->challenge_error.detail =
		    STR("192.0.2.1: Invalid response from "
			"http://a.example/.well-known/acme-challenge/x: 403");
	}
}

static inline void
answer_fault(const struct ca *ca, struct acme_answer *an)
{
	an->err = ca->fault_err;
	an->http_status = ca->fault_http;
	an->retry_after = ca->fault_retry_after;
	an->problem.type = str_of(ca->fault_type);
	an->problem.detail = str_of(ca->fault_detail);
	an->status = ca->fault_status;
	an->location = STR("order");
}

static struct acme_answer
answer_of(struct ca *ca, const struct acme_request *q)
{
	struct acme_answer an = { .verb = q->verb,
		.order_id = q->order_id,
		.index = q->index,
		.http_status = 200,
		.retry_after = WHEN_UNKNOWN };
	unsigned nth = ca->seen[q->verb]++;
	static struct str leaf_names[1] = { { "a.example", 9 } };

	if (ca->fault_times > 0 && q->verb == ca->fault_verb && nth >= ca->fault_from &&
	    nth - ca->fault_from < ca->fault_times) {
		answer_fault(ca, &an);
		return an;
	}
	switch (q->verb) {
	case ACME_NEW_ORDER:
		assert_int_equal(q->names_n, ca->names_n);
		ca->is_placed = true;
		an.location = STR("order");
		answer_order(ca, &an);
		break;
	case ACME_GET_ORDER:
		ca->polls++;
		ca->since_finalize += ca->is_finalized;
		answer_order(ca, &an);
		break;
	case ACME_GET_AUTHZ:
		answer_authz(ca, &an);
		break;
	case ACME_CHALLENGE:
		assert_true(!ca->answered[q->index] || ca->fault_times > 0);
		ca->answered[q->index] = true;
		an.status = ACME_PROCESSING;
		break;
	case ACME_FINALIZE:
		assert_int_equal(q->csr_der.n, 3);
		if (status_of_order(ca) != ACME_READY) {
			assert_true(ca->fault_times > 0 || r.policy.ca_is_quick); /* it was told lies, or hoped */
			an.err = ERR_REFUSED;
			an.http_status = 403;
			an.problem.type = STR("orderNotReady");
			break;
		}
		ca->is_finalized = true;
		answer_order(ca, &an);
		break;
	case ACME_CERTIFICATE:
		assert_true((ca->is_finalized || ca->fault_times > 0) &&
			    q->names_n == ca->names_n && q->csr_der.n == 3);
		an.chain_pem = STR("PEM");
		an.certificate.names = leaf_names;
		an.certificate.names_n = 1;
		break;
	case ACME_KEY_CHANGE:
	case ACME_REVOKE:
	case ACME_DEACTIVATE_AUTHZ:
	case ACME_RENEWAL_INFO:
	case ACME_VERB_COUNT:
		fail_msg("the machine asked for verb %d", (int)q->verb);
	}
	return an;
}

static inline void
step(enum order_event_kind kind, const struct acme_answer *an)
{
	struct order_event ev = { kind, an };
	struct turn t = { r.now, 12345 };

	order_step(&r.order, &ev, &t, &r.policy, &r.keep, &r.turn, &r.out);
	order_check(&r.order);
	r.saves += r.out.must_save;
	if (r.out.pace != ORDER_PACE_UNKNOWN)
		r.pace = r.out.pace;
	for (size_t i = 0; i < r.out.requests_n; i++)
		r.queue[r.queue_n++] = r.out.requests[i];
	if (r.out.wake_ms != ORDER_NO_WAKE) {
		assert_int_equal(r.wake_ms, ORDER_NO_WAKE);
		r.wake_ms = r.out.wake_ms;
	}
}

static inline void
begin(size_t names_n)
{
	arena_fini(&r.keep);
	arena_fini(&r.turn);
	memset(&r, 0, sizeof r);
	arena_init(&r.keep, 1 << 20);
	arena_init(&r.turn, 1 << 20);
	r.now = (struct when){ 1800000000 };
	r.wake_ms = ORDER_NO_WAKE;
	r.policy = (struct policy){ .poll_max = SPAN_MIN(15),
		.addresses = addresses,
		.addresses_n = 1,
		.ca_issuer = STR("ca.example") };
	r.ca = (struct ca){
		.names_n = names_n, .bad_authz = -1, .fault_retry_after = WHEN_UNKNOWN
	};
	r.order = (struct order){ .id = ORDER_ID,
		.names = names,
		.names_n = names_n,
		.csr_der = STR("csr"),
		.created = r.now };
}

static inline bool
is_done(void)
{
	return r.order.phase == ORDER_RECEIVED || r.order.phase == ORDER_FAILED;
}

/* One answer or wake; false when the run is over. */
static inline bool
turn_once(void)
{
	if (is_done())
		return false;
	if (r.queue_n > 0) {
		struct acme_request q = r.queue[0];

		memmove(r.queue, r.queue + 1, --r.queue_n * sizeof *r.queue);
		r.requests++;
		struct acme_answer an = answer_of(&r.ca, &q);
		step(ORDER_EV_ANSWER, &an);
		return true;
	}
	assert_int_not_equal(r.wake_ms, ORDER_NO_WAKE);
	r.ms += r.wake_ms;
	r.now.s += r.ms / 1000;
	r.ms %= 1000;
	r.wake_ms = ORDER_NO_WAKE;
	r.waits++;
	step(ORDER_EV_WAKE, NULL);
	return true;
}

static inline void
finish(void)
{
	for (unsigned i = 0; turn_once(); i++)
		assert_true(i < STEPS_MAX);
	assert_int_equal(r.queue_n * (r.order.phase == ORDER_RECEIVED), 0);
	if (r.order.phase == ORDER_FAILED)
		assert_true(r.out.failures.n > 0);
}

static inline void
run(void)
{
	step(ORDER_EV_START, NULL);
	finish();
}

static inline enum cause
first_cause(void)
{
	return r.out.failures.at[0].cause;
}

#define ASSERT_CAUSE(wanted) \
	assert_string_equal(cause_row(first_cause())->id, cause_row(wanted)->id)
#endif
