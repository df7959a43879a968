#ifndef KOSHIN_PORTS_KEYS_PROTOCOL_H
#define KOSHIN_PORTS_KEYS_PROTOCOL_H
/* Jobs and answers as bytes, between ports/keys/remote.c and the keeper. Readers trust nothing; texts are views into
 * the message, lists are in the arena. */
#include "base/arena.h"
#include "ports/keys/keys.h"

void keys_job_put(struct buf *to, const struct keys_job *job);
MUST_USE enum err keys_job_get(struct str message, struct arena *a, struct keys_job *ret);
void keys_answer_put(struct buf *to, const struct keys_answer *answer);
MUST_USE enum err keys_answer_get(struct str message, struct keys_answer *ret);
#endif
