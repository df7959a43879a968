/* The order machine against a scripted CA: what it asks, in which order, and how each run ends. */
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

static bool
all_answered(const struct ca *ca)
{
	for (size_t i = ca->reused; i < ca->names_n; i++)
		if (!ca->answered[i])
			return false;
	return true;
}

static enum acme_status
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

static void
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

static void
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

static void
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

static void
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

static void
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

static bool
is_done(void)
{
	return r.order.phase == ORDER_RECEIVED || r.order.phase == ORDER_FAILED;
}

/* One answer or wake; false when the run is over. */
static bool
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

static void
finish(void)
{
	for (unsigned i = 0; turn_once(); i++)
		assert_true(i < STEPS_MAX);
	assert_int_equal(r.queue_n * (r.order.phase == ORDER_RECEIVED), 0);
	if (r.order.phase == ORDER_FAILED)
		assert_true(r.out.failures.n > 0);
}

static void
run(void)
{
	step(ORDER_EV_START, NULL);
	finish();
}

static enum cause
first_cause(void)
{
	return r.out.failures.at[0].cause;
}

#define ASSERT_CAUSE(wanted) \
	assert_string_equal(cause_row(first_cause())->id, cause_row(wanted)->id)

static void
test_quick_ca_takes_nine_requests(void **state)
{
	(void)state;
	begin(2);
	r.ca.validate_polls = 1;
	r.ca.issue_polls = 1;
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_int_equal(r.requests, 9);
	assert_int_equal(r.waits, 2);
	assert_true(str_eq(r.out.chain_pem, STR("PEM")));
	assert_int_equal(r.out.certificate.names_n, 1);
	assert_int_equal(r.saves, 4); /* URL, finalised, certificate's URL, chain */
	assert_true(r.now.s - 1800000000 <= 1);

	begin(1); /* a CA that answers everything at once */
	run();
	assert_int_equal(r.requests, 6);
}

/* A CA that was quick lately is not polled first; whether it was right to hope is told for the next order. */
static void
test_poll_is_left_out_where_the_ca_is_quick(void **state)
{
	(void)state;
	begin(2);
	r.policy.ca_is_quick = true;
	r.ca.issue_polls = 1;
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_int_equal(r.requests, 8);
	assert_int_equal(r.ca.seen[ACME_FINALIZE], 1);
	assert_int_equal(r.pace, ORDER_PACE_UNKNOWN);

	/* It was not ready: polled as ever, and finalized once it is, however long that takes. */
	begin(2);
	r.policy.ca_is_quick = true;
	r.ca.validate_polls = 60;
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_int_equal(r.ca.seen[ACME_FINALIZE], 2);
	assert_in_range(r.now.s - 1800000000, 600, 1000);
	assert_int_equal(r.pace, ORDER_PACE_SLOW);

	/* Its validation failed: the reasons are those of the authorization. */
	begin(2);
	r.policy.ca_is_quick = true;
	r.ca.bad_authz = 0;
	run();
	assert_int_equal(r.order.phase, ORDER_FAILED);
	assert_int_equal(r.ca.seen[ACME_FINALIZE], 1);
	assert_int_equal(r.out.failures.n, 1);
	assert_true(str_eq(r.out.failures.at[0].subject, names[0]));

	/* A limit is a limit. */
	begin(1);
	r.policy.ca_is_quick = true;
	r.ca.fault_verb = ACME_FINALIZE;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_LIMITED;
	r.ca.fault_http = 429;
	run();
	assert_int_equal(r.order.phase, ORDER_FAILED);
	assert_int_equal(r.ca.seen[ACME_FINALIZE], 1);
}

/* The pace is that of a validation that took place. */
static void
test_pace_is_learnt_from_the_first_poll(void **state)
{
	(void)state;
	begin(2);
	r.ca.validate_polls = 1;
	run();
	assert_int_equal(r.pace, ORDER_PACE_QUICK);
	begin(2);
	r.ca.validate_polls = 2;
	run();
	assert_int_equal(r.pace, ORDER_PACE_SLOW);
	begin(2);
	r.ca.reused = 2;
	run();
	assert_int_equal(r.pace, ORDER_PACE_UNKNOWN);
}

static void
test_valid_authorizations_are_left_alone(void **state)
{
	(void)state;
	begin(2);
	r.ca.reused = 1;
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_int_equal(r.ca.seen[ACME_CHALLENGE], 1);
	assert_int_equal(r.requests, 7);

	begin(5);
	r.ca.reused = 5; /* the order is ready from the start */
	run();
	assert_int_equal(r.requests, 3);
	assert_int_equal(r.waits, 0);
}

