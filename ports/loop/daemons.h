#ifndef KOSHIN_PORTS_LOOP_DAEMONS_H
#define KOSHIN_PORTS_LOOP_DAEMONS_H
/*
 * The HTTP servers (libmicrohttpd) of one process, one for each socket that is listened on, driven by its loop: they have no threads,
 * and run in a round of the loop when something has come for one of them. Whatever resumes a connection runs them too.
 */
#include <microhttpd.h>
#include "ports/loop/loop.h"

enum { DAEMONS_MAX = 129 }; /* 64 addresses to listen on, 64 of the panel, and the Unix socket */
struct daemons {
	struct MHD_Daemon *at[DAEMONS_MAX];
	size_t n;
};

/* Takes one that was started with MHD_USE_EPOLL. ERR_FULL: there are DAEMONS_MAX; it is stopped then. `d` stays where it is. */
MUST_USE enum err daemons_add(struct daemons *d, struct MHD_Daemon *one, struct loop *l);
void daemons_run(struct daemons *d);
/* How long the loop may wait in one round, in milliseconds: until the first of them has something to do by the clock, but at most
 * most_ms; -1 where none has. */
int64_t daemons_longest_wait(const struct daemons *d, int64_t most_ms);
/* Suspended connections have to be resumed before. */
void daemons_stop(struct daemons *d);
#endif
