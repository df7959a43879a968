#ifndef KOSHIN_PORTS_ACME_COURIER_H
#define KOSHIN_PORTS_ACME_COURIER_H
/*
 * HTTP to one CA: libcurl's multi interface on the process's loop. Connections are kept and shared (HTTP/2 streams where
 * the CA has it), trust anchors are read once, transfers are used again. Redirects are not followed, proxies of the
 * environment are not asked. Knows nothing of ACME but which headers are worth keeping.
 */
#include "ports/acme/http.h"

enum courier_method { COURIER_GET, COURIER_HEAD, COURIER_POST };
enum { COURIER_LINKS_MAX = 8 };
/* What came back; valid during the call of courier_done. */
struct courier_answer {
	enum err err;	   /* OK: there is a status */
	struct str words;  /* for an error */
	int status;
	struct str body, type, nonce, location, retry_after, date;
	struct str links[COURIER_LINKS_MAX]; /* whole Link headers */
	size_t links_n;
};
typedef void courier_done(void *arg, const struct courier_answer *an);

struct courier;
MUST_USE enum err courier_new(struct loop *l, const struct acme_http_options *o, struct courier **ret);
/* Transfers under way are dropped; their done is not called. */
void courier_free(struct courier **w);
/*
 * Sends one request; url ends with NUL. POST sends body as application/jose+json. `done` is called later, never from inside
 * this function, and exactly once unless the wire is freed first.
 */
MUST_USE enum err courier_send(struct courier *w, enum courier_method method, const char *url, struct str body, courier_done *done, void *arg);
uint64_t courier_requests(const struct courier *w);
/* How many requests are of use on the wire at one time: one for each connection, until the CA has shown that it takes more of
 * them on one connection (HTTP/2; its customary hundred, RFC 9113 6.5.2). */
size_t courier_room(const struct courier *w);
/* Transfers under way. */
size_t courier_open(const struct courier *w);
#endif
