#include "ports/keys/seal.h"
#include <sodium.h>
#include <string.h>
#include "base/limits.h"
#include "base/must.h"

enum {
	HEAD = 3,
	NONCE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
	TAG = crypto_aead_xchacha20poly1305_ietf_ABYTES
};
_Static_assert(HEAD + NONCE + TAG == SEAL_OVERHEAD_BYTES, "the form of a sealed thing");

/* What is authenticated beside the ciphertext. The purpose is in words as well as in the head, so that a new
 * numbering could never make old things fit a new purpose. */
static struct str
bound(enum purpose purpose)
{
	switch (purpose) {
	case PURPOSE_ACCOUNT:
		return STR("koshin sealed 1: account");
	case PURPOSE_SITE:
		return STR("koshin sealed 1: site");
	case PURPOSE_SECRET:
		return STR("koshin sealed 1: secret");
	case PURPOSE_CODE:
		return STR("koshin sealed 1: code");
	}
	must_fail(__FILE__, __LINE__, "purpose");
}

enum err
seal(const uint8_t *master_key, enum purpose purpose, struct str clear, struct buf *to)
{
	uint8_t head[HEAD + NONCE] = { 'K', 1, (uint8_t)purpose };
	uint8_t out[LIMIT_SEALED_BYTES];
	struct str with = bound(purpose);
	unsigned long long n;

	if (clear.n > LIMIT_SEALED_BYTES - SEAL_OVERHEAD_BYTES)
		return ERR_TOO_LONG;
	randombytes_buf(head + HEAD, NONCE);
	if (crypto_aead_xchacha20poly1305_ietf_encrypt(out, &n, (const uint8_t *)clear.p,
		clear.n, (const uint8_t *)with.p, with.n, NULL, head + HEAD, master_key) != 0)
		return ERR_CRYPTO;
	buf_put(to, head, sizeof head);
	buf_put(to, out, n);
	return to->err;
}

enum err
unseal(const uint8_t *master_key, enum purpose purpose, struct str sealed, struct secret *ret)
{
	const uint8_t *p = (const uint8_t *)sealed.p;
	struct str with = bound(purpose);
	struct secret s = { 0 };
	unsigned long long n;

	if (sealed.n < SEAL_OVERHEAD_BYTES || sealed.n > LIMIT_SEALED_BYTES || p[0] != 'K' ||
	    p[1] != 1)
		return ERR_CORRUPT;
	if (p[2] != purpose)
		return ERR_DENIED;
	enum err e = secret_init(sealed.n - SEAL_OVERHEAD_BYTES, &s);
	if (e != ERR_OK)
		return e;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt(s.p, &n, NULL, p + HEAD + NONCE,
		sealed.n - HEAD - NONCE, (const uint8_t *)with.p, with.n, p + HEAD,
		master_key) != 0) {
		secret_fini(&s);
		return ERR_CORRUPT;
	}
	must(n == s.n);
	*ret = s;
	return ERR_OK;
}
