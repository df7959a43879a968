/* The verbs that need a private key: what they make is verified by OpenSSL and jansson, not by our own code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <jansson.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/limits.h"
#include "ports/keys/core.h"
#include "ports/keys/local.h"
#include "ports/keys/master.h"
#include "ports/keys/pair.h"
#include "ports/keys/protocol.h"
#include "ports/keys/seal.h"
#include "ports/keys/set.h"

static const uint8_t master[SECRET_KEY_BYTES] = { 1, 2, 3 },
		     transport[SECRET_KEY_BYTES] = { 4, 5, 6 };
static struct keys_core *core;
static struct arena arena;

static int
set_up(void **state)
{
	(void)state;
	arena_init(&arena, 8 << 20);
	return keys_core_new(master, transport, &core) == ERR_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	keys_core_free(&core);
	arena_fini(&arena);
	return 0;
}

static struct keys_answer
ask(struct keys_job job)
{
	struct keys_answer answer = { .err = ERR_BUG };

	keys_do(core, &job, &arena, &answer);
	return answer;
}

static struct keys_answer
ask_ok(struct keys_job job)
{
	struct keys_answer answer = ask(job);

	assert_int_equal(answer.err, ERR_OK);
	return answer;
}

static struct str
decode(const char *base64url)
{
	char *p = arena_get(&arena, strlen(base64url) + 1);
	size_t n = 0;

	assert_non_null(p);
	assert_int_equal(
	    sodium_base642bin((unsigned char *)p, strlen(base64url), base64url,
		strlen(base64url), NULL, &n, NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING),
	    0);
	return (struct str){ p, n };
}

static json_t *
parse(struct str text)
{
	json_error_t error;
	json_t *json = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);

	if (json == NULL)
		fail_msg("not JSON: %s: %.*s", error.text, STR_ARG(text));
	return json;
}

static const char *
member(const json_t *json, const char *name)
{
	const char *s = json_string_value(json_object_get(json, name));

	if (s == NULL)
		fail_msg("no member %s", name);
	return s;
}

/* A public key out of a JWK, by way of a SubjectPublicKeyInfo for P-256. */
static EVP_PKEY *
key_of_jwk(const json_t *jwk)
{
	static const unsigned char head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86,
		0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
		0x01, 0x07, 0x03, 0x42, 0x00, 0x04 };
	unsigned char spki[sizeof head + 64];
	const unsigned char *p = spki;
	struct str x = decode(member(jwk, "x")), y = decode(member(jwk, "y"));

	assert_string_equal(member(jwk, "kty"), "EC");
	assert_string_equal(member(jwk, "crv"), "P-256");
	assert_int_equal(json_object_size(jwk), 4);
	assert_int_equal(x.n, 32);
	assert_int_equal(y.n, 32);
	memcpy(spki, head, sizeof head);
	memcpy(spki + sizeof head, x.p, 32);
	memcpy(spki + sizeof head + 32, y.p, 32);
	EVP_PKEY *key = d2i_PUBKEY(NULL, &p, sizeof spki);
	assert_non_null(key);
	return key;
}

/* The signature r||s in DER, as OpenSSL verifies it. */
static bool
verifies(EVP_PKEY *key, struct str input, struct str raw)
{
	unsigned char *der = NULL;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	assert_int_equal(raw.n, 64);
	assert_int_equal(ECDSA_SIG_set0(sig, BN_bin2bn((const unsigned char *)raw.p, 32, NULL),
			     BN_bin2bn((const unsigned char *)raw.p + 32, 32, NULL)),
	    1);
	int n = i2d_ECDSA_SIG(sig, &der);
	assert_int_equal(EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, key), 1);
	bool is_good =
	    EVP_DigestVerify(md, der, (size_t)n, (const unsigned char *)input.p, input.n) == 1;
	EVP_MD_CTX_free(md);
	ECDSA_SIG_free(sig);
	OPENSSL_free(der);
	return is_good;
}

