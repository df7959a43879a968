#ifndef KOSHIN_PORTS_RDAP_RDAP_H
#define KOSHIN_PORTS_RDAP_RDAP_H
/*
 * Asks the registries about domains (RDAP: RFC 7480, 9082, 9083), each at the server that the bootstrap names
 * (RFC 9224). A registry is somebody else's machine: one domain is asked about once a day at most, few questions
 * are open at a time, and a server that asks to wait is left alone for so long. No answer is an answer of its own:
 * REGISTRATION_UNKNOWN.
 */
#include "base/arena.h"
#include "core/registration.h"
#include "ports/loop/loop.h"

struct rdap_options {
	const char *
	    bootstrap; /* URL, or absolute path of a file, as https://data.iana.org/rdap/dns.json */
	const char *roots;  /* PEM file of the roots trusted for TLS; NULL: the system's */
	int64_t timeout_ms; /* for one request */
};
struct rdap;
struct rdap_wait; /* somebody who waits for an answer */
/* r is borrowed for the call. */
typedef void rdap_fn(void *arg, const struct registration *r);

/* Reads nothing yet: the bootstrap is fetched with the first question, and anew after a week. */
MUST_USE enum err rdap_new(
    struct loop *l, const struct clock *c, const struct rdap_options *o, struct rdap **ret);
/* Questions under way are dropped: their functions are not called. */
void rdap_free(struct rdap **r);
/* What is known already, copied into a; else false, and the question is put where there is room for it, so that the
 * next one who looks may find the answer. */
bool rdap_known(struct rdap *r, struct str domain, struct arena *a, struct registration *ret);
/* fn is called once, never from inside; not at all after rdap_drop. FULL: too many questions wait. */
MUST_USE enum err rdap_ask(
    struct rdap *r, struct str domain, rdap_fn *fn, void *arg, struct rdap_wait **ret);
void rdap_drop(struct rdap_wait **w); /* a no-op for NULL */
#endif
