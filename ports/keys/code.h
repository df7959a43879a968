#ifndef KOSHIN_PORTS_KEYS_CODE_H
#define KOSHIN_PORTS_KEYS_CODE_H
/*
 * One-time codes of people (TOTP, RFC 6238: SHA-1, six digits, thirty seconds: what every app can do), by liboath. The secret is made
 * and kept here; who asks learns which step a code belongs to, never a code.
 */
#include "ports/keys/keys.h"

/* A new secret: sealed for the store, and in base32 for the app. */
MUST_USE enum err code_new(const uint8_t *master_key, struct buf *sealed, struct buf *secret);
/* MISMATCH: the code is that of no step from first_step on. */
MUST_USE enum err code_find(const uint8_t *master_key, struct str sealed, struct str code,
    uint64_t first_step, uint64_t *ret_step);
#endif