static struct str
signed_input(const json_t *jws)
{
	return arena_strf(&arena, "%s.%s", member(jws, "protected"), member(jws, "payload"));
}

static void
jws_is_verified(void **state)
{
	(void)state;
	static const struct row {
		const char *name;
		int line;
		const char *url, *nonce, *kid, *payload;
	} rows[] = {
		{ "new account", __LINE__, "https://ca.example/new-account", "abc-_1", "",
		    "{\"termsOfServiceAgreed\":true}" },
		{ "POST-as-GET", __LINE__, "https://ca.example/order/1", "n",
		    "https://ca.example/acct/7", "" },
		{ "escapes", __LINE__, "https://ca.example/\"\\\n\t\x01\x7f日本語", "\"}",
		    "k\"id", "{}" },
	};

	struct str sealed = ask_ok((struct keys_job){ .verb = KEYS_ACCOUNT_NEW }).sealed;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct keys_answer answer = ask_ok((struct keys_job){ .verb = KEYS_JWS,
		    .sealed = sealed,
		    .url = str_of(rows[i].url),
		    .nonce = str_of(rows[i].nonce),
		    .kid = str_of(rows[i].kid),
		    .payload = str_of(rows[i].payload) });
		json_t *jws = parse(answer.json),
		       *header = parse(decode(member(jws, "protected")));

		assert_string_equal(member(header, "alg"), "ES256");
		assert_string_equal(member(header, "url"), rows[i].url);
		assert_string_equal(member(header, "nonce"), rows[i].nonce);
		assert_true(str_eq(decode(member(jws, "payload")), str_of(rows[i].payload)));
		if (rows[i].kid[0] != '\0')
			assert_string_equal(member(header, "kid"), rows[i].kid);
		assert_int_equal(
		    json_object_get(header, "jwk") != NULL, rows[i].kid[0] == '\0');
		/* The key is shown by a JWS without a kid of the same account. */
		json_t *shown = parse(ask_ok(
		    (struct keys_job){ .verb = KEYS_JWS, .sealed = sealed, .url = STR("u") })
					  .json);
		json_t *first = parse(decode(member(shown, "protected")));
		EVP_PKEY *key = key_of_jwk(json_object_get(first, "jwk"));
		if (!verifies(key, signed_input(jws), decode(member(jws, "signature"))))
			fail_msg("%s:%d: %s: the signature does not verify", __FILE__,
			    rows[i].line, rows[i].name);
		assert_false(
		    verifies(key, STR("another text"), decode(member(jws, "signature"))));
		EVP_PKEY_free(key);
		json_decref(first);
		json_decref(shown);
		json_decref(header);
		json_decref(jws);
	}
}

static void
thumbprint_is_of_the_jwk(void **state)
{
	(void)state;
	struct keys_answer made = ask_ok((struct keys_job){ .verb = KEYS_ACCOUNT_NEW });
	struct keys_answer again =
	    ask_ok((struct keys_job){ .verb = KEYS_THUMBPRINT, .sealed = made.sealed });
	json_t *jws = parse(ask_ok(
	    (struct keys_job){ .verb = KEYS_JWS, .sealed = made.sealed, .url = STR("u") })
				.json);
	json_t *header = parse(decode(member(jws, "protected"))),
	       *jwk = json_object_get(header, "jwk");
	/* RFC 7638: the required members in lexicographic order, without white space. */
	struct str canonical =
	    arena_strf(&arena, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}",
		member(jwk, "x"), member(jwk, "y"));
	unsigned char digest[32];

	EVP_Digest(canonical.p, canonical.n, digest, NULL, EVP_sha256(), NULL);
	assert_int_equal(made.thumbprint.n, 43);
	assert_true(str_eq(made.thumbprint, again.thumbprint));
	assert_memory_equal(decode(made.thumbprint.p).p, digest, 32);
	assert_null(json_object_get(header, "nonce"));
	json_decref(header);
	json_decref(jws);
}

