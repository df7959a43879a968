#ifndef KOSHIN_PORTS_ACME_PACE_H
#define KOSHIN_PORTS_ACME_PACE_H
/*
 * Requests a second to each endpoint of one CA, kept to what its front end allows (core/budget, core/gcra): what comes too
 * soon waits in line, and is sent when its time has come. Where the front end has answered 503 with Retry-After, nothing goes to
 * that endpoint before; whoever would have to wait longer than PACE_LONGEST_MS is answered in its place with what it said.
 */
#include "core/budget.h"
#include "ports/acme/courier.h"

enum {
	PACE_LONGEST_MS = 60000,
	PACE_WAITING_MAX = 4096, /* of all endpoints: more than may be under way */
};
struct pace;
/* Where requests go: a courier, or a test's. */
struct pace_out {
	void *ctx;
	enum err (*send)(void *ctx, enum courier_method method, const char *url, struct str body, courier_done *done, void *arg);
};
/* rates: ENDPOINT_COUNT of them, or NULL for none. */
MUST_USE enum err pace_new(struct loop *l, const struct clock *c, const struct pace_out *out, const struct rate *rates, struct pace **ret);
/* What waits is dropped; its done is not called. */
void pace_free(struct pace **p);
/* As courier_send. FULL: too many wait. */
MUST_USE enum err pace_send(struct pace *p, enum endpoint e, enum courier_method method, const char *url, struct str body,
    courier_done *done, void *arg);
/* For each answer: whether the front end asks for patience. */
void pace_told(struct pace *p, enum endpoint e, const struct courier_answer *an);
/* Nothing goes to the endpoint before this date; UNKNOWN or past: no change. */
void pace_hold(struct pace *p, enum endpoint e, struct when at);
size_t pace_waiting(const struct pace *p);
#endif
