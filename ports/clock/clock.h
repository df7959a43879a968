#ifndef KOSHIN_PORTS_CLOCK_CLOCK_H
#define KOSHIN_PORTS_CLOCK_CLOCK_H
/*
 * The only home of the clock and of randomness. The real one may carry an offset (configuration, for
 * rehearsals); the simulated one is a number that the scenario moves.
 */
#include <stddef.h>
#include "base/when.h"

struct clock {
	void *ctx;
	struct when (*now)(void *ctx);
	struct mono (*mono)(void *ctx);
	void (*random)(void *ctx, void *ret, size_t n);
};
/* The machine's clock, `offset` ahead. Static storage; one for each process. */
struct clock clock_real(struct span offset);
struct when clock_now(const struct clock *c);
struct mono clock_mono(const struct clock *c);
uint32_t clock_roll(const struct clock *c);
struct turn clock_turn(const struct clock *c);
#endif
