#ifndef KOSHIN_PORTS_DNS_EVENTS_H
#define KOSHIN_PORTS_DNS_EVENTS_H
/*
 * libunbound's pluggable events (unbound-event.h) on the process's loop: its sockets and timers are the loop's, so that it
 * needs no thread, and no pipe between a thread and us.
 */
#include "ports/loop/loop.h"

struct ub_event_base;
/* NULL without memory. For ub_ctx_create_ub_event; l outlives it. */
struct ub_event_base *events_new(struct loop *l);
/* After the ub_ctx_delete of all that use it. A no-op for NULL. */
void events_free(struct ub_event_base **base);
#endif
