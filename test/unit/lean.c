/* OpenSSL with few decoders, encoders and ciphers: keys of every kind that a certificate may have are read, and handshakes go on as before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>
#include "ports/keys/lean.h"
#include "ports/keys/pair.h"

static int
set_up(void **state)
{
	(void)state;
	return lean_begin() == ERR_OK ? 0 : -1;
}

static void
count(OSSL_DECODER *d, void *arg)
{
	(void)d;
	++*(int *)arg;
}

static void
test_decoders_are_few(void **state)
{
	int n = 0;

	(void)state;
	OSSL_DECODER_do_all_provided(NULL, count, &n);
	assert_int_equal(n, 10);
}

static void
count_encoder(OSSL_ENCODER *e, void *arg)
{
	(void)e;
	++*(int *)arg;
}

static void
test_encoders_are_few(void **state)
{
	int n = 0;

	(void)state;
	OSSL_ENCODER_do_all_provided(NULL, count_encoder, &n);
	assert_int_equal(n, 10);
}

static void
count_cipher(EVP_CIPHER *c, void *arg)
{
	(void)c;
	++*(int *)arg;
}

/* The whole default provider, in a context of its own. */
static OSSL_LIB_CTX *
whole_openssl(void)
{
	OSSL_LIB_CTX *whole = OSSL_LIB_CTX_new();

	assert_non_null(whole);
	return whole;
}

static void
test_ciphers_are_few(void **state)
{
	OSSL_LIB_CTX *whole = whole_openssl();
	int few = 0, all = 0;

	(void)state;
	EVP_CIPHER_do_all_provided(NULL, count_cipher, &few);
	EVP_CIPHER_do_all_provided(whole, count_cipher, &all);
	assert_true(few > 0 && few < all / 2);
	OSSL_LIB_CTX_free(whole);
}

/* Whatever a handshake could agree on before, it can agree on now. */
static void
test_tls_has_every_cipher(void **state)
{
	OSSL_LIB_CTX *whole = whole_openssl();
	SSL_CTX *lean = SSL_CTX_new(TLS_method()), *full = SSL_CTX_new_ex(whole, NULL, TLS_method());

	(void)state;
	assert_int_equal(SSL_CTX_set_cipher_list(lean, "ALL:@SECLEVEL=0"), 1);
	assert_int_equal(SSL_CTX_set_cipher_list(full, "ALL:@SECLEVEL=0"), 1);
	STACK_OF(SSL_CIPHER) *a = SSL_CTX_get_ciphers(lean), *b = SSL_CTX_get_ciphers(full);
	assert_true(sk_SSL_CIPHER_num(a) > 20);
	assert_int_equal(sk_SSL_CIPHER_num(a), sk_SSL_CIPHER_num(b));
	for (int i = 0; i < sk_SSL_CIPHER_num(a); i++)
		assert_int_equal(SSL_CIPHER_get_id(sk_SSL_CIPHER_value(a, i)),
		    SSL_CIPHER_get_id(sk_SSL_CIPHER_value(b, i)));
	SSL_CTX_free(lean);
	SSL_CTX_free(full);
	OSSL_LIB_CTX_free(whole);
}

/* What protects keys in a PKCS#12 file of its owner's, by any program of these twenty years. */
static void
test_ciphers_of_files(void **state)
{
	static const char *const names[] = { "AES-128-CBC", "AES-192-CBC", "AES-256-CBC", "DES-EDE3-CBC" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		EVP_CIPHER *c = EVP_CIPHER_fetch(NULL, names[i], NULL);

		assert_non_null(c);
		EVP_CIPHER_free(c);
	}
}

/* Primes take long to find: one RSA key of each type is enough for all. */
static EVP_PKEY *
make_key(const char *type)
{
	static EVP_PKEY *found[2];
	EVP_PKEY *made = NULL, **key = &made;
	bool is_rsa = strncmp(type, "RSA", 3) == 0;

	if (strncmp(type, "P-", 2) == 0)
		return EVP_EC_gen(type);
	if (is_rsa)
		key = &found[strcmp(type, "RSA") != 0];
	if (*key == NULL) {
		EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

		assert_non_null(c);
		assert_int_equal(EVP_PKEY_keygen_init(c), 1);
		assert_true(!is_rsa || EVP_PKEY_CTX_set_rsa_keygen_bits(c, 2048) == 1);
		assert_int_equal(EVP_PKEY_generate(c, key), 1);
		EVP_PKEY_CTX_free(c);
	}
	assert_true(!is_rsa || EVP_PKEY_up_ref(*key) == 1);
	return *key;
}

