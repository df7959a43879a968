#ifndef KOSHIN_PORTS_PROBE_CRL_H
#define KOSHIN_PORTS_PROBE_CRL_H
/*
 * Was a certificate revoked? Asked of the list that it names itself (RFC 5280 4.2.1.13, 5), which is fetched like a page: at allowed addresses
 * alone, bounded in size and time. A list counts when its issuer's key has signed it and its time is not over. It is kept until its next one is
 * due, half a day at most; where there was no list to be had, it is not asked for again for ten minutes.
 */
#include "ports/probe/fetch.h"

struct crls_options {
	const struct clock *clock;
	struct fetcher *fetcher;
};
struct crls;
struct crl_wait; /* somebody who waits for a list */

MUST_USE enum err crls_new(const struct crls_options *o, struct crls **ret);
/* Before the fetcher. Nobody who waits is told. */
void crls_free(struct crls **c);
/* Of what was shown: sets t->revocation now (*ret is NULL then), or later, and calls done, never from inside. Without a list: UNKNOWN. */
MUST_USE enum err crl_ask(struct crls *c, struct tls_evidence *t, loop_fn *done, void *arg, struct crl_wait **ret);
/* Not told any more; it stays UNKNOWN. A no-op for NULL. */
void crl_drop(struct crl_wait **w);
#endif
