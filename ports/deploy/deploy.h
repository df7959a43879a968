#ifndef KOSHIN_PORTS_DEPLOY_DEPLOY_H
#define KOSHIN_PORTS_DEPLOY_DEPLOY_H
/*
 * Putting a site's whole wanted state on the server, by way of the installer process. Applying twice is the same
 * as once. What is live stays live until its successor has passed the web server's own configuration test.
 * Implementations: ports/deploy/remote.c (asks the installer), sim/web.c.
 *
 * `done` is never called from inside submit. The answer is valid during the call only.
 */
#include "base/str.h"
#include "core/cause.h"

enum deploy_verb {
	DEPLOY_APPLY,	  /* the state below; with an empty set: HTTP and challenge answers only */
	DEPLOY_REMOVE,	  /* take the site off */
	DEPLOY_CHALLENGE, /* thumbprint, answer_at: write the snippet that answers every challenge (stateless HTTP-01) */
	DEPLOY_VERB_COUNT
};
struct deploy_job {
	enum deploy_verb verb;
	int64_t site_id;
	const struct str *names; /* ASCII; the first is the site's own */
	size_t names_n;
	struct str set;		/* from KEYS_SET: only the installer can open it; empty without a certificate */
	struct str fingerprint; /* of the leaf in hexadecimal, names the set's folder; empty without */
	struct str root, proxy;
	uint16_t redirect;   /* 0, 307 or 308 */
	uint32_t hsts_age_s; /* 0: none */
	bool is_again;	     /* web servers and commands are told also where no file has changed: what they have read is not what is there */
	struct str thumbprint;
	/* "127.0.0.1:8402": challenges are forwarded to the web process there, because accounts have different thumbprints; the one
	 * above is answered while it does not. Empty: the one above answers everything. */
	struct str answer_at;
};
struct deploy_answer {
	enum err err;
	enum cause cause; /* when err is not OK: own.deploy.config-broken, own.disk.full, own.disk.unwritable, own.unclassified … */
	struct str words; /* of the configuration test or of the system */
	struct str target; /* which one failed */
	/* A web server was told to read its configuration again, and it is not known that its workers of before have ended: they may answer for a moment. */
	bool is_reloading;
};
typedef void deploy_done(void *arg, const struct deploy_answer *answer);
struct deploy {
	void *ctx;
	enum err (*submit)(void *ctx, const struct deploy_job *job, deploy_done *done, void *arg); /* the job is copied */
};
#endif
