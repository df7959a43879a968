#ifndef KOSHIN_PORTS_LOOP_GATE_H
#define KOSHIN_PORTS_LOOP_GATE_H
/* Bounds how much is under way at one time (connections, questions): who comes too many waits in line. */
#include "ports/loop/loop.h"

struct gate_pass {
	struct gate_pass *next, **link; /* in the line */
	bool is_waiting, is_inside;
	loop_fn *go;
	void *arg;
};
struct gate {
	struct loop *loop;
	unsigned inside, max;
	struct gate_pass *first, **last;
	struct loop_timer *timer;
};
void gate_init(struct gate *g, struct loop *l, unsigned max);
void gate_fini(struct gate *g);
/* Calls go(arg) when there is room: at the earliest in the loop's next round. False without memory. */
MUST_USE bool gate_enter(struct gate *g, struct gate_pass *p, loop_fn *go, void *arg);
void gate_leave(struct gate *g, struct gate_pass *p); /* from the line or from inside; a no-op otherwise */
#endif