static void
eab_is_verified(void **state)
{
	(void)state;
	static const char *const hmacs[] = { "c2VjcmV0LWhtYWMta2V5IQ",
		"c2VjcmV0LWhtYWMta2V5IQ==", " c2VjcmV0LWhtYWMta2V5IQ\n" };
	struct str account = ask_ok((struct keys_job){ .verb = KEYS_ACCOUNT_NEW }).sealed;

	for (size_t i = 0; i < sizeof hmacs / sizeof *hmacs; i++) {
		struct str sealed =
		    ask_ok((struct keys_job){ .verb = KEYS_SEAL, .secret = str_of(hmacs[i]) })
			.sealed;
		struct keys_answer answer = ask_ok((struct keys_job){ .verb = KEYS_EAB,
		    .sealed = account,
		    .sealed_hmac = sealed,
		    .kid = STR("kid-1"),
		    .url = STR("https://ca.example/new-account") });
		json_t *jws = parse(answer.json),
		       *header = parse(decode(member(jws, "protected")));
		json_t *jwk = parse(decode(member(jws, "payload")));
		struct str input = signed_input(jws),
			   signature = decode(member(jws, "signature"));
		unsigned char wanted[32];

		assert_string_equal(member(header, "alg"), "HS256");
		assert_string_equal(member(header, "kid"), "kid-1");
		assert_string_equal(member(header, "url"), "https://ca.example/new-account");
		assert_int_equal(json_object_size(header), 3);
		EVP_PKEY_free(key_of_jwk(jwk));
		HMAC(EVP_sha256(), "secret-hmac-key!", 16, (const unsigned char *)input.p,
		    input.n, wanted, NULL);
		assert_int_equal(signature.n, 32);
		assert_memory_equal(signature.p, wanted, 32);
		json_decref(jwk);
		json_decref(header);
		json_decref(jws);
	}
	struct str sealed =
	    ask_ok((struct keys_job){ .verb = KEYS_SEAL, .secret = STR("not base64!") }).sealed;
	assert_int_equal(
	    ask((struct keys_job){ .verb = KEYS_EAB, .sealed = account, .sealed_hmac = sealed })
		.err,
	    ERR_INVALID);
}

static const struct str names[] = { { "example.jp", 10 }, { "www.example.jp", 14 },
	{ "*.xn--wgv71a119e.jp", 19 } };

static void
csr_is_verified(void **state)
{
	(void)state;
	static const struct row {
		const char *name;
		int line;
		enum key_type type;
		int bits;
	} rows[] = {
		{ "P-256", __LINE__, KEY_P256, 256 },
		{ "P-384", __LINE__, KEY_P384, 384 },
		{ "RSA-2048", __LINE__, KEY_RSA2048, 2048 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct keys_answer answer = ask_ok((struct keys_job){ .verb = KEYS_SITE_NEW,
		    .key_type = rows[i].type,
		    .names = names,
		    .names_n = 3 });
		const unsigned char *p = (const unsigned char *)answer.csr_der.p;
		X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)answer.csr_der.n);

		assert_non_null(req);
		if (X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) != 1)
			fail_msg("%s:%d: %s: the request does not verify", __FILE__,
			    rows[i].line, rows[i].name);
		assert_int_equal(EVP_PKEY_get_bits(X509_REQ_get0_pubkey(req)), rows[i].bits);
		assert_int_equal(X509_NAME_entry_count(X509_REQ_get_subject_name(req)), 0);
		STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(req);
		assert_int_equal(sk_X509_EXTENSION_num(extensions), 1);
		GENERAL_NAMES *general =
		    X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
		assert_int_equal(sk_GENERAL_NAME_num(general), 3);
		for (int k = 0; k < 3; k++) {
			const ASN1_IA5STRING *text =
			    sk_GENERAL_NAME_value(general, k)->d.dNSName;

			assert_true(
			    str_eq((struct str){ (const char *)ASN1_STRING_get0_data(text),
				       (size_t)ASN1_STRING_length(text) },
				names[k]));
		}
		GENERAL_NAMES_free(general);
		sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
		X509_REQ_free(req);
		/* The sealed key is the one of the request. */
		struct keys_answer key =
		    ask_ok((struct keys_job){ .verb = KEYS_EXPORT, .sealed = answer.sealed });
		BIO *bio = BIO_new_mem_buf(key.key_pem.p, (int)key.key_pem.n);
		EVP_PKEY *pair = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
		p = (const unsigned char *)answer.csr_der.p;
		req = d2i_X509_REQ(NULL, &p, (long)answer.csr_der.n);
		assert_int_equal(X509_REQ_check_private_key(req, pair), 1);
		assert_true(str_starts(key.key_pem, STR("-----BEGIN PRIVATE KEY-----\n")));
		X509_REQ_free(req);
		EVP_PKEY_free(pair);
		BIO_free(bio);
	}
}

