#include "ports/keys/jose.h"
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <sodium.h>
#include <string.h>
#include "base/limits.h"

enum {
	COORDINATE = 32,	    /* bytes of one number on P-256 */
	POINT = 1 + 2 * COORDINATE, /* uncompressed */
	SIGNATURE_DER = 80,	    /* two numbers of 33 bytes at most, and their heads */
	HEADER_BYTES =
	    16 * 1024, /* URLs and names of LIMIT_URL_BYTES, each byte escaped to six */
};

void
jose_put_base64url(struct buf *to, struct str bytes)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *p = (const unsigned char *)bytes.p;
	char out[4 * 64];
	size_t out_n = 0, n = bytes.n;

	for (; n >= 3; p += 3, n -= 3) {
		if (out_n == sizeof out) {
			buf_put(to, out, out_n);
			out_n = 0;
		}
		uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
		out[out_n++] = digits[v >> 18];
		out[out_n++] = digits[v >> 12 & 63];
		out[out_n++] = digits[v >> 6 & 63];
		out[out_n++] = digits[v & 63];
	}
	buf_put(to, out, out_n);
	if (n > 0) {
		uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0);

		buf_putc(to, digits[v >> 18]);
		buf_putc(to, digits[v >> 12 & 63]);
		if (n > 1)
			buf_putc(to, digits[v >> 6 & 63]);
	}
}

/* "name":"value" with a comma before all but the first. */
static void
put_member(struct buf *to, const char *name, struct str value)
{
	buf_putf(to, "%s\"%s\":\"", to->n > 1 ? "," : "", name);
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];

		if (c == '"' || c == '\\') {
			buf_putc(to, '\\');
			buf_putc(to, (char)c);
		} else if (c < 0x20 || c == 0x7f) {
			buf_putf(to, "\\u%04x", (unsigned)c);
		} else {
			buf_putc(to, (char)c);
		}
	}
	buf_putc(to, '"');
}

static void
hash(const EVP_MD *sha256, struct str s, uint8_t ret[32], enum err *e)
{
	unsigned n = 32;

	if (EVP_Digest(s.p, s.n, ret, &n, sha256, NULL) != 1 || n != 32)
		*e = ERR_CRYPTO;
}

static enum err
write_jwk(EVP_PKEY *pair, struct jose_key *k)
{
	uint8_t point[POINT], digest[32];
	size_t n = 0;
	enum err e = ERR_OK;
	AUTO_BUF jwk = { .max = 0 }, text = { .max = 0 };

	if (!EVP_PKEY_is_a(pair, "EC") || EVP_PKEY_get_bits(pair) != 256 ||
	    EVP_PKEY_get_octet_string_param(
		pair, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &n) != 1 ||
	    n != POINT || point[0] != POINT_CONVERSION_UNCOMPRESSED)
		return ERR_INVALID;
	buf_init(&jwk, sizeof k->jwk - 1);
	buf_init(&text, JOSE_THUMBPRINT_BYTES);
	buf_putf(&jwk, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"");
	jose_put_base64url(&jwk, (struct str){ (const char *)point + 1, COORDINATE });
	buf_putf(&jwk, "\",\"y\":\"");
	jose_put_base64url(
	    &jwk, (struct str){ (const char *)point + 1 + COORDINATE, COORDINATE });
	buf_putf(&jwk, "\"}");
	if (jwk.err == ERR_OK)
		hash(k->sha256, buf_str(&jwk), digest, &e);
	jose_put_base64url(&text, (struct str){ (const char *)digest, sizeof digest });
	if (e != ERR_OK || jwk.err != ERR_OK || text.err != ERR_OK)
		return e != ERR_OK ? e : ERR_MEMORY;
	memcpy(k->jwk, jwk.p, jwk.n + 1);
	memcpy(k->thumbprint, text.p, text.n + 1);
	return ERR_OK;
}

enum err
jose_key_init(EVP_PKEY *pair, struct jose_key *ret)
{
	struct jose_key k = { .sha256 = EVP_MD_fetch(NULL, "SHA256", NULL),
		.ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL) };
	enum err e = k.sha256 == NULL || k.ctx == NULL ? ERR_CRYPTO : write_jwk(pair, &k);

	if (e == ERR_OK && EVP_PKEY_sign_init(k.ctx) != 1)
		e = ERR_CRYPTO;
	if (e != ERR_OK) {
		jose_key_fini(&k);
		return e;
	}
	*ret = k;
	return ERR_OK;
}

void
jose_key_fini(struct jose_key *k)
{
	EVP_PKEY_CTX_free(k->ctx);
	EVP_MD_free(k->sha256);
	*k = (struct jose_key){ 0 };
}

/* The two numbers of an ECDSA signature, each in 32 bytes (RFC 7518 3.4), out of their DER form. */
static enum err
raw_signature(const uint8_t *der, size_t der_n, uint8_t ret[2 * COORDINATE])
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)der_n);
	enum err e = ERR_CRYPTO;

	if (sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), ret, COORDINATE) == COORDINATE &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), ret + COORDINATE, COORDINATE) == COORDINATE)
		e = ERR_OK;
	ECDSA_SIG_free(sig);
	return e;
}

static enum err
sign_input(struct jose_key *k, struct str input, uint8_t ret[2 * COORDINATE])
{
	uint8_t digest[32], der[SIGNATURE_DER];
	size_t der_n = sizeof der;
	enum err e = ERR_OK;

	hash(k->sha256, input, digest, &e);
	if (e == ERR_OK && EVP_PKEY_sign(k->ctx, der, &der_n, digest, sizeof digest) != 1)
		e = ERR_CRYPTO;
	return e == ERR_OK ? raw_signature(der, der_n, ret) : e;
}

