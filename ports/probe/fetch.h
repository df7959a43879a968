#ifndef KOSHIN_PORTS_PROBE_FETCH_H
#define KOSHIN_PORTS_PROBE_FETCH_H
/*
 * One challenge path over HTTP on one address, as a CA's validator asks for it, or one home page as a browser does (libcurl multi): redirects only
 * 301, 302, 307, 308, at most 10, to http and https on the usual ports, TLS of 1.2 or newer without looking at
 * the certificate, each hop on a new connection and its host resolved anew. Each address is shown to the
 * caller's rule before it is connected to, and the one shown is the one connected to.
 */
#include "base/arena.h"
#include "core/evidence.h"
#include "ports/dns/resolver.h"
#include "ports/loop/gate.h"

typedef bool fetch_may_connect(void *arg, const struct address *a);
struct fetcher_options {
	struct loop *loop;
	const struct clock *clock;
	struct resolver *resolver;
	struct gate *gate;
	struct from from;
	int64_t timeout_ms; /* for one hop */
	uint16_t http_port, https_port;
	fetch_may_connect *may_connect;
	void *arg;
};
struct fetcher;
struct fetch; /* one under way */

struct fetch_target {
	struct str name; /* terminated; like the others it lives as long as the fetch */
	struct address ip;
	struct str token, wanted; /* wanted: the body that proves that it is us */
	struct arena *arena;	  /* for strings of *into */
	struct http_evidence *into;
	struct str url; /* terminated: this, and nothing of a name, is fetched; its body goes to *ret_body if it came whole, with status 200. Empty: as below */
	struct buf *ret_body;
	size_t body_max; /* of `url`: more is not taken */
	struct home_evidence *home; /* the home page over HTTPS; `into` is of it, `token` and `wanted` are not looked at. NULL: the challenge */
	bool is_plain; /* the home page over HTTP, without `home`: it ends where it is forwarded to HTTPS, with that as its location */
	loop_fn *done; /* called once, never from inside fetch_start; not after fetch_stop */
	void *arg;
};
MUST_USE enum err fetcher_new(const struct fetcher_options *o, struct fetcher **ret);
void fetcher_free(struct fetcher **f); /* after all fetches have ended */
MUST_USE enum err fetch_start(struct fetcher *f, const struct fetch_target *t, struct fetch **ret);
/* Ends it now: what has no answer is a time-out, what has not begun for want of room was not tried. */
void fetch_stop(struct fetch **fetch);
#endif
