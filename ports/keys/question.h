#ifndef KOSHIN_PORTS_KEYS_QUESTION_H
#define KOSHIN_PORTS_KEYS_QUESTION_H
/*
 * The key of an installation that its questions to vantage points are signed with: Ed25519, made of the master key, so that
 * there is nothing to store, to back up or to lose beside that. It signs questions alone: their form (JWS, RFC 7515 7.2.2, with
 * EdDSA as RFC 8037 3.1 has it) names in its protected header what it is for, and a vantage point takes nothing else.
 */
#include "ports/keys/secret.h"

enum { QUESTION_KEY_BYTES = 32, QUESTION_KEY_LETTERS = 43 };
#define QUESTION_TYPE "koshin-question+json"

struct question_key;
MUST_USE enum err question_key_new(const uint8_t *master_key, struct question_key **ret);
void question_key_free(struct question_key **k);
/* The public key in base64url: the text that a vantage point lists its askers by. */
const char *question_key_text(const struct question_key *k);
MUST_USE enum err question_sign(const struct question_key *k, struct str payload, struct buf *to);
/* MISMATCH: not signed by this key. INVALID: the text is no key. */
MUST_USE enum err question_verify(struct str public_key, struct str input, struct str signature);
/* Base64url without padding, of exactly n bytes; false for anything else. */
bool question_read_bytes(struct str text, uint8_t *ret, size_t n);
#endif
