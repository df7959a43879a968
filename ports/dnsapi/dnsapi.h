#ifndef KOSHIN_PORTS_DNSAPI_DNSAPI_H
#define KOSHIN_PORTS_DNSAPI_DNSAPI_H
/*
 * Addresses into a zone that the provider runs itself. Implementations: ports/dnsapi/update.c (RFC 2136 with TSIG), sim/zones.c. What
 * somebody has entered is never touched: a name that has an address or an alias by then stays as it is, so the same job twice does no
 * harm.
 */
#include "base/str.h"

struct dnsapi_job {
	struct str name;	     /* ASCII form, in one of the zones */
	const struct str *addresses; /* as text, of both families */
	size_t addresses_n;
};
struct dnsapi_answer {
	enum err err;	  /* OK: added. CONFLICT: there is an address or an alias. REFUSED. Else: nobody knows, ask again */
	/* For the operator, in one line: which zone, at which server, what it said ("NOTAUTH BADKEY") and what that means; empty with OK. */
	struct str words;
};
/* Never called from inside submit; the answer is valid during the call only. */
typedef void dnsapi_done(void *arg, const struct dnsapi_answer *answer);
struct dnsapi {
	void *ctx;
	/* The job is copied. NOT_FOUND: no zone of ours has this name. FULL: again in a while. */
	enum err (*submit)(void *ctx, const struct dnsapi_job *job, dnsapi_done *done, void *arg);
};
#endif
