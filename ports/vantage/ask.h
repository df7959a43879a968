#ifndef KOSHIN_PORTS_VANTAGE_ASK_H
#define KOSHIN_PORTS_VANTAGE_ASK_H
/*
 * Asks the vantage points of the configuration what they see, all at once. A place that is dead, slow, over its limit or broken
 * costs nobody more than its own time, and is no news of a site: it stands in the view as such.
 *
 * Who signs: the keeper (keys), or a key in hand (key) where a command of root's runs without a daemon.
 */
#include "base/arena.h"
#include "core/evidence.h"
#include "ports/config/config.h"
#include "ports/keys/keys.h"
#include "ports/keys/question.h"
#include "ports/loop/loop.h"

struct vantages;
struct vantages_options {
	const struct config *config; /* borrowed for good */
	const struct keys *keys;     /* copied; NULL: the key */
	const struct question_key *key; /* borrowed for good */
};
/* *ret is NULL, and all is well, where the configuration names no place. */
MUST_USE enum err vantages_new(struct loop *l, const struct clock *c, const struct vantages_options *o, struct vantages **ret);
/* What is under way is forgotten without a word. */
void vantages_free(struct vantages **v);

struct vantage_ask; /* one look under way */
struct vantage_target {
	struct name_evidence *const *names; /* whose views are made and filled; wildcards are left out. Copied, what they point at is not. None: each
					     * place is asked whether it is there, and `told` is called without a name */
	size_t names_n;
	struct str thumbprint;
	struct arena *arena; /* for all that is put there */
	int64_t within_ms;   /* no answer later than this is waited for */
	void (*told)(void *arg, struct name_evidence *n, const struct view_evidence *v); /* one has come in */
	loop_fn *done; /* called once, never from inside vantages_ask; not after vantages_stop */
	void *arg;
};
/* OK with *ret NULL: there is nothing to ask. */
MUST_USE enum err vantages_ask(struct vantages *v, const struct vantage_target *t, struct vantage_ask **ret);
/* Ends it now: who has not answered was silent. */
void vantages_stop(struct vantage_ask **ask);
#endif