static void
names_that_cannot_be_certified(void **state)
{
	(void)state;
	const struct str bad[] = { STR(""), STR("a b"), STR("a\0b.jp"), STR("日本語.jp"),
		STR("a,DNS:evil.jp"), STR(".jp"), STR("jp."), STR("a.*.jp"), STR("*") };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (ask((struct keys_job){
			    .verb = KEYS_SITE_NEW, .names = &bad[i], .names_n = 1 })
			.err != ERR_INVALID)
			fail_msg("%s: row %zu was accepted", __FILE__, i);
	assert_int_equal(ask((struct keys_job){ .verb = KEYS_SITE_NEW }).err, ERR_INVALID);
}

/* OpenSSL refuses to sign with half a pair: that is an error, and nothing half made comes out. */
static void
public_half_cannot_sign(void **state)
{
	(void)state;
	EVP_PKEY *pair = NULL;
	unsigned char *der = NULL;
	AUTO_BUF csr = { .max = 0 };

	buf_init(&csr, LIMIT_CSR_BYTES);
	assert_int_equal(pair_make(KEY_P256, &pair), ERR_OK);
	int n = i2d_PUBKEY(pair, &der);
	const unsigned char *p = der;
	EVP_PKEY *half = d2i_PUBKEY(NULL, &p, n);
	assert_non_null(half);
	assert_int_equal(pair_make_csr(half, names, 1, &csr), ERR_CRYPTO);
	assert_int_equal(csr.n, 0);
	assert_int_equal(pair_make_csr(pair, names, 1, &csr), ERR_OK);
	EVP_PKEY_free(half);
	EVP_PKEY_free(pair);
	OPENSSL_free(der);
}

/* Each bit of a sealed key changed: nothing but an error may come out of it, and never another key. */
static void
tampered_seal_is_refused(void **state)
{
	(void)state;
	struct str sealed =
	    ask_ok((struct keys_job){ .verb = KEYS_SITE_NEW, .names = names, .names_n = 1 })
		.sealed;
	char *copy = arena_get(&arena, sealed.n + 1);

	memcpy(copy, sealed.p, sealed.n);
	for (size_t bit = 0; bit < 8 * sealed.n; bit++) {
		copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
		enum err e =
		    ask((struct keys_job){ .verb = KEYS_EXPORT, .sealed = { copy, sealed.n } })
			.err;

		if (e != (bit / 8 == 2 ? ERR_DENIED : ERR_CORRUPT))
			fail_msg(
			    "%s:%d: bit %zu changed: %s", __FILE__, __LINE__, bit, err_name(e));
		copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
	}
	for (size_t n = 0; n < sealed.n; n++)
		assert_int_equal(
		    ask((struct keys_job){ .verb = KEYS_EXPORT, .sealed = { copy, n } }).err,
		    ERR_CORRUPT);
	assert_int_equal(
	    ask((struct keys_job){ .verb = KEYS_EXPORT, .sealed = { copy, sealed.n } }).err,
	    ERR_OK);

	static const uint8_t other_master[SECRET_KEY_BYTES] = { 9 };
	struct keys_core *other = NULL;
	struct keys_answer answer;
	assert_int_equal(keys_core_new(other_master, NULL, &other), ERR_OK);
	keys_do(other, &(struct keys_job){ .verb = KEYS_EXPORT, .sealed = sealed }, &arena,
	    &answer);
	assert_int_equal(answer.err, ERR_CORRUPT);
	keys_do(other,
	    &(struct keys_job){ .verb = KEYS_SET, .sealed = sealed, .chain_pem = STR("x") },
	    &arena, &answer);
	assert_int_equal(answer.err, ERR_DENIED);
	keys_core_free(&other);
}

