#ifndef KOSHIN_PORTS_KEYS_JOSE_H
#define KOSHIN_PORTS_KEYS_JOSE_H
/*
 * JSON web signatures as ACME wants them (RFC 7515 flattened form; RFC 8555 6.2, 7.3.4) and key thumbprints
 * (RFC 7638). Texts are written as JSON strings with escapes; text that is not UTF-8 is INVALID.
 */
#include "ports/keys/openssl.h"
#include "ports/keys/secret.h"

enum { JOSE_JWK_BYTES = 160, JOSE_THUMBPRINT_BYTES = 43, JOSE_ED25519_BYTES = 64 };

/* One account key, ready to sign: what would be worked out anew for each signature is kept. */
struct jose_key {
	EVP_PKEY_CTX *ctx;
	EVP_MD *sha256;
	char jwk[JOSE_JWK_BYTES]; /* the members in the order that RFC 7638 demands */
	char thumbprint[JOSE_THUMBPRINT_BYTES + 1];
};
/* INVALID if the pair is not P-256. */
MUST_USE enum err jose_key_init(EVP_PKEY *pair, struct jose_key *ret);
void jose_key_fini(struct jose_key *k); /* safe on a zeroed struct */

struct jose_header {
	struct str url, nonce, kid; /* without a kid the public key itself stands in the header; nonce may be empty */
};
MUST_USE enum err jose_sign(struct jose_key *k, const struct jose_header *h, struct str payload, struct buf *to);
/* externalAccountBinding: the public key of k, signed by HMAC. hmac_text is base64url, as CAs give it. */
MUST_USE enum err jose_bind(const struct jose_key *k, const struct jose_header *h, struct str hmac_text, struct buf *to);
/* {"account": its URL, "oldKey": this public key}, what a key change says (RFC 8555 7.3.5). */
MUST_USE enum err jose_put_key_change(const struct jose_key *old, struct str account, struct buf *to);
/* The same by an Ed25519 pair (RFC 8037 3.1), under a header of the caller's making: the text of a JSON object. */
MUST_USE enum err jose_sign_ed25519(EVP_PKEY *pair, struct str header, struct str payload, struct buf *to);
void jose_put_base64url(struct buf *to, struct str bytes);
#endif
