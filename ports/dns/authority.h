#ifndef KOSHIN_PORTS_DNS_AUTHORITY_H
#define KOSHIN_PORTS_DNS_AUTHORITY_H
/*
 * Goes round a resolver: who answers for a zone by the word of the zone above, and what does each of those servers say
 * of one name? Finds the one server that is silent, the one that was forgotten at the last change, the one that is too
 * old for today's questions. Costs some thirty datagrams, so it is for names that have trouble or that a person asked
 * about; a few at one time, the others wait.
 */
#include "base/arena.h"
#include "core/evidence.h"
#include "ports/dns/resolver.h"

typedef bool authority_may_ask(void *arg, const struct address *a);
struct authority_options {
	struct loop *loop;
	const struct clock *clock;
	struct resolver *resolver;
	uint16_t port;	    /* of name servers: 53 but in tests */
	struct from from;
	int64_t timeout_ms; /* for one question to one server */
	authority_may_ask *may_ask;
	void *arg;
};
struct authority_target {
	struct str name, zone; /* live as long as the arena */
	struct arena *arena;
	struct delegation_evidence *into;
	loop_fn *done;
	void *arg;
};
struct authority;
struct survey; /* one target under way */
MUST_USE enum err authority_new(const struct authority_options *o, struct authority **ret);
void authority_free(struct authority **a); /* no survey is under way any more */
/* done is called once, never from inside; not at all after authority_stop. */
MUST_USE enum err authority_start(struct authority *a, const struct authority_target *t, struct survey **ret);
/* What is known by then stays in the evidence. A no-op for NULL. */
void authority_stop(struct survey **s);
#endif
