#include "sim/acme/jws.h"
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { JWK_PART_BYTES = 512, COORDINATE_BYTES = 48 };

__attribute__((format(printf, 3, 4))) static bool
refused(struct jws_refusal *r, const char *type, const char *fmt, ...)
{
	va_list args;

	r->type = type;
	va_start(args, fmt);
	(void)vsnprintf(r->why.text, sizeof r->why.text, fmt, args);
	va_end(args);
	return false;
}

/* --- base64url --- */

static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool
jws_decode(struct str text, struct arena *a, struct str *ret)
{
	uint8_t *to = arena_get(a, text.n * 3 / 4 + 4);
	uint32_t bits = 0;
	unsigned bits_n = 0;
	size_t n = 0;

	if (to == NULL || text.n % 4 == 1)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int v = value_of(text.p[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		bits_n += 6;
		if (bits_n >= 8) {
			bits_n -= 8;
			to[n++] = (uint8_t)(bits >> bits_n);
		}
	}
	if ((bits & ((1U << bits_n) - 1)) != 0)
		return false; /* bits that belong to no byte: not the one encoding of these bytes */
	*ret = (struct str){ (const char *)to, n };
	return true;
}

void
jws_encode(const uint8_t *bytes, size_t n, char *ret)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned bits_n = 0;

	for (size_t i = 0; i < n; i++) {
		bits = bits << 8 | bytes[i];
		bits_n += 8;
		while (bits_n >= 6) {
			bits_n -= 6;
			*ret++ = digits[bits >> bits_n & 63];
		}
	}
	if (bits_n > 0)
		*ret++ = digits[bits << (6 - bits_n) & 63];
	*ret = '\0';
}

/* --- reading --- */

static struct str
text_of(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) } : STR_NONE;
}

static bool
read_header(struct jws *j, struct jws_refusal *r)
{
	j->alg = text_of(j->header, "alg");
	j->url = text_of(j->header, "url");
	j->kid = text_of(j->header, "kid");
	j->nonce = text_of(j->header, "nonce");
	j->has_nonce = json_object_get(j->header, "nonce") != NULL;
	j->jwk = json_object_get(j->header, "jwk");
	if (json_object_get(j->header, "crit") != NULL)
		return refused(r, "malformed", "JWS header parameter \"crit\" is not supported");
	if (j->alg.n == 0)
		return refused(r, "badSignatureAlgorithm", "JWS header parameter \"alg\" is missing");
	if ((j->jwk != NULL) == (json_object_get(j->header, "kid") != NULL))
		return refused(r, "malformed", "jwk and kid header fields are mutually exclusive, and one of them is needed");
	return true;
}

bool
jws_read_json(json_t *body, struct arena *a, struct jws *ret, struct jws_refusal *r)
{
	struct str protected = text_of(body, "protected"), payload = text_of(body, "payload");
	struct str signature = text_of(body, "signature"), header;

	*ret = (struct jws){ .header = NULL };
	if (!json_is_object(body))
		return refused(r, "malformed", "Parse error reading JWS");
	if (json_object_get(body, "header") != NULL)
		return refused(r, "malformed", "JWS \"header\" field not allowed. All headers must be in \"protected\" field");
	if (json_object_get(body, "signatures") != NULL)
		return refused(r, "malformed", "JWS \"signatures\" field not allowed. Only the \"signature\" field should contain a signature");
	if (!json_is_string(json_object_get(body, "payload")) || protected.n == 0 || signature.n == 0)
		return refused(r, "malformed", "JWS has not the fields \"protected\", \"payload\" and \"signature\"");
	if (!jws_decode(protected, a, &header) || !jws_decode(payload, a, &ret->payload) ||
	    !jws_decode(signature, a, &ret->signature))
		return refused(r, "malformed", "Parse error reading JWS: not base64url without padding");
	ret->signed_text = arena_strf(a, "%.*s.%.*s", STR_ARG(protected), STR_ARG(payload));
	ret->header = json_loadb(header.p, header.n, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(ret->header) || arena_failed(a))
		return refused(r, "malformed", "Parse error reading JWS: the protected header is no JSON object");
	return read_header(ret, r);
}

bool
jws_read(struct str body, struct arena *a, struct jws *ret, struct jws_refusal *r)
{
	/* Views are of the arena, so the tree may go when it has been read. */
	json_t *tree = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, NULL);
	bool is_good = jws_read_json(tree, a, ret, r);

	json_decref(tree);
	return is_good;
}

void
jws_fini(struct jws *j)
{
	json_decref(j->header);
	j->header = NULL;
}

/* --- keys --- */

static bool
part_of(const json_t *jwk, const char *name, struct arena *a, struct str *ret)
{
	struct str text = text_of(jwk, name);

	return text.n > 0 && text.n < JWK_PART_BYTES * 4 / 3 && jws_decode(text, a, ret);
}

static EVP_PKEY *
key_of_params(const char *kind, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *key = NULL;

	if (params == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	ERR_clear_error();
	return key;
}

static EVP_PKEY *
ec_key(const json_t *jwk, struct arena *a, struct buf *canonical)
{
	struct str curve = text_of(jwk, "crv"), x, y;
	size_t n = str_eq(curve, STR("P-256")) ? 32 : str_eq(curve, STR("P-384")) ? COORDINATE_BYTES : 0;
	uint8_t point[1 + 2 * COORDINATE_BYTES] = { 4 };

	if (n == 0 || !part_of(jwk, "x", a, &x) || !part_of(jwk, "y", a, &y) || x.n != n || y.n != n)
		return NULL;
	memcpy(point + 1, x.p, n);
	memcpy(point + 1 + n, y.p, n);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	EVP_PKEY *key = NULL;
	if (bld != NULL && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, n == 32 ? "P-256" : "P-384", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * n) == 1)
		key = key_of_params("EC", bld);
	OSSL_PARAM_BLD_free(bld);
	buf_putf(canonical, "{\"crv\":\"%.*s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", STR_ARG(curve),
	    json_string_value(json_object_get(jwk, "x")), json_string_value(json_object_get(jwk, "y")));
	return key;
}

