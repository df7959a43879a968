/* Reading certificates: tables of certificates that OpenSSL makes here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "ports/keys/x509.h"

static struct arena arena;
static EVP_PKEY *leaf_key, *middle_key, *top_key, *other_key;
static const int64_t now_s = 1800000000;

static int
set_up(void **state)
{
	(void)state;
	arena_init(&arena, 16 << 20);
	leaf_key = EVP_EC_gen("P-256");
	middle_key = EVP_EC_gen("P-256");
	top_key = EVP_EC_gen("P-256");
	other_key = EVP_EC_gen("P-256");
	return leaf_key != NULL && other_key != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(leaf_key);
	EVP_PKEY_free(middle_key);
	EVP_PKEY_free(top_key);
	EVP_PKEY_free(other_key);
	arena_fini(&arena);
	return 0;
}

struct spec {
	const char *subject, *issuer, *issuer_organisation;
	const char *san;     /* as in openssl.cnf; NULL: none */
	struct str raw_name; /* one dNSName of any bytes */
	int64_t from_s, days;
	EVP_PKEY *key, *signer;
	bool is_ca, has_aki;
	const unsigned char *serial;
	int serial_n;
};

static void
add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	assert_int_equal(X509_add_ext(x, e, -1), 1);
	X509_EXTENSION_free(e);
}

static void
add_name(X509_NAME *name, int nid, const char *value)
{
	if (value != NULL)
		assert_int_equal(X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
				     (const unsigned char *)value, -1, -1, 0),
		    1);
}

static X509 *
make(const struct spec *s)
{
	X509 *x = X509_new();
	static const unsigned char one[] = { 1 };
	/* The example of RFC 9773 4.1. */
	static const unsigned char aki[] = { 0x69, 0x88, 0x5b, 0x6b, 0x87, 0x46, 0x40, 0x41,
		0xe1, 0xb3, 0x7b, 0x84, 0x7b, 0xa0, 0xae, 0x2c, 0xde, 0x01, 0xc8, 0xd4 };

	assert_non_null(x);
	X509_set_version(x, 2);
	ASN1_INTEGER *serial = X509_get_serialNumber(x);
	assert_int_equal(ASN1_STRING_set(serial, s->serial != NULL ? s->serial : one,
			     s->serial != NULL ? s->serial_n : 1),
	    1);
	add_name(X509_get_subject_name(x), NID_commonName, s->subject);
	add_name(X509_get_issuer_name(x), NID_organizationName, s->issuer_organisation);
	add_name(X509_get_issuer_name(x), NID_commonName, s->issuer);
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x), (time_t)s->from_s));
	assert_non_null(
	    ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(s->from_s + s->days * 86400)));
	X509_set_pubkey(x, s->key);
	if (s->san != NULL)
		add_extension(x, NID_subject_alt_name, s->san);
	if (s->raw_name.p != NULL) {
		GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
		GENERAL_NAME *name = GENERAL_NAME_new();
		ASN1_IA5STRING *text = ASN1_IA5STRING_new();

		ASN1_STRING_set(text, s->raw_name.p, (int)s->raw_name.n);
		GENERAL_NAME_set0_value(name, GEN_DNS, text);
		sk_GENERAL_NAME_push(names, name);
		assert_int_equal(X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0), 1);
		GENERAL_NAMES_free(names);
	}
	if (s->is_ca)
		add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
	else
		add_extension(x, NID_basic_constraints, "critical,CA:FALSE");
	if (s->has_aki) {
		AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();

		id->keyid = ASN1_OCTET_STRING_new();
		ASN1_OCTET_STRING_set(id->keyid, aki, sizeof aki);
		assert_int_equal(
		    X509_add1_ext_i2d(x, NID_authority_key_identifier, id, 0, 0), 1);
		AUTHORITY_KEYID_free(id);
	}
	assert_true(X509_sign(x, s->signer, EVP_sha256()) > 0);
	return x;
}

static struct str
pem_of(X509 *x)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *p;

	assert_int_equal(PEM_write_bio_X509(out, x), 1);
	long n = BIO_get_mem_data(out, &p);
	struct str pem = arena_str(&arena, (struct str){ p, (size_t)n });
	BIO_free(out);
	X509_free(x);
	return pem;
}

static struct str
join(struct str a, struct str b, struct str c)
{
	AUTO_BUF joined = { .max = 0 };

	buf_init(&joined, 1 << 20);
	buf_put_str(&joined, a);
	buf_put_str(&joined, b);
	buf_put_str(&joined, c);
	return arena_str(&arena, buf_str(&joined));
}

