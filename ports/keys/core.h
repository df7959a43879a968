#ifndef KOSHIN_PORTS_KEYS_CORE_H
#define KOSHIN_PORTS_KEYS_CORE_H
/*
 * The verbs of ports/keys/keys.h, done here and now: for the keeper process, the local port, the simulator and the
 * command line. One thread. The input is untrusted: every length and text is checked.
 */
#include "base/arena.h"
#include "ports/keys/keys.h"
#include "ports/keys/secret.h"

struct keys_core;
/* Copies the two keys (SECRET_KEY_BYTES each). transport_key may be NULL where KEYS_SET is not used: it is DENIED. */
MUST_USE enum err keys_core_new(const uint8_t *master_key, const uint8_t *transport_key, struct keys_core **ret);
void keys_core_free(struct keys_core **c);
/* The answer's texts are in the arena; a key in it is wiped by the caller (secret_wipe) when it has been used. */
void keys_do(struct keys_core *c, const struct keys_job *job, struct arena *a, struct keys_answer *ret);
#endif
