#ifndef KOSHIN_WATCH_WATCHDOG_H
#define KOSHIN_WATCH_WATCHDOG_H
/*
 * The watchdog: a process that believes nobody. It reads the store (and never writes it), shakes hands with our own
 * web servers for a few names at a time, asks the world outside whether it is there, and tells the operator by a way of
 * its own what stands still, is late, or is not true. It shares nothing with the engine but the file of the store.
 *
 * What it knows is in STATE/watch.state; killed and started anew, it goes on from there: no alarm is told twice a day.
 */
#include "core/watch.h"
#include "ports/config/config.h"

struct watchdog_options {
	const struct config *config;
	int fd_ready; /* one byte is written after the first look; -1: none */
};
/* Looks until SIGTERM or SIGINT. The exit status. */
int watchdog_run(const struct watchdog_options *o);
/* One look, without letters and without a trace: what holds now counts at once. */
MUST_USE enum err watchdog_once(const struct config *c, struct why *why, struct watch *ret);
#endif
