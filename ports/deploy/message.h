#ifndef KOSHIN_PORTS_DEPLOY_MESSAGE_H
#define KOSHIN_PORTS_DEPLOY_MESSAGE_H
/*
 * A deploy_job and a deploy_answer as bytes between engine and installer. Whoever reads trusts nothing: PROTOCOL for
 * anything that is not exactly one well-formed message.
 */
#include "base/arena.h"
#include "ports/deploy/deploy.h"

void deploy_job_put(struct buf *b, const struct deploy_job *job);
/* Texts are views into the body, the list of names is in the arena. */
MUST_USE enum err deploy_job_get(struct str body, struct arena *a, struct deploy_job *ret);
void deploy_answer_put(struct buf *b, const struct deploy_answer *answer);
MUST_USE enum err deploy_answer_get(struct str body, struct deploy_answer *ret);
#endif
