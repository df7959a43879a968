#ifndef KOSHIN_PORTS_PROBE_SHAKE_H
#define KOSHIN_PORTS_PROBE_SHAKE_H
/*
 * One TLS handshake with SNI on one address: what visitors are handed. The certificate is looked at, never
 * demanded to be good; whether its chain leads to a trusted root is noted, dates apart.
 */
#include "base/arena.h"
#include "core/evidence.h"
#include "ports/dns/from.h"
#include "ports/loop/gate.h"

struct shaker_options {
	struct loop *loop;
	struct gate *gate;
	const char *roots; /* PEM file; NULL: the system's. Read once. */
	struct from from;
	int64_t timeout_ms;
	uint16_t port;
};
struct shaker;
struct shake; /* one under way */

struct shake_target {
	struct str name; /* terminated */
	struct address ip;
	uint16_t port; /* 0: the shaker's */
	enum service_opening opening;
	bool wants_revocation; /* where that is told is read too */
	struct arena *arena; /* for strings of *into */
	struct tls_evidence *into;
	loop_fn *done; /* called once, never from inside shake_start; not after shake_stop */
	void *arg;
};
MUST_USE enum err shaker_new(const struct shaker_options *o, struct why *why, struct shaker **ret);
void shaker_free(struct shaker **s); /* after all handshakes have ended */
MUST_USE enum err shake_start(struct shaker *s, const struct shake_target *t, struct shake **ret);
/* Ends it now: what has no answer is a time-out, what has not begun for want of room was not tried. */
void shake_stop(struct shake **shake);
#endif
