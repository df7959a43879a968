#ifndef KOSHIN_PORTS_LOOP_ENDING_H
#define KOSHIN_PORTS_LOOP_ENDING_H
/*
 * How a process with a loop is told to end: SIGTERM and SIGINT arrive as an event of the loop, between two callbacks, and
 * set is_wanted. SIGPIPE is ignored: a peer that goes away is an answer of the connection, not the end of the process.
 */
#include "ports/loop/loop.h"

struct ending {
	int fd; /* -1: nothing is watched */
	bool is_wanted;
};
#define ENDING_NONE ((struct ending){ .fd = -1 })

/* e stays where it is until ending_fini. The signals stay blocked afterwards: who blocks them wants to end in order. */
MUST_USE enum err ending_init(struct ending *e, struct loop *l);
/* A no-op for ENDING_NONE. Before loop_free. */
void ending_fini(struct ending *e, struct loop *l);
#endif