static void
purposes_are_not_confused(void **state)
{
	(void)state;
	struct str account = ask_ok((struct keys_job){ .verb = KEYS_ACCOUNT_NEW }).sealed;
	struct str site =
	    ask_ok((struct keys_job){ .verb = KEYS_SITE_NEW, .names = names, .names_n = 1 })
		.sealed;
	struct str secret =
	    ask_ok((struct keys_job){ .verb = KEYS_SEAL, .secret = STR("YWJj") }).sealed;
	const struct row {
		const char *name;
		int line;
		struct keys_job job;
	} rows[] = {
		{ "export of the account key", __LINE__,
		    { .verb = KEYS_EXPORT, .sealed = account } },
		{ "export of a secret", __LINE__, { .verb = KEYS_EXPORT, .sealed = secret } },
		{ "JWS by a site's key", __LINE__,
		    { .verb = KEYS_JWS, .sealed = site, .url = STR("u") } },
		{ "thumbprint of a site's key", __LINE__,
		    { .verb = KEYS_THUMBPRINT, .sealed = site } },
		{ "set with the account key", __LINE__,
		    { .verb = KEYS_SET, .sealed = account, .chain_pem = STR("x") } },
		{ "HMAC by the account key", __LINE__,
		    { .verb = KEYS_EAB, .sealed = account, .sealed_hmac = account } },
		{ "EAB for a secret", __LINE__,
		    { .verb = KEYS_EAB, .sealed = secret, .sealed_hmac = secret } },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum err e = ask(rows[i].job).err;

		if (e != ERR_DENIED)
			fail_msg(
			    "%s:%d: %s: %s", __FILE__, rows[i].line, rows[i].name, err_name(e));
	}
	/* Another purpose in the head does not help: it is bound in. */
	char *forged = arena_get(&arena, account.n);
	memcpy(forged, account.p, account.n);
	forged[2] = PURPOSE_SITE;
	assert_int_equal(
	    ask((struct keys_job){ .verb = KEYS_EXPORT, .sealed = { forged, account.n } }).err,
	    ERR_CORRUPT);
}

/* A self-signed certificate for the key in this PEM text. */
static struct str
self_signed(struct str key_pem)
{
	BIO *bio = BIO_new_mem_buf(key_pem.p, (int)key_pem.n), *out = BIO_new(BIO_s_mem());
	EVP_PKEY *pair = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	X509 *x = X509_new();
	char *p;

	assert_non_null(pair);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, pair);
	assert_true(X509_sign(x, pair, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(out, x), 1);
	long n = BIO_get_mem_data(out, &p);
	struct str pem = arena_str(&arena, (struct str){ p, (size_t)n });
	X509_free(x);
	EVP_PKEY_free(pair);
	BIO_free(bio);
	BIO_free(out);
	return pem;
}

