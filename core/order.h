#ifndef KOSHIN_CORE_ORDER_H
#define KOSHIN_CORE_ORDER_H
/*
 * One run of issuance at a CA (RFC 8555 7.1.3, 7.4) as a pure machine: events are the CA's answers, effects are
 * requests to sign and send. It is committed at four points (intent and key, order URL, finalised, chain
 * received): `must_save` in the outcome tells the engine to commit before it sends what is asked for.
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
	enum acme_status status;
	bool is_fetched, is_answered;
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
	struct when created;
	/* in memory only: fetched again after a restart */
	struct order_authz authz[LIMIT_SITE_NAMES];
	size_t authz_n;
	unsigned requests_open; /* answers awaited */
	unsigned tries;		/* of the same request after TRANSIENT errors */
	unsigned polls;
	struct when wake;	/* next poll or retry; WHEN_NEVER while an answer is awaited */
	struct when deadline;
};
enum order_event_kind { ORDER_EV_START, ORDER_EV_ANSWER, ORDER_EV_WAKE };
struct order_event {
	enum order_event_kind kind;
	const struct acme_answer *answer; /* ANSWER */
};
enum { ORDER_REQUESTS_MAX = LIMIT_SITE_NAMES + 2 };
struct order_outcome {
	struct acme_request requests[ORDER_REQUESTS_MAX]; /* to send after the commit */
	size_t requests_n;
	bool must_save; /* a stored field changed */
	/* phase RECEIVED */
	struct str chain_pem;
	struct certificate_info certificate;
	/* phase FAILED */
	struct finding_list failures; /* filled through classify_problem */
	struct when retry_after;
	bool is_retry_at_once; /* the order was too old or unusable: a new one is useful now */
};
/* Strings that the order keeps are copied into `keep` (the order's own arena, lives as long as the order);
 * those of the outcome into `a`. */
void order_step(struct order *o, const struct order_event *ev, const struct turn *t, const struct policy *p,
    struct arena *keep, struct arena *a, struct order_outcome *out);
/* Invariants; must() each. */
void order_check(const struct order *o);
const char *order_phase_name(enum order_phase p);
#endif
