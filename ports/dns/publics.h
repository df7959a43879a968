#ifndef KOSHIN_PORTS_DNS_PUBLICS_H
#define KOSHIN_PORTS_DNS_PUBLICS_H
/*
 * Asks resolvers that many visitors use what they answer for a name, and for how long yet. A CA does not ask them, and a change
 * in DNS reaches them last: they tell until when some visitors are led to the old place.
 */
#include "base/arena.h"
#include "core/evidence.h"
#include "ports/dns/from.h"
#include "ports/loop/loop.h"

enum { PUBLICS_MAX = 4 };
struct publics_options {
	struct loop *loop;
	const struct clock *clock;
	const char *const *servers; /* "9.9.9.9", "127.0.0.1@5300"; PUBLICS_MAX at most */
	size_t servers_n;
	struct from from;
	int64_t timeout_ms; /* for one try */
};
struct publics;
struct publics_round; /* one name under way */
MUST_USE enum err publics_new(const struct publics_options *o, struct publics **ret);
void publics_free(struct publics **p); /* no round is under way any more; a no-op for NULL */
/* Fills into->publics. done is called once, never from inside; not at all after publics_stop. NOT_FOUND: there is no such resolver. */
MUST_USE enum err publics_start(struct publics *p, struct name_evidence *into, struct arena *a, loop_fn *done, void *arg,
    struct publics_round **ret);
/* What is known by then stays in the evidence. A no-op for NULL. */
void publics_stop(struct publics_round **r);
#endif
