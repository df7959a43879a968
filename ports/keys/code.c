#include "ports/keys/code.h"
#include <liboath/oath.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "ports/keys/seal.h"

enum { SECRET_BYTES = 20 }; /* as long as a SHA-1 is (RFC 4226 4) */

enum err
code_new(const uint8_t *master_key, struct buf *sealed, struct buf *secret)
{
	AUTO_SECRET bytes = { 0 };
	char *text = NULL;
	size_t n = 0;
	enum err e = secret_init(SECRET_BYTES, &bytes);

	if (e != ERR_OK)
		return e;
	randombytes_buf(bytes.p, bytes.n);
	e = seal(
	    master_key, PURPOSE_CODE, (struct str){ (const char *)bytes.p, bytes.n }, sealed);
	if (e == ERR_OK &&
	    oath_base32_encode((const char *)bytes.p, bytes.n, &text, &n) != OATH_OK)
		e = ERR_MEMORY;
	if (e != ERR_OK)
		return e;
	buf_put(secret, text, n);
	explicit_bzero(text, n);
	free(text);
	return secret->err;
}

enum err
code_find(const uint8_t *master_key, struct str sealed, struct str code, uint64_t first_step,
    uint64_t *ret_step)
{
	AUTO_SECRET bytes = { 0 };
	char right[CODE_DIGITS + 1] = "";
	uint64_t found = UINT64_MAX;
	enum err e = unseal(master_key, PURPOSE_CODE, sealed, &bytes);

	if (e != ERR_OK)
		return e;
	if (code.n != CODE_DIGITS || first_step > UINT64_MAX - CODE_STEPS)
		return ERR_MISMATCH;
	/* Each is compared whole, the right one too: the time tells nothing. */
	for (uint64_t step = first_step; step < first_step + CODE_STEPS; step++) {
		if (oath_hotp_generate((const char *)bytes.p, bytes.n, step, CODE_DIGITS, false,
			OATH_HOTP_DYNAMIC_TRUNCATION, right) != OATH_OK)
			return ERR_CRYPTO;
		if (sodium_memcmp(right, code.p, CODE_DIGITS) == 0 && found == UINT64_MAX)
			found = step;
	}
	explicit_bzero(right, sizeof right);
	if (found == UINT64_MAX)
		return ERR_MISMATCH;
	*ret_step = found;
	return ERR_OK;
}
