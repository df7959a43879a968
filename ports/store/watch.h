#ifndef KOSHIN_PORTS_STORE_WATCH_H
#define KOSHIN_PORTS_STORE_WATCH_H
/*
 * The part of the store that is for the watchdog: what the engine notes for it, and what it reads. The watchdog opens
 * the store for reading alone, anew for each look, so that it sees a file that was replaced, and holds nobody up.
 */
#include "core/watch.h"
#include "ports/store/store.h"

enum learned { LEARNED_DNS, LEARNED_PROBE, LEARNED_CA, LEARNED_COUNT };
/* --- the engine's --- */
MUST_USE enum err store_learned_put(struct store *s, enum learned what, struct when now);
/* A cause of the whole installation stands, with what was seen; until it is ended. Both may be repeated. */
MUST_USE enum err store_condition_put(struct store *s, enum cause c, struct str words, struct when now);
MUST_USE enum err store_condition_end(struct store *s, enum cause c);
/* Findings that stand, by cause and by when they were first seen, counted by owner: those with MASS_LEAST owners or more. */
MUST_USE enum err store_bursts(struct store *s, struct when now, struct arena *a, struct mass_burst **ret,
    size_t *ret_n, int64_t *ret_sites);
/* The last sign of life of a process; WHEN_UNKNOWN without one. */
MUST_USE enum err store_heartbeat_of(struct store *s, struct str process, struct when *ret);

/* --- the watchdog's --- */
/* Fills in what the store knows of the facts, from one state; has_store with it. */
MUST_USE enum err store_watched(
    struct store *s, struct when now, struct span late_after, struct arena *a, struct watch_facts *ret);
/* Adds the next renewal of each of the next sites, by id, after this one; *ret_last is the last of them, 0 when there are no more. */
MUST_USE enum err store_plans(
    struct store *s, int64_t after_id, size_t max, struct span zone, struct forecast *f, int64_t *ret_last);
/* Counts of the sites by days left alone: for /metrics. */
MUST_USE enum err store_days_left(struct store *s, struct when now, int64_t ret[WATCH_DAYS]);
/* Names of which the store says that visitors are handed the certificate that is held, by id, after this one. */
struct store_sample {
	int64_t name_id;
	struct str name;
	uint8_t fingerprint[FINGERPRINT_BYTES];
};
MUST_USE enum err store_samples(struct store *s, int64_t after_id, size_t max, struct arena *a,
    struct store_sample **ret, size_t *ret_n);
/* NOT_FOUND: the store does not say so any more. */
MUST_USE enum err store_sample(struct store *s, int64_t name_id, struct arena *a, struct store_sample *ret);
#endif
