#ifndef KOSHIN_PORTS_KEYS_LOCAL_H
#define KOSHIN_PORTS_KEYS_LOCAL_H
/* The keys port without a keeper: the work is done in this process, in a later round of the loop. */
#include "ports/keys/keys.h"
#include "ports/loop/loop.h"

struct keys_local;
/* master_key and transport_key as for keys_core_new. */
MUST_USE enum err keys_local_new(struct loop *loop, const uint8_t *master_key, const uint8_t *transport_key,
    struct keys_local **ret);
/* Jobs that wait are forgotten. Not from inside a `done`. */
void keys_local_free(struct keys_local **l);
struct keys keys_local_port(struct keys_local *l);
#endif
