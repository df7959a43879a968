#ifndef KOSHIN_CORE_ORDER_H
#define KOSHIN_CORE_ORDER_H
/*
 * One run of issuance at a CA (RFC 8555 7.1.3, 7.4) as a pure machine: events are the CA's answers, effects are
 * requests to sign and send. It is committed at four points (intent and key, order URL, finalised, chain
 * received): `must_save` in the outcome tells the engine to commit before it sends what is asked for.
 *
 *              NEW_ORDER                 ready: FINALIZE               valid: CERTIFICATE
 *     INTENT -----------> PLACED --------------------> FINALIZED --------------------> RECEIVED
 *        |                  |   ^ pending: wait, GET_ORDER |   ^ processing: wait, GET_ORDER
 *        |                  |   +-----+                    |   +-----+
 *        +------------------+------------------------------+---> FAILED: refused, invalid, too late, 3 tries lost
 *
 * In PLACED each authorization is read once (GET_AUTHZ), those that are valid already are left alone, the challenges of
 * the others are answered (CHALLENGE) and then only the order is polled. When it becomes invalid, its authorizations
 * are read once more, for the CA's reasons. For n names a quick CA is done after 2n + 5 requests.
 *
 * Where the last orders were found ready by their first poll, that poll is left out and FINALIZE is sent in its place: one
 * request less. If the order is not ready after all the CA says so (RFC 8555 7.4: orderNotReady), nothing is lost, the
 * order is polled, and the outcome's pace makes the next orders ask first again.
 *
 * Every order that is not done awaits an answer or a wake (order_check); every wait is bounded by the deadline: an
 * hour (less five minutes, so that it ends here, with a reason, before the site gives the order up) while pending, ten
 * minutes (policy processing_max) from FINALIZE while processing, and as long again for fetching what was issued: that alone does
 * not end with the third try that is lost.
 */
#include "base/arena.h"
#include "core/acme.h"
#include "core/finding.h"
#include "base/limits.h"
#include "core/site.h"

enum order_phase {
	ORDER_INTENT,	   /* key and CSR exist; nothing was asked of the CA, or the answer is not known */
	ORDER_PLACED,	   /* url is known; authorizations are fetched, answered and waited for */
	ORDER_FINALIZED,   /* the CSR was accepted; the certificate is waited for */
	ORDER_RECEIVED,	   /* the chain is here: done */
	ORDER_FAILED,	   /* done; the findings say why */
	ORDER_PHASE_COUNT
};
struct order_authz {
	struct str url, name, challenge_url, token;
	enum acme_status status; /* UNKNOWN until it was fetched */
	bool is_open;	  /* an answer about it is awaited */
	bool is_answered; /* the CA was told that the challenge can be tried */
	unsigned asks;	  /* CHALLENGE requests sent */
};
struct order {
	/* stored */
	int64_t id, site_id;
	uint64_t job; /* of the site */
	enum order_phase phase;
	struct str url, finalize_url, certificate_url;
	struct str *names;
	size_t names_n;
	struct str csr_der; /* made together with the sealed key at INTENT */
	struct str replaces, profile; /* optional */
	struct when created;
	/* in memory only, zero at first: learnt again after a restart */
	struct order_authz authz[LIMIT_SITE_NAMES];
	size_t authz_n;
	enum acme_status status; /* of the order, as last told */
	unsigned requests_open;	 /* answers awaited: about authorizations, and one about the order itself */
	bool is_own_open;	 /* that one; own_verb says which */
	enum acme_verb own_verb;
	bool is_waiting;	 /* a WAKE is expected: next poll or retry */
	bool is_round_bad;	 /* an answer since the last wait had a TRANSIENT error */
	bool is_autopsy;	 /* the order is invalid; its authorizations are read for the reason */
	unsigned tries;		 /* failed ones in a row */
	unsigned polls;		 /* since the last thing that we did to the order */
	unsigned finalizes;	 /* FINALIZE requests sent */
	bool is_hopeful;	 /* the one that is on its way was sent without asking whether the order is ready */
	bool is_started;
	struct when deadline;	 /* set by START, and anew by FINALIZE */
	struct finding_list failures;	/* found on the way, one for each failed name */
	struct finding_list from_order; /* the reason that the order itself gives: used if there is no better one */
};
/*
 * START: once, after the stored fields were loaded or made. ANSWER: what the port said to a request of ours; if its
 * submit refused a request, the engine makes an answer of it (order_id, verb, index, err). WAKE: wake_ms are over.
 * An answer or wake that does not fit (late, foreign, twice) is ignored and leaves the outcome empty.
 */
enum order_event_kind { ORDER_EV_START, ORDER_EV_ANSWER, ORDER_EV_WAKE };
struct order_event {
	enum order_event_kind kind;
	const struct acme_answer *answer; /* ANSWER */
};
enum {
	ORDER_REQUESTS_MAX = LIMIT_SITE_NAMES + 2,
	ORDER_NO_WAKE = -1,
};
struct order_outcome {
	struct acme_request requests[ORDER_REQUESTS_MAX]; /* to send after the commit; strings belong to the order */
	size_t requests_n;
	int64_t wake_ms; /* >= 0: give a WAKE so many milliseconds from now (monotonic); at most one is pending at a
			    time. ORDER_NO_WAKE: none is asked for now. Milliseconds, because a quick CA is done in
			    a fraction of a second */
	bool must_save;	 /* a stored field changed */
	enum order_pace { ORDER_PACE_UNKNOWN, ORDER_PACE_QUICK, ORDER_PACE_SLOW } pace; /* for policy.ca_is_quick */
	/* phase RECEIVED; strings belong to the outcome's arena */
	struct str chain_pem;
	struct certificate_info certificate;
	/* phase FAILED */
	struct finding_list failures; /* at least one; strings belong to the order's arena or to the outcome's */
	struct finding resort;	      /* the one failure if there is no memory for a better one */
	struct when retry_after;      /* WHEN_UNKNOWN: the caller's own back-off */
	bool is_retry_at_once; /* the order was too old or unusable: a new one is useful now */
};
/* Strings that the order keeps are copied into `keep` (the order's own arena, lives as long as the order);
 * those of the outcome into `a`. */
void order_step(struct order *o, const struct order_event *ev, const struct turn *t, const struct policy *p,
    struct arena *keep, struct arena *a, struct order_outcome *out);
/* Invariants; must() each. */
void order_check(const struct order *o);
const char *order_phase_name(enum order_phase p); /* "intent" … "failed" */
bool order_phase_of_name(struct str s, enum order_phase *ret);
#endif
