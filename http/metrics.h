#ifndef KOSHIN_HTTP_METRICS_H
#define KOSHIN_HTTP_METRICS_H
/* The state of the installation for monitoring: Prometheus text (version 0.0.4), and a health document. */
#include "ports/store/store.h"

MUST_USE enum err metrics_write(struct store *s, struct when now, struct arena *a, struct buf *out);
/* What the watchdog knows, from its own file: there when the store is not. A file that is not there gives no figure. */
void metrics_alarms(const char *state_folder, struct when now, struct buf *out);
/* {"ok", "store", "heartbeats": {process: age in seconds}}; healthy when the engine's heartbeat is young, no other
 * process's is old, and the store could be written a short while ago. */
MUST_USE enum err metrics_health(
    struct store *s, struct when now, bool store_is_writable, struct arena *a, struct buf *out, bool *ret_healthy);
#endif
