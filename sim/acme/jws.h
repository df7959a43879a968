#ifndef KOSHIN_SIM_ACME_JWS_H
#define KOSHIN_SIM_ACME_JWS_H
/*
 * The server's side of RFC 7515 as ACME uses it (RFC 8555 6.2): flattened JSON, read strictly, checked with OpenSSL. Shares
 * no line with ports/keys/jose, which signs: the two can only agree by agreeing with the RFCs.
 */
#include <jansson.h>
#include <openssl/evp.h>
#include "base/arena.h"

enum { JWS_THUMBPRINT_BYTES = 43 };
struct jws {
	struct str alg, nonce, url, kid; /* nonce and kid: empty if there is none */
	bool has_nonce;
	json_t *jwk;	    /* borrowed of `header`; NULL: there is a kid */
	struct str payload; /* decoded */
	json_t *header;	    /* protected */
	/* what was signed, and by what */
	struct str signed_text, signature;
};
/* Why it was refused: an error type of RFC 8555 6.7 and words. */
struct jws_refusal {
	const char *type;
	struct why why;
};
/* Views are of the arena; the header is freed by jws_fini. False: ret_refusal says why. */
bool jws_read(struct str body, struct arena *a, struct jws *ret, struct jws_refusal *ret_refusal);
/* An object that stands within another (externalAccountBinding, keyChange's inner one). */
bool jws_read_json(json_t *body, struct arena *a, struct jws *ret, struct jws_refusal *ret_refusal);
void jws_fini(struct jws *j); /* safe on a zeroed struct */
/* The public key of a JWK, which may be P-256, P-384 or RSA of 2048 to 4096 bits; NULL: ret_refusal. */
EVP_PKEY *jws_key(const json_t *jwk, char ret_thumbprint[JWS_THUMBPRINT_BYTES + 1], struct jws_refusal *ret_refusal);
/* Checks the signature; badSignatureAlgorithm if alg does not fit the key. */
bool jws_verify(const struct jws *j, EVP_PKEY *key, struct jws_refusal *ret_refusal);
bool jws_verify_hs256(const struct jws *j, struct str key);

/* base64url without padding (RFC 7515 2); anything else is refused. */
bool jws_decode(struct str text, struct arena *a, struct str *ret);
/* ret has room for n * 4 / 3 + 3 bytes; terminated. */
void jws_encode(const uint8_t *bytes, size_t n, char *ret);
#endif