static struct spec
leaf_spec(void)
{
	return (struct spec){ .issuer = "M",
		.issuer_organisation = "Let's Test",
		.san = "DNS:Example.JP,DNS:www.example.jp",
		.from_s = now_s - 3600,
		.days = 90,
		.key = leaf_key,
		.signer = middle_key };
}

static struct str
good_leaf(void)
{
	struct spec s = leaf_spec();

	return pem_of(make(&s));
}

static struct str
middle(bool is_ca)
{
	X509 *x = make(&(struct spec){ .subject = "M",
	    .issuer = "Top 1",
	    .from_s = now_s - 86400,
	    .days = 1000,
	    .key = middle_key,
	    .signer = top_key,
	    .is_ca = is_ca });

	/* The leaf names its issuer with an organisation. */
	add_name(X509_get_subject_name(x), NID_organizationName, NULL);
	X509_NAME *name = X509_NAME_new();
	add_name(name, NID_organizationName, "Let's Test");
	add_name(name, NID_commonName, "M");
	X509_set_subject_name(x, name);
	X509_NAME_free(name);
	assert_true(X509_sign(x, top_key, EVP_sha256()) > 0);
	return pem_of(x);
}

static struct str
csr_for(EVP_PKEY *key)
{
	X509_REQ *req = X509_REQ_new();
	unsigned char *der = NULL;

	X509_REQ_set_pubkey(req, key);
	assert_true(X509_REQ_sign(req, key, EVP_sha256()) > 0);
	int n = i2d_X509_REQ(req, &der);
	struct str s = arena_str(&arena, (struct str){ (const char *)der, (size_t)n });
	OPENSSL_free(der);
	X509_REQ_free(req);
	return s;
}

static void
leaf_is_read(void **state)
{
	(void)state;
	static const unsigned char serial[] = { 0x87, 0x65, 0x43, 0x21 };
	struct spec s = leaf_spec();
	struct certificate_info info, again;
	unsigned char digest[32], *der = NULL;
	struct why why;

	s.serial = serial;
	s.serial_n = sizeof serial;
	s.has_aki = true;
	X509 *x = make(&s);
	X509_digest(x, EVP_sha256(), digest, NULL);
	int n = i2d_X509(x, &der);
	struct str pem = join(STR("some words before\n"), pem_of(x), middle(true));
	assert_int_equal(x509_read_leaf(pem, &arena, &why, &info), ERR_OK);
	assert_true(info.not_before.s == s.from_s && info.not_after.s == s.from_s + 90 * 86400);
	assert_memory_equal(info.fingerprint, digest, 32);
	assert_true(str_eq(info.serial, STR("87654321")));
	assert_true(str_eq(info.ari_id, STR("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")));
	assert_true(str_eq(info.issuer, STR("Let's Test M")));
	assert_int_equal(info.names_n, 2);
	assert_true(str_eq(info.names[0], STR("example.jp")));
	assert_true(str_eq(info.names[1], STR("www.example.jp")));
	assert_int_equal(
	    x509_read_der((struct str){ (const char *)der, (size_t)n }, &arena, &why, &again),
	    ERR_OK);
	assert_memory_equal(again.fingerprint, digest, 32);
	assert_int_equal(x509_read_der((struct str){ (const char *)der, (size_t)n - 1 }, &arena,
			     &why, &again),
	    ERR_INVALID);
	char *longer = arena_get(&arena, (size_t)n + 1);
	memcpy(longer, der, (size_t)n);
	assert_int_equal(
	    x509_read_der((struct str){ longer, (size_t)n + 1 }, &arena, &why, &again),
	    ERR_INVALID);
	OPENSSL_free(der);
	struct str top;
	assert_int_equal(x509_top_issuer(pem, &arena, &top), ERR_OK);
	assert_true(str_eq(top, STR("Top 1")));
	assert_int_equal(x509_top_issuer(STR("rubbish"), &arena, &top), ERR_INVALID);
}