static void
test_slow_ca_is_polled_ever_slower(void **state)
{
	(void)state;
	begin(2);
	r.ca.validate_polls = 60;
	r.ca.issue_polls = 10;
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_in_range(r.now.s - 1800000000, 600, 1000);
}

static void
test_slowness_has_an_end(void **state)
{
	(void)state;
	begin(1);
	r.ca.validate_polls = 1000000;
	run();
	assert_int_equal(r.order.phase, ORDER_FAILED);
	ASSERT_CAUSE(CAUSE_CA_ORDER_SLOW);
	assert_in_range(r.now.s - 1800000000, 3300, 3330);

	begin(1);
	r.ca.issue_polls = 1000000;
	run();
	ASSERT_CAUSE(CAUSE_CA_ORDER_SLOW);
	assert_in_range(r.now.s - 1800000000, 600, 620);

	begin(1);
	r.policy.processing_max = SPAN_S(20);
	r.ca.issue_polls = 1000000;
	run();
	ASSERT_CAUSE(CAUSE_CA_ORDER_SLOW);
	assert_in_range(r.now.s - 1800000000, 20, 40);
}

/* The machine slept while work of ours was left: that is not the CA's slowness. */
static void
test_own_sleep_is_told_as_such(void **state)
{
	(void)state;
	begin(1);
	r.ca.fault_verb = ACME_GET_AUTHZ;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_TIMEOUT;
	step(ORDER_EV_START, NULL);
	while (r.queue_n > 0)
		turn_once();
	r.now.s += 2 * 3600;
	finish();
	assert_int_equal(r.order.phase, ORDER_FAILED);
	assert_string_equal(cause_row(first_cause())->id, "own.order.stuck");
}

static void
test_retry_after_of_a_poll_is_law(void **state)
{
	struct acme_answer an;

	(void)state;
	begin(1);
	step(ORDER_EV_START, NULL);
	while (r.queue_n > 0)
		turn_once();
	assert_int_equal(r.wake_ms, 250);
	r.wake_ms = ORDER_NO_WAKE;
	step(ORDER_EV_WAKE, NULL);
	r.queue_n = 0;
	an = (struct acme_answer){ .verb = ACME_GET_ORDER,
		.order_id = ORDER_ID,
		.status = ACME_PENDING,
		.retry_after = { r.now.s + 40 } };
	step(ORDER_EV_ANSWER, &an);
	assert_int_equal(r.wake_ms, 40000);
}

static void
test_failed_challenge_is_classified_by_name(void **state)
{
	(void)state;
	begin(2);
	r.ca.bad_authz = 1;
	r.ca.validate_polls = 1;
	run();
	assert_int_equal(r.order.phase, ORDER_FAILED);
	assert_int_equal(r.out.failures.n, 1);
	ASSERT_CAUSE(CAUSE_HTTP_CHALLENGE_FORBIDDEN);
	assert_true(str_eq(r.out.failures.at[0].subject, STR("b.example")));
	assert_false(r.out.is_retry_at_once);
	assert_int_equal(r.ca.seen[ACME_GET_AUTHZ], 4);
}

static void
test_invalid_order_without_reason_is_tried_anew(void **state)
{
	(void)state;
	begin(1);
	r.order.phase = ORDER_PLACED;
	r.order.url = STR("order");
	r.ca.is_invalid = true;
	run();
	ASSERT_CAUSE(CAUSE_CA_ORDER_UNUSABLE);
	assert_true(r.out.is_retry_at_once);
}

static void
test_wildcard_without_http_challenge(void **state)
{
	(void)state;
	begin(1);
	r.ca.is_wildcard = true;
	run();
	ASSERT_CAUSE(CAUSE_REGISTRATION_WILDCARD_HTTP_ONLY);
}

/* From each commit point the order goes on with what the CA remembers. */
static void
test_resume_at_each_phase(void **state)
{
	(void)state;
	for (unsigned cut = 0; cut < 12; cut++) {
		begin(2);
		r.ca.validate_polls = 2;
		r.ca.issue_polls = 2;
		step(ORDER_EV_START, NULL);
		for (unsigned i = 0; i < cut && turn_once(); i++)
			continue;
		if (is_done())
			break;
		/* The process died: only the stored fields are left. */
		struct order stored = { .id = ORDER_ID,
			.phase = r.order.phase,
			.url = r.order.url,
			.finalize_url = r.order.finalize_url,
			.certificate_url = r.order.certificate_url,
			.names = names,
			.names_n = 2,
			.csr_der = STR("csr"),
			.created = r.order.created };
		r.order = stored;
		r.queue_n = 0;
		r.wake_ms = ORDER_NO_WAKE;
		/* A challenge that was answered is processing at this CA, and is not answered again (asserted there). */
		if (!r.ca.is_finalized)
			memset(r.ca.answered, 0, sizeof r.ca.answered);
		run();
		if (r.order.phase != ORDER_RECEIVED)
			fail_msg("%s:%d: cut at %u: %s", __FILE__, __LINE__, cut,
			    cause_row(first_cause())->id);
	}
}

