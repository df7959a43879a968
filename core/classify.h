#ifndef KOSHIN_CORE_CLASSIFY_H
#define KOSHIN_CORE_CLASSIFY_H
/*
 * From evidence to findings: pure. The layers are looked at in the order of the table (own state,
 * registration, DNS, transport, HTTP, CA, served); each name's first finding is its cause.
 */
#include "core/acme.h"
#include "core/evidence.h"
#include "core/finding.h"
#include "core/site.h"

/* Findings of one check. s may be NULL (a name that is not a site). Appends to out, sorted for each name; sets
 * seen, wanted, copy, evidence, acts and next_look (from TTLs within p->poll_min/max). Strings from a or from e. */
void classify(const struct evidence *e, const struct site *s, const struct policy *p, struct arena *a,
    struct finding_list *out);
/* True: classify() finds nothing. It may say false of a site that is well; it is the short way of the common case. */
bool classify_is_quiet(const struct evidence *e, const struct site *s);
/* What a name's visitors are handed, over its addresses that are ours, or over all if none is: the worst of them.
 * h: the certificate held, may be NULL or have id 0. `at` is WHEN_UNKNOWN if no handshake was tried. */
struct served served_of(const struct evidence *e, const struct name_evidence *n, const struct held *h);
/* Do the CAA records keep out the CA that p speaks of? False where they could not be read. */
bool classify_caa_refuses(const struct name_evidence *n, const struct policy *p);
/* Findings of a refused or lost request (RFC 8555 6.7 problem documents; texts of several CAs). name: the
 * identifier concerned, or the site's first name. Never appends nothing: the last resort is ca.unclassified. */
void classify_problem(const struct acme_answer *answer, struct str name, const struct policy *p,
    struct when now, struct arena *a, struct finding_list *out);
/* "connection refused": for evidence, and for lists of it. */
const char *classify_http_words(enum http_result r);
#endif
