#ifndef KOSHIN_PORTS_ACME_HTTP_H
#define KOSHIN_PORTS_ACME_HTTP_H
/* The real ACME port: libcurl multi on the process's loop, HTTP/2 where the CA has it, no thread and no wait per order. */
#include "core/gcra.h"
#include "ports/acme/acme.h"
#include "ports/keys/keys.h"
#include "ports/loop/loop.h"

struct acme_http_options {
	const char *ca_bundle;	/* PEM file of the roots that are trusted for the CA's own TLS; NULL: the system's.
				   Read once; never again for each connection. */
	const char *user_agent;
	int64_t timeout_ms;	/* for one request */
	unsigned connections_max; /* to one CA */
	const struct rate *rates; /* requests a second to each endpoint (core/budget): ENDPOINT_COUNT; NULL: as they come */
};
struct acme_http;
MUST_USE enum err acme_http_new(struct loop *l, const struct clock *c, struct keys *k,
    const struct acme_http_options *o, struct acme_http **ret);
void acme_http_free(struct acme_http **a);
struct acme acme_http_port(struct acme_http *a);
/* Requests sent since the start, for metrics and benchmarks. */
uint64_t acme_http_requests(const struct acme_http *a);
#endif