static void
set_reaches_the_installer_alone(void **state)
{
	(void)state;
	struct str one =
	    ask_ok((struct keys_job){ .verb = KEYS_SITE_NEW, .names = names, .names_n = 1 })
		.sealed;
	struct str two =
	    ask_ok((struct keys_job){ .verb = KEYS_SITE_NEW, .names = names, .names_n = 1 })
		.sealed;
	struct str key =
		       ask_ok((struct keys_job){ .verb = KEYS_EXPORT, .sealed = one }).key_pem,
		   chain = self_signed(key);
	struct keys_answer answer =
	    ask_ok((struct keys_job){ .verb = KEYS_SET, .sealed = one, .chain_pem = chain });
	struct str got_chain, got_key;

	assert_int_equal(str_find(answer.set, STR("BEGIN")), SIZE_MAX);
	assert_int_equal(
	    keys_set_open(transport, answer.set, &arena, &got_chain, &got_key), ERR_OK);
	assert_true(str_eq(got_chain, chain));
	assert_true(str_eq(got_key, key));
	assert_int_equal(
	    keys_set_open(master, answer.set, &arena, &got_chain, &got_key), ERR_CORRUPT);
	for (size_t n = 0; n < answer.set.n; n += n < 60 ? 1 : 97)
		assert_int_equal(keys_set_open(transport, (struct str){ answer.set.p, n },
				     &arena, &got_chain, &got_key),
		    ERR_CORRUPT);
	assert_int_equal(
	    ask((struct keys_job){ .verb = KEYS_SET, .sealed = two, .chain_pem = chain }).err,
	    ERR_MISMATCH);
	assert_int_equal(ask((struct keys_job){
				 .verb = KEYS_SET, .sealed = one, .chain_pem = STR("rubbish") })
			     .err,
	    ERR_INVALID);
	assert_int_equal(
	    ask((struct keys_job){ .verb = KEYS_SET, .sealed = one }).err, ERR_INVALID);
}

static void
limits(void **state)
{
	(void)state;
	char *long_text = arena_get(&arena, LIMIT_CHAIN_BYTES + 2);
	struct str account = ask_ok((struct keys_job){ .verb = KEYS_ACCOUNT_NEW }).sealed;

	memset(long_text, 'x', LIMIT_CHAIN_BYTES + 1);
	const struct row {
		const char *name;
		int line;
		struct keys_job job;
		enum err wanted;
	} rows[] = {
		{ "url", __LINE__,
		    { .verb = KEYS_JWS,
			.sealed = account,
			.url = { long_text, LIMIT_URL_BYTES + 1 } },
		    ERR_TOO_LONG },
		{ "longest url", __LINE__,
		    { .verb = KEYS_JWS,
			.sealed = account,
			.url = { long_text, LIMIT_URL_BYTES } },
		    ERR_OK },
		{ "payload", __LINE__,
		    { .verb = KEYS_JWS,
			.sealed = account,
			.payload = { long_text, LIMIT_CHAIN_BYTES } },
		    ERR_TOO_LONG },
		{ "chain", __LINE__,
		    { .verb = KEYS_SET,
			.sealed = account,
			.chain_pem = { long_text, LIMIT_CHAIN_BYTES + 1 } },
		    ERR_TOO_LONG },
		{ "secret", __LINE__,
		    { .verb = KEYS_SEAL, .secret = { long_text, LIMIT_SEALED_BYTES } },
		    ERR_TOO_LONG },
		{ "account", __LINE__,
		    { .verb = KEYS_JWS, .sealed = { long_text, LIMIT_SEALED_BYTES + 1 } },
		    ERR_CORRUPT },
		{ "not UTF-8", __LINE__,
		    { .verb = KEYS_JWS, .sealed = account, .url = STR("\xff") }, ERR_INVALID },
		{ "no such verb", __LINE__, { .verb = KEYS_VERB_COUNT }, ERR_PROTOCOL },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum err e = ask(rows[i].job).err;

		if (e != rows[i].wanted)
			fail_msg(
			    "%s:%d: %s: %s", __FILE__, rows[i].line, rows[i].name, err_name(e));
	}
}

/* More accounts than the cache has places, in an order that throws out each before it comes again. */
static void
cache_forgets_and_finds_again(void **state)
{
	(void)state;
	enum { N = 20 };
	struct keys_answer accounts[N];

	for (size_t i = 0; i < N; i++)
		accounts[i] = ask_ok((struct keys_job){ .verb = KEYS_ACCOUNT_NEW });
	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < N; i++)
			assert_true(str_eq(ask_ok((struct keys_job){ .verb = KEYS_THUMBPRINT,
						      .sealed = accounts[i].sealed })
					       .thumbprint,
			    accounts[i].thumbprint));
}