static EVP_PKEY *
rsa_key(const json_t *jwk, struct arena *a, struct buf *canonical)
{
	struct str n, e;
	EVP_PKEY *key = NULL;

	if (!part_of(jwk, "n", a, &n) || !part_of(jwk, "e", a, &e) || n.n < 256 || n.n > 512 || e.n > 8)
		return NULL;
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *bn = BN_bin2bn((const unsigned char *)n.p, (int)n.n, NULL);
	BIGNUM *be = BN_bin2bn((const unsigned char *)e.p, (int)e.n, NULL);
	if (bld != NULL && bn != NULL && be != NULL && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, be) == 1)
		key = key_of_params("RSA", bld);
	OSSL_PARAM_BLD_free(bld);
	BN_free(bn);
	BN_free(be);
	buf_putf(canonical, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", json_string_value(json_object_get(jwk, "e")),
	    json_string_value(json_object_get(jwk, "n")));
	return key;
}

EVP_PKEY *
jws_key(const json_t *jwk, char ret_thumbprint[JWS_THUMBPRINT_BYTES + 1], struct jws_refusal *r)
{
	struct str kind = text_of(jwk, "kty");
	AUTO_ARENA a = { .head = NULL };
	AUTO_BUF canonical = { .p = NULL };
	uint8_t digest[32];
	EVP_PKEY *key = NULL;

	arena_init(&a, 16 * 1024);
	buf_init(&canonical, 4096);
	if (str_eq(kind, STR("EC")))
		key = ec_key(jwk, &a, &canonical);
	else if (str_eq(kind, STR("RSA")))
		key = rsa_key(jwk, &a, &canonical);
	if (key == NULL || canonical.err != ERR_OK || EVP_Digest(canonical.p, canonical.n, digest, NULL, EVP_sha256(), NULL) != 1) {
		EVP_PKEY_free(key);
		(void)refused(r, "badPublicKey", "unsupported or invalid public key: expected P-256, P-384, or RSA of 2048 to 4096 bits");
		return NULL;
	}
	jws_encode(digest, sizeof digest, ret_thumbprint);
	return key;
}

/* --- signatures --- */

/* r || s of fixed width (RFC 7518 3.4) as the DER that OpenSSL wants. */
static int
der_of(struct str raw, size_t half, unsigned char **ret)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn((const unsigned char *)raw.p, (int)half, NULL);
	BIGNUM *s = BN_bin2bn((const unsigned char *)raw.p + half, (int)half, NULL);
	int n = -1;

	if (sig != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(sig, r, s) == 1) {
		n = i2d_ECDSA_SIG(sig, ret);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	return n;
}

static bool
verify(const struct jws *j, EVP_PKEY *key, const EVP_MD *md, const unsigned char *signature, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool is_good = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
		       EVP_DigestVerify(ctx, signature, n, (const unsigned char *)j->signed_text.p, j->signed_text.n) == 1;

	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return is_good;
}

bool
jws_verify(const struct jws *j, EVP_PKEY *key, struct jws_refusal *r)
{
	static const struct {
		const char *alg, *kind;
		int bits;
	} algs[] = { { "ES256", "EC", 256 }, { "ES384", "EC", 384 }, { "RS256", "RSA", 0 } };
	size_t i = 0;
	bool is_good;

	while (i < sizeof algs / sizeof *algs && !str_eq(j->alg, str_of(algs[i].alg)))
		i++;
	if (i == sizeof algs / sizeof *algs || EVP_PKEY_is_a(key, algs[i].kind) != 1 ||
	    (algs[i].bits != 0 && EVP_PKEY_get_bits(key) != algs[i].bits))
		return refused(r, "badSignatureAlgorithm",
		    "JWS signature header contains unsupported algorithm \"%.*s\", expected one of [RS256 ES256 ES384] that fits the key",
		    (int)(j->alg.n < 40 ? j->alg.n : 40), j->alg.p);
	if (algs[i].bits == 0) {
		is_good = verify(j, key, EVP_sha256(), (const unsigned char *)j->signature.p, j->signature.n);
	} else {
		unsigned char *der = NULL;
		size_t half = (size_t)algs[i].bits / 8;
		int n = j->signature.n == 2 * half ? der_of(j->signature, half, &der) : -1;

		is_good = n > 0 && verify(j, key, algs[i].bits == 256 ? EVP_sha256() : EVP_sha384(), der, (size_t)n);
		OPENSSL_free(der);
	}
	return is_good || refused(r, "malformed", "JWS verification error");
}

bool
jws_verify_hs256(const struct jws *j, struct str key)
{
	uint8_t mac[32];
	unsigned n = sizeof mac;

	return str_eq(j->alg, STR("HS256")) && j->signature.n == sizeof mac &&
	       HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)j->signed_text.p, j->signed_text.n, mac, &n) != NULL &&
	       CRYPTO_memcmp(mac, j->signature.p, sizeof mac) == 0;
}
