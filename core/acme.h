#ifndef KOSHIN_CORE_ACME_H
#define KOSHIN_CORE_ACME_H
/*
 * ACME as data (RFC 8555): the requests that the order machine wants and the answers that come back, parsed.
 * No HTTP, no JSON, no signatures here: those are the port's (ports/acme/).
 */
#include "base/arena.h"
#include "base/when.h"
#include "core/certificate.h"
#include "core/renewal.h"

enum acme_verb {
	ACME_NEW_ORDER,	    /* 7.4 */
	ACME_GET_ORDER,	    /* POST-as-GET */
	ACME_GET_AUTHZ,	    /* 7.5 */
	ACME_CHALLENGE,	    /* 7.5.1: "we are ready" */
	ACME_FINALIZE,	    /* 7.4 */
	ACME_CERTIFICATE,   /* 7.4.2 */
	ACME_REVOKE,	    /* 7.6 */
	ACME_DEACTIVATE_AUTHZ, /* 7.5.2: gives an authorization back that is not wanted any more */
	ACME_RENEWAL_INFO, /* RFC 9773 4: a plain GET, without account, nonce or order */
	ACME_KEY_CHANGE,    /* 7.3.5: the account gets another key */
	ACME_VERB_COUNT
};

struct acme_request {
	enum acme_verb verb;
	int64_t ca_id;	   /* which CA; the order machine leaves it to its caller */
	int64_t order_id;  /* ours; comes back in the answer */
	uint32_t index;	   /* which authorization of the order; comes back in the answer */
	struct str url;	   /* all but NEW_ORDER, REVOKE, RENEWAL_INFO and KEY_CHANGE, whose URLs the directory gives */
	const struct str *names; /* NEW_ORDER: identifiers, ASCII form; CERTIFICATE: what it has to cover */
	size_t names_n;
	struct str replaces, profile; /* NEW_ORDER, optional */
	struct str ari_id;	      /* RENEWAL_INFO: of the certificate (9773 4.1) */
	struct str csr_der;	      /* FINALIZE; CERTIFICATE: what it has to fit. The port checks it (MISMATCH) */
	struct str chain_pem;	      /* REVOKE: the first certificate of it is meant */
	int reason;		      /* REVOKE: RFC 5280 5.3.1 */
	struct str token;	      /* CHALLENGE: what will be asked for; not sent */
	struct str inner;	      /* KEY_CHANGE: the statement that the new key has signed, JSON */
};

/* RFC 7807 as used by RFC 8555 6.7. Type without "urn:ietf:params:acme:error:"; empty if there was none. */
struct problem {
	struct str type, detail;
	struct str identifier; /* of a sub-problem, else empty */
	struct problem *sub;
	size_t sub_n;
	struct str raw; /* the document as it came, cut at LIMIT_EVIDENCE_BYTES */
};

/* Statuses of 7.1.6; UNKNOWN for anything else. */
enum acme_status {
	ACME_UNKNOWN, ACME_PENDING, ACME_READY, ACME_PROCESSING, ACME_VALID, ACME_INVALID,
	ACME_DEACTIVATED, ACME_EXPIRED, ACME_REVOKED,
};

struct acme_answer {
	enum acme_verb verb;
	int64_t order_id;
	uint32_t index;
	enum err err;	       /* OK: a 2xx answer that could be read. SERVER/LIMITED/REFUSED …: problem is set.
				  CONNECT/TIMEOUT/TLS/PEER: no usable answer; detail says it. MISMATCH, INVALID: a
				  certificate that does not fit names, key or time; detail says it */
	int http_status;       /* 0 without an answer */
	struct problem problem; /* with OK and an order: its `error` (7.1.3), why it is invalid */
	struct str detail;     /* words for a failure without a problem document */
	struct when retry_after; /* absolute, from either form of the header; WHEN_UNKNOWN without one */
	struct str location;   /* NEW_ORDER: the order's URL */
	enum acme_status status; /* of the order, authorization or challenge */
	/* an order */
	struct str *authz_urls;
	size_t authz_n;
	struct str finalize_url, certificate_url;
	/* an authorization (the challenge of our type) or a challenge */
	struct str identifier;
	bool is_wildcard;
	bool has_challenge; /* one of type http-01 is offered */
	struct str challenge_url, token;
	enum acme_status challenge_status;
	struct problem challenge_error;
	struct str address_used; /* last validationRecord: what the CA connected to; empty if not told */
	/* a certificate */
	struct str chain_pem; /* the chain that was chosen (preferred issuer among alternates) */
	struct certificate_info certificate;
	struct renewal_told renewal; /* RENEWAL_INFO; retry_after is above */
	struct arena arena; /* holds every string above */
};
/* Frees the answer and its arena; NULL is fine. */
void acme_answer_free(struct acme_answer **a);
/* A zeroed answer with an arena for what it will hold; NULL without memory. */
struct acme_answer *acme_answer_new(void);
#endif