static void
protocol_round_trip_and_truncation(void **state)
{
	(void)state;
	struct keys_job job = { KEYS_SITE_NEW, STR("sealed"), STR("hmac"), STR("old"), STR("url"),
		STR("nonce"), STR("kid"), STR("payload"), STR("secret"), STR("chain"),
		KEY_RSA3072, names, 3, STR("755224"), UINT64_MAX, { STR("o"), STR("l"), STR("s"), STR("JP") } },
			got;
	struct keys_answer answer = { ERR_MISMATCH, STR("a"), STR("b"), STR("c"), STR("d"),
		STR("e"), STR("f"), STR("g"), 7 },
			   heard;
	AUTO_BUF b = { .max = 0 };

	buf_init(&b, 4096);
	keys_job_put(&b, &job);
	assert_int_equal(keys_job_get(buf_str(&b), &arena, &got), ERR_OK);
	assert_int_equal(got.verb, KEYS_SITE_NEW);
	assert_int_equal(got.key_type, KEY_RSA3072);
	assert_true(str_eq(got.sealed, job.sealed) &&
		    str_eq(got.sealed_hmac, job.sealed_hmac) &&
		    str_eq(got.sealed_old, job.sealed_old) && str_eq(got.url, job.url));
	assert_true(str_eq(got.nonce, job.nonce) && str_eq(got.kid, job.kid) &&
		    str_eq(got.payload, job.payload));
	assert_true(str_eq(got.secret, job.secret) && str_eq(got.chain_pem, job.chain_pem));
	assert_int_equal(got.names_n, 3);
	assert_true(str_eq(got.names[2], names[2]));
	assert_true(str_eq(got.code, job.code) && got.first_step == job.first_step);
	assert_true(str_eq(got.subject.organization, STR("o")) && str_eq(got.subject.locality, STR("l")) &&
		    str_eq(got.subject.state, STR("s")) && str_eq(got.subject.country, STR("JP")));
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(
		    keys_job_get((struct str){ b.p, n }, &arena, &got), ERR_PROTOCOL);
	b.p[2] = KEYS_VERB_COUNT;
	assert_int_equal(keys_job_get(buf_str(&b), &arena, &got), ERR_PROTOCOL);
	b.p[2] = KEYS_JWS;
	b.p[3] = KEY_RSA4096 + 1;
	assert_int_equal(keys_job_get(buf_str(&b), &arena, &got), ERR_PROTOCOL);
	buf_clear(&b);
	keys_answer_put(&b, &answer);
	assert_int_equal(keys_answer_get(buf_str(&b), &heard), ERR_OK);
	assert_int_equal(heard.err, ERR_MISMATCH);
	assert_true(str_eq(heard.key_pem, STR("f")) && str_eq(heard.sealed, STR("a")));
	assert_true(str_eq(heard.secret, STR("g")) && heard.step == 7);
	for (size_t n = 0; n < b.n; n++)
		assert_int_equal(keys_answer_get((struct str){ b.p, n }, &heard), ERR_PROTOCOL);
	b.p[5] = (char)ERR_COUNT;
	assert_int_equal(keys_answer_get(buf_str(&b), &heard), ERR_PROTOCOL);
}

static void
count_answer(void *arg, const struct keys_answer *answer)
{
	assert_int_equal(answer->err, ERR_OK);
	assert_int_equal(answer->thumbprint.n, 43);
	++*(int *)arg;
}

