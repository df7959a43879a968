/* PKCS#12 files: what is made is read back by OpenSSL, with the password and without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>
#include "base/limits.h"
#include "ports/keys/p12.h"
#include "ports/keys/p12_cost.h"

static char chain_pem[8192], key_pem[4096], other_key_pem[4096];

static EVP_PKEY *
new_pair(char *pem, size_t cap)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	BIO *bio = BIO_new(BIO_s_mem());

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL), 1);
	int n = BIO_read(bio, pem, (int)cap - 1);
	assert_true(n > 0);
	pem[n] = '\0';
	BIO_free(bio);
	return pair;
}

static void
put_certificate(BIO *to, EVP_PKEY *pair, const char *name)
{
	X509 *x = X509_new();

	assert_int_equal(X509_set_version(x, 2), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, pair);
	assert_true(X509_sign(x, pair, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(to, x), 1);
	X509_free(x);
}

static int
set_up(void **state)
{
	(void)state;
	EVP_PKEY *pair = new_pair(key_pem, sizeof key_pem), *other = new_pair(other_key_pem, sizeof other_key_pem);
	BIO *bio = BIO_new(BIO_s_mem());

	put_certificate(bio, pair, "kome.jp");
	put_certificate(bio, other, "intermediate");
	int n = BIO_read(bio, chain_pem, sizeof chain_pem - 1);
	chain_pem[n > 0 ? n : 0] = '\0';
	BIO_free(bio);
	EVP_PKEY_free(pair);
	EVP_PKEY_free(other);
	return n > 0 ? 0 : -1;
}

static void
opens_with_its_password_alone(void **state)
{
	(void)state;
	AUTO_BUF b = { .max = 65536 };
	EVP_PKEY *pair = NULL;
	X509 *leaf = NULL;
	STACK_OF(X509) *rest = NULL;

	assert_int_equal(p12_make(str_of(chain_pem), str_of(key_pem), STR("ひみつ-2027"), STR("kome.jp"), &b), ERR_OK);
	const unsigned char *p = (const unsigned char *)b.p;
	PKCS12 *p12 = d2i_PKCS12(NULL, &p, (long)b.n);
	assert_non_null(p12);
	assert_true(p == (const unsigned char *)b.p + b.n);
	assert_int_equal(PKCS12_verify_mac(p12, "", -1), 0);
	assert_int_equal(PKCS12_verify_mac(p12, "himitsu", -1), 0);
	assert_int_equal(PKCS12_parse(p12, "ひみつ-2027", &pair, &leaf, &rest), 1);
	assert_int_equal(X509_check_private_key(leaf, pair), 1);
	assert_int_equal(sk_X509_num(rest), 1);
	assert_string_equal((const char *)X509_alias_get0(leaf, NULL), "kome.jp");
	const ASN1_OBJECT *md;
	const X509_ALGOR *algor;
	PKCS12_get0_mac(NULL, &algor, NULL, NULL, p12);
	X509_ALGOR_get0(&md, NULL, NULL, algor);
	assert_int_equal(OBJ_obj2nid(md), NID_sha256);
	sk_X509_pop_free(rest, X509_free);
	X509_free(leaf);
	EVP_PKEY_free(pair);
	PKCS12_free(p12);
}

static void
what_cannot_be_packed_is_refused(void **state)
{
	(void)state;
	static char deep[P12_PASSWORD_BYTES_MAX + 2];
	const struct {
		int line;
		struct str chain, key, password;
		enum err want;
	} rows[] = {
		{ __LINE__, str_of(chain_pem), str_of(other_key_pem), STR("x"), ERR_MISMATCH },
		{ __LINE__, str_of(chain_pem), str_of(key_pem), STR(""), ERR_INVALID },
		{ __LINE__, str_of(chain_pem), str_of(key_pem), { "a\0b", 3 }, ERR_INVALID },
		{ __LINE__, str_of(chain_pem), str_of(key_pem), STR("\xff\xfe"), ERR_INVALID },
		{ __LINE__, str_of(chain_pem), str_of(key_pem), { memset(deep, 'x', sizeof deep - 1), sizeof deep - 1 }, ERR_INVALID },
		{ __LINE__, STR("no PEM"), str_of(key_pem), STR("x"), ERR_INVALID },
		{ __LINE__, STR(""), str_of(key_pem), STR("x"), ERR_INVALID },
		{ __LINE__, str_of(chain_pem), STR("no PEM"), STR("x"), ERR_INVALID },
		{ __LINE__, { chain_pem, LIMIT_CHAIN_BYTES + 1 }, str_of(key_pem), STR("x"), ERR_TOO_LONG },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_BUF b = { .max = 65536 };
		enum err got = p12_make(rows[i].chain, rows[i].key, rows[i].password, STR("kome.jp"), &b);

		if (got != rows[i].want || b.n != 0)
			fail_msg("%s:%d: got %s and %zu bytes", __FILE__, rows[i].line, err_name(got), b.n);
	}
}

/* A file as strangers make them: the rounds of its MAC, of its certificates and of its key. */
static PKCS12 *
made_with(int nid, int rounds)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	BIO *bio = BIO_new_mem_buf(chain_pem, -1);
	X509 *leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	STACK_OF(PKCS7) *safes = NULL;
	STACK_OF(PKCS12_SAFEBAG) *certificates = NULL, *keys = NULL;

	assert_non_null(PKCS12_add_cert(&certificates, leaf));
	assert_non_null(PKCS12_add_key(&keys, pair, 0, rounds, nid, "himitsu"));
	assert_int_equal(PKCS12_add_safe(&safes, certificates, nid, rounds, "himitsu"), 1);
	assert_int_equal(PKCS12_add_safe(&safes, keys, -1, 0, NULL), 1);
	PKCS12 *p12 = PKCS12_add_safes(safes, 0);
	assert_non_null(p12);
	assert_int_equal(PKCS12_set_mac(p12, "himitsu", -1, NULL, 0, rounds, NULL), 1);
	sk_PKCS12_SAFEBAG_pop_free(certificates, PKCS12_SAFEBAG_free);
	sk_PKCS12_SAFEBAG_pop_free(keys, PKCS12_SAFEBAG_free);
	sk_PKCS7_pop_free(safes, PKCS7_free);
	X509_free(leaf);
	BIO_free(bio);
	EVP_PKEY_free(pair);
	return p12;
}