static void
test_order_that_the_ca_forgot(void **state)
{
	(void)state;
	begin(2);
	r.order.phase = ORDER_PLACED;
	r.order.url = STR("order");
	r.ca.fault_verb = ACME_GET_ORDER;
	r.ca.fault_times = 100;
	r.ca.fault_err = ERR_NOT_FOUND;
	r.ca.fault_http = 404;
	r.ca.fault_type = "malformed";
	r.ca.fault_detail = "No order \"x\" found for account ID \"y\"";
	run();
	ASSERT_CAUSE(CAUSE_CA_ORDER_UNUSABLE);
	assert_true(r.out.is_retry_at_once);
	assert_int_equal(r.requests, 1);
}

/* Each verb x each error: once, the order gets through or fails with a name; for ever, it ends with a name after 3 tries. */
static void
test_every_error_at_every_step(void **state)
{
	static const enum acme_verb verbs[] = { ACME_NEW_ORDER, ACME_GET_ORDER, ACME_GET_AUTHZ,
		ACME_CHALLENGE, ACME_FINALIZE, ACME_CERTIFICATE };

	(void)state;
	for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
		for (enum err e = ERR_OK + 1; e < ERR_COUNT; e++)
			for (unsigned i = 0; i < 4; i++) {
				unsigned times = i % 2 == 0 ? 1 : 999;

				begin(2);
				r.policy.ca_is_quick = i >= 2;
				r.ca.validate_polls = 1;
				r.ca.issue_polls = 1;
				r.ca.fault_verb = verbs[v];
				r.ca.fault_times = times;
				r.ca.fault_err = e;
				r.ca.fault_http = e == ERR_SERVER    ? 500
						  : e == ERR_LIMITED ? 429
						  : e == ERR_REFUSED ? 400
								     : 0;
				run();
				enum err_class class = err_class_of(e);
				bool is_soft = class == ERR_CLASS_TRANSIENT ||
					       class == ERR_CLASS_LOCAL || e == ERR_FULL ||
					       /* a chain that was cut on its way */
					       (verbs[v] == ACME_CERTIFICATE && e == ERR_INVALID);
				if (is_soft && times == 1 && r.order.phase != ORDER_RECEIVED)
					fail_msg("verb %d, %s once: did not get through",
					    (int)verbs[v], err_name(e));
				if (times > 1 && r.order.phase != ORDER_FAILED)
					fail_msg("verb %d, %s for ever: did not fail",
					    (int)verbs[v], err_name(e));
				if (is_soft && times > 1 && r.ca.seen[verbs[v]] > 6)
					fail_msg("verb %d, %s: asked %u times", (int)verbs[v],
					    err_name(e), r.ca.seen[verbs[v]]);
				if (r.order.phase == ORDER_FAILED)
					assert_true(
					    r.out.failures.at[0].subject.n > 0 &&
					    when_before(r.now, r.out.failures.at[0].next_look));
			}
}

static void
test_rubbish_statuses(void **state)
{
	static const enum acme_verb verbs[] = { ACME_NEW_ORDER, ACME_GET_ORDER, ACME_GET_AUTHZ,
		ACME_FINALIZE };

	(void)state;
	for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++)
		for (enum acme_status s = ACME_UNKNOWN; s <= ACME_REVOKED; s++)
			for (unsigned times = 1; times < 100000; times += 99998) {
				begin(2);
				r.ca.validate_polls = 1;
				r.ca.fault_verb = verbs[v];
				r.ca.fault_times = times;
				r.ca.fault_status = s;
				run(); /* ends, with order_check after each step */
			}
}

