#ifndef KOSHIN_INSTALLER_TARGET_H
#define KOSHIN_INSTALLER_TARGET_H
/*
 * One configured target and a batch of requests for it: written together, tested once, reloaded once. See the
 * invariants in installer/installer.h.
 */
#include "installer/liveset.h"
#include "ports/clock/clock.h"
#include "ports/config/config.h"
#include "ports/deploy/deploy.h"

struct target {
	const struct config_target *config;
	const struct clock *clock;
	int64_t command_ms;
	struct liveset live;
	struct files now, together; /* the same, but `together` notes in `unsynced` what is to be synced */
	struct unsynced unsynced;
	struct journal journal;
	bool is_ready;	 /* folders are there and no journal waits */
	bool reload_due; /* accepted changes that the web server has not been told of */
	bool is_settled; /* after the last reload: no worker of before takes connections any more */
};
/* One request, and what became of it at this target. */
struct work {
	const struct deploy_job *job;
	const struct liveset_bytes *bytes; /* the opened set; NULL without one */
	enum err err;
	enum cause cause;
	struct buf words;
	struct change change;
	bool
	    wants_reload; /* what changed matters to the web server only when it reads its configuration again */
	bool is_reloading; /* told to, with this work among others; its workers of before may still answer */
	bool is_pending;   /* a folder's command has not answered for what is there yet */
};
enum { TARGET_BATCH_MAX = 256 };

void work_init(struct work *w, const struct deploy_job *job, const struct liveset_bytes *bytes);
void work_fini(struct work *w);
/* The cause that an error of ours means to the operator. */
enum cause target_cause(enum err e);

/* `config` is borrowed for the target's life. CONFIG for a group that does not exist; nothing is written yet. */
MUST_USE enum err target_init(struct target *t, const struct config_target *config,
    const struct clock *clock, const struct files *files, struct why *why);
void target_fini(struct target *t);
/* Folders, and what a process that was ended left behind. Done again before a batch until it succeeds. */
MUST_USE enum err target_recover(struct target *t, struct buf *words);
/* At most TARGET_BATCH_MAX. Every work has its outcome after it. */
void target_apply(struct target *t, struct work *works, size_t n);
#endif