static void
what_would_take_for_ever_is_not_opened(void **state)
{
	static const int kinds[] = { NID_aes_256_cbc, NID_pbe_WithSHA1And3_Key_TripleDES_CBC };

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		PKCS12 *usual = made_with(kinds[i], 2048), *dear = made_with(kinds[i], LIMIT_P12_ROUNDS / 3 + 1);

		assert_true(p12_is_cheap(usual, "himitsu"));
		/* With another password the certificates stay locked, and what it costs to try is known all the same. */
		assert_true(p12_is_cheap(usual, "other"));
		assert_false(p12_is_cheap(dear, "himitsu"));
		PKCS12_free(usual);
		PKCS12_free(dear);
	}
	/* Eight millions for the MAC alone, written into a file of fewer: refused before the first round. */
	PKCS12 *made = made_with(NID_aes_256_cbc, 100000);
	unsigned char *der = NULL;
	int n = i2d_PKCS12(made, &der);
	static const unsigned char rounds[] = { 0x02, 0x03, 0x01, 0x86, 0xa0 }, more[] = { 0x02, 0x03, 0x7f, 0xff, 0xff };
	assert_true(n > (int)sizeof rounds && memcmp(der + n - sizeof rounds, rounds, sizeof rounds) == 0);
	memcpy(der + n - sizeof more, more, sizeof more);
	const unsigned char *p = der;
	PKCS12 *endless = d2i_PKCS12(NULL, &p, n);
	assert_non_null(endless);
	assert_true(p12_is_cheap(made, "himitsu"));
	assert_false(p12_is_cheap(endless, "himitsu"));
	OPENSSL_free(der);
	PKCS12_free(made);
	PKCS12_free(endless);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_would_take_for_ever_is_not_opened),
		cmocka_unit_test(opens_with_its_password_alone),
		cmocka_unit_test(what_cannot_be_packed_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
