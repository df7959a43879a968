#ifndef KOSHIN_PORTS_OUTSIDE_OUTSIDE_H
#define KOSHIN_PORTS_OUTSIDE_OUTSIDE_H
/*
 * Is there a world outside, and what time is it there? The directories of the CAs are fetched; if none of them answers,
 * other points are connected to by address, so that a dead network, a closed way to the CA and a dead CA can be told
 * apart. The Date header of an answer is the clock that nobody here has set.
 */
#include "ports/clock/witness.h"
#include "ports/config/config.h"
#include "ports/loop/loop.h"

struct outside_answer {
	bool is_ca_reached;    /* one of them answered anything over TLS */
	bool has_route;	       /* the kernel knows a way; true if a CA was reached */
	bool is_other_reached; /* meaningful if no CA was */
	struct when date;      /* as the outside has it; WHEN_UNKNOWN without */
	char words[256];       /* why the CA was not reached; one line */
};
typedef void outside_done(void *arg, const struct outside_answer *answer);
struct outside;
MUST_USE enum err outside_new(struct loop *l, const struct config *c, struct outside **ret);
void outside_free(struct outside **o);
/* One question at a time: BUSY while one is open. done comes later, never from inside, within timeout and a few seconds. */
MUST_USE enum err outside_ask(struct outside *o, outside_done *done, void *arg);
/* Its date alone, with the offset of the configuration added to it. */
struct witness outside_witness(struct outside *o);
#endif
