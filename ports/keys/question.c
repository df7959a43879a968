#include "ports/keys/question.h"
#include <openssl/err.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "ports/keys/jose.h"
#include "ports/keys/openssl.h"

/* Of the keys that are made of the master key, this is the one for questions; another purpose takes another number. */
enum { DERIVED_QUESTIONS = 1 };
static const char derived_context[crypto_kdf_CONTEXTBYTES] = { 'v', 'a', 'n', 't', 'a', 'g', 'e', '1' };

struct question_key {
	EVP_PKEY *pair;
	char text[QUESTION_KEY_LETTERS + 1];
};

static enum err
make_pair(const uint8_t *master_key, EVP_PKEY **ret)
{
	AUTO_SECRET seed = { 0 };
	enum err e = secret_init(QUESTION_KEY_BYTES, &seed);

	if (e != ERR_OK)
		return e;
	if (crypto_kdf_derive_from_key(seed.p, seed.n, DERIVED_QUESTIONS, derived_context, master_key) != 0)
		return ERR_CRYPTO;
	*ret = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed.p, seed.n);
	return *ret == NULL ? ERR_CRYPTO : ERR_OK;
}

enum err
question_key_new(const uint8_t *master_key, struct question_key **ret)
{
	struct question_key *k = calloc(1, sizeof *k);
	uint8_t public_key[QUESTION_KEY_BYTES];
	size_t n = sizeof public_key;
	AUTO_BUF text = { .max = QUESTION_KEY_LETTERS };

	if (k == NULL)
		return ERR_MEMORY;
	enum err e = make_pair(master_key, &k->pair);
	if (e == ERR_OK && (EVP_PKEY_get_raw_public_key(k->pair, public_key, &n) != 1 || n != sizeof public_key))
		e = ERR_CRYPTO;
	if (e == ERR_OK)
		jose_put_base64url(&text, (struct str){ (const char *)public_key, n });
	if (e == ERR_OK)
		e = text.err;
	if (e != ERR_OK) {
		question_key_free(&k);
		return e;
	}
	memcpy(k->text, text.p, sizeof k->text);
	*ret = k;
	return ERR_OK;
}

void
question_key_free(struct question_key **k)
{
	if (*k == NULL)
		return;
	EVP_PKEY_free((*k)->pair);
	free(*k);
	*k = NULL;
}

const char *
question_key_text(const struct question_key *k)
{
	return k->text;
}

enum err
question_sign(const struct question_key *k, struct str payload, struct buf *to)
{
	AUTO_BUF header = { .max = 256 };

	buf_putf(&header, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"" QUESTION_TYPE "\"}", k->text);
	return header.err != ERR_OK ? header.err : jose_sign_ed25519(k->pair, buf_str(&header), payload, to);
}

bool
question_read_bytes(struct str text, uint8_t *ret, size_t n)
{
	size_t got = 0;

	return sodium_base642bin(ret, n, text.p, text.n, NULL, &got, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) == 0 && got == n;
}

enum err
question_verify(struct str public_key, struct str input, struct str signature)
{
	uint8_t bytes[QUESTION_KEY_BYTES];
	enum err e = ERR_MISMATCH;

	if (!question_read_bytes(public_key, bytes, sizeof bytes))
		return ERR_INVALID;
	AUTO_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, sizeof bytes);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	if (key == NULL || ctx == NULL)
		e = ERR_CRYPTO;
	else if (EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		 EVP_DigestVerify(ctx, (const uint8_t *)signature.p, signature.n, (const uint8_t *)input.p, input.n) == 1)
		e = ERR_OK;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return e;
}
