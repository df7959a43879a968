#include "ports/keys/p12.h"
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <string.h>
#include "base/limits.h"
#include "ports/keys/openssl.h"
#include "ports/keys/secret.h"

/* OpenSSL's own command makes as many; more are needed where a password is short, and cost the reader little. */
enum { ROUNDS = 100000, CHAIN_MAX = 16 };

static void
auto_p12(PKCS12 **p)
{
	PKCS12_free(*p);
}

static void
auto_chain(STACK_OF(X509) * *p)
{
	sk_X509_pop_free(*p, X509_free);
}

/* The certificates after the first one, in their order. */
static enum err
read_chain(struct str pem, X509 **ret_leaf, STACK_OF(X509) * rest)
{
	AUTO_BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *one;

	if (bio == NULL)
		return ERR_MEMORY;
	*ret_leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	if (*ret_leaf == NULL)
		return ERR_INVALID;
	while ((one = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (sk_X509_num(rest) < CHAIN_MAX && sk_X509_push(rest, one) > 0)
			continue;
		X509_free(one);
		return ERR_TOO_LONG;
	}
	return ERR_OK;
}

static bool
is_password(struct str s)
{
	return s.n > 0 && s.n <= P12_PASSWORD_BYTES_MAX && memchr(s.p, '\0', s.n) == NULL &&
	       str_is_utf8(s);
}

static enum err
pack(X509 *leaf, STACK_OF(X509) * rest, EVP_PKEY *pair, const char *password, const char *name,
    struct buf *to)
{
	__attribute__((cleanup(auto_p12))) PKCS12 *p12 = PKCS12_create(password, name, pair,
	    leaf, rest, NID_aes_256_cbc, NID_aes_256_cbc, ROUNDS, -1, 0);
	unsigned char *der = NULL;

	/* The MAC by hand: create's own would be of SHA-1 in some configurations of the library. */
	if (p12 == NULL || PKCS12_set_mac(p12, password, -1, NULL, 0, ROUNDS, EVP_sha256()) != 1)
		return ERR_CRYPTO;
	int n = i2d_PKCS12(p12, &der);
	if (n <= 0)
		return ERR_CRYPTO;
	buf_put(to, der, (size_t)n);
	OPENSSL_clear_free(der, (size_t)n);
	return to->err;
}

enum err
p12_make(struct str chain_pem, struct str key_pem, struct str password, struct str name,
    struct buf *to)
{
	__attribute__((cleanup(auto_chain))) STACK_OF(X509) *rest = sk_X509_new_null();
	AUTO_X509 *leaf = NULL;
	AUTO_BIO *bio = NULL;
	AUTO_PKEY *pair = NULL;
	AUTO_SECRET secret = { 0 };
	AUTO_BUF called = { .max = 0 };
	enum err e = ERR_OK;

	if (!is_password(password))
		return ERR_INVALID;
	if (chain_pem.n > LIMIT_CHAIN_BYTES || key_pem.n > LIMIT_SEALED_BYTES)
		return ERR_TOO_LONG;
	ERR_clear_error();
	buf_init(&called, LIMIT_NAME_BYTES + 1);
	buf_put_str(&called, name);
	bio = BIO_new_mem_buf(key_pem.p, (int)key_pem.n);
	if (rest == NULL || bio == NULL || called.err != ERR_OK)
		return ERR_MEMORY;
	e = read_chain(chain_pem, &leaf, rest);
	pair = e == ERR_OK ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	if (e == ERR_OK && pair == NULL)
		e = ERR_INVALID;
	if (e == ERR_OK && X509_check_private_key(leaf, pair) != 1)
		e = ERR_MISMATCH;
	if (e == ERR_OK)
		e = secret_init(password.n + 1, &secret);
	if (e == ERR_OK) {
		memcpy(secret.p, password.p, password.n);
		e = pack(leaf, rest, pair, (const char *)secret.p, called.p, to);
	}
	ERR_clear_error(); /* OpenSSL's queue says nothing that our code does not */
	return e;
}
