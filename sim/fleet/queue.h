#ifndef KOSHIN_SIM_FLEET_QUEUE_H
#define KOSHIN_SIM_FLEET_QUEUE_H
/*
 * What will happen in a fleet, in order of time and, at one time, in the order in which it was put: the same seed
 * gives the same order, always. A calendar of three wheels (65 s, 18 h and 2 years to a slot) in front of a small heap, so
 * that a million dates cost no more each than a thousand.
 */
#include "base/err.h"
#include "base/when.h"

struct fleet_event {
	int64_t at_ms;
	uint32_t seq;
	uint32_t site;
	uint32_t arg;
	uint16_t generation; /* of the engine that waits for it */
	uint8_t kind, flag;
	uint64_t extra;
};
struct fleet_slot {
	struct fleet_event *at;
	uint32_t n, cap;
};
enum { QUEUE_WHEELS = 3, QUEUE_SLOTS = 1024 };
struct queue_of_events {
	struct fleet_slot near; /* heap: everything before the end of the current slot of the first wheel */
	struct fleet_slot wheel[QUEUE_WHEELS][QUEUE_SLOTS];
	int64_t start_ms, slot; /* number of the current slot of the first wheel */
	uint32_t seq;
	uint64_t n, soon; /* all; those in the first wheel */
	bool failed; /* no memory: an event was lost */
};

void events_init(struct queue_of_events *q, int64_t start_ms);
void events_fini(struct queue_of_events *q);
void events_put(struct queue_of_events *q, struct fleet_event ev);
/* False: there is none before until_ms. */
bool events_take(struct queue_of_events *q, int64_t until_ms, struct fleet_event *ret);
#endif