static void
test_limits_keep_their_date(void **state)
{
	(void)state;
	begin(1);
	r.ca.fault_verb = ACME_NEW_ORDER;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_LIMITED;
	r.ca.fault_http = 429;
	r.ca.fault_type = "rateLimited";
	r.ca.fault_detail = "too many certificates (5) already issued for this exact set of "
			    "identifiers in the last 168h0m0s, "
			    "retry after 2027-02-01 10:20:30 UTC: see "
			    "https://letsencrypt.org/docs/rate-limits/#x";
	run();
	ASSERT_CAUSE(CAUSE_CA_LIMIT_EXACT_SET);
	struct civil c = { 2027, 2, 1, 10, 20, 30, 0 };
	assert_int_equal(r.out.retry_after.s, when_of_civil(&c).s);
	assert_int_equal(r.requests, 1);

	begin(1); /* the header wins */
	r.ca.fault_verb = ACME_NEW_ORDER;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_LIMITED;
	r.ca.fault_http = 429;
	r.ca.fault_type = "rateLimited";
	r.ca.fault_retry_after = when_plus(r.now, SPAN_MIN(7));
	run();
	ASSERT_CAUSE(CAUSE_CA_LIMIT_OTHER);
	assert_int_equal(r.out.retry_after.s, r.now.s + 420);

	begin(
	    1); /* a long pause of a failing server ends the order, a short one is waited for */
	r.ca.fault_verb = ACME_GET_ORDER;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_SERVER;
	r.ca.fault_http = 503;
	r.ca.fault_retry_after = when_plus(r.now, SPAN_H(1));
	run();
	ASSERT_CAUSE(CAUSE_CA_SERVICE_BUSY);
	assert_int_equal(r.out.retry_after.s, 1800000000 + 3600);

	begin(1);
	r.ca.fault_verb = ACME_NEW_ORDER;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_SERVER;
	r.ca.fault_http = 503;
	r.ca.fault_retry_after = when_plus(r.now, SPAN_S(30));
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_true(r.now.s >= 1800000000 + 30);
}