static void
local_port_answers_later(void **state)
{
	(void)state;
	struct clock clock = clock_real(SPAN_S(0));
	struct loop *loop = NULL;
	struct keys_local *local = NULL;
	int n = 0;

	assert_int_equal(loop_new(&clock, &loop), ERR_OK);
	assert_int_equal(keys_local_new(loop, master, NULL, &local), ERR_OK);
	struct keys keys = keys_local_port(local);
	for (int i = 0; i < 3; i++)
		assert_int_equal(
		    keys.submit(keys.ctx, &(struct keys_job){ .verb = KEYS_ACCOUNT_NEW },
			count_answer, &n),
		    ERR_OK);
	assert_int_equal(n, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(loop_round(loop, -1), ERR_OK);
	assert_int_equal(n, 3);
	for (int i = 0; i < LIMIT_ORDERS_OPEN; i++)
		assert_int_equal(
		    keys.submit(keys.ctx, &(struct keys_job){ .verb = KEYS_ACCOUNT_NEW },
			count_answer, &n),
		    ERR_OK);
	assert_int_equal(keys.submit(keys.ctx, &(struct keys_job){ .verb = KEYS_ACCOUNT_NEW },
			     count_answer, &n),
	    ERR_FULL);
	keys_local_free(&local); /* with jobs waiting: forgotten, not leaked */
	assert_int_equal(loop_round(loop, 0), ERR_OK);
	assert_int_equal(n, 3);
	loop_free(&loop);
}

static void
write_file(const char *path, struct str text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.p, text.n), text.n);
	close(fd);
	assert_int_equal(chmod(path, mode), 0);
}

static void
master_key_file(void **state)
{
	(void)state;
	char folder[] = "/tmp/koshin-keys-XXXXXX", path[64], text[256];
	struct secret made = { 0 }, again = { 0 };
	struct why why;
	struct stat st;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/master.key", folder);
	assert_int_equal(master_key_read(path, &why, &made), ERR_NOT_FOUND);
	snprintf(text, sizeof text, "%s.new", path);
	write_file(text, STR("half a k"), 0600); /* of a start that was killed */
	assert_int_equal(master_key_make(path, &why), ERR_OK);
	assert_int_equal(access(text, F_OK), -1);
	assert_int_equal(master_key_make(path, &why), ERR_EXISTS);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(master_key_read(path, &why, &made), ERR_OK);
	assert_int_equal(made.n, SECRET_KEY_BYTES);
	assert_int_equal(master_key_read(path, &why, &again), ERR_OK);
	assert_memory_equal(made.p, again.p, SECRET_KEY_BYTES);
	secret_fini(&again);
	secret_fini(&made);

	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof text);
	close(fd);
	assert_true(n > 80 && text[n - 1] == '\n');
	for (ssize_t i = 0; i < n - 1; i++) { /* any one byte changed, or the file cut there */
		char was = text[i];

		text[i] = was == 'A' ? 'B' : 'A';
		write_file(path, (struct str){ text, (size_t)n }, 0600);
		assert_int_equal(master_key_read(path, &why, &again), ERR_CORRUPT);
		assert_non_null(strstr(why.text, path));
		text[i] = was;
		write_file(path, (struct str){ text, (size_t)i }, 0600);
		assert_int_equal(master_key_read(path, &why, &again), ERR_CORRUPT);
	}
	write_file(path, (struct str){ text, (size_t)n }, 0640);
	assert_int_equal(master_key_read(path, &why, &again), ERR_DENIED);
	assert_non_null(strstr(why.text, "chmod"));
	write_file(path, (struct str){ text, (size_t)n }, 0600);
	assert_int_equal(master_key_read(path, &why, &again), ERR_OK);
	secret_fini(&again);
	unlink(path);
	assert_int_not_equal(master_key_make("/nonexistent/master.key", &why), ERR_OK);
	rmdir(folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(jws_is_verified, set_up, tear_down),
		cmocka_unit_test_setup_teardown(thumbprint_is_of_the_jwk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(eab_is_verified, set_up, tear_down),
		cmocka_unit_test_setup_teardown(csr_is_verified, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    names_that_cannot_be_certified, set_up, tear_down),
		cmocka_unit_test(public_half_cannot_sign),
		cmocka_unit_test_setup_teardown(tampered_seal_is_refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(purposes_are_not_confused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    set_reaches_the_installer_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    cache_forgets_and_finds_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    protocol_round_trip_and_truncation, set_up, tear_down),
		cmocka_unit_test(local_port_answers_later),
		cmocka_unit_test(master_key_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
