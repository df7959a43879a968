#ifndef KOSHIN_PORTS_CLOCK_WITNESS_H
#define KOSHIN_PORTS_CLOCK_WITNESS_H
/* A clock that nobody here has set: asked when ours has jumped. Real: the Date header of the CA (ports/outside/). */
#include "base/err.h"
#include "base/when.h"

typedef void witness_done(void *arg, struct when outside); /* WHEN_UNKNOWN: nobody could be asked */
struct witness {
	void *ctx;
	/* done comes later, never from inside. NULL: there is nobody to ask. */
	enum err (*ask)(void *ctx, witness_done *done, void *arg);
};
#endif