static void
test_offers_are_taken_back(void **state)
{
	/* Whether the refusal is about `replaces` (or the profile), and so is answered by one more try without it. */
	static const struct {
		int line;
		const char *type, *detail;
		int http;
		enum err err;
		unsigned asked;
		bool is_issued, keeps_replaces, keeps_profile;
	} rows[] = {
		{ __LINE__, "alreadyReplaced", "", 409, ERR_REFUSED, 2, true, false, true },
		{ __LINE__, "malformed", "parsing ARI CertID failed", 400, ERR_REFUSED, 2, true, false, true },
		{ __LINE__, "malformed", "", 404, ERR_NOT_FOUND, 2, true, false, true },
		{ __LINE__, "unauthorized", "requester account did not request the certificate being replaced", 403, ERR_REFUSED, 2, true, false, true },
		{ __LINE__, "serverInternal", "Could not validate ARI 'replaces' field", 500, ERR_SERVER, 2, true, false, true },
		{ __LINE__, "conflict", "", 409, ERR_REFUSED, 2, true, false, true },
		{ __LINE__, "", "", 400, ERR_REFUSED, 2, true, false, true },
		{ __LINE__, "invalidProfile", "profile \"x\" not recognized", 400, ERR_REFUSED, 2, true, true, false },
		{ __LINE__, "rejectedIdentifier", "forbidden by policy", 400, ERR_REFUSED, 1, false, true, true },
		{ __LINE__, "rateLimited", "too many new orders (300)", 429, ERR_LIMITED, 1, false, true, true },
		/* An ill CA is asked again as it was. */
		{ __LINE__, "serverInternal", "oops", 500, ERR_SERVER, 2, true, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		begin(1);
		r.order.replaces = STR("aki.serial");
		r.order.profile = STR("x");
		r.ca.fault_verb = ACME_NEW_ORDER;
		r.ca.fault_times = 1;
		r.ca.fault_err = rows[i].err;
		r.ca.fault_http = rows[i].http;
		r.ca.fault_type = rows[i].type;
		r.ca.fault_detail = rows[i].detail;
		run();
		if ((r.order.phase == ORDER_RECEIVED) != rows[i].is_issued || r.ca.seen[ACME_NEW_ORDER] != rows[i].asked ||
		    (r.order.replaces.n > 0) != rows[i].keeps_replaces || (r.order.profile.n > 0) != rows[i].keeps_profile)
			fail_msg("%s:%d: asked %u times", __FILE__, rows[i].line, r.ca.seen[ACME_NEW_ORDER]);
	}
	/* Once: a CA that refuses on is not asked for ever. */
	begin(1);
	r.order.replaces = STR("aki.serial");
	r.ca.fault_verb = ACME_NEW_ORDER;
	r.ca.fault_times = 9;
	r.ca.fault_err = ERR_REFUSED;
	r.ca.fault_http = 409;
	r.ca.fault_type = "alreadyReplaced";
	run();
	assert_int_equal(r.order.phase, ORDER_FAILED);
	assert_int_equal(r.ca.seen[ACME_NEW_ORDER], 2);
}

static void
test_finalized_too_early(void **state)
{
	(void)state;
	begin(1);
	r.ca.fault_verb = ACME_FINALIZE;
	r.ca.fault_times = 1;
	r.ca.fault_err = ERR_REFUSED;
	r.ca.fault_http = 403;
	r.ca.fault_type = "orderNotReady";
	run();
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
	assert_int_equal(r.ca.seen[ACME_FINALIZE], 2);
}

/* Whatever comes that was not asked for changes nothing. */
static void
test_late_and_foreign_answers(void **state)
{
	(void)state;
	begin(2);
	r.ca.validate_polls = 2;
	r.ca.issue_polls = 1;
	step(ORDER_EV_START, NULL);
	for (unsigned i = 0; i < 200; i++) {
		for (enum acme_verb v = ACME_NEW_ORDER; v < ACME_VERB_COUNT; v++)
			for (uint32_t index = 0; index < 4; index++) {
				bool is_awaited = false;

				for (size_t q = 0; q < r.queue_n; q++)
					is_awaited =
					    is_awaited || (r.queue[q].verb == v &&
							      (r.queue[q].index == index ||
								  (v != ACME_GET_AUTHZ &&
								      v != ACME_CHALLENGE)));
				struct acme_answer an = { .verb = v,
					.order_id = ORDER_ID,
					.index = index,
					.status = ACME_INVALID,
					.err = ERR_REFUSED };
				struct acme_answer foreign = { .verb = v,
					.order_id = ORDER_ID + 1,
					.index = index,
					.status = ACME_VALID };
				static struct order before;
				int64_t wake_ms = r.wake_ms;

				before = r.order;
				step(ORDER_EV_ANSWER, &foreign);
				if (!is_awaited)
					step(ORDER_EV_ANSWER, &an);
				if (r.queue_n > 0)
					step(ORDER_EV_WAKE, NULL);
				step(ORDER_EV_START, NULL);
				assert_memory_equal(&before, &r.order, sizeof before);
				assert_int_equal(wake_ms, r.wake_ms);
				assert_false(r.out.must_save);
			}
		if (!turn_once())
			break;
	}
	assert_int_equal(r.order.phase, ORDER_RECEIVED);
}

static void
test_row_that_is_no_order(void **state)
{
	(void)state;
	begin(0);
	run();
	ASSERT_CAUSE(CAUSE_OWN_UNCLASSIFIED);
	begin(1);
	r.order.csr_der = STR_NONE;
	run();
	ASSERT_CAUSE(CAUSE_OWN_UNCLASSIFIED);
}

static void
test_no_memory_ends_with_a_finding(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t max = 0; max < 1200; max += 16) {
		begin(2);
		r.ca.bad_authz = max % 32 == 0 ? 0 : -1;
		r.keep.max = r.turn.max = max;
		run();
		failed += r.order.phase == ORDER_FAILED;
	}
	assert_true(failed > 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quick_ca_takes_nine_requests),
		cmocka_unit_test(test_poll_is_left_out_where_the_ca_is_quick),
		cmocka_unit_test(test_pace_is_learnt_from_the_first_poll),
		cmocka_unit_test(test_valid_authorizations_are_left_alone),
		cmocka_unit_test(test_slow_ca_is_polled_ever_slower),
		cmocka_unit_test(test_slowness_has_an_end),
		cmocka_unit_test(test_own_sleep_is_told_as_such),
		cmocka_unit_test(test_retry_after_of_a_poll_is_law),
		cmocka_unit_test(test_failed_challenge_is_classified_by_name),
		cmocka_unit_test(test_invalid_order_without_reason_is_tried_anew),
		cmocka_unit_test(test_wildcard_without_http_challenge),
		cmocka_unit_test(test_resume_at_each_phase),
		cmocka_unit_test(test_order_that_the_ca_forgot),
		cmocka_unit_test(test_every_error_at_every_step),
		cmocka_unit_test(test_rubbish_statuses),
		cmocka_unit_test(test_limits_keep_their_date),
		cmocka_unit_test(test_offers_are_taken_back),
		cmocka_unit_test(test_finalized_too_early),
		cmocka_unit_test(test_late_and_foreign_answers),
		cmocka_unit_test(test_row_that_is_no_order),
		cmocka_unit_test(test_no_memory_ends_with_a_finding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
