#ifndef KOSHIN_PORTS_KEYS_SET_H
#define KOSHIN_PORTS_KEYS_SET_H
/*
 * A chain and its private key on their way from the keeper through the engine to the installer: sealed with the
 * transport key (SECRET_KEY_BYTES), which the supervisor makes at each start and gives to those two alone.
 */
#include "base/arena.h"
#include "base/str.h"

MUST_USE enum err keys_set_seal(const uint8_t *transport_key, struct str chain_pem, struct str key_pem, struct buf *to);
/* CORRUPT if it is damaged or was sealed before the last start: the engine asks the keeper for a new one. The two
 * texts are in the arena; the caller wipes the key (secret_wipe) when it is written. */
MUST_USE enum err keys_set_open(const uint8_t *transport_key, struct str set, struct arena *a, struct str *ret_chain_pem,
    struct str *ret_key_pem);
#endif
