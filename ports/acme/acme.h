#ifndef KOSHIN_PORTS_ACME_ACME_H
#define KOSHIN_PORTS_ACME_ACME_H
/*
 * Talking to one CA. The port signs (through the keys port), sends, keeps connections and nonces, retries a
 * badNonce at once (RFC 8555 6.5), reads the answer. It decides nothing: what to ask next is core/order's.
 * Implementations: ports/acme/http.c (libcurl multi), sim/ca.c (the simulated CA).
 *
 * `done` is never called from inside submit. It owns the answer and frees it with acme_answer_free.
 */
#include "core/acme.h"

typedef void acme_done(void *arg, struct acme_answer *answer);

/* What we hold at a CA; a row of the table `ca`. Strings are borrowed. */
struct acme_account {
	int64_t id;	       /* row */
	struct str name;       /* ours, for people */
	struct str directory;  /* URL */
	struct str bundle;     /* PEM file of the roots for the CA's own TLS; optional */
	struct str contact;    /* mail address, optional */
	struct str sealed_key; /* account key, sealed */
	struct str url;	       /* account URL; empty: register first */
	struct str eab_kid, eab_sealed_hmac; /* optional external account binding (7.3.4) */
	struct str preferred_issuer;	     /* common name wanted among alternate chains; optional */
	bool only_existing; /* asks whether the key has an account (7.3.1), and makes none; url is empty then */
};

/* What the directory says (7.1.1, 9.7.6). */
struct acme_directory {
	struct str terms, website;
	struct str *caa_identities;
	size_t caa_identities_n;
	bool eab_required, has_renewal_info;
	struct str key_change; /* URL; empty: keys of accounts cannot be changed */
	struct str *profiles;
	size_t profiles_n;
};
/* Answer to a registration: err OK and the account's URL, or the problem. */
struct acme_registration {
	enum err err;
	struct problem problem;
	struct str detail;
	struct when retry_after;
	struct str url;
	struct acme_directory directory;
};
typedef void acme_registered(void *arg, const struct acme_registration *r);

struct acme {
	void *ctx;
	/* FULL when LIMIT_ORDERS_OPEN requests are waiting; the caller tries later. The request is copied. */
	enum err (*submit)(void *ctx, const struct acme_request *r, acme_done *done, void *arg);
	/* Reads the directory, finds the account of this key or registers it, agreeing to the terms (7.3).
	 * After OK the port uses this account for submit. */
	enum err (*open_account)(void *ctx, const struct acme_account *account, acme_registered *done, void *arg);
	/* Forgets the answers that are awaited for this order; their `done` is not called any more. */
	void (*forget)(void *ctx, int64_t order_id);
};
#endif
