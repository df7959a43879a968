#ifndef KOSHIN_ENGINE_ENGINE_H
#define KOSHIN_ENGINE_ENGINE_H
/*
 * The engine: decide, commit, act. A turn takes what has come in (dates, wishes, answers of ports), lets core
 * decide, commits facts and intentions in one transaction, and only then carries the effects out. It is the same
 * code on a server and in the simulator; only the ports differ. No thread, no wait: a turn never blocks on the world.
 *
 * Crash-only: when the store fails, a turn returns the error, and the process ends to be started anew from the
 * store. Everything that was under way is found there and asked for again.
 */
#include "core/site.h"
#include "ports/acme/acme.h"
#include "ports/clock/clock.h"
#include "ports/clock/witness.h"
#include "ports/config/config.h"
#include "ports/deploy/deploy.h"
#include "ports/dnsapi/dnsapi.h"
#include "ports/keys/keys.h"
#include "ports/mail/mail.h"
#include "ports/probe/probe.h"
#include "ports/store/store.h"

struct engine_ports {
	struct clock clock;
	struct store *store;
	struct acme acme;
	struct keys keys;
	struct probe probe;
	struct deploy deploy;
	struct mail mail;
	struct witness witness; /* zeroed: nobody to ask */
	struct dnsapi dnsapi;	/* zeroed: the configuration has no zones of ours */
};
struct engine;
/* config is borrowed and outlives the engine. log may be NULL. */
struct engine_setup {
	const struct config *config;
	/* For each CA of the configuration the base64url key of its external account binding, until it is sealed; empty without
	 * one. Borrowed; NULL: none has one. */
	const struct str *eab_hmacs;
	struct engine_ports ports;
	int64_t pid; /* of this process, for its heartbeat */
	struct span heartbeat_every;
	/* Several engines on one store: how long the lease of the one that acts is (core/lease), who this one is, and whether another is known
	 * to have ended (NULL: never). 0: it is alone. Borrowed. */
	struct span lease;
	struct str holder;
	bool (*is_gone)(struct str holder);
	void (*log)(void *arg, const char *line);
	void *log_arg;
};
MUST_USE enum err engine_new(const struct engine_setup *setup, struct engine **ret);
/* Forgets what is under way, as a crash does. The ports must not call back any more. */
void engine_free(struct engine **e);
/* One turn. ret_next_ms: call again after so long at the latest (0: there is more to do now), or as soon as a port has
 * called back (engine_has_news) or somebody left a wish. An error: free this engine and start another. */
MUST_USE enum err engine_turn(struct engine *e, struct why *why, int64_t *ret_next_ms);
bool engine_has_news(const struct engine *e);
/* It holds the lease, or there is none: it acts. */
bool engine_acts(const struct engine *e);
/* It ends of its own will: another need not wait for the end of its lease. */
MUST_USE enum err engine_leave(struct engine *e);
/* Work of this engine that is under way: for metrics and tests. */
struct engine_counts {
	size_t checks, orders, orders_waiting, deploys, letters;
	uint64_t turns, late_answers;
};
struct engine_counts engine_count(const struct engine *e);

/* The process: builds the real ports on the descriptors that it was given, and runs turns until SIGTERM. */
struct engine_options {
	const struct config *config;
	int fd_keeper, fd_installer, fd_wake; /* wake: a byte for each wish of the web process */
	int fd_news; /* one byte is written after each turn; non-blocking, a full pipe is as good as a byte */
	int fd_ready;			      /* one byte is written when the first turn is done; -1: none */
};
/* The exit status. */
int engine_run(const struct engine_options *o);
#endif
