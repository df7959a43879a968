#ifndef KOSHIN_PORTS_KEYS_SEAL_H
#define KOSHIN_PORTS_KEYS_SEAL_H
/*
 * Sealing under the master key: XChaCha20-Poly1305 with a random nonce. What a sealed thing is for is bound in, so
 * that a site's key can never be used where an account's is expected, whoever moves bytes about in the store.
 *
 * Form: 'K', version 1, purpose, nonce (24 bytes), ciphertext, tag (16 bytes).
 */
#include "ports/keys/secret.h"

enum purpose { PURPOSE_ACCOUNT = 1, PURPOSE_SITE, PURPOSE_SECRET, PURPOSE_CODE };
enum { SEAL_OVERHEAD_BYTES = 3 + 24 + 16 };

MUST_USE enum err seal(const uint8_t *master_key, enum purpose purpose, struct str clear, struct buf *to);
/* DENIED: sealed for another purpose. CORRUPT: damaged, or sealed with another master key. */
MUST_USE enum err unseal(const uint8_t *master_key, enum purpose purpose, struct str sealed, struct secret *ret);
#endif
