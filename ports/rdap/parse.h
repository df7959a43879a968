#ifndef KOSHIN_PORTS_RDAP_PARSE_H
#define KOSHIN_PORTS_RDAP_PARSE_H
/* The two documents of RDAP that koshin reads. Bytes from strangers: anything odd is INVALID, never a crash. */
#include "base/arena.h"
#include "core/registration.h"

/* A domain object (RFC 9083 5.3). Strings are copied into a. INVALID: no JSON, or not a domain of this name. */
MUST_USE enum err rdap_parse_domain(
    struct str json, struct str domain, struct arena *a, struct registration *ret);

/* Which server answers for which suffix (RFC 9224 4). */
struct rdap_bootstrap;
MUST_USE enum err rdap_bootstrap_read(struct str json, struct rdap_bootstrap **ret);
void rdap_bootstrap_free(struct rdap_bootstrap **b);
/* The base URL, with a slash at its end, of the longest suffix that fits; empty if there is none. Borrowed from b. */
struct str rdap_bootstrap_url(const struct rdap_bootstrap *b, struct str domain);
#endif