/* A certificate for `key`; signer may be another one. */
static X509 *
make(EVP_PKEY *key, EVP_PKEY *signer)
{
	X509 *x = X509_new();
	bool is_pure = EVP_PKEY_is_a(signer, "ED25519") || EVP_PKEY_is_a(signer, "ED448");

	assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 1), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -3600));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
			     MBSTRING_UTF8, (const unsigned char *)"site.jp", -1, -1, 0),
	    1);
	assert_int_equal(X509_set_issuer_name(x, X509_get_subject_name(x)), 1);
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign(x, signer, is_pure ? NULL : EVP_sha256()) > 0);
	return x;
}

/* As it comes from the wire. */
static X509 *
again(X509 *x)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	const unsigned char *p = der;
	X509 *y = d2i_X509(NULL, &p, n);

	assert_true(n > 0 && p == der + n);
	assert_non_null(y);
	OPENSSL_free(der);
	return y;
}

static const char *const types[] = { "P-256", "P-384", "P-521", "RSA", "RSA-PSS", "ED25519",
	"ED448" };

static void
test_keys_of_certificates(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		EVP_PKEY *key = make_key(types[i]);
		X509 *made = make(key, key), *read = again(made);

		assert_non_null(X509_get0_pubkey(read));
		assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(read), key), 1);
		assert_int_equal(X509_verify(read, X509_get0_pubkey(read)), 1);
		X509_free(read);
		X509_free(made);
		EVP_PKEY_free(key);
	}
}

static void
test_keys_that_are_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		EVP_PKEY *key = make_key(types[i]), *read = NULL;
		struct secret der = { 0 };

		assert_int_equal(pair_to_der(key, &der), ERR_OK);
		assert_int_equal(pair_of_der(&der, &read), ERR_OK);
		assert_int_equal(EVP_PKEY_eq(read, key), 1);
		secret_fini(&der);
		EVP_PKEY_free(read);
		EVP_PKEY_free(key);
	}
}

/* A certificate with a key that no certificate of a web server can have is read, without its key. */
static void
test_a_foreign_key(void **state)
{
	OSSL_LIB_CTX *whole = whole_openssl();
	EVP_PKEY *key = EVP_PKEY_Q_keygen(whole, NULL, "X25519"), *signer = make_key("P-256");
	X509 *made = make(key, signer), *read = again(made);

	(void)state;
	assert_null(X509_get0_pubkey(read));
	assert_int_equal(X509_verify(read, signer), 1);
	ERR_clear_error();
	X509_free(read);
	X509_free(made);
	EVP_PKEY_free(key);
	EVP_PKEY_free(signer);
	OSSL_LIB_CTX_free(whole);
}

static void
shake(const char *type, int version, const char *ciphers)
{
	SSL_CTX *server = SSL_CTX_new(TLS_server_method()),
		*client = SSL_CTX_new(TLS_client_method());
	EVP_PKEY *key = make_key(type);
	X509 *x = make(key, key);
	BIO *here = NULL, *there = NULL;

	assert_int_equal(SSL_CTX_use_certificate(server, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(server, key), 1);
	(void)SSL_CTX_set_dh_auto(server, 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(client, version), 1);
	if (ciphers != NULL)
		assert_int_equal(SSL_CTX_set_cipher_list(client, ciphers), 1);
	SSL *s = SSL_new(server), *c = SSL_new(client);
	assert_int_equal(BIO_new_bio_pair(&here, 0, &there, 0), 1);
	SSL_set_bio(c, here, here);
	SSL_set_bio(s, there, there);
	SSL_set_connect_state(c);
	SSL_set_accept_state(s);
	for (int i = 0; i < 10 && (!SSL_is_init_finished(c) || !SSL_is_init_finished(s)); i++) {
		(void)SSL_do_handshake(c);
		(void)SSL_do_handshake(s);
	}
	assert_true(SSL_is_init_finished(c) && SSL_is_init_finished(s));
	assert_int_equal(SSL_version(c), version);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(SSL_get0_peer_certificate(c)), key), 1);
	SSL_free(c);
	SSL_free(s);
	X509_free(x);
	EVP_PKEY_free(key);
	SSL_CTX_free(server);
	SSL_CTX_free(client);
}

static void
test_handshakes(void **state)
{
	(void)state;
	shake("P-256", TLS1_3_VERSION, NULL);
	shake("RSA", TLS1_3_VERSION, NULL);
	shake("ED25519", TLS1_3_VERSION, NULL);
	shake("P-384", TLS1_2_VERSION, NULL);
	shake("RSA", TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305");
	shake("RSA", TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256");
	shake("RSA", TLS1_2_VERSION, "AES128-SHA");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decoders_are_few),
		cmocka_unit_test(test_encoders_are_few),
		cmocka_unit_test(test_ciphers_are_few),
		cmocka_unit_test(test_tls_has_every_cipher),
		cmocka_unit_test(test_ciphers_of_files),
		cmocka_unit_test(test_keys_of_certificates),
		cmocka_unit_test(test_keys_that_are_kept),
		cmocka_unit_test(test_a_foreign_key),
		cmocka_unit_test(test_handshakes),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
