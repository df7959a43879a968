#ifndef KOSHIN_PORTS_PROBE_ISSUERS_H
#define KOSHIN_PORTS_PROBE_ISSUERS_H
/*
 * Finds the issuers' certificates that a chain lacks, where its certificates say they are (RFC 5280 4.2.2.1), step by step until a root that browsers
 * know (core/own_issuer.h). Fetched like a page: at allowed addresses alone, bounded in size and time. What is got at a place is kept for ten
 * minutes, that there was nothing for one; what it is worth is judged anew for each chain.
 */
#include "ports/probe/fetch.h"

struct issuers_options {
	struct loop *loop;
	const struct clock *clock;
	struct fetcher *fetcher;
	const char *roots; /* PEM file of the roots that visitors trust; NULL: the system's */
};
struct issuers;
struct issuer_search; /* one under way */

MUST_USE enum err issuers_new(const struct issuers_options *o, struct issuers **ret);
/* Before the fetcher. Nobody who waits is told. */
void issuers_free(struct issuers **s);
/* pem: the certificates that complete the chain, perhaps beside others; empty: there was no way to a root. It lives for the call. */
typedef void issuers_done(void *arg, struct str pem);
/* For a chain as PEM text, the leaf first. Calls done once, never from inside, soon: there is a deadline. BUSY: too many are under way. */
MUST_USE enum err issuers_find(struct issuers *s, struct str chain_pem, issuers_done *done, void *arg, struct issuer_search **ret);
/* Not told any more, and not gone on with. A no-op for NULL. */
void issuers_drop(struct issuer_search **search);
#endif