/*
 * Writes {"protected":"P","payload":"L","signature":" and gives P "." L, which is what is signed (RFC 7515 5.1), in
 * input. The caller puts the signature behind it and closes the object.
 */
static void
put_signed_parts(struct buf *to, struct str header, struct str payload, struct buf *input)
{
	jose_put_base64url(input, header);
	size_t header_n = input->n;
	buf_putc(input, '.');
	jose_put_base64url(input, payload);
	if (input->err != ERR_OK)
		return;
	buf_put_str(to, STR("{\"protected\":\""));
	buf_put(to, input->p, header_n);
	buf_put_str(to, STR("\",\"payload\":\""));
	buf_put(to, input->p + header_n + 1, input->n - header_n - 1);
	buf_put_str(to, STR("\",\"signature\":\""));
}

static enum err
close_signed(struct buf *to, const struct buf *input, struct str signature)
{
	jose_put_base64url(to, signature);
	buf_put_str(to, STR("\"}"));
	return input->err != ERR_OK ? input->err : to->err;
}

static bool
is_text(const struct jose_header *h)
{
	return str_is_utf8(h->url) && str_is_utf8(h->nonce) && str_is_utf8(h->kid);
}

enum err
jose_sign(struct jose_key *k, const struct jose_header *h, struct str payload, struct buf *to)
{
	uint8_t signature[2 * COORDINATE];
	AUTO_BUF header = { .max = 0 }, input = { .max = 0 };

	buf_init(&header, HEADER_BYTES);
	buf_init(&input, to->max);
	if (!is_text(h))
		return ERR_INVALID;
	buf_putc(&header, '{');
	put_member(&header, "alg", STR("ES256"));
	if (h->kid.n > 0)
		put_member(&header, "kid", h->kid);
	else
		buf_putf(&header, ",\"jwk\":%s", k->jwk);
	if (h->nonce.n > 0)
		put_member(&header, "nonce", h->nonce);
	put_member(&header, "url", h->url);
	buf_putc(&header, '}');
	if (header.err != ERR_OK)
		return header.err;
	put_signed_parts(to, buf_str(&header), payload, &input);
	if (input.err != ERR_OK)
		return input.err;
	enum err e = sign_input(k, buf_str(&input), signature);
	return e != ERR_OK ? e
			   : close_signed(to, &input,
				 (struct str){ (const char *)signature, sizeof signature });
}

enum err
jose_sign_ed25519(EVP_PKEY *pair, struct str header, struct str payload, struct buf *to)
{
	uint8_t signature[JOSE_ED25519_BYTES];
	size_t n = sizeof signature;
	AUTO_BUF input = { .max = 0 };

	buf_init(&input, to->max);
	put_signed_parts(to, header, payload, &input);
	if (input.err != ERR_OK)
		return input.err;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool is_signed = ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pair) == 1 &&
			 EVP_DigestSign(ctx, signature, &n, (const uint8_t *)input.p, input.n) == 1 && n == sizeof signature;
	EVP_MD_CTX_free(ctx);
	return is_signed ? close_signed(to, &input, (struct str){ (const char *)signature, n }) : ERR_CRYPTO;
}

/* CAs give the HMAC key as base64url; some pad it, some use the older alphabet. */
static enum err
read_hmac_key(struct str text, struct secret *ret)
{
	static const int variants[] = { sodium_base64_VARIANT_URLSAFE_NO_PADDING,
		sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
		sodium_base64_VARIANT_ORIGINAL };
	struct secret s = { 0 };

	text = str_trim(text);
	enum err e = secret_init(text.n, &s);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < sizeof variants / sizeof *variants; i++) {
		size_t n = 0;

		if (text.n > 0 &&
		    sodium_base642bin(s.p, s.n, text.p, text.n, NULL, &n, NULL, variants[i]) ==
			0 &&
		    n > 0) {
			enum err made = secret_init(n, ret);

			if (made == ERR_OK)
				memcpy(ret->p, s.p, n);
			secret_fini(&s);
			return made;
		}
	}
	secret_fini(&s);
	return ERR_INVALID;
}

enum err
jose_bind(
    const struct jose_key *k, const struct jose_header *h, struct str hmac_text, struct buf *to)
{
	crypto_auth_hmacsha256_state state;
	uint8_t signature[crypto_auth_hmacsha256_BYTES];
	AUTO_SECRET key = { 0 };
	AUTO_BUF header = { .max = 0 }, input = { .max = 0 };

	buf_init(&header, HEADER_BYTES);
	buf_init(&input, to->max);
	if (!is_text(h))
		return ERR_INVALID;
	enum err e = read_hmac_key(hmac_text, &key);
	if (e != ERR_OK)
		return e;
	buf_putc(&header, '{');
	put_member(&header, "alg", STR("HS256"));
	put_member(&header, "kid", h->kid);
	put_member(&header, "url", h->url);
	buf_putc(&header, '}');
	if (header.err != ERR_OK)
		return header.err;
	put_signed_parts(to, buf_str(&header), str_of(k->jwk), &input);
	if (input.err != ERR_OK)
		return input.err;
	crypto_auth_hmacsha256_init(&state, key.p, key.n);
	crypto_auth_hmacsha256_update(&state, (const uint8_t *)input.p, input.n);
	crypto_auth_hmacsha256_final(&state, signature);
	sodium_memzero(&state, sizeof state);
	return close_signed(
	    to, &input, (struct str){ (const char *)signature, sizeof signature });
}

enum err
jose_put_key_change(const struct jose_key *old, struct str account, struct buf *to)
{
	if (!str_is_utf8(account))
		return ERR_INVALID;
	buf_putc(to, '{');
	put_member(to, "account", account);
	buf_putf(to, ",\"oldKey\":%s}", old->jwk);
	return to->err;
}