static void
unreadable_certificates(void **state)
{
	(void)state;
	struct spec plain = leaf_spec(), no_names = plain, nul = plain, space = plain,
		    backwards = plain, only_ip = plain;
	struct str good = good_leaf();

	no_names.san = NULL;
	nul.san = space.san = NULL;
	nul.raw_name = STR("good.jp\0.evil.jp");
	space.raw_name = STR("good.jp evil.jp");
	backwards.days = -1;
	only_ip.san = "IP:192.0.2.1";
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	PEM_write_bio_PrivateKey(bio, leaf_key, NULL, NULL, 0, NULL, NULL);
	long n = BIO_get_mem_data(bio, &p);
	struct str key = arena_str(&arena, (struct str){ p, (size_t)n });
	BIO_free(bio);
	const struct row {
		const char *name;
		int line;
		struct str pem;
		const char *words;
	} rows[] = {
		{ "empty", __LINE__, STR_NONE, "no certificate" },
		{ "rubbish", __LINE__, STR("rubbish"), "no certificate" },
		{ "not base64", __LINE__,
		    STR("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n"),
		    "damaged" },
		{ "not DER", __LINE__,
		    STR("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
		    "cannot be read" },
		{ "cut off", __LINE__, { good.p, good.n / 2 }, "damaged" },
		{ "with its private key", __LINE__, join(good, key, STR_NONE),
		    "other than certificates" },
		{ "no names", __LINE__, pem_of(make(&no_names)), "no host names" },
		{ "an address alone", __LINE__, pem_of(make(&only_ip)), "no host names" },
		{ "NUL in a name", __LINE__, pem_of(make(&nul)), "not a host name" },
		{ "space in a name", __LINE__, pem_of(make(&space)), "not a host name" },
		{ "ends before it begins", __LINE__, pem_of(make(&backwards)), "no sense" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct certificate_info info;
		struct why why = { "" };
		enum err e = x509_read_leaf(rows[i].pem, &arena, &why, &info);

		if (e != ERR_INVALID || strstr(why.text, rows[i].words) == NULL)
			fail_msg("%s:%d: %s: %s: %s", __FILE__, rows[i].line, rows[i].name,
			    err_name(e), why.text);
	}
	struct str eleven = STR_NONE;
	for (int i = 0; i < 11; i++)
		eleven = join(eleven, good, STR_NONE);
	struct certificate_info info;
	struct why why = { "" };
	assert_int_equal(x509_read_leaf(eleven, &arena, &why, &info), ERR_INVALID);
	assert_non_null(strstr(why.text, "more than"));
}

/* Every byte of a DER certificate changed: any answer but a crash. */
static void
any_byte_may_be_wrong(void **state)
{
	(void)state;
	struct spec s = leaf_spec();
	unsigned char *der = NULL;

	s.has_aki = true;
	X509 *x = make(&s);
	int n = i2d_X509(x, &der);
	X509_free(x);
	for (int i = 0; i < n; i++) {
		for (int v = 0; v < 256; v += 17) {
			AUTO_ARENA a = { .max = 0 };
			struct certificate_info info;
			struct why why;
			unsigned char was = der[i];

			arena_init(&a, 1 << 20);
			der[i] = (unsigned char)v;
			(void)!x509_read_der(
			    (struct str){ (const char *)der, (size_t)n }, &a, &why, &info);
			der[i] = was;
		}
	}
	OPENSSL_free(der);
}

/* The key's bytes are found where OpenSSL finds them, version 1 or 3, and nothing is found in rubbish. */
static void
key_of_a_leaf_as_it_stands(void **state)
{
	(void)state;
	for (int version = 0; version <= 2; version += 2) {
		struct spec spec = leaf_spec();
		X509 *x = make(&spec);
		unsigned char *der = NULL;
		int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
		struct str got;

		assert_int_equal(X509_set_version(x, version), 1);
		assert_true(X509_sign(x, middle_key, EVP_sha256()) > 0);
		struct str chain = join(pem_of(x), middle(true), STR_NONE);
		assert_int_equal(x509_leaf_key(chain, &arena, &got), ERR_OK);
		assert_true(str_eq(got, (struct str){ (const char *)der, (size_t)n }));
		OPENSSL_free(der);
		/* Cut within its first certificate. */
		for (size_t at = 0; at < 400; at += 3)
			assert_int_equal(x509_leaf_key((struct str){ chain.p, at }, &arena, &got), ERR_INVALID);
		for (size_t at = 40; at < 600; at++) {
			struct str other = arena_str(&arena, chain);

			((char *)(uintptr_t)other.p)[at] ^= 5;
			(void)!x509_leaf_key(other, &arena, &got);
		}
	}
}

static void
chain_fits_the_order(void **state)
{
	(void)state;
	struct spec other = leaf_spec(), foreign = leaf_spec();
	struct str leaf = good_leaf(), ca = middle(true), csr = csr_for(leaf_key);
	const struct str both[] = { STR("www.EXAMPLE.jp"), STR("example.jp") },
			 more[] = { both[0], both[1], STR("x.jp") };
	const struct when now = { now_s };

	other.signer = top_key; /* says M, signed by another */
	foreign.issuer = "N";
	X509 *root = make(&(struct spec){ .subject = "Top 1",
	    .issuer = "Top 1",
	    .from_s = now_s - 86400,
	    .days = 5000,
	    .key = top_key,
	    .signer = top_key,
	    .is_ca = true });
	struct str top = pem_of(root);
	const struct row {
		const char *name;
		int line;
		struct str chain, csr;
		const struct str *names;
		size_t names_n;
		struct when now;
		enum err wanted;
		const char *words;
	} rows[] = {
		{ "as it should be", __LINE__, join(leaf, ca, STR_NONE), csr, both, 2, now,
		    ERR_OK, "" },
		{ "with its root", __LINE__, join(leaf, ca, top), csr, both, 2, now, ERR_OK,
		    "" },
		{ "the leaf alone", __LINE__, leaf, csr, both, 2, now, ERR_OK, "" },
		{ "a name too many", __LINE__, leaf, csr, both, 1, now, ERR_MISMATCH,
		    "example.jp, which" },
		{ "a name too few", __LINE__, leaf, csr, more, 3, now, ERR_MISMATCH,
		    "lacks the name x.jp" },
		{ "another key", __LINE__, leaf, csr_for(other_key), both, 2, now, ERR_MISMATCH,
		    "another key" },
		{ "no request", __LINE__, leaf, STR_NONE, both, 2, now, ERR_INVALID,
		    "request" },
		{ "bad request", __LINE__, leaf, STR("0123"), both, 2, now, ERR_INVALID,
		    "request" },
		{ "no chain", __LINE__, STR_NONE, csr, both, 2, now, ERR_INVALID,
		    "no certificate" },
		{ "wrong order", __LINE__, join(leaf, top, ca), csr, both, 2, now, ERR_MISMATCH,
		    "did not sign" },
		{ "forged signature", __LINE__, join(pem_of(make(&other)), ca, STR_NONE), csr,
		    both, 2, now, ERR_MISMATCH, "did not sign" },
		{ "foreign issuer", __LINE__, join(pem_of(make(&foreign)), ca, STR_NONE), csr,
		    both, 2, now, ERR_MISMATCH, "did not sign" },
		{ "issuer is no CA", __LINE__, join(leaf, middle(false), STR_NONE), csr, both,
		    2, now, ERR_MISMATCH, "certificate 2" },
		{ "ended", __LINE__, leaf, csr, both, 2, { now_s + 90 * 86400 }, ERR_INVALID,
		    "ended" },
		{ "our clock nine hours slow", __LINE__, leaf, csr, both, 2,
		    { now_s - 9 * 3600 }, ERR_OK, "" },
		{ "our clock two days slow", __LINE__, leaf, csr, both, 2,
		    { now_s - 2 * 86400 }, ERR_INVALID, "not valid yet" },
	};
	/* With issuers that are known from the second round on, the answers are the same. */
	struct known known = { .uses = 0 };
	for (size_t n = 0; n < 3 * (sizeof rows / sizeof *rows); n++) {
		size_t i = n % (sizeof rows / sizeof *rows);
		struct why why = { "" };
		struct certificate_info info = { .names_n = 77 };
		enum err e = x509_check_chain(rows[i].chain, rows[i].csr, rows[i].names,
		    rows[i].names_n, rows[i].now, n == i ? NULL : &known, &arena, &why, &info);

		if (e != rows[i].wanted || strstr(why.text, rows[i].words) == NULL)
			fail_msg("%s:%d: %s: %s: %s", __FILE__, rows[i].line, rows[i].name,
			    err_name(e), why.text);
		assert_int_equal(info.names_n, e == ERR_OK ? 2 : 77);
	}
	assert_true(known.uses > 0);
	known_fini(&known);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(leaf_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(unreadable_certificates, set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_byte_may_be_wrong, set_up, tear_down),
		cmocka_unit_test_setup_teardown(key_of_a_leaf_as_it_stands, set_up, tear_down),
		cmocka_unit_test_setup_teardown(chain_fits_the_order, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
